"""The one message of the first run ever: where suggestions come from while no server is named, and how to name one."""

from __future__ import annotations

from tabby_ls.journal.store import state_folder
from tabby_ls.own_files import make_folder
from tabby_ls.settings import BackendSettings, Settings, config_file


def welcome(connect_command: str) -> str:
    """Return the message, for a client with such a command, or "" for none.

    Who has the command shows all of it; elsewhere it may be cut, so there how to go on comes first.
    """
    if connect_command:
        return (
            "suggestions come from the local model, from what your own files say, and nothing leaves this machine. "
            f"Have you a server of your own? The command {connect_command} asks for its address."
        )
    return (
        "`tabby-ls check --discover` finds a server of yours; until then the local model suggests, "
        "from what your own files say, and nothing leaves this machine"
    )


def is_first_run(settings: Settings) -> bool:
    """Return True once ever, if the user has configured nothing yet. Blocks, so it belongs in a thread.

    Where that cannot be remembered it is never true: nobody wants to be welcomed at every start.
    """
    if settings.servers != (BackendSettings(),) or config_file().exists():
        return False
    folder = state_folder()
    try:
        make_folder(folder)
        (folder / "welcomed").touch(mode=0o600, exist_ok=False)
    except OSError:
        return False
    return True
