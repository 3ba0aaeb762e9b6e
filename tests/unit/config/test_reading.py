"""Reading of configuration files: merging, YAML, and the files that they name."""

from pathlib import Path

import pytest
import yaml

import frozen_graph
from lah10.config import reading, yaml_files
from lah10.errors import UserError
from made_up_config import GOOD

REPOSITORY = Path(__file__).resolve().parents[3]


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
    assert reading.load(["good.yaml"]).campaign == "test"


def test_later_files_and_the_command_line_override_single_keys(folder):
    Path("more.yaml").write_text("temperature: {values: [7]}")
    read = reading.load(["good.yaml", "more.yaml"], {"seed": 3})
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
    read = reading.load(["good.yaml"], override)
    assert read.structure.repeat == (3, 3, 3)
    assert read.bath.adaptation_rate == 0.5
    assert read.bath.shift_pressure is True
    assert read.bath.friction == 5.0
    assert read.pimd.points[0].beads == (32, 48)
    assert read.pimd.points[0].pressure == "150"


@pytest.mark.parametrize("text", ["0100", "1:40"])
def test_numbers_of_the_command_line_are_decimal(folder, text):
    with pytest.raises(UserError, match=rf"^--config: YAML reads {text} "):
        reading.load(["good.yaml"], {"pressure": {"values": [text]}})


@pytest.mark.parametrize("text", ["0", "0.50", "10", "1_000", "-3", "0x10", "1.0e+3", "'0100'"])
def test_other_numbers_are_what_they_seem(text):
    content = yaml_files.parse(f"a: {text}")
    assert content == yaml.safe_load(f"a: {text}")


def test_messages_name_all_sources(folder):
    with pytest.raises(UserError, match=r"^good.yaml \+ --config: seed: expected .*, got 0"):
        reading.load([folder / "good.yaml"], {"seed": 0})


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("a: [1, 2", r"^bad.yaml: line 1, column 9: not valid YAML: "),
        ("a: 1\n\tb: 2", r"^bad.yaml: line 2, column 1: not valid YAML: "),
        ("seed: 1\nseed: 2", r"^bad.yaml: line 2, column 1: the key seed occurs twice"),
        ("", r"^bad.yaml: expected keys, got none"),
        ("- 1\n- 2", r"^bad.yaml: expected keys, got none"),
        ("? [1, 2]\n: 3", r"^bad.yaml: line 1, column 3: expected a string as key"),
        ("a: [5, 0100]", r"^bad.yaml: line 1, column 8: YAML reads 0100 as octal, 64; write it wi"),
        ("a: [-0120]", r"^bad.yaml: line 1, column 5: YAML reads -0120 as octal, -80"),
        ("a:\n  b: 1:40", r"^bad.yaml: line 2, column 6: YAML reads 1:40 to the base 60, as 100;"),
        ("a: 1:40.5", r"^bad.yaml: line 1, column 4: YAML reads 1:40.5 to the base 60, as 100.5;"),
    ],
    ids=["open", "tab", "twice", "empty", "list", "odd", "octal", "minus", "base 60", "float"],
)
def test_bad_yaml(folder, text, pattern):
    Path("bad.yaml").write_text(text)
    with pytest.raises(UserError, match=pattern) as error:
        reading.load(["bad.yaml"])
    assert "\n" not in str(error.value)


def test_missing_and_unreadable_files(folder):
    with pytest.raises(UserError, match=r"^none.yaml: cannot be read \(No such file"):
        reading.load(["none.yaml"])
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"^binary.yaml: expected a YAML file in UTF-8"):
        reading.load(["binary.yaml"])


def test_files_that_the_configuration_names(folder):
    Path("model.pb").unlink()
    with pytest.raises(UserError, match=r"^good.yaml: potential.model: expected .*, got model.pb"):
        reading.load(["good.yaml"])
    frozen_graph.write(Path("model.pb"), "Cu")
    with pytest.raises(UserError, match=r"expected a model of La and H, .*, a model of Cu$"):
        reading.load(["good.yaml"])
    frozen_graph.write(Path("model.pb"), "La")
    with pytest.raises(UserError, match=r"expected a model of La and H, .*, a model of La$"):
        reading.load(["good.yaml"])
    frozen_graph.write(Path("model.pb"))
    with pytest.raises(UserError, match=r"potential.committee\[0\]: expected .*, got none.pb"):
        reading.load(["good.yaml"], {"potential": {"committee": ["none.pb"]}})
    Path("crystal.cif").unlink()
    with pytest.raises(UserError, match=r"structure.file: expected the path .*, got crystal.cif"):
        reading.load(["good.yaml"])


def test_shipped_models_judge_no_other_model(folder):
    """By content, whatever the file is called; among themselves they are a committee."""
    folder = REPOSITORY / "resources/potentials"
    shipped = [folder / "lah10/lah10.pb", folder / "lah10-2/lah10.pb"]
    Path("copy.pb").write_bytes(shipped[1].read_bytes())
    for member in (str(shipped[0]), "copy.pb"):
        with pytest.raises(UserError, match=r"^good.yaml \+ --config: potential.committee\[0\]: "
                           rf"expected a model fitted as potential.model .*, got {member}"):
            reading.load(["good.yaml"], {"potential": {"committee": [member]}})
    frozen_graph.write(Path("second.pb"), cutoff=5.0)
    own = reading.load(["good.yaml"], {"potential": {"committee": ["second.pb"]}})
    assert own.potential.committee == ("second.pb",)
    both = {"model": str(shipped[0]), "committee": ["copy.pb"]}
    assert reading.load(["good.yaml"], {"potential": both}).potential.committee == ("copy.pb",)


def test_shipped_campaigns_leave_the_committee_to_the_model():
    """So that another model in a copy of the file has no committee of the project's."""
    for path in (REPOSITORY / "config").glob("*.yaml"):
        potential = yaml.safe_load(path.read_text()).get("potential", {})
        assert "committee" not in potential, path
