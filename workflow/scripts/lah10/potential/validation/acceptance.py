"""What the potential has to reach, and whether it did: limits in one place, numbers from files.

Of the published model it has to have no larger force error on the same held-out frames, which that
one was trained on, and at least twice the speed; the other limits are its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lah10.potential.validation.phase_energies import not_learnt

#: meV/atom after one constant a source; GPa; % of each length of Table I; times the published.
ENERGY, PRESSURE, LENGTH, SPEED = 3.0, 1.0, 0.2, 2.0
#: Between phases: meV/atom of the enthalpy difference; GPa; meV/atom of energies on the path.
DIFFERENCE, CROSSING, PATH = 0.5, 10.0, 0.5


@dataclass(frozen=True)
class Verdict:
    """A number beside its limit.

    Attributes
    ----------
    what : str
        Such as "force error, ly-ceperley".
    number, limit : float
        In `unit`; None where it was not measured.
    at_least : bool
        The limit is a lower one.
    """

    what: str
    number: float | None
    limit: float | None
    unit: str
    at_least: bool = False

    @property
    def reached(self) -> bool | None:
        """None where a number is missing."""
        if self.number is None or self.limit is None:
            return None
        if self.at_least:
            return bool(self.number >= self.limit)
        return bool(self.number <= self.limit)

    def __str__(self) -> str:
        word = {True: "reached", False: "missed", None: "not measured"}[self.reached]
        number, limit = (
            "unknown" if value is None else f"{value:.4g} {self.unit}".strip()
            for value in (self.number, self.limit)
        )
        bound = "at least" if self.at_least else "at most"
        return f"{word}: {self.what}: {number} ({bound} {limit})"


def of_errors(ours: Mapping[str, Mapping], published: Mapping[str, Mapping]) -> list[Verdict]:
    """Verdicts on the errors over the held-out frames, by source (`held_out.tabulate`).

    Parameters
    ----------
    ours : mapping
        Empty for a source that was not measured.
    published : mapping
        The published model's, of the same frames; empty where it was not measured.

    Raises
    ------
    ValueError
        The two were measured on different numbers of frames.
    """
    found = []
    for source, errors in ours.items():
        other = published.get(source, {})
        if other and errors and other["frames"] != errors["frames"]:
            raise ValueError(
                f"{source}: expected the frames of the published model, {other['frames']}, "
                f"got {errors['frames']}"
            )
        energy = errors.get("energy_rmse_one_constant")
        found += [
            Verdict(
                f"force error, {source}", errors.get("force_rmse"), other.get("force_rmse"), "eV/Å"
            ),
            Verdict(f"energy error, {source}", energy, ENERGY, "meV/atom"),
            Verdict(f"pressure error, {source}", errors.get("pressure_rmse"), PRESSURE, "GPa"),
        ]
    return found


def of_lengths(lengths: Mapping[str, Mapping]) -> Verdict:
    """Verdict on the worst length of Table I (`equation_of_state.compare`).

    A model that has no such crystal misses the limit.
    """
    deviations = [row["deviation"] for row in lengths.values()]
    worst = max(np.inf if value is None else abs(value) for value in deviations)
    return Verdict("worst length of Table I", worst, LENGTH, "%")


def of_phases(found: Mapping) -> list[Verdict]:
    """Verdicts on the energy difference between R-3m and Fm-3m beside DFT
    (`phase_energies.measure`).

    A model whose difference does not cross zero, where that of the DFT does, misses the limit.
    """
    enthalpies = found["enthalpies"]
    pairs = zip(enthalpies["dft"], enthalpies["difference"], strict=True)
    # A crystal that falls apart by the model has no difference, which is a miss.
    away = [np.inf if one is None else abs(one) for dft, one in pairs if dft is not None]
    crossing = enthalpies["crossing"]
    apart = None
    if crossing["dft"] is not None:
        model = np.inf if crossing["model"] is None else crossing["model"]
        apart = abs(model - crossing["dft"])
    path = not_learnt(found)
    return [
        Verdict("enthalpy of R-3m less Fm-3m, worst error", max(away, default=None), DIFFERENCE,
                "meV/atom"),
        Verdict("error of the pressure at which it crosses zero", apart, CROSSING, "GPa"),
        Verdict("rms error on the path, volumes not learnt", None if np.isnan(path) else path,
                PATH, "meV/atom"),
    ]  # fmt: skip


def of_speed(speed: Mapping) -> Verdict:
    """Verdict on the first model's speed over the published one's (speed.json)."""
    rates = {entry["name"]: entry["katom_steps_per_second"] for entry in speed["models"]}
    first = speed["models"][0]["katom_steps_per_second"]
    ratio = first / rates["published"] if "published" in rates else None
    return Verdict("speed over the published model's", ratio, SPEED, "", at_least=True)
