"""The command stream of a run, against golden text; regenerate with UPDATE_GOLDEN=1 and read it."""

import os
from pathlib import Path

import pytest
from ase.build import bulk

from lah10.bath.bath import expected_temperature
from lah10.dynamics import lammps_input as script
from lah10.errors import UserError

GOLDEN = Path(__file__).parent / "golden"


def stream(bath, stage):
    temperature = expected_temperature(bath, 100.0)
    drag = 2.0 if stage == "equilibrate" else 0.0
    interaction = script.interaction("lah10.pb")
    start = [
        *script.header(),
        *script.crystal("supercell.data"),
        *interaction,
        *script.relaxation(150.0),
        *script.velocities(temperature, 1234),
        "write_restart state-00000.restart",
    ]
    segment = [
        "clear",
        "box tilt large",
        *script.restart("state-00000.restart"),
        *interaction,
        *script.integrator(150.0, 0.5, temperature, 0.0005, 10, drag),
    ]
    return "\n".join((start if stage == "equilibrate" else []) + segment) + "\n"


@pytest.mark.parametrize("bath", ["classical", "qtb"])
@pytest.mark.parametrize("stage", ["equilibrate", "produce"])
def test_golden(bath, stage):
    path = GOLDEN / f"{stage}-{bath}.lmp"
    text = stream(bath, stage)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def test_committee_writes_its_deviation():
    line = script.interaction("a.pb", ["b.pb"], "deviation.out", 40)[0]
    assert line == "pair_style deepmd a.pb b.pb out_file deviation.out out_freq 40"


def test_paths_of_any_characters_are_one_word():
    """LAMMPS would end a word at a blank, a line at #, and take $ for a variable."""
    line = script.interaction("my models/a.pb", ["b#2.pb", "$c.pb"], "a run/deviation.out", 40)[0]
    assert line == (
        'pair_style deepmd "my models/a.pb" "b#2.pb" "$c.pb" '
        'out_file "a run/deviation.out" out_freq 40'
    )
    assert script.crystal("a b")[0] == 'read_data "a b"'
    assert script.restart("a b") == ['read_restart "a b"']
    assert script.keep('5" b') == ["write_restart '5\" b'"]
    with pytest.raises(UserError, match="both \" and ' is not allowed; rename"):
        script.keep("5\" b's")


def test_quench_ends_with_a_minimisation():
    assert script.quench()[-1].startswith("minimize")


def test_data_file_keeps_order_and_types(tmp_path):
    atoms = bulk("La", "sc", a=4.0) + bulk("H", "sc", a=4.0)
    atoms.positions[1] += 2.0
    atoms.cell = [4.0, 4.0, 4.0]
    script.write_data(atoms, tmp_path / "x.data")
    text = (tmp_path / "x.data").read_text()
    assert "2 atoms" in text
    assert "2 atom types" in text
    rows = text.split("Atoms")[1].split("\n")[2:4]
    assert [row.split()[:2] for row in rows] == [["1", "1"], ["2", "2"]]
