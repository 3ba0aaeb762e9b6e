"""The schema and the tables of keys are those of the sections."""

from pathlib import Path

import pytest

from lah10.config import reference
from lah10.config.training import Learn, Source

REPOSITORY = Path(__file__).resolve().parents[3]


def test_the_schema_is_in_step_with_the_sections():
    shipped = (REPOSITORY / reference.SCHEMA).read_text(encoding="utf-8")
    assert shipped == reference.json_schema(), "write it anew: make schema"


def test_the_tables_of_keys_are_in_step_with_the_sections():
    shipped = (REPOSITORY / reference.README).read_text(encoding="utf-8")
    assert shipped == reference.fill(shipped), "write it anew: make schema"


def test_both_are_written(tmp_path):
    for name in (reference.SCHEMA, reference.README):
        (tmp_path / name).parent.mkdir(parents=True)
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("friction", "viscosity"), encoding="utf-8")
    reference.write(tmp_path)
    written = (tmp_path / reference.README).read_text(encoding="utf-8")
    assert "| `bath.friction` | `10 /ps` | /ps |" in written
    schema = (tmp_path / reference.SCHEMA).read_text(encoding="utf-8")
    assert schema == reference.json_schema()


@pytest.mark.parametrize("model", reference.TABLES.values(), ids=reference.TABLES)
def test_every_key_has_a_meaning(model):
    rows = reference.table(model).splitlines()[2:]
    assert rows
    for row in rows:
        key, default, value, meaning = row.strip("| ").replace("\\|", "/").split(" | ")
        assert key and default and value
        assert len(meaning) > 5 and meaning.endswith("."), key


@pytest.mark.parametrize(
    "row",
    [
        "| `structure.repeat` | required | list of 3: whole number >= 1 |",
        "| `baths` | required | list: `classical`, `qtb`, `adqtb` |",
        "| `dynamics.timestep` | `0.5 fs` | <= 0.75 fs |",
        "| `potential.committee` | `[resources/potentials/lah10-2/lah10.pb]` | list: string |",
        "| `bath.adaptation_rate` | `0.3` | number > 0, <= 1 |",
        "| `pimd.points[i].beads` | required | whole number >= 2, or list |",
        "| `shares` | `{}` | by name: number > 0, <= 1 |",
        "| `compare` | `{}` | by name: string |",
        "| `held_out` | required | list: string or `all` |",
    ],
)
def test_rows(row):
    assert any(row in reference.table(model) for model in reference.TABLES.values())


def test_a_readme_without_a_table_is_refused():
    with pytest.raises(ValueError, match=r"config/README.md: expected <!-- keys: campaign"):
        reference.fill("# Configuration\n")


@pytest.mark.parametrize("section", [Source, Learn])
def test_a_key_was_renamed_to_one_that_there_is(section):
    assert section.RENAMED and set(section.RENAMED.values()) <= set(section.model_fields)
    assert not set(section.RENAMED) & set(section.model_fields)
