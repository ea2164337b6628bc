"""The suggestions that were handed to the client, so that what becomes of them can be counted."""

from __future__ import annotations

from attrs import define
from cachetools import LRUCache

from tabby_ls.engine.outcome import Outcome
from tabby_ls.engine.snapshot import Suggestion
from tabby_ls.journal.counters import Counters

#: How many are remembered: only the last few can still be on a screen.
_KEPT = 128


@define
class Offer:
    """One suggestion, and how many of its characters the user has kept."""

    suggestion: Suggestion
    kept: int = 0
    is_accepted: bool = False

    @property
    def added(self) -> str:
        """The text that it adds to the document."""
        return self.suggestion.text[: len(self.suggestion.text) - self.suggestion.replaces]


class Offers:
    """The latest offers, by the id that their items carry."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._offers: LRUCache[str, Offer] = LRUCache(_KEPT)

    def made(self, outcome: Outcome) -> str:
        """Take note of a suggestion that is handed out; return its id."""
        assert outcome.suggestion is not None
        offer_id = str(outcome.number)
        self._offers[offer_id] = Offer(outcome.suggestion)
        self._counters.shown += 1
        return offer_id

    def accepted(self, offer_id: str) -> None:
        """The user took it whole."""
        offer = self._offers.get(offer_id)
        if offer is not None and not offer.is_accepted:
            offer.is_accepted = True
            self._counters.accepted += 1
            self._keep(offer, len(offer.added))

    def partially_accepted(self, offer_id: str, units: int) -> None:
        """The user took it up to so many UTF-16 units."""
        offer = self._offers.get(offer_id)
        if offer is not None and not offer.is_accepted:
            if not offer.kept:
                self._counters.partially_accepted += 1
            self._keep(offer, len(_first_units(offer.added, units)))

    def _keep(self, offer: Offer, characters: int) -> None:
        self._counters.characters_kept += max(0, characters - offer.kept)
        offer.kept = max(characters, offer.kept)


def _first_units(text: str, units: int) -> str:
    """Return the first `units` UTF-16 code units of a text; a pair that is cut is left out."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore")
