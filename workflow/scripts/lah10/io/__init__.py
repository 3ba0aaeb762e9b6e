"""Files, locks, child processes, logs."""
