"""HepMC3 writing by columns against the usual loop over particles and vertices, with pyhepmc."""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pyhepmc

sys.path.insert(0, str(Path(__file__).parent))
from events import zh_events

from fiducial.core.bench import Record, measure
from fiducial.core.constants import c
from fiducial.edm import EventBatch
from fiducial.io import HepMC3Writer


def particle_loop(batch: EventBatch, path: Path) -> None:
    """One pyhepmc object a particle and a vertex, joined by ``add_tree``."""
    particles = batch["MCParticles"]
    p, v = particles.momentum, particles.vertex
    energy = np.sqrt(p.x**2 + p.y**2 + p.z**2 + particles.mass**2)
    with pyhepmc.io.WriterAscii(str(path)) as writer:
        for k in range(batch.n_events):
            event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
            event.event_number = int(batch.event_numbers[k])
            base, end = particles.offsets[k : k + 2]
            objects = []
            for i in range(base, end):
                one = pyhepmc.GenParticle(
                    (p.x[i], p.y[i], p.z[i], energy[i]),
                    int(particles.PDG[i]),
                    int(particles.generatorStatus[i]),
                )
                one.generated_mass = particles.mass[i]
                objects.append(one)
            vertices = {}
            for i in range(base, end):
                parents = tuple(particles.parents.of(i).tolist())
                if not parents:
                    continue
                if parents not in vertices:
                    place = (v.x[i], v.y[i], v.z[i], particles.time[i] * c)
                    vertices[parents] = pyhepmc.GenVertex(place)
                    for parent in parents:
                        vertices[parents].add_particle_in(objects[parent])
                vertices[parents].add_particle_out(objects[i - base])
            event.add_tree(
                [o for i, o in enumerate(objects) if not len(particles.parents.of(base + i))]
            )
            event.weights = [1.0]
            writer.write(event)


def by_columns(batch: EventBatch, path: Path) -> None:
    with HepMC3Writer(path) as writer:
        writer.extend(batch)


def benchmarks() -> list[Record]:
    """Whole events with all generations, as Pythia gives them."""
    batch = zh_events(200)
    n = len(batch["MCParticles"])
    with tempfile.TemporaryDirectory() as folder:
        return [
            measure(
                name="write HepMC3",
                input=f"{batch.n_events} ZH events, {n} particles",
                unit="particles/s",
                amount=n,
                ours=lambda: by_columns(batch, Path(folder, "ours.hepmc")),
                rival=lambda: particle_loop(batch, Path(folder, "rival.hepmc")),
                rival_name="pyhepmc, loop over particles",
                rival_version=pyhepmc.__version__,
                repeats=3,
            )
        ]


if __name__ == "__main__":
    for record in benchmarks():
        print(record)
