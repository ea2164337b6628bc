"""Keys and passwords in text, and what only looks like them.

The keys are made up; they are put together here so that no scanner of this repository takes them for real ones.
"""

from __future__ import annotations

import hashlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.context.redaction import REDACTED, redact

RANDOM = "q7Zp2LkX9vTb4NwR8sYc3MdF6hGj1KaE"
HEXADECIMAL = hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    ("before", "secret", "after"),
    [
        ('aws = "', "AKIA" + "Z7Q2M4N6P8R1T3V5", '"'),
        ('token: "', "ghp_" + RANDOM + "abcd", '"'),
        ("git clone https://", "glpat-" + RANDOM[:20], "@gitlab.com/x.git"),
        ("curl -H 'Authorization: Bearer ", "sk-proj-" + RANDOM, "' https://api"),
        ('stripe.api_key = "', "sk_live_" + RANDOM[:24], '"'),
        ('jwt = "', "eyJ" + "hbGciOiJIUzI1NiJ9." + "eyJ" + "zdWIiOiIxMjM0In0." + RANDOM, '"'),
        ('key = "', "AIza" + RANDOM + "abc", '"'),
        ('password = "', "hunter2", '"'),
        ("DB_PASSWORD: '", "s3cr-t!pw", "'"),
        ('{"password": "', "tr0ub4dor&3", '"}'),
        ('connect(password="', "p4ssphrase", '")'),
        ('API_SECRET = "', HEXADECIMAL[:32], '"'),
        ("export SERVICE_TOKEN=", RANDOM, ""),
        ("api_key: ", HEXADECIMAL[:40], ""),
        ("DATABASE_URL=postgres://app:", "xK9mQ2vL", "@db.internal/app"),
        ("session = '", RANDOM + RANDOM[::-1], "'"),
        ('os.environ["API_KEY"] = "', RANDOM[:20], '"'),
        ('const apiKey: string = "', RANDOM[:24], '";'),
        ("://u:", "p4s", "@"),
        ('pwd="', "hunt3r", ""),
    ],
)
def test_the_value_goes_and_the_line_stays(before: str, secret: str, after: str) -> None:
    assert redact(before + secret + after) == before + REDACTED + after


@pytest.mark.parametrize(
    ("begins_with", "length"),
    [
        ("AKIA", 16),
        ("ASIA", 16),
        ("ghp_", 30),
        ("ghs_", 30),
        ("github_pat_", 22),
        ("glpat-", 20),
        ("xoxb-", 10),
        ("sk-", 20),
        ("sk_live_", 16),
        ("rk_test_", 16),
        ("AIza", 35),
        ("ya29.", 20),
        ("npm_", 36),
        ("pypi-", 50),
        ("hf_", 30),
        ("dop_v1_", 60),
        ("shpat_", 30),
        ("SG." + "A" * 20 + ".", 40),
        ("eyJ" + "A" * 10 + ".eyJ", 10),
    ],
)
def test_an_issuers_key_is_known_wherever_it_stands(begins_with: str, length: int) -> None:
    """By its beginning alone: nothing around it says that it is one, and nothing in it looks random."""
    assert redact(f"# see {begins_with}{'A' * length} there") == f"# see {REDACTED} there"


def test_a_key_that_is_being_typed_has_no_closing_quote_yet() -> None:
    assert redact('password = "hunter2') == f'password = "{REDACTED}'


def test_a_private_key_loses_its_inside() -> None:
    body = [RANDOM * 2, "short+line=="]
    begin, end = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
    text = "\n".join(['KEY = """', begin, *body, end, '"""', "x = 1"])
    assert redact(text) == "\n".join(['KEY = """', begin, REDACTED, REDACTED, end, '"""', "x = 1"])


@pytest.mark.parametrize(
    "line",
    [
        f'commit = "{HEXADECIMAL[:40]}"',
        f'    "sha256": "{HEXADECIMAL}",',
        'commit = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4"',
        'token = "123456789012"',
        "token: 12345678901234567890",
        "x" * 2000 + ' password = "hunter2"',
        f'sha256-digest = "{HEXADECIMAL}"',
        f'"integrity": "sha512-{RANDOM}{RANDOM}=="',
        f"golang.org/x/net v0.1.0 h1:{RANDOM}{RANDOM[:11]}=",
        f'uuid = "{HEXADECIMAL[:8]}-{HEXADECIMAL[8:12]}-4{HEXADECIMAL[13:16]}-8{HEXADECIMAL[17:20]}-{HEXADECIMAL[20:32]}"',
        'password = os.environ["DB_PASSWORD"]',
        "password = getpass.getpass()",
        'password = "password"',
        'password = "changeme123"',
        'password: "Enter your password"',
        'token_url = "https://example.com/oauth2/token"',
        'secret_name = "projects/one/secrets/two"',
        'if token == "identifier":',
        "token = self.tokens[position + 1]",
        'api_key = "your-api-key-123"',
        'API_KEY="${API_KEY_FROM_VAULT_2}"',
        'url = "https://user:password@example.com"',
        "class AbstractSingletonProxyFactoryBean2WithAVeryLongNameIndeed(Base):",
        'path = "src/components/navigation/SideBarNavigationItem2/index.tsx"',
        "THE_QUICK_BROWN_FOX_JUMPS_OVER_THE_LAZY_DOG_2 = 1",
        "import { useState, useEffect, useCallback, useMemo } from 'react'",
        'var a=function(e,t,n){return e.call(t,n)},b=Object.create(null);c.d2=function(){"use strict"}',
        'image = "data:image/png;base64,' + RANDOM * 20 + '"',
        "alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'",
    ],
)
def test_what_only_looks_like_a_key_stays(line: str) -> None:
    assert redact(line) == line


@given(st.text())
def test_lines_are_kept_and_what_is_redacted_stays_so(text: str) -> None:
    once = redact(text)
    assert once.count("\n") == text.count("\n")
    assert redact(once) == once


@pytest.mark.parametrize(
    "line", ["a" * 100_000, "=" * 100_000, "password = '" + "a1" * 50_000, "xY3" * 40_000]
)
def test_no_line_makes_it_slow_beyond_measure(line: str) -> None:
    """Twice the length takes about twice the time, not four times: measured against itself."""

    def seconds(text: str) -> float:
        redact.__globals__["_redact_line"].cache_clear()
        start = time.perf_counter()
        redact(text)
        return time.perf_counter() - start

    short = min(seconds(line[: len(line) // 10]) for _ in range(3))
    assert min(seconds(line) for _ in range(3)) < 60 * short + 0.05
