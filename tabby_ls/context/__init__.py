"""Decides what the model sees: the window around the cursor, pieces of other text, and what is never sent."""
