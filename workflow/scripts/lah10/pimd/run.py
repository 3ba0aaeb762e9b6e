"""One path-integral run, in a process of its own: `python -m lah10.pimd.run job.json`.

i-PI runs in this process. The run is cut into segments (`lah10.dynamics.checkpoint`): each is set
up from the RESTART file with which i-PI ended the one before, which holds everything to the last
bit, so that a killed run goes on to the same numbers. What stops a run before its end is in
`lah10.dynamics.stop`; a file EXIT in the scratch folder, which is i-PI's own way, stops it too.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import xarray as xr
from ase.io import read
from scipy.optimize import brentq

from lah10 import ELEMENTS, nuclides
from lah10.bath.bath import expected_temperature
from lah10.crystal.isotopes import exact, heavier, of_atoms
from lah10.crystal.trajectory import write_trajectory
from lah10.dynamics.checkpoint import Checkpoints
from lah10.dynamics.limits import VOLUME_LIMITS, temperature_limit
from lah10.dynamics.progress import FAILED, Progress
from lah10.dynamics.progress import UNFINISHED as STOPPED
from lah10.dynamics.records import versions
from lah10.dynamics.stop import EXIT, LATENCY, Stop, unfinished
from lah10.errors import PointFailure, Unfinished, UserError
from lah10.io import netcdf, space
from lah10.io.child import UNFINISHED, USER_ERROR, end_with_parent, forced_by, leave, say
from lah10.io.files import atomic_path, sha256
from lah10.io.locks import lock
from lah10.io.text import duration
from lah10.pimd import ipi_input, records
from lah10.pimd.beads import spring_frequencies
from lah10.pimd.job import PimdJob, ipi_version
from lah10.units import BOLTZMANN, EV_PER_A3_IN_GPA

#: Linear scale of the start structure that is tried to meet the pressure.
SCALES = (0.85, 1.15)
#: Files that i-PI reads, in the scratch folder and beside the results.
INPUT, START = "pimd.xml", "start.xyz"
RESTART = "RESTART"


class Run:
    """The run of a job from its start, or its last checkpoint, to its end."""

    def __init__(self, job: PimdJob):
        self.job = job
        self.atoms = exact(read(job.start))
        self.isotopes = of_atoms(self.atoms, str(job.start))
        symbols = np.array(self.atoms.get_chemical_symbols())
        self.counts = np.array([(symbols == element).sum() for element in ELEMENTS])
        self.segment = min(job.steps("checkpoint_interval_ps"), job.total_steps)
        self.timestep = job.dynamics["timestep_fs"] / 1000
        self.folder = Path(job.scratch).resolve()
        self.stop = Stop(self.folder).watch()
        self.progress = Progress(self.folder, job.name, job.total_steps * self.timestep)

    def run(self) -> None:
        """Run to the end and write the outputs; a physical failure is written as a result.

        Raises
        ------
        Unfinished
            The run was asked to stop; it goes on when it is given again.
        """
        job = self.job
        self.fingerprint = job.fingerprint()
        with lock(
            self.folder / "lock", wait=lambda holder: say(f"{job.name}: waiting for {holder}")
        ):
            self.checkpoints = Checkpoints(
                self.folder, self.fingerprint, forced_by(job.rule), say
            )
            self.progress.write(done_ps=self.checkpoints.completed * self.segment * self.timestep)
            home = Path.cwd()
            status, message = "ok", ""
            try:
                self._prepare()
                os.chdir(self.folder)  # where i-PI puts RESTART, and looks for EXIT
                Path(EXIT).unlink(missing_ok=True)
                self._segments()
            except PointFailure as failure:
                status, message = failure.status, str(failure)
                say(f"{job.name}: STOPPED, {status}: {message}")
            finally:
                os.chdir(home)
            self._write(status, message)
            self.checkpoints.clear()
            self.progress.end()

    # ------------------------------------------------------------------------------- start

    def _prepare(self) -> None:
        """Write i-PI's two files; paths in them are relative to the folder they stand in."""
        job = self.job

        def seen(value):
            path = Path(value) if isinstance(value, str) else None
            return os.path.relpath(path, self.folder) if path and path.exists() else value

        options = {key: seen(value) for key, value in job.driver_options.items()}
        masses = self.atoms.get_masses() if self.isotopes else None
        xml = job.xml(START, seen(job.driver), options, masses, heavier(self.isotopes))
        (self.folder / INPUT).write_text(xml)
        if not (self.folder / START).exists():
            atoms = self._classical_end() if job.restart else self._at_pressure()
            records.write_start(self.folder / START, atoms)

    def _classical_end(self):
        """The start structure with the positions and the cell that a classical run ended with.

        Raises
        ------
        PointFailure
            That run failed.
        """
        from lah10.dynamics.engine import Engine
        from lah10.dynamics.lammps_input import header, restart

        with xr.open_dataset(self.job.equilibration) as data:
            status, message = data.attrs["status"], data.attrs["status_message"]
        if status != "ok":
            raise PointFailure(status, f"in the classical equilibration: {message}")
        engine = Engine("none")
        engine.execute([*header()[-1:], *restart(self.job.restart)])
        atoms = self.atoms.copy()
        atoms.set_cell(engine.cell())
        atoms.set_positions(engine.positions())
        engine.clear()
        return atoms

    def _at_pressure(self):
        """The start structure, scaled so that its static pressure is the one wanted."""
        atoms, wanted = self.atoms.copy(), self.job.pressure_GPa
        if wanted is None:
            return atoms
        from ipi.pes import load_pes
        from ipi.utils.units import unit_to_internal, unit_to_user

        surface = load_pes("custom", self.job.driver)(**self.job.driver_options)
        to_bohr = unit_to_internal("length", "angstrom", 1.0)

        def excess(scale):
            cell, positions = (x * scale * to_bohr for x in (atoms.cell.array, atoms.positions))
            virial = unit_to_user("energy", "electronvolt", surface(cell.T, positions)[2])
            pressure = np.trace(virial) / 3 / (atoms.get_volume() * scale**3)
            return pressure * EV_PER_A3_IN_GPA - wanted

        if excess(SCALES[0]) < 0 or excess(SCALES[1]) > 0:
            say(f"{self.job.name}: no volume with a static pressure of {wanted:g} GPa is near")
            return atoms
        atoms.set_cell(atoms.cell.array * brentq(excess, *SCALES, xtol=1e-4), scale_atoms=True)
        return atoms

    # ---------------------------------------------------------------------------- dynamics

    def _segments(self) -> None:
        done, job = self.checkpoints.completed, self.job
        if done:
            say(f"{job.name}: goes on from {done * self.segment * self.timestep:g} ps")
        first_volume = self.checkpoints.load(1)["volume"][0] if done else None
        began, started = time.monotonic(), done
        took = float(self.checkpoints.load(done)["wall_seconds"]) if done else None
        self._began = done
        for number in range(done + 1, -(-job.total_steps // self.segment) + 1):
            self._stop_for(self.stop.before_segment(took))
            # i-PI writes text, which its arrays are made of, and RESTART beside them.
            expected = 3 * self.checkpoints.segment_bytes if self.checkpoints.completed else 0
            space.check(self.folder, expected + 2e6, "the next segment")
            since = time.monotonic()
            self._advance(number)
            arrays = self._outputs()
            first_volume = arrays["volume"][0] if first_volume is None else first_volume
            atoms = self.counts.sum()
            check(arrays, first_volume, atoms, job.temperature_K, heavier(self.isotopes))
            arrays["wall_seconds"] = np.array(time.monotonic() - since)
            self.checkpoints.keep_restart(number, RESTART)
            self.checkpoints.save(arrays)
            took = (time.monotonic() - began) / (number - started)
            self._progress(number, took, arrays)

    def _stop_for(self, reason: str | None) -> None:
        if reason is not None:
            ps = self.segment * self.timestep
            total = self.job.total_steps * self.timestep
            done = min(self.checkpoints.completed * ps, total)
            raise Unfinished(unfinished(self.job.name, done, total, reason, self._began * ps))

    def _advance(self, number: int) -> None:
        """Let i-PI run one segment; leaves its outputs and RESTART in the folder."""
        from ipi.engine.simulation import Simulation
        from ipi.utils.softexit import softexit

        for path in (*Path().glob("segment.*"), *Path().glob("#*"), Path(RESTART)):
            path.unlink(missing_ok=True)
        source = Path(INPUT) if number == 1 else self.checkpoints.restart(number - 1)
        end = min(number * self.segment, self.job.total_steps)

        def up_to_here(simulation):
            simulation.tsteps = end

        softexit.reset()
        # i-PI would stop at once, and end this process.
        softexit._kill_handler = self.stop.receive
        simulation = Simulation.load_from_xml(source.read_text(), post_init_hook=up_to_here)
        reasons, ended = [], threading.Event()
        watcher = threading.Thread(
            target=self._watch, args=(simulation, end, reasons, ended), daemon=True
        )
        watcher.start()
        simulation.run()
        ended.set()
        watcher.join()
        if softexit.triggered or Path(EXIT).exists():
            self._stop_for(reasons[0] if reasons else f"{EXIT} is in its scratch folder")
        softexit.cleanup("success")  # closes the outputs and writes RESTART

    def _watch(self, simulation, end: int, reasons: list, ended: threading.Event) -> None:
        """Beside i-PI's loop: once there is a reason to stop, name it and leave i-PI its file."""
        since, first = time.monotonic(), simulation.step
        while not ended.wait(LATENCY):
            steps = simulation.step - first
            left = (end - simulation.step) / steps * (time.monotonic() - since) if steps else 0.0
            if (reason := self.stop.now(left)) is not None:
                reasons.append(reason)
                Path(EXIT).touch()
                return

    def _outputs(self) -> dict[str, np.ndarray]:
        """What i-PI wrote during the segment; frames as float32."""
        arrays = records.read_properties(f"segment.{ipi_input.PROPERTIES}")
        steps, cells, centroids = records.read_frames(f"segment.{ipi_input.CENTROIDS}.xyz")
        paths = sorted(Path().glob(f"segment.{ipi_input.BEADS}_*.xyz"))
        beads = np.array([records.read_frames(path)[2] for path in paths])
        return arrays | {
            "frame_step": steps,
            "frame_cell": cells,
            "frame_centroids": centroids.astype(np.float32),
            "frame_beads": beads.swapaxes(0, 1).astype(np.float32),
        }

    def _progress(self, number: int, seconds: float, arrays: dict) -> None:
        job = self.job
        done = min(number * self.segment, job.total_steps)
        left = (job.total_steps - done) / self.segment * seconds
        say(
            f"{job.name}: {done * self.timestep:.3g} of {job.total_steps * self.timestep:.3g} ps, "
            f"{seconds / self.segment:.3g} s/step, left {duration(left)}"
        )
        kinetic = arrays["kinetic_energy"].sum(axis=1).mean()
        self.progress.write(
            done_ps=done * self.timestep,
            ps_per_hour=3600 * self.segment * self.timestep / seconds,
            left_seconds=left,
            temperature_K=2 * kinetic / (3 * self.counts.sum() * BOLTZMANN),
            pressure_GPa=arrays["pressure"][:, :3].mean(),
            volume_A3=arrays["volume"].mean(),
        )

    # ----------------------------------------------------------------------------- outputs

    def _write(self, status: str, message: str) -> None:
        """Write the outputs from the segments kept; time starts where equilibration ends."""
        from ipi.utils.units import Elements, unit_to_user

        job = self.job
        parts = [self.checkpoints.load(n) for n in range(1, self.checkpoints.completed + 1)]
        wall = float(sum(part["wall_seconds"] for part in parts))
        done = min(self.checkpoints.completed * self.segment, job.total_steps)
        attrs = {
            "status": status,
            "status_message": message,
            "campaign": job.campaign,
            "bath": "pimd",
            "pressure_GPa": np.nan if job.pressure_GPa is None else job.pressure_GPa,
            "temperature_K": job.temperature_K,
            "beads": job.beads,
            "springs": "trotter" if job.highest_THz is None else "economised",
            "highest_frequency_THz": np.nan if job.highest_THz is None else job.highest_THz,
            "timestep_fs": job.dynamics["timestep_fs"],
            "equilibrated_ps": job.dynamics["equilibrate_ps"],
            "start": "classical" if job.restart else "crystal",
            "seed": job.seed,
            **(job.held_shape or {}),
            "formula": nuclides.formula(self.isotopes),
            "isotopes": nuclides.text(self.isotopes),
            "config": job.config_json,
            "versions": json.dumps(json.loads(versions()) | {"ipi": ipi_version()}),
            "fingerprint": self.fingerprint,
            "wall_seconds": wall,
            "ps_per_hour": done * self.timestep / wall * 3600 if wall else 0.0,
        }
        if "model" in job.driver_options:
            model = job.driver_options["model"]
            attrs |= {"potential": str(model), "potential_sha256": sha256(model)}
        skip = job.steps("equilibrate_ps")

        def joined(name, step="step"):
            if not parts:
                return np.empty(0)
            return np.concatenate([part[name][part[step] >= skip] for part in parts])

        masses = [unit_to_user("mass", "dalton", Elements.mass(element)) for element in ELEMENTS]
        if self.isotopes:
            symbols, own = self.atoms.get_chemical_symbols(), self.atoms.get_masses()
            masses = [own[symbols.index(element)] for element in ELEMENTS]
        springs = spring_frequencies(job.beads, job.temperature_K, job.highest_THz)
        series = {name: joined(name) for name in records.SERIES} if parts else {}
        time_ps = (joined("step") - skip) * self.timestep
        netcdf.write(
            records.thermo_dataset(time_ps, series, masses, self.counts, springs, attrs),
            job.outputs["thermo"],
        )

        def frames(select):
            for part in parts:
                for i in np.flatnonzero(part["frame_step"] >= skip):
                    when = (part["frame_step"][i] - skip) * self.timestep
                    for positions in select(part, i):
                        yield when, part["frame_cell"][i], positions

        title = f"{attrs['formula']} {job.name}"
        for output, select in (
            ("centroids", lambda part, i: part["frame_centroids"][i : i + 1]),
            ("beads", lambda part, i: part["frame_beads"][i]),
        ):
            write_trajectory(
                job.outputs[output], self.atoms.numbers, frames(select), f"{title}, {output}"
            )
        for output, name in (("xml", INPUT), ("start", START)):
            source = self.folder / name  # no start where the classical run failed
            with atomic_path(job.outputs[output]) as aside:
                aside.write_bytes(source.read_bytes() if source.exists() else b"")


def check(
    arrays: dict, first_volume: float, atoms: int, temperature: float, heavier: float = 1.0
) -> None:
    """Stop a run that broke down, with the reason; `heavier` as in `expected_temperature`.

    Raises
    ------
    PointFailure
        Something is not a number, the cell has collapsed or burst, or it is far too hot.
    """
    for name in ("potential_energy", "volume", "pressure"):
        if np.isfinite(arrays[name]).all():
            continue
        raise PointFailure("nan", "energy, volume or pressure is not a number")
    ratio = arrays["volume"] / first_volume
    worst = ratio[np.argmax(abs(np.log(ratio)))]
    if not VOLUME_LIMITS[0] < worst < VOLUME_LIMITS[1]:
        raise PointFailure("volume", f"the volume is {worst:.2f} times the first one")
    kinetic = 2 * arrays["kinetic_energy"].sum(axis=1).max() / (3 * atoms * BOLTZMANN)
    limit = temperature_limit(expected_temperature("qtb", temperature, heavier))
    if kinetic > limit:
        raise PointFailure(
            "temperature", f"kinetic temperature {kinetic:.0f} K, above {limit:.0f} K"
        )


def main(path: str) -> int:
    """Run the job described in a file; the exit status for the parent."""
    end_with_parent()
    run = Run(PimdJob(**json.loads(Path(path).read_text())))
    try:
        run.run()
    except UserError as error:
        say(str(error))
        run.progress.write(FAILED, str(error))
        return USER_ERROR
    except Unfinished as stopped:
        say(str(stopped))
        run.progress.write(STOPPED, str(stopped))
        return UNFINISHED
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1]))
