"""What the bath adds to a step: with the shipped potential at 352 atoms, and alone at 44,000.

Times are processor times of one core, so that other work on the machine matters little; steps with
and without the bath take turns.
"""

import time

import numpy as np

from lah10.dynamics.bath import Bath
from lah10.dynamics.recorder import SpectrumRecorder
from lah10.structures import build_supercell, read_crystal
from lah10.units import MVV2E

TIMESTEP = 0.0005  # ps
OPTIONS = {"temperature": 100.0, "friction": 10.0, "cutoff": 200.0, "timestep": TIMESTEP, "seed": 1}
#: Steps between velocity samples of the recorder: 2 fs.
EVERY = 4


def in_lammps(model: str, crystal: str, folder: str, repeats: int = 10) -> dict:
    """Seconds a step of 352 atoms: with the potential, and what bath and recorder add to a step.

    The addition is measured where atoms do not interact: it is the same there, and not lost in the
    scatter of a step's own time. Medians over turns with and without the bath.
    """
    bare, _ = _turns(model, crystal, folder, steps=20, repeats=repeats)
    free, coupled = _turns(None, crystal, folder, steps=500, repeats=repeats)
    return {"atoms": 352, "step": bare, "added": coupled - free}


def _turns(model, crystal, folder, steps, repeats) -> tuple[float, float]:
    """Median times of a step without and with the bath."""
    from pathlib import Path

    from lah10.dynamics import lammps_input as script
    from lah10.dynamics.engine import Engine

    atoms = build_supercell(read_crystal(crystal), "conventional", (2, 2, 2))
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
    # The first block of noise, thousands of steps at once; `alone` counts it by the step.
    bath.random_force(0)
    times = {False: [], True: []}
    for turn in range(2 * repeats + 2):
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


def alone(cells: int, pushes: int = 50) -> dict:
    """Seconds a step of the callback's work for 44·`cells` atoms, noise and recorder included."""
    types = np.tile(np.repeat([0, 1], [4, 40]), cells)
    masses = np.where(types == 0, 138.905, 1.008)
    bath = Bath("qtb", masses=masses, types=types, **OPTIONS)
    recorder = SpectrumRecorder(types, EVERY * TIMESTEP, 500, 1000)
    began = time.process_time()
    bath.random_force(0)
    noise = (time.process_time() - began) / bath.noise.steps
    rng = np.random.default_rng(1)
    # LAMMPS keeps atoms in an order of its own.
    index = rng.permutation(len(types))
    velocity = rng.normal(size=(len(types), 3)) * 10
    force = rng.normal(size=(len(types), 3))
    out = np.empty_like(force)
    began = time.process_time()
    for step in range(1, pushes + 1):
        random = bath.random_force(step)[index]
        inertia = masses[index][:, None] * MVV2E
        out[:], on_step = bath.half_step_force(random, inertia, velocity, force)
        if step % EVERY == 0:
            everyone = np.empty_like(on_step)
            everyone[index] = on_step
            recorder.add(everyone[recorder.atoms], bath.random_force(step)[recorder.atoms])
    push = (time.process_time() - began) / pushes
    return {"atoms": len(types), "noise": noise, "push": push, "steps": bath.noise.steps,
            "block_bytes": bath.noise._block.nbytes}  # fmt: skip
