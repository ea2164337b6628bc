"""Fill-in-the-middle templates as data, and the one function that renders them."""
