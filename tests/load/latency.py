"""How long `Identify` takes when one client asks and nobody else does: ten-second clips of
recordings as 16-bit samples at 22,050 Hz.

    tests/load/latency.py --clip FILE.flac [--clip ...] --server NAME=PROGRAM=BUNDLE [--server ...]

Starts each server, and asks them in turn, so that whatever else the machine does slows all alike.
Prints for each the seconds that answers took, the processor time of the server, what its log says
of the stages, its memory, and whether the servers answer alike.
"""

import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

import harness  # noqa: E402

RATE = 22050
SECONDS = 10
STAGES = ("features", "encode", "search", "vote")


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def samples_of(path, start_s):
    command = ["ffmpeg", "-v", "error", "-ss", str(start_s), "-t", str(SECONDS), "-i", path, "-ac",
               "1", "-ar", str(RATE), "-f", "s16le", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


class Server:
    """One program with its bundle, and what was measured of it."""

    def __init__(self, described, port, stubs):
        self.name, program, bundle = described.split("=", 2)
        self._log = tempfile.NamedTemporaryFile("r", suffix=".log")
        with open(self._log.name, "wb") as log:
            self._process = subprocess.Popen(
                [program, "--bundle", bundle, "--read-only", "--listen", f"127.0.0.1:{port}",
                 "--metrics-listen", f"127.0.0.1:{port + 1}"], stdout=log, stderr=log)
        channel = grpc.insecure_channel(f"127.0.0.1:{port}",
                                        options=[("grpc.enable_http_proxy", 0)])
        grpc.channel_ready_future(channel).result(timeout=120)
        self._stub = stubs["retrieval_pb2_grpc"].RetrievalStub(channel)
        self.seconds, self.answers = [], []

    def ask(self, request, counts):
        begun = time.monotonic()
        answer = self._stub.Identify(request, timeout=60)
        if counts:
            self.seconds.append(time.monotonic() - begun)
            self.answers.append([(one.source.id, round(one.confidence, 3))
                                 for one in answer.candidates])

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1]
        return sum(map(int, fields.split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        return {name: int(re.search(rf"{name}:\s+(\d+)", status)[1]) // 1024
                for name in ("RssAnon", "RssFile")}

    def stages(self):
        taken = collections.defaultdict(list)
        for line in self._log.read().splitlines():
            if "Retrieval.Identify" in line:
                for stage in STAGES:
                    found = re.search(rf"\b{stage}_ms=([\d.]+)", line)
                    if found:
                        taken[stage].append(float(found[1]))
        return taken

    def stop(self):
        self._process.terminate()
        self._process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", action="append", required=True)
    parser.add_argument("--server", action="append", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, default=50870)
    options = parser.parse_args()
    stubs = harness.make_stubs()
    pb = stubs["retrieval_pb2"]
    audio = stubs["types_pb2"]
    requests = [
        pb.IdentifyRequest(audio=audio.Audio(pcm=audio.Pcm(
            encoding=audio.Pcm.ENCODING_INT16, sample_rate=RATE, channels=1,
            samples=samples_of(clip, start_s)))) for clip in options.clip for start_s in (20, 40)
    ]
    servers = [Server(one, options.port + 2 * i, stubs) for i, one in enumerate(options.server)]
    try:
        for server in servers:
            server.opened = server.memory()
            for request in requests[:4]:
                server.ask(request, counts=False)
        cpu = [0.0] * len(servers)
        for _ in range(options.rounds):
            for request in requests:
                for i, server in enumerate(servers):
                    before = server.cpu_seconds()
                    server.ask(request, counts=True)
                    cpu[i] += server.cpu_seconds() - before
        for i, server in enumerate(servers):
            calls = len(server.seconds)
            print(f"{server.name}: {calls} calls, " + ", ".join(
                f"p{int(100 * part)} {1000 * percentile(server.seconds, part):.1f} ms"
                for part in (0.1, 0.5, 0.99)) + f"; CPU {1000 * cpu[i] / calls:.1f} ms a call")
            stages = server.stages()
            print("  stages, p10 and p50: " + ", ".join(
                f"{stage} {percentile(taken, 0.1):.1f}, {percentile(taken, 0.5):.1f} ms"
                for stage, taken in stages.items()))
            print(f"  MiB when opened {server.opened}, now {server.memory()}")
            alike = sum(a == b for a, b in zip(server.answers, servers[0].answers))
            first = sum(a[:1] == b[:1] for a, b in zip(server.answers, servers[0].answers))
            print(f"  answers as {servers[0].name}'s: {alike} of {calls}, the best {first}")
    finally:
        for server in servers:
            server.stop()


if __name__ == "__main__":
    main()
