"""Why a peer, or one of its shapes, has no figures."""

from tasker_project.bench.errors import BenchError


class PeerError(BenchError):
    """A peer cannot be installed, started or measured; the text says why. The others go on."""
