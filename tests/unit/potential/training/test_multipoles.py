"""Multipoles in the descriptor: what the features are, and that the model is an ordinary one."""

import copy
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.special import eval_legendre

import labelled
from lah10.errors import UserError
from lah10.potential.data import preparation
from lah10.potential.evaluate import evaluate
from lah10.potential.training import (
    compression,
    frozen_graph,
    inputs,
    multipoles,
    preconditioning,
    training,
)
from toy_training import TEMPLATE, prepared

NUMPY = SimpleNamespace(
    add_n=sum,
    math=SimpleNamespace(rsqrt=lambda x: 1 / np.sqrt(x)),
    nn=SimpleNamespace(relu=lambda x: np.maximum(x, 0)),
)
ASKED = {"l_max": 3, "neurons": 4, "axis_neurons": 2, "cutoff": 2.4, "sel": [6, 40]}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("data"))


def with_multipoles(**asked):
    template = copy.deepcopy(TEMPLATE)
    template["model"]["descriptor"][multipoles.KEY] = ASKED | asked
    return template


def toy_input(template, index, steps=10):
    return inputs.training_input(template, index, steps=steps, seed=1, checkpoint_steps=10)


@pytest.mark.parametrize("l_max", [2, 3])
def test_harmonics_obey_the_addition_theorem(l_max):
    """|a||b| P_l(cos) for every l: real, orthogonal, of the scale that the docstring tells."""
    a, b = np.random.default_rng(1).normal(size=(2, 50, 3))
    found = [np.array(multipoles.harmonics(NUMPY, list(v.T), l_max, 0)) for v in (a, b)]
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosine = np.sum(a * b, axis=1) / lengths
    at = 0
    for order in range(2, l_max + 1):
        product = sum(found[0][at + m] * found[1][at + m] for m in range(2 * order + 1))
        assert product == pytest.approx(lengths * eval_legendre(order, cosine), abs=1e-8)
        at += 2 * order + 1
    assert at == len(found[0])


def test_a_neighbour_that_is_not_there_adds_nothing():
    assert np.all(np.array(multipoles.harmonics(NUMPY, [np.zeros(4)] * 3, 3, 0.1)) == 0)


def test_they_end_at_their_cutoff_without_a_step_or_a_kink():
    """(1 - R_c²/R²)³ times what they are without a cut-off; nothing where R is below R_c."""
    direction = np.array([0.6, 0.48, 0.64])
    lengths = np.array([0.2, 0.49999, 0.5, 0.50001, 1.0, 3.0])
    vectors = list(np.outer(direction, lengths))
    whole, cut = (np.array(multipoles.harmonics(NUMPY, vectors, 3, least)) for least in (0, 0.5))
    weights = np.maximum(0, 1 - (0.5 / lengths) ** 2) ** 3
    assert cut == pytest.approx(whole * weights, rel=1e-6, abs=1e-12)
    assert np.abs(cut[:, :4]).max() < 1e-12


def test_the_cutoff_is_where_the_descriptor_reaches_that_length():
    """s(r) of se_e2_a: 1/r inside, zero at the cut-off, half of 1/r half-way, no kinks."""
    assert multipoles.smooth_inverse(1.2, 1.5, 3.5) == pytest.approx(1 / 1.2)
    assert multipoles.smooth_inverse(2.5, 1.5, 3.5) == pytest.approx(0.5 / 2.5)
    assert multipoles.smooth_inverse(3.5, 1.5, 3.5) == 0
    inside, outside = (multipoles.smooth_inverse(r, 1.5, 3.5) for r in (1.499, 1.501))
    assert inside - outside == pytest.approx(0.002 / 1.5**2, rel=1e-3)


def test_who_asks_for_them():
    assert multipoles.asked_for(TEMPLATE) is None
    found = multipoles.asked_for(with_multipoles())
    assert found == multipoles.Multipoles(3, 4, 2, 2.4, (6, 40)) and found.features == 16
    assert multipoles.blocks(with_multipoles()) == [16, 8, 8]
    assert multipoles.blocks(TEMPLATE) == [16]


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"l_max": 4}, r"_multipoles.l_max: expected a whole number from 2 to 3, got 4"),
        ({"neurons": 9}, r"neurons: expected a whole number from 1 to 8, got 9"),
        ({"axis_neurons": 5}, r"axis_neurons: expected a whole number from 1 to 4, got 5"),
        ({"neurons": "4"}, r"neurons: expected .*, got '4'"),
        ({"width": 4}, r"_multipoles: expected axis_neurons, cutoff, l_max, neurons, sel, got "),
        ({"cutoff": 0}, r"_multipoles.cutoff: expected a length above 0 and up to rcut, .* got 0"),
        ({"cutoff": 9.0}, r"_multipoles.cutoff: expected .* rcut, \d.* Å, got 9.0"),
        ({"sel": [6]}, r"_multipoles.sel: expected a whole number for each element.*, got \[6\]"),
        ({"sel": [6, 999]}, r"_multipoles.sel: expected .* descriptor's sel, .* got \[6, 999\]"),
        ({"sel": [6, 4]}, r"_multipoles.sel: expected .* in the data .*, got \[6, 4\]"),
    ],
)
def test_what_cannot_be_asked_for(asked, complaint, index):
    if "neurons" in asked:
        asked["axis_neurons"] = 1
    with pytest.raises(UserError, match=complaint):
        toy_input(with_multipoles(**asked), index)


def test_only_for_the_descriptor_that_has_them():
    with pytest.raises(UserError, match=r"expected the descriptor se_e2_a .*, got se_e2_r"):
        multipoles.asked_for({"model": {"descriptor": {"type": "se_e2_r", "_multipoles": ASKED}}})


def test_a_stage_that_adds_them_is_conditioned(index, tmp_path):
    stages = [toy_input(TEMPLATE, index), toy_input(with_multipoles(), index)]
    with pytest.raises(
        UserError, match=r"_multipoles has to be that of the stage before, .* _conditioned"
    ):
        training.train(stages, index, tmp_path / "run", tmp_path / "log")
    assert not (tmp_path / "run" / "stage1").exists()


@pytest.fixture(scope="module")
def trained(index, tmp_path_factory):
    """Folder of a training: a plain stage, and one that adds multipoles to it."""
    folder = tmp_path_factory.mktemp("trained")
    added = with_multipoles() | {preconditioning.KEY: "kept"}
    added["learning_rate"] = added["learning_rate"] | {"start_lr": 3e-3}
    stages = [toy_input(TEMPLATE, index), toy_input(added, index, 60)]
    training.train(stages, index, folder / "run", folder / "log")
    for name, stage in (("plain", 0), ("multipoles", 1)):
        training.freeze(
            training.stage_folder(folder / "run", stage), folder / f"{name}.pb", folder / "log"
        )
    return folder, stages


@pytest.mark.slow
def test_they_begin_as_nothing_and_are_learnt(trained, index):
    folder, stages = trained
    systems = preparation.read_part(index, "test")
    start = training.stage_folder(folder / "run", 1) / training.START
    plain, extended, learnt = (
        evaluate(model, systems)[0].forces
        for model in (folder / "plain.pb", start, folder / "multipoles.pb")
    )
    assert extended == pytest.approx(plain, abs=1e-5)
    error, before = (np.sqrt(np.mean((f - systems[0].forces) ** 2)) for f in (learnt, plain))
    assert error < 0.9 * before
    assert multipoles.present(start, stages[1])
    assert not multipoles.present(folder / "plain.pb", stages[1])
    first = frozen_graph.constants(folder / "multipoles.pb")[frozen_graph.FIRST_MATRIX.format(1)]
    assert first.shape == (32, 8) and np.abs(first[16:]).max() > 1e-3


def longest_sum(model) -> int:
    """Most tensors that one AddN of a graph adds; TensorFlow is loaded in a child."""
    code = (
        "import sys; import tensorflow.compat.v1 as tf; graph = tf.GraphDef();"
        "graph.ParseFromString(open(sys.argv[1], 'rb').read());"
        "print(max(len(node.input) for node in graph.node if node.op == 'AddN'))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(model)], capture_output=True, text=True, check=True
    )
    return int(run.stdout)


@pytest.mark.slow
def test_compressed_it_is_the_same_model(trained, index):
    folder, stages = trained
    closest, samples = preparation.closest_folder(index), preparation.samples(index)
    output, log = folder / "lah10.pb", folder / "log"
    change = compression.compress(
        folder / "multipoles.pb", output, stages[1], closest, samples, log, step=0.01
    )
    assert change["force"] < 1e-3
    # Sums of three and more tensors have an order of their own, whatever TensorFlow ran first.
    assert longest_sum(output) == 2 < longest_sum(folder / "multipoles.pb")
    # Not with the input of a model without them.
    with pytest.raises(UserError):
        compression.compress(
            folder / "multipoles.pb", folder / "no.pb", stages[0], closest, samples, log
        )
    assert not (folder / "no.pb").exists()


@pytest.mark.slow
def test_energy_does_not_turn_with_the_crystal_and_forces_are_its_slope(trained, index):
    folder, _ = trained
    system = preparation.read_part(index, "test")[0].select([0])
    turn = Rotation.from_rotvec([0.3, -1.1, 0.7]).as_matrix()
    turned = replace(system, boxes=system.boxes @ turn.T, coordinates=system.coordinates @ turn.T)
    step = 0.02
    moved = []
    for sign in (-1, 1):
        coordinates = system.coordinates.copy()
        coordinates[0, 4, 1] += sign * step
        moved.append(replace(system, coordinates=coordinates))
    here, there, low, high = evaluate(folder / "multipoles.pb", [system, turned, *moved])
    assert there.energies == pytest.approx(here.energies, abs=1e-4)
    assert there.forces == pytest.approx(here.forces @ turn.T, abs=1e-4)
    slope = (high.energies[0] - low.energies[0]) / (2 * step)
    assert here.forces[0, 4, 1] == pytest.approx(-slope, abs=0.02 * np.abs(here.forces).max())


@pytest.mark.slow
def test_they_tell_apart_what_the_plain_descriptor_cannot(trained):
    """Six H around La, as an octahedron and as a hexagon: no dipole in either."""
    folder, _ = trained
    angles = np.arange(6) * np.pi / 3
    shapes = {
        "octahedron": np.vstack([np.eye(3), -np.eye(3)]),
        "hexagon": np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1),
    }
    template = labelled.system(frames=1)
    found = []
    for neighbours in shapes.values():
        coordinates = 10 + 1.5 * np.vstack([np.zeros(3), neighbours])[None]
        cluster = replace(
            template,
            types=np.array([0, 1, 1, 1, 1, 1, 1]),
            boxes=20 * np.eye(3)[None],
            coordinates=coordinates,
        )
        found.append(frozen_graph.descriptors(folder / "multipoles.pb", [cluster])[0][0])
    octahedron, hexagon = found
    assert hexagon[:16] == pytest.approx(octahedron[:16], abs=1e-6)
    scale = np.abs(octahedron[:16]).max()
    # A cube's symmetry leaves no quadrupole; neither shape has an octupole.
    assert np.abs(octahedron[16:24]).max() < 1e-6 * scale
    assert np.abs(hexagon[16:24]).max() > 1e-3 * scale
    assert np.abs(np.stack(found)[:, 24:]).max() < 1e-6 * scale
