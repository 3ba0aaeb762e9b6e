"""The source paper's numbers beside a campaign's: verdicts follow from data."""

import json
import shutil

import numpy as np
import pytest
import xarray as xr

from campaigns import REPOSITORY
from lah10.analysis import dataset as datasets
from lah10.campaign import paper
from lah10.campaign.merge import merge
from lah10.campaign.paper_found import MEASURES, Campaign, Found
from lah10.errors import UserError
from lah10.schema import BATH_OK, PHASE
from synthetic_campaign import CONFIG, write_campaign, write_point

NUMBERS = REPOSITORY / "resources/paper.yaml"


def entry(**keys) -> dict:
    return {"id": "x", "place": "Fig. 1", "quotation": "q", "quantity": "n", "unit": "K"} | keys


@pytest.mark.parametrize(
    ("keys", "value", "error", "verdict"),
    [
        ({"value": 900, "tolerance": 50}, 860, 8, "agrees"),
        ({"value": 900, "tolerance": 50}, 842, 8, "agrees"),  # one standard error off
        ({"value": 900, "tolerance": 50}, 830, 8, "cannot tell"),  # 2.5
        ({"value": 900, "tolerance": 50}, 826, 8, "disagrees"),  # exactly 3
        ({"value": 900, "tolerance": 50}, 950, 600, "cannot tell"),  # nothing would be found
        ({"value": 900, "tolerance": 50}, 900, np.nan, "cannot tell"),
        ({"value": 32}, 32, 0, "agrees"),
        ({"value": 32}, 31, 0, "disagrees"),
        ({"at_least": 0, "strict": True}, 0, 0, "disagrees"),
        ({"at_least": 0}, 0, 0, "agrees"),
        ({"at_least": 0}, 1, 0.2, "agrees"),
        ({"at_least": 0}, 1, 0.8, "cannot tell"),  # within the noise of the end
        ({"at_least": 0}, -1, 0.2, "disagrees"),
        ({"at_most": 2}, 1, 0.1, "agrees"),
        ({"at_least": 170, "at_most": 200}, 185, 2, "agrees"),
        ({"at_least": 170, "at_most": 200}, 230, 2, "disagrees"),
        ({}, 0.2, 0.01, "cannot tell"),  # the paper gives no number
    ],
)
def test_a_verdict_follows_from_value_and_error(keys, value, error, verdict):
    found, why = paper.judge(entry(**keys), Found(value, error))
    assert found == verdict
    assert why and "\n" not in why


@pytest.mark.parametrize(
    ("bound", "value", "verdict"),
    [("below", 1e-6, "disagrees"), ("below", 5e-5, "cannot tell"), ("above", 1e-4, "disagrees"),
     ("above", 1e-6, "cannot tell")],
)  # fmt: skip
def test_a_limit_can_exclude_and_never_confirm(bound, value, verdict):
    numbers = entry(value=3.5e-5, tolerance=5e-7, unit="cm²/s")
    assert paper.judge(numbers, Found(value, 0.0, bound))[0] == verdict


def test_another_state_and_a_bath_beyond_its_limits_leave_it_open():
    numbers = entry(value=900, tolerance=50)
    verdict, why = paper.judge(numbers, Found(700, 5, place="qtb, 150 GPa, 50 K", elsewhere=True))
    assert (verdict, why) == ("cannot tell", "the campaign has no such state; nearest: qtb, 150 "
                              "GPa, 50 K")  # fmt: skip
    caveat = "the quantum bath is not within its limits"
    verdict, why = paper.judge(numbers, Found(700, 5, caveat=caveat))
    assert (verdict, why) == ("cannot tell", f"the number alone disagrees, but {caveat}")
    assert paper.judge(numbers, Found(reason="no finished point")) == (
        "cannot tell", "no finished point")  # fmt: skip


def test_the_shipped_numbers_are_complete():
    entries = paper.load(NUMBERS)
    used = {one["measure"] for one in entries if "measure" in one}
    assert used <= set(MEASURES)
    assert set(MEASURES) == used, "measures that no number uses"
    places = " ".join(one["place"] for one in entries)
    for place in ("abstract", "section I", "Table I", "Fig. 1(a)", "Fig. 1(c)", "Fig. 2(a)",
                  "Fig. 2(b)", "Fig. 3(a)", "Fig. 3(b)", "Fig. 4", "Fig. 5", "Fig. 6"):  # fmt: skip
        assert place in places
    table = {one["id"]: one for one in entries}
    assert table["a_dft"]["value"] == 4.749 and table["la_la_dp"]["value"] == 3.3595
    assert table["diffusion"]["value"] == 3.5e-5 and table["frames"]["at_least"] == 25427


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {id: a}", "lacks the key place"),
        ("- 3", "expected a mapping, got int"),
        ("- {id: a, place: p, quotation: q, quantity: n, unit: K}", "either measure or not_comp"),
        ("- {id: a, place: p, quotation: q, quantity: n, unit: K, measure: b}", "b is not known"),
        ("{", "cannot be read"),
    ],
)
def test_a_mistake_in_the_numbers_is_named(tmp_path, text, message):
    path = tmp_path / "paper.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=f"paper.yaml.*{message}"):
        paper.load(path)


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    folder = tmp_path_factory.mktemp("campaign")
    merge(write_campaign(folder / "points"), folder / "phase_diagram.nc",
          attrs={"config": json.dumps(CONFIG)})  # fmt: skip
    return folder


def rows(folder) -> xr.Dataset:
    campaign = Campaign.read(folder / "phase_diagram.nc")
    return paper.compare(paper.load(NUMBERS), campaign).set_index(entry="entry")


def verdict(comparison: xr.Dataset, name: str) -> str:
    words = {flag: text for text, flag in paper.VERDICTS.items()}
    return words[int(comparison.verdict.sel(entry=name))]


def test_a_made_up_campaign_is_compared(made_up):
    """Classical: distorted below the line T + 3 (P − 150) = 250; quantum: cubic, bath not in order.
    """
    found = rows(made_up)
    transition = found.sel(entry="transition")
    # Distorted at 200 K, cubic at 300 K.
    assert transition.ours == pytest.approx(250.0)
    assert transition.ours_stderr == pytest.approx(100 / 12**0.5)
    assert verdict(found, "transition") == "agrees"
    assert verdict(found, "cubic_quantum") == "cannot tell"
    assert found.why.sel(entry="cubic_quantum").item() == (
        "the number alone agrees, but the quantum bath is not within its limits at 6 of 6 points")
    # kT exactly, ± 8 K a point.
    assert found.ours.sel(entry="equipartition") == pytest.approx(1.0)
    assert verdict(found, "tc") == "cannot tell"
    assert found.why.sel(entry="frames").item() == "the potential has no validation.json beside it"


def test_points_of_a_bath_in_order_decide(tmp_path):
    good = {"quantum_bath_ok": BATH_OK["ok"]}
    points = [("qtb", p, 5, write_point(tmp_path / "points", "qtb", p, 5, **good))
              for p in (150, 200)]  # fmt: skip
    merge(points, tmp_path / "phase_diagram.nc", attrs={"config": json.dumps(CONFIG)})
    found = rows(tmp_path)
    assert verdict(found, "cubic_quantum") == "agrees"
    # 1.3e-6 ± 0.3e-6, at the paper's point, where it has 3.5e-5.
    assert verdict(found, "diffusion") == "disagrees"
    assert found.ours.sel(entry="diffusion_slope") == pytest.approx(6 * 1.3e-6)
    assert "qtb, 200 GPa, 5 K" in found.compared_at.sel(entry="diffusion").item()
    # Its run is shorter than the paper's.
    assert "1.5 ps" in found.why.sel(entry="msd").item()


def test_limits_of_diffusion_are_compared_as_limits(tmp_path):
    at = {"quantum_bath_ok": BATH_OK["ok"], "diffusion": np.full(2, np.nan),
          "diffusion_limit": np.array([1e-4, 8e-7]), "exchange_events": np.zeros(2)}  # fmt: skip
    path = write_point(tmp_path / "points", "qtb", 200, 5, **at)
    merge([("qtb", 200, 5, path)], tmp_path / "phase_diagram.nc")
    found = rows(tmp_path)
    assert found.ours_is.sel(entry="diffusion").item() == "upper limit"
    assert verdict(found, "diffusion") == "disagrees"
    assert "by a factor of 43" in found.why.sel(entry="diffusion").item()
    assert "< 8·10^-7 cm²/s" in paper.table(found.reset_index("entry"))


def test_the_first_shell_is_compared(tmp_path):
    """Both made-up shells have one centre; their widths are 0.16 and 0.07 Å."""
    points = [
        (bath, 150, 1, write_point(tmp_path / "points", bath, 150, 1,
                                   quantum_bath_ok=BATH_OK["ok"]))
        for bath in ("classical", "qtb")
    ]  # fmt: skip
    merge(points, tmp_path / "phase_diagram.nc")
    found = rows(tmp_path)
    assert found.ours.sel(entry="g_width") == pytest.approx(0.16 / 0.07, rel=0.03)
    assert verdict(found, "g_width") == "agrees"
    assert abs(found.ours.sel(entry="g_peaks")) < 0.02
    assert verdict(found, "g_height") == "agrees"


def test_the_table_is_markdown_and_the_dataset_holds_the_same(made_up, tmp_path):
    paper.write(made_up / "phase_diagram.nc", NUMBERS, tmp_path / "p.md", tmp_path / "p.nc")
    text = (tmp_path / "p.md").read_text(encoding="utf-8")
    with xr.open_dataset(tmp_path / "p.nc") as data:
        lines = [line for line in text.splitlines() if line.startswith("|")][2:]
        assert len(lines) == data.sizes["entry"] == len(paper.load(NUMBERS))
        assert data.verdict.attrs["flag_meanings"] == "cannot_tell agrees disagrees"
        cells = lines[0].replace("\\|", "!").split("|")
        assert cells[1].strip() == data.place.values[0]
        counts = [int((data.verdict == flag).sum()) for flag in (1, 2, 0)]
    assert (f"{counts[0]} agrees, {counts[1]} disagrees, {counts[2]} cannot tell") in text
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


def test_the_reference_results_are_compared():
    """Of files older than the list of hops."""
    folder = REPOSITORY / "results/reference"
    found = rows(folder)
    reference = datasets.read(folder / "phase_diagram.nc", "it", "restore it")
    assert verdict(found, "cage_hydrogen") == verdict(found, "cage_hexagons") == "agrees"
    assert found.ours.sel(entry="atoms") == 88 and verdict(found, "atoms") == "disagrees"
    hot = reference.sel(bath="classical", pressure=150, temperature=300)
    assert int(hot.phase) == PHASE["distorted"]
    assert verdict(found, "transition") == "disagrees"
    assert "events were not counted" in found.why.sel(entry="some_exchange").item()
    assert verdict(found, "la_h1_dft") == "agrees"


def test_a_potential_of_another_content_is_not_described(made_up, tmp_path):
    folder = tmp_path / "potential"
    folder.mkdir()
    (folder / "statics.json").write_text(json.dumps({"model_sha256": "b" * 64}))
    campaign = Campaign.read(made_up / "phase_diagram.nc")
    campaign.dataset.attrs["potential"] = str(folder / "lah10.pb")
    assert "belongs to another potential" in campaign.of_potential("statics.json")


def test_another_isotope_is_compared_with_a_caveat(made_up, tmp_path):
    """The numbers stand beside the paper's; no verdict follows from them."""
    shutil.copytree(made_up, tmp_path / "heavy")
    with xr.open_dataset(made_up / "phase_diagram.nc") as file:
        file.load().assign_attrs(isotopes="H: D").to_netcdf(tmp_path / "heavy/phase_diagram.nc")
    found = rows(tmp_path / "heavy")
    assert verdict(found, "transition") == "cannot tell"
    told = found.why.sel(entry="transition").item()
    assert told == "the number alone agrees, but ours is LaD10, and the paper's is LaH10"
