"""What only the published names need: an in-process worker, a client, an event bridge, and so on.

Our own code uses none of it. Handlers written for the package `tasker-py` do, through
`workers.compat`, and so may yours. Everything here shows or drives the real thing; what has no
counterpart (pollers of the native part) starts, stops and says that there is nothing.
"""
