"""What the bath adds to a step with the shipped potential: at 352 atoms and at 44,000.

Times are processor times of one core, so that other work on the machine matters little; steps with
and without the bath take turns.
"""

import time

import numpy as np

from lah10.bath.bath import Bath
from lah10.bath.spectrum_recorder import SpectrumRecorder
from lah10.crystal.structures import build_supercell, read_crystal

TIMESTEP = 0.0005  # ps
CUTOFF = 200.0  # THz
#: Steps between velocity samples of the recorder: 2 fs; samples in a segment of 1 ps.
EVERY, SEGMENT = 4, 500
#: γ_r/γ of La and H that an adaptive bath settled on at 5 K and 200 GPa (THz), in round numbers:
#: next to nothing below 20 THz in H, where its soft vibrations are given what others lose.
SETTLED = (0.0, 10.0, 20.0, 30.0, 40.0, 60.0, 200.0)
SETTLED_FRICTION = ((0.1, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0), (1.0, 0.05, 0.1, 0.6, 1.0, 1.5, 1.0))


def in_lammps(
    model: str,
    crystal: str,
    folder: str,
    repeat: int,
    steps: int,
    free_steps: int,
    turns: int,
    baths: list[dict],
) -> dict:
    """Seconds a step of 44·`repeat`³ atoms: with the potential, and what baths and recorder add.

    The addition is measured where atoms do not interact: it is the same there, and not lost in the
    scatter of a step's own time. Medians over turns, of `steps` with the potential and of
    `free_steps` without. Noise is made by the block, and counted apart, by the step.

    Parameters
    ----------
    baths : list of dict
        Arguments of each bath; an adaptive one has a frozen γ_r and, where it `adapts`, a new one
        after every segment.

    Returns
    -------
    dict
        atoms, step (s), and of every bath taps, noise (s), added (s), block_steps, block_bytes.
    """
    atoms = build_supercell(read_crystal(crystal), "conventional", (repeat,) * 3)
    bare = _turns(model, atoms, folder, steps, turns)
    return {
        "atoms": len(atoms),
        "step": bare[0],
        "baths": [_of_bath(atoms, folder, free_steps, turns, **options) for options in baths],
    }


def _of_bath(atoms, folder, free_steps, turns, adapts: bool = False, **options) -> dict:
    """What one bath adds to a step, s."""
    types = (atoms.numbers == 1).astype(int)
    bath = Bath(masses=atoms.get_masses(), types=types, timestep=TIMESTEP, cutoff=CUTOFF, seed=1,
                block=SEGMENT * EVERY if adapts else None, **options)  # fmt: skip
    recorder = SpectrumRecorder(types, EVERY * TIMESTEP, SEGMENT, 1000)
    settled = bath.friction * np.array(
        [np.interp(recorder.frequency, SETTLED, ratio) for ratio in SETTLED_FRICTION]
    )
    if options["name"] == "adqtb" and not adapts:
        bath.set_random_friction(recorder.frequency, settled)
    began = time.process_time()
    if adapts:
        bath.set_random_friction(recorder.frequency, settled)
    bath.random_force(0)
    block = time.process_time() - began
    free, coupled = _turns(None, atoms, folder, free_steps, turns, bath, recorder)
    return {
        "taps": bath.noise.taps,
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
            *script.integrator(["fix move all nve"], TIMESTEP, 10),
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
