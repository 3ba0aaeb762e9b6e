"""Jobs of a campaign: what each stage of a point, of a path-integral run and of a window is asked.

The scripts of the rules start them; `copies` recognises by them what was finished elsewhere.
"""

import json
from collections.abc import Mapping, Sequence

from lah10.config.campaign import Config
from lah10.config.reading import to_dict

#: Paths of a job's input files, by the names that they have in its rule.
Files = Mapping[str, str | Sequence[str]]


def _common(config: Config) -> dict:
    """What every job has, its own files aside; only the seed is part of its fingerprint."""
    return {
        "campaign": config.campaign,
        "config_json": json.dumps(to_dict(config), sort_keys=True),
        "seed": config.seed,
        "outputs": {},
        "scratch": "",
    }


def dynamics(config: Config, stage: str, point: tuple[str, str, str], files: Files) -> dict:
    """A stage of a point of the grid, as arguments of `lah10.dynamics.job.Job`.

    Parameters
    ----------
    stage : {"equilibrate", "produce"}
    point : (bath, pressure, temperature)
        Texts, GPa and K.
    files : mapping
        supercell, supercell_data, model; to produce, restart, equilibration and committee; to
        equilibrate from the end of a neighbour's run, its restart and, as `before`, its series.
    """
    bath, pressure, temperature = point
    return _common(config) | {
        "stage": stage,
        "bath": bath,
        "pressure_GPa": float(pressure),
        "temperature_K": float(temperature),
        "supercell": files["supercell"],
        "supercell_data": files["supercell_data"],
        "restart_in": files.get("restart"),
        "equilibration": files.get("equilibration", files.get("before")),
        "potential": {"model": files["model"], "committee": list(files.get("committee", ()))},
        "bath_options": config.bath_options(stage, bath),
        "dynamics": config.dynamics_options(stage, bath),
    }


def window(config: Config, stage: str, state: tuple[str, str], angle: str, files: Files) -> dict:
    """A stage of a boundary's window of classical nuclei, as arguments of `Job`.

    Parameters
    ----------
    state : (pressure, temperature)
    angle : str
        Degree.
    files : mapping
        As of `dynamics`; supercell_data is the sheared crystal's.
    """
    return dynamics(config, stage, ("classical", *state), files) | {
        "dynamics": config.window_options(stage),
        "held_shape": _held_shape(config, angle, state[1]),
    }


def path_integrals(config: Config, point: tuple[str, str], beads: int, files: Files) -> dict:
    """A path-integral run (`lah10.pimd.job.described`), as arguments of `PimdJob`."""
    return _pimd(config, point, beads, files, config.pimd.options)


def pimd_window(
    config: Config, state: tuple[str, str], beads: int, angle: str, files: Files
) -> dict:
    """A boundary's window of path integrals, as arguments of `PimdJob`.

    files : model, and as supercell the sheared crystal.
    """
    held = _held_shape(config, angle, state[1])
    return _pimd(config, state, beads, files, config.pimd_window_options, held_shape=held)


def _pimd(config: Config, point, beads: int, files: Files, dynamics: Mapping, **others) -> dict:
    from lah10.pimd.job import described  # NumPy, which a dry run does without

    highest = config.pimd.highest_THz
    about = _common(config) | others
    return described(point, beads, files, highest_THz=highest, dynamics=dynamics, **about)


def _held_shape(config: Config, angle: str, temperature: str) -> dict[str, float]:
    from lah10.dynamics.lammps_input import held_shape

    return held_shape(angle, config.boundary.volume_period, config.n_atoms, temperature)
