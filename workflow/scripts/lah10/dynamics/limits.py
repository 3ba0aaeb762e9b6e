"""When a run has left its crystal: limits that dynamics and path integrals share."""

#: A volume beyond these multiples of the first one means that the crystal is lost.
VOLUME_LIMITS = (0.5, 1.5)


def temperature_limit(expected: float) -> float:
    """Kinetic temperature above which a run has run away, K: far above any start from a crystal."""
    return 4 * expected + 1000
