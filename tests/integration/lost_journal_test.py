"""A bundle whose journal is lost is not served without the changes that were in it: neither when
the file is gone, nor when it is empty, an older copy, or another bundle's.
"""

import hashlib
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

import harness
from python_client import PythonClient, connect

FIXTURES = harness.SOURCE / "tests" / "fixtures"
sys.path.insert(0, str(FIXTURES))

import tiny_music  # noqa: E402  the path comes first

STUBS = harness.make_stubs()
# The last that was made by a program that knew no mark.
FIXTURE = FIXTURES / "bundle_v3" / "bundle"


def migrate(bundle, *arguments):
    return subprocess.run(
        [harness.program("antiphon-trainer"), "migrate", "--bundle", bundle, *arguments],
        capture_output=True, text=True, timeout=harness.CALL_SECONDS, check=False)


class LostJournalTest(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.bundle = pathlib.Path(shutil.copytree(FIXTURE, folder / "bundle"))
        self.journal = self.bundle / "journal.sqlite"

    def client(self, server):
        return PythonClient(connect(server.address), STUBS)

    def edit(self, *ids, number=signal.SIGTERM):
        """Adds pieces through the API; returns the ids of all pieces."""
        with harness.Server(bundle=self.bundle) as server:
            client = self.client(server)
            for piece in ids:
                client.add_piece(piece, tiny_music.midi_of("frere_jacques"))
            pieces = sorted(piece["id"] for piece in client.pieces())
            server.send_signal(number)
            server.wait(harness.CALL_SECONDS)
        return pieces

    def assert_refused(self, reason):
        says = re.compile("exited with 1:.*changes are lost.*" + re.escape(reason) +
                          ".*--accept-lost-journal", re.DOTALL)
        with self.assertRaisesRegex(RuntimeError, says):
            with harness.Server(bundle=self.bundle):
                pass

    def test_the_mark_is_as_documented(self):
        """And is made for a bundle of a program that knew none."""
        self.assertFalse((self.bundle / "JOURNAL").exists())
        self.edit("new", number=signal.SIGKILL)
        text = (self.bundle / "JOURNAL").read_text(encoding="ascii")
        with sqlite3.connect(f"{self.journal.as_uri()}?mode=ro", uri=True) as connection:
            [row] = connection.execute("SELECT origin, sequence, lower(hex(sha256)) FROM changes "
                                       "ORDER BY sequence DESC LIMIT 1")
        connection.close()
        body = "antiphon journal mark 1\n{} {} {}\n".format(*row)
        digest = hashlib.sha256(body.encode()).hexdigest()
        self.assertEqual(text, f"{body}sha256 {digest}\n")

    def test_a_journal_that_is_gone_stops_the_start_until_it_is_back(self):
        pieces = self.edit("new", number=signal.SIGKILL)
        kept = self.journal.rename(self.bundle / "kept")
        self.assert_refused("journal.sqlite is missing")
        self.assertFalse(self.journal.exists(), "nothing is made in its place")
        done = migrate(self.bundle)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--accept-lost-journal", done.stderr)
        self.journal.write_bytes(b"")
        self.assert_refused("journal.sqlite is empty")
        kept.replace(self.journal)
        self.assertEqual(self.edit(), pieces)

    def test_an_older_copy_and_anothers_journal_are_refused(self):
        self.edit("new")
        older = self.journal.read_bytes()
        pieces = self.edit("newer")
        newest = self.journal.read_bytes()
        self.journal.write_bytes(older)
        self.assert_refused("journal.sqlite ends at change 9")
        with tempfile.TemporaryDirectory() as folder:
            mine, self.bundle = self.bundle, pathlib.Path(shutil.copytree(FIXTURE, f"{folder}/b"))
            self.edit("a", "b", "c")
            shutil.copy(self.bundle / "journal.sqlite", self.journal)
            self.bundle = mine
        self.assert_refused("journal.sqlite is another's")
        self.journal.write_bytes(newest)
        self.assertEqual(self.edit(), pieces)

    def test_what_is_lost_can_be_given_up(self):
        self.edit("new")
        self.journal.unlink()
        done = migrate(self.bundle, "--accept-lost-journal")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Gave up what was changed by changes 3 to 9", done.stdout)
        with harness.Server(bundle=self.bundle) as server:
            client = self.client(server)
            pieces = {piece["id"]: piece["version"] for piece in client.pieces()}
            self.assertEqual(pieces, {"frere_jacques": 1, "ode_to_joy": 0, "scale": 2},
                             "as generation 2 has it")
            self.assertEqual(client.update_piece("scale", title="Again")["version"], 10,
                             "no number is given out again")
        done = migrate(self.bundle, "--accept-lost-journal")
        self.assertIn("nothing is given up", done.stdout)

    def test_a_merged_collection_needs_no_journal(self):
        with harness.Server(bundle=self.bundle) as server:
            client = self.client(server)
            client.add_piece("new", tiny_music.midi_of("frere_jacques"))
            client.merge()
            pieces = sorted(piece["id"] for piece in client.pieces())
        self.journal.unlink()
        self.assertEqual(self.edit(), pieces)
        self.edit("newer")
        self.assertEqual(migrate(self.bundle).returncode, 0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    unittest.main(verbosity=2)
