"""Finds a server's API key: in an environment variable, a file, or what a command prints. Nothing of it is stored."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from tabby_ls.backends.backend import BackendError, Trouble
from tabby_ls.settings import BackendSettings

#: Seconds for a command to print the key: password managers may ask the user to unlock them.
_COMMAND_SECONDS = 60.0
#: What commands printed, until it is refused: each may have asked the user something.
_printed: dict[tuple[str, ...], str] = {}


async def find_api_key(settings: BackendSettings) -> str | None:
    """Return the key the settings point to, None if they point to none.

    A command or file that is named but fails raises BackendError; its output never enters the message.
    """
    if command := settings.api_key_command:
        if command not in _printed:
            _printed[command] = await _from_command(command)
        return _printed[command]
    if settings.api_key_file:
        return await asyncio.to_thread(_from_file, settings.api_key_file)
    return os.environ.get(settings.api_key_env) or None


def forget_api_key(settings: BackendSettings) -> None:
    """The key was refused: look it up anew when it is needed next."""
    _printed.pop(settings.api_key_command, None)


def _from_file(name: str) -> str:
    try:
        lines = Path(name).expanduser().read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BackendError(
            Trouble.UNAUTHORIZED,
            f"backend.api_key_file cannot be read: {getattr(error, 'strerror', None) or 'not text'}",
        ) from None
    if not lines or not lines[0].strip():
        raise BackendError(Trouble.UNAUTHORIZED, "backend.api_key_file is empty")
    return lines[0].strip()


async def _from_command(command: tuple[str, ...]) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise BackendError(
            Trouble.UNAUTHORIZED, f"backend.api_key_command cannot be started: {error.strerror}"
        ) from None
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _COMMAND_SECONDS)
    except TimeoutError:
        raise BackendError(Trouble.UNAUTHORIZED, "backend.api_key_command did not end in time") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    lines = output.decode("utf-8", "replace").splitlines()
    if process.returncode != 0 or not lines or not lines[0].strip():
        raise BackendError(
            Trouble.UNAUTHORIZED,
            f"backend.api_key_command printed no key (it ended with status {process.returncode})",
        )
    return lines[0].strip()
