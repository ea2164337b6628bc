"""The Markdown pages of the repository, read as a reader of it would: links, anchors, code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from attrs import frozen
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
_PLACES = ("*.md", "docs/**/*.md", "editors/*/*.md", "editors/*/walkthrough/*.md", "tests/wire/*.md")
#: Every page; what is installed into editors/ (node_modules) has pages of its own, which are not ours.
PAGES = sorted({page for place in _PLACES for page in ROOT.glob(place)})


@frozen
class Block:
    """A block of code, and where it stands."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def name(page: Path) -> str:
    """Return a page's path in the repository."""
    return page.relative_to(ROOT).as_posix()


@cache
def tokens(page: Path) -> tuple[Token, ...]:
    """Return what a page consists of, what is inside of other things included."""
    parsed = MarkdownIt().enable("table").parse(page.read_text("utf-8"))
    return tuple(inner for token in parsed for inner in (token, *(token.children or ())))


def links(page: Path) -> list[str]:
    """Return where a page's links and pictures lead, as they are written."""
    targets = {"link_open": "href", "image": "src"}
    return [str(token.attrs[targets[token.type]]) for token in tokens(page) if token.type in targets]


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the names that headings have, as web views of repositories make them."""
    found: list[str] = []
    following = zip(tokens(page), tokens(page)[1:], strict=False)
    for heading in (after for token, after in following if token.type == "heading_open"):
        words = "".join(part.content for part in heading.children or ())
        slug = re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return frozenset(found)


def blocks(language: str) -> list[Block]:
    """Return the blocks of code in one language on all pages."""
    return [
        Block(name(page), token.map[0] + 1 if token.map else 0, token.content)
        for page in PAGES
        for token in tokens(page)
        if token.type == "fence" and token.info.strip() == language
    ]


def quoted() -> Iterator[tuple[str, str]]:
    """Yield each page with every piece of code in its sentences."""
    for page in PAGES:
        for token in tokens(page):
            if token.type == "code_inline":
                yield name(page), token.content
