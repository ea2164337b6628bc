"""Completion servers: one module for each kind, all behind one Protocol (:mod:`tabby_ls.backends.backend`)."""
