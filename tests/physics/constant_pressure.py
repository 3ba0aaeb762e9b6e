"""A crystal at constant pressure in the project's bath and barostat, as a point of a campaign has
it: equilibration, then production at a pressure higher by what the friction adds.

Not a test: called by the tests in a process that can load LAMMPS.
"""

import numpy as np

from lah10.bath.bath import Bath
from lah10.bath.deconvolution import BathParameters, Deconvolution, pressure_shift
from lah10.bath.spectrum_recorder import SpectrumRecorder
from lah10.dynamics import lammps_input as script
from lah10.dynamics.cell import CellMotion
from lah10.dynamics.engine import Engine
from lah10.units import BOLTZMANN, MVV2E

#: ps, of the cell's motion (`cell.CellMotion`), which has the temperature of the bath.
PERIOD = 0.3
#: Parts of production whose scatter is the error of the mean.
PARTS = 10


def mean_volume(
    engine: Engine,
    bath: Bath,
    pressure: float,
    shift: bool,
    time: float,
    every: int,
    sample: int,
    segment: float,
) -> dict[str, float]:
    """Mean volume an atom and its standard error, Å³; what the friction adds to the pressure, GPa;
    and the kinetic temperature, K.

    Parameters
    ----------
    engine : Engine
        With atoms that have velocities and feel their forces.
    shift : bool
        Whether production is at `pressure` (GPa) plus what the friction adds, which the later half
        of equilibration says, or at `pressure` itself.
    time : float
        ps, of production; equilibration takes a quarter of it.
    every, sample : int
        Steps between values of the volume, and between samples of the velocities.
    segment : float
        ps, of a spectrum.
    """
    recorder = SpectrumRecorder(
        bath.types, sample * bath.timestep, round(segment / bath.timestep / sample), len(bath.types)
    )
    atoms, raised, volumes, kinetic = len(bath.types), 0.0, [], []
    for stage, length in (("equilibrate", 0.25 * time), ("produce", time)):
        settling = stage == "equilibrate"
        cell = CellMotion(PERIOD, bath.temperature, atoms, bath.timestep, 1, settling)
        lines = cell.commands(pressure + shift * raised)
        if settling:
            engine.execute(script.integrator(lines, bath.timestep, every))
            engine.attach(bath, recorder, sample)
        else:  # the same with another barostat
            engine.execute([f"unfix {script.BAROSTAT}", lines[-1]])
        engine.attach_cell(cell)
        engine.start_segment()
        volumes.clear(), kinetic.clear()
        for _ in range(round(length / bath.timestep / every)):
            engine.advance(every)
            row = engine.lmp.last_thermo()
            volumes.append(row["Volume"])
            kinetic.append(row["c_keLa"] + row["c_keH"])
        if stage == "equilibrate":
            raised = _raised(recorder, bath, np.mean(volumes))
    parts = np.array([part.mean() for part in np.array_split(np.array(volumes) / atoms, PARTS)])
    return {
        "volume": float(parts.mean()),
        "error": float(parts.std(ddof=1) / np.sqrt(PARTS)),
        "shift": float(raised),
        "temperature": float(np.mean(kinetic) / (1.5 * (atoms - 1) * BOLTZMANN)),
    }


def _raised(recorder: SpectrumRecorder, bath: Bath, volume: float) -> float:
    """What the friction adds to the kinetic pressure, GPa, by the later half of the spectra."""
    blocks = recorder.blocks[len(recorder.blocks) // 2 :]
    present, first, counts = np.unique(bath.types, return_index=True, return_counts=True)
    power = np.mean([power[present] for power, _ in blocks], axis=0)
    parameters = BathParameters(
        bath.name, bath.temperature, bath.friction, bath.cutoff, bath.timestep, bath.correction
    )
    raw, sharp = Deconvolution(recorder.frequency, parameters).energies(
        power * bath.masses[first, None] * MVV2E
    )
    return pressure_shift(raw / BOLTZMANN, sharp / BOLTZMANN, 3 * counts, volume)
