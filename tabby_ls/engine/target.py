"""The backend in use and what is known of it: its template, its limits, its health."""

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
from tabby_ls.settings import Settings

#: The least share of the prompt's budget that is tried when the server finds prompts too long.
_LEAST_SHARE = 1 / 16
#: What people call the kinds of backends.
_NAMES = {"tabbyapi": "TabbyAPI", "local": "local model"}
#: Lines that a backend without a notion of tokens may write.
_BLOCK_LINES = 3


@frozen
class Template:
    """The model's fill-in-the-middle family, how it was found, and what may be wrong about it.

    Without a family the model sees only what is before the cursor.
    """

    family: Family | None
    found_by: str
    caveat: str = ""


async def find_template(backend: Backend, named: str, model: ModelInfo) -> Template:
    """Return the template to use: the one the user named, by the model's id, or by its tokenizer.

    Raises ValueError if the user named an unknown family.
    """
    if named:
        return Template(family_named(named), "your setting")
    if model.id and (family := family_for_model(model.id)):
        if family.fim:
            return Template(family, f"the model's name, {model.id}")
        return Template(None, f"the model's name, {model.id}", caveat=family.why)
    known = [token for token in probe_tokens() if await backend.count_tokens(token) == 1]
    if guess := guess_from_tokens(known):
        return Template(guess.family, "the model's tokenizer", caveat=guess.caveat)
    return Template(
        None, "", caveat="neither the model's name nor its tokenizer tells how to fill in the middle"
    )


@define
class Target:
    """One backend, asked with the settings in force."""

    backend: Backend
    settings: Settings
    health: Health = Factory(Health)
    _template: Template | None = None
    _model: ModelInfo = Factory(ModelInfo)
    #: The share of the budget that the server was seen to accept.
    _shrunk: float = 1.0
    _learning: asyncio.Lock = Factory(asyncio.Lock)

    @property
    def scope(self) -> tuple[str, str]:
        """What, besides the document, decides an answer."""
        return self.backend.kind, self._model.id or ""

    @property
    def description(self) -> str:
        """Who answers, for people: `TabbyAPI: Qwen2.5-Coder-1.5B`, or `local model`."""
        name = _NAMES.get(self.backend.kind, self.backend.kind)
        return f"{name}: {self._model.id}" if self._model.id else name

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
            if self.backend.renders_prompts or self._template is not None:
                return
            self._model = await self.backend.model()
            try:
                self._template = await find_template(self.backend, self.settings.backend.family, self._model)
            except ValueError as error:
                raise BackendError(Trouble.REFUSED, str(error)) from None

    def forget(self) -> None:
        """Learn anew before the next request: the server may come back with another model."""
        self._template = None
        self._shrunk = 1.0

    def shrink(self) -> bool:
        """Halve the prompt after the server found it too long; False if there is nothing left to halve."""
        if self._shrunk <= _LEAST_SHARE:
            return False
        self._shrunk /= 2
        return True

    def infill(self, snapshot: Snapshot, mode: Mode, *, invoked: bool) -> Infill:
        """Return what to ask the backend for `snapshot`."""
        settings, prefix, suffix = self.settings, snapshot.prefix, snapshot.suffix
        prompt: str | None = None
        stop: tuple[str, ...] = ()
        if not self.backend.renders_prompts:
            room = prompt_characters(
                settings.context.max_prompt_tokens, self._model.max_prompt_tokens, self._shrunk
            )
            prefix, suffix = fit_window(
                prefix, suffix, snapshot.first_line, room, settings.context.prefix_share
            )
            family = self.family
            if family is not None:
                rendered = render(family, prefix, suffix)
                prompt, stop = rendered.text, rendered.stop
            else:
                prompt = defuse(prefix)
        return Infill(
            uri=snapshot.uri,
            language=snapshot.language,
            prefix=prefix,
            suffix=suffix,
            prompt=prompt,
            bos=self.family.bos if self.family else None,
            stop=stop,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            threshold=settings.local.invoked_threshold if invoked else settings.local.threshold,
            max_lines=1 if mode is Mode.LINE else _BLOCK_LINES,
            invoked=invoked,
        )
