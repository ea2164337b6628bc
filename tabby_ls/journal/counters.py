"""What is counted of suggestions, in this process."""

from __future__ import annotations

from attrs import define


@define
class Counters:
    """Counts since the session began."""

    requests: int = 0
    shown: int = 0
    accepted: int = 0
    partially_accepted: int = 0
    characters_kept: int = 0

    def table(self) -> str:
        """Return the counts as lines of a name and a number."""
        rows = {
            "requests": self.requests,
            "suggestions shown": self.shown,
            "accepted": self.accepted,
            "partially accepted": self.partially_accepted,
            "characters kept": self.characters_kept,
        }
        return "\n".join(f"{name:<20}{number:>8}" for name, number in rows.items())
