"""One file a kind of server, all behind one Protocol (:mod:`tabby_ls.backends.backend`)."""
