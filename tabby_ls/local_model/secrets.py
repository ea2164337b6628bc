"""Recognises lines that seem to hold a key or a password: they are never learned from, and so never suggested.

The model repeats verbatim: rather a line too many left out than a key in another file.
"""

from __future__ import annotations

import re

#: Runs as keys have them; what is in one is looked at below.
_RUN = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_=-]{20,}")
#: How the keys of known services begin: AWS, GitHub, GitLab, Slack, OpenAI, Stripe, and JSON Web Tokens.
_MARKED = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}|\b(?:gh[opsu]_|github_pat_|glpat-|xox[abprs]-|sk-|rk_live_|sk_live_|eyJ)\w{8}"
)
#: A literal given to something that is called a password.
_NAMED = re.compile(
    r"(?:passw(?:or)?d|passphrase|secret|api_?key|auth_?token|access_?key)['\"]?\s*[:=]\s*['\"][^'\"\s]{6,}['\"]",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"[0-9]")
_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[A-Za-z])\d|(?<=\d)[A-Za-z]")
_CASE_CHANGE = re.compile(r"(?<=[a-z])[A-Z]|(?<=[A-Z])[a-z]")
#: Random base 62 changes between letters and digits, or between cases, at more than every second character; names
#: in camel case do at every third, and paths and other names hardly ever go from letters to digits.
_FEWEST_CHANGES = 5
_CHANGES_PER_CHARACTER = 0.45
#: Characters of the shortest line in which `_NAMED` finds anything, `secret='abcdef'`; keys are longer.
_SHORTEST = 15


def holds_secret(line: str) -> bool:
    """Return whether `line` seems to hold a key, a password or another long random string."""
    if len(line) < _SHORTEST:
        return False
    if _DIGIT.search(line) and (any(map(_is_random, _RUN.findall(line))) or _MARKED.search(line)):
        return True
    # Quotes are the cheapest thing to look for.
    return ("'" in line or '"' in line) and _NAMED.search(line) is not None


def _is_random(run: str) -> bool:
    digits = len(_LETTER_BESIDE_DIGIT.findall(run))
    if digits >= max(_FEWEST_CHANGES, len(run) // 8):
        return True
    return digits + len(_CASE_CHANGE.findall(run)) >= _CHANGES_PER_CHARACTER * len(run)
