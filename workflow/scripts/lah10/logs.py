"""The log of a job: everything it says, and whatever ends it."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from lah10.errors import UserError


@contextlib.contextmanager
def job_log(path: str | os.PathLike) -> Iterator[logging.Logger]:
    """Append log records, warnings and any uncaught error to `path`.

    A `UserError` is one line there and on the terminal; any other error is a traceback in the log
    and one line that names the log on the terminal. Both end the process with status 1.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    logger = logging.getLogger("lah10")
    try:
        yield logger
    except UserError as error:
        logger.error("%s", error)
        sys.exit(str(error))
    except Exception as error:
        logger.exception("uncaught error")
        sys.exit(f"{type(error).__name__}: {error} (traceback in {path})")
    finally:
        logging.captureWarnings(False)
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()
