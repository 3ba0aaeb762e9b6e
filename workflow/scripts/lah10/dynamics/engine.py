"""LAMMPS, driven through its Python interface, with the bath attached as an external force."""

from collections.abc import Iterable

import numpy as np

from lah10 import ELEMENTS
from lah10.bath.adaptive import Adaptation
from lah10.bath.bath import Bath
from lah10.bath.spectrum_recorder import SpectrumRecorder
from lah10.dynamics import lammps_input as script
from lah10.dynamics.cell import CellMotion
from lah10.dynamics.lammps_library import LMP_STYLE_GLOBAL, LMP_TYPE_VECTOR, lammps
from lah10.errors import PointFailure
from lah10.units import EV_PER_A3_IN_GPA, GPA_IN_BAR

#: Thermo columns of the stress tensor in Voigt order.
VOIGT = ("Pxx", "Pyy", "Pzz", "Pyz", "Pxz", "Pxy")
#: Degrees of freedom of a fully flexible cell.
CELL_DEGREES = 6
#: Where the cell's kinetic energies begin in the fix's vector, after ω, ω̇ and the potential part
#: (six values each; no chain of thermostats stands between them).
CELL_KINETIC = 3 * CELL_DEGREES
#: Where LAMMPS' virials (xx, yy, zz, xy, xz, yz) have the elements of `VOIGT`.
FROM_VIRIAL = [0, 1, 2, 5, 4, 3]


class Engine:
    """One LAMMPS instance.

    Parameters
    ----------
    log : path
        LAMMPS' own log file.
    comm : mpi4py communicator, optional
        Needed when LAMMPS runs on more than one rank.

    Attributes
    ----------
    commands : list of str
        Every command given since `take_commands`, in order.
    """

    def __init__(self, log, comm=None):
        self.lmp = lammps(cmdargs=["-log", str(log), "-screen", "none", "-nocite"], comm=comm)
        self.comm = comm
        self.commands: list[str] = []
        self._error = None
        self._at_setup = False
        #: Where the barostat's vector holds the kinetic energies of the cell, and how many.
        self.cell_kinetic = (CELL_KINETIC, CELL_DEGREES)
        #: What the cell's thermostat adds to the virial at this step, eV.
        self._random_virial = np.zeros(6)

    def execute(self, lines: Iterable[str]) -> None:
        """Give commands, one after another.

        Raises
        ------
        PointFailure
            LAMMPS lost atoms, or a number is none. What it refuses for another reason comes as it
            comes: that is the program's mistake.
        """
        for line in lines:
            self.commands.append(line)
            self._command(line)

    def _command(self, line: str, stepping: bool = False) -> None:
        try:
            self.lmp.command(line)
        except Exception as error:  # LAMMPS raises bare Exception
            message = " ".join(str(error).split())
            if "Lost atoms" in message or "out of range" in message or "too far" in message:
                raise PointFailure("lost_atoms", message) from None
            if "Non-numeric" in message or "nan" in message.lower():
                raise PointFailure("nan", message) from None
            if stepping:
                raise PointFailure("crashed", message) from None
            raise
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def attach(
        self,
        bath: Bath,
        recorder: SpectrumRecorder | None,
        every: int,
        adaptation: Adaptation | None = None,
        adapt_from: int = 0,
    ) -> None:
        """Let the bath push every atom at every step and the recorder sample every `every` steps.

        With an adaptation, every segment of the recorder that began at step `adapt_from` or later
        changes the bath's γ_r when it ends.

        recorder : of all N atoms of the bath; None records nothing.
        every, adapt_from : steps.

        The velocity and the pair force are read in the callback itself: LAMMPS moves its arrays
        whenever atoms change place in memory.
        """
        self.bath, self.recorder, self.every = bath, recorder, every
        self.adaptation, self.adapt_from = adaptation, adapt_from
        self.lmp.set_fix_external_callback(script.BATH, self._callback, self)

    def attach_cell(self, cell: CellMotion) -> None:
        """Let the random stress of a flexible cell act at every step."""
        self.cell_motion = cell
        self.lmp.set_fix_external_callback(script.CELL, self._cell_callback, self)

    @staticmethod
    def _cell_callback(engine, step, n_local, tags, positions, out):
        try:
            out[:n_local] = 0.0
            engine._random_virial = engine.cell_motion.random_virial(step)
            engine.lmp.fix_external_set_virial_global(script.CELL, engine._random_virial)
        except Exception as error:  # as below
            engine._error = engine._error or error

    @staticmethod
    def _callback(engine, step, n_local, tags, positions, out):
        try:
            engine._push(step, n_local, tags, out)
        except Exception as error:  # LAMMPS would go on: keep it for after the run
            engine._error = engine._error or error
            out[:n_local] = 0.0

    def _push(self, step, n_local, tags, out) -> None:
        """Write the bath's force (eV/Å) on this rank's atoms into `out`, shape (≥ n_local, 3)."""
        bath = self.bath
        index = tags[:n_local] - 1
        random = bath.random_force(step)[index]
        inertia = bath.inertia[index]
        velocity = self.lmp.numpy.extract_atom("v")[:n_local]
        if self._at_setup:
            # Before a segment velocities stand at the step itself.
            self._at_setup = False
            out[:n_local] = random - inertia * bath.friction * velocity
            return
        force = self.lmp.numpy.extract_atom("f")[:n_local]
        out[:n_local], on_step = bath.half_step_force(random, inertia, velocity, force)
        if self.recorder is not None and step % self.every == 0:
            self._record(int(step), index, on_step)

    def _record(self, step, index, velocity) -> None:
        """Give velocities (n_local, 3), Å/ps, of the atoms `index` (n_local,) to the recorder."""
        everyone = np.zeros((len(self.bath.masses), 3))
        everyone[index] = velocity
        if self.comm is not None:
            from mpi4py import MPI

            self.comm.Allreduce(MPI.IN_PLACE, everyone, op=MPI.SUM)
        atoms = self.recorder.atoms
        ended = self.recorder.add(everyone[atoms], self.bath.random_force(step)[atoms])
        began = step - self.recorder.samples * self.every
        if ended and self.adaptation is not None and began >= self.adapt_from:
            friction = self.adaptation.update(*self.recorder.blocks[-1])
            self.bath.set_random_friction(self.recorder.frequency, friction)

    def start_segment(self) -> None:
        """Set LAMMPS up for the steps that follow (forces, neighbours), without a step."""
        self._at_setup = True
        self.execute(["run 0 post no"])

    def advance(self, steps: int) -> None:
        """Go on for some steps, exactly as if no stop had been made in between.

        What LAMMPS gives up at here is the point's failure, whatever it says: it took the commands.
        """
        self._command(f"run {steps} pre no post no", stepping=True)

    def take_commands(self) -> list[str]:
        """The commands given since the last call; every one is taken once."""
        taken, self.commands = self.commands, []
        return taken

    def clear(self) -> None:
        """Forget atoms, fixes and the potential."""
        self.execute(["clear"])
        self._random_virial = np.zeros(6)

    @property
    def step(self) -> int:
        """Number of the current step."""
        return int(self.lmp.extract_global("ntimestep"))

    def cell(self) -> np.ndarray:
        """Cell vectors a, b, c as rows, Å, shape (3, 3)."""
        low, high, xy, yz, xz = self.lmp.extract_box()[:5]
        lx, ly, lz = np.subtract(high, low)
        return np.array([[lx, 0, 0], [xy, ly, 0], [xz, yz, lz]])

    def positions(self) -> np.ndarray:
        """Unwrapped positions in the order of tags, Å, shape (N, 3)."""
        wrapped = np.ctypeslib.as_array(self.lmp.gather_atoms("x", 1, 3)).reshape(-1, 3)
        images = np.ctypeslib.as_array(self.lmp.gather_atoms("image", 0, 3)).reshape(-1, 3)
        return wrapped + images @ self.cell()

    def energy(self) -> float:
        """Potential energy now, eV."""
        return float(self.lmp.get_thermo("pe"))

    def sample(self) -> dict[str, np.ndarray]:
        """Values of the last thermo output by name, without their dimension of time: see
        `records.SERIES` for shapes and units."""
        row = self.lmp.last_thermo()
        # The crystal's own stress, without the thermostat's.
        random = self._random_virial[FROM_VIRIAL] / row["Volume"] * EV_PER_A3_IN_GPA
        cell_energies = [
            self.lmp.extract_fix(
                script.BAROSTAT, LMP_STYLE_GLOBAL, LMP_TYPE_VECTOR, nrow=self.cell_kinetic[0] + i
            )
            for i in range(self.cell_kinetic[1])
        ]
        return {
            "potential_energy": np.float64(row["PotEng"]),
            "kinetic_energy": np.array([row[f"c_ke{e}"] for e in ELEMENTS]),
            "pressure": np.array([row[name] for name in VOIGT]) / GPA_IN_BAR - random,
            "volume": np.float64(row["Volume"]),
            "cell": self.cell(),
            "cell_kinetic_energy": np.float64(np.sum(cell_energies)),
        }
