"""Raw model text becomes an edit that never damages the buffer: one small pure function a rule."""
