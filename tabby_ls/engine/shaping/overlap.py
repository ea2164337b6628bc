"""Fits a suggestion to the rest of the line: what of that it contains already becomes the replaced range."""

from __future__ import annotations

from itertools import islice, takewhile

from tabby_ls.engine.shaping.brackets import Nesting, where_closed, where_mismatched
from tabby_ls.engine.shaping.lines import indent_of, lines_upwards, squeezed
from tabby_ls.engine.shaping.place import place_of
from tabby_ls.engine.snapshot import Snapshot, Suggestion

#: Characters before the cursor in which brackets and quotes are counted: lines can be very long.
_NEAR = 500
#: How many ways to overlap are looked at. Only in rulers and the like are there more than one or two.
_TRIED = 16
#: Lines above the cursor in which a bracket may have been opened, and how a line ends before which none is.
_LINES_ABOVE = 10
_ENDS = (":", ";", "{", "}", '"""')
#: What is not written twice in a row, besides words.
_SINGLE = frozenset(")]}\"'`,;")
_PAIRED = frozenset("()[]{}\"'`")
#: Closers that a text may have behind the rest of the line.
_CLOSING = 4


def fit_to_rest(text: str, snapshot: Snapshot) -> Suggestion:
    """Return the edit that puts `text` between the two parts of the cursor's line.

    Where `text` ends with the beginning of the rest of the line, that much is replaced, as long as brackets
    and quotes fit: `(|)` and `a, b)` make `(a, b)`, while `(|)` and `f(a)` make `(f(a))`. Where it says all of
    the rest in other words, with other spaces or more behind it, it ends before that.
    """
    rest = snapshot.line_suffix
    if not rest.strip():
        return Suggestion(text)
    start, stays_open = _start(snapshot), _may_stay_open(snapshot)
    replaced = _replaced(text, rest, start, stays_open=stays_open)
    if replaced:
        return Suggestion(text, replaced)
    if _tells(rest) and (repeated := _where_repeated(text, rest)) is not None:
        return Suggestion(text[:repeated])
    if replaced is not None:
        return Suggestion(text)
    # What was opened before the cursor and is closed behind it ends the text where the text closes it too.
    closer = where_closed(text, rest.lstrip()[0], start)
    if closer < 0:
        mismatch = -1 if start.quote else where_mismatched(text, start)
        return Suggestion(text if mismatch < 0 else text[:mismatch])
    shorter = text[:closer] + _shared_beginning(text[closer:], rest.lstrip())
    replaced = _replaced(shorter, rest, start, stays_open=stays_open)
    return Suggestion(text[:closer]) if replaced is None else Suggestion(shorter, replaced)


def _replaced(text: str, rest: str, start: Nesting, *, stays_open: bool) -> int | None:
    """Return how many characters of `rest` an edit replaces whose `text` fits into its line, None if it does not.

    It fits if the line is as balanced afterwards as it was before, or more so if it was not.
    """
    lengths = (k for k in range(min(len(text), len(rest)), 0, -1) if _overlap(text, rest, k))
    overlaps = list(islice(lengths, _TRIED))
    if len(rest) in overlaps and _tells(rest):
        return len(rest)
    after = start.after(text)
    lines = {k: after.after(rest[k:]) for k in (*overlaps, 0)}
    before = start.after(rest)
    if before.is_sound and (stays_open or not before.opened):
        return next((k for k, line in lines.items() if line == before), None)
    best = min(lines, key=lambda k: lines[k].defects)
    return best if lines[best].defects <= before.defects else None


def _may_stay_open(snapshot: Snapshot) -> bool:
    """Return whether a bracket that the cursor's line leaves open is closed further down."""
    place = place_of(snapshot)
    following = place.following
    return following is not None and (
        indent_of(following) > indent_of(place.before) or place.language.closes_block(following)
    )


def _start(snapshot: Snapshot) -> Nesting:
    """Return the nesting at the cursor, with the brackets that the lines above leave open."""
    before = snapshot.line_prefix
    end = len(snapshot.prefix) - len(before)
    opened, language = "", place_of(snapshot).language
    for line in islice(lines_upwards(snapshot.prefix, end), _LINES_ABOVE):
        code = language.code_of(line)
        nesting = Nesting().after(code)
        if not code or nesting.quote or (code.endswith(_ENDS) and not nesting.opened):
            break
        opened = nesting.opened + opened if not nesting.closed else opened
    return Nesting(opened=opened).after(before[-_NEAR:])


def _tells(rest: str) -> bool:
    """Return whether `rest` is more than brackets, so that writing it twice can only be a mistake."""
    besides = [char for char in rest if not (char.isspace() or char in _PAIRED)]
    return len(besides) > 1 or (len(besides) == 1 and not _PAIRED.intersection(rest))


def _where_repeated(text: str, rest: str) -> int | None:
    """Return the index from which `text` says what `rest` says, whatever the spaces, and then closes at most."""
    wanted = squeezed(rest)
    # From the right: where the same number of characters, or some closers more, remain.
    said = ""
    for index in range(len(text) - 1, -1, -1):
        if text[index].isspace():
            continue
        said = text[index] + said
        if len(said) > len(wanted) + _CLOSING:
            return None
        more = said[len(wanted) :]
        if said.startswith(wanted) and all(char in ")]};," for char in more):
            return None if _splits_word(text, index) else index
    return None


def _shared_beginning(one: str, other: str) -> str:
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def completes(line: str, rest: str) -> bool:
    """Return whether `line` ends with all of the `rest` of the cursor's line, and adds to it."""
    return len(line.strip()) > len(rest.strip()) and _overlap(line.rstrip(), rest.strip(), len(rest.strip()))


def _overlap(text: str, rest: str, length: int) -> bool:
    """Return whether `text` ends with so much of `rest`, and not in the middle of a word or of an indentation."""
    shared = rest[:length]
    if not text.endswith(shared):
        return False
    if not shared.strip():
        return "\n" not in text
    # An operator may be half of another one: `=` before `= 1`.
    if length < len(rest) and not any(_is_word(char) or char in _SINGLE for char in shared):
        return False
    return not (_splits_word(text, len(text) - length) or _splits_word(rest, length))


def _splits_word(text: str, index: int) -> bool:
    return 0 < index < len(text) and _is_word(text[index - 1]) and _is_word(text[index])


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
