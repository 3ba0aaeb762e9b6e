"""Oscillators with known quantum energies, integrated with the project's own bath.

Units of the models are ħ = m = ω = 1; the bath works in its own (THz, ps, eV), so one model unit of
frequency is set to 10 THz and everything else follows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lah10.dynamics.adaptive import Adaptation, fdt_deviation
from lah10.dynamics.bath import Bath
from lah10.dynamics.recorder import SpectrumRecorder
from lah10.units import BOLTZMANN, MVV2E, PLANCK

#: THz of one model unit of frequency.
FREQUENCY = 10.0
OMEGA = 2 * np.pi * FREQUENCY  # rad/ps
ENERGY = PLANCK * FREQUENCY  # eV: ħω
MASS = 1.008  # g/mol
LENGTH = np.sqrt(ENERGY / (MASS * MVV2E)) / OMEGA  # Å: (ħ/mω)^½
TEMPERATURE = ENERGY / BOLTZMANN  # K


@dataclass(frozen=True)
class Model:
    """A potential of one or two coordinates a particle pair.

    Attributes
    ----------
    coordinates : int
        1 or 2; every coordinate is one kind of atom for the bath.
    force : callable
        Positions (coordinates, n) to forces of the same shape, in model units.
    start : tuple of float
        Position of rest.
    """

    name: str
    coordinates: int
    force: Callable[[np.ndarray], np.ndarray]
    start: tuple[float, ...]


MORSE_DEPTH = 10.0
_A = 1 / np.sqrt(2 * MORSE_DEPTH)  # ω = 1


def _leakage(q):
    big, small = q
    return np.array([-4 * big - 0.15 * small**2, -small - 0.3 * big * small - 0.2 * small**3])


MODELS = {
    "harmonic": Model("harmonic", 1, lambda q: -q, (0.0,)),
    "quartic": Model("quartic", 1, lambda q: -(q**3), (0.0,)),
    "mixed": Model("mixed", 1, lambda q: -q - q**3, (0.0,)),
    "morse": Model(
        "morse",
        1,
        lambda q: -2 * MORSE_DEPTH * _A * (1 - np.exp(-_A * q)) * np.exp(-_A * q),
        (0.0,),
    ),
    "leakage": Model("leakage", 2, _leakage, (0.0, 0.0)),
}


def simulate(
    model: Model,
    bath: str,
    temperature: float,
    friction: float,
    time: float,
    replicas: int = 256,
    seed: int = 1,
    timestep: float = 0.001,
    segment: float = 4.0,
    adaptation: float = 0.0,
    rate: float = 0.3,
) -> dict[str, np.ndarray]:
    """Run many copies of a model in a bath.

    Parameters
    ----------
    temperature, friction : float
        In model units (ħω/k_B and ω).
    time, adaptation : float
        Measured time, and time before it in which an adaptive bath adapts, ps.
    timestep, segment : float
        ps.

    Returns
    -------
    dict
        kinetic, square, position (coordinates,): ⟨T⟩, ⟨x²⟩, ⟨x⟩ in model units, each with
        `_stderr` over the replicas; deviation (coordinates,): ∫|Δ|dω / ∫ mγ_r C_vv dω.
    """
    kinds = np.repeat(np.arange(model.coordinates), replicas)
    heat = Bath(
        bath,
        temperature * TEMPERATURE,
        friction * OMEGA,
        200.0,
        np.full(len(kinds), MASS),
        kinds,
        timestep,
        seed,
        conserve_momentum=False,
    )
    every = 2
    samples = round(segment / (every * timestep))
    recorder = SpectrumRecorder(kinds, every * timestep, samples, replicas)
    masses = np.full(model.coordinates, MASS)
    adapt = Adaptation(recorder.frequency, masses, friction * OMEGA, rate)
    inertia = MASS * MVV2E

    def pull(x):
        q = x.reshape(model.coordinates, -1) / LENGTH
        return model.force(q).reshape(x.shape) * ENERGY / LENGTH

    x = np.repeat(np.array(model.start), replicas)[:, None] * LENGTH * np.ones((1, 3))
    v = np.zeros_like(x)
    force = pull(x)
    push = heat.random_force(0)
    relax = round(10 / (friction * OMEGA) / timestep)
    warm = round(adaptation / timestep) if bath == "adqtb" else 0
    total = warm + relax + round(time / timestep)
    sums = np.zeros((3, len(kinds)))
    frozen = bath != "adqtb"
    for step in range(1, total + 1):
        v += 0.5 * timestep / inertia * (force + push)
        x += timestep * v
        force = pull(x)
        random = heat.random_force(step)
        push, on_step = heat.half_step_force(random, inertia, v, force)
        v += 0.5 * timestep / inertia * (force + push)
        if step % every == 0 and recorder.add(on_step, random) and not frozen:
            heat.set_random_friction(recorder.frequency, adapt.update(*recorder.blocks[-1]))
        if step == warm and not frozen:
            frozen = True
            heat.set_random_friction(recorder.frequency, adapt.settled())
        if step == warm + relax:
            recorder.blocks.clear()
        if step > warm + relax:
            sums += [(v**2).mean(axis=1), (x**2).mean(axis=1), x.mean(axis=1)]
    mean = sums / (total - warm - relax)
    mean *= np.array([[0.5 * inertia / ENERGY], [LENGTH**-2], [1 / LENGTH]])
    mean = mean.reshape(3, model.coordinates, replicas)
    result = {}
    for name, values in zip(("kinetic", "square", "position"), mean, strict=True):
        result[name] = values.mean(axis=1)
        result[name + "_stderr"] = values.std(axis=1, ddof=1) / np.sqrt(replicas)
    gamma = np.full((model.coordinates, len(recorder.frequency)), friction * OMEGA)
    if bath == "adqtb":
        gamma = adapt.settled()
    power, cross = np.mean(recorder.blocks, axis=0)
    delta = fdt_deviation(power, cross, gamma, masses)
    result["deviation"] = np.abs(delta).sum(axis=1) / (inertia * gamma * power).sum(axis=1)
    result["frequency"], result["random_friction"] = recorder.frequency, gamma
    return result
