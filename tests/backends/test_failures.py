"""What the user reads when a server fails: which one, what happened, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from tabby_ls.backends.backend import Trouble
from tabby_ls.backends.failures import explain
from tabby_ls.completions import (
    AuthenticationError,
    CompletionError,
    ModelNotLoadedError,
    NotFoundError,
    RequestError,
    ServerError,
)
from tabby_ls.settings import BackendSettings

URL = "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    ("error", "trouble", "advice"),
    [
        (RequestError("x", code="timeout"), Trouble.TIMEOUT, "did not answer in time"),
        (RequestError("x", code="connection_error"), Trouble.UNREACHABLE, "is it running?"),
        (RequestError("x", code="certificate_error"), Trouble.UNREACHABLE, "ca_file"),
        (RequestError("x", code="proxy_error"), Trouble.UNREACHABLE, "NO_PROXY"),
        (ModelNotLoadedError("Loading model", status=503), Trouble.NO_MODEL, "is still loading its model"),
        (ModelNotLoadedError("no model", status=503), Trouble.NO_MODEL, "load one in TabbyAPI"),
        (NotFoundError("x", status=404), Trouble.REFUSED, "is its url right, and is it TabbyAPI?"),
        (ServerError("x", status=501), Trouble.CHANGED, "cannot fill in with its model"),
        (ServerError("x", status=504), Trouble.UNREACHABLE, "is that running?"),
        (ServerError("it burns", status=500), Trouble.FAILED, "failed: it burns"),
    ],
)
def test_a_failure_says_where_and_what_to_do(error: CompletionError, trouble: Trouble, advice: str) -> None:
    told = explain(error, URL, "TabbyAPI", BackendSettings(url=URL), sent_key=True)
    assert told.trouble is trouble
    assert URL in told.message
    assert advice in told.message


@pytest.mark.parametrize(
    ("settings", "sent_key", "advice"),
    [
        ({"api_key_file": "/a"}, True, "from the command or file in your settings"),
        ({"api_key_command": ["a"]}, True, "from the command or file in your settings"),
        ({"api_key_env": "MY_KEY"}, True, "from the environment variable MY_KEY."),
        ({"api_key_env": "MY_KEY"}, False, "MY_KEY, which is not set"),
        ({"api_key_env": ""}, False, "name one with api_key_env, api_key_file or api_key_command"),
    ],
)
def test_a_refused_key_is_looked_for_where_it_came_from(
    settings: dict[str, Any], sent_key: bool, advice: str
) -> None:
    error = AuthenticationError("x", status=401)
    told = explain(error, URL, "TabbyAPI", BackendSettings(url=URL, **settings), sent_key=sent_key)
    assert told.trouble is Trouble.UNAUTHORIZED
    assert advice in told.message


def test_a_servers_words_do_nothing_to_the_users_terminal() -> None:
    error = ServerError("it \x1b[31mburns", status=500)
    assert "\x1b" not in explain(error, URL, "TabbyAPI", BackendSettings(), sent_key=False).message
