"""What trainer/metrics counts of a transcription against mir_eval (Raffel et al. 2014): ten pieces
of the songbook, each against what a careless transcriber would make of it.

mir_eval comes from PyPI, into a virtual environment of its own in the build folder; where it cannot
be had, the test is skipped and says so.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "integration"))

import harness
import python_environment

PACKAGES = ["mir_eval==0.7"]
ENVIRONMENT = harness.BUILD / "mir_eval"
WITHIN = "ANTIPHON_WITHIN_MIR_EVAL"  # set in the interpreter that has it
FILES = 10
FRAME = 0.01  # seconds
QUARTER = 0.5  # seconds
SHIFT = 0.0037


def true_notes(path):
    """[onset, end, pitch] of a score, as score_notes reads it, in seconds."""
    done = subprocess.run([harness.program("score_notes"), str(path)], capture_output=True,
                          encoding="utf-8", timeout=60, check=True)
    notes = json.loads(done.stdout.splitlines()[0])["notes"]
    # Beside the moments of frames, where the last digit of a time would decide.
    return [[round(onset * QUARTER + SHIFT, 4), round((onset + length) * QUARTER + SHIFT, 4), pitch]
            for onset, length, pitch, *_ in notes if length > 0]


def careless(notes, seed):
    """The notes with onsets and ends that are off, some missing, some invented, some twice."""
    dice = random.Random(seed)
    found = []
    for onset, end, pitch in notes:
        if dice.random() < 0.1:
            continue
        start = max(0.0, onset + dice.gauss(0, 0.03))
        stop = max(start + 0.04, end + dice.gauss(0, 0.08))
        found.append([round(start, 4), round(stop, 4), pitch + (dice.random() < 0.05)])
        if dice.random() < 0.1:
            found.append([round(start + 0.02, 4), round(stop, 4), pitch])
    dice.shuffle(found)
    return found


def counted(pairs):
    """What note_rates makes of (truth, found)."""
    lines = "".join(json.dumps({"truth": truth, "found": found}) + "\n" for truth, found in pairs)
    done = subprocess.run([harness.program("note_rates")], input=lines, capture_output=True,
                          encoding="utf-8", timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def rates(counts):
    """Precision and recall."""
    hits, extra, missed = counts
    return hits / (hits + extra), hits / (hits + missed)


class MirEval(unittest.TestCase):

    def setUp(self):
        files = sorted((harness.SOURCE / "data/songbook").glob("*.abc"))[:FILES]
        self.assertEqual(len(files), FILES)
        self.pairs = []
        for seed, path in enumerate(files):
            truth = true_notes(path)
            self.pairs.append((truth, careless(truth, seed)))
        self.counts = counted(self.pairs)

    def test_notes_are_matched_alike(self):
        for (truth, found), ours in zip(self.pairs, self.counts):
            for name, ratio in (("onsets", None), ("offsets", 0.2)):
                theirs = mir_eval.transcription.precision_recall_f1_overlap(
                    *intervals(truth), *intervals(found), offset_ratio=ratio)
                self.assertAlmostEqual(rates(ours[name])[0], theirs[0], places=9)
                self.assertAlmostEqual(rates(ours[name])[1], theirs[1], places=9)
                self.assertGreater(theirs[2], 0.1)
                self.assertLess(theirs[2], 0.99)

    def test_frames_are_matched_alike(self):
        for (truth, found), ours in zip(self.pairs, self.counts):
            end = max(end for _, end, _ in truth + found)
            times = numpy.arange(int(end / FRAME) + 2) * FRAME
            precision, recall = mir_eval.multipitch.metrics(
                times, frequencies(truth, times), times, frequencies(found, times))[:2]
            self.assertAlmostEqual(rates(ours["frames"])[0], precision, places=6)
            self.assertAlmostEqual(rates(ours["frames"])[1], recall, places=6)


def hertz(pitch):
    return 440.0 * 2 ** ((pitch - 69) / 12)


def intervals(notes):
    return (numpy.array([note[:2] for note in notes]),
            numpy.array([hertz(note[2]) for note in notes]))


def frequencies(notes, times):
    """Of each frame, those of the pitches that sound in it, each once."""
    frames = [set() for _ in times]
    for onset, end, pitch in notes:
        first = int(numpy.searchsorted(times, onset - 1e-9))
        last = int(numpy.searchsorted(times, end - 1e-9))
        for frame in frames[first:last]:
            frame.add(pitch)
    return [numpy.array(sorted(map(hertz, frame))) for frame in frames]


if __name__ == "__main__":
    if WITHIN not in os.environ:
        python, why = python_environment.install(ENVIRONMENT, PACKAGES)
        if python is None:
            print(f"skipped: mir_eval cannot be installed: {why}")
            sys.exit(harness.SKIPPED)
        os.environ[WITHIN] = "1"
        os.execv(python, [str(python), *sys.argv])
    import mir_eval
    import numpy
    unittest.main(verbosity=2)
