"""Files of a made-up run with known answers, written by the package's own writers."""

from pathlib import Path

import numpy as np
from ase.data import atomic_masses

from crystals import supercell, thermal_noise
from lah10 import units
from lah10.bath.spectra import noise_energy
from lah10.crystal import structures
from lah10.crystal.trajectory import write_trajectory
from lah10.dynamics import records
from lah10.io import netcdf

MASSES = atomic_masses[[57, 1]]
ATTRS = {
    "status": "ok", "status_message": "", "campaign": "made-up", "bath": "classical",
    "pressure_GPa": 150.0, "temperature_K": 200.0, "friction_per_ps": 10.0, "cutoff_THz": 200.0,
    "timestep_fs": 0.5, "seed": 3, "potential": "none.pb", "potential_sha256": "0" * 64,
    "config": "{}", "versions": "{}", "fingerprint": "f", "wall_seconds": 1.0, "ps_per_hour": 2.0,
}  # fmt: skip


def counts(template) -> np.ndarray:
    return np.array([(template.numbers == z).sum() for z in (57, 1)])


def thermo(template, rng, temperature=200.0, n=400, interval=0.005, **attrs):
    """Maxwell velocities without total momentum, and a potential energy of equipartition."""
    masses = np.where(template.numbers == 57, *MASSES)[:, None]
    spread = np.sqrt(units.BOLTZMANN * temperature / (masses * units.MVV2E))
    velocity = rng.normal(size=(n, len(template), 3)) * spread
    velocity -= (masses * velocity).sum(axis=1, keepdims=True) / masses.sum()
    energies = 0.5 * units.MVV2E * masses[:, 0] * (velocity**2).sum(axis=2)
    kinetic = np.stack([energies[:, template.numbers == z].sum(axis=1) for z in (57, 1)], axis=1)
    half = 0.5 * (3 * len(template) - 3) * units.BOLTZMANN * temperature
    series = {
        "potential_energy": -500.0 + half * (1 + 0.05 * rng.normal(size=n)),
        "kinetic_energy": kinetic,
        "pressure": np.zeros((n, 6)),
        "volume": template.get_volume() * (1 + 0.002 * rng.normal(size=n)),
        "cell": np.repeat(template.cell.array[None], n, axis=0),
        "cell_kinetic_energy": 0.5 * units.BOLTZMANN * temperature * rng.chisquare(6, size=n),
    }
    return records.thermo_dataset(
        interval * np.arange(n), series, MASSES, counts(template), -500.0, ATTRS | attrs
    )


def oscillator_spectra(
    template,
    lines,
    temperature=200.0,
    friction=10.0,
    blocks=3,
    bath="qtb",
    step=1.0,
    power=1.0,
    **attrs,
):
    """Spectra of damped oscillators, one frequency (THz) an element, in thermal balance.

    A velocity component of mass m has the two-sided spectrum
    Θ/m · 2γω²/[(ω² − ω₀²)² + γ²ω²], seen through the recorder's Hann window; the random force does
    mγ times that of work, times `power`.
    """
    points, finer = 251, 32
    frequency = step * np.arange(points)
    fine = step / finer * np.arange(-finer * points, finer * points)
    omega, centres = 2 * np.pi * fine, 2 * np.pi * np.asarray(lines, float)[:, None]
    theta = noise_energy(bath, fine, temperature, ATTRS["cutoff_THz"])
    damped = np.maximum((omega**2 - centres**2) ** 2 + (friction * omega) ** 2, 1e-9)
    sharp = theta * 2 * friction * omega**2 / damped
    window = np.hanning(2 * points - 1)[:-1]
    seen = np.abs(np.fft.fft(window, finer * len(window))) ** 2
    near = np.fft.fftshift(seen)[len(seen) // 2 - 8 * finer : len(seen) // 2 + 8 * finer + 1]
    shape = np.array([np.convolve(line, near / near.sum(), "same") for line in sharp])
    velocity = shape[:, finer * points :: finer] / (MASSES * units.MVV2E)[:, None]
    force = power * MASSES[:, None] * units.MVV2E * friction * velocity
    wobble = 1 + 0.05 * (np.arange(blocks) - (blocks - 1) / 2)[:, None, None]
    gamma = np.full((2, len(frequency)), friction)
    own = {"bath": bath, "temperature_K": temperature, "friction_per_ps": friction}
    attrs = ATTRS | own | attrs
    return records.spectra_dataset(
        frequency,
        velocity * wobble,
        force * wobble,
        gamma,
        counts(template),
        bath,
        temperature,
        attrs,
    )


def write_run(
    folder: Path, template=None, frames=120, sigma=0.1, strain=None, burst=0, **attrs
) -> dict:
    """All that `analyse_point` takes; returns its positional arguments by name.

    The first `burst` frames are five times as hot as the others.
    """
    template = supercell() if template is None else template
    rng = np.random.default_rng(31)
    cell = template.cell.array if strain is None else template.cell.array @ strain
    scaled = template.get_scaled_positions()
    noise = thermal_noise(rng, len(template), frames, sigma)
    noise[:, template.numbers == 57] *= 0.2
    noise[:burst] *= 5
    trajectory = [(0.02 * i, cell, scaled @ cell + d) for i, d in enumerate(noise)]
    paths = {
        "trajectory": folder / "trajectory.nc",
        "thermo": folder / "thermo.nc",
        "spectra": folder / "spectra.nc",
        "supercell": folder / "supercell.xyz",
    }
    write_trajectory(paths["trajectory"], template.numbers, trajectory, "made up")
    netcdf.write(thermo(template, rng, n=max(4 * frames, 1), **attrs), paths["thermo"])
    netcdf.write(
        oscillator_spectra(template, (6.0, 40.0), bath="classical"), paths["spectra"]
    )
    structures.write_supercell(paths["supercell"], template)
    return paths
