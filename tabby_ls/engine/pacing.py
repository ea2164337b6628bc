"""How long to wait before asking: a little longer than the user's own pause between two keys."""

from __future__ import annotations

from collections import deque
from statistics import median

#: Longest pause in seconds between two keys that still counts as one stretch of typing.
_STRETCH = 0.6
#: Seconds. Between these bounds the wait follows the user; before enough is known it is the last of them.
_SHORTEST, _LONGEST, _UNKNOWN = 0.03, 0.15, 0.075
#: How far beyond the usual pause: a wait just below it starts a request at every key and aborts it at the next.
_MARGIN = 1.2
_SAMPLES = 32
_ENOUGH = 4


class Pacer:
    """Learns the rhythm of one user's typing."""

    def __init__(self) -> None:
        self._pauses: deque[float] = deque(maxlen=_SAMPLES)
        self._last_key: float | None = None

    def key(self, now: float) -> None:
        """Take note of a keystroke at `now`, in seconds of a monotonic clock."""
        if self._last_key is not None and 0 < now - self._last_key <= _STRETCH:
            self._pauses.append(now - self._last_key)
        self._last_key = now

    def delay(self, fixed_ms: int | None) -> float:
        """Return the seconds to wait before an automatic request; `fixed_ms` is the user's own choice."""
        if fixed_ms is not None:
            return fixed_ms / 1000
        if len(self._pauses) < _ENOUGH:
            return _UNKNOWN
        return min(_LONGEST, max(_SHORTEST, _MARGIN * median(self._pauses)))
