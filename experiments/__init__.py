"""The recorded study behind the lessons 05 and 06; ``make study`` runs all of it."""
