"""Events a second: the step ``pythia8`` against Pythia alone, and the gun against numpy.

*next()*   a bare ``pythia.next()`` loop that keeps nothing: the limit that no step can pass.
*loop*     the field's way in Python: ``next()``, then each particle's members one by one, into
           lists and arrays, with mothers and daughters.
*numpy*    the same particles by numpy's vectorised Philox, without numbers an event can be made
           again from.
"""

import numpy as np
import pythia8mc

from fiducial.core.bench import Record, measure
from fiducial.generators import Gun, Pythia8

EE = {"Beams:idA": 11, "Beams:idB": -11}
INPUTS = {
    "ZH -> mu mu X, 240 GeV": (
        {
            **EE,
            "HiggsSM:ffbar2HZ": True,
            "Beams:eCM": 240,
            "23:onMode": "off",
            "23:onIfAny": 13,
        },
        300,
    ),
    "Z -> hadrons, 91.19 GeV, ISR": (
        {
            **EE,
            "WeakSingleBoson:ffbar2gmZ": True,
            "Beams:eCM": 91.188,
            "23:onMode": "off",
            "23:onIfAny": "1 2 3 4 5",
        },
        600,
    ),
}
N_GUN = 200_000


def plain_pythia(step: Pythia8):
    """An initialised Pythia without any hook."""
    pythia = pythia8mc.Pythia("", False)
    for line in (*step.settings, "Print:quiet = on"):
        pythia.readString(line)
    pythia.init()
    return pythia


def next_only(pythia, n):
    for _ in range(n):
        pythia.next()


def next_and_loop(pythia, n):
    columns = {name: [] for name in ("id", "status", "charge", "m", "pol", "px", "py", "pz")}
    vertices, mothers, daughters = [], [], []
    for _ in range(n):
        pythia.next()
        for i in range(1, pythia.event.size()):
            particle = pythia.event[i]
            for name, column in columns.items():
                column.append(getattr(particle, name)())
            vertices.append(
                (particle.xProd(), particle.yProd(), particle.zProd(), particle.tProd())
            )
            mothers.append([m - 1 for m in particle.motherList()])
            daughters.append([d - 1 for d in particle.daughterList()])
    return {name: np.array(column) for name, column in columns.items()}, np.array(vertices)


def numpy_gun(n):
    rng = np.random.Generator(np.random.Philox(1))
    pdg = rng.choice(np.array([13, -13]), n)
    p, cos = rng.uniform(1, 100, n), rng.uniform(-0.9, 0.9, n)
    phi = rng.uniform(-np.pi, np.pi, n)
    sin = np.sqrt(1 - cos * cos)
    return pdg, p * sin * np.cos(phi), p * sin * np.sin(phi), p * cos


def benchmarks() -> list[Record]:
    version = f"{pythia8mc.__name__} 8.317.2"
    records = []
    for label, (settings, n) in INPUTS.items():
        step = Pythia8(settings=settings)
        step.check()
        pythia = plain_pythia(step)
        for name, rival, repeats in (("next()", next_only, 7), ("loop", next_and_loop, 3)):
            records.append(
                measure(
                    name=f"pythia8 against {name}",
                    input=f"{label}, {n} events",
                    unit="events/s",
                    amount=n,
                    ours=lambda step=step, n=n: step.produce(0, n, 1),
                    rival=lambda rival=rival, pythia=pythia, n=n: rival(pythia, n),
                    rival_name=f"pythia8mc, {name}",
                    rival_version=version,
                    repeats=repeats,
                )
            )
    gun = Gun(
        particles=[13, -13],
        momentum={"min": 1, "max": 100},
        cos_theta={"min": -0.9, "max": 0.9},
        mode="random",
    )
    records.append(
        measure(
            name="gun against numpy",
            input=f"{N_GUN} muons, flat in p, cos theta, phi",
            unit="particles/s",
            amount=N_GUN,
            ours=lambda: gun.produce(0, N_GUN, 1),
            rival=lambda: numpy_gun(N_GUN),
            rival_name="numpy.random.Philox, no event record",
            rival_version=np.__version__,
        )
    )
    return records


if __name__ == "__main__":
    for record in benchmarks():
        print(
            f"{record['name']:26} {record['input']:42} ours {record['ours']:9.0f} "
            f"rival {record['rival']:9.0f} {record['unit']}  ratio {record['ratio']:.2f} "
            f"+- {record['spread']:.2f}  peak {record['peak_rss_bytes'] / 2**20:.0f} MiB"
        )
