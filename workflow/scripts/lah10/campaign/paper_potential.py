"""The set-up and the potential: numbers of the source paper.

Each function is entered by its name, which resources/paper.yaml has (`paper_found.measure`).
"""

from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from lah10.campaign.paper_found import Campaign, Entry, Found, measure
from lah10.config.structure import ATOMS_IN_CELL
from lah10.crystal.cage import find_cage
from lah10.crystal.structures import read_crystal

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
