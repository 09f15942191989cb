"""A client made only from the .proto says the same as the command line client, call by call."""

import base64
import json
import pathlib
import tempfile
import unittest
import wave

import grpc

import harness
from python_client import PythonClient, connect, error_of

STUBS = harness.make_stubs()

# What differs from call to call, and what the command line adds.
VOLATILE = {"total_seconds", "stages", "uptime_seconds", "resident_bytes"}
ADDED = {"file", "offset_seconds"}


def comparable(value):
    """Without what may differ; a message that is not set is left out."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()
                if key not in VOLATILE | ADDED and item is not None}
    return [comparable(item) for item in value] if isinstance(value, list) else value


class SameAnswersTest(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(harness.Server())
        cls.python = PythonClient(connect(cls.server.address), STUBS)
        cls.audio = harness.queries()[0]["file"]
        cls.midi = str(harness.BUILD / "songbook" / "greensleeves.mid")

    def ask(self, *arguments, code=0):
        """The one JSON object that `antiphon` prints."""
        done = harness.run_client(*arguments, "--json", server=self.server.address)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def assert_same(self, ours, theirs, path=""):
        """Equal but for rounding: batches of another size may round otherwise."""
        if isinstance(ours, dict) and isinstance(theirs, dict):
            self.assertEqual(sorted(ours), sorted(theirs), path)
            for key in ours:
                self.assert_same(ours[key], theirs[key], f"{path}.{key}")
        elif isinstance(ours, list) and isinstance(theirs, list):
            self.assertEqual(len(ours), len(theirs), path)
            for i, (a, b) in enumerate(zip(ours, theirs)):
                self.assert_same(a, b, f"{path}[{i}]")
        elif isinstance(ours, float) or isinstance(theirs, float):
            self.assertAlmostEqual(ours, theirs, delta=2e-3 * max(1, abs(ours)), msg=path)
        else:
            self.assertEqual(ours, theirs, path)

    def test_search(self):
        for file in (self.audio, self.midi):
            with self.subTest(file=file):
                ours = self.python.search(pathlib.Path(file).read_bytes(), top_k=3)
                self.assertEqual(len(ours["hits"]), 3)
                self.assert_same(comparable(ours),
                                 comparable(self.ask("search", file, "--top-k", "3")))

    def test_search_with_snippets(self):
        ours = self.python.search(
            pathlib.Path(self.audio).read_bytes(), top_k=2, include_snippets=True)
        with tempfile.TemporaryDirectory() as folder:
            theirs = self.ask("search", self.audio, "--top-k", "2", "--snippets", folder)
            for a, b in zip(ours["hits"], theirs["hits"], strict=True):
                self.assertEqual(
                    pathlib.Path(b["snippet_file"]).read_bytes(), base64.b64decode(a["snippet"]))

    def test_identify(self):
        for file in (self.audio, self.midi):
            with self.subTest(file=file):
                ours = self.python.identify(
                    pathlib.Path(file).read_bytes(), top_k=4, min_confidence=0)
                self.assertEqual(ours["verdict"], "VERDICT_MATCH")
                theirs = self.ask("identify", file, "-k", "4", "--min-confidence", "0")
                self.assert_same(comparable(ours), comparable(theirs))

    def test_identify_by_the_plain_vote_among_recordings(self):
        against = STUBS["retrieval_pb2"].SIDE_RECORDINGS
        method = STUBS["retrieval_pb2"].VOTE_METHOD_PLAIN
        ours = self.python.identify(
            pathlib.Path(self.midi).read_bytes(), against=against, method=method, min_confidence=0)
        theirs = self.ask("identify", self.midi, "--against", "recordings", "--method", "plain",
                          "--min-confidence", "0")
        self.assert_same(comparable(ours), comparable(theirs))

    def test_embed(self):
        ours = self.python.embed(
            pathlib.Path(self.midi).read_bytes(), hop_seconds=1, tempo_ratio=1.25)
        self.assertEqual(len(ours["values"]), len(ours["start_seconds"]) * ours["dimension"])
        self.assertGreater(len(ours["start_seconds"]), 10)
        theirs = self.ask("embed", self.midi, "--hop", "1", "--tempo-ratio", "1.25")
        self.assertEqual(ours["start_seconds"], theirs["start_seconds"])
        dimension = ours["dimension"]
        for row in range(0, len(ours["values"]), dimension):
            pairs = zip(ours["values"][row:row + dimension], theirs["values"][row:row + dimension])
            self.assertGreater(sum(a * b for a, b in pairs), 0.999, "the same direction")

    def test_catalogue(self):
        pieces = self.python.pieces(page_size=7)
        self.assert_same(pieces, self.ask("pieces")["pieces"])
        self.assertEqual(len({piece["id"] for piece in pieces}), self.python.status()["pieces"])
        self.assert_same(self.python.pieces("bach"), self.ask("pieces", "bach")["pieces"])
        self.assert_same(comparable(self.python.piece("greensleeves")),
                         comparable(self.ask("piece", "greensleeves")))

    def test_snippets(self):
        for field, kind in (("piece_id", "mid"), ("recording_id", "wav")):
            with self.subTest(kind=kind), tempfile.TemporaryDirectory() as folder:
                ours = self.python.snippet(**{field: "greensleeves"}, start_seconds=2,
                                           end_seconds=5)
                output = pathlib.Path(folder) / f"out.{kind}"
                self.ask("snippet", "greensleeves", "--start", "0:02", "--end", "5", "-o",
                         str(output))
                self.assertEqual(output.read_bytes(), ours.content)
                self.assertGreater(len(ours.content), 50)

    def test_status(self):
        ours = self.python.status()
        self.assertEqual(ours["state"], "SERVER_STATE_SERVING")
        self.assert_same(comparable(ours), comparable(self.ask("status")))

    def test_refusals(self):
        theirs = self.ask("identify", self.audio, "--top-k", "0", code=2)["error"]
        with self.assertRaises(grpc.RpcError) as raised:
            self.python.identify(pathlib.Path(self.audio).read_bytes(), top_k=0)
        self.assertEqual(theirs["code"], raised.exception.code().name)
        self.assertEqual(theirs["message"], raised.exception.details())
        self.assertEqual(theirs["field"], "top_k")


class StreamsTest(unittest.TestCase):
    """Two pieces with a pause between them, sent in chunks."""

    PAUSE_SECONDS = 5

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(harness.Server())
        cls.python = PythonClient(connect(cls.server.address), STUBS)
        queries = {query["piece_id"]: query for query in harness.queries()}
        cls.pieces = ["greensleeves", "beethoven_fuer_elise"]
        sounds = []
        for piece in cls.pieces:
            with wave.open(queries[piece]["file"]) as file:
                assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
                cls.rate = file.getframerate()
                sounds.append(file.readframes(file.getnframes()))
        cls.first_seconds = len(sounds[0]) / 2 / cls.rate
        cls.sound = sounds[0] + bytes(2 * cls.rate * cls.PAUSE_SECONDS) + sounds[1]
        cls.seconds = len(cls.sound) / 2 / cls.rate

    def test_a_long_recording_is_told_by_its_segments(self):
        segments = self.python.identify_long(self.sound, self.rate)
        self.assertEqual([segment["source"]["id"] for segment in segments], self.pieces)
        first, second = segments
        self.assertLess(first["start_seconds"], 4)
        self.assertLess(abs(first["end_seconds"] - self.first_seconds), 4)
        self.assertLess(abs(second["start_seconds"] - self.first_seconds - self.PAUSE_SECONDS), 4)
        self.assertLessEqual(second["end_seconds"], self.seconds + 0.1)

    def test_a_live_stream_is_answered_every_second_and_tells_what_changes(self):
        answers = list(self.python.identify_live(self.sound, self.rate))
        times = [answer["at_seconds"] for answer in answers]
        self.assertEqual(times, sorted(times))
        for before, after in zip([0, *times], [*times, self.seconds]):
            self.assertLessEqual(after - before, 1.001)
        started = [answer["candidates"][0]["source"]["id"] for answer in answers
                   if answer["event"] == "LIVE_EVENT_PIECE_STARTED"]
        self.assertEqual(started, self.pieces)
        events = [answer["event"] for answer in answers]
        self.assertLess(events.index("LIVE_EVENT_PAUSED"), events.index("LIVE_EVENT_RESUMED"))

    def test_options_come_first(self):
        messages = STUBS["retrieval_pb2"]
        for requests, field in (([messages.IdentifyStreamRequest(samples=b"xx")], "part"),
                                ([], "part"),
                                ([messages.IdentifyStreamRequest(options={"sample_rate": 22050})],
                                 "options.encoding")):
            with self.assertRaises(grpc.RpcError) as raised:
                self.python.retrieval.IdentifyLong(iter(requests), timeout=harness.CALL_SECONDS)
            self.assertEqual(
                error_of(raised.exception, STUBS)[:2], (grpc.StatusCode.INVALID_ARGUMENT, field))


if __name__ == "__main__":
    harness.main()
