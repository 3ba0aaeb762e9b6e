"""Kinetic energies and densities of states freed of the broadening by the bath's friction.

A bath of friction γ spreads a mode ω₀ over frequencies, and as Θ grows with ω the quantum baths
give it more kinetic energy than Θ(ω₀)/2. The measured velocity spectrum of an element is

    m S_vv(ω) = ∫ A(ω, ω₀) g(ω₀) dω₀,  A(ω, ω₀) = ∫ W(ω − ω') Θ̃(ω') K(ω', ω₀) dω',

with g the density of its modes, K the kinetic response of an oscillator to the bath
(`lah10.bath.spectra.response`), Θ̃ the energy in the noise and W the spectral window of the
recorder's segments. Inverting it yields g, and ∫ Θ g is the kinetic energy without the friction's
share (Rossi, Kapil and Ceriotti, J. Chem. Phys. 148, 102301 (2018); Mauger et al., J. Phys. Chem.
Lett. 12, 8285 (2021)). g counts each mode 1 where it holds the energy of the bath, less where
energy leaks away: it is not normalised here.

Beside the velocities' own spectrum the one that they would have if every frequency held the energy
of the bath can be taken: Re C_vF(ω)/γ_r, from the response to the random force. Its g counts every
mode 1 whatever energy it holds, since the response to a kick is 1/m for any crystal: ∫ Re C_vF/
(γ_r Θ̃) dω is an identity. Only this g is a density of states where energy leaks: with C_vv/Θ̃ in
its place, soft modes at three times their energy count three times.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from lah10.bath.spectra import bath_energy, noise_energy, response
from lah10.units import BOLTZMANN, EV_PER_A3_IN_GPA

#: Iterations of `invert`. The kinetic energy of a single mode of 10 THz or more is then right
#: within 0.2 % for γ ≤ 20/ps, T ≥ 0 (without: up to 53 % too high at 10 THz); more change nothing.
STEPS = 100
#: Points in a bin of the recorder, at most, where `spreading` integrates over lines.
FINEST = 64
#: Bins that the window reaches to either side; beyond lies less than 10⁻⁶ of it.
REACH = 12


@dataclass(frozen=True)
class BathParameters:
    """What a run's bath does to a spectrum, as written in the attributes of spectra.nc."""

    name: str
    temperature: float
    friction: float
    cutoff: float
    timestep: float
    correction: str = "none"

    @classmethod
    def of(cls, dataset: xr.Dataset) -> "BathParameters":
        """The bath of a run, from the attributes of any of its datasets."""
        attrs = dataset.attrs
        return cls(
            attrs["bath"],
            float(attrs["temperature_K"]),
            float(attrs["friction_per_ps"]),
            float(attrs["cutoff_THz"]),
            1e-3 * float(attrs["timestep_fs"]),
            attrs.get("bath_correction", "none"),
        )

    def noise(self, frequency) -> np.ndarray:
        """Θ̃, the energy in the noise, eV."""
        return noise_energy(
            self.name, frequency, self.temperature, self.cutoff, self.correction, self.friction,
            self.timestep,
        )  # fmt: skip

    def energy(self, frequency) -> np.ndarray:
        """Θ, the energy that a mode should hold, eV."""
        return bath_energy(self.name, frequency, self.temperature)


def window_response(bins) -> np.ndarray:
    """Power response of the recorder's Hann window at a distance in bins; integral 1.

    |∫ w(t) exp(−2πixt) dt|²/∫w² = (2/3) sinc²(x)/(1 − x²)² for a segment of length 1.
    """
    x = np.abs(np.asarray(bins, dtype=float))
    x = np.where(np.abs(x - 1) < 1e-6, 1 + 1e-6, x)
    return 2 / 3 * np.sinc(x) ** 2 / (1 - x**2) ** 2


def spreading(frequency: np.ndarray, modes: np.ndarray, bath: BathParameters) -> np.ndarray:
    """A of the module's text: m S_vv at `frequency` of one mode each at `modes`.

    Parameters
    ----------
    frequency : ndarray, shape (F,)
        THz, equidistant from 0: the recorder's.
    modes : ndarray, shape (M,)
        THz.

    Returns
    -------
    ndarray, shape (F, M)
        eV/THz, two-sided: twice its sum over positive frequencies, times their spacing, is the
        energy m⟨v²⟩ of the mode.
    """
    step = frequency[1] - frequency[0]
    # Four points in the width γ/2π of a line are plenty: the trapezoidal sum over a Lorentzian
    # converges exponentially. Lines far narrower than a bin are taken as a little less narrow.
    refine = int(np.clip(np.ceil(8 * np.pi * step / bath.friction), 8, FINEST))
    friction = max(bath.friction, 8 * np.pi * step / FINEST)
    reach = REACH * refine
    fine = (np.arange(len(frequency) * refine + reach) + 0.5) * step / refine
    spectra = response(fine[:, None], modes, friction, bath.timestep)[0]
    spectra *= bath.noise(fine)[:, None]
    # Spectra are even: what the window sees below zero mirrors what lies above.
    spectra = np.concatenate([spectra[reach - 1 :: -1], spectra])
    seen = np.zeros((len(frequency), len(modes)))
    for offset in range(2 * reach):
        weight = window_response((offset - reach + 0.5) / refine) / refine
        seen += weight * spectra[offset : offset + len(frequency) * refine : refine]
    return seen


def invert(matrix: np.ndarray, spectrum: np.ndarray) -> np.ndarray:
    """Weights g ≥ 0 with matrix @ g ≈ spectrum, by the Richardson–Lucy iteration.

    g ← g · Aᵀ(s/Ag) / Aᵀ1 (Lucy, Astron. J. 79, 745 (1974)) keeps g positive, as the iteration of
    Rossi et al. does, and beyond that leaves the total power of the spectrum unchanged: it
    converges on the kinetic energy, the integral wanted here, some ten times faster.

    Parameters
    ----------
    matrix : ndarray, shape (F, M)
    spectrum : ndarray, shape (F,)
        Not negative.
    """
    arrived = np.maximum(matrix.sum(axis=0), 1e-300)
    spectrum = np.maximum(spectrum, 0.0)
    weights = np.full(matrix.shape[1], spectrum.sum() / arrived.sum())
    for _ in range(STEPS):
        weights = weights * (matrix.T @ (spectrum / np.maximum(matrix @ weights, 1e-300))) / arrived
    return weights


class Deconvolution:
    """Inversion of the spectra of one run.

    Parameters
    ----------
    frequency : ndarray, shape (F,)
        THz, equidistant from 0.
    bath : BathParameters

    Attributes
    ----------
    modes : ndarray, shape (M,)
        Frequencies of the modes, THz: those of the recorder below the cut-off.
    """

    def __init__(self, frequency: np.ndarray, bath: BathParameters):
        self.frequency, self.bath = np.asarray(frequency, dtype=float), bath
        self.step = self.frequency[1] - self.frequency[0]
        self.used = self.frequency < bath.cutoff
        self.modes = self.frequency[self.used]
        self.matrix = spreading(self.frequency, self.modes, bath)[self.used]

    def modes_of(self, spectra: np.ndarray) -> np.ndarray:
        """Share g of an element's modes at each of `modes`, shape (elements, M).

        spectra : (elements, F) m S_vv in eV/THz, two-sided. g sums to 1 where every mode holds the
        energy of the bath (less the share m/M of the motion of the centre of mass).
        """
        return np.array([invert(self.matrix, spectrum[self.used]) for spectrum in spectra])

    def energies(self, spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Kinetic energy m⟨v_x²⟩ (eV) by element, as measured and deconvolved.

        Noise may make a spectrum negative somewhere (not one of velocities, but an estimate of one
        from responses): its sum stays free of bias, and only the ratio comes from its positive
        part.
        """
        total = self.step * (2 * spectra.sum(axis=1) - spectra[:, 0])
        positive = np.maximum(spectra, 0.0)
        seen = self.step * (2 * positive.sum(axis=1) - positive[:, 0])
        return total, total / seen * (self.modes_of(spectra) @ self.bath.energy(self.modes))


def pressure_shift(temperature, deconvolved, freedom, volume: float) -> float:
    """What the friction adds to the kinetic pressure, GPa: 2/(3V) times its kinetic energy.

    A barostat set to P + shift lets the crystal feel P.

    Parameters
    ----------
    temperature, deconvolved : array_like, shape (elements,)
        Kinetic temperatures, K.
    freedom : array_like, shape (elements,)
        Degrees of freedom.
    volume : float
        Å³.
    """
    excess = 0.5 * BOLTZMANN * np.sum(np.asarray(freedom) * (temperature - deconvolved))
    return float(2 * excess / (3 * volume) * EV_PER_A3_IN_GPA)
