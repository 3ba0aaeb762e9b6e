"""Oscillators with known quantum energies, integrated with the project's own bath.

Units of the models are ħ = m = ω = 1; the bath works in its own (THz, ps, eV), so one model unit of
frequency is set to 10 THz and everything else follows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lah10.bath.adaptive import Adaptation, fdt_deviation
from lah10.bath.bath import Bath
from lah10.bath.deconvolution import BathParameters, Deconvolution
from lah10.bath.spectrum_recorder import SpectrumRecorder
from lah10.units import BOLTZMANN, MVV2E, PLANCK

#: THz of one model unit of frequency.
FREQUENCY = 10.0
OMEGA = 2 * np.pi * FREQUENCY  # rad/ps
ENERGY = PLANCK * FREQUENCY  # eV: ħω
MASS = 1.008  # g/mol
LENGTH = np.sqrt(ENERGY / (MASS * MVV2E)) / OMEGA  # Å: (ħ/mω)^½
TEMPERATURE = ENERGY / BOLTZMANN  # K
#: End of the coloured noise, THz: 20 model units, far above every model's frequencies.
CUTOFF = 200.0


@dataclass(frozen=True)
class Model:
    """Particles of mass 1 in one or two coordinates.

    Attributes
    ----------
    coordinates : int
        1 or 2; every coordinate is one kind of atom for the bath.
    potential, force : callable
        Of positions (coordinates, …): energies (…) and forces (coordinates, …), model units.
    temperature : float
        At which the model is looked at, ħω/k_B.
    """

    name: str
    coordinates: int
    potential: Callable[[np.ndarray], np.ndarray]
    force: Callable[[np.ndarray], np.ndarray]
    temperature: float = 0.0


MORSE_DEPTH = 10.0
_A = 1 / np.sqrt(2 * MORSE_DEPTH)  # ω = 1


def _morse_force(q):
    decay = np.exp(-_A * q)
    return -2 * MORSE_DEPTH * _A * (1 - decay) * decay


def _leakage_force(q):
    big, small = q
    return np.array([-4 * big - 0.15 * small * small,
                     -small * (1 + 0.3 * big + 0.2 * small * small)])  # fmt: skip


MODELS = {
    model.name: model
    for model in (
        Model("harmonic", 1, lambda q: 0.5 * q[0] ** 2, lambda q: -q),
        Model("quartic", 1, lambda q: 0.25 * (q[0] * q[0]) ** 2, lambda q: -q * q * q),
        Model(
            "mixed", 1,
            lambda q: 0.5 * q[0] ** 2 + 0.25 * (q[0] * q[0]) ** 2,
            lambda q: -q - q * q * q,
        ),
        Model(
            "morse", 1, lambda q: MORSE_DEPTH * (1 - np.exp(-_A * q[0])) ** 2, _morse_force
        ),
        # Two oscillators whose coupling drains zero-point energy from the stiff to the soft one.
        Model(
            "leakage", 2,
            lambda q: 2 * q[0] ** 2 + 0.5 * q[1] ** 2 + 0.15 * q[0] * q[1] ** 2
            + 0.05 * (q[1] * q[1]) ** 2,
            _leakage_force,
            temperature=0.1,
        ),
    )
}  # fmt: skip


def exact(model: Model, basis: int = 36) -> dict[str, np.ndarray | float]:
    """Quantum thermal averages, by diagonalisation in a product of oscillator bases.

    Potential energies are taken at the eigenvalues of the position operator (Harris, Engerholm and
    Gwinn, J. Chem. Phys. 43, 1515 (1965)), kinetic ones are exact in the basis.

    Returns
    -------
    dict
        energy and potential (model units), and by coordinate kinetic, square ⟨q²⟩ and
        position ⟨q⟩.
    """
    n = np.arange(basis)
    ladder = np.diag(np.sqrt(n[1:]), 1)
    position = (ladder + ladder.T) / np.sqrt(2)
    kinetic = 0.25 * (np.diag(2 * n + 1.0) - ladder @ ladder - (ladder @ ladder).T)
    points, vectors = np.linalg.eigh(position)
    kinetic = vectors.T @ kinetic @ vectors
    one = np.eye(basis)
    if model.coordinates == 1:
        grid, parts = points[None], [kinetic]
    else:
        grid = np.array(np.meshgrid(points, points, indexing="ij")).reshape(2, -1)
        parts = [np.kron(kinetic, one), np.kron(one, kinetic)]
    potential = model.potential(grid)
    levels, states = np.linalg.eigh(sum(parts) + np.diag(potential))
    if model.temperature > 0:
        weight = np.exp(-(levels - levels[0]) / model.temperature)
    else:
        weight = (np.arange(len(levels)) == 0).astype(float)
    weight /= weight.sum()
    used = weight > 1e-14
    states, weight = states[:, used], weight[used]
    density = states**2 @ weight
    return {
        "energy": float(weight @ levels[used]),
        "potential": float(density @ potential),
        "kinetic": np.array([np.einsum("ik,ij,jk,k", states, t, states, weight, optimize=True)
                             for t in parts]),
        "square": grid**2 @ density,
        "position": grid @ density,
    }  # fmt: skip


def simulate(
    model: Model,
    bath: str,
    friction: float,
    time: float,
    replicas: int = 512,
    seed: int = 1,
    timestep: float = 0.001,
    segment: float = 2.0,
    adaptation: float = 0.0,
    rate: float = 0.3,
    correction: str = "potential",
) -> dict[str, np.ndarray | float]:
    """Run many copies of a model in a bath, three of them in an atom.

    Parameters
    ----------
    friction : float
        In model units (ω).
    time, adaptation : float
        Measured time, and time before it in which an adaptive bath adapts, ps.
    replicas : int
        Atoms of each coordinate.
    timestep, segment : float
        ps.

    Returns
    -------
    dict
        kinetic, square, position, deconvolved (coordinates,): ⟨T⟩, ⟨q²⟩, ⟨q⟩ and ⟨T⟩ freed of the
        friction's share; potential: ⟨V⟩; energy: ⟨V⟩ + deconvolved ⟨T⟩; model units, each with
        `_stderr` over the replicas.
        deviation, deviation_noise (coordinates,): Σ|Δ| over bands of 0.1 ω, relative to the
        dissipated power, the mean square of its noise taken off; and the size of that noise.
        frequency (F,), delta and random_friction (coordinates, F), in THz and 1/ps.
    """
    every = 2
    samples = round(segment / (every * timestep))
    kinds = np.repeat(np.arange(model.coordinates), replicas)
    parameters = BathParameters(
        bath, model.temperature * TEMPERATURE, friction * OMEGA, CUTOFF, timestep, correction
    )
    heat = Bath(
        bath,
        parameters.temperature,
        parameters.friction,
        CUTOFF,
        np.full(len(kinds), MASS),
        kinds,
        timestep,
        seed,
        conserve_momentum=False,
        correction=correction,
        block=every * samples,
    )
    recorder = SpectrumRecorder(kinds, every * timestep, samples, replicas)
    masses = np.full(model.coordinates, MASS)
    adapt = Adaptation(recorder.frequency, masses, parameters.friction, rate)
    inertia = MASS * MVV2E

    def reduced(x):
        return x.reshape(model.coordinates, -1) / LENGTH

    def pull(x):
        return model.force(reduced(x)).reshape(x.shape) * (ENERGY / LENGTH)

    # From rest: everything that a copy has, it has from the bath.
    x = np.zeros((len(kinds), 3))
    v = np.zeros_like(x)
    force = pull(x)
    push = heat.random_force(0)
    relax = round(10 / parameters.friction / timestep)
    warm = round(adaptation / timestep) if bath == "adqtb" else 0
    total = warm + relax + round(time / timestep)
    squares, paths = np.zeros((2, len(kinds), 3)), np.zeros_like(x)
    potential, taken = np.zeros((replicas, 3)), 0
    for step in range(1, total + 1):
        v += (0.5 * timestep / inertia) * (force + push)
        x += timestep * v
        force = pull(x)
        random = heat.random_force(step)
        push, on_step = heat.half_step_force(random, inertia, v, force)
        v += (0.5 * timestep / inertia) * (force + push)
        if step % every:
            continue
        if recorder.add(on_step, random) and step <= warm:
            heat.set_random_friction(recorder.frequency, adapt.update(*recorder.blocks[-1]))
        if step == warm:
            heat.set_random_friction(recorder.frequency, adapt.settled())
        if step <= warm + relax:
            recorder.blocks.clear()
            continue
        squares += [v * v, x * x]
        paths += x
        potential += model.potential(reduced(x)).reshape(replicas, 3)
        taken += 1

    per_atom = {
        "kinetic": squares[0] * (0.5 * inertia / ENERGY),
        "square": squares[1] / LENGTH**2,
        "position": paths / LENGTH,
        "potential": potential,
    }
    result = {}
    for name, values in per_atom.items():
        values = values.mean(axis=1).reshape(-1, replicas) / taken
        mean, error = values.mean(axis=1), values.std(axis=1, ddof=1) / np.sqrt(replicas)
        scalar = name == "potential"
        result[name] = float(mean[0]) if scalar else mean
        result[f"{name}_stderr"] = float(error[0]) if scalar else error

    blocks = np.array(recorder.blocks)
    power = blocks[:, 0].mean(axis=0)
    deconvolution = Deconvolution(recorder.frequency, parameters)
    raw, sharp = deconvolution.energies(inertia * power)
    result["deconvolved"] = result["kinetic"] * sharp / raw
    result["deconvolved_stderr"] = result["kinetic_stderr"] * sharp / raw
    result["energy"] = result["potential"] + result["deconvolved"].sum()
    result["energy_stderr"] = np.hypot(
        result["potential_stderr"], np.linalg.norm(result["deconvolved_stderr"])
    )

    gamma = np.full((model.coordinates, len(recorder.frequency)), parameters.friction)
    if bath == "adqtb":
        gamma = adapt.settled()
    width = round(0.1 * FREQUENCY * segment)
    below = recorder.frequency < CUTOFF
    starts = np.arange(0, below.sum(), width)
    delta = fdt_deviation(blocks[:, 0], blocks[:, 1], gamma, masses)
    bands = np.add.reduceat(delta[..., below], starts, axis=-1)
    noise = bands.var(axis=0, ddof=1) / len(blocks)
    scale = (inertia * gamma * power)[:, below].sum(axis=1)
    mean = bands.mean(axis=0)
    result["deviation"] = np.sqrt(np.maximum(mean**2 - noise, 0)).sum(axis=1) / scale
    result["deviation_noise"] = np.sqrt(2 / np.pi * noise).sum(axis=1) / scale
    result["delta"] = delta.mean(axis=0)
    result["frequency"], result["random_friction"] = recorder.frequency, gamma
    return result
