"""Enthalpy differences from labels on the path, against closed forms."""

import ase.io
import numpy as np
import pytest
import xarray as xr
from ase.calculators.singlepoint import SinglePointCalculator

from campaigns import REPOSITORY
from lah10.crystal.rhombohedral import Rhombohedral
from lah10.errors import UserError
from lah10.potential.validation import dft_enthalpies, equation_of_state
from lah10.units import EV_PER_A3_IN_GPA

SHARES = (-0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
BULK = 600.0  # GPa
LABELS = REPOSITORY / "resources/dataset/lah10-gpaw-pbe-phases"


def cubic(volume=33.2, pressure=150.0) -> xr.Dataset:
    """P = P₀ − B ln(V/V₀)."""
    p = np.linspace(100, 250, 40)
    return xr.Dataset({"volume": ("a", volume * np.exp(-(p - pressure) / BULK)),
                       "pressure": ("a", p)})  # fmt: skip


def labels(depth=0.05, at=0.9, slope=3.0, volume=33.2, mesh="14×14×14", ripple=0.0):
    """E has minima at 0 and at a share; the pressure grows by `slope` GPa along the path."""
    s = np.array(SHARES)
    # A quartic with E(0) = 0, E'(0) = 0, E(at) = −depth, E'(at) = 0 and no constant.
    matrix = np.array([[at**2, at**3, at**4], [2 * at, 3 * at**2, 4 * at**3],
                       [1.0, 0.0, 0.0]])  # fmt: skip
    c = np.linalg.solve(matrix, [-depth, 0.0, 0.06])
    energy = c[0] * s**2 + c[1] * s**3 + c[2] * s**4 + ripple * (s != 0)
    return dft_enthalpies.Path(volume, mesh, s, -27.0 + energy, 150.0 + slope * s)


def test_the_difference_is_that_of_enthalpies_at_one_pressure():
    """E_r + P_r V − (E_c + P_c V + ∫V dP) = −depth + (P_r − P_c) V − ∫V dP."""
    (point,) = dft_enthalpies.points([labels()], cubic())
    assert point.pressure == pytest.approx(150.0 + 3.0 * 0.9, abs=1e-6)
    work = 33.2 * BULK * (1 - np.exp(-2.7 / BULK))
    expected = -0.05 + (2.7 * 33.2 - work) / EV_PER_A3_IN_GPA
    assert point.difference == pytest.approx(1e3 * expected / 11, abs=1e-4)
    assert np.isnan(point.error)  # one mesh says nothing of what meshes make


def test_the_error_is_that_of_the_mesh_and_of_the_fit():
    paths = [labels(), labels(mesh="16×16×16", ripple=0.002)]
    assert dft_enthalpies.mesh_error(paths) == pytest.approx(0.002)
    (point,) = dft_enthalpies.points(paths, cubic())
    assert point.error == pytest.approx(1e3 * 0.002 / 11, rel=0.02)


def test_a_minimum_beside_the_cubic_crystal_counts_even_if_it_is_higher():
    (point,) = dft_enthalpies.points([labels(depth=-0.004)], cubic())
    assert point.difference > 0


def test_paths_without_a_minimum_or_without_the_cubic_crystal_give_no_point():
    rising = labels()
    rising = dft_enthalpies.Path(33.2, "14", rising.share, rising.share**2, rising.pressure)
    assert dft_enthalpies.points([rising], cubic()) == []
    full = labels()
    without = dft_enthalpies.Path(33.2, "14", *(x[full.share != 0] for x in (
        full.share, full.energy, full.pressure)))  # fmt: skip
    assert dft_enthalpies.points([without], cubic()) == []


def write(path, shares, energy=-27.0, **info):
    frames = []
    for share in shares:
        atoms = Rhombohedral.cubic(33.2, 0.12).atoms()
        atoms.info |= {"volume": 33.2, "angle": share, "internal": share,
                       "kpoints": np.array([14, 14, 14])} | info  # fmt: skip
        stress = -np.eye(3) * 150 / EV_PER_A3_IN_GPA
        atoms.calc = SinglePointCalculator(atoms, energy=energy + share, stress=stress,
                                           forces=np.zeros((11, 3)))  # fmt: skip
        frames.append(atoms)
    ase.io.write(path, frames, format="extxyz")


def test_labels_are_read_with_the_pulay_stress(tmp_path):
    write(tmp_path / "path.xyz", SHARES)
    write(tmp_path / "off.xyz", [0.5], internal=0.0)
    (path,) = dft_enthalpies.read_paths([tmp_path / "path.xyz", tmp_path / "off.xyz"], 0.0133)
    np.testing.assert_allclose(path.share, SHARES)
    np.testing.assert_allclose(path.energy, -27.0 + path.share)
    pulay = 0.0133 * 11 / 33.2 * EV_PER_A3_IN_GPA
    np.testing.assert_allclose(path.pressure, 150 + pulay)
    assert path.mesh == "14×14×14"


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "path.xyz").write_text("3\nrubbish\n")
    with pytest.raises(UserError, match=r"path\.xyz: cannot be read"):
        dft_enthalpies.read_paths([tmp_path / "path.xyz"])
    write(tmp_path / "path.xyz", [0.0])
    text = (tmp_path / "path.xyz").read_text().replace("internal=0.0 ", "")
    (tmp_path / "path.xyz").write_text(text)
    with pytest.raises(UserError, match=r"frame 1: lacks internal"):
        dft_enthalpies.read_paths([tmp_path / "path.xyz"])


def test_the_projects_own_labels_put_r3m_lower_at_150_gpa():
    static = REPOSITORY / "resources/dataset/lah10-gpaw-pbe/fm-3m-static.txt"
    paths = dft_enthalpies.read_paths(sorted(LABELS.glob("path*.xyz")), 0.0133)
    assert dft_enthalpies.mesh_error(paths) * 1e3 / 11 < 0.4
    found = dft_enthalpies.points(paths, equation_of_state.read(static, 0.0133))
    near = min(found, key=lambda point: abs(point.pressure - 150))
    assert near.pressure == pytest.approx(152, abs=1)
    assert near.difference == pytest.approx(-3.8, abs=0.5)
    assert 0.1 < near.error < 0.6
