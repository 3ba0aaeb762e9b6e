"""Noise is a pure function of (seed, tag, step), with the colour it was asked for."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import fft

from lah10.dynamics.noise import CHUNK, GROUP, ColouredNoise, WhiteNoise, filter_kernel
from lah10.dynamics.spectra import cutoff_filter, noise_energy, quantum_energy

TIMESTEP = 0.0005


def kernel(temperature=300.0):
    return filter_kernel(lambda f: noise_energy("qtb", f, temperature, 200.0), TIMESTEP)


def test_white_noise_is_the_same_however_it_is_cut():
    white = WhiteNoise(7)
    whole = white.group(3, 100, 100 + 3 * CHUNK)
    cut = 100 + CHUNK + CHUNK // 3
    parts = [white.group(3, 100, cut), white.group(3, cut, 100 + 3 * CHUNK)]
    assert np.array_equal(whole, np.concatenate(parts, axis=-1))


def test_white_noise_differs_between_seeds_groups_and_steps():
    base = WhiteNoise(7).group(0, 0, 4096)
    for other in (
        WhiteNoise(8).group(0, 0, 4096),
        WhiteNoise(7).group(1, 0, 4096),
        WhiteNoise(7).group(0, 4096, 8192),
    ):
        correlation = np.mean(base * other)
        assert abs(correlation) < 5 / np.sqrt(base.size)
    assert base.mean() == pytest.approx(0, abs=5 / np.sqrt(base.size))
    assert base.var() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("temperature", [1, 20, 300, 1000])
def test_filter_has_the_spectrum_from_half_a_terahertz_to_the_cutoff(temperature):
    response = kernel(temperature)
    n = 2**18
    f = np.fft.rfftfreq(n, TIMESTEP)
    gain = np.abs(np.fft.rfft(response, n)) ** 2 * TIMESTEP
    inside = (f >= 0.5) & (f <= 190)
    wanted = quantum_energy(f, temperature) * cutoff_filter(f, 200.0)
    assert gain[inside] / wanted[inside] == pytest.approx(1.0, abs=0.01)
    above = inside & (f > 1)
    assert gain[above] / wanted[above] == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("temperature", [1, 5, 100])
@pytest.mark.parametrize("friction", [1.0, 10.0, 20.0])
def test_corrected_noise_has_its_spectrum_too(temperature, friction):
    def energy(f):
        return noise_energy("qtb", f, temperature, 200.0, "potential", friction, TIMESTEP)

    n = 2**18
    f = np.fft.rfftfreq(n, TIMESTEP)
    gain = np.abs(np.fft.rfft(filter_kernel(energy, TIMESTEP), n)) ** 2 * TIMESTEP
    inside = (f >= 0.5) & (f <= 180)
    assert gain[inside] / energy(f)[inside] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("temperature", [1, 300, 1000])
def test_a_long_realisation_has_the_spectrum(temperature):
    """65 ps of 256 atoms, in bands whose statistical error is 0.5 % at most: within 1 %."""
    atoms, steps = 256, 2**17
    noise = ColouredNoise(np.zeros(atoms, int), [kernel(temperature)], seed=3)
    series = np.empty((steps, atoms, 3), np.float32)
    for start in range(0, steps, noise.steps):
        noise.at(start)
        series[start : start + noise.steps] = noise._block
    window = np.hanning(steps).astype(np.float32)
    power = np.zeros(steps // 2 + 1)
    for atom in range(atoms):
        transformed = fft.rfft(series[:, atom].T * window, axis=-1)
        power += (np.abs(transformed) ** 2).sum(axis=0)
    power *= TIMESTEP / (3 * atoms * np.sum(window**2))
    f = np.fft.rfftfreq(steps, TIMESTEP)
    wanted = quantum_energy(f, temperature) * cutoff_filter(f, 200.0)
    edges = [0.5, 2, 5, 10, 20, 40, 60, 80, 100, 120, 140, 160, 180]
    for low, high in itertools.pairwise(edges):
        band = (f >= low) & (f < high)
        assert power[band].mean() == pytest.approx(wanted[band].mean(), rel=0.01), (low, high)


def test_filter_is_no_longer_than_it_must_be():
    lengths = [len(kernel(temperature)) * TIMESTEP for temperature in (1.0, 20.0, 100.0)]
    assert lengths == pytest.approx([4.096, 1.024, 0.512], abs=2 * TIMESTEP)


class Ranks:
    """Communicator of threads: every rank adds its block to the others'."""

    def __init__(self, rank, size, blocks, barrier):
        self.rank, self.size, self.blocks, self.barrier = rank, size, blocks, barrier

    def Allreduce(self, _in_place, block, op):
        self.blocks[self.rank] = block.copy()
        self.barrier.wait()
        block[:] = sum(self.blocks)
        self.barrier.wait()


def test_ranks_share_the_work_and_agree_to_the_bit():
    pytest.importorskip("mpi4py")
    types, kernels = [0, 1] * 40, [kernel(), kernel(20.0)]
    alone = ColouredNoise(types, kernels, seed=5, memory=1e6).at(777).copy()
    barrier, blocks = threading.Barrier(3), [None] * 3

    def one(rank):
        comm = Ranks(rank, 3, blocks, barrier)
        return ColouredNoise(types, kernels, seed=5, memory=1e6, comm=comm).at(777).copy()

    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(one, range(3)):
            assert np.array_equal(found, alone)


def test_block_is_the_convolution_written_out():
    noise = ColouredNoise([0] * 4 + [1] * 20, [kernel(1), kernel(300)], seed=5)
    step = 12345
    block = noise.at(step)
    half = noise.taps // 2
    for atom in (0, 3, 4, 23):
        white = noise.white.group(atom // GROUP, step - half, step + half + 1)[atom % GROUP]
        expected = white.astype(float) @ noise.kernels[noise.types[atom]]
        assert block[atom] == pytest.approx(expected, abs=2e-5 * np.abs(expected).max() + 1e-6)


def test_noise_does_not_depend_on_the_order_of_questions():
    make = lambda: ColouredNoise([0, 1] * 12, [kernel(), kernel()], seed=9, memory=1e5)  # noqa: E731
    forward, backward = make(), make()
    steps = [0, 5, 1000, 4000]
    first = [forward.at(s).copy() for s in steps]
    second = [backward.at(s).copy() for s in reversed(steps)][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_memory_bounds_the_block():
    types = np.zeros(44_000, dtype=int)
    noise = ColouredNoise(types, [kernel()], seed=1)
    assert noise._block.nbytes < 6e8
    assert noise.steps >= 512


def test_changed_filters_take_effect():
    noise = ColouredNoise([0] * 8, [kernel()], seed=2, memory=1e6)
    before = noise.at(10).copy()
    noise.set_kernels([2 * kernel()])
    assert noise.at(10) == pytest.approx(2 * before, rel=1e-4, abs=1e-5)
