"""What `tabby-ls` does in a terminal, one file a command."""
