"""`tabby-ls stats`: what was counted on this machine, as a table or as JSON."""

from __future__ import annotations

import argparse
import json

from tabby_ls.commands.common import command_settings, say, show
from tabby_ls.journal.store import Store, StoreError, state_folder
from tabby_ls.journal.table import as_json, table


def stats(options: argparse.Namespace) -> int:
    """Print the counts, or forget them; return the exit status."""
    store = Store(state_folder())
    try:
        if options.reset:
            store.reset()
            say("what was counted is deleted; counting begins anew")
            return 0
        stored, wrong = store.load()
    except StoreError as error:
        say(str(error))
        return 1
    if wrong:
        say(f"warning: {wrong}")
    if options.json:
        print(json.dumps(as_json(stored.counters, stored.since)))
    elif stored.counters:
        show(table(stored.counters, f"Counted on this machine since {stored.since}"))
    elif command_settings(None).stats:
        print("Nothing has been counted yet: servers add their counts every few minutes, and when they end.")
    else:
        print("Nothing is counted: the setting `stats` is false.")
    return 0
