"""Chooses the fill-in-the-middle template of the model that a backend serves, or that the server fills in by itself."""

from __future__ import annotations

import asyncio

from attrs import frozen

from tabby_ls.backends.backend import Backend, ModelInfo
from tabby_ls.prompts.families import Family, family_for_model, family_named, guess_from_tokens, probe_tokens


@frozen
class TemplateChoice:
    """The model's fill-in-the-middle family, and for people how it was found and what may be wrong about it.

    `fills_in`: the server takes prefix and suffix, so that no prompt is written. Without that and without a
    family the model sees only what is before the cursor.
    """

    family: Family | None
    found_by: str
    caveat: str = ""
    fills_in: bool = False


async def find_template(backend: Backend, named: str, model: ModelInfo) -> TemplateChoice:
    """Return how to ask: by the family that the user `named` ("" for none), by the model's id, or by its tokenizer.

    Raises ValueError if the user named an unknown family, and BackendError.
    """
    if named:
        return TemplateChoice(family_named(named), "your setting", fills_in=backend.renders_prompts)
    family = family_for_model(model.id) if model.id else None
    if backend.renders_prompts:
        return TemplateChoice(
            family if family and family.fim else None, "the server's own way", fills_in=True
        )
    if family is not None:
        fills_in = await backend.fills_in(family.name, has_template=family.fim)
        caveat = "" if fills_in else family.why
        return TemplateChoice(
            family if family.fim else None, f"the model's name, {model.id}", caveat, fills_in
        )
    if guess := guess_from_tokens(await _known_tokens(backend)):
        fills_in = await backend.fills_in(guess.family.name, has_template=True)
        return TemplateChoice(guess.family, "the model's tokenizer", guess.caveat, fills_in)
    if await backend.fills_in(None, has_template=False):
        return TemplateChoice(None, "the server's own way", fills_in=True)
    return TemplateChoice(
        None, "", caveat="neither the model's name nor its tokenizer tells how to fill in the middle"
    )


async def _known_tokens(backend: Backend) -> list[str]:
    """Return those of the probe tokens that the server's tokenizer has."""
    first, *others = probe_tokens()
    if (count := await backend.count_tokens(first)) is None:
        return []  # it cannot be asked
    counts = await asyncio.gather(*map(backend.count_tokens, others))
    return [token for token, number in zip((first, *others), (count, *counts), strict=True) if number == 1]
