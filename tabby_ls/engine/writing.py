"""Counts of what a backend has written of one answer, used or not, kept while it arrives."""

from __future__ import annotations

from attrs import define


@define
class Writing:
    """What of :class:`tabby_ls.engine.outcome.Generated` is counted piece by piece.

    `tokens` is None unless the server told. `rule` says why no more was read, as in "until `rule`"; "" while that is
    open or if the model ended.
    """

    max_tokens: int = 0
    pieces: int = 0
    characters: int = 0
    tokens: int | None = None
    rule: str = ""

    def take(self, piece: str) -> None:
        """Count a piece."""
        self.pieces += 1
        self.characters += len(piece)
