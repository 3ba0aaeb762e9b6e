"""Errors, walks out of the data, parity figure and card, from predictions with known errors."""

import json
from dataclasses import replace

import ase
import numpy as np
import pytest
import xarray as xr

import crystals
import labelled
from lah10 import ELEMENTS
from lah10.config import training as settings
from lah10.errors import UserError
from lah10.figures import parity
from lah10.io.files import sha256
from lah10.potential.data import deepmd_folders, preparation
from lah10.potential.evaluate import Prediction
from lah10.potential.validation import card, extrapolation_scan, held_out
from lah10.units import EV_PER_A3_IN_GPA


def wrong(system, energy=0.0, force=0.0, pressure=0.0, seed=0):
    """The labels with errors added: eV/atom (a constant), eV/Å (random), GPa (a constant)."""
    rng = np.random.default_rng(seed)
    virial = np.eye(3) * pressure / EV_PER_A3_IN_GPA * system.volumes[:, None, None]
    return Prediction(
        system.energies + energy * system.n_atoms,
        system.forces + rng.normal(size=system.forces.shape) * force,
        system.virials + virial,
    )


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


# ------------------------------------------------------------------- walks out of the data


def pair_law(system):
    """A made-up model: 1/d repulsion of the nearest pair, pressure 4000/V per formula unit."""
    energies, virials = [], []
    for i in range(len(system)):
        atoms = ase.Atoms(numbers=[1] * system.n_atoms, positions=system.coordinates[i])
        atoms.cell, atoms.pbc = system.boxes[i], True
        distances = atoms.get_all_distances(mic=True)
        energies.append(1 / distances[distances > 0].min())
        virials.append(np.eye(3) * 4000 / EV_PER_A3_IN_GPA * system.n_atoms / 11)
    return Prediction(np.array(energies), np.zeros_like(system.coordinates), np.array(virials))


@pytest.fixture
def repulsive(monkeypatch):
    monkeypatch.setattr(
        extrapolation_scan,
        "evaluate",
        lambda model, systems, threads: [pair_law(s) for s in systems],
    )


@pytest.fixture
def asked(monkeypatch):
    """The systems that the made-up model is asked about, as they come."""
    systems_asked = []

    def look(model, systems, threads):
        systems_asked.extend(systems)
        return [pair_law(s) for s in systems]

    monkeypatch.setattr(extrapolation_scan, "evaluate", look)
    return systems_asked


def test_walks_meet_the_distances_and_volumes_asked_for(asked):
    crystal = crystals.cubic_lah10(a=5.05)
    walks = extrapolation_scan.walks("model.pb", crystal)
    n = len(extrapolation_scan.SQUEEZES)
    squeezes, pushed = asked[:n], asked[n:]
    for squeezed in squeezes:
        np.testing.assert_allclose(squeezed.volumes / 4, extrapolation_scan.VOLUMES)
    np.testing.assert_allclose(walks["volume"].pressure, 4000 / extrapolation_scan.VOLUMES)
    approaches = extrapolation_scan.APPROACHES.items()
    for system, (pair, distances) in zip(pushed, approaches, strict=True):
        elements = tuple(ELEMENTS.index(element) for element in pair)
        moved = np.abs(system.coordinates - crystal.positions).max(axis=2) > 1e-9
        (atoms,) = {tuple(np.flatnonzero(m)) for m in moved if m.any()}
        assert tuple(system.types[list(atoms)]) == elements
        vectors = system.coordinates[:, atoms[1]] - system.coordinates[:, atoms[0]]
        vectors -= np.round(vectors / 5.05) * 5.05
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), distances)


def test_squeezed_crystals_are_strained_and_displaced_as_said(asked):
    extrapolation_scan.walks("model.pb", crystals.cubic_lah10(a=5.05))
    perfect, strained, displaced = asked[:3]
    for boxes, angle in ((perfect.boxes, 60.0), (strained.boxes, 62.08)):
        one, other = (boxes[:, 1] + boxes[:, 2]) / 2, (boxes[:, 0] + boxes[:, 2]) / 2
        cosine = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) ** 2
        np.testing.assert_allclose(np.degrees(np.arccos(cosine)), angle, atol=0.01)
    moves = displaced.coordinates - perfect.coordinates
    np.testing.assert_allclose(np.linalg.norm(moves, axis=2), 0.1)
    np.testing.assert_allclose(moves, moves[:1].repeat(len(moves), axis=0), atol=1e-12)


def test_a_repulsive_law_rises_all_the_way(repulsive):
    walks = extrapolation_scan.walks("model.pb", crystals.cubic_lah10(a=5.05))
    assert walks["H-H"].energy_rises_to == extrapolation_scan.APPROACHES["H", "H"][-1]
    assert walks["volume"].pressure_rises_to == pytest.approx(4000 / extrapolation_scan.VOLUMES[-1])


def test_a_hole_is_found():
    coordinate = np.array([1.1, 1.0, 0.9, 0.8, 0.7])
    energy = np.array([0.0, 0.1, 0.3, 0.2, 9.0])
    pressure = np.array([100, 150, 140, 300, 400.0])
    walk = extrapolation_scan.Walk(coordinate, energy, pressure=pressure)
    assert walk.energy_rises_to == 0.9
    assert walk.pressure_rises_to == 150


# ------------------------------------------------------------------------ figure and card


@pytest.fixture
def validated(tmp_path, monkeypatch, repulsive):
    """A potential's folder with everything measured, by a made-up model."""
    system = labelled.system("toy/a", frames=6)
    (tmp_path / "data/toy").mkdir(parents=True)
    for name, seed in (("a", 1), ("b", 2)):
        system = labelled.system(f"toy/{name}", frames=6, seed=seed)
        deepmd_folders.write_deepmd(system, tmp_path / "data/toy" / name)
    split = settings.Split.model_validate(
        {
            "sources": {
                "toy": {
                    "citation": "A. Nobody, J. Toys 1, 1 (2000)",
                    "terms": "none",
                    "path": "data/toy",
                    "held_out": ["b"],
                }
            }
        }
    )
    index = preparation.prepare(split, {"toy": tmp_path / "data/toy"}, tmp_path / "prepared")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "lah10.pb").write_bytes(b"graph")
    monkeypatch.setattr(
        held_out,
        "evaluate",
        lambda model, systems, threads: [wrong(s, energy=3.0, force=0.1) for s in systems],
    )
    held_out.validate(
        folder / "lah10.pb",
        index,
        crystals.cubic_lah10(),
        folder / "validation.json",
        folder / "validation.nc",
    )
    stage = {
        "model": {"descriptor": {"type": "se_e2_a", "rcut": 3.5}, "fitting_net": {}},
        "training": {"numb_steps": 123},
        "learning_rate": {"start_lr": 0.01, "stop_lr": 1e-5},
    }
    (folder / "training.json").write_text(json.dumps({"stages": [stage]}))
    return folder, split


def test_the_parity_figure_is_drawn(validated, tmp_path):
    folder, _ = validated
    outputs = [tmp_path / "parity.png", tmp_path / "parity.pdf"]
    parity.draw(folder / "validation.nc", outputs)
    assert [output.read_bytes()[:4] for output in outputs] == [b"\x89PNG", b"%PDF"]
    with xr.open_dataset(folder / "validation.nc") as data:
        assert data.sizes["frame"] == 6
        assert data.energy_label.units == "eV/atom"
        assert data.model_sha256 == sha256(folder / "lah10.pb")


def test_the_card_tells_what_was_measured(validated):
    folder, split = validated
    text = card.write(folder, split).read_text()
    measured = json.loads((folder / "validation.json").read_text())
    for fragment in (
        "A. Nobody, J. Toys 1, 1 (2000)",
        "Held out: b.",
        "| toy/a | 6 | 11 | 148-148 | 3.02-3.02 |",
        f"{measured['sets']['toy/b']['force_rmse']:.4f}",
        "| 1 | 123 | 0.01 to 1e-05 | ? to ? | ? to ? | ? to ? |",
        "H-H down to 0.30 Å",
        "GPa for the same strained to R-3m, ",
        "toy 148 to 148 GPa, 6 frames of 11 to 11 atoms",
        sha256(folder / "lah10.pb"),
    ):
        assert fragment in text
    assert "## Speed" not in text
    speed = {
        "atoms": 352,
        "steps": 10,
        "repeats": 2,
        "processor": "abacus",
        "models": [
            {
                "name": "this project",
                "sha256": sha256(folder / "lah10.pb"),
                "katom_steps_per_second": 23.456,
                "ratio": 3.4,
            }
        ],
    }
    (folder / "speed.json").write_text(json.dumps(speed))
    assert "| this project | 23.46 | 3.40 |" in card.render(folder, split)


def test_a_card_is_of_its_model_only(validated):
    folder, split = validated
    (folder / "lah10.pb").write_bytes(b"another graph")
    with pytest.raises(UserError, match="is of another model"):
        card.render(folder, split)
    (folder / "validation.json").unlink()
    with pytest.raises(UserError, match=r"validation.json: cannot be read"):
        card.render(folder, split)


def test_a_comparison_is_of_the_same_frames(validated):
    """Another's is refused by the card, and does not stay when a model is shipped."""
    folder, split = validated
    path = folder / "comparison.json"
    other = json.loads((folder / "validation.json").read_text()) | {"model": "published"}
    path.write_text(json.dumps(other))
    card.drop_stale_comparison(folder)
    assert "The model *published*" in card.render(folder, split)
    first = next(iter(other["sets"]))
    for stale in (
        other["sets"] | {first: other["sets"][first] | {"frames": 1}},
        {name: errors for name, errors in other["sets"].items() if name != first},
        other["sets"] | {"more": other["sets"][first]},
    ):
        path.write_text(json.dumps(other | {"sets": stale}))
        with pytest.raises(UserError, match=r"comparison\.json: not the same frames as in v"):
            card.render(folder, split)
        card.drop_stale_comparison(folder)
        assert not path.exists()
