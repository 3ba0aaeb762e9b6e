"""The table of a campaign: what it says of points with and without numbers."""

import json

import numpy as np
import pytest
import xarray as xr

from lah10.campaign import table
from lah10.campaign.merge import merge
from lah10.errors import UserError
from lah10.schema import PHASE
from synthetic_campaign import write_campaign


@pytest.fixture
def lines(tmp_path):
    failed = {("classical", 100, 300): "volume"}
    summaries = write_campaign(
        tmp_path,
        baths=("classical", "qtb"),
        pressures=(100, 150),
        temperatures=(100, 300),
        failed=failed,
        missing=[("qtb", 150, 100)],
    )
    merge(summaries, tmp_path / "phase_diagram.nc")
    table.write(tmp_path / "phase_diagram.nc", tmp_path / "phase_diagram.md")
    written = (tmp_path / "phase_diagram.md").read_text("utf-8").strip()
    table_, *_, beyond, chance = written.split("\n\n")
    text = table_.splitlines()
    assert beyond.startswith("Beyond the potential's data: ")
    assert chance.startswith("By chance, 0.036 of the 6 points would be called distorted")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text]
    return text, cells


def test_a_line_a_point(lines):
    text, cells = lines
    assert cells[0] == list(table.HEADER)
    assert len(text) == 2 + 8
    assert len({len(line) for line in text}) == 1  # in line for a terminal
    heads = [["classical", "100", "100"], ["classical", "100", "300"]]
    assert [row[:3] for row in cells[2:4]] == heads


def test_numbers_have_errors_and_points_without_any_say_why(lines):
    _, cells = lines
    rows = {tuple(row[:3]): row[3:] for row in cells[2:]}
    assert rows["classical", "100", "300"] == ["volume"] + [""] * 10
    assert rows["qtb", "150", "100"][0] == "missing"
    phase, group, deviation, null, limit, kinetic = rows["classical", "100", "100"][:6]
    assert (phase, group) == ("distorted", "")
    assert deviation.endswith(" ± 0.06")
    assert (null, limit) == ("0.15 ± 0.05", "0.35")
    assert kinetic == "103.0 ± 6.0"
    assert (rows["classical", "100", "100"][-3], rows["qtb", "100", "100"][-3]) == ("", "not ok")


def test_points_beyond_the_potentials_data_are_named(tmp_path):
    summaries = write_campaign(tmp_path, baths=("qtb",), pressures=(150,), temperatures=(100, 300))
    data = merge(summaries, tmp_path / "phase_diagram.nc")
    data["extrapolation"][:] = 0
    data["extrapolated_share"] = 0.0 * data.extrapolation
    assert table.extrapolations(data) == "Beyond the potential's data: none of 2 points."
    data["extrapolation"][0, 0, 1], data["extrapolated_share"][0, 0, 1] = 1, 0.12
    said = "Beyond the potential's data: qtb 150 GPa 300 K (12 % of its frames)."
    assert table.extrapolations(data) == said
    data["extrapolation"][0, 0, 0] = -1
    assert table.extrapolations(data) == f"{said} 1 without frames that the committee judged."
    data["extrapolation"][:] = -1
    for asked in (data, data.drop_vars("extrapolation")):
        assert table.extrapolations(asked).endswith("unknown, the campaign has no committee.")
    data.attrs["config"] = json.dumps({"potential": {"committee": ["second.pb"]}})
    assert table.extrapolations(data).endswith("no point has frames that the committee judged.")


def test_notes_explain_what_the_table_leaves_open(tmp_path):
    summaries = write_campaign(tmp_path, baths=("qtb",), pressures=(150,), temperatures=(100, 300))
    data = merge(summaries, tmp_path / "phase_diagram.nc")
    plain = table.notes(data, "1.0 ± 0.1")
    assert plain[:-2] == [table.LEGEND]
    (unknown,) = [line for line in table.notes(data, "1.0 ± ?") if line not in plain]
    assert unknown.startswith("± ?: the standard error is unknown")
    data["phase"][:] = PHASE["undetermined"]
    assert table.notes(data, "")[-1].startswith("Undetermined: phase_reason")
    summaries[0][3].write_text("torn")
    data = merge(summaries, tmp_path / "phase_diagram.nc")
    assert table.notes(data, "")[-1].startswith(f"Unreadable: {summaries[0][3]}: cannot be read")
    assert table.rows(data)[0][3] == "unreadable"


def test_cell_and_length_stand_below_the_table(tmp_path):
    summaries = write_campaign(tmp_path, baths=("qtb",), pressures=(150,), temperatures=(100,))
    data = merge(summaries, tmp_path / "phase_diagram.nc")
    shape = {"file": "resources/fm-3m.cif", "cell": "conventional", "repeat": [2, 1, 1]}
    times = {"equilibrate": "1 ps", "produce": "2 ps"}
    data.attrs["config"] = json.dumps({"structure": shape, "dynamics": times})
    assert table.notes(data, "")[0] == (
        "2 × 1 × 1 conventional cells of fm-3m.cif; 1 ps of equilibration and 2 ps of production "
        "a point."
    )


def test_diffusion_or_its_limit(tmp_path):
    """A limit where few exchanges were seen; else the slope's D with its error."""
    summaries = write_campaign(tmp_path, baths=("qtb",), pressures=(150,), temperatures=(100, 300))
    data = merge(summaries, tmp_path / "phase_diagram.nc")
    data["diffusion"][..., 1], data["diffusion_stderr"][..., 1] = 2.1e-6, 1.1e-6
    limit = data.diffusion * np.nan
    limit[0, 0, 0, 1] = 8.3e-8
    data["exchange_events"][:] = 0
    found = [row[-1] for row in table.rows(data.assign(diffusion_limit=limit))]
    assert found == ["< 0.083 (no hop, 95 %)", "2.10 ± 1.10"]
    for seen, text in ((0, "no hop"), (1, "1 event"), (7, "7 events")):
        data["exchange_events"] = xr.full_like(limit, seen)
        found = [row[-1] for row in table.rows(data.assign(diffusion_limit=limit))]
        assert found[0] == f"< 0.083 ({text}, 95 %)"
    data = data.drop_vars("diffusion_limit")
    assert [row[-1] for row in table.rows(data)] == ["2.10 ± 1.10"] * 2  # of an older analysis


def test_what_is_no_dataset_is_refused(tmp_path):
    (tmp_path / "bad.nc").write_text("nothing")
    with pytest.raises(UserError, match="cannot be read as a phase diagram"):
        table.write(tmp_path / "bad.nc", tmp_path / "table.md")
    assert not (tmp_path / "table.md").exists()
