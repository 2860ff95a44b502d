"""Exercises that check themselves: what each asks, its hints, its solution, typical mistakes."""
