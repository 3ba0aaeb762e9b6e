"""Snakemake without its start: one process imports it, and forks for every command.

Half of a dry run is the import of Snakemake. The child of a fork reads the workflow anew, so that
nothing of one command is left for the next; it imports `lah10` itself, from its own checkout.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

#: What the server runs. A child leaves the loop, and ends as any Python program ends.
SERVER = """
import json, os, signal, sys

import ase.io, netCDF4, pandas, pulp, pydantic, yaml
import snakemake.cli
import snakemake.dag, snakemake.executors.local, snakemake.linting.rules, snakemake.workflow

def serve():
    while line := sys.stdin.readline():
        request = json.loads(line)
        if (child := os.fork()) == 0:
            os.chdir(request["folder"])
            os.environ.clear()
            os.environ.update(request["environment"])
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            for number, path in enumerate((os.devnull, request["stdout"], request["stderr"])):
                os.dup2(os.open(path, flags if number else os.O_RDONLY, 0o600), number)
            signal.setitimer(signal.ITIMER_REAL, request["seconds"])
            sys.argv = ["snakemake", *request["arguments"]]
            sys.path[0] = request["folder"]
            return True
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    return False

if serve():
    snakemake.cli.main()
"""


class ForkServer:
    """A process that runs Snakemake's commands one after another.

    Parameters
    ----------
    folder : Path
        Where what a command prints is written before it is read.
    """

    def __init__(self, folder: Path):
        self.stdout, self.stderr = folder / "stdout", folder / "stderr"
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        *arguments: str,
        folder: Path,
        timeout: float = 300,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> subprocess.CompletedProcess:
        """Run `snakemake arguments` in a folder, and wait for its end.

        Parameters
        ----------
        timeout : float
            Seconds.
        environment : mapping
            Variables besides those of this process.

        Raises
        ------
        subprocess.TimeoutExpired
            After `timeout` seconds; the command is killed.
        """
        request = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": {**os.environ, **environment},
            "stdout": str(self.stdout),
            "stderr": str(self.stderr),
            "seconds": timeout,
        }
        print(json.dumps(request), file=self.process.stdin, flush=True)
        code = int(self.process.stdout.readline())
        if code == -signal.SIGALRM:
            raise subprocess.TimeoutExpired(["snakemake", *arguments], timeout)
        return subprocess.CompletedProcess(
            ["snakemake", *arguments], code, self.stdout.read_text(), self.stderr.read_text()
        )

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()
