"""deepmd-kit's own commands (TensorFlow backend) as child processes."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lah10.errors import UserError
from lah10.io import child
from lah10.potential.training import dp_child

#: Networks as deepmd-kit has them.
NO_CHANGES = dp_child.Changes()


def run_dp(
    arguments: Sequence[str],
    folder: str | os.PathLike,
    log: str | os.PathLike,
    threads: int = 1,
    device: str = "cpu",
    keep: Sequence[int] = (),
    changes: dp_child.Changes = NO_CHANGES,
) -> None:
    """Run `dp --tf …` in `folder`, its output appended to `log`.

    Parameters
    ----------
    keep
        File descriptors that the child inherits (a lock, held until the child ends).
    changes : Changes
        Networks that deepmd-kit does not have.

    Raises
    ------
    UserError
        deepmd-kit is not installed, or ended with an error; its last word is repeated.
    """
    program = Path(sys.executable).with_name("dp")
    command = [str(program) if program.is_file() else "dp", "--tf", *arguments]
    environment = child.quiet_environment(threads)
    if changes:
        command = dp_child.command(arguments)
        environment |= dp_child.environment(changes)
    if device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with open(log, "a", encoding="utf-8") as handle:
        start = handle.tell()
        try:
            run = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=subprocess.STDOUT,
                pass_fds=keep,
                check=False,
            )
        except FileNotFoundError:
            raise UserError(
                "the program dp of deepmd-kit is not installed; run inside the environment that "
                "`make` sets up, or use envs/training.yaml"
            ) from None
    if run.returncode != 0:
        with open(log, encoding="utf-8", errors="replace") as handle:
            handle.seek(start)
            errors = [
                line.strip() for line in handle if re.match(r"[\w.]*(Error|Exception)\b", line)
            ]
        reason = errors[-1] if errors else f"status {run.returncode}"
        raise UserError(f"dp {arguments[0]} failed in {folder}: {reason}; see {log}")
