"""A backend's health: how long it is left alone after failures (exponential back-off), and when an answer is late."""

from __future__ import annotations

from collections import deque

from tabby_ls.backends.backend import BackendError
from tabby_ls.engine.median import median
from tabby_ls.engine.outcome import Failing

#: Seconds of rest after the first failure in a row, and at most; each further one doubles it: a server that was
#: restarted is asked again soon, and one that is gone seldom.
_FIRST_REST, _LONGEST_REST = 1.0, 30.0
#: An answer is late after so many times the usual time to the first text, and never before so many seconds: it
#: may just have had a longer prompt to read, and another backend has to read it from its beginning.
_LATE, _LEAST_PATIENCE = 4.0, 1.0
#: How many of these times are remembered, and from how many on their median is what is usual.
_TIMES, _ENOUGH = 32, 5


class Health:
    """The recent failures of one backend, and how long its answers take."""

    def __init__(self) -> None:
        self._failures = 0
        self._rests_until = 0.0
        self._times: deque[float] = deque(maxlen=_TIMES)
        self._failing_since = 0.0
        self.error: BackendError | None = None
        #: Somebody finds out whether it is well again, so that no request has to.
        self.is_being_tried = False

    def failed(self, error: BackendError, now: float) -> None:
        """Take note of a failure at `now`, in seconds of a monotonic clock."""
        self.error = error
        if not self._failures:
            self._failing_since = now
        self._rests_until = now + min(_LONGEST_REST, _FIRST_REST * 2**self._failures)
        self._failures += 1

    def answered(self) -> None:
        """Take note of an answer: everything is well."""
        self._failures = 0
        self.recovered()

    def recovered(self) -> None:
        """It seems to be well again. If it is not, its next rest is longer than the last."""
        self._rests_until = 0.0
        self.error = None

    def rest(self, now: float) -> float:
        """Return for how many seconds it is still to be left alone."""
        return max(0.0, self._rests_until - now)

    def failing(self, now: float) -> Failing | None:
        """Return for how long it has failed and when it is asked again, None if it did not fail."""
        if not self._failures:
            return None
        return Failing(now - self._failing_since, self.rest(now))

    def is_resting(self, now: float) -> bool:
        """Return whether an automatic request should be spared."""
        return self.is_being_tried or now < self._rests_until

    def first_text(self, seconds: float) -> None:
        """Take note of the seconds from asking to the first text."""
        self._times.append(seconds)

    @property
    def patience(self) -> float | None:
        """Seconds after which an answer without text is late, by this backend's own measure; None until that is known."""
        return max(_LEAST_PATIENCE, _LATE * median(self._times)) if len(self._times) >= _ENOUGH else None
