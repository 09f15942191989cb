#!/usr/bin/env python3
"""What a user would take instead of Antiphon, on the same excerpts, in the same minutes.

    tests/bench/compare.py --server PROGRAM=BUNDLE --recording PIECE=FILE [--recording ...] \\
        [--other PIECE=FILE ...] [--seconds 10] [--places 4] [--json FILE]
    tests/bench/compare.py --index SCORES.faiss [--index ...] --queries QUERIES.npy [...] \\
        [--json FILE] [--plot FILE.svg]

The first asks about excerpts of recordings: a server whose pieces have the ids PIECE, which may
hold the recordings as well, under the names of their files without the ending, and of `olaf`,
`audfprint` and `fpcalc` those on the PATH. The fingerprinters' index holds the recordings
themselves, which they are made for; then only the --other performances of the same pieces. It also
sets the constant-Q transform beside librosa's. The second sets Antiphon's indexes of the same
vectors beside FAISS's. What is not installed is named as skipped: run this with a Python that has
librosa and faiss-cpu to see all.

Processor time is that of all threads. Of the fingerprinters it is what each further excerpt takes:
starting them is told apart. Antiphon's server runs already, as it does for its callers.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "integration"))

import harness  # noqa: E402
import index_types  # noqa: E402
from measure import BUILD, bench  # noqa: E402

SAMPLE_RATE = 22050
NOISE_SECONDS = 20  # what the transforms are timed on
HOP, BANDS_PER_OCTAVE, BANDS, LOWEST_HZ = 1024, 24, 176, 27.5  # Antiphon's own hop is 1,050


class Excerpt:
    """A stretch of a recording, in a file of its own."""

    def __init__(self, piece, recording, path):
        self.piece, self.recording, self.path = piece, recording, path


class Cost:
    """Processor seconds and the largest memory of a process and its children."""

    def __init__(self, command, environment=None):
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL,
                                       env={**os.environ, **(environment or {})})
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            self.output = output.read().decode(errors="replace")
        if process.returncode != 0:
            raise RuntimeError(f"{command[0]} ended with {process.returncode}")
        self.cpu = usage.ru_utime + usage.ru_stime
        self.mebibytes = usage.ru_maxrss / 1024


class Olaf:
    name = program = "olaf"

    def __init__(self, folder):
        self._environment = {"HOME": str(folder)}
        places = {f"{name}_folder": f"{folder}/.olaf/{name}/" for name in ("db", "cache")}
        for place in places.values():
            pathlib.Path(place).mkdir(parents=True)
        (folder / ".olaf/olaf_config.json").write_text(json.dumps(places), encoding="utf-8")

    def index(self, recordings):
        return Cost(["olaf", "store", *recordings], self._environment)

    def ask(self, excerpts):
        return Cost(["olaf", "query", *excerpts], self._environment)

    def first(self, output):
        """The recording that was found first, by excerpt: lines have the query, its offset, the
        number of matches, ..., the recording."""
        best = {}
        for line in output.splitlines():
            fields = [field.strip() for field in re.split(r"[,;]", line)]
            if len(fields) > 7 and fields[4].isdigit():
                count, query, found = int(fields[4]), fields[2], fields[7]
                if count > best.get(query, (0, ""))[0]:
                    best[query] = (count, found)
        return {query: found for query, (_, found) in best.items()}


class Audfprint:
    name = program = "audfprint"

    def __init__(self, folder):
        self._database = str(folder / "fingerprints.pklz")

    def index(self, recordings):
        return Cost(["audfprint", "new", "--dbase", self._database, *recordings])

    def ask(self, excerpts):
        return Cost(["audfprint", "match", "--dbase", self._database, *excerpts])

    def first(self, output):
        return dict(re.findall(r"^Matched (\S+) .* as (\S+) at ", output, re.MULTILINE))


def duration(path):
    done = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of",
                           "csv=p=0", path], check=True, capture_output=True, text=True)
    return float(done.stdout)


def cut(recordings, options, folder):
    """`places` excerpts of each recording, evenly over it."""
    excerpts = []
    for piece, recording in recordings:
        room = duration(recording) - options.seconds
        for place in range(options.places):
            path = folder / f"excerpt-{len(excerpts)}.wav"
            start = room * (place + 0.5) / options.places
            subprocess.run(["ffmpeg", "-v", "error", "-ss", f"{start:.3f}", "-t",
                            f"{options.seconds}", "-i", recording, "-ac", "1", "-ar",
                            str(SAMPLE_RATE), path], check=True)
            excerpts.append(Excerpt(piece, recording, str(path)))
    return excerpts


def share(hits, count):
    return f"{hits} of {count}" if count else "-"


def row(name, task, sound, cpu, start, mebibytes, same_recording="-", same_work="-"):
    return {"name": name, "task": task, "sound_per_cpu_second": sound / cpu if cpu else None,
            "start_cpu_seconds": start, "mebibytes": mebibytes, "same_recording": same_recording,
            "same_work": same_work}


def per_excerpt(every, alone, count):
    """Processor seconds of each further excerpt, and of the start, from the costs of `count`
    excerpts and of the first alone. None where the two cannot be told apart: there is no further
    one, or the first alone took as long as all."""
    each = (every.cpu - alone.cpu) / (count - 1) if count > 1 else 0
    return (each, max(0.0, alone.cpu - each)) if each > 0 else (None, None)


def of_antiphon(server, excerpts, options):
    """Rows of the server, which holds the scores and may hold the recordings, each under the name
    of its file."""
    program, bundle = server.split("=", 1)
    with tempfile.TemporaryDirectory() as folder, harness.Server(
            "--read-only", bundle=bundle, executable=program) as running:
        def ask(against):
            return bench(running, [excerpt.path for excerpt in excerpts], 0,
                         pathlib.Path(folder) / f"{against}.json", "--against", against,
                         "--clients", "1", "--duration-s", f"{options.duration_s:g}")

        scores = ask("scores")
        recordings = ask("recordings") if scores["server"]["recordings"] else None

    rows = [row_of_antiphon(scores, excerpts,
                            f"identify against {scores['server']['pieces']} scores",
                            same_work=lambda excerpt: excerpt.piece)]
    if recordings:
        rows.append(row_of_antiphon(
            recordings, excerpts,
            f"identify against {recordings['server']['recordings']} recordings",
            same_recording=lambda excerpt: pathlib.Path(excerpt.recording).stem))
    return rows


def row_of_antiphon(figures, excerpts, task, **right):
    """From what antiphon-bench wrote. `right` says for a column which id an excerpt's answer has
    when it is right; only what was answered counts."""
    run = figures["runs"][0]
    found = {one["clip"]: one["id"] for one in figures["recognized"]}
    answered = [excerpt for excerpt in excerpts if excerpt.path in found]
    hits = {column: share(sum(found[excerpt.path] == id_of(excerpt) for excerpt in answered),
                          len(answered)) for column, id_of in right.items()}
    return row("Antiphon", task, run["sound_per_cpu_second"], 1, None,
               run["resident_bytes"] / 2**20, **hits)


def asked(rival, excerpts, recordings, is_right):
    """Indexes, asks about all excerpts at once and about the first alone, and counts the answers
    that are right: (cost of indexing, of asking, of one excerpt, right answers)."""
    indexing = rival.index(recordings)
    asking = rival.ask([excerpt.path for excerpt in excerpts])
    alone = rival.ask([excerpts[0].path])
    found = rival.first(asking.output)
    right = sum(is_right(excerpt, found.get(excerpt.path)) for excerpt in excerpts)
    return indexing, asking, alone, right


def of_fingerprints(kind, excerpts, recordings, others, options):
    """Rows of a program that finds the same recording again."""
    piece_of = {path: piece for piece, path in recordings + others}
    files = [path for _, path in recordings]
    with tempfile.TemporaryDirectory() as folder:
        indexing, asking, alone, same = asked(
            kind(pathlib.Path(folder)), excerpts, files,
            lambda excerpt, found: found == excerpt.recording)
    works = "-"
    known = {piece for piece, _ in others}
    performed = [excerpt for excerpt in excerpts if excerpt.piece in known]
    if performed:
        with tempfile.TemporaryDirectory() as folder:
            right = asked(kind(pathlib.Path(folder)), performed, [path for _, path in others],
                          lambda excerpt, found: piece_of.get(found) == excerpt.piece)[3]
        works = share(right, len(performed))
    each, start = per_excerpt(asking, alone, len(excerpts))
    return [row(kind.name, f"identify against {len(files)} recordings", options.seconds, each,
                start, asking.mebibytes, share(same, len(excerpts)), works),
            row(kind.name, "index recordings", sum(map(duration, files)), indexing.cpu, None,
                indexing.mebibytes)]


def of_fpcalc(excerpts, options):
    paths = [excerpt.path for excerpt in excerpts]
    command = ["fpcalc", "-ignore-errors"]  # it takes the end of a short file for one
    every, alone = Cost([*command, *paths]), Cost([*command, paths[0]])
    each, start = per_excerpt(every, alone, len(paths))
    return [row("fpcalc", "fingerprint only; AcoustID's service answers", options.seconds, each,
                start, every.mebibytes)]


def of_transforms():
    """Rows of the constant-Q transforms, one thread each, of white noise."""
    done = subprocess.run(
        [BUILD / "core/features/features_benchmark", "--benchmark_filter=BM_Spectrogram/constant_q",
         "--benchmark_format=json"], check=True, capture_output=True, text=True)
    ours = json.loads(done.stdout)["benchmarks"][0]["items_per_second"]
    rows = [row("Antiphon", "constant-Q transform", ours, 1, None, None)]
    try:
        import librosa
        import numpy
    except ImportError:
        return rows + ["librosa (not importable by this Python)"]
    noise = numpy.random.default_rng(1).standard_normal(NOISE_SECONDS * SAMPLE_RATE)
    noise = noise.astype(numpy.float32)

    def seconds():
        begun = time.process_time()
        librosa.cqt(noise, sr=SAMPLE_RATE, hop_length=HOP, fmin=LOWEST_HZ, n_bins=BANDS,
                    bins_per_octave=BANDS_PER_OCTAVE)
        return time.process_time() - begun

    first = seconds()  # compiles and plans
    each = min(seconds() for _ in range(5))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return rows + [row(f"librosa {librosa.__version__}", "constant-Q transform", NOISE_SECONDS,
                       each, max(0.0, first - each), peak)]


def compare_recordings(options):
    recordings = [tuple(one.split("=", 1)) for one in options.recording]
    others = [tuple(one.split("=", 1)) for one in options.other]
    rows, skipped = [], []
    with tempfile.TemporaryDirectory(prefix="antiphon_compare_") as folder:
        excerpts = cut(recordings, options, pathlib.Path(folder))
        rows += of_antiphon(options.server, excerpts, options)
        for kind in (Olaf, Audfprint):
            if shutil.which(kind.program):
                rows += of_fingerprints(kind, excerpts, recordings, others, options)
            else:
                skipped.append(f"{kind.name} (not on PATH)")
        if shutil.which("fpcalc"):
            rows += of_fpcalc(excerpts, options)
        else:
            skipped.append("fpcalc (not on PATH)")
    for one in of_transforms():
        (skipped if isinstance(one, str) else rows).append(one)
    return rows, skipped


def show(rows, skipped):
    columns = (("name", "name"), ("task", "task"), ("sound_per_cpu_second", "sound s / CPU s"),
               ("start_cpu_seconds", "start, CPU s"), ("mebibytes", "MiB"),
               ("same_recording", "same recording"), ("same_work", "same work"))
    table = [[title for _, title in columns]]
    for one in rows:
        table.append([f"{one[key]:,.1f}" if isinstance(one[key], float) else one[key] or "-"
                      for key, _ in columns])
    print_table(table, skipped)


def print_table(table, skipped):
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    for name in skipped:
        print(f"skipped: {name}")


def positive(text):
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return int(text)


def parse(words=None):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server")
    parser.add_argument("--recording", action="append", default=[])
    parser.add_argument("--other", action="append", default=[])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--places", type=positive, default=4, help="excerpts of each recording")
    parser.add_argument("--duration-s", type=float, default=20, help="of asking the server")
    parser.add_argument("--index", action="append", default=[])
    parser.add_argument("--queries", nargs="+", default=[])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--plot", type=pathlib.Path)
    options = parser.parse_args(words)
    if not options.recording and not options.index:
        parser.error("nothing to compare: name a --recording or an --index")
    if options.recording and not options.server:
        parser.error("--recording needs a --server that is asked about it")
    if options.index and not options.queries:
        parser.error("--index needs --queries to search it for")
    return options


def main():
    options = parse()
    figures = {}
    if options.recording:
        figures["recordings"], skipped = compare_recordings(options)
        show(figures["recordings"], skipped)
    if options.index:
        figures["indexes"], skipped = index_types.compare(
            BUILD / "core/index/packed_search_benchmark", options.index, options.queries,
            options.threads)
        print_table(index_types.table(figures["indexes"]), skipped)
        if options.plot:
            index_types.draw(figures["indexes"], options.plot)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
