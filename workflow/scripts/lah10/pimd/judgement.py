"""Which differences between path integrals and a bath, or between numbers of beads, count.

Two results differ where their difference is beyond its noise, and agree only where a difference of
the tolerance would have shown. Otherwise the comparison is too noisy to decide.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from lah10 import ELEMENTS
from lah10.analysis.statistics import MIN_BLOCKS, student_factor

#: Standard errors, if they are known, by which a bath must be off to differ.
SIGMAS = 2.0
#: Blocks that the error of a mean over time, or of θ, is taken to be known from. Summaries do not
#: say; this is the number of long blocks in `lah10.analysis.statistics`, which make the error where
#: the autocorrelation does not see the slow part of the noise. Path integrals of a few ps hold some
#: ten independent volumes: chance then passes two standard errors in one comparison of ten, and
#: Student's factor for this number in one of twenty. Long runs know their errors better than that.
BLOCKS = MIN_BLOCKS



@dataclass(frozen=True)
class Tolerance:
    """A difference that counts as none.

    Attributes
    ----------
    size : float
    unit : str
        "%" of the reference, or the quantity's own unit.
    """

    size: float
    unit: str

    def of(self, reference: float) -> float:
        """The tolerance in the unit of `reference`, the value that it is judged by."""
        return abs(reference) * self.size / 100 if self.unit == "%" else self.size

    def __str__(self) -> str:
        return f"{self.size:g}{self.unit}"


#: What a comparison must be able to tell before "agree" says anything; between the last two numbers
#: of beads, the change that counts as none. All that quantum nuclei add to the volume is 1.5 %, and
#: R-3m deviates from 90° by 1.7° (`lah10.analysis.distortion.RESOLVED`).
TOLERANCES = {
    "kinetic_temperature": Tolerance(1, "%"),
    "volume_per_formula": Tolerance(0.2, "%"),
    "theta_deviation": Tolerance(0.3, "°"),
}


def judge(
    difference: float, error: float, tolerance: float, named: str = "", factor: float = SIGMAS
) -> str:
    """What a difference says: "agree" only where the tolerance would have been seen.

    Parameters
    ----------
    difference, error : float
        Of two results, and its standard error; NaN where it is unknown.
    tolerance : float
        In the same unit.
    named : str
        The tolerance for the reader, with its unit or in per cent.
    factor : float
        Standard errors that count as noise.
    """
    if abs(difference) > factor * error:
        return f"differ by more than {factor:.2g}σ"
    if factor * error <= tolerance:
        return f"agree within {factor:.2g}σ"
    return f"too noisy to tell at {named or f'{tolerance:g}'} with {factor:.2g}σ"


def noise_factor(errors: Iterable[tuple[float, float]]) -> float:
    """Standard errors of a sum that chance passes as rarely as `SIGMAS` known ones.

    By Student's t, with the degrees of freedom that a sum of errors has which are not equally well
    known (B. L. Welch, Biometrika 34, 28 (1947)).

    Parameters
    ----------
    errors : iterable of (float, float)
        Independent standard errors, and from how many samples each is known: infinity for a bound,
        or where nothing is known of it. NaN for an unknown error, whose factor is `SIGMAS`.
    """
    errors = list(errors)
    total = sum(error**2 for error, _ in errors) ** 2
    doubt = sum(error**4 / (max(samples, 2.0) - 1) for error, samples in errors)
    return student_factor(SIGMAS, 1 + total / doubt) if doubt > 0 else SIGMAS


@dataclass(frozen=True)
class Pair:
    """One quantity of two results: their values in `unit`, and the independent errors of their
    difference as `noise_factor` takes them."""

    title: str
    unit: str
    tolerance: Tolerance
    value: float
    reference: float
    errors: tuple[tuple[float, float], ...]

    @property
    def difference(self) -> float:
        return self.value - self.reference

    @property
    def error(self) -> float:
        """Standard error of the difference; NaN if a part of it is not known."""
        return float(np.sqrt(sum(error**2 for error, _ in self.errors)))

    @property
    def factor(self) -> float:
        return noise_factor(self.errors)

    @property
    def share(self) -> str:
        """The difference in per cent of the reference, where the tolerance is; "" elsewhere."""
        if self.tolerance.unit != "%" or not np.isfinite(self.difference):
            return ""
        return f" ({self.difference / self.reference:+.{1 if self.tolerance.size >= 1 else 2}%})"


def pairs(one: xr.Dataset, reference: xr.Dataset) -> Iterator[Pair]:
    """What is compared of a bath, or a run with fewer beads, and the reference."""
    method = one.method.item()
    quantum = method not in ("classical", "pimd")
    # Without the number (an older summary) their errors are taken as they stand.
    segments = float(one.spectral_blocks)
    segments = np.inf if np.isnan(segments) else segments
    name = "kinetic_temperature"
    for element in reversed(ELEMENTS):
        of, to = (row.sel(element=element) for row in (one, reference))
        title = f"T_kin of {element}"
        # The reference is no closer to quantum nuclei than its number of beads lets it be. Between
        # two runs of beads just that is asked.
        bound = 0.0 if method == "pimd" else float(to.bead_error)
        # What friction adds in a quantum bath is known, and no mistake of the bath.
        sharp, expected = f"{name}_deconvolved", f"{name}_expected"
        if quantum and np.isfinite(of[sharp]):
            # A mean over time, times a factor from the spectra.
            blocks = min(BLOCKS, segments)
            yield _pair(f"{title}, deconvolved", "K", of, to, name, bound, sharp, blocks)
        else:
            yield _pair(title, "K", of, to, name, bound)
        if quantum and np.isfinite(of[expected]):
            yield _pair(f"{title}, expected", "K", of, to, name, bound, expected, segments)
    yield _pair("volume", "Å³", one, reference, "volume_per_formula")
    # A noisier run deviates more from 90° without being more distorted.
    unequal = float(one.theta_null - reference.theta_null)
    yield _pair("deviation of θ from 90°", "°", one, reference, "theta_deviation", unequal)


def _pair(
    title: str,
    unit: str,
    one: xr.Dataset,
    reference: xr.Dataset,
    name: str,
    bound: float = 0.0,
    source: str = "",
    blocks: float = BLOCKS,
) -> Pair:
    """The pair of the variable `name`; of `one` it is `source`, whose error rests on `blocks`.

    bound : a difference, of either sign, that is no mistake of `one`.
    """
    source = source or name
    errors = (
        (float(one[f"{source}_stderr"]), blocks),
        (float(reference[f"{name}_stderr"]), BLOCKS),
        (abs(bound), np.inf),
    )
    values = float(one[source]), float(reference[name])
    return Pair(title, unit, TOLERANCES[name], *values, errors)
