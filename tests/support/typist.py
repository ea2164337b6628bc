"""Somebody who types into one document and asks an engine for suggestions."""

from __future__ import annotations

import asyncio

from tabby_ls.engine.engine import Engine
from tabby_ls.engine.inflight import Edit
from tabby_ls.engine.outcome import Outcome
from tabby_ls.engine.requests import Request
from tabby_ls.engine.snapshot import Snapshot, Suggestion


def snapshot_at(
    marked: str, language: str = "python", uri: str = "file:///work/a.py", version: int = 1
) -> Snapshot:
    """The snapshot of a document whose cursor is marked with `|`; the last one counts."""
    prefix, _, suffix = marked.rpartition("|")
    return Snapshot(uri, version, language, prefix.count("\n"), prefix, suffix)


def applied(suggestion: Suggestion | None, snapshot: Snapshot) -> str:
    """The document once `suggestion` was accepted."""
    if suggestion is None:
        return snapshot.prefix + snapshot.suffix
    return snapshot.prefix + suggestion.text + snapshot.suffix[suggestion.replaces :]


def text_of(outcome: Outcome) -> str | None:
    """What an outcome would insert."""
    return outcome.suggestion.text if outcome.suggestion else None


class Typist:
    """Sends edits as editors do: first the change, then the request."""

    def __init__(self, engine: Engine, marked: str, language: str = "python") -> None:
        self.engine = engine
        self.now = snapshot_at(marked, language)

    def type(self, text: str, closed_by_editor: str = "", *, in_one_edit: bool = True) -> None:
        """Type `text`, behind which the editor may close brackets by itself."""
        before, after = self.now.prefix, self.now.suffix
        line, column = _end_of(before)
        if in_one_edit:
            edits = [Edit(line, column, line, column, text + closed_by_editor)]
        else:
            edits = [Edit(line, column, line, column, text)]
            line, column = _end_of(before + text)
            edits.append(Edit(line, column, line, column, closed_by_editor))
        self._change(before + text, closed_by_editor + after, edits)

    def type_over(self, text: str) -> None:
        """Type what stands behind the cursor already, as the bracket that an editor closed by itself."""
        before, after = self.now.prefix, self.now.suffix.removeprefix(text)
        line, column = _end_of(before)
        self._change(before + text, after, [Edit(line, column, line, column + len(text), text)])

    def backspace(self) -> None:
        """Delete the character before the cursor."""
        before = self.now.prefix[:-1]
        self._change(before, self.now.suffix, [Edit(*_end_of(before), *_end_of(self.now.prefix), "")])

    def accept(self, suggestion: Suggestion) -> None:
        """Put the suggestion into the document."""
        line, column = _end_of(self.now.prefix)
        edit = Edit(line, column, line, column + suggestion.replaces, suggestion.text)
        self._change(self.now.prefix + suggestion.text, self.now.suffix[suggestion.replaces :], [edit])

    def ask(
        self, *, invoked: bool = False, deadline: float = 5.0, alternatives: int = 0
    ) -> asyncio.Task[Outcome]:
        """Ask for a suggestion at the cursor."""
        return asyncio.create_task(self.engine.suggest(Request(self.now, invoked, deadline, alternatives)))

    def _change(self, prefix: str, suffix: str, edits: list[Edit]) -> None:
        self.now = Snapshot(
            self.now.uri, self.now.version + 1, self.now.language, prefix.count("\n"), prefix, suffix
        )
        self.engine.edited(self.now.uri, edits)


def _end_of(text: str) -> tuple[int, int]:
    return text.count("\n"), len(text) - text.rfind("\n") - 1
