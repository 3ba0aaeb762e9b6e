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
    scatter of a step's own time. Medians over turns, of `steps` with the potential and of
    `free_steps` without. Noise is made by the block, and counted apart, by the step.
    """
    atoms = build_supercell(read_crystal(crystal), "conventional", (repeat,) * 3)
    types = (atoms.numbers == 1).astype(int)
    bath = Bath("qtb", masses=atoms.get_masses(), types=types, **OPTIONS)
    recorder = SpectrumRecorder(types, EVERY * TIMESTEP, 500, 1000)
    began = time.process_time()
    bath.random_force(0)
    block = time.process_time() - began
    bare = _turns(model, atoms, folder, steps, turns)
    free, coupled = _turns(None, atoms, folder, free_steps, turns, bath, recorder)
    return {
        "atoms": len(atoms),
        "step": bare[0],
        "noise": block / bath.noise.steps,
        "added": coupled - free,
        "block_steps": bath.noise.steps,
        "block_bytes": bath.noise._block.nbytes,
    }


def _turns(model, atoms, folder, steps, turns, bath=None, recorder=None) -> list[float]:
    """Median times of a step without the bath and, if there is one, with it, in turns."""
    from pathlib import Path

    from lah10.dynamics import lammps_input as script
    from lah10.dynamics.engine import Engine

    data = Path(folder) / "supercell.data"
    script.write_data(atoms, data)
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
    times = [[], []] if bath else [[]]
    for _ in range(turns + 1):
        for coupled, taken in enumerate(times):
            if coupled:
                engine.execute([f"fix {script.BATH} all external pf/callback 1 1"])
                engine.attach(bath, recorder, EVERY)
            engine.execute(["reset_timestep 0"])
            engine.start_segment()
            began = time.process_time()
            engine.advance(steps)
            taken.append((time.process_time() - began) / steps)
            if coupled:
                engine.execute([f"unfix {script.BATH}"])
    return [float(np.median(taken[1:])) for taken in times]  # the first turn warms up
