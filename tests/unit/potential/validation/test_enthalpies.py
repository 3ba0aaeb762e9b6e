"""Enthalpies of phases by a potential: what counts as a phase, what is looked for and found."""

import ase.io
import numpy as np
import pytest
import xarray as xr

from campaigns import MODEL, REPOSITORY
from lah10.crystal.structures import read_crystal
from lah10.errors import UserError
from lah10.potential.validation import enthalpies
from lah10.potential.validation.relaxation import space_group

FILES = {"Fm-3m": "Fm-3m", "R-3m": "R-3m", "C2/c": "C2c"}
STRUCTURES = {n: REPOSITORY / f"resources/structures/{file}.cif" for n, file in FILES.items()}
CRYSTALS = {name: read_crystal(path) for name, path in STRUCTURES.items()}


@pytest.fixture
def made_up(monkeypatch):
    """Relaxation that keeps known crystals; R-3m becomes cubic above 200 GPa, and every broken
    crystal of 22 atoms ends in C2, 4 meV per formula unit above R-3m, of 11 atoms in R-3m."""

    def rest(start, calculator, pressure):
        atoms = start.copy()
        group = start.info.get("space_group") or space_group(start, 0.01)
        if group == "P1":
            group = "C2" if len(start) == 22 else "R-3m"
        if group == "R-3m" and pressure > 200:
            group = "Fm-3m"
        enthalpy = {"Fm-3m": -10.0, "R-3m": -10.1, "C2/c": -10.05, "C2": -10.096}[group]
        atoms.info = {"space_group": group, "enthalpy": enthalpy + pressure, "enthalpy_left": 1e-4}
        return atoms

    def zero_point(crystal, calculator):
        cubic = crystal.info["space_group"] == "Fm-3m"
        return (0.1, np.nan) if cubic and crystal.info["pressure"] < 200 else (0.0, 2.5)

    monkeypatch.setattr(enthalpies, "_rest", rest)
    monkeypatch.setattr(enthalpies, "_zero_point", zero_point)


def test_a_phase_counts_where_it_is_itself(made_up):
    data, atoms = enthalpies.measure(CRYSTALS, None, (100, 200, 300), (100, 300), search=())
    np.testing.assert_allclose(data.enthalpy.sel(phase="Fm-3m"), [90.0, 190.0, 290.0])
    r3m = data.sel(phase="R-3m")
    np.testing.assert_allclose(r3m.enthalpy, [89.9, 189.9, np.nan])
    assert r3m.space_group.values.tolist() == ["R-3m", "R-3m", "Fm-3m"]
    # Where a mode is imaginary there is no zero-point energy; elsewhere none was asked for at 200.
    np.testing.assert_allclose(data.zero_point_energy.sel(phase="Fm-3m"), [np.nan, np.nan, 2.5])
    np.testing.assert_allclose(data.imaginary_share.sel(phase="Fm-3m"), [0.1, np.nan, 0.0])
    assert len(atoms) == 9 and atoms[0].info["phase"] == "Fm-3m"
    assert data.enthalpy.attrs["units"] == "eV" and data.pressure.attrs["units"] == "GPa"


def test_an_unknown_phase_is_found_from_broken_cells_and_followed(made_up):
    data, _ = enthalpies.measure(CRYSTALS, None, (100, 150), (), search=(150,))
    assert data.phase.values.tolist() == ["Fm-3m", "R-3m", "C2/c", "C2"]
    np.testing.assert_allclose(data.enthalpy.sel(phase="C2"), [89.904, 139.904])


def test_a_known_crystal_that_is_found_again_is_no_new_phase(made_up, monkeypatch):
    monkeypatch.setattr(enthalpies, "SEARCH_CELLS", (np.diag([1, 1, 1]),))
    monkeypatch.setattr(enthalpies, "SEARCH_STARTS", (3,))
    data, _ = enthalpies.measure(CRYSTALS, None, (150,), (), search=(150,))
    assert data.phase.values.tolist() == list(CRYSTALS)


def test_of_one_crystal_found_twice_the_most_symmetric_counts(made_up, monkeypatch):
    plain, calls = enthalpies._rest, []

    def rest(start, calculator, pressure):
        atoms = plain(start, calculator, pressure)
        if atoms.info["space_group"] == "C2":  # a P-1 first, which is C2 not quite at rest
            calls.append(1)
            group, order = (("P-1", 2), ("C2", 4))[len(calls) > 1]
            atoms.info |= {"space_group": group, "order": order}
        return atoms

    monkeypatch.setattr(enthalpies, "_rest", rest)
    known = {name: enthalpies.primitive(c, idealise=True) for name, c in CRYSTALS.items()}
    found = enthalpies._search(known, None, (150,), 1)
    assert list(found) == ["C2"]


def test_broken_cells_have_no_symmetry():
    cubic = enthalpies.primitive(CRYSTALS["Fm-3m"])
    rng = np.random.default_rng(0)
    broken = enthalpies._broken(cubic, np.diag([2, 1, 1]), rng)
    assert len(broken) == 22 and space_group(broken, 0.01) == "P1"
    other = enthalpies._broken(cubic, np.diag([2, 1, 1]), rng)
    assert not np.allclose(broken.positions, other.positions)


def test_a_missing_potential_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.pb: no such potential"):
        enthalpies.launch(tmp_path / "none.pb", list(STRUCTURES.items()), None, tmp_path / "o.nc",
                          tmp_path / "o.xyz", tmp_path / "log", 1)  # fmt: skip


@pytest.mark.slow
def test_the_shipped_potential_at_one_pressure(tmp_path):
    """Values of its phases.json; Fm-3m and R-3m are stable there and have zero-point energies."""
    enthalpies.launch(MODEL, list(STRUCTURES.items()), 200.0, tmp_path / "o.nc",
                      tmp_path / "o.xyz", tmp_path / "log", 1)  # fmt: skip
    with xr.open_dataset(tmp_path / "o.nc") as data:
        difference = 1e3 / 11 * (data.enthalpy - data.enthalpy.sel(phase="Fm-3m"))
        assert float(difference.sel(phase="R-3m", pressure=200)) == pytest.approx(-4.04, abs=0.1)
        for phase in ("Fm-3m", "R-3m"):
            assert 2.0 < float(data.zero_point_energy.sel(phase=phase, pressure=200)) < 2.9
    frames = ase.io.read(tmp_path / "o.xyz", index=":")
    assert {atoms.info["phase"] for atoms in frames} >= set(STRUCTURES)  # and those found
