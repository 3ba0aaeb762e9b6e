"""Phonon dispersions of Fm-3m, by the potential and by DFT."""

import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lah10.figures.style import save, styled
from lah10.potential.validation.phonons import PATH, SECTION, Dispersion, path


@styled
def dispersions(curves: Sequence[Dispersion]) -> Figure:
    """Frequencies along the path of wave vectors, one panel a pressure."""
    _, ticks = path()
    result = Figure(figsize=(3.4 * len(curves), 3.4))
    dp, dft_colour = sns.color_palette("colorblind", 2)
    panels = result.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axes, curve in zip(panels, curves, strict=True):
        for i, (a, b) in enumerate(itertools.pairwise(ticks)):
            along = np.linspace(a, b, SECTION)
            axes.plot(along, curve.dft[i], color=dft_colour, linewidth=1.6, alpha=0.6)
            axes.plot(along, curve.model[i], color=dp, linewidth=0.8)
        for tick in ticks:
            axes.axvline(tick, color="0.7", linewidth=0.6)
        axes.axhline(0, color="0.3", linewidth=0.6)
        axes.set_xticks(ticks, PATH)
        axes.set_xlim(ticks[0], ticks[-1])
        axes.set_title(f"Fm-3m, {curve.pressure:g} GPa")
    panels[0].set_ylabel("frequency (THz)")
    panels[0].legend(
        handles=[
            Line2D([], [], color=dft_colour, linewidth=1.6, alpha=0.6, label="DFT"),
            Line2D([], [], color=dp, linewidth=0.8, label="DP"),
        ]
    )
    return result


def draw(curves: Sequence[Dispersion], outputs: Iterable[str | os.PathLike]) -> None:
    """Draw `dispersions` into each of `outputs`."""
    figure = dispersions(curves)
    for output in outputs:
        save(figure, Path(output))
