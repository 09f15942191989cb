"""Long recordings and live sound, through the client and a real server: a recital put together from
the test queries."""

import json
import os
import pathlib
import tempfile
import unittest
import wave

import harness

PAUSE_AFTER = 3  # pieces
PAUSE_SECONDS = 3
RATE = 22050


def seconds_of(frames):
    return len(frames) / 2 / RATE


class StreamsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(harness.Server())
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.recital = str(folder / "recital.wav")
        cls.played = []  # piece, from, to
        cls.sound = b""
        for number, query in enumerate(harness.queries()):
            if number == PAUSE_AFTER:
                cls.sound += bytes(2 * RATE * PAUSE_SECONDS)
            with wave.open(query["file"]) as file:
                assert file.getparams()[:3] == (1, 2, RATE)
                frames = file.readframes(file.getnframes())
            start = seconds_of(cls.sound)
            cls.sound += frames
            cls.played.append((query["piece_id"], start, seconds_of(cls.sound)))
        with wave.open(cls.recital, "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(cls.sound)

    def identify(self, *arguments, code=0, **options):
        done = harness.run_client("identify", *arguments, "--json", server=self.server.address,
                                  **options)
        self.assertEqual(done.returncode, code, done.stderr)
        return [json.loads(line) for line in done.stdout.split("\n")[:-1]]

    def test_a_recital_is_taken_apart(self):
        (answer,) = self.identify("--long", self.recital)
        segments = answer["segments"]
        self.assertEqual([segment["source"]["id"] for segment in segments],
                         [piece for piece, _, _ in self.played])
        for segment, (piece, start, end) in zip(segments, self.played):
            self.assertAlmostEqual(segment["start_seconds"], start, delta=1.5, msg=piece)
            # Notes die away.
            self.assertAlmostEqual(segment["end_seconds"], end, delta=2.0, msg=piece)
            self.assertGreater(segment["confidence"], 0.9)
            self.assertGreater(segment["reference_end"]["bar"], 0)
        for before, after in zip(segments, segments[1:]):
            self.assertLessEqual(before["end_seconds"], after["start_seconds"])
        self.assertAlmostEqual(answer["info"]["query_seconds"], seconds_of(self.sound), delta=0.1)

    def test_live_answers_come_every_second_and_tell_changes_and_pauses(self):
        answers = self.identify("--live", "-", "--rate", str(RATE), stdin=self.sound)
        times = [answer["at_seconds"] for answer in answers]
        self.assertEqual(times, sorted(times))
        self.assertLessEqual(max(after - before for before, after in zip([0] + times, times)),
                             1.001)
        started = [answer for answer in answers if answer["event"] == "LIVE_EVENT_PIECE_STARTED"]
        self.assertEqual([answer["candidates"][0]["source"]["id"] for answer in started],
                         [piece for piece, _, _ in self.played])
        for answer, (piece, start, _) in zip(started, self.played):
            self.assertLess(answer["at_seconds"] - start, 9, piece)
        events = [answer["event"] for answer in answers]
        self.assertEqual(events.count("LIVE_EVENT_PAUSED"), 1)
        self.assertEqual(events.count("LIVE_EVENT_RESUMED"), 1)

    def test_what_is_left_out_is_not_recognised(self):
        piece, start, end = self.played[1]
        (answer,) = self.identify("--long", self.recital, "--start", str(start), "--length",
                                  str(end - start), "--piece", piece)
        self.assertEqual([segment["source"]["id"] for segment in answer["segments"]], [piece])
        (answer,) = self.identify("--long", self.recital, "--start", str(start), "--length",
                                  str(end - start), "--composer", "Nobody", code=1)
        self.assertEqual(answer["segments"], [])

    @unittest.skipIf("ASAN_OPTIONS" in os.environ, "a sanitizer keeps what is freed")
    def test_a_stream_takes_no_more_memory_the_longer_it_is(self):
        def resident_after(times):
            self.identify("--live", "-", "--rate", str(RATE), stdin=self.sound * times)
            return self.server.metric("process_resident_memory_bytes")

        before = resident_after(1)
        self.assertLess(resident_after(4) - before, 24 << 20)


if __name__ == "__main__":
    harness.main()
