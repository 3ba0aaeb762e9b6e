"""The configuration: what is read, and that every mistake is answered in one telling line."""

import copy
import re
from pathlib import Path

import pytest
import yaml

import frozen_graph
from lah10 import config
from lah10.errors import UserError

REPOSITORY = Path(__file__).resolve().parents[3]
CAMPAIGNS = ("demo", "reference", "paper", "gamma-scan", "five-kelvin", "pimd", "stability")
GOOD = {
    "campaign": "test",
    "structure": {"file": "crystal.cif", "cell": "primitive", "repeat": [2, 3, 4]},
    "potential": {"model": "model.pb"},
    "baths": ["classical", "qtb"],
    "pressure": {"unit": "GPa", "values": [150, 200.0, "120.50"]},
    "temperature": {"unit": "K", "values": [1, 2.5]},
    "dynamics": {"equilibrate": "2 ps", "produce": "3 ps"},
}

#: A point for path integrals, of GOOD's grid.
POINT = {"pressure": 150, "temperature": 1, "beads": 8}


def changed(path: str, value) -> dict:
    """GOOD with one value replaced, or removed where the value is `...`."""
    content = copy.deepcopy(GOOD)
    section = content
    *sections, key = path.split(".")
    for name in sections:
        section = section.setdefault(name, {})
    if value is ...:
        del section[key]
    else:
        section[key] = value
    return content


def complaint(content: dict) -> str:
    with pytest.raises(UserError) as error:
        config.validate(content, "config/x.yaml")
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith("config/x.yaml: ")
    return text.removeprefix("config/x.yaml: ")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (150, "150"), (150.0, "150"), ("150.0", "150"), ("1.50", "1.5"), (1.5, "1.5"),
        (0.1 + 0.2, "0.30000000000000004"), ("1e2", "100"), (0, "0"), (-0.0, "0"), ("007", "7"),
        (300, "300"),
    ],
)  # fmt: skip
def test_canonical(value, text):
    assert config.canonical(value) == text


@pytest.mark.parametrize("value", ["", "x", "nan", "inf", True, None, [1]])
def test_canonical_refuses(value):
    with pytest.raises(ValueError):
        config.canonical(value)


def test_what_is_read():
    read = config.validate(GOOD, "x")
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
    usual = config.validate(GOOD, "x")
    other = config.validate(changed("dynamics.frame_interval", "40 fs"), "x")
    first, second = (one.dynamics_options("equilibrate", "qtb") for one in (usual, other))
    assert first == second
    first, second = (one.dynamics_options("produce", "qtb") for one in (usual, other))
    assert first != second


def test_adaptive_bath_equilibrates_longer_and_records_spectra():
    adaptive = config.validate(changed("baths", ["qtb", "adqtb"]) | {
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

    assert complaint(with_bath(adaptation="11 ps")).startswith(
        "bath.adaptation: 11 ps is not allowed; a whole multiple of dynamics.spectrum_segment "
        "(1 ps), at least 12 of them (12 ps), is allowed"
    )
    assert complaint(with_bath(adaptation="12.5 ps")).startswith("bath.adaptation: 12.5 ps is not")
    config.validate(with_bath(adaptation="12 ps"), "x")
    tenths = with_bath(adaptation="1.2 ps")
    tenths["dynamics"] = tenths["dynamics"] | {"spectrum_segment": "0.1 ps"}
    config.validate(tenths, "x")
    assert complaint(
        changed("dynamics.equilibrate", "1 ps") | {"bath": {"shift_pressure": True}}
    ).startswith("dynamics.equilibrate: 1 ps is not allowed; with bath.shift_pressure at least two")


def test_corrections_concern_quantum_baths_alone():
    corrected = config.validate(
        GOOD | {"bath": {"correction": "potential", "shift_pressure": True}}, "x"
    )
    plain = config.validate(GOOD, "x")
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
    read = config.validate(changed("pimd.points", [POINT, point]), "x")
    assert [(p.pressure, p.temperature, p.beads) for p in read.pimd.points] == [
        ("150", "1", (8,)), ("120.5", "2.5", (32, 64)),
    ]  # fmt: skip
    assert read.pimd.options["produce_ps"] == 5.0
    assert read.pimd.highest_THz == 80.0
    assert config.validate(config.to_dict(read), "y") == read
    assert read.pimd.start == "crystal"
    classical = changed("pimd", {"points": [POINT], "start": "classical"})
    assert config.validate(classical, "x").pimd.start == "classical"
    assert complaint(classical | {"baths": ["qtb"]}).startswith(
        "pimd.start: classical is not allowed; crystal is allowed, or classical with the classical"
    )
    trotter = config.validate(changed("pimd.springs", "trotter"), "x")
    assert trotter.pimd.highest_THz is None and trotter.pimd.points == ()


@pytest.mark.parametrize("text", ["0.5 fs", "0.5fs", " .5 fs ", "5e-1 fs", "0.50 fs"])
def test_a_quantity_may_be_written_in_several_ways(text):
    assert config.validate(changed("dynamics.timestep", text), "x").dynamics.timestep == 0.5


def test_what_is_written_is_the_configuration_again_with_its_defaults():
    read = config.validate(GOOD, "x")
    content = config.to_dict(read)
    assert content["dynamics"]["timestep"] == "0.5 fs"
    assert config.validate(content, "y") == read


@pytest.mark.parametrize(
    ("path", "value", "pattern"),
    [
        # unknown keys, with a suggestion where one is near
        ("campain", "x", r"campain: unknown key; did you mean campaign\? allowed: campaign, "),
        ("dynamics.time_step", "1 fs", r"dynamics.time_step: unknown key; did you mean timestep"),
        ("pressure.zzz", 1, r"pressure.zzz: unknown key; allowed: unit, values$"),
        # missing keys
        ("campaign", ..., r"campaign: missing"),
        ("structure.repeat", ..., r"structure.repeat: missing"),
        ("dynamics.produce", ..., r"dynamics.produce: missing"),
        # names
        ("campaign", "a b", r'campaign: "a b" is not allowed; letters, digits'),
        ("campaign", "../up", r"campaign: .* is not allowed"),
        ("campaign", 3, r"campaign: 3 is not allowed; a text"),
        # supercells that are no whole multiple of a cell
        ("structure.repeat", [2, 2, 2.5], r"structure.repeat\[2\]: 2.5 is not allowed; a whole"),
        ("structure.repeat", [2, 0, 2], r"structure.repeat\[1\]: 0 is not allowed; a number >= 1"),
        ("structure.repeat", [2, 2], r"structure.repeat\[2\]: missing"),
        ("structure.repeat", [2, 2, 2, 2], r"structure.repeat: \[2, 2, 2, 2\] is not allowed"),
        ("structure.repeat", 8, r"structure.repeat: 8 is not allowed; a list"),
        ("structure.cell", "prim", r"structure.cell: \"prim\" .* 'primitive' or 'conventional'"),
        ("structure", "Fm-3m.cif", r"structure: \"Fm-3m.cif\" is not allowed; a section"),
        # baths
        ("baths", [], r"baths: \[\] is not allowed; a list of at least 1"),
        ("baths", ["qbt"], r"baths\[0\]: \"qbt\" is not allowed; 'classical', 'qtb' or 'adqtb'"),
        ("baths", ["qtb", "qtb"], r"baths: .* qtb stands there twice"),
        ("baths", "qtb", r"baths: \"qtb\" is not allowed; a list"),
        ("bath.correction", "kinetic", r"bath.correction: .*; 'none' or 'potential' is allowed"),
        ("bath.shift_pressure", "yes", r'bath.shift_pressure: "yes" is not allowed; true or'),
        ("bath.adaptation_rate", 0, r"bath.adaptation_rate: 0 is not allowed; a number > 0"),
        ("bath.adaptation_rate", 2, r"bath.adaptation_rate: 2 is not allowed; a number <= 1"),
        ("bath.adaptation_rate", "fast", r'bath.adaptation_rate: "fast" is not allowed; a number'),
        # grids
        ("pressure.values", [150, "150.0"], r"pressure.values: .* 150 stands there twice"),
        ("temperature.values", [1, 1.0], r"temperature.values: .* 1 stands there twice"),
        ("pressure.values", [], r"pressure.values: \[\] is not allowed; a list of at least 1"),
        ("pressure.values", [100, -10], r"pressure.values\[1\]: -10 is not allowed; a number >= 0"),
        ("pressure.values", ["150 GPa"], r"pressure.values\[0\]: \"150 GPa\" .* a plain number"),
        ("pressure.values", 150, r"pressure.values: 150 is not allowed; a list"),
        ("pressure.unit", "bar", r"pressure.unit: \"bar\" is not allowed; 'GPa'"),
        ("temperature.unit", "C", r"temperature.unit: \"C\" is not allowed; 'K'"),
        ("temperature.values", [-1], r"temperature.values\[0\]: -1 is not allowed; a number >= 0"),
        ("temperature.values", [5, 0], r"temperature.values\[1\]: 0 is not allowed; .*classical"),
        ("temperature.values", [True], r"temperature.values\[0\]: true is not allowed"),
        ("temperature.values", [None], r"temperature.values\[0\]: null is not allowed"),
        ("temperature.values", [float("nan")], r"temperature.values\[0\]: NaN is not allowed"),
        # units and types of quantities
        ("bath.friction", "10", r"bath.friction: \"10\" is not allowed; .*\"10 /ps\""),
        ("bath.friction", 10, r"bath.friction: 10 is not allowed; .* unit /ps"),
        ("bath.friction", "10 THz", r"bath.friction: \"10 THz\" is not allowed; .* unit /ps"),
        ("bath.friction", "-1 /ps", r"bath.friction: \"-1 /ps\" is not allowed; a value > 0"),
        ("bath.cutoff", "2000 THz", r"bath.cutoff: 2000 THz is not allowed; at most 1000 THz"),
        ("dynamics.produce", "1 ns", r"dynamics.produce: \"1 ns\" is not allowed; .* unit ps"),
        ("dynamics.produce", "1e999 ps", r"dynamics.produce: .* is not allowed"),
        ("dynamics.timestep", "1 fs", r"dynamics.timestep: \"1 fs\" .* > 0 and <= 0.5 fs"),
        ("dynamics.timestep", "0 fs", r"dynamics.timestep: \"0 fs\" is not allowed"),
        ("dynamics.timestep", "0.5 ps", r"dynamics.timestep: \"0.5 ps\" is not allowed"),
        ("dynamics.spectrum_interval", "4 fs", r"dynamics.spectrum_interval: .* <= 2.5 fs"),
        ("dynamics.spectrum_atoms", "all", r"dynamics.spectrum_atoms: \"all\" .* a whole number"),
        # times that do not fit into one another
        ("dynamics.timestep", "0.3 fs", r"dynamics.thermo_interval: 5 fs .* timestep \(0.3 fs\)"),
        ("dynamics.frame_interval", "7 fs", r"dynamics.frame_interval: 7 fs .* thermo_interval"),
        ("dynamics.checkpoint_interval", "1.5 ps", r"dynamics.checkpoint_interval: 1.5 ps"),
        ("dynamics.produce", "0.5 ps", r"dynamics.spectrum_segment: 1 ps .* at most produce"),
        ("distortion.window", "9 ps", r"distortion.window: 9 ps .* at most dynamics.produce"),
        # path integrals
        ("pimd.points", [POINT | {"beads": 1}], r"pimd.points\[0\].beads: 1 is not .* >= 2"),
        ("pimd.points", [POINT | {"beads": []}], r"pimd.points\[0\].beads: \[\] is not allowed"),
        ("pimd.points", [POINT | {"beads": [8, 8]}], r"pimd.points\[0\].beads: .* twice"),
        ("pimd.points", [POINT | {"bead": 8}], r"pimd.points\[0\].bead: unknown .* mean beads\?"),
        ("pimd.points", [{"pressure": 150, "beads": 8}],
         r"pimd.points\[0\].temperature: missing; it must be given \(of the grid\)"),
        ("pimd.points", [POINT, POINT | {"pressure": 140}],
         r"pimd.points\[1\].pressure: 140 is not allowed; a value of pressure.values \(150, 200, "),
        ("pimd.points", [POINT, POINT], r"pimd.points\[1\]: 150 GPa, 1 K stands there twice"),
        ("pimd.points", POINT, r"pimd.points: .* is not allowed; a list"),
        ("pimd.start", "qtb", r"pimd.start: \"qtb\" is not allowed; 'crystal' or 'classical'"),
        ("pimd.springs", "eco", r"pimd.springs: \"eco\" .* 'economised' or 'trotter'"),
        ("pimd.timestep", "2 fs", r"pimd.timestep: \"2 fs\" .* > 0 and <= 1 fs"),
        ("pimd.checkpoint_interval", "0.05 ps", r"pimd.checkpoint_interval: 0.05 ps .* frame_int"),
        ("pimd.frame_beads", 0, r"pimd.frame_beads: 0 is not allowed; a number >= 1"),
        # the rest
        ("seed", 1.5, r"seed: 1.5 is not allowed; a whole number"),
        ("seed", 0, r"seed: 0 is not allowed; a number >= 1"),
        ("keep_trajectories", "yes", r"keep_trajectories: \"yes\" is not allowed; true or false"),
        ("campaign", "potential", r"campaign: .*potential.* any other name is allowed"),
        ("potential.committee", ["a.pb", "a.pb"], r"potential.committee: a.pb stands there twice"),
        ("potential.committee", "a.pb", r"potential.committee: \"a.pb\" is not allowed; a list"),
    ],
)  # fmt: skip
def test_bad_values(path, value, pattern):
    assert re.match(pattern, complaint(changed(path, value)))


def test_the_others_are_counted():
    content = changed("seed", 0) | {"baths": []}
    assert complaint(content).endswith("(and 1 more)")


def test_zero_kelvin_has_a_meaning_for_quantum_nuclei():
    content = changed("temperature.values", [0]) | {"baths": ["qtb"]}
    assert config.validate(content, "x").temperature.values == ("0",)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with everything that GOOD names."""
    monkeypatch.chdir(tmp_path)
    crystal = REPOSITORY / "resources/structures/Fm-3m.cif"
    Path("crystal.cif").write_bytes(crystal.read_bytes())
    frozen_graph.write(Path("model.pb"))
    Path("good.yaml").write_text(yaml.safe_dump(GOOD))
    return tmp_path


def test_load(folder):
    assert config.load(["good.yaml"]).campaign == "test"


def test_later_files_and_the_command_line_override_single_keys(folder):
    Path("more.yaml").write_text("temperature: {values: [7]}")
    read = config.load(["good.yaml", "more.yaml"], {"seed": 3})
    assert read.temperature.values == ("7",)
    assert read.temperature.unit == "K"
    assert read.seed == 3


def test_values_may_come_from_the_command_line_as_texts(folder):
    """Snakemake reads what is nested in a value of `--config` as texts."""
    override = {
        "structure": {"repeat": ["3", "3", "3"]},
        "bath": {"adaptation_rate": "0.5", "shift_pressure": "true", "friction": "5 /ps"},
        "pimd": {"points": [{"pressure": "150", "temperature": "100", "beads": ["32", "48"]}]},
    }
    given = yaml.safe_load(Path("good.yaml").read_text())
    given |= {"pressure": {"values": [150]}, "temperature": {"values": [100]}}
    Path("good.yaml").write_text(yaml.safe_dump(given))
    read = config.load(["good.yaml"], override)
    assert read.structure.repeat == (3, 3, 3)
    assert read.bath.adaptation_rate == 0.5
    assert read.bath.shift_pressure is True
    assert read.bath.friction == 5.0
    assert read.pimd.points[0].beads == (32, 48)
    assert read.pimd.points[0].pressure == "150"


def test_messages_name_all_sources(folder):
    with pytest.raises(UserError, match=r"^good.yaml \+ --config: seed: 0 is not allowed"):
        config.load([folder / "good.yaml"], {"seed": 0})


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("a: [1, 2", r"^bad.yaml: line 1, column 9: no valid YAML"),
        ("a: 1\n\tb: 2", r"^bad.yaml: line 2, column 1: no valid YAML"),
        ("seed: 1\nseed: 2", r"^bad.yaml: line 2, column 1: .* the key seed stands there twice"),
        ("", r"^bad.yaml: empty or without keys"),
        ("- 1\n- 2", r"^bad.yaml: empty or without keys"),
        ("? [1, 2]\n: 3", r"^bad.yaml: line 1, column 3: .* a key must be a text"),
    ],
    ids=["open", "tab", "twice", "empty", "list", "odd"],
)
def test_bad_yaml(folder, text, pattern):
    Path("bad.yaml").write_text(text)
    with pytest.raises(UserError, match=pattern) as error:
        config.load(["bad.yaml"])
    assert "\n" not in str(error.value)


def test_missing_and_unreadable_files(folder):
    with pytest.raises(UserError, match=r"^none.yaml: cannot be read \(No such file"):
        config.load(["none.yaml"])
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"^binary.yaml: no text in UTF-8"):
        config.load(["binary.yaml"])


def test_files_that_the_configuration_names(folder):
    Path("model.pb").unlink()
    with pytest.raises(UserError, match=r"^good.yaml: potential.model: model.pb is not allowed"):
        config.load(["good.yaml"])
    frozen_graph.write(Path("model.pb"), "Cu")
    with pytest.raises(UserError, match=r"potential.model: .* it knows Cu but not La and H; "):
        config.load(["good.yaml"])
    frozen_graph.write(Path("model.pb"), "La")
    with pytest.raises(UserError, match=r"it knows La but not H; "):
        config.load(["good.yaml"])
    frozen_graph.write(Path("model.pb"))
    with pytest.raises(UserError, match=r"potential.committee\[0\]: none.pb is not allowed"):
        config.load(["good.yaml"], {"potential": {"committee": ["none.pb"]}})
    Path("crystal.cif").unlink()
    with pytest.raises(UserError, match=r"structure.file: crystal.cif is not allowed"):
        config.load(["good.yaml"])


def test_a_thin_cell_is_a_warning(folder):
    told = []
    config.load(["good.yaml"], warn=told.append)
    (warning,) = told
    expected = r"Warning: good.yaml: structure.repeat: \[2, 3, 4\] makes a cell 5.9 Å thin"
    assert re.match(expected, warning)
    assert "\n" not in warning
    config.load(["good.yaml"], {"structure": {"repeat": [4, 4, 4]}}, warn=told.append)
    assert told == [warning]


def test_another_structure_is_refused(folder):
    crystal = REPOSITORY / "resources/structures/R-3m.cif"
    Path("crystal.cif").write_bytes(crystal.read_bytes())
    with pytest.raises(UserError, match=r"^good.yaml: structure.file: crystal.cif: .* Fm-3m"):
        config.load(["good.yaml"], warn=print)


def test_schema_is_in_step_with_the_model():
    shipped = (REPOSITORY / "workflow/schemas/config.schema.json").read_text()
    assert shipped == config.json_schema(), "write it anew: make schema"


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_shipped_configurations(name):
    content = config.read_yaml(REPOSITORY / f"config/{name}.yaml")
    read = config.validate(content, name)
    assert read.campaign == name


def test_the_papers_grid():
    paper = config.validate(config.read_yaml(REPOSITORY / "config/paper.yaml"), "paper")
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
    demo = config.validate(config.read_yaml(REPOSITORY / "config/demo.yaml"), "demo")
    assert 88 <= demo.n_atoms <= 176
    assert len(demo.baths) == 2
    assert len(demo.pressure.values) >= 3 and len(demo.temperature.values) >= 3


def test_the_shipped_potential_comes_with_its_committee():
    """And another one with none: a committee is of models of one kind."""
    (second,) = config.Potential().committee
    assert second != config.SHIPPED and (REPOSITORY / second).is_file()
    assert config.Potential(model="other.pb").committee == ()
    assert config.Potential(committee=[]).committee == ()


def test_every_key_is_explained():
    """config/README.md has a row for every key, with its unit and its default."""
    text = (REPOSITORY / "config/README.md").read_text()
    for name, section in config.Config.model_fields.items():
        fields = getattr(section.annotation, "model_fields", None)
        for key, field in (fields or {"": section}).items():
            path = f"{name}.{key}".rstrip(".")
            row = re.search(rf"^\| `{re.escape(path)}` \|(.*)$", text, flags=re.MULTILINE)
            assert row, f"{path} is not explained"
            default = field.get_default(call_default_factory=True, validated_data={})
            if field.is_required():
                assert "required" in row[1], f"{path}: say that it is required"
            else:
                shown = yaml.safe_dump(default).splitlines()[0] if default != () else "[]"
                assert f"`{shown}`" in row[1], f"{path}: the default is {shown}"
