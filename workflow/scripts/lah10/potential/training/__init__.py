"""Training with deepmd-kit."""
