"""Enthalpy differences from labels on the path, against closed forms."""

import ase.io
import numpy as np
import pytest
import xarray as xr
from ase.calculators.singlepoint import SinglePointCalculator

from campaigns import REPOSITORY
from lah10.crystal.rhombohedral import Rhombohedral
from lah10.errors import UserError
from lah10.potential.validation import dft_enthalpies, equation_of_state, path_hessians
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


#: A crystal whose energy is known: a well along the path, in a valley that bends beside it.
ENDS = Rhombohedral.cubic(33.2, 0.12), Rhombohedral(33.2, 62.6, 0.2594, 0.0973, -0.1062, 0.3861)
ALONG = (ENDS[1].free - ENDS[0].free) / path_hessians.SCALE
BESIDE = np.linalg.qr(np.column_stack([ALONG, np.eye(5)[:, :4]]))[0][:, 1:]
STIFF = np.diag([0.05, 0.07, 0.12, 0.2])
#: Where the valley is beside the path at share 1, in units of `SCALE`.
BEND = np.array([0.1, -0.2, 0.15, 0.1])


def labels_of_the_valley(path, depth=0.05):
    """E = well(s) + ½ (z − BEND s²)ᵀ K (z − BEND s²), labelled where z = 0.

    Forces and stress are some that give its gradient.
    """
    well = labels(depth)
    slope = np.polynomial.Polynomial.fit(well.share, well.energy, 4).deriv()
    rng = np.random.default_rng(1)
    frames = []
    for share, energy in zip(well.share, well.energy, strict=True):
        crystal = ENDS[0].towards(ENDS[1], share, share)
        away = -BEND * share**2
        gradient = BESIDE @ STIFF @ away + ALONG / (ALONG @ ALONG) * (
            slope(share) - 2 * share * BEND @ STIFF @ away
        )
        some = [(rng.normal(size=(11, 3)), (r := rng.normal(size=(3, 3))) + r.T) for _ in range(12)]
        effect = np.array([crystal.gradient(*one) for one in some]).T
        parts = np.linalg.lstsq(effect, gradient / path_hessians.SCALE)[0]
        forces, stress = (sum(part * one[k] for part, one in zip(parts, some, strict=True))
                          for k in (0, 1))  # fmt: skip
        np.testing.assert_allclose(
            crystal.gradient(forces, stress) * path_hessians.SCALE, gradient, atol=1e-9
        )
        stress = stress - np.eye(3) * (np.trace(stress) / 3 + 150 / EV_PER_A3_IN_GPA)
        atoms = crystal.atoms()
        atoms.info |= {"volume": 33.2, "angle": share, "internal": share,
                       "kpoints": np.array([14, 14, 14])}  # fmt: skip
        atoms.calc = SinglePointCalculator(
            atoms, energy=energy + away @ STIFF @ away / 2, forces=forces, stress=stress
        )
        frames.append(atoms)
    ase.io.write(path, frames, format="extxyz")


def hessians(stiffer=1.0, model="one"):
    matrix = BESIDE @ (stiffer * STIFF) @ BESIDE.T - 0.01 * np.outer(ALONG, ALONG)
    return [path_hessians.Hessian(33.2, share, model, matrix) for share in SHARES]


def well_of(tmp_path, *known) -> dft_enthalpies.Point:
    labels_of_the_valley(tmp_path / "path.xyz")
    paths = dft_enthalpies.read_paths([tmp_path / "path.xyz"], 0.0, known)
    (point,) = dft_enthalpies.points(paths, cubic(), spread=0.0)
    return point


def test_a_crystal_beside_the_path_is_relaxed_by_its_gradient(tmp_path):
    """The labels miss the valley by ½ BENDᵀ K BEND s⁴, which a Newton step finds."""
    known = -1e3 / 11 * 0.05  # at one pressure all along the valley
    missed = 1e3 / 11 * (BEND @ STIFF @ BEND) / 2 * 0.9**4
    assert missed > 0.2
    relaxed = well_of(tmp_path, *hessians())
    assert relaxed.difference == pytest.approx(known, abs=0.01)
    assert relaxed.relaxation == pytest.approx(-missed, rel=0.02)
    assert relaxed.error == pytest.approx(missed / 2, rel=0.05)
    assert well_of(tmp_path).difference == pytest.approx(known + missed, abs=0.1)


def test_potentials_that_differ_make_an_error(tmp_path):
    """By one potential the relaxation is a quarter of what it is by the other."""
    one = well_of(tmp_path, *hessians())
    both = well_of(tmp_path, *hessians(), *hessians(4.0, "other"))
    assert both.relaxation == pytest.approx(one.relaxation * (1 + 0.25) / 2, rel=0.04)
    assert both.error == pytest.approx(-0.75 * one.relaxation, rel=0.12)


def test_a_newton_step_needs_a_minimum():
    slope = np.array([0.0, 0.01, 0.0, 0.0, 0.0])
    assert dft_enthalpies.newton(slope, np.eye(5), np.array([1.0, 0, 0, 0, 0])) == pytest.approx(
        0.5 * 0.01**2
    )
    # Only the coordinate of Fm-3m counts where no direction is given.
    assert dft_enthalpies.newton(slope, np.eye(5), None) == 0
    with pytest.raises(UserError, match="unstable beside it by a potential"):
        dft_enthalpies.newton(slope, -np.eye(5), np.array([1.0, 0, 0, 0, 0]))


def test_a_crystal_without_second_derivatives_is_named(tmp_path):
    labels_of_the_valley(tmp_path / "path.xyz")
    with pytest.raises(UserError, match=r"frame 3: no second derivatives .* share 0\.25; make"):
        dft_enthalpies.read_paths([tmp_path / "path.xyz"], 0.0, hessians()[:2])


def family(depths=(0.10, 0.05, 0.0, -0.004), volumes=(36.0, 34.5, 33.0, 31.5)):
    """Wells that rise with pressure, which is 150 GPa at 33.2 Å3 in all of each volume's path."""
    found = []
    for volume, depth in zip(volumes, depths, strict=True):
        pressure = 150 - BULK * np.log(volume / 33.2)
        well = labels(depth, volume=volume, slope=0.0)
        found.append(dft_enthalpies.Path(volume, "14", well.share, well.energy,
                                         np.full(len(well.share), pressure)))  # fmt: skip
    return found


def test_the_curve_has_the_labelled_volumes_and_what_lies_between():
    paths = family()
    curve = dft_enthalpies.curve(paths, cubic())
    for path, depth in zip(paths, (0.10, 0.05, 0.0, -0.004), strict=True):
        at = np.clip(path.pressure[0], curve.points[0].pressure, curve.points[-1].pressure)
        assert curve.at(at)[0] == pytest.approx(-1e3 / 11 * depth, abs=0.02)
    # Depths of one polynomial in volume: the curve crosses at 33.0 Å3.
    assert curve.crossing[0] == pytest.approx(150 - BULK * np.log(33.0 / 33.2), abs=0.3)
    assert np.isnan(curve.vanishes) and np.isnan(curve.at(300.0)[0]) and np.isnan(curve.at(50)[0])


def test_beyond_the_last_minimum_r3m_is_the_cubic_crystal():
    paths = family()
    *rest, last = paths
    rising = dft_enthalpies.Path(last.volume, "14", last.share,
                                 last.energy[1] + 0.3 * last.share**2, last.pressure)  # fmt: skip
    curve = dft_enthalpies.curve([*rest, rising], cubic())
    assert curve.points[0].pressure < curve.vanishes < last.pressure[0] == curve.highest
    assert curve.at(last.pressure[0]) == (0.0, 0.0, 0.0)
    assert np.isnan(curve.at(last.pressure[0] + 1)[0])
    assert dft_enthalpies.curve(rest, cubic()).points == []  # three volumes are too few


def own_paths(relaxed: bool) -> list[dft_enthalpies.Path]:
    known = path_hessians.read(LABELS / "hessians.txt") if relaxed else ()
    return dft_enthalpies.read_paths(sorted(LABELS.glob("path*.xyz")), 0.0133, known)


STATIC = equation_of_state.read(
    REPOSITORY / "resources/dataset/lah10-gpaw-pbe/fm-3m-static.txt", 0.0133
)


def test_the_projects_own_labels_put_r3m_lower_at_150_gpa():
    paths = own_paths(relaxed=True)
    assert dft_enthalpies.mesh_error(paths) * 1e3 / 11 < 0.4
    found = dft_enthalpies.points(paths, STATIC)
    near = min(found, key=lambda point: abs(point.pressure - 150))
    assert near.pressure == pytest.approx(152, abs=1)
    assert near.difference == pytest.approx(-3.9, abs=0.5)
    assert near.relaxation == pytest.approx(-0.11, abs=0.05)
    assert 0.1 < near.error < 0.6


def test_the_projects_own_r3m_vanishes_between_its_labels():
    """It is a crystal of its own at 206 GPa, and none at 249 GPa; both have one enthalpy below."""
    curve = dft_enthalpies.curve(own_paths(relaxed=True), STATIC)
    assert 200 < curve.vanishes < 249
    crossing, error = curve.crossing
    assert 185 < crossing < 205 and 1 < error < 8
    assert curve.at(225) == curve.at(250) == (0.0, 0.0, 0.0)


def relaxations(volume: float, phase: str) -> np.ndarray:
    """Evaluations of a relaxation by DFT with 12×12×12 points: five numbers, energy, gradient."""
    rows = [line.split() for line in (LABELS / "relaxed.txt").read_text().splitlines()]
    return np.array([row[2:] for row in rows if row[:2] == [f"{volume:g}", phase]], float)


def test_the_relaxation_is_that_of_a_dft_that_relaxed():
    """DFT's own relaxation at 33.2 Å3, on another mesh, from the crystal that is share 1."""
    start, end = relaxations(33.2, "R-3m")
    gain = start[5] - end[5]
    assert 1e3 / 11 * gain == pytest.approx(0.248, abs=0.001)
    (path,) = (p for p in own_paths(relaxed=True) if p.volume == 33.2 and p.mesh == "14×14×14")
    # Along the path by the labels, beside it by the Newton step.
    lowest = dft_enthalpies._fit(path)(dft_enthalpies._minimum(path))
    assert path.energy[path.share == 1.0][0] - lowest == pytest.approx(gain, rel=0.1)
    # A full Newton step from DFT's own gradient, by both potentials.
    for matrix in path_hessians.of(path_hessians.read(LABELS / "hessians.txt"), 33.2, 1.0).values():
        slope = start[6:] * path_hessians.SCALE
        assert 0.5 * slope @ np.linalg.solve(matrix, slope) == pytest.approx(gain, rel=0.15)
        step = -np.linalg.solve(matrix, slope)
        np.testing.assert_allclose(step, (end[:5] - start[:5]) / path_hessians.SCALE, atol=0.05)


def test_the_cubic_crystal_relaxes_as_by_dft():
    """Its one coordinate, at 28.5 Å3, where the labelled one is the farthest from rest."""
    first, *_, last = relaxations(28.5, "Fm-3m")
    (path,) = (p for p in own_paths(relaxed=True) if p.volume == 28.5)
    assert path.relaxation[path.share == 0.0] == pytest.approx(first[5] - last[5], rel=0.25)


def test_dft_that_relaxes_has_no_r3m_at_250_gpa():
    """28.5 Å3: the energy falls with the angle down to the end of the relaxation, and the labels
    have no minimum either."""
    rows = relaxations(28.5, "R-3m")
    assert np.all(np.diff(rows[:, 0]) < 0) and np.all(np.diff(rows[:, 5]) < 0)
    assert rows[-1, 6] > 0  # eV per degree: still falling towards 60°
    (path,) = (p for p in own_paths(relaxed=True) if p.volume == 28.5)
    assert np.isnan(dft_enthalpies._minimum(path))
