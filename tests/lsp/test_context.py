"""What of the session reaches the server's prompt, and what never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.editor import Editor
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

STORE = """class InvoiceStore:
    def add_invoice(self, number, amount):
        self._write(number, amount)

    def invoices_of(self, customer):
        return self._read(customer)
|"""
MAIN = "from store import InvoiceStore\n\nstore = InvoiceStore()\nstore.|\n"


def prompts(backend: ScriptedTabbyAPI) -> str:
    return "\n".join(request.body["prompt"] for request in backend.completions)


async def test_another_open_file_is_in_the_prompt_ahead_of_the_window(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("add_invoice(1, 2)\n")
    async with Editor(tmp_path, backend=backend.url) as editor:
        editor.open(STORE, uri=(tmp_path / "store.py").as_uri())
        editor.open(MAIN, uri=(tmp_path / "main.py").as_uri())
        assert await editor.ghost(invoked=True)
    prompt = backend.completions[-1].body["prompt"]
    assert "def add_invoice(self, number, amount)" in prompt
    assert prompt.index("def add_invoice") < prompt.index("store = InvoiceStore()")
    assert str(tmp_path) not in prompt


async def test_no_other_file_is_in_the_prompt_if_the_user_says_so(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("add_invoice(1, 2)\n")
    settings = {"context": {"snippets": False}}
    async with Editor(tmp_path, backend=backend.url, settings=settings) as editor:
        editor.open(STORE, uri=(tmp_path / "store.py").as_uri())
        editor.open(MAIN, uri=(tmp_path / "main.py").as_uri())
        assert await editor.ghost(invoked=True)
    assert "add_invoice" not in prompts(backend)


@pytest.mark.parametrize("rules", [".gitignore", ".tabbyignore"])
async def test_an_ignored_file_is_neither_completed_by_the_server_nor_shown_to_it(
    tmp_path: Path, backend: ScriptedTabbyAPI, rules: str
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / rules).write_text("store.py\n")
    backend.reply("add_invoice(1, 2)\n")
    async with Editor(tmp_path, backend=backend.url) as editor:
        editor.open(STORE, uri=(tmp_path / "store.py").as_uri())
        await editor.ghost(invoked=True)
        assert "gnore" in await editor.run("tabby-ls.why")
        assert backend.completions == []
        editor.open(MAIN, uri=(tmp_path / "main.py").as_uri())
        await editor.ghost(invoked=True)
        await eventually(lambda: backend.completions)
    assert "add_invoice" not in prompts(backend)


async def test_the_local_model_completes_in_a_file_that_git_ignores(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("settings_local.py\n")
    with_local = {"TABBY_LS_LOCAL_FALLBACK": "true"}
    async with Editor(tmp_path, backend=backend.url, environment=with_local) as editor:
        text = (
            "first = configure(path, retries=3)\nsecond = configure(path, retries=3)\nthird = configure(pa|\n"
        )
        editor.open(text, uri=(tmp_path / "settings_local.py").as_uri())
        items = await editor.ghost(invoked=True)
    assert items
    assert backend.completions == []


async def test_a_secret_never_leaves_even_from_the_file_beside(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    key = "AKIA" + "Z7Q2M4N6P8R1T3V5"
    backend.reply("add_invoice(1, 2)\n")
    async with Editor(tmp_path, backend=backend.url) as editor:
        secret = STORE.replace("self._write(number, amount)", f'self._write(number, amount, key="{key}")')
        editor.open(secret, uri=(tmp_path / "store.py").as_uri())
        editor.open(f"InvoiceStore = 1\nTOKEN=1|\nadd_invoice = '{key}'\n", uri=(tmp_path / ".env").as_uri())
        await editor.ghost(invoked=True)
        editor.open(MAIN, uri=(tmp_path / "main.py").as_uri())
        assert await editor.ghost(invoked=True)
    assert "add_invoice" in prompts(backend)
    assert key not in prompts(backend)
