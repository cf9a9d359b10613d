# mypy: disallow-untyped-defs=False
"""Who comes from whom in Pythia's records, and the HepMC status that follows: kernels an event.

Count the parents, sum up, fill; an event has as many daughter entries as parent entries, so both
relations share the range of the event. The arguments count the system line of each event, the
results do not: line l of event e is particle l - e - 1 of all.

Pythia's rule for a mother pair: (i, 0) and (i, i) are one mother; for products of hadronisation
(status 81-89 and 101-106) it is a range; else two mothers. The system is no parent. HepMC's
status is Pythia's ``Particle::statusHepMC``. Pythia 8.3 manual, "Particle Properties".
"""

from numba import njit

__all__ = ["count_parents", "fill_family"]


@njit
def _mothers(status, mother1, mother2):
    """First mother, how many, and the step between them, of one particle."""
    size = abs(status)
    if mother1 <= 0:
        return 0, 0, 0
    if mother2 == 0 or mother2 == mother1:
        return mother1, 1, 1
    if 80 < size < 90 or 100 < size < 107:
        return mother1, max(mother2 - mother1 + 1, 0), 1
    if mother2 < 0:
        return 0, 0, 0
    return min(mother1, mother2), 2, abs(mother2 - mother1)


@njit
def count_parents(event, lines, status, mother1, mother2, counts):
    """How many parents each particle of an event has.

    lines                     (n_events + 1,) int64  where the lines of each event begin
    status, mother1, mother2  (n_lines,)
    counts                    (n_particles,) int64   out
    """
    for line in range(lines[event] + 1, lines[event + 1]):
        counts[line - event - 1] = _mothers(status[line], mother1[line], mother2[line])[1]


@njit
def fill_family(
    event, lines, pdg, status, mother1, mother2, is_hadron,
    parent_starts, parents, daughter_counts, daughters, first_daughter, cursor, hepmc,
):  # fmt: skip
    """Parents, daughters and HepMC status of an event's particles.

    parent_starts    (n_particles + 1,) int64
    parents          (m,) int32            out: places in the event
    daughter_counts  (n_particles,) int64  out, zero before
    daughters        (m,) int32            out: places in the event, ascending for each particle
    first_daughter   (n_particles,) int64  out: row of all particles, -1 where there is none
    cursor           (n_particles,) int64  scratch
    hepmc            (n_particles,) int32  out
    """
    shift = event + 1
    first, end = lines[event] + 1 - shift, lines[event + 1] - shift
    for row in range(first, end):
        line = row + shift
        mother, count, step = _mothers(status[line], mother1[line], mother2[line])
        for nth in range(count):
            place = mother - 1 + nth * step
            parents[parent_starts[row] + nth] = place
            daughter_counts[first + place] += 1
    start = parent_starts[first]
    for row in range(first, end):
        cursor[row] = start
        first_daughter[row] = -1
        start += daughter_counts[row]
    for row in range(first, end):
        for entry in range(parent_starts[row], parent_starts[row + 1]):
            mother = first + parents[entry]
            daughters[cursor[mother]] = row - first
            cursor[mother] += 1
            if first_daughter[mother] < 0:
                first_daughter[mother] = row
    for row in range(first, end):
        line, daughter = row + shift, first_daughter[row]
        code = status[line]
        if code > 0:
            hepmc[row] = 1
        elif code == -12:
            hepmc[row] = 4
        else:
            hepmc[row] = -code if -200 <= code <= -11 else 0
            decays = is_hadron[line] or abs(pdg[line]) == 13 or abs(pdg[line]) == 15
            into_others = daughter >= 0 and pdg[daughter + shift] != pdg[line]
            if decays and into_others and 90 < abs(status[daughter + shift]) < 95:
                hepmc[row] = 2
