"""Labels of all rounds are trained on."""

import numpy as np
import pytest

from lah10.errors import UserError
from lah10.learning import prepare
from lah10.potential.data import alignment, dataset, preparation


def test_labels_of_all_rounds_are_trained_on(tmp_path, sources):
    split, folders, rounds = sources
    scale = alignment.Alignment({"own": 3.0}, {"own": 2.0}, {})
    lacking = split.sources["own"].model_copy(update={"pulay_pv_per_atom": 0.02})
    split = split.model_copy(update={"sources": {"own": lacking}})
    index = prepare.prepare(split, folders, rounds, tmp_path / "prepared", scale, "own")
    train = {s.name: s for s in preparation.read_part(index, "train")}
    assert {name: len(system) for name, system in train.items()} == {
        "own/a": 4,
        "learn/round1/La1H10": 3,
        "learn/round2/La1H10": 2,
    }
    # On the scale of `own`: its constant and its pressure are off, its Pulay stress is on.
    (raw,) = dataset.read(rounds[0], "learn/round1")
    new = train["learn/round1/La1H10"]
    pulay = 160.21766208 * 0.02 * 11 / raw.volumes
    np.testing.assert_allclose(new.pressures, raw.pressures + pulay - 2.0)
    work = 2.0 / 160.21766208 * raw.volumes
    np.testing.assert_allclose(new.energies, raw.energies - 3.0 * 11 + work)
    plain = prepare.prepare(split, folders, rounds[:1], tmp_path / "plain")
    read = {s.name: s for s in preparation.read_part(plain, "train")}
    assert set(read) == {"own/a", "learn/round1/La1H10"}
    np.testing.assert_allclose(read["learn/round1/La1H10"].energies, raw.energies)


def test_a_scale_without_one_constant_is_told(tmp_path, sources):
    known = alignment.Alignment({"own/a": 3.0, "own/b": 3.0}, {}, {})
    told = "same_reference_as: the alignment has no constant of energy for own as a whole; there"
    with pytest.raises(UserError, match=told):
        prepare.prepare(*sources, tmp_path / "prepared", known, "own")
