"""Outcomes, one for each request: what became of it, and why. With them the other events that an engine tells of."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen

from tabby_ls.backends.backend import BackendError
from tabby_ls.engine.snapshot import Snapshot, Suggestion


class Reason(StrEnum):
    """Why a request was, or was not, answered with a suggestion."""

    SHOWN = "shown"
    # The gate refused: by a setting, or by a switch that the user turned while working.
    DISABLED = "disabled"
    SWITCHED_OFF = "switched_off"
    LANGUAGE_DISABLED = "language_disabled"
    LANGUAGE_SWITCHED_OFF = "language_switched_off"
    FILE_SWITCHED_OFF = "file_switched_off"
    FILE_EXCLUDED = "file_excluded"
    PRIVATE_FILE = "private_file"
    #: By a .tabbyignore; or by a .gitignore, and the local model, which may, had nothing to say.
    FILE_IGNORED = "file_ignored"
    MANUAL_ONLY = "manual_only"
    # Nothing came of it.
    NOTHING_TO_SAY = "nothing_to_say"
    ALREADY_THERE = "already_there"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    TOO_LATE = "too_late"
    # The backend failed; `detail` tells how.
    BACKEND_FAILED = "backend_failed"
    BACKEND_RESTING = "backend_resting"
    #: The settings give no backend requests of this kind, or in this language.
    NO_BACKEND = "no_backend"


class Origin(StrEnum):
    """Where a suggestion came from."""

    MEMORY = "memory"
    #: From a generation that an earlier request had started, or a prefetch.
    RUNNING = "running"
    #: From the generation that this request started.
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
class Generated:
    """What one backend was asked for and wrote, for one request or for several that shared it.

    `characters` and `pieces` count what arrived, used or not; `tokens` only where the server told. `seconds` are
    from asking to the end, `first_text` to the first piece. `rule` says in a few words why no more was read, ""
    if the model ended by itself or the answer was abandoned.
    """

    backend: str
    model: str
    language: str
    max_tokens: int
    characters: int = 0
    pieces: int = 0
    tokens: int | None = None
    first_text: float | None = None
    seconds: float = 0.0
    failed: bool = False
    rule: str = ""


@frozen
class Failing:
    """A backend that does not answer: for how many seconds, and in how many it is asked again unless by key."""

    since: float
    asked_again: float


@frozen
class Outcome:
    """The end of one request. `complete` is False if more text was to come when time ran out."""

    reason: Reason
    suggestion: Suggestion | None = None
    origin: Origin | None = None
    complete: bool = True
    #: The kind of backend that answered, as in the settings, "" if none did; and its description, for people.
    backend: str = ""
    who: str = ""
    detail: str = ""
    #: Other suggestions for the same place, the better ones first; none is the same as another one.
    alternatives: tuple[Suggestion, ...] = ()
    timings: Timings = field(factory=Timings)
    #: Counts the session's requests, from 1.
    number: int = 0
    #: What was asked about, and whether by key.
    snapshot: Snapshot | None = None
    invoked: bool = False
    generated: Generated | None = None
    failing: Failing | None = None

    @property
    def is_refusal(self) -> bool:
        """True if the gate refused, so that no backend was thought of."""
        return self.reason in _REFUSALS

    @property
    def is_superseded(self) -> bool:
        """True if a newer request for the document is on its way, which will bring the answer."""
        return self.reason is Reason.SUPERSEDED


@frozen
class Prepared:
    """A backend has told what it serves, before it was asked for anything."""

    backend: str


@frozen
class Standing:
    """Who answers at present, in words for people, and what is wrong with the first choice.

    `is_stand_in` if another one answers in its place.
    """

    backend: str
    error: BackendError | None = None
    is_stand_in: bool = False


_REFUSALS = frozenset(
    {
        Reason.DISABLED,
        Reason.SWITCHED_OFF,
        Reason.LANGUAGE_DISABLED,
        Reason.LANGUAGE_SWITCHED_OFF,
        Reason.FILE_SWITCHED_OFF,
        Reason.FILE_EXCLUDED,
        Reason.PRIVATE_FILE,
        Reason.FILE_IGNORED,
        Reason.MANUAL_ONLY,
    }
)

#: What an engine tells of while it works.
Event: TypeAlias = Outcome | BackendError | Prepared | Generated
