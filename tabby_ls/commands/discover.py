"""`tabby-ls check --discover`: the completion servers on this machine, and the lines to put into the settings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tabby_ls import settings as user_settings
from tabby_ls.backends.detect import KNOWN_PORTS, Found, discover
from tabby_ls.commands.common import show
from tabby_ls.printable import printable
from tabby_ls.settings import Settings

#: Models named in a remark.
_NAMED = 3


def print_found() -> int:
    """Look, and print what there is; return 1 if there is nothing."""
    ports = ", ".join(f"{name} ({port})" for port, name in KNOWN_PORTS.items())
    print(f"Looking on this machine for {ports}. No code and no key is sent.")
    found = asyncio.run(discover())
    in_file, _ = user_settings.read_config_file()
    settings, _ = user_settings.load(in_file=in_file)
    show("\n".join(report(found, settings, in_file or {})))
    return 0 if found else 1


def print_how_to_keep(url: str) -> None:
    """Print how a server that was tried becomes the one of the settings, unless it is."""
    in_file, _ = user_settings.read_config_file()
    settings, _ = user_settings.load(in_file=in_file)
    if url not in (server.url for server in settings.servers):
        print()
        show("\n".join(to_paste([Found("auto", "", "", url)], settings, in_file or {}, then=" to keep it")))


def report(found: Sequence[Found], settings: Settings, in_file: Mapping[str, Any]) -> Iterator[str]:
    """Yield in lines what was found and what to do with it; `in_file` is what the configuration file says already."""
    if not found:
        yield "None of them answers. Start one, or say where yours is: `tabby-ls check --backend http://HOST:PORT`."
        return
    for server in found:
        yield f"- {server}"
    known = {server.url.rstrip("/").removesuffix("/v1") for server in settings.servers}
    new = [server for server in found if server.url not in known]
    if not new:
        yield "Your settings name it already; `tabby-ls check` tries every step."
        return
    yield ""
    yield from to_paste(new, settings, in_file, then=", then `tabby-ls check` tries every step")


def to_paste(
    new: Sequence[Found], settings: Settings, in_file: Mapping[str, Any], *, then: str = ""
) -> Iterator[str]:
    """Yield the lines that make these the servers that are asked, and where they go; `then` is what to do after it."""
    file = user_settings.config_file()
    is_list = len(new) > 1 or bool(in_file.get("backends"))
    # TOML takes a table once only, and --init has written that one.
    has_table = not is_list and "backend" in in_file
    where = f"Set this under [backend] in {file}" if has_table else f"Put this at the end of {file}"
    yield f"{where}{then}:"
    yield ""
    for server in new:
        if not has_table:
            yield "[[backends]]" if is_list else "[backend]"
        yield from _lines(server)
    if is_list and settings.backend.url and not settings.backends:
        yield ""
        yield "A list takes the place of [backend]: to keep what stands there, make it another [[backends]]."


def _lines(server: Found) -> Iterator[str]:
    """Yield the lines of TOML inside a server's table."""
    yield f'url = "{server.url}"'
    if server.needs_key:
        yield '# It wants a key: the environment variable named here holds it.\napi_key_env = "TABBY_LS_API_KEY"'
    if len(server.models) > 1:
        named = ", ".join(map(_quoted, server.models[:_NAMED])) + (
            ", ..." if len(server.models) > _NAMED else ""
        )
        yield f"# It has several models ({named}). To choose one: model = {_quoted(server.models[0])}"


def _quoted(name: str) -> str:
    """Return a name that a server gave as a string of TOML: the user pastes the line it is in."""
    return json.dumps(printable(name), ensure_ascii=False)
