"""What runs inside a peer's own virtual environment: one script for each peer.

They import the peer, the standard library and one another; nothing of Django or of Tasker. Started
by `tasker_project/bench/peers/` as `python -m`, with `PEER_ADDRESS` in the environment.
"""
