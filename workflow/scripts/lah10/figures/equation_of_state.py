"""The equation of state of the crystal at rest, by the potential and by DFT."""

import os
from collections.abc import Iterable
from pathlib import Path

import seaborn as sns
import xarray as xr
from matplotlib.figure import Figure

from lah10.figures.style import save, styled
from lah10.potential.validation.equation_of_state import ATOMS


@styled
def equation_of_state(dft: xr.Dataset, model: xr.Dataset) -> Figure:
    """Pressure and energy against volume; below, the potential less DFT.

    Parameters
    ----------
    dft, model : xarray.Dataset
        Of `lah10.potential.validation.equation_of_state.read` and `relaxed`. Energies are drawn
        after the one constant that makes their mean difference zero.
    """
    result = Figure(figsize=(5.2, 4.4))
    axes = result.subplots(2, 2, sharex=True, height_ratios=(2, 1))
    dp, points = sns.color_palette("colorblind", 2)
    energy = (model.energy - dft.energy) * 1e3 / ATOMS
    shift = energy.mean()
    for column, (name, unit, scale, difference) in enumerate(
        (
            ("pressure", "GPa", 1.0, model.pressure - dft.pressure),
            ("energy", "eV/atom", 1 / ATOMS, energy - shift),
        )
    ):
        curve = model[name] * scale - (shift / 1e3 if name == "energy" else 0)
        above, below = axes[:, column]
        above.plot(model.volume, curve, color=dp, label="DP")
        above.plot(dft.volume, dft[name] * scale, "o", color=points, label="DFT", markersize=4)
        above.set_ylabel(f"{name} ({unit})")
        below.plot(dft.volume, difference, "o-", color=dp, markersize=3)
        below.axhline(0, color="0.3", linewidth=0.6)
        below.set_ylabel("DP - DFT (meV/atom)" if name == "energy" else "DP - DFT (GPa)")
        below.set_xlabel("volume (Å³ per formula unit)")
    axes[0, 0].legend()
    return result


def draw(dft: xr.Dataset, model: xr.Dataset, outputs: Iterable[str | os.PathLike]) -> None:
    """Draw `equation_of_state` into each of `outputs`."""
    figure = equation_of_state(dft, model)
    for output in outputs:
        save(figure, Path(output))
