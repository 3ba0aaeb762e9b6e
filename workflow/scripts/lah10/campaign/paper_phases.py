"""The phase diagram and its energies: numbers of the source paper.

Each function is entered by its name, which resources/paper.yaml has (`paper_found.measure`).
"""

from dataclasses import replace

import numpy as np

from lah10.campaign.paper_found import Campaign, Entry, Found, caveat_of, measure, place_of
from lah10.schema import PHASE

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
                 place=place_of(point), caveat=caveat_of([point]))  # fmt: skip


@measure
def lowest_cubic_pressure(campaign: Campaign, entry: Entry) -> Found:
    """Lowest pressure of a cubic point, whatever its temperature."""
    points = campaign.points(entry["nuclei"])
    cubic = [point for point in points if int(point.phase) == PHASE["cubic"]]
    if not cubic:
        return Found(reason="no cubic point" if points else "no finished point")
    point = min(cubic, key=lambda one: one.pressure.item())
    return Found(point.pressure.item(), 0.0, place=place_of(point), caveat=caveat_of([point]))


@measure
def transition_temperature(campaign: Campaign, entry: Entry) -> Found:
    """Temperature between the hottest distorted and the coldest cubic point."""
    points = campaign.points(entry["nuclei"], pressure=entry["pressure"])
    phases = {point.temperature.item(): int(point.phase) for point in points}
    cubic = sorted(t for t, phase in phases.items() if phase == PHASE["cubic"])
    distorted = sorted(t for t, phase in phases.items() if phase == PHASE["distorted"])
    place, caveat = f"{entry['pressure']:g} GPa", caveat_of(points) if points else ""
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
    return Found(cubic / len(known), 0.0, place=place, caveat=caveat_of(known))


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
                   caveat=caveat_of(points))  # fmt: skip


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
                 caveat=caveat_of(points))  # fmt: skip
