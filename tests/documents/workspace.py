"""A temporary folder that looks like a built clone, where the code of documents runs as written.

Two things differ from a reader's machine: the server's port is a free one, and /var/lib/antiphon,
/var/backups/antiphon and /etc/antiphon are folders below the temporary one.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import blocks
import harness

NOT_IN_A_CLONE = {".git", "build", "var", "cache", "shared"}
RUN_SECONDS = 120  # for one block, on a busy machine

# Starts of every script: servers run beside it, and the environment passes on to the next block.
PREAMBLE = """set -euo pipefail
trap 'env -0 > .environment' EXIT
await_server() {
  echo "$1" >> .servers
  until grep -q "ready on" server.log; do
    kill -0 "$1" || { cat server.log >&2; exit 1; }
    sleep 0.05
  done
}
"""


class Workspace:
    """Cleans up after `test`, servers included."""

    def __init__(self, test):
        self._test = test
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="antiphon_documents_"))
        test.addCleanup(self._clean_up)
        for entry in harness.SOURCE.iterdir():
            if entry.name not in NOT_IN_A_CLONE:
                (self.folder / entry.name).symlink_to(entry)
        (self.folder / "build").mkdir()
        (self.folder / "build/release").symlink_to(harness.BUILD)
        for folder in ("var/lib/antiphon", "var/backups/antiphon", "etc/antiphon"):
            (self.folder / folder).mkdir(parents=True)
        self._environment = {name: value for name, value in os.environ.items()
                             if not name.startswith("ANTIPHON_")}
        self._environment["PATH"] = f"{harness.BUILD / 'bin'}:{self._environment['PATH']}"
        self.add_program("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')  # it has gRPC
        self.use_address(f"127.0.0.1:{harness.free_port()}")

    def use_address(self, address):
        """The server that documents call 127.0.0.1:50051."""
        self._address = address
        self._environment.update(ANTIPHON_SERVER=address, ANTIPHON_LISTEN=address,
                                 ANTIPHON_METRICS_LISTEN=f"127.0.0.1:{harness.free_port()}")

    def serve(self, *flags, bundle=None):
        """A server that a document takes for granted, over a copy of the songbook's bundle."""
        bundle = bundle or harness.copy_of_bundle(self.folder)
        server = self._test.enterContext(harness.Server(*flags, bundle=bundle))
        self.use_address(server.address)
        return server

    def add(self, name, content):
        """A file that a document names: bytes, text, or a file to copy."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pathlib.Path):
            shutil.copyfile(content, path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, encoding="utf-8")
        return path

    def add_program(self, name, text):
        """A script in the place of a program of the system, first on PATH."""
        self.add(f"programs/{name}", text).chmod(0o755)
        path = self._environment["PATH"].removeprefix(f"{self.folder}/programs:")
        self._environment["PATH"] = f"{self.folder}/programs:{path}"

    def capture(self, command, text=""):
        """The output of a program that the test itself needs; `text` is its standard input."""
        environment = {name: value for name, value in self._environment.items()
                       if not name.startswith("ANTIPHON_")}
        return subprocess.run(command, cwd=self.folder, env=environment, input=text, text=True,
                              timeout=RUN_SECONDS, capture_output=True, check=True).stdout

    def run(self, block, first=0, last=None, placeholders=None):
        """Runs a block, or some of its lines: all must succeed, and print what the block shows.

        `placeholders` are words that the document leaves to the reader, each with what to use.
        """
        if block.language == "console":
            for command, expected in blocks.session(block):
                for word, value in (placeholders or {}).items():
                    command = re.sub(rf"\b{word}\b", value, command)
                self._check_output(block, self._bash(block, f"{command}\n"), expected)
        elif block.language == "sh":
            lines = blocks.lines_of(block.text)[first:last]
            self._bash(block, "".join(f"{self._beside(line)}\n" for line in lines))
        elif block.language == "python":
            return self._start(block, [sys.executable, "-c", self.local(block.text)])
        else:
            raise ValueError(f"{block.place}: {block.language} cannot be run")
        return None

    def local(self, text):
        """The text with the port and the folders of this workspace."""
        port = self._address.rsplit(":", 1)[1]
        text = re.sub(r"\b(127\.0\.0\.1|localhost):50051\b", rf"\1:{port}", text)
        return re.sub(r"(?<![\w.])/(var/lib|var/backups|etc)/antiphon\b",
                      rf"{self.folder}/\1/antiphon", text)

    @staticmethod
    def _beside(line):
        """A line that starts a server does not wait for its end."""
        if re.match(r"(\S*/)?antiphon-server ", line):
            return f"{line} > server.log 2>&1 & await_server $!"
        return line

    def _bash(self, block, script):
        output = self._start(block, ["bash", "-c", PREAMBLE + self.local(script)])
        saved = (self.folder / ".environment").read_bytes().decode()
        self._environment = dict(entry.split("=", 1) for entry in saved.split("\0") if entry)
        return output

    def _start(self, block, command):
        done = subprocess.run(command, cwd=self.folder, env=self._environment, timeout=RUN_SECONDS,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        self._test.assertEqual(done.returncode, 0,
                               f"{block.place}: exit status {done.returncode}\n"
                               f"{done.stdout}{done.stderr}")
        return done.stdout

    def _check_output(self, block, output, expected):
        """Figures and widths of columns may differ, words may not; `…` stands for the rest."""
        shown = [self._without_figures(line) for line in expected]
        said = [self._without_figures(line) for line in output.splitlines()]
        if shown and shown[-1] == "…":
            shown.pop()
            said = said[:len(shown)]
        self._test.assertEqual(said, shown, f"{block.place}: prints something else")

    @staticmethod
    def _without_figures(line):
        return " ".join(re.sub(r"\d+(?:[.,:]\d+)*", "0", line).split())

    def _clean_up(self):
        servers = self.folder / ".servers"
        if servers.exists():
            for process in servers.read_text(encoding="ascii").split():
                with contextlib.suppress(ProcessLookupError):  # it did not start
                    os.kill(int(process), signal.SIGKILL)
        shutil.rmtree(self.folder)
