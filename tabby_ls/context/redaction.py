"""Redacts keys and passwords in the text of ordinary files before it leaves the machine.

The line stays, only the value goes, so that a model still sees where it is. Whole files are refused by their names
alone (`privacy.py`): by content a test with a made-up password would be refused too, and nobody would know why.

Told apart from keys, because code is full of them: hexadecimal digests and commit ids (a hexadecimal string counts only
where a name says that it is a key), integrity hashes of lock files, long names and paths, minified code, embedded data,
placeholders, and whatever is computed rather than written down.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: What stands for a value: a word, so that quotes and syntax around it stay as they were.
REDACTED = "REDACTED"

#: Keys that say what they are. Sources: the issuers' own documentation of their formats.
_KNOWN = re.compile(
    r"\b(?:"
    r"A(?:KIA|SIA)[0-9A-Z]{16}"
    r"|gh[pousr]_\w{30,}|github_pat_\w{22,}"
    r"|glpat-[\w-]{20,}"
    r"|xox[abeoprs]-[\w-]{10,}"
    r"|sk-[\w-]{20,}|[sr]k_(?:live|test)_\w{16,}"
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,}"
    r"|npm_\w{36}|pypi-[\w-]{50,}|hf_\w{30,}|dop_v1_\w{60,}|shp(?:at|ss)_\w{30,}"
    r"|SG\.[\w-]{20,}\.[\w-]{40,}"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}(?:\.[\w-]*)?"
    r")"
)
#: A literal given to a name that ends with such a word; the literal may still be open, at the cursor.
_NAMED = re.compile(
    r"(?:(?P<word>passw(?:or)?d|passphrase|pwd)|secret|token|credentials?|api[_-]?key|access[_-]?key|auth[_-]?key"
    r"|private[_-]?key|secret[_-]?key|encryption[_-]?key)"
    r"['\"\]]*\s*(?::\s*\w+\s*)?(?:=>|[:=]=?|,)\s*[rbuf]?(?P<quote>['\"])(?P<value>[^'\"\s{}<>$%]{6,})(?:(?P=quote)|$)",
    re.IGNORECASE,
)
#: The same without quotes, as shells and YAML have it: then it must be the rest of the line.
_BARE = re.compile(
    r"(?:secret|token|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|auth[_-]?key|private[_-]?key)"
    r"\s*[:=]\s*(?P<value>[A-Za-z0-9+/_=-]{16,})\s*$",
    re.IGNORECASE,
)
#: A password before the host of an address.
_IN_URL = re.compile(r"://[^\s/:@'\"]+:(?P<value>[^\s/:@'\"{}<>$]{3,})@")
#: Runs as keys have them. What precedes tells integrity hashes; what follows, that a run is only part of something.
_RUN = re.compile(r"(?<![A-Za-z0-9+/_=.-])(?P<value>[A-Za-z0-9+/_=-]{32,200})(?![A-Za-z0-9+/_=-])")
_INTEGRITY = re.compile(r"sha\d{1,3}-|h1:")
#: In a value that is meant to be replaced by the reader.
_PLACEHOLDER = re.compile(
    r"(?:x{3,}|\*{3,}|\.{3,}|example|sample|dummy|placeholder|change.?me|your[-_]|my[-_]|foo|bar|secret$|password$|redacted)",
    re.IGNORECASE,
)
#: Where lower case, upper case and digits follow each other.
_CLASS_CHANGE = re.compile(r"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[a-z0-9]|(?<=[0-9])[A-Za-z]")
#: A run that changes between lower case, upper case and digits at this share of its characters counts as random:
#: random base 62 does so at .62 of them, camel case at .2 to .35.
_CHANGES = 0.45
#: What encloses a private key in PEM (RFC 7468).
_BEGIN, _END = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "-----END"
#: Characters of the shortest line in which anything is found: `://u:pwd@`.
_SHORTEST_LINE = 9
#: Longer lines, in characters, are data or minified: only keys that say what they are are looked for.
_LONGEST_LINE = 2000


def redact(text: str) -> str:
    """Return `text` with the keys and passwords in it replaced by `REDACTED`. Cheap for lines seen before."""
    lines = text.split("\n")
    redacted = [_redact_line(line) if len(line) >= _SHORTEST_LINE else line for line in lines]
    if "PRIVATE KEY-----" in text:
        _redact_blocks(redacted)
    return "\n".join(redacted)


@lru_cache(maxsize=8192)
def _redact_line(line: str) -> str:
    line = _KNOWN.sub(REDACTED, line)
    if len(line) > _LONGEST_LINE:
        return line
    line = _NAMED.sub(_named, line)
    line = _BARE.sub(_bare, line)
    if "://" in line:
        line = _IN_URL.sub(_in_url, line)
    return _RUN.sub(_run, line)


def _redact_blocks(lines: list[str]) -> None:
    inside = False
    for number, line in enumerate(lines):
        if inside and _END not in line:
            lines[number] = REDACTED if line.strip() else line
        inside = bool(_BEGIN.search(line)) or (inside and _END not in line)


def _named(match: re.Match[str]) -> str:
    value = match["value"]
    has_digit = any(map(str.isdigit, value))
    is_key = len(value) >= 12 and has_digit and any(map(str.isalpha, value))
    is_password = match["word"] is not None and (has_digit or any(sign in value for sign in "!@#^&*"))
    return _without(match) if (is_key or is_password) and not _PLACEHOLDER.search(value) else match[0]


def _bare(match: re.Match[str]) -> str:
    value = match["value"]
    digits = sum(map(str.isdigit, value))
    return (
        _without(match)
        if digits >= 2 and digits < len(value) and not _PLACEHOLDER.search(value)
        else match[0]
    )


def _in_url(match: re.Match[str]) -> str:
    return match[0] if _PLACEHOLDER.search(match["value"]) else _without(match)


def _run(match: re.Match[str]) -> str:
    value = match["value"]
    if _INTEGRITY.match(value) or match.string[max(0, match.start() - 3) : match.start()] == "h1:":
        return match[0]
    changes = len(_CLASS_CHANGE.findall(value))
    return REDACTED if changes >= _CHANGES * len(value) and any(map(str.isupper, value)) else match[0]


def _without(match: re.Match[str]) -> str:
    start, end = match.span("value")
    return match[0][: start - match.start()] + REDACTED + match[0][end - match.start() :]
