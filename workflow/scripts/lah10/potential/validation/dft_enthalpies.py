"""Static enthalpy of R-3m less that of Fm-3m by DFT, from labels along the path between them.

At one volume and one mesh of k-points the energy along the path (the angle of the cell and the
coordinates together, 0 in Fm-3m, 1 in the R-3m of a potential) has a minimum at R-3m, the lowest of
all or, beside the cubic crystal, one of its own: a polynomial through the labels gives it, and the
pressures along the path give that of the minimum. The cubic crystal has another pressure at the
same volume; its enthalpy is brought to that of R-3m by its equation of state,

    H_c(P_r) = E_c(V) + P_c V + ∫ V_c dP from P_c to P_r.

Crystals on the path are not relaxed by DFT: R-3m may lie a little lower still.

The error adds what the polynomial leaves and what the mesh of k-points makes: the root mean square
difference between meshes of energies on the path less that of the cubic crystal, where a crystal
was labelled with several.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import ase
import ase.io
import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline

from lah10.errors import UserError
from lah10.units import EV_PER_A3_IN_GPA

#: Atoms in a formula unit.
ATOMS = 11
#: Highest degree of the polynomial along the path.
DEGREE = 4
#: Fewest crystals on the path of one volume, the cubic one among them.
FEWEST = 5
#: Share of the way below which a minimum is the cubic crystal's own, within the errors of labels.
LEAST_SHARE = 0.3


@dataclass(frozen=True)
class Path:
    """Labels along the path at one volume (Å³ per formula unit) and mesh, ordered by `share`.

    Energies in eV per formula unit; pressures in GPa.
    """

    volume: float
    mesh: str
    share: np.ndarray
    energy: np.ndarray
    pressure: np.ndarray


@dataclass(frozen=True)
class Point:
    """H(R-3m) − H(Fm-3m) at one pressure of R-3m (GPa), meV/atom, and its error."""

    pressure: float
    difference: float
    error: float
    mesh: str


def read_paths(files: Iterable[str | os.PathLike], pulay: float = 0.0) -> list[Path]:
    """Labels on the path in extended XYZ, by volume and mesh.

    Parameters
    ----------
    files
        Frames with `volume`, `angle`, `internal` (shares of the way) and `kpoints` in their comment
        line; those off the path, where both shares differ, are left out.
    pulay : float
        eV/atom: what the stresses lack, times the volume an atom.

    Raises
    ------
    UserError
        A file cannot be read, or a frame lacks an entry.
    """
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
            rows[round(float(frame.info["volume"]), 6), mesh].append(
                (float(frame.info["angle"]), frame.get_potential_energy(), pressure)
            )
    found = []
    for (volume, mesh), values in sorted(rows.items()):
        table = np.array(sorted(values)).T
        found.append(Path(volume, mesh, *table))
    return found


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


def points(paths: Sequence[Path], cubic: xr.Dataset) -> list[Point]:
    """The enthalpy difference at every volume where R-3m was bracketed; of several meshes that with
    the most crystals.

    Parameters
    ----------
    cubic : Dataset
        Equation of state of Fm-3m: `pressure` (GPa) and `volume` (Å³ per formula unit) along "a".
    """
    spread = mesh_error(paths)
    chosen: dict[float, Path] = {}
    for path in paths:
        if len(path.share) >= FEWEST and np.isfinite(_minimum(path)):
            now = chosen.get(path.volume)
            if now is None or len(path.share) > len(now.share):
                chosen[path.volume] = path
    order = np.argsort(cubic.pressure.values)
    state = CubicSpline(cubic.pressure.values[order], cubic.volume.values[order])
    found = []
    for path in chosen.values():
        fit = _fit(path)
        degree = fit.degree()
        left = path.energy - fit(path.share)
        freedom = len(path.share) - degree - 1
        scatter = np.sqrt((left**2).sum() / freedom) if freedom > 0 else np.nan
        rest = _minimum(path)
        pressure = np.polynomial.Polynomial.fit(path.share, path.pressure, min(2, degree))
        at_zero = np.abs(path.share) < 1e-9
        energy_cubic = float(path.energy[at_zero][0])
        pressure_cubic = float(path.pressure[at_zero][0])
        rhombohedral = float(pressure(rest))
        unit = 1 / EV_PER_A3_IN_GPA
        # The volume of the static calculation, shifted to this one's at its pressure.
        shift = path.volume - float(state(pressure_cubic))
        work = float(state.integrate(pressure_cubic, rhombohedral)) + shift * (
            rhombohedral - pressure_cubic
        )
        difference = (float(fit(rest)) + rhombohedral * path.volume * unit) - (
            energy_cubic + pressure_cubic * path.volume * unit + work * unit
        )
        error = np.sqrt(np.nansum([scatter**2, spread**2])) if np.isfinite(spread) else np.nan
        found.append(Point(rhombohedral, 1e3 * difference / ATOMS, 1e3 * error / ATOMS, path.mesh))
    return sorted(found, key=lambda point: point.pressure)


def _fit(path: Path) -> np.polynomial.Polynomial:
    degree = min(DEGREE, len(path.share) - 2)
    return np.polynomial.Polynomial.fit(path.share, path.energy, degree)


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
