"""The thermal bath: friction and a coloured random force on every atom.

The equation of motion is the paper's eq. (1): m a = F + R − mγv, with R of two-sided spectral
density 2mγΘ(ω, T). All baths share this code and differ in Θ alone (`spectra.bath_energy`); the
adaptive one also in the friction γ_r(ω) by which its random force is scaled.
"""

import numpy as np

from lah10.bath.noise import ColouredNoise, filter_kernel
from lah10.bath.spectra import classical_energy, noise_energy
from lah10.units import BOLTZMANN, MVV2E

#: Frequency (THz) whose Θ stands for the mean over LaH10's modes where a round number serves: the
#: first velocities and the mass of the barostat. 37.5 THz has ħω/2k_B = 900 K, the paper's value.
#: Ten modes of eleven are hydrogen's, so a heavier isotope lowers it by the root of the mass.
TYPICAL_FREQUENCY = 37.5


def expected_temperature(bath: str, temperature: float, heavier: float = 1.0) -> float:
    """Rough mean kinetic temperature under a bath, K; for starting values, never for results.

    heavier : mass of hydrogen's isotope in units of natural hydrogen's.
    """
    typical = TYPICAL_FREQUENCY / np.sqrt(heavier)
    energy = noise_energy(bath, np.array([typical]), temperature, 1e6)
    return float(energy[0] / BOLTZMANN)


class Bath:
    """Random force and friction for N atoms, by tag and step.

    Parameters
    ----------
    name : {"classical", "qtb", "adqtb"}
    temperature : float
        K.
    friction : float
        γ, 1/ps.
    cutoff : float
        End of the coloured noise, THz; the classical bath is white and has none.
    masses : array_like, shape (N,)
        g/mol, in the order of tags 1…N.
    types : array_like of int, shape (N,)
        Element index of every atom.
    timestep : float
        ps.
    seed : int
        Of the noise.
    conserve_momentum : bool
        Take the net random force from the atoms; not for independent oscillators.
    correction : {"none", "potential"}
        Whether the noise has the spectrum Θ or the Θ̃ that keeps potential energies right at
        finite γ (`spectra.noise_energy`).
    block : int, optional
        Steps between changes of γ_r, where there will be any (`noise.ColouredNoise`).
    comm : mpi4py communicator, optional
        Ranks that make the noise together.
    """

    def __init__(
        self,
        name,
        temperature,
        friction,
        cutoff,
        masses,
        types,
        timestep,
        seed,
        conserve_momentum: bool = True,
        correction: str = "none",
        block: int | None = None,
        comm=None,
    ):
        self.name = name
        self.temperature = float(temperature)
        self.friction = float(friction)
        self.cutoff = float(cutoff)
        self.timestep = float(timestep)
        self.correction = correction
        self.masses = np.asarray(masses, dtype=float)
        self.inertia = self.masses[:, None] * MVV2E  # eV ps²/Å²
        self._amplitude = np.sqrt(2 * self.inertia * self.friction)
        self._share = self.masses[:, None] / self.masses.sum() if conserve_momentum else None
        self.types = np.asarray(types)
        self._random_friction = None
        self.noise = ColouredNoise(self.types, self._kernels(), seed, longest=block, comm=comm)
        self._step = None

    def noise_energy(self, frequency) -> np.ndarray:
        """Energy in the noise, eV: Θ or Θ̃; γ_r of an adaptive bath multiplies it by γ_r/γ."""
        return noise_energy(
            self.name,
            frequency,
            self.temperature,
            self.cutoff,
            self.correction,
            self.friction,
            self.timestep,
        )

    def _kernels(self):
        kinds = range(self.types.max() + 1)
        if self.name == "classical":
            white = np.sqrt(classical_energy(0.0, self.temperature) / self.timestep)
            return [np.array([white]) for _ in kinds]

        def energy(kind):
            def density(frequency):
                theta = self.noise_energy(frequency)
                if self._random_friction is None:
                    return theta
                grid, friction = self._random_friction
                return theta * np.interp(frequency, grid, friction[kind]) / self.friction

            return density

        return [filter_kernel(energy(kind), self.timestep) for kind in kinds]

    def set_random_friction(self, frequency, friction) -> None:
        """Give the random force its own friction γ_r(ω), element by element (adaptive bath).

        Parameters
        ----------
        frequency : array_like, shape (F,)
            THz, ascending from 0.
        friction : array_like, shape (elements, F)
            1/ps, not negative.
        """
        self._random_friction = (np.asarray(frequency), np.asarray(friction))
        self.noise.set_kernels(self._kernels())
        self._step = None

    def random_force(self, step: int) -> np.ndarray:
        """Random force on all atoms at a step, eV/Å, shape (N, 3), in the order of tags.

        Its sum is zero: the net force is taken from the atoms in proportion to their mass, so that
        no relative motion is driven (equal shares would overheat the modes in which light atoms
        move against heavy ones).
        """
        if step != self._step:
            force = self._amplitude * self.noise.at(step)
            if self._share is not None:
                force -= self._share * force.sum(axis=0)
            self._force = force
            self._step = step
        return self._force

    def half_step_force(self, random, inertia, velocity, force):
        """Bath force and on-step velocity, from the velocity half a step earlier.

        LAMMPS calls for the force of step n when velocities stand at n − ½. The friction belongs
        to v_n = v_{n−½} + (Δt/2m)(F_n + R_n − mγv_n), which is solved for v_n (Brünger, Brooks and
        Karplus, Chem. Phys. Lett. 105, 495 (1984)); with v_{n−½} in its place the temperature would
        be γΔt/2 too high.

        Parameters
        ----------
        random, velocity, force : ndarray, shape (n, 3)
            R_n (eV/Å), v_{n−½} (Å/ps) and the interatomic F_n (eV/Å) of the same n atoms.
        inertia : ndarray, shape (n, 1)
            Masses in eV ps²/Å².

        Returns
        -------
        bath_force, velocity : ndarray, shape (n, 3)
            R_n − mγv_n and v_n.
        """
        half = 0.5 * self.timestep
        on_step = (velocity + half / inertia * (force + random)) / (1.0 + half * self.friction)
        return random - inertia * self.friction * on_step, on_step
