"""The readers of scores against Verovio and abc2midi on what the repository holds: the songbook and
the scores beside this file. Also that the comparison finds what differs.

Verovio and mido come from PyPI, into a virtual environment of its own in the build folder; where
they cannot be had, the test is skipped.
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "integration"))

import harness
import python_environment
import scores

PACKAGES = ["verovio==6.4.1", "mido==1.3.3"]
ENVIRONMENT = harness.BUILD / "oracles"
PYTHON = None


def run(oracle, *arguments):
    """Exit code and output."""
    done = subprocess.run([str(PYTHON), str(FOLDER / f"{oracle}.py"), *map(str, arguments),
                           "--score-notes", harness.program("score_notes")],
                          capture_output=True, encoding="utf-8", timeout=600, check=False)
    return done.returncode, done.stdout + done.stderr


class Oracles(unittest.TestCase):

    def test_scores_have_the_notes_and_bars_of_verovio(self):
        code, said = run("verovio_oracle", FOLDER / "scores", "--share", 1, "--label-share", 1)
        self.assertEqual(code, 0, said)
        self.assertIn("notes against Verovio: F1 >= 0.99 in 3 of 3", said)
        for kind in ("pickup", "repeats", "endings", "jumps"):
            self.assertIn(f"with {kind}: 2 scores, the labels as played are the same in 2", said)

    def test_the_songbook_is_what_abc2midi_plays(self):
        code, said = run("abc_oracle", harness.SOURCE / "data/songbook", "--share", 1)
        self.assertEqual(code, 0, said)
        self.assertIn("F1 >= 0.99 in 60 of 60", said)

    def test_a_score_that_differs_is_found(self):
        # The second ending is another reader's first.
        text = (FOLDER / "scores/rondo.musicxml").read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "a.musicxml").write_text(text, encoding="utf-8")
            code, said = run("verovio_oracle", folder, "--f1", 1.01)
            self.assertEqual(code, 1, said)
            pathlib.Path(folder, "a.musicxml").write_text("<score-partwise/>", encoding="utf-8")
            code, said = run("verovio_oracle", folder)
            self.assertEqual(code, 1, said)
            self.assertRegex(said, r"refused  a\.musicxml: \w")

    def test_what_is_not_there_is_said(self):
        code, said = run("verovio_oracle", FOLDER / "no such folder")
        self.assertEqual(code, scores.SKIPPED)
        self.assertIn("there is no folder", said)


class Comparison(unittest.TestCase):
    NOTES = [(0.0, 60), (0.0, 64), (1.0, 60), (2.0, 67)]

    def test_the_same_notes_have_f1_1_in_any_order(self):
        self.assertEqual(scores.f1(self.NOTES, self.NOTES[::-1]), 1)
        self.assertEqual(scores.f1([], []), 1)

    def test_a_note_has_one_partner_of_its_pitch_and_time(self):
        self.assertEqual(scores.f1(self.NOTES, [(0.0, 60)] * 4), 2 * 1 / 8)
        self.assertEqual(scores.f1(self.NOTES, [(onset + 0.1, pitch)
                                                for onset, pitch in self.NOTES]), 0)
        self.assertEqual(scores.f1(self.NOTES, [(onset, pitch + 1)
                                                for onset, pitch in self.NOTES]), 0)
        self.assertEqual(scores.f1(self.NOTES, [(onset + 0.03, pitch)
                                                for onset, pitch in self.NOTES]), 1)
        self.assertAlmostEqual(scores.f1(self.NOTES, self.NOTES[1:]), 6 / 7)


if __name__ == "__main__":
    PYTHON, why = python_environment.install(ENVIRONMENT, PACKAGES)
    if PYTHON is None:
        print(f"skipped: Verovio and mido cannot be installed: {why}")
        sys.exit(harness.SKIPPED)
    unittest.main(verbosity=2)
