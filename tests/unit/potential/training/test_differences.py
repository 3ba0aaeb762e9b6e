"""Groups of frames whose energies are compared, and what is refused."""

import json

import ase
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from lah10.config.differences import Differences
from lah10.crystal.rhombohedral import Rhombohedral
from lah10.errors import UserError
from lah10.io.json import write_json
from lah10.potential.data.systems import unlabelled_frames
from lah10.potential.training import differences, last_layer


def frame(volume: float, share: float, **info) -> ase.Atoms:
    cubic = Rhombohedral.cubic(volume, 0.1205)
    distorted = Rhombohedral(volume, 62.6, 0.2594, 0.0973, -0.1062, 0.3861)
    atoms = cubic.towards(distorted, share, share).atoms()
    atoms.info |= {"volume": volume, "kpoints": "14 14 14"} | info
    atoms.calc = SinglePointCalculator(
        atoms, energy=-27.0 - share, forces=np.zeros((11, 3)), stress=np.diag([-0.93] * 3)
    )
    return atoms


def write(path, *frames):
    ase.io.write(path, frames, format="extxyz")
    return path


def test_a_group_has_one_volume_or_is_a_pair(tmp_path):
    path = write(tmp_path / "path.xyz", *(frame(v, x) for v in (33.2, 30.3) for x in (0, 0.5, 1)))
    pairs = write(
        tmp_path / "pairs.xyz",
        *(frame(33.2, x, pair=pair) for pair in (0, 1) for x in (0, 1)),
    )
    found = differences.groups([path, pairs])
    assert {name: len(system) for name, system in found.items()} == {
        "path/volume 33.2": 3,
        "path/volume 30.3": 3,
        "pairs/pair 0 at 33.2": 2,
        "pairs/pair 1 at 33.2": 2,
    }
    np.testing.assert_allclose(np.ptp(found["path/volume 33.2"].energies), 1.0)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([frame(33.2, 0), frame(33.2, 1, kpoints="16 16 16")], "energies of different meshes"),
        ([frame(33.2, 0), frame(30.3, 1)], "frame 0: the only frame of"),
    ],
    ids=["mesh", "alone"],
)
def test_what_has_no_difference_is_refused(tmp_path, frames, message):
    with pytest.raises(UserError, match=message):
        differences.groups([write(tmp_path / "a.xyz", *frames)])


def test_a_frame_without_volume_is_refused(tmp_path):
    atoms = frame(33.2, 0)
    del atoms.info["volume"]
    with pytest.raises(UserError, match=r"a\.xyz frame 0: no volume in its comment line"):
        differences.groups([write(tmp_path / "a.xyz", atoms)])


class Linear:
    """A model whose three features are the volume, the cell's angle and a constant."""

    def __init__(self):
        self.weights = np.array([1.0, 0.0, 0.0])

    def responses(self, model, systems, directions):
        found = []
        for system in systems:
            boxes = system.boxes
            cosines = np.einsum("fi,fi->f", boxes[:, 0], boxes[:, 1]) / np.einsum(
                "fi,fi->f", boxes[:, 0], boxes[:, 0]
            )
            phi = np.stack([system.volumes, 10 * cosines, np.ones(len(system))], axis=1)
            shape = (len(system), directions, system.n_atoms, 3)
            found.append(
                last_layer.Response(
                    phi, np.zeros(shape), np.zeros((*shape[:2], 3)), np.ones((len(system), 6, 3))
                )
            )
        return self.weights, found

    def write(self, model, output, weights):
        write_json(output, {"weights": weights.tolist()})


def test_a_held_out_volume_is_compared_and_not_learnt(tmp_path, monkeypatch):
    model = Linear()
    for name in ("responses", "write"):
        monkeypatch.setattr(last_layer, name, getattr(model, name))
    volumes = (30.3, 33.2, 36.2)
    path = write(tmp_path / "path.xyz", *(frame(v, x) for v in volumes for x in (0, 0.5, 1)))
    system = unlabelled_frames([frame(33.0, 0)])
    monkeypatch.setattr(differences, "read_part", lambda index, part: [system])
    settings = Differences(held_out=(33.2,), ridge=1e-9)
    (tmp_path / "model.pb").write_bytes(b"graph")
    report = differences.fit(
        tmp_path / "model.pb", [path], "index.json", settings, tmp_path / "new.pb",
        tmp_path / "differences.json",
    )  # fmt: skip
    assert json.loads((tmp_path / "differences.json").read_text()) == report
    held = report["groups"]["path/volume 33.2"]
    assert held["held_out"] and not report["groups"]["path/volume 30.3"]["held_out"]
    # All frames have the same angles and energies, so what is learnt elsewhere holds here.
    assert held["before"] > 30 and held["after"] < 0.2 * held["before"]
    with pytest.raises(UserError, match=r"held_out: 31: no frames of this volume; there are 30.3"):
        differences.fit(
            "model.pb", [path], "index.json", Differences(held_out=(31.0,)), "new.pb", "new.json"
        )
