"""The dataset of a campaign: the summaries of its points on one (bath, pressure, temperature) grid.

Every variable of `VARIABLES` is in the dataset, whatever happened to the points: a point that
failed or is missing holds NaN, and `status` (a CF flag) says why.
"""

import datetime
import json
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from lah10 import ELEMENTS, __version__
from lah10.config.bath import Bath
from lah10.config.dynamics import TIMESTEP
from lah10.config.quantities import canonical
from lah10.errors import UserError
from lah10.io.files import atomic_path

#: Order of the baths along the `bath` dimension.
BATHS = ("classical", "qtb", "adqtb", "pimd")

#: ⟨111⟩ axes that the rhombohedral distortion of a cage can choose, and none of them.
VARIANTS = ("111", "-111", "1-11", "11-1", "none")

#: Why a point holds no numbers.
STATUS = {"ok": 0, "missing": 1, "lost_atoms": 2, "nan": 3, "volume": 4, "temperature": 5,
          "too_short": 6, "crashed": 7}

PHASE = {"undetermined": -1, "cubic": 0, "distorted": 1}

#: Verdict of `lah10.analysis.diagnostics`; the attribute quantum_bath_reason says why.
BATH_OK = {"not_applicable": -1, "not_ok": 0, "ok": 1, "undetermined": 2}

#: Verdict of `lah10.analysis.diagnostics` on where the potential was used.
EXTRAPOLATION = {"not_asked": -1, "inside": 0, "outside": 1}

FLAGS = {"status": STATUS, "phase": PHASE, "quantum_bath_ok": BATH_OK,
         "extrapolation": EXTRAPOLATION}

#: What the flags tell.
MEANINGS = {
    "status": "outcome of the point",
    "phase": "phase by the distortion angle",
    "quantum_bath_ok": "whether the quantum bath did what it should",
    "extrapolation": "whether the committee disagrees as it does beyond its data",
}

#: Measured variables: dimensions of one point's value, units, long name. A standard error
#: `<name>_stderr` goes with each. Temperatures of energies are E/k_B.
VARIABLES = {
    "theta_large": ((), "degree", "largest class mean of the distortion angle"),
    "theta_small": ((), "degree", "smallest class mean of the distortion angle"),
    "theta_deviation": ((), "degree", "largest deviation of the distortion angle from 90 degree"),
    "theta_null": ((), "degree", "deviation expected of a cubic crystal with the same noise"),
    "theta_centres_large": ((), "degree", "largest class mean of the angle between the lines from "
                            "La to the quadrilateral centres"),
    "theta_centres_small": ((), "degree", "smallest class mean of the angle between the lines from "
                            "La to the quadrilateral centres"),
    "corner_angle_large": ((), "degree", "largest mean corner angle of the quadrilaterals"),
    "corner_angle_small": ((), "degree", "smallest mean corner angle of the quadrilaterals"),
    "cell_angle_alpha": ((), "degree", "mean cell angle alpha"),
    "cell_angle_beta": ((), "degree", "mean cell angle beta"),
    "cell_angle_gamma": ((), "degree", "mean cell angle gamma"),
    "local_distortion": ((), "degree", "mean distortion of a cage within a time window"),
    "local_distortion_null": ((), "degree", "local distortion expected of cubic cages with the "
                              "same noise"),
    "variant_share": (("variant",), "1", "share of the cages in each rhombohedral variant"),
    "volume_per_formula": ((), "angstrom3", "volume per formula unit LaH10"),
    "energy_per_mode": ((), "K", "energy above the static crystal per mode, (E - E_static)/3N k_B"),
    "kinetic_temperature": (("element",), "K", "kinetic temperature by element"),
    "kinetic_temperature_mean": ((), "K", "kinetic temperature of all atoms"),
    "zero_point_temperature": ((), "K", "zero-point energy per mode over k_B, from the vibrational "
                               "density of states"),
    "cell_temperature": ((), "K", "effective temperature of the cell's degrees of freedom"),
    "diffusion": (("element",), "cm2 s-1", "diffusion coefficient by Einstein's relation, "
                  "slope/6; the dynamics of a quantum thermal bath is approximate"),
    "msd_slope": (("element",), "angstrom2 ps-1", "slope of the mean square displacement"),
    "reordered_msd": ((), "angstrom2", "plateau of the mean square displacement of H minimised "
                      "over permutations"),
    "reordered_msd_slope": ((), "angstrom2 ps-1", "slope of the reordered mean square "
                            "displacement of H"),
    "lindemann": (("element",), "1", "rms displacement from the site over the nearest-neighbour "
                  "distance"),
    "model_deviation": ((), "eV angstrom-1", "largest force deviation of an atom within the "
                        "committee, mean over the run"),
    "fdt_deviation": (("element",), "1", "deviation from the quantum fluctuation-dissipation "
                      "theorem"),
    "equilibration_time": ((), "ps", "equilibration detected inside the production run"),
}

#: Variables whose `_stderr` is the spread of single values, not the error of their mean.
SPREADS = {"theta_null", "theta_beads_null", "theta_centroid_null"}


def error_name(name: str, long_name: str) -> str:
    """Long name of `<name>_stderr`, where `long_name` is the variable's own."""
    if name in SPREADS:
        return f"spread over bootstrap samples, not the error of their mean: {long_name}"
    return f"standard error: {long_name}"


#: Attributes of a point that become variables of the grid: type, units, long name.
PROVENANCE = {
    "wall_seconds": (float, "s", "wall time of the production run"),
    "ps_per_hour": (float, "ps h-1", "speed of the production run"),
    "fingerprint": (str, "1", "fingerprint of the point's parameters and potential"),
    "status_message": (str, "1", "what stopped the run"),
    "quantum_bath_reason": (str, "1", "why quantum_bath_ok is not ok"),
}

#: Keys of the configuration in which the points of one campaign may differ: the grid itself, and
#: what has no part in a point's numbers (the potential is compared by its SHA-256).
FREE_KEYS = {"campaign", "baths", "pressure", "temperature", "potential", "training",
             "keep_trajectories", "pimd"}

#: Keys of `bath`, and the baths whose points do not depend on them.
FREE_BATH_KEYS = {
    "correction": {"classical"}, "shift_pressure": {"classical"},
    "adaptation": {"classical", "qtb"}, "adaptation_rate": {"classical", "qtb"},
}

THETA_DEFINITION = (
    "theta: angle between the outward normals of adjacent quadrilaterals (the six square faces "
    "of 32f H atoms, least-squares planes) of the cage round each La, averaged over time and over "
    "cages by orientation class (12 adjacent pairs, 6 classes, inversion pairs together). "
    "theta_large and theta_small are the largest and smallest class mean, "
    "theta_deviation = max|theta - 90 degree|, theta_null its expectation for a cubic crystal "
    "with the same noise (block bootstrap), "
    "theta_null_stderr the spread of that maximum. The source paper (DP + QTB molecular dynamics "
    "of LaH10, section III B) says only 'the angle between the quadrilaterals in the cage "
    "structure'; the averaging, the classes and the null are definitions of this project. "
)


def point_folder(points: str | os.PathLike, bath: str, pressure, temperature) -> Path:
    """Folder of a point: <points>/<bath>/P<GPa>_T<K>."""
    return Path(points) / bath / f"P{canonical(pressure)}_T{canonical(temperature)}"


def significance(dataset: xr.Dataset) -> xr.DataArray:
    """Distance of the θ deviation from the cubic null in units of the null's spread.

    The null is the largest of six noisy class means already, so its spread alone is the yardstick;
    a point is called distorted above 3. NaN where either is NaN.
    """
    return (dataset.theta_deviation - dataset.theta_null) / dataset.theta_null_stderr


def merge(
    summaries: Iterable[Sequence],
    output: str | os.PathLike,
    attrs: dict | None = None,
    harmonic: Iterable[str | os.PathLike] = (),
) -> xr.Dataset:
    """Merge the summaries of a campaign's points into one compressed netCDF-4 dataset.

    Points are read one after another and only their few numbers are kept, so the memory does not
    grow with what a point holds.

    Parameters
    ----------
    summaries : iterable of (bath, pressure, temperature, path)
        Pressure in GPa and temperature in K (text or number). A `path` that is None or does not
        exist makes a missing point. The grid is the full product of the values that occur.
    output : path
        phase_diagram.nc; appears whole.
    attrs : dict, optional
        Global attributes; dictionaries and lists are written as JSON. What the points carry
        (configuration, versions, potential, seed) is added.
    harmonic : iterable of paths
        harmonic.nc files (`lah10.phonons.harmonic`), one a pressure; adds the variables of
        `lah10.phonons.harmonic.expectation`, empty at pressures without a file.

    Returns
    -------
    xarray.Dataset
        What was written.

    Raises
    ------
    UserError
        No points; a point given twice; a file that is no summary or belongs to another point;
        points run with different potentials or parameters; an unknown bath.
    """
    points = [(bath, canonical(p), canonical(t), path) for bath, p, t, path in summaries]
    if not points:
        raise UserError("phase diagram: no points to merge; the campaign's grid is empty")
    unknown = sorted({point[0] for point in points} - set(BATHS))
    if unknown:
        raise UserError(f"phase diagram: unknown bath {unknown[0]!r}; known are {', '.join(BATHS)}")
    baths = [bath for bath in BATHS if bath in {point[0] for point in points}]
    pressures = sorted({point[1] for point in points}, key=float)
    temperatures = sorted({point[2] for point in points}, key=float)

    grid = _Grid(baths, pressures, temperatures)
    history = _History()
    seen = set()
    for bath, pressure, temperature, path in points:
        if (bath, pressure, temperature) in seen:
            raise UserError(
                f"phase diagram: point {bath} {pressure} GPa {temperature} K is given twice"
            )
        seen.add((bath, pressure, temperature))
        if path is None or not Path(path).exists():
            continue
        with _open_summary(path) as summary:
            _check_identity(summary, bath, pressure, temperature, path)
            history.add(summary.attrs, path)
            grid.put((bath, pressure, temperature), summary, path)

    dataset = grid.dataset()
    dataset.attrs = _global_attributes(history, attrs or {})
    harmonic = [Path(path) for path in harmonic]
    if harmonic:
        dataset = _add_harmonic(dataset, harmonic, history)
    _write(dataset, output)
    return dataset


class _Grid:
    """Arrays over (bath, pressure, temperature) that are filled point by point."""

    dims = ("bath", "pressure", "temperature")

    def __init__(self, baths: list[str], pressures: list[str], temperatures: list[str]):
        self.axes = (baths, pressures, temperatures)
        self.shape = tuple(len(axis) for axis in self.axes)
        self.extra = {"element": np.array(ELEMENTS), "variant": np.array(VARIANTS)}
        self.variables: dict[str, tuple[tuple[str, ...], np.ndarray, dict]] = {}
        for name, (dims, units, long_name) in VARIABLES.items():
            self._define(name, dims, {"units": units, "long_name": long_name})
            self._define(f"{name}_stderr", dims,
                         {"units": units, "long_name": error_name(name, long_name)})
        for name, flags in FLAGS.items():
            fill = STATUS["missing"] if name == "status" else -1
            self.variables[name] = (
                self.dims,
                np.full(self.shape, fill, np.int8),
                {"long_name": MEANINGS[name],
                 "units": "1",
                 "flag_values": np.array(list(flags.values()), np.int8),
                 "flag_meanings": " ".join(flags)},
            )
        for name, (kind, units, long_name) in PROVENANCE.items():
            data = np.full(self.shape, np.nan) if kind is float else np.full(self.shape, "", object)
            self.variables[name] = (self.dims, data, {"units": units, "long_name": long_name})

    def _define(self, name: str, dims: tuple[str, ...], attributes: dict) -> None:
        shape = self.shape + tuple(len(self.extra[dim]) for dim in dims)
        self.variables[name] = (self.dims + dims, np.full(shape, np.nan), attributes)

    def put(self, point: tuple[str, str, str], summary: xr.Dataset, path) -> None:
        index = tuple(axis.index(value) for axis, value in zip(self.axes, point, strict=True))
        for name, variable in summary.data_vars.items():
            for dim in variable.dims:
                self._check_dimension(dim, summary, path)
            if name in FLAGS:
                value = variable.item()
                if np.isfinite(value):  # a flag that was given a fill value comes back as NaN
                    self.variables[name][1][index] = value
                continue
            if not np.issubdtype(variable.dtype, np.number):
                continue  # notes of one point, not numbers on the grid
            if name not in self.variables:
                self._define(name, variable.dims, dict(variable.attrs))
            dims, data, attributes = self.variables[name]
            point_dims = dims[len(self.dims):]
            if set(point_dims) != set(variable.dims):
                raise UserError(
                    f"{path}: {name} has dimensions {variable.dims}, not {point_dims} like the "
                    "other points; analyse the point again"
                )
            data[index] = variable.transpose(*point_dims).values
            attributes.update(variable.attrs)
        for name, (kind, _, _) in PROVENANCE.items():
            if name in summary.attrs:
                self.variables[name][1][index] = kind(summary.attrs[name])

    def _check_dimension(self, dim: str, summary: xr.Dataset, path) -> None:
        labels = summary[dim].values.astype(str) if summary[dim].dtype.kind in "OUST" \
            else summary[dim].values
        known = self.extra.setdefault(dim, labels)
        if not np.array_equal(known, labels):
            raise UserError(
                f"{path}: dimension {dim} is {list(labels)}, not {list(known)} like the other "
                "points; analyse the point again"
            )

    def dataset(self) -> xr.Dataset:
        baths, pressures, temperatures = self.axes
        coordinates = {
            "bath": ("bath", np.array(baths, dtype=object), {"long_name": "thermal bath"}),
            "pressure": ("pressure", np.array(pressures, float),
                         {"units": "GPa", "long_name": "pressure"}),
            "temperature": ("temperature", np.array(temperatures, float),
                            {"units": "K", "long_name": "temperature"}),
        }
        names = {"element": "chemical element",
                 "variant": "axis of the rhombohedral distortion, cubic frame"}
        for dim, labels in self.extra.items():
            labels = labels.astype(object) if labels.dtype.kind == "U" else labels
            coordinates[dim] = (dim, labels, {"long_name": names.get(dim, dim)})
        return xr.Dataset(self.variables, coordinates)


class _History:
    """What all points must share (potential, parameters) and what is recorded of them."""

    def __init__(self):
        self.first: dict = {}
        self.first_path = None
        self.config: dict | None = None
        self.bath_config: dict = {}
        self.versions: dict[str, list[str]] = {}

    def add(self, attrs: dict, path) -> None:
        config = _parameters(attrs.get("config"), path)
        bath_config = {key: value for key, value in config.pop("bath", {}).items()
                       if attrs.get("bath") not in FREE_BATH_KEYS.get(key, ())}
        if self.first_path is None:
            self.first, self.first_path, self.config = dict(attrs), path, config
        ours, theirs = self.first.get("potential_sha256"), attrs.get("potential_sha256")
        if ours != theirs:
            raise UserError(
                f"{path}: was run with the potential {theirs}, but {self.first_path} with {ours}; "
                "one campaign has one potential: run these points again, or name another campaign"
            )
        # A key of the bath counts from the first point that depends on it.
        self.bath_config = bath_config | self.bath_config
        known = {key: self.bath_config[key] for key in bath_config}
        different = sorted([*_different(self.config, config),
                            *_different(known, bath_config, "bath")])
        if different:
            key, ours, theirs = different[0]
            raise UserError(
                f"{path}: was run with {key} = {theirs}, but {self.first_path} with {ours}; one "
                "campaign has one set of parameters: run these points again, or name another "
                "campaign"
            )
        for name, version in json.loads(attrs.get("versions") or "{}").items():
            known = self.versions.setdefault(name, [])
            if str(version) not in known:
                known.append(str(version))


def _parameters(text: str | None, path) -> dict:
    """Configuration of a point without the keys in which points may differ."""
    try:
        config = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: attribute config is no JSON ({error}); run the point again") \
            from None
    return {key: value for key, value in config.items() if key not in FREE_KEYS}


def _different(ours, theirs, prefix: str = "") -> Iterable[tuple[str, str, str]]:
    """(dotted key, our value, their value) wherever two nested dictionaries differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in ours.keys() | theirs.keys():
            dotted = f"{prefix}.{key}" if prefix else key
            yield from _different(ours.get(key), theirs.get(key), dotted)
    elif ours != theirs:
        yield prefix, json.dumps(ours), json.dumps(theirs)


def _open_summary(path) -> xr.Dataset:
    try:
        return xr.load_dataset(path, engine="netcdf4", decode_times=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: cannot be read as a point's summary ({error}); delete it and run the "
            "analysis again"
        ) from None


def _check_identity(summary: xr.Dataset, bath: str, pressure: str, temperature: str, path) -> None:
    for name, expected in (("bath", bath), ("pressure", pressure), ("temperature", temperature)):
        if name not in summary.coords:
            raise UserError(f"{path}: has no coordinate {name}; this is no summary of a point")
        found = summary[name].item()
        same = found == expected if name == "bath" else float(found) == float(expected)
        if not same:
            raise UserError(
                f"{path}: belongs to {name} {found}, not {expected}; it was copied or moved, "
                "analyse the point again"
            )


def _global_attributes(history: _History, attrs: dict) -> dict:
    first = history.first
    if history.first_path is not None and "potential_sha256" in attrs \
            and attrs["potential_sha256"] != first.get("potential_sha256"):
        raise UserError(
            f"{history.first_path}: was run with the potential {first.get('potential_sha256')}, "
            f"but the campaign's is {attrs['potential_sha256']} now; run the points again, or name "
            "another campaign"
        )
    versions = {name: found[0] if len(found) == 1 else found
                for name, found in history.versions.items()}
    versions |= {"lah10": __version__, "xarray": xr.__version__, "numpy": np.__version__,
                 "python": platform.python_version()}
    result = {
        "Conventions": "CF-1.11",
        "title": "Phase diagram of LaH10 from molecular dynamics with classical and quantum "
                 "thermal baths",
        "source": "molecular dynamics with a deep potential; quantum thermal bath: Dammak et al., "
                  "Phys. Rev. Lett. 103, 190601 (2009)",
        "theta_definition": THETA_DEFINITION.strip(),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": versions,
    }
    for key in ("campaign", "config", "potential", "potential_sha256", "seed"):
        if key in first:
            result[key] = first[key]
    result |= {key: value for key, value in attrs.items() if value is not None}
    return {key: json.dumps(value, sort_keys=True) if isinstance(value, dict | list | tuple)
            else value for key, value in result.items()}


def _add_harmonic(dataset: xr.Dataset, paths: list[Path], history: _History) -> xr.Dataset:
    """Harmonic expectations on the campaign's grid; NaN at pressures without a harmonic.nc."""
    from lah10.phonons.harmonic import expectation

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
            rows.append(expectation(
                phonons.load(), list(dataset.bath.values), dataset.temperature.values, **bath
            ))
    rows = xr.concat(rows, "pressure").sortby("pressure")
    # A pressure of the grid and its phonons' are the same number, but for the last digit.
    rows = rows.reindex(pressure=dataset.pressure, method="nearest", tolerance=1e-6,
                        fill_value={"harmonic_structure": ""})
    rows = rows.transpose(*_Grid.dims, "element", missing_dims="ignore")
    # Without the rows' coordinates, which know nothing of units.
    return dataset.assign(
        {name: (row.dims, row.values, row.attrs) for name, row in rows.data_vars.items()}
    )


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


def _write(dataset: xr.Dataset, output) -> None:
    encoding = {name: {"zlib": True, "complevel": 4} for name, variable in dataset.data_vars.items()
                if variable.dtype.kind in "fi"}
    for name, variable in dataset.variables.items():
        if variable.dtype.kind == "f":
            # Coordinates hold no gaps; a fill value there breaks some readers.
            fill = None if name in dataset.coords else np.nan
            encoding.setdefault(name, {})["_FillValue"] = fill
    with atomic_path(output) as aside:
        dataset.to_netcdf(aside, engine="netcdf4", format="NETCDF4", encoding=encoding)
