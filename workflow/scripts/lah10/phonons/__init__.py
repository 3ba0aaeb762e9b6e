"""The harmonic crystal."""
