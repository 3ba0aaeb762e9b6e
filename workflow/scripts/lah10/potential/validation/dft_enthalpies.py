"""Static enthalpy of R-3m less that of Fm-3m by DFT, from labels along the path between them.

At one volume and one mesh of k-points the energy along the path (the angle of the cell and the
coordinates together, 0 in Fm-3m, 1 in the R-3m of a potential) has a minimum at R-3m, the lowest of
all or, beside the cubic crystal, one of its own: a polynomial through the labels gives it, and the
pressures along the path give that of the minimum. The cubic crystal has another pressure at the
same volume; its enthalpy is brought to that of R-3m by its equation of state,

    H_c(P_r) = E_c(V) + P_c V + ∫ V_c dP from P_c to P_r.

Crystals on the path have the coordinates of a potential. DFT relaxes them further, and labels hold
its forces and its stress, that is its gradient g in the numbers that R-3m leaves free at one volume
(`rhombohedral`). Along the path the labels themselves have the energy. In the four directions P
beside it, which are stiff, a Newton step with a potential's second derivatives H (`path_hessians`)
yields

    E_relax = ½ gᵀP (PᵀHP)⁻¹ Pᵀg,

which is taken off each label before the polynomial; of the cubic crystal, in its one coordinate. To
first order the enthalpy at a given pressure falls by as much.

The error adds what the polynomial leaves; what the mesh of k-points makes: the root mean square
difference between meshes of energies on the path less that of the cubic crystal, where a crystal
was labelled with several; and half of the relaxation, or the difference between what two potentials
yield if that is more.
"""

import itertools
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import ase
import ase.io
import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline

from lah10.crystal.rhombohedral import Rhombohedral, numbers
from lah10.errors import UserError
from lah10.potential.validation import path_hessians
from lah10.units import EV_PER_A3_IN_GPA

#: Atoms in a formula unit.
ATOMS = 11
#: Highest degree of the polynomial along the path.
DEGREE = 4
#: Fewest crystals on the path of one volume, the cubic one among them.
FEWEST = 5
#: Share of the way below which a minimum is the cubic crystal's own, within the errors of labels.
LEAST_SHARE = 0.3
#: How the coordinates follow the one of 32f in Fm-3m, in the order of `Rhombohedral.free`.
CUBIC = np.array([0.0, 0.0, 1.0, -1.0, 3.0])
#: Fewest volumes between which paths are interpolated, and volumes at which that is done.
FEWEST_VOLUMES, BETWEEN = 4, 200


@dataclass(frozen=True)
class Path:
    """Labels along the path at one volume (Å³ per formula unit) and mesh, ordered by `share`.

    Energies in eV per formula unit; pressures in GPa. `relaxation` is what each crystal gains by
    relaxation beside the path, and `relaxation_spread` by how much potentials differ in that.
    """

    volume: float
    mesh: str
    share: np.ndarray
    energy: np.ndarray
    pressure: np.ndarray
    relaxation: np.ndarray = field(default=None)
    relaxation_spread: np.ndarray = field(default=None)

    def __post_init__(self):
        for name in ("relaxation", "relaxation_spread"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.zeros(len(self.share)))

    @property
    def relaxed(self) -> np.ndarray:
        """Energies of the crystals relaxed beside the path."""
        return self.energy - self.relaxation


@dataclass(frozen=True)
class Point:
    """H(R-3m) − H(Fm-3m) at one pressure of R-3m (GPa), meV/atom, and its error. `relaxation` is
    the part of it that relaxation beside the path makes."""

    pressure: float
    difference: float
    error: float
    mesh: str
    relaxation: float = 0.0


def read_paths(
    files: Iterable[str | os.PathLike],
    pulay: float = 0.0,
    hessians: Sequence[path_hessians.Hessian] = (),
) -> list[Path]:
    """Labels on the path in extended XYZ, by volume and mesh.

    Parameters
    ----------
    files
        Frames with `volume`, `angle`, `internal` (shares of the way) and `kpoints` in their comment
        line; those off the path, where both shares differ, are left out.
    pulay : float
        eV/atom: what the stresses lack, times the volume an atom.
    hessians
        Of the crystals on the path; without any, crystals stay as they are labelled.

    Raises
    ------
    UserError
        A file cannot be read, a frame lacks an entry, or no Hessian is of its crystal.
    """
    ends = path_hessians.ends(files) if hessians else {}
    rows = defaultdict(list)
    for file in files:
        try:
            frames = ase.io.read(file, index=":", format="extxyz")
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise UserError(f"{file}: cannot be read ({error}); restore it from git") from None
        for number, frame in enumerate(frames, start=1):
            lacking = [key for key in ("volume", "angle", "internal", "kpoints")
                       if key not in frame.info]  # fmt: skip
            if lacking or frame.calc is None or "stress" not in frame.calc.results:
                missing = lacking[0] if lacking else "energy and stress"
                raise UserError(f"{file}: frame {number}: lacks {missing}")
            if abs(frame.info["angle"] - frame.info["internal"]) > 1e-9:
                continue
            mesh = "×".join(map(str, np.ravel(frame.info["kpoints"])))
            volume = frame.get_volume()
            pressure = -frame.get_stress(voigt=False).trace() / 3 * EV_PER_A3_IN_GPA
            pressure += pulay * ATOMS / volume * EV_PER_A3_IN_GPA
            share, key = float(frame.info["angle"]), float(frame.info["volume"])
            gains = [0.0]
            if hessians:
                known = path_hessians.of(hessians, key, share)
                if not known:
                    raise UserError(
                        f"{file}: frame {number}: no second derivatives of a crystal of {key:g} Å³ "
                        f"at share {share:g}; make them anew: snakemake path_hessians"
                    )
                gains = [_relaxation(frame, share, ends[key], one) for one in known.values()]
            rows[round(key, 6), mesh].append(
                (share, frame.get_potential_energy(), pressure, float(np.mean(gains)),
                 float(np.ptp(gains)))
            )  # fmt: skip
    found = []
    for (volume, mesh), values in sorted(rows.items()):
        table = np.array(sorted(values)).T
        found.append(Path(volume, mesh, *table))
    return found


def _relaxation(
    frame: ase.Atoms, share: float, ends: tuple[Rhombohedral, Rhombohedral], hessian: np.ndarray
) -> float:
    """eV per formula unit that a labelled crystal gains beside the path by a Newton step.

    hessian : (5, 5) in units of `path_hessians.SCALE`.
    """
    slope = numbers(frame).gradient(frame.get_forces(), frame.get_stress(voigt=False))
    cubic, rhombohedral = ends
    along = (rhombohedral.free - cubic.free) / path_hessians.SCALE
    return newton(slope * path_hessians.SCALE, hessian, None if abs(share) < 1e-9 else along)


def newton(slope: np.ndarray, hessian: np.ndarray, along: np.ndarray | None) -> float:
    """½ gᵀP (PᵀHP)⁻¹ Pᵀg: what a Newton step yields in the directions P.

    Parameters
    ----------
    slope : (5,)
        Gradient g in units of `path_hessians.SCALE`, eV.
    hessian : (5, 5)
        H, eV.
    along : (5,), optional
        P is what is orthogonal to this; None: P is the one coordinate of Fm-3m.

    Returns
    -------
    float
        eV, 0 or more.

    Raises
    ------
    UserError
        PᵀHP has a direction in which the energy falls: there is no minimum to go to.
    """
    if along is None:
        free = CUBIC[:, None] / np.linalg.norm(CUBIC)
    else:
        free = np.linalg.qr(np.column_stack([along, np.eye(5)[:, :4]]))[0][:, 1:]
    stiffness, gradient = free.T @ hessian @ free, free.T @ slope
    if np.linalg.eigvalsh(stiffness).min() <= 0:
        raise UserError(
            "a crystal on the path is unstable beside it by a potential; take a potential by which "
            "it is stable for snakemake path_hessians"
        )
    return float(0.5 * gradient @ np.linalg.solve(stiffness, gradient))


def mesh_error(paths: Sequence[Path]) -> float:
    """Root mean square difference between meshes of E(share) − E(0), eV per formula unit; NaN where
    no crystal beside the cubic one has two meshes."""
    by_volume = defaultdict(list)
    for path in paths:
        by_volume[path.volume].append(_relative(path))
    squares = []
    for tables in by_volume.values():
        for i, one in enumerate(tables):
            for other in tables[i + 1 :]:
                common = set(one) & set(other) - {0.0}
                squares += [(one[share] - other[share]) ** 2 for share in common]
    return float(np.sqrt(np.mean(squares))) if squares else np.nan


def _relative(path: Path) -> dict[float, float]:
    zero = path.energy[np.abs(path.share) < 1e-9]
    if not len(zero):
        return {}
    return dict(zip(path.share.tolist(), (path.energy - zero[0]).tolist(), strict=True))


def points(
    paths: Sequence[Path], cubic: xr.Dataset, spread: float | None = None
) -> list[Point]:
    """The enthalpy difference at every volume where R-3m was bracketed; of several meshes that with
    the most crystals.

    Parameters
    ----------
    cubic : Dataset
        Equation of state of Fm-3m: `pressure` (GPa) and `volume` (Å³ per formula unit) along "a".
    spread : float, optional
        What the mesh makes, eV per formula unit; by default `mesh_error`.
    """
    spread = mesh_error(paths) if spread is None else spread
    chosen = _densest([path for path in paths
                       if len(path.share) >= FEWEST and np.isfinite(_minimum(path))])  # fmt: skip
    order = np.argsort(cubic.pressure.values)
    state = CubicSpline(cubic.pressure.values[order], cubic.volume.values[order])
    found = []
    for path in chosen.values():
        fit = _fit(path)
        degree = fit.degree()
        left = path.relaxed - fit(path.share)
        freedom = len(path.share) - degree - 1
        scatter = np.sqrt((left**2).sum() / freedom) if freedom > 0 else np.nan
        rest = _minimum(path)
        pressure = np.polynomial.Polynomial.fit(path.share, path.pressure, min(2, degree))
        at_zero = np.abs(path.share) < 1e-9
        energy_cubic = float(path.relaxed[at_zero][0])
        pressure_cubic = float(path.pressure[at_zero][0])
        rhombohedral = float(pressure(rest))
        per_gpa = 1 / EV_PER_A3_IN_GPA
        # The volume of the static calculation, shifted to this one's at its pressure.
        shift = path.volume - float(state(pressure_cubic))
        work = float(state.integrate(pressure_cubic, rhombohedral)) + shift * (
            rhombohedral - pressure_cubic
        )
        difference = (float(fit(rest)) + rhombohedral * path.volume * per_gpa) - (
            energy_cubic + pressure_cubic * path.volume * per_gpa + work * per_gpa
        )
        as_labelled = np.polynomial.Polynomial.fit(path.share, path.energy, degree)
        gain = float(as_labelled(rest) - path.energy[at_zero][0] - fit(rest) + energy_cubic)
        apart = float(np.interp(rest, path.share, path.relaxation_spread))
        parts = [scatter**2, spread**2, max(abs(gain) / 2, apart) ** 2]
        error = np.sqrt(np.nansum(parts)) if np.isfinite(spread) else np.nan
        unit = 1e3 / ATOMS
        found.append(Point(rhombohedral, unit * difference, unit * error, path.mesh, -unit * gain))
    return sorted(found, key=lambda point: point.pressure)


def _densest(paths: Iterable[Path]) -> dict[float, Path]:
    """Of each volume the path with the most crystals."""
    chosen: dict[float, Path] = {}
    for path in paths:
        now = chosen.get(path.volume)
        if now is None or len(path.share) > len(now.share):
            chosen[path.volume] = path
    return chosen


@dataclass(frozen=True)
class Curve:
    """H(R-3m) − H(Fm-3m) by DFT, as a function of pressure.

    Attributes
    ----------
    points : list of Point
        By pressure, close to each other, where R-3m is a crystal of its own.
    vanishes : float
        GPa: above this R-3m relaxes to Fm-3m; NaN where labels do not reach so far.
    highest : float
        GPa, up to which there are labels.
    """

    points: list[Point]
    vanishes: float
    highest: float

    def at(self, pressure: float) -> tuple[float, float, float]:
        """Difference, its error and the part of relaxation, meV/atom. Where R-3m relaxes to Fm-3m
        they are 0, and NaN where there are no labels."""
        p = [point.pressure for point in self.points]
        if p and p[0] <= pressure <= p[-1]:
            return tuple(
                float(np.interp(pressure, p, [getattr(point, name) for point in self.points]))
                for name in ("difference", "error", "relaxation")
            )
        if np.isfinite(self.vanishes) and self.vanishes <= pressure <= self.highest:
            return 0.0, 0.0, 0.0
        return np.nan, np.nan, np.nan

    @property
    def crossing(self) -> tuple[float, float]:
        """Pressure (GPa) at which both have one enthalpy and its error, that of the difference over
        its slope; NaN where they have not."""
        for one, two in itertools.pairwise(self.points):
            if one.difference < 0 <= two.difference:
                slope = (two.difference - one.difference) / (two.pressure - one.pressure)
                return one.pressure - one.difference / slope, one.error / slope
        return np.nan, np.nan


def curve(paths: Sequence[Path], cubic: xr.Dataset) -> Curve:
    """The enthalpy difference at all pressures that labels reach.

    Energies and pressures of each share of the path are interpolated in volume by splines; where
    the path has a minimum at such a volume is judged as at a labelled one.

    Parameters
    ----------
    paths, cubic : see `points`
    """
    known = [path for path in _densest(paths).values() if (np.abs(path.share) < 1e-9).any()]
    if len(known) < FEWEST_VOLUMES:
        return Curve([], np.nan, np.nan)
    volumes = np.array([path.volume for path in known])
    fine = between(known, np.linspace(volumes.min(), volumes.max(), BETWEEN))
    found = points(fine, cubic, mesh_error(paths))
    full = [path for path in fine if len(path.share) >= FEWEST]
    highest = max((path.pressure.max() for path in full), default=np.nan)
    low = [path for path in full if np.isnan(_minimum(path))]
    top = max((point.pressure for point in found), default=-np.inf)
    above = [path for path in low if path.pressure.min() > top]
    return Curve(found, top if above and found else np.nan, float(highest))


def between(paths: Sequence[Path], volumes: Iterable[float]) -> list[Path]:
    """Paths at other volumes: each share by cubic splines in volume between its lowest and its
    highest volume, energies less that of the cubic crystal.

    Parameters
    ----------
    paths : sequence of Path
        One for each volume, with the cubic crystal in each.
    """
    rows = defaultdict(list)
    for path in sorted(paths, key=lambda path: path.volume):
        zero = path.energy[np.abs(path.share) < 1e-9][0]
        for share, *values in zip(path.share, path.energy - zero, path.pressure, path.relaxation,
                                  path.relaxation_spread, strict=True):  # fmt: skip
            rows[round(float(share), 6)].append((path.volume, *values))
    splines = {}
    for share, values in sorted(rows.items()):
        volume, *columns = np.array(values).T
        if len(volume) >= FEWEST_VOLUMES:
            splines[share] = volume, CubicSpline(volume, np.array(columns), axis=1)
    found = []
    for at in volumes:
        here = {share: spline(at) for share, (volume, spline) in splines.items()
                if volume[0] <= at <= volume[-1]}  # fmt: skip
        table = np.array([[share, *values] for share, values in here.items()]).T
        if len(here):
            found.append(Path(float(at), "interpolated", *table))
    return found


def _fit(path: Path) -> np.polynomial.Polynomial:
    degree = min(DEGREE, len(path.share) - 2)
    return np.polynomial.Polynomial.fit(path.share, path.relaxed, degree)


def _minimum(path: Path) -> float:
    """Share of the way at which R-3m is at rest; NaN where the path has no cubic crystal, or no
    minimum of its own between two labels."""
    if not (np.abs(path.share) < 1e-9).any():
        return np.nan
    fit = _fit(path)
    roots = fit.deriv().roots()
    roots = roots[np.abs(np.imag(roots)) < 1e-9].real
    own = (roots > LEAST_SHARE) & (roots < path.share[-1]) & (fit.deriv(2)(roots) > 0)
    good = roots[own].tolist()
    return float(min(good, key=fit)) if good else np.nan
