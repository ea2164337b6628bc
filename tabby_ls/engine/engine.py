"""The one path a request takes, from a snapshot to an outcome. It reads like the list in docs/architecture.md."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic

from attrs import evolve

from tabby_ls.backends.backend import BackendError
from tabby_ls.context.privacy import FileRules
from tabby_ls.engine.choosing import STAYS, Choice
from tabby_ls.engine.fallback import Fallback
from tabby_ls.engine.gate import refuse
from tabby_ls.engine.generating import Generator
from tabby_ls.engine.habits import Habits
from tabby_ls.engine.inflight import Edit, Generation, Purpose
from tabby_ls.engine.memory import Memory
from tabby_ls.engine.outcome import Event, Origin, Outcome, Prepared, Reason, Standing, Timings
from tabby_ls.engine.prefetch import Follower
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
        self._requests = 0
        self._switches = Switches()
        self._habits = Habits()
        self._follower = Follower()
        self._running = Running()
        self._waiting = Waiting()
        self._warmer = Warmer()
        self._preparing: asyncio.Task[None] | None = None
        self._put_in_force(settings, targets, rules)

    def _put_in_force(self, settings: Settings, targets: Sequence[Target], rules: FileRules | None) -> None:
        """Make what depends on the settings."""
        self._settings = settings
        self._targets = targets
        self._rules = rules or FileRules(settings.exclude)
        self._choice = Choice(targets)
        self._fallback = Fallback(self._choice, self._watch)
        self._memory = Memory()
        self._generator = Generator(
            debounce_ms=settings.debounce_ms,
            memory=self._memory,
            habits=self._habits,
            running=self._running,
            fallback=self._fallback,
            warmer=self._warmer,
            watch=self._watch,
        )

    # The path of a request

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
        reason = self.refusal(now.uri, now.language, invoked=request.invoked)
        if reason and not (reason is Reason.MANUAL_ONLY and self._follower.is_followed(now)):
            return Outcome(reason)
        self._habits.requested(now)
        self._waiting.supersede(now)
        told = self._choice.forbidden(self._rules.rule_for(now.uri))
        stays = bool(told)
        while True:
            # First: what contradicts the request ends, even if the memory answers.
            generation, origin = self._running.join(request), Origin.RUNNING
            if (remembered := self._recall(request)) is not None:
                return remembered
            if generation is None:
                if reason:
                    # What was asked for by key stays while it is typed; nothing is asked anew.
                    return Outcome(reason)
                target = self._choice.first(request, told)
                if target is None:
                    return self._choice.nobody(request, told)
                generation, origin = self._start(request, target), Origin.ASKED
            outcome = await self._outcome_of(generation, request, arrived, origin)
            if outcome is None:
                continue  # it ended with nothing for this state: ask anew
            if outcome.reason is Reason.BACKEND_FAILED:
                told[id(generation.target)] = outcome
                continue  # with the next target
            if outcome.is_superseded and (
                reason := self.refusal(now.uri, now.language, invoked=request.invoked)
            ):
                return Outcome(reason)  # switched off meanwhile: no newer request brings an answer
            return evolve(outcome, detail=STAYS) if stays and not outcome.suggestion else outcome

    def _recall(self, request: Request) -> Outcome | None:
        """Return what is remembered for `request`, None if nothing is."""
        for target in self._choice.for_request(request):
            text = self._memory.recall(target.scope, request.snapshot, invoked=request.invoked)
            if text is not None:
                return self._offer(text, request, Origin.MEMORY, target)
            if not target.health.is_resting(monotonic()):
                break  # what others said while it was down no longer counts
        return None

    def _start(self, request: Request, target: Target) -> Generation:
        """Ask `target` for `request`, in the place of what ran for the document."""
        now = request.snapshot
        mode = choose_mode(now, multiline=self._settings.multiline, invoked=request.invoked)
        purpose = Purpose.INVOKED if request.invoked else Purpose.AUTOMATIC
        wanted = 0 if target.backend.is_instant else request.alternatives
        generation = Generation(now, mode, purpose, target, alternatives_wanted=wanted)
        self._running.start(generation, self._generator.run)
        if not all(generation.survives(edit) for edit in request.since):
            self._running.end(generation)
        return generation

    async def _outcome_of(
        self, generation: Generation, request: Request, arrived: float, origin: Origin
    ) -> Outcome | None:
        """Wait for `generation` and return what came of it; None if it has nothing for this request after all."""
        edits = generation.edits
        try:
            is_superseded, text = await self._waiting.wait(generation, request, arrived)
        except asyncio.CancelledError:
            self._running.withdraw(generation, typing=generation.edits != edits)
            raise
        rest = generation.rest_for(request.snapshot) if generation.agrees() else None
        went_on = rest is None and generation.edits != edits
        if is_superseded or generation.abandoned or went_on:
            outcome = Outcome(Reason.SUPERSEDED)
        elif generation.error is not None:
            outcome = Outcome(Reason.BACKEND_FAILED, detail=generation.error.message)
        elif text is not None:
            outcome = self._offer(text, request, origin, generation.target)
        elif generation.ended:
            return None  # it said something else than the user typed meanwhile, or just that
        elif (text := drop_half_end(rest or "")).strip():
            outcome = evolve(self._offer(text, request, origin, generation.target), complete=False)
        else:
            outcome = Outcome(Reason.TOO_LATE, complete=False)
        return _with_work(outcome, generation, arrived)

    def _offer(self, text: str, request: Request, origin: Origin, target: Target) -> Outcome:
        """Return the outcome that offers `text`, shaped to fit where it goes. What comes after it may be asked for."""
        now, backend = request.snapshot, target.backend.kind
        suggestion = shape(text, now)
        if suggestion is None:
            reason = Reason.ALREADY_THERE if text.strip() else Reason.NOTHING_TO_SAY
            return Outcome(reason, origin=origin, backend=backend, who=target.description)
        others = self._others(suggestion, request, target)
        self._prefetch(now, suggestion, target)
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

    def _prefetch(self, now: Snapshot, suggestion: Suggestion, target: Target) -> None:
        """Ask for what comes after a suggestion that is being taken, unless that is known or takes another's place."""
        then = self._follower.shown(now, suggestion)
        if then is None or not self._settings.prefetch or target.backend.is_instant:
            return
        if self.refusal(then.uri, then.language, invoked=False):
            return  # nobody would be shown it
        if self._running.of(now.uri) or self._running.prefetch_of(now.uri) or not self._running.spare(target):
            return
        if self._memory.recall(target.scope, then, invoked=False) is None:
            mode = choose_mode(then, multiline=self._settings.multiline, invoked=False)
            self._running.start(Generation(then, mode, Purpose.PREFETCH, target), self._generator.run)

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
        return self._choice.standing()

    # What happens to documents

    def edited(self, uri: str, edits: list[Edit]) -> None:
        """Take note of a change of a document, before requests for its new state; what it contradicts ends at once."""
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

    # From its first settings to its end

    def configure(
        self, settings: Settings, targets: Sequence[Target], rules: FileRules | None = None
    ) -> None:
        """Put new settings in force. What is running ends; what is remembered no longer counts."""
        for generation in list(self._running):
            self._running.end(generation)
        self._switches.settings_changed(self._settings, settings)
        self._fallback.end()
        self._warmer.stop()
        self._put_in_force(settings, targets, rules)
        if self._preparing is not None:
            self.prepare()

    def prepare(self) -> None:
        """Learn what the first target serves, before the first request has to wait for it."""
        if self._preparing is not None:
            self._preparing.cancel()
        self._preparing = self._running.keep(asyncio.create_task(self._prepare(self._targets[0])))

    async def _prepare(self, target: Target) -> None:
        try:
            await target.prepare()
        except BackendError as error:
            target.health.error = error
            self._watch(error)
            self._fallback.failed(target)
        else:
            self._watch(Prepared(target.description))

    async def close(self) -> None:
        """End everything that runs, and wait until every connection is closed."""
        if self._preparing is not None:
            self._preparing.cancel()
        await self._running.close()
        await self._fallback.close()
        await self._warmer.close()


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
