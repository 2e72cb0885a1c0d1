"""What a worker answers over HTTP besides its probes: its settings and the templates it serves.

The answers are plain functions too, so a program that has a worker inside needs no second server.
"""
