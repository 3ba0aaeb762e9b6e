"""What a round found and did is recorded and summarised."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import labelled
from explored import DEVIATION, POINTS, about, outputs
from lah10.config import training as settings
from lah10.errors import UserError
from lah10.learning import prepare, record, select
from lah10.potential.data import gpaw_calculation, labels, structures
from lah10.potential.evaluate import Prediction

#: Error of a made-up model's force components, eV/Å.
ERROR = {"a.pb": 0.4, "b.pb": 0.2, "c.pb": 0.1, "d.pb": 0.1}


def made_up_models(models, systems, threads):
    """In deepmd-kit's place: the labels, and an error of the forces."""
    return [
        [Prediction(s.energies, s.forces + ERROR[Path(model).name], s.virials) for s in systems]
        for model in models
    ]


def test_a_round_is_recorded_and_told(tmp_path, exploration, models, sources, monkeypatch):
    made = outputs(tmp_path)
    chosen = select.select(exploration, DEVIATION, 0.3, 1.0, 0.05, 3, 1, models, made)["selected"]
    found = structures.read_structures(made["structures"])
    files = []

    def calculate(atoms, *_):
        if len(files) == 1:
            raise gpaw_calculation.CalculationFailed("not converged")
        system = labelled.system(frames=1)
        stress = -system.virials[0] / system.volumes[0]
        return system.energies[0], system.forces[0], stress

    for name in [one["structure"] for one in chosen]:
        path = tmp_path / f"labels/{name}.xyz"
        labels.label(found[name], settings.Gpaw(), path, calculate=calculate)
        files.append(path)
    split, folders, rounds = sources
    index = prepare.prepare(split, folders, rounds[:1], tmp_path / "prepared")
    after = [tmp_path / "c.pb", tmp_path / "d.pb"]
    for path in after:
        path.write_text(path.name)
    monkeypatch.setattr(record, "evaluate_all", made_up_models)
    written = record.record(
        made["selection"], files, models, after, index, tmp_path / "round.json"
    )
    assert written == json.loads((tmp_path / "round.json").read_text())
    names = [one["structure"] for one in chosen]
    assert written["labelled"] == [names[0], names[2]]
    assert written["failed"] == {names[1]: "not converged"}
    new, held = (written["errors"][key] for key in ("new_labels", "held_out"))
    assert [m["force_rmse"] for m in new["before"]] == pytest.approx([0.4, 0.2])
    assert [m["frames"] for m in new["after"]] == [3, 3]
    assert [m["frames"] for m in held["after"]] == [2, 2]
    assert new["before"][0]["energy_rmse"] == pytest.approx(0.0, abs=1e-9)

    # A second round in which the models agree.
    calm = select.select(
        replace(exploration, about=tuple(about(p) for p in POINTS)),
        np.full(10, 0.1), 0.3, 1.0, 0.5, 3, 2, after, outputs(tmp_path / "calm"),
    )  # fmt: skip
    assert calm["converged"]
    record.record(tmp_path / "calm/selection.json", [], [], [], None, tmp_path / "calm/r.json")
    learnt = record.summarise(
        [tmp_path / "round.json", tmp_path / "calm/r.json"],
        after,
        tmp_path / "learn.json",
        tmp_path / "learn.md",
    )
    assert learnt["converged"] and len(learnt["rounds"]) == 2
    assert learnt == json.loads((tmp_path / "learn.json").read_text())
    text = (tmp_path / "learn.md").read_text()
    assert "The models agree: in round 2 16.67% of the frames" in text
    row = next(line for line in text.splitlines() if line.startswith("| 1 |"))
    assert row == (
        "| 1 | 10 | 66.67% | 33.33% | 1 of 3 | 3 | 2 | 1 | 0.300 → 0.100 | 0.0 → 0.0 "
        "| 0.300 → 0.100 |"
    )
    assert "- `" + str(after[1]) + "`" in text
    (tmp_path / "round.json").write_text("{")
    with pytest.raises(UserError, match=r"round.json: cannot be read"):
        record.summarise([tmp_path / "round.json"], [], tmp_path / "x", tmp_path / "y")
