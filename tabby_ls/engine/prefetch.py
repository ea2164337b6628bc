"""When to prefetch: to ask for what comes after a suggestion that is still on the screen.

Most suggestions are not taken, and what was asked for beyond them is thrown away. So it is asked once the user has typed
or accepted half of one: who has come that far mostly takes the rest, and then would have asked just that.
"""

from __future__ import annotations

from tabby_ls.engine.anchor import Anchor, rest_of, typed_since
from tabby_ls.engine.snapshot import Snapshot, Suggestion, accepted


class Follower:
    """Sees how far the user has followed the suggestion on the screen."""

    def __init__(self) -> None:
        self._then: Snapshot | None = None
        #: Where the suggestion was first shown, and all of it.
        self._place: Anchor | None = None
        self._text = ""

    def shown(self, now: Snapshot, suggestion: Suggestion) -> Snapshot | None:
        """Take note of what is shown; return the state after it is accepted, if that is worth to be asked about.

        It is not where something stays behind the cursor: some editors leave the cursor before that, some behind it.
        """
        then = accepted(now, suggestion)
        is_same = self._then is not None and self._then.uri == then.uri and self._then.prefix == then.prefix
        if not is_same:
            self._place, self._text = Anchor.of(now), suggestion.text
        self._then = then
        is_followed = len(suggestion.text) <= len(self._text) / 2
        return then if is_followed and not suggestion.replaces else None

    def is_followed(self, now: Snapshot) -> bool:
        """Return whether the user has typed some of the suggestion, and not yet all of it."""
        if self._place is None or (typed := typed_since(self._place, now)) is None:
            return False
        return bool(rest_of(self._text, typed, self._place, finished=True))
