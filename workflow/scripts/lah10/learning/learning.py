"""Active learning: structures that a committee of models disagrees on, and the record of rounds.

A round explores a grid by molecular dynamics on the committee's first model, asks all models about
the stored frames, has those labelled where the models disagree, and trains every model on with the
labels of all rounds. A frame is judged by its force deviation: the largest, over its atoms, of the
standard deviation of the force among the models, the number that campaigns report as
`model_deviation`. Rounds end when the share of frames above a lower bound is small.

Frames beyond an upper bound, with atoms on top of each other, or with no plausible cell are counted
and not labelled: a model that lost its way leads to structures that no crystal has. Frames that a
run did not reach because it broke down count with them.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ase
import ase.io
import numpy as np
import xarray as xr
from ase.neighborlist import neighbor_list

from lah10 import ELEMENTS
from lah10.config.training import LEARNT, Source, Split
from lah10.crystal.structures import read_supercell
from lah10.crystal.trajectory import read_frames
from lah10.dynamics import launch
from lah10.dynamics.job import Job
from lah10.errors import UserError
from lah10.io import netcdf
from lah10.io.files import atomic_path, sha256
from lah10.io.json import write_json
from lah10.io.text import markdown
from lah10.potential.data import dataset, labels, preparation
from lah10.potential.data.alignment import Alignment
from lah10.potential.data.dataset import System
from lah10.potential.evaluate import evaluate_all
from lah10.potential.validation import held_out

#: Å: structures are told apart by their radial distribution up to here, in shells of this width.
RADIAL_RANGE, RADIAL_SHELL = 3.5, 0.25
#: Two structures closer than this, in units of the spread of all candidates, are one.
SAME = 1e-3


# ------------------------------------------------------------------------------------ exploring


def explore(
    point: Mapping,
    options: Mapping[str, Mapping],
    outputs: Mapping[str, str],
    scratch: str | os.PathLike,
    log: str | os.PathLike,
) -> None:
    """Equilibrate and produce one point as a campaign does; a killed run goes on.

    Parameters
    ----------
    point : mapping
        What both stages share, by the names of `lah10.dynamics.job.Job`.
    options : mapping
        Of "equilibrate" and of "produce": `bath_options` and `dynamics`.
    outputs : mapping
        thermo, trajectory, commands: paths of production's files.
    scratch : path
        Folder of everything else; removed at the end.

    Raises
    ------
    UserError
        Something must be mended by the user.
    """
    scratch = Path(scratch)
    equilibrated = {
        "thermo": str(scratch / "equilibration.nc"),
        "restart": str(scratch / "equilibrated.restart"),
        "commands": str(scratch / "equilibrate.lmp"),
    }
    first = {
        **point,
        **options["equilibrate"],
        "stage": "equilibrate",
        "outputs": equilibrated,
        "scratch": str(scratch / "equilibrate"),
    }
    if not Job(**first).finished():
        launch.run_stage(first, log)
    second = {
        **point,
        **options["produce"],
        "stage": "produce",
        "restart_in": equilibrated["restart"],
        "equilibration": equilibrated["thermo"],
        "outputs": {**outputs, "spectra": str(scratch / "spectra.nc")},
        "scratch": str(scratch / "produce"),
    }
    launch.run_stage(second, log)
    shutil.rmtree(scratch)


@dataclass(frozen=True)
class Exploration:
    """Frames of all points of a round.

    Attributes
    ----------
    system : System
        The frames, point by point; without labels.
    times : (f,) float
        ps since production began.
    point : (f,) int
        Index into `points`.
    points : tuple of str
        "<bath>/P<GPa>_T<K>".
    about : tuple of dict
        Of each point: bath, pressure_GPa, temperature_K, status, status_message.
    expected : int
        Frames that a point has unless it broke down.
    """

    system: System
    times: np.ndarray
    point: np.ndarray
    points: tuple[str, ...]
    about: tuple[dict, ...]
    expected: int


def read_exploration(
    runs: Mapping[str, tuple[str | os.PathLike, str | os.PathLike]],
    supercell: str | os.PathLike,
    expected: int,
) -> Exploration:
    """The frames of all points: for each its time series (thermo.nc) and its trajectory."""
    crystal = read_supercell(supercell)
    cells, positions, times, point, about = [], [], [], [], []
    for i, (thermo, trajectory) in enumerate(runs.values()):
        with xr.open_dataset(thermo) as data:
            known = ("bath", "pressure_GPa", "temperature_K", "status", "status_message")
            about.append({key: data.attrs[key] for key in known})
        for time, cell, position in read_frames(trajectory):
            times.append(time)
            cells.append(cell)
            positions.append(position)
            point.append(np.full(len(time), i))
    n = len(crystal)
    system = dataset.unlabelled(
        crystal,
        np.concatenate([np.empty((0, 3, 3)), *cells]),
        np.concatenate([np.empty((0, n, 3)), *positions]),
    )
    return Exploration(
        system,
        np.concatenate([np.empty(0), *times]),
        np.concatenate([np.empty(0, int), *point]),
        tuple(runs),
        tuple(about),
        expected,
    )


# ------------------------------------------------------------------------------------- judging


def force_deviation(forces: np.ndarray) -> np.ndarray:
    """(f,) largest standard deviation of an atom's force among models, eV/Å.

    Parameters
    ----------
    forces : (models, f, n, 3) float
        eV/Å.
    """
    spread = np.sqrt(((forces - forces.mean(axis=0)) ** 2).sum(axis=-1).mean(axis=0))
    return spread.max(axis=1, initial=0.0)


def plausible(system: System) -> np.ndarray:
    """(f,) whether cell and distances can be LaH10 under pressure, as `dataset` sees it."""
    finite = np.isfinite(system.boxes).all(axis=(1, 2))
    finite &= np.isfinite(system.coordinates).all(axis=(1, 2))
    per_atom = system.volumes / system.n_atoms
    low, high = dataset.VOLUME_PER_ATOM
    fine = finite & (per_atom >= low) & (per_atom <= high)
    limit = dataset.SHORTEST_DISTANCE
    fine[fine] = dataset.shortest_distances(system.select(fine), limit) >= limit
    return fine


def deviations(models: Sequence[str | os.PathLike], system: System, threads: int = 1) -> np.ndarray:
    """(f,) `force_deviation` of a committee on frames, eV/Å; NaN where they are not plausible.

    Raises
    ------
    UserError
        A model cannot be run.
    """
    result = np.full(len(system), np.nan)
    fine = plausible(system)
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


# ------------------------------------------------------------------------------------- choosing


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
        structure (`labels.Structure.name`), point, time_ps, deviation of each.

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
    with atomic_path(outputs["structures"]) as aside:
        if frames:
            ase.io.write(aside, frames, format="extxyz")
        else:
            aside.touch()
    # Read back: the names are those of the coordinates as they stand in the file.
    names = list(labels.read_structures(outputs["structures"])) if frames else []
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
    _write_json(result, outputs["selection"])
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


# ------------------------------------------------------------------------ labels and training


def prepare(
    split: Split,
    folders: Mapping[str, str | os.PathLike],
    labelled: Sequence[str | os.PathLike],
    destination: str | os.PathLike,
    alignment: Alignment | None = None,
    scale: str = "",
    model: str | os.PathLike | None = None,
) -> Path:
    """`preparation.prepare` with the labels of all rounds so far added to train on.

    Parameters
    ----------
    labelled : sequence of path
        DeePMD systems of round 1, 2, …; they become the sets "learn/round1/…" and so on.
    scale : str
        Source whose Pulay stress, and, where there is an alignment, offsets the new labels share.
    model : path, optional
        Frozen graph that tells labels in other units.

    Raises
    ------
    UserError
        Bad data, or a scale that the alignment does not know.
    """
    sources, folders = dict(split.sources), dict(folders)
    pulay = sources[scale].pulay_pv_per_atom if scale in sources else 0.0
    for number, folder in enumerate(labelled, start=1):
        name = f"{LEARNT}/round{number}"
        sources[name] = Source(
            citation="this project",
            terms="part of this project",
            path=str(folder),
            held_out=(),
            pulay_pv_per_atom=pulay,
        )
        folders[name] = folder
    if alignment is not None:
        alignment = _with_scale(alignment, scale)
    return preparation.prepare(Split(sources=sources), folders, destination, alignment, model)


def _with_scale(alignment: Alignment, scale: str) -> Alignment:
    """The alignment with the offsets of the source `scale` for what was learnt."""
    if scale not in alignment.energies:
        raise UserError(
            f"learn.same_reference_as: the alignment has no constant of energy for {scale} as a "
            f"whole; there are {', '.join(alignment.energies)}"
        )
    return alignment.sharing(LEARNT, scale)


# ---------------------------------------------------------------------------------- the record


def record(
    selection: str | os.PathLike,
    files: Sequence[str | os.PathLike],
    before: Sequence[str | os.PathLike],
    after: Sequence[str | os.PathLike],
    index: str | os.PathLike | None,
    path: str | os.PathLike,
    threads: int = 1,
) -> dict:
    """Write what a round found and did (JSON).

    Parameters
    ----------
    selection : path
        What `select` wrote.
    files : sequence of path
        The labels of what was selected, or why there are none; empty once the models agree.
    before, after : sequence of path
        The committee before and after the round's training.
    index : path or None
        The data that were trained on (`prepare`).

    Returns
    -------
    dict
        What `select` returned, and labelled (names); failed (reason by name); trained (paths and
        SHA-256); errors, `before` and `after`, of each model on the round's labels ("new_labels",
        of which the models before the training knew nothing) and on what the split holds out
        ("held_out"): frames, energy_rmse (meV/atom, after one constant a set), force_rmse (eV/Å),
        pressure_rmse (GPa).

    Raises
    ------
    UserError
        A file is absent or was cut short, or a model cannot be run.
    """
    result = _read_json(selection)
    found = {Path(file).stem: labels.read(file) for file in files}
    result["labelled"] = [name for name, label in found.items() if label.reason is None]
    result["failed"] = {n: label.reason for n, label in found.items() if label.reason is not None}
    result["trained"] = [{"path": str(model), "sha256": sha256(model)} for model in after]
    result["errors"] = {}
    if index is not None:
        mine = f"{LEARNT}/round{result['round']}"
        parts = {
            "new_labels": [
                system
                for system in preparation.read_part(index, "train")
                if system.name == mine or system.name.startswith(f"{mine}/")
            ],
            "held_out": preparation.read_part(index, "test"),
        }
        for name, systems in parts.items():
            if systems:
                result["errors"][name] = {
                    "before": errors(before, systems, threads),
                    "after": errors(after, systems, threads),
                }
    _write_json(result, path)
    return result


def errors(
    models: Sequence[str | os.PathLike], systems: Sequence[System], threads: int = 1
) -> list[dict]:
    """Of each model on labelled frames: frames, energy_rmse, force_rmse, pressure_rmse.

    Units as those of `held_out.errors`: meV/atom, eV/Å, GPa.
    """
    kept = ("frames", "energy_rmse", "force_rmse", "pressure_rmse")
    result = []
    for predictions in evaluate_all(models, systems, threads):
        everything = held_out.errors(held_out.compare(systems, predictions))
        result.append({key: everything[key] for key in kept})
    return result


def summarise(
    records: Sequence[str | os.PathLike],
    compressed: Sequence[str | os.PathLike],
    table: str | os.PathLike,
    text: str | os.PathLike,
) -> dict:
    """All rounds in one file (JSON) and as a table to read (Markdown).

    Parameters
    ----------
    records : sequence of path
        What `record` wrote, in the order of rounds.
    compressed : sequence of path
        The committee that came out, to be named in a campaign.
    """
    rounds = [_read_json(path) for path in records]
    last = rounds[-1]
    result = {
        "converged": last["converged"],
        "rounds": rounds,
        "committee": [{"path": str(model), "sha256": sha256(model)} for model in compressed],
    }
    ended = (
        f"The models agree: in round {last['round']} {last['above']:.2%} of the frames have a "
        f"deviation of {last['lower']:g} eV/Å or more, below the limit of {last['limit']:.2%}."
        if last["converged"]
        else f"Not yet agreed: {last['above']:.2%} of the frames of round {last['round']} have a "
        f"deviation of {last['lower']:g} eV/Å or more, the limit is {last['limit']:.2%}, and no "
        "more rounds are allowed. What the last training brought shows in a further round "
        "(`learn.rounds`)."
    )
    lines = [
        "# Active learning",
        "",
        ended,
        "",
        "Force RMSE (eV/Å) and energy RMSE (meV/atom, after one constant a set) are means over "
        "the committee, before → after the round's training. Before it the round's labels were "
        "unknown to the models: that column is a test, the other is not. Held-out sets are never "
        "trained on.",
        "",
    ]
    header = ("round", "frames", "above", "beyond", "broken points", "selected", "labelled",
              "failed", "force, new labels", "energy, new labels", "force, held out")  # fmt: skip
    table_rows = []
    for one in rounds:
        broken = sum(point["status"] != "ok" for point in one["points"].values())
        cells = [
            one["round"],
            one["frames"],
            f"{one['above']:.2%}",
            f"{one['beyond']:.2%}",
            f"{broken} of {len(one['points'])}",
            len(one["selected"]),
            len(one["labelled"]),
            len(one["failed"]),
            _change(one, "new_labels", "force_rmse", ".3f"),
            _change(one, "new_labels", "energy_rmse", ".1f"),
            _change(one, "held_out", "force_rmse", ".3f"),
        ]
        table_rows.append(cells)
    lines += [markdown(header, table_rows), ""]
    lines += ["The committee, for `potential.model` and `potential.committee`:", ""]
    lines += [f"- `{model}`" for model in compressed] or ["- the one that started"]
    with atomic_path(text) as aside:
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _write_json(result, table)
    return result


def _change(one: dict, part: str, key: str, form: str) -> str:
    if part not in one["errors"]:
        return "–"
    means = (np.mean([m[key] for m in one["errors"][part][when]]) for when in ("before", "after"))
    return " → ".join(format(mean, form) for mean in means)


def _read_json(path: str | os.PathLike) -> dict:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: cannot be read ({error}); remove it, and it is made anew"
        ) from None


def _write_json(content: dict, path: str | os.PathLike) -> None:
    write_json(path, content)
