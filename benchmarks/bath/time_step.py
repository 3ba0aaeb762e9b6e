"""What a time step does to E_k, E_p, V and dG/dδ of classical crystals, beside the closed forms.

    python benchmarks/bath/time_step.py             # five minutes on one free core
    python benchmarks/bath/time_step.py --time 4    # ps a run: a minute, noisy

Two crystals of about 1,200 independent atoms on springs, in LAMMPS with the project's bath, whose
answers are known for any step: one with Grüneisen's parameter (tests/physics/pes_toy.py) under an
isotropic pressure, and one with a threefold axis (pes_sheared.py) held at an angle of the cell.
They are hot, stiff, soft in volume and under a strong friction, so that a step shows soon: LaH10's
own numbers are smaller (`lah10.bath.timestep`, `snakemake plan`).

The bath takes the net random force from the atoms in proportion to mass, which leaves an atom of
the mass m the share 1 − m/M of its energy, M being that of all. With it the closed forms of
`lah10.bath.timestep` are exact for each spring; V and dG/dδ follow from the pressure that kinetic
and potential energies give:

    P = −dE/dV + [⅔ K + (2g − ⅔) U]/V,    dG/dδ = dE/dδ + 2 (d ln ω/dδ) U.

What came out is in RESULTS.md. An answer more than `LIMIT` standard errors from the closed form is
marked, and the exit status is 1.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# This checkout's package comes first; the crystals are those of the tests.
sys.path[:0] = [str(ROOT / "workflow/scripts"), str(ROOT / "tests/physics")]

import numpy as np
import quasiharmonic
import sheared
from ase import Atoms

from lah10.bath.timestep import kinetic_share, potential_share
from lah10.crystal import angle as along
from lah10.units import BOLTZMANN, EV_PER_A3_IN_GPA

#: fs.
STEPS = (0.25, 0.5, 0.75)
#: K, 1/ps and ps.
TEMPERATURE, FRICTION, TIME = 1200.0, 50.0, 20.0
#: THz, of La and of every other H: in the volume at rest without pressure of the first crystal; of
#: the second at 90°.
FREQUENCIES = (8.0, 50.0, 65.0)
#: Of the first crystal: GPa, its Grüneisen parameter, and a row of La and H so many times.
PRESSURE, BULK, SHEAR, GRUNEISEN = 20.0, 100.0, 50.0, 2.0
ROW, REPEAT = (2, 10), (1, 10, 10)
#: Of the second: its window, degree, and conventional cells.
ANGLE, CELLS = 2.0, (3, 3, 3)
#: ps: period of the volume, and time between samples.
PERIOD, SAMPLE = 0.1, 0.015
#: Standard errors.
LIMIT = 4.0
#: Names and units of what is measured; first of the first crystal, then of the second.
QUANTITIES = (
    {"kinetic": "E_k (meV/atom)", "potential": "E_p (meV/atom)", "volume": "V (Å³/atom)"},
    {"kinetic": "E_k (meV/atom)", "potential": "E_p (meV/atom)",
     "gradient": "dG/dδ (meV/atom/°)"},
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", type=float, default=TIME, help="ps a run, default %(default)g")
    time = parser.parse_args().time
    from run import in_child, row

    # LAMMPS without the deep potential, which no crystal here needs.
    os.environ["PYTHONPATH"] = str(ROOT / "tests/standin/pair")
    widths, beyond = (8, 20, 12, 12, 12, 20, 10), 0
    names = ("volume free", f"held at {ANGLE:g}°")
    for number, (crystal, of) in enumerate(zip(names, QUANTITIES, strict=True)):
        print(f"\nCrystal {number + 1}, {crystal}: classical, {TEMPERATURE:g} K, "
              f"γ = {FRICTION:g}/ps, {time:g} ps")  # fmt: skip
        row("Δt (fs)", "", "no step", "closed form", "its shift", "measured shift", "",
            widths=widths)  # fmt: skip
        for step in STEPS:
            found = in_child("time_step", "measured", lammps=True, crystal=number,
                             timestep=step / 1000, time=time)  # fmt: skip
            for key, name in of.items():
                (value, error), exact, limit = found[key], found["exact"][key], found["none"][key]
                unit = 100 / abs(limit)
                away = (value - exact) / error
                verdict = "ok" if abs(away) < LIMIT else f"{away:+.1f}σ away"
                beyond += verdict != "ok"
                row(f"{step:g}", name, f"{limit:.4f}", f"{exact:.4f}",
                    f"{unit * (exact - limit):+.3f} %",
                    f"{unit * (value - limit):+.3f} ± {unit * error:.3f} %", verdict,
                    widths=widths)  # fmt: skip
    if beyond:
        sys.exit(f"\n{beyond} line(s) more than {LIMIT:g} standard errors from the closed form")


# ------------------------------------------------------------------------------ closed forms


def shares(atoms: Atoms) -> np.ndarray:
    """(N,) energy of each atom over k_B T a degree of freedom, the net random force taken out."""
    masses = _masses(atoms)
    return 1 - masses / masses.sum()


def _masses(atoms: Atoms) -> np.ndarray:
    return np.where(atoms.numbers == 57, 138.90547, 1.00794)


def energies(atoms: Atoms, frequency: np.ndarray, timestep: float) -> tuple[float, float]:
    """Kinetic and potential energy, eV.

    frequency : (N,) or (N, 3), THz, in the directions of an atom.
    timestep : ps; 0 is the limit.
    """
    thermal = 0.5 * BOLTZMANN * TEMPERATURE * shares(atoms)
    frequency = np.broadcast_to(np.atleast_2d(frequency.T).T, (len(atoms), 3))
    potential = np.vectorize(potential_share)(frequency, timestep)
    kinetic = 3 * thermal.sum() * kinetic_share(FRICTION, timestep)
    return float(kinetic), float((thermal[:, None] * potential).sum())


def of_volume(atoms: Atoms, timestep: float) -> dict[str, float]:
    """Closed forms of the first crystal, energies in meV an atom: means over the volume, whose
    distribution is that of the integrated pressure."""
    v0, n = atoms.get_volume(), len(atoms)
    scale = np.linspace(0.85, 1.1, 4001)
    volume = v0 * scale**3
    static = -BULK * 1.5 * (scale**2 - 1) / scale / EV_PER_A3_IN_GPA
    # Few frequencies, many volumes.
    kinds, index = np.unique(atoms.arrays["frequency"], return_inverse=True)
    weight = np.bincount(index, weights=shares(atoms))
    frequency = kinds[:, None] * (v0 / volume) ** GRUNEISEN
    half = 1.5 * BOLTZMANN * TEMPERATURE * weight[:, None]
    potential = (half * np.vectorize(potential_share)(frequency, timestep)).sum(axis=0)
    kinetic = half.sum() * kinetic_share(FRICTION, timestep)
    motion = (2 / 3 * kinetic + (2 * GRUNEISEN - 2 / 3) * potential) / volume
    excess = static + motion - PRESSURE / EV_PER_A3_IN_GPA
    pieces = 0.5 * (excess[1:] + excess[:-1]) * np.diff(volume)
    exponent = np.concatenate([[0.0], np.cumsum(pieces)]) / (BOLTZMANN * TEMPERATURE)
    density = np.exp(exponent - exponent.max()) * np.gradient(volume)
    density /= density.sum()
    return {
        "kinetic": float(1e3 * kinetic / n),
        "potential": float(1e3 * density @ potential / n),
        "volume": float(density @ volume / n),
    }


def of_angle(atoms: Atoms, timestep: float) -> dict[str, float]:
    """Closed forms of the second crystal, meV an atom (and degree)."""
    stretch, of = along.stretch(ANGLE), sheared.OPTIONS
    x = 2 * np.log(stretch)
    rate = 2 * along.stretch_rate(ANGLE) * np.pi / 180  # dx/dδ, per degree
    # Springs stretch with the cell: frequencies of the vibrations at the volume of the minimum.
    jacobian = _jacobian(atoms, timestep)
    soft = atoms.arrays["frequency"][:, None] * np.exp(-of["softening"] * x**2)
    soft = soft / (np.array([stretch, stretch**-0.5, stretch**-0.5]) * np.cbrt(jacobian))
    kinetic, potential = energies(atoms, soft, timestep)
    n = len(atoms)
    slope = (-2 * of["quadratic"] * x + 4 * of["quartic"] * x**3) * rate
    slope -= 4 * of["softening"] * x * rate * potential / n
    return {name: 1e3 * value for name, value in (
        ("kinetic", kinetic / n), ("potential", potential / n), ("gradient", slope),
    )}  # fmt: skip


def _jacobian(atoms: Atoms, timestep: float) -> float:
    """Volume of the second crystal over that of its template, where K (J − 1) + P v = ⅔ K_kin/J."""
    v = atoms.get_volume() / len(atoms)
    kinetic = 1.5 * BOLTZMANN * TEMPERATURE * shares(atoms).mean()
    kinetic *= kinetic_share(FRICTION, timestep)
    pressure = sheared.PRESSURE / EV_PER_A3_IN_GPA * v
    bulk = sheared.OPTIONS["bulk"]
    half = 0.5 * (1 - pressure / bulk)
    return float(half + np.sqrt(half**2 + 2 / 3 * kinetic / bulk))


# -------------------------------------------------------------------------------- in LAMMPS


class Watched:
    """An energy surface that keeps the energy of its last answer."""

    def __init__(self, surface):
        self._surface = surface

    def __getattr__(self, name):
        return getattr(self._surface, name)

    def compute_structure(self, cell, pos):
        answer = self._surface.compute_structure(cell, pos)
        self.last = answer[0], cell
        return answer

    def springs(self, hartree: float) -> float:
        """Energy of the vibrations at the last answer, eV: what atoms on their sites have not."""
        energy, cell = self.last
        rest = self._surface.compute_structure(cell, self._surface.sites @ cell.T)[0]
        return (energy - rest) / hartree


def measured(crystal: int, timestep: float, time: float) -> dict:
    """Means with their errors, the closed forms, and these without a step.

    Parameters
    ----------
    crystal : {0, 1}
    timestep, time : float
        ps; equilibration takes a fifth of the time more.
    """
    with tempfile.TemporaryDirectory() as folder:
        return (_free_volume, _held)[crystal](Path(folder), timestep, time)


def _free_volume(folder: Path, timestep: float, time: float) -> dict:
    from pes_toy import Toy

    atoms = quasiharmonic.row(*ROW, FREQUENCIES).repeat(REPEAT)
    template = folder / "crystal.xyz"
    atoms.write(template, format="extxyz")
    exact = of_volume(atoms, timestep)
    start = atoms.copy()
    scale = (exact["volume"] * len(atoms) / atoms.get_volume()) ** (1 / 3)
    start.set_cell(scale * start.cell.array, scale_atoms=True)
    surface = Toy(template=template, gruneisen=GRUNEISEN, bulk=BULK, shear=SHEAR)
    rows, _ = _run(folder, start, surface, sheared.InLammps, PRESSURE, timestep, time)
    return _answer(rows, len(atoms), exact, of_volume(atoms, 0.0)) | {
        "volume": _mean([row["volume"] / len(atoms) for row in rows]),
    }


def _held(folder: Path, timestep: float, time: float) -> dict:
    from ase.io import read
    from pes_sheared import Sheared

    atoms, file = sheared.crystal(folder, ANGLE, CELLS)
    frequency = np.where(atoms.numbers == 57, FREQUENCIES[0],
                         np.resize(FREQUENCIES[1:], len(atoms)))  # fmt: skip
    atoms.set_array("frequency", frequency)
    sheared.write_supercell(folder / "supercell.xyz", atoms)
    exact = of_angle(atoms, timestep)
    surface = Sheared(**sheared.options(atoms, folder))
    rows, cell = _run(folder, read(file), surface, sheared.InLammps, sheared.PRESSURE, timestep,
                      time)  # fmt: skip
    axis = along.direction(along.threefold_axis(atoms), cell)
    pressure, volume = (np.array([row[name] for row in rows]) for name in ("pressure", "volume"))
    slope = 1e3 * along.gradient(ANGLE, pressure, volume, axis) / len(atoms)
    return _answer(rows, len(atoms), exact, of_angle(atoms, 0.0)) | {"gradient": _mean(slope)}


def _answer(rows: list[dict], atoms: int, exact: dict, none: dict) -> dict:
    return {
        "kinetic": _mean([1e3 * row["kinetic_energy"].sum() / atoms for row in rows]),
        "potential": _mean([1e3 * row["springs"] / atoms for row in rows]),
        "exact": exact,
        "none": none,
    }


def _mean(values) -> tuple[float, float]:
    from lah10.analysis.statistics import mean_error

    return mean_error(np.asarray(values))


def _run(folder, start: Atoms, surface, bridge, pressure: float, timestep: float, time: float):
    """Samples of a run from a crystal at its volume, and the first cell."""
    from lah10 import ELEMENTS
    from lah10.bath.bath import Bath
    from lah10.dynamics import lammps_input as script
    from lah10.dynamics.engine import Engine

    script.write_data(start, folder / "crystal.data")
    engine = Engine("none")
    engine.cell_kinetic = (script.VOLUME_KINETIC, 1)
    engine.execute(quasiharmonic.bare(folder / "crystal.data"))
    watched = Watched(surface)
    crystal = bridge(engine, watched)
    types = np.array([ELEMENTS.index(symbol) for symbol in start.symbols])
    assert np.allclose(crystal.masses, _masses(start), rtol=1e-4)
    for kind in range(len(ELEMENTS)):
        engine.execute([f"mass {kind + 1} {crystal.masses[types == kind][0]:.12g}"])
    engine.execute(script.velocities(TEMPERATURE, 1))
    damping = script.volume_damping(PERIOD, len(start), TEMPERATURE)
    every = round(SAMPLE / timestep)
    barostat = script.volume_barostat(pressure, damping, TEMPERATURE)
    engine.execute(script.integrator([barostat], timestep, every))
    bath = Bath("classical", TEMPERATURE, FRICTION, 200.0, crystal.masses, types, timestep, 1)
    engine.attach(bath, None, 0)
    engine.start_segment()
    first, rows = engine.cell(), []
    settling = round(0.2 * time / SAMPLE)
    for number in range(settling + round(time / SAMPLE)):
        engine.advance(every)
        if number >= settling:
            rows.append(engine.sample() | {"springs": watched.springs(crystal.hartree)})
    return rows, first


if __name__ == "__main__":
    main()
