"""How the real server takes its configuration: what stops the start and says why, what passes, and
that two servers do not share a socket.

Needs no material: it serves the smallest of the stored bundles.
"""

import fcntl
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import unittest

import certificates
import harness

FIXTURE = sorted((harness.SOURCE / "tests" / "fixtures").glob("bundle_v*"))[-1]
LISTENING = "another server listens there"


def clean_environment(**variables):
    """What CTest and the machine set, without any option of the server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")}
    return {**kept, **variables}


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


class ConfigTestCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="antiphon_config_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.bundle = pathlib.Path(shutil.copytree(FIXTURE / "bundle", self.folder / "bundle"))

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def run_server(self, *flags, **variables):
        """One that is to end by itself."""
        return subprocess.run([harness.program("antiphon-server"), *map(str, flags)],
                              env=clean_environment(**variables), text=True, cwd=self.folder,
                              capture_output=True, timeout=harness.START_SECONDS, check=False)

    def refusal(self, *flags, **variables):
        done = self.run_server(*flags, **variables)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertNotIn("ready on", done.stderr)
        return done.stderr

    def start(self, *flags, **variables):
        """A server that goes on; its log is the file `process.log`."""
        log = tempfile.NamedTemporaryFile(dir=self.folder, suffix=".log", delete=False)
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [harness.program("antiphon-server"), "--bundle", str(self.bundle), "--read-only",
             "--metrics-listen", "0", *map(str, flags)],
            env=clean_environment(**variables), cwd=self.folder, stdout=log,
            stderr=subprocess.STDOUT)
        process.log = pathlib.Path(log.name)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def wait_until_ready(self, process):
        deadline = time.monotonic() + harness.START_SECONDS
        while "ready on" not in process.log.read_text(encoding="utf-8"):
            self.assertIsNone(process.poll(), process.log.read_text(encoding="utf-8"))
            self.assertLess(time.monotonic(), deadline, "not ready in time")
            time.sleep(0.05)

    def serves(self, address):
        return harness.run_client("status", "--timeout", "10", server=address).returncode == 0


class EnvironmentTest(ConfigTestCase):
    def test_an_empty_variable_opens_no_door(self):
        error = self.refusal("--bundle", self.bundle, "--listen=0.0.0.0:0", "--metrics-listen=0",
                             ANTIPHON_ALLOW_UNAUTHENTICATED="")
        self.assertIn("without authentication", error)

    def test_an_empty_variable_takes_no_flag_for_its_value(self):
        keys = self.write("keys", "me read " + "a" * 64 + "\n")
        process = self.start(f"--api-keys-file={keys}", "--listen=127.0.0.1:0",
                             ANTIPHON_SNAPSHOT_DIR="")
        self.wait_until_ready(process)
        port = re.search(r"port (\d+)", process.log.read_text(encoding="utf-8")).group(1)
        done = harness.run_client("status", "--timeout", "10", server=f"127.0.0.1:{port}")
        self.assertIn("API key", done.stderr, "the server asks for a key")
        self.assertNotEqual(done.returncode, 0)

    def test_a_misspelt_variable_stops_the_start(self):
        for variable, option in (("ANTIPHON_API_KEY_FILE", "ANTIPHON_API_KEYS_FILE"),
                                 ("ANTIPHON_SNAPSHOTS_DIR", "ANTIPHON_SNAPSHOT_DIR"),
                                 ("ANTIPHON_UNAUTHENTICATED_ALLOW",
                                  "ANTIPHON_ALLOW_UNAUTHENTICATED")):
            error = self.refusal("--bundle", self.bundle, **{variable: "true"})
            self.assertIn(variable + ":", error)
            self.assertIn(option, error)

    def test_an_unknown_variable_is_logged_as_a_warning(self):
        process = self.start("--listen=127.0.0.1:0", "--log-format=json", ANTIPHON_COLOUR="blue",
                             ANTIPHON_SERVICE_HOST="10.0.0.1", ANTIPHON_SERVER="h:1")
        self.wait_until_ready(process)
        lines = process.log.read_text(encoding="utf-8").splitlines()
        warned = [line for line in lines if "ANTIPHON_" in line]
        self.assertEqual(len(warned), 1, lines)
        self.assertIn("ANTIPHON_COLOUR", warned[0])
        self.assertIn('"level":"warning"', warned[0])

    def test_the_variables_of_the_client_the_scripts_and_the_tests_pass(self):
        names = set()
        for pattern in ("client/**/*.cc", "scripts/*.sh", "scripts/*.py", "scripts/tests/*.py",
                        "CMakeLists.txt", "cmake/*", "data/**/CMakeLists.txt",
                        "tests/**/CMakeLists.txt", "tests/support/*", "deploy/*", ".ci/*",
                        "Dockerfile"):
            for path in harness.SOURCE.glob(pattern):
                if path.is_file():
                    text = path.read_text(encoding="utf-8")
                    names |= set(re.findall(r"\bANTIPHON_[A-Z0-9_]*[A-Z0-9]\b(?!_)", text))
        names = {name for name in names if not name.endswith("_H")}
        self.assertLessEqual({"ANTIPHON_SERVER", "ANTIPHON_API_KEY", "ANTIPHON_JOBS",
                              "ANTIPHON_SKIP_PACKAGES", "ANTIPHON_SOURCE_DIR"}, names)
        options = set(re.findall(r"Env:(ANTIPHON_\w+)", self.run_server("--help").stdout))
        self.assertIn("ANTIPHON_WORKERS", options)
        done = self.run_server("--check-config", "--bundle", self.bundle,
                               **{name: "1" for name in names - options})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")


class FileTest(ConfigTestCase):
    def test_the_server_serves_what_the_file_says(self):
        file = self.write("server.toml", f"""
            bundle = '{self.bundle}'
            listen = "unix:{self.folder}/a.sock"  # a comment
            metrics-listen = 0
            grace-period = 1
            read-only = true
            """)
        process = self.start("--config", file)
        self.wait_until_ready(process)
        self.assertTrue(self.serves(f"unix:{self.folder}/a.sock"))

    def test_what_is_wrong_with_it_has_a_place(self):
        file = self.write("server.toml", f"bundle = '{self.bundle}'\nwrokers = 3\nqueue-mib = 0\n")
        error = self.refusal("--config", file)
        self.assertIn(f"did you mean workers? (from {file}:2:1)", error)
        self.assertIn(f"queue-mib: 0 is not in 1 to 1048576 (from {file}:3:1)", error)
        file = self.write("server.toml", "workers = 1\nworkers = 2\n")
        self.assertIn(f"config: {file}:2:", self.refusal("--config", file))
        self.assertIn("No such file", self.refusal(ANTIPHON_CONFIG="/nowhere.toml"))
        self.assertIn("config: the name of the file is empty", self.refusal("--config", ""))

    def test_what_is_printed_reads_back(self):
        printed = self.run_server("--bundle", "a 'b' \"c\"", "--no-warmup", "--print-config",
                                  ANTIPHON_WORKERS="7")
        self.assertEqual(printed.returncode, 0, printed.stderr)
        first = tomllib.loads(printed.stdout)
        self.assertEqual(first["bundle"], "a 'b' \"c\"")
        self.assertEqual((first["workers"], first["warmup"]), (7, False))
        file = self.write("printed.toml", printed.stdout)
        again = self.run_server("--config", file, "--print-config")
        self.assertEqual(tomllib.loads(again.stdout), first)


class CheckTest(ConfigTestCase):
    def test_a_good_configuration(self):
        (self.folder / "snapshots").mkdir()
        done = self.run_server("--check-config", "--bundle", self.bundle, "--snapshot-dir",
                               self.folder / "snapshots")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, "configuration is valid\n", ""))
        self.assertEqual(list((self.folder / "snapshots").iterdir()), [])

    def test_everything_that_is_wrong_is_named_with_its_origin(self):
        file = self.write("server.toml", "bundle = '/nowhere'\nlisten = '10.0.0.5'\n")
        keys = self.write("keys", "somebody read not-a-hash\n")
        error = self.refusal("--check-config", "--config", file, "--snapshot-dir=/nowhere",
                             f"--api-keys-file={keys}", "--queue-mib=0", ANTIPHON_WORKERS="many")
        for words in ((f"(from {file}:1:1)", "bundle: /nowhere"),
                      (f"(from {file}:2:1)", "listen: '10.0.0.5' has no port", "10.0.0.5:50051"),
                      ("(from --snapshot-dir)", "snapshot-dir: /nowhere"),
                      ("(from --api-keys-file)", "api-keys-file: ", "line 1"),
                      ("(from --queue-mib)", "queue-mib: 0"),
                      ("(from ANTIPHON_WORKERS)", "workers: ")):
            self.assertTrue(any(all(word in line for word in words)
                                for line in error.splitlines()), f"{words} not in\n{error}")

    def test_the_example_of_the_documents(self):
        text = (harness.SOURCE / "docs/operations.md").read_text(encoding="utf-8")
        section = text.split("### Checking a configuration\n")[1].split("\n#")[0]
        (_, file), (_, command), (_, output) = re.findall(r"```(toml|sh|text)\n(.*?)```", section,
                                                          re.DOTALL)
        self.write("server.toml", file)
        variable, _, *flags = command.split()
        self.assertEqual(self.refusal(*flags, **dict([variable.split("=")])), output)

    @unittest.skipUnless(certificates.AVAILABLE, "no openssl")
    def test_certificates_are_checked(self):
        authority = certificates.Authority(self.folder)
        certificate, key = authority.sign("server")
        _, other = authority.sign("other")
        done = self.run_server("--check-config", "--bundle", self.bundle, "--tls-cert",
                               certificate, "--tls-key", key)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("tls-key: does not belong",
                      self.refusal("--check-config", "--bundle", self.bundle, "--tls-cert",
                                   certificate, "--tls-key", other))


class StartTest(ConfigTestCase):
    def test_the_directory_of_snapshots_is_tried(self):
        for directory, reason in (("/nowhere/at/all", "No such file or directory"),
                                  (self.bundle / "CURRENT", "is no directory"),
                                  ("/proc", "cannot be written to")):
            error = self.refusal("--bundle", self.bundle, "--metrics-listen=0",
                                 "--listen=127.0.0.1:0", "--snapshot-dir", directory)
            self.assertIn(f"snapshot-dir: {directory}: {reason}", error)

    def test_an_address_that_is_none_is_refused_with_the_form_that_is_right(self):
        for address, words in (("10.0.0.5", ("no port", "10.0.0.5:50051")),
                               ("http://127.0.0.1:7", ("http://", "such as 127.0.0.1:7")),
                               ("https://127.0.0.1", ("https://", "127.0.0.1:50051")),
                               ("grpc://127.0.0.1:7", ("grpc://", "127.0.0.1:7")),
                               ("dns:///localhost:7", ("dns:///", "localhost:7")),
                               ("127.0.0.1:65536", ("0 to 65535",)),
                               (":50051", ("no host", "0.0.0.0:PORT")),
                               ("::1", ("[::1]:50051",))):
            for option in ("listen", "metrics-listen"):
                error = self.refusal("--bundle", self.bundle, f"--{option}={address}")
                for word in (f"{option}: ", f"(from --{option})", *words):
                    self.assertIn(word, error)
        long = "unix:/" + "x" * 107
        self.assertIn("108 bytes", self.refusal("--bundle", self.bundle, f"--listen={long}"))

    def test_the_addresses_that_are_right(self):
        addresses = ["localhost:0", "unix:relative.sock", f"unix://{self.folder}/absolute.sock",
                     f"unix-abstract:{self.folder.name}"]
        if has_ipv6():
            addresses.append("[::1]:0")
        for address in addresses:
            process = self.start(f"--listen={address}")
            self.wait_until_ready(process)
            port = re.search(r", port (\d+)", process.log.read_text(encoding="utf-8"))
            server = address.replace(":0", f":{port.group(1)}") if port else address
            self.assertTrue(self.serves(server.replace("relative", f"{self.folder}/relative")),
                            address)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(harness.START_SECONDS), 0)


class SocketTest(ConfigTestCase):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "antiphon.sock"
        self.address = f"unix:{self.path}"
        self.flag = f"--listen={self.address}"

    def refused(self, process):
        self.assertEqual(process.wait(harness.START_SECONDS), 1)
        self.assertIn(f"listen: cannot listen on {self.address}: {LISTENING}",
                      process.log.read_text(encoding="utf-8"))

    def test_the_second_is_refused_and_the_first_serves_on(self):
        first = self.start(self.flag)
        self.wait_until_ready(first)
        self.refused(self.start(self.flag))
        self.assertTrue(self.serves(self.address))
        first.send_signal(signal.SIGTERM)
        self.assertEqual(first.wait(harness.START_SECONDS), 0)
        self.assertFalse(self.path.exists() or pathlib.Path(f"{self.path}.lock").exists(),
                         "nothing is left behind")

    def test_a_server_that_hangs_keeps_its_socket(self):
        first = self.start(self.flag)
        self.wait_until_ready(first)
        first.send_signal(signal.SIGSTOP)
        inode = self.path.stat().st_ino
        self.refused(self.start(self.flag))
        self.assertEqual(self.path.stat().st_ino, inode)
        first.send_signal(signal.SIGCONT)
        self.assertTrue(self.serves(self.address))

    def test_the_socket_of_a_dead_server_is_taken_over_without_a_word(self):
        first = self.start(self.flag)
        self.wait_until_ready(first)
        first.kill()
        first.wait()
        self.assertTrue(self.path.exists())
        second = self.start(self.flag)
        self.wait_until_ready(second)
        self.assertTrue(self.serves(self.address))
        self.assertNotRegex(second.log.read_text(encoding="utf-8"), "(?i)socket|in use|error")

    def test_of_some_that_start_at_once_one_serves(self):
        for _ in range(4):
            servers = [self.start(self.flag) for _ in range(3)]
            deadline = time.monotonic() + harness.START_SECONDS
            while sum(server.poll() is None for server in servers) > 1:
                self.assertLess(time.monotonic(), deadline, "more than one serves")
                time.sleep(0.02)
            winner = next(server for server in servers if server.poll() is None)
            for server in servers:
                if server is not winner:
                    self.refused(server)
            self.wait_until_ready(winner)
            self.assertTrue(self.serves(self.address))
            winner.kill()
            winner.wait()

    def test_one_that_has_claimed_the_socket_and_does_not_listen_yet_has_it(self):
        with open(f"{self.path}.lock", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.refused(self.start(self.flag))
        self.wait_until_ready(self.start(self.flag))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    unittest.main(verbosity=2)
