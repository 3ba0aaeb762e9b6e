"""Noise is a pure function of (seed, tag, step), with the colour it was asked for."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import fft

from lah10.bath.noise import CHUNK, GROUP, ColouredNoise, WhiteNoise, filter_kernel
from lah10.bath.noise_memory import LONGEST, SHORTEST, block_steps, memory_bytes
from lah10.bath.spectra import cutoff_filter, noise_energy, quantum_energy

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


@pytest.mark.parametrize(
    "temperature",
    [pytest.param(1, marks=pytest.mark.slow), 300, pytest.param(1000, marks=pytest.mark.slow)],
)
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


@pytest.mark.parametrize(("atoms", "ranks"), [(80, 3), (90, 2), (12, 2)])
def test_ranks_share_work_and_memory_and_agree_to_the_bit(atoms, ranks):
    """In order, across pieces and blocks, back again, and with changed filters."""
    pytest.importorskip("mpi4py")
    types, kernels = np.arange(atoms) % 2, [kernel(), kernel(20.0)]
    steps = [777, 778, 800, 1023, 1024, 1100, 5]

    def numbers(comm=None):
        noise = ColouredNoise(types, kernels, seed=5, memory=1e6, comm=comm)
        found = [noise.at(step).copy() for step in steps]
        noise.set_kernels([2 * kernel(), kernel(20.0)])
        return [*found, noise.at(5).copy()], noise._block.nbytes

    alone, bytes_alone = numbers()
    barrier, blocks = threading.Barrier(ranks), [None] * ranks
    with ThreadPoolExecutor(ranks) as pool:
        all_found = list(pool.map(lambda r: numbers(Ranks(r, ranks, blocks, barrier)),
                                  range(ranks)))  # fmt: skip
    for found, _ in all_found:
        assert all(np.array_equal(a, b) for a, b in zip(found, alone, strict=True))
    assert sum(size for _, size in all_found) == bytes_alone
    assert max(size for _, size in all_found) < 0.65 * bytes_alone or atoms <= GROUP


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


def test_memory_is_bounded_and_stated():
    """44,000 atoms: 541 MB of noise on one rank, 1.1 GB on sixteen together."""
    types = np.zeros(44_000, dtype=int)
    noise = ColouredNoise(types, [kernel()], seed=1)
    assert noise._block.nbytes == memory_bytes(44_000) < 5.5e8
    assert noise.steps >= 512
    assert memory_bytes(44_000, ranks=16) < 1.1e9

    class Sixteen:
        rank, size = 3, 16

    part = ColouredNoise(types, [kernel()], seed=1, comm=Sixteen())
    held = part._block.nbytes + part._shared.nbytes
    assert held < 0.1 * noise._block.nbytes
    # MPI may hold what is exchanged once more.
    assert 16 * (held + part._shared.nbytes) == pytest.approx(memory_bytes(44_000, 16), rel=1e-3)


def test_length_of_a_block():
    assert [block_steps(n) for n in (1, 88, 9_504, 44_000, 10**6)] == [
        LONGEST, LONGEST, 4096, 1024, SHORTEST,
    ]  # fmt: skip
    assert block_steps(88, longest=500) == 500
    assert block_steps(44_000, memory=44_000 * 12 * 300) == 256


def test_changed_filters_take_effect():
    noise = ColouredNoise([0] * 8, [kernel()], seed=2, memory=1e6)
    before = noise.at(10).copy()
    noise.set_kernels([2 * kernel()])
    assert noise.at(10) == pytest.approx(2 * before, rel=1e-4, abs=1e-5)
