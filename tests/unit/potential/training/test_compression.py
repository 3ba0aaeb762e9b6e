"""A rewritten model must not differ."""

from dataclasses import replace

import pytest

import labelled
from lah10.errors import UserError
from lah10.potential.evaluate import Prediction
from lah10.potential.training import compression


@pytest.mark.parametrize("key, unit", [("force", "eV/Å"), ("energy", "eV/atom"), ("virial", "eV")])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_rewritten_model_must_not_differ(monkeypatch, key, unit, precision):
    """Each of the three alone, on frames of eleven atoms."""
    content = {"model": {"descriptor": {"type": "se_e2_a", "precision": precision}}}
    system = labelled.system(frames=2)
    as_is = Prediction(system.energies, system.forces, system.virials)
    limit = compression.REWRITTEN[precision][key]
    for factor in (0.5, 2.0):
        change = factor * limit * (1 if key == "force" else system.n_atoms)
        part = {"force": "forces", "energy": "energies", "virial": "virials"}[key]
        other = replace(as_is, **{part: getattr(as_is, part) - change})
        monkeypatch.setattr(compression, "evaluate_all", lambda *_, o=other: [[as_is], [o]])
        found = compression.difference("a.pb", "b.pb", [system])
        assert found[key] == pytest.approx(factor * limit, rel=1e-3)
        if factor < 1:
            compression.check_unchanged(found, content, "a.pb: compression")
        else:
            told = f"compression changed .*{key}.* by {2 * limit:.2g} {unit}.*at most "
            with pytest.raises(UserError, match=told):
                compression.check_unchanged(found, content, "a.pb: compression")
