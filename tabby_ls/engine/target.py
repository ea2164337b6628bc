"""One backend and what is known of it: its template, its limits, its health."""

from __future__ import annotations

import asyncio

from attrs import Factory, define, frozen

from tabby_ls.backends.backend import Backend, BackendError, Infill, ModelInfo, Trouble
from tabby_ls.context.budget import fit_window, prompt_characters
from tabby_ls.engine.health import Health
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.prompts.families import Family, family_for_model, family_named, guess_from_tokens, probe_tokens
from tabby_ls.prompts.render import render
from tabby_ls.prompts.sentinels import defuse
from tabby_ls.settings import BackendSettings, Settings

#: The least share of the prompt's budget that is tried when the server finds prompts too long.
_LEAST_SHARE = 1 / 16
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
    health: Health = Factory(Health)
    _template: Template | None = None
    _model: ModelInfo = Factory(ModelInfo)
    #: The share of the budget that the server was seen to accept.
    _shrunk: float = 1.0
    _has_relearned: bool = False
    _learning: asyncio.Lock = Factory(asyncio.Lock)

    @property
    def description(self) -> str:
        """Who answers, for people: `TabbyAPI: Qwen2.5-Coder-1.5B`, or `local model`."""
        return f"{self.backend.label}: {self._model.id}" if self._model.id else self.backend.label

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

    def infill(self, snapshot: Snapshot, mode: Mode, *, invoked: bool) -> Infill:
        """Return what to ask the backend for `snapshot`."""
        settings, prefix, suffix = self.settings, snapshot.prefix, snapshot.suffix
        family, fills_in = self.family, self._template is not None and self._template.fills_in
        prompt: str | None = None
        if not self.backend.is_instant:
            room = prompt_characters(
                settings.context.max_prompt_tokens, self._model.max_prompt_tokens, self._shrunk
            )
            prefix, suffix = fit_window(
                prefix, suffix, snapshot.first_line, room, settings.context.prefix_share
            )
            if not fills_in:
                prompt = render(family, prefix, suffix).text if family else defuse(prefix)
        if not self.backend.takes_tokens_as_text:
            prefix, suffix = defuse(prefix, family), defuse(suffix, family)
        return Infill(
            uri=snapshot.uri,
            language=snapshot.language,
            prefix=prefix,
            suffix=suffix,
            prompt=prompt,
            bos=family.bos if family else None,
            stop=family.stop if family else (),
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            threshold=settings.local.invoked_threshold if invoked else settings.local.threshold,
            max_lines=1 if mode in (Mode.ONE_LINE, Mode.LINE) else _BLOCK_LINES,
            invoked=invoked,
            is_chat=self.backend.is_chat,
        )
