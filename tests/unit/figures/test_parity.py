"""The parity figure is drawn from the frames of a validation, with the errors of each source."""

import numpy as np

import labelled
from lah10.figures import parity
from lah10.potential.validation import held_out
from wrong_model import wrong


def test_sources_are_drawn_with_their_errors(tmp_path):
    systems = [labelled.system(name, frames=6, seed=i) for i, name in enumerate(("a/x", "b/x"))]
    compared = held_out.compare(systems, [wrong(system, force=0.1) for system in systems])
    energy, force, *_ = parity.parity(compared).axes
    assert [points.get_label() for points in energy.collections] == ["a", "b"]
    for points, source in zip(energy.collections, ("a", "b"), strict=True):
        mine = compared.isel(frame=(compared.source == source).values)
        lowest = mine.energy_label.min().item()
        np.testing.assert_allclose(
            points.get_offsets(),
            np.column_stack([mine.energy_label - lowest, mine.energy_model - lowest]),
        )
    frames = compared.drop_dims(["counted_source", "force_label", "force_model"])
    told = held_out.errors(frames.isel(frame=(frames.source == "b").values))["force_rmse"]
    assert f"{told:.3f} eV/Å" in [text.get_text() for text in force.texts]
    compared.to_netcdf(tmp_path / "validation.nc", engine="netcdf4")
    outputs = [tmp_path / "parity.png", tmp_path / "parity.pdf"]
    parity.draw(tmp_path / "validation.nc", outputs)
    assert [output.read_bytes()[:4] for output in outputs] == [b"\x89PNG", b"%PDF"]
