"""Crystals: structures, sites, periodic images, trajectories."""
