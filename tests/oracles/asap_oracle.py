"""MusicXML of ASAP's pieces against the MIDI that is there of them, repeats played.

That MIDI plays ornaments, graces and arpeggios out: a note that bears one counts as found where it
is struck within its time, and each further onset must lie within such a note's. Needs PyPI's mido.

    tests/oracles/asap_oracle.py asap-xml
"""
import bisect
import collections
import importlib.util
import sys

import scores

LONGEST = 2.0  # quarter notes that a note with an ornament may be struck late
EARLY = 0.3  # ... that its graces come before it


def midi_notes(path):
    """(onset, pitch), in quarter notes."""
    import mido  # pylint: disable=import-outside-toplevel

    file, notes = mido.MidiFile(path), []
    for track in file.tracks:
        now = 0
        for event in track:
            now += event.time
            if event.type == "note_on" and event.velocity > 0:
                notes.append((now / file.ticks_per_beat, event.note))
    return sorted(notes)


class Adorned:
    """When the notes of a score that bear an ornament, a grace or an arpeggio are played."""

    def __init__(self, score):
        graces = {round(onset, 3) for onset, _, _ in score["graces"]}
        marked = [note for note in score["written_notes"] if note[5] or round(note[0], 3) in graces]
        self.count = len(marked) + len(score["graces"])
        starts = [bar["start"] for bar in score["written_bars"]]
        of_bar = collections.defaultdict(list)
        for note in marked:
            of_bar[bisect.bisect_right(starts, note[0] + 1e-6) - 1].append(note)
        self._spans = []
        self._ends = {}  # by onset and pitch
        for played, _, _, _, _, printed in score["bars"]:
            for note in of_bar[bisect.bisect_right(starts, printed + 1e-6) - 1]:
                onset = played + note[0] - printed
                self._spans.append((onset, onset + note[1]))
                self._ends[(round(onset, 3), note[2])] = onset + note[1]

    def end_of(self, onset, pitch):
        """Of an adorned note; else None."""
        return self._ends.get((round(onset, 3), pitch))

    def within(self, onset):
        return any(start - EARLY <= onset < end + 0.01 for start, end in self._spans)


def compare(score, midi):
    """Recall, precision and F1 as they are; recall with adorned notes; onsets left over."""
    ours = [(note[0], note[2]) for note in score["notes"]]
    of_ours, of_midi = scores.common(ours, midi)
    adorned = Adorned(score)
    left = collections.defaultdict(list)
    for index, (onset, pitch) in enumerate(midi):
        if index not in of_midi:
            left[pitch].append(onset)
    late = 0
    missing = []
    for index, (onset, pitch) in enumerate(ours):
        if index in of_ours:
            continue
        end = adorned.end_of(onset, pitch)
        if end and any(onset - 0.01 <= at < min(end, onset + LONGEST) for at in left[pitch]):
            late += 1
        else:
            missing.append((round(onset, 3), pitch))
    stray = [note for index, note in enumerate(midi)
             if index not in of_midi and not adorned.within(note[0])]
    recall = len(of_ours) / max(1, len(ours))
    return {"recall": recall, "f1": scores.f1(ours, midi, (of_ours, of_midi)),
            "recall with adorned": (len(of_ours) + late) / max(1, len(ours)),
            "adorned": adorned.count, "missing": missing, "stray": stray, "notes": len(ours),
            "midi": len(midi)}


def main():
    options = scores.parser(__doc__, share=0.88)
    options = options.parse_args()
    if importlib.util.find_spec("mido") is None:
        scores.skip("there is no mido here: pip install mido")
    asap = scores.corpus("asap")
    table, plain, good_plain = scores.Table(options), 0, 0
    for path, score in scores.read_scores(options, scores.files_of(options, {".musicxml"})):
        midi = asap.joinpath(*path.stem.split("__"), "midi_score.mid")
        if not midi.exists():
            continue
        if "error" in score:
            table.refused.append((path.name, score["error"]))
            continue
        found = compare(score, midi_notes(midi))
        print(f"{found['recall']:.4f} recall {found['recall with adorned']:.4f} with adorned "
              f"notes, F1 {found['f1']:.4f}  {path.stem}: {found['notes']} notes, {found['midi']} "
              f"in the MIDI, {found['adorned']} graces and adorned, {score['cue_notes']} cue notes "
              "left out, not explained "
              f"{len(found['missing'])} of ours and {len(found['stray'])} of the MIDI")
        if options.verbose:
            print("    ours", found["missing"][:6], "MIDI", found["stray"][:6])
        if not found["adorned"] and not score["cue_notes"]:
            plain += 1
            good_plain += found["f1"] >= 0.995
        table.add(path.stem, found["recall with adorned"], f"recall as it is {found['recall']:.4f}")
    print(f"without ornaments, graces and cue notes: {plain}, F1 >= 0.995 in {good_plain}")
    code = table.finish("recall against ASAP's MIDI")
    return code if good_plain == plain else 1


if __name__ == "__main__":
    sys.exit(main())
