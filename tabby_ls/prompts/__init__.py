"""Renders prompts to fill in the middle: the templates of model families as data, and one function that fills them."""
