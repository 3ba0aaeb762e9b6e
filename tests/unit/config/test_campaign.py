"""What a configuration means, and that every bad value is answered in one line."""

import re
from pathlib import Path

import pytest

from lah10.config import yaml_files
from lah10.config.potential import SHIPPED, Potential
from lah10.config.quantities import canonical
from lah10.config.reading import to_dict, validate
from made_up_config import GOOD, changed, complaint

REPOSITORY = Path(__file__).resolve().parents[3]
CAMPAIGNS = (
    "demo", "reference", "paper", "gamma-scan", "five-kelvin", "pimd", "stability", "boundary",
)  # fmt: skip

#: A point for path integrals, of GOOD's grid.
POINT = {"pressure": 150, "temperature": 1, "beads": 8}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (150, "150"), (150.0, "150"), ("150.0", "150"), ("1.50", "1.5"), (1.5, "1.5"),
        (0.1 + 0.2, "0.30000000000000004"), ("1e2", "100"), (0, "0"), (-0.0, "0"), ("007", "7"),
        (300, "300"),
    ],
)  # fmt: skip
def test_canonical(value, text):
    assert canonical(value) == text


@pytest.mark.parametrize("value", ["", "x", "nan", "inf", True, None, [1]])
def test_canonical_refuses(value):
    with pytest.raises(ValueError):
        canonical(value)


def test_what_is_read():
    read = validate(GOOD, "x")
    assert read.n_atoms == 11 * 24
    assert read.pressure.values == ("150", "200", "120.5")
    assert read.points[:3] == [
        ("classical", "150", "1"), ("classical", "150", "2.5"), ("classical", "200", "1"),
    ]  # fmt: skip
    assert len(read.points) == 2 * 3 * 2
    for bath in ("classical", "qtb"):
        for stage, duration in (("equilibrate", 2.0), ("produce", 3.0)):
            assert read.bath_options(stage, bath) == {"friction_per_ps": 10.0, "cutoff_THz": 200.0}
            assert read.dynamics_options(stage, bath)["duration_ps"] == duration
    assert read.keep_trajectories is False


def test_equilibration_does_not_depend_on_what_production_records():
    usual = validate(GOOD, "x")
    other = validate(changed("dynamics.frame_interval", "40 fs"), "x")
    first, second = (one.dynamics_options("equilibrate", "qtb") for one in (usual, other))
    assert first == second
    first, second = (one.dynamics_options("produce", "qtb") for one in (usual, other))
    assert first != second


def test_starts():
    read = validate(GOOD, "x")
    assert read.starts == ("cubic",) and read.distorted_points == []
    both = validate(changed("starts", ["cubic", "distorted"]), "x")
    assert both.distorted_points == both.points
    for bad in (["distorted"], []):
        assert "starts: expected [cubic] or [cubic, distorted]" in complaint(changed("starts", bad))
    assert "cubic twice" in complaint(changed("starts", ["cubic", "cubic"]))


def test_a_sweep_cools_from_one_start_and_heats_from_the_other():
    content = changed("starts", ["cubic", "distorted"])
    content["temperature"]["values"] = [100, 5, 300]
    alone = validate(content, "x")
    assert alone.sweep == "none" and alone.neighbour("cubic", "100") is None
    swept = validate(content | {"sweep": "temperature"}, "x")
    assert swept.row("cubic") == ("300", "100", "5")
    found = [swept.neighbour("cubic", kelvin) for kelvin in swept.row("cubic")]
    assert found == [None, "300", "100"]
    found = [swept.neighbour("distorted", kelvin) for kelvin in swept.row("distorted")]
    assert found == [None, "5", "100"]
    # What a job depends on beside its start is the same.
    assert swept.dynamics_options("equilibrate", "qtb") == alone.dynamics_options(
        "equilibrate", "qtb"
    )
    text = complaint(changed("sweep", "temperature"))
    assert "sweep: expected none, or `starts: [cubic, distorted]` with it" in text
    assert "sweep: expected" in complaint(changed("sweep", "pressure"))


def test_the_cell_is_slower_than_the_phonons():
    assert validate(GOOD, "x").dynamics_options("produce", "qtb")["cell_period_ps"] == 0.6
    slow = validate(changed("dynamics.cell_period", "1 ps"), "x")
    assert slow.dynamics_options("equilibrate", "classical")["cell_period_ps"] == 1.0
    found = complaint(changed("dynamics.cell_period", "0.2 ps"))
    assert "dynamics.cell_period: expected at least 0.5 ps, below the frequencies" in found


def test_the_old_key_of_the_cell_is_refused_with_what_to_do():
    """Its number means nothing to today's dynamics."""
    found = complaint(changed("dynamics.barostat_damping", "0.5 ps"))
    assert "dynamics.barostat_damping: expected cell_period in its place" in found
    assert "such as 0.6 ps" in found and "points are run again" in found


def test_adaptive_bath_equilibrates_longer_and_records_spectra():
    adaptive = validate(changed("baths", ["qtb", "adqtb"]) | {
        "bath": {"adaptation": "14 ps", "adaptation_rate": 0.5}}, "x")  # fmt: skip
    options = adaptive.dynamics_options("equilibrate", "adqtb")
    assert options["duration_ps"] == 16.0
    assert options["spectrum_segment_ps"] == 1.0
    extra = {"adaptation_ps": 14.0, "adaptation_rate": 0.5}
    plain = {"friction_per_ps": 10.0, "cutoff_THz": 200.0}
    assert adaptive.bath_options("equilibrate", "adqtb") == plain | extra
    assert adaptive.bath_options("produce", "adqtb") == plain
    assert adaptive.bath_options("equilibrate", "qtb") == plain
    assert "spectrum_segment_ps" not in adaptive.dynamics_options("equilibrate", "qtb")


def test_what_learns_from_spectra_needs_whole_ones():
    def with_bath(**bath):
        return changed("baths", ["adqtb"]) | {"bath": bath}

    assert complaint(with_bath(adaptation="11 ps")) == (
        "bath.adaptation: expected a whole multiple of dynamics.spectrum_segment (1 ps), at least "
        "12 of them (12 ps), got 11 ps"
    )
    assert complaint(with_bath(adaptation="12.5 ps")).endswith("(12 ps), got 12.5 ps")
    validate(with_bath(adaptation="12 ps"), "x")
    tenths = with_bath(adaptation="1.2 ps")
    tenths["dynamics"] = tenths["dynamics"] | {"spectrum_segment": "0.1 ps"}
    validate(tenths, "x")
    assert complaint(
        changed("dynamics.equilibrate", "1 ps") | {"bath": {"shift_pressure": True}}
    ) == (
        "dynamics.equilibrate: expected with bath.shift_pressure at least two of "
        "dynamics.spectrum_segment (1 ps), got 1 ps"
    )


def test_corrections_concern_quantum_baths_alone():
    corrected = validate(
        GOOD | {"bath": {"correction": "potential", "shift_pressure": True}}, "x"
    )
    plain = validate(GOOD, "x")
    for stage in ("equilibrate", "produce"):
        assert corrected.bath_options(stage, "qtb") == plain.bath_options(stage, "qtb") | {
            "correction": "potential", "shift_pressure": True}  # fmt: skip
        for options in ("bath_options", "dynamics_options"):
            ours, theirs = (getattr(one, options)(stage, "classical") for one in (corrected, plain))
            assert ours == theirs
    # The pressure's shift is measured in equilibration.
    assert "spectrum_segment_ps" in corrected.dynamics_options("equilibrate", "qtb")


def test_points_of_path_integrals():
    point = {"pressure": "120.50", "temperature": 2.5, "beads": [64, 32]}
    read = validate(changed("pimd.points", [POINT, point]), "x")
    assert [(p.pressure, p.temperature, p.beads) for p in read.pimd.points] == [
        ("150", "1", (8,)), ("120.5", "2.5", (32, 64)),
    ]  # fmt: skip
    assert read.pimd.options["produce_ps"] == 5.0
    assert read.pimd.highest_THz == 80.0
    assert validate(to_dict(read), "y") == read
    assert read.pimd.start == "crystal"
    classical = changed("pimd", {"points": [POINT], "start": "classical"})
    assert validate(classical, "x").pimd.start == "classical"
    assert complaint(classical | {"baths": ["qtb"]}) == (
        "pimd.start: expected crystal, or the classical bath in `baths`, got classical without it"
    )
    trotter = validate(changed("pimd.springs", "trotter"), "x")
    assert trotter.pimd.highest_THz is None and trotter.pimd.points == ()


@pytest.mark.parametrize("text", ["0.5 fs", "0.5fs", " .5 fs ", "5e-1 fs", "0.50 fs"])
def test_a_quantity_may_be_written_in_several_ways(text):
    assert validate(changed("dynamics.timestep", text), "x").dynamics.timestep == 0.5


def test_what_is_written_is_the_configuration_again_with_its_defaults():
    read = validate(GOOD, "x")
    content = to_dict(read)
    assert content["dynamics"]["timestep"] == "0.5 fs"
    assert validate(content, "y") == read


@pytest.mark.parametrize(
    ("path", "value", "pattern"),
    [
        # unknown keys, with a suggestion where one is near
        ("campain", "x", r"campain: unknown key; did you mean campaign\? known keys: campaign, "),
        ("dynamics.time_step", "1 fs", r"dynamics.time_step: unknown key; did you mean timestep"),
        ("pressure.zzz", 1, r"pressure.zzz: unknown key; known keys: unit, values$"),
        # missing keys
        ("campaign", ..., r"campaign: missing"),
        ("structure.repeat", ..., r"structure.repeat: missing"),
        ("dynamics.produce", ..., r"dynamics.produce: missing"),
        # names
        ("campaign", "a b", r'campaign: expected letters, digits, - and _, got "a b"'),
        ("campaign", "../up", r"campaign: expected .*, got .*"),
        ("campaign", 3, r"campaign: expected a string, got 3"),
        # supercells that are no whole multiple of a cell
        ("structure.repeat", [2, 2, 2.5],
         r"structure.repeat\[2\]: expected a whole number, got 2.5"),
        ("structure.repeat", [2, 0, 2], r"structure.repeat\[1\]: expected a number >= 1, got 0"),
        ("structure.repeat", [2, 2], r"structure.repeat\[2\]: missing"),
        ("structure.repeat", [2, 2, 2, 2], r"structure.repeat: expected .*, got \[2, 2, 2, 2\]"),
        ("structure.repeat", 8, r"structure.repeat: expected a list, got 8"),
        ("structure.cell", "prim",
         r"structure.cell: expected 'primitive' or 'conventional', got \"prim\""),
        ("structure", "Fm-3m.cif", r"structure: expected a section with keys, got \"Fm-3m.cif\""),
        # baths
        ("baths", [], r"baths: expected a list of at least 1, got \[\]"),
        ("baths", ["qbt"], r"baths\[0\]: expected 'classical', 'qtb' or 'adqtb', got \"qbt\""),
        ("baths", ["qtb", "qtb"], r"baths: expected every value once, got qtb twice"),
        ("baths", "qtb", r"baths: expected a list, got \"qtb\""),
        ("bath.correction", "kinetic", r"bath.correction: expected 'none' or 'potential', got"),
        ("bath.shift_pressure", "yes", r'bath.shift_pressure: expected true or false, got "yes"'),
        ("bath.adaptation_rate", 0, r"bath.adaptation_rate: expected a number > 0, got 0"),
        ("bath.adaptation_rate", 2, r"bath.adaptation_rate: expected a number <= 1, got 2"),
        ("bath.adaptation_rate", "fast", r'bath.adaptation_rate: expected a number, got "fast"'),
        # grids
        ("pressure.values", [150, "150.0"],
         r"pressure.values: expected every value once, got 150 t"),
        ("temperature.values", [1, 1.0],
         r"temperature.values: expected every value once, got 1 twice"),
        ("pressure.values", [], r"pressure.values: expected a list of at least 1, got \[\]"),
        ("pressure.values", [100, -10], r"pressure.values\[1\]: expected a number >= 0, got -10"),
        ("pressure.values", ["150 GPa"],
         r"pressure.values\[0\]: expected a plain number .*, got \"150"),
        ("pressure.values", 150, r"pressure.values: expected a list, got 150"),
        ("pressure.unit", "bar", r"pressure.unit: expected 'GPa', got \"bar\""),
        ("temperature.unit", "C", r"temperature.unit: expected 'K', got \"C\""),
        ("temperature.values", [-1], r"temperature.values\[0\]: expected a number >= 0, got -1"),
        ("temperature.values", [5, 0], r"temperature.values\[1\]: expected .*classical.*, got 0"),
        ("temperature.values", [True], r"temperature.values\[0\]: expected .*, got true"),
        ("temperature.values", [None], r"temperature.values\[0\]: expected .*, got null"),
        ("temperature.values", [float("nan")], r"temperature.values\[0\]: expected .*, got NaN"),
        # units and types of quantities
        ("bath.friction", "10", r"bath.friction: expected .*\"10 /ps\".*, got \"10\""),
        ("bath.friction", 10, r"bath.friction: expected .* unit /ps.*, got 10"),
        ("bath.friction", "10 THz", r"bath.friction: expected .* unit /ps.*, got \"10 THz\""),
        ("bath.friction", "-1 /ps", r"bath.friction: expected a value > 0.*, got \"-1 /ps\""),
        ("bath.friction", {"a": 1}, r"bath.friction: expected .* unit /ps, .*, got \{\"a\": 1\}"),
        ("bath.cutoff", "2000 THz", r"bath.cutoff: expected at most 1000 THz.*, got 2000 THz"),
        ("dynamics.produce", "1 ns", r"dynamics.produce: expected .* unit ps.*, got \"1 ns\""),
        ("dynamics.produce", "1e999 ps", r"dynamics.produce: expected .*, got .*"),
        ("dynamics.timestep", "1 fs",
         r"dynamics.timestep: expected a value > 0 and <= 0.75 fs, got \"1 "),
        ("dynamics.timestep", "0 fs", r"dynamics.timestep: expected .*, got \"0 fs\""),
        ("dynamics.timestep", "0.5 ps", r"dynamics.timestep: expected .*, got \"0.5 ps\""),
        ("dynamics.spectrum_interval", "4 fs",
         r"dynamics.spectrum_interval: expected .* <= 2.5 fs, "),
        ("dynamics.spectrum_atoms", "all", r"dynamics.spectrum_atoms: expected a whole number, "),
        # times that do not fit into one another
        ("dynamics.timestep", "0.3 fs",
         r"dynamics.thermo_interval: .* timestep \(0.3 fs\), got 5 "),
        ("dynamics.frame_interval", "7 fs",
         r"dynamics.frame_interval: .* thermo_interval \(5 fs\), go"),
        ("dynamics.checkpoint_interval", "1.5 ps", r"dynamics.checkpoint_interval: .*, got 1.5 ps"),
        ("dynamics.produce", "0.5 ps", r"dynamics.spectrum_segment: expected at most produce"),
        ("distortion.window", "9 ps", r"distortion.window: expected at most dynamics.produce"),
        # path integrals
        ("pimd.points", [POINT | {"beads": 1}],
         r"pimd.points\[0\].beads: expected a whole number >= 2, .*, got 1"),
        ("pimd.points", [POINT | {"beads": []}], r"pimd.points\[0\].beads: expected .*, got \[\]"),
        ("pimd.points", [POINT | {"beads": [8, 8]}], r"pimd.points\[0\].beads: .* twice"),
        ("pimd.points", [POINT | {"bead": 8}], r"pimd.points\[0\].bead: unknown .* mean beads\?"),
        ("pimd.points", [{"pressure": 150, "beads": 8}],
         r"pimd.points\[0\].temperature: missing; it must be given \(A value of `temp"),
        ("pimd.points", [POINT, POINT | {"pressure": 140}],
         r"pimd.points\[1\].pressure: expected a value of pressure.values \(150, 200, .*, got 140"),
        ("pimd.points", [POINT, POINT], r"pimd.points\[1\]: expected .*, got 150 GPa, 1 K twice"),
        ("pimd.points", POINT, r"pimd.points: expected a list, got .*"),
        ("pimd.start", "qtb", r"pimd.start: expected 'crystal' or 'classical', got \"qtb\""),
        ("pimd.springs", "eco", r"pimd.springs: expected 'economised' or 'trotter', got"),
        ("pimd.timestep", "2 fs", r"pimd.timestep: expected a value > 0 and <= 1 fs, got"),
        ("pimd.checkpoint_interval", "0.05 ps", r"pimd.checkpoint_interval: .*, got 0.05 ps"),
        ("pimd.frame_beads", 0, r"pimd.frame_beads: expected a number >= 1, got 0"),
        # the rest
        ("seed", 1.5, r"seed: expected a whole number, got 1.5"),
        ("seed", 0, r"seed: expected a number >= 1, got 0"),
        ("keep_trajectories", "yes", r"keep_trajectories: expected true or false, got \"yes\""),
        ("campaign", "potential", r"campaign: expected any other name .*, got \"potential"),
        ("potential.committee", ["a.pb", "a.pb"],
         r"potential.committee: expected .*, got a.pb twice"),
        ("potential.committee", "a.pb", r"potential.committee: expected a list, got \"a.pb\""),
    ],
)  # fmt: skip
def test_bad_values(path, value, pattern):
    assert re.match(pattern, complaint(changed(path, value)))


def test_the_others_are_counted():
    content = changed("seed", 0) | {"baths": []}
    assert complaint(content).endswith("(and 1 more)")


def test_zero_kelvin_has_a_meaning_for_quantum_nuclei():
    content = changed("temperature.values", [0]) | {"baths": ["qtb"]}
    assert validate(content, "x").temperature.values == ("0",)


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_shipped_configurations(name):
    content = yaml_files.read(REPOSITORY / f"config/{name}.yaml")
    read = validate(content, name)
    assert read.campaign == name


def test_the_papers_grid():
    paper = validate(yaml_files.read(REPOSITORY / "config/paper.yaml"), "paper")
    assert paper.n_atoms == 44_000
    assert set(paper.baths) == {"classical", "qtb"}
    pressures = sorted(map(float, paper.pressure.values))
    temperatures = sorted(map(float, paper.temperature.values))
    assert len(pressures) == 21 and (pressures[0], pressures[-1]) == (100, 200)
    assert len(temperatures) == 20 and (temperatures[0], temperatures[-1]) == (1, 300)
    assert {150.0, 200.0} <= set(pressures)
    assert {1.0, 5.0, 200.0} <= set(temperatures)
    near, far = (sum(low <= t < low + 50 for t in temperatures) for low in (225, 50))
    assert near >= 2 * far, "dense round 250 K"


def test_the_demo_straddles_the_transition():
    demo = validate(yaml_files.read(REPOSITORY / "config/demo.yaml"), "demo")
    assert 88 <= demo.n_atoms <= 176
    assert len(demo.baths) == 2
    assert len(demo.pressure.values) >= 3 and len(demo.temperature.values) >= 3


def test_the_shipped_potential_comes_with_its_committee():
    """And another one with none: a committee is of models of one kind."""
    (second,) = Potential().committee
    assert second != SHIPPED and (REPOSITORY / second).is_file()
    assert Potential(model="other.pb").committee == ()
    assert Potential(committee=[]).committee == ()


@pytest.mark.parametrize(
    ("given", "read"),
    [({"H": "D"}, {"H": "D"}), ({"H": 3, "La": 138}, {"H": "T", "La": "La-138"}), ({}, {})],
)
def test_isotopes(given, read):
    assert validate(changed("structure.isotopes", given), "x").structure.isotopes == read


@pytest.mark.parametrize(
    ("given", "got"),
    [({"H": "Q"}, "Q"), ({"H": 1}, "1"), ({"Y": "D"}, "D"), ("D", "D"), ({"H": None}, "null")],
)
def test_unknown_isotopes_are_answered_with_the_choice(given, got):
    told = complaint(changed("structure.isotopes", given))
    assert "structure.isotopes: expected " in told and "H: D, T, 2, 3" in told and got in told


def test_a_crystal_without_isotopes_is_written_as_before_there_was_the_key():
    """Points that are merged must have one configuration, those of earlier versions too."""
    assert "isotopes" not in to_dict(validate(GOOD, "x"))["structure"]
    with_them = to_dict(validate(changed("structure.isotopes", {"H": 2}), "x"))
    assert with_them["structure"]["isotopes"] == {"H": "D"}
    assert validate(with_them, "x").structure.isotopes == {"H": "D"}
