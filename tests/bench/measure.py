#!/usr/bin/env python3
"""Loads servers with antiphon-bench, and draws what came of it.

    tests/bench/measure.py --server NAME=PROGRAM=BUNDLE [--server ...] --clip FILE [FILE ...] \\
        --out FOLDER [--seconds 5,10,30,0] [--clients 1,2,4,8,16,32,64] [--load 0.2,0.5,0.8,0.9]

All servers are started, and take turns with every kind of load, so that whatever else the machine
does slows all alike. First clients that ask again when they are answered find what a server can
do; then requests come at shares of that, whether or not others are answered. Writes the figures
(NAME-SECONDS-closed.json, NAME-SECONDS-open.json) and the plots: latency against load for each
length of the sound, and cost against the size of the collection where servers differ in it.
"""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "integration"))

import harness  # noqa: E402
import plot  # noqa: E402


BUILD = pathlib.Path(os.environ.get("ANTIPHON_BUILD_DIR", harness.SOURCE / "build/release"))
BENCH = BUILD / "tests/bench/antiphon-bench"


def numbers(text):
    return [float(word) for word in text.split(",")]


def sound(seconds):
    """Of excerpts: a name."""
    return f"{seconds:g}s" if seconds else "whole"


def bench(server, clips, seconds, file, *load):
    """Runs antiphon-bench, which prints its table, and returns the figures that it writes."""
    command = [BENCH, "--target", server.address, "--server-pid", str(server.process.pid),
               "--seconds", f"{seconds:g}", "--json", file, *load, "--clip", *clips]
    subprocess.run(command, check=True)
    return json.loads(file.read_text(encoding="utf-8"))


def measure(servers, options):
    """Of each server and length of sound: {(name, seconds): (closed runs, open runs, collection)}.
    """
    lasting = ["--duration-s", f"{options.duration_s:g}", "--warm-up-s", f"{options.warm_up_s:g}",
               "--places", str(options.places)]
    measured = {}
    for seconds in options.seconds:
        for name, server in servers.items():
            def run(loop, *load):
                print(f"\n{name}, {sound(seconds)}, {loop} loop", flush=True)
                return bench(server, options.clip, seconds,
                             options.out / f"{name}-{sound(seconds)}-{loop}.json", *load, *lasting)

            closed = run("closed", "--clients", options.clients)
            capacity = max(one["calls_per_second"] for one in closed["runs"])
            rates = ",".join(f"{part * capacity:.3g}" for part in options.load)
            opened = run("open", "--rate", rates)
            measured[name, seconds] = (closed["runs"], opened["runs"], closed["server"])
    return measured


def draw_latency(measured, seconds, out):
    series = {}
    for (name, length), (_, runs, _) in measured.items():
        if length == seconds:
            for part, percentile in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999")):
                series[f"{name}, {part}"] = [
                    (run["calls_per_second"], run["answered_ms"][percentile]) for run in runs
                    if run["answered_ms"]["count"]]
    plot.chart(out / f"latency-{sound(seconds)}.svg",
               f"Identify, {sound(seconds)}: latency against load, open loop", "calls answered / s",
               "ms from when a call is due", series, log_y=True)


def draw_cost(measured, out):
    """Draws what a call of the fewest clients costs against the collection's size, each series in
    the order of sizes. Nothing where all sizes are the same."""
    series = {}
    for (_, seconds), (closed, _, collection) in measured.items():
        size = collection["score_vectors"] + collection["recording_vectors"]
        alone = min(closed, key=lambda run: run["clients"])
        for what, value in (("CPU of a call", alone.get("cpu_ms_per_call")),
                            ("alone, p50", alone["answered_ms"]["p50"])):
            if value:
                series.setdefault(f"{sound(seconds)}, {what}", []).append((size, value))
    if len({size for points in series.values() for size, _ in points}) > 1:
        plot.chart(out / "cost.svg", "Identify: cost against the collection's size",
                   "snippets in the collection", "ms",
                   {name: sorted(points) for name, points in series.items()}, log_x=True,
                   log_y=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", action="append", required=True)
    parser.add_argument("--clip", nargs="+", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=numbers, default=[5, 10, 30, 0], help="0: whole files")
    parser.add_argument("--clients", default="1,2,4,8,16,32,64")
    parser.add_argument("--load", type=numbers, default=[0.2, 0.4, 0.6, 0.8, 0.9],
                        help="shares of what the clients reached")
    parser.add_argument("--duration-s", type=float, default=20)
    parser.add_argument("--warm-up-s", type=float, default=2)
    parser.add_argument("--places", type=int, default=4, help="excerpts of each file")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        servers = {}
        for described in options.server:
            name, program, bundle = described.split("=", 2)
            servers[name] = stack.enter_context(
                harness.Server("--read-only", bundle=bundle, executable=program))
        measured = measure(servers, options)
    for seconds in options.seconds:
        draw_latency(measured, seconds, options.out)
    draw_cost(measured, options.out)


if __name__ == "__main__":
    main()
