"""Bundles that earlier versions wrote (tests/fixtures) open with everything that is in them, what
is of a later version is refused, and docs/formats.md describes what is stored.
"""

import functools
import hashlib
import io
import json
import pathlib
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest
import wave
import zipfile

import grpc

import harness
from python_client import PythonClient, connect

FIXTURE_FOLDER = harness.SOURCE / "tests" / "fixtures"
sys.path.insert(0, str(FIXTURE_FOLDER))

import tiny_music  # noqa: E402  the path comes first

FIXTURES = sorted(FIXTURE_FOLDER.glob("bundle_v*"))
STUBS = harness.make_stubs()
VERDICTS = {"VERDICT_MATCH", "VERDICT_NO_MATCH"}
CODES = {"int32": "<i", "int64": "<q", "uint8": "<B", "float64": "<d"}
JSON_TYPES = {"boolean": bool, "integer": int, "number": (int, float), "string": str,
              "list": list, "object": dict}


def generations(bundle):
    return sorted(bundle.glob("gen-*"))


def current(bundle):
    return bundle / (bundle / "CURRENT").read_text(encoding="ascii").strip()


def read_manifest(generation):
    return json.loads((generation / "MANIFEST").read_text(encoding="utf-8"))


def checksum(manifest):
    """As docs/formats.md says."""
    others = {name: value for name, value in manifest.items() if name != "checksum"}
    text = json.dumps(others, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def write_manifest(generation, manifest):
    manifest["checksum"] = checksum(manifest)
    (generation / "MANIFEST").write_text(json.dumps(manifest), encoding="utf-8")


def set_user_version(database, version):
    with sqlite3.connect(database) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


def user_version(database):
    """From SQLite's file header, which can be read while a server has the file open."""
    return struct.unpack_from(">I", database.read_bytes(), 60)[0]


def inspect(path):
    return subprocess.run([harness.program("antiphon-trainer"), "inspect", path],
                          capture_output=True, text=True, timeout=harness.CALL_SECONDS, check=False)


class Document:
    """The tables of docs/formats.md: a dict of row per name, by section and by first header."""

    def __init__(self):
        self.tables = {}
        section, header = "", None
        for line in (harness.SOURCE / "docs" / "formats.md").read_text("utf-8").splitlines():
            if not line.startswith("|"):
                header = None
                section = line.lstrip("# ") if line.startswith("#") else section
                continue
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if header is None:
                header = cells
                table = self.tables.setdefault(f"{section}: {header[0]}", {})
            elif not set(line) <= set("|- "):
                table[cells[0].strip("`")] = dict(zip(header[1:], cells[1:]))

    def table(self, name):
        return self.tables[name]

    def types(self, name):
        return {field: row["type"] for field, row in self.table(name).items()}

    def pragmas(self, database):
        rows = self.table(f"{database}: pragma of the {database.lower()}")
        return {name: int(row["value"], 0) for name, row in rows.items()}

    def columns(self, sections):
        return {section: self.types(f"Table `{section}`: column") for section in sections}

    def version(self, kind):
        return int(self.table("File formats: format")[kind]["version"])

    def read_versions(self, kind):
        return f"{self.table('File formats: format')[kind]['read from']} to {self.version(kind)}"


def over_fixtures(test):
    """Runs a test for every stored bundle, on a copy that it may change."""
    @functools.wraps(test)
    def run(self):
        self.assertTrue(FIXTURES, "there is a stored bundle")
        for fixture in FIXTURES:
            with self.subTest(fixture.name), tempfile.TemporaryDirectory() as folder:
                bundle = pathlib.Path(shutil.copytree(fixture / "bundle", f"{folder}/bundle"))
                expected = json.loads((fixture / "expected.json").read_text(encoding="utf-8"))
                test(self, bundle, expected)
    return run


class OpenedTest(unittest.TestCase):
    def assert_like(self, found, expected):
        """Sources have these fields; a later version may have more."""
        found = {source["id"]: source for source in found}
        self.assertEqual(sorted(found), [source["id"] for source in expected])
        for source in expected:
            self.assertEqual({key: found[source["id"]][key] for key in source}, source)

    def assert_snippets_are_readable(self, client, expected):
        for piece in expected["pieces"]:
            snippet = client.snippet(piece_id=piece["id"])
            self.assertEqual(snippet.content[:4], b"MThd")
            self.assertAlmostEqual(snippet.end.seconds, piece["duration_seconds"], delta=0.1)
        for recording in expected["recordings"]:
            content = client.snippet(recording_id=recording["id"]).content
            with wave.open(io.BytesIO(content)) as sound:
                seconds = sound.getnframes() / sound.getframerate()
            self.assertAlmostEqual(seconds, recording["duration_seconds"], delta=0.01)

    def assert_finds(self, client, expected):
        """Every recording finds its piece, and every piece that is played its recording."""
        for recording in expected["recordings"]:
            sound = client.snippet(recording_id=recording["id"]).content
            answer = client.identify(sound)
            self.assertIn(answer["verdict"], VERDICTS)
            self.assertEqual(answer["candidates"][0]["source"]["id"], recording["piece_id"])
            for candidate in answer["candidates"]:
                self.assertTrue(0 <= candidate["confidence"] <= 1, candidate)
            score = client.snippet(piece_id=recording["piece_id"]).content
            hit = client.search(score, top_k=1)["hits"][0]
            self.assertEqual(hit["source"]["id"], recording["id"])

    def assert_holds(self, client, expected):
        self.assert_like(client.pieces(), expected["pieces"])
        self.assert_like(client.recordings(), expected["recordings"])
        for kind, read in (("pieces", client.piece), ("recordings", client.recording)):
            for deleted in expected["deleted"][kind]:
                with self.assertRaises(grpc.RpcError) as raised:
                    read(deleted)
                self.assertEqual(raised.exception.code(), grpc.StatusCode.NOT_FOUND)
        status = client.status()
        self.assertEqual(status["rejected_changes"], [])
        self.assertEqual(status["last_change"], expected["status"]["last_change"])
        self.assert_snippets_are_readable(client, expected)
        self.assert_finds(client, expected)

    @over_fixtures
    def test_everything_is_there_and_stays_there(self, bundle, expected):
        journal_version = user_version(bundle / "journal.sqlite")
        with harness.Server(bundle=bundle) as server:
            client = PythonClient(connect(server.address), STUBS)
            self.assertEqual(client.status()["rejected_generations"], [])
            self.assertEqual(client.status()["unmerged_changes"],
                             expected["status"]["unmerged_changes"])
            self.assert_holds(client, expected)
            self.assertGreater(client.merge()["generation"], expected["status"]["generation"])
            client.reload()
            self.assertEqual(client.status()["unmerged_changes"], 0)
            self.assert_holds(client, expected)
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(harness.CALL_SECONDS), 0)
        self.assertEqual(user_version(bundle / "journal.sqlite"), journal_version,
                         "nothing has been edited")
        with harness.Server(bundle=bundle) as server:
            self.assert_holds(PythonClient(connect(server.address), STUBS), expected)

    @over_fixtures
    def test_it_is_edited_and_the_edits_stay(self, bundle, expected):
        """Works too, which the first format did not know: after a crash, a merge and a restart."""
        with harness.Server(bundle=bundle) as server:
            client = PythonClient(connect(server.address), STUBS)
            title = client.piece("ode_to_joy")["piece"]["title"]
            last = client.update_piece("ode_to_joy", work_id="Opus 125 ♫")["version"]
            self.assertEqual(last, expected["status"]["last_change"] + 1)
            client.add_piece("again", tiny_music.midi_of("ode_to_joy"), work_id="Opus 125 ♫")
            server.send_signal(signal.SIGKILL)
        self.assertEqual(user_version(bundle / "journal.sqlite"), Document().version("journal"))
        sound = tiny_music.wav_of("ode_to_joy", 4)

        def assert_edited(client):
            self.assertEqual(client.status()["rejected_changes"], [])
            piece = client.piece("ode_to_joy")["piece"]
            self.assertEqual((piece["title"], piece["work_id"]), (title, "Opus 125 ♫"))
            edited = ("ode_to_joy", "again")
            self.assert_like([other for other in client.pieces() if other["id"] not in edited],
                             [other for other in expected["pieces"] if other["id"] not in edited])
            self.assert_like(client.recordings(), expected["recordings"])
            found = client.identify(sound, filter={"work_ids": ["Opus 125 ♫"]})["candidates"]
            self.assertEqual({(candidate["source"]["id"], candidate["source"]["work_id"])
                              for candidate in found},
                             {("ode_to_joy", "Opus 125 ♫"), ("again", "Opus 125 ♫")})
            [hit] = client.search(tiny_music.midi_of("ode_to_joy"), top_k=1,
                                  filter={"work_ids": ["Opus 125 ♫"]})["hits"]
            self.assertEqual((hit["source"]["id"], hit["source"]["work_id"]),
                             ("ode_take", "Opus 125 ♫"))

        with harness.Server(bundle=bundle) as server:
            client = PythonClient(connect(server.address), STUBS)
            assert_edited(client)
            client.merge()
            client.reload()
            assert_edited(client)
            self.assertEqual(read_manifest(current(bundle))["format_version"],
                             Document().version("bundle"))
            self.assertEqual(user_version(current(bundle) / "catalog.sqlite"),
                             Document().version("catalogue"))
        with harness.Server(bundle=bundle) as server:
            assert_edited(PythonClient(connect(server.address), STUBS))

    @over_fixtures
    def test_the_older_generation_and_the_journal_hold_it_all_too(self, bundle, expected):
        (current(bundle) / "MANIFEST").unlink()
        with harness.Server(bundle=bundle) as server:
            client = PythonClient(connect(server.address), STUBS)
            self.assertEqual(len(client.status()["rejected_generations"]), 1)
            self.assertLess(client.status()["generation"], expected["status"]["generation"])
            self.assert_holds(client, expected)

    @over_fixtures
    def test_inspect_opens_bundle_and_model(self, bundle, expected):
        model = expected["status"]["model_id"]
        for path in (bundle, current(bundle)):
            done = inspect(path)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(model, done.stdout)
            self.assertNotIn("rejected", done.stdout)


class RefusedTest(unittest.TestCase):
    def assert_no_start(self, bundle, reason):
        says = re.compile("exited with 1:.*" + re.escape(reason), re.DOTALL)
        with self.assertRaisesRegex(RuntimeError, says):
            with harness.Server(bundle=bundle):
                pass

    @over_fixtures
    def test_a_later_bundle_is_refused(self, bundle, _expected):
        version = Document().version("bundle")
        for generation in generations(bundle):
            manifest = read_manifest(generation)
            manifest["format_version"] = version + 1
            write_manifest(generation, manifest)
        reason = (f"format_version is {version + 1}, this program reads "
                  f"{Document().read_versions('bundle')}")
        self.assert_no_start(bundle, reason)
        done = inspect(bundle)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(reason, done.stderr)

    @over_fixtures
    def test_a_later_catalogue_is_refused(self, bundle, _expected):
        version = Document().version("catalogue")
        for generation in generations(bundle):
            catalog = generation / "catalog.sqlite"
            set_user_version(catalog, version + 1)
            manifest = read_manifest(generation)
            for file in manifest["files"]:
                if file["name"] == catalog.name:
                    file["sha256"] = hashlib.sha256(catalog.read_bytes()).hexdigest()
            write_manifest(generation, manifest)
        self.assert_no_start(
            bundle, f"has schema version {version + 1}, this program reads "
            f"{Document().read_versions('catalogue')}")

    @over_fixtures
    def test_a_later_journal_is_refused(self, bundle, _expected):
        version = Document().version("journal")
        set_user_version(bundle / "journal.sqlite", version + 1)
        self.assert_no_start(bundle, f"has version {version + 1}, this program reads "
                             f"{Document().read_versions('journal')}")


class DocumentedTest(unittest.TestCase):
    """The stored bundle of the present version is as docs/formats.md says. It is only read."""

    @classmethod
    def setUpClass(cls):
        cls.document = Document()
        version = cls.document.version("bundle")
        cls.bundle = harness.SOURCE / "tests" / "fixtures" / f"bundle_v{version}" / "bundle"
        if len(generations(cls.bundle)) != 2:
            raise RuntimeError(f"{cls.bundle} does not hold two generations")

    def open(self, path):
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
        self.addCleanup(connection.close)
        connection.row_factory = sqlite3.Row
        return connection

    def catalogs(self):
        return [self.open(folder / "catalog.sqlite") for folder in generations(self.bundle)]

    def journal(self):
        return self.open(self.bundle / "journal.sqlite")

    def assert_schema(self, database, pragmas, columns):
        for pragma, value in pragmas.items():
            self.assertEqual(database.execute(f"PRAGMA {pragma}").fetchone()[0], value)
        schema = database.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
        tables = {row["name"]: row["sql"] for row in schema}
        self.assertEqual(sorted(tables), sorted(columns))
        for table, expected in columns.items():
            found = database.execute(f"PRAGMA table_info({table})").fetchall()
            self.assertEqual([(row["name"], row["type"]) for row in found], list(expected.items()))
            self.assertIn("STRICT", tables[table])
            for row in found:
                self.assertTrue(row["notnull"] or row["pk"], row["name"])

    def assert_fields(self, table, values):
        """The object has the documented fields, each of the documented type."""
        types = self.document.types(table)
        self.assertEqual(sorted(types), sorted(values))
        for field, value in values.items():
            self.assertIsInstance(value, JSON_TYPES[types[field]], field)

    def test_catalogue(self):
        columns = self.document.columns(["pieces", "recordings", "scores", "sounds", "runs"])
        for catalog in self.catalogs():
            self.assert_schema(catalog, self.document.pragmas("Catalogue"), columns)

    def test_runs_follow_one_another(self):
        for catalog, folder in zip(self.catalogs(), generations(self.bundle)):
            counts = [0, 0]
            for run in catalog.execute("SELECT * FROM runs ORDER BY side, first_vector"):
                self.assertEqual(run["first_vector"], counts[run["side"]])
                counts[run["side"]] += run["count"]
            manifest = read_manifest(folder)
            self.assertEqual(counts, [manifest["score_vectors"], manifest["recording_vectors"]])

    def test_journal(self):
        self.assert_schema(self.journal(), self.document.pragmas("Journal"),
                           self.document.columns(["changes", "state"]))

    def test_hash_of_a_change(self):
        def encoded(value, encoding):
            if encoding != "length and bytes":
                return struct.pack(CODES[encoding], value)
            content = value.encode() if isinstance(value, str) else value
            return struct.pack("<q", len(content)) + content

        fields = self.document.table("Table `changes`: hashed column")
        rows = self.journal().execute("SELECT * FROM changes").fetchall()
        self.assertEqual({(row["kind"], row["side"]) for row in rows},
                         {(0, 0), (0, 1), (1, 0), (1, 1)}, "every kind of change is stored")
        self.assertEqual({row["work_id"] != "" for row in rows if (row["kind"], row["side"]) ==
                          (0, 0)}, {False, True}, "pieces with and without a work are stored")
        for row in rows:
            version = 3 if row["with_parts"] else 2 if row["work_id"] else 1
            hashed = b"antiphon change %d" % version + b"".join(
                encoded(row[name], field["encoding"]) for name, field in fields.items()
                if version > 1 or name != "work_id")
            self.assertEqual(hashlib.sha256(hashed).digest(), row["sha256"], row["sequence"])

    def test_runs_and_vectors_of_a_change(self):
        """What was merged lies in the catalogue and the index as it lies in the journal."""
        all_fields = self.document.types("Table `changes`: field of a run")
        catalog = self.open(current(self.bundle) / "catalog.sqlite")
        vectors = (current(self.bundle) / "scores.faiss").read_bytes()
        manifest = read_manifest(current(self.bundle))
        stride = manifest["dimension"] * struct.calcsize("f")
        merged = self.journal().execute("SELECT * FROM changes WHERE kind = 0 AND side = 0 AND "
                                        "sequence <= ?", [manifest["last_change"]]).fetchall()
        self.assertEqual({change["with_parts"] for change in merged}, {0, 1})
        for change in merged:
            fields = {name: kind for name, kind in all_fields.items()
                      if name != "part" or change["with_parts"]}
            codes = "<" + "".join(CODES[kind][1] for kind in fields.values())
            [piece] = catalog.execute("SELECT * FROM pieces WHERE id = ? AND version = ?",
                                      [change["id"], change["sequence"]])
            runs = catalog.execute("SELECT * FROM runs WHERE side = 0 AND source = ? "
                                   "ORDER BY first_vector", [piece["position"]]).fetchall()
            self.assertEqual([tuple(run[field] for field in fields) for run in runs],
                             list(struct.iter_unpack(codes, change["runs"])))
            count = sum(run["count"] for run in runs)
            self.assertEqual(len(change["vectors"]), count * stride)
            first = len(vectors) - (manifest["score_vectors"] - runs[0]["first_vector"]) * stride
            self.assertEqual(vectors[first:first + count * stride], change["vectors"])

    def test_state_of_the_journal(self):
        journal = self.journal()
        [state] = journal.execute("SELECT * FROM state").fetchall()
        count, last = journal.execute("SELECT count(*), max(sequence) FROM changes").fetchone()
        self.assertEqual((state["one"], state["last_sequence"], state["changes"]), (1, last, count))
        text = f"antiphon journal 1 {last} {count}"
        self.assertEqual(hashlib.sha256(text.encode()).digest(), state["sha256"])

    def test_manifest(self):
        for folder in generations(self.bundle):
            manifest = read_manifest(folder)
            self.assert_fields("MANIFEST: field", manifest)
            self.assertEqual(manifest["format_version"], self.document.version("bundle"))
            self.assertEqual(manifest["checksum"], checksum(manifest))
            self.assertEqual(sorted(file["name"] for file in manifest["files"]),
                             sorted(path.name for path in folder.iterdir()
                                    if path.name != "MANIFEST"))
            for file in manifest["files"]:
                self.assert_fields("MANIFEST: field of a file", file)
                content = (folder / file["name"]).read_bytes()
                self.assertEqual((file["size"], file["sha256"]),
                                 (len(content), hashlib.sha256(content).hexdigest()))

    def test_encoders(self):
        manifest = read_manifest(current(self.bundle))
        settings = json.loads(manifest["feature_settings"])
        self.assert_fields("Feature settings: field of the settings", settings)
        for modality in ("audio", "score"):
            name = f"{modality}_encoder.pt"
            with zipfile.ZipFile(current(self.bundle) / name) as archive:
                info = json.loads(archive.read(f"{name}/extra/antiphon.json"))
            self.assert_fields("Encoders: field of antiphon.json", info)
            self.assertEqual(info["version"], self.document.version("encoder"))
            self.assertEqual((info["modality"], info["settings"]), (modality, settings))

    def test_confidence_model(self):
        text = (current(self.bundle) / "confidence.json").read_text(encoding="utf-8")
        self.assert_fields("Confidence model: field of confidence.json", json.loads(text))

    def test_index_header(self):
        types = self.document.types("Indexes: field of an index header")
        codes = "<4s" + "".join(CODES[kind][1] for kind in types.values())
        manifest = read_manifest(current(self.bundle))
        for name, vectors in (("scores", "score_vectors"), ("recordings", "recording_vectors")):
            content = (current(self.bundle) / f"{name}.faiss").read_bytes()
            code, *values = struct.unpack_from(codes, content)
            header = dict(zip(types, values))
            self.assertEqual(code, b"IxFI")
            self.assertIn("IxFI", self.document.table("Indexes: code"))
            self.assertEqual((header["d"], header["ntotal"], header["metric_type"]),
                             (manifest["dimension"], manifest[vectors], 0))
            [floats] = struct.unpack_from("<Q", content, struct.calcsize(codes))
            self.assertEqual(floats, header["d"] * header["ntotal"])
            self.assertEqual(len(content), struct.calcsize(codes) + 8 + 4 * floats)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    unittest.main(verbosity=2)
