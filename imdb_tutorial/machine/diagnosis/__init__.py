"""Whether the lessons will run on this machine, and what to do where they will not."""
