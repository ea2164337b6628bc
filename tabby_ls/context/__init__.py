"""What the model should see: the window around the cursor, the budget, and what must never be sent."""
