"""What i-PI writes, read back; and what a run that broke down is recognised by."""

import numpy as np
import pytest
from ase.geometry import cellpar_to_cell

from crystals import supercell
from lah10.errors import PointFailure
from lah10.pimd import records
from lah10.pimd.ipi_input import COLUMNS
from lah10.pimd.run import check

HEADER = "# column   1     --> step : The current simulation time step.\n# column   2  --> ...\n"


def table(*rows) -> str:
    return HEADER + "".join("  " + "   ".join(f"{x:23.16e}" for x in row) + "\n" for row in rows)


ROW = [
    10, 0.005, -14.5, -500.25,  # step, ps, conserved and potential energy
    0.5, 30.5, 101.0, 260.0,  # K of La and H, bead temperature, volume
    6.0, 7.0, 8.0, 0.1, 0.2, 0.3,  # h: xx, yy, zz, xy, xz, yz
    151.0, 152.0, 153.0, 1.0, 2.0, 3.0,  # stress in the same order
]  # fmt: skip


def test_table(tmp_path):
    path = tmp_path / "segment.out"
    path.write_text(table(ROW, [20, 0.01, *ROW[2:]]))
    read = records.read_properties(path)
    assert read["step"].tolist() == [10, 20]
    assert read["time"].tolist() == [0.005, 0.01]
    assert read["potential_energy"].tolist() == [-500.25] * 2
    assert read["kinetic_energy"].tolist() == [[0.5, 30.5]] * 2
    assert read["bead_temperature"][0] == 101.0 and read["conserved_energy"][0] == -14.5
    # Rows are vectors: b = (h_xy, h_yy, 0), c = (h_xz, h_yz, h_zz).
    assert read["cell"][0].tolist() == [[6.0, 0.0, 0.0], [0.1, 7.0, 0.0], [0.2, 0.3, 8.0]]
    # xx, yy, zz, yz, xz, xy
    assert read["pressure"][0].tolist() == [151.0, 152.0, 153.0, 3.0, 2.0, 1.0]
    assert set(read) == {"step", "time", *records.SERIES}


def test_numbers_keep_every_bit(tmp_path):
    values = np.random.default_rng(0).normal(size=len(ROW)) * 1e3
    path = tmp_path / "segment.out"
    path.write_text(table(values))
    assert records.read_properties(path)["volume"][0] == values[7]


def test_rows_of_another_table_are_refused(tmp_path):
    path = tmp_path / "segment.out"
    path.write_text(table(ROW[:-1]))
    width = sum(width for _, width in COLUMNS)
    with pytest.raises(ValueError, match=f"expected {width} columns"):
        records.read_properties(path)


def frame(step: int, shift: float) -> str:
    return (
        "2\n# CELL(abcABC):    6.00000     7.00000     8.00000    90.00000    80.00000    60.00000"
        f"  Step:          {step}  Bead:       0 x_centroid{{angstrom}}  cell{{angstrom}}\n"
        f"      La {1 + shift:12.5e} -2.00000e+00  3.00000e+00\n"
        "       H  4.00000e+00  5.00000e+00  6.00000e+00\n"
    )


def test_frames(tmp_path):
    path = tmp_path / "segment.centroids.xyz"
    path.write_text(frame(40, 0.0) + frame(80, 0.5))
    steps, cells, positions = records.read_frames(path)
    assert steps.tolist() == [40, 80]
    np.testing.assert_allclose(cells[1], cellpar_to_cell([6, 7, 8, 90, 80, 60]))
    assert positions[1].tolist() == [[1.5, -2.0, 3.0], [4.0, 5.0, 6.0]]


def test_no_frames(tmp_path):
    path = tmp_path / "segment.centroids.xyz"
    path.write_text("")
    assert [len(part) for part in records.read_frames(path)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (frame(40, 0.0)[:-20].rsplit("\n", 1)[0], "ends within a frame"),
        (frame(40, 0.0).replace("CELL(abcABC)", "lattice"), "no cell and step"),
    ],
)
def test_damaged_frames_are_refused(tmp_path, text, match):
    path = tmp_path / "segment.centroids.xyz"
    path.write_text(text)
    with pytest.raises(ValueError, match=match):
        records.read_frames(path)


def test_start_is_what_ipi_reads(tmp_path):
    from ipi.utils.io import read_file
    from ipi.utils.units import unit_to_user

    atoms = supercell()
    atoms.positions += 0.1 * np.random.default_rng(1).normal(size=(len(atoms), 3))
    records.write_start(tmp_path / "start.xyz", atoms)
    with open(tmp_path / "start.xyz") as file:
        read = read_file("xyz", file)
    cell = unit_to_user("length", "angstrom", read["cell"].h.T)
    positions = unit_to_user("length", "angstrom", read["atoms"].q.reshape(-1, 3))
    np.testing.assert_allclose(cell, atoms.cell.array, atol=1e-6)
    np.testing.assert_allclose(positions, atoms.positions, atol=1e-6)
    assert list(read["atoms"].names) == atoms.get_chemical_symbols()


def good():
    rows = 5
    return {
        "potential_energy": np.full(rows, -500.0),
        "volume": np.full(rows, 260.0),
        "pressure": np.full((rows, 6), 150.0),
        "kinetic_energy": np.full((rows, 2), 5.0),
    }


def test_a_run_in_order_passes():
    check(good(), 262.0, 88, 100.0)


@pytest.mark.parametrize(
    ("name", "row", "value", "status"),
    [
        ("potential_energy", 3, np.nan, "nan"),
        ("pressure", (2, 4), np.inf, "nan"),
        ("volume", 1, 100.0, "volume"),
        ("volume", 4, 600.0, "volume"),
        ("kinetic_energy", (3, 1), 1000.0, "temperature"),
    ],
)
def test_breakdown_is_noticed(name, row, value, status):
    arrays = good()
    arrays[name][row] = value
    with pytest.raises(PointFailure) as failure:
        check(arrays, 262.0, 88, 100.0)
    assert failure.value.status == status
