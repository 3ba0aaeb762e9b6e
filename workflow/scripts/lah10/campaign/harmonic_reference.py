"""Harmonic expectations beside the measured values on a campaign's grid."""

import json
from pathlib import Path

import numpy as np
import xarray as xr
from ase import Atoms

from lah10.analysis.distortion import at_rest, phase
from lah10.campaign.grid import Grid
from lah10.campaign.history import History
from lah10.config.bath import Bath
from lah10.config.dynamics import TIMESTEP
from lah10.errors import UserError
from lah10.nuclides import NATURAL
from lah10.schema import STATUS

#: What decides on a phase (`lah10.analysis.distortion.phase`).
JUDGED = (
    "theta_deviation", "theta_null", "theta_null_spread", "theta_threshold", "theta_upper",
    "local_distortion", "local_distortion_null", "local_distortion_threshold",
    "local_distortion_upper", "variant_share",
)  # fmt: skip


def add_harmonic(dataset: xr.Dataset, paths: list[Path], history: History) -> xr.Dataset:
    """Harmonic expectations on the campaign's grid; NaN at pressures without a harmonic.nc."""
    from lah10.phonons.expectation import expectation

    bath = _noise(json.loads(dataset.attrs.get("config", "{}")), history.first_path)
    rows = []
    for path in paths:
        if not path.exists():
            raise UserError(f"{path}: no such file; run the harmonic reference again")
        with xr.open_dataset(path) as phonons:
            sha = phonons.attrs.get("potential_sha256")
            if history.first_path is not None and sha != history.first.get("potential_sha256"):
                raise UserError(
                    f"{path}: phonons of the potential {sha}, but {history.first_path} was run "
                    f"with {history.first.get('potential_sha256')}; compute the phonons again"
                )
            ours = history.first.get("isotopes", NATURAL)
            if history.first_path is not None and phonons.attrs.get("isotopes", NATURAL) != ours:
                raise UserError(
                    f"{path}: phonons of isotopes {phonons.attrs.get('isotopes', NATURAL)}, but "
                    f"{history.first_path} was run with {ours}; compute the phonons again"
                )
            found = expectation(
                phonons.load(), list(dataset.bath.values), dataset.temperature.values, **bath
            )
            described = {"units": "degree",
                         "long_name": "theta deviation of R-3m relaxed at the pressure"}
            static = ((), static_deviation(phonons), described)
            rows.append(found.assign(static_theta_deviation=static))
    rows = xr.concat(rows, "pressure").sortby("pressure")
    # A pressure of the grid and its phonons' are the same number, but for the last digit.
    rows = rows.reindex(pressure=dataset.pressure, method="nearest", tolerance=1e-6,
                        fill_value={"harmonic_structure": ""})
    rows = rows.transpose(*Grid.dims, "element", missing_dims="ignore")
    # Without the rows' coordinates, which have no units.
    return dataset.assign(
        {name: (row.dims, row.values, row.attrs) for name, row in rows.data_vars.items()}
    )


def static_deviation(phonons: xr.Dataset) -> float:
    """θ deviation of R-3m at rest at the pressure of a harmonic.nc, degree; NaN in older files."""
    if "distorted_position" not in phonons:
        return np.nan
    return at_rest(Atoms(
        numbers=phonons.distorted_number.values, pbc=True, cell=phonons.distorted_cell.values,
        scaled_positions=phonons.distorted_position.values,
    ))  # fmt: skip


def judge_phases(dataset: xr.Dataset, branch: xr.DataArray | None = None) -> None:
    """Give every point the phase that its numbers say beside those of R-3m at its pressure.

    In place; points without `theta_upper` (of older analyses) keep theirs.

    branch : on the grid, θ deviation of a run that stayed distorted, degree; NaN where there is
        none and that of R-3m at rest counts.
    """
    if "static_theta_deviation" not in dataset and branch is None:
        return
    for index in np.ndindex(dataset.status.shape):
        place = dict(zip(Grid.dims, index, strict=True))
        point = dataset.isel(place)
        if int(point.status) != STATUS["ok"] or not np.isfinite(point.theta_upper):
            continue
        values = {name: point[name].values for name in JUDGED}
        wanted = float(point.get("static_theta_deviation", np.nan))
        if branch is not None and np.isfinite(branch.values[index]):
            wanted = float(branch.values[index])
        flag, reason = phase(values, wanted)
        dataset.phase[place], dataset.phase_reason[place] = flag, reason


def _noise(config: dict, path) -> dict[str, float | str]:
    """What the baths' noise depends on, in 1/ps, THz and ps, as the configuration has it."""
    try:
        bath = Bath.model_validate(config.get("bath", {}))
        timestep = TIMESTEP.validate_python(config.get("dynamics", {}).get("timestep", "0.5 fs"))
    except ValueError as error:  # pydantic's errors are ValueErrors
        raise UserError(
            f"{path}: attribute config has no bath of this version of the workflow "
            f"({' '.join(str(error).split())}); run the point again"
        ) from None
    return {"friction": bath.friction, "cutoff": bath.cutoff, "correction": bath.correction,
            "timestep": 1e-3 * timestep}
