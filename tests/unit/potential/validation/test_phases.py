"""Enthalpies of phases: relaxed crystals, differences, where they cross."""

import json

import numpy as np
import pytest

from campaigns import REPOSITORY
from lah10.crystal.structures import read_crystal
from lah10.potential.validation import phases
from lah10.potential.validation.relaxation import Relaxed
from lah10.units import EV_PER_A3_IN_GPA

FM3M = read_crystal(REPOSITORY / "resources/structures/Fm-3m.cif")
R3M = read_crystal(REPOSITORY / "resources/structures/R-3m.cif")


def test_enthalpies_are_of_the_relaxed_crystals(tmp_path, monkeypatch):
    model = tmp_path / "model.pb"
    model.write_bytes(b"made up")

    def relax_all(path, starts, threads):
        assert [len(atoms) for atoms, _ in starts] == 4 * [11]  # primitive
        assert [pressure for _, pressure in starts] == 2 * [100.0, 200.0]
        grown = [atoms.copy() for atoms, _ in starts]
        for atoms in grown:
            atoms.set_cell(1.1 * atoms.cell.array, scale_atoms=True)
        return [Relaxed(atoms, 1e-3, -2.0) for atoms in grown[:3]] + [None]

    monkeypatch.setattr(phases, "relax_all", relax_all)
    found = phases.enthalpies(model, {"Fm-3m": FM3M, "R-3m": R3M}, [100.0, 200.0])
    volume = 1.1**3 * FM3M.get_volume() / 4
    expected = (-2.0 + 100.0 / EV_PER_A3_IN_GPA * volume) / 11
    assert found["phases"]["Fm-3m"]["enthalpy"][0] == pytest.approx(expected)
    assert found["phases"]["Fm-3m"]["space_group"] == ["Fm-3m", "Fm-3m"]
    assert found["phases"]["R-3m"]["space_group"] == ["R-3m", "none"]
    # The last crystal fell apart: no number, and no error that hides the others.
    assert found["phases"]["R-3m"]["enthalpy"][1] is None
    assert found["phases"]["R-3m"]["converged"] == [True, False]
    assert np.isnan(phases.differences(found)["R-3m"]).tolist() == [False, True]
    phases.write(found, tmp_path / "phases.json")
    assert json.loads((tmp_path / "phases.json").read_text()) == found


def test_differences_are_in_mev_an_atom():
    found = {"phases": {"Fm-3m": {"enthalpy": [1.0, 2.0]}, "R-3m": {"enthalpy": [0.996, 2.001]}}}
    assert phases.differences(found) == {"R-3m": pytest.approx([-4.0, 1.0])}


@pytest.mark.parametrize(
    ("difference", "where"),
    [((-4.0, -1.0, 1.0), 250.0), ((-4.0, -2.0, 0.0), 300.0), ((-4.0, -2.0, -1.0), None)],
)
def test_crossing(difference, where):
    found = phases.crossing((100.0, 200.0, 300.0), difference)
    assert found == (None if where is None else pytest.approx(where))


def test_the_primitive_cell_is_the_same_crystal():
    small = phases.primitive(FM3M)
    assert len(small) == 11
    assert np.isclose(small.get_volume(), FM3M.get_volume() / 4)
