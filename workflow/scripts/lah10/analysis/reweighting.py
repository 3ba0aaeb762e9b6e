"""Means at states between those that were run, by MBAR.

The multistate Bennett acceptance ratio (M. R. Shirts, J. D. Chodera, J. Chem. Phys. 129, 124105
(2008)) joins runs that sample exp(−u_k), u_k = (U + P_k V)/k_B T_k, at several pressures and
temperatures. For classical nuclei U is the potential energy: momenta are integrated out. For path
integrals at one temperature U is the mean potential energy of the beads, as the springs do not
depend on P; a change of T would change the springs, and is refused. A quantum thermal bath samples
no such density, and is refused.

Neighbouring states must overlap: where they share no configurations MBAR still returns numbers, and
they mean nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from lah10.analysis.statistics import equilibration_index, inefficiency
from lah10.errors import UserError
from lah10.units import BOLTZMANN, EV_PER_A3_IN_GPA

#: Probability that a sample of one state belongs to the next, at least (the usual rule: P. V.
#: Klimovich, M. R. Shirts, D. L. Mobley, J. Comput. Aided Mol. Des. 29, 397 (2015)).
SMALLEST_OVERLAP = 0.03
#: Independent samples that a state needs.
MIN_SAMPLES = 20


@dataclass(frozen=True)
class Samples:
    """Independent samples of one state.

    Attributes
    ----------
    pressure, temperature : float
        GPa, K.
    energy, volume : (n,) arrays
        Potential energy, eV, and volume, Å³, of the whole cell.
    observables : dict of (n,) arrays
    nuclei : {"classical", "pimd"}
    """

    pressure: float
    temperature: float
    energy: np.ndarray
    volume: np.ndarray
    observables: Mapping[str, np.ndarray]
    nuclei: str = "classical"

    @property
    def name(self) -> str:
        return f"{self.pressure:g} GPa, {self.temperature:g} K"


def independent(
    thermo: xr.Dataset, observables: Mapping[str, np.ndarray] | None = None
) -> Samples:
    """Independent samples of a run, as far apart as the slower of energy and volume asks for.

    Parameters
    ----------
    thermo : Dataset
        Time series of a run.
    observables : mapping of name to (time,) array, optional
        Of the same times.

    Raises
    ------
    UserError
        The run failed, is of a quantum thermal bath, or has too few independent samples.
    """
    bath = thermo.attrs["bath"]
    where = f"{bath} {thermo.attrs['pressure_GPa']:g} GPa, {thermo.attrs['temperature_K']:g} K"
    if bath not in ("classical", "pimd"):
        raise UserError(
            f"reweighting {where}: expected classical nuclei or path integrals; the density that a "
            "quantum thermal bath samples is not known, so no weights follow"
        )
    if thermo.attrs["status"] != "ok":
        raise UserError(f"reweighting {where}: the run failed ({thermo.attrs['status']})")
    energy, volume = thermo["potential_energy"].values, thermo["volume"].values
    start = max(equilibration_index(energy), equilibration_index(volume))
    step = max(inefficiency(energy[start:]), inefficiency(volume[start:]))
    chosen = np.unique(np.floor(np.arange(start, len(energy), step)).astype(int))
    if len(chosen) < MIN_SAMPLES:
        raise UserError(
            f"reweighting {where}: expected {MIN_SAMPLES} independent samples, got {len(chosen)}; "
            "a longer run is needed"
        )
    return Samples(
        float(thermo.attrs["pressure_GPa"]),
        float(thermo.attrs["temperature_K"]),
        energy[chosen],
        volume[chosen],
        {name: np.asarray(values)[chosen] for name, values in (observables or {}).items()},
        bath,
    )


class Reweighting:
    """Runs at neighbouring states, joined.

    Attributes
    ----------
    overlap : (states, states) array
        Probability that a sample of one state (row) belongs to another (column).

    Raises
    ------
    UserError
        Classical nuclei and path integrals are mixed, path integrals differ in temperature, or
        states do not overlap; the overlaps are printed.
    """

    def __init__(self, states: Sequence[Samples]):
        from pymbar import MBAR

        self.states = list(states)
        if len(self.states) < 2:
            raise UserError("reweighting: expected two states or more, got one")
        nuclei = {state.nuclei for state in self.states}
        if len(nuclei) > 1:
            raise UserError("reweighting: expected one kind of nuclei, got classical and pimd")
        if nuclei == {"pimd"} and len({state.temperature for state in self.states}) > 1:
            raise UserError(
                "reweighting: expected path integrals at one temperature (the springs between "
                "beads depend on it), got "
                + ", ".join(f"{state.temperature:g} K" for state in self.states)
            )
        self._energy = np.concatenate([state.energy for state in self.states])
        self._volume = np.concatenate([state.volume for state in self.states])
        counts = np.array([len(state.energy) for state in self.states])
        reduced = np.array([self._reduced(s.pressure, s.temperature) for s in self.states])
        # A constant a column cancels; without it exponentials overflow.
        reduced = reduced - reduced.min(axis=0)
        # From zeros the solver may not converge: free energies differ by tens of k_B T.
        self._mbar = MBAR(reduced, counts, initialize="BAR")
        self._shift = np.array([self._reduced(s.pressure, s.temperature) for s in self.states]).min(
            axis=0
        )
        self.overlap = np.asarray(self._mbar.compute_overlap()["matrix"])
        self._check()

    def _reduced(self, pressure: float, temperature: float) -> np.ndarray:
        """u of every sample at a state."""
        enthalpy = self._energy + pressure / EV_PER_A3_IN_GPA * self._volume
        return enthalpy / (BOLTZMANN * temperature)

    def _check(self) -> None:
        """Every state must be reached from the first over neighbours that overlap."""
        near = np.minimum(self.overlap, self.overlap.T) >= SMALLEST_OVERLAP
        reached, waiting = {0}, [0]
        while waiting:
            for other in np.flatnonzero(near[waiting.pop()]):
                if other not in reached:
                    reached.add(int(other))
                    waiting.append(int(other))
        if len(reached) == len(self.states):
            return
        alone = next(i for i in range(len(self.states)) if i not in reached)
        largest = max(min(self.overlap[alone, i], self.overlap[i, alone]) for i in reached)
        matrix = "; ".join(" ".join(f"{x:.2f}" for x in row) for row in self.overlap)
        raise UserError(
            f"reweighting: {self.states[alone].name} overlaps with the states before it by "
            f"{largest:.2g}, expected {SMALLEST_OVERLAP:g} or more; run states in between, or a "
            f"smaller cell (overlap matrix: {matrix})"
        )

    def mean(self, observable: str, pressure: float, temperature: float) -> tuple[float, float]:
        """Mean of an observable and its standard error at a state.

        `energy` and `volume` are observables, too. pressure, temperature : GPa, K.

        Raises
        ------
        UserError
            The state does not overlap with those that were run, or path integrals were run at
            another temperature.
        """
        if self.states[0].nuclei == "pimd" and temperature != self.states[0].temperature:
            raise UserError(
                f"reweighting: path integrals at {self.states[0].temperature:g} K give nothing at "
                f"{temperature:g} K; expected the same temperature"
            )
        values = {"energy": self._energy, "volume": self._volume}.get(observable)
        if values is None:
            values = np.concatenate([state.observables[observable] for state in self.states])
        target = self._reduced(pressure, temperature) - self._shift
        log_weights = -target - self._log_mixture()
        weights = np.exp(log_weights - log_weights.max())
        weights /= weights.sum()
        effective = 1 / (weights**2).sum()
        if effective < MIN_SAMPLES:
            raise UserError(
                f"reweighting: {effective:.1f} samples count at {pressure:g} GPa, {temperature:g} "
                f"K, expected {MIN_SAMPLES} or more: it is too far from the states that were run "
                f"({'; '.join(state.name for state in self.states)})"
            )
        found = self._mbar.compute_expectations(values, u_kn=target[None], output="averages")
        return float(found["mu"][0]), float(found["sigma"][0])

    def _log_mixture(self) -> np.ndarray:
        """log Σ_k N_k exp(f_k − u_k) of every sample."""
        terms = (
            np.log(self._mbar.N_k)[:, None] + np.asarray(self._mbar.f_k)[:, None] - self._mbar.u_kn
        )
        top = terms.max(axis=0)
        return top + np.log(np.exp(terms - top).sum(axis=0))

    def free_energies(self) -> tuple[np.ndarray, np.ndarray]:
        """G/k_B T of every state less that of the first, momenta left out, and standard errors;
        shape (states,)."""
        found = self._mbar.compute_free_energy_differences()
        return np.asarray(found["Delta_f"])[0], np.asarray(found["dDelta_f"])[0]
