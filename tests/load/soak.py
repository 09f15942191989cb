"""A day in the life of a server, in an hour: calls at four fifths of its capacity, and beside
them edits, merges, reloads, snapshots, connections that do nothing, requests that never end,
strangers who guess keys and send nonsense.

Memory, descriptors and threads must stay flat, no call may fail that should not, and no stranger
may get in. Prints the figures last, and draws them. Exit status: 0, 1 (a promise was broken) or 77
(there is nothing to test with).
"""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

import harness  # noqa: E402
import http2  # noqa: E402
from load import (CALL_SECONDS, IDENTIFY, Judgement, Outcome, connect, make_requests,  # noqa: E402
                  milliseconds, percentile, raw)

READER, OWNER = "a-key-for-asking-queries", "a-key-for-changing-things"
PART_OF_CAPACITY = 0.8
CAPACITY_SECONDS = 20
SAMPLE_SECONDS = 5
EDIT_SECONDS, RELOAD_SECONDS, SNAPSHOT_SECONDS, HOSTILE_SECONDS = 3, 60, 120, 2
IDLE, HALF_SENT = 60, 10  # connections
BIG = 60 << 20  # what the half-sent requests announce

# What must hold, of the last quarter's median over that of the second eighth.
RSS_GROWTH, RSS_GROWTH_BYTES = 0.05, 32 << 20
DESCRIPTOR_GROWTH, THREAD_GROWTH = 30, 6


def bearer(key):
    return (("authorization", f"Bearer {key}"),)


def hash_of(key):
    done = subprocess.run([harness.program("antiphon-server"), "--hash-api-key"],
                          input=key.encode() + b"\n", capture_output=True, check=True, timeout=60)
    return done.stdout.decode().strip()


class Samples:
    """What /metrics says, every so often."""

    NAMES = {"memory": "process_resident_memory_bytes", "descriptors": "process_open_fds",
             "threads": "process_threads", "queued": "antiphon_queue_depth",
             "pieces": "antiphon_pieces", "unmerged": "antiphon_unmerged_changes",
             "answers": "antiphon_port_answers"}

    def __init__(self, server):
        self._server = server
        self.begun = time.monotonic()
        self.times, self.health = [], []
        self.values = {name: [] for name in self.NAMES}
        self.text = ""

    def look(self):
        _, text = self._server.get("/metrics")
        self.text = text
        self.health.append(self._server.get("/healthz")[0])
        self.times.append(time.monotonic() - self.begun)
        for name, metric in self.NAMES.items():
            found = re.search(rf"^{metric} (\S+)$", text, re.MULTILINE)
            self.values[name].append(float(found.group(1)) if found else 0.0)

    async def run(self):
        while True:
            await asyncio.get_running_loop().run_in_executor(None, self.look)
            await asyncio.sleep(SAMPLE_SECONDS)

    def growth(self, name):
        """Medians of the second eighth and of the last quarter."""
        values = self.values[name]
        eighth = max(1, len(values) // 8)
        return (statistics.median(values[eighth:2 * eighth] or values),
                statistics.median(values[-2 * eighth:]))

    def counter(self, name, labels=""):
        total = 0.0
        for found in re.finditer(rf"^{name}\{{([^}}]*)\}} (\S+)$", self.text, re.MULTILINE):
            if labels in found.group(1):
                total += float(found.group(2))
        return total


class Workload:
    """Everything that goes on beside the queries, and what came of it."""

    def __init__(self, server, stubs, requests):
        self.server, self.stubs, self.requests = server, stubs, requests
        self.unexpected = collections.Counter()
        self.done = collections.Counter()
        self.random = random.Random(5)

    def expect(self, what, code, *allowed):
        self.done[what] += 1
        if code not in allowed:
            self.unexpected[f"{what}: {code.name}"] += 1

    async def call(self, what, method, request, key, *allowed):
        try:
            await method(request, timeout=CALL_SECONDS, metadata=bearer(key) if key else None)
            code = grpc.StatusCode.OK
        except grpc.aio.AioRpcError as error:
            code = error.code()
        self.expect(what, code, *(allowed or (grpc.StatusCode.OK,)))
        return code

    async def edits(self):
        """Pieces come, are changed and go; the collection stays as large as it is."""
        catalog = self.stubs["catalog_pb2"]
        number = 0
        async with connect(self.server.address) as channel:
            stub = self.stubs["catalog_pb2_grpc"].CatalogStub(channel)
            while True:
                piece = f"soak-{number}"
                number += 1
                score = self.stubs["retrieval_pb2"].IdentifyRequest.FromString(
                    self.random.choice(self.requests)).score
                await self.call("add", stub.AddPiece, catalog.AddPieceRequest(
                    piece=catalog.NewPiece(id=piece, title="Soak"), score=score), OWNER)
                await asyncio.sleep(EDIT_SECONDS)
                await self.call("update", stub.UpdatePiece, catalog.UpdatePieceRequest(
                    piece_id=piece, title="Soaked"), OWNER)
                await asyncio.sleep(EDIT_SECONDS)
                await self.call("delete", stub.DeletePiece, catalog.DeletePieceRequest(
                    piece_id=piece), OWNER)

    async def administration(self):
        """Reloads, merges and snapshots in turn. One at a time is all that the server does; it says
        so to a second."""
        admin = self.stubs["admin_pb2"]
        busy = (grpc.StatusCode.OK, grpc.StatusCode.ABORTED)
        begun = last_snapshot = time.monotonic()
        number = 0
        async with connect(self.server.address) as channel:
            stub = self.stubs["admin_pb2_grpc"].AdminStub(channel)
            while True:
                await asyncio.sleep(RELOAD_SECONDS)
                await self.call("reload", stub.Reload, admin.ReloadRequest(), OWNER, *busy)
                await self.call("merge", stub.Merge, admin.MergeRequest(), OWNER, *busy)
                self.server.send_signal(signal.SIGHUP)
                if time.monotonic() - last_snapshot > SNAPSHOT_SECONDS:
                    last_snapshot = time.monotonic()
                    name = f"soak-{int(last_snapshot - begun)}"
                    await self.call("snapshot", stub.Snapshot, admin.SnapshotRequest(name=name),
                                    OWNER, *busy)
                    if number > 0:
                        await self.call("delete snapshot", stub.DeleteSnapshot,
                                        admin.DeleteSnapshotRequest(name=previous), OWNER,
                                        *busy, grpc.StatusCode.NOT_FOUND)
                    previous = name
                    number += 1

    async def strangers(self):
        """Wrong keys, no keys, nonsense, methods that are none, callers who hang up."""
        retrieval = self.requests
        refused = (grpc.StatusCode.UNAUTHENTICATED,)
        async with connect(self.server.address) as channel:
            identify = raw(channel, IDENTIFY)
            while True:
                request = self.random.choice(retrieval)
                await self.call("no key", identify, request, None, *refused)
                await self.call("wrong key", identify, request, "a-key-that-is-guessed", *refused)
                await self.call("nonsense", identify, b"\xff" * 64, READER,
                                grpc.StatusCode.INVALID_ARGUMENT)
                await self.call("no method", raw(channel, "/antiphon.v1.Admin/Format"), b"", READER,
                                grpc.StatusCode.UNIMPLEMENTED)
                await self.call("forbidden", raw(channel, "/antiphon.v1.Admin/Merge"), b"", READER,
                                grpc.StatusCode.PERMISSION_DENIED)
                hanging_up = identify(request, timeout=CALL_SECONDS, metadata=bearer(READER))
                await asyncio.sleep(0.01)
                hanging_up.cancel()
                self.done["hung up"] += 1
                await asyncio.sleep(HOSTILE_SECONDS)

    def sockets(self, stop):
        """On a thread: connections that do nothing, and requests that never end, with a key and
        without."""
        kept = []

        def fresh(number):
            connection = http2.Connection(self.server.port)
            if number < HALF_SENT:
                key = (("x-api-key", READER),) if number % 2 else ()
                connection.begin_call(IDENTIFY, key, announce=BIG, send=BIG - 100_000)
            return connection

        while not stop.is_set():
            kept = [each for each in kept if not each.closed]
            for each in [each for each in kept if each.ended]:
                each.close()
                kept.remove(each)
            while len(kept) < IDLE + HALF_SENT and not stop.is_set():
                self.done["sockets"] += 1
                kept.append(fresh(self.random.randrange(IDLE + HALF_SENT)))
            http2.run(kept, 1, until=stop.is_set)
        for each in kept:
            each.close()


async def closed_loop(address, requests, clients, seconds):
    outcome = Outcome()
    end = time.monotonic() + seconds

    async def client(number):
        async with connect(address) as channel:
            stub = keyed(channel)
            order = random.Random(number)
            while time.monotonic() < end:
                await outcome.call(stub, order.choice(requests))

    await asyncio.gather(*(client(number) for number in range(clients)))
    return len(outcome.accepted) / seconds


def keyed(channel):
    method = raw(channel, IDENTIFY)
    return lambda request, timeout: method(request, timeout=timeout, metadata=bearer(READER))


async def queries(address, requests, rate, seconds):
    """Calls as they fall due at this rate on average."""
    outcome = Outcome()
    channels = [connect(address) for _ in range(16)]
    stubs = [keyed(channel) for channel in channels]
    order = random.Random(1)
    calls = set()
    end = time.monotonic() + seconds
    due = time.monotonic()
    number = 0
    while due < end:
        await asyncio.sleep(max(0, due - time.monotonic()))
        call = asyncio.ensure_future(
            outcome.call(stubs[number % len(stubs)], order.choice(requests)))
        calls.add(call)
        call.add_done_callback(calls.discard)
        number += 1
        due += order.expovariate(rate)
    if calls:
        await asyncio.wait(calls)
    for channel in channels:
        await channel.close()
    return outcome


def picture(samples, path):
    """Memory, descriptors and threads over time, as SVG."""
    width, height, left, gap = 760, 130, 90, 46
    end = max(samples.times[-1], 1)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + left + 20} '
             f'{3 * (height + gap) + 10}" font-family="sans-serif" font-size="12">']
    for row, (name, unit, scale) in enumerate((("memory", "MiB in RAM", 2**20),
                                               ("descriptors", "open descriptors", 1),
                                               ("threads", "threads", 1))):
        values = [value / scale for value in samples.values[name]]
        top = row * (height + gap) + 20
        most = max(values) * 1.1
        points = " ".join(f"{left + width * at / end:.1f},{top + height * (1 - value / most):.1f}"
                          for at, value in zip(samples.times, values))
        parts.append(f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" '
                     f'stroke="#bbb"/><polyline points="{points}" fill="none" stroke="#246"/>'
                     f'<text x="{left}" y="{top - 6}">{unit}</text>'
                     f'<text x="{left - 8}" y="{top + 10}" text-anchor="end">{most:.0f}</text>'
                     f'<text x="{left - 8}" y="{top + height}" text-anchor="end">0</text>'
                     f'<text x="{left + width}" y="{top + height + 16}" text-anchor="end">'
                     f'{end / 60:.0f} min</text>')
    path.write_text("\n".join(parts) + "\n</svg>\n", encoding="utf-8")


def judge(samples, work, outcome, judgement):
    memory = max(RSS_GROWTH_BYTES, RSS_GROWTH * samples.growth("memory")[0])
    for name, growth in (("memory", memory), ("descriptors", DESCRIPTOR_GROWTH),
                         ("threads", THREAD_GROWTH)):
        first, last = samples.growth(name)
        judgement.expect(last - first < growth, f"{name} grow: {first:.0f}, then {last:.0f}")
    judgement.expect(not outcome.errors, f"queries fail: {outcome.errors.most_common(3)}")
    judgement.expect(len(outcome.refused) == 0, f"{len(outcome.refused)} queries were refused")
    judgement.expect(not work.unexpected, f"unexpected: {work.unexpected.most_common(5)}")
    judgement.expect(set(samples.health) == {200}, f"health said {set(samples.health)}")
    judgement.expect(min(samples.values["answers"]) == 1, "the server's own port did not answer")
    for code in ("INTERNAL", "DATA_LOSS", "UNKNOWN"):
        failed = samples.counter("antiphon_requests_total", f'code="{code}"')
        judgement.expect(failed == 0, f"{failed:.0f} calls ended with {code}")


async def soak(server, stubs, requests, arguments, judgement):
    capacity = await closed_loop(server.address, requests, 8, CAPACITY_SECONDS)
    samples, work = Samples(server), Workload(server, stubs, requests)
    stop = threading.Event()
    sockets = threading.Thread(target=work.sockets, args=(stop,))
    sockets.start()
    beside = [asyncio.ensure_future(task) for task in (
        samples.run(), work.edits(), work.administration(), work.strangers())]
    try:
        outcome = await queries(server.address, requests, PART_OF_CAPACITY * capacity,
                                arguments.minutes * 60)
    finally:
        stop.set()
        for task in beside:
            task.cancel()
        results = await asyncio.gather(*beside, return_exceptions=True)
        sockets.join()
    for result in results:
        if not isinstance(result, asyncio.CancelledError):
            judgement.expect(False, f"the soak itself failed: {result!r}")
    samples.look()
    judge(samples, work, outcome, judgement)
    if arguments.plot:
        picture(samples, arguments.plot)
    if arguments.samples:
        arguments.samples.write_text(json.dumps({"seconds": samples.times, **samples.values}),
                                     encoding="utf-8")
    seconds = arguments.minutes * 60
    figures = [
        f"Soak: {arguments.minutes:g} minutes at {PART_OF_CAPACITY} of the capacity",
        f"  capacity            {capacity:.1f} calls/s, 8 clients that wait for each answer",
        f"  queries answered    {len(outcome.accepted)}, {len(outcome.accepted) / seconds:.1f}/s: "
        f"{milliseconds(outcome.accepted)}",
        f"  refused, failed     {len(outcome.refused)}, {sum(outcome.errors.values())}",
        "  beside them         " + ", ".join(f"{count} {what}"
                                             for what, count in sorted(work.done.items())),
    ]
    for name, scale, unit in (
            ("memory", 2**20, " MiB"), ("descriptors", 1, ""), ("threads", 1, "")):
        first, last = (value / scale for value in samples.growth(name))
        most = max(samples.values[name]) / scale
        figures.append(f"  {name:<20}{first:.0f}{unit} at first, {last:.0f}{unit} at last, "
                       f"at most {most:.0f}{unit}")
    figures.append(f"  requests given up   "
                   f"{samples.counter('antiphon_receive_refused_total'):.0f} on their way in")
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--plot", type=pathlib.Path, help="SVG to draw")
    parser.add_argument("--samples", type=pathlib.Path, help="JSON to write the samples to")
    arguments = parser.parse_args()
    harness.skip_without_material()
    stubs = harness.make_stubs()
    judgement = Judgement()
    with tempfile.TemporaryDirectory(prefix="antiphon_soak_") as folder:
        folder = pathlib.Path(folder)
        bundle = harness.copy_of_bundle(folder)
        (folder / "snapshots").mkdir()
        (folder / "keys").write_text(
            f"reader read {hash_of(READER)}\nowner admin {hash_of(OWNER)}\n", encoding="ascii")
        with harness.Server(f"--snapshot-dir={folder / 'snapshots'}",
                            f"--api-keys-file={folder / 'keys'}", "--receive-timeout-seconds=20",
                            "--connection-idle-seconds=60", bundle=bundle) as server:
            requests = make_requests(server.address, stubs, OWNER)
            figures = asyncio.run(soak(server, stubs, requests, arguments, judgement))
            server.send_signal(signal.SIGTERM)
            judgement.expect(server.wait(60) == 0, "the server did not stop as told")
    print("\n" + "\n".join(figures))
    for broken in judgement.broken:
        print(f"BROKEN: {broken}")
    sys.exit(1 if judgement.broken else 0)


if __name__ == "__main__":
    main()
