"""Get a public data set at a pinned commit, and accept it only by its checksums."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from lah10.config.training import Source
from lah10.errors import UserError
from lah10.io.files import atomic_folder, sha256


def read_manifest(path: str | os.PathLike) -> dict[str, str]:
    """{file: SHA-256} from lines of `sha256sum`.

    Raises
    ------
    UserError
        The manifest is absent, empty, or a line is none of sha256sum's.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    files = {}
    for number, line in enumerate(lines, start=1):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or Path(name).is_absolute() or ".." in Path(name).parts:
            raise UserError(
                f"{path}: line {number}: expected '<SHA-256>  <file>', got {line[:40]!r}"
            )
        files[name] = digest
    if not files:
        raise UserError(f"{path}: expected lines as sha256sum prints them, got none")
    return files


def verify(folder: str | os.PathLike, manifest: dict[str, str]) -> None:
    """Raise UserError for the first file of the manifest that is absent or has another content."""
    for name, digest in manifest.items():
        file = Path(folder, name)
        if not file.is_file():
            raise UserError(f"{file}: missing; is {folder} the right folder, and complete?")
        if sha256(file) != digest:
            raise UserError(
                f"{file}: its content is not the published one (SHA-256 differs); "
                "delete it and get it again"
            )


def fetch(
    source: Source,
    manifest: str | os.PathLike,
    destination: str | os.PathLike,
    local: str | os.PathLike | None = None,
) -> None:
    """Put the manifest's files of a source into `destination`, whole and verified or not at all.

    Parameters
    ----------
    local : path, optional
        A copy of the source's folder to take them from, in place of the network.

    Raises
    ------
    UserError
        git is absent, the repository cannot be reached, or a file differs.
    """
    files = read_manifest(manifest)
    destination = Path(destination)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=f".{destination.name}.", suffix=".part", dir=destination.parent
    ) as scratch:
        folder = Path(local) if local else _clone(source, Path(scratch, "clone"))
        verify(folder, files)
        with atomic_folder(destination) as aside:
            for name in files:
                target = aside / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / name, target)


def _clone(source: Source, clone: Path) -> Path:
    """The source's folder at its commit; only that folder's files are transferred."""
    advice = (
        f"on a machine with network: git clone {source.repository} && git -C "
        f"{Path(source.repository).stem} checkout {source.commit}; bring its folder "
        f"{source.folder} here and name it in config/training.yaml under `data`"
    )
    if shutil.which("git") is None:
        raise UserError(f"git is not installed; install it, or {advice}")
    steps = (
        # git cannot fetch an abbreviated commit alone, so all commits come, but no files.
        ["clone", "--quiet", "--filter=blob:none", "--no-checkout", source.repository, str(clone)],
        ["-C", str(clone), "sparse-checkout", "set", "--no-cone", f"/{source.folder}/"],
        ["-C", str(clone), "checkout", "--quiet", "--detach", source.commit],
    )
    for arguments in steps:
        run = subprocess.run(
            ["git", *arguments],
            env=os.environ | {"GIT_TERMINAL_PROMPT": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode != 0:
            reason = (run.stderr.strip().splitlines() or ["no message"])[-1]
            raise UserError(
                f"{source.repository} at {source.commit} cannot be fetched ({reason}); {advice}"
            )
    return clone / source.folder
