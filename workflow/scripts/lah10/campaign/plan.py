"""What a campaign costs: jobs, core-hours, GPU-hours and disk per stage, from measured rates.

Everything is proportional: molecular dynamics to atoms × steps, analysis to atoms × frames, and
each job has a fixed start-up. The rates, with where and how they were measured, are data
(resources/rates.yaml), so that a new machine needs no new code.
"""

import heapq
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import yaml

from lah10 import nuclides
from lah10.bath import timestep
from lah10.bath.noise_memory import memory_bytes
from lah10.config.campaign import Config
from lah10.errors import UserError
from lah10.io import space
from lah10.io.text import aligned, duration

#: Atoms a core should have before another core pays.
ATOMS_PER_RANK = 2500
MOST_RANKS = 16
#: A job may take this many times its estimate before a scheduler ends it.
MARGIN = 3.0
SHORTEST_MINUTES = 15

POINT_STAGES = ("equilibrate", "produce", "analyse")
STAGES = ("structures", "harmonic", *POINT_STAGES, "phase_diagram", "figures")


@dataclass(frozen=True)
class StageCost:
    """Sums over a campaign's jobs of one stage; `gpu_hours` is None where nothing was measured."""

    stage: str
    jobs: int
    core_hours: float
    gpu_hours: float | None
    kept_bytes: float
    temporary_bytes: float


def read_rates(path: str | os.PathLike) -> dict:
    """The measured rates; raises UserError where the file is absent or lacks one."""
    try:
        rates = yaml.safe_load(Path(path).read_text())
        for machine in ("cpu", "gpu"):
            rates["dynamics"][machine]["atom_steps_per_second"]
        for stage in (*POINT_STAGES, "harmonic", "campaign"):
            rates["memory_mb"][stage]["base"], rates["memory_mb"][stage]["per_kiloatom"]
            rates["startup_seconds"][stage]
        rates["analysis"]["atom_frames_per_second"]
        return rates
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (KeyError, TypeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: no table of rates: {' '.join(str(error).split())}") from None


class Plan:
    """Costs of one campaign, and the resources that its jobs should ask for.

    most_ranks : cores that one job may have at most, as on a machine with fewer than `MOST_RANKS`.
    """

    def __init__(self, config: Config, rates: dict, most_ranks: int = MOST_RANKS):
        self.config = config
        self.rates = rates
        self.most_ranks = min(MOST_RANKS, most_ranks)

    # ------------------------------------------------------------------ one job

    @property
    def ranks(self) -> int:
        """MPI ranks (cores) of one molecular-dynamics job."""
        return min(self.most_ranks, max(1, self.config.n_atoms // ATOMS_PER_RANK))

    def steps(self, stage: str) -> int:
        """Time steps of one molecular-dynamics job."""
        # Of the bath that takes longest: jobs of the others ask for a little more than they need.
        duration = max(self.config.duration(stage, bath) for bath in self.config.baths)
        return round(duration * 1e3 / self.config.dynamics.timestep)

    @property
    def frames(self) -> int:
        """Stored frames of one production run."""
        dynamics = self.config.dynamics
        return math.floor(dynamics.produce * 1e3 / dynamics.frame_interval) + 1

    @property
    def rate(self) -> float:
        """Atom-steps a second and core of a crystal of this size.

        Between measured sizes it is linear in the logarithm of the number of atoms; beyond them it
        is that of the nearest.
        """
        cpu = self.rates["dynamics"]["cpu"]
        measured = sorted(cpu.get("by_atoms", {}).items())
        if not measured:
            return cpu["atom_steps_per_second"]
        atoms = self.config.n_atoms
        low = [pair for pair in measured if pair[0] <= atoms][-1:]
        high = [pair for pair in measured if pair[0] >= atoms][:1]
        if not low or not high or low == high:
            return (low or high)[0][1]
        (fewer, slow), (more, fast) = low[0], high[0]
        share = math.log(atoms / fewer) / math.log(more / fewer)
        return slow + share * (fast - slow)

    def core_seconds(self, stage: str) -> float:
        """Processor time of one job."""
        if stage in ("equilibrate", "produce"):
            rate = self.rate
            busy = self.config.n_atoms * self.steps(stage) / rate
            return busy + self.rates["startup_seconds"][stage] * self.ranks
        if stage == "analyse":
            rate = self.rates["analysis"]["atom_frames_per_second"]
            return self.config.n_atoms * self.frames / rate + self.rates["startup_seconds"][stage]
        return self.rates["startup_seconds"][_kind(stage)]

    def gpu_seconds(self, stage: str) -> float | None:
        """Time of one job on one GPU; None where no rate was measured."""
        if stage not in ("equilibrate", "produce"):
            return 0.0
        rate = self.rates["dynamics"]["gpu"]["atom_steps_per_second"]
        return None if rate is None else self.config.n_atoms * self.steps(stage) / rate

    def memory_mb(self, stage: str) -> int:
        """Memory of one job, all ranks together; of dynamics, that of the bath's noise included."""
        memory = self.rates["memory_mb"][_kind(stage)]
        dynamics = stage in ("equilibrate", "produce")
        ranks, noise = (self.ranks, self.noise_mb) if dynamics else (1, 0)
        atoms = self.config.n_atoms
        return round(memory["base"] * ranks + memory["per_kiloatom"] * atoms / 1e3 + noise)

    @property
    def noise_mb(self) -> float:
        """Memory of the bath's noise in one job, all ranks together."""
        return memory_bytes(self.config.n_atoms, self.ranks) / 1e6

    # ------------------------------------------------------------------ windows of the boundary

    def window_core_seconds(self, nuclei: str, beads: int = 1, stage: str | None = None) -> float:
        """Processor time of one window, or of one of its stages."""
        of = getattr(self.config.boundary, nuclei)
        section = self.config.dynamics if nuclei == "classical" else self.config.pimd
        stages = (stage,) if stage else ("equilibrate", "produce")
        steps = sum(getattr(of, name) for name in stages) * 1e3 / section.timestep
        starts = 1 if nuclei == "pimd" else len(stages)
        rate = self.rate
        busy = beads * self.config.n_atoms * steps / rate
        return busy + starts * self.rates["startup_seconds"]["produce"] * self.ranks

    def _boundary_cost(self) -> StageCost:
        """All windows of the campaign, which no target but `boundary` asks for."""
        of, jobs, seconds, kept = self.config.boundary, 0, 0.0, 0.0
        for _, nuclei, pressure, temperature in of.runs(self.config.boundary_potentials):
            windows = len(of.angles)
            beads = of.beads(pressure, temperature) if nuclei == "pimd" else 1
            section = self.config.dynamics if nuclei == "classical" else self.config.pimd
            rows = getattr(of, nuclei).produce * 1e3 / section.thermo_interval
            jobs += windows
            seconds += windows * self.window_core_seconds(nuclei, beads)
            kept += windows * rows * THERMO_ROW
        return StageCost(
            stage="boundary",
            jobs=jobs,
            core_hours=seconds / 3600,
            gpu_hours=None,
            kept_bytes=kept,
            temporary_bytes=kept,
        )

    def window_runtime(self, nuclei: str, beads: int = 1, cores: int = 1) -> int:
        """Minutes of wall time to ask for, with a margin, of a job of a window."""
        minutes = MARGIN * self.window_core_seconds(nuclei, beads) / cores / 60
        return max(SHORTEST_MINUTES, math.ceil(minutes))

    def runtime(self, stage: str, cores: int = 1) -> int:
        """Minutes of wall time to ask for, with a margin."""
        minutes = MARGIN * self.core_seconds(stage) / cores / 60
        return max(SHORTEST_MINUTES, math.ceil(minutes))

    def kept_bytes(self, stage: str) -> float:
        """What one job leaves on disk for good."""
        dynamics, atoms = self.config.dynamics, self.config.n_atoms
        if stage in ("equilibrate", "produce"):
            rows = getattr(dynamics, stage) * 1e3 / dynamics.thermo_interval
            size = rows * THERMO_ROW
            if stage == "equilibrate":
                return size + atoms * RESTART_ATOM
            segment = dynamics.spectrum_segment * 1e3 / dynamics.spectrum_interval
            size += dynamics.produce / dynamics.spectrum_segment * segment / 2 * SPECTRUM_LINE
            size += atoms * RESTART_ATOM if self.config.sweep != "none" else 0
            return size + (self.trajectory_bytes if self.config.keep_trajectories else 0)
        if stage == "analyse":
            return ANALYSIS_BYTES
        return 100 * atoms if stage == "structures" else ANALYSIS_BYTES

    @property
    def trajectory_bytes(self) -> float:
        """One trajectory.nc: single-precision coordinates."""
        return self.frames * self.config.n_atoms * 12

    def temporary_bytes(self, stage: str) -> float:
        """What one job needs besides, while it runs or until its point is analysed."""
        if stage not in ("equilibrate", "produce"):
            return 0.0
        checkpoint = self.config.n_atoms * RESTART_ATOM
        if stage == "equilibrate":
            return 2 * checkpoint
        # Segments stand beside the whole that is made of them.
        return 2 * checkpoint + (1 if self.config.keep_trajectories else 2) * self.trajectory_bytes

    # ------------------------------------------------------------------ path integrals

    def pimd_core_seconds(self, beads: int) -> float:
        """Processor time of one path-integral run: every bead costs what a crystal costs."""
        pimd = self.config.pimd
        steps = (pimd.equilibrate + pimd.produce) * 1e3 / pimd.timestep
        rate = self.rate
        return beads * self.config.n_atoms * steps / rate + self.rates["startup_seconds"]["produce"]

    def pimd_memory_mb(self, beads: int) -> int:
        """Memory of one path-integral run; beads share what the potential takes."""
        memory = self.rates["memory_mb"]["produce"]
        atoms = self.config.n_atoms * beads
        return round(memory["base"] + memory["per_kiloatom"] * atoms / 1e3)

    def pimd_runtime(self, beads: int) -> int:
        """Minutes of wall time to ask for, with a margin."""
        return max(SHORTEST_MINUTES, math.ceil(MARGIN * self.pimd_core_seconds(beads) / 60))

    def _pimd_cost(self) -> StageCost:
        """All path-integral runs of the campaign, which no target but `pimd` asks for."""
        pimd = self.config.pimd
        runs = [beads for point in pimd.points for beads in point.beads]
        if "distorted" in self.config.starts:
            runs += [max(point.beads) for point in pimd.points]
        frames = pimd.produce * 1e3 / pimd.frame_interval * (1 + pimd.frame_beads)
        size = frames * self.config.n_atoms * 12
        size += pimd.produce * 1e3 / pimd.thermo_interval * THERMO_ROW + ANALYSIS_BYTES
        return StageCost(
            stage="pimd",
            jobs=len(runs),
            core_hours=sum(map(self.pimd_core_seconds, runs)) / 3600,
            gpu_hours=None,
            kept_bytes=len(runs) * size,
            temporary_bytes=len(runs) * size,
        )

    # ------------------------------------------------------------------ the campaign

    def jobs(self, stage: str) -> int:
        """Jobs of a stage in the whole campaign."""
        if stage == "harmonic":
            return len(self.config.pressure.values)
        points = len(self.config.points) + len(self.config.distorted_points)
        return points if stage in POINT_STAGES else 1

    def wall_seconds(self, slots: int) -> float:
        """Wall time of the whole campaign where so many jobs run at a time, without queueing.

        Jobs are given to slots as they become ready, as Snakemake does: of a point one after the
        other, and in a sweep a point after its neighbour's production. What is done once a campaign
        (supercell, dataset, figures) comes before and after.
        """
        chain = [self.core_seconds(stage) / self._cores(stage) for stage in POINT_STAGES]
        free = [0.0] * slots
        ready = [(0.0, self.core_seconds("harmonic"), 0, 0) for _ in range(self.jobs("harmonic"))]
        # The last number is how many points of the row wait for this one.
        row = 1 if self.config.sweep == "none" else len(self.config.temperature.values)
        ready += [(0.0, chain[0], 1, row - 1) for _ in range(self.jobs("equilibrate") // row)]
        heapq.heapify(ready)
        ends = [0.0]
        while ready:
            when, seconds, stage, waiting = heapq.heappop(ready)
            end = max(when, heapq.heappop(free)) + seconds
            heapq.heappush(free, end)
            ends.append(end)
            if 0 < stage < len(chain):
                heapq.heappush(ready, (end, chain[stage], stage + 1, waiting))
            if waiting and POINT_STAGES[stage - 1] == "produce":
                heapq.heappush(ready, (end, chain[0], 1, waiting - 1))
        once = sum(self.core_seconds(name) for name in ("structures", "phase_diagram", "figures"))
        return max(ends) + once + self.rates["startup_seconds"].get("snakemake", 0)

    def wall_of_point(self) -> float:
        """Wall time of the stages of one point, s."""
        return sum(self.core_seconds(stage) / self._cores(stage) for stage in POINT_STAGES)

    def _cores(self, stage: str) -> int:
        return self.ranks if stage in ("equilibrate", "produce") else 1

    def costs(self) -> list[StageCost]:
        """One row a stage; a potential that is shipped costs nothing here."""
        rows = []
        for stage in STAGES:
            jobs, gpu = self.jobs(stage), self.gpu_seconds(stage)
            rows.append(
                StageCost(
                    stage=stage,
                    jobs=jobs,
                    core_hours=jobs * self.core_seconds(stage) / 3600,
                    gpu_hours=None if gpu is None else jobs * gpu / 3600,
                    kept_bytes=jobs * self.kept_bytes(stage),
                    temporary_bytes=jobs * self.temporary_bytes(stage),
                )
            )
        if self.config.pimd.points:
            rows.append(self._pimd_cost())
        if self.config.boundary.runs(self.config.boundary_potentials):
            rows.append(self._boundary_cost())
        return rows


#: Bytes of one record of thermo.nc, of one restart's atom, of one frequency of one block of
#: spectra.nc (two spectra, two elements), and of a point's analysis together.
THERMO_ROW = 8 * 22
RESTART_ATOM = 130
SPECTRUM_LINE = 8 * 4
ANALYSIS_BYTES = 1e6


def table(
    plan: Plan,
    finished: Callable[[str], int] | None = None,
    isotopes: Mapping[str, str] = MappingProxyType({}),
    slots: Sequence[int] = (),
    source: str = "resources/rates.yaml",
) -> str:
    """The plan as text: one row a stage, the sum, the wall time, and where the rates come from.

    Parameters
    ----------
    plan
        Of the campaign.
    finished
        Number of finished jobs of a stage; without it that column is left out.
    isotopes
        Of the campaign, by element.
    slots
        Numbers of jobs at a time, for each of which the wall time is given.
    source
        File of the rates.
    """
    costs = plan.costs()
    head = ["stage", "jobs", "done", "core-hours", "GPU-hours", "disk kept", "disk at most"]
    rows = [
        [
            cost.stage,
            f"{cost.jobs}",
            f"{finished(cost.stage)}" if finished else "",
            _hours(cost.core_hours),
            _hours(cost.gpu_hours),
            space.size(cost.kept_bytes),
            space.size(cost.kept_bytes + cost.temporary_bytes),
        ]
        for cost in costs
    ]
    gpu = [cost.gpu_hours for cost in costs]
    kept = sum(cost.kept_bytes for cost in costs)
    rows.append(
        [
            "all",
            f"{sum(cost.jobs for cost in costs)}",
            f"{sum(finished(cost.stage) for cost in costs)}" if finished else "",
            _hours(sum(cost.core_hours for cost in costs)),
            _hours(None if None in gpu else sum(gpu)),
            space.size(kept),
            space.size(kept + sum(cost.temporary_bytes for cost in costs)),
        ]
    )
    if not finished:
        head, *rows = [[*row[:2], *row[3:]] for row in [head, *rows]]
    config = plan.config
    lines = [
        f"Campaign {config.campaign}: {len(config.points)} points of {config.n_atoms} atoms"
        f"{f' ({nuclides.formula(isotopes)})' if isotopes else ''}"
        f"{' from two starts' if config.distorted_points else ''}"
        f"{', in rows one after the other' if config.sweep != 'none' else ''}, "
        f"{len(config.baths)} bath(s) x {len(config.pressure.values)} pressures x "
        f"{len(config.temperature.values)} temperatures, "
        f"{config.dynamics.equilibrate:g} + {config.dynamics.produce:g} ps a point",
        f"One dynamics job: {plan.ranks} core(s), {plan.memory_mb('produce')} MB "
        f"({plan.noise_mb:.0f} MB of it noise), about "
        f"{_hours(plan.core_seconds('produce') / plan.ranks / 3600)} h for `produce`",
        *_time_step(config),
        "",
        *aligned([head, *rows]),
        "",
        *(
            f"Wall time, {n} job(s) at a time: {duration(plan.wall_seconds(n))} h"
            for n in dict.fromkeys(slots)
        ),
        "GPU-hours are those of the same jobs on one GPU each instead of on cores. "
        f"Rates ({source}):",
    ]
    for machine in ("cpu", "gpu"):
        rate = plan.rates["dynamics"][machine]
        speed = rate["atom_steps_per_second"]
        speed = "not measured" if speed is None else f"{speed:g} atom-steps/s"
        if machine == "cpu" and rate.get("by_atoms"):
            speed = f"{plan.rate:.0f} atom-steps/s and core at {config.n_atoms} atoms"
        lines.append(f"  {machine}: {speed}; {' '.join(rate['source'].split())}")
    return "\n".join(lines)


def _time_step(config: Config) -> list[str]:
    """What the time step does to a harmonic crystal, a line for classical and quantum nuclei."""
    step, friction = 1e-3 * config.dynamics.timestep, config.bath.friction
    kinds = {}
    if "classical" in config.baths or config.boundary.states("classical"):
        values = [*config.temperature.values, *config.boundary.classical.temperature]
        hottest = max(map(float, values))
        kinds[f"classical nuclei at {hottest:g} K"] = hottest
    if set(config.baths) - {"classical"} and config.bath.correction == "none":
        kinds["quantum baths without bath.correction"] = timestep.QUANTUM
    lines = []
    for name, temperature in kinds.items():
        error = timestep.step_error(step, friction, temperature)
        lines.append(
            f"Time step {1e3 * step:g} fs, {name}, harmonic estimate: E_kin "
            f"{100 * error.kinetic:+.2f} %, E_pot {100 * error.potential:+.2f} % (stiffest "
            f"vibration {100 * error.stiffest:+.1f} %, limit {100 * timestep.LIMIT:g} %), V "
            f"{100 * error.volume:+.3f} %, ΔG {error.free_energy:+.3f} meV/atom"
        )
    return lines


def _kind(stage: str) -> str:
    """The entry of the rates that holds for a stage."""
    return stage if stage in (*POINT_STAGES, "harmonic") else "campaign"


def _hours(value: float | None) -> str:
    if value is None:
        return "?"
    return f"{value:.0f}" if value >= 100 else f"{value:.2g}"
