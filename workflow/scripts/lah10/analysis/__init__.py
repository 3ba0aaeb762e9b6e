"""Observables of one grid point, from its trajectory and time series."""
