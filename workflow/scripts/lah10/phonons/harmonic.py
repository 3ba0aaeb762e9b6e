"""The harmonic crystal: what a quantum bath should give if the atoms moved in a harmonic potential.

LaH10 is relaxed at a pressure from each candidate structure, its phonons are computed by finite
displacements (phonopy), and the mean of Θ(ω, T)/k_B over the modes is the temperature that a bath
without friction and without anharmonicity would show: the number to hold the QTB's kinetic
temperature against.

A mode of imaginary frequency has no harmonic energy. Here it counts as ω = 0, the value it passes
on its way to instability: energy k_B T, no zero-point energy, so that the mean goes over all 3N
modes at every pressure. The share of such modes is part of the result.
"""

import functools
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import ase
import numpy as np
import spglib
import xarray as xr
from ase import Atoms
from ase.calculators.calculator import Calculator
from scipy.interpolate import CubicSpline

from lah10 import ELEMENTS
from lah10.bath.spectra import bath_energy, oscillator_energies
from lah10.crystal.structures import SYMMETRY_TOLERANCE, read_crystal, space_group, thicknesses
from lah10.errors import UserError
from lah10.io import netcdf
from lah10.io.files import sha256
from lah10.units import BOLTZMANN, EV_PER_A3_IN_GPA, PLANCK

#: Below minus this frequency (THz) a mode counts as unstable; above, as noise of the forces.
IMAGINARY = 0.3
#: Enthalpies (eV per formula unit) closer than this are one structure that was found twice.
SAME_ENTHALPY = 1e-3
#: Thickness (Å) of the supercells in which forces are computed, in all three directions: at 150 GPa
#: the means of R-3m change by less than 1 K when it grows from 6 to 12 Å.
SUPERCELL = 8.5
#: Density of the mesh of wave vectors: thickness (Å) of the crystal whose modes they are.
MESH = 35.0
#: Frequencies (THz) at which the effect of friction is computed; between them, splines.
FRICTION_GRID = np.concatenate((np.geomspace(0.05, 5.0, 20), np.arange(6.0, 121.0, 3.0)))


# -------------------------------------------------------------------------------- relaxation


def relax(
    atoms: Atoms,
    calculator: Calculator,
    pressure: float,
    force_tolerance: float = 2e-3,
    steps: int = 500,
) -> Atoms:
    """Relax positions and cell at a pressure, keeping the space group.

    Parameters
    ----------
    atoms : Atoms
        Starting crystal; not changed.
    calculator : ASE calculator with forces and stress.
    pressure : float
        GPa.
    force_tolerance : float
        eV/Å, of the largest force, and of the largest derivative with respect to the deformation
        divided by the number of atoms.
    steps : int
        Optimisation steps, at most.

    Returns
    -------
    Atoms
        The relaxed crystal with the calculator attached; its symmetry may be higher than before.

    Raises
    ------
    UserError
        The relaxation did not converge.
    """
    from ase.constraints import FixSymmetry
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    relaxed = atoms.copy()
    relaxed.calc = calculator
    relaxed.set_constraint(FixSymmetry(relaxed, symprec=SYMMETRY_TOLERANCE))
    target = FrechetCellFilter(relaxed, scalar_pressure=pressure / EV_PER_A3_IN_GPA)
    optimiser = BFGS(target, logfile=None, maxstep=0.1)
    if not optimiser.run(fmax=force_tolerance, steps=steps):
        largest = np.linalg.norm(target.get_forces(), axis=1).max()
        raise UserError(
            f"harmonic crystal at {pressure:g} GPa: not relaxed after {steps} steps (largest force "
            f"{largest:.3g} eV/Å, {force_tolerance:g} wanted); is the potential valid at this "
            "pressure?"
        )
    relaxed.set_constraint()
    return relaxed


def primitive(atoms: Atoms) -> Atoms:
    """The primitive cell of a crystal, in its orientation and without idealising it."""
    lattice, scaled, numbers = spglib.standardize_cell(
        (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers),
        to_primitive=True, no_idealize=True, symprec=SYMMETRY_TOLERANCE,
    )
    return Atoms(numbers=numbers, scaled_positions=scaled, cell=lattice, pbc=True)


def enthalpy(atoms: Atoms, pressure: float) -> float:
    """E + PV in eV per formula unit (per La atom), of atoms with a calculator; P in GPa."""
    total = atoms.get_potential_energy() + pressure / EV_PER_A3_IN_GPA * atoms.get_volume()
    return float(total) / _formula_units(atoms)


def _formula_units(atoms: Atoms) -> int:
    return max(atoms.get_chemical_symbols().count(ELEMENTS[0]), 1)


# ----------------------------------------------------------------------------------- phonons


def phonons(
    atoms: Atoms,
    calculator: Calculator,
    supercell: Sequence[int] | float = SUPERCELL,
    mesh: Sequence[int] | float = MESH,
    displacement: float = 0.01,
) -> xr.Dataset:
    """Phonons of a relaxed crystal on a Γ-centred mesh, by finite displacements.

    Parameters
    ----------
    atoms : Atoms
        Relaxed crystal; reduced to its primitive cell.
    calculator : ASE calculator
        Gives the forces in the displaced supercells.
    supercell : three ints, or float
        Repeats of the primitive cell in which forces are computed, or their smallest thickness, Å.
    mesh : three ints, or float
        Wave vectors of the primitive cell, or thickness, Å. The repeats of a molecular dynamics
        cell give the modes that exist in it; (1, 1, 1) is Γ alone.
    displacement : float
        Å.

    Returns
    -------
    xarray.Dataset
        frequency (q, branch) THz, imaginary ones negative; weight (q), normalised to 1;
        element_weight (q, branch, element), the share of an element in the mode; counted
        (q, branch), 1 for modes that enter means: not the three translations at Γ.
    """
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

    atoms = primitive(atoms)
    supercell, mesh = repeats(atoms, supercell), repeats(atoms, mesh)
    crystal = PhonopyAtoms(
        symbols=atoms.get_chemical_symbols(), cell=atoms.cell.array,
        scaled_positions=atoms.get_scaled_positions(), masses=atoms.get_masses(),
    )
    work = Phonopy(crystal, supercell_matrix=np.diag(supercell), primitive_matrix="P",
                   symprec=SYMMETRY_TOLERANCE)
    # Both signs: odd anharmonic terms and rounding errors of the forces cancel.
    work.generate_displacements(distance=displacement, is_plusminus=True)
    work.forces = [_forces(cell, calculator) for cell in work.supercells_with_displacements]
    work.produce_force_constants(show_drift=False)
    work.symmetrize_force_constants(show_drift=False)

    work.run_mesh(mesh, is_gamma_center=True, with_eigenvectors=True)
    result = work.mesh
    frequency, weight = np.array(result.frequencies), np.array(result.weights, float)
    modes = len(work.primitive) * 3
    # Columns of the eigenvector matrix are modes; rows run over atoms, then x, y, z.
    share = np.abs(np.array(result.eigenvectors).reshape(-1, modes // 3, 3, modes)) ** 2
    share = share.sum(axis=2)
    symbols = np.array(work.primitive.symbols)
    element_weight = np.stack(
        [share[:, symbols == element].sum(axis=1) for element in ELEMENTS], axis=-1
    )

    counted = np.ones(frequency.shape, np.int8)
    for q in np.flatnonzero(np.abs(result.qpoints).max(axis=1) < 1e-9):
        counted[q, np.argsort(np.abs(frequency[q]))[:3]] = 0
    dataset = xr.Dataset(
        {
            "frequency": (("q", "branch"), frequency,
                          {"units": "THz", "long_name": "frequency; negative where imaginary"}),
            "weight": ("q", weight / weight.sum(),
                       {"units": "1", "long_name": "weight of the wave vector"}),
            "element_weight": (("q", "branch", "element"), element_weight,
                               {"units": "1", "long_name": "share of the element in the mode"}),
            "counted": (("q", "branch"), counted,
                        {"units": "1", "long_name": "1: mode enters means; 0: translation"}),
            "wave_vector": (("q", "reciprocal"), np.array(result.qpoints),
                            {"units": "1", "long_name": "wave vector in reciprocal vectors of the "
                                                        "primitive cell"}),
        },
        {"element": list(ELEMENTS)},
        {"supercell": supercell, "mesh": mesh,
         "displacement_angstrom": displacement},
    )
    return _with_stability(dataset)


def repeats(atoms: Atoms, size: Sequence[int] | float) -> list[int]:
    """Repeats of a cell as given, or the fewest that make it `size` Å thick in all directions."""
    if np.ndim(size):
        return [int(n) for n in size]
    return [int(n) for n in np.ceil(size / thicknesses(atoms.cell.array))]


def _forces(cell, calculator: Calculator) -> np.ndarray:
    """Forces in a phonopy cell, eV/Å."""
    atoms = Atoms(cell.symbols, cell=cell.cell, scaled_positions=cell.scaled_positions, pbc=True)
    return calculator.get_forces(atoms)


def _with_stability(dataset: xr.Dataset) -> xr.Dataset:
    unstable = (dataset.frequency < -IMAGINARY) & (dataset.counted == 1)
    share = _mean(unstable.astype(float), dataset.weight * dataset.counted)
    return dataset.assign(
        lowest_frequency=((), float(dataset.frequency.where(dataset.counted == 1).min()),
                          {"units": "THz", "long_name": "lowest frequency; negative where "
                                                        "imaginary"}),
        imaginary_share=((), share, {"units": "1", "long_name": "share of the modes with an "
                                     f"imaginary frequency above {IMAGINARY} THz"}),
    )


# -------------------------------------------------------------------------------- evaluation


def average(dataset: xr.Dataset, function, element: str | None = None) -> float:
    """Mean of function(frequency in THz) over all modes but translations; imaginary ones as 0.

    With an element, modes count by its share in them.
    """
    weight = dataset.weight * dataset.counted
    if element is not None:
        weight = weight * dataset.element_weight.sel(element=element)
    frequency = np.maximum(dataset.frequency, 0.0)
    return _mean(frequency.copy(data=function(frequency.values)), weight)


def _mean(values: xr.DataArray, weight: xr.DataArray) -> float:
    return float((values * weight).sum() / weight.broadcast_like(values).sum())


def mean_temperature(dataset: xr.Dataset, bath: str, temperature: float,
                     element: str | None = None) -> float:
    """Mean of Θ(ω, T)/k_B over the modes, K: kinetic temperature and energy per mode alike."""
    return average(dataset, lambda f: bath_energy(bath, f, temperature) / BOLTZMANN, element)


def zero_point_temperature(dataset: xr.Dataset) -> float:
    """Mean of ½ħω/k_B over the modes, K."""
    return average(dataset, lambda f: 0.5 * PLANCK * f / BOLTZMANN)


def raw_temperature(dataset: xr.Dataset, bath: str, temperature: float, friction: float,
                    cutoff: float, element: str | None = None, correction: str = "none",
                    timestep: float = 0.0) -> float:
    """Mean of 2E_kin/k_B over the modes in a bath of finite friction, K.

    Each mode is an independent oscillator in the coloured noise (`oscillator_energies`): what a
    run shows before its kinetic energy is deconvolved. Equal to T in the classical bath.

    Parameters
    ----------
    friction : float
        γ, 1/ps.
    cutoff : float
        THz, of the noise.
    correction : {"none", "potential"}
        Of the noise, see `noise_energy`; "potential" needs the time step.
    timestep : float
        ps; only the correction depends on it.
    """
    if bath == "classical":
        return float(temperature)
    if correction == "none":
        timestep = 0.0
    spline = _kinetic_spline(bath, float(temperature), float(friction), float(cutoff), correction,
                             float(timestep))
    return average(dataset, lambda f: spline(np.clip(f, *FRICTION_GRID[[0, -1]])), element)


@functools.lru_cache(maxsize=4096)
def _kinetic_spline(bath: str, temperature: float, friction: float, cutoff: float,
                    correction: str, timestep: float) -> CubicSpline:
    """2E_kin/k_B of one oscillator against its frequency; the same at all pressures."""
    kinetic = [oscillator_energies(bath, f, temperature, friction, cutoff, points=2**16,
                                   correction=correction, timestep=timestep)[0]
               for f in FRICTION_GRID]
    return CubicSpline(FRICTION_GRID, 2.0 * np.array(kinetic) / BOLTZMANN)


def expectation(dataset: xr.Dataset, baths: Sequence[str], temperatures: Sequence[float],
                friction: float | None = None, cutoff: float | None = None,
                correction: str = "none", timestep: float = 0.0) -> xr.Dataset:
    """Harmonic expectations of one pressure on a campaign's baths and temperatures.

    Parameters
    ----------
    friction, cutoff, correction, timestep
        Of the campaign's baths, see `raw_temperature`.

    Returns
    -------
    xarray.Dataset
        harmonic_temperature (bath, temperature), harmonic_temperature_element (.., element),
        harmonic_temperature_raw (at finite friction; NaN without one) and
        harmonic_zero_point_temperature, K; harmonic_imaginary_share; harmonic_structure, the space
        group; the scalar coordinate `pressure`.
    """
    shape = (len(baths), len(temperatures))
    total, raw = np.full(shape, np.nan), np.full(shape, np.nan)
    by_element = np.full((*shape, len(ELEMENTS)), np.nan)
    for i, bath in enumerate(baths):
        for j, temperature in enumerate(temperatures):
            total[i, j] = mean_temperature(dataset, bath, temperature)
            by_element[i, j] = [mean_temperature(dataset, bath, temperature, element)
                                for element in ELEMENTS]
            if friction and cutoff:
                raw[i, j] = raw_temperature(dataset, bath, temperature, friction, cutoff,
                                            correction=correction, timestep=timestep)
    grid = ("bath", "temperature")
    numbers = {
        "harmonic_temperature": (grid, total, "mean of Theta(omega, T)/k_B, harmonic crystal"),
        "harmonic_temperature_raw": (
            grid, raw, "kinetic temperature at the bath's finite friction, harmonic crystal"
        ),
        "harmonic_temperature_element": (
            (*grid, "element"), by_element,
            "mean of Theta(omega, T)/k_B by element, harmonic crystal",
        ),
        "harmonic_zero_point_temperature": (
            (), zero_point_temperature(dataset),
            "zero-point energy per mode over k_B, harmonic crystal",
        ),
        "harmonic_imaginary_share": (
            (), float(dataset.imaginary_share),
            "share of imaginary modes (taken as zero), harmonic crystal",
        ),
    }
    variables = {
        name: (dims, values, {"units": "1" if name.endswith("share") else "K", "long_name": text})
        for name, (dims, values, text) in numbers.items()
    }
    variables["harmonic_structure"] = (
        (), np.array(dataset.attrs.get("structure", ""), dtype=object),
        {"units": "1", "long_name": "space group of the harmonic crystal"},
    )
    return xr.Dataset(
        variables,
        {"bath": list(baths), "temperature": list(temperatures), "element": list(ELEMENTS),
         "pressure": float(dataset.pressure)},
    )


# ------------------------------------------------------------------------------------ driver


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
    per_formula = {name: relaxed[name].get_volume() / _formula_units(relaxed[name])
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
    ).assign_coords(
        candidate=("candidate", names),
        atom=("atom", relaxed[kept].get_chemical_symbols()),
        pressure=((), float(pressure), {"units": "GPa", "long_name": "pressure"}),
    )
    dataset.attrs |= {"Conventions": "CF-1.11", "kept": kept,
                      "structure": space_group(relaxed[kept]),
                      "title": "Phonons of LaH10 by finite displacements"}
    return dataset


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

    Raises
    ------
    UserError
        A file is missing, or a structure does not relax.
    """
    if not Path(model).is_file():
        raise UserError(f"{model}: no such potential")
    candidates = {Path(path).stem: read_crystal(path) for path in crystals}
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
