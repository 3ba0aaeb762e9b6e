"""Spectra of known signals."""

import numpy as np
import pytest

from lah10.bath.spectrum_recorder import SpectrumRecorder, sampled_tags


def test_sampled_atoms_are_spread_and_bounded():
    types = np.array([0] * 10 + [1] * 100)
    la, hydrogen = sampled_tags(types, 20)
    assert list(la) == list(range(10))
    assert len(hydrogen) == 20
    assert hydrogen[0] == 10
    assert hydrogen[-1] == 109


def record(signal, force, interval=0.002, samples=500, segments=4):
    recorder = SpectrumRecorder([0], interval, samples, 10)
    for n in range(segments * samples):
        ended = recorder.add(signal(n * interval), force(n * interval))
        assert ended == ((n + 1) % samples == 0)
    return recorder


def test_power_of_a_sine_is_its_mean_square():
    wave = lambda t: np.full((1, 3), 2.0 * np.sin(2 * np.pi * 40 * t))  # noqa: E731
    recorder = record(wave, wave)
    assert len(recorder.blocks) == 4
    power, cross = np.mean(recorder.blocks, axis=0)
    step = recorder.frequency[1]
    total = (2 * power[0].sum() - power[0, 0]) * step
    assert total == pytest.approx(2.0, rel=1e-6)
    assert recorder.frequency[power[0].argmax()] == pytest.approx(40.0)
    assert cross[0] == pytest.approx(power[0])


def test_cross_spectrum_vanishes_in_quadrature():
    """A force a quarter period away from the velocity does no work."""
    recorder = record(
        lambda t: np.full((1, 3), np.sin(2 * np.pi * 40 * t)),
        lambda t: np.full((1, 3), np.cos(2 * np.pi * 40 * t)),
    )
    power, cross = np.mean(recorder.blocks, axis=0)
    assert np.abs(cross).max() < 1e-6 * power.max()


def test_white_noise_is_flat():
    rng = np.random.default_rng(1)
    draw = lambda t: rng.normal(size=(1, 3))  # noqa: E731
    power = np.mean([p for p, _ in record(draw, draw, segments=100).blocks], axis=0)[0]
    assert power[5:-5].mean() == pytest.approx(0.002, rel=0.03)
    assert power[5:100].mean() == pytest.approx(power[-100:-5].mean(), rel=0.1)
