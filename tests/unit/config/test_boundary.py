"""Section `boundary`: states, windows and potentials, and what is refused, in one line each."""

from pathlib import Path

import pytest

from lah10.config import checks, reading
from lah10.config.campaign import Config
from lah10.errors import UserError

REPOSITORY = Path(__file__).resolve().parents[3]
BASE = {
    "campaign": "test",
    "structure": {"repeat": [1, 1, 1]},
    "baths": ["qtb"],
    "pressure": {"values": [150]},
    "temperature": {"values": [100]},
    "dynamics": {"equilibrate": "1 ps", "produce": "2 ps"},
}
STATE = {"pressure": 150, "temperature": 300, "beads": 16}


def read(**boundary) -> Config:
    return reading.validate(BASE | {"boundary": boundary}, "x.yaml")


def test_without_states_there_is_nothing_to_run():
    made = reading.validate(BASE, "x.yaml")
    assert made.boundary.runs(made.boundary_potentials) == []
    assert len(made.boundary.angles) >= 7


def test_states_need_not_be_of_the_grid():
    made = read(
        classical={"pressure": [130, 170.0], "temperature": [200, 300]}, pimd={"points": [STATE]}
    )
    runs = made.boundary.runs(made.boundary_potentials)
    assert len(runs) == 5
    assert runs[0] == ("potential", "classical", "130", "200")
    assert runs[-1] == ("potential", "pimd", "150", "300")
    assert made.boundary.beads("150", "300") == 16
    assert made.boundary_potentials["potential"].model == made.potential.model


def test_angles_are_sorted_and_canonical():
    assert read(angles=[2.0, "0.50", 1, 1.5]).boundary.angles == ("0.5", "1", "1.5", "2")


def test_published_potential_stays_within_its_data():
    made = read(
        potentials={"own": {"model": "a.pb"}, "ly": {"model": "published"},
                    "far": {"model": "published", "highest_pressure": 260}},
        classical={"pressure": [200, 250], "temperature": [300]},
    )  # fmt: skip
    runs = made.boundary.runs(made.boundary_potentials)
    assert {(name, p) for name, _, p, _ in runs} == {
        ("own", "200"), ("own", "250"), ("ly", "200"), ("far", "200"), ("far", "250")
    }  # fmt: skip


def test_lengths_of_windows_are_their_own():
    made = read(classical={"equilibrate": "0.3 ps", "produce": "0.8 ps"},
                pimd={"equilibrate": "0.2 ps", "produce": "0.6 ps"})  # fmt: skip
    assert made.window_options("equilibrate")["duration_ps"] == 0.3
    options = made.window_options("produce")
    assert options["duration_ps"] == 0.8 and options["spectrum_segment_ps"] == 0.8
    assert made.pimd_window_options["equilibrate_ps"] == 0.2
    assert made.pimd_window_options["timestep_fs"] == made.pimd.timestep


def test_lengths_of_windows_that_are_not_run_need_not_fit():
    """The defaults of a section that nobody wrote fit no thermo_interval of 6 fs."""
    assert read(classical={"produce": "0.0123 ps"}).boundary.states("classical") == []


@pytest.mark.parametrize(
    ("boundary", "expected"),
    [
        ({"angles": [0, 0.5, 1, 1.5]}, "expected at least 4 angles above 0"),
        ({"angles": [0.5, 1, 1.5, 12]}, "expected angles of at most 8 degree"),
        ({"angles": [-1, 1, 2, 3, 4]}, "boundary.angles"),
        ({"angles": [1, 1, 2, 3, 4]}, "boundary.angles"),
        ({"classical": {"temperature": [0, 300]}}, "boundary.classical.temperature[0]"),
        ({"classical": {"temperature": [0]}}, "thermodynamic integration needs thermal motion"),
        ({"pimd": {"points": [STATE | {"temperature": 0}]}}, "needs thermal motion"),
        ({"pimd": {"points": [STATE, STATE]}}, "150 GPa, 300 K"),
        ({"pimd": {"points": [STATE | {"beads": 1}]}}, "boundary.pimd.points[0].beads"),
        ({"qtb": {"pressure": [150]}}, "a quantum thermal bath has no free energy"),
        ({"adqtb": {}}, "is not exp(-G/kT) of any G"),
        (
            {"classical": {"pressure": [150], "temperature": [300], "produce": "0.0123 ps"}},
            "boundary.classical.produce",
        ),
        ({"pimd": {"points": [STATE], "produce": "0.0123 ps"}}, "pimd.frame_interval"),
        ({"potentials": {"a/b": {"model": "x.pb"}}}, "boundary.potentials"),
    ],
)
def test_mistakes_take_one_line(boundary, expected):
    with pytest.raises(UserError) as error:
        read(**boundary)
    text = str(error.value)
    assert expected in text and "\n" not in text and text.startswith("x.yaml: boundary")


def test_a_potential_that_is_not_there_is_named(tmp_path):
    made = read(potentials={"own": {"model": "nowhere.pb"}, "ly": {"model": "published"}})
    with pytest.raises(UserError, match=r"boundary\.potentials\.own\.model.*nowhere\.pb"):
        checks.check_files(made, "x.yaml", REPOSITORY)
