"""The command line: `tabby-ls` serves; `complete` and `check` work in a terminal."""


def main() -> int:
    """Run the command line; return the exit status."""
    return 0
