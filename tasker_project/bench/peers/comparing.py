"""All rounds of all systems, in turns, so that what else the machine does meets everybody alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tasker_project.bench.peers.errors import PeerError
from tasker_project.bench.peers.installing import installed
from tasker_project.bench.peers.outcome import medians, ratios
from tasker_project.bench.peers.peer_side import PeerSystem
from tasker_project.bench.peers.roster import Peer
from tasker_project.bench.peers.scripts.contract import SHAPES
from tasker_project.bench.peers.systems import System
from tasker_project.bench.peers.turns import Turns, Values
from tasker_project.bench.percentiles import Figures, named


@dataclass
class Comparison:
    """What was measured in each round, and what could not be and why."""

    turns: Turns
    say: Callable[[str], None]
    runs: list[Figures] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def run(self, systems: Sequence[System], *, rounds: int) -> None:
        """Measure all systems in turns; a peer that fails is left out from then on."""
        for number in range(rounds):
            self.runs.append({})
            for system in _rotated(systems, number):
                self.say(f"round {number + 1} of {rounds}: {system.name}")
                self._take_turn(system)

    def figures(self, peers: Sequence[Peer]) -> Figures:
        """Return the medians of all rounds and the ratios made of them."""
        figures = medians(self.runs)
        return figures | ratios(figures, [peer.name for peer in peers], SHAPES)

    def prepare(
        self, peers: Sequence[Peer], install_in: Path, make: Callable[[Peer, Path], PeerSystem]
    ) -> list[PeerSystem]:
        """Install the peers; return those that can be measured."""
        systems = []
        for peer in peers:
            self.say(f"installing {peer.name}")
            try:
                systems.append(make(peer, installed(peer, install_in / peer.name)))
            except PeerError as error:
                self._leave_out(f"peer_{peer.name}", error)
        return systems

    def _take_turn(self, system: System) -> None:
        if system.name in self.missing:
            return
        try:
            with system.at_work() as at_work:
                self._note(f"{system.name}_idle", self.turns.idle(at_work))
                for shape in SHAPES:
                    measure = partial(self.turns.shape, shape, at_work)
                    self._try_shape(f"{system.name}_{shape}", measure)
        except PeerError as error:
            self._leave_out(system.name, error)

    def _try_shape(self, name: str, measure: Callable[[], Values]) -> None:
        """Measure a shape; go on with the next one when the peer cannot do it."""
        if name in self.missing:
            return
        try:
            self._note(name, measure())
        except PeerError as error:
            self._leave_out(name, error)

    def _note(self, name: str, values: Values) -> None:
        """Keep the figures of a run and tell them."""
        if values:
            self.runs[-1] |= named(name, values)
            told = ", ".join(f"{kind} {value:,.2f}" for kind, value in values.items())
            self.say(f"  {name}: {told}")

    def _leave_out(self, name: str, error: PeerError) -> None:
        self.missing[name] = str(error)
        self.say(f"  {name}: - ({error})")


def _rotated(systems: Sequence[System], by: int) -> list[System]:
    """Return the systems with another one first in each round."""
    first = by % len(systems)
    return [*systems[first:], *systems[:first]]
