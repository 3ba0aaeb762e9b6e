"""What the bath adds to a step with the shipped potential: at 352 atoms and at 44,000.

Times are processor times of one core, so that other work on the machine matters little; steps with
and without the bath take turns.
"""

import time

import numpy as np

from lah10.dynamics.bath import Bath
from lah10.dynamics.recorder import SpectrumRecorder
from lah10.structures import build_supercell, read_crystal

TIMESTEP = 0.0005  # ps
OPTIONS = {"temperature": 100.0, "friction": 10.0, "cutoff": 200.0, "timestep": TIMESTEP, "seed": 1}
#: Steps between velocity samples of the recorder: 2 fs.
EVERY = 4


def in_lammps(
    model: str, crystal: str, folder: str, repeat: int, steps: int, free_steps: int, turns: int
) -> dict:
    """Seconds a step of 44·`repeat`³ atoms: with the potential, and what bath and recorder add.

    The addition is measured where atoms do not interact: it is the same there, and not lost in the
    scatter of a step's own time. Medians over turns with and without the bath, of `steps` with the
    potential and of `free_steps` without.
    """
    bare, _ = _turns(model, crystal, folder, repeat, steps, turns)
    free, coupled = _turns(None, crystal, folder, repeat, free_steps, turns)
    return {"atoms": 44 * repeat**3, "step": bare, "added": coupled - free}


def _turns(model, crystal, folder, repeat, steps, turns) -> tuple[float, float]:
    """Median times of a step without and with the bath."""
    from pathlib import Path

    from lah10.dynamics import lammps_input as script
    from lah10.dynamics.engine import Engine

    atoms = build_supercell(read_crystal(crystal), "conventional", (repeat,) * 3)
    data = Path(folder) / "supercell.data"
    script.write_data(atoms, data)
    types = (atoms.numbers == 1).astype(int)
    engine = Engine("none")
    engine.execute(
        [
            *script.header(),
            *script.crystal(data),
            *(script.interaction(model) if model else ["pair_style zero 3.0", "pair_coeff * *"]),
            *script.velocities(900.0, 1),
            *script.integrator(150.0, 0.5, 900.0, TIMESTEP, 10),
            "unfix " + script.BAROSTAT,
            "fix move all nve",
            "unfix " + script.BATH,
        ]
    )
    bath = Bath("qtb", masses=atoms.get_masses(), types=types, **OPTIONS)
    recorder = SpectrumRecorder(types, EVERY * TIMESTEP, 500, 1000)
    # The first block of noise, thousands of steps at once; `noise` counts it by the step.
    bath.random_force(0)
    times = {False: [], True: []}
    for turn in range(2 * turns + 2):
        coupled = bool(turn % 2)
        if coupled:
            engine.execute([f"fix {script.BATH} all external pf/callback 1 1"])
            engine.attach(bath, recorder, EVERY)
        engine.execute(["reset_timestep 0"])
        engine.start_segment()
        began = time.process_time()
        engine.advance(steps)
        times[coupled].append((time.process_time() - began) / steps)
        if coupled:
            engine.execute([f"unfix {script.BATH}"])
    return float(np.median(times[False][1:])), float(np.median(times[True][1:]))


def noise(cells: int) -> dict:
    """Seconds a step to make the noise of 44·`cells` atoms, and the memory of a block of it."""
    types = np.tile(np.repeat([0, 1], [4, 40]), cells)
    masses = np.where(types == 0, 138.905, 1.008)
    bath = Bath("qtb", masses=masses, types=types, **OPTIONS)
    began = time.process_time()
    bath.random_force(0)
    seconds = (time.process_time() - began) / bath.noise.steps
    return {"noise": seconds, "steps": bath.noise.steps, "block_bytes": bath.noise._block.nbytes}
