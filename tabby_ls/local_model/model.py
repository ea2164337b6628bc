"""The local model: predicts what follows a cursor from the text of the document, other open ones and the workspace.

It has nothing to say where nothing was said before. A prediction runs through the modules of this package in this
order:

    tokens      text to tokens, without loss
    buffer      the document itself, taken apart; where its context occurs in it
    library     what else there is to look in: other open documents, saved indexes of the workspace
    segment     where the context occurs in one of those
    blend       the counts of what came next there, as probabilities
    analogues   lines like this one with names exchanged
    decode      the most probable token, then the next one, until the text is too improbable
    features    each decoded token's evidence, in numbers
    calibrator  those numbers to the probability that the token is right, as learned from public sources
    cut         how much of the decoded text is worth showing

The indexes are made by `build`, in a process that `indexer` starts, of the `files` worth it, and kept by `index`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic

import platformdirs
from attrs import frozen

from tabby_ls.local_model import calibrator
from tabby_ls.local_model.blend import Source
from tabby_ls.local_model.buffer import Buffer, Cursor
from tabby_ls.local_model.cut import CROSSING, best_cut, fits
from tabby_ls.local_model.decode import Step, decode
from tabby_ls.local_model.library import Library, path_of
from tabby_ls.private_files import is_private

#: Lines of a suggestion at most: the calibrator was trained on texts of up to so many.
_MOST_LINES = 3


@frozen
class Query:
    """What comes between `prefix` and `suffix` of the document at `path` (a path or a file URI)?

    The texts are windows around the cursor, with LF line ends. `threshold` is the probability, 0 to 1, that a
    suggestion must have of being right to its last character; the caller may raise it after a suggestion was
    typed past. `max_lines` bounds how many lines the suggestion has; more than 3 are never given.
    """

    path: str
    prefix: str
    suffix: str
    threshold: float
    max_lines: int


@frozen
class Prediction:
    """The text to insert, and the probability that all of it is what the user was about to type."""

    text: str
    probability: float


class LocalModel:
    """One per process; may be used from several threads. Nothing in it is asynchronous."""

    def __init__(self, cache_dir: Path | None = None) -> None:
        """Keep saved indexes in `cache_dir`, by default the platform's folder for caches."""
        self.cache_dir = cache_dir or Path(platformdirs.user_cache_dir("tabby-ls", appauthor=False))
        self._library = Library(self.cache_dir)
        #: The last one; never changed, only replaced.
        self._buffer: Buffer | None = None

    def open_document(self, path_or_uri: str, text: str) -> None:
        """Take in the text of a document that was opened, saved or paused in. It replaces what the index says."""
        self._library.open(path_or_uri, text)

    def close_document(self, path_or_uri: str) -> None:
        """Forget an open document; what is on disk counts again."""
        self._library.close(path_or_uri)

    def add_root(self, root: Path) -> None:
        """Use the saved index of a workspace folder, if there is one. Takes some tens of milliseconds for 20 MB.

        Call it again after the index was built (see `indexer.py`) to change over to the new one.
        """
        self._library.add_root(root)

    def remove_root(self, root: Path) -> None:
        """Stop using a workspace folder."""
        self._library.remove_root(root)

    def indexed(self, path_or_uri: str) -> list[tuple[Path, Source]]:
        """Return the saved indexes in use with their folders, weighted for a document: to look words up in."""
        return self._library.indexed(path_of(path_or_uri))

    def predict(self, query: Query, *, deadline: float, cancelled: Callable[[], bool]) -> Prediction | None:
        """Return what most likely follows the cursor; None if nothing is likely enough, or if cancelled.

        `deadline` is in seconds from now; at the deadline the text so far is judged. `cancelled` is asked between
        steps. Takes milliseconds, all of them in Python: call it in a thread.
        """
        ends = monotonic() + deadline
        path = path_of(query.path)
        if is_private(path):
            return None
        cursor = Cursor.at(query.prefix, query.suffix, self._buffer)
        self._buffer = cursor.buffer
        if not fits(cursor):
            return None
        # Other documents may take half of the time; what is left of them is for the next prediction.
        sources = self._library.sources(path, lambda: cancelled() or monotonic() > ends - deadline / 2)
        try:
            steps = self._steps(cursor, sources, query, lambda: cancelled() or monotonic() > ends)
        except (IndexError, ValueError):  # an index whose checksum is right and whose numbers are not
            return None
        if cancelled():
            return None
        cut = best_cut(cursor, steps, query.threshold)
        return None if cut is None else Prediction(cut.text, cut.probability)

    def _steps(
        self, cursor: Cursor, sources: list[Source], query: Query, stop: Callable[[], bool]
    ) -> list[Step]:
        steps: list[Step] = []
        for step in decode(
            cursor,
            sources,
            calibrator.load().probability,
            least=query.threshold,
            crossing=max(CROSSING, query.threshold),
            lines=min(query.max_lines, _MOST_LINES),
        ):
            steps.append(step)
            if stop():
                break
        return steps
