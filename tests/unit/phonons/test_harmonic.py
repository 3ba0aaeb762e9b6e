"""Harmonic expectations, on crystals of springs whose frequencies are known in closed form."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.lj import LennardJones
from ase.neighborlist import neighbor_list

from lah10.bath.spectra import bath_energy
from lah10.campaign.merge import merge
from lah10.errors import UserError
from lah10.phonons import harmonic
from lah10.units import BOLTZMANN, EV_PER_A3_IN_GPA, MVV2E, PLANCK
from synthetic_campaign import CONFIG, write_point

A = 4.0  # Å, rock salt; nearest neighbours at A/2
SPRING = 25.0  # eV/Å²
SHIPPED = Path(__file__).parents[3] / "resources/potentials/lah10/lah10.pb"


class Springs(Calculator):
    """½K(r − r0)² between La and H at r0 = A/2; and K' between H neighbours at A/√2."""

    implemented_properties = ("energy", "forces")

    def __init__(self, hydrogen: float = 0.0):
        super().__init__()
        self.hydrogen = hydrogen

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        i, j, d, vector = neighbor_list("ijdD", atoms, 1.2 * A / np.sqrt(2))
        both = np.array(atoms.get_chemical_symbols())[np.stack([i, j])]
        nearest = (both[0] != both[1]) & (d < 0.6 * A)
        hydrogen = (both[0] == "H") & (both[1] == "H")
        constant = SPRING * nearest + self.hydrogen * hydrogen
        stretch = d - np.where(nearest, A / 2, A / np.sqrt(2))
        forces = np.zeros((len(atoms), 3))
        np.add.at(forces, i, (constant * stretch / d)[:, None] * vector)
        self.results = {"energy": 0.25 * np.sum(constant * stretch**2), "forces": forces}


@pytest.fixture(scope="module")
def rocksalt() -> Atoms:
    return bulk("LaH", "rocksalt", a=A)


@pytest.fixture(scope="module")
def dataset(rocksalt) -> xr.Dataset:
    return harmonic.phonons(rocksalt, Springs(), supercell=(4, 4, 4), mesh=(4, 4, 4)) \
        .assign_coords(pressure=150.0)


def chain_frequencies(mesh: int) -> np.ndarray:
    """All 6·mesh³ frequencies (THz) of the rock salt of springs, in closed form.

    The springs to the six neighbours lie along x, y and z, so every direction is a diatomic chain:
    ω² = K(1/m + 1/M) ± K sqrt((1/m + 1/M)² − 4 sin²(k A/2)/mM), k the wave vector's component.
    """
    heavy, light = bulk("LaH", "rocksalt", a=A).get_masses() * MVV2E
    cell = bulk("LaH", "rocksalt", a=A).cell.array
    grid = np.stack(np.meshgrid(*[np.arange(mesh) / mesh] * 3), -1).reshape(-1, 3)
    k = 2 * np.pi * grid @ np.linalg.inv(cell).T
    total = 1 / heavy + 1 / light
    root = np.sqrt(total**2 - 4 * np.sin(k * A / 2) ** 2 / (heavy * light))
    squares = np.concatenate([SPRING * (total + root), SPRING * (total - root)], axis=1)
    return np.sqrt(np.maximum(squares, 0.0)) / (2 * np.pi)


def full_mesh(dataset: xr.Dataset, count: int) -> np.ndarray:
    """Frequencies repeated by the weight of their wave vector, sorted."""
    repeats = np.rint(dataset.weight.values * count).astype(int)
    assert repeats.sum() == count
    return np.sort(np.repeat(dataset.frequency.values, repeats, axis=0), axis=None)


def test_frequencies_of_the_spring_crystal(dataset):
    expected = np.sort(chain_frequencies(4), axis=None)
    found = full_mesh(dataset, 64)
    assert len(found) == len(expected)
    # Squares, because a zero is as exact in ω² as the rest.
    np.testing.assert_allclose(found * abs(found), expected**2, atol=0.05, rtol=1e-4)


def test_weights_of_the_elements(dataset, rocksalt):
    np.testing.assert_allclose(dataset.element_weight.sum("element"), 1.0, rtol=1e-9)
    heavy, light = rocksalt.get_masses()
    at_gamma = dataset.isel(q=0)
    optical = at_gamma.element_weight.sel(element="La")[3:]
    np.testing.assert_allclose(optical, light / (heavy + light), rtol=1e-5)


def test_translations_do_not_count(dataset):
    assert dataset.counted.isel(q=0).values.tolist() == [0, 0, 0, 1, 1, 1]
    assert dataset.counted.isel(q=slice(1, None)).values.all()


@pytest.mark.parametrize("temperature", [0.0, 100.0, 300.0])
def test_mean_temperature(dataset, temperature):
    frequencies = np.sort(chain_frequencies(4), axis=None)[3:]
    expected = np.mean(bath_energy("qtb", frequencies, temperature)) / BOLTZMANN
    found = harmonic.mean_temperature(dataset, "qtb", temperature)
    assert found == pytest.approx(expected, rel=2e-3)
    if temperature == 0.0:
        assert harmonic.zero_point_temperature(dataset) == pytest.approx(found)
        assert found == pytest.approx(0.5 * PLANCK * frequencies.mean() / BOLTZMANN, rel=2e-3)


def test_elements_share_the_mean(dataset):
    """Both elements have three modes an atom, so their mean is the mean of all (but for Γ)."""
    by_element = [harmonic.mean_temperature(dataset, "qtb", 100.0, e) for e in ("La", "H")]
    assert by_element[1] > by_element[0]
    assert np.mean(by_element) == pytest.approx(
        harmonic.mean_temperature(dataset, "qtb", 100.0), rel=0.02
    )


def test_the_classical_bath_gives_equipartition(dataset):
    for element in (None, "La", "H"):
        found = harmonic.mean_temperature(dataset, "classical", 77.0, element)
        assert found == pytest.approx(77.0, rel=1e-12)
    assert harmonic.raw_temperature(dataset, "classical", 77.0, 10.0, 200.0) == 77.0


def modes(*frequencies: float) -> xr.Dataset:
    """A crystal of one wave vector with the given frequencies."""
    n = len(frequencies)
    return harmonic._with_stability(xr.Dataset(
        {"frequency": (("q", "branch"), [frequencies]), "weight": ("q", [1.0]),
         "counted": (("q", "branch"), np.ones((1, n), np.int8)),
         "element_weight": (("q", "branch", "element"), np.full((1, n, 2), 0.5))},
        {"element": ["La", "H"], "pressure": 150.0}))


def test_friction_raises_the_kinetic_energy_as_known():
    """Closed-form values at cut-off 200 THz, 300 K, 40 THz: +0.3 % (γ = 1), +5.2 % (γ = 20)."""
    one = modes(40.0)
    exact = harmonic.mean_temperature(one, "qtb", 300.0)
    for friction, excess in ((1.0, 0.003), (20.0, 0.052)):
        raw = harmonic.raw_temperature(one, "qtb", 300.0, friction, 200.0)
        assert raw / exact - 1 == pytest.approx(excess, abs=0.001)


def test_imaginary_modes_are_reported_and_count_as_zero_frequency():
    unstable = modes(-7.0, 10.0, 20.0, 40.0)
    assert unstable.imaginary_share == 0.25
    assert unstable.lowest_frequency == -7.0
    soft = modes(0.0, 10.0, 20.0, 40.0)
    assert soft.imaginary_share == 0.0
    for temperature in (0.0, 100.0):
        assert harmonic.mean_temperature(unstable, "qtb", temperature) == \
            harmonic.mean_temperature(soft, "qtb", temperature)
    assert harmonic.mean_temperature(unstable, "classical", 50.0) == pytest.approx(50.0)


def test_an_unstable_crystal_of_springs(rocksalt):
    unstable = harmonic.phonons(rocksalt, Springs(hydrogen=-5.0), (3, 3, 3), (4, 4, 4))
    assert unstable.imaginary_share > 0.01
    assert unstable.lowest_frequency < -harmonic.IMAGINARY


def test_relaxation_reaches_the_pressure():
    crystal = bulk("La", "fcc", a=5.0)
    calculator = LennardJones(sigma=3.0, epsilon=0.2, rc=9.0, smooth=True)
    for pressure in (0.0, 5.0):
        relaxed = harmonic.relax(crystal, calculator, pressure, force_tolerance=1e-4)
        stress = relaxed.get_stress() * EV_PER_A3_IN_GPA
        np.testing.assert_allclose(stress, [-pressure] * 3 + [0.0] * 3, atol=0.01)
        angles = relaxed.cell.angles()
        np.testing.assert_allclose(angles, 60.0, atol=1e-6)
    assert crystal.get_volume() == pytest.approx(5.0**3 / 4)
    volume, energy = relaxed.get_volume(), relaxed.get_potential_energy()
    assert harmonic.enthalpy(relaxed, 5.0) == pytest.approx(
        energy + 5.0 * volume / EV_PER_A3_IN_GPA
    )


def test_a_crystal_that_does_not_relax_is_an_error():
    calculator = LennardJones(sigma=3.0, epsilon=0.2, rc=9.0, smooth=True)
    with pytest.raises(UserError, match="not relaxed after 1 steps"):
        harmonic.relax(bulk("La", "fcc", a=3.5), calculator, 0.0, steps=1)


@pytest.mark.parametrize(
    ("enthalpies", "groups", "expected"),
    [
        ((-1.0, -2.0), (225, 166), ["b", "a"]),
        ((-2.0, -2.0 - 1e-5), (225, 166), ["a", "b"]),
        ((-2.0, -2.0 - 1e-5), (225, 225), ["a", "b"]),
        ((-2.0 - 1e-5, -2.0), (166, 225), ["b", "a"]),
    ],
)
def test_order_of_candidates(enthalpies, groups, expected):
    names = ["a", "b"]
    assert harmonic._by_enthalpy(
        names, dict(zip(names, enthalpies, strict=True)), dict(zip(names, groups, strict=True))
    ) == expected


@pytest.mark.parametrize(
    ("low", "high", "kept"),
    [(10.0, 12.0, "low"), (-5.0, 12.0, "high"), (-5.0, -6.0, "low")],
)
def test_the_stable_structure_is_kept(monkeypatch, low, high, kept):
    """Lowest enthalpy first, but not if it has imaginary modes and another has none."""
    calculator = LennardJones(sigma=3.0, epsilon=0.2, rc=9.0, smooth=True)
    crystals = {"high": bulk("La", "sc", a=3.2), "low": bulk("La", "fcc", a=4.8)}

    def phonons(atoms, *_):
        is_low = np.isclose(atoms.get_volume(), volumes["low"], rtol=1e-3)
        return modes(low if is_low else high, 20.0)

    relaxed = {name: harmonic.relax(atoms, calculator, 0.0) for name, atoms in crystals.items()}
    volumes = {name: atoms.get_volume() for name, atoms in relaxed.items()}
    monkeypatch.setattr(harmonic, "phonons", phonons)
    result = harmonic.reference(crystals, calculator, 0.0)
    assert result.attrs["kept"] == kept
    enthalpies = dict(zip(result.candidate.values, result.enthalpy.values, strict=True))
    assert enthalpies["low"] < enthalpies["high"]
    assert result.space_group.sel(candidate="low") == "Fm-3m"


@pytest.mark.parametrize(("frequency", "right"), [(10.0, 370.3), (40.0, 1025.5)])
def test_raw_temperature_of_corrected_noise_is_that_of_the_run(tmp_path, frequency, right):
    """20 /ps, 100 K, 0.5 fs: without the correction 356.8 and 1009.5 K would be expected."""
    crystal = modes(*[frequency] * 3)
    crystal.attrs |= {"potential_sha256": "a" * 64, "structure": "Fm-3m"}
    crystal.to_netcdf(tmp_path / "harmonic.nc")
    bath = {"friction": "20 /ps", "cutoff": "200 THz", "correction": "potential"}
    point = write_point(tmp_path, "qtb", 150, 100, config=CONFIG | {"bath": bath})
    merged = merge([("qtb", 150, 100, point)], tmp_path / "merged.nc",
                   harmonic=[tmp_path / "harmonic.nc"])
    assert merged.harmonic_temperature_raw.item() == pytest.approx(right, abs=0.1)


def test_repeats():
    cell = Atoms("H", cell=[2.0, 3.0, 10.0], pbc=True)
    assert harmonic.repeats(cell, 8.5) == [5, 3, 1]
    assert harmonic.repeats(cell, (1, 2, 3)) == [1, 2, 3]


def test_expectation_enters_the_phase_diagram(tmp_path, dataset):
    dataset.attrs |= {"potential_sha256": "a" * 64, "structure": "Fm-3m"}
    dataset.to_netcdf(tmp_path / "harmonic.nc")
    summaries = [(b, p, t, write_point(tmp_path, b, p, t))
                 for b in ("classical", "qtb") for p in (150, 200) for t in (100, 300)]
    merge(summaries, tmp_path / "merged.nc", harmonic=[tmp_path / "harmonic.nc"])
    with xr.open_dataset(tmp_path / "merged.nc") as described:
        for name, variable in described.data_vars.items():
            assert {"units", "long_name"} <= variable.attrs.keys(), name
        assert (described.pressure.units, described.temperature.units) == ("GPa", "K")
        assert all(described[name].long_name for name in described.coords)
    with xr.open_dataset(tmp_path / "merged.nc") as merged:
        for temperature in (100, 300):
            cell = merged.sel(bath="qtb", pressure=150, temperature=temperature)
            assert cell.harmonic_temperature.item() == \
                harmonic.mean_temperature(dataset, "qtb", temperature)
            assert cell.harmonic_temperature_raw.item() == \
                harmonic.raw_temperature(dataset, "qtb", temperature, 10.0, 200.0)
            assert cell.harmonic_temperature_raw > cell.harmonic_temperature
        classical = merged.harmonic_temperature.sel(bath="classical", pressure=150)
        np.testing.assert_allclose(classical, [100, 300])
        assert merged.harmonic_temperature.sel(pressure=200).isnull().all()
        assert merged.harmonic_zero_point_temperature.sel(pressure=150).item() == \
            harmonic.zero_point_temperature(dataset)
        assert merged.harmonic_temperature.attrs["units"] == "K"
        assert merged.harmonic_temperature.dims == ("bath", "pressure", "temperature")
        assert merged.harmonic_structure.values.tolist() == ["Fm-3m", ""]
        assert merged.theta_deviation.notnull().all()


def test_phonons_of_another_potential_are_refused(tmp_path, dataset):
    dataset.attrs["potential_sha256"] = "b" * 64
    dataset.to_netcdf(tmp_path / "harmonic.nc")
    summaries = [("qtb", 150, 100, write_point(tmp_path, "qtb", 150, 100))]
    with pytest.raises(UserError, match=r"harmonic\.nc: phonons of the potential bbbb"):
        merge(summaries, tmp_path / "merged.nc", harmonic=[tmp_path / "harmonic.nc"])
    with pytest.raises(UserError, match=r"nowhere\.nc: no such file"):
        merge(summaries, tmp_path / "merged.nc", harmonic=[tmp_path / "nowhere.nc"])


def test_a_missing_potential_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.pb: no such potential"):
        harmonic.compute(tmp_path / "nowhere.pb", [], 150.0, tmp_path / "harmonic.nc")


@pytest.mark.slow
@pytest.mark.skipif(not SHIPPED.exists(), reason="the potential is not there")
def test_the_shipped_potential(tmp_path):
    """R-3m below the cubic phase's enthalpy at 150 GPa, and a zero-point energy near 800 K."""
    structures = SHIPPED.parents[2] / "structures"
    result = harmonic.compute(SHIPPED, [structures / "Fm-3m.cif", structures / "R-3m.cif"], 150.0,
                              tmp_path / "harmonic.nc", supercell=(2, 2, 2), mesh=(4, 4, 4))
    enthalpies = dict(zip(result.candidate.values, result.enthalpy.values, strict=True))
    assert 0.01 < enthalpies["Fm-3m"] - enthalpies["R-3m"] < 0.15
    assert result.attrs["structure"] == "R-3m"
    assert harmonic.mean_temperature(result, "qtb", 100.0) == pytest.approx(800.0, rel=0.06)
    with xr.open_dataset(tmp_path / "harmonic.nc") as written:
        assert harmonic.mean_temperature(written, "qtb", 100.0) == pytest.approx(
            harmonic.mean_temperature(result, "qtb", 100.0)
        )
