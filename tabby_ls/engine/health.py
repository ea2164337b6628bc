"""When to leave a failing backend alone, so that it neither blocks typing nor is asked at every key."""

from __future__ import annotations

from tabby_ls.backends.backend import BackendError

#: Seconds of rest after the first failure in a row, and at most.
_FIRST_REST, _LONGEST_REST = 1.0, 30.0


class Health:
    """The recent failures of one backend."""

    def __init__(self) -> None:
        self._failures = 0
        self._rests_until = 0.0
        self.error: BackendError | None = None

    def failed(self, error: BackendError, now: float) -> None:
        """Take note of a failure at `now`, in seconds of a monotonic clock."""
        self.error = error
        self._rests_until = now + min(_LONGEST_REST, _FIRST_REST * 2**self._failures)
        self._failures += 1

    def answered(self) -> None:
        """Take note of an answer: everything is well."""
        self._failures = 0
        self._rests_until = 0.0
        self.error = None

    def is_resting(self, now: float) -> bool:
        """Return whether an automatic request should be spared."""
        return now < self._rests_until
