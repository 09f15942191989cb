"""MusicXML and Humdrum against Verovio: the onsets of notes in print, the labels of bars as played.

Needs PyPI's verovio. For example, in the checkout:

    tests/oracles/verovio_oracle.py lieder quartets orchestra --sample 200
    tests/oracles/verovio_oracle.py FOLDER_OF_KERN --sample 200
"""
import bisect
import collections
import copy
import importlib.util
import sys

import kern_durations
import scores
import verovio_reading

ENDINGS = {".mxl", ".musicxml", ".xml", ".krn", ".kern"}
BAR = 1000.0  # quarter notes between bars that are compared one by one


def places(onsets, bars):
    """Onsets within their bars: as if each bar were BAR long."""
    found = []
    for onset in onsets:
        bar = max(0, bisect.bisect(bars, onset + 0.02) - 1)
        found.append(bar * BAR + onset - bars[bar] if bars else onset)
    return found


def adorned(score):
    """Indices of written notes that Verovio strikes later: after graces on the beat, or spread."""
    graces = {round(onset, 3) for onset, _, _ in score["graces"]}
    return {index for index, note in enumerate(score["written_notes"])
            if "arpeggio" in note[5] or round(note[0], 3) in graces}


def pair_late(score, ours, theirs, shared):
    """Adds to `shared` the adorned notes that are struck within their time."""
    left = collections.defaultdict(list)
    for index, (onset, pitch) in enumerate(theirs):
        if index not in shared[1]:
            left[pitch].append((onset, index))
    for index in sorted(adorned(score) - shared[0]):
        onset, pitch = ours[index]
        latest = onset + max(0.5, 0.8 * score["written_notes"][index][1])
        late = [note for note in left[pitch] if onset < note[0] <= latest]
        if late:
            left[pitch].remove(late[0])
            shared[0].add(index)
            shared[1].add(late[0][1])


def compare(score, theirs):
    """F1 as both are; F1 without the oracle's own faults; remark."""
    written = score["written_notes"]
    plain = [(note[0], note[1]) for note in theirs["notes"] if note[2] != "grace"]
    as_is = scores.f1([(note[0], note[2]) for note in written], plain)
    bars = [bar["start"] for bar in score["written_bars"]]
    remarks, one_by_one = [], len(bars) == len(theirs["bars"])
    onsets = [note[0] for note in written]
    their_notes = [note for note in theirs["notes"] if note[2] not in ("grace", "cue", "tied")]
    their_onsets = [note[0] for note in their_notes]
    if one_by_one:
        other_length = sum(abs((now - before) - (their_now - their_before)) > 0.02
                           for before, now, their_before, their_now
                           in zip(bars, bars[1:], theirs["bars"], theirs["bars"][1:]))
        if other_length:
            remarks.append(f"{other_length} bars of another length")
        onsets, their_onsets = places(onsets, bars), places(their_onsets, theirs["bars"])
    else:
        remarks.append(f"{len(bars)} bars, theirs {len(theirs['bars'])}")
    alternating = {int(onset // BAR) for onset, note in zip(their_onsets, their_notes)
                   if note[2] == "alternating"} if one_by_one else set()
    ours = [(onset, note[2]) for onset, note in zip(onsets, written)]
    others = [(onset, note[1]) for onset, note in zip(their_onsets, their_notes)]
    shared = scores.common(ours, others)
    pair_late(score, ours, others, shared)
    if alternating:
        remarks.append(f"{len(alternating)} bars with alternating notes")
    counts = [0, 0, 0]
    for index, note in enumerate(ours):
        if int(note[0] // BAR) not in alternating:
            counts[0] += 1
            counts[2] += index in shared[0]
    counts[1] = sum(int(note[0] // BAR) not in alternating for note in others)
    own = 2 * counts[2] / (counts[0] + counts[1]) if counts[0] + counts[1] else 1.0
    return as_is, own, ", ".join(remarks), (ours, others, shared)


def by_durations(path, score):
    """F1 against the durations of each spine alone; 0 where they don't tell."""
    if path.suffix not in (".krn", ".kern"):
        return 0.0
    theirs = kern_durations.notes(path.read_bytes().decode("utf-8", errors="replace"))
    ours = [(note[0], note[2]) for note in score["written_notes"]]
    return scores.f1(ours, theirs) if theirs else 0.0


def show(difference, score):
    """The first notes that one of the two doesn't have."""
    ours, theirs, shared = difference
    labels = [bar["label"] for bar in score["written_bars"]]

    def first(notes, matched):
        rest = [note for index, note in enumerate(notes) if index not in matched]
        return [(labels[min(int(onset // BAR), len(labels) - 1)], round(onset % BAR, 3), pitch)
                for onset, pitch in rest[:6]], len(rest)

    print("    ours only", *first(ours, shared[0]), " theirs only", *first(theirs, shared[1]))


def has(score, what):
    """Whether a score has pickups, endings or jumps in it."""
    bars = score["written_bars"]
    if what == "pickup":
        return any(bar["label"].startswith(("0", "X")) for bar in bars)
    if what == "endings":
        return any(bar["endings"] for bar in bars)
    if what == "repeats":
        return any("repeat" in bar["signs"] for bar in bars)
    return any({"da-capo", "dal-segno"} & set(bar["signs"]) for bar in bars)


def whole_bars(labels):
    """Labels without those of parts of a bar: Verovio makes measures without a label of them in
    Humdrum, and gives them the same one in MusicXML."""
    kept = []
    for label in labels:
        if label and label != (kept[-1] if kept else ""):
            kept.append(label)
    return kept


def same_labels(ours, theirs):
    """Bar by bar, those without a label of theirs being any; or else of whole bars."""
    if len(ours) == len(theirs):
        if all(other in ("", own) for own, other in zip(ours, theirs)):
            return True
    return whole_bars(ours) == whole_bars(theirs)


def is_within(labels, others):
    """Whether `labels` are `others` with some left out."""
    rest = iter(others)
    return all(label in rest for label in labels)


class Labels:
    """Of all bars in the order of playing."""

    KINDS = ("pickup", "repeats", "endings", "jumps")

    def __init__(self, options):
        self.table, self.counts, self.bars = scores.Table(options), collections.Counter(), 0
        self.merged = []  # scores of which Verovio draws several bars as one

    def add(self, name, score, theirs):
        ours, others = [bar[2] for bar in score["bars"]], theirs["played"]
        same = same_labels(ours, others)
        printed = [bar["label"] for bar in score["written_bars"]]
        same_print = same_labels(printed, theirs["labels"])
        ours, others = whole_bars(ours), whole_bars(others)
        self.bars += len(ours)
        self.counts["printed"] += same_print
        if not same_print and is_within(whole_bars(theirs["labels"]), whole_bars(printed)):
            self.merged.append(f"{name}: {len(printed)} bars in print, theirs "
                               f"{len(theirs['labels'])}")
            return
        kinds = [what for what in self.KINDS if has(score, what)]
        for what in kinds:
            self.counts[what] += 1
            self.counts[what + " same"] += same
        remark = f"{' '.join(kinds)}; {len(ours)} bars, theirs {len(others)}"
        if not same:
            pairs = enumerate(zip(ours, others))
            apart = next((place for place, pair in pairs if pair[0] != pair[1]),
                         min(len(ours), len(others)))
            around = slice(max(0, apart - 1), apart + 3)
            remark += f"; apart at bar {apart}: {ours[around]}, theirs {others[around]}"
        self.table.add(name, float(same), remark)

    def finish(self):
        for merged in self.merged:
            print(f"drawn by Verovio with several bars as one  {merged}")
        code = self.table.finish("labels of the bars as played")
        print(f"{self.bars} bars played; in print the labels are the same in "
              f"{self.counts['printed']} scores")
        for what in self.KINDS:
            print(f"with {what}: {self.counts[what]} scores, the labels as played are the same in "
                  f"{self.counts[what + ' same']}")
        return code


def main():
    options = scores.parser(__doc__, share=0.95)
    options.add_argument("--label-share", type=float, default=0.0,
                         help="share of the scores whose bars must be played in the same order")
    options = options.parse_args()
    if importlib.util.find_spec("verovio") is None:
        scores.skip("there is no verovio here: pip install verovio")
    of_labels = copy.copy(options)
    of_labels.share = options.label_share
    notes, labels, as_they_are = scores.Table(options), Labels(of_labels), 0
    moved = []  # names
    for path, score in scores.read_scores(options, scores.files_of(options, ENDINGS)):
        if "error" in score:
            notes.refused.append((path.name, score["error"]))
            continue
        theirs = verovio_reading.read(path)
        if isinstance(theirs, str):
            notes.oracle_refused.append((path.name, theirs))
            continue
        labels.add(path.name, score, theirs)
        as_is, own, remark, difference = compare(score, theirs)
        as_they_are += as_is >= options.f1
        value = max(as_is, own)
        if value < options.f1 and by_durations(path, score) >= options.f1:
            moved.append(path.name)
            continue
        notes.add(path.name, value, f"as it is {as_is:.4f}; {remark}")
        if options.verbose and value < options.f1:
            print(path.name)
            show(difference, score)
    code = labels.finish()
    for name in moved:
        print(f"moved by Verovio, ours are where the durations say  {name}")
    print(f"with what Verovio does in its own way: F1 >= {options.f1:g} in {as_they_are}")
    return notes.finish("notes against Verovio") or code


if __name__ == "__main__":
    sys.exit(main())
