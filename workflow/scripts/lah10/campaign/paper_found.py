"""What a campaign has for the numbers of the source paper: its files, and what is found in them.

A function for each kind of number takes a `Campaign` and an entry of resources/paper.yaml with its
options, and gives a `Found` (`measure`): `paper_potential`, `paper_phases`, `paper_protons`.
Nuclei: "classical", or "quantum" for the best quantum bath of the campaign (`QUANTUM`).
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from lah10.analysis import dataset as datasets
from lah10.io import netcdf
from lah10.io.json import read_json
from lah10.schema import BATH_OK, STATUS

#: Quantum baths, the best first.
QUANTUM = ("adqtb", "qtb")


@dataclass(frozen=True)
class Found:
    """What the campaign has for one number.

    Attributes
    ----------
    value, error : float
        In the entry's unit; error 0 where exact, NaN where unknown.
    bound : {None, "below", "above"}
        None for a value; else the true value is known to lie below or above `value`.
    place : str
        Where it was found.
    reason : str
        Why there is no value, or nothing to compare it with.
    caveat : str
        What takes the weight from a verdict.
    elsewhere : bool
        Whether the place is not the paper's state.
    """

    value: float = np.nan
    error: float = np.nan
    bound: str | None = None
    place: str = ""
    reason: str = ""
    caveat: str = ""
    elsewhere: bool = False


@dataclass(frozen=True)
class Campaign:
    """A finished campaign: its dataset, the folder of its files, and its potential's."""

    dataset: xr.Dataset
    folder: Path

    @classmethod
    def read(cls, phase_diagram: str | os.PathLike) -> "Campaign":
        data = datasets.read(phase_diagram, "a phase diagram", "merge the campaign's points again")
        return cls(data, Path(phase_diagram).parent)

    @property
    def config(self) -> dict:
        return json.loads(self.dataset.attrs.get("config", "{}"))

    @property
    def name(self) -> str:
        return str(self.dataset.attrs.get("campaign", "")) or self.folder.name

    def of_potential(self, name: str) -> dict | str:
        """A JSON file beside the campaign's potential, or why there is none."""
        path = Path(str(self.dataset.attrs.get("potential", ""))).parent / name
        if not path.is_file():
            return f"the potential has no {name} beside it"
        content = read_json(path, "ship the potential again")
        if content.get("model_sha256") != self.dataset.attrs.get("potential_sha256"):
            return f"{path} belongs to another potential than the campaign's"
        return content

    def beside(self, name: str) -> xr.Dataset | None:
        """A dataset of the campaign's folder; None if there is none."""
        path = self.folder / name
        return netcdf.read(path, name, "make it again") if path.is_file() else None

    def baths(self, nuclei: str) -> list[str]:
        wanted = QUANTUM if nuclei == "quantum" else (nuclei,)
        return [bath for bath in wanted if bath in self.dataset.bath.values]

    def points(self, nuclei: str, **at: float) -> list[xr.Dataset]:
        """Finished points of the best bath that has any, at the coordinates given."""
        for bath in self.baths(nuclei):
            cut = self.dataset.sel(bath=bath)
            for name, value in at.items():
                near = np.isclose(cut[name].values, value)
                cut = cut.isel({name: np.flatnonzero(near)})
            found = [
                cut.sel(pressure=p, temperature=t)
                for p in cut.pressure.values
                for t in cut.temperature.values
                if int(cut.status.sel(pressure=p, temperature=t)) == STATUS["ok"]
            ]
            if found:
                return found
        return []

    def nearest(self, nuclei: str, state: Mapping[str, Any]) -> tuple[xr.Dataset | None, Found]:
        """The finished point nearest to a state, in temperature first; and a `Found` with what the
        place is worth."""
        found = self.points(nuclei)
        if not found:
            return None, Found(reason=f"no finished point with {nuclei} nuclei")
        wanted = {name: float(state[name]) for name in ("temperature", "pressure") if name in state}
        point = min(found, key=lambda p: [abs(p[name].item() - x) for name, x in wanted.items()])
        within = state.get("within", {})
        off = [
            name for name, x in wanted.items()
            if abs(point[name].item() - x) > float(within.get(name, 0.0))
        ]
        return point, Found(place=place_of(point), caveat=caveat_of([point]), elsewhere=bool(off))


Entry = Mapping[str, Any]
#: Functions by their names in paper.yaml.
MEASURES: dict[str, Callable[[Campaign, Entry], Found]] = {}


def measure(function: Callable[[Campaign, Entry], Found]) -> Callable[[Campaign, Entry], Found]:
    """Enter a function into `MEASURES`."""
    MEASURES[function.__name__] = function
    return function


def place_of(point: xr.Dataset) -> str:
    """A point in words."""
    return f"{point.bath.item()}, {point.pressure.item():g} GPa, {point.temperature.item():g} K"


def caveat_of(points: list[xr.Dataset]) -> str:
    """What the verdicts on the bath leave open, if any of the points is not in order."""
    flags = [int(point.quantum_bath_ok) for point in points]
    bad = sum(flag == BATH_OK["not_ok"] for flag in flags)
    open_ = sum(flag == BATH_OK["undetermined"] for flag in flags)
    texts = [
        f"{text} at {n} of {len(flags)}" if len(flags) > 1 else text
        for n, text in ((bad, "not within its limits"), (open_, "undetermined"))
        if n
    ]
    if not texts:
        return ""
    return f"the quantum bath is {' and '.join(texts)}" + " points" * (len(flags) > 1)
