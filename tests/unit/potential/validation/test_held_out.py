"""Errors on held-out frames, from predictions with known errors."""

from dataclasses import replace

import numpy as np
import pytest

import labelled
from lah10.potential.validation import held_out
from wrong_model import wrong


@pytest.fixture
def compared():
    """Two sets of one source, 100 and 50 frames, and one of another source."""
    systems = [
        labelled.system("toy/a", frames=100, volume=33.2),
        labelled.system("toy/b", frames=50, volume=37.0, seed=2),
        labelled.system("other/c", frames=20, volume=28.0, seed=3),
    ]
    predictions = [
        wrong(systems[0], energy=5.0, force=0.1, pressure=1.0),
        wrong(systems[1], energy=5.003, force=0.2, pressure=-2.0),
        wrong(systems[2], energy=-100.0, force=0.3),
    ]
    return held_out.compare(systems, predictions)


def test_errors_are_those_put_in(compared):
    table = held_out.tabulate(compared)
    a, b = table["sets"]["toy/a"], table["sets"]["toy/b"]
    assert (a["frames"], b["frames"]) == (100, 50)
    assert a["force_rmse"] == pytest.approx(0.1, rel=0.03)
    assert b["force_rmse"] == pytest.approx(0.2, rel=0.03)
    assert a["pressure_rmse"] == pytest.approx(1.0) == a["pressure_bias"]
    assert b["pressure_bias"] == pytest.approx(-2.0)
    # A constant is no error, neither for the set nor for the source; for one constant over both
    # sets 100 frames lie 1 meV below and 50 lie 2 meV above the mean.
    assert a["energy_rmse"] == pytest.approx(0, abs=1e-9)
    toy = table["sources"]["toy"]
    assert toy["energy_rmse"] == pytest.approx(0, abs=1e-9)
    assert toy["energy_rmse_one_constant"] == pytest.approx(np.sqrt(2.0), rel=1e-6)
    assert toy["force_rmse"] == pytest.approx(np.sqrt((2 * 0.1**2 + 0.2**2) / 3), rel=0.03)


def test_pressure_ranges_hold_their_frames(compared):
    ranges = held_out.tabulate(compared)["pressure_ranges"]
    # The toy's pressures are those of Fm-3m: 148, 97 and 265 GPa.
    assert {k: v["frames"] for k, v in ranges["toy"].items()} == {"0-100": 50, "125-150": 100}
    assert {k: v["frames"] for k, v in ranges["other"].items()} == {"250-300": 20}


def test_scatter_in_the_energy_counts():
    system = labelled.system("toy/a", frames=400)
    found = wrong(system)
    scatter = np.random.default_rng(1).normal(size=400) * 0.002
    found = replace(found, energies=found.energies + scatter * system.n_atoms)
    errors = held_out.tabulate(held_out.compare([system], [found]))["sets"]["toy/a"]
    assert errors["energy_rmse"] == pytest.approx(2.0, rel=0.1)


def test_every_force_component_is_counted(compared):
    counts = compared.force_count.sum(["force_label", "force_model"])
    assert dict(zip(counts.counted_source.values, counts.values.tolist(), strict=True)) == {
        "other": 20 * 33,
        "toy": 150 * 33,
    }


def test_rows_fit_their_header(compared):
    table = held_out.tabulate(compared)
    for kind in ("sources", "sets", "pressure_ranges"):
        for row in held_out.rows(table, kind):
            assert len(row) == len(held_out.HEADER)
    assert held_out.rows(table, "pressure_ranges")[0][0] == "toy, 0-100 GPa"
