"""A collection that grows to many times its size, one piece at a time and in a stream, while it is
searched.

Usage: many_pieces_test.py [--pieces N]    N each way (250)
"""

import argparse
import random
import sys
import tempfile
import threading
import unittest

import harness
from python_client import PythonClient, connect

STUBS = harness.make_stubs()
DEFAULT_COUNT = 250  # of pieces, each way: eight times what is there
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
    count = DEFAULT_COUNT

    def setUp(self):
        bundle = harness.copy_of_bundle(self.enterContext(tempfile.TemporaryDirectory()))
        self.server = self.enterContext(harness.Server(bundle=bundle))
        self.client = PythonClient(connect(self.server.address), STUBS, timeout=1200)

    def test_many_are_added_one_by_one_and_as_many_in_a_stream(self):
        count = self.count
        before = self.client.status()["pieces"]
        with Seeker(self.server.address) as seeker:
            for number in range(count):
                added = self.client.add_piece(f"one_{number}", short_piece(number))
                self.assertEqual(added["id"], f"one_{number}")
            requests = (self.client.new_piece(f"stream_{number}", short_piece(count + number))
                        for number in range(count))
            progress = [answer["added"] for answer in self.client.add_pieces(requests)]
        self.assertEqual(progress, list(range(1, count + 1)))
        self.assertGreater(len(seeker.found), 10)
        self.assertEqual(set(seeker.found), {KNOWN})
        self.assertEqual(self.client.status()["pieces"], before + 2 * count)
        self.assertEqual(len({piece["id"] for piece in self.client.pieces()}), before + 2 * count)
        for name, seed in (("one_0", 0), (f"stream_{count - 1}", 2 * count - 1)):
            answer = self.client.identify(short_piece(seed),
                                          against=STUBS["retrieval_pb2"].SIDE_SCORES, top_k=1)
            self.assertEqual(answer["candidates"][0]["source"]["id"], name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__.split("Usage: ")[1], add_help=False)
    parser.add_argument("--pieces", type=int, default=DEFAULT_COUNT)
    arguments, sys.argv[1:] = parser.parse_known_args()
    ManyPiecesTest.count = arguments.pieces
    harness.main()
