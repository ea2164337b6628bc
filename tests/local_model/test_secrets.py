"""A key in a file is never learned, wherever it is; ordinary code is."""

from __future__ import annotations

import random
import string

import pytest

from tabby_ls.local_model.secrets import holds_secret
from tabby_ls.local_model.tokens import tokenize


def random_key(length: int, alphabet: str, seed: int) -> str:
    return "".join(random.Random(seed).choices(alphabet, k=length))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("alphabet", [string.ascii_letters + string.digits, "0123456789abcdef"])
def test_a_random_string_of_32_characters_is_a_secret(seed: int, alphabet: str) -> None:
    assert holds_secret(f'TOKEN = "{random_key(32, alphabet, seed)}"')


@pytest.mark.parametrize(
    "line",
    [
        "aws_key = 'AKIA" + "ABCDEFGH12345678'",
        'password = "correct-horse"',
        '"api_key": "abcdefghijkl",',
        "secret='abcdef'",
        "client = Client(secret='hunter2hunter2')",
        "Authorization: Bearer eyJ" + "hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.x",
    ],
)
def test_what_is_called_a_secret_is_one(line: str) -> None:
    assert holds_secret(line)


@pytest.mark.parametrize(
    "line",
    [
        "def test_a_very_long_name_of_a_function_with_many_words(self):",
        "from django.contrib.contenttypes.fields import GenericForeignKey",
        "AbstractAutowireCapableBeanFactoryPostProcessor2 factory;",
        "password = getpass.getpass()",
        "token = self.next_token()",
        'path = "src/components/button/button.component.spec.ts"',
        "x = 0x7fffffff + 1234567890123456789012",
        "-----------------------------------------------------",
    ],
)
def test_code_is_no_secret(line: str) -> None:
    assert not holds_secret(line)


def test_the_line_with_a_secret_is_as_if_it_were_not_there() -> None:
    secret = 'key = "' + random_key(40, string.ascii_letters + string.digits, 1) + '"'
    assert tokenize(f"a = 1\n    {secret}\nb = 2") == tokenize("a = 1\nb = 2")
