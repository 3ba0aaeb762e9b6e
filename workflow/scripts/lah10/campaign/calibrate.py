"""`snakemake calibrate`: this machine's rates, from one short run a stage.

A campaign of its own, `results/calibration-<atoms>-atoms`, runs the stages of a point of the
configured size in the configured environment: as many points at a time as the machine would run, so
that what they take from each other is counted. What it took becomes the user's rates
(`config/rates.yaml`).
"""

import math
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import yaml

from lah10.campaign import rates as table
from lah10.campaign.plan import Plan
from lah10.config import reading
from lah10.dynamics.records import processor
from lah10.errors import UserError

#: Seconds that production should take, and its time steps at least and at most.
SECONDS = 20.0
FEWEST, MOST = 120, 6000
#: Samples in a production, its frames, and its segments of the spectrum and of the distortion:
#: each divides the one before.
SAMPLES, FRAMES, PARTS = 60, 30, 6
#: Times between samples, fs: those that divide the other times of a configuration.
INTERVALS = (1, 2, 5, 10, 20, 25, 50)
#: Sections without a part in it, whose times need not fit; points of a sweep would wait.
OTHERS = ("boundary", "pimd", "learn", "sweep")
#: Time steps of the equilibration, as a share of those of production.
EQUILIBRATE = 1 / 3
#: Below this share of a core a run has shared it with others, and its rate says little.
IDLE = 0.9


def short(content: Mapping, plan: Plan, points: int) -> dict:
    """The configuration of a calibration.

    Parameters
    ----------
    content : mapping
        The user's configuration, complete.
    plan : Plan
        Of it.
    points : int
        Points that run at a time.
    """
    config = plan.config
    wanted = SECONDS * plan.rate * plan.ranks / config.n_atoms
    step = config.dynamics.timestep
    wanted = min(MOST, max(FEWEST, wanted)) / SAMPLES
    nearest = min(INTERVALS, key=lambda fs: abs(math.log(fs / (wanted * step))))
    # Steps of another length than those divide do not make one: the nearest number of whole steps.
    sample = max(1, round(nearest / step))
    steps = sample * SAMPLES

    def fs(number: float) -> str:
        return f"{max(1, round(number)) * step:.10g} fs"

    def ps(number: float) -> str:
        return f"{max(1, round(number)) * step / 1000:.10g} ps"

    bath = next((bath for bath in ("qtb", "adqtb") if bath in config.baths), config.baths[0])
    first = float(config.temperature.values[0]) or 100.0
    dynamics = dict(content["dynamics"]) | {
        "equilibrate": ps(steps * EQUILIBRATE),
        "produce": ps(steps),
        "frame_interval": fs(steps / FRAMES),
        "thermo_interval": fs(sample),
        "checkpoint_interval": ps(steps),
        "spectrum_segment": ps(steps / PARTS),
        "spectrum_interval": fs(2),
    }
    return {key: value for key, value in content.items() if key not in OTHERS} | {
        "campaign": f"calibration-{config.n_atoms}-atoms",
        "baths": [bath],
        "starts": ["cubic"],
        "pressure": {"unit": "GPa", "values": [float(config.pressure.values[0])]},
        # Of one temperature, as far as points need names of their own.
        "temperature": {"unit": "K", "values": [first + n for n in range(points)]},
        "dynamics": dynamics,
        "distortion": dict(content["distortion"]) | {"window": ps(steps / PARTS)},
        "keep_trajectories": True,
    }


def calibrate(
    content: Mapping, rates: Mapping, output: str | Path, cores: int, say=print
) -> dict:
    """Run the stages of some points, and write what they took.

    Parameters
    ----------
    content : mapping
        The user's configuration, complete.
    rates : mapping
        The table of rates so far.
    output : path
        The user's rates.
    cores : int
        Cores to use; each point takes those that a plan gives it.

    Returns
    -------
    dict
        The new table.

    Raises
    ------
    UserError
        The runs failed; the message names their log.
    """
    plan = Plan(reading.validate(content, "configuration"), rates, cores)
    points = max(1, cores // plan.ranks)
    config = short(content, plan, points)
    short_config = reading.validate(config, "calibration")
    results = Path("results", config["campaign"])
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    file = results / "config.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    log = results / "snakemake.log"
    minutes = Plan(short_config, rates, cores).wall_of_point() / 60
    say(
        f"Runs {points} point(s) of {plan.config.n_atoms} atoms at a time, {plan.ranks} core(s) "
        f"each, for about {minutes:.0f} min; log: {log}"
    )
    name = Path("points", config["baths"][0])
    (pressure,) = short_config.pressure.values
    targets = [
        str(results / name / f"P{pressure}_T{temperature}" / "summary.nc")
        for temperature in short_config.temperature.values
    ]
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--configfile", str(file)]
    with open(log, "w") as handle:
        done = subprocess.run(
            [*command, "--", *targets], stdout=handle, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        raise UserError(f"{results}: the runs that measure rates failed; see {log}")
    measured = table.measured(results)
    if measured["load"] < IDLE:
        say(
            f"Warning: a run had {measured['load']:.0%} of its cores: something else works on this "
            "machine, and the rates are too low"
        )
    source = (
        f"snakemake calibrate on {platform.node()} ({processor()}), {time.strftime('%Y-%m-%d')}, "
        f"{points} run(s) at a time on {measured['ranks']} core(s) each"
    )
    new = table.updated(rates, measured, source)
    table.write(output, new)
    say(yaml.safe_dump(measured, sort_keys=False))
    say(f"Written to {output}")
    return new
