"""The real server process, over a real socket: right answers in both directions, and no input that
stops it.

Every refusal must carry a status code and name the field of the request that is to blame, and the
server must answer as before afterwards.
"""

import array
import concurrent.futures
import math
import os
import pathlib
import random
import shutil
import signal
import struct
import tempfile
import time
import unittest

import grpc

import harness
from python_client import PythonClient

STUBS = harness.make_stubs()
TYPES, MESSAGES = STUBS["types_pb2"], STUBS["retrieval_pb2"]
CATALOG, ADMIN = STUBS["catalog_pb2"], STUBS["admin_pb2"]

MAX_AUDIO_SECONDS = 30
MAX_MESSAGE_MIB = 8


def connect(server):
    return PythonClient(
        grpc.insecure_channel(server.address, options=[("grpc.enable_http_proxy", 0)]), STUBS)


def blamed_field(error):
    """The field that the failed call's trailer names, or None."""
    trailer = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    status = TYPES.ErrorStatus.FromString(trailer or b"")
    assert status.code == error.code().value[0], "the trailer repeats the code"
    for detail in status.details:
        found = TYPES.ErrorDetail()
        if detail.Unpack(found):
            return found.field
    return None


def tone(seconds, rate=22050):
    """A4 as 16-bit samples."""
    period = [int(8000 * math.sin(2 * math.pi * 441 * i / rate)) for i in range(rate // 441)]
    return array.array("h", period * (int(seconds * rate) // len(period)))


def pcm(samples, rate=22050, channels=1, encoding=None):
    encoding = TYPES.Pcm.ENCODING_INT16 if encoding is None else encoding
    return TYPES.Audio(
        pcm=TYPES.Pcm(encoding=encoding, sample_rate=rate, channels=channels,
                      samples=bytes(samples) if isinstance(samples, bytes) else samples.tobytes()))


def wav(samples, rate=22050, channels=1):
    data = samples.tobytes()
    return (b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt "
            + struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2, channels * 2, 16)
            + b"data" + struct.pack("<I", len(data)) + data)


def content(name):
    return pathlib.Path(name).read_bytes()


class RightAnswersTest(unittest.TestCase):
    """Queries rendered with a soundfont that the model has not heard, at tempi other than
    written."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(harness.Server())
        cls.client = connect(cls.server)

    def test_identifies_the_piece_of_every_excerpt(self):
        for query in harness.queries():
            with self.subTest(piece=query["piece_id"]):
                answer = self.client.identify(content(query["file"]))
                self.assertEqual(answer["verdict"], "VERDICT_MATCH")
                best = answer["candidates"][0]
                self.assertEqual(best["source"]["piece_id"], query["piece_id"])
                self.assertAlmostEqual(best["tempo_ratio"] / query["tempo_ratio"], 1, delta=0.05)
                # The place in the score that sounds at query_seconds; its repeat sounds the same.
                place = query["start_seconds"] + best["query_seconds"] * query["tempo_ratio"]
                off = min(abs(best["reference"]["seconds"] - place),
                          abs(best["reference"]["seconds"] - place - query["again_after_seconds"]))
                self.assertLess(off, 0.5)
                self.assertGreater(best["reference"]["bar"], 0)

    def test_finds_scores_for_sound(self):
        for query in harness.queries():
            with self.subTest(piece=query["piece_id"]):
                hits = self.client.search(content(query["file"]), top_k=5)["hits"]
                self.assertIn(query["piece_id"], [hit["source"]["piece_id"] for hit in hits[:3]])

    def test_finds_recordings_for_a_score(self):
        recorded = [file.stem for file in (harness.MATERIAL / "recordings").glob("*.flac")]
        self.assertGreater(len(recorded), 3)
        for piece in recorded:
            with self.subTest(piece=piece):
                midi = self.client.snippet(piece_id=piece, start_seconds=4, end_seconds=14).content
                best = self.client.search(midi)["hits"][0]
                self.assertEqual(best["source"]["id"], piece)
                self.assertEqual(best["source"]["piece_id"], piece)

    def test_identifies_a_score_among_the_recordings(self):
        midi = self.client.snippet(piece_id="greensleeves", start_seconds=4, end_seconds=20).content
        answer = self.client.identify(midi, against=MESSAGES.SIDE_RECORDINGS)
        self.assertEqual(answer["candidates"][0]["source"]["id"], "greensleeves")

    def test_hands_back_what_was_matched(self):
        query = harness.queries()[0]
        for hit in self.client.search(content(query["file"]), top_k=3,
                                      include_snippets=True)["hits"]:
            self.assertTrue(hit["snippet"].startswith("TVRoZ"), "MIDI, in base64")
        midi = self.client.snippet(piece_id="greensleeves", end_seconds=10).content
        for hit in self.client.search(midi, top_k=3, include_snippets=True)["hits"]:
            self.assertTrue(hit["snippet"].startswith("UklGR"), "WAV, in base64")

    def test_silence_and_an_empty_score_are_too_little_not_an_error(self):
        silence = MESSAGES.IdentifyRequest(audio=pcm(array.array("h", [0] * 22050 * 5)))
        self.assertEqual(
            self.client.retrieval.Identify(silence).verdict, MESSAGES.VERDICT_INSUFFICIENT_INPUT)
        no_notes = b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk\0\0\0\4\0\xff\x2f\0"
        self.assertEqual(self.client.identify(no_notes)["verdict"], "VERDICT_INSUFFICIENT_INPUT")
        self.assertEqual(self.client.search(no_notes)["hits"], [])

    def test_reports_health_and_describes_itself(self):
        channel = grpc.insecure_channel(self.server.address,
                                        options=[("grpc.enable_http_proxy", 0)])
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        self.assertEqual(check(b""), b"\x08\x01", "SERVING")
        reflect = channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        services = b"".join(reflect(iter([b"\x3a\x01*"])))  # list_services
        for name in (b"antiphon.v1.Retrieval", b"antiphon.v1.Catalog", b"antiphon.v1.Admin"):
            self.assertIn(name, services)

    def test_answers_many_at_once_as_one_by_one(self):
        files = [content(query["file"]) for query in harness.queries()] * 2
        one_by_one = [self._piece_and_place(file) for file in files]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual(list(pool.map(self._piece_and_place, files)), one_by_one)

    def _piece_and_place(self, file):
        best = self.client.identify(file)["candidates"][0]
        return best["source"]["id"], round(best["reference"]["seconds"])


class HostileInputTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(
            harness.Server(f"--max-audio-seconds={MAX_AUDIO_SECONDS}",
                           f"--max-message-mib={MAX_MESSAGE_MIB}"))
        cls.client = connect(cls.server)
        cls.sound = MESSAGES.IdentifyRequest(audio=TYPES.Audio(
            file=content(harness.queries()[0]["file"])))
        cls.before = cls.answer()

    @classmethod
    def answer(cls):
        best = cls.client.retrieval.Identify(cls.sound, timeout=harness.CALL_SECONDS).candidates[0]
        return best.source.id, round(best.reference.seconds, 1)

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(),
                          "the server has exited:\n" + self.server.log())
        self.assertEqual(self.answer(), self.before, "the server answers as before")

    def assert_refused(self, method, request, code, field):
        with self.assertRaises(grpc.RpcError) as raised:
            method(request, timeout=harness.CALL_SECONDS)
        error = raised.exception
        self.assertEqual(error.code(), code, error.details())
        self.assertEqual(blamed_field(error), field, error.details())
        self.assertNotIn(str(harness.BUNDLE), error.details(), "no paths of the server")

    def assert_invalid(self, method, request, field):
        self.assert_refused(method, request, grpc.StatusCode.INVALID_ARGUMENT, field)

    def assert_too_much(self, method, request, field):
        self.assert_refused(method, request, grpc.StatusCode.RESOURCE_EXHAUSTED, field)

    def test_malformed_audio(self):
        good = wav(tone(2))
        rng = random.Random(1)
        broken = [
            b"RIFF",
            b"not audio at all",
            good[:20],
            b"fLaC" + rng.randbytes(4000),
            b"OggS" + rng.randbytes(4000),
            b"ID3" + rng.randbytes(4000),
            rng.randbytes(10000),
            b"MThd\0\0\0\6\0\0\0\1\1\xe0",
        ]
        for file in broken:
            with self.subTest(file=file[:12]):
                audio = TYPES.Audio(file=file)
                self.assert_invalid(self.client.retrieval.Identify,
                                    MESSAGES.IdentifyRequest(audio=audio), "audio.file")
                request = MESSAGES.SearchScoresRequest(audio=audio)
                self.assert_invalid(self.client.retrieval.SearchScores, request, "audio.file")

    def test_audio_damaged_anywhere(self):
        """A flipped header may still be a file, or name a limit; whatever it is, it is said in a
        typed status."""
        good = bytearray(wav(tone(2)))
        rng = random.Random(2)
        for _ in range(60):
            damaged = bytearray(good)
            for _ in range(rng.randint(1, 4)):
                damaged[rng.randrange(44)] = rng.randrange(256)
            request = MESSAGES.IdentifyRequest(audio=TYPES.Audio(file=bytes(damaged)))
            try:
                self.client.retrieval.Identify(request, timeout=harness.CALL_SECONDS)
            except grpc.RpcError as error:
                self.assertIn(
                    error.code(),
                    (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED),
                    error.details())
                self.assertEqual(blamed_field(error), "audio.file")

    def test_malformed_midi(self):
        good = content(harness.BUILD / "songbook" / "greensleeves.mid")
        for midi in (b"MThd", b"MThd\0\0\0\6\0\1\0\2", b"not MIDI", good[:10], wav(tone(1))):
            with self.subTest(midi=midi[:12]):
                score = TYPES.Score(midi=midi)
                self.assert_invalid(self.client.retrieval.Identify,
                                    MESSAGES.IdentifyRequest(score=score), "score.midi")
                request = MESSAGES.SearchRecordingsRequest(score=score)
                self.assert_invalid(self.client.retrieval.SearchRecordings, request, "score.midi")

    def test_midi_that_ends_early_is_read_with_a_warning(self):
        good = content(harness.BUILD / "songbook" / "greensleeves.mid")
        for midi in (good[:len(good) // 2], good[:18] + b"\x7f\xff\xff\xff" + good[22:]):
            answer = self.client.retrieval.Identify(
                MESSAGES.IdentifyRequest(score=TYPES.Score(midi=midi)),
                timeout=harness.CALL_SECONDS)
            self.assertEqual({warning.field for warning in answer.info.warnings}, {"score.midi"})

    def test_midi_damaged_anywhere(self):
        good = content(harness.BUILD / "songbook" / "greensleeves.mid")
        rng = random.Random(3)
        for _ in range(60):
            damaged = bytearray(good)
            for _ in range(rng.randint(1, 8)):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            request = MESSAGES.SearchRecordingsRequest(score=TYPES.Score(midi=bytes(damaged)))
            try:
                self.client.retrieval.SearchRecordings(request, timeout=harness.CALL_SECONDS)
            except grpc.RpcError as error:
                self.assertIn(
                    error.code(),
                    (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED),
                    error.details())
                self.assertEqual(blamed_field(error), "score.midi")

    def test_empty_input(self):
        retrieval = self.client.retrieval
        self.assert_invalid(retrieval.SearchScores, MESSAGES.SearchScoresRequest(), "audio")
        self.assert_invalid(retrieval.SearchRecordings, MESSAGES.SearchRecordingsRequest(), "score")
        self.assert_invalid(retrieval.Identify, MESSAGES.IdentifyRequest(), "query")
        self.assert_invalid(retrieval.Embed, MESSAGES.EmbedRequest(), "query")
        self.assert_invalid(retrieval.Identify, MESSAGES.IdentifyRequest(audio=TYPES.Audio()),
                            "audio")
        self.assert_invalid(retrieval.Identify,
                            MESSAGES.IdentifyRequest(audio=TYPES.Audio(file=b"")), "audio.file")
        self.assert_invalid(retrieval.Identify, MESSAGES.IdentifyRequest(score=TYPES.Score()),
                            "score.midi")
        self.assert_invalid(retrieval.Identify, MESSAGES.IdentifyRequest(audio=pcm(b"")),
                            "audio.pcm.samples")

    def test_over_long_input(self):
        long_tone = tone(MAX_AUDIO_SECONDS + 5, rate=11025)
        identify = self.client.retrieval.Identify
        file = TYPES.Audio(file=wav(long_tone, rate=11025))
        self.assert_too_much(identify, MESSAGES.IdentifyRequest(audio=file), "audio.file")
        self.assert_too_much(identify, MESSAGES.IdentifyRequest(audio=pcm(long_tone, rate=11025)),
                             "audio.pcm.samples")
        # A few bytes that say: one note, for days.
        days = b"\0\x90\x3c\x40" + b"\xff\xff\xff\x7f\x80\x3c\x40" + b"\0\xff\x2f\0"
        midi = b"MThd\0\0\0\6\0\0\0\1\0\x01MTrk" + struct.pack(">I", len(days)) + days
        self.assert_too_much(identify, MESSAGES.IdentifyRequest(score=TYPES.Score(midi=midi)),
                             "score.midi")

    def test_a_message_over_the_limit(self):
        too_much = bytes((MAX_MESSAGE_MIB << 20) + 1)
        request = MESSAGES.IdentifyRequest(audio=TYPES.Audio(file=too_much))
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.retrieval.Identify(request, timeout=harness.CALL_SECONDS)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED,
                         raised.exception.details())

    def test_midi_over_its_limit_of_size(self):
        # MThd, then chunks of another kind, which a reader has to pass over.
        midi = (b"MThd\0\0\0\6\0\1\0\1\1\xe0" + b"XFIH" + struct.pack(">I", 8 << 20) +
                bytes((8 << 20) - 4000))
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.identify(midi)
        self.assertIn(raised.exception.code(),
                      (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT))

    def test_samples_that_are_no_sound(self):
        identify = self.client.retrieval.Identify
        one = struct.pack("<f", 0.5)
        for value in (math.nan, math.inf, -math.inf):
            samples = one * 30000 + struct.pack("<f", value) + one * 30000
            audio = pcm(samples, encoding=TYPES.Pcm.ENCODING_FLOAT32)
            self.assert_invalid(identify, MESSAGES.IdentifyRequest(audio=audio),
                                "audio.pcm.samples")
        self.assert_invalid(identify, MESSAGES.IdentifyRequest(audio=pcm(b"\0\0\0")),
                            "audio.pcm.samples")

    def test_fields_out_of_range(self):
        retrieval, catalog = self.client.retrieval, self.client.catalog
        samples = tone(2)

        def search(**options):
            return MESSAGES.SearchScoresRequest(audio=pcm(samples),
                                                options=MESSAGES.SearchOptions(**options))

        def identify(**fields):
            return MESSAGES.IdentifyRequest(audio=fields.pop("audio", pcm(samples)), **fields)

        for method, request, field in (
            (retrieval.SearchScores, search(top_k=0), "options.top_k"),
            (retrieval.SearchScores, search(top_k=1001), "options.top_k"),
            (retrieval.SearchScores, search(top_k=21, include_snippets=True), "options.top_k"),
            (retrieval.SearchScores, search(hop_seconds=math.nan), "options.hop_seconds"),
            (retrieval.SearchScores, search(hop_seconds=-1), "options.hop_seconds"),
            (retrieval.Identify, identify(top_k=-5), "top_k"),
            (retrieval.Identify, identify(hop_seconds=1e9), "hop_seconds"),
            (retrieval.Identify, identify(min_confidence=1.5), "min_confidence"),
            (retrieval.Identify, identify(method=99), "method"),
            (retrieval.Identify, identify(against=99), "against"),
            (retrieval.Identify, identify(audio=pcm(samples, rate=10)), "audio.pcm.sample_rate"),
            (retrieval.Identify, identify(audio=pcm(samples, channels=99)), "audio.pcm.channels"),
            (retrieval.Identify, identify(audio=pcm(samples, encoding=0)), "audio.pcm.encoding"),
            (retrieval.Embed, MESSAGES.EmbedRequest(audio=pcm(samples), tempo_ratio=1),
             "tempo_ratio"),
            (catalog.ListPieces, CATALOG.ListPiecesRequest(page_size=0), "page_size"),
            (catalog.ListPieces, CATALOG.ListPiecesRequest(page_size=1001), "page_size"),
            (catalog.ListPieces, CATALOG.ListPiecesRequest(page_token="forged"), "page_token"),
            (catalog.ListPieces, CATALOG.ListPiecesRequest(filter="x" * 201), "filter"),
            (catalog.GetSnippet, CATALOG.GetSnippetRequest(), "source"),
            (catalog.GetSnippet,
             CATALOG.GetSnippetRequest(piece_id="greensleeves", start_seconds=-1),
             "start_seconds"),
            (catalog.GetSnippet,
             CATALOG.GetSnippetRequest(piece_id="greensleeves", start_seconds=5, end_seconds=5),
             "end_seconds"),
        ):
            with self.subTest(field=field, request=str(request)[:200]):
                self.assert_invalid(method, request, field)

    def test_what_is_not_there_or_not_possible(self):
        self.assert_refused(self.client.catalog.GetPiece,
                            CATALOG.GetPieceRequest(piece_id="../../etc/passwd"),
                            grpc.StatusCode.NOT_FOUND, "piece_id")
        self.assert_refused(self.client.catalog.GetSnippet,
                            CATALOG.GetSnippetRequest(recording_id="none"),
                            grpc.StatusCode.NOT_FOUND, "recording_id")

    def test_bytes_that_are_no_message(self):
        channel = grpc.insecure_channel(self.server.address,
                                        options=[("grpc.enable_http_proxy", 0)])
        call = channel.unary_unary("/antiphon.v1.Retrieval/Identify")
        with self.assertRaises(grpc.RpcError):
            call(b"\xff" * 100, timeout=harness.CALL_SECONDS)

    def test_a_caller_who_does_not_wait(self):
        """A deadline in the past, and calls that are cancelled half-way."""
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.retrieval.Identify(self.sound, timeout=0.001)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        for delay in (0, 0.01, 0.05):
            call = self.client.retrieval.Identify.future(self.sound)
            time.sleep(delay)
            call.cancel()


def await_handlers(server):
    """Until the process handles signals: before that, while the dynamic linker is at work, no code
    of it has run."""
    deadline = time.monotonic() + harness.START_SECONDS
    while time.monotonic() < deadline:
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
        caught = int(
            next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), 16)
        if all(caught >> (number - 1) & 1
               for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)):
            return
    raise RuntimeError(f"the server handles no signals:\n{server.log()}")


class StartTest(unittest.TestCase):
    def test_a_signal_at_any_moment_of_the_start_ends_it_with_0(self):
        for delay in (0, 0.02, 0.1, 0.3, 0.6, 1, 2):
            for number in (signal.SIGTERM, signal.SIGINT):
                with self.subTest(delay=delay, signal=number):
                    server = harness.Server()
                    try:
                        await_handlers(server)
                        time.sleep(delay)
                        server.send_signal(number)
                        self.assertEqual(server.wait(60), 0, server.log())
                    finally:
                        server.__exit__()

    def test_sighup_during_the_start_does_not_end_it(self):
        server = harness.Server()
        await_handlers(server)
        for _ in range(20):
            server.send_signal(signal.SIGHUP)
            time.sleep(0.02)
        with server:
            self.assertEqual(connect(server).status()["state"], "SERVER_STATE_SERVING")

    def test_healthz_says_starting_until_it_serves(self):
        server = harness.Server()
        seen = set()
        deadline = time.monotonic() + harness.START_SECONDS
        try:
            while (200, "SERVING\n") not in seen and time.monotonic() < deadline:
                try:
                    seen.add(server.get("/healthz"))
                except (ConnectionError, IndexError):
                    time.sleep(0.01)
        finally:
            server.__exit__()
        self.assertEqual(seen, {(503, "STARTING\n"), (200, "SERVING\n")})


class ReloadTest(unittest.TestCase):
    def copy_of_the_bundle(self):
        folder = tempfile.mkdtemp(prefix="antiphon_reload_")
        self.addCleanup(shutil.rmtree, folder)
        return harness.copy_of_bundle(folder)

    def bundle_with_a_next_generation(self):
        """A copy of the bundle that has gen-000002, with a piece more, but serves gen-000001."""
        bundle = self.copy_of_the_bundle()
        midi = content(harness.BUILD / "songbook" / "greensleeves.mid")
        with harness.Server("--no-warmup", bundle=bundle) as server:
            client = connect(server)
            client.catalog.AddPiece(CATALOG.AddPieceRequest(piece=CATALOG.NewPiece(id="another"),
                                                            score=TYPES.Score(midi=midi)))
            self.assertEqual(client.admin.Merge(ADMIN.MergeRequest()).generation, 2)
            time.sleep(3)  # CURRENT has changed, and the server knows why
            self.assertEqual(server.metric("antiphon_reloads_total"), 0)
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(harness.CALL_SECONDS), 0, server.log())
        served = self.copy_of_the_bundle()
        shutil.copytree(bundle / "gen-000002", served / "gen-000002")
        return served

    @staticmethod
    def set_current(bundle, name):
        new = bundle / "CURRENT.new"
        new.write_text(f"{name}\n", encoding="ascii")
        os.replace(new, bundle / "CURRENT")

    def await_metric(self, server, name, value):
        deadline = time.monotonic() + harness.CALL_SECONDS
        while server.metric(name) != value and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(server.metric(name), value, server.log())

    def test_a_generation_that_current_names_is_taken_over_and_one_that_is_damaged_is_not(self):
        bundle = self.bundle_with_a_next_generation()
        with harness.Server(bundle=bundle) as server:
            client = connect(server)
            pieces = client.status()["pieces"]
            # not what its manifest says
            shutil.copytree(bundle / "gen-000002", bundle / "gen-000003")
            self.set_current(bundle, "gen-000003")
            deadline = time.monotonic() + harness.CALL_SECONDS
            while "gen-000003" not in server.log() and time.monotonic() < deadline:
                self.assertEqual(client.status()["state"], "SERVER_STATE_SERVING")
            self.assertIn("gen-000003", server.log())
            shutil.rmtree(bundle / "gen-000003")
            self.set_current(bundle, "gen-000002")
            self.await_metric(server, "antiphon_generation", 2)
            self.assertEqual(client.status()["pieces"], pieces + 1)

    def test_sigterm_during_the_reload_of_another_generation(self):
        bundle = self.bundle_with_a_next_generation()
        for delay in (0, 0.1, 0.4):
            self.set_current(bundle, "gen-000001")
            with self.subTest(delay=delay), harness.Server("--grace-period=60",
                                                           bundle=bundle) as server:
                self.set_current(bundle, "gen-000002")
                server.send_signal(signal.SIGHUP)
                time.sleep(delay)
                server.send_signal(signal.SIGTERM)
                self.assertEqual(server.wait(30), 0, server.log())

    def test_sighup_is_a_reload_and_calls_go_on(self):
        with harness.Server() as server:
            client = connect(server)
            before = client.status()["generation"]
            for round_number in range(1, 4):
                server.send_signal(signal.SIGHUP)
                deadline = time.monotonic() + harness.CALL_SECONDS
                while (server.metric("antiphon_reloads_total") < round_number
                       and time.monotonic() < deadline):
                    self.assertEqual(client.status()["state"], "SERVER_STATE_SERVING")
                self.assertEqual(server.metric("antiphon_reloads_total"), round_number,
                                 server.log())
            self.assertEqual(client.status()["generation"], before)
            self.assertIn("SIGHUP: reloading", server.log())

    def test_sigterm_during_a_reload(self):
        for delay in (0, 0.05, 0.2):
            with self.subTest(delay=delay), harness.Server("--grace-period=60") as server:
                server.send_signal(signal.SIGHUP)
                time.sleep(delay)
                server.send_signal(signal.SIGTERM)
                self.assertEqual(server.wait(30), 0, server.log())


class ShutdownTest(unittest.TestCase):
    """A signal: calls under way are finished, new ones refused, and the exit status is 0."""

    def stop_during_a_call(self, number):
        with harness.Server("--grace-period=120") as server:
            client = connect(server)
            # The most windows that one call may have: seconds of work.
            request = MESSAGES.EmbedRequest(audio=pcm(tone(400)), hop_seconds=0.05)
            call = client.retrieval.Embed.future(request, timeout=harness.CALL_SECONDS)
            deadline = time.monotonic() + harness.START_SECONDS
            while server.metric("antiphon_requests_in_flight") != 1 and time.monotonic() < deadline:
                time.sleep(0.01)
            server.send_signal(number)
            self.assertFalse(call.done(), "the signal came while the call was under way")
            response = call.result()
            self.assertGreater(len(response.start_seconds), 7000)
            self.assertEqual(len(response.values), len(response.start_seconds) * response.dimension)
            self.assertEqual(server.wait(harness.CALL_SECONDS), 0, server.log())
            with self.assertRaises(grpc.RpcError) as raised:
                client.status()
            self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)

    def test_sigterm(self):
        self.stop_during_a_call(signal.SIGTERM)

    def test_sigint(self):
        self.stop_during_a_call(signal.SIGINT)

    def test_without_calls_it_stops_at_once(self):
        with harness.Server("--grace-period=60") as server:
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(20), 0, server.log())

    def test_a_call_longer_than_the_grace_period_does_not_hold_it_up(self):
        with harness.Server("--grace-period=0.2") as server:
            request = MESSAGES.EmbedRequest(audio=pcm(tone(400)), hop_seconds=0.05)
            call = connect(server).retrieval.Embed.future(request, timeout=harness.CALL_SECONDS)
            while server.metric("antiphon_requests_in_flight") != 1:
                time.sleep(0.01)
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(60), 0, server.log())
            self.assertIn(call.exception().code(),
                          (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE))


if __name__ == "__main__":
    harness.main()
