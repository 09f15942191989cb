"""The commands in the documents work: those that can run here are run as written, the others are
held against the programs' own --help. Options, variables, paths and links that a document names
exist.

A block of code that is neither run nor checked says why, in a comment before it:

    <!-- not run: needs Docker -->
"""

import json
import os
import pathlib
import re
import shutil
import struct
import sys
import tomllib
import unittest
import wave

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "integration"))

import blocks
import certificates
import harness
import programs
import workspace

OUTPUT = {"", "text", "mermaid"}  # languages that hold nothing to run
SHELL = {"sh", "console"}
# The first words of texts that docs/formats.md hashes; they look like commands.
NO_COMMANDS = ("antiphon change 1", "antiphon change 2", "antiphon change 3", "antiphon journal 1",
               "antiphon background 1", "antiphon journal mark 1", "antiphon folder 1",
               "antiphon export")
PROGRAMS = programs.Programs(harness.SOURCE, harness.BUILD)


def read_documents():
    """The text of every Markdown file, by its path in the repository."""
    found = {}
    for folder, folders, files in os.walk(harness.SOURCE):
        folders[:] = sorted(name for name in folders
                            if name == ".github" or not name.startswith(".")
                            and name not in workspace.NOT_IN_A_CLONE)
        for name in sorted(files):
            if name.endswith(".md"):
                path = pathlib.Path(folder) / name
                found[str(path.relative_to(harness.SOURCE))] = path.read_text(encoding="utf-8")
    return found


DOCUMENTS = read_documents()
BLOCKS = [block for document, text in DOCUMENTS.items() for block in blocks.blocks(document, text)]


def section(document, heading):
    """The blocks below a heading that are to be run."""
    found = [block for block in BLOCKS if (block.document, block.section) == (document, heading)
             and not block.not_run and block.language not in OUTPUT]
    if not found:
        raise AssertionError(f"{document} has no code below the heading “{heading}”")
    return found


def piece(name):
    return harness.BUILD / "songbook" / f"{name}.mid"


def query(name):
    """Twelve seconds of a piece, WAV. (The programs tell formats by the contents of a file.)"""
    return pathlib.Path(next(made["file"] for made in harness.queries()
                             if made["piece_id"] == name))


def samples_of(path):
    """The first channel of a 16-bit WAV file, and its rate."""
    with wave.open(str(path)) as file:
        values = struct.unpack(f"<{file.getnframes() * file.getnchannels()}h",
                               file.readframes(file.getnframes()))
        return values[::file.getnchannels()], file.getframerate()


def resampled(samples, rate, wanted):
    return [samples[int(i * rate / wanted)] for i in range(int(len(samples) * wanted / rate))]


def write_wav(path, samples, rate):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


class RunTest(unittest.TestCase):
    """Each test runs the code below one heading, in order, with the files that it names."""

    RUN = {
        ("README.md", "An example"),
        ("README.md", "Your own collection"),
        ("README.md", "From another language"),
        ("docs/api.md", "Python"),
        ("docs/api.md", "Python: a recording and its score"),
        ("docs/api.md", "Shell"),
        ("docs/cli.md", "Long recordings and live audio"),
        ("docs/cli.md", "Recordings and their scores"),
        ("docs/cli.md", "Changing the collection"),
        ("docs/operations.md", "Running antiphon-server"),
        ("docs/operations.md", "The file"),
        ("docs/operations.md", "Access control"),
        ("docs/operations.md", "Certificates"),
        ("docs/operations.md", "Snapshots"),
    }

    def setUp(self):
        skipped = harness.MATERIAL / "skipped"
        if skipped.exists():
            self.skipTest(skipped.read_text(encoding="utf-8"))
        self.place = workspace.Workspace(self)

    def run_section(self, document, heading):
        self.assertIn((document, heading), self.RUN)
        return [self.place.run(block) for block in section(document, heading)]

    def test_readme_example(self):
        if not pathlib.Path("/usr/share/sounds/sf3/MuseScore_General.sf3").exists():
            self.skipTest("no soundfont (package musescore-general-soundfont)")
        self.place.serve()
        self.place.add("mozart_sonata_kv545.mid", piece("mozart_sonata_kv545"))
        self.run_section("README.md", "An example")

    def test_readme_own_collection(self):
        for name in ("bach_prelude_c", "greensleeves", "mozart_sonata_kv545"):
            self.place.add(f"SCORES/{name}.mid", piece(name))
        self.place.add("SCORES/metadata.tsv", "file\ttitle\tcomposer\n"
                                              "greensleeves.mid\tGreensleeves\tTraditional\n")
        self.place.add("RECORDINGS/greensleeves.wav", query("greensleeves"))
        self.place.add("recording.flac", query("bach_prelude_c"))
        self.place.add("concert.flac", query("mozart_sonata_kv545"))
        self.place.add("sonata.mid", piece("joplin_entertainer"))
        self.run_section("README.md", "Your own collection")
        self.assertTrue((self.place.folder / "SNAPSHOTS/before-the-weekend/CURRENT").exists())

    def test_readme_python(self):
        self.place.serve()
        self.place.add("recording.flac", query("greensleeves"))
        *_, answer = self.run_section("README.md", "From another language")
        self.assertIn("Greensleeves", answer)

    def test_api_python(self):
        if not certificates.AVAILABLE:
            self.skipTest("no openssl")
        self._serve_with_tls("KEY-that-nobody-guesses")
        self.place.add("pachelbel_canon.mid", piece("pachelbel_canon"))
        self.place.add("query.wav", query("pachelbel_canon"))
        generate, example, usage = section("docs/api.md", "Python")
        self.place.run(generate)
        self.place.add("example.py", self.place.local(example.text))
        deleted = harness.run_client(
            "piece", "delete", "pachelbel_canon", "--ca-file", str(self.place.folder / "ca.pem"),
            server=self.server.address,
            environment={"ANTIPHON_API_KEY": "KEY-that-nobody-guesses"})
        self.assertEqual(deleted.returncode, 0, deleted.stderr)
        self.place.run(usage, placeholders={"KEY": "KEY-that-nobody-guesses"})

    def test_api_python_alignment(self):
        self.place.serve()
        self.place.add("minuet.wav", query("petzold_menuet_g"))
        generate, *_ = section("docs/api.md", "Python")
        self.place.run(generate)
        example, usage = section("docs/api.md", "Python: a recording and its score")
        self.place.add("align.py", self.place.local(example.text))
        self.place.run(usage)

    def test_api_shell(self):
        if not shutil.which("grpcurl"):
            self.skipTest("no grpcurl (go install github.com/fullstorydev/grpcurl/cmd/grpcurl)")
        self.place.serve()
        self.place.add("query.flac", query("greensleeves"))
        self.run_section("docs/api.md", "Shell")

    def test_cli_long_and_live(self):
        self.place.serve()
        pieces = [samples_of(query(name))
                  for name in ("greensleeves", "bach_prelude_c", "joplin_entertainer")]
        rate = pieces[0][1]
        recital = [sample for part, _ in pieces for sample in part]
        write_wav(self.place.add("recital.flac", b""), recital, rate)
        write_wav(self.place.add("concert.flac", b""), pieces[0][0][:5 * rate], rate)
        raw = resampled(pieces[1][0], rate, 48000)
        self.place.add("samples.raw", struct.pack(f"<{2 * len(raw)}f",
                                                  *(s / 32768 for s in raw for _ in range(2))))
        raw = resampled(pieces[2][0], rate, 44100)
        self.place.add("microphone.raw", struct.pack(f"<{len(raw)}h", *raw))
        self.place.add_program("arecord", "#!/bin/sh\ncat microphone.raw\n")
        self.run_section("docs/cli.md", "Long recordings and live audio")

    def test_cli_recordings_and_scores(self):
        self.place.serve()
        self.place.add("minuet.wav", query("petzold_menuet_g"))
        self.place.add("minuet.mid", piece("petzold_menuet_g"))
        samples, rate = samples_of(query("petzold_menuet_g"))
        raw = resampled(samples, rate, 22050)
        self.place.add("microphone.raw", struct.pack(f"<{len(raw)}h", *raw))
        self.place.add_program("arecord", "#!/bin/sh\ncat microphone.raw\n")
        for block in section("docs/cli.md", "Recordings and their scores"):
            self.place.run(block)

    def test_cli_changes(self):
        self.place.serve()
        self.place.add("prelude.mid", piece("bach_prelude_c"))
        self.place.add("take1.flac", query("bach_prelude_c"))
        self.place.add("scores/one.mid", piece("greensleeves"))
        self.place.add("scores/more/two.mid", piece("petzold_menuet_g"))
        self.place.add("takes/one.flac", query("greensleeves"))
        self.run_section("docs/cli.md", "Changing the collection")

    def test_operations_start(self):
        harness.copy_of_bundle(self.place.folder / "var/lib/antiphon")
        self.run_section("docs/operations.md", "Running antiphon-server")

    def test_operations_configuration_file(self):
        self._check_configuration(*section("docs/operations.md", "The file"))

    def test_operations_snapshots(self):
        self._check_configuration(*section("docs/operations.md", "Snapshots"))

    def _check_configuration(self, block):
        file = self.place.add("server.toml", block.text)
        done = self.place.capture([harness.program("antiphon-server"), "--config", file,
                                   "--print-config"])
        effective = tomllib.loads(done)
        for name, value in tomllib.loads(block.text).items():
            self.assertEqual(effective.get(name), value, f"{block.place}: {name}")

    def test_operations_keys(self):
        if not certificates.AVAILABLE:
            self.skipTest("no openssl")
        block, = section("docs/operations.md", "Access control")
        self.place.run(block, last=3)  # makes the key; then the server starts
        self._serve_with_tls()
        self.place.run(block, first=3)

    def test_operations_certificates(self):
        if not certificates.AVAILABLE:
            self.skipTest("no openssl")
        self.run_section("docs/operations.md", "Certificates")
        folder = self.place.folder
        server = self.place.serve(f"--tls-cert={folder / 'server.pem'}",
                                  f"--tls-key={folder / 'server.key'}")
        self.assertEqual((folder / "server.key").stat().st_mode & 0o077, 0, "nobody else reads it")
        done = harness.run_client("--tls", "--ca-file", str(folder / "ca.pem"), "status",
                                  server=f"localhost:{server.port}")
        self.assertEqual(done.returncode, 0, done.stderr)

    def _serve_with_tls(self, key=None):
        """With ca.pem, and with the file of keys in /etc/antiphon, to which `key` is added."""
        authority = certificates.Authority(self.place.folder, "ca")
        certificate, private = authority.sign("server")
        keys = self.place.folder / "etc/antiphon/keys"
        if key:
            hashed = self.place.capture([harness.program("antiphon-server"), "--hash-api-key"], key)
            keys.write_text(f"example admin {hashed.strip()}\n", encoding="ascii")
        self.server = self.place.serve(f"--tls-cert={certificate}", f"--tls-key={private}",
                                       f"--api-keys-file={keys}")


class BlockTest(unittest.TestCase):
    """Every block is run, checked or marked, and what is checked is right."""

    def test_every_block_is_run_checked_or_marked(self):
        for block in BLOCKS:
            with self.subTest(block=block.place):
                if block.language in OUTPUT:
                    self._check_output(block)
                elif block.language in SHELL:
                    self._check_shell(block)
                elif block.language == "json":
                    json.loads(block.text)
                else:
                    self.assertTrue(self._accounted_for(block),
                                    f"{block.language} that is neither run nor marked "
                                    "“<!-- not run: REASON -->”")

    def test_every_section_that_is_run_exists(self):
        for document, heading in sorted(RunTest.RUN):
            with self.subTest(document=document, heading=heading):
                self.assertTrue(section(document, heading))

    @staticmethod
    def _accounted_for(block):
        return block.not_run or (block.document, block.section) in RunTest.RUN

    def _check_output(self, block):
        for line in block.text.splitlines():
            self.assertNotRegex(line, r"^\$ ", "commands in a block that holds output")

    def _check_shell(self, block):
        for words in blocks.simple_commands(blocks.shell_text(block)):
            fault = PROGRAMS.fault(resolve(words))
            self.assertFalse(fault, " ".join(words))
            if fault is None:
                self.assertTrue(self._accounted_for(block),
                                f"`{' '.join(words)}` is neither run nor checked; run the block, "
                                "or mark it “<!-- not run: REASON -->”")


def resolve(words):
    """docs/quality.md writes $T for the trainer."""
    return ["antiphon-trainer" if words[0] == "$T" else words[0], *words[1:]]


class TextTest(unittest.TestCase):
    """What a document names in passing exists."""

    def each_span(self):
        for document, text in DOCUMENTS.items():
            for line, span in blocks.spans(text):
                yield f"{document}:{line}", span

    def test_commands(self):
        for place, span in self.each_span():
            for command in re.split(r"\s&&\s|\s\|\s", span):
                words = re.sub(r"[\[\]|]", " ", command).split()
                while words and (words[0] == "time" or blocks.ASSIGNMENT.match(words[0])):
                    words.pop(0)
                if not words or len(words) == 1 and "/" in words[0]:
                    continue  # a path: test_paths
                if command.startswith(NO_COMMANDS):
                    continue
                with self.subTest(place=place, command=command):
                    self.assertFalse(PROGRAMS.fault(resolve(words)) or self._fault_of_part(words))

    @staticmethod
    def _fault_of_part(words):
        """Of a command without its program, such as `evaluate --soundfont`."""
        faults = [PROGRAMS.fault([program, *words]) for program in ("antiphon", "antiphon-trainer")
                  if words[0] in PROGRAMS.subcommands((program,))]
        return faults[0] if faults and all(faults) else ""

    def test_options(self):
        known = PROGRAMS.all_options()
        for place, span in self.each_span():
            for option in re.findall(r"^--[a-z][\w-]*", span):
                if not option.startswith("--gtest_"):
                    with self.subTest(place=place):
                        self.assertTrue(option in known, f"nothing has an option {option}")

    def test_environment_variables(self):
        known = {"ANTIPHON_" + option[2:].upper().replace("-", "_")
                 for option in PROGRAMS.options(("antiphon-server",))}
        for pattern in ("**/*.sh", "**/*.cc", "**/*.h", "**/*.py", "**/CMakeLists.txt", "cmake/*"):
            for file in harness.SOURCE.glob(pattern):
                if file.is_file() and FOLDER not in file.parents:
                    known |= set(re.findall(r"ANTIPHON_[A-Z_]+", file.read_text(encoding="utf-8")))
        for document, text in DOCUMENTS.items():
            for name in re.findall(r"\bANTIPHON_[A-Z_]*[A-Z]\b(?!\*)", text):
                with self.subTest(document=document):
                    self.assertTrue(name in known, f"nothing reads {name}")

    def test_paths(self):
        top = {entry.name for entry in harness.SOURCE.iterdir()} - workspace.NOT_IN_A_CLONE
        for place, span in self.each_span():
            # Placeholders: NAME_suite.cc, parse_GROUP.cc
            path = re.sub(r"(?<![A-Z])(?!README)[A-Z]{4,}(?=[_.])", "*", span.rstrip("/"))
            folder, *rest = path.split("/")
            is_path = rest and not rest[0].isdigit() and re.fullmatch(r"[\w./*-]+", path)
            if folder in top and is_path:
                with self.subTest(place=place):
                    self.assertTrue(list(harness.SOURCE.glob(path)), f"there is no {path}")

    def test_links(self):
        for document, text in DOCUMENTS.items():
            for line, target in blocks.links(text):
                if re.match(r"[a-z]+:", target):
                    continue
                with self.subTest(place=f"{document}:{line}", target=target):
                    self._check_link(document, target)

    def _check_link(self, document, target):
        path, _, anchor = target.partition("#")
        file = (harness.SOURCE / document).parent / path if path else harness.SOURCE / document
        self.assertTrue(file.exists(), "no such file")
        if anchor and file.suffix == ".md":
            self.assertIn(anchor, blocks.anchors(file.read_text(encoding="utf-8")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
