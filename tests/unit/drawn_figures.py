"""What was drawn in a matplotlib figure, by the labels of its lines."""

import numpy as np
from matplotlib.container import ErrorbarContainer


def errorbars(axes) -> dict[str, ErrorbarContainer]:
    return {c.get_label(): c for c in axes.containers if isinstance(c, ErrorbarContainer)}


def drawn(container: ErrorbarContainer) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y and half length of the error bars (NaN where there is none)."""
    line, _, (bars,) = container
    half = np.array([0.5 * np.ptp(segment[:, 1]) if len(segment) else np.nan
                     for segment in bars.get_segments()])
    return line.get_xdata(), line.get_ydata(), half


def lines(axes) -> dict:
    return {line.get_label(): line for line in axes.lines}


def legend_texts(figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]
