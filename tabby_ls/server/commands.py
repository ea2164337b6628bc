"""The commands a client may run: `workspace/executeCommand`, as docs/protocol.md describes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import asdict
from pygls.exceptions import JsonRpcInvalidParams

from tabby_ls.engine.switches import Scope
from tabby_ls.server.capabilities import ACCEPTED

if TYPE_CHECKING:
    from tabby_ls.server.client_session import ClientSession


def accepted(session: ClientSession, arguments: Arguments) -> None:
    """The user took a suggestion whole."""
    session.keeper.offers.accepted(arguments.text("id"))


def partially_accepted(session: ClientSession, arguments: Arguments) -> None:
    """The user took a suggestion up to `length` UTF-16 units from its beginning."""
    session.keeper.offers.partially_accepted(arguments.text("id"), arguments.whole("length"))


def why(session: ClientSession, arguments: Arguments) -> str:
    """Return in words what came of the last request, and first of all why another than the user's server answered it."""
    uri = arguments.text("uri", "")
    answer, state = session.keeper.journal.why(uri), session.state(uri)
    if state.state == "error" and session.engine.standing().is_stand_in:
        answer = f"{state.message[:1].upper()}{state.message[1:]}. {answer}"
    return _told(session, answer)


async def stats(session: ClientSession, _: Arguments) -> str:
    """Return a small table of what was counted."""
    return _told(session, await session.keeper.stats())


def toggle(session: ClientSession, arguments: Arguments) -> dict[str, Any]:
    """Switch suggestions on or off; without `enabled` the other way than they are."""
    try:
        scope = Scope(arguments.text("scope", Scope.SESSION))
    except ValueError:
        raise invalid('"scope" is "session", "language" or "file"') from None
    uri, language = session.place(arguments.text("uri", ""), arguments.text("language", ""))
    if scope is Scope.FILE and not uri:
        raise invalid('which file? Give its "uri"')
    if scope is Scope.LANGUAGE and not language:
        raise invalid('which language? Give its name as "language"')
    on = arguments.flag("enabled")
    if on is None:
        on = not session.engine.is_on(scope, uri, language)
    return {"enabled": on, "message": _told(session, session.turn(scope, uri, language, on=on))}


def status(session: ClientSession, arguments: Arguments) -> dict[str, Any]:
    """Return the status, that of a file if one is named."""
    state = session.state(arguments.text("uri", ""))
    _told(session, state.message or f"{state.state}: {state.backend}")
    return asdict(state)


def _told(session: ClientSession, sentence: str) -> str:
    """Return a command's answer, having shown it to the user if the client has no place of its own for it."""
    session.status.tell(sentence)
    return sentence


Command: TypeAlias = "Callable[[ClientSession, Arguments], Any]"

COMMANDS: dict[str, Command] = {
    ACCEPTED: accepted,
    "tabby-ls.partiallyAccepted": partially_accepted,
    "tabby-ls.why": why,
    "tabby-ls.stats": stats,
    "tabby-ls.toggle": toggle,
    "tabby-ls.status": status,
}


class Arguments:
    """A command's arguments: nothing, or one object. Each method raises what the client is answered if it is wrong."""

    def __init__(self, arguments: Sequence[Any]) -> None:
        given = arguments[0] if arguments else None
        if len(arguments) > 1 or not (given is None or isinstance(given, Mapping)):
            raise invalid("the only argument is an object, or there is none")
        self._given: Mapping[str, Any] = given or {}

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string."""
        value = self._given.get(name)
        value = default if value is None else value
        if not isinstance(value, str):
            raise invalid(f'"{name}" is a string')
        return value

    def whole(self, name: str) -> int:
        """Return a whole number."""
        value = self._given.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise invalid(f'"{name}" is a whole number, 0 or more')
        return value

    def flag(self, name: str) -> bool | None:
        """Return true or false, None if it was not given."""
        value = self._given.get(name)
        if not (value is None or isinstance(value, bool)):
            raise invalid(f'"{name}" is true or false')
        return value


def invalid(why: str) -> JsonRpcInvalidParams:
    """Return the error for arguments that are wrong: one sentence."""
    return JsonRpcInvalidParams(f"tabby-ls: {why}")
