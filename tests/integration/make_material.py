"""Makes what the integration tests work on, below BUILD/integration: recordings of some songbook
pieces, a bundle of the whole songbook and these recordings, and excerpts rendered with another
soundfont as queries.

Nothing is made again while the programs, the model and the songbook stay the same. Where a
soundfont or the model is missing, writes the reason into BUILD/integration/skipped and exits with
77.
"""

import argparse
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys

import harness

# The first of each that exists. The queries' is one that the shipped model was not trained on.
QUERY_SOUNDFONTS = ["/usr/share/sounds/sf3/MuseScore_General.sf3",
                    "/usr/share/sounds/sf2/FluidR3_GM.sf2"]
RECORDING_SOUNDFONTS = ["/usr/share/sounds/sf2/FluidR3_GM.sf2",
                        "/usr/share/sounds/sf3/MuseScore_General.sf3"]

# Pieces of which the collection has a recording, and the tempo of that recording over the tempo
# written.
RECORDED = {
    "bach_prelude_c": 0.95, "beethoven_fuer_elise": 1.1, "greensleeves": 1.0,
    "joplin_entertainer": 0.9, "petzold_menuet_g": 1.05, "satie_gymnopedie_1": 1.0
}

# Excerpts of 12 seconds of the score: piece, where they start (seconds of the score), tempo over
# the tempo written, and after how many seconds of the score the same music comes again (0: not at
# all).
EXCERPTS = [("bach_prelude_c", 6, 1.1, 0), ("beethoven_fuer_elise", 4, 0.9, 0),
            ("greensleeves", 8, 1.2, 33.1), ("joplin_entertainer", 5, 1.0, 25.26),
            ("petzold_menuet_g", 3, 0.8, 22.86), ("satie_gymnopedie_1", 10, 1.15, 92.37),
            ("mozart_sonata_kv545", 2, 0.95, 0), ("pachelbel_canon", 20, 1.05, 0)]
EXCERPT_SECONDS = 12


def first_existing(paths):
    return next((path for path in paths if pathlib.Path(path).exists()), None)


def skip(reason):
    harness.MATERIAL.mkdir(parents=True, exist_ok=True)
    (harness.MATERIAL / "skipped").write_text(reason, encoding="utf-8")
    print(f"skipped: {reason}")
    sys.exit(harness.SKIPPED)


def fingerprint(songbook, model, fonts):
    """Changes when anything changes that the material is made of."""
    digest = hashlib.sha256()
    files = [pathlib.Path(harness.program("antiphon-trainer")), pathlib.Path(__file__),
             *map(pathlib.Path, fonts)]
    files += sorted(model.glob("*.pt")) + sorted(songbook.glob("*.mid"))
    for file in files:
        stat = file.stat()
        digest.update(f"{file} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def trainer(*arguments):
    subprocess.run([harness.program("antiphon-trainer"), *map(str, arguments)], check=True)


def make(songbook, model, query_font, recording_font):
    recordings = harness.MATERIAL / "recordings"
    excerpts = harness.MATERIAL / "queries"
    recordings.mkdir(parents=True)
    excerpts.mkdir()
    for piece, ratio in RECORDED.items():
        trainer("render", songbook / f"{piece}.mid", "-o", recordings / f"{piece}.flac",
                "--soundfont", recording_font, "--tempo-ratio", ratio)
    queries = []
    for piece, start, ratio, again in EXCERPTS:
        file = excerpts / f"{piece}.wav"
        trainer("render", songbook / f"{piece}.mid", "-o", file, "--soundfont", query_font,
                "--tempo-ratio", ratio, "--start", start, "--length", EXCERPT_SECONDS)
        queries.append({
            "file": str(file), "piece_id": piece, "start_seconds": start, "tempo_ratio": ratio,
            "again_after_seconds": again
        })
    (harness.MATERIAL / "queries.json").write_text(json.dumps(queries, indent=1), encoding="utf-8")
    trainer("index", "--scores", songbook, "--recordings", recordings, "--model", model, "--bundle",
            harness.BUNDLE)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    model = parser.parse_args().model
    songbook = harness.BUILD / "songbook"
    query_font = first_existing(QUERY_SOUNDFONTS)
    recording_font = first_existing(RECORDING_SOUNDFONTS)
    if query_font is None:
        skip(
            f"no soundfont: none of {', '.join(QUERY_SOUNDFONTS)} "
            "(package musescore-general-soundfont)")
    if not (model / "audio_encoder.pt").exists():
        skip(f"no model in {model}")

    stamp = harness.MATERIAL / "fingerprint"
    current = fingerprint(songbook, model, [query_font, recording_font])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == current:
        print("nothing has changed; the material is as it was")
        return
    shutil.rmtree(harness.MATERIAL, ignore_errors=True)
    make(songbook, model, query_font, recording_font)
    stamp.write_text(current, encoding="utf-8")


if __name__ == "__main__":
    main()
