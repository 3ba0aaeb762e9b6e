"""One stage of one grid point, in a process of its own: `python -m lah10.dynamics.run job.json`.

The stage is cut into segments (`checkpoint.Checkpoints`); each begins by reading the restart file
that ended the one before, so that a killed run goes on to the same bits.
"""

import contextlib
import json
import sys
import time
from pathlib import Path

import numpy as np
import xarray as xr
from ase import Atoms
from ase.io import read

from lah10 import ELEMENTS
from lah10.bath.bath import expected_temperature
from lah10.crystal.isotopes import exact, heavier, of_atoms
from lah10.crystal.structures import space_group as symmetry
from lah10.dynamics import lammps_input as script
from lah10.dynamics import outputs, records
from lah10.dynamics.cell import CellMotion
from lah10.dynamics.checkpoint import Checkpoints
from lah10.dynamics.engine import Engine
from lah10.dynamics.job import Job
from lah10.dynamics.limits import VOLUME_LIMITS, temperature_limit
from lah10.dynamics.progress import FAILED, Progress
from lah10.dynamics.progress import UNFINISHED as STOPPED
from lah10.dynamics.stage_bath import StageBath
from lah10.dynamics.stop import Stop, unfinished
from lah10.errors import PointFailure, Unfinished, UserError
from lah10.io import space
from lah10.io.child import UNFINISHED, USER_ERROR, end_with_parent, forced_by, leave, say
from lah10.io.locks import lock
from lah10.io.text import duration
from lah10.units import BOLTZMANN

#: Share of an equilibration in which the cell looks for its volume (`cell.CellMotion`).
SETTLING_SHARE = 0.5
#: 1/ps, friction in equilibration of the volume of a cell that keeps its shape.
VOLUME_FRICTION = 8.0
#: Bytes of one atom in a restart file and of one record of the time series (about, and more).
RESTART_ATOM, RECORD = 200, 300
#: Room asked for: so many times what is expected, and so many bytes more.
SPARE, SLACK = 1.5, 2e6
#: Å, spglib's tolerance for the mean structure, whose cell has the noise of the run: R-3m and C2/c
#: keep their names in cells that are 0.4 % off in every strain, and lose them at 0.03 Å.
QUENCHED_TOLERANCE = 0.1
#: Atoms: spglib's time grows as their square, and larger crystals have domains.
LARGEST_QUENCHED = 2000
#: Seconds between two lines of progress.
PROGRESS_INTERVAL = 10.0


class Ranks:
    """The processes that run one LAMMPS together; the first alone touches files and speaks."""

    def __init__(self, comm=None):
        self.comm = comm
        self.first = comm is None or comm.rank == 0

    def agree(self, value):
        """The first rank's value, on every rank."""
        return value if self.comm is None else self.comm.bcast(value)

    def say(self, message: str) -> None:
        if self.first:
            say(message)


class Stage:
    """The run of a job from its start, or its last checkpoint, to its end."""

    def __init__(self, job: Job, comm=None):
        self.job, self.ranks = job, Ranks(comm)
        self.name = job.name
        atoms = exact(read(job.supercell))
        self.isotopes = of_atoms(atoms, str(job.supercell))
        self.types = np.array([ELEMENTS.index(s) for s in atoms.get_chemical_symbols()])
        self.masses = atoms.get_masses()
        self.timestep = job.dynamics["timestep_fs"] / 1000
        self.total = job.steps("duration_ps")
        self.segment = min(job.steps("checkpoint_interval_ps"), self.total)
        self.sample_every = job.steps("thermo_interval_fs")
        self.frame_every = job.steps("frame_interval_fs") if job.stage == "produce" else 0
        self.expected = expected_temperature(
            job.bath, job.temperature_K, heavier(self.isotopes)
        )
        self.wall = 0.0
        self.bath = StageBath(job, self.types, self.masses, self.timestep, comm)
        self.stop = Stop(job.scratch).watch()
        self.progress = Progress(job.scratch, job.name, self.total * self.timestep)

    @property
    def done_ps(self) -> float:
        return self.checkpoints.completed * self.segment * self.timestep

    def run(self) -> None:
        """Run to the end and write the outputs; a physical failure is written as a result.

        Raises
        ------
        Unfinished
            It was asked to stop; it goes on when it is given again.
        """
        job = self.job
        self.fingerprint = job.fingerprint()
        folder = Path(job.scratch)
        mine = (
            lock(folder / "lock", wait=lambda holder: say(f"{self.name}: waiting for {holder}"))
            if self.ranks.first
            else contextlib.nullcontext(False)
        )
        with mine as waited:
            if self.ranks.agree(waited and job.finished(self.fingerprint)):
                self.ranks.say(f"{self.name}: taken over from the process that finished it")
                return
            if self.ranks.first:
                self.checkpoints = Checkpoints(
                    folder, self.fingerprint, forced_by(job.rule), self.ranks.say
                )
            self.ranks.agree(None)
            if not self.ranks.first:
                self.checkpoints = Checkpoints(folder, self.fingerprint, verify=False)
            if self.ranks.first:
                self.progress.write(done_ps=self.done_ps)
            self.engine = Engine(folder / "log.lammps", self.ranks.comm)
            if job.held_shape:
                self.engine.cell_kinetic = (script.VOLUME_KINETIC, 1)
            status, message, static, self.space_group = "ok", "", np.nan, ""
            partial: dict[str, list] = {}
            try:
                handed_on(job)
                self._dynamics(partial)
                if job.stage == "produce":
                    self.ranks.say(f"{self.name}: relaxing the mean structure")
                    static = self._static_energy()
            except PointFailure as failure:
                status, message = failure.status, str(failure)
                self.ranks.say(f"{self.name}: STOPPED, {status}: {message}")
            thermo = Path(job.outputs["thermo"]).parent
            self._check_space(thermo, self.checkpoints.bytes + SLACK, "the outputs of this stage")
            if self.ranks.first:
                self._write(status, message, static, partial)
                self.checkpoints.clear()
                self.progress.end()

    def _dynamics(self, partial: dict) -> None:
        done = self.checkpoints.completed
        if done:
            self.ranks.say(f"{self.name}: goes on from {self.done_ps:g} ps")
        elif self.job.restart_in:
            if self.job.stage == "equilibrate":
                self.ranks.say(f"{self.name}: starts from {self.job.restart_in}")
            self._from_restart(self.job.restart_in, reset=True)
        else:
            self._from_crystal()
        if not done:
            self._keep_restart(0)
        segments = -(-self.total // self.segment)
        self._clock = (time.monotonic(), done)
        took = float(self.checkpoints.load(done)["wall_seconds"]) if done else None
        for number in range(done + 1, segments + 1):
            if number > done + 1:
                took = (time.monotonic() - self._clock[0]) / (number - 1 - done)
            self._stop_for(self.stop.before_segment(took))
            self._check_space(self.job.scratch, self._segment_bytes(number), "the next segment")
            partial.clear()
            self._run_segment(number, partial)

    def _check_space(self, folder, needed: float, what: str) -> None:
        """Refuse to go on, on all ranks, where a disk has too little room."""
        problem = None
        if self.ranks.first:
            try:
                space.check(folder, needed, what)
            except UserError as error:
                problem = str(error)
        if (problem := self.ranks.agree(problem)) is not None:
            raise UserError(problem)

    def _segment_bytes(self, number: int) -> float:
        """Room for a segment, as the last one took or from what it records, and its checkpoint."""
        if self.checkpoints.completed:
            expected = self.checkpoints.segment_bytes
        else:
            steps = min(self.segment, self.total)
            frames = steps // self.frame_every if self.frame_every else 0
            rows = steps // self.sample_every
            expected = len(self.masses) * (12 * frames + RESTART_ATOM) + rows * RECORD
        return SPARE * expected + SLACK

    def ended(self, state: str, message: str) -> None:
        """Report that the run has stopped before its end."""
        self.ranks.say(message)
        if self.ranks.first:
            self.progress.write(state, message)

    def _stop_for(self, reason: str | None) -> None:
        """Stop if the first rank has a reason to, which all ranks get."""
        reason = self.ranks.agree(reason)
        if reason is None:
            return
        began = min(self._clock[1] * self.segment, self.total) * self.timestep
        done = min(self.done_ps, self.total * self.timestep)
        raise Unfinished(
            unfinished(self.name, done, self.total * self.timestep, reason, began)
        )

    def _interaction(self, deviation: Path | None = None) -> list[str]:
        """The potential, with its committee where the deviation is to be written."""
        potential = self.job.potential
        committee = potential.get("committee", ()) if deviation else ()
        return script.interaction(potential["model"], committee, deviation, self.frame_every)

    def _from_crystal(self) -> None:
        job = self.job
        self.ranks.say(f"{self.name}: looking for the volume at rest")
        self.engine.execute(
            [
                *script.header(),
                *script.crystal(job.supercell_data),
                *self._interaction(),
                *script.relaxation(job.pressure_GPa),
                *script.velocities(self.expected, job.number("velocities", 30) + 1),
            ]
        )

    def _from_restart(self, path, reset: bool, deviation: Path | None = None) -> None:
        self.engine.execute(
            [*script.header()[-1:], *script.restart(path), *self._interaction(deviation)]
        )
        if reset:
            self.engine.execute(["reset_timestep 0"])

    def _run_segment(self, number: int, partial: dict) -> None:
        """Run one segment and keep it; `partial` holds what was recorded if it breaks down."""
        job, engine = self.job, self.engine
        began = time.monotonic()
        engine.clear()
        deviation = None
        if job.stage == "produce" and job.potential.get("committee"):
            deviation = Path(job.scratch) / f"deviation-{number:05d}.out"
        self._from_restart(self.checkpoints.restart(number - 1), False, deviation)
        start = (number - 1) * self.segment
        cell = None if job.held_shape else self._cell_motion(start)
        pressure = job.pressure_GPa + self.bath.pressure_shift()
        barostat = cell.commands(pressure) if cell else [self._volume_barostat()]
        engine.execute(script.integrator(barostat, self.timestep, self.sample_every))
        if cell:
            engine.attach_cell(cell)
        recorder, every = self.bath.recorder()
        bath, adaptation = self.bath.of_segment(recorder, every, number, self.checkpoints)
        adapting = round(job.bath_options.get("adaptation_ps", 0.0) / self.timestep)
        engine.attach(bath, recorder, every, adaptation, self.total - adapting)
        steps = min(self.segment, self.total - (number - 1) * self.segment)
        engine.start_segment()
        if number == 1:
            self._first_volume = np.linalg.det(engine.cell())
        else:
            self._first_volume = self.checkpoints.load(1)["volume"][0]
        engine.commands.append(f"run {steps} pre no post no every {self.sample_every} NULL")
        while engine.step < start + steps:
            engine.advance(min(self.sample_every, start + steps - engine.step))
            self._record(partial)
            self._check(partial)
            self._progress(engine.step, partial)
            share = (start + steps - engine.step) / (engine.step - start)
            if share:
                self._stop_for(self.stop.now(share * (time.monotonic() - began)))
        self._keep_restart(number)
        arrays = {name: np.array(values) for name, values in partial.items()}
        if deviation is not None:
            steps_done = np.round(arrays["time"] / self.timestep).astype(int)
            arrays["model_deviation"] = script.read_deviation(deviation, steps_done)
        if recorder is not None and recorder.blocks:
            arrays["velocity_spectrum"] = np.array([power for power, _ in recorder.blocks])
            arrays["force_velocity_spectrum"] = np.array([cross for _, cross in recorder.blocks])
        if adaptation is not None:
            arrays |= adaptation.state()
        arrays["wall_seconds"] = np.array(time.monotonic() - began)
        arrays["processor"] = np.array(records.processor())
        arrays["commands"] = np.array(engine.take_commands())
        if self.ranks.first:
            self.checkpoints.save(arrays)
        self.checkpoints.completed = self.ranks.agree(self.checkpoints.completed)

    def _keep_restart(self, number: int) -> None:
        """Write a restart file beside its name, which it takes once it is whole."""
        path = self.checkpoints.restart(number)
        aside = path.with_name(f"{path.name}.part")
        self.engine.execute(script.keep(aside))
        self.engine.commands.append(f"shell mv {script.quoted(aside)} {script.quoted(path)}")
        problem = None
        if self.ranks.first:
            # LAMMPS does not notice that a disk is full.
            if script.restart_is_whole(aside):
                self.checkpoints.keep_restart(number, aside)
            else:
                problem = str(space.full(path, aside.stat().st_size if aside.exists() else 0))
        if (problem := self.ranks.agree(problem)) is not None:
            raise UserError(problem)

    def _cell_motion(self, start: int) -> CellMotion:
        """The motion of a flexible cell in the segment that begins at a step."""
        job, settling = self.job, False
        if job.stage == "equilibrate":
            # An adaptation, which comes last, sees the cell that production has.
            adapting = round(job.bath_options.get("adaptation_ps", 0.0) / self.timestep)
            settling = start < SETTLING_SHARE * (self.total - adapting)
        return CellMotion(
            job.dynamics["cell_period_ps"],
            job.temperature_K,
            len(self.masses),
            self.timestep,
            job.number("cell", 63),
            settling,
        )

    def _volume_barostat(self) -> str:
        """The barostat of a run whose cell keeps its shape."""
        job = self.job
        damping, drag = job.held_shape["volume_damping_ps"], 0.0
        if job.stage == "equilibrate":
            drag = 0.5 * VOLUME_FRICTION * damping
        return script.volume_barostat(job.pressure_GPa, damping, job.temperature_K, drag)

    def _record(self, partial: dict) -> None:
        step = self.engine.step
        for name, value in self.engine.sample().items():
            partial.setdefault(name, []).append(value)
        partial.setdefault("time", []).append(step * self.timestep)
        if self.frame_every and step % self.frame_every == 0:
            partial.setdefault("frame_time", []).append(step * self.timestep)
            partial.setdefault("frame_cell", []).append(partial["cell"][-1])
            positions = self.engine.positions().astype(np.float32)
            partial.setdefault("frame_positions", []).append(positions)

    def _check(self, partial: dict) -> None:
        """Stop a run that broke down, at once and with the reason."""
        now = {name: values[-1] for name, values in partial.items()}
        where = f"at {now['time']:g} ps"
        if not all(np.all(np.isfinite(now[n])) for n in ("potential_energy", "volume", "pressure")):
            raise PointFailure("nan", f"energy, volume or pressure is not a number {where}")
        ratio = now["volume"] / self._first_volume
        if not VOLUME_LIMITS[0] < ratio < VOLUME_LIMITS[1]:
            raise PointFailure("volume", f"the volume is {ratio:.2f} times the first one {where}")
        kinetic = 2 * now["kinetic_energy"].sum() / (3 * len(self.masses) * BOLTZMANN)
        limit = temperature_limit(self.expected)
        if kinetic > limit:
            raise PointFailure(
                "temperature", f"kinetic temperature {kinetic:.0f} K, above {limit:.0f} K, {where}"
            )

    def _progress(self, step: int, partial: dict) -> None:
        now = time.monotonic()
        if now - getattr(self, "_last_line", 0.0) < PROGRESS_INTERVAL and step < self.total:
            return
        self._last_line = now
        began, segments = self._clock
        done, total = step * self.timestep, self.total * self.timestep
        rate = (done - segments * self.segment * self.timestep) / max(now - began, 1e-9)
        left = (total - done) / rate if rate > 0 else 0.0
        self.ranks.say(
            f"{self.name}: {done:.3g} of {total:.3g} ps, {rate * 3600:.3g} ps/h, "
            f"left {duration(left)}"
        )
        if self.ranks.first:
            kinetic = np.sum(partial["kinetic_energy"], axis=1).mean()
            self.progress.write(
                done_ps=done,
                ps_per_hour=rate * 3600,
                left_seconds=left,
                temperature_K=2 * kinetic / (3 * len(self.masses) * BOLTZMANN),
                pressure_GPa=np.mean(np.asarray(partial["pressure"])[:, :3]),
                volume_A3=np.mean(partial["volume"]),
            )

    def _static_energy(self) -> float:
        """Energy of the time-averaged structure relaxed in the mean cell, eV."""
        from lah10.crystal.sites import mean_structure

        atoms = mean_structure(read(self.job.supercell), outputs.frames(self.checkpoints, {}))
        data = Path(self.job.scratch) / "mean.data"
        if self.ranks.first:
            script.write_data(atoms, data)
        self.ranks.agree(None)
        engine = self.engine
        engine.clear()
        engine.execute(
            [*script.header(), *script.crystal(data), *self._interaction(), *script.minimise()]
        )
        atoms.set_cell(engine.cell())
        atoms.set_positions(engine.positions())
        self.space_group = self._symmetry(atoms)
        return engine.energy()

    def _symmetry(self, atoms: Atoms) -> str:
        """Space group of the relaxed mean structure; "" where the first rank does not look."""
        if not self.ranks.first or len(atoms) > LARGEST_QUENCHED:
            return ""
        try:
            return symmetry(atoms, QUENCHED_TOLERANCE)
        except UserError:  # as of a liquid
            return "none"

    def _write(self, status: str, message: str, static: float, partial: dict) -> None:
        """Write the outputs, or what there is of them after a failure."""
        unfinished = partial if status != "ok" else {}
        parts = [
            *outputs.segments(self.checkpoints),
            {k: np.array(v) for k, v in unfinished.items()},
        ]
        self.wall = float(sum(part.get("wall_seconds", 0.0) for part in parts))
        attrs = outputs.attributes(
            self.job,
            status,
            message,
            self.fingerprint,
            self.bath.pressure_shift(),
            self.wall,
            self.done_ps,
            self.isotopes,
        )
        kinds = dict.fromkeys(str(part["processor"]) for part in parts if "processor" in part)
        attrs["processors"] = "; ".join(kinds)
        if len(kinds) > 1:
            self.ranks.say(
                f"{self.name}: ran on {len(kinds)} kinds of processors ({attrs['processors']}): "
                "where their instruction sets differ, so does rounding"
            )
        if self.space_group:
            attrs["space_group"] = self.space_group
        outputs.write(
            self.job,
            self.bath,
            self.checkpoints,
            parts,
            unfinished,
            attrs,
            static,
            self.engine.take_commands(),
            lambda message: self.ranks.say(f"{self.name}: {message}"),
        )


def handed_on(job: Job) -> None:
    """Fail as the stage before did, or the neighbour whose end a point starts from."""
    if not job.equilibration:
        return
    with xr.open_dataset(job.equilibration) as data:
        status, message = data.attrs["status"], data.attrs["status_message"]
    if status != "ok":
        before = "equilibration" if job.stage == "produce" else "its neighbour's run"
        raise PointFailure(status, f"in {before}: {message}")


def main(path: str) -> int:
    """Run the job described in a file; the exit status for the parent."""
    end_with_parent()
    job = Job(**json.loads(Path(path).read_text()))
    comm = None
    if job.mpi_ranks > 1:
        try:
            from mpi4py import MPI
        except ImportError:
            say("more than one rank a point needs mpi4py: install it, or set the ranks to 1")
            return USER_ERROR
        comm = MPI.COMM_WORLD
    stage = Stage(job, comm)
    try:
        stage.run()
    except UserError as error:
        stage.ended(FAILED, str(error))
        return USER_ERROR
    except Unfinished as stopped:
        stage.ended(STOPPED, str(stopped))
        return UNFINISHED
    return 0


if __name__ == "__main__":
    ended = main(sys.argv[1])
    sys.exit(ended) if "mpi4py.MPI" in sys.modules else leave(ended)
