"""The one path a request takes, from a snapshot to an outcome. It reads like the list in docs/architecture.md."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from time import monotonic

from attrs import evolve

from tabby_ls.backends.backend import BackendError, Infill, Trouble
from tabby_ls.context.privacy import FileRules, Rule
from tabby_ls.engine.alternatives import sampled_beside
from tabby_ls.engine.fallback import Chain
from tabby_ls.engine.gate import refuse
from tabby_ls.engine.habits import Habits
from tabby_ls.engine.inflight import Edit, Generation, Purpose
from tabby_ls.engine.memory import Answer, Memory
from tabby_ls.engine.outcome import Event, Origin, Outcome, Prepared, Reason, Standing, Timings
from tabby_ls.engine.prefetch import Follower
from tabby_ls.engine.reading import read_answer
from tabby_ls.engine.requests import Request, Waiting
from tabby_ls.engine.running import Running
from tabby_ls.engine.shaping.mode import choose_mode
from tabby_ls.engine.shaping.shape import shape
from tabby_ls.engine.shaping.tidy import drop_half_end
from tabby_ls.engine.snapshot import Snapshot, Suggestion
from tabby_ls.engine.switches import Scope, Switches
from tabby_ls.engine.target import Target
from tabby_ls.engine.warming import Warmer
from tabby_ls.settings import Settings

_STAYS = "a .gitignore excludes the file, so it is not sent to a server; only the local model completes in it"


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
        self._warmer = Warmer()
        self._settings = settings
        self._requests = 0
        self._switches = Switches()
        self._memory = Memory()
        self._habits = Habits()
        self._follower = Follower()
        self._running = Running(self._generate)
        self._waiting = Waiting()
        self._warming: asyncio.Task[None] | None = None
        self.configure(settings, targets, rules)

    def configure(
        self, settings: Settings, targets: Sequence[Target], rules: FileRules | None = None
    ) -> None:
        """Put new settings in force. What is running ends; what is remembered no longer counts."""
        for generation in list(self._running):
            self._running.end(generation)
        self._switches.settings_changed(self._settings, settings)
        self._settings = settings
        self._targets = targets
        self._chain.end()
        self._warmer.stop()
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
        if reason := self.refusal(now.uri, now.language, invoked=request.invoked):
            return Outcome(reason)
        self._habits.requested(now)
        self._waiting.supersede(now)
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
                generation, origin = self._start(request, target), Origin.ASKED
            outcome = await self._outcome_of(generation, request, arrived, origin)
            if outcome is None:
                continue
            outcome = _with_work(outcome, generation, arrived)
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
                return self._offer(text, request, Origin.MEMORY, target)
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
        health = meant[0].health
        detail = health.error.message if health.error else ""
        return Outcome(Reason.BACKEND_RESTING, detail=detail, failing=health.failing(monotonic()))

    # What the user sees and turns

    def refusal(self, uri: str, language: str, *, invoked: bool) -> Reason | None:
        """Return why a request in this file would be refused, None if it would not."""
        return refuse(uri, language, self._settings, self._rules, self._switches, invoked=invoked)

    def is_on(self, scope: Scope, uri: str = "", language: str = "") -> bool:
        """Return whether suggestions are on for the session, a language or a file."""
        return self._switches.is_on(scope, uri, language, self._settings)

    def turn(self, scope: Scope, uri: str = "", language: str = "", *, on: bool) -> None:
        """Turn suggestions on or off; what runs and is no longer wanted ends at once."""
        self._switches.turn(scope, uri, language, self._settings, on=on)
        for generation in list(self._running):
            origin = generation.origin
            if self.refusal(origin.uri, origin.language, invoked=generation.invoked):
                self._running.end(generation)

    def standing(self) -> Standing:
        """Return who answers at present: the first that is well, or the first if none is."""
        first = self._targets[0]
        well = next((target for target in self._targets if target.health.error is None), first)
        return Standing(well.description, first.health.error, is_stand_in=well is not first)

    # What happens to documents

    def edited(self, uri: str, edits: list[Edit]) -> None:
        """Take note of a change of a document; a generation that it contradicts ends at once."""
        generation = self._running.of(uri)
        if not self._habits.edited(uri, edits, generation):
            self._running.end(generation)

    def running_text(self, uri: str) -> str:
        """Return what a document's running generation has so far, "" if none runs. It may still change."""
        generation = self._running.of(uri)
        return generation.text if generation is not None else ""

    def closed(self, uri: str) -> None:
        """Forget a document."""
        self._running.abandon(uri)
        self._habits.forget(uri)
        self._memory.forget(uri)

    def warm_up(self) -> None:
        """Learn what the backend serves before the first request has to wait for it."""
        if self._warming is not None:
            self._warming.cancel()
        self._warming = self._running.keep(asyncio.create_task(self._warm_up(self._targets[0])))

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
        if self._warming is not None:
            self._warming.cancel()
        await self._running.close()
        await self._chain.close()
        await self._warmer.close()

    # One generation a document

    def _joinable(self, request: Request) -> Generation | None:
        """Return the document's running generation if it may answer `request`; else end it."""
        uri = request.snapshot.uri
        generation = self._running.of(uri)
        if generation is not None and not self._can_join(generation, request):
            self._running.end(generation)
            generation = None
        ahead = self._running.ahead_of(uri)
        if (
            generation is None
            and ahead is not None
            and not request.invoked
            and ahead.resumes_at(request.snapshot)
        ):
            return self._running.adopt(uri)
        return generation

    def _can_join(self, generation: Generation, request: Request) -> bool:
        if request.invoked and not generation.invoked:
            return False
        if generation.asked_at is None:  # still pacing: nothing is lost by asking for the newer state
            return generation.origin == request.snapshot
        return generation.leads_to(request.snapshot)

    def _start(self, request: Request, target: Target) -> Generation:
        now = request.snapshot
        mode = choose_mode(now, multiline=self._settings.multiline, invoked=request.invoked)
        purpose = Purpose.INVOKED if request.invoked else Purpose.AUTOMATIC
        wanted = 0 if target.backend.is_instant else request.alternatives
        generation = Generation(now, mode, purpose, target, alternatives_wanted=wanted)
        self._running.start(generation)
        if not all(generation.survives(edit) for edit in request.since):
            self._running.end(generation)
        return generation

    async def _generate(self, generation: Generation) -> None:
        """Pace, prepare, prompt, stream; remember what came of it."""
        target, memory = generation.target, self._memory

        def remember() -> None:
            # It answers, though it may go on to write: nobody asks again before the user types on.
            target.health.answered()
            # After a change of settings that is a memory which nobody asks any more.
            self._remember(generation, memory)
            self._time(generation)

        try:
            if generation.purpose is Purpose.AUTOMATIC and not target.backend.is_instant:
                await asyncio.sleep(self._habits.delay(generation, self._settings.debounce_ms))
            if generation.purpose is not Purpose.AHEAD:
                self._running.make_room(generation)
            elif not self._running.spare(target):
                return
            generation.asked_at = monotonic()
            self._warmer.stop()
            if generation.purpose is Purpose.AUTOMATIC:
                self._habits.asked(generation)
            await self._read(generation, remember)
        except Exception as error:
            failure = error if isinstance(error, BackendError) else _own_failure()
            if not generation.abandoned:
                generation.error = failure
                target.forget()
                target.health.failed(failure, monotonic())
                self._watch(failure)
                self._chain.failed(target)
            if failure is not error:
                raise  # for the log
        else:
            target.health.answered()
            if generation.agrees() and not generation.abandoned:
                generation.ended = True
                remember()
        finally:
            self._running.leave(generation)
            if (report := generation.report(monotonic())) is not None:
                self._watch(report)

    def _remember(self, generation: Generation, memory: Memory) -> None:
        target, answer = generation.target, generation.answer
        # An instant backend that had nothing to say is asked again: it learns meanwhile, and it is cheap.
        if answer is None or (target.backend.is_instant and not answer.text.strip()):
            return
        others = [Answer(text, (text.count("\n"),)) for text in generation.alternatives]
        memory.remember(target.scope, generation.place, [answer, *others], invoked=generation.invoked)

    def _time(self, generation: Generation) -> None:
        speed, asked, first = generation.target.speed, generation.asked_at, generation.first_text_at
        if asked is not None and first is not None and len(generation.stops) == 1:
            speed.first_token(first - asked)
            speed.suggestion(monotonic() - asked)

    async def _read(self, generation: Generation, on_suggestion: Callable[[], None]) -> None:
        target = generation.target
        while True:
            await target.prepare()
            snippets = await target.snippets(generation.origin)
            infill = target.infill(
                generation.origin, generation.mode, invoked=generation.invoked, snippets=snippets
            )
            try:
                async with self._chain.in_time(generation), self._alternatives(generation, infill):
                    await read_answer(generation, target.backend, infill, target.family, on_suggestion)
            except BackendError as error:
                if not target.adapt(error):
                    raise
            else:
                target.counted(infill, generation.prompt_tokens)
                self._warmer.rest(target, generation.origin, infill.snippets)
                return

    def _alternatives(self, generation: Generation, infill: Infill) -> AbstractAsyncContextManager[None]:
        if not generation.alternatives_wanted:
            return nullcontext()
        target = generation.target
        streams = self._running.spare(target)
        return sampled_beside(generation, target.backend, infill, target.family, streams)

    # From a generation to an outcome

    async def _outcome_of(
        self, generation: Generation, request: Request, arrived: float, origin: Origin
    ) -> Outcome | None:
        """Wait for `generation` and return what came of it; None if it has nothing for this request after all."""
        edits = generation.edits
        try:
            superseded, text = await self._waiting.wait(generation, request, arrived)
        except asyncio.CancelledError:
            self._running.withdraw(generation, typing=generation.edits != edits)
            raise
        rest = generation.rest_for(request.snapshot) if generation.agrees() else None
        went_on = rest is None and generation.edits != edits
        if superseded or generation.abandoned or went_on:
            return Outcome(Reason.SUPERSEDED)
        if generation.error is not None:
            return Outcome(Reason.BACKEND_FAILED, detail=generation.error.message)
        is_whole = text is not None
        if text is None:
            if generation.ended:
                return None  # it said something else than the user typed meanwhile, or just that
            text = drop_half_end(rest or "")
            if not text.strip():
                return Outcome(Reason.TOO_LATE, complete=False)
        offer = self._offer(text, request, origin, generation.target)
        return evolve(offer, complete=is_whole)

    def _offer(self, text: str, request: Request, origin: Origin, target: Target) -> Outcome:
        now, backend = request.snapshot, target.backend.kind
        suggestion = shape(text, now)
        if suggestion is None:
            reason = Reason.ALREADY_THERE if text.strip() else Reason.NOTHING_TO_SAY
            return Outcome(reason, origin=origin, backend=backend, who=target.description)
        others = self._others(suggestion, request, target)
        self._look_ahead(now, suggestion, target)
        return Outcome(
            Reason.SHOWN, suggestion, origin, backend=backend, who=target.description, alternatives=others
        )

    def _others(self, best: Suggestion, request: Request, target: Target) -> tuple[Suggestion, ...]:
        """Return what else is known for a request, none of it twice."""
        if not request.alternatives:
            return ()
        known = (
            shape(text, request.snapshot) for text in self._memory.recall_all(target.scope, request.snapshot)
        )
        distinct = dict.fromkeys(other for other in known if other is not None and other != best)
        return tuple(distinct)[: request.alternatives]

    def _look_ahead(self, now: Snapshot, suggestion: Suggestion, target: Target) -> None:
        """Ask for what comes after a suggestion that is being taken, if that is not known and costs nobody anything."""
        then = self._follower.shown(now, suggestion)
        if then is None or not self._settings.prefetch or target.backend.is_instant:
            return
        if self._running.of(now.uri) or self._running.ahead_of(now.uri) or not self._running.spare(target):
            return
        if self._memory.recall(target.scope, then, invoked=False) is None:
            mode = choose_mode(then, multiline=self._settings.multiline, invoked=False)
            self._running.start(Generation(then, mode, Purpose.AHEAD, target))


def _with_work(outcome: Outcome, generation: Generation, arrived: float) -> Outcome:
    """Return the outcome with what the backend did for it, and how the backend is."""
    now, asked, first = monotonic(), generation.asked_at, generation.first_text_at
    return evolve(
        outcome,
        backend=generation.target.backend.kind,
        who=generation.target.description,
        timings=Timings(asked and asked - arrived, first and first - arrived),
        generated=generation.report(now),
        failing=generation.target.health.failing(now) if generation.error is not None else None,
    )


def _own_failure() -> BackendError:
    """What the user is told where this program itself is wrong: silence would look like an answer."""
    return BackendError(Trouble.FAILED, "tabby-ls made a mistake of its own", "Its log says where.")
