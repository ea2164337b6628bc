"""Renders a prompt from the text around the cursor: the family's FIM template, filled with text whose sentinels are defused.

The text before the cursor changes with every keystroke, so nothing that stands before it in the prompt
depends on it: whatever the server has computed for the head of the last prompt holds for the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from tabby_ls.languages import Language
from tabby_ls.prompts.families import Family
from tabby_ls.prompts.sentinels import defuse


@frozen
class Prompt:
    """What to send: `text` with the family's special tokens in it, and the strings that end the answer."""

    text: str
    stop: tuple[str, ...]


def render(
    family: Family,
    prefix: str,
    suffix: str,
    *,
    snippets: Sequence[tuple[str, str]] = (),
    path: str = "untitled",
    language: Language | None = None,
) -> Prompt:
    """Return the prompt that asks a model of `family` for the text between `prefix` and `suffix`.

    `snippets` are (path, text) of other files, in the order in which they are to stand: in the family's
    own form, or as comments in `language` above the prefix. `path` is the file being written, as the
    model should see it. An empty suffix keeps its place: that is how the end of a file looks in training.
    Special tokens in any of these texts are made harmless. Raise ValueError for a family without template.
    """
    if family.template is None:
        raise ValueError(f"The family {family.name!r} cannot be used: {family.why}.")
    comment_start, comment_end = language.comment if language else ("# ", "")
    values = {
        "prefix": defuse(prefix, family),
        "suffix": defuse(suffix, family),
        "path": defuse(path, family),
        "language": language.name if language else "",
        "comment_start": comment_start,
        "comment_end": comment_end,
    }
    if not snippets:
        return Prompt(family.template.fill(values), family.stop)
    files = [(defuse(name, family), defuse(text, family).rstrip("\n")) for name, text in snippets]
    if family.file is None or family.with_files is None:
        values["prefix"] = as_comments(files, comment_start, comment_end) + values["prefix"]
        return Prompt(family.template.fill(values), family.stop)
    values["files"] = "".join(family.file.fill({"path": name, "text": text}) for name, text in files)
    return Prompt(family.with_files.fill(values), family.stop + family.file_stop)


def as_comments(files: Iterable[tuple[str, str]], start: str, end: str) -> str:
    """Return the files as comments, one a line, each under its path."""
    lines = [line for name, text in files for line in (f"{name}:", *text.split("\n"))]
    return "".join(f"{start}{line}{end}".rstrip() + "\n" for line in lines)
