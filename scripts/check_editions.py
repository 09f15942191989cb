#!/usr/bin/env python3
"""Checks the list of editions against the notes of the corpora.

data/editions/real.tsv says which stretches of which files are the same music and which only look
alike. This program reads both files of every line and compares their notes by itself; it shares no
code with the programs of this project. See data/editions/README.md.

How a line is compared. Both stretches are taken in beats, where expressive tempo plays no part. The
straight line from the start of one to the end of the other maps the beats of one to the beats of
the other. An onset (the notes that start together) agrees when at least half of its pitch classes
start in the other file within TOLERANCE of the mapped beat. The share is the mean, over the two
directions, of the share of agreeing onsets. A line marked 1 must have at least SAME_BAR, a line
marked 0 at most OTHER_BAR, and a line marked 1 must last MIN_SECONDS in both files.

Usage: check_editions.py --corpus msmd=FOLDER --corpus piano-midi.de=FOLDER --corpus asap=FOLDER
Needs Python 3.8 and the package mido.
"""
import argparse
import bisect
import csv
import os
import sys

try:
    import mido
except ImportError:
    sys.exit("check_editions.py needs the Python package mido: pip install mido")

TOLERANCE = 0.2  # beats of the first file
CHORD = 0.06  # beats within which notes count as one onset
SAME_BAR = 0.85
OTHER_BAR = 0.70
MIN_SECONDS = 8.0
DRUMS = 9
DEFAULT_LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "editions",
                            "real.tsv")


class Piece:
    """The onsets of a MIDI file: beats (ascending), seconds and sets of pitch classes."""

    def __init__(self, path):
        midi = mido.MidiFile(path, clip=True)
        if midi.ticks_per_beat <= 0:
            raise ValueError(f"{path}: time in frames is not read")
        notes, tempi = [], {0: 500000}
        for track in midi.tracks:
            tick = 0
            for message in track:
                tick += message.time
                if message.type == "set_tempo":
                    tempi[tick] = message.tempo
                elif message.type == "note_on" and message.velocity and message.channel != DRUMS:
                    notes.append((tick, message.note))
        self.per_beat = midi.ticks_per_beat
        self._set_tempi(tempi)
        self._set_onsets(sorted(notes))

    def _set_tempi(self, tempi):
        self.tempo_beats, self.tempo_seconds, self.beat_seconds = [], [], []
        for tick in sorted(tempi):
            beat = tick / self.per_beat
            self.tempo_seconds.append(self.seconds(beat) if self.tempo_beats else 0.0)
            self.tempo_beats.append(beat)
            self.beat_seconds.append(max(tempi[tick], 1) / 1e6)

    def _set_onsets(self, notes):
        self.beats, self.classes, self.notes = [], [], []
        for tick, pitch in notes:
            beat = tick / self.per_beat
            if not self.beats or beat - self.beats[-1] > CHORD:
                self.beats.append(beat)
                self.classes.append(set())
                self.notes.append([])
            self.classes[-1].add(pitch % 12)
            self.notes[-1].append(pitch)

    def seconds(self, beat):
        i = max(bisect.bisect_right(self.tempo_beats, beat) - 1, 0)
        return self.tempo_seconds[i] + (beat - self.tempo_beats[i]) * self.beat_seconds[i]

    def beat(self, seconds):
        i = max(bisect.bisect_right(self.tempo_seconds, seconds) - 1, 0)
        return self.tempo_beats[i] + (seconds - self.tempo_seconds[i]) / self.beat_seconds[i]

    def between(self, start, end):
        """Indexes of the onsets from beat `start` to beat `end`, both with a small margin."""
        return range(bisect.bisect_left(self.beats, start - CHORD),
                     bisect.bisect_right(self.beats, end + CHORD))

    def classes_near(self, beat, tolerance):
        near = set()
        for i in range(bisect.bisect_left(self.beats, beat - tolerance),
                       bisect.bisect_right(self.beats, beat + tolerance)):
            near |= self.classes[i]
        return near


def onset_agrees(classes, other, beat, tolerance):
    return 2 * len(classes & other.classes_near(beat, tolerance)) >= len(classes)


def one_way(piece, start, end, other, other_start, other_end, tolerance):
    """(agreeing, all) onsets of `piece` from beat `start` to beat `end`."""
    factor = (other_end - other_start) / (end - start)
    onsets = piece.between(start, end)
    agreeing = sum(
        onset_agrees(piece.classes[i], other, other_start + (piece.beats[i] - start) * factor,
                     tolerance) for i in onsets)
    return agreeing, len(onsets)


def share_of_agreement(piece, seconds, other, other_seconds):
    """Mean share of agreeing onsets of two stretches (pairs of seconds), and both directions."""
    start, end = (piece.beat(s) for s in seconds)
    other_start, other_end = (other.beat(s) for s in other_seconds)
    factor = (other_end - other_start) / (end - start)
    there, all_there = one_way(piece, start, end, other, other_start, other_end,
                               TOLERANCE * factor)
    back, all_back = one_way(other, other_start, other_end, piece, start, end, TOLERANCE)
    if not all_there or not all_back:
        return 0.0, 0.0, 0.0
    there, back = there / all_there, back / all_back
    return (there + back) / 2, there, back


def midi_paths(corpus, folder):
    """Paths of the MIDI files of a corpus by the names that the list uses."""
    paths = {}
    for where, _, names in os.walk(folder):
        for name in names:
            stem, extension = os.path.splitext(name)
            if extension.lower() not in (".mid", ".midi"):
                continue
            if corpus == "asap":
                if stem != "midi_score":
                    continue
                stem = os.path.relpath(where, folder).replace(os.sep, "__")
            paths[stem] = os.path.join(where, name)
    return paths


class Corpora:
    """Reads pieces by corpus and name; keeps what it has read."""

    def __init__(self, folders):
        self.paths = {corpus: midi_paths(corpus, folder) for corpus, folder in folders.items()}
        self.pieces = {}

    def piece(self, corpus, name):
        if (corpus, name) not in self.pieces:
            if corpus not in self.paths:
                raise ValueError(f"no folder given: --corpus {corpus}=FOLDER")
            if name not in self.paths[corpus]:
                raise ValueError(f"{corpus} has no piece {name}")
            self.pieces[corpus, name] = Piece(self.paths[corpus][name])
        return self.pieces[corpus, name]


def check_row(row, corpora):
    """(share, there, back, fault) of a line; the fault is empty when the line holds."""
    stretch = float(row["start_s"]), float(row["end_s"])
    other = float(row["other_start_s"]), float(row["other_end_s"])
    if row["same"] not in ("0", "1") or stretch[0] >= stretch[1] or other[0] >= other[1]:
        return 0.0, 0.0, 0.0, "malformed"
    share, there, back = share_of_agreement(
        corpora.piece(row["corpus"], row["piece"]), stretch,
        corpora.piece(row["other_corpus"], row["other_piece"]), other)
    if row["same"] == "0":
        return share, there, back, "agrees too well" if share > OTHER_BAR else ""
    if min(stretch[1] - stretch[0], other[1] - other[0]) < MIN_SECONDS:
        return share, there, back, "too short"
    return share, there, back, "agrees too little" if share < SAME_BAR else ""


def parse_arguments():
    parser = argparse.ArgumentParser(description="Checks the list of editions against the notes.")
    parser.add_argument("--corpus", action="append", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--list", default=DEFAULT_LIST, help="real.tsv")
    arguments = parser.parse_args()
    arguments.folders = {}
    for text in arguments.corpus:
        name, equals, folder = text.partition("=")
        if not equals or not os.path.isdir(folder):
            parser.error(f"--corpus {text}: NAME=FOLDER with a folder that is there")
        arguments.folders[name] = folder
    return arguments


def main():
    arguments = parse_arguments()
    corpora = Corpora(arguments.folders)
    lines, faults = 0, 0
    pairs = {"0": set(), "1": set()}
    print("same\tshare\tthere\tback\tpiece\tother_piece\tstart_s\tother_start_s\tfault")
    with open(arguments.list, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            try:
                share, there, back, fault = check_row(row, corpora)
            except (OSError, ValueError, EOFError, TypeError) as error:
                share, there, back, fault = 0.0, 0.0, 0.0, str(error)
            lines += 1
            faults += bool(fault)
            pairs.setdefault(row["same"], set()).add((row["piece"], row["other_piece"]))
            print(f"{row['same']}\t{share:.3f}\t{there:.3f}\t{back:.3f}\t{row['piece']}\t"
                  f"{row['other_piece']}\t{row['start_s']}\t{row['other_start_s']}\t{fault}",
                  flush=True)
    print(f"{lines} lines, {len(pairs['1'])} pairs of the same music, "
          f"{len(pairs['0'])} pairs of other music, {faults} faults")
    return 1 if faults or not lines else 0


if __name__ == "__main__":
    sys.exit(main())
