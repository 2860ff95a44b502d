"""The training loop, what it remembers, and the callbacks that show it and keep it."""
