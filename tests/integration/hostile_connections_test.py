"""What callers can do to the server without a single valid call: connections in any number,
requests that never end, clocks that jump, a stop in the middle of it all."""

import concurrent.futures
import contextlib
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import grpc

import certificates
import harness
import http2
from security_test import Folder, bearer
from python_client import error_of

STUBS = harness.make_stubs()
TYPES, ADMIN, RETRIEVAL = STUBS["types_pb2"], STUBS["admin_pb2"], STUBS["retrieval_pb2"]

IDENTIFY = "/antiphon.v1.Retrieval/Identify"
READER, OWNER = "a-key-for-reading-only", "a-key-for-everything-here"
MIB = 1 << 20
LIBFAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


def raise_own_limit(count):
    """Descriptors of this process; whether there may be so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    return True


def resident(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def wait_until(holds, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


class Caller:
    """A well-behaved client, with or without a key."""

    def __init__(self, server, key=None):
        self.channel = grpc.insecure_channel(
            server.address, options=[("grpc.enable_http_proxy", 0),
                                     ("grpc.use_local_subchannel_pool", 1)])
        self.retrieval = STUBS["retrieval_pb2_grpc"].RetrievalStub(self.channel)
        self.admin = STUBS["admin_pb2_grpc"].AdminStub(self.channel)
        self.metadata = bearer(key) if key else ()
        sound = pathlib.Path(harness.queries()[0]["file"]).read_bytes()
        self.request = RETRIEVAL.IdentifyRequest(audio=TYPES.Audio(file=sound))

    def identify(self):
        """The status code of one call."""
        try:
            self.retrieval.Identify(self.request, timeout=harness.CALL_SECONDS,
                                    metadata=self.metadata)
            return grpc.StatusCode.OK
        except grpc.RpcError as error:
            return error.code()

    def status(self):
        return self.admin.Status(ADMIN.StatusRequest(), timeout=harness.CALL_SECONDS,
                                 metadata=self.metadata)

    def close(self):
        self.channel.close()


class DescriptorTest(unittest.TestCase):
    def test_a_low_soft_limit_is_raised(self):
        if not raise_own_limit(2000):
            self.skipTest("this process may not have 2,000 descriptors")
        with harness.Server(limits=(1024, None)) as server:
            self.assertGreater(server.metric("process_max_fds"), 1024)
            with contextlib.ExitStack() as stack:
                for _ in range(1100):
                    stack.enter_context(
                        contextlib.closing(socket.create_connection(("127.0.0.1", server.port))))
                self.assertEqual(Caller(server).identify(), grpc.StatusCode.OK)
                self.assertGreater(server.metric("process_open_fds"), 1100)
                self.assertEqual(server.metric("antiphon_connections_refused_total"), 0)

    def test_a_server_without_descriptors_goes_on_and_says_so(self):
        with harness.Server(limits=(200, 200)) as server:
            before = Caller(server)
            self.assertEqual(before.identify(), grpc.StatusCode.OK)
            with contextlib.ExitStack() as stack:
                for _ in range(300):
                    stack.enter_context(
                        contextlib.closing(socket.create_connection(("127.0.0.1", server.port))))
                self.assertTrue(wait_until(
                    lambda: server.metric("antiphon_connections_refused_total")))
                self.assertEqual(before.identify(), grpc.StatusCode.OK, "who is there stays")
                self.assertTrue(wait_until(
                    lambda: server.get("/healthz") == (503, "UNREACHABLE\n")))
                self.assertEqual(server.metric("antiphon_port_answers"), 0)
                self.assertIn("connections are refused", server.log())
            self.assertTrue(wait_until(lambda: server.get("/healthz") == (200, "SERVING\n")))
            self.assertEqual(Caller(server).identify(), grpc.StatusCode.OK, "and others can come")

    def test_idle_connections_delay_neither_health_nor_metrics(self):
        with harness.Server() as server, contextlib.ExitStack() as stack:
            for _ in range(50):
                stack.enter_context(contextlib.closing(
                    socket.create_connection(("127.0.0.1", server.metrics_port))))
            begun = time.monotonic()
            self.assertEqual(server.get("/healthz"), (200, "SERVING\n"))
            self.assertGreater(server.metric("process_open_fds"), 50)
            self.assertLess(time.monotonic() - begun, 3)

    def test_idle_grpc_connections_are_closed(self):
        with harness.Server("--connection-idle-seconds=1") as server:
            connection = self.enterContext(contextlib.closing(http2.Connection(server.port)))
            http2.run([connection], 20, until=lambda: connection.closed)
            self.assertTrue(connection.closed)
            self.assertIn(http2.GOAWAY, connection.kinds)

    def test_pings_every_ten_seconds_are_tolerated_while_a_stream_is_open(self):
        with harness.Server() as server:
            connection = self.enterContext(contextlib.closing(http2.Connection(server.port)))
            connection.begin_call("/grpc.health.v1.Health/Watch")
            for _ in range(4):
                connection.ping()
                http2.run([connection], 5.5)
            self.assertFalse(connection.closed)
            self.assertNotIn(http2.GOAWAY, connection.kinds)


class HalfSentTest(unittest.TestCase):
    """26 connections that each send most of a large request, and never the end of it."""

    ATTACKERS = 26

    @classmethod
    def setUpClass(cls):
        cls.folder = Folder(cls)
        cls.folder.write_keys(reader=("read", READER, ""), owner=("admin", OWNER, " mib=64"))

    def attack(self, server, metadata, path=IDENTIFY, tls=False, send=60 * MIB):
        connections = [http2.Connection(server.port, tls) for _ in range(self.ATTACKERS)]
        for each in connections:
            self.addCleanup(each.close)
            each.begin_call(path, metadata, announce=63 * MIB, send=send)
        return connections

    def valid_calls(self, caller, connections, count=20):
        """What comes of valid calls while the attack goes on."""
        codes = []
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            calls = pool.submit(lambda: [caller.identify() for _ in range(count)])
            http2.run(connections, 120, until=calls.done)
            codes = calls.result()
        return codes

    def check(self, server, caller, connections, memory):
        before = resident(server)
        codes = self.valid_calls(caller, connections)
        self.assertEqual(set(codes), {grpc.StatusCode.OK})
        self.assertLess(resident(server) - before, memory)

    def test_without_a_key_nothing_is_kept(self):
        with harness.Server(f"--api-keys-file={self.folder.keys}") as server:
            caller = Caller(server, READER)
            self.assertEqual(caller.identify(), grpc.StatusCode.OK)
            connections = self.attack(server, ())
            self.check(server, caller, connections, memory=400 * MIB)
            self.assertTrue(all(each.ended for each in connections))
            self.assertLess(max(each.sent for each in connections), 8 * MIB)
            self.assertGreaterEqual(server.metric("antiphon_access_refused_total"), self.ATTACKERS)

    def test_health_needs_no_key_and_keeps_nothing_either(self):
        with harness.Server(f"--api-keys-file={self.folder.keys}") as server:
            caller = Caller(server, READER)
            self.assertEqual(caller.identify(), grpc.StatusCode.OK)
            connections = self.attack(server, (), path="/grpc.health.v1.Health/Check")
            self.check(server, caller, connections, memory=400 * MIB)
            self.assertTrue(all(each.ended for each in connections))

    def test_a_key_has_a_share(self):
        with harness.Server(f"--api-keys-file={self.folder.keys}") as server:
            caller = Caller(server, READER)
            self.assertEqual(caller.identify(), grpc.StatusCode.OK)
            connections = self.attack(server, (("x-api-key", OWNER),), send=30 * MIB)
            self.check(server, caller, connections, memory=400 * MIB)
            self.assertGreater(server.metric("antiphon_receive_refused_total"), 0)

    def test_over_tls_too(self):
        if not certificates.AVAILABLE:
            self.skipTest("there is no openssl")
        authority = certificates.Authority(self.folder.path)
        self.folder.install(*authority.sign("localhost"))
        with harness.Server(*self.folder.tls_flags(), f"--api-keys-file={self.folder.keys}",
                            "--max-message-mib=64") as server:
            connections = self.attack(server, (("x-api-key", OWNER),), tls=True)
            http2.run(connections, 60,
                      until=lambda: server.metric("antiphon_receive_refused_total") > 10)
            self.assertGreater(server.metric("antiphon_receive_refused_total"), 10)
            strangers = self.attack(server, (), tls=True)
            http2.run(strangers, 60, until=lambda: all(each.ended for each in strangers))
            self.assertLess(max(each.sent for each in strangers), 8 * MIB)

    def test_a_server_without_keys_has_a_bound_for_all_and_for_one_connection(self):
        with harness.Server("--receive-mib=128") as server:
            caller = Caller(server)
            self.assertEqual(caller.identify(), grpc.StatusCode.OK)
            connections = self.attack(server, (), send=31 * MIB)
            codes = self.valid_calls(caller, connections)
            # Small requests are not those that are given up.
            self.assertGreater(codes.count(grpc.StatusCode.OK), len(codes) * 3 // 4, codes)
            self.assertLessEqual(set(codes),
                                 {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED})
            self.assertGreater(server.metric("antiphon_receive_refused_total"), 0)
            self.assertLess(server.metric("antiphon_receiving_bytes"), 200 * MIB)

    def test_more_than_a_request_may_be_is_given_up_on_its_way(self):
        with harness.Server("--max-message-mib=8") as server:
            (connection,) = self.attack(server, ())[:1]
            http2.run([connection], 60, until=lambda: connection.ended)
            self.assertTrue(connection.ended)
            # It is short of its end: nothing but its size on the way can have ended it.
            self.assertGreaterEqual(server.metric("antiphon_receive_refused_total"), 1)

    def test_a_request_that_trickles_is_given_up(self):
        with harness.Server("--receive-timeout-seconds=2") as server:
            connections = self.attack(server, (), send=1000)
            http2.run(connections, 20, until=lambda: all(each.ended for each in connections))
            self.assertTrue(all(each.ended for each in connections))
            self.assertEqual(server.metric("antiphon_receive_refused_total"), self.ATTACKERS)


class QuotaTest(unittest.TestCase):
    def test_one_key_does_not_get_all_streams(self):
        folder = Folder(QuotaTest)
        folder.write_keys(greedy=("read", READER, " streams=3"), other=("read", OWNER, ""))
        with harness.Server(f"--api-keys-file={folder.keys}", "--max-streams=4") as server:
            caller = Caller(server)
            stop = threading.Event()

            def silence():
                options = RETRIEVAL.StreamOptions(
                    encoding=TYPES.Pcm.ENCODING_INT16, sample_rate=22050, channels=1)
                yield RETRIEVAL.IdentifyStreamRequest(options=options)
                stop.wait(60)

            def live(key):
                return caller.retrieval.IdentifyLive(silence(), metadata=bearer(key), timeout=60)

            open_streams = [live(READER) for _ in range(3)]
            self.assertTrue(wait_until(
                lambda: server.metric("antiphon_streams_open") == 3))
            with self.assertRaises(grpc.RpcError) as refused:
                list(live(READER))
            code, _, delay = error_of(refused.exception, STUBS)
            self.assertEqual(code, grpc.StatusCode.RESOURCE_EXHAUSTED)
            self.assertIn("greedy may have 3 streams", refused.exception.details())
            self.assertIsNotNone(delay)
            open_streams.append(live(OWNER))
            self.assertTrue(wait_until(
                lambda: server.metric("antiphon_streams_open") == 4), "others have theirs")
            stop.set()
            for stream in open_streams:
                stream.cancel()


class ClockTest(unittest.TestCase):
    @unittest.skipUnless(LIBFAKETIME.exists(), "there is no libfaketime")
    def test_a_clock_set_back_locks_nobody_out(self):
        folder = Folder(ClockTest)
        folder.write_keys(limited=("read", READER, " 2"))
        clock = folder.path / "clock"
        clock.write_text("+0\n", encoding="ascii")
        environment = {
            "LD_PRELOAD": str(LIBFAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        with harness.Server(f"--api-keys-file={folder.keys}", environment=environment) as server:
            caller = Caller(server, READER)
            caller.status()
            Folder.replace(clock, "-3600\n")
            time.sleep(1.5)
            for _ in range(3):
                caller.status()
                time.sleep(0.6)
            self.assertEqual(caller.identify(), grpc.StatusCode.OK, "nor does it hold work up")
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(30), 0)


class StopTest(unittest.TestCase):
    def test_nobody_is_told_that_he_went_himself(self):
        with harness.Server("--drain-delay=3") as server:
            # Somebody who only watches sees the goodbye.
            watcher = self.enterContext(contextlib.closing(http2.Connection(server.port)))
            http2.run([watcher], 10, until=lambda: http2.SETTINGS in watcher.kinds)
            codes, stop = [], threading.Event()

            def load():
                caller = Caller(server)
                while not stop.is_set():
                    codes.append(caller.identify())
                    if codes[-1] != grpc.StatusCode.OK and server.process.poll() is not None:
                        return

            threads = [threading.Thread(target=load) for _ in range(8)]
            for thread in threads:
                thread.start()
            time.sleep(3)
            before = len(codes)
            server.send_signal(signal.SIGTERM)
            self.assertTrue(wait_until(lambda: server.get("/healthz") == (503, "LAME_DUCK\n"), 3))
            time.sleep(0.5)
            self.assertEqual(set(codes), {grpc.StatusCode.OK}, "at first all is answered")
            self.assertGreater(len(codes), before)
            http2.run([watcher], 30, until=lambda: watcher.closed)
            self.assertEqual(server.wait(30), 0)
            stop.set()
            for thread in threads:
                thread.join()
            self.assertIn(http2.GOAWAY, watcher.kinds)
            self.assertEqual(set(codes), {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE})


@unittest.skipUnless(os.geteuid() == 0, "mounting a disk to fill needs root")
class FullDiskTest(unittest.TestCase):
    def test_a_full_disk_is_the_operators_business(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        size = sum(file.stat().st_size for file in harness.BUNDLE.rglob("*") if file.is_file())
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size + 4 * MIB}", "tmpfs", str(folder)],
            capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("no disk can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(folder)], check=False)
        bundle = harness.copy_of_bundle(folder)
        with harness.Server(bundle=bundle) as server:
            with contextlib.suppress(OSError), open(folder / "ballast", "wb") as ballast:
                while True:
                    ballast.write(bytes(4096))
                    ballast.flush()
            midi = folder.parent / f"{folder.name}.mid"
            self.addCleanup(midi.unlink)
            client = harness.run_client("snippet", "greensleeves", "--output", str(midi),
                                        server=server.address)
            self.assertEqual(client.returncode, 0, client.stderr)
            done = harness.run_client("piece", "add", "--id", "new", str(midi),
                                      server=server.address)
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertIn("no room", done.stderr)
            self.assertNotIn("score", done.stderr)
            self.assertRegex(server.log(),
                             r" error method=Catalog.AddPiece code=RESOURCE_EXHAUSTED")
            (folder / "ballast").unlink()
            done = harness.run_client("piece", "add", "--id", "new", str(midi),
                                      server=server.address)
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    raise_own_limit(4096)
    harness.main()
