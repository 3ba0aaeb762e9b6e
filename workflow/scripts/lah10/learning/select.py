"""Selection: frames on which the models of a committee disagree, and which of them are labelled.

A frame is judged by its force deviation: the largest, over its atoms, of the standard deviation of
the force among the models, which campaigns report as `model_deviation`.

Frames beyond an upper bound, with atoms on top of each other, or without a plausible cell are
counted and not labelled: a model that lost its way leads to structures that no crystal has. Frames
that a run did not reach because it broke down count with them.
"""

import os
from collections.abc import Mapping, Sequence

import ase
import numpy as np
import xarray as xr
from ase.neighborlist import neighbor_list

from lah10 import ELEMENTS
from lah10.crystal.structures import write_frames
from lah10.errors import UserError
from lah10.io import netcdf
from lah10.io.files import sha256
from lah10.io.json import write_json
from lah10.learning.explore import Exploration
from lah10.potential.data import plausibility, structures
from lah10.potential.data.systems import System
from lah10.potential.evaluate import evaluate_all

#: Å: structures are told apart by their radial distribution up to here, in shells of this width.
RADIAL_RANGE, RADIAL_SHELL = 3.5, 0.25
#: Two structures closer than this, in units of the spread of all candidates, are one.
SAME = 1e-3


def force_deviation(forces: np.ndarray) -> np.ndarray:
    """(f,) largest standard deviation of an atom's force among models, eV/Å.

    Parameters
    ----------
    forces : (models, f, n, 3) float
        eV/Å.
    """
    spread = np.sqrt(((forces - forces.mean(axis=0)) ** 2).sum(axis=-1).mean(axis=0))
    return spread.max(axis=1, initial=0.0)


def deviations(models: Sequence[str | os.PathLike], system: System, threads: int = 1) -> np.ndarray:
    """(f,) `force_deviation` of a committee on frames, eV/Å; NaN where they are not plausible, as
    labels have to be.

    Raises
    ------
    UserError
        A model cannot be run.
    """
    result = np.full(len(system), np.nan)
    fine = plausibility.plausible(system)
    if fine.any():
        answers = evaluate_all(models, [system.select(fine)], threads)
        result[fine] = force_deviation(np.array([answer[0].forces for answer in answers]))
    return result


def shares(deviation: np.ndarray, expected: int, lower: float, upper: float) -> dict:
    """How many frames lie above the bounds; those that are missing or not plausible lie above both.

    Parameters
    ----------
    deviation : (f,) float
        eV/Å, NaN where a frame is not plausible.
    expected : int
        Frames there should be.

    Returns
    -------
    dict
        frames, missing, above (share with at least `lower`), beyond (share with at least `upper`),
        and mean and largest deviation (eV/Å; None without frames).
    """
    known = deviation[np.isfinite(deviation)]
    lost = expected - len(known)
    return {
        "frames": len(deviation),
        "missing": expected - len(deviation),
        "above": float((lost + (known >= lower).sum()) / expected),
        "beyond": float((lost + (known >= upper).sum()) / expected),
        "mean": float(known.mean()) if len(known) else None,
        "largest": float(known.max()) if len(known) else None,
    }


def radial_features(system: System) -> np.ndarray:
    """(f, pairs × shells) radial distribution of each pair of elements: it tells structures apart.

    Neighbours in a shell, by atom and by the square of the distance.
    """
    edges = np.arange(0.0, RADIAL_RANGE + RADIAL_SHELL / 2, RADIAL_SHELL)
    centres = (edges[1:] + edges[:-1]) / 2
    kinds = len(ELEMENTS)
    bins = (np.arange(kinds**2 + 1) - 0.5, edges)
    result = []
    for box, coordinates in zip(system.boxes, system.coordinates, strict=True):
        atoms = ase.Atoms(numbers=system.types + 1, positions=coordinates, cell=box, pbc=True)
        i, j, distance = neighbor_list("ijd", atoms, RADIAL_RANGE)
        pair = system.types[i] * kinds + system.types[j]
        counts, *_ = np.histogram2d(pair, distance, bins=bins)
        result.append((counts / centres**2 / system.n_atoms).ravel())
    return np.array(result).reshape(len(system), kinds**2 * len(centres))


def choose(
    deviation: np.ndarray, group: np.ndarray, features: np.ndarray, count: int
) -> np.ndarray:
    """Indices of at most `count` candidates that differ, in the order in which they were chosen.

    The groups take turns, the one with the largest deviation first. The first candidate of all is
    that of the largest deviation; every further one is the one in its group that is farthest, in
    features and deviation, from all that were chosen. Nothing is drawn by lot.

    Parameters
    ----------
    deviation : (c,) float
        eV/Å.
    group : (c,) int
        Point that the candidate comes from.
    features : (c, m) float
        In which candidates are compared (`radial_features`).
    """
    # Relative, so that deviations which hardly differ do not count as different.
    place = np.column_stack([_scaled(features), deviation / deviation.mean()])
    nearest = np.full(len(place), np.inf)
    left = np.ones(len(place), bool)
    chosen: list[int] = []
    groups = sorted(np.unique(group), key=lambda one: -deviation[group == one].max())
    while left.any() and len(chosen) < count:
        for one in groups:
            mine = np.flatnonzero(left & (group == one))
            if not len(mine) or len(chosen) == count:
                continue
            merit = nearest if chosen else deviation
            best = int(mine[np.argmax(merit[mine])])
            chosen.append(best)
            nearest = np.minimum(nearest, np.linalg.norm(place - place[best], axis=1))
            left &= nearest > SAME
    return np.array(chosen, int)


def _scaled(values: np.ndarray) -> np.ndarray:
    """Differences from the mean, in units of their root mean square length."""
    shifted = values - values.mean(axis=0, keepdims=True)
    length = np.sqrt((shifted**2).sum(axis=1).mean()) if len(values) else 0.0
    return shifted / length if length > 0 else shifted


def select(
    exploration: Exploration,
    deviation: np.ndarray,
    lower: float,
    upper: float,
    limit: float,
    count: int,
    number: int,
    models: Sequence[str | os.PathLike],
    outputs: Mapping[str, str | os.PathLike],
) -> dict:
    """Judge the frames of a round and choose what is labelled.

    Parameters
    ----------
    deviation : (f,) float
        Of the exploration's frames (`deviations`).
    lower, upper : float
        eV/Å: frames from `lower` to below `upper` may be labelled.
    limit : float
        Share of frames above `lower` below which the models agree, and nothing is chosen.
    count : int
        Structures to choose, at most.
    number : int
        Of the round, from 1.
    models : sequence of path
        The committee; its SHA-256 are recorded.
    outputs : mapping
        structures: extended XYZ of what was chosen, with `P_target` (GPa), `T_target` (K), `bath`,
        `deviation` (eV/Å), `point` and `time` (ps) of each (empty once the models agree);
        deviations: NetCDF, all frames; selection: JSON, what is returned.

    Returns
    -------
    dict
        round; models; lower, upper (eV/Å); limit (share below which rounds end); converged;
        `shares` of all frames, and under `points` of each point with its status; selected:
        structure (`structures.Structure.name`), point, time_ps, deviation of each.

    Raises
    ------
    UserError
        Too many frames lie above the lower bound, but none below the upper one.
    """
    e = exploration
    bounds = (lower, upper)
    total = shares(deviation, e.expected * len(e.points), *bounds)
    converged = total["above"] < limit
    chosen = np.empty(0, int)
    if not converged:
        candidates = np.flatnonzero((deviation >= lower) & (deviation < upper))
        if not len(candidates):
            raise UserError(
                f"round {number}: {total['above']:.0%} of the frames have a deviation above "
                f"learn.lower ({lower:g} eV/Å) or were not reached, and none of them lies "
                f"below learn.upper ({upper:g} eV/Å), so there is nothing to label; train "
                "better models first, or raise learn.upper"
            )
        chosen = candidates[
            choose(
                deviation[candidates],
                e.point[candidates],
                radial_features(e.system.select(candidates)),
                count,
            )
        ]
    frames = [_frame(e, deviation, i) for i in chosen]
    write_frames(outputs["structures"], frames)
    # Read back: the names are those of the coordinates as they stand in the file.
    names = list(structures.read_structures(outputs["structures"])) if frames else []
    netcdf.write(
        _deviation_dataset(e, deviation, chosen, bounds),
        outputs["deviations"],
        "deviation of the committee along an exploration",
    )
    result = {
        "round": number,
        "models": [{"path": str(model), "sha256": sha256(model)} for model in models],
        "lower": lower,
        "upper": upper,
        "limit": limit,
        "converged": converged,
        **total,
        "points": {
            name: {
                **shares(deviation[e.point == i], e.expected, *bounds),
                "status": e.about[i]["status"],
                "status_message": e.about[i]["status_message"],
            }
            for i, name in enumerate(e.points)
        },
        "selected": [
            {
                "structure": name,
                "point": e.points[e.point[i]],
                "time_ps": float(e.times[i]),
                "deviation": float(deviation[i]),
            }
            for name, i in zip(names, chosen, strict=True)
        ],
    }
    write_json(outputs["selection"], result)
    return result


def _frame(e: Exploration, deviation: np.ndarray, i: int) -> ase.Atoms:
    about = e.about[e.point[i]]
    atoms = ase.Atoms(
        [ELEMENTS[kind] for kind in e.system.types],
        e.system.coordinates[i],
        cell=e.system.boxes[i],
        pbc=True,
        info={
            "P_target": about["pressure_GPa"],
            "T_target": about["temperature_K"],
            "bath": about["bath"],
            "deviation": float(deviation[i]),
            "point": e.points[e.point[i]],
            "time": float(e.times[i]),
        },
    )
    atoms.wrap()
    return atoms


def _deviation_dataset(
    e: Exploration, deviation: np.ndarray, chosen: np.ndarray, bounds: tuple[float, float]
) -> xr.Dataset:
    selected = np.isin(np.arange(len(deviation)), chosen)
    return xr.Dataset(
        {
            "deviation": (
                "frame",
                deviation,
                {
                    "units": "eV angstrom-1",
                    "long_name": "largest force deviation of an atom within the committee; NaN "
                    "where the structure is not plausible",
                },
            ),
            "point": (
                "frame",
                np.array([e.points[i] for i in e.point], dtype=object),
                {"units": "1", "long_name": "point of the explored grid"},
            ),
            "time": ("frame", e.times, {"units": "ps", "long_name": "time in production"}),
            "selected": (
                "frame",
                selected.astype(np.int8),
                {"units": "1", "long_name": "1 where the frame was chosen to be labelled"},
            ),
        },
        attrs={"lower": bounds[0], "upper": bounds[1]},
    )
