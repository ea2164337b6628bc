"""Print what to add to Helix' languages.toml, so that tabby-ls runs beside the servers each language has already.

    python3 languages.py                 for the hx on PATH, as its user has configured it
    python3 languages.py --hx hx-git     for another one

Helix knows no "all languages": a language's `language-servers` replace those it had, so each has to be named with
the servers it has now, which `hx --health LANGUAGE` tells. Append the output to languages.toml. Where a language
stands there already, Helix merges the two, and the later one says which servers it has.

Needs Python 3.11 and nothing else.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

SERVER = "tabby-ls"
#: The output for Helix as it comes, whose languages this script asks for.
PREPARED = Path(__file__).with_name("languages.toml")


def main() -> int:
    """Print the entries; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--hx", default="hx", metavar="COMMAND", help="the Helix to ask (default: %(default)s)"
    )
    hx = parser.parse_args().hx
    try:
        own = _read(_user_file()) if _user_file().exists() else {}
        version = _output(hx, "--version").strip()
        servers = servers_now(hx, own)
    except OSError as error:
        print(f"{hx} does not run: {error.strerror}", file=sys.stderr)
        return 1
    except tomllib.TOMLDecodeError as error:
        print(f"{_user_file()}: {error}", file=sys.stderr)
        return 1
    print(f"# Made by editors/helix/languages.py from {version}.")
    if SERVER not in own.get("language-server", {}):
        print(f'\n[language-server.{SERVER}]\ncommand = "{SERVER}"')
    print("".join(entries(servers)), end="")
    return 0


def entries(servers: Mapping[str, list[Any]]) -> Iterator[str]:
    """Yield the entry of each language: its name, and its servers with tabby-ls behind them."""
    for name, has in sorted(servers.items()):
        if SERVER not in map(name_of, has):
            yield f"\n[[language]]\nname = {_toml(name)}\nlanguage-servers = {_toml([*has, SERVER])}\n"


def servers_now(hx: str, own: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the servers that each language has in this Helix, whose user's languages.toml is `own`.

    They are as the configuration names them: which features of a server a language uses, Helix does not tell.
    """
    named = {
        language["name"]: {name_of(server): server for server in language.get("language-servers", ())}
        for language in [*_read(PREPARED)["language"], *own.get("language", ())]
    }
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = pool.map(lambda name: _output(hx, "--health", name), named)
    return {
        name: [named[name].get(server, server) for server in servers]
        for name, servers in zip(named, map(_servers, answers), strict=True)
        if servers is not None
    }


def name_of(server: Any) -> str:
    """Return the name of a server in `language-servers`: a string, or a table that has more to say of it."""
    return str(server["name"] if isinstance(server, dict) else server)


def _servers(health: str) -> list[str] | None:
    """Return the names of the servers in what `hx --health LANGUAGE` prints; None if there is no such language."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", health).splitlines()
    if not lines or not lines[0].startswith("Configured language servers:"):
        return None
    # "  ✓ clangd: /usr/bin/clangd"
    listed = itertools.takewhile(bool, (re.match(r"\s+\S+ ([^:]+):", line) for line in lines[1:]))
    return [server[1] for server in listed if server]


def _toml(value: Any) -> str:
    """Return strings, lists and tables, which are all there is among servers, as TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _user_file() -> Path:
    if os.name == "nt":
        folder = Path(os.environ.get("APPDATA", ""))
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "helix" / "languages.toml"


def _read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))


def _output(*command: str) -> str:
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8", check=False
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
