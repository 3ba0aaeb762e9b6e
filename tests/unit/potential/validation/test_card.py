"""The card says what was measured, of its own model, on the same frames."""

import json

import pytest
import xarray as xr

from lah10.errors import UserError
from lah10.io.files import sha256
from lah10.potential.validation import card


def test_the_card_tells_what_was_measured(validated):
    folder, split = validated
    text = card.write(folder, split).read_text()
    measured = json.loads((folder / "validation.json").read_text())
    for fragment in (
        "A. Nobody, J. Toys 1, 1 (2000)",
        "Held out: b.",
        "| toy/a | 6 | 11 | 148-148 | 3.02-3.02 |",
        f"{measured['sets']['toy/b']['force_rmse']:.4f}",
        "| 1 | 123 | 0.01 to 1e-05 | ? to ? | ? to ? | ? to ? |",
        "H-H down to 0.30 Å",
        "GPa for the same strained to R-3m, ",
        "toy 148 to 148 GPa, 6 frames of 11 to 11 atoms",
        sha256(folder / "lah10.pb"),
    ):
        assert fragment in text
    assert "## Speed" not in text
    speed = {
        "atoms": 352,
        "steps": 10,
        "repeats": 2,
        "processor": "abacus",
        "models": [
            {
                "name": "this project",
                "sha256": sha256(folder / "lah10.pb"),
                "katom_steps_per_second": 23.456,
                "ratio": 3.4,
            }
        ],
    }
    (folder / "speed.json").write_text(json.dumps(speed))
    assert "| this project | 23.46 | 3.40 |" in card.render(folder, split)


def test_a_card_is_of_its_model_only(validated):
    folder, split = validated
    (folder / "lah10.pb").write_bytes(b"another graph")
    with pytest.raises(UserError, match="is of another model"):
        card.render(folder, split)
    (folder / "validation.json").unlink()
    with pytest.raises(UserError, match=r"validation.json: no such file; the card needs it"):
        card.render(folder, split)


def test_a_comparison_is_of_the_same_frames(validated):
    """Another's is refused by the card, and does not stay when a model is shipped."""
    folder, split = validated
    path = folder / "comparison.json"
    other = json.loads((folder / "validation.json").read_text()) | {"model": "published"}
    path.write_text(json.dumps(other))
    card.drop_stale_comparison(folder)
    assert "The model *published*" in card.render(folder, split)
    first = next(iter(other["sets"]))
    for stale in (
        other["sets"] | {first: other["sets"][first] | {"frames": 1}},
        {name: errors for name, errors in other["sets"].items() if name != first},
        other["sets"] | {"more": other["sets"][first]},
    ):
        path.write_text(json.dumps(other | {"sets": stale}))
        with pytest.raises(UserError, match=r"comparison\.json: not the same frames as in v"):
            card.render(folder, split)
        card.drop_stale_comparison(folder)
        assert not path.exists()


def test_the_frames_of_a_validation_are_kept(validated):
    folder, _ = validated
    with xr.open_dataset(folder / "validation.nc") as data:
        assert data.sizes["frame"] == 6
        assert data.energy_label.units == "eV/atom"
        assert data.model_sha256 == sha256(folder / "lah10.pb")
