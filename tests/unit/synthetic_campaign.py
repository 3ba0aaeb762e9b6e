"""Made-up campaigns with the schema of real ones, to test merging and drawing without any MD."""

import json
from pathlib import Path

import numpy as np
import xarray as xr

from lah10 import ELEMENTS
from lah10.campaign.grid import point_folder
from lah10.config.quantities import canonical
from lah10.schema import (
    BATH_OK,
    FLAGS,
    PHASE,
    RINGS,
    STATUS,
    SUMMARY,
    VARIANTS,
    WYCKOFF,
    measured,
    uncertainty,
)

CONFIG = {
    "campaign": "made-up",
    "baths": ["classical", "qtb"],
    "pressure": {"unit": "GPa", "values": ["100", "150", "200"]},
    "temperature": {"unit": "K", "values": ["100", "200", "300"]},
    "bath": {"friction": "10 /ps", "cutoff": "200 THz"},
    "dynamics": {"timestep": "0.5 fs", "produce": "3 ps"},
    "seed": 1,
}
SIZES = {"element": 2, "variant": 5, "ring": 5, "wyckoff": 2}


def values(bath: str, pressure: float, temperature: float) -> dict[str, np.ndarray | float]:
    """Plausible values: classical crystals distorted below a line in the P-T plane, quantum not."""
    rng = np.random.default_rng(abs(hash((bath == "qtb", pressure, temperature))) % 2**32)
    distance = (250.0 - temperature) - 3.0 * (pressure - 150.0)
    distorted = bath == "classical" and distance > 0
    deviation = (0.8 + 0.9 * distance / 350.0 if distorted else 0.0) + abs(rng.normal(0.1, 0.05))
    zero_point = 820.0 + 1.1 * (pressure - 150.0)
    quantum = np.hypot(zero_point, 0.6 * temperature)
    energy = temperature if bath == "classical" else quantum
    result: dict[str, np.ndarray | float] = {}
    for name, (dims, _, _) in SUMMARY.items():
        shape = tuple(SIZES[dim] for dim in dims)
        # Nothing γ-deconvolved: figures and tables do without.
        known = "deconvolved" not in name
        result[name] = rng.uniform(0.5, 1.5, shape) if known else np.full(shape, np.nan)
        result[uncertainty(name)] = np.full(shape, 0.02)
    result |= {
        "theta_deviation": deviation, "theta_deviation_stderr": 0.06,
        "theta_large": 90.0 + deviation, "theta_large_stderr": 0.06,
        "theta_small": 90.0 - 0.9 * deviation, "theta_small_stderr": 0.06,
        "theta_null": 0.15, "theta_null_spread": 0.05, "theta_threshold": 0.35,
        "energy_per_mode": energy, "energy_per_mode_stderr": 8.0,
        "kinetic_temperature_mean": 1.03 * energy, "kinetic_temperature_mean_stderr": 6.0,
        "zero_point_temperature": zero_point + (10.0 if bath == "classical" else 0.0),
        "zero_point_temperature_stderr": 7.0,
        "exchange_events": np.array([0.0, 24.0]),
        "diffusion_limit": np.full(2, np.nan), "diffusion": np.array([1e-8, 1.3e-6]),
        "diffusion_stderr": np.array([2e-8, 3e-7]),
        "phase": PHASE["distorted" if distorted else "cubic"],
        "quantum_bath_ok": BATH_OK["not_applicable" if bath == "classical" else "not_ok"],
        "status": STATUS["ok"],
    }
    return result


def write_point(points: Path, bath: str, pressure, temperature, status: str = "ok",
                config: dict | None = None, potential: str = "a" * 64, **changes) -> Path:
    """summary.nc, diffusion.nc and correlations.nc of one point; returns the summary's path."""
    folder = point_folder(points, bath, pressure, temperature)
    folder.mkdir(parents=True, exist_ok=True)
    content = values(bath, float(pressure), float(temperature)) | changes
    if status != "ok":
        content = {name: value if name in FLAGS else np.full(np.shape(value), np.nan)
                   for name, value in content.items()}
        content |= {"status": STATUS[status], "phase": PHASE["undetermined"]}
    variables = {}
    for name, value in content.items():
        if name in FLAGS:
            variables[name] = ((), np.int8(value))
            continue
        dims, units, long_name = SUMMARY[measured(name)]
        variables[name] = (dims, value, {"units": units, "long_name": long_name})
    attrs = {
        "status": status, "status_message": "" if status == "ok" else f"{status} at 1.2 ps",
        "campaign": "made-up", "seed": 1, "potential": "made-up.pb", "potential_sha256": potential,
        "config": json.dumps(config or CONFIG), "versions": json.dumps({"lammps": "22 Jul 2025"}),
        "fingerprint": f"{bath}-{canonical(pressure)}-{canonical(temperature)}",
        "wall_seconds": 12.5, "ps_per_hour": 900.0,
    }
    coordinates = {"bath": bath, "pressure": float(pressure), "temperature": float(temperature),
                   "element": list(ELEMENTS), "variant": list(VARIANTS),
                   "ring": list(RINGS), "wyckoff": list(WYCKOFF)}
    xr.Dataset(variables, coordinates, attrs).to_netcdf(folder / "summary.nc")
    if status == "ok":
        diffusion(bath).to_netcdf(folder / "diffusion.nc")
        correlations(bath).to_netcdf(folder / "correlations.nc")
    return folder / "summary.nc"


def diffusion(bath: str) -> xr.Dataset:
    """MSD curves with a slope for H in the quantum bath and a plateau for the rest."""
    time = np.linspace(0.0, 1.5, 76)
    plateau = 1 - np.exp(-time / 0.02)
    hydrogen = (0.25 if bath != "classical" else 0.05) * plateau
    hydrogen = hydrogen + (0.08 * time if bath != "classical" else 0.0)
    msd = np.stack([0.006 * plateau, hydrogen])
    reordered = (0.24 if bath != "classical" else 0.05) * plateau
    return xr.Dataset(
        {"msd": (("element", "time"), msd), "msd_stderr": (("element", "time"), 0.05 * msd),
         "reordered_msd": ("time", reordered), "reordered_msd_stderr": ("time", 0.03 * reordered)},
        {"element": list(ELEMENTS), "time": time})


def correlations(bath: str) -> xr.Dataset:
    """g(r) of two La-H shells, broader with quantum nuclei."""
    r = np.linspace(0.01, 5.0, 500)
    width = 0.16 if bath != "classical" else 0.07
    lah = sum(height * np.exp(-0.5 * ((r - centre) / width) ** 2) / width
              for centre, height in ((2.05, 0.8), (3.7, 0.45), (4.4, 0.4)))
    g = np.stack([np.ones_like(r), lah, np.ones_like(r)])
    return xr.Dataset({"g": (("pair", "r"), g), "g_stderr": (("pair", "r"), 0.05 * g)},
                      {"pair": ["La-La", "La-H", "H-H"], "r": r})


def write_campaign(points: Path, baths=("classical", "qtb"), pressures=(100, 150, 200),
                   temperatures=(100, 200, 300), failed: dict | None = None,
                   missing=()) -> list[tuple[str, object, object, Path]]:
    """A whole campaign; `failed` maps (bath, P, T) to a status. Returns what `merge` takes."""
    summaries = []
    for bath in baths:
        for pressure in pressures:
            for temperature in temperatures:
                point = (bath, pressure, temperature)
                if point in missing:
                    path = point_folder(points, *point) / "summary.nc"
                else:
                    path = write_point(points, *point, status=(failed or {}).get(point, "ok"))
                summaries.append((*point, path))
    return summaries
