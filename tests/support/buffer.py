"""A document on the screen, and how editors put suggestions into it."""

from __future__ import annotations

import re

from attrs import define
from lsprotocol import types

_LINE_END = re.compile(r"\r\n|\n|\r")


@define
class Buffer:
    """A text with a cursor (a code point index), and positions in the encoding agreed on."""

    uri: str
    language: str
    text: str
    cursor: int
    encoding: str
    version: int = 1

    def position(self, index: int) -> types.Position:
        """The position of a code point."""
        before = self.text[:index]
        ends = [end.end() for end in _LINE_END.finditer(before)]
        return types.Position(len(ends), self._units(before[ends[-1] if ends else 0 :]))

    def offset(self, position: types.Position) -> int:
        """The code point at a position, which has to be exact."""
        starts = [0, *(end.end() for end in _LINE_END.finditer(self.text))]
        index = starts[position.line]
        missing = position.character
        while missing > 0:
            missing -= self._units(self.text[index])
            index += 1
        assert missing == 0, "a position inside a character"
        assert self.position(index) == position, "a position past the end of its line"
        return index

    def _units(self, text: str) -> int:
        if self.encoding == "utf-8":
            return len(text.encode("utf-8"))
        return len(text.encode("utf-16-le")) // 2 if self.encoding == "utf-16" else len(text)

    @property
    def line_prefix(self) -> str:
        """The cursor's line up to the cursor."""
        return _LINE_END.split(self.text[: self.cursor])[-1]

    def parts(self, where: types.Range) -> tuple[str, str]:
        """What of a range is before and after the cursor, which has to be in it."""
        assert where.start.line == where.end.line, "a range of several lines"
        start, end = self.offset(where.start), self.offset(where.end)
        assert start <= self.cursor <= end, "a range without the cursor"
        return self.text[start : self.cursor], self.text[self.cursor : end]


def check_inline_item(item: types.InlineCompletionItem, buffer: Buffer) -> None:
    """Assert what clients need of ghost text (VS Code hides it otherwise), and that no character gets lost."""
    assert isinstance(item.insert_text, str)
    assert item.range is not None
    before, after = buffer.parts(item.range)
    assert item.insert_text.startswith(before)
    assert item.insert_text.endswith(after)
    check_command(item.command)


def check_menu_item(item: types.CompletionItem, buffer: Buffer) -> None:
    """Assert what makes an item appear, and stay, in the menus of all clients."""
    assert isinstance(item.text_edit, types.TextEdit)
    before, after = buffer.parts(item.text_edit.range)
    assert before.replace("_", "a").isalnum() or not before
    assert item.filter_text is not None
    assert item.filter_text.startswith(before)
    assert len(item.filter_text) > len(before)
    assert "\n" not in item.label + item.filter_text
    assert item.kind is not types.CompletionItemKind.Snippet
    assert item.additional_text_edits is None
    assert item.insert_text is None
    check_command(item.command)
    assert item.data is None
    assert item.text_edit.new_text.startswith(before)
    assert item.text_edit.new_text.endswith(after)


def check_command(command: types.Command | None) -> None:
    """Assert that the editor can report what it has inserted."""
    assert command is not None
    assert command.command == "tabby-ls.accepted"
    (argument,) = command.arguments or ()
    assert set(argument) in ({"id"}, {"id", "more"})


def inserted_by_menu(item: types.CompletionItem, buffer: Buffer, client: str) -> str:
    """What a client's menu puts in the place of the item's range, as seen with the real ones."""
    assert item.text_edit is not None
    text = item.text_edit.new_text
    is_snippet = item.insert_text_format is types.InsertTextFormat.Snippet
    if is_snippet:
        assert not re.search(r"(?<!\\)(\\\\)*\$", text), "a place to fill in"
        text = re.sub(r"\\([\\$}])", r"\1", text)
    if client == "Neovim" and not is_snippet:
        return text.partition("\n")[0]
    adjusts = client == "Visual Studio Code" and item.insert_text_mode is not types.InsertTextMode.AsIs
    if client == "Neovim" or adjusts:
        line = buffer.line_prefix
        indent = line[: len(line) - len(line.lstrip())]
        return re.sub(r"\n(?=[^\r\n])", "\n" + indent, text)
    return text
