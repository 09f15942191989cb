"""A collection that changes while it is served: a client made from the .proto, over TLS and with an
API key, against a real server; and that nothing acknowledged is lost when the server is killed.
"""

import pathlib
import random
import signal
import subprocess
import tempfile
import threading
import unittest

import grpc

import certificates
import harness
from harness import copy_of_bundle, rendered
from python_client import PythonClient, connect, error_of, to_dict

STUBS = harness.make_stubs()
MESSAGES = STUBS["retrieval_pb2"]
CODES = grpc.StatusCode

READ_KEY = "a-key-that-may-only-read"
ADMIN_KEY = "a-key-that-may-do-everything"

# A piece of the songbook of which there is a rendered query and no recording.
CANON = "pachelbel_canon"


def songbook(piece):
    return (harness.BUILD / "songbook" / f"{piece}.mid").read_bytes()


def make_keys(folder):
    """A file of the two API keys, hashed by the server's own command."""
    lines = []
    for name, role, key in (("reader", "read", READ_KEY), ("operator", "admin", ADMIN_KEY)):
        done = subprocess.run([harness.program("antiphon-server"), "--hash-api-key"],
                              input=key.encode(), capture_output=True, check=True)
        lines.append(f"{name} {role} {done.stdout.decode().strip()}\n")
    file = folder / "api_keys"
    file.write_text("".join(lines), encoding="utf-8")
    return file


class Refusals(unittest.TestCase):
    def assert_refused(self, code, field, method, *arguments, **fields):
        with self.assertRaises(grpc.RpcError) as raised:
            method(*arguments, **fields)
        self.assertEqual(
            error_of(raised.exception, STUBS)[:2], (code, field), raised.exception.details())


class SecuredServerTest(Refusals):
    """Every test leaves the collection as it found it."""

    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        if not certificates.AVAILABLE:
            raise unittest.SkipTest("no openssl")
        authority = certificates.Authority(folder)
        certificate, key = authority.sign("server")
        (folder / "snapshots").mkdir()
        cls.authority = authority.certificate.read_bytes()
        cls.server = cls.enterClassContext(harness.Server(
            f"--tls-cert={certificate}", f"--tls-key={key}", f"--api-keys-file={make_keys(folder)}",
            f"--snapshot-dir={folder / 'snapshots'}", bundle=copy_of_bundle(folder)))
        cls.client = cls.connect(ADMIN_KEY)

    @classmethod
    def connect(cls, key):
        return PythonClient(connect(cls.server.address, cls.authority, key), STUBS)

    def identified(self, audio, **options):
        """The verdict and the ids of the candidates."""
        answer = self.client.identify(audio, **options)
        return answer["verdict"], [candidate["source"]["id"] for candidate in answer["candidates"]]

    def test_a_piece_is_added_found_deleted_and_no_longer_found(self):
        sound = rendered(CANON)
        self.client.delete_piece(CANON)
        self.assertNotIn(CANON, self.identified(sound)[1])

        piece = self.client.add_piece("canon", songbook(CANON), title="Canon", composer="Pachelbel",
                                      collection="weddings")
        self.assertGreater(piece["notes"], 100)
        self.assertGreater(piece["bars"], 10)
        self.assertGreater(piece["version"], 0)
        self.assertEqual(self.client.piece("canon")["piece"], piece)
        verdict, found = self.identified(sound)
        self.assertEqual((verdict, found[0]), ("VERDICT_MATCH", "canon"))
        hit = self.client.search(sound, top_k=1)["hits"][0]
        self.assertEqual((hit["source"]["id"], hit["source"]["collection"]), ("canon", "weddings"))

        deleted = self.client.delete_piece("canon", expected_version=piece["version"])
        self.assertGreater(deleted["version"], piece["version"])
        verdict, found = self.identified(sound)
        self.assertNotIn("canon", found)
        self.assertNotEqual(verdict, "VERDICT_MATCH")
        self.assert_refused(CODES.NOT_FOUND, "piece_id", self.client.piece, "canon")
        self.client.add_piece(CANON, songbook(CANON))
        self.assertEqual(self.identified(sound)[1][0], CANON)

    def test_a_recording_is_added_found_and_deleted(self):
        self.assertNotIn("take", [recording["id"] for recording in self.client.recordings()])
        take = self.client.add_recording("take", rendered(CANON), piece_id=CANON, title="A take")
        self.assertTrue(12 / 1.05 < take["duration_seconds"] < 12 / 1.05 + 2,
                        "the excerpt, and its last notes dying away")
        self.assertEqual(self.client.recording("take"), take)
        # The take is of these seconds of the score.
        played = {"excerpt": {"start_seconds": 20, "end_seconds": 32}}
        best = self.client.identify(songbook(CANON), against=MESSAGES.SIDE_RECORDINGS,
                                    **played)["candidates"][0]
        self.assertEqual((best["source"]["id"], best["source"]["piece_id"]), ("take", CANON))
        self.assertIn(
            "take",
            [hit["source"]["id"] for hit in self.client.search(songbook(CANON), **played)["hits"]])
        self.assert_refused(CODES.FAILED_PRECONDITION, "with_recordings", self.client.delete_piece,
                            CANON)
        self.assert_refused(CODES.NOT_FOUND, "recording.piece_id", self.client.add_recording,
                            "take2", rendered(CANON), piece_id="nothing")
        updated = self.client.update_recording("take", title="The take",
                                               expected_version=take["version"])
        self.assertEqual((updated["title"], updated["piece_id"]), ("The take", CANON))
        self.client.delete_recording("take")
        hits = self.client.search(songbook(CANON), top_k=100, **played)["hits"]
        self.assertNotIn("take", [hit["source"]["id"] for hit in hits])

    def test_of_two_who_change_the_same_piece_one_is_told(self):
        before = self.client.piece("greensleeves")["piece"]
        mine = self.client.update_piece("greensleeves", title="Mine",
                                        expected_version=before["version"])
        self.assertGreater(mine["version"], before["version"])
        self.assert_refused(CODES.ABORTED, "expected_version", self.client.update_piece,
                            "greensleeves", title="Yours", expected_version=before["version"])
        self.assert_refused(CODES.ABORTED, "expected_version", self.client.delete_piece,
                            "greensleeves", expected_version=before["version"])
        self.assertEqual(self.client.piece("greensleeves")["piece"]["title"], "Mine")
        again = self.client.update_piece("greensleeves", title=before["title"],
                                         expected_version=mine["version"])
        self.assertEqual({**again, "version": 0}, {**before, "version": 0})

    def test_another_score_takes_the_place_of_the_first(self):
        self.client.add_piece("changing", songbook("greensleeves"))
        self.client.update_piece("changing", midi=songbook("joplin_entertainer"))
        self.assertIn("changing", self.identified(rendered("joplin_entertainer"))[1][:2])
        self.assertNotIn("changing", self.identified(rendered("greensleeves"))[1][:2])
        self.client.delete_piece("changing")

    def test_a_stream_of_pieces_tells_how_far_it_is(self):
        scores = {"a": "greensleeves", "b": "joplin_entertainer", "c": "petzold_menuet_g"}
        requests = [self.client.new_piece(name, songbook(piece)) for name, piece in scores.items()]
        requests.insert(1, self.client.new_piece("a", songbook("greensleeves")))
        requests.insert(2, self.client.new_piece("d", b"no score"))
        answers = list(self.client.add_pieces(requests))
        self.assertEqual([answer["index"] for answer in answers], list(range(5)))
        self.assertEqual([answer["added"] for answer in answers], [1, 1, 1, 2, 3])
        self.assertEqual([answer.get("piece", {}).get("id") for answer in answers],
                         ["a", None, None, "b", "c"])
        self.assertEqual(answers[1]["error"]["code"], CODES.ALREADY_EXISTS.value[0])
        self.assertEqual(answers[2]["error"]["code"], CODES.INVALID_ARGUMENT.value[0])
        for name in scores:
            self.client.delete_piece(name)

    def test_several_queries_in_one_call(self):
        queries = [{"identify": MESSAGES.IdentifyRequest(audio={"file": rendered(piece)}, top_k=1)}
                   for piece in ("greensleeves", CANON)]
        queries.insert(1,
                       {"search_scores": MESSAGES.SearchScoresRequest(audio={"file": b"no sound"})})
        first, failed, last = self.client.batch(*queries)
        self.assertEqual(first["identify"]["candidates"][0]["source"]["id"], "greensleeves")
        self.assertEqual(last["identify"]["candidates"][0]["source"]["id"], CANON)
        self.assertIn("audio.file", failed["error"]["message"])

    def test_evidence_lies_in_query_and_source(self):
        sound = rendered("greensleeves")
        answer = self.client.identify(sound, include_evidence=True, top_k=1)
        candidate, length = answer["candidates"][0], answer["info"]["query_seconds"]
        self.assertGreater(len(candidate["evidence"]), 5)
        starts = [window["query_start_seconds"] for window in candidate["evidence"]]
        self.assertEqual(starts, sorted(starts))
        duration = self.client.piece("greensleeves")["piece"]["duration_seconds"]
        for window in candidate["evidence"]:
            self.assertTrue(
                0 <= window["query_start_seconds"] < window["query_end_seconds"] <= length + 2,
                window)
            self.assertLessEqual(window["reference_end"]["seconds"], duration)
            self.assertGreaterEqual(window["reference_start"]["bar"], 0)
            self.assertLessEqual(window["similarity"], 1.0001)
        hit = self.client.search(sound, include_evidence=True, top_k=1)["hits"][0]
        self.assertGreater(len(hit["evidence"]), 0)
        self.assertEqual(self.client.search(sound, top_k=1)["hits"][0]["evidence"], [])

    def test_a_filter_leaves_only_what_passes(self):
        sound = rendered("greensleeves")
        self.assertEqual(self.identified(sound, filter={"piece_ids": [CANON]})[1], [CANON])
        composer = self.client.piece(CANON)["piece"]["composer"]
        by_composer = {"composers": [composer.upper()]}
        for candidate in self.client.identify(sound, filter=by_composer)["candidates"]:
            self.assertEqual(candidate["source"]["composer"], composer)
        self.assertEqual(
            self.identified(sound, filter={"collections": ["nothing is filed here"]})[1], [])
        for entries in ("piece_ids", "work_ids"):
            self.assert_refused(CODES.INVALID_ARGUMENT, f"filter.{entries}", self.client.identify,
                                sound, filter={entries: [""]})

    def test_editions_are_found_by_their_work(self):
        sound, work = rendered("greensleeves"), {"work_ids": ["Greensleeves ♫"]}
        self.assertEqual(self.identified(sound, filter=work)[1], [])
        self.client.update_piece("greensleeves", work_id="Greensleeves ♫")
        self.client.add_piece("edition", songbook("greensleeves"), work_id="Greensleeves ♫")
        self.client.add_recording("take", sound, piece_id="edition")
        candidates = self.client.identify(sound, filter=work)["candidates"]
        self.assertEqual({(found["source"]["id"], found["source"]["work_id"])
                          for found in candidates},
                         {("greensleeves", "Greensleeves ♫"), ("edition", "Greensleeves ♫")})
        score = songbook("greensleeves")
        hits = self.client.search(score, top_k=100, filter=work)["hits"]
        self.assertEqual({(hit["source"]["id"], hit["source"]["work_id"]) for hit in hits},
                         {("take", "Greensleeves ♫"), ("greensleeves", "Greensleeves ♫")})
        self.assert_refused(CODES.INVALID_ARGUMENT, "work_id", self.client.update_piece, "edition",
                            work_id="x" * 201)
        self.client.delete_piece("edition", with_recordings=True)
        self.client.update_piece("greensleeves", work_id="")
        self.assertEqual(self.identified(sound, filter=work)[1], [])

    def test_a_second_edition_takes_nothing_from_the_answer(self):
        sound = rendered("greensleeves")
        before = self.client.identify(sound)["candidates"][0]
        request = self.client.new_piece("edition", songbook("greensleeves"))
        added = to_dict(self.client.catalog.AddPiece(request, timeout=60))
        [pair] = added["same_music"]
        self.assertEqual((pair["piece"]["source"]["id"], pair["other"]["source"]["id"]),
                         ("edition", "greensleeves"))
        self.assertGreater(pair["piece"]["end"]["seconds"] - pair["piece"]["start"]["seconds"], 30)
        answer = self.client.identify(sound)
        first, second = answer["candidates"][:2]
        self.assertEqual(answer["verdict"], "VERDICT_MATCH")
        self.assertEqual({first["source"]["id"], second["source"]["id"]},
                         {"edition", "greensleeves"})
        self.assertAlmostEqual(first["confidence"], before["confidence"], delta=0.02)
        self.assertEqual(second["confidence"], first["confidence"])
        [other] = first["same_music"]
        self.assertEqual(other["source"]["id"], second["source"]["id"])
        self.assertTrue(other["tied"])
        listed = to_dict(self.client.catalog.ListSameMusic(
            self.client.catalog_messages.ListSameMusicRequest(piece_id="greensleeves"),
            timeout=60))["pairs"]
        self.assertEqual([one["other"]["source"]["id"] for one in listed], ["edition"])
        self.client.delete_piece("edition")
        listed = to_dict(self.client.catalog.ListSameMusic(
            self.client.catalog_messages.ListSameMusicRequest(page_size=100), timeout=120))
        self.assertEqual(listed["pairs"], [])

    def test_an_excerpt_is_looked_at_and_the_times_are_those_of_the_whole(self):
        answer = self.client.identify(rendered("greensleeves"),
                                      excerpt={"start_seconds": 4, "end_seconds": 9})
        candidate = answer["candidates"][0]
        self.assertEqual(candidate["source"]["id"], "greensleeves")
        self.assertGreaterEqual(candidate["query_start_seconds"], 4 - 0.01)
        self.assertLessEqual(candidate["query_end_seconds"], 9 + 2)
        self.assert_refused(CODES.INVALID_ARGUMENT, "excerpt.start_seconds", self.client.identify,
                            rendered("greensleeves"), excerpt={"start_seconds": 3600})

    def test_an_exact_search_finds_what_the_index_finds(self):
        sound = rendered("greensleeves")
        hits = [[hit["source"]["id"]
                 for hit in self.client.search(sound, top_k=3, mode=mode)["hits"]]
                for mode in (MESSAGES.SearchOptions().mode, STUBS["types_pb2"].SEARCH_MODE_EXACT)]
        self.assertEqual(hits[0], hits[1])

    def test_a_snapshot_is_restored_and_changes_since_are_undone(self):
        self.client.add_piece("before", songbook("greensleeves"))
        snapshot = self.client.snapshot("monday")
        self.assertEqual(snapshot["pieces"], self.client.status()["pieces"])
        self.assertGreater(snapshot["bytes"], 10_000)
        self.client.delete_piece("before")
        self.client.add_piece("after", songbook("greensleeves"))
        generation = self.client.status()["generation"]
        restored = self.client.restore("monday")
        self.assertGreater(restored["generation"], generation)
        self.assertEqual(restored["pieces"], snapshot["pieces"])
        ids = {piece["id"] for piece in self.client.pieces()}
        self.assertIn("before", ids)
        self.assertNotIn("after", ids)
        self.assertIn("before", self.identified(rendered("greensleeves"))[1][:2])
        self.client.delete_piece("before")
        self.assert_refused(CODES.ALREADY_EXISTS, "name", self.client.snapshot, "monday")
        self.assert_refused(CODES.NOT_FOUND, "name", self.client.restore, "tuesday")
        self.assert_refused(CODES.INVALID_ARGUMENT, "name", self.client.snapshot, "../monday")

    def test_changes_are_merged_into_a_generation_and_reloaded(self):
        self.client.add_piece("merged", songbook("greensleeves"))
        before = self.client.status()
        self.assertGreater(before["unmerged_changes"], 0)
        merged = self.client.merge()
        self.assertGreater(merged["generation"], before["generation"])
        after = self.client.status()
        self.assertEqual(after["unmerged_changes"], 0)
        self.assertEqual(after["pieces"], before["pieces"])
        self.assertEqual(self.client.merge()["merged_changes"], 0)
        reloaded = self.client.reload()
        self.assertEqual(reloaded["generation"], reloaded["previous_generation"])
        self.assertIn("merged", self.identified(rendered("greensleeves"))[1][:2])
        self.client.delete_piece("merged")

    def test_status_tells_of_changes_and_guards(self):
        status = self.client.status()
        self.assertTrue(status["tls"])
        self.assertTrue(status["authentication"])
        self.assertGreater(status["resident_bytes"], 1 << 20)
        self.assertTrue(0 < status["confidence_threshold"] < 1)

    def test_a_key_opens_what_it_is_for(self):
        reader = self.connect(READ_KEY)
        self.assertEqual(reader.piece("greensleeves")["piece"]["id"], "greensleeves")
        self.assertEqual(
            reader.identify(rendered("greensleeves"))["candidates"][0]["source"]["id"],
            "greensleeves")
        for method, arguments in ((reader.delete_piece, ["greensleeves"]),
                                  (reader.add_piece, ["x", b""]),
                                  (reader.update_piece, ["greensleeves"]),
                                  (reader.delete_recording, ["x"]),
                                  (reader.reload, []), (reader.merge, []), (reader.snapshot, ["x"]),
                                  (reader.restore, ["x"])):
            self.assert_refused(CODES.PERMISSION_DENIED, "", method, *arguments)
        for key in (None, "a-key-that-nobody-has"):
            self.assert_refused(CODES.UNAUTHENTICATED, "", self.connect(key).pieces)

    def test_nothing_is_said_in_the_clear(self):
        plain = PythonClient(connect(self.server.address), STUBS, timeout=10)
        with self.assertRaises(grpc.RpcError) as raised:
            plain.status()
        self.assertEqual(raised.exception.code(), CODES.UNAVAILABLE)


class KilledServerTest(Refusals):
    """SIGKILL at any moment: what was acknowledged is there after the next start."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.bundle = copy_of_bundle(self.folder)

    def test_what_was_acknowledged_survives(self):
        midi = songbook("greensleeves")
        there = set()
        for life in range(3):
            with harness.Server(bundle=self.bundle) as server:
                client = PythonClient(connect(server.address), STUBS)
                pieces = {piece["id"]: piece for piece in client.pieces()}
                self.assertLessEqual(there, pieces.keys(), "acknowledged in an earlier life")
                # At a moment of the fifth change or so.
                killer = threading.Timer(random.uniform(0, 0.5), server.send_signal,
                                         [signal.SIGKILL])
                try:
                    for number in range(10_000):
                        there.add(client.add_piece(f"life{life}_{number}", midi)["id"])
                        if number == 3:
                            killer.start()
                        if number % 3 == 2:
                            # Not counted on from here: whether it went is not known if this fails.
                            there.remove(f"life{life}_{number - 1}")
                            client.delete_piece(f"life{life}_{number - 1}")
                except grpc.RpcError as error:
                    self.assertEqual(error.code(), CODES.UNAVAILABLE)
                killer.join()
                self.assertEqual(server.wait(harness.CALL_SECONDS), -signal.SIGKILL)
        self.assertGreaterEqual(len(there), 9)
        with harness.Server(bundle=self.bundle) as server:
            client = PythonClient(connect(server.address), STUBS)
            status = client.status()
            self.assertEqual(status["rejected_changes"], [])
            self.assertLessEqual(there, {piece["id"] for piece in client.pieces()})
            answer = client.identify(rendered("greensleeves"), top_k=100)
            found = {candidate["source"]["id"] for candidate in answer["candidates"]}
            self.assertGreaterEqual(len(found & there), min(len(there), 15),
                                    "what is listed is searched, too")

    def test_a_merge_that_was_cut_off_loses_nothing(self):
        with harness.Server(bundle=self.bundle) as server:
            client = PythonClient(connect(server.address), STUBS)
            client.add_piece("kept", songbook(CANON))
            client.admin.Merge.future(client.admin_messages.MergeRequest())
            server.send_signal(signal.SIGKILL)
            server.wait(harness.CALL_SECONDS)
        with harness.Server(bundle=self.bundle) as server:
            client = PythonClient(connect(server.address), STUBS)
            self.assertEqual(client.piece("kept")["piece"]["id"], "kept")
            self.assertEqual(client.status()["rejected_generations"], [])
            client.merge()
            self.assertEqual(client.piece("kept")["piece"]["id"], "kept")


class ReadOnlyServerTest(Refusals):
    """A server that only reads, beside one that changes the bundle: it follows from generation to
    generation."""

    def test_it_follows_and_changes_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            bundle = copy_of_bundle(folder)
            with harness.Server(bundle=bundle) as writing, \
                 harness.Server("--read-only", bundle=bundle) as reading:
                writer, reader = (
                    PythonClient(connect(server.address), STUBS) for server in (writing, reading))
                self.assertEqual(
                    reader.identify(rendered(CANON))["candidates"][0]["source"]["id"], CANON)
                for method, arguments in ((reader.delete_piece, [CANON]),
                                          (reader.add_piece, ["x", songbook(CANON)]),
                                          (reader.merge, [])):
                    self.assert_refused(CODES.FAILED_PRECONDITION, "", method, *arguments)
                writer.delete_piece(CANON)
                writer.merge()
                reader.reload()
                self.assertEqual(reader.status()["generation"], writer.status()["generation"])
                self.assert_refused(CODES.NOT_FOUND, "piece_id", reader.piece, CANON)


if __name__ == "__main__":
    harness.main()
