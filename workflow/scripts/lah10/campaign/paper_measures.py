"""What a campaign has for the numbers of the source paper: a function for each kind of number.

A function takes a `Campaign` and an entry of resources/paper.yaml with its options, and gives a
`Found`. Nuclei: "classical", or "quantum" for the best quantum bath of the campaign (`QUANTUM`).
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline

from lah10.analysis import dataset as datasets
from lah10.campaign.grid import point_folder
from lah10.config.structure import ATOMS_IN_CELL
from lah10.crystal.cage import find_cage
from lah10.crystal.structures import read_crystal
from lah10.io import netcdf
from lah10.io.json import read_json
from lah10.schema import BATH_OK, PHASE, STATUS

#: Quantum baths, the best first.
QUANTUM = ("adqtb", "qtb")
#: Å; La–H pairs nearer than this are of the first shell (the second begins at 3.0 Å).
FIRST_SHELL = 2.65


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
        return point, Found(place=_place(point), caveat=_caveat([point]), elsewhere=bool(off))


Entry = Mapping[str, Any]
#: Functions by their names in paper.yaml.
MEASURES: dict[str, Callable[[Campaign, Entry], Found]] = {}


def measure(function: Callable[[Campaign, Entry], Found]) -> Callable[[Campaign, Entry], Found]:
    """Enter a function into `MEASURES`."""
    MEASURES[function.__name__] = function
    return function


def _place(point: xr.Dataset) -> str:
    return f"{point.bath.item()}, {point.pressure.item():g} GPa, {point.temperature.item():g} K"


def _caveat(points: list[xr.Dataset]) -> str:
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


# ---- set-up


@measure
def atoms(campaign: Campaign, entry: Entry) -> Found:
    """Atoms in the campaign's cell."""
    structure = campaign.config.get("structure")
    if not structure:
        return Found(reason="the dataset has no configuration")
    return Found(float(ATOMS_IN_CELL[structure["cell"]] * np.prod(structure["repeat"])), 0.0)


@measure
def grid(campaign: Campaign, entry: Entry) -> Found:
    """An end of the campaign's grid."""
    values = campaign.dataset[entry["of"]].values
    return Found(float(values.min() if entry["end"] == "lowest" else values.max()), 0.0)


@measure
def cage(campaign: Campaign, entry: Entry) -> Found:
    """Atoms, quadrilaterals or hexagons of the cage round a La of the campaign's crystal.

    See `lah10.crystal.cage`.
    """
    structure = campaign.config.get("structure")
    if not structure or not Path(structure["file"]).is_file():
        return Found(reason="the crystal that the campaign started from is not there")
    found = find_cage(read_crystal(structure["file"]))
    count = {"atoms": len(found.positions), "quadrilaterals": len(found.quadrilaterals),
             "hexagons": found.hexagons}[entry["count"]]  # fmt: skip
    return Found(float(count), 0.0)


# ---- the potential


@measure
def training_frames(campaign: Campaign, entry: Entry) -> Found:
    """Frames that the potential learnt from."""
    content = campaign.of_potential("validation.json")
    if isinstance(content, str):
        return Found(reason=content)
    return Found(float(sum(part["frames"] for part in content["training_data"])), 0.0)


@measure
def training_pressure(campaign: Campaign, entry: Entry) -> Found:
    """An end of the range of pressures that the potential learnt from."""
    content = campaign.of_potential("validation.json")
    if isinstance(content, str):
        return Found(reason=content)
    ends = np.array([part["pressure_GPa"] for part in content["training_data"]])
    return Found(float(ends.min() if entry["end"] == "lowest" else ends.max()), 0.0)


@measure
def held_out_error(campaign: Campaign, entry: Entry) -> Found:
    """Largest error among the held-out sources."""
    content = campaign.of_potential("validation.json")
    if isinstance(content, str):
        return Found(reason=content)
    name = max(content["sources"], key=lambda source: content["sources"][source][entry["of"]])
    return Found(float(content["sources"][name][entry["of"]]), 0.0, place=name)


@measure
def lattice_constant(campaign: Campaign, entry: Entry) -> Found:
    """At which pressure the crystal at rest has the paper's lattice constant."""
    content = campaign.of_potential("statics.json")
    if isinstance(content, str):
        return Found(reason=content)
    curve = content["equation_of_state"]
    order = np.argsort(curve["a"])
    a = np.array(curve["a"], float)[order]
    pressure = np.array(curve[f"pressure_{entry['by']}"], float)[order]
    known = np.isfinite(pressure)
    if known.sum() < 4 or not a[known][0] <= entry["value"] <= a[known][-1]:
        return Found(reason="the equation of state does not reach this lattice constant")
    found = float(CubicSpline(a[known], pressure[known])(entry["value"]))
    return Found(reason=f"the paper gives no pressure; ours has this at {found:.0f} GPa")


@measure
def length(campaign: Campaign, entry: Entry) -> Found:
    """A distance in Fm-3m at rest, brought to the paper's lattice constant."""
    content = campaign.of_potential("statics.json")
    if isinstance(content, str):
        return Found(reason=content)
    row, a = content["lengths"][entry["name"]], content["lengths"]["a"]
    value, scale = row[entry["by"]], a[entry["by"]]
    if value is None or scale is None:
        return Found(reason="the potential has no such crystal")
    return Found(value / scale * float(entry["a"]), 0.0, place=f"a = {entry['a']:g} Å")


@measure
def relaxed_angle(campaign: Campaign, entry: Entry) -> Found:
    """The angle farthest from 90° of the crystal that was relaxed without symmetry."""
    content = campaign.of_potential("statics.json")
    if isinstance(content, str):
        return Found(reason=content)
    angles = np.array(content["relaxed"]["angles"])
    return Found(float(angles[np.argmax(abs(angles - 90))]), 0.0)


@measure
def enthalpy_difference(campaign: Campaign, entry: Entry) -> Found:
    """Largest enthalpy at rest of a phase less Fm-3m over a range of pressures, meV/atom."""
    data = campaign.beside("enthalpies.nc")
    if data is None:
        return Found(reason="no enthalpies; run `snakemake enthalpies`")
    if entry["phase"] not in data.phase.values:
        return Found(reason=f"relaxation from symmetry-broken cells found no {entry['phase']}")
    first = data.isel(source=0)
    here = first.sel(phase=entry["phase"], pressure=slice(entry["lowest"], entry["highest"]))
    values, errors = here.enthalpy_difference, here.enthalpy_difference_stderr
    if not values.notnull().any():
        return Found(reason=f"no enthalpy of {entry['phase']} at these pressures")
    i = int(np.nanargmax(values.values))
    return Found(float(values[i]), float(errors[i]),
                 place=f"{data.source.values[0]}, {values.pressure.values[i]:g} GPa")  # fmt: skip


# ---- the phase diagram


@measure
def largest_deviation(campaign: Campaign, entry: Entry) -> Found:
    """Largest max|θ − 90°| of distorted points."""
    at = {"pressure": entry["pressure"]} if "pressure" in entry else {}
    points = [point for point in campaign.points(entry["nuclei"], **at)
              if int(point.phase) == PHASE["distorted"]]  # fmt: skip
    if not points:
        return Found(reason="no distorted point")
    point = max(points, key=lambda one: one.theta_deviation.item())
    return Found(point.theta_deviation.item(), point.theta_deviation_stderr.item(),
                 place=_place(point), caveat=_caveat([point]))  # fmt: skip


@measure
def lowest_cubic_pressure(campaign: Campaign, entry: Entry) -> Found:
    """Lowest pressure of a cubic point, whatever its temperature."""
    points = campaign.points(entry["nuclei"])
    cubic = [point for point in points if int(point.phase) == PHASE["cubic"]]
    if not cubic:
        return Found(reason="no cubic point" if points else "no finished point")
    point = min(cubic, key=lambda one: one.pressure.item())
    return Found(point.pressure.item(), 0.0, place=_place(point), caveat=_caveat([point]))


@measure
def transition_temperature(campaign: Campaign, entry: Entry) -> Found:
    """Temperature between the hottest distorted and the coldest cubic point."""
    points = campaign.points(entry["nuclei"], pressure=entry["pressure"])
    phases = {point.temperature.item(): int(point.phase) for point in points}
    cubic = sorted(t for t, phase in phases.items() if phase == PHASE["cubic"])
    distorted = sorted(t for t, phase in phases.items() if phase == PHASE["distorted"])
    place, caveat = f"{entry['pressure']:g} GPa", _caveat(points) if points else ""
    if not cubic and not distorted:
        return Found(reason=f"no point with a phase at {entry['pressure']:g} GPa")
    if not cubic:
        return Found(distorted[-1], 0.0, "above", place, caveat=caveat)
    if not distorted:
        return Found(cubic[0], 0.0, "below", place, caveat=caveat)
    if distorted[-1] > cubic[0]:
        return Found(reason=f"cubic at {cubic[0]:g} K, distorted at {distorted[-1]:g} K: no order")
    low, high = distorted[-1], cubic[0]
    # Evenly distributed between both.
    return Found((low + high) / 2, (high - low) / np.sqrt(12), None, place, caveat=caveat)


@measure
def boundary_slope(campaign: Campaign, entry: Entry) -> Found:
    """dP/dT of the line of equal free energies; else of the lowest cubic pressures."""
    data = campaign.beside("boundary.nc")
    if data is not None and entry["nuclei"] in data.nuclei.values:
        here = data.isel(potential=0).sel(nuclei=entry["nuclei"])
        if np.isfinite(here.line_slope):
            return Found(here.line_slope.item(), here.line_slope_stderr.item(),
                         place="free energies along the angle")  # fmt: skip
    lowest: dict[float, float] = {}
    for point in campaign.points(entry["nuclei"]):
        if int(point.phase) == PHASE["cubic"]:
            t, p = point.temperature.item(), point.pressure.item()
            lowest[t] = min(p, lowest.get(t, np.inf))
    if len(lowest) < 3:
        return Found(reason="fewer than three temperatures with a cubic point; run "
                     "`snakemake boundary`")  # fmt: skip
    (slope, _), covariance = np.polyfit(list(lowest), list(lowest.values()), 1, cov=True)
    return Found(float(slope), float(np.sqrt(covariance[0, 0])), place="by the grid's phases")


@measure
def volume_jump(campaign: Campaign, entry: Entry) -> Found:
    """|ΔV|/V of both phases where their free energies were compared."""
    data = campaign.beside("boundary.nc")
    if data is None or entry["nuclei"] not in data.nuclei.values:
        return Found(reason="no free energies along the angle; run `snakemake boundary`")
    here = data.isel(potential=0).sel(nuclei=entry["nuclei"])
    jump = (abs(here.delta_v) / here.volume_per_formula.mean("angle")).values
    error = (here.delta_v_stderr / here.volume_per_formula.mean("angle")).values
    known = np.isfinite(jump)
    if not known.any():
        return Found(reason="no state with two phases")
    i = np.flatnonzero(known.ravel())[int(np.argmax(jump[known]))]
    return Found(float(jump.ravel()[i]), float(error.ravel()[i]))


@measure
def cubic_share(campaign: Campaign, entry: Entry) -> Found:
    """Share of the points above a pressure that are cubic, of those with a phase."""
    points = [point for point in campaign.points(entry["nuclei"])
              if point.pressure.item() > entry["above"]]  # fmt: skip
    known = [point for point in points if int(point.phase) != PHASE["undetermined"]]
    if not known:
        return Found(reason="no point with a phase")
    cubic = sum(int(point.phase) == PHASE["cubic"] for point in known)
    open_ = len(points) - len(known)
    place = f"{known[0].bath.item()}, {cubic} of {len(known)} points"
    place += f", {open_} undetermined" if open_ else ""
    return Found(cubic / len(known), 0.0, place=place, caveat=_caveat(known))


# ---- energies


@measure
def energy_over_temperature(campaign: Campaign, entry: Entry) -> Found:
    """Mean over points of the energy per mode over k_B T, weighted by errors."""
    points = campaign.points(entry["nuclei"])
    ratio = np.array([p.energy_per_mode.item() / p.temperature.item() for p in points])
    error = np.array([p.energy_per_mode_stderr.item() / p.temperature.item() for p in points])
    known = np.isfinite(ratio) & (error > 0)
    if not known.any():
        return Found(reason="no energy with an error")
    weight = error[known] ** -2
    mean = np.average(ratio[known], weights=weight)
    # Errors that are too small show in the scatter of the points.
    chi2 = (weight * (ratio[known] - mean) ** 2).sum() / max(known.sum() - 1, 1)
    return Found(float(mean), float(weight.sum() ** -0.5 * max(1.0, np.sqrt(chi2))),
                 place=f"{known.sum()} points")  # fmt: skip


@measure
def coldest_energy(campaign: Campaign, entry: Entry) -> Found:
    """Energy per mode at the lowest temperature, mean over pressures, in which it spreads."""
    _, found = campaign.nearest(entry["nuclei"], entry["state"])
    points = campaign.points(entry["nuclei"])
    if not points:
        return found
    coldest = min(point.temperature.item() for point in points)
    points = [point for point in points if point.temperature.item() == coldest]
    values = np.array([point.energy_per_mode.item() for point in points])
    errors = np.array([point.energy_per_mode_stderr.item() for point in points])
    known = np.isfinite(values)
    if not known.any():
        return Found(reason="no energy")
    spread = values[known].std(ddof=1) / np.sqrt(known.sum()) if known.sum() > 1 else 0.0
    error = np.hypot(np.sqrt((errors[known] ** 2).sum()) / known.sum(), spread)
    pressures = [point.pressure.item() for point in points]
    place = (f"{points[0].bath.item()}, {coldest:g} K, mean of {min(pressures):g} to "
             f"{max(pressures):g} GPa; the paper gives no pressure")  # fmt: skip
    return replace(found, value=float(values[known].mean()), error=float(error), place=place,
                   caveat=_caveat(points))  # fmt: skip


@measure
def zero_point_slope(campaign: Campaign, entry: Entry) -> Found:
    """Slope of the zero-point temperature by the response with pressure, at the lowest T."""
    points = campaign.points(entry["nuclei"])
    if not points:
        return Found(reason="no finished point with quantum nuclei")
    coldest = min(point.temperature.item() for point in points)
    points = [point for point in points if point.temperature.item() == coldest]
    name = "zero_point_temperature_deconvolved"
    rows = np.array([[p.pressure.item(), p[name].item(), p[f"{name}_stderr"].item()]
                     for p in points if name in p])  # fmt: skip
    rows = rows[np.isfinite(rows).all(axis=1)] if len(rows) else rows
    if len(rows) < 2:
        return Found(reason="fewer than two pressures with a value and its error")
    pressure, value, error = rows.T
    (slope, _), covariance = np.polyfit(pressure, value, 1, w=1 / error, cov="unscaled")
    place = f"{points[0].bath.item()}, {coldest:g} K, {len(rows)} pressures"
    return Found(float(slope), float(np.sqrt(covariance[0, 0])), None, place,
                 caveat=_caveat(points))  # fmt: skip


# ---- protons


def _file(campaign: Campaign, point: xr.Dataset, name: str) -> xr.Dataset | None:
    folder = point_folder(campaign.folder / "points", point.bath.item(), point.pressure.item(),
                          point.temperature.item())  # fmt: skip
    path = folder / name
    return netcdf.read(path, name, "analyse the point again") if path.is_file() else None


@measure
def share_without_hop(campaign: Campaign, entry: Entry) -> Found:
    """Share of the protons that never hopped."""
    point, found = campaign.nearest(entry["nuclei"], entry["state"])
    if point is None:
        return found
    data = _file(campaign, point, "diffusion.nc")
    if data is None or "hop_atom" not in data:
        return replace(found, reason=f"no list of hops at {found.place}; analyse the point again")
    size = atoms(campaign, entry)
    if size.reason:
        return size
    protons = size.value * 10 / 11
    movers = len(np.unique(data.hop_atom.values))
    error = max(np.sqrt(movers), 1.0) / protons
    return replace(found, value=1 - movers / protons, error=float(error))


@measure
def exchanges(campaign: Campaign, entry: Entry) -> Found:
    """Events of exchange or hop of an element."""
    point, found = campaign.nearest(entry["nuclei"], entry["state"])
    if point is None:
        return found
    events = point.get("exchange_events")
    if events is None or not np.isfinite(events.sel(element=entry["element"])):
        return replace(found, reason=f"events were not counted at {found.place}")
    return replace(found, value=events.sel(element=entry["element"]).item(), error=0.0)


@measure
def diffusion(campaign: Campaign, entry: Entry) -> Found:
    """D of H (cm²/s), or the bare slope in its unit; a limit where too few exchanged."""
    point, found = campaign.nearest(entry["nuclei"], entry["state"])
    if point is None:
        return found
    proton = point.sel(element="H")
    factor = 6.0 if entry.get("slope") else 1.0
    limit = float(proton.get("diffusion_limit", np.nan))
    if np.isfinite(limit):
        return replace(found, value=factor * limit, error=0.0, bound="below")
    value, error = proton.diffusion.item(), proton.diffusion_stderr.item()
    if np.isnan(value):
        return replace(found, reason=f"no diffusion coefficient at {found.place}")
    return replace(found, value=factor * value, error=factor * error)


@measure
def displacement(campaign: Campaign, entry: Entry) -> Found:
    """MSD of H at a time (ps); the last one of a shorter run has no verdict."""
    point, found = campaign.nearest(entry["nuclei"], entry["state"])
    if point is None:
        return found
    data = _file(campaign, point, "diffusion.nc")
    if data is None or not data.msd.notnull().any():
        return replace(found, reason=f"no mean square displacement at {found.place}")
    h = data.sel(element="H")
    last = float(data.time[-1])
    if last < 0.99 * entry["time"]:
        return replace(found, reason=f"{found.place} reaches {last:.2g} ps "
                       f"({float(h.msd[-1]):.2g} Å²) and not {entry['time']:g} ps")  # fmt: skip
    near = h.sel(time=entry["time"], method="nearest")
    return replace(found, value=near.msd.item(), error=near.msd_stderr.item())


@measure
def slope(campaign: Campaign, entry: Entry) -> Found:
    """Slope of a displacement (Å²/ps)."""
    point, found = campaign.nearest(entry["nuclei"], entry["state"])
    if point is None:
        return found
    name = entry["of"]
    value, error = point[name], point[f"{name}_stderr"]
    if "element" in entry:
        value, error = value.sel(element=entry["element"]), error.sel(element=entry["element"])
    if not np.isfinite(value):
        return replace(found, reason=f"no slope at {found.place}")
    return replace(found, value=value.item(), error=error.item())


@measure
def lindemann(campaign: Campaign, entry: Entry) -> Found:
    """Largest Lindemann ratio of H, at the lowest temperature."""
    points = campaign.points(entry["nuclei"])
    if not points:
        return Found(reason="no finished point with quantum nuclei")
    coldest = min(point.temperature.item() for point in points)
    point = max((p for p in points if p.temperature.item() == coldest),
                key=lambda one: one.lindemann.sel(element="H").item())  # fmt: skip
    h = point.sel(element="H")
    return Found(h.lindemann.item(), h.lindemann_stderr.item(), place=_place(point),
                 caveat=_caveat([point]))  # fmt: skip


# ---- pairs


def _shells(campaign: Campaign, entry: Entry) -> tuple[dict[str, xr.Dataset], Found]:
    """g(r) of La–H with classical and with quantum nuclei at one state."""
    point, found = campaign.nearest("quantum", entry["state"])
    if point is None:
        return {}, found
    classical = campaign.points("classical", pressure=point.pressure.item(),
                                temperature=point.temperature.item())  # fmt: skip
    if not classical:
        return {}, replace(found, reason=f"no classical point at {found.place}")
    curves = {"quantum": _file(campaign, point, "correlations.nc"),
              "classical": _file(campaign, classical[0], "correlations.nc")}  # fmt: skip
    if any(curve is None for curve in curves.values()):
        return {}, replace(found, reason=f"no g(r) at {found.place}")
    return {name: curve.sel(pair="La-H") for name, curve in curves.items()}, found


def _moments(curve: xr.Dataset) -> np.ndarray:
    """Mean and rms width (Å) of the first shell and their errors, from g ± its error."""
    near = curve.r.values < FIRST_SHELL
    r, g, error = curve.r.values[near], curve.g.values[near], curve.g_stderr.values[near]
    weight = r**2

    def moments(g: np.ndarray) -> np.ndarray:
        total = (g * weight).sum()
        mean = (g * weight * r).sum() / total
        return np.array([mean, np.sqrt((g * weight * (r - mean) ** 2).sum() / total)])

    central = moments(g)
    # Bins are taken as independent; derivatives by steps of each bin's error.
    steps = np.array([moments(g + np.where(np.arange(len(g)) == i, error[i], 0.0)) - central
                      for i in range(len(g))])  # fmt: skip
    return np.array([central, np.sqrt((steps**2).sum(axis=0))])


@measure
def pair_peak(campaign: Campaign, entry: Entry) -> Found:
    """Highest value of the classical g(La–H)."""
    curves, found = _shells(campaign, entry)
    if not curves:
        return found
    curve = curves["classical"]
    i = int(np.argmax(curve.g.values))
    return replace(found, value=float(curve.g[i]), error=float(curve.g_stderr[i]), caveat="",
                   place=found.place.replace(found.place.split(",")[0], "classical"))  # fmt: skip


@measure
def shell_shift(campaign: Campaign, entry: Entry) -> Found:
    """Mean distance of the first La–H shell with quantum nuclei less that with classical ones."""
    curves, found = _shells(campaign, entry)
    if not curves:
        return found
    quantum, classical = _moments(curves["quantum"]), _moments(curves["classical"])
    return replace(found, value=float(quantum[0, 0] - classical[0, 0]),
                   error=float(np.hypot(quantum[1, 0], classical[1, 0])))  # fmt: skip


@measure
def shell_width(campaign: Campaign, entry: Entry) -> Found:
    """Width of the first La–H shell with quantum nuclei over that with classical ones."""
    curves, found = _shells(campaign, entry)
    if not curves:
        return found
    quantum, classical = _moments(curves["quantum"]), _moments(curves["classical"])
    ratio = quantum[0, 1] / classical[0, 1]
    error = ratio * np.hypot(quantum[1, 1] / quantum[0, 1], classical[1, 1] / classical[0, 1])
    return replace(found, value=float(ratio), error=float(error))
