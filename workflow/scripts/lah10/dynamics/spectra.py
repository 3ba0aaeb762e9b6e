"""Thermal baths as spectra: the mean energy Θ(ω, T) that each bath gives to a mode.

A bath is one function Θ of the frequency. The classical bath gives k_B T to every mode, the quantum
thermal bath (Dammak et al., Phys. Rev. Lett. 103, 190601 (2009)) the energy of a quantum
oscillator. Frequencies ω/2π are in THz and energies in eV throughout.
"""

import numpy as np

from lah10.units import BOLTZMANN, PLANCK

#: Width of the smooth cut-off relative to its frequency.
CUTOFF_WIDTH = 0.02


def classical_energy(frequency, temperature: float) -> np.ndarray:
    """k_B T at every frequency, eV (equipartition)."""
    return np.full(np.shape(frequency), BOLTZMANN * temperature)


def quantum_energy(frequency, temperature: float) -> np.ndarray:
    """Mean energy of a quantum harmonic oscillator, eV.

    Θ(ω, T) = ħω [1/2 + 1/(exp(ħω/k_B T) − 1)], the paper's eq. (2), written as
    (ħω/2) coth(ħω/2k_B T), which has the limits k_B T at ω = 0 and ħω/2 at T = 0.

    Parameters
    ----------
    frequency : array_like
        ω/2π in THz, any sign (Θ is even).
    temperature : float
        K, not negative.
    """
    half = 0.5 * PLANCK * np.abs(np.asarray(frequency, dtype=float))
    thermal = BOLTZMANN * temperature
    if thermal == 0.0:
        return half
    x = half / thermal
    with np.errstate(divide="ignore", invalid="ignore"):
        energy = half / np.tanh(x)
    return np.where(x < 1e-8, thermal, energy)


def bath_energy(bath: str, frequency, temperature: float) -> np.ndarray:
    """Θ(ω, T) of a bath by name: "classical", "qtb" or "adqtb"; eV."""
    if bath == "classical":
        return classical_energy(frequency, temperature)
    return quantum_energy(frequency, temperature)


def cutoff_filter(frequency, cutoff: float) -> np.ndarray:
    """Fermi function that ends the noise at `cutoff` THz, 1 below and 0 above.

    Without it the zero-point part of the spectrum grows with ω for ever and feeds energy to
    frequencies at which nothing vibrates (Barrat and Rodney, J. Stat. Phys. 144, 679 (2011)).
    """
    x = (np.abs(np.asarray(frequency, dtype=float)) - cutoff) / (CUTOFF_WIDTH * cutoff)
    return 0.5 * (1.0 - np.tanh(0.5 * x))


def oscillator_energies(
    bath: str,
    frequency: float,
    temperature: float,
    friction: float,
    cutoff: float,
    points: int = 2**18,
) -> tuple[float, float]:
    """Exact kinetic and potential energy, eV, of one harmonic oscillator in a bath of finite γ.

    The stationary solution of m ẍ = −mω₀²x − mγẋ + R with the two-sided noise spectrum
    2mγΘ(ω)·f(ω), f the cut-off (none for the classical bath), integrated over the frequency:
    E_k = ∫ γ Θ f ω² / |D|² dω/2π and E_p the same with ω₀² for ω², D = ω₀² − ω² + iγω.

    Parameters
    ----------
    frequency : float
        ω₀/2π, THz.
    friction : float
        γ, 1/ps.
    """
    omega0 = 2 * np.pi * frequency
    # ω = ω₀ tan-like spacing would do too; a uniform grid far finer than γ is the plainest.
    top = 2 * np.pi * (cutoff * (1 + 40 * CUTOFF_WIDTH) if bath != "classical" else 400 * frequency)
    omega = (np.arange(points) + 0.5) * top / points
    theta = bath_energy(bath, omega / (2 * np.pi), temperature)
    if bath != "classical":
        theta = theta * cutoff_filter(omega / (2 * np.pi), cutoff)
    density = friction * theta / ((omega0**2 - omega**2) ** 2 + (friction * omega) ** 2)
    step = top / points / np.pi  # both signs of ω: 2 dω/2π
    kinetic = float(np.sum(density * omega**2) * step)
    potential = float(np.sum(density * omega0**2) * step)
    return kinetic, potential


#: Below this temperature (K) the noise filter uses Θ at this temperature: the cusp of ħ|ω|/2 at
#: ω = 0 would need an endless filter. At 0.5 THz it changes Θ by 0.5 %, above 1 THz by nothing.
FILTER_TEMPERATURE = 4.0


def noise_energy(bath: str, frequency, temperature: float, cutoff: float) -> np.ndarray:
    """Θ(ω, T) as the noise realises it, eV: cut off smoothly at `cutoff` THz, rounded at ω = 0.

    The classical bath is white: a cut-off would cost it kinetic energy.
    """
    if bath == "classical":
        return classical_energy(frequency, temperature)
    energy = quantum_energy(frequency, max(temperature, FILTER_TEMPERATURE))
    return energy * cutoff_filter(frequency, cutoff)
