"""Protons and pairs of atoms: numbers of the source paper.

Each function is entered by its name, which resources/paper.yaml has (`paper_found.measure`).
"""

from dataclasses import replace

import numpy as np
import xarray as xr

from lah10.campaign.grid import point_folder
from lah10.campaign.paper_found import Campaign, Entry, Found, caveat_of, measure, place_of
from lah10.campaign.paper_potential import atoms
from lah10.io import netcdf

#: Å; La–H pairs nearer than this are of the first shell (the second begins at 3.0 Å).
FIRST_SHELL = 2.65


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
    return Found(h.lindemann.item(), h.lindemann_stderr.item(), place=place_of(point),
                 caveat=caveat_of([point]))  # fmt: skip


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
