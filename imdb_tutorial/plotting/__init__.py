"""Every figure of the lessons, in one style."""
