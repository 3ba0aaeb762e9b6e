"""Fig. 4 draws the trajectories in the point's file; its atoms are readable by ASE."""

import ase.io
import numpy as np
import pytest
import xarray as xr

from campaigns import REPOSITORY
from drawn_figures import legend_texts
from lah10.campaign.grid import point_folder
from lah10.crystal.cage import find_cage
from lah10.crystal.structures import read_crystal
from lah10.figures import trajectories
from synthetic_campaign import diffusion

TIMES = 0.02 * np.arange(30)


@pytest.fixture
def with_trajectories(campaign, tmp_path):
    """The made-up campaign; at its point nearest to 200 GPa and 200 K two classes of protons."""
    _folder, dataset = campaign
    cage = find_cage(read_crystal(REPOSITORY / "resources/structures/Fm-3m.cif"))
    rng = np.random.default_rng(0)
    corners = cage.positions
    rows = [(0, 0, corners[3]), (0, 2, np.zeros(3)), (1, 0, corners[5]), (1, 1, corners[6]),
            (1, 2, np.zeros(3))]  # fmt: skip
    paths = np.array([place + 0.05 * rng.normal(size=(len(TIMES), 3)) for *_, place in rows])
    data = diffusion("qtb").assign(
        typical_position=(("typical_atom", "typical_frame", "xyz"), paths),
        typical_class=("typical_atom", [float(k) for k, *_ in rows]),
        typical_role=("typical_atom", [float(role) for _, role, _ in rows]),
        typical_index=("typical_atom", [7.0, 0.0, 12.0, 13.0, 0.0]),
        typical_cage=(("exchange_class", "corner", "xyz"),
                      np.stack([corners, corners, np.full_like(corners, np.nan)])),
        class_size=("exchange_class", [70.0, 8.0, 0.0]),
        mean_cell=(("vector", "xyz"), 9.0 * np.eye(3)),
    ).assign_coords(typical_frame=TIMES)  # fmt: skip
    file = point_folder(tmp_path, "qtb", 200, 200) / "diffusion.nc"
    file.parent.mkdir(parents=True)
    data.to_netcdf(file)
    return dataset, tmp_path, data


def test_each_class_has_its_panel(with_trajectories):
    dataset, points, data = with_trajectories
    figure = trajectories.fig4(dataset, points)
    none, one, several = figure.axes
    assert none.get_title() == "(a) no exchange\n70 of 78 protons"
    assert several.get_title() == "(c) several exchanges\n0 of 78 protons"
    assert [text.get_text() for text in several.texts] == ["no such proton"]
    lines = {line.get_label(): line for line in one.lines}
    assert {"proton 2", "partner 3", "lanthanum 4"} <= set(lines)
    drawn = np.array(lines["proton 2"].get_data_3d())
    centre = data.typical_position.values[4].mean(axis=0)
    np.testing.assert_allclose(drawn.T, data.typical_position.values[2] - centre)
    assert figure.get_suptitle().split("\n") == [
        "quantum (QTB), 200 GPa, 200 K, 0.58 ps", "bath not ok"]


def test_isotopes_have_their_symbols(with_trajectories):
    dataset, points, _ = with_trajectories
    figure = trajectories.fig4(dataset.assign_attrs(isotopes="H: D"), points)
    assert figure.axes[0].get_title() == "(a) no exchange\n70 of 78 deuterons"
    assert figure.get_suptitle().startswith("LaD$_{10}$, quantum (QTB)")
    assert "the deuteron" in legend_texts(figure)


def test_the_atoms_are_written_for_ovito(with_trajectories, tmp_path):
    dataset, points, data = with_trajectories
    trajectories.write_xyz(dataset, points, tmp_path / "fig4.xyz")
    frames = ase.io.read(tmp_path / "fig4.xyz", index=":")
    assert len(frames) == len(TIMES)
    assert frames[0].get_chemical_symbols() == ["H", "La", "H", "H", "La"]
    np.testing.assert_allclose(frames[9].positions, data.typical_position.values[:, 9], atol=1e-7)
    assert frames[9].arrays["exchanges"].tolist() == [0, 0, 1, 1, 1]
    assert frames[9].arrays["atom"].tolist() == [7, 0, 12, 13, 0]
    assert frames[9].info["time"] == pytest.approx(TIMES[9])
    np.testing.assert_allclose(frames[0].cell.array, 9.0 * np.eye(3))


def test_ovito_reads_the_atoms_with_their_classes(with_trajectories, tmp_path):
    """Where it is installed."""
    ovito = pytest.importorskip("ovito.io")
    dataset, points, data = with_trajectories
    trajectories.write_xyz(dataset, points, tmp_path / "fig4.xyz")
    pipeline = ovito.import_file(str(tmp_path / "fig4.xyz"))
    assert pipeline.num_frames == len(TIMES)
    particles = pipeline.compute(9).particles
    np.testing.assert_allclose(particles.positions, data.typical_position.values[:, 9], atol=1e-6)
    assert list(particles["exchanges"]) == [0, 0, 1, 1, 1]
    assert list(particles["role"]) == [0, 2, 0, 1, 2]


def test_files_without_trajectories_are_called_so(campaign, tmp_path):
    folder, dataset = campaign
    (axes,) = trajectories.fig4(dataset, folder / "points").axes
    assert "has no trajectories" in axes.texts[0].get_text()
    trajectories.write_xyz(dataset, folder / "points", tmp_path / "fig4.xyz")
    assert (tmp_path / "fig4.xyz").read_text().startswith("0\n")
    nothing = xr.full_like(dataset.status, 1)
    (axes,) = trajectories.fig4(dataset.assign(status=nothing), folder / "points").axes
    assert axes.texts[0].get_text() == "no finished point"
