"""What the programs that compare scores share: scores as score_notes prints them, the share of
onsets that two readings have in common, samples, and tables.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
TOLERANCE = 0.04  # quarter notes: MIDI files and timemaps round


def skip(reason):
    """Ends the program: what it compares with isn't there."""
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def corpus(name):
    """A folder of the corpora, or one of the working directory."""
    shared = pathlib.Path(os.environ.get("ANTIPHON_CORPORA", ROOT.parent / "shared"))
    for folder in (pathlib.Path(name), shared / "corpus" / name):
        if folder.is_dir():
            return folder
    return skip(f"there is no folder {name}, nor {shared / 'corpus' / name}")


def parser(description, share):
    """The options that all have."""
    made = argparse.ArgumentParser(description=description.strip().splitlines()[0])
    made.add_argument("folder", nargs="*", help="folder of scores, or its name below the corpora")
    made.add_argument("--sample", type=int, default=0, help="so many files, chosen by --seed")
    made.add_argument("--seed", type=int, default=16)
    made.add_argument("--f1", type=float, default=0.99, help="F1 that a score needs")
    made.add_argument("--share", type=float, default=share,
                      help="share of the scores that need it, for exit code 0")
    made.add_argument("--score-notes", default=str(ROOT / "build/release/bin/score_notes"),
                      help="the program, as built")
    made.add_argument("--verbose", action="store_true", help="what differs, for each score below")
    return made


def files_of(options, endings):
    """The files of the folders, or a sample of them."""
    found = []
    for folder in options.folder:
        found += [path for path in corpus(folder).rglob("*")
                  if path.suffix in endings and path.is_file()]
    if not found:
        skip(f"no file with one of the endings {' '.join(endings)} in {' '.join(options.folder)}")
    found.sort(key=lambda path: (path.name, str(path)))
    if 0 < options.sample < len(found):
        found = sorted(random.Random(options.seed).sample(found, options.sample))
    return found


def read_scores(options, paths):
    """(path, score) of each file, one after the other; a file of several tunes has several."""
    if not pathlib.Path(options.score_notes).exists():
        skip(f"{options.score_notes} is not built: cmake --build build/release "
             "--target score_notes")
    by_name = {str(path): path for path in paths}
    with subprocess.Popen([options.score_notes, "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, encoding="utf-8") as program:
        for name, path in by_name.items():
            program.stdin.write(name + "\n")
            program.stdin.flush()
            tunes = 1
            while tunes > 0:
                score = json.loads(program.stdout.readline())
                tunes = score["tunes"] - score["tune"]
                yield path, score
        program.stdin.close()


def common(one, other, tolerance=TOLERANCE):
    """Indices of the (onset, pitch) of each that have a partner in the other."""
    by_pitch = collections.defaultdict(list)
    for index, (onset, pitch) in enumerate(other):
        by_pitch[pitch].append((onset, index))
    for onsets in by_pitch.values():
        onsets.sort()
    of_one, of_other, next_at = set(), set(), collections.Counter()
    for onset, index in sorted((note[0], index) for index, note in enumerate(one)):
        pitch = one[index][1]
        onsets = by_pitch[pitch]
        while next_at[pitch] < len(onsets) and onsets[next_at[pitch]][0] < onset - tolerance:
            next_at[pitch] += 1
        place = next_at[pitch]
        if place < len(onsets) and onsets[place][0] <= onset + tolerance:
            of_one.add(index)
            of_other.add(onsets[place][1])
            next_at[pitch] += 1
    return of_one, of_other


def f1(one, other, shared=None):
    """Of the notes of two readings; 1 where both are empty."""
    of_one = shared[0] if shared else common(one, other)[0]
    return 2 * len(of_one) / (len(one) + len(other)) if one or other else 1.0


class Table:
    """Scores and their F1, and what the program ends with."""

    def __init__(self, options):
        self.options = options
        self.rows = []  # (F1, name, remark)
        self.refused = []  # (name, why)
        self.oracle_refused = []

    def add(self, name, value, remark=""):
        self.rows.append((value, name, remark))

    def finish(self, what):
        """Prints it; the exit code."""
        needed = self.options.f1
        below = sorted(row for row in self.rows if row[0] < needed)
        for value, name, remark in below:
            print(f"{value:.4f}  {name}  {remark}")
        for name, why in self.refused:
            print(f"refused  {name}: {why}")
        for name, why in self.oracle_refused:
            print(f"not read by the other program  {name}: {why}")
        good, all_scores = len(self.rows) - len(below), len(self.rows) + len(self.refused)
        print(f"{what}: F1 >= {needed:g} in {good} of {all_scores}"
              + (f"; {len(self.oracle_refused)} more are not read by the other program"
                 if self.oracle_refused else ""))
        return 0 if all_scores > 0 and good >= self.options.share * all_scores else 1
