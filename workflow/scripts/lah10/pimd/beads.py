"""How many beads: the springs between them, and what they leave out in a harmonic crystal.

One oscillator of frequency ω in a ring of P beads, joined by springs that give the ring's free
normal modes the frequencies ω_k (ω_0 = 0), holds the energy of P classical oscillators at the
temperature PT; its centroid-virial kinetic energy is, exactly,

    2 E_kin/k_B = T Σ_k ω²/(ω² + ω_k²)  →  Θ(ω, T)/k_B  for P → ∞,

Θ = ħω[½ + 1/(exp(ħω/k_B T) − 1)] (K. S. Schweizer, R. M. Stratt, D. Chandler, P. G. Wolynes,
J. Chem. Phys. 75, 1347 (1981)). Two kinds of springs:

trotter
    ω_k = 2 (P k_B T/ħ) sin(kπ/P), the usual ones; the error falls as 1/P².
economised
    ω_k fitted so that harmonic oscillators up to a highest frequency have the exact radius of
    gyration, so that the sum above is Θ (J. Zeng, D. E. Manolopoulos, arXiv:2607.06414, as i-PI
    computes them). The error falls exponentially once P exceeds about 1.2 ħω_highest/k_B T. The
    fit is to oscillators: how far it carries in an anharmonic crystal is for a run with more beads
    to say, and for tests/physics.
"""

from collections.abc import Callable

import numpy as np

from lah10.units import BOLTZMANN, PLANCK


def spring_frequencies(beads: int, temperature: float, highest: float | None) -> np.ndarray:
    """Frequencies of the free ring's normal modes, THz, shape (beads,); the first is zero.

    Parameters
    ----------
    beads : int
    temperature : float
        K.
    highest : float or None
        THz, up to which economised springs are fitted; None: Trotter springs.
    """
    unit = beads * BOLTZMANN * temperature / PLANCK * 2 * np.pi  # P k_B T/ħ, rad/ps
    if highest is None or beads == 1:
        return unit * 2 * np.sin(np.pi * np.arange(beads) / beads) / (2 * np.pi)
    from ipi.utils.nmtransform import eco_eva

    return unit * eco_eva(beads, PLANCK * highest / (BOLTZMANN * temperature)) / (2 * np.pi)


def harmonic_temperature(
    frequency: np.ndarray, temperature: float, springs: np.ndarray
) -> np.ndarray:
    """Kinetic temperature 2E_kin/k_B of oscillators in a ring of beads, K.

    Parameters
    ----------
    frequency : array_like
        THz, ≥ 0.
    temperature : float
        K.
    springs : ndarray, shape (beads,)
        `spring_frequencies`, THz.
    """
    squared = np.asarray(frequency, dtype=float)[..., None] ** 2
    internal = np.asarray(springs)[1:] ** 2
    return temperature * (1.0 + (squared / (squared + internal)).sum(axis=-1))


def harmonic_error(
    average: Callable[[Callable], float], temperature: float, springs: np.ndarray
) -> float:
    """What a harmonic crystal's mean kinetic temperature lacks with this ring, K.

    average : takes a function of the frequency in THz to its mean over the crystal's modes
        (`lah10.phonons.expectation.average` of its phonons).
    """
    from lah10.bath.spectra import bath_energy

    return average(
        lambda f: (
            harmonic_temperature(f, temperature, springs)
            - bath_energy("qtb", f, temperature) / BOLTZMANN
        )
    )


def extrapolate(
    beads: np.ndarray, values: np.ndarray, errors: np.ndarray
) -> tuple[float, float, float]:
    """Value for infinitely many Trotter beads, its standard error, and χ² per degree of freedom.

    A weighted straight line in 1/P², the leading term of the Trotter error (H. F. Trotter, Proc.
    Am. Math. Soc. 10, 545 (1959); M. Suzuki, Phys. Lett. A 113, 299 (1985)). χ² is NaN with two
    points. Not for economised springs, whose error is no power of P.

    Raises
    ------
    ValueError
        Fewer than two numbers of beads.
    """
    beads, values, errors = (np.asarray(x, dtype=float) for x in (beads, values, errors))
    if len(np.unique(beads)) < 2:
        raise ValueError("an extrapolation needs two numbers of beads at least")
    design = np.stack([np.ones_like(beads), beads**-2.0], axis=1) / errors[:, None]
    covariance = np.linalg.inv(design.T @ design)
    solution = covariance @ design.T @ (values / errors)
    left = len(beads) - 2
    chi = float(((values / errors - design @ solution) ** 2).sum() / left) if left else np.nan
    return float(solution[0]), float(np.sqrt(covariance[0, 0])), chi


def converged(
    values: np.ndarray, errors: np.ndarray, tolerance: float, sigmas: float = 2.0
) -> bool | None:
    """Whether the last two of a series of runs with more and more beads agree.

    True if their difference and `sigmas` standard errors of it stay within the tolerance, False if
    the difference exceeds it by more than that, None where noise leaves it open (or only one run).
    """
    if len(values) < 2:
        return None
    difference = abs(values[-1] - values[-2])
    noise = sigmas * np.hypot(errors[-1], errors[-2])
    if difference + noise <= tolerance:
        return True
    if difference - noise > tolerance:
        return False
    return None
