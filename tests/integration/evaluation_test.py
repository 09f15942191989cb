"""The shipped model on the songbook, through the trainer's own suites: far better than lots and
than an untrained network.

A pipeline that is broken anywhere between MIDI and ranks makes the three alike, which is how the
first try at this idea failed unseen.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import harness

SOUNDFONT = "/usr/share/sounds/sf3/MuseScore_General.sf3"  # never trained on
MODEL = pathlib.Path(os.environ.get("ANTIPHON_TEST_MODEL", harness.SOURCE / "models" / "default"))


class EvaluationTest(unittest.TestCase):
    def evaluate(self, suite, *flags):
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "report.json"
            subprocess.run([harness.program("antiphon-trainer"), "evaluate", "--suite", suite,
                            "--model", str(MODEL), "--midi", str(harness.BUILD / "songbook"),
                            "--work", f"{harness.MATERIAL}/evaluation", "--json", str(report),
                            *flags],
                           check=True, stdout=subprocess.DEVNULL)
            tables = json.loads(report.read_text(encoding="utf-8"))["tables"]
            return {row["name"]: row["figures"] for row in tables[0]["rows"]}

    def test_snippets_find_their_counterparts(self):
        figures = self.evaluate("snippets", "--snippets", "400", "--no-all-onsets")
        for direction in ("audio→score", "score→audio"):
            self.assertGreater(figures[f"this model, {direction}"]["R@5"], 0.95)
            self.assertGreater(figures[f"this model, {direction}"]["MRR"], 0.8)
            self.assertLess(figures[f"untrained, {direction}"]["MRR"], 0.2)
        self.assertAlmostEqual(figures["random"]["R@1"], 1 / 400)

    def test_whole_pieces_are_recognised(self):
        figures = self.evaluate("pieces", "--no-untrained")
        for direction in ("recording→score", "score→recording"):
            self.assertEqual(figures[f"this model, vote in time, {direction}"]["first"], 1.0)


if __name__ == "__main__":
    if not os.path.exists(SOUNDFONT):
        print(f"skipped: {SOUNDFONT} is not installed (package musescore-general-soundfont)")
        sys.exit(harness.SKIPPED)
    unittest.main(verbosity=2)
