"""A score as Verovio reads it: its notes and bars in quarter notes.

Everything that Verovio 6 does to scores in its own way, and that says nothing about their notes, is
undone or marked here, so that what remains can be compared.
"""
import json
import multiprocessing
import re
import resource
import xml.etree.ElementTree as ElementTree
import zipfile

MEI = "{http://www.music-encoding.org/ns/mei}"
ID = "{http://www.w3.org/XML/1998/namespace}id"
STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
ACCIDENTALS = {"s": 1, "f": -1, "n": 0, "ss": 2, "x": 2, "ff": -2, "ns": 1, "nf": -1, "su": 1,
               "sd": 1, "fu": -1, "fd": -1, "ts": 3, "tf": -3, "xs": 3, "sx": 3}
CPU_SECONDS = 150

_GRACE = re.compile(r"^[\[(&<>{_]*(\d+[.%\d]*)?q*[a-gA-G]")
_NOTE_OR_REST = re.compile(r"^[\[(&<>{_y]*\d+[.%\d]*[a-gA-Gr]")
# Interpretations by which Verovio draws or plays otherwise than written: tremolos and repeated
# chords for notes written out, scaled note values, transpositions of what sounds as written. Of
# several expansion lists it plays a variant such as "norep".
_DRAWN = re.compile(r"\*(X?(tremolo|rep|rscale.*|I?Trd.*|col|lig|ij|tuplet)|>\w+\[.*)$")


def plain_humdrum(text):
    """Without what Verovio plays otherwise than it is written, and without graces."""
    lines = []
    for line in text.splitlines():
        fields = line.split("\t")
        if line.startswith("*") and not line.startswith("**"):
            fields = ["*" if _DRAWN.match(field) else field for field in fields]
        elif line.startswith("!") and not line.startswith("!!"):
            fields = ["!"] * len(fields)
        elif line and line[0] not in "!*=":
            if (any(_GRACE.match(field) and "q" in field for field in fields) and
                    not any(_NOTE_OR_REST.match(field) and "q" not in field for field in fields)):
                continue
            # Arpeggios, and ties that aren't printed.
            fields = [re.sub(r"\[y(?!y)", "[", field.replace(":", ""))
                      if re.match(r"^[\[(<>&y]*\d", field) else field for field in fields]
        lines.append("\t".join(fields))
    return "\n".join(lines) + "\n"


def text_of(path):
    """What Verovio is given of a file."""
    if path.suffix == ".mxl":
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist()
                        if not name.startswith("META") and name.endswith((".xml", ".musicxml")))
            return archive.read(name).decode("utf-8")
    text = path.read_bytes().decode("utf-8", errors="replace")
    return plain_humdrum(text) if path.suffix in (".krn", ".kern") else text


class _Notes:
    """Pitches by id, and of what kind notes are that the timemap strikes though they aren't."""

    def __init__(self, mei):
        self.pitches, self.kinds, self._transpositions = {}, {}, {}
        self._walk(mei, None, False, "")
        tied = {tie.get("endid", "")[1:] for tie in mei.iter(MEI + "tie")}
        tied |= {note.get(ID) for note in mei.iter(MEI + "note") if note.get("tie") in ("t", "m")}
        for note in tied:
            self.kinds.setdefault(note, "tied")

    def _walk(self, element, staff, grace, tremolo):
        tag = element.tag
        if tag == MEI + "staffDef" and element.get("trans.semi") is not None:
            self._transpositions[element.get("n")] = int(float(element.get("trans.semi")))
        elif tag == MEI + "staff":
            staff = element.get("n")
        elif tag == MEI + "chord" and element.get("grace"):
            grace = True
        elif tag == MEI + "fTrem":
            tremolo = "alternating"
        elif tag == MEI + "note":
            self._take(element, staff, grace, tremolo)
        for child in element:
            self._walk(child, staff, grace, tremolo)

    def _take(self, note, staff, grace, tremolo):
        name = note.get(ID)
        accidental = note.get("accid.ges") or note.get("accid")
        for child in note.iter(MEI + "accid"):
            accidental = child.get("accid.ges") or child.get("accid") or accidental
        if note.get("pname"):
            octave = int(note.get("oct.ges") or note.get("oct"))
            self.pitches[name] = (12 * (octave + 1) + STEPS[note.get("pname")] +
                                  ACCIDENTALS.get(accidental or "n", 0) +
                                  self._transpositions.get(note.get("staff") or staff, 0))
        if grace or note.get("grace"):
            self.kinds[name] = "grace"
        elif note.get("cue") == "true":
            self.kinds[name] = "cue"
        elif tremolo:
            self.kinds[name] = tremolo


def _timemap(verovio, text, humdrum, expand):
    toolkit = verovio.toolkit()
    toolkit.setOptions({"breaks": "none", "expandNever": not expand,
                        **({"inputFrom": "humdrum"} if humdrum else {})})
    if not toolkit.loadData(text):
        raise ValueError("Verovio does not load it")
    timemap = toolkit.renderToTimemap({"includeMeasures": True})
    return toolkit, json.loads(timemap) if isinstance(timemap, str) else timemap


def _original(name):
    return name.partition("-rend")[0]


def _read(path):
    import verovio  # pylint: disable=import-outside-toplevel

    verovio.enableLog(verovio.LOG_OFF)
    text, humdrum = text_of(path), path.suffix in (".krn", ".kern")
    toolkit, timemap = _timemap(verovio, text, humdrum, False)
    mei = ElementTree.fromstring(toolkit.getMEI())
    labels = {bar.get(ID): bar.get("n") or "" for bar in mei.iter(MEI + "measure")}
    known = _Notes(mei)
    notes = [(event["qstamp"], known.pitches[name], known.kinds.get(name, ""))
             for event in timemap for name in event.get("on", []) if name in known.pitches]
    bars = [event["qstamp"] for event in timemap if "measureOn" in event]
    # The ids of a second reading are others; they are told by their place.
    toolkit, played = _timemap(verovio, text, humdrum, True)
    again = ElementTree.fromstring(toolkit.getMEI())
    label_of = {bar.get(ID): bar.get("n") or "" for bar in again.iter(MEI + "measure")}
    order = [event["measureOn"] for event in played if "measureOn" in event]
    return {"notes": notes, "bars": bars, "labels": list(labels.values()),
            "played": [label_of.get(name, label_of.get(_original(name), "?")) for name in order]}


def _child(path, pipe):
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    try:
        pipe.send(_read(path))
    except Exception as failure:  # pylint: disable=broad-except
        pipe.send(str(failure) or type(failure).__name__)


def read(path):
    """`notes` (onset, pitch, kind), onsets of `bars` and their `labels` in print, and the labels of
    the bars as `played`; or a string that says why not. In a process of its own, which may crash.
    """
    ours, theirs = multiprocessing.get_context("fork").Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_child, args=(path, theirs))
    child.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        return f"Verovio ends or takes more than {CPU_SECONDS} seconds"
    finally:
        child.join()
