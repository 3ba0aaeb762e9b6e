"""Which candidate is the harmonic crystal, and the shipped potential's."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from ase.build import bulk
from ase.calculators.lj import LennardJones

from lah10.errors import UserError
from lah10.phonons import expectation, reference, relaxation
from springs import crystal_of_modes

SHIPPED = Path(__file__).parents[3] / "resources/potentials/lah10/lah10.pb"


@pytest.mark.parametrize(
    ("enthalpies", "groups", "expected"),
    [
        ((-1.0, -2.0), (225, 166), ["b", "a"]),
        ((-2.0, -2.0 - 1e-5), (225, 166), ["a", "b"]),
        ((-2.0, -2.0 - 1e-5), (225, 225), ["a", "b"]),
        ((-2.0 - 1e-5, -2.0), (166, 225), ["b", "a"]),
    ],
)
def test_order_of_candidates(enthalpies, groups, expected):
    names = ["a", "b"]
    assert reference._by_enthalpy(
        names, dict(zip(names, enthalpies, strict=True)), dict(zip(names, groups, strict=True))
    ) == expected


@pytest.mark.parametrize(
    ("low", "high", "kept"),
    [(10.0, 12.0, "low"), (-5.0, 12.0, "high"), (-5.0, -6.0, "low")],
)
def test_the_stable_structure_is_kept(monkeypatch, low, high, kept):
    """Lowest enthalpy first, but not if it has imaginary modes and another has none."""
    calculator = LennardJones(sigma=3.0, epsilon=0.2, rc=9.0, smooth=True)
    crystals = {"high": bulk("La", "sc", a=3.2), "low": bulk("La", "fcc", a=4.8)}

    def made_up(atoms, *_):
        is_low = np.isclose(atoms.get_volume(), volumes["low"], rtol=1e-3)
        return crystal_of_modes(low if is_low else high, 20.0)

    relaxed = {name: relaxation.relax(atoms, calculator, 0.0) for name, atoms in crystals.items()}
    volumes = {name: atoms.get_volume() for name, atoms in relaxed.items()}
    monkeypatch.setattr(reference, "phonons", made_up)
    result = reference.reference(crystals, calculator, 0.0)
    assert result.attrs["kept"] == kept
    enthalpies = dict(zip(result.candidate.values, result.enthalpy.values, strict=True))
    assert enthalpies["low"] < enthalpies["high"]
    assert result.space_group.sel(candidate="low") == "Fm-3m"


def test_a_missing_potential_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.pb: no such potential"):
        reference.compute(tmp_path / "nowhere.pb", [], 150.0, tmp_path / "harmonic.nc")


@pytest.mark.slow
@pytest.mark.skipif(not SHIPPED.exists(), reason="the potential is not there")
def test_the_shipped_potential(tmp_path):
    """R-3m below the cubic phase's enthalpy at 150 GPa, and a zero-point energy near 800 K."""
    structures = SHIPPED.parents[2] / "structures"
    result = reference.compute(SHIPPED, [structures / "Fm-3m.cif", structures / "R-3m.cif"], 150.0,
                              tmp_path / "harmonic.nc", supercell=(2, 2, 2), mesh=(4, 4, 4))
    enthalpies = dict(zip(result.candidate.values, result.enthalpy.values, strict=True))
    assert 0.01 < enthalpies["Fm-3m"] - enthalpies["R-3m"] < 0.15
    assert result.attrs["structure"] == "R-3m"
    assert expectation.mean_temperature(result, "qtb", 100.0) == pytest.approx(800.0, rel=0.06)
    with xr.open_dataset(tmp_path / "harmonic.nc") as written:
        assert expectation.mean_temperature(written, "qtb", 100.0) == pytest.approx(
            expectation.mean_temperature(result, "qtb", 100.0)
        )
