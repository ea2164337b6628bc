"""Adaptive debounce: how long an automatic request waits, by the user's typing rhythm and the backend's latency.

Asking at every key wastes nearly every answer, and on a server that cannot break off reading a prompt it delays the one
that is wanted. A fixed wait is too long for everybody who pauses, and one just below the pause between two keys starts a
request at every key and breaks it off at the next. So each request waits to the first moment at which what it may gain
outweighs what it may cost. Seconds, all of them:

    a request is of use     if the user rests until its answer was there for `_READ`, or types what it says
    of use, it gains        `_GAIN`: about as much earlier is the answer than had one waited to be certain
    in vain, it costs       `_PRICE` for its tokens, and the time to its first token: so long the server reads on

How probable it is that the user rests follows from pauses seen before: of those that were as long as the present one
already, the share that went on to be long enough. Pauses are kept apart by what was typed before them, because people rest
after a line, seldom within a word and hardly ever between two deletions. How probable it is that the user types what an
answer says is the share of the last answers of which that was so, the newest counting most.

Nothing is known of a user in the beginning. Each history therefore begins as that of a typical typist, and the user's own
pauses take its place one by one.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

from tabby_ls.engine.median import median

#: Seconds, as explained above.
_READ, _GAIN, _PRICE = 0.2, 0.25, 0.15
#: Seconds: no pause counts for more than `_REST`, and no request waits longer than `_LONGEST`. Two changes within
#: `_NOISE` are one keystroke.
_REST, _LONGEST, _NOISE = 2.0, 0.6, 0.01
#: How many pauses of each kind, and how many answers' times, are remembered.
_PAUSES, _ANSWERS = 32, 16
#: The weight of the last answer in the share of those that users type along, that share in the beginning, and what it
#: counts at most: who types along now may not at the next word.
_WEIGHT, _AGREED, _MOST_AGREED = 0.4, 1 / 3, 0.5
#: Seconds to the first token, and to a suggestion, that are assumed of a backend that was not asked yet.
_UNKNOWN = 0.2


class Key(Enum):
    """What was typed last."""

    WORD = auto()
    OTHER = auto()
    #: A line end, with the indentation after it.
    LINE = auto()
    #: A suggestion that was accepted, a word from a menu, a paste.
    TEXT = auto()
    DELETION = auto()
    #: Nothing: the cursor moved.
    MOVE = auto()

    @classmethod
    def of(cls, text: str) -> Key:
        """Return which kind of key inserted `text`, "" if it deleted some."""
        if not text:
            return cls.DELETION
        if not text.strip():
            return cls.LINE if "\n" in text else cls.OTHER
        if len(text) > 2:  # two: an opening bracket, and the closing one that editors add
            return cls.TEXT
        return cls.WORD if text[-1].isalnum() or text[-1] == "_" else cls.OTHER


_QUICK = (0.07, 0.09, 0.11, 0.13, 0.16, 0.2)
#: The pauses of a typical typist after each kind of key.
_TYPICAL = {
    Key.WORD: (*_QUICK, *_QUICK, 0.3, 1.0),
    Key.OTHER: (*_QUICK, 0.35, 0.8, 1.5),
    Key.LINE: (*_QUICK[3:], 0.5, 0.9, 1.4, _REST),
    Key.TEXT: (0.3, 0.6, 0.9, 1.4, _REST, _REST),
    Key.DELETION: (*_QUICK, *_QUICK, 0.3, 0.6),
    Key.MOVE: (0.05, 0.06, *_QUICK, 0.4, 1.0, _REST, _REST),
}


class Speed:
    """How fast a backend is, and how often it says what the user then types."""

    def __init__(self) -> None:
        self._first_tokens: deque[float] = deque(maxlen=_ANSWERS)
        self._suggestions: deque[float] = deque(maxlen=_ANSWERS)
        self._agreed = _AGREED

    def first_token(self, seconds: float) -> None:
        """Take note of the time from asking to the first token: so long is the server lost for others."""
        self._first_tokens.append(seconds)

    def suggestion(self, seconds: float) -> None:
        """Take note of the time from asking to the first suggestion."""
        self._suggestions.append(seconds)

    def answer(self, *, agreed: bool) -> None:
        """Take note of whether the user, who typed on after asking, typed what the answer says."""
        self._agreed += _WEIGHT * (agreed - self._agreed)

    @property
    def seconds_to_first_token(self) -> float:
        """The usual time from asking to the first token."""
        return median(self._first_tokens or (_UNKNOWN,))

    @property
    def seconds_to_suggestion(self) -> float:
        """The usual time from asking to the first suggestion."""
        return median(self._suggestions or (_UNKNOWN,))

    @property
    def agreement(self) -> float:
        """How probable it is that the user types what an answer says."""
        return min(self._agreed, _MOST_AGREED)


class Pacer:
    """Learns the rhythm of one user's typing."""

    def __init__(self) -> None:
        self._pauses = {key: deque(typical, maxlen=_PAUSES) for key, typical in _TYPICAL.items()}
        self._last: tuple[float, Key] | None = None

    def key(self, now: float, key: Key) -> None:
        """Take note of a keystroke at `now`, in seconds of a monotonic clock."""
        if self._last is not None:
            at, before = self._last
            pause = now - at
            if pause >= _NOISE:
                self._pauses[before].append(min(pause, _REST))
            elif before is Key.LINE:
                key = before  # the editor has indented the new line
        self._last = now, key

    def delay(self, now: float, speed: Speed, fixed_ms: int | None) -> float:
        """Return the seconds to wait at `now` before an automatic request; `fixed_ms` is the user's own choice."""
        at, key = self._last or (now, Key.MOVE)
        waited = max(0.0, now - at)
        if fixed_ms is not None:
            return max(0.0, fixed_ms / 1000 - waited)
        pauses = self._pauses[key]
        moments = sorted(
            {waited, *(pause + _NOISE for pause in pauses if waited < pause + _NOISE <= _LONGEST)}
        )
        for moment in moments:
            if _is_worth_it(moment, pauses, speed):
                return moment - waited
        return max(0.0, _LONGEST - waited)


def _is_worth_it(waited: float, pauses: deque[float], speed: Speed) -> bool:
    """Return whether to ask after having `waited` so long since the last key."""
    reached = [pause for pause in pauses if pause >= waited]
    long_enough = min(_REST, waited + speed.seconds_to_suggestion + _READ)
    rests = sum(pause >= long_enough for pause in reached) / len(reached) if reached else 1.0
    of_use = rests + (1 - rests) * speed.agreement
    return of_use * _GAIN >= (1 - of_use) * (_PRICE + speed.seconds_to_first_token)
