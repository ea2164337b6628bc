"""Where the log goes. What is logged elsewhere names methods, errors and times: never code, prompts or keys."""

from __future__ import annotations

import logging
import os
import sys
from io import TextIOWrapper
from pathlib import Path

from tabby_ls.own_files import open_to_append
from tabby_ls.settings import LogSettings

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _PrivateFile(logging.FileHandler):
    """A log for the user alone."""

    def _open(self) -> TextIOWrapper:
        return os.fdopen(open_to_append(Path(self.baseFilename)), "a", encoding=self.encoding)


def configure_logging(settings: LogSettings) -> str | None:
    """Put the user's wishes in force; return why a log file cannot be written, None if all is well.

    Standard output belongs to the protocol, so the log goes to a file or to standard error.
    """
    # A full disk is no reason to print a traceback, with arguments, for every line of the log.
    logging.raiseExceptions = False
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    problem = None
    if settings.file:
        try:
            handler = _PrivateFile(Path(settings.file).expanduser(), encoding="utf-8", delay=False)
        except OSError as error:
            problem = f"log.file cannot be written, so the log goes to standard error: {error.strerror}"
    handler.setFormatter(logging.Formatter(_FORMAT))
    ours = logging.getLogger("tabby_ls")
    for former in ours.handlers[:]:
        ours.removeHandler(former)
        former.close()
    ours.addHandler(handler)
    ours.propagate = False
    ours.setLevel(settings.level.upper())
    return problem
