"""A target: one backend as the engine asks it, with what is known of it: its FIM template, its limits, its health."""

from __future__ import annotations

import asyncio
import re

from attrs import Factory, define

from tabby_ls.backends.backend import Backend, BackendError, Infill, ModelInfo, Snippet, Trouble
from tabby_ls.context.budget import fit_window, prompt_tokens
from tabby_ls.context.compose import LEAST_ROOM, Composed, Document, compose, room_for_snippets
from tabby_ls.context.rate import TokenRate, sample
from tabby_ls.context.surroundings import Cursor, Surroundings
from tabby_ls.engine.health import Health
from tabby_ls.engine.pacing import Speed
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.engine.template_choice import TemplateChoice, find_template
from tabby_ls.printable import printable
from tabby_ls.prompts.families import Family
from tabby_ls.settings import BackendSettings, Settings

#: The least share of the prompt's budget that is tried when the server finds prompts too long: each time half as much.
_LEAST_SHARE = 1 / 16
#: Characters on each side of the cursor that tell how many characters a token of its text has.
_SAMPLE = 1000
#: Lines that the local model, which has no notion of tokens, may write where a block is wanted.
_BLOCK_LINES = 3


@define
class Target:
    """One backend, asked with the `settings` in force; `server` is what they say of it."""

    backend: Backend
    settings: Settings
    server: BackendSettings = Factory(lambda self: self.settings.backend, takes_self=True)
    #: What else the model may see; None: nothing but the document.
    surroundings: Surroundings | None = None
    health: Health = Factory(Health)
    speed: Speed = Factory(Speed)
    _template: TemplateChoice | None = None
    _model: ModelInfo = Factory(ModelInfo)
    #: The share of the budget that the server was seen to accept.
    _shrunk: float = 1.0
    _has_relearned: bool = False
    #: By model, kept while the server comes and goes.
    _rates: dict[str, TokenRate] = Factory(dict)
    _learning: asyncio.Lock = Factory(asyncio.Lock)

    @property
    def description(self) -> str:
        """Who answers, for people: `TabbyAPI: Qwen2.5-Coder-1.5B`, or `local model`."""
        name = printable(re.split(r"[/\\]", self._model.id)[-1]) if self._model.id else ""
        return f"{self.backend.label}: {name}" if name else self.backend.label

    @property
    def model(self) -> ModelInfo:
        """What it serves, as far as is known."""
        return self._model

    @property
    def max_in_flight(self) -> int:
        """How many requests to have open at once: as the user says, else as the kind of backend and its slots bear."""
        return self.server.max_in_flight or min(
            self.backend.max_in_flight, self._model.slots or self.backend.max_in_flight
        )

    @property
    def scope(self) -> tuple[str, str]:
        """What, besides the document and the settings, decides an answer; the memory's key."""
        return self.backend.kind, self._model.id or ""

    @property
    def template(self) -> TemplateChoice | None:
        """How the model is asked, once known."""
        return self._template

    @property
    def family(self) -> Family | None:
        """The family in use, once known."""
        return self._template.family if self._template else None

    async def prepare(self) -> None:
        """Learn what the backend serves, once. Raises BackendError."""
        async with self._learning:
            if self.backend.is_instant or self._template is not None:
                return
            self._model = await self.backend.model()
            try:
                self._template = await find_template(self.backend, self.server.family, self._model)
            except ValueError as error:
                raise BackendError(Trouble.REFUSED, str(error)) from None
            if not self.rate.is_known and (tokens := await self.backend.count_tokens(text := sample())):
                self.rate.learn(text, tokens)

    def forget(self) -> None:
        """Learn anew before the next request: the server may come back with another model."""
        self._template = None
        self._shrunk = 1.0

    def adapt(self, error: BackendError) -> bool:
        """Return whether asking again at once may help after `error`, having made ready for that.

        A prompt that was too long is halved; a server that cannot be asked so any more is learned anew, once.
        """
        if error.trouble is Trouble.CHANGED and not self._has_relearned:
            self.forget()
            self._has_relearned = True
            return True
        if error.trouble is Trouble.PROMPT_TOO_LONG and self._shrunk > _LEAST_SHARE:
            self._shrunk /= 2
            return True
        return False

    async def snippets(self, snapshot: Snapshot) -> tuple[Snippet, ...]:
        """Return what else the model should see for `snapshot`.

        That is nothing without surroundings, where the settings say so, and for the local model, which has learnt them.
        """
        if self.surroundings is None or self.backend.is_instant or not self.settings.context.snippets:
            return ()
        settings, document, room = self.settings.context, self._document(snapshot), self._room(snapshot)
        spare = room_for_snippets(document, room, settings.snippet_share)
        window = fit_window(
            snapshot.prefix, snapshot.suffix, snapshot.first_line, room - spare, settings.prefix_share
        )
        cursor = Cursor(
            snapshot.uri,
            document.path,
            snapshot.language,
            snapshot.line,
            snapshot.prefix,
            snapshot.suffix,
            window,
        )
        return await self.surroundings.snippets(cursor, spare)

    def infill(
        self, snapshot: Snapshot, mode: Mode, *, invoked: bool, snippets: tuple[Snippet, ...] = ()
    ) -> Infill:
        """Return what to ask the backend for `snapshot`. Raises BackendError if there is no room for a prompt."""
        settings, family = self.settings, self.family
        fills_in = self._template is not None and self._template.fills_in
        if self.backend.is_instant:
            composed = Composed(snapshot.prefix, snapshot.suffix, (), "", family.stop if family else ())
        else:
            composed = self._compose(snapshot, snippets)
            if fills_in and not self.backend.takes_snippets:
                composed = composed.commented(snapshot.language)
            if not self.backend.takes_tokens_as_text:
                composed = composed.defused(family)
        return Infill(
            uri=snapshot.uri,
            language=snapshot.language,
            prefix=composed.prefix,
            suffix=composed.suffix,
            prompt=None if fills_in or self.backend.is_instant else composed.prompt,
            bos=family.bos if family else None,
            stop=composed.stop,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            threshold=settings.local.invoked_threshold if invoked else settings.local.threshold,
            max_lines=1 if mode in (Mode.ONE_LINE, Mode.LINE) else _BLOCK_LINES,
            invoked=invoked,
            snippets=composed.snippets,
            is_chat=self.backend.is_chat,
        )

    @property
    def rate(self) -> TokenRate:
        """How long the tokens of the model in use are."""
        return self._rates.setdefault(self._model.id or "", TokenRate())

    def counted(self, infill: Infill, tokens: int | None) -> None:
        """Take note of how many `tokens` the server counted in the prompt of `infill`, None if it did not tell."""
        if tokens and infill.prompt:
            self.rate.learn(infill.prompt, tokens)

    def _room(self, snapshot: Snapshot) -> int:
        """Return how many characters like those around the cursor a prompt may hold."""
        limits = self.settings.context.max_prompt_tokens, self._model.max_prompt_tokens
        tokens = prompt_tokens(*limits, self._shrunk)
        return self.rate.characters(tokens, snapshot.prefix[-_SAMPLE:] + snapshot.suffix[:_SAMPLE])

    def _compose(self, snapshot: Snapshot, snippets: tuple[Snippet, ...]) -> Composed:
        room = self._room(snapshot)
        if room < LEAST_ROOM:
            limit = self._model.max_prompt_tokens
            whose = (
                f"the server accepts prompts of {limit} tokens" if limit else "the prompt's budget is spent"
            )
            raise BackendError(
                Trouble.PROMPT_TOO_LONG,
                f"{whose}, which leaves no room for the text around the cursor; load the model with a longer context",
            )
        share = self.settings.context.prefix_share
        return compose(self._document(snapshot), snippets, family=self.family, room=room, prefix_share=share)

    def _document(self, snapshot: Snapshot) -> Document:
        shown = self.surroundings.path_of(snapshot.uri) if self.surroundings else "untitled"
        return Document(shown, snapshot.language, snapshot.first_line, snapshot.prefix, snapshot.suffix)
