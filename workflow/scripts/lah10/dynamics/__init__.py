"""Molecular dynamics of one grid point: bath, engine, checkpoints, trajectory."""
