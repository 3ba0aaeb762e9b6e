"""Thermal baths as spectra: the mean energy Θ(ω, T) that each bath gives to a mode.

A bath is one function Θ of the frequency. The classical bath gives k_B T to every mode, the quantum
thermal bath (Dammak et al., Phys. Rev. Lett. 103, 190601 (2009)) the energy of a quantum
oscillator. Frequencies ω/2π are in THz and energies in eV throughout.

Friction of finite γ spreads a mode over frequencies, so that it does not hold Θ(ω₀) exactly: its
kinetic energy is too high and its potential energy too low. `response` says how it spreads,
`oscillator_energies` what it then holds, and `noise_energy` has the modified Θ̃ that gives every
mode its potential energy back.
"""

import functools

import numpy as np

from lah10.units import BOLTZMANN, PLANCK

#: Width of the smooth cut-off relative to its frequency.
CUTOFF_WIDTH = 0.02


def classical_energy(frequency, temperature: float) -> np.ndarray:
    """k_B T at every frequency, eV (equipartition), in the shape of `frequency`."""
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

    Returns
    -------
    ndarray
        eV, in the shape of `frequency`.
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
    """Θ(ω, T) of a bath by name, "classical", "qtb" or "adqtb"; eV, in the shape of `frequency`
    (THz)."""
    if bath == "classical":
        return classical_energy(frequency, temperature)
    return quantum_energy(frequency, temperature)


def cutoff_filter(frequency, cutoff: float) -> np.ndarray:
    """Fermi function that ends the noise at `cutoff` THz, 1 below and 0 above, in the shape of
    `frequency` (THz).

    Without it the zero-point part of the spectrum grows with ω for ever and feeds energy to
    frequencies at which nothing vibrates (Barrat and Rodney, J. Stat. Phys. 144, 679 (2011)).
    """
    x = (np.abs(np.asarray(frequency, dtype=float)) - cutoff) / (CUTOFF_WIDTH * cutoff)
    return 0.5 * (1.0 - np.tanh(0.5 * x))


#: Below this temperature (K) the noise filter uses Θ at this temperature: the cusp of ħ|ω|/2 at
#: ω = 0 would need an endless filter. At 0.5 THz it changes Θ by 0.5 %, above 1 THz by nothing.
FILTER_TEMPERATURE = 4.0

#: What may be corrected of the bias by γ in a quantum bath, beside the kinetic energy, which is
#: deconvolved afterwards (`lah10.bath.deconvolution`).
CORRECTIONS = ("none", "potential")


def noise_energy(
    bath: str,
    frequency,
    temperature: float,
    cutoff: float,
    correction: str = "none",
    friction: float = 0.0,
    timestep: float = 0.0,
) -> np.ndarray:
    """Θ(ω, T) as the noise realises it, eV: cut off smoothly at `cutoff` THz, rounded at ω = 0.

    The classical bath is white: a cut-off would cost it kinetic energy.

    Parameters
    ----------
    correction : {"none", "potential"}
        "potential": Θ̃ in place of Θ, with which the potential energy of an oscillator of any
        frequency is Θ(ω₀)/2, see `potential_correction`. It needs the two arguments below; the
        classical bath has nothing to correct.
    friction, timestep : float
        γ in 1/ps, Δt in ps.

    Returns
    -------
    ndarray
        eV, in the shape of `frequency` (THz).

    Raises
    ------
    ValueError
        Another correction.
    """
    if bath == "classical":
        return classical_energy(frequency, temperature)
    temperature = max(temperature, FILTER_TEMPERATURE)
    energy = quantum_energy(frequency, temperature) * cutoff_filter(frequency, cutoff)
    if correction == "potential":
        nodes, factor = potential_correction(temperature, float(friction), cutoff, float(timestep))
        energy = energy * np.interp(np.abs(frequency), nodes, factor)
    elif correction != "none":
        raise ValueError(f"correction: expected {' or '.join(CORRECTIONS)}, got {correction!r}")
    return energy


def response(
    frequency, mode, friction: float, timestep: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """How a bath spreads a mode ω₀ over frequencies: kinetic and potential response, 1/THz.

    A harmonic mode under a random force of two-sided spectrum 2mγΘ(ω) has mv² and mω₀²x² of
    two-sided spectra Θ(ω)·K(ω, ω₀) and Θ(ω)·P(ω, ω₀),

        K = 2γω²/D,  P = 2γω₀²/D,  D = (ω² − ω₀²)² + γ²ω²

    (the kernels of Rossi, Kapil and Ceriotti, J. Chem. Phys. 148, 102301 (2018), and of Mauger et
    al., J. Phys. Chem. Lett. 12, 8285 (2021)), each of integral 1 over all frequencies. With a
    time step Δt they are those of the integrator in use (velocity Verlet with on-step friction;
    the difference equation of Brünger, Brooks and Karplus solved by Fourier transform): ω becomes
    (2/Δt) sin(ωΔt/2) in the first bracket and sin(ωΔt)/Δt elsewhere. Then K integrates to
    1/(1 + γΔt/2), since white noise ends at the sampling rate, and P to 1/(1 − (ω₀Δt/2)²).

    Parameters
    ----------
    frequency, mode : array_like
        ω/2π and ω₀/2π in THz, broadcast against each other.
    friction : float
        γ, 1/ps.
    timestep : float
        Δt, ps; 0 for continuous time.

    Returns
    -------
    kinetic, potential : ndarray
        1/THz, of the shape of `frequency` and `mode` broadcast.
    """
    omega, omega0 = 2 * np.pi * np.asarray(frequency), 2 * np.pi * np.asarray(mode)
    swing = velocity = omega
    if timestep:
        swing = 2 / timestep * np.sin(0.5 * omega * timestep)
        velocity = np.sin(omega * timestep) / timestep
    denominator = (swing**2 - omega0**2) ** 2 + (friction * velocity) ** 2
    scale = 2 * friction / np.maximum(denominator, 1e-300)
    return scale * velocity**2, scale * omega0**2


def _mode_grid(
    mode: float, friction: float, top: float, points: int
) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in [0, `top`] and weights (THz) to integrate a mode's response with.

    f = f₀ + a sinh t with equidistant t is dense at the resonance and where an overdamped mode
    rises, and reaches far into the tails.
    """
    omega0 = 2 * np.pi * mode
    width = min(friction / 4, omega0**2 / friction) / (2 * np.pi)
    ends = np.arcsinh(np.array([-mode, top - mode]) / width)
    step = (ends[1] - ends[0]) / points
    t = ends[0] + step * (np.arange(points) + 0.5)
    return mode + width * np.sinh(t), width * np.cosh(t) * step


#: Nodes of the correction factor, THz: the first, and their number up to this share of the cut-off.
#: Lower frequencies share the factor of the first: the friction spreads them so far that their own
#: cannot be resolved, and what the iteration makes up there no filter of finite length realises.
FIRST_NODE, NODES, LAST_NODE = 3.0, 160, 0.8
#: The inverse of a smoothing is stopped before it amplifies what cannot be resolved. From 3 THz the
#: potential energy is then right within 0.4 % up to γ = 20/ps from 1 to 300 K, from 5 THz within
#: 0.1 %; without the correction it misses by up to 10 %. At 2 THz and below, where LaH10 has next
#: to no modes, it misses by 7 % and more.
CORRECTION_STEPS = 6


@functools.lru_cache(maxsize=32)
def potential_correction(
    temperature: float, friction: float, cutoff: float, timestep: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Factor Θ̃(ω)/Θ(ω) of a quantum bath whose oscillators hold the right potential energy.

    Θ̃ solves ∫ P(ω, ω₀) Θ̃(ω) dω = Θ(ω₀) for every ω₀ (Mauger et al., J. Phys. Chem. Lett. 12, 8285
    (2021), supporting information), P of `response` at the time step in use, so that the Verlet
    integrator's own error of the potential energy is taken out as well. The kinetic energy is
    deconvolved with Θ̃ afterwards. Solved by the multiplicative iteration
    Θ̃ ← Θ̃·Θ/(PΘ̃), which keeps Θ̃ positive (Gold, ANL-6984 (1964)).

    Returns
    -------
    frequency, factor : ndarray, shape (NODES,)
        THz, ascending, and the factor there; constant beyond both ends. Do not write into them.
    """
    nodes = np.geomspace(FIRST_NODE, LAST_NODE * cutoff, NODES)
    top = 0.5 / timestep if timestep else 2 * cutoff
    matrix = np.zeros((NODES, NODES))
    for row, mode in zip(matrix, nodes, strict=True):
        frequency, weight = _mode_grid(mode, friction, top, 4000)
        energy = quantum_energy(frequency, temperature) * cutoff_filter(frequency, cutoff)
        weight = 2 * weight * energy * response(frequency, mode, friction, timestep)[1]
        # Weights of a linear interpolation between the nodes.
        place = np.interp(frequency, nodes, np.arange(NODES))
        left = np.minimum(place.astype(int), NODES - 2)
        np.add.at(row, left, weight * (left + 1 - place))
        np.add.at(row, left + 1, weight * (place - left))
    wanted = quantum_energy(nodes, temperature)
    factor = np.ones(NODES)
    for _ in range(CORRECTION_STEPS):
        factor = factor * wanted / (matrix @ factor)
    return nodes, factor


def oscillator_energies(
    bath: str,
    frequency: float,
    temperature: float,
    friction: float,
    cutoff: float,
    points: int = 8000,
    correction: str = "none",
    timestep: float = 0.0,
) -> tuple[float, float]:
    """Exact kinetic and potential energy, eV, of one harmonic oscillator in a bath of finite γ.

    Half the integrals of `response` over the spectrum of the noise, cut-off included (none for the
    classical bath).

    Parameters
    ----------
    frequency : float
        ω₀/2π, THz.
    friction : float
        γ, 1/ps.
    correction : {"none", "potential"}
        See `noise_energy`.
    timestep : float
        ps; 0 for continuous time.

    Returns
    -------
    kinetic, potential : float
        Each Θ/2 in a bath without friction.
    """
    if timestep:
        top = 0.5 / timestep
    else:
        top = cutoff * (1 + 40 * CUTOFF_WIDTH) if bath != "classical" else 1e5 * frequency
    grid, weight = _mode_grid(frequency, friction, top, points)
    kinetic, potential = response(grid, frequency, friction, timestep)
    if correction == "none" and bath != "classical":
        energy = quantum_energy(grid, temperature) * cutoff_filter(grid, cutoff)
    else:
        energy = noise_energy(bath, grid, temperature, cutoff, correction, friction, timestep)
    # Both signs of ω, and half of mv².
    return float(np.sum(kinetic * energy * weight)), float(np.sum(potential * energy * weight))
