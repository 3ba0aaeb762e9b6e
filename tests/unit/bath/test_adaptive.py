"""The adaptation finds the γ_r at which the fluctuation–dissipation deviation vanishes."""

import numpy as np
import pytest

from lah10.bath.adaptive import MAX_FRICTION_DRIFT, Adaptation, fdt_deviation, unsettled
from lah10.units import MVV2E

FREQUENCY = np.linspace(0, 100, 51)
MASSES = np.array([138.905, 1.008])
FRICTION = 10.0


def spectra_of(random_friction, loss):
    """A crystal whose modes lose energy: C_vv follows γ_r/(γ + loss), Re C_vF follows γ_r."""
    shape = np.exp(-0.5 * ((FREQUENCY - 40) / 8) ** 2) + 0.05
    inertia = MASSES[:, None] * MVV2E
    cross = shape * random_friction
    return cross / (inertia * (FRICTION + loss)), cross


def test_deviation_is_positive_where_energy_is_missing():
    loss = np.where(FREQUENCY > 50, 5.0, 0.0) * np.ones((2, 1))
    gamma = np.full((2, len(FREQUENCY)), FRICTION)
    delta = fdt_deviation(*spectra_of(gamma, loss), gamma, MASSES)
    assert np.all(delta[:, FREQUENCY > 50] > 0)
    assert delta[:, FREQUENCY <= 50] == pytest.approx(0, abs=1e-12)


def test_harmonic_crystal_leaves_the_friction_alone():
    adapt = Adaptation(FREQUENCY, MASSES, FRICTION, rate=0.5)
    for _ in range(5):
        adapt.update(*spectra_of(adapt.random_friction, 0.0))
    assert adapt.random_friction == pytest.approx(FRICTION)


def test_adaptation_converges_to_the_whole_dissipation():
    loss = np.where(FREQUENCY > 50, 5.0, -4.0) * np.ones((2, 1))
    adapt = Adaptation(FREQUENCY, MASSES, FRICTION, rate=0.3)
    for _ in range(150):
        power, cross = spectra_of(adapt.random_friction, loss)
        adapt.update(power, cross)
    assert adapt.random_friction == pytest.approx(FRICTION + loss, rel=0.01)
    assert adapt.settled() == pytest.approx(FRICTION + loss, rel=0.02)
    delta = fdt_deviation(power, cross, adapt.random_friction, MASSES)
    assert np.abs(delta).max() < 0.02 * np.abs(cross).max()


def test_friction_stays_positive_and_silent_frequencies_still():
    adapt = Adaptation(FREQUENCY, MASSES, FRICTION, rate=1.0)
    power, cross = spectra_of(adapt.random_friction, 0.0)
    power[:, 10:] *= 1e-7
    cross[:, :10] = -1.0
    cross[:, 10:] *= 1e-7
    for _ in range(20):
        adapt.update(power, cross)
    assert adapt.random_friction[:, :10] == pytest.approx(0.01 * FRICTION)
    assert np.abs(adapt.random_friction[:, 10:] - FRICTION).max() < 0.05 * FRICTION


def adapted(segments, loss, rate=0.3, noise=0.1, seed=0):
    """An adaptation whose every segment is noisy, a share `noise` of the spectrum in each bin."""
    rng = np.random.default_rng(seed)
    adapt = Adaptation(FREQUENCY, MASSES, FRICTION, rate=rate)
    for _ in range(segments):
        power, cross = spectra_of(adapt.random_friction, loss)
        adapt.update(power, cross * (1 + noise * rng.normal(size=cross.shape)))
    return adapt


def test_drift_tells_whether_the_adaptation_has_settled():
    """Modes that need 1.8 γ: at a rate of 0.3 they have it after 36 segments, at 0.03 not."""
    loss = np.where(FREQUENCY > 30, 8.0, 0.0) * np.ones((2, 1))
    for seed in range(5):
        assert (adapted(36, loss, seed=seed).drift() < MAX_FRICTION_DRIFT).all()
        assert (adapted(12, 0.0 * loss, seed=seed).drift() < MAX_FRICTION_DRIFT).all()
        assert (adapted(12, loss, rate=0.03, seed=seed).drift() > MAX_FRICTION_DRIFT).any()
    # Opposite drifts within an element do not cancel.
    opposite = np.where(FREQUENCY > 40, 8.0, -8.0) * np.ones((2, 1))
    slow = adapted(12, opposite, rate=0.03)
    assert (slow.drift() > MAX_FRICTION_DRIFT).all()
    assert "γ_r of La by" in unsettled(slow.drift()) and ", H by" in unsettled(slow.drift())


def test_noise_alone_is_no_drift():
    for noise in (0.1, 0.3, 0.6):
        drifts = [adapted(12, 0.0, noise=noise, seed=seed).drift().max() for seed in range(20)]
        assert np.mean(np.array(drifts) < MAX_FRICTION_DRIFT) >= 0.9


def test_history_is_every_friction_that_was_used():
    adapt = adapted(7, 3.0)
    history = adapt.history()
    assert history.shape == (8, 2, len(FREQUENCY))
    assert np.all(history[0] == FRICTION) and np.array_equal(history[-1], adapt.random_friction)
    assert np.isnan(adapted(1, 3.0).drift()).all() and np.isfinite(adapted(2, 3.0).drift()).all()


def test_state_survives_a_checkpoint():
    rng = np.random.default_rng(0)
    blocks = rng.uniform(0.5, 1.5, size=(6, 2, 2, len(FREQUENCY)))
    whole = Adaptation(FREQUENCY, MASSES, FRICTION, rate=0.3)
    for power, cross in blocks:
        whole.update(power, cross)
    first = Adaptation(FREQUENCY, MASSES, FRICTION, rate=0.3)
    for power, cross in blocks[:3]:
        first.update(power, cross)
    second = Adaptation(FREQUENCY, MASSES, FRICTION, rate=0.3)
    second.restore(first.state())
    for power, cross in blocks[3:]:
        second.update(power, cross)
    assert np.array_equal(second.random_friction, whole.random_friction)
    assert np.array_equal(second.settled(), whole.settled())
    assert np.array_equal(second.history(), whole.history())
    assert np.array_equal(second.drift(), whole.drift())
