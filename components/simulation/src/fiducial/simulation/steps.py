"""The step `fastsim`: the parametric fast simulation in a chain."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from fiducial.core.device import available
from fiducial.core.errors import EnvironmentProblem
from fiducial.edm import Collection, EventBatch
from fiducial.edm.steps import Transformer
from fiducial.simulation.card import load_card
from fiducial.simulation.fastsim import CLUSTERS, LINKS, PARTICLES, TRACKS, TRUTH, simulate

__all__ = ["FastSim"]


class FastSim(Transformer):
    """Parametric response of a detector to final-state particles (generatorStatus 1).

    card    name of a shipped card (`idea`, `lhc`), or path of a YAML file
    device  where the kernels run
    """

    summary: ClassVar[str] = "parametric fast simulation of a detector, given by a card"

    card: str = "idea"
    device: Literal["cpu", "cuda"] = "cpu"

    def check(self) -> None:
        load_card(self.card)
        if not available(self.device):
            raise EnvironmentProblem(
                f"fastsim cannot run on {self.device}", "there is no such device", "use device: cpu"
            )

    @property
    def inputs(self) -> Sequence[str]:
        return ("EventHeader", TRUTH)

    @property
    def outputs(self) -> Mapping[str, str]:
        return {
            PARTICLES: "edm4hep::ReconstructedParticle",
            LINKS: "edm4hep::RecoMCParticleLink",
            TRACKS: "edm4hep::Track",
            CLUSTERS: "edm4hep::Cluster",
        }

    def transform(self, batch: EventBatch, seed: int) -> Mapping[str, Collection]:
        return simulate(batch, load_card(self.card), seed, device=self.device)
