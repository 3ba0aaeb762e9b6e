"""Windows at 1 K beside enthalpies at rest, of the shipped potential.

Not a test: called by the tests in a process that can load LAMMPS.
"""

from pathlib import Path

import numpy as np
from ase.io import read
from sheared import ROOT, TIMESTEP, crystal

from lah10 import ELEMENTS
from lah10.bath.bath import Bath
from lah10.crystal import angle as along
from lah10.dynamics import lammps_input as script
from lah10.dynamics.engine import Engine
from lah10.units import EV_PER_A3_IN_GPA

MODEL = ROOT / "resources/potentials/lah10/lah10.pb"
TEMPERATURE = 1.0  # K


def windows(folder: str, pressure: float, angles: list[float], time: float) -> list[dict]:
    """dG/dδ (meV/atom/degree) at 1 K, and the enthalpy at rest (meV/atom), at every angle.

    Each crystal starts from the atoms of the one before at rest, so that all are of one branch.

    time : ps; the later half is measured.
    """
    engine, found, scaled = Engine("none"), [], None
    engine.cell_kinetic = (script.VOLUME_KINETIC, 1)
    for angle in angles:
        template, file = crystal(Path(folder), angle)
        atoms = len(template)
        start = read(file)
        if scaled is not None:
            start.set_scaled_positions(scaled)
        script.write_data(start, Path(folder) / "crystal.data")
        engine.clear()
        engine.execute(
            [
                *script.header(),
                *script.crystal(Path(folder) / "crystal.data"),
                *script.interaction(MODEL),
                *script.relaxation(pressure),
            ]
        )
        volume = np.linalg.det(engine.cell())
        scaled = engine.positions() @ np.linalg.inv(engine.cell())
        enthalpy = engine.energy() + pressure / EV_PER_A3_IN_GPA * volume
        types = np.array([ELEMENTS.index(symbol) for symbol in template.symbols])
        damping = script.volume_damping(0.2, atoms, TEMPERATURE)
        barostat = script.volume_barostat(pressure, damping, TEMPERATURE)
        engine.execute(
            [
                *script.velocities(TEMPERATURE, 1),
                *script.integrator([barostat], TIMESTEP, 10),
            ]
        )
        bath = Bath("classical", TEMPERATURE, 10.0, 200.0, template.get_masses(), types, TIMESTEP,
                    1)  # fmt: skip
        engine.attach(bath, None, 0)
        engine.start_segment()
        axis = along.direction(along.threefold_axis(template), engine.cell())
        gradients = []
        for _ in range(round(time / TIMESTEP / 10)):
            engine.advance(10)
            row = engine.sample()
            gradients.append(along.gradient(angle, row["pressure"], row["volume"], axis))
        later = np.array(gradients[len(gradients) // 2 :]) / atoms * 1e3
        parts = [part.mean() for part in np.array_split(later, 4)]
        found.append(
            {
                "gradient": float(later.mean()),
                "error": float(np.std(parts, ddof=1) / 2),
                "enthalpy": float(enthalpy / atoms * 1e3),
            }
        )
    return found
