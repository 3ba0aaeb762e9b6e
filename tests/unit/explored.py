"""A made-up exploration of three points."""

from pathlib import Path

import numpy as np

POINTS = ("classical/P150_T300", "qtb/P150_T300", "qtb/P200_T20")


def about(point: str, status: str = "ok") -> dict:
    bath, _, rest = point.partition("/P")
    pressure, _, temperature = rest.partition("_T")
    return {
        "bath": bath,
        "pressure_GPa": float(pressure),
        "temperature_K": float(temperature),
        "status": status,
        "status_message": "" if status == "ok" else "in equilibration: it broke",
    }


def outputs(folder: Path) -> dict:
    return {
        "structures": folder / "selected.xyz",
        "deviations": folder / "deviations.nc",
        "selection": folder / "selection.json",
    }


DEVIATION = np.array([0.1, 0.1, 0.3, 0.4, 0.1, 0.5, 2.0, np.nan, 0.35, 0.1])
