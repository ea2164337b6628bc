"""The counts of one server: kept while it runs, and added to the stored ones now and then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from tabby_ls.engine.outcome import Generated, Origin, Outcome, Reason
from tabby_ls.journal.counters import Counters
from tabby_ls.journal.store import Store, Stored, StoreError
from tabby_ls.languages import language_named

logger = logging.getLogger(__name__)

#: Seconds between two additions to the stored counts: nothing depends on them.
_REST = 300.0


class Ledger:
    """Counts, in memory; the file is only touched in threads. Belongs to one event loop."""

    def __init__(self, store: Store, warn: Callable[[str], None]) -> None:
        """`warn` is told of a file that had to be begun anew."""
        self._store = store
        self._warn = warn
        self._session = Counters()
        self._unsaved = Counters()
        self._saving: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        #: Whether the user wants anything to be counted.
        self.is_on = True

    def counters(self) -> Counters:
        """Return what to count in; not to be kept."""
        if not self.is_on:
            return Counters()
        if self._saving is None:
            self._saving = asyncio.create_task(self._save_later())
        return self._unsaved

    def ended(self, outcome: Outcome) -> None:
        """Count a request of the editor."""
        language = language_named(outcome.snapshot.language).id if outcome.snapshot else ""
        counts = self.counters().of(outcome.backend, language)
        counts.requests += 1
        if outcome.reason is Reason.SHOWN:
            counts.from_memory += outcome.origin is Origin.MEMORY
            if outcome.timings.answered is not None:
                counts.answer_ms.add(outcome.timings.answered * 1000)

    def generated(self, generated: Generated) -> None:
        """Count what a backend did."""
        counts = self.counters().of(generated.backend, language_named(generated.language).id)
        counts.backend_requests += 1
        counts.backend_failures += generated.failed
        counts.characters_generated += generated.characters
        counts.tokens += generated.tokens or 0
        if generated.first_text is not None:
            counts.first_text_ms.add(generated.first_text * 1000)

    async def totals(self) -> tuple[Stored, Counters]:
        """Return what is stored and not yet stored, and of it what is this session's. Raises StoreError."""
        async with self._lock:
            stored, _ = await asyncio.to_thread(self._store.load)
            session = Counters()
            session.merge(self._session)
            session.merge(self._unsaved)
            stored.counters.merge(self._unsaved)
            return stored, session

    async def close(self) -> None:
        """Store what was counted."""
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.wait([self._saving])
            await self._save()

    async def _save_later(self) -> None:
        await asyncio.sleep(_REST)
        self._saving = None
        await asyncio.shield(self._save())

    async def _save(self) -> None:
        async with self._lock:
            counted, self._unsaved = self._unsaved, Counters()
            try:
                wrong = await asyncio.to_thread(self._store.add, counted)
            except StoreError as error:
                logger.warning("%s", error)
                counted.merge(self._unsaved)
                self._unsaved = counted  # for the next time
            else:
                self._session.merge(counted)
                if wrong:
                    self._warn(wrong)
