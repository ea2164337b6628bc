"""Everything that is kept of a session's requests: the last ones, the trace, and the counts."""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import TYPE_CHECKING

from tabby_ls.engine.outcome import Generated, Outcome
from tabby_ls.journal.journal import Journal
from tabby_ls.journal.ledger import Ledger
from tabby_ls.journal.offers import Offers
from tabby_ls.journal.record import record_of
from tabby_ls.journal.store import Store, StoreError, state_folder
from tabby_ls.journal.table import brief
from tabby_ls.settings import Settings, TraceSettings

if TYPE_CHECKING:
    from tabby_ls.journal.trace import Trace


class Keeper:
    """Passes what happens to requests and suggestions on to the journal, the trace and the counts.

    Belongs to one event loop.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        """`warn` is told what the user should know of the files it writes."""
        self._warn = warn
        self._trace: Trace | None = None
        self._trace_settings = TraceSettings()
        self._ledger = Ledger(Store(state_folder()), warn)
        self.journal = Journal()
        self.offers = Offers(self._ledger.counters)

    async def configure(self, settings: Settings) -> None:
        """Keep what the settings want to be kept."""
        self._ledger.is_on = settings.stats
        if settings.trace == self._trace_settings:
            return
        if self._trace is not None:
            await self._trace.close()
        self._trace, self._trace_settings = None, settings.trace
        if settings.trace.file:
            from tabby_ls.journal.trace import Trace

            self._trace = Trace(settings.trace, self._warn)

    def ended(self, outcome: Outcome) -> None:
        """Take note of a request's end."""
        record = record_of(outcome, time())
        self.journal.take(record)
        self._ledger.ended(outcome)
        if self._trace is not None:
            self._trace.take(record, outcome)

    def generated(self, generated: Generated) -> None:
        """Take note of what a backend did."""
        self._ledger.generated(generated)

    async def stats(self) -> str:
        """Return what was counted, in words."""
        if not self._ledger.is_on:
            return "Nothing is counted: the setting `stats` is false."
        try:
            stored, session = await self._ledger.totals()
        except StoreError as error:
            return f"The counts cannot be shown: {error}."
        return brief(session, stored.counters, stored.since)

    async def close(self) -> None:
        """Write what is not written yet."""
        if self._trace is not None:
            await self._trace.close()
        await self._ledger.close()
