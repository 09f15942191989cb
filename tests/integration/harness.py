"""What the integration tests share: the programs as built, a server process, stubs made from the
.proto, test material.

Paths come from the environment (ANTIPHON_SOURCE_DIR, ANTIPHON_BUILD_DIR), as CTest sets it.
"""

import contextlib
import functools
import importlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(
    os.environ.get("ANTIPHON_SOURCE_DIR",
                   pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("ANTIPHON_BUILD_DIR", SOURCE / "build"))
MATERIAL = BUILD / "integration"  # written by make_material.py
BUNDLE = MATERIAL / "bundle"

START_SECONDS = 120  # for a server to be ready, on a busy machine
CALL_SECONDS = 120  # for an answer

SKIPPED = 77  # exit status that CTest reads as "skipped"


def program(name):
    return str(BUILD / "bin" / name)


def queries():
    """The rendered excerpts: dicts with file, piece_id, start_seconds, tempo_ratio,
    again_after_seconds."""
    return json.loads((MATERIAL / "queries.json").read_text(encoding="utf-8"))


def rendered(piece):
    """A recording of some seconds of a piece, made with another soundfont than the collection's."""
    file = next(query["file"] for query in queries() if query["piece_id"] == piece)
    return pathlib.Path(file).read_bytes()


def copy_of_bundle(folder):
    """A copy that a server may change, inside the folder."""
    return pathlib.Path(shutil.copytree(BUNDLE, pathlib.Path(folder) / "bundle"))


def make_stubs():
    """Compiles the .proto files, and nothing else, into Python; returns the modules by name
    (types_pb2, ...)."""
    folder = tempfile.mkdtemp(prefix="antiphon_stubs_")
    protos = sorted(str(path) for path in (SOURCE / "proto/antiphon").rglob("*.proto"))
    arguments = ["-I", str(SOURCE / "proto"), "--python_out", folder, "--grpc_python_out", folder,
                 *protos]
    # protoc first: the one inside Debian 12's python3-grpc-tools is too old for `optional`.
    protoc, plugin = shutil.which("protoc"), shutil.which("grpc_python_plugin")
    if protoc and plugin:
        command = [protoc, f"--plugin=protoc-gen-grpc_python={plugin}", *arguments]
    else:
        command = [sys.executable, "-m", "grpc_tools.protoc", *arguments]
    if subprocess.run(command, check=False).returncode != 0:
        raise RuntimeError(
            "the .proto files cannot be compiled: install protobuf-compiler and "
            "protobuf-compiler-grpc")
    sys.path.insert(0, folder)
    modules = {}
    for path in protos:
        name = pathlib.Path(path).stem
        modules[f"{name}_pb2"] = importlib.import_module(f"antiphon.v1.{name}_pb2")
        modules[f"{name}_pb2_grpc"] = importlib.import_module(f"antiphon.v1.{name}_pb2_grpc")
    return modules


def free_port():
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def limit_descriptors(soft, hard):
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (soft, hard or resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


class Server:
    """A real antiphon-server process over the bundle, listening on a free port of the loopback.

    Used with `with`: it is killed at the end if it still runs. `limits` are those of its
    descriptors, soft and hard (None: as they are); `environment` is added to the test's;
    `executable` is another program than the one built here.
    """

    def __init__(self, *flags, bundle=BUNDLE, limits=None, environment=None, executable=None):
        self.metrics_port = free_port()
        self._log = tempfile.NamedTemporaryFile(mode="w+", prefix="antiphon_server_", suffix=".log")
        self.process = subprocess.Popen(
            [executable or program("antiphon-server"), "--bundle", str(bundle),
             "--listen", "127.0.0.1:0", "--metrics-listen", f"127.0.0.1:{self.metrics_port}",
             *flags],
            stdout=self._log, stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            preexec_fn=limits and functools.partial(limit_descriptors, *limits))
        self.port = None

    def __enter__(self):
        try:
            self.port = self._wait_until_ready()
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._log.close()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def log(self):
        with open(self._log.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            ready = re.search(r"ready on .*, port (\d+)", self.log())
            if ready:
                return int(ready.group(1))
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"the server exited with {self.process.returncode}:\n{self.log()}")
            time.sleep(0.05)
        raise RuntimeError(f"the server was not ready after {START_SECONDS} s:\n{self.log()}")

    def get(self, path):
        """The status and the body that the address of the metrics answers."""
        with contextlib.closing(
                socket.create_connection(("127.0.0.1", self.metrics_port), timeout=10)) as client:
            client.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            answer = b""
            while chunk := client.recv(1 << 16):
                answer += chunk
        head, _, body = answer.decode().partition("\r\n\r\n")
        return int(head.split()[1]), body

    def metric(self, name):
        """The sum over the labels of a metric, or None before it has any."""
        _, text = self.get("/metrics")
        values = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
        return sum(map(float, values)) if values else None

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds):
        return self.process.wait(timeout=seconds)


def run_client(*arguments, server=None, stdin=None, environment=None):
    """Runs `antiphon`; returns the completed process with text in stdout and stderr."""
    command = [program("antiphon"), *arguments]
    if server is not None:
        command += ["--server", server]
    variables = {**os.environ, **(environment or {})}
    if environment is None:
        variables.pop("ANTIPHON_SERVER", None)
    done = subprocess.run(command, input=stdin if stdin is not None else b"", capture_output=True,
                          env=variables, timeout=CALL_SECONDS, check=False)
    done.stdout = done.stdout.decode("utf-8", errors="surrogateescape")
    done.stderr = done.stderr.decode("utf-8", errors="surrogateescape")
    return done


def skip_without_material():
    """Exits with SKIPPED where there is nothing to test with."""
    reason = MATERIAL / "skipped"
    if reason.exists():
        print(f"skipped: {reason.read_text(encoding='utf-8')}")
        sys.exit(SKIPPED)


def main():
    """Runs the calling module's tests; exits with SKIPPED where there is nothing to test with."""
    skip_without_material()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    unittest.main(module="__main__", verbosity=2)
