"""An Einstein crystal in LAMMPS: atoms on springs of three frequencies, in the project's bath.

Not a test: called by the tests in a process that can load LAMMPS.
"""

import numpy as np

from lah10.bath.bath import Bath
from lah10.bath.deconvolution import BathParameters, Deconvolution
from lah10.bath.spectrum_recorder import SpectrumRecorder
from lah10.dynamics import lammps_input as script
from lah10.dynamics.engine import Engine
from lah10.units import BOLTZMANN, MVV2E


def energies(
    bath,
    temperature,
    friction,
    frequencies,
    steps,
    atoms,
    timestep=0.0005,
    correction="none",
    hydrogen=1.008,
):
    """Mean kinetic and potential energy a mode, as temperatures (K), at every frequency (THz).

    The first frequency belongs to La, the others to H; the deconvolved kinetic energies are of La
    and of all H. `hydrogen` is the mass of H; the springs are those of natural H all the same.
    """
    engine = Engine("none")
    masses = np.array([138.905] * atoms + [hydrogen] * atoms * (len(frequencies) - 1))
    types = np.array([0] * atoms + [1] * atoms * (len(frequencies) - 1))
    total, edge = len(masses), 4.0
    engine.execute(
        [
            *script.header(),
            f"region box block 0 {edge * total} 0 {edge} 0 {edge}",
            "create_box 2 box",
            *(
                f"create_atoms {kind + 1} single {(i + 0.5) * edge} 2 2"
                for i, kind in enumerate(types)
            ),
            "mass 1 138.905",
            f"mass 2 {hydrogen}",
            "pair_style zero 1.0",
            "pair_coeff * *",
            f"timestep {timestep}",
            "fix move all nve",
        ]
    )
    for i, frequency in enumerate(frequencies):
        members = f"{i * atoms + 1}:{(i + 1) * atoms}"
        spring = (1.008 if i else 138.905) * MVV2E * (2 * np.pi * frequency) ** 2
        engine.execute(
            [f"group part{i} id {members}", f"fix spring{i} part{i} spring/self {spring}"]
        )
        engine.execute([f"compute ke{i} part{i} ke"])
    columns = " ".join(f"c_ke{i} f_spring{i}" for i in range(len(frequencies)))
    engine.execute(
        [
            f"fix {script.BATH} all external pf/callback 1 1",
            "thermo 10",
            f"thermo_style custom step {columns}",
            "thermo_modify norm no",
        ]
    )
    recorder = SpectrumRecorder(types, 4 * timestep, 250, 1000)
    heat = Bath(
        bath, temperature, friction, 200.0, masses, types, timestep, 11, correction=correction
    )
    engine.attach(heat, recorder, 4)
    engine.start_segment()
    engine.advance(steps // 5)
    recorder.blocks.clear()
    samples = []
    for _ in range(steps // 10):
        engine.advance(10)
        row = engine.lmp.last_thermo()
        samples.append([[row[f"c_ke{i}"], row[f"f_spring{i}"]] for i in range(len(frequencies))])
    mean = np.mean(samples, axis=0) * 2 / (3 * atoms * BOLTZMANN)
    parameters = BathParameters(bath, temperature, friction, 200.0, timestep, correction)
    power = np.mean([block[0] for block in recorder.blocks], axis=0)
    spectra = power * np.array([[138.905], [hydrogen]]) * MVV2E
    raw, sharp = Deconvolution(recorder.frequency, parameters).energies(spectra)
    kinetic = np.array([mean[0, 0], mean[1:, 0].mean()])
    return {
        "kinetic": mean[:, 0].tolist(),
        "potential": mean[:, 1].tolist(),
        "deconvolved": (kinetic * sharp / raw).tolist(),
    }
