"""The command line client against a real server: exit codes, tables, JSON, standard input, files
that it writes."""

import json
import pathlib
import signal
import struct
import tempfile
import unittest
import wave

import harness

OK, NOTHING, BAD_INPUT, UNREACHABLE, SERVER_ERROR = range(5)


class CliTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(harness.Server())
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.query = harness.queries()[0]
        cls.midi = str(harness.BUILD / "songbook" / "greensleeves.mid")

    def run_client(self, *arguments, code=OK, stdin=None):
        done = harness.run_client(*arguments, server=self.server.address, stdin=stdin)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        if code in (OK, NOTHING) and not done.stderr:
            self.assertTrue(done.stdout)
        elif code != NOTHING:
            self.assertIn("antiphon: ", done.stderr)
        return done

    def run_json(self, *arguments, **options):
        return json.loads(self.run_client(*arguments, "--json", **options).stdout)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def silence(self, seconds):
        path = str(self.folder / "silence.wav")
        with wave.open(path, "wb") as file:
            file.setparams((1, 2, 22050, 0, "NONE", ""))
            file.writeframes(bytes(2 * 22050 * seconds))
        return path

    def test_identifies_and_says_where(self):
        done = self.run_client("identify", self.query["file"])
        title = self.run_json("piece", self.query["piece_id"])["piece"]["title"]
        self.assertIn(title, done.stdout.splitlines()[0])
        self.assertRegex(done.stdout, r"of it is bar \d+:\d")
        self.assertRegex(done.stdout, r"confidence [01]\.\d\d")

    def test_identifies_from_standard_input(self):
        for kind in ("audio", "midi"):
            with self.subTest(kind=kind):
                file = self.query["file"] if kind == "audio" else self.midi
                answer = self.run_json("identify", "-", stdin=pathlib.Path(file).read_bytes())
                expected = self.query["piece_id"] if kind == "audio" else "greensleeves"
                self.assertEqual(answer["candidates"][0]["source"]["id"], expected)
                self.assertEqual(answer["file"], "standard input")

    def test_identifies_an_excerpt(self):
        answer = self.run_json("identify", self.query["file"], "--start", "0:02", "--length", "6")
        self.assertEqual(answer["candidates"][0]["source"]["id"], self.query["piece_id"])
        self.assertAlmostEqual(answer["info"]["query_seconds"], 6, delta=0.01)
        self.assertEqual(answer["offset_seconds"], 2)
        answer = self.run_json("search", self.midi, "--start", "4", "--length", "8")
        self.assertLessEqual(answer["info"]["query_seconds"], 8.01)
        self.assertEqual(answer["hits"][0]["source"]["piece_id"], "greensleeves")

    def test_searches_in_both_directions(self):
        done = self.run_client("search", self.query["file"], "-k", "5")
        lines = done.stdout.splitlines()
        self.assertIn("bar:beat", lines[1])
        self.assertLessEqual(len(lines), 7)
        done = self.run_client("search", self.midi)
        self.assertNotIn("bar:beat", done.stdout.splitlines()[1], "recordings have no bars")

    def test_writes_what_was_matched(self):
        for file, mark in ((self.query["file"], b"MThd"), (self.midi, b"RIFF")):
            folder = self.folder / "matched" / mark.decode()
            hits = self.run_json("search", file, "-k", "2", "--snippets", str(folder))["hits"]
            for hit in hits:
                self.assertTrue(pathlib.Path(hit["snippet_file"]).read_bytes().startswith(mark))

    def test_no_match_and_too_little_input_are_1(self):
        answer = self.run_json("identify", self.query["file"], "--start", "3", "--length", "0.2",
                               code=NOTHING)
        self.assertEqual(answer["verdict"], "VERDICT_INSUFFICIENT_INPUT")
        answer = self.run_json("identify", self.silence(5), code=NOTHING)
        self.assertEqual(answer["verdict"], "VERDICT_INSUFFICIENT_INPUT")
        self.run_client("search", self.silence(5), code=NOTHING)
        self.run_client("pieces", "no", "such", "piece", code=NOTHING)
        done = self.run_client("piece", "no_such_piece", code=NOTHING)
        self.assertIn("antiphon pieces", done.stderr)

    def test_bad_input_is_2(self):
        cases = {
            "missing": str(self.folder / "missing.wav"),
            "a folder": str(self.folder),
            "empty": self.write("empty.wav", b""),
            "text": self.write("text.wav", b"this is not sound"),
            "damaged sound": self.write("damaged.wav", b"RIFF\x24\0\0\0WAVEjunk"),
            "damaged score": self.write("damaged.mid", b"MThd\0\0\0\6\0\1\0\2"),
        }
        for name, file in cases.items():
            with self.subTest(name):
                self.assertIn(file, self.run_client("identify", file, code=BAD_INPUT).stderr)
        self.run_client("identify", "-", stdin=b"", code=BAD_INPUT)
        self.run_client("identify", self.midi, "--top-k", "1000000", code=BAD_INPUT)
        self.run_client("identify", self.midi, "--start", "9:00:00", code=BAD_INPUT)
        self.run_client("identify", self.query["file"], "--start", "9:00:00", code=BAD_INPUT)
        self.run_client("snippet", "greensleeves", "--start", "100", "--end", "1", "-o",
                        str(self.folder / "x.mid"), code=BAD_INPUT)
        self.run_client("no-such-command", code=BAD_INPUT)

    def test_a_refusal_names_the_field_in_json(self):
        error = self.run_json("identify", self.write("bad.mid", b"MThd\0\0"),
                              code=BAD_INPUT)["error"]
        self.assertEqual(error["code"], "INVALID_ARGUMENT")
        self.assertEqual(error["field"], "score.midi")

    def test_an_unreachable_server_is_3(self):
        nowhere = f"127.0.0.1:{harness.free_port()}"
        for arguments in (["status"], ["identify", self.midi], ["pieces"],
                          ["search", self.query["file"]]):
            done = harness.run_client(*arguments, server=nowhere)
            self.assertEqual(done.returncode, UNREACHABLE)
            self.assertIn("antiphon-server --bundle DIR", done.stderr)
            self.assertIn(nowhere, done.stderr)
        done = harness.run_client("status", environment={"ANTIPHON_SERVER": nowhere})
        self.assertIn(nowhere, done.stderr)

    def test_no_answer_in_time_is_3(self):
        done = self.run_client("embed", self.query["file"], "--hop", "0.05", "--timeout", "0.001",
                               code=UNREACHABLE)
        self.assertIn("--timeout", done.stderr)

    def test_another_kind_of_server_is_not_taken_for_ours(self):
        metrics = f"127.0.0.1:{self.server.metrics_port}"
        done = harness.run_client("status", "--timeout", "5", server=metrics)
        self.assertIn(done.returncode, (UNREACHABLE, SERVER_ERROR), done.stderr)

    def test_several_files_give_one_json_line_each_and_the_worst_code(self):
        missing = str(self.folder / "missing.mid")
        done = self.run_client("identify", self.midi, missing, self.query["file"], "--json",
                               code=BAD_INPUT)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line["file"] for line in lines], [self.midi, missing, self.query["file"]])
        self.assertEqual(["error" in line for line in lines], [False, True, False])

    def test_writes_snippets_that_it_can_read_again(self):
        score, sound = str(self.folder / "part.mid"), str(self.folder / "part.wav")
        self.run_client("snippet", "greensleeves", "--start", "0:04", "--end", "0:14", "-o", score)
        self.run_client("snippet", "greensleeves", "--start", "4", "--end", "14", "-o", sound)
        with wave.open(sound) as file:
            self.assertAlmostEqual(file.getnframes() / file.getframerate(), 10, delta=0.01)
        for file in (score, sound):
            answer = self.run_json("identify", file)
            self.assertEqual(answer["candidates"][0]["source"]["id"], "greensleeves", file)

    def test_a_long_file_is_made_to_fit(self):
        """Half an hour at 48 kHz in stereo is five times the size of a request."""
        path = str(self.folder / "long.wav")
        with wave.open(path, "wb") as file:
            file.setparams((2, 2, 48000, 0, "NONE", ""))
            second = b"".join(struct.pack("<hh", (i * 37) % 2000 - 1000, 0) for i in range(48000))
            for _ in range(30 * 60):
                file.writeframes(second)
        answer = self.run_json("search", path, "-k", "1")
        self.assertAlmostEqual(answer["info"]["query_seconds"], 1800, delta=1)

    def test_embeddings_load_in_numpys_format(self):
        path = self.folder / "out.npy"
        answer = self.run_json("embed", self.midi, "--hop", "2", "-o", str(path))
        content = path.read_bytes()
        self.assertTrue(content.startswith(b"\x93NUMPY\x01\0"))
        (header_size,) = struct.unpack("<H", content[8:10])
        # A dict literal, by definition.
        shape = eval(content[10:10 + header_size], {"__builtins__": {}})["shape"]
        self.assertEqual(shape, (len(answer["start_seconds"]), answer["dimension"]))
        self.assertEqual(len(content) - 10 - header_size, 4 * shape[0] * shape[1])

    def test_status_and_help(self):
        self.assertIn("serving", self.run_client("status").stdout)
        limits = self.run_json("status")["limits"]
        self.assertEqual(limits["max_message_bytes"], 32 << 20)
        self.assertIn("Exit status:", harness.run_client("--help").stdout)

    def test_a_server_that_has_stopped_is_3(self):
        # Beside the one that has the bundle's journal.
        with harness.Server("--read-only") as server:
            self.assertEqual(harness.run_client("status", server=server.address).returncode, OK)
            server.send_signal(signal.SIGTERM)
            server.wait(harness.CALL_SECONDS)
            self.assertEqual(
                harness.run_client("status", server=server.address).returncode, UNREACHABLE)


if __name__ == "__main__":
    harness.main()
