"""What becomes of a collection, with the changes made to it through the API, when the format or the
model changes and when it is moved: `antiphon-trainer migrate`, `reindex`, `export` and `import`.
"""

import hashlib
import json
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import harness
from python_client import PythonClient, connect

FIXTURES = harness.SOURCE / "tests" / "fixtures"
sys.path.insert(0, str(FIXTURES))

import tiny_music  # noqa: E402  the path comes first

STUBS = harness.make_stubs()
STRANGE = "a/../B “strange” id"
FEW_RATIOS = ["--tempo-ratios", "0.84", "1", "1.19"]  # fewer than usual, for speed
PIECES = ["bach_prelude_c", "greensleeves", "joplin_entertainer", "petzold_menuet_g"]


def trainer(*arguments, timeout=harness.CALL_SECONDS):
    return subprocess.run([harness.program("antiphon-trainer"), *map(str, arguments)],
                          capture_output=True, text=True, timeout=timeout, check=False)


def current(bundle):
    return bundle / (bundle / "CURRENT").read_text(encoding="ascii").strip()


def manifest(bundle):
    return json.loads((current(bundle) / "MANIFEST").read_text(encoding="utf-8"))


def user_version(database):
    return struct.unpack_from(">I", database.read_bytes(), 60)[0]


def by_id(sources, keep_versions=True):
    return {source["id"]: {key: value for key, value in source.items()
                           if keep_versions or key != "version"} for source in sources}


class Served:
    """What a server says of a bundle."""

    def __init__(self, bundle, queries=()):
        with harness.Server(bundle=bundle) as server:
            client = PythonClient(connect(server.address), STUBS)
            self.pieces = client.pieces()
            self.recordings = client.recordings()
            self.status = client.status()
            self.contents = {
                source["id"]: bytes(client.snippet(**{f"{kind}_id": source["id"]}).content)
                for kind, sources in (("recording", self.recordings),) for source in sources}
            self.answers = [self._answer(client, query) for query in queries]
            server.send_signal(signal.SIGTERM)
            server.wait(harness.CALL_SECONDS)

    @staticmethod
    def _answer(client, sound):
        answer = client.identify(sound)
        return answer["verdict"], [
            (candidate["source"]["id"], round(candidate["confidence"], 3),
             round(candidate["reference_start"]["seconds"], 1) if "reference_start" in candidate
             else None) for candidate in answer["candidates"]]


class Sources(unittest.TestCase):
    def assert_same_sources(self, one, other, keep_versions=True):
        self.assertEqual(by_id(one.pieces, keep_versions), by_id(other.pieces, keep_versions))
        self.assertEqual(by_id(one.recordings, keep_versions),
                         by_id(other.recordings, keep_versions))

    def run_trainer(self, *arguments):
        done = trainer(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


class SongbookTest(Sources):
    """The shipped model over pieces of the songbook, changed in every way through the API."""

    @classmethod
    def setUpClass(cls):
        harness.skip_without_material()
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.bundle = cls.folder / "bundle"
        cls.model = current(harness.BUNDLE)  # a generation holds its model
        cls._index(cls.folder / "scores", cls.folder / "recordings")
        cls.last_change = cls._edit()
        cls.queries = [harness.rendered(piece) for piece in PIECES] + [
            harness.rendered("pachelbel_canon")]
        cls.before = Served(cls.bundle, cls.queries)

    @classmethod
    def _index(cls, scores, recordings):
        scores.mkdir()
        recordings.mkdir()
        for piece in PIECES:
            shutil.copy(harness.BUILD / "songbook" / f"{piece}.mid", scores)
        shutil.copy(harness.MATERIAL / "recordings" / "greensleeves.flac", recordings)
        done = trainer("index", "--scores", scores, "--recordings", recordings, "--model",
                       cls.model, "--bundle", cls.bundle, *FEW_RATIOS)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)

    @classmethod
    def _edit(cls):
        canon = (harness.BUILD / "songbook" / "pachelbel_canon.mid").read_bytes()
        with harness.Server(bundle=cls.bundle) as server:
            client = PythonClient(connect(server.address), STUBS)
            client.add_piece(STRANGE, canon, title="Canon\tand Gigue", composer="Pachelbel",
                             collection="weddings", work_id="P 37")
            client.update_piece("greensleeves", title="What Child Is This", work_id="Roud V9408")
            client.merge()
            client.update_piece("petzold_menuet_g", midi=canon)
            client.delete_piece("joplin_entertainer")
            client.add_recording("take", harness.rendered("bach_prelude_c"),
                                 piece_id="bach_prelude_c", title="A take", collection="tapes")
            last = client.update_recording("greensleeves", title="The first take")["version"]
            server.send_signal(signal.SIGKILL)
        return last

    def setUp(self):
        self.assertEqual(self.before.status["unmerged_changes"], 4)
        self.mine = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.copy = pathlib.Path(shutil.copytree(self.bundle, self.mine / "bundle"))

    def untrained(self):
        model = self.mine / "untrained"
        self.run_trainer("init", "--out", model, "--architecture", "dorfer2018", "--seed", 5)
        (model / "confidence.json").write_text(
            json.dumps({"bias": 0, "score_weight": 1, "margin_weight": 0, "length_weight": 0,
                        "threshold": 0.123, "false_accept_rate": 0.5, "queries": 1}))
        return model

    def test_migrate_has_nothing_to_do(self):
        before = sorted(path.name for path in self.copy.iterdir())
        self.assertIn("Nothing to do", self.run_trainer("migrate", "--bundle", self.copy))
        self.assertEqual(sorted(path.name for path in self.copy.iterdir()), before)

    def test_another_model_embeds_the_same_collection(self):
        model = self.untrained()
        printed = self.run_trainer("reindex", "--bundle", self.copy, "--model", model)
        self.assertIn("Generation 3: 4 pieces", printed)
        after = Served(self.copy, self.queries[:1])
        self.assert_same_sources(self.before, after)
        self.assertEqual(after.contents, self.before.contents)
        self.assertNotEqual(after.status["model_id"], self.before.status["model_id"])
        self.assertEqual(after.status["last_change"], self.last_change)
        self.assertEqual(after.status["unmerged_changes"], 0)
        self.assertEqual(json.loads((current(self.copy) / "confidence.json").read_text())
                         ["threshold"], 0.123, "it comes with the model")
        self.assertFalse((current(self.copy) / "background.bin").exists())
        for key in ("score_hop_s", "recording_hop_s", "tempo_ratios"):
            self.assertEqual(manifest(self.copy)[key], manifest(self.bundle)[key])
        with harness.Server(bundle=self.copy) as server:
            client = PythonClient(connect(server.address), STUBS)
            title = client.update_piece("greensleeves", title="Again", expected_version=2)
            self.assertEqual(title["version"], self.last_change + 1)
            # And back to the first model, beside it.
            refused = trainer("reindex", "--bundle", self.copy, "--model", self.model)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("stop the server", refused.stderr)
        back = self.mine / "back"
        self.run_trainer("reindex", "--bundle", self.copy, "--model", self.model, "--output", back)
        again = Served(back, self.queries)
        self.assertEqual(again.answers, self.before.answers)
        self.assertEqual(by_id(again.recordings), by_id(self.before.recordings))
        self.assertEqual(by_id(again.pieces)["greensleeves"]["version"], self.last_change + 1)

    def test_an_interrupted_reindex_leaves_what_was_there(self):
        before = sorted(path.name for path in self.copy.iterdir())
        with subprocess.Popen([harness.program("antiphon-trainer"), "reindex", "--bundle",
                               self.copy, "--model", self.model],
                              stderr=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + harness.START_SECONDS
            while not list(self.copy.glob("tmp-*/catalog.sqlite*")):
                self.assertLess(time.monotonic(), deadline)
                self.assertIsNone(process.poll())
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            self.assertIn("interrupted", process.communicate(timeout=harness.CALL_SECONDS)[1])
            self.assertEqual(process.returncode, 1)
        self.assertEqual(sorted(path.name for path in self.copy.iterdir()), before)

    def test_an_exported_collection_is_the_same_elsewhere(self):
        exported = self.mine / "exported"
        self.run_trainer("export", "--bundle", self.copy, "--output", exported)
        contents = json.loads((exported / "export.json").read_text(encoding="utf-8"))
        for folder in ("pieces", "recordings"):
            for source in contents[folder]:
                file = exported / folder.replace("pieces", "scores") / source["file"]
                self.assertEqual(hashlib.sha256(file.read_bytes()).hexdigest(), source["sha256"])
        self.assertEqual((contents["piece_count"], contents["recording_count"]), (4, 2))
        self.assertEqual((exported / "recordings" / "take.wav").read_bytes(),
                         harness.rendered("bach_prelude_c"))
        again = trainer("export", "--bundle", self.copy, "--output", exported)
        self.assertEqual((again.returncode, "is there already" in again.stderr), (1, True))

        moved = self.mine / "moved"
        self.run_trainer("import", "--bundle", moved, "--input", exported, "--model", self.model)
        there = Served(moved, self.queries)
        self.assert_same_sources(self.before, there)
        self.assertEqual(there.contents, self.before.contents)
        self.assertEqual(there.answers, self.before.answers)
        self.assertEqual(there.status["last_change"], self.last_change)
        self.assertEqual(there.answers[0][1][0][0], "bach_prelude_c")
        self.assertIn(there.answers[-1][1][0][0], (STRANGE, "petzold_menuet_g"))

        # An indexing reads the folder too: ids and metadata, but for the tab in a title.
        indexed = self.mine / "indexed"
        self.run_trainer("index", "--scores", exported / "scores", "--recordings",
                         exported / "recordings", "--model", self.model, "--bundle", indexed,
                         "--tempo-ratios", 1)
        fresh = Served(indexed)
        expected = by_id(self.before.pieces, keep_versions=False)
        expected[STRANGE]["title"] = "Canon and Gigue"
        self.assertEqual(by_id(fresh.pieces, keep_versions=False), expected)
        self.assertEqual(set(by_id(fresh.recordings)), set(by_id(self.before.recordings)))

    def test_an_import_adds_to_a_bundle_that_is_there(self):
        exported = self.mine / "exported"
        self.run_trainer("export", "--bundle", self.copy, "--output", exported)
        refused = trainer("import", "--bundle", self.copy, "--input", exported)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("6 sources are in the bundle already", refused.stderr)
        self.assertIn("piece " + STRANGE, refused.stderr)
        with harness.Server(bundle=self.copy) as server:
            client = PythonClient(connect(server.address), STUBS)
            client.delete_recording("take")
            client.update_piece("greensleeves", title="Changed")
            client.add_piece("own", tiny_music.midi_of("scale"))
            blocked = trainer("import", "--bundle", self.copy, "--input", exported, "--replace")
            self.assertIn("stop the server", blocked.stderr)
        printed = self.run_trainer("import", "--bundle", self.copy, "--input", exported,
                                   "--replace")
        self.assertIn("1 added, 1 replaced, 4 as they were", printed)
        after = Served(self.copy)
        after.pieces = [piece for piece in after.pieces if piece["id"] != "own"]
        self.assert_same_sources(self.before, after, keep_versions=False)
        (exported / "scores" / "greensleeves.mid").write_bytes(b"MThd")
        damaged = trainer("import", "--bundle", self.mine / "no", "--input", exported, "--model",
                          self.model)
        self.assertEqual(damaged.returncode, 1)
        self.assertIn("scores/greensleeves.mid", damaged.stderr)
        self.assertFalse((self.mine / "no").exists())


class FormerFormatTest(Sources):
    """The stored bundle of the former format, with changes in its journal."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.bundle = pathlib.Path(
            shutil.copytree(FIXTURES / "bundle_v2" / "bundle", self.folder / "bundle"))
        self.expected = json.loads((FIXTURES / "bundle_v2" / "expected.json").read_text())

    def assert_like_expected(self, served):
        for found, expected in ((served.pieces, self.expected["pieces"]),
                                (served.recordings, self.expected["recordings"])):
            found = by_id(found)
            self.assertEqual(sorted(found), sorted(source["id"] for source in expected))
            for source in expected:
                self.assertEqual({key: found[source["id"]][key] for key in source}, source)
        self.assertEqual(served.status["last_change"], self.expected["status"]["last_change"])

    def test_it_becomes_the_present_one_with_every_change(self):
        printed = self.run_trainer("migrate", "--bundle", self.bundle)
        self.assertIn("From bundle format 2, catalogue 2, journal 1", printed)
        self.assertEqual(manifest(self.bundle)["format_version"], 4)
        self.assertEqual(user_version(current(self.bundle) / "catalog.sqlite"), 4)
        self.assertEqual(user_version(self.bundle / "journal.sqlite"), 3)
        self.assertTrue((self.bundle / "gen-000002").exists(), "it stays until a later merge")
        self.assertIn("Nothing to do", self.run_trainer("migrate", "--bundle", self.bundle))
        served = Served(self.bundle, [tiny_music.wav_of("ode_to_joy", 4)])
        self.assert_like_expected(served)
        self.assertEqual(served.status["unmerged_changes"], 0)
        self.assertEqual(served.answers[0][1][0][0], "ode_to_joy")
        (current(self.bundle) / "MANIFEST").unlink()
        self.assert_like_expected(Served(self.bundle))  # the former generation and the journal

    def test_a_kill_at_any_moment_leaves_what_was_there(self):
        for delay in (0, 0.02, 0.05, 0.1, 0.2, 0.4):
            process = subprocess.Popen(
                [harness.program("antiphon-trainer"), "migrate", "--bundle", str(self.bundle)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            process.wait()
        self.assert_like_expected(Served(self.bundle))
        self.run_trainer("migrate", "--bundle", self.bundle)
        self.assert_like_expected(Served(self.bundle))

    def test_a_server_that_has_it_open_keeps_it(self):
        with harness.Server(bundle=self.bundle):
            done = trainer("migrate", "--bundle", self.bundle)
            self.assertEqual(done.returncode, 1)
            self.assertIn("stop the server", done.stderr)


class ExitCodeTest(unittest.TestCase):
    def test_done_failed_and_wrong_usage_are_told_apart(self):
        for code, arguments in (
                (0, ["--version"]), (0, ["--help"]), (0, ["migrate", "--help"]), (2, []),
                (2, ["migrate"]), (2, ["nothing"]), (2, ["migrate", "--bundle", "x", "--what"]),
                (2, ["index", "--scores", "x", "--model", "y", "--bundle", "z", "--index", "w"]),
                (2, ["import", "--bundle", "/nonexistent/x", "--input", "y", "--replace"]),
                (2, ["picture", "x.mid", "-o", "x", "--audio", "x", "--soundfont", "x"]),
                (1, ["migrate", "--bundle", "/nonexistent/x"]),
                (1, ["inspect", "/nonexistent/x"]),
                (1, ["export", "--bundle", "/nonexistent/x", "--output", "/nonexistent/y"])):
            done = trainer(*arguments)
            self.assertEqual(done.returncode, code, (arguments, done.stderr))
            self.assertEqual(bool(done.stderr), code != 0, arguments)
        help_text = trainer("--help").stdout
        self.assertIn("2  wrong usage", help_text)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    unittest.main(verbosity=2)
