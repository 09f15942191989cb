"""The server under torture: one process after the other over one bundle, and a way to it that
outlives each of them."""

import signal
import subprocess
import sys
import threading
import time

import grpc

import harness

CALL_SECONDS = 60


class Client:
    """Stubs over one channel, to one process of the server. `epoch` counts the processes."""

    def __init__(self, address, epoch, stubs):
        self.epoch = epoch
        self.channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
        self.retrieval = stubs["retrieval_pb2_grpc"].RetrievalStub(self.channel)
        self.catalog = stubs["catalog_pb2_grpc"].CatalogStub(self.channel)
        self.admin = stubs["admin_pb2_grpc"].AdminStub(self.channel)


class StartFailed(Exception):
    """The server did not start; the text is its log."""


class Service:
    """`with` it; clients are had from any thread, start and stop from one."""

    def __init__(self, bundle, log_file, stubs, flags=()):
        self._bundle, self._flags, self._stubs = bundle, tuple(flags), stubs
        self._log_file = log_file
        self._changed = threading.Condition()
        self._client = None
        self._closed = False
        self.epoch = 0
        self.server = None
        self.start_seconds = []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
        if self.server is not None:
            self._finish()

    def start(self):
        begun = time.monotonic()
        self.server = harness.Server(*self._flags, bundle=self._bundle)
        try:
            self.server.__enter__()
        except RuntimeError as error:
            self.server = None
            raise StartFailed(str(error)) from None
        self.start_seconds.append(time.monotonic() - begun)
        with self._changed:
            self.epoch += 1
            self._client = Client(self.server.address, self.epoch, self._stubs)
            self._changed.notify_all()

    def client(self):
        """Of the process that runs, waiting for one; None once the service is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._client is not None or self._closed)
            return None if self._closed else self._client

    def kill(self):
        """SIGKILL, and gone."""
        self._forget_client()
        self.server.send_signal(signal.SIGKILL)
        self.server.wait(harness.CALL_SECONDS)
        return self._finish()

    def stop(self):
        """SIGTERM; the exit status and the log."""
        self.server.send_signal(signal.SIGTERM)
        try:
            code = self.server.wait(harness.CALL_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        self._forget_client()
        return code, self._finish()

    def died(self):
        """The exit status of a process that nobody told to go, or None."""
        return self.server.process.poll() if self.server is not None else None

    def close(self):
        """Lets go of everyone who waits for a client."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _forget_client(self):
        with self._changed:
            self._client = None

    def _finish(self):
        log = self.server.log()
        self._log_file.write(f"--- process {self.epoch}\n{log}\n")
        self._log_file.flush()
        self.server.__exit__(*sys.exc_info())
        self.server = None
        return log
