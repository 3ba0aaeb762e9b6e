"""Every mode of a harmonic crystal gets the energy of its bath, through LAMMPS itself."""

import numpy as np
import pytest

from lah10.bath.spectra import bath_energy, oscillator_energies
from lah10.units import BOLTZMANN

FREQUENCIES = [15.0, 40.0, 60.0]


ATOMS = 240
LA, H = 138.905, 1.008
#: What is left to an atom on a spring when the net force is taken from all atoms by mass.
KEPT = 1 - np.array([LA, H, H]) / (ATOMS * (LA + 2 * H))


@pytest.mark.parametrize(
    ("bath", "temperature"),
    [
        pytest.param("classical", 300.0, marks=pytest.mark.slow),
        ("qtb", 20.0),
        pytest.param("qtb", 300.0, marks=pytest.mark.slow),
    ],
)
def test_energy_per_mode_is_theta(in_lammps, bath, temperature):
    """Within 2 % at small friction: 0.8 % of statistics, 0.9 % of the time step at 60 THz."""
    found = in_lammps(
        "einstein",
        "energies",
        bath=bath,
        temperature=temperature,
        friction=2.0,
        frequencies=FREQUENCIES,
        steps=50_000,
        atoms=ATOMS,
    )
    energy = 0.5 * (np.array(found["kinetic"]) + np.array(found["potential"]))
    theta = bath_energy(bath, np.array(FREQUENCIES), temperature) / BOLTZMANN
    assert energy / KEPT == pytest.approx(theta, rel=0.02)


def test_bias_of_large_friction_is_the_known_one(in_lammps):
    """At 20/ps the kinetic energy is too high and the potential too low by the exact amounts."""
    found = in_lammps(
        "einstein",
        "energies",
        bath="qtb",
        temperature=20.0,
        friction=20.0,
        frequencies=FREQUENCIES,
        steps=20_000,
        atoms=ATOMS,
    )
    exact = (
        np.array([oscillator_energies("qtb", f, 20.0, 20.0, 200.0) for f in FREQUENCIES])
        * 2
        / BOLTZMANN
    )
    # The Verlet step raises the potential energy by 1/(1 − (ωΔt/2)²).
    verlet = 1 / (1 - (np.pi * np.array(FREQUENCIES) * 0.0005) ** 2)
    assert found["kinetic"] / KEPT == pytest.approx(exact[:, 0], rel=0.02)
    assert found["potential"] / KEPT == pytest.approx(exact[:, 1] * verlet, rel=0.02)


def test_corrections_take_the_friction_out(in_lammps):
    """At 20/ps: potential energies by the modified noise, kinetic ones deconvolved, both within
    1 % but for statistics of 0.5 %; time step included."""
    temperature = 20.0
    found = in_lammps(
        "einstein",
        "energies",
        bath="qtb",
        temperature=temperature,
        friction=20.0,
        frequencies=FREQUENCIES,
        steps=20_000,
        atoms=ATOMS,
        correction="potential",
    )
    theta = bath_energy("qtb", np.array(FREQUENCIES), temperature) / BOLTZMANN
    assert found["potential"] / KEPT == pytest.approx(theta, rel=0.012)
    by_element = np.array([theta[0], theta[1:].mean()])
    assert found["deconvolved"] / KEPT[:2] == pytest.approx(by_element, rel=0.012)
    assert found["kinetic"][0] > 1.15 * KEPT[0] * theta[0]
