"""Tasker beside its peers: the same shapes, server and measure, in turns (`manage.py bench_peers`).

`roster` lists the peers and pins them, `installing` gives each a virtual environment, `scripts/` is
what runs in there. `systems` starts a peer's or Tasker's processes, `turns` measures them,
`outcome` makes medians and ratios, `report` shows them. What is measured, and with which settings
of each peer: docs/peers.md.
"""
