"""MusicXML and Humdrum against Verovio: the onsets of notes, and the labels of bars as played.

Needs PyPI's verovio. For example, below the checkout:

    tests/oracles/verovio_oracle.py lieder quartets orchestra --sample 200
    tests/oracles/verovio_oracle.py POLISH_FOLDER --sample 200
    tests/oracles/verovio_oracle.py lieder quartets --sample 200 --labels
"""
import bisect
import collections
import importlib.util
import sys

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
        other_length = sum(abs((bars[k] - bars[k - 1]) - (theirs["bars"][k] - theirs["bars"][k - 1]))
                           > 0.02 for k in range(1, len(bars)))
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


def compare_labels(options, paths):
    """Of all bars in the order of playing."""
    table, counts, bars = scores.Table(options), collections.Counter(), 0
    for path, score in scores.read_scores(options, paths):
        if "error" in score:
            table.refused.append((path.name, score["error"]))
            continue
        theirs = verovio_reading.read(path)
        if isinstance(theirs, str):
            table.oracle_refused.append((path.name, theirs))
            continue
        ours = [bar[2] for bar in score["bars"]]
        bars += len(ours)
        same = ours == theirs["played"]
        counts.update({"same print": [bar["label"] for bar in score["written_bars"]]
                       == theirs["labels"]})
        kinds = [what for what in ("pickup", "repeats", "endings", "jumps") if has(score, what)]
        for what in kinds:
            counts.update({what: 1, what + " same": same})
        remark = f"{' '.join(kinds)}: {len(ours)} bars, theirs {len(theirs['played'])}"
        if not same:
            apart = next((k for k, pair in enumerate(zip(ours, theirs["played"]))
                          if pair[0] != pair[1]), min(len(ours), len(theirs["played"])))
            remark += (f"; apart at bar {apart}: {ours[max(0, apart - 1):apart + 3]}, theirs "
                       f"{theirs['played'][max(0, apart - 1):apart + 3]}")
        table.add(path.name, float(same), remark)
    print(f"{bars} bars played; the labels in print are the same in {counts['same print']}")
    for what in ("pickup", "repeats", "endings", "jumps"):
        print(f"with {what}: {counts[what]}, labels as played the same in {counts[what + ' same']}")
    return table.finish("labels of the bars as played")


def compare_notes(options, paths):
    """Of all notes in print."""
    table, as_they_are = scores.Table(options), 0
    for path, score in scores.read_scores(options, paths):
        if "error" in score:
            table.refused.append((path.name, score["error"]))
            continue
        theirs = verovio_reading.read(path)
        if isinstance(theirs, str):
            table.oracle_refused.append((path.name, theirs))
            continue
        as_is, own, remark, difference = compare(score, theirs)
        as_they_are += as_is >= options.f1
        table.add(path.name, max(as_is, own), f"as it is {as_is:.4f}; {remark}")
        if options.verbose and max(as_is, own) < options.f1:
            print(path.name)
            show(difference, score)
    print(f"with the oracle's own faults: F1 >= {options.f1:g} in {as_they_are}")
    return table.finish("notes against Verovio")


def main():
    options = scores.parser(__doc__, share=0.95)
    options.add_argument("--labels", action="store_true",
                         help="compare the labels of bars, in the order of playing")
    options = options.parse_args()
    if importlib.util.find_spec("verovio") is None:
        scores.skip("there is no verovio here: pip install verovio")
    paths = scores.files_of(options, ENDINGS)
    return compare_labels(options, paths) if options.labels else compare_notes(options, paths)


if __name__ == "__main__":
    sys.exit(main())
