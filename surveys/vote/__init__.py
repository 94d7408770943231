"""Vote intention from gross to effective, its pages, its trend."""
