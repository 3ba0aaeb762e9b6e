"""Commands for LAMMPS one by one; whole streams, as runs gave them: physics/test_dynamics.py."""

import numpy as np
import pytest
from ase.build import bulk

from lah10.dynamics import lammps_input as script
from lah10.errors import UserError


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


def test_the_deviation_is_read_at_the_steps_that_it_was_written(tmp_path):
    """Column 5 of deepmd-kit's file; other steps have none."""
    path = tmp_path / "deviation.out"
    path.write_text("# step max_v min_v avg_v max_f min_f avg_f\n0 1 1 1 0.5 0 0\n40 1 1 1 0.7 0 0")
    found = script.read_deviation(path, np.array([0, 10, 40]))
    np.testing.assert_array_equal(found, [0.5, np.nan, 0.7])


def test_minimise_ends_with_a_minimisation():
    assert script.minimise()[-1].startswith("minimize")


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


def test_barostat_of_a_held_shape_scales_the_volume_alone():
    line = script.volume_barostat(150.0, 1.25, 300.0)
    assert line == (
        "fix barostat all nph iso 1500000 1500000 1.25 ptemp 300 pchain 3 drag 0"
    )
    assert line in script.integrator([line], 0.0005, 10)


def test_volume_swings_with_the_period_whatever_the_temperature():
    """√(W/3BV) does not depend on T; the period is that of a flexible cell measured elsewhere:
    10 to 11.5 THz at 300 K, 44 atoms, 0.5 ps."""
    periods = [script.volume_damping(0.2, 44, t) / np.sqrt(1 / t) for t in (1.0, 300.0)]
    assert periods[0] == pytest.approx(periods[1])
    period = 0.2 * 0.5 / script.volume_damping(0.2, 44, 300.0)
    assert 10 < 1 / period < 11.5
