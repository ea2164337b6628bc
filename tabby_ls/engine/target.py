"""A target: one backend as the engine asks it, with what is known of it: its FIM template, its limits, its health."""

from __future__ import annotations

import asyncio
import re

from attrs import Factory, define, frozen

from tabby_ls.backends.backend import Backend, BackendError, Infill, ModelInfo, Snippet, Trouble
from tabby_ls.context.budget import fit_window, prompt_tokens
from tabby_ls.context.compose import LEAST_ROOM, Composed, Document, compose, room_for_snippets
from tabby_ls.context.rate import TokenRate, sample
from tabby_ls.context.surroundings import Cursor, Surroundings
from tabby_ls.engine.health import Health
from tabby_ls.engine.pacing import Speed
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.printable import printable
from tabby_ls.prompts.families import Family, family_for_model, family_named, guess_from_tokens, probe_tokens
from tabby_ls.settings import BackendSettings, Settings

#: The least share of the prompt's budget that is tried when the server finds prompts too long.
_LEAST_SHARE = 1 / 16
#: Characters on each side of the cursor that tell what its text is like.
_SAMPLE = 1000
#: Lines that a backend without a notion of tokens may write.
_BLOCK_LINES = 3


@frozen
class Template:
    """The model's fill-in-the-middle family, how it was found, and what may be wrong about it.

    `fills_in`: the server takes prefix and suffix, so that no prompt is written. Without that and without a
    family the model sees only what is before the cursor.
    """

    family: Family | None
    found_by: str
    caveat: str = ""
    fills_in: bool = False


async def find_template(backend: Backend, named: str, model: ModelInfo) -> Template:
    """Return how to ask: as the user named it, by the model's id, or by its tokenizer.

    Raises ValueError if the user named an unknown family.
    """
    if named:
        return Template(family_named(named), "your setting", fills_in=backend.renders_prompts)
    family = family_for_model(model.id) if model.id else None
    if backend.renders_prompts:
        return Template(family if family and family.fim else None, "the server's own way", fills_in=True)
    if family is not None:
        fills_in = await backend.fills_in(family.name, has_template=family.fim)
        caveat = "" if fills_in else family.why
        return Template(family if family.fim else None, f"the model's name, {model.id}", caveat, fills_in)
    if guess := guess_from_tokens(await _known_tokens(backend)):
        fills_in = await backend.fills_in(guess.family.name, has_template=True)
        return Template(guess.family, "the model's tokenizer", guess.caveat, fills_in)
    if await backend.fills_in(None, has_template=False):
        return Template(None, "the server's own way", fills_in=True)
    return Template(
        None, "", caveat="neither the model's name nor its tokenizer tells how to fill in the middle"
    )


async def _known_tokens(backend: Backend) -> list[str]:
    """Return those of the probe tokens that the server's tokenizer has."""
    first, *others = probe_tokens()
    if (count := await backend.count_tokens(first)) is None:
        return []  # it cannot be asked
    counts = await asyncio.gather(*map(backend.count_tokens, others))
    return [token for token, number in zip((first, *others), (count, *counts), strict=True) if number == 1]


@define
class Target:
    """One backend, asked with the settings in force; `server` is what they say of it."""

    backend: Backend
    settings: Settings
    server: BackendSettings = Factory(lambda self: self.settings.backend, takes_self=True)
    #: What else the model may see; None: nothing but the document.
    surroundings: Surroundings | None = None
    health: Health = Factory(Health)
    speed: Speed = Factory(Speed)
    _template: Template | None = None
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
        """How many requests to have open at once."""
        return self.server.max_in_flight or min(self.backend.max_in_flight, self._model.slots or 64)

    @property
    def scope(self) -> tuple[str, str]:
        """What, besides the document, decides an answer."""
        return self.backend.kind, self._model.id or ""

    @property
    def template(self) -> Template | None:
        """The template in use, once known."""
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
        """Return what else the model should see for `snapshot`: nothing where nobody looks at it."""
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
        """Take note of how many tokens the server found the prompt to be."""
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
                Trouble.PROMPT_TOO_LONG, f"{whose}, which leaves no room for the text around the cursor"
            )
        share = self.settings.context.prefix_share
        return compose(self._document(snapshot), snippets, family=self.family, room=room, prefix_share=share)

    def _document(self, snapshot: Snapshot) -> Document:
        shown = self.surroundings.path_of(snapshot.uri) if self.surroundings else "untitled"
        return Document(shown, snapshot.language, snapshot.first_line, snapshot.prefix, snapshot.suffix)
