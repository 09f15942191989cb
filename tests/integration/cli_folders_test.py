"""The programs with folders, names and outputs as people have them: every file that is found is
accounted for, and so is everything that is printed."""

import array
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import time
import unicodedata
import unittest
import wave

import harness

OK, NOTHING, BAD_INPUT, UNREACHABLE, SERVER_ERROR = range(5)

MEI = b'<?xml version="1.0"?>\n<mei xmlns="http://www.music-encoding.org/ns/mei"></mei>\n'


def songbook(name):
    return (harness.BUILD / "songbook" / f"{name}.mid").read_bytes()


def as_au(wav_file):
    """The recording as Sun's .au writes it."""
    with wave.open(wav_file) as file:
        samples = array.array("h", file.readframes(file.getnframes()))
        samples.byteswap()
        data = samples.tobytes()
        return b".snd" + struct.pack(">5I", 24, len(data), 3, file.getframerate(),
                                     file.getnchannels()) + data


def as_caf(wav_file):
    """The recording in Apple's Core Audio Format."""
    with wave.open(wav_file) as file:
        data = file.readframes(file.getnframes())
        frame = 2 * file.getnchannels()
        little_endian = 2
        description = struct.pack(">d4s5I", file.getframerate(), b"lpcm", little_endian, frame, 1,
                                  file.getnchannels(), 16)
        return (b"caff" + struct.pack(">HH", 1, 0) + b"desc" + struct.pack(">q", len(description))
                + description + b"data" + struct.pack(">qI", len(data) + 4, 0) + data)


class FoldersTest(unittest.TestCase):
    """add-all, add and delete against a server whose collection may be changed."""

    @classmethod
    def setUpClass(cls):
        temporary = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.server = cls.enterClassContext(harness.Server(bundle=harness.copy_of_bundle(temporary)))

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def put(self, name, content):
        """`name` may be bytes: what the file is called on the disk."""
        path = os.path.join(os.fsencode(self.folder), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return os.fsdecode(path)

    def run_client(self, *arguments, code=OK):
        done = harness.run_client(*arguments, server=self.server.address)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def piece(self, piece_id, code=OK):
        done = self.run_client("piece", "show", piece_id, "--json", code=code)
        return json.loads(done.stdout).get("piece")

    def test_a_name_that_is_not_utf8_is_converted(self):
        for name, piece in ((b"l1_a.mid", "sakura"), (b"l1_b\xe9.mid", "greensleeves"),
                            (b"l1_c.mid", "old_hundredth"), (b"l1_d.mid", "clementine")):
            self.put(name, songbook(piece))
        done = self.run_client("piece", "add-all", str(self.folder))
        self.assertIn("4 files found: 4 added", done.stdout)
        for piece_id in ("l1_a", "l1_b\u00e9", "l1_c", "l1_d"):
            self.assertEqual(self.piece(piece_id)["id"], piece_id)
        done = self.run_client("piece", "add-all", str(self.folder), "--skip-existing")
        self.assertIn("4 files found: 0 added, 4 there already", done.stdout)

    def test_scores_of_any_ending_are_read_and_the_others_are_counted(self):
        midi = songbook("sakura")
        self.put("e_a.kar", midi)
        self.put("e_b.rmi", b"RIFF" + (len(midi) + 12).to_bytes(4, "little") + b"RMIDdata"
                 + len(midi).to_bytes(4, "little") + midi)
        self.put("e_c.mid", midi)
        self.put("e_scale.mei", MEI)
        self.put("sound/take.m4a", b"\0\0\0\x1cftypM4A ")
        self.put("sound/take.wav", b"RIFF\x24\0\0\0WAVE")
        self.put(".DS_Store", b"words")
        done = self.run_client("piece", "add-all", str(self.folder))
        self.assertIn("7 files found: 3 added, 4 passed over (1 .m4a, 1 .mei, 1 .wav, "
                      "1 hidden)", done.stdout)
        for piece_id in ("e_a", "e_b", "e_c"):
            self.assertTrue(self.piece(piece_id))

    def test_counts_add_up_whatever_happens(self):
        self.put("c_good.mid", songbook("sakura"))
        self.put("c_damaged.mid", b"MThd and no more")
        self.put("c_empty.mid", b"")
        self.put("greensleeves.mid", songbook("greensleeves"))
        self.put("notes.txt", b"words")
        done = self.run_client("piece", "add-all", str(self.folder), code=BAD_INPUT)
        self.assertIn("5 files found: 1 added, 1 there already, 2 failed, 1 passed over (1 .txt)",
                      done.stdout)
        for name in ("c_damaged.mid", "c_empty.mid", "greensleeves.mid"):
            self.assertIn(name, done.stderr)

    def test_metadata_in_one_form_of_unicode_names_a_file_in_the_other(self):
        name = "\u00e9tude_nf.mid"
        self.put(unicodedata.normalize("NFD", name).encode(), songbook("sakura"))
        self.put("metadata.tsv", f"file\ttitle\n{name}\tA study\nmissing.mid\tGone\n".encode())
        done = self.run_client("piece", "add-all", str(self.folder))
        self.assertIn("1 file found: 1 added", done.stdout)
        self.assertIn("metadata.tsv names 'missing.mid', which is not there", done.stderr)
        self.assertEqual(self.piece("\u00e9tude_nf")["title"], "A study")

    def test_links_are_named_by_themselves(self):
        self.put("ln_real.mid", songbook("sakura"))
        os.symlink(self.folder / "ln_real.mid", self.folder / "ln_link.mid")
        self.run_client("piece", "add-all", str(self.folder))
        self.assertTrue(self.piece("ln_real") and self.piece("ln_link"))

    def test_recordings_are_added_all_at_once_and_again(self):
        for number, query in enumerate(harness.queries()[:4]):
            self.put(f"r_take_{number}.wav", pathlib.Path(query["file"]).read_bytes())
        self.put("r_au.au", as_au(harness.queries()[4]["file"]))
        self.put("r_caf.caf", as_caf(harness.queries()[5]["file"]))
        self.put("r_damaged.wav", b"RIFF\x24\0\0\0WAVEjunk")
        self.put("score.mid", songbook("sakura"))
        self.put("metadata.tsv", b"file\ttitle\tpiece_id\nr_take_0.wav\tLive\tgreensleeves\n")
        done = self.run_client("recording", "add-all", str(self.folder), "--collection", "tapes",
                               code=BAD_INPUT)
        self.assertIn("8 files found: 6 added, 1 failed, 1 passed over (1 .mid)", done.stdout)
        self.assertIn("r_damaged.wav", done.stderr)
        recording = json.loads(self.run_client("recording", "r_take_0", "--json").stdout)
        self.assertEqual([recording["recording"][name] for name in ("title", "piece_id",
                                                                    "collection")],
                         ["Live", "greensleeves", "tapes"])
        (self.folder / "r_damaged.wav").unlink()
        done = self.run_client("recording", "add-all", str(self.folder), "--skip-existing")
        self.assertIn("7 files found: 0 added, 6 there already, 1 passed over", done.stdout)
        listed = json.loads(self.run_client("recording", "list", "r_", "--json").stdout)
        durations = [recording["duration_seconds"] for recording in listed["recordings"]
                     if recording["id"].startswith("r_")]
        self.assertEqual(len(durations), 6)
        for duration in durations:
            self.assertAlmostEqual(duration, 12, delta=6)

    def test_several_files_and_ids(self):
        a, b = self.put("s_a.mid", songbook("sakura")), self.put("s_b.mid", songbook("sakura"))
        bad = self.put("s_scale.mei", MEI)
        done = self.run_client("piece", "add", a, bad, b, code=BAD_INPUT)
        self.assertIn("added 2 of 3 pieces; 1 failed", done.stdout)
        self.assertIn("is MEI, which is not read: export it as MusicXML or MIDI", done.stderr)
        done = self.run_client("search", a, b, "--json", "-k", "1")
        self.assertEqual(len(done.stdout.splitlines()), 2)
        done = self.run_client("piece", "delete", "s_a", "no_such_piece", "s_b", code=NOTHING)
        self.assertIn("deleted 2 of 3 pieces; 1 failed", done.stdout)
        self.piece("s_a", code=NOTHING)

    def test_index_accounts_for_everything_too(self):
        self.put("scores/a.kar", songbook("sakura"))
        self.put(b"scores/b\xe9.mid", songbook("greensleeves"))
        self.put("scores/scale.mei", MEI)
        self.put("scores/a.abc", (harness.SOURCE / "data/songbook/sakura.abc").read_bytes())
        self.put("scores/metadata.tsv", b"file\ttitle\nmissing.mid\tGone\n")
        self.put("sound/a_take.wav", pathlib.Path(harness.queries()[0]["file"]).read_bytes())
        self.put("sound/cover.png", b"\x89PNG")
        done = subprocess.run(
            [harness.program("antiphon-trainer"), "index", "--scores", self.folder / "scores",
             "--recordings", self.folder / "sound", "--model",
             os.environ.get("ANTIPHON_TEST_MODEL", harness.SOURCE / "models/default"), "--bundle",
             self.folder / "bundle"], capture_output=True, check=False, encoding="utf-8")
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in ("3 pieces", "1 recordings", "1 .mei", "1 .png",
                     "metadata.tsv names a file that is not there", "missing.mid"):
            self.assertIn(line, done.stdout)


class OutputTest(unittest.TestCase):
    """What is printed to a full disk, or written into a file on one, is a failure."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(harness.Server("--read-only"))
        cls.query = harness.queries()[0]["file"]

    def assert_fails(self, program, *arguments, stdin=b""):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([harness.program(program), *arguments], stdout=full, input=stdin,
                                  stderr=subprocess.PIPE, check=False,
                                  timeout=harness.CALL_SECONDS)
        self.assertNotEqual(done.returncode, 0, arguments)
        self.assertIn(b"cannot write standard output: ", done.stderr)

    def test_of_every_command_of_the_client(self):
        for arguments in (["pieces"], ["piece", "greensleeves"], ["recording", "list"], ["status"],
                          ["identify", self.query], ["search", self.query], ["embed", self.query],
                          ["identify", "--long", self.query], ["identify", "--live", self.query],
                          ["snippet", "greensleeves", "--end", "4", "-o", "-"]):
            with self.subTest(arguments):
                self.assert_fails("antiphon", *arguments, "--server", self.server.address)
                if "-o" not in arguments:
                    self.assert_fails("antiphon", *arguments, "--json", "--server",
                                      self.server.address)

    def test_of_help_and_versions(self):
        for program in ("antiphon", "antiphon-trainer", "antiphon-server"):
            for option in ("--help", "--version"):
                with self.subTest(program=program, option=option):
                    self.assert_fails(program, option)

    def test_of_the_server_and_the_trainer(self):
        self.assert_fails("antiphon-server", "--bundle", "b", "--print-config")
        self.assert_fails("antiphon-server", "--hash-api-key", stdin=b"KEY-that-nobody-guesses\n")
        self.assert_fails("antiphon-trainer", "inspect", str(harness.BUNDLE))

    def test_of_files(self):
        with tempfile.TemporaryDirectory() as folder:
            full = os.path.join(folder, "full.mid")
            os.symlink("/dev/full", full)
            for arguments in (["snippet", "greensleeves", "--end", "4"], ["embed", self.query]):
                done = harness.run_client(*arguments, "-o", full, server=self.server.address)
                self.assertEqual(done.returncode, BAD_INPUT, done.stderr)
                self.assertIn("No space left on device", done.stderr)

    def test_a_request_id_that_no_call_can_carry_is_refused(self):
        for value in ("\u00fc", "a\tb", "x" * 129):
            done = harness.run_client("status", "--request-id", value, server=self.server.address)
            self.assertEqual(done.returncode, BAD_INPUT, done.stderr)
            self.assertIn("--request-id", done.stderr)
        done = harness.run_client("status", server=self.server.address,
                                  environment={"ANTIPHON_API_KEY": "\u00fc"})
        self.assertEqual(done.returncode, BAD_INPUT)
        self.assertIn("ANTIPHON_API_KEY", done.stderr)
        for option, value in (("--server", "\u00fc:1"), ("--server-name", "\u00fc")):
            done = harness.run_client("status", option, value)
            self.assertEqual(done.returncode, BAD_INPUT)
            self.assertIn(option, done.stderr)


class UnixSocketTest(unittest.TestCase):
    """Two servers on one socket."""

    def start(self, address):
        process = subprocess.Popen(
            [harness.program("antiphon-server"), "--bundle", str(harness.BUNDLE), "--read-only",
             "--listen", address, "--metrics-listen", "0"], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def status(self, address):
        return harness.run_client("status", "--timeout", "5", server=address).returncode

    def wait_for(self, address):
        for _ in range(harness.START_SECONDS):
            if self.status(address) == OK:
                return
            time.sleep(1)
        self.fail("no server")

    def test_the_second_is_refused_and_the_first_serves_on(self):
        with tempfile.TemporaryDirectory() as folder:
            address = f"unix:{folder}/antiphon.sock"
            first = self.start(address)
            self.wait_for(address)
            second = self.start(address)
            self.assertEqual(second.wait(harness.START_SECONDS), 1)
            self.assertIn(b"another server listens there", second.stderr.read())
            self.assertEqual(self.status(address), OK)
            first.kill()
            first.wait()
            self.start(address)  # over the socket that the dead one left
            self.wait_for(address)


if __name__ == "__main__":
    harness.main()
