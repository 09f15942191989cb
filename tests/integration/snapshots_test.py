"""Snapshots of a real server: taken by hand and on a schedule, listed, restored, deleted, on a full
disk."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import grpc

import harness
from harness import copy_of_bundle
from python_client import PythonClient, connect, error_of

STUBS = harness.make_stubs()
CODES = grpc.StatusCode
PIECE = "pachelbel_canon"
PATIENCE_SECONDS = 60  # for something to happen by itself, on a busy machine
TINY = "0.0005"  # hours: 1.8 s


def client_of(server):
    return PythonClient(connect(server.address), STUBS)


def eventually(what):
    """Whether `what` comes true in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.1)
    return bool(what())


class SnapshotsFixture(unittest.TestCase):

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.snapshots = self.folder / "snapshots"
        self.snapshots.mkdir()

    def serve(self, *flags, directory=None, bundle=None):
        server = self.enterContext(
            harness.Server(f"--snapshot-dir={directory or self.snapshots}", *flags,
                           bundle=bundle or copy_of_bundle(tempfile.mkdtemp(dir=self.folder))))
        return server, client_of(server)

    def failure_of(self, method, *arguments):
        """(code, field, seconds to wait) and the message of a call that must fail."""
        with self.assertRaises(grpc.RpcError) as raised:
            method(*arguments)
        self.assertNotIn(str(self.folder), raised.exception.details())
        return error_of(raised.exception, STUBS), raised.exception.details()

    def names(self, client):
        return [snapshot["name"] for snapshot in client.snapshots()["snapshots"]]

    def scheduled(self):
        """Those that lie there, finished."""
        return sorted(path.name for path in self.snapshots.iterdir()
                      if re.fullmatch(r"auto-\d{8}-\d{6}", path.name))

    def results(self, server):
        """The counts of antiphon_snapshots_total."""
        _, text = server.get("/metrics")
        return {result: float(count) for result, count in re.findall(
            r'^antiphon_snapshots_total\{result="(\w+)"\} (\S+)$', text, re.MULTILINE)}


class SnapshotsTest(SnapshotsFixture):

    def test_is_taken_listed_restored_elsewhere_and_deleted(self):
        server, client = self.serve()
        self.assertEqual(self.names(client), [])
        self.assertEqual(server.metric("antiphon_snapshot_last_success_seconds"), 0)
        taken = client.snapshot("monday")
        change = client.delete_piece(PIECE, with_recordings=True)
        client.snapshot("tuesday")
        listed = client.snapshots()
        self.assertEqual(listed["total"], 2)
        tuesday, monday = listed["snapshots"]
        self.assertEqual((tuesday["name"], monday["name"]), ("tuesday", "monday"))
        for field in ("pieces", "recordings", "version", "bytes"):
            self.assertEqual(monday[field], taken[field], field)
        self.assertEqual(tuesday["pieces"], monday["pieces"] - 1)
        self.assertEqual(tuesday["version"], change["version"])
        self.assertEqual(monday["model_id"], client.status()["model_id"])
        self.assertTrue(monday["restorable"] and monday["same_model"], monday)
        self.assertEqual(monday["problem"], "")
        self.assertAlmostEqual(server.metric("antiphon_snapshot_last_success_seconds"), time.time(),
                               delta=300)
        self.assertEqual(server.metric("antiphon_snapshot_bytes"), tuesday["bytes"])

        _, other = self.serve()
        self.assertEqual(self.names(other), ["tuesday", "monday"])
        other.restore("tuesday")
        self.assertEqual(self.failure_of(other.piece, PIECE)[0][:2], (CODES.NOT_FOUND, "piece_id"))
        other.restore("monday")
        self.assertEqual(other.piece(PIECE)["piece"]["id"], PIECE)

        self.assertEqual(client.delete_snapshot("monday"),
                         {"name": "monday", "bytes": monday["bytes"]})
        self.assertEqual(self.names(client), ["tuesday"])
        for method in (client.delete_snapshot, client.restore):
            self.assertEqual(self.failure_of(method, "monday")[0][:2], (CODES.NOT_FOUND, "name"))
        self.assertEqual([path.name for path in self.snapshots.iterdir()], ["tuesday"])

    def test_the_command_line_lists_and_deletes(self):
        server, client = self.serve()
        done = harness.run_client("admin", "snapshots", server=server.address)
        self.assertEqual((done.returncode, done.stdout), (1, "there are no snapshots\n"))
        client.snapshot("monday")
        client.snapshot("tuesday")
        shutil.rmtree(self.snapshots / "monday" / "gen-000001")
        (self.snapshots / "photographs").mkdir()
        done = harness.run_client("admin", "snapshots", server=server.address)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"tuesday +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d ")
        self.assertRegex(done.stdout, "monday .*cannot be restored: MANIFEST: is missing")
        self.assertIn("2 of 2 snapshots", done.stdout)
        listed = json.loads(
            harness.run_client("admin", "snapshots", "--json", server=server.address).stdout)
        self.assertEqual([(one["name"], one["restorable"]) for one in listed["snapshots"]],
                         [("tuesday", True), ("monday", False)])
        done = harness.run_client("admin", "delete-snapshot", "monday", server=server.address)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("deleted snapshot monday", done.stdout)
        done = harness.run_client("admin", "delete-snapshot", "monday", server=server.address)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no such snapshot", done.stderr)

    def test_a_damaged_snapshot_is_refused_with_the_reason(self):
        _, client = self.serve()
        client.snapshot("monday")
        index = self.snapshots / "monday" / "gen-000001" / "scores.faiss"
        index.write_bytes(index.read_bytes()[:-1] + b"x")
        self.assertTrue(client.snapshots()["snapshots"][0]["restorable"], "a list reads no file")
        (code, field, _), message = self.failure_of(client.restore, "monday")
        self.assertEqual((code, field), (CODES.FAILED_PRECONDITION, ""))
        self.assertIn("scores.faiss", message)

    def test_the_schedule_takes_them_and_keeps_the_newest(self):
        server, client = self.serve(f"--snapshot-every={TINY}", "--snapshot-keep=2",
                                    "--log-level=debug")
        self.assertTrue(eventually(self.scheduled), server.log())
        client.snapshot("by-hand")
        for name in ("b", "c", "d"):
            before = set(self.scheduled())
            client.update_piece(PIECE, title=f"Canon {name}")
            self.assertTrue(eventually(lambda: set(self.scheduled()) - before), server.log())
        # One more than is kept lies there between a snapshot and the removal of another.
        self.assertTrue(eventually(lambda: len(self.scheduled()) == 2), self.scheduled())
        self.assertTrue((self.snapshots / "by-hand").exists())
        self.assertEqual(len(self.names(client)), 3)
        self.assertEqual(self.failure_of(client.snapshot, self.scheduled()[0])[0][:2],
                         (CODES.INVALID_ARGUMENT, "name"))

        kept = self.scheduled()
        unchanged = lambda: self.results(server)["unchanged"]
        seen = unchanged()
        self.assertTrue(eventually(lambda: unchanged() > seen + 1), "nothing changes any more")
        self.assertEqual(self.scheduled(), kept)
        self.assertIn("so none is taken", server.log())
        results = self.results(server)
        self.assertGreaterEqual(results["ok"], 5)
        self.assertEqual(results["failed"], 0, server.log())
        self.assertAlmostEqual(server.metric("antiphon_snapshot_last_success_seconds"), time.time(),
                               delta=60)

        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(60), 0)
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual(sorted(path.name for path in self.snapshots.iterdir()),
                         sorted([*kept, "by-hand"]), "nothing unfinished is left")

    def test_a_server_that_starts_knows_the_newest_and_is_not_in_a_hurry(self):
        server, client = self.serve("--snapshot-every=1")
        self.assertTrue(eventually(self.scheduled), server.log())
        taken = server.metric("antiphon_snapshot_last_success_seconds")
        client.update_piece(PIECE, title="Another")
        server, _ = self.serve("--snapshot-every=1", bundle=self.snapshots / self.scheduled()[0])
        self.assertTrue(
            eventually(lambda: server.metric("antiphon_snapshot_last_success_seconds") == taken))
        time.sleep(2)
        self.assertEqual(len(self.scheduled()), 1, "the one that there is, is fresh")
        self.assertEqual(self.results(server)["ok"], 0)

    def test_a_schedule_without_its_directory_says_so_and_goes_on(self):
        server, _ = self.serve(f"--snapshot-every={TINY}")
        # Renamed, not deleted: a snapshot under way would write into what is being deleted.
        self.snapshots.rename(self.folder / "elsewhere")
        self.assertTrue(eventually(lambda: "snapshot directory is not there" in server.log()))
        self.snapshots.mkdir()
        self.assertTrue(eventually(self.scheduled), server.log())

    def test_options_that_cannot_act_stop_the_start(self):
        for flags, expected in (
            (["--snapshot-every=1"], "snapshot-every: needs snapshot-dir"),
            (["--snapshot-s3=https://h/bucket"], "snapshot-s3: needs snapshot-dir"),
            (["--snapshot-dir=.", "--snapshot-s3=http://h/bucket"], "snapshot-s3-allow-http"),
        ):
            done = subprocess.run(
                [harness.program("antiphon-server"), "--bundle", str(harness.BUNDLE), *flags],
                capture_output=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 1, flags)
            self.assertIn(expected, done.stderr.decode())


@unittest.skipUnless(os.geteuid() == 0, "needs to mount a file system")
class FullDiskTest(SnapshotsFixture):

    def mount(self, size):
        disk = self.folder / f"disk{size}"
        disk.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(disk)],
                              capture_output=True, check=False)
        if done.returncode != 0:
            self.skipTest("no file system can be mounted")
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=False)
        return disk

    def bytes_needed(self):
        manifest = json.loads((harness.BUNDLE / "gen-000001" / "MANIFEST").read_text())
        return sum(entry["size"] for entry in manifest["files"])

    def check_on(self, disk):
        server, client = self.serve(directory=disk)
        (code, field, wait), message = self.failure_of(client.snapshot, "monday")
        self.assertEqual((code, field), (CODES.RESOURCE_EXHAUSTED, ""), server.log())
        self.assertGreaterEqual(wait, 1)
        self.assertEqual(list(disk.iterdir()), [], "nothing is left")
        self.assertEqual(self.results(server)["exhausted"], 1)
        return message

    def test_what_cannot_fit_is_not_begun(self):
        self.assertIn("not enough room", self.check_on(self.mount(4096 * 512)))

    def test_a_disk_that_fills_up_meanwhile_is_said(self):
        # Room for what the files hold, and none for what lies between them.
        pages = (self.bytes_needed() + 4095) // 4096
        self.assertIn("space", self.check_on(self.mount(4096 * pages)).lower())


if __name__ == "__main__":
    harness.main()
