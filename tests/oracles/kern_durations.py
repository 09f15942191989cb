"""Onsets of a Humdrum file by the durations of each spine alone, whatever its barlines say: a third
opinion where Verovio differs, which moves notes that go on beyond a barline.
"""
import fractions
import re

_TOKEN = re.compile(r"(?P<value>\d+(?:%\d+)?)(?P<dots>\.*)")
_PITCH = re.compile(r"(?P<letter>([a-gA-G])\2*)(?P<accidental>#+|-+|n)?")
_STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


def _duration(token):
    """In quarter notes; None without one."""
    match = _TOKEN.search(token)
    if match is None or "q" in token:
        return None
    value, _, parts = match["value"].partition("%")
    if set(value) == {"0"}:
        length = fractions.Fraction(4 * 2 ** len(value))
    else:
        length = fractions.Fraction(4 * int(parts or 1), int(value))
    return length * (2 - fractions.Fraction(1, 2 ** len(match["dots"])))


def _pitch(token):
    match = _PITCH.search(token)
    if match is None or "r" in token:
        return None
    letter, accidental = match["letter"], match["accidental"] or ""
    octave = 3 + len(letter) if letter[0].islower() else 4 - len(letter)
    return (12 * (octave + 1) + _STEPS[letter[0].lower()] + accidental.count("#")
            - accidental.count("-"))


def notes(text):
    """(onset, pitch) of each note that is struck, or None where spines split, join or end early."""
    found, kinds, times = [], None, []
    for line in text.splitlines():
        fields = line.split("\t")
        if line.startswith("**"):
            kinds, times = fields, [fractions.Fraction(0)] * len(fields)
            continue
        if not line or line[0] in "!=" or kinds is None:
            continue
        if line[0] == "*":
            if any(field in ("*^", "*v", "*+", "*x") for field in fields):
                return None
            continue
        if len(fields) != len(kinds):
            return None
        for spine, field in enumerate(fields):
            if kinds[spine] != "**kern" or field == ".":
                continue
            tokens = field.split()
            length = _duration(tokens[0])
            if length is None:
                continue
            for token in tokens:
                pitch = _pitch(token)
                if pitch is not None and "]" not in token and "_" not in token:
                    found.append((float(times[spine]), pitch))
            times[spine] += length
    return found
