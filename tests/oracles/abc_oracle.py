"""ABC tunes against abc2midi, and against music21 where the two differ.

Needs abc2midi (Debian's abcmidi) and PyPI's mido; music21 is asked where it is there. It brings
thousands of tunes: --music21 takes those in place of a folder.

    tests/oracles/abc_oracle.py data/songbook
    tests/oracles/abc_oracle.py --music21 --sample 200
"""
import collections
import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

import scores
from asap_oracle import midi_notes

TOLERANCE = 0.02  # quarter notes; abc2midi begins notes a tick late
SECONDS = 60
FIELD = re.compile(rb"[A-Za-z]:(?![|:])")
PLAYED_OUT = re.compile(rb"!.*(trill|mordent|roll|turn|arpeggio|pralltriller)")
COMPLAINTS = re.compile("Malformed|Cannot apply|unequal|Different length|not allowed in chord|"
                        "already finished|reserved|not supported|Unrecog")


def tunes_of(path):
    """The tunes of a file, each with the file's header."""
    text = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    head, tunes, current = [], [], None
    for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        if re.match(rb"X:(?![|:])", line):
            current = [line]
            tunes.append(current)
        elif not line.strip():
            current = None
        elif current is not None:
            current.append(line)
        elif not tunes:
            head.append(line)
    return [b"\n".join(head + tune) for tune in tunes]


def plain(text):
    """Without what abc2midi plays out or adds of its own: ornaments, swing, spread chords."""
    lines = []
    for line in text.split(b"\n"):
        if line.startswith(b"R:"):
            continue
        if not FIELD.match(line) and not line.startswith(b"%"):
            parts = re.split(rb'("[^"]*"|![^! |]*!|\[[A-Za-z]:[^\]]*\])', line)
            for place, part in enumerate(parts):
                if place % 2 == 0:
                    parts[place] = re.sub(rb"\{[^}]*\}|[TMPR~.]", b"", part)
                elif PLAYED_OUT.match(part):
                    parts[place] = b""
            line = b"".join(parts)
        lines.append(line)
        if line.startswith(b"X:"):
            lines.append(b"%%MIDI chordattack 0")
    return b"\n".join(lines) + b"\n"


def by_abc2midi(text, folder):
    """Its notes, or None; and whether it complains of the tune."""
    source, midi = folder / "tune.abc", folder / "tune.mid"
    source.write_bytes(plain(text))
    midi.unlink(missing_ok=True)
    done = subprocess.run(["abc2midi", str(source), "-o", str(midi), "-NGRA", "-NFER", "-NGUI",
                           "-NFNP"], capture_output=True, timeout=SECONDS, check=False)
    said = (done.stdout + done.stderr).decode("latin1")
    return midi_notes(midi) if midi.exists() else None, bool(COMPLAINTS.search(said))


def by_music21(text):
    """Its notes with repeats played, and in print; None where it fails."""
    if importlib.util.find_spec("music21") is None:
        return None, None
    from music21 import converter  # pylint: disable=import-outside-toplevel

    def notes(stream):
        found = []
        for note in stream.flatten().notes:
            if note.duration.isGrace or type(note).__name__ == "ChordSymbol":
                continue
            if note.tie and note.tie.type in ("stop", "continue"):
                continue
            found += [(float(note.offset), pitch.midi) for pitch in note.pitches]
        return found

    warnings.filterwarnings("ignore")
    played = printed = None
    try:
        stream = converter.parse(plain(text).decode("latin1"), format="abc")
        printed = notes(stream)
        played = notes(stream.expandRepeats())
    except Exception:  # pylint: disable=broad-except
        pass
    return played, printed


def f1(ours, theirs):
    return scores.f1(ours, theirs, scores.common(ours, theirs, TOLERANCE)) if theirs else 0.0


def compare(score, text, folder):
    """F1 against abc2midi, and what is to be said of it; None where that makes no MIDI of it."""
    played = [(note[0], note[2]) for note in score["notes"]]
    theirs, complains = by_abc2midi(text, folder)
    if theirs is None:
        return None, ""
    value = f1(played, theirs)
    if value >= 0.99:
        return value, ""
    printed = [(note[0], note[2]) for note in score["written_notes"]]
    second, second_printed = by_music21(text)
    remark = "abc2midi complains" if complains else "abc2midi is silent"
    if f1(played, second) >= 0.99:
        remark += ", music21 agrees with us"
    elif f1(printed, second_printed) >= 0.99:
        remark += ", music21 agrees with us on the print"
    elif second_printed is not None:
        remark += ", music21 differs too"
    return value, remark


def music21_tunes():
    """The files of ABC that music21 brings."""
    if importlib.util.find_spec("music21") is None:
        scores.skip("there is no music21 here: pip install music21")
    from music21 import common  # pylint: disable=import-outside-toplevel

    return sorted(pathlib.Path(common.getCorpusFilePath()).rglob("*.abc"))


def tunes_to_compare(options):
    """(name, text) of each."""
    files = music21_tunes() if options.music21 else scores.files_of(options, {".abc"})
    tunes = [(f"{path.name} {number}", text) for path in files
             for number, text in enumerate(tunes_of(path), start=1)]
    if options.music21 and 0 < options.sample < len(tunes):
        tunes = sorted(scores.random.Random(options.seed).sample(tunes, options.sample))
    return tunes


def main():
    options = scores.parser(__doc__, share=0.95)
    options.add_argument("--music21", action="store_true", help="the tunes that music21 brings")
    options = options.parse_args()
    if shutil.which("abc2midi") is None:
        scores.skip("there is no abc2midi here: apt-get install abcmidi")
    if importlib.util.find_spec("mido") is None:
        scores.skip("there is no mido here: pip install mido")
    table, reasons = scores.Table(options), collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tunes = {}
        for place, (tune, text) in enumerate(tunes_to_compare(options)):
            path = folder / f"{place}.abc"
            path.write_bytes(text + b"\n")
            tunes[path] = (tune, text)
        for path, score in scores.read_scores(options, list(tunes)):
            tune, text = tunes[path]
            if "error" in score:
                table.refused.append((tune, score["error"]))
                continue
            value, remark = compare(score, text, folder)
            if value is None:
                table.oracle_refused.append((tune, "abc2midi writes no MIDI"))
                continue
            table.add(tune, value, remark)
            if remark:
                reasons[remark] += 1
    for remark, count in reasons.most_common():
        print(f"below 0.99, {remark}: {count}")
    return table.finish("tunes against abc2midi")


if __name__ == "__main__":
    sys.exit(main())
