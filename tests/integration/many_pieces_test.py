"""A collection that grows to many times its size, one piece at a time and in a stream, while it is
searched."""

import random
import tempfile
import threading
import unittest

import harness
from python_client import PythonClient, connect

STUBS = harness.make_stubs()
COUNT = 1000  # of pieces, each way
KNOWN = "greensleeves"  # of the songbook


def short_piece(seed):
    """A Standard MIDI File of four seconds, unlike any other."""
    order = random.Random(seed)
    events = b""
    # At 120 to the minute, 96 ticks to the beat: a note every quarter of a second.
    for _ in range(16):
        pitch = order.randrange(40, 90)
        events += bytes([0, 0x90, pitch, 80, 48, 0x80, pitch, 0])
    track = events + b"\0\xff\x2f\0"
    return b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk" + len(track).to_bytes(4, "big") + track


class Seeker(threading.Thread):
    """Asks for a known piece again and again until told to stop; `found` is what it was told."""

    def __init__(self, address):
        super().__init__()
        self.done, self.found = threading.Event(), []
        self._client = PythonClient(connect(address), STUBS)
        self._sound = harness.rendered(KNOWN)

    def run(self):
        while not self.done.wait(0.5):
            answer = self._client.identify(self._sound, top_k=1)
            self.found.append(answer["candidates"][0]["source"]["id"])

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.done.set()
        self.join()


class ManyPiecesTest(unittest.TestCase):
    def setUp(self):
        bundle = harness.copy_of_bundle(self.enterContext(tempfile.TemporaryDirectory()))
        self.server = self.enterContext(harness.Server(bundle=bundle))
        self.client = PythonClient(connect(self.server.address), STUBS, timeout=1200)

    def test_a_thousand_are_added_one_by_one_and_a_thousand_in_a_stream(self):
        before = self.client.status()["pieces"]
        with Seeker(self.server.address) as seeker:
            for number in range(COUNT):
                added = self.client.add_piece(f"one_{number}", short_piece(number))
                self.assertEqual(added["id"], f"one_{number}")
            requests = (self.client.new_piece(f"stream_{number}", short_piece(COUNT + number))
                        for number in range(COUNT))
            progress = [answer["added"] for answer in self.client.add_pieces(requests)]
        self.assertEqual(progress, list(range(1, COUNT + 1)))
        self.assertGreater(len(seeker.found), 10)
        self.assertEqual(set(seeker.found), {KNOWN})
        self.assertEqual(self.client.status()["pieces"], before + 2 * COUNT)
        self.assertEqual(len({piece["id"] for piece in self.client.pieces()}), before + 2 * COUNT)
        for name, seed in (("one_0", 0), (f"stream_{COUNT - 1}", 2 * COUNT - 1)):
            answer = self.client.identify(short_piece(seed),
                                          against=STUBS["retrieval_pb2"].SIDE_SCORES, top_k=1)
            self.assertEqual(answer["candidates"][0]["source"]["id"], name)


if __name__ == "__main__":
    harness.main()
