"""How figures show that a point's number is not to be trusted, everywhere in the same way.

| verdict | marker | cell of Fig. 2(a), band of a curve |
|---|---|---|
| classical nuclei, or the quantum bath is within its limits | filled | plain |
| quantum bath undetermined | half filled | dotted |
| quantum bath not within its limits | hollow | hatched |
| phase undetermined | question mark above it | question mark |
"""

from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lah10.schema import BATH_OK, PHASE, STATUS


class Look(NamedTuple):
    """Marker's `fillstyle` of matplotlib, hatch of an area, words for the legend and, beside a
    curve, for its band."""

    fill: str
    hatch: str | None
    text: str
    band: str = ""


#: By the flag `quantum_bath_ok`.
LOOKS = {
    BATH_OK["not_applicable"]: Look("full", None, ""),
    BATH_OK["ok"]: Look("full", None, "quantum bath ok"),
    BATH_OK["undetermined"]: Look(
        "left", "....", "quantum bath undetermined", "bath undetermined (dotted)"
    ),
    BATH_OK["not_ok"]: Look("none", "/////", "quantum bath not ok", "bath not ok (hatched)"),
}
UNDETERMINED = "phase undetermined"
#: Greys of hatches, on light and on dark cells.
HATCH, HATCH_ON_DARK = "0.45", "0.9"


def of(points: xr.Dataset) -> np.ndarray:
    """`quantum_bath_ok` of points, in the order of their dimensions; "not applicable" where the
    dataset has none."""
    if "quantum_bath_ok" in points:
        return points.quantum_bath_ok.values
    return np.full(points.status.shape, BATH_OK["not_applicable"])


def look(point: xr.Dataset) -> Look:
    """Of a single point."""
    return LOOKS[int(of(point))]


def words(point: xr.Dataset) -> list[str]:
    """What is to be read beside a single point: nothing, or what its verdicts leave open."""
    found = [look(point).band] * bool(look(point).band)
    return found + [UNDETERMINED] * (int(point.phase) == PHASE["undetermined"])


def markers(
    axes: Axes,
    x: np.ndarray,
    y: np.ndarray,
    points: xr.Dataset,
    colour: str,
    marker: str,
    label: str,
    zorder: float = 3,
) -> None:
    """Markers of a row of points at x and y, filled by their verdicts; label: "<label> marks"."""
    flags = of(points)
    for flag in np.unique(flags):
        here = (flags == flag) & np.isfinite(y)
        if here.any():
            axes.plot(x[here], y[here], linestyle="none", zorder=zorder + 0.1,
                      label=f"{label} marks", **style(int(flag), colour, marker))  # fmt: skip
    unclear = (points.phase.values == PHASE["undetermined"]) & np.isfinite(y)
    for place in zip(x[unclear], y[unclear], strict=True):
        axes.annotate("?", place, (2.5, 1.5), textcoords="offset points", fontsize="small",
                      fontweight="bold", color=colour, zorder=zorder + 0.2)  # fmt: skip


def style(flag: int, colour: str, marker: str) -> dict:
    """matplotlib's keywords of a marker."""
    found = {"marker": marker, "color": colour, "fillstyle": LOOKS[flag].fill}
    if LOOKS[flag].fill == "none":
        found |= {"fillstyle": "full", "markerfacecolor": "white"}
    return found | {"markerfacecoloralt": "white"}


def handles(*points: xr.Dataset, area: bool = False) -> list[Line2D | Patch]:
    """Of the legend: the verdicts that the drawn `points` have, as markers or as hatched areas."""
    ran = [np.ravel(some.status.values == STATUS["ok"]) for some in points]
    flags = {int(flag) for some, ok in zip(points, ran, strict=True) for flag in
             np.ravel(of(some))[ok]}  # fmt: skip
    found: list[Line2D | Patch] = []
    for name in ("ok", "undetermined", "not_ok"):
        look = LOOKS[BATH_OK[name]]
        if BATH_OK[name] not in flags or (area and not look.hatch):
            continue
        found.append(
            hatched(look)
            if area
            else Line2D([], [], linestyle="none", label=look.text,
                        **style(BATH_OK[name], "0.3", "o"))
        )
    phases = {int(phase) for some, ok in zip(points, ran, strict=True) for phase in
              np.ravel(some.phase.values)[ok]}  # fmt: skip
    if not area and PHASE["undetermined"] in phases:
        found.append(Line2D([], [], linestyle="none", marker="$?$", color="0.3",
                            label=UNDETERMINED))  # fmt: skip
    return found


def hatched(look: Look) -> Patch:
    """Of the legend: an area of this look."""
    return Patch(facecolor="none", edgecolor=HATCH, hatch=look.hatch, linewidth=0.0,
                 label=look.text)  # fmt: skip
