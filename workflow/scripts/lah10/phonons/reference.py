"""The harmonic crystal at a pressure: LaH10 relaxed from each candidate structure, and its phonons.

The share of modes with imaginary frequencies is part of the result.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import ase
import numpy as np
import spglib
import xarray as xr
from ase import Atoms
from ase.calculators.calculator import Calculator

from lah10 import nuclides
from lah10.crystal.isotopes import of_atoms as isotopes_of
from lah10.crystal.isotopes import with_isotopes
from lah10.crystal.structures import SYMMETRY_TOLERANCE, read_crystal, space_group
from lah10.errors import UserError
from lah10.io import netcdf
from lah10.io.files import sha256
from lah10.phonons.phonons import MESH, SUPERCELL, phonons
from lah10.phonons.relaxation import enthalpy, formula_units, primitive, relax

#: Enthalpies (eV per formula unit) closer than this are one structure that was found twice.
SAME_ENTHALPY = 1e-3
#: The candidate that the cubic crystal distorts into.
DISTORTED = "R-3m"


def reference(
    crystals: Mapping[str, Atoms],
    calculator: Calculator,
    pressure: float,
    supercell: Sequence[int] | float = SUPERCELL,
    mesh: Sequence[int] | float = MESH,
    displacement: float = 0.01,
    force_tolerance: float = 2e-3,
) -> xr.Dataset:
    """Relaxed structure of LaH10 at a pressure, and its phonons.

    The candidates are relaxed and taken in the order of their enthalpy; of equals (one relaxed
    into the other) the more symmetric one. The first without imaginary modes is kept; if all have
    some, the one of lowest enthalpy.

    Parameters
    ----------
    crystals : mapping of name to Atoms
    calculator : ASE calculator with forces and stress
    pressure : float
        GPa.
    supercell, mesh, displacement
        See `phonons`.
    force_tolerance : float
        See `relax`.

    Returns
    -------
    xarray.Dataset
        `phonons` of the structure kept, and by candidate: enthalpy (eV per formula unit),
        volume (Å³ per formula unit), space group, lowest frequency (NaN where not computed).
        Attributes `kept` (the candidate) and `structure` (its space group after relaxation).
    """
    names = list(crystals)
    relaxed = {name: relax(primitive(crystals[name]), calculator, pressure, force_tolerance)
               for name in names}
    enthalpies = {name: enthalpy(atoms, pressure) for name, atoms in relaxed.items()}
    groups = {name: _group_number(atoms) for name, atoms in relaxed.items()}
    computed: dict[str, xr.Dataset] = {}
    for name in _by_enthalpy(names, enthalpies, groups):
        computed[name] = phonons(relaxed[name], calculator, supercell, mesh, displacement)
        if computed[name].imaginary_share == 0:
            kept = name
            break
    else:
        kept = next(iter(computed))

    dataset = computed[kept]
    per_formula = {name: relaxed[name].get_volume() / formula_units(relaxed[name])
                   for name in names}
    lowest = [float(computed[name].lowest_frequency) if name in computed else np.nan
              for name in names]
    dataset = dataset.assign(
        enthalpy=("candidate", [enthalpies[name] for name in names],
                  {"units": "eV", "long_name": "enthalpy per formula unit"}),
        volume_per_formula=("candidate", [per_formula[name] for name in names],
                            {"units": "angstrom3", "long_name": "volume per formula unit"}),
        candidate_lowest_frequency=("candidate", lowest, {
            "units": "THz", "long_name": "lowest frequency; negative where imaginary"}),
        space_group=("candidate", [space_group(relaxed[name]) for name in names],
                     {"long_name": f"space group, tolerance {SYMMETRY_TOLERANCE} angstrom"}),
        cell=(("vector", "xyz"), relaxed[kept].cell.array,
              {"units": "angstrom", "long_name": "relaxed cell of the structure kept"}),
        scaled_position=(("atom", "vector"), relaxed[kept].get_scaled_positions(),
                         {"units": "1", "long_name": "fractional coordinates, structure kept"}),
        **_distorted(relaxed),
    ).assign_coords(
        candidate=("candidate", names),
        atom=("atom", relaxed[kept].get_chemical_symbols()),
        pressure=((), float(pressure), {"units": "GPa", "long_name": "pressure"}),
    )
    of = isotopes_of(relaxed[kept], kept)
    dataset.attrs |= {"Conventions": "CF-1.11", "kept": kept,
                      "structure": space_group(relaxed[kept]),
                      "title": f"Phonons of {nuclides.formula(of)} by finite displacements",
                      "formula": nuclides.formula(of), "isotopes": nuclides.text(of)}
    return dataset


def _distorted(relaxed: Mapping[str, Atoms]) -> dict[str, tuple]:
    """Cell and atoms of the relaxed R-3m, whichever crystal is kept: its distortion is what a run
    at this pressure must exclude before the crystal counts as cubic."""
    if DISTORTED not in relaxed:
        return {}
    atoms = relaxed[DISTORTED]
    return {
        "distorted_cell": (("vector", "xyz"), atoms.cell.array, {
            "units": "angstrom", "long_name": f"cell of the relaxed {DISTORTED}"}),
        "distorted_position": (("distorted_atom", "vector"), atoms.get_scaled_positions(), {
            "units": "1", "long_name": f"fractional coordinates of the relaxed {DISTORTED}"}),
        "distorted_number": ("distorted_atom", atoms.numbers, {
            "units": "1", "long_name": f"atomic numbers of the relaxed {DISTORTED}"}),
    }  # fmt: skip


def _by_enthalpy(names: list[str], enthalpies: dict[str, float],
                 groups: dict[str, int]) -> list[str]:
    """Lowest enthalpy first; of those within `SAME_ENTHALPY`, the most symmetric, then as given."""
    left, order = list(names), []
    while left:
        lowest = min(enthalpies[name] for name in left)
        equals = [name for name in left if enthalpies[name] - lowest < SAME_ENTHALPY]
        order.append(max(equals, key=groups.get))
        left.remove(order[-1])
    return order


def _group_number(atoms: Atoms) -> int:
    dataset = spglib.get_symmetry_dataset(
        (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers),
        symprec=SYMMETRY_TOLERANCE,
    )
    return dataset.number if dataset is not None else 1


def compute(
    model: str | os.PathLike,
    crystals: Sequence[str | os.PathLike],
    pressure: float,
    output: str | os.PathLike,
    supercell: Sequence[int] | float = SUPERCELL,
    mesh: Sequence[int] | float = MESH,
    isotopes: Mapping[str, str] = MappingProxyType({}),
) -> xr.Dataset:
    """Harmonic reference of a deep potential at one pressure, written to harmonic.nc.

    Parameters
    ----------
    model : path
        Frozen DeePMD graph.
    crystals : paths
        Candidate structures (CIF); their file names become the candidates' names.
    pressure : float
        GPa.
    output : path
        Appears whole.
    isotopes : mapping
        Names of isotopes by element (`lah10.nuclides`), whose masses the crystals get.

    Raises
    ------
    UserError
        A file is missing, or a structure does not relax.
    """
    if not Path(model).is_file():
        raise UserError(f"{model}: no such potential")
    candidates = {
        Path(path).stem: with_isotopes(read_crystal(path), isotopes) for path in crystals
    }
    # TensorFlow takes seconds to import; only this function needs it.
    import phonopy
    from deepmd import __version__ as deepmd_version
    from deepmd.calculator import DP

    dataset = reference(candidates, DP(model=str(model)), pressure, supercell, mesh)
    dataset.attrs |= {
        "potential": str(model), "potential_sha256": sha256(model),
        "versions": json.dumps({"ase": ase.__version__, "phonopy": phonopy.__version__,
                                "deepmd-kit": deepmd_version}),
    }
    netcdf.write(dataset, output, "harmonic crystal")
    return dataset
