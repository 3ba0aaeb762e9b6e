"""What decides between Fm-3m and R-3m, by a model beside DFT: the difference of their energies.

Three looks at one quantity, each of which a model can fail alone:

- the enthalpy of R-3m less that of Fm-3m against pressure, each crystal relaxed by its own method,
  and the pressure at which it crosses zero;
- the energy along the labelled path from one to the other at fixed volumes, in the same crystals:
  a double well, of which one half and what lies beyond its ends are labelled;
- the root mean square error of energies among the labels of one volume and one mesh, after one
  constant, where volumes that the model has learnt count apart from those that it has not.

Pressures are on the scale of the DFT: a model that learnt the common scale has its own moved
(`alignment`), and an energy of its own that falls with volume by as much, which both phases share.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import ase
import numpy as np

from lah10.io.files import sha256
from lah10.io.json import read_json
from lah10.potential.data.extended_xyz import whole_frames
from lah10.potential.data.systems import System
from lah10.potential.evaluate import Prediction, evaluate
from lah10.potential.training.differences import groups
from lah10.potential.validation import dft_enthalpies, equation_of_state, path_hessians, phases

#: GPa at which both are compared.
PRESSURES = (100, 125, 150, 175, 200, 225, 250)
#: Å³ per formula unit at which the card draws up the double well: the distorted crystal is the
#: lower one at the first by DFT, and the higher at the second.
WELLS = (33.2, 30.3)
#: The phase that labels compare with Fm-3m.
PHASE = "R-3m"


def measure(
    model: str | os.PathLike,
    found: Mapping,
    crystals: Mapping[str, ase.Atoms],
    labels: Sequence[str | os.PathLike],
    static: str | os.PathLike,
    hessians: str | os.PathLike,
    offset: float = 0.0,
    pulay: float = 0.0,
    learnt: str | os.PathLike | None = None,
    threads: int = 1,
) -> dict:
    """The three looks, in plain numbers that JSON can hold.

    Parameters
    ----------
    model : path
        Frozen graph.
    found : mapping
        `phases.enthalpies` of it.
    crystals : mapping
        A crystal of Fm-3m and of R-3m, any cell.
    labels : sequence of path
        Extended XYZ of crystals on and around the path.
    static, hessians : path
        DFT of Fm-3m (`equation_of_state.read`); second derivatives (`path_hessians.read`).
    offset : float
        GPa, by which the pressures of the DFT lie above the model's.
    pulay : float
        As in `equation_of_state.read`.
    learnt : path, optional
        What `training.differences` recorded of the model; without, it has learnt no difference.

    Returns
    -------
    dict
        `pressure_offset`; `labels_sha256` by file; `enthalpies` (`beside_dft`); `wells`, a list of
        `volume`, `share`, `dft`, `model` (meV/atom less the cubic crystal); `groups`, by name
        `volume`, `frames`, `rms` (meV/atom) and whether it was `learnt`.

    Raises
    ------
    UserError
        The model cannot be run, or a file is absent or damaged.
    """
    known = groups(labels)
    answers = dict(zip(known, evaluate(model, list(known.values()), threads), strict=True))
    paths = dft_enthalpies.read_paths(labels, pulay, path_hessians.read(hessians))
    curve = dft_enthalpies.curve(paths, equation_of_state.read(static, pulay))
    own = phases.enthalpies(
        model,
        {name: crystals[name] for name in (phases.REFERENCE, PHASE)},
        [pressure - offset for pressure in PRESSURES],
        threads,
    )
    record = read_json(learnt, "run `snakemake potential` again")["groups"] if learnt else {}
    # By volume: a crystal that was learnt on one mesh is none that was held out on another.
    volumes = {_volume(name) for name, group in record.items() if not group["held_out"]}
    return {
        "pressure_offset": offset,
        "labels_sha256": {Path(file).name: sha256(file) for file in (*labels, hessians)},
        "enthalpies": beside_dft(own, found, curve, offset),
        "wells": wells(known, answers, labels),
        "groups": {
            name: {
                "volume": _volume(name),
                "frames": len(system),
                "rms": _rms(errors(system, answers[name])),
                "learnt": _volume(name) in volumes,
            }
            for name, system in known.items()
        },
    }


def beside_dft(own: Mapping, nominal: Mapping, curve: dft_enthalpies.Curve, offset: float) -> dict:
    """H(R-3m) − H(Fm-3m) by model and DFT.

    Parameters
    ----------
    own : mapping
        `phases.enthalpies` of the model at `PRESSURES` of the DFT.
    nominal : mapping
        The same at pressures of the model's own, for the crossing (by a straight line).
    offset : float
        GPa, by which the DFT's pressures lie above the model's.

    Returns
    -------
    dict
        `pressures` (GPa, of the DFT); along them `model`, `dft`, `dft_error`, `relaxation` (the
        part of `dft` that its Newton step makes) and `difference` (meV/atom, model less DFT), None
        where there is none, and `space_group` of what the model's R-3m is; `crossing`: `model`,
        `dft`, `dft_error` (GPa), None where there is none; `dft_vanishes` (GPa), beyond which the
        DFT's R-3m relaxes to Fm-3m.
    """
    model = phases.differences(own)[PHASE]
    # Two relaxations to one crystal differ by what was left of the forces.
    groups_found = own["phases"][PHASE]["space_group"]
    model = [0.0 if group == phases.REFERENCE else value
             for group, value in zip(groups_found, model, strict=True)]  # fmt: skip
    dft, error, relaxation = np.array([curve.at(pressure) for pressure in PRESSURES]).T
    crossing = phases.crossing(nominal["pressures"], phases.differences(nominal)[PHASE])
    at, at_error = curve.crossing
    return {
        "pressures": list(PRESSURES),
        "model": [_plain(value) for value in model],
        "space_group": groups_found,
        "dft": [_plain(value) for value in dft],
        "dft_error": [_plain(value) for value in error],
        "relaxation": [_plain(value) for value in relaxation],
        "difference": [_plain(value) for value in np.array(model) - dft],
        "crossing": {
            "model": None if crossing is None else crossing + offset,
            "dft": _plain(at),
            "dft_error": _plain(at_error),
        },
        "dft_vanishes": _plain(curve.vanishes),
    }


def wells(
    known: Mapping[str, System],
    answers: Mapping[str, Prediction],
    labels: Sequence[str | os.PathLike],
) -> list[dict]:
    """Energies along the path, by group that has its cubic crystal: see `measure`."""
    share = {
        f"{file} frame {i}": float(atoms.info["angle"])
        for file in labels
        for i, atoms in enumerate(whole_frames(Path(file)))
        if abs(atoms.info["angle"] - atoms.info["internal"]) < path_hessians.SAME
    }
    found = []
    for name, system in known.items():
        on_path = [k for k, frame in enumerate(system.frames) if frame in share]
        on_path.sort(key=lambda k, frames=system.frames: share[frames[k]])
        shares = [share[system.frames[k]] for k in on_path]
        if 0.0 not in shares:
            continue
        zero = on_path[shares.index(0.0)]
        dft, model = (
            1e3 * (energies[on_path] - energies[zero]) / system.n_atoms
            for energies in (system.energies, answers[name].energies)
        )
        found.append({"group": name, "volume": _volume(name), "share": shares,
                      "dft": dft.tolist(), "model": model.tolist()})  # fmt: skip
    return found


def errors(system: System, answer: Prediction) -> np.ndarray:
    """Energy errors of a group, model less label, from their mean: meV/atom, (f,)."""
    error = 1e3 * (answer.energies - system.energies) / system.n_atoms
    return error - error.mean()


def not_learnt(found: Mapping) -> float:
    """Root mean square error, meV/atom, over all frames of the groups that the model has not
    learnt; NaN where it has learnt all.

    found : what `measure` returns.
    """
    rest = [group for group in found["groups"].values() if not group["learnt"]]
    frames = [group["frames"] for group in rest]
    if not rest:
        return np.nan
    return float(np.sqrt(np.average([group["rms"] ** 2 for group in rest], weights=frames)))


def _volume(group: str) -> float:
    """Å³ per formula unit, by the name that `groups` gave."""
    return float(group.split()[-1])


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
