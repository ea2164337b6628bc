"""Composes a prompt within a budget: snippets, the window around the cursor, and the family's template around both."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from tabby_ls.backends.backend import Snippet
from tabby_ls.context.budget import fit_window
from tabby_ls.context.redaction import REDACTED, redact
from tabby_ls.languages import language_named
from tabby_ls.prompts.families import Family
from tabby_ls.prompts.render import as_comments, render
from tabby_ls.prompts.sentinels import defuse

#: With less room than this, in characters, what is left around the cursor tells a model nothing.
LEAST_ROOM = 64
#: The window's share of the room, whatever there is of snippets.
_WINDOW_SHARE = 0.5
#: The room for snippets changes in steps of this share of all the room.
_STEP = 1 / 8
#: Characters that frame a snippet and its path, and that mark a line of it as a comment.
_FRAME, _COMMENT_MARK = 8, 3


@frozen
class Document:
    """The document around a cursor: `path` is what the model sees, `prefix` begins with line `first_line` of it."""

    path: str
    language: str
    first_line: int
    prefix: str
    suffix: str


@frozen
class Composed:
    """What is left of the document and of the snippets, and the prompt made of them."""

    prefix: str
    suffix: str
    snippets: tuple[Snippet, ...]
    prompt: str
    stop: tuple[str, ...]

    def defused(self, family: Family | None) -> Composed:
        """Return it for a server that would see special tokens in any of its texts: made harmless there too."""
        snippets = (Snippet(defuse(it.path, family), defuse(it.text, family)) for it in self.snippets)
        return evolve(
            self,
            prefix=defuse(self.prefix, family),
            suffix=defuse(self.suffix, family),
            snippets=tuple(snippets),
        )

    def commented(self, language: str) -> Composed:
        """Return it for a server that has no place for snippets: as comments they stand at the head of the prefix."""
        head = _comments(self.snippets, language)
        return evolve(self, prefix=head + self.prefix, snippets=())


def _comments(snippets: Sequence[Snippet], language: str) -> str:
    return as_comments(
        [(it.path, it.text.rstrip("\n")) for it in snippets], *language_named(language).comment
    )


def room_for_snippets(document: Document, room: int, share: float) -> int:
    """Return how many characters snippets may have: their `share`, or what the document leaves if that is more.

    In steps, so that it does not change with every key.
    """
    size = len(document.prefix) + len(document.suffix)
    step = max(1, int(room * _STEP))
    spare = (room - size - step) // step * step
    return min(max(int(room * share), spare), room - int(room * _WINDOW_SHARE) if size > room else room)


def compose(
    document: Document, snippets: Sequence[Snippet], *, family: Family | None, room: int, prefix_share: float
) -> Composed:
    """Return what fits into `room` characters: the snippets from the first on, then the window with the rest.

    Keys are taken out of all of it, special tokens made harmless in the prompt. `prefix_share` is as in
    `fit_window`. Without a `family` the prompt is what stands before the cursor, below the snippets as comments.
    """
    kept: list[Snippet] = []
    left = room - min(int(room * _WINDOW_SHARE), len(document.prefix) + len(document.suffix))
    for snippet in snippets:
        left -= _cost(snippet)
        if left < 0:
            break
        kept.append(Snippet(snippet.path, redact(snippet.text)))
    prefix, suffix = fit_window(
        document.prefix,
        document.suffix,
        document.first_line,
        room - sum(map(_cost, kept)),
        prefix_share,
    )
    prefix, suffix = _redacted(prefix, suffix)
    language = language_named(document.language)
    pairs = [(snippet.path, snippet.text) for snippet in kept]
    if family is None:
        prompt, stop = defuse(_comments(kept, document.language) + prefix), tuple[str, ...]()
    else:
        rendered = render(family, prefix, suffix, snippets=pairs, path=document.path, language=language)
        prompt, stop = rendered.text, rendered.stop
    return Composed(prefix, suffix, tuple(kept), prompt, stop)


def _redacted(prefix: str, suffix: str) -> tuple[str, str]:
    """Return both without keys, and without one that the cursor stands in, of which each side is half."""
    cut, end = prefix.rfind("\n") + 1, suffix.find("\n")
    before, after = prefix[cut:], suffix[: end if end >= 0 else len(suffix)]
    line = before + after
    whole = redact(line)
    if whole != redact(before) + redact(after):
        start = _agreement(line, whole)
        stop = len(line) - _agreement(line[start:][::-1], whole[start:][::-1])
        if start < len(before) < stop:
            return redact(prefix[:cut]) + before[:start] + REDACTED, line[stop:] + redact(
                suffix[len(after) :]
            )
    return redact(prefix), redact(suffix)


def _agreement(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginnings."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def _cost(snippet: Snippet) -> int:
    """Return about how many characters a snippet takes with its path, what frames it, and marks of comments."""
    return len(snippet.path) + len(snippet.text) + _FRAME + _COMMENT_MARK * snippet.text.count("\n")
