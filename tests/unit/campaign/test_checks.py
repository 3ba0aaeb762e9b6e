"""What the main process checks before a campaign starts."""

import re
from pathlib import Path

import pytest

import frozen_graph
from lah10.campaign import checks
from lah10.config.reading import validate
from lah10.errors import UserError
from made_up_config import GOOD, changed

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path):
    """A folder with everything that GOOD names."""
    crystal = REPOSITORY / "resources/structures/Fm-3m.cif"
    (tmp_path / "crystal.cif").write_bytes(crystal.read_bytes())
    frozen_graph.write(tmp_path / "model.pb")
    return tmp_path


def test_a_thin_cell_is_a_warning(folder):
    (warning,) = checks.check(validate(GOOD, "x"), "x", folder)
    assert re.match(r"structure.repeat: \[2, 3, 4\] makes a cell 5.9 Å thin", warning)
    assert "\n" not in warning
    thick = validate(changed("structure.repeat", [4, 4, 4]), "x")
    assert checks.check(thick, "x", folder) == []


def test_another_structure_is_refused(folder):
    crystal = REPOSITORY / "resources/structures/R-3m.cif"
    (folder / "crystal.cif").write_bytes(crystal.read_bytes())
    with pytest.raises(UserError, match=r"^x.yaml: structure.file: crystal.cif: .* Fm-3m"):
        checks.check(validate(GOOD, "x"), "x.yaml", folder)


@pytest.mark.parametrize("name", ["results", "logs", "results/test", "logs/potential"])
def test_a_link_to_nothing_is_named_with_its_target(folder, name):
    link = folder / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to("/gone/scratch")
    with pytest.raises(UserError, match=rf"{name}: a link to /gone/scratch, which does not exist"):
        checks.check(validate(GOOD, "x"), "x", folder)
    link.unlink()
    (folder / "there").mkdir()
    link.symlink_to(folder / "there")
    checks.check(validate(GOOD, "x"), "x", folder)
