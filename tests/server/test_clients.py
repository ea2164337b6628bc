"""What `initialize` tells of real editors."""

from __future__ import annotations

from typing import Any

import pytest

from tabby_ls.server.capabilities import position_encoding
from tabby_ls.server.clients import Client, Indentation, describe_client
from tests.support.profiles import GHOST_TEXT, MENU_ONLY, VS_CODE, recorded

NAMELESS = Client(replaces_behind=False)


def described(params: Any) -> Client:
    return describe_client(params.get("clientInfo", {}).get("name", ""), params["capabilities"])


def completion(**capabilities: Any) -> Client:
    return described({"capabilities": {"textDocument": {"completion": capabilities}}})


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (
            recorded("nvim"),
            Client(
                name="neovim",
                shows_ghost_text=True,
                may_not_show_it=True,
                indentation=Indentation.ADDS,
                takes_markdown=True,
                needs_snippets=True,
                pulls_configuration=True,
                shows_progress=True,
                opens_documents=True,
                names_server=True,
                longest_message=54,
            ),
        ),
        (
            recorded("helix"),
            Client(
                name="helix",
                assumes_markdown=True,
                pulls_configuration=True,
                registers_watchers=True,
                shows_progress=True,
                opens_documents=True,
                has_message_line=True,
                asks_once=True,
            ),
        ),
        (
            recorded("eglot"),
            Client(
                name="eglot",
                assumes_markdown=True,
                pulls_configuration=True,
                registers_watchers=True,
                shows_progress=True,
                opens_documents=True,
                longest_wait=0.4,
            ),
        ),
        (
            VS_CODE,
            Client(
                name="visual studio code",
                shows_ghost_text=True,
                takes_markdown=True,
                takes_insert_mode=True,
                pulls_configuration=True,
                registers_completion=True,
                shows_progress=True,
            ),
        ),
        (GHOST_TEXT, Client(name="ghost", shows_ghost_text=True, pulls_configuration=True)),
        (MENU_ONLY, Client(name="menu")),
        ({"capabilities": {}}, NAMELESS),
    ],
)
def test_what_is_known_of_an_editor(params: Any, expected: Client) -> None:
    assert described(params) == expected


@pytest.mark.parametrize("said", [{}, {"apiKey": True}, {"apiKey": {"variable": "KEY", "command": "Ask"}}])
def test_where_a_plugin_keeps_the_key(said: Any) -> None:
    client = described({"capabilities": {"experimental": {"tabby-ls": {"status": True} | said}}})
    known = isinstance(said.get("apiKey"), dict)
    assert (client.key_variable, client.key_command) == (("KEY", "Ask") if known else ("", ""))


def test_a_plugin_that_leaves_the_cursor_behind_all_of_the_text_says_so() -> None:
    assert described({"capabilities": {"experimental": {"tabby-ls": {"movesBehind": True}}}}).moves_behind
    assert not described(GHOST_TEXT).moves_behind


def test_a_client_that_adjusts_indentation_unless_told_otherwise() -> None:
    mode = {"insertTextModeSupport": {"valueSet": [1, 2]}}
    assert completion(insertTextMode=2).indentation is Indentation.ADDS
    assert completion(insertTextMode=2, completionItem=mode).indentation is Indentation.KEEPS
    assert completion(insertTextMode=1).indentation is Indentation.KEEPS


def test_a_plugins_menu_in_neovim_takes_text_as_it_is() -> None:
    """nvim-cmp and blink say so through the insert mode; the built-in menu knows none."""
    items = {"snippetSupport": True, "insertTextModeSupport": {"valueSet": [1]}}
    params = {
        "clientInfo": {"name": "Neovim"},
        "capabilities": {"textDocument": {"completion": {"completionItem": items}}},
    }
    client = described(params)
    assert client.indentation is Indentation.KEEPS
    assert not client.needs_snippets


@pytest.mark.parametrize("nonsense", [5, "x", None, [{}], {"x": 1}])
def test_capabilities_that_are_none_count_for_nothing(nonsense: Any) -> None:
    item = {"insertTextModeSupport": {"valueSet": nonsense}, "documentationFormat": nonsense}
    assert completion(completionItem=item) == NAMELESS
    assert (
        described({"capabilities": {"experimental": {"tabby-ls": nonsense}, "window": nonsense}}) == NAMELESS
    )
    assert position_encoding({"general": {"positionEncodings": nonsense}}) == "utf-16"


@pytest.mark.parametrize("capability", [{}, {"dynamicRegistration": True}])
def test_ghost_text_counts_as_shown_where_the_capability_is_there(capability: Any) -> None:
    assert described({"capabilities": {"textDocument": {"inlineCompletion": capability}}}).shows_ghost_text
