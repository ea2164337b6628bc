"""The one path a request takes, from a snapshot to an outcome. It reads like the list in docs/architecture.md."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic

from attrs import define, evolve, frozen

from tabby_ls.backends.backend import BackendError
from tabby_ls.context.privacy import FileRules, Rule
from tabby_ls.engine.fallback import Chain
from tabby_ls.engine.gate import refuse
from tabby_ls.engine.inflight import Edit, Generation
from tabby_ls.engine.memory import Memory
from tabby_ls.engine.outcome import Event, Origin, Outcome, Prepared, Reason, Standing, Timings
from tabby_ls.engine.pacing import Pacer
from tabby_ls.engine.reading import read_answer
from tabby_ls.engine.shaping.mode import choose_mode
from tabby_ls.engine.shaping.shape import shape
from tabby_ls.engine.shaping.tidy import drop_half_end
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.engine.switches import Scope, Switches
from tabby_ls.engine.target import Target
from tabby_ls.languages import Language, language_named
from tabby_ls.settings import Settings

#: Seconds a generation outlives the request that started it, when the document moved on in agreement:
#: editors cancel the old request before they send the one that will join.
_GRACE = 0.5
_STAYS = "a .gitignore excludes the file, so it is not sent to a server; only the local model completes in it"


@frozen
class Request:
    """One question: what comes at this cursor? `deadline` is in seconds from now."""

    snapshot: Snapshot
    invoked: bool
    deadline: float


@define(eq=False)
class _Pending:
    """A request that waits."""

    snapshot: Snapshot
    waiter: asyncio.Future[None]
    superseded: bool = False


class Engine:
    """Answers requests for any number of documents; belongs to one event loop."""

    def __init__(
        self,
        settings: Settings,
        targets: Sequence[Target],
        watch: Callable[[Event], None],
        rules: FileRules | None = None,
    ) -> None:
        """Ask the first of `targets` that is well. `watch` is told of every outcome, and of every failure.

        `rules` say which files are left alone; without them the setting `exclude` does.
        """
        self._watch = watch
        self._chain = Chain((), watch)
        self._settings = settings
        self._requests = 0
        self._switches = Switches()
        self._memory = Memory()
        self._pacer = Pacer()
        self._generations: dict[str, Generation] = {}
        self._pending: list[_Pending] = []
        self._warming: asyncio.Task[None] | None = None
        #: All that run, so that they are not collected, and are waited for in the end.
        self._tasks: set[asyncio.Task[None]] = set()
        self.configure(settings, targets, rules)

    def configure(
        self, settings: Settings, targets: Sequence[Target], rules: FileRules | None = None
    ) -> None:
        """Put new settings in force. What is running ends; what is remembered no longer counts."""
        for uri in list(self._generations):
            self._abandon(uri)
        self._switches.settings_changed(self._settings, settings)
        self._settings = settings
        self._targets = targets
        self._chain.end()
        self._chain = Chain(targets, self._watch)
        self._rules = rules or FileRules(settings.exclude)
        self._memory = Memory()
        if self._warming is not None:
            self.warm_up()

    async def suggest(self, request: Request) -> Outcome:
        """Return what to offer for `request`. Never raises, but for cancellation."""
        arrived = monotonic()
        self._requests += 1
        number = self._requests
        outcome = Outcome(Reason.CANCELLED)
        try:
            outcome = await self._suggest(request, arrived)
        finally:
            outcome = evolve(
                outcome,
                timings=evolve(outcome.timings, answered=monotonic() - arrived),
                number=number,
                snapshot=request.snapshot,
                invoked=request.invoked,
            )
            self._watch(outcome)
        return outcome

    async def _suggest(self, request: Request, arrived: float) -> Outcome:
        now = request.snapshot
        language = language_named(now.language)
        if reason := self.refusal(now.uri, now.language, invoked=request.invoked):
            return Outcome(reason)
        self._supersede(now)
        failed = dict(stays := self._not_to_be_asked(now.uri))
        while True:
            generation = self._joinable(request)
            if (remembered := self._recall(request)) is not None:
                return remembered
            origin = Origin.RUNNING
            if generation is None:
                target = self._choose(request, failed)
                if target is None:
                    return next(iter(failed.values()), self._resting(request))
                generation, origin = self._start(request, language, target), Origin.ASKED
            outcome = await self._outcome_of(generation, request, arrived, origin)
            if outcome is None:
                continue
            if outcome.superseded and (
                reason := self.refusal(now.uri, now.language, invoked=request.invoked)
            ):
                return Outcome(reason)  # switched off meanwhile: no newer request brings an answer
            if outcome.reason is not Reason.BACKEND_FAILED:
                return evolve(outcome, detail=_STAYS) if stays and not outcome.suggestion else outcome
            failed[id(generation.target)] = outcome

    def _not_to_be_asked(self, uri: str) -> dict[int, Outcome]:
        """Return the targets that must not see a document, with what to say of it: of an ignored one all but `local`."""
        if self._rules.rule_for(uri) is not Rule.GITIGNORE:
            return {}
        ignored = Outcome(Reason.FILE_IGNORED, detail=_STAYS)
        return {id(target): ignored for target in self._targets if target.backend.kind != "local"}

    def _recall(self, request: Request) -> Outcome | None:
        for target in self._meant_for(request):
            text = self._memory.recall(target.scope, request.snapshot, invoked=request.invoked)
            if text is not None:
                return self._offer(text, request.snapshot, Origin.MEMORY, target)
            if not target.health.is_resting(monotonic()):
                break  # what others said while it was down no longer counts
        return None

    def _choose(self, request: Request, failed: Container[int]) -> Target | None:
        """Return the first target to ask: none that failed this request, and unless invoked none that rests."""
        now = monotonic()
        return next(
            (
                target
                for target in self._meant_for(request)
                if id(target) not in failed and (request.invoked or not target.health.is_resting(now))
            ),
            None,
        )

    def _meant_for(self, request: Request) -> list[Target]:
        return self._chain.meant_for(request.snapshot.language, invoked=request.invoked)

    def _resting(self, request: Request) -> Outcome:
        if not (meant := self._meant_for(request)):
            return Outcome(Reason.NO_BACKEND)
        error = meant[0].health.error
        return Outcome(Reason.BACKEND_RESTING, detail=error.message if error else "")

    # What the user sees and turns

    def refusal(self, uri: str, language: str, *, invoked: bool) -> Reason | None:
        """Return why a request in this file would be refused, None if it would not."""
        return refuse(uri, language, self._settings, self._rules, self._switches, invoked=invoked)

    def is_on(self, scope: Scope, uri: str = "", language: str = "") -> bool:
        """Return whether suggestions are on for the session, a language or a file."""
        return self._switches.is_on(scope, uri, language, self._settings)

    def turn(self, scope: Scope, uri: str = "", language: str = "", *, on: bool) -> None:
        """Turn suggestions on or off; what runs and is no longer wanted ends at once."""
        self._switches.turn(scope, uri, language, on=on)
        for generation in list(self._generations.values()):
            origin = generation.origin
            if self.refusal(origin.uri, origin.language, invoked=generation.invoked):
                self._abandon(origin.uri)

    def standing(self) -> Standing:
        """Return who answers at present: the first that is well, or the first if none is."""
        first = self._targets[0]
        well = next((target for target in self._targets if target.health.error is None), first)
        return Standing(well.description, first.health.error, is_stand_in=well is not first)

    # What happens to documents

    def edited(self, uri: str, edits: list[Edit]) -> None:
        """Take note of a change of a document; a generation that it contradicts ends at once."""
        self._pacer.key(monotonic())
        generation = self._generations.get(uri)
        if generation is not None and not all(generation.survives(edit) for edit in edits):
            self._abandon(uri)

    def running_text(self, uri: str) -> str:
        """Return what a document's running generation has so far, "" if none runs. It may still change."""
        generation = self._generations.get(uri)
        return generation.text if generation is not None else ""

    def closed(self, uri: str) -> None:
        """Forget a document."""
        self._abandon(uri)
        self._memory.forget(uri)

    def warm_up(self) -> None:
        """Learn what the backend serves before the first request has to wait for it."""
        if self._warming is not None:
            self._warming.cancel()
        self._warming = self._keep(asyncio.create_task(self._warm_up(self._targets[0])))

    async def _warm_up(self, target: Target) -> None:
        try:
            await target.prepare()
        except BackendError as error:
            target.health.error = error
            self._watch(error)
            self._chain.failed(target)
        else:
            self._watch(Prepared(target.description))

    async def close(self) -> None:
        """End everything that runs, and wait until every connection is closed."""
        for uri in list(self._generations):
            self._abandon(uri)
        if self._warming is not None:
            self._warming.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._chain.close()

    # One generation a document

    def _joinable(self, request: Request) -> Generation | None:
        """Return the document's running generation if it may answer `request`; else end it."""
        generation = self._generations.get(request.snapshot.uri)
        if generation is None or self._can_join(generation, request):
            return generation
        self._abandon(request.snapshot.uri)
        return None

    def _can_join(self, generation: Generation, request: Request) -> bool:
        if request.invoked and not generation.invoked:
            return False
        if generation.asked_at is None:  # still pacing: nothing is lost by asking for the newer state
            return generation.origin == request.snapshot
        return generation.leads_to(request.snapshot)

    def _start(self, request: Request, language: Language, target: Target) -> Generation:
        now = request.snapshot
        mode = choose_mode(now, multiline=self._settings.multiline, invoked=request.invoked)
        generation = Generation(now, mode, request.invoked, target)
        self._generations[now.uri] = generation
        self._keep(generation.start(self._generate))
        return generation

    def _keep(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _abandon(self, uri: str) -> None:
        generation = self._generations.pop(uri, None)
        if generation is not None:
            generation.abandon()

    def _withdraw(self, generation: Generation, *, typing: bool) -> None:
        """The client cancelled its request. Unless the user is typing on, nobody will come back for it."""
        if typing:
            asyncio.get_running_loop().call_later(_GRACE, self._end_if_unwanted, generation)
        else:
            self._end_if_unwanted(generation)

    def _end_if_unwanted(self, generation: Generation) -> None:
        if not generation.is_awaited and self._generations.get(generation.origin.uri) is generation:
            self._abandon(generation.origin.uri)

    def _supersede(self, now: Snapshot) -> None:
        """Answer the requests for an earlier state of this document: a newer one is here."""
        for pending in self._pending:
            if pending.snapshot.uri == now.uri and pending.snapshot != now and not pending.waiter.done():
                pending.superseded = True
                pending.waiter.set_result(None)

    async def _generate(self, generation: Generation) -> None:
        """Pace, prepare, prompt, stream; remember what came of it."""
        target, memory = generation.target, self._memory
        try:
            if not (generation.invoked or target.backend.is_instant):
                await asyncio.sleep(self._pacer.delay(self._settings.debounce_ms))
            generation.asked_at = monotonic()
            await self._read(generation)
        except BackendError as error:
            if not generation.abandoned:
                generation.error = error
                target.forget()
                target.health.failed(error, monotonic())
                self._watch(error)
                self._chain.failed(target)
        else:
            target.health.answered()
            # An instant backend that had nothing to say is asked again: it learns meanwhile, and it is cheap.
            says_something = generation.text.strip() or not target.backend.is_instant
            if says_something and generation.agrees() and not generation.abandoned:
                memory.remember(target.scope, generation.origin, generation.text, invoked=generation.invoked)
        finally:
            if self._generations.get(generation.origin.uri) is generation:
                del self._generations[generation.origin.uri]

    async def _read(self, generation: Generation) -> None:
        target = generation.target
        while True:
            await target.prepare()
            snippets = await target.snippets(generation.origin)
            infill = target.infill(
                generation.origin, generation.mode, invoked=generation.invoked, snippets=snippets
            )
            try:
                async with self._chain.in_time(generation):
                    await read_answer(generation, target.backend, infill, target.family)
            except BackendError as error:
                if not target.adapt(error):
                    raise
            else:
                target.counted(infill, generation.prompt_tokens)
                return

    # From a generation to an outcome

    async def _outcome_of(
        self, generation: Generation, request: Request, arrived: float, origin: Origin
    ) -> Outcome | None:
        """Wait for `generation` and return what came of it; None if it has nothing for this request after all."""
        edits = generation.edits
        try:
            with self._waiting(generation, request) as pending, suppress(TimeoutError):
                async with asyncio.timeout(arrived + request.deadline - monotonic()):
                    await pending.waiter
        except asyncio.CancelledError:
            self._withdraw(generation, typing=generation.edits != edits)
            raise
        rest = generation.rest_for(request.snapshot) if generation.agrees() else None
        went_on = rest is None and generation.edits != edits
        if pending.superseded or generation.abandoned or went_on:
            return Outcome(Reason.SUPERSEDED)
        timings = Timings(
            asked=generation.asked_at and generation.asked_at - arrived,
            first_text=generation.first_text_at and generation.first_text_at - arrived,
        )
        if generation.error is not None:
            return Outcome(Reason.BACKEND_FAILED, detail=generation.error.message, timings=timings)
        if not generation.ended:
            rest = drop_half_end(rest or "")
            if not rest.strip():
                return Outcome(Reason.TOO_LATE, complete=False, timings=timings)
        elif rest is None or (not rest.strip() and request.snapshot != generation.origin):
            return None  # it said something else than the user typed meanwhile, or just that
        offer = self._offer(rest, request.snapshot, origin, generation.target)
        return evolve(offer, complete=generation.ended, timings=timings)

    @contextmanager
    def _waiting(self, generation: Generation, request: Request) -> Iterator[_Pending]:
        pending = _Pending(request.snapshot, generation.waiter())
        self._pending.append(pending)
        try:
            yield pending
        finally:
            self._pending.remove(pending)
            generation.leave(pending.waiter)

    def _offer(self, text: str, now: Snapshot, origin: Origin, target: Target) -> Outcome:
        suggestion, backend = shape(text, now), target.backend.kind
        if suggestion is None:
            reason = Reason.ALREADY_THERE if text.strip() else Reason.NOTHING_TO_SAY
            return Outcome(reason, origin=origin, backend=backend)
        return Outcome(Reason.SHOWN, suggestion, origin, backend=backend)
