"""The recorded study behind the lessons; ``make study`` runs all of it."""
