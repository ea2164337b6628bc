"""The examples of docs/completions.md run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

import tabby_ls.completions as package
from tabby_ls.completions import CompletionRequest, Timeouts
from tests.support.tabbyapi import ScriptedTabbyAPI

PAGE = (Path(__file__).parent.parent.parent / "docs" / "completions.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
OUTPUTS = [
    "a, b):\n    return a + b stop\n",
    "a, b):\n    return a + b\nstop Usage(prompt_tokens=3,",
    "a, b):\n",
    "add\n['a', 'b']\n",
    "a, b):\n    return a + b\n\n",
]


def answer(prompt: str) -> str:
    return '{"name": "add", "arguments": ["a", "b"]}' if "JSON" in prompt else "a, b):\n    return a + b\n"


@pytest.mark.parametrize(("example", "output"), list(zip(EXAMPLES, OUTPUTS, strict=True)))
def test_an_example_runs(example: str, output: str, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedTabbyAPI() as server:
        server.reply(answer)
        exec(example.replace("http://127.0.0.1:5000", server.url), {"__name__": "example"})
    assert capsys.readouterr().out.startswith(output)


def test_every_parameter_limit_and_error_is_on_the_page() -> None:
    names = [field.name for kind in (CompletionRequest, Timeouts) for field in attrs.fields(kind)]
    names += [name for name in package.__all__ if name.endswith("Error")]
    assert [name for name in names if f"`{name}`" not in PAGE] == []
