"""The languages that Helix comes with, read from the program, which holds its languages.toml as text.

python -m tests.editors.helix.defaults > editors/helix/languages.toml
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from editors.helix.languages import SERVER, entries, name_of
from tests.support import debian

#: The version that editors/helix/languages.toml was made for.
VERSION = "25.07"


def default_servers(hx: Path) -> dict[str, list[Any]]:
    """The servers of every language, as its languages.toml names them; some it names are defined nowhere."""
    program = (hx.parents[1] / "root/usr/lib/hx/hx").read_bytes()
    beginning = program.rindex(b"\nuse-grammars", 0, program.index(b"\n[language-server]\n"))
    last = program.rindex(b"\n[[grammar]]\n")
    end = re.compile(rb"\nsource = \{.*\}\n").search(program, last)
    assert end is not None
    data = tomllib.loads(program[beginning : end.end()].decode("utf-8"))
    return {
        language["name"]: [
            server
            for server in language.get("language-servers", ())
            if name_of(server) in data["language-server"]
        ]
        for language in data["language"]
    }


def main() -> int:
    """Print languages.toml."""
    print(f"# Every language of Helix {VERSION} with its servers and, behind them, tabby-ls.")
    print(f'\n[language-server.{SERVER}]\ncommand = "{SERVER}"')
    print("".join(entries(default_servers(debian.helix()))), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
