"""How far a stream is read: to the end of a suggestion, and for a single line also the line after it.

The first suggestion ends where its mode says, and is shown at once. The stream that brought it costs next to nothing to
read on, while another request would cost a prompt: so the stream of a single line is read on for the line below, which is
then known when the first was accepted and Enter pressed. No further: what is never shown was generated in vain. Of a
block, whose end shows by the line after it, that line is there already.
"""

from __future__ import annotations

from attrs import evolve, field, frozen

from tabby_ls.engine.shaping.cut import cut
from tabby_ls.engine.shaping.lines import is_repeat
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.shaping.place import place_of
from tabby_ls.engine.snapshot import Snapshot, Suggestion, accepted


@frozen(slots=True)
class Reach:
    """`text` is what can be used so far, and `stops` the lines of it with which a suggestion ends.

    Once `ended`, nothing that follows is wanted. `rule` says why the first suggestion ended, as :class:`Cut` does.
    """

    text: str
    stops: tuple[int, ...]
    ended: bool
    rule: str = field(default="", eq=False)


def reach(text: str, snapshot: Snapshot, mode: Mode, *, finished: bool) -> Reach:
    """Return what of a stream's `text` so far is of use; `finished` if nothing follows."""
    first = cut(text, snapshot, mode, finished=finished)
    if not first.ended:
        return Reach(first.text, (), False)
    stop = first.text.count("\n")
    alone = Reach(first.text, (stop,), True, first.rule)
    if not text.startswith(first.text + "\n") or not _is_end_of_line(first.text, snapshot):
        return alone
    blank, line, is_whole = _next_line(text[len(first.text) :], finished=finished)
    if not is_whole:
        is_wanted = mode in (Mode.ONE_LINE, Mode.LINE) and stop == 0
        return Reach(first.text + blank + line, (stop,), False, first.rule) if is_wanted else alone
    then = accepted(snapshot, Suggestion(first.text, len(snapshot.line_suffix)))
    then = evolve(accepted(then, Suggestion(blank)), suffix="\n" + snapshot.following)
    as_cut = cut(line + "\n", then, Mode.ONE_LINE, finished=True).text
    below = place_of(snapshot).following
    if as_cut.partition("\n")[0] != line or (below is not None and is_repeat(line, below)):
        return alone
    return Reach(first.text + blank + line, (stop, stop + blank.count("\n")), True, first.rule)


def _is_end_of_line(first: str, snapshot: Snapshot) -> bool:
    """Return whether the first suggestion leaves nothing behind it on its line."""
    rest = snapshot.line_suffix.strip()
    return not rest or first.rstrip().endswith(rest)


def _next_line(text: str, *, finished: bool) -> tuple[str, str, bool]:
    """Return the line ends and blank lines that `text` begins with, the line after them, and whether it is whole."""
    start = len(text) - len(text.lstrip())
    start = text.rfind("\n", 0, start) + 1
    line, newline, _ = text[start:].partition("\n")
    return text[:start], line, bool(line.strip() and (newline or finished))
