"""What the way to a first suggestion does not import: nobody should wait for what they do not use."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.bench.driver import inline, opened, running
from tests.support.profiles import VS_CODE
from tests.support.rpc import message
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

_SERVE = """
import sys
from pathlib import Path
from tabby_ls.cli import main
main(["--stdio"])
part = Path(sys.argv[1] + ".part")
part.write_text(" ".join(sys.modules))
part.rename(sys.argv[1])
"""
_NOT_NEEDED = {
    "argparse",  # there is nothing on the usual command line to be read
    "fractions",  # of `statistics`, for a median
    "urllib.request",  # of proxies, for a server on this machine
    "http.cookiejar",  # no completion server has cookies
    "pathspec",  # no ignore file is there, and no setting excludes anything
    "rich",  # only terminals are written to in colours
    "tabby_ls.local_model.model",  # a server answers
    "tabby_ls.backends.llamacpp",  # another server does
    "tabby_ls.backends.ollama",
    "tabby_ls.schema",
}


async def test_what_a_first_suggestion_from_a_server_does_not_need(tmp_path: Path) -> None:
    names = tmp_path / "names"
    with ScriptedTabbyAPI() as backend:
        backend.reply("1\n")
        async with running(
            (sys.executable, "-c", _SERVE, str(names)),
            HOME=str(tmp_path),
            TABBY_LS_BACKEND_URL=backend.url,
            TABBY_LS_LOCAL_INDEX="false",
        ) as client:
            await client.initialize(**VS_CODE)
            await client.send(message("initialized", {}) + opened("file:///a.py", "x = \n"))
            shown = await client.request("textDocument/inlineCompletion", inline("file:///a.py", 0, 4))
            assert shown["items"]
            await client.request("shutdown")
            await client.send(message("exit"))
            await eventually(names.exists)
    imported = set(names.read_text().split())
    assert "tabby_ls.backends.tabbyapi" in imported
    assert imported & _NOT_NEEDED == set()
