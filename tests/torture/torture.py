"""Tortures the server, as built, and holds it to its promises: what it acknowledged is there,
wholly, whatever happens.

Clients query in both directions and change the collection while the server is killed and started
again, generations are written and swapped, the disk is filled (where this may mount one: as root),
and files of the newest generation are cut and changed. Afterwards every item is looked at, and the
answers are held against those of a bundle indexed afresh.

Prints the figures last. Exit status: 0, 1 (a promise was broken) or 77 (there is nothing to test
with).
"""

import argparse
import pathlib
import random
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

import harness  # noqa: E402
import comparison  # noqa: E402
import material  # noqa: E402
from chaos import Chaos, make_disk, unmount  # noqa: E402
from service import Service  # noqa: E402
from traffic import Catalog, Reader, World, Writer  # noqa: E402
from truth import PIECE, RECORDING, State, Truth  # noqa: E402

FOLDER = harness.BUILD / "torture"
SNAPSHOTS = FOLDER / "snapshots"
WRITERS, READERS = 3, 2
DISK_MEGABYTES = 160


def read_truth(client, stubs, contents):
    """What a bundle that was just indexed holds."""
    messages = stubs["catalog_pb2"]
    items = {}
    page = messages.ListPiecesRequest(page_size=1000)
    for piece in client.catalog.ListPieces(page, timeout=harness.CALL_SECONDS).pieces:
        items[(PIECE, piece.id)] = State(piece.id, piece.title, piece.composer, piece.collection,
                                          work_id=piece.work_id)
    page = messages.ListRecordingsRequest(page_size=1000)
    for recording in client.catalog.ListRecordings(page, timeout=harness.CALL_SECONDS).recordings:
        items[(RECORDING, recording.id)] = State(recording.id, recording.title, recording.composer,
                                                 recording.collection, recording.piece_id)
    assert {name for kind, name in items if kind == PIECE} == set(contents.base)
    return items


def make_writers(world, seed):
    """Contents and pieces of the base are dealt out; the pieces that have recordings nobody
    changes."""
    stuff = world.material
    spare = stuff.names[len(stuff.base):]
    sounds = [name for name in stuff.sounds if name not in stuff.base_sounds]
    changeable = [name for name in stuff.base if name not in world.fixed_queries]
    writers = []
    for number in range(WRITERS):
        adopted = changeable[number::WRITERS]
        writer = Writer(number, world, seed, spare[number::WRITERS], sounds[number::WRITERS])
        writer.contents = writer.contents + adopted
        writer.adopt(adopted)
        writers.append(writer)
    return writers


def torture(world, bundle, disk, seconds, seed):
    """Returns the chaos, which counts."""
    chaos = Chaos(world, bundle, disk, seed)
    workers = [
        *make_writers(world, seed), *(Reader(f"reader {i}", world, seed) for i in range(READERS))
    ]
    for worker in workers:
        worker.start()
    try:
        chaos.run(seconds)
    except Exception as error:  # pylint: disable=broad-except
        world.violation("chaos", error)
    world.stopping.set()
    if world.violations:
        world.service.close()
    for worker in workers:
        worker.join(harness.CALL_SECONDS)
    return chaos


def judge(world):
    """After the torture: everything is there, and answers are those of a fresh index. Returns what
    was compared."""
    service = world.service
    service.kill()
    service.start()
    checked = comparison.everything_is_found(world, Catalog(world), service.client())
    client = service.client()
    mine = comparison.answers(world, client)
    fresh = comparison.fresh_bundle(world, FOLDER / "fresh")
    compared = comparison.compare(world, client, mine, fresh, "a fresh index")
    client.admin.Snapshot(world.admin.SnapshotRequest(name="last"), timeout=harness.CALL_SECONDS)
    compared_with_snapshot = comparison.compare(world, client, mine, SNAPSHOTS / "last",
                                                "the snapshot")
    return checked, compared, compared_with_snapshot


def print_figures(world, chaos, seconds, judgement):
    counts, truth = world.counts, world.truth
    starts = sorted(world.service.start_seconds)
    print(f"\nTorture: {seconds:.0f} s, {WRITERS} writers, {READERS} readers")
    rows = [("kills survived", chaos.counts.pop("kills", 0)),
            ("starts", f"{len(starts)}, the median after {starts[len(starts) // 2]:.1f} s, "
                       f"the last after {starts[-1]:.1f} s"),
            ("generations refused, and said so", chaos.rejections_seen)]
    rows += sorted(chaos.counts.items())
    questions = [
        "identify sound", "identify score", "search scores", "search recordings", "list pieces",
        "look at status"
    ]
    rows += [("questions answered", sum(counts[question] for question in questions)),
             *((f"  {question}", counts[question]) for question in questions),
             ("questions lost to a kill, or refused", counts["questions lost"]),
             ("writes acknowledged", truth.acknowledged),
             ("writes refused, disk full or busy", counts["writes refused"]),
             ("writes whose answer was lost", sum(truth.resolved.values())),
             ("  of these, had happened, wholly", truth.resolved[True]),
             ("  of these, had not happened at all", truth.resolved[False]),
             ("impossible writes refused", counts["impossible changes refused"]),
             ("items looked at afterwards, all as acknowledged", judgement[0]),
             ("answers equal to those of a fresh index", judgement[1]),
             ("answers equal to those of a snapshot", judgement[2])]
    for name, value in rows:
        print(f"  {name:<50} {value}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    harness.skip_without_material()
    print(f"seed {arguments.seed}")
    stubs = harness.make_stubs()
    stuff = material.load(stubs)

    disk = FOLDER / "disk"
    mounted = make_disk(disk, DISK_MEGABYTES)
    if not mounted:
        print("not root, or no tmpfs: the disk is not filled")
    bundle = disk / "bundle"
    shutil.copytree(stuff.bundle, bundle)
    shutil.rmtree(SNAPSHOTS, ignore_errors=True)
    SNAPSHOTS.mkdir()
    flags = ["--snapshot-dir", str(SNAPSHOTS)]
    with open(FOLDER / "server.log", "w", encoding="utf-8") as log, \
         Service(bundle, log, stubs, flags) as service:
        try:
            service.start()
            truth = Truth(read_truth(service.client(), stubs, stuff))
            world = World(service, truth, stuff, stubs)
            chaos = torture(world, bundle, disk if mounted else None, arguments.minutes * 60,
                            arguments.seed)
            judgement = (0, 0, 0)
            if not world.violations:
                try:
                    judgement = judge(world)
                except Exception as error:  # pylint: disable=broad-except
                    world.violation("afterwards", error)
        finally:
            if service.server is not None:
                service.kill()
            unmount(disk)
    print_figures(world, chaos, arguments.minutes * 60, judgement)
    for violation in world.violations:
        print(f"BROKEN: {violation}")
    if world.violations:
        print(f"seed {arguments.seed}; the servers' logs are in {FOLDER / 'server.log'}")
        sys.exit(1)


if __name__ == "__main__":
    main()
