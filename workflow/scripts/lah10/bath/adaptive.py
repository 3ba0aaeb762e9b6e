"""Adaptive quantum thermal bath: the random force learns how much each frequency needs.

Anharmonic coupling drains zero-point energy from stiff to soft modes. The quantum
fluctuation–dissipation theorem says at which frequencies: Δ(ω) = Re C_vF(ω) − m γ_r(ω) C_vv(ω),
F the random force alone, vanishes where modes hold their quantum energy and is positive where
energy is missing. γ_r(ω), which scales the random force, is raised there and lowered elsewhere,
while the friction γ stays as it is (Mangaud et al., J. Chem. Theory Comput. 15, 2863 (2019)).
"""

import numpy as np

from lah10 import ELEMENTS
from lah10.units import MVV2E

#: Drift of γ_r (`Adaptation.drift`, in units of γ) up to which the adaptation counts as settled.
MAX_FRICTION_DRIFT = 0.10
#: Share of γ below which γ_r is as good as off: a vibration that still holds too much there can
#: only be cooled by more friction.
EXHAUSTED = 0.1


def fdt_deviation(power, cross, friction, masses) -> np.ndarray:
    """Δ(ω), eV/ps/THz, of every element.

    Parameters
    ----------
    power, cross : ndarray, shape (…, elements, F)
        S_vv (Å²/ps²/THz) and Re S_vF (eV/ps/THz) of the recorder.
    friction : ndarray, shape (elements, F)
        γ_r, 1/ps.
    masses : array_like, shape (elements,)
        g/mol.
    """
    inertia = np.asarray(masses, dtype=float)[:, None] * MVV2E
    return cross - inertia * friction * power


def unsettled(drift) -> str:
    """What to say of an adaptation that has not settled, from its drift by element."""
    moved = ", ".join(
        f"{element} by {value:.2f} γ"
        for element, value in zip(ELEMENTS, drift, strict=True)
        if value > MAX_FRICTION_DRIFT
    )
    return (
        f"the bath has not settled: γ_r of {moved} short in the last third of the adaptation, "
        f"limit {MAX_FRICTION_DRIFT:g}; give bath.adaptation a longer time"
    )


class Adaptation:
    """γ_r(ω) of every element, adapted segment by segment.

    Δ = 0 means γ_r = Re C_vF/(m C_vv). Every segment moves γ_r by a share of its own Δ over the
    running mean of m C_vv: in the mean a share of the way to that ratio, but linear in what one
    noisy segment says, so that its noise averages out of the mean γ_r that production uses
    (`settled`; Polyak and Juditsky, SIAM J. Control Optim. 30, 838 (1992)). In a harmonic crystal
    the ratio is γ whatever γ_r is; where a mode loses energy to others it is larger, where it
    gains energy smaller.

    Parameters
    ----------
    frequency : ndarray, shape (F,)
        Of the recorder, THz.
    masses : array_like, shape (elements,)
        g/mol.
    friction : float
        γ, 1/ps; where γ_r starts.
    rate : float
        Share of the way to the ratio that one segment moves γ_r.

    Attributes
    ----------
    random_friction : ndarray, shape (elements, F)
        γ_r now, 1/ps.
    """

    #: γ_r stays above this share of γ: a random force of no strength could not be read off Δ.
    FLOOR = 0.01
    #: Steps are longer where γ_r < γ, by γ/γ_r, up to this factor.
    BOOST = 4
    #: Segments that the running mean of S_vv looks back on.
    MEMORY = 10
    #: Below this share of the largest S_vv nothing vibrates, and noise must not move γ_r.
    SILENT = 1e-3
    #: THz; bands over which `drift` averages γ_r.
    BAND = 2.0

    def __init__(self, frequency, masses, friction: float, rate: float):
        self.frequency = np.asarray(frequency, dtype=float)
        self.masses = np.asarray(masses, dtype=float)
        self.friction, self.rate = float(friction), float(rate)
        shape = (len(self.masses), len(self.frequency))
        self.random_friction = np.full(shape, self.friction)
        self._power = np.zeros(shape)
        self._history: list[np.ndarray] = []

    def update(self, power, cross) -> np.ndarray:
        """Follow one segment's spectra (a block of the recorder); returns the new γ_r."""
        self._history.append(self.random_friction)
        weight = 1 / min(len(self._history), self.MEMORY)
        self._power += weight * (power - self._power)
        deviation = fdt_deviation(power, cross, self.random_friction, self.masses)
        floor = self.SILENT * self._power.max(axis=1, keepdims=True)
        inertia = self.masses[:, None] * MVV2E
        step = self.rate * deviation / (inertia * np.maximum(self._power, floor))
        step *= self._boost(self.random_friction)
        self.random_friction = np.maximum(self.random_friction + step, self.FLOOR * self.friction)
        return self.random_friction

    def _boost(self, random_friction) -> np.ndarray:
        """By how much steps are longer at γ_r, (…, elements, F), of the same shape.

        Δ is γ_r times what is wrong: without this, γ_r would the slower fall the lower it is.
        """
        return self.friction / np.maximum(random_friction, self.friction / self.BOOST)

    def settled(self) -> np.ndarray:
        """Mean γ_r over the later half of the adaptation, for a production that freezes it."""
        history = self.history()
        return history[len(history) // 2 :].mean(axis=0)

    def history(self) -> np.ndarray:
        """γ_r before the first segment and after each, shape (segments + 1, elements, F), 1/ps."""
        return np.array([*self._history, self.random_friction])

    def drift(self) -> np.ndarray:
        """How far γ_r still had to go in the last third of the adaptation, beyond its noise.

        A step is a share of what a segment finds missing (`update`); over that share it is the
        whole of it. Of the last n steps, in every band of `BAND`, the mean d is compared with the
        scatter s that makes s/√n of it by chance. The element's drift is √Σw(d² − s²/n) over γ,
        with the bands' shares w of S_vv as weights; where the sum is negative, noise alone explains
        the steps, and the drift is 0. A γ_r at its floor has nowhere to go and counts as settled:
        how much of the motion is there the analysis says (`EXHAUSTED`).

        Returns
        -------
        ndarray, shape (elements,)
            In units of γ; NaN after fewer than two segments.
        """
        history, elements = self.history(), len(self.masses)
        steps = max(2, (len(history) - 1) // 3)
        if len(history) <= steps:
            return np.full(elements, np.nan)
        spacing = self.frequency[1] - self.frequency[0]
        starts = np.arange(0, len(self.frequency), max(1, round(self.BAND / spacing)))

        def banded(values):
            return np.add.reduceat(values, starts, axis=-1)

        power = banded(self._power)
        missing = np.diff(history[-steps - 1 :], axis=0) / self._boost(history[-steps - 1 : -1])
        missing = banded(missing / self.rate * self._power) / np.maximum(power, 1e-300)
        excess = missing.mean(axis=0) ** 2 - missing.var(axis=0, ddof=1) / steps
        weight = power / power.sum(axis=1, keepdims=True)
        return np.sqrt(np.maximum((weight * excess).sum(axis=1), 0)) / self.friction

    def state(self) -> dict[str, np.ndarray]:
        """What a checkpoint must keep."""
        shape = (0, *self.random_friction.shape)
        return {
            "adapted_power": self._power,
            "adapted_friction": self.random_friction,
            "adapted_history": np.array(self._history) if self._history else np.empty(shape),
        }

    def restore(self, state) -> None:
        """Take up the state of a checkpoint."""
        self._power = state["adapted_power"].copy()
        self.random_friction = state["adapted_friction"].copy()
        self._history = list(state["adapted_history"])
