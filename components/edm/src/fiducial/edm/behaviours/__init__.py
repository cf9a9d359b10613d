"""What collections can do, written by hand beside the generated members.

A behaviour is a subclass of :class:`~fiducial.edm.collection.Collection` from which the
generated class derives; :data:`BEHAVIOURS` tells the generator which.
"""

from __future__ import annotations

__all__ = ["BEHAVIOURS"]

#: Type name to (module below this package, class).
BEHAVIOURS = {
    "edm4hep::MCParticle": ("mc_particle", "MCParticleBehaviour"),
    "edm4hep::ReconstructedParticle": ("reconstructed_particle", "ReconstructedParticleBehaviour"),
}
