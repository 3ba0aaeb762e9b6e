"""Quadrupoles and octupoles for the descriptor se_e2_a.

The descriptor se_e2_a (L. Zhang et al., "End-to-end symmetry preserving inter-atomic potential
energy model", NeurIPS 2018) of an atom i is made of the moments

    c_km = 1/N Σ_j G_k(s_j) Y_m(R_j),    D_kk' = Σ_m c_km c_k'm

of its neighbours, with G the embedding net, s the smoothed 1/r, and Y the scalar s and the vector R
(direction × s, both scaled by their spread). Angles between neighbours enter as 1 + cos γ and no
higher: an environment is the same to it as any other of the same dipoles. Here further features

    D_kk'^l = Σ_m c_km^l c_k'm^l,    c_km^l = 1/N Σ_j G_k(s_j) w_j |R_j| Y_lm(R_j / |R_j|)

are put behind for l = 2 … l_max, with real spherical harmonics such that Σ_m Y_lm(a) Y_lm(b) =
P_l(a·b), as in the power spectrum of A. P. Bartók, R. Kondor, G. Csányi, Phys. Rev. B 87, 184115
(2013). Angles matter most among the nearest neighbours, which are few: the weight

    w_j = max(0, 1 - R_c² / R_j²)³

ends at a cut-off of its own, where |R| is R_c, with two continuous derivatives. These features take
the first columns of the same embedding net, so nothing is added but inputs of the fitting net. The
model remains a TensorFlow graph of deepmd-kit's own operations, which LAMMPS, `dp` and `DeepPot`
run as any other; only what builds it (`dp train`, `dp compress`) must know, and does in a child
(`dp_child`).

A training's input asks for them in its descriptor: `"_multipoles": {"l_max": 3, "neurons": 16,
"axis_neurons": 8, "cutoff": 2.6, "sel": [8, 48]}` (deepmd-kit passes over keys that begin with an
underscore).
"""

import copy
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lah10.errors import UserError
from lah10.potential.training import frozen_graph

#: Key in a training's input: model.descriptor.
KEY = "_multipoles"
#: Largest l that is known here.
HIGHEST = 3
#: Keeps the direction of a neighbour that is not there (R = 0) finite; R² is about 1.
TINY = 1e-10


@dataclass(frozen=True)
class Multipoles:
    """Which features are added: l from 2 to `l_max`, k < `neurons`, k' < `axis_neurons`.

    Attributes
    ----------
    cutoff : float
        Å; no neighbour beyond counts.
    sel : tuple of int
        Most neighbours of each element within it; of more, the farthest are left out.
    """

    l_max: int
    neurons: int
    axis_neurons: int
    cutoff: float
    sel: tuple[int, ...]

    @property
    def orders(self) -> range:
        return range(2, self.l_max + 1)

    @property
    def block(self) -> int:
        """Features of one l."""
        return self.neurons * self.axis_neurons

    @property
    def features(self) -> int:
        return len(self.orders) * self.block


def asked_for(content: Mapping) -> Multipoles | None:
    """What a training's input asks for.

    Raises
    ------
    UserError
        It asks in a way that is not understood, or for a descriptor that has no such moments.
    """
    descriptor = content.get("model", {}).get("descriptor", {})
    value = descriptor.get(KEY)
    if value is None:
        return None
    where = f"training input: model.descriptor.{KEY}"
    names = set(Multipoles.__annotations__)
    if not isinstance(value, Mapping) or set(value) != names:
        raise UserError(f"{where}: expected {', '.join(sorted(names))}, got {value}")
    if descriptor.get("type") != "se_e2_a" or descriptor.get("type_one_side", False):
        raise UserError(
            f"{where}: expected the descriptor se_e2_a without type_one_side, got "
            f"{descriptor.get('type')}"
        )
    width = descriptor["neuron"][-1]
    for name, lowest, highest in (
        ("l_max", 2, HIGHEST),
        ("neurons", 1, width),
        ("axis_neurons", 1, value["neurons"]),
    ):
        number = value[name]
        if type(number) is not int or not lowest <= number <= highest:
            raise UserError(
                f"{where}.{name}: expected a whole number from {lowest} to {highest}, got "
                f"{number!r}"
            )
    cutoff, sel = value["cutoff"], value["sel"]
    rcut, room = descriptor["rcut"], descriptor.get("sel")
    if type(cutoff) not in (int, float) or not 0 < cutoff <= rcut:
        raise UserError(
            f"{where}.cutoff: expected a length above 0 and up to rcut, {rcut:g} Å, got "
            f"{cutoff!r}"
        )
    if (
        not (isinstance(sel, list) and isinstance(room, list))
        or len(sel) != len(room)
        or not all(type(n) is int and 0 < n <= most for n, most in zip(sel, room, strict=True))
    ):
        raise UserError(
            f"{where}.sel: expected a whole number for each element, from 1 to that of the "
            f"descriptor's sel, {room}, got {sel!r}"
        )
    return Multipoles(**(value | {"sel": tuple(sel)}))


def blocks(content: Mapping) -> list[int]:
    """Sizes of the parts of a model's descriptor: that of se_e2_a, then one for each l."""
    descriptor, more = content["model"]["descriptor"], asked_for(content)
    sizes = [descriptor["neuron"][-1] * descriptor.get("axis_neuron", 4)]
    return sizes + [more.block] * len(more.orders) if more else sizes


def present(model: str | os.PathLike, content: Mapping) -> bool:
    """Whether the fitting net of a frozen graph takes the features that an input asks for."""
    matrix = frozen_graph.constants(model)[frozen_graph.FIRST_MATRIX.format(0)]
    return len(matrix) == sum(blocks(content))


def extend(
    model: str | os.PathLike,
    output: str | os.PathLike,
    content: Mapping,
    scratch: str | os.PathLike,
    run: Callable[[list[str], Path], None],
) -> None:
    """Write a frozen graph that is the same function as `model`, with the features asked for.

    They are there, and the fitting net's weights for them are zero. deepmd-kit builds the graph in
    a training of one step, and the weights of `model` are put into it.

    Parameters
    ----------
    scratch : path
        Folder for that training.
    run : callable
        Takes arguments of `dp` and a folder, and runs `dp` there with the changed descriptor and a
        fitting net drawn anew.

    Raises
    ------
    UserError
        The model differs from the input in more than the features added.
    """
    content = copy.deepcopy(dict(content))
    content["training"] |= {"numb_steps": 1, "save_freq": 1, "disp_freq": 1}
    content["learning_rate"] = {"type": "exp", "start_lr": 1e-9, "stop_lr": 1e-10, "decay_steps": 1}
    scratch = Path(scratch)
    (scratch / "input.json").write_text(json.dumps(content), encoding="utf-8")
    start = str(Path(model).resolve())
    run(["train", "--init-frz-model", start, "--skip-neighbor-stat", "input.json"], scratch)
    run(["freeze", "-c", ".", "-o", "extended.pb"], scratch)
    old, new = frozen_graph.variables(model), frozen_graph.variables(scratch / "extended.pb")
    added = sum(blocks(content)[1:])
    for name, value in old.items():
        if name.startswith("layer_0_") and name.endswith("/matrix"):
            old[name] = np.vstack([value, np.zeros((added, value.shape[1]))])
        if name not in new or new[name].shape != old[name].shape:
            raise UserError(
                f"{model}: {name} does not fit the training input; a model that is the same but "
                "for multipoles is needed"
            )
    frozen_graph.replace(scratch / "extended.pb", output, old)


def smooth_inverse(distance: float, start: float, cutoff: float) -> float:
    """1/r as se_e2_a takes it, in 1/Å: whole up to `start`, zero from `cutoff` on (all in Å)."""
    u = np.clip((distance - start) / (cutoff - start), 0, 1)
    return float((1 - u**3 * (6 * u**2 - 15 * u + 10)) / distance)


# ------------------------------------------------------- inside a child, TensorFlow at hand


def harmonics(tf, vectors: list, l_max: int, least) -> list:
    """w |v| Y_lm(v/|v|) for l = 2 … l_max and all m, in a row.

    Parameters
    ----------
    tf : module
        tensorflow, or what does arithmetic as it does.
    vectors : list of three tensors of one shape
        x, y and z. Where they vanish, so do the results and their derivatives.
    least : float or tensor
        Length R_c from which w = (1 - R_c²/|v|²)³ is above zero; 0 leaves no w.

    Returns
    -------
    list of tensors of that shape
    """
    x, y, z = vectors
    xx, yy, zz, xy = x * x, y * y, z * z, x * y
    # One sum, whose order can be fixed (frozen_graph.order_sums); two would become one later.
    square = tf.add_n([xx, yy, zz])
    inverse = tf.math.rsqrt(square + TINY)
    inside = tf.nn.relu(1.0 - least**2 * (inverse * inverse))
    # w over |v|, then over |v|²: what is left is of the first order in |v|.
    weighted = inside * inside * inside * inverse
    u, v, w = x * weighted, y * weighted, z * weighted
    two, three = np.sqrt(3.0), np.sqrt((5 / 8, 15.0, 3 / 8))
    result = [
        two * (u * y),
        two * (v * z),
        1.5 * (w * z) - 0.5 * (square * weighted),
        two * (u * z),
        two / 2 * (u * x - v * y),
    ]
    if l_max >= 3:
        inverse = weighted * inverse
        upper, lower = 3 * xx - yy, xx - 3 * yy
        four = 5 * zz - square
        result += [
            three[0] * (y * upper * inverse),
            three[1] * (xy * z * inverse),
            three[2] * (y * four * inverse),
            0.5 * (z * (four - 2 * square) * inverse),
            three[2] * (x * four * inverse),
            three[1] / 2 * (z * (xx - yy) * inverse),
            three[0] * (x * lower * inverse),
        ]
    return result


def install(multipoles: Multipoles) -> None:
    """Have deepmd-kit build the descriptor se_e2_a with these features, in this process."""
    from deepmd.tf.descriptor import se_a

    tf, descriptor = se_a.tf, se_a.DescrptSeA
    sizes = [2 * order + 1 for order in multipoles.orders]
    embeddings: list = []
    moments: list = []
    embed = se_a.embedding_net
    filter_lower, filter_all = descriptor._filter_lower, descriptor._filter
    dimension = descriptor.get_dim_out

    def embedding_net(*inputs, **options):
        embeddings.append(embed(*inputs, **options))
        return embeddings[-1]

    def _filter_lower(self, type_i, type_input, start, count, inputs, *more, **options):
        result = filter_lower(self, type_i, type_input, start, count, inputs, *more, **options)
        natom = tf.shape(inputs)[0]
        near = multipoles.sel[type_i]
        part = tf.reshape(tf.slice(inputs, [0, start * 4], [-1, near * 4]), [natom, near, 4])
        distance, *vectors = tf.unstack(part, axis=-1)
        # What enters is scaled by the spread of the vectors round an element, in Å⁻¹.
        spread = tf.cast(self.t_std[type_input, 1], self.filter_precision)
        least = smooth_inverse(multipoles.cutoff, self.rcut_r_smth, self.rcut_r) / spread
        values = harmonics(tf, vectors, multipoles.l_max, least)
        if not self.compress:
            embedding = tf.reshape(embeddings.pop(), [-1, count, self.filter_neuron[-1]])
            embedding = embedding[:, :near, : multipoles.neurons]
            moments.append(tf.matmul(tf.stack(values, -1), embedding, transpose_a=True))
            return result
        name = f"filter_{type_input}_net_{type_i}"
        upper = self.upper[name]
        info = [self.lower[name], upper, upper * self.table_config[0], *self.table_config[1:4]]
        # Six coefficients a neuron; the first neurons' stand first. Looked up once for all orders,
        # which tabulate_fusion_se_a, of four weights a neighbour, would do for every four of them.
        table = tf.make_ndarray(self.table.data[name].op.get_attr("value"))
        table = tf.constant(table[:, : 6 * multipoles.neurons], self.filter_precision)
        embedding = se_a.op_module.tabulate_fusion_se_r(
            table, info, distance, last_layer_size=multipoles.neurons
        )
        moments.append(tf.matmul(tf.stack(values, -1), embedding, transpose_a=True))
        return result

    def _filter(self, inputs, *more, **options):
        moments.clear()
        result, rotation = filter_all(self, inputs, *more, **options)
        room = self.sel_a if self.original_sel is None else self.original_sel
        features = [result]
        for moment in tf.split(tf.add_n(moments) / float(np.sum(room)), sizes, axis=1):
            axis = moment[:, :, : multipoles.axis_neurons]
            product = tf.matmul(moment, axis, transpose_a=True)
            features.append(tf.cast(tf.reshape(product, [-1, multipoles.block]), result.dtype))
        return tf.concat(features, 1), rotation

    se_a.embedding_net = embedding_net
    descriptor._filter_lower, descriptor._filter = _filter_lower, _filter
    descriptor.get_dim_out = lambda self: dimension(self) + multipoles.features
