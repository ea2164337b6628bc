"""`python -m tabby_ls` is `tabby-ls`."""

import sys

from tabby_ls.cli import main

sys.exit(main())
