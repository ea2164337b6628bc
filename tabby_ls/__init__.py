"""tabby-ls: code completion from your own server, in any editor that speaks LSP."""

__version__ = "0.1.0"
