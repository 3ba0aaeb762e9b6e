"""What a finite time step does to a harmonic crystal: closed forms, without NumPy.

Verlet's steps with the friction of `bath.Bath.half_step_force` in white noise leave an oscillator
of angular frequency ω, exactly,

    ⟨E_kin⟩ = ½ k_B T/(1 + ½γΔt),   ⟨E_pot⟩ = ½ k_B T/[1 − (½ωΔt)²]

(R. W. Pastor, B. R. Brooks, A. Szabo, Mol. Phys. 65, 1409 (1988)): positions are those of a
softer oscillator, ω² [1 − (½ωΔt)²]. Of a quantum bath without `correction: potential` E_pot is too
large by a like share, and with it right.

For a crystal, means over its vibrations follow, with ⟨ω²⟩ their mean square frequency and
Grüneisen's parameter g. The vibrations' pressure (2K/3 + (2g − 2/3)U)/V, K and U their energies, is
off by what K and U are; the volume by that over the bulk modulus; and the free energy by
½ k_B T ln[1 − (½ωΔt)²] a mode, whose difference between two phases is the share of it by which
their ⟨ω²⟩ differ.
"""

import math
from dataclasses import dataclass

from lah10.units import BOLTZMANN, EV_PER_A3_IN_GPA

#: The largest share of E_pot of the stiffest vibration that may be off.
LIMIT = 0.03
#: Typical of LaH10 from 150 to 250 GPa: THz, the stiffest vibration and the root mean square over
#: all modes (zero-point energies of 765 to 950 K a mode are mean frequencies of 32 to 40 THz); GPa,
#: bulk modulus; Å³ an atom; Grüneisen's parameter.
STIFFEST, RMS_FREQUENCY, BULK_MODULUS, ATOMIC_VOLUME = 69.0, 41.0, 550.0, 3.0
GRUNEISEN = 1.3
#: K a mode over k_B, twice a potential energy, of quantum nuclei.
QUANTUM = 900.0
#: Share by which ⟨ω²⟩ of R-3m and Fm-3m may differ; assumed, an order of magnitude.
PHASES = 0.03


@dataclass(frozen=True)
class StepError:
    """Relative errors of a time step, and the absolute one of ΔG.

    Attributes
    ----------
    kinetic, potential : float
        Of the kinetic and the potential energy, mean over the modes.
    stiffest : float
        Of the potential energy of the stiffest vibration.
    volume : float
        Of the volume.
    free_energy : float
        meV an atom, of ΔG between R-3m and Fm-3m.
    """

    kinetic: float
    potential: float
    stiffest: float
    volume: float
    free_energy: float


def kinetic_share(friction: float, timestep: float) -> float:
    """Kinetic energy of a classical oscillator over ½ k_B T; γ in 1/ps, Δt in ps: 0.9975 at 10/ps
    and 0.5 fs."""
    return 1 / (1 + 0.5 * friction * timestep)


def potential_share(frequency: float, timestep: float) -> float:
    """Potential energy of a classical oscillator over ½ k_B T; THz and ps: 1.0105 at 65 THz and
    0.5 fs. Infinite where the integrator is unstable."""
    squared = (math.pi * frequency * timestep) ** 2
    return 1 / (1 - squared) if squared < 1 else math.inf


def step_error(timestep: float, friction: float, temperature: float) -> StepError:
    """Errors of LaH10 whose vibrations hold k_B `temperature` each.

    Parameters
    ----------
    timestep : float
        ps.
    friction : float
        1/ps.
    temperature : float
        K, of classical nuclei; `QUANTUM` for a quantum bath without `correction: potential`.
    """
    kinetic = kinetic_share(friction, timestep) - 1
    potential = potential_share(RMS_FREQUENCY, timestep) - 1
    thermal = 1.5 * BOLTZMANN * temperature  # eV, of K and of U of an atom
    pressure = thermal * (2 / 3 * kinetic + (2 * GRUNEISEN - 2 / 3) * potential) / ATOMIC_VOLUME
    squared = (math.pi * RMS_FREQUENCY * timestep) ** 2
    free = 1.5 * BOLTZMANN * temperature * math.log(1 - squared)  # three modes an atom
    return StepError(
        kinetic,
        potential,
        potential_share(STIFFEST, timestep) - 1,
        pressure * EV_PER_A3_IN_GPA / BULK_MODULUS,
        1e3 * free * PHASES,
    )
