"""Load on the server, as built: more calls than it can answer must cost it neither its pace nor its
memory.

First the capacity is measured, with a few clients that ask again as soon as they are answered. Then
many connections together ask twice as often as that, whether answered or not, for minutes. The
answered must not wait longer than a full queue takes, the others must be refused at once and told
when to ask again, and memory must stay flat. Then the collection is replaced many times under
calls, none of which may fail: two generations take turns.

Prints the figures last. Exit status: 0, 1 (a promise was broken) or 77 (there is nothing to test
with).
"""

import argparse
import asyncio
import collections
import os
import pathlib
import random
import statistics
import sys
import tempfile
import time

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

import harness  # noqa: E402
from python_client import PythonClient  # noqa: E402

CALL_SECONDS = 120
QUEUE_CAPACITY = 128
QUERY_SECONDS = 8  # of a score: a request of about a kilobyte, so that asking costs little

# What must hold.
ACCEPTED_SLACK = 1.5  # over the time that a full queue takes at the pace of the load
REFUSAL_P99_SECONDS = 1.0  # seen from clients that share the machine's cores with the server
RSS_GROWTH = 0.05  # of the second half's median over the first's
RSS_GROWTH_BYTES = 32 << 20

IDENTIFY = "/antiphon.v1.Retrieval/Identify"


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")


def milliseconds(values):
    return "  ".join(f"p{name} {percentile(values, part) * 1000:.1f}"
                     for name, part in (("50", 0.5), ("90", 0.9), ("99", 0.99),
                                        ("100", 1.0))) + " ms"


def connect(address):
    """A connection of its own: channels to one address share one otherwise."""
    return grpc.aio.insecure_channel(address, options=[("grpc.enable_http_proxy", 0),
                                                       ("grpc.use_local_subchannel_pool", 1)])


def raw(channel, method):
    """Requests and answers as bytes: the client's time is not what is measured."""
    return channel.unary_unary(method)


class Outcome:
    """Of many calls: seconds of the answered and of the refused, and what else came back."""

    def __init__(self):
        self.accepted, self.refused = [], []
        self.without_retry = 0
        self.errors = collections.Counter()

    async def call(self, stub, request):
        begun = time.monotonic()
        try:
            await stub(request, timeout=CALL_SECONDS)
            self.accepted.append(time.monotonic() - begun)
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.RESOURCE_EXHAUSTED:
                self.errors[f"{error.code().name}: {error.details()}"] += 1
                return
            self.refused.append(time.monotonic() - begun)
            trailers = dict(tuple(error.trailing_metadata() or ()))
            trailer = trailers.get("grpc-status-details-bin", b"")
            if b"google.rpc.RetryInfo" not in trailer:
                self.without_retry += 1


class Watch:
    """Looks at the server once a second: resident bytes, calls in flight, queue."""

    def __init__(self, server):
        self._server = server
        self.resident, self.in_flight, self.queued = [], [], []

    def look(self):
        with open(f"/proc/{self._server.process.pid}/status", encoding="ascii") as status:
            self.resident += [
                int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:")
            ]
        self.in_flight.append(self._server.metric("antiphon_requests_in_flight") or 0)
        self.queued.append(self._server.metric("antiphon_queue_depth") or 0)

    async def run(self):
        while True:
            await asyncio.get_running_loop().run_in_executor(None, self.look)
            await asyncio.sleep(1)

    def growth(self):
        """Medians of resident bytes over the first and the last quarter, the first tenth left
        out."""
        samples = self.resident[len(self.resident) // 10:]
        quarter = max(1, len(samples) // 4)
        return statistics.median(samples[:quarter]), statistics.median(samples[-quarter:])

    def is_flat(self):
        first, last = self.growth()
        return last - first < max(RSS_GROWTH * first, RSS_GROWTH_BYTES)

    def text(self):
        first, last = self.growth()
        return (f"{first / 2**20:.1f} MiB at first, {last / 2**20:.1f} MiB at last, "
                f"at most {max(self.resident) / 2**20:.1f} MiB")


class WithKey(grpc.UnaryUnaryClientInterceptor):
    """Shows an API key with every call."""

    def __init__(self, key):
        self._metadata = (("authorization", f"Bearer {key}"),)

    def intercept_unary_unary(self, continuation, client_call_details, request):
        return continuation(client_call_details._replace(metadata=self._metadata), request)


def make_requests(address, stubs, key=None):
    """Serialised: stretches of many pieces."""
    channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
    client = PythonClient(grpc.intercept_channel(channel, WithKey(key)) if key else channel, stubs)
    requests = []
    for piece in client.pieces():
        if piece["duration_seconds"] > 2 * QUERY_SECONDS:
            midi = client.snippet(piece_id=piece["id"], start_seconds=4,
                                  end_seconds=4 + QUERY_SECONDS).content
            score = stubs["types_pb2"].Score(midi=midi)
            requests.append(stubs["retrieval_pb2"].IdentifyRequest(score=score).SerializeToString())
    return requests


async def closed_loop(address, requests, clients, seconds=None, until=None):
    """Clients that ask again as soon as they are answered, for so long, or until an event."""
    outcome = Outcome()
    end = time.monotonic() + seconds if seconds is not None else float("inf")

    async def client(number):
        async with connect(address) as channel:
            stub = raw(channel, IDENTIFY)
            order = random.Random(number)
            while time.monotonic() < end and not (until is not None and until.is_set()):
                await outcome.call(stub, order.choice(requests))

    begun = time.monotonic()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return outcome, len(outcome.accepted) / (time.monotonic() - begun)


async def open_loop(address, requests, connections, rate, seconds):
    """Calls as they fall due at this rate on average, on one connection after the other, answered
    or not."""
    outcome = Outcome()
    channels = [connect(address) for _ in range(connections)]
    stubs = [raw(channel, IDENTIFY) for channel in channels]
    order = random.Random(1)
    calls = set()
    begun = due = time.monotonic()
    number = 0
    while due < begun + seconds:
        delay = due - time.monotonic()
        if delay > 0:
            await asyncio.sleep(delay)
        call = asyncio.ensure_future(
            outcome.call(stubs[number % connections], order.choice(requests)))
        calls.add(call)
        call.add_done_callback(calls.discard)
        number += 1
        due += order.expovariate(rate)
        if number % 32 == 0:
            await asyncio.sleep(0)
    offered = number / (time.monotonic() - begun)
    if calls:
        await asyncio.wait(calls)
    for channel in channels:
        await channel.close()
    return outcome, offered


class Judgement:
    """Collects what does not hold."""

    def __init__(self):
        self.broken = []

    def expect(self, holds, message):
        if not holds:
            self.broken.append(message)


async def overload(server, requests, arguments, judgement):
    _, capacity = await closed_loop(server.address, requests, 8,
                                    seconds=min(20, arguments.minutes * 30))
    watch = Watch(server)
    watching = asyncio.ensure_future(watch.run())
    seconds = arguments.minutes * 60
    outcome, offered = await open_loop(server.address, requests, arguments.connections,
                                       2 * capacity, seconds)
    watching.cancel()

    pace = len(outcome.accepted) / seconds
    bound = ACCEPTED_SLACK * (QUEUE_CAPACITY / pace if pace > 0 else 0) + 1
    judgement.expect(not outcome.errors, f"calls fail: {outcome.errors.most_common(3)}")
    judgement.expect(pace > 0.5 * capacity,
                     f"under load {pace:.1f} calls/s are answered, of {capacity:.1f}/s without")
    judgement.expect(len(outcome.refused) > 0, "nothing is refused at twice the capacity")
    judgement.expect(
        percentile(outcome.accepted, 1) < bound, f"the answered wait longer than {bound:.1f} s")
    judgement.expect(percentile(outcome.refused, 0.99) < REFUSAL_P99_SECONDS, "refusals are slow")
    judgement.expect(outcome.without_retry == 0,
                     f"{outcome.without_retry} refusals do not say when to ask again")
    judgement.expect(watch.is_flat(), f"memory grows: {watch.text()}")
    judgement.expect(max(watch.queued) <= QUEUE_CAPACITY, "the queue is longer than its capacity")
    return [
        f"Load: {arguments.connections} connections, {seconds:.0f} s",
        f"  capacity            {capacity:.1f} calls/s, 8 clients that wait for each answer",
        f"  offered             {offered:.1f} calls/s",
        f"  answered            {len(outcome.accepted)}, {pace:.1f}/s: "
        f"{milliseconds(outcome.accepted)}; bound {bound:.1f} s",
        f"  refused             {len(outcome.refused)}: {milliseconds(outcome.refused)}; "
        f"{len(outcome.refused) - outcome.without_retry} say when to ask again",
        f"  failed otherwise    {sum(outcome.errors.values())}",
        f"  resident memory     {watch.text()}",
        f"  in flight           at most {max(watch.in_flight):.0f}; "
        f"queued at most {max(watch.queued):.0f} of {QUEUE_CAPACITY}",
    ]


def current_generation(bundle):
    return (bundle / "CURRENT").read_text(encoding="ascii")


def name_current(bundle, generation):
    """Replaces what the bundle's CURRENT says, at once."""
    (bundle / "CURRENT.new").write_text(generation, encoding="ascii")
    os.replace(bundle / "CURRENT.new", bundle / "CURRENT")


def make_another_generation(server, requests, stubs):
    """Adds a piece, and merges it into a generation of its own."""
    catalog, admin = stubs["catalog_pb2"], stubs["admin_pb2"]
    with grpc.insecure_channel(server.address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        score = stubs["retrieval_pb2"].IdentifyRequest.FromString(requests[0]).score
        piece = catalog.NewPiece(id="load_excerpt", title="An excerpt")
        stubs["catalog_pb2_grpc"].CatalogStub(channel).AddPiece(
            catalog.AddPieceRequest(piece=piece, score=score))
        stubs["admin_pb2_grpc"].AdminStub(channel).Merge(admin.MergeRequest())


async def reload_under_load(server, bundle, requests, stubs, arguments, judgement):
    admin = stubs["admin_pb2"]
    names = [current_generation(bundle)]
    make_another_generation(server, requests, stubs)
    names.append(current_generation(bundle))
    done = asyncio.Event()
    watch = Watch(server)
    watching = asyncio.ensure_future(watch.run())
    calls = asyncio.ensure_future(closed_loop(server.address, requests, 4, until=done))
    times, failures = [], collections.Counter()
    async with connect(server.address) as channel:
        stub = stubs["admin_pb2_grpc"].AdminStub(channel)
        for number in range(arguments.reloads):
            name_current(bundle, names[number % 2])
            begun = time.monotonic()
            try:
                answer = await stub.Reload(admin.ReloadRequest(), timeout=CALL_SECONDS)
                times.append(time.monotonic() - begun)
                if answer.generation == answer.previous_generation:
                    failures["nothing was replaced"] += 1
            except grpc.aio.AioRpcError as error:
                failures[f"{error.code().name}: {error.details()}"] += 1
    done.set()
    outcome, pace = await calls
    watching.cancel()
    judgement.expect(not failures, f"reloads fail: {failures.most_common(3)}")
    judgement.expect(not outcome.errors and not outcome.refused,
                     f"calls fail under reloads: {outcome.errors.most_common(3)}")
    judgement.expect(len(outcome.accepted) > 0, "nothing was answered under reloads")
    judgement.expect(watch.is_flat(), f"reloads leak: {watch.text()}")
    return [
        f"Reloads: {len(times)} of {arguments.reloads} under calls",
        f"  each took           {milliseconds(times)}",
        f"  calls answered      {len(outcome.accepted)}, {pace:.1f}/s: "
        f"{milliseconds(outcome.accepted)}",
        f"  calls failed        {sum(outcome.errors.values()) + len(outcome.refused)}",
        f"  resident memory     {watch.text()}",
    ]


async def run(server, bundle, requests, stubs, arguments, judgement):
    figures = []
    if arguments.minutes > 0:
        figures += await overload(server, requests, arguments, judgement)
    if arguments.reloads > 0:
        figures += await reload_under_load(server, bundle, requests, stubs, arguments, judgement)
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3, help="of overload; 0: none")
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--reloads", type=int, default=500,
                        help="of the collection under calls; 0: none")
    arguments = parser.parse_args()
    harness.skip_without_material()
    stubs = harness.make_stubs()
    judgement = Judgement()
    with tempfile.TemporaryDirectory(prefix="antiphon_load_") as folder:
        bundle = harness.copy_of_bundle(folder)
        with harness.Server("--queue-capacity", str(QUEUE_CAPACITY), "--no-watch-current",
                            bundle=bundle) as server:
            requests = make_requests(server.address, stubs)
            figures = asyncio.run(run(server, bundle, requests, stubs, arguments, judgement))
    print("\n" + "\n".join(figures))
    for broken in judgement.broken:
        print(f"BROKEN: {broken}")
    sys.exit(1 if judgement.broken else 0)


if __name__ == "__main__":
    main()
