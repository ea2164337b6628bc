"""What became of a request, and why: every request ends in exactly one outcome."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen

from tabby_ls.engine.snapshot import Suggestion


class Reason(StrEnum):
    """Why a request was, or was not, answered with a suggestion."""

    SHOWN = "shown"
    # The gate refused.
    DISABLED = "disabled"
    MANUAL_ONLY = "manual_only"
    LANGUAGE_DISABLED = "language_disabled"
    FILE_EXCLUDED = "file_excluded"
    PRIVATE_FILE = "private_file"
    # Nothing came of it.
    NOTHING_TO_SAY = "nothing_to_say"
    ALREADY_THERE = "already_there"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    TOO_LATE = "too_late"
    # The backend failed; `detail` tells how.
    BACKEND_FAILED = "backend_failed"
    BACKEND_RESTING = "backend_resting"


class Origin(StrEnum):
    """Where a suggestion came from."""

    MEMORY = "memory"
    RUNNING = "running"
    ASKED = "asked"


@frozen
class Timings:
    """Seconds since the request arrived, None for steps it did not reach.

    Negative for what was done before: for a request that joined a running generation.
    """

    asked: float | None = None
    first_text: float | None = None
    answered: float | None = None


@frozen
class Outcome:
    """The end of one request. `complete` is False if more text was to come when time ran out."""

    reason: Reason
    suggestion: Suggestion | None = None
    origin: Origin | None = None
    complete: bool = True
    #: The kind of backend that answered, "" if none did.
    backend: str = ""
    detail: str = ""
    timings: Timings = field(factory=Timings)

    @property
    def superseded(self) -> bool:
        """True if a newer request for the document is on its way, which will bring the answer."""
        return self.reason is Reason.SUPERSEDED
