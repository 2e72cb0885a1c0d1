"""Proof that the names of the published package `tasker-py` are all here, and mean the same.

`published` reads the sources of the installed wheel without importing them, `surface` describes
what they offer, `ours` asks our modules the same questions, `differences` holds the deviations that
handlers.md 12 allows. Nothing of the wheel is ever run: it would load its native part.
"""
