"""Snapshots in object storage: a real server against moto, which stands in for S3 and checks every
signature.

moto comes from PyPI, into a virtual environment of its own in the build folder; where it cannot be
had, the test is skipped.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

import grpc

import certificates
import harness
import python_environment
from harness import copy_of_bundle
from python_client import PythonClient, connect, error_of

MOTO = "moto[server]==5.2.5"
ENVIRONMENT = harness.BUILD / "moto"
REGION = "eu-central-1"
BUCKET = "antiphon-test"
CODES = grpc.StatusCode
PIECE = "pachelbel_canon"
# Requests to this machine only.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# Run by the environment's Python: a user, a key, a bucket; from then on every request must be
# signed. What it prints are the key and its secret.
PREPARE = """
import json, sys, boto3
endpoint, region, bucket, authority = sys.argv[1:]
options = dict(endpoint_url=endpoint, region_name=region, aws_access_key_id="x",
               aws_secret_access_key="y", verify=authority or None)
iam = boto3.client("iam", **options)
iam.create_user(UserName="server")
iam.put_user_policy(UserName="server", PolicyName="snapshots", PolicyDocument=json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}))
key = iam.create_access_key(UserName="server")["AccessKey"]
s3 = boto3.client("s3", **options)
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
print(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))
"""

# Run by it as well: what somebody else does to the bucket.
CHANGE = """
import json, sys, boto3
endpoint, region, key, secret, bucket, action, name, contents = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name=region, aws_access_key_id=key,
                  aws_secret_access_key=secret)
if action == "put":
    s3.put_object(Bucket=bucket, Key=name, Body=contents.encode())
elif action == "many":
    for i in range(int(contents)):
        s3.put_object(Bucket=bucket, Key=f"{name}{i}", Body=b"x")
elif action == "delete":
    s3.delete_object(Bucket=bucket, Key=name)
else:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    print(json.dumps([one["Key"] for page in pages for one in page.get("Contents", [])]))
"""


def direct_environment(**more):
    """The variables of a child that reaches this machine without a proxy."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**variables, "no_proxy": "*", "NO_PROXY": "*", **more}


class Moto:
    """moto's server, with a bucket and a key; used with `with`."""

    def __init__(self, python, tls=None):
        self.python = python
        self._port = harness.free_port()
        scheme, flags = "http", []
        self.authority = ""
        if tls is not None:
            authority, (certificate, key) = tls
            scheme, self.authority = "https", str(authority)
            flags = ["-s", "-c", str(certificate), "-k", str(key)]
        self.endpoint = f"{scheme}://127.0.0.1:{self._port}"
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [str(python.parent / "moto_server"), "-H", "127.0.0.1", "-p", str(self._port), *flags],
            stdout=self._log, stderr=subprocess.STDOUT, env=direct_environment())

    def __enter__(self):
        try:
            self._wait()
            self.key, self.secret = json.loads(
                self._run(PREPARE, self.endpoint, REGION, BUCKET, self.authority))
            if not self.authority:
                DIRECT.open(urllib.request.Request(
                    f"{self.endpoint}/moto-api/reset-auth", data=b"0", method="POST",
                    headers={"Content-Type": "text/plain"}), timeout=30).close()
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _wait(self):
        deadline = time.monotonic() + harness.START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.1)
        self._log.seek(0)
        raise RuntimeError(f"moto does not start:\n{self._log.read().decode(errors='replace')}")

    def _run(self, script, *arguments):
        done = subprocess.run([str(self.python), "-c", script, *arguments], capture_output=True,
                              env=direct_environment(), timeout=120, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout.decode()

    def change(self, action, name="", contents=""):
        return self._run(CHANGE, self.endpoint, REGION, self.key, self.secret, BUCKET, action, name,
                         contents)

    def keys(self):
        return json.loads(self.change("list"))


class Gate:
    """Lets connections through to a port until it has passed on so many bytes; then it is dead to
    everybody, until it is opened again."""

    def __init__(self, port):
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.left = None  # bytes; None: without end
        self.silent = False  # takes what comes, and passes nothing on
        self.taken = 0  # connections
        self._held = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        for end in (self._listener, *self._held):
            end.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.taken += 1
            if self.left is not None and self.left <= 0:
                client.close()
                continue
            if self.silent:
                self._held.append(client)
                continue
            server = socket.create_connection(("127.0.0.1", self._to))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if self.left is not None:
                    self.left -= len(data)
                    if self.left <= 0:
                        break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()


class S3Fixture(unittest.TestCase):
    moto = None  # of the class

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.prefix = self.id().rsplit(".", 1)[-1]
        self.credentials = self.folder / "credentials"
        self.write_credentials(self.moto.key, self.moto.secret)

    def write_credentials(self, key, secret):
        self.credentials.write_text(
            f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n",
            encoding="ascii")

    def serve(self, *flags, endpoint=None, bucket=BUCKET, environment=None):
        """A server with an empty directory of its own, which comes third."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        directory = folder / "snapshots"
        directory.mkdir()
        given = [] if environment else [f"--snapshot-s3-credentials-file={self.credentials}"]
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(direct_environment(**(environment or {})))
        try:
            server = self.enterContext(
                harness.Server(
                    f"--snapshot-dir={directory}",
                    f"--snapshot-s3={endpoint or self.moto.endpoint}/{bucket}/{self.prefix}",
                    f"--snapshot-s3-region={REGION}", *given, *flags,
                    bundle=copy_of_bundle(folder)))
        finally:
            os.environ.clear()
            os.environ.update(before)
        return server, PythonClient(connect(server.address), STUBS), directory

    def failure_of(self, method, *arguments):
        """(code, field, seconds to wait) and the message of a call that must fail."""
        with self.assertRaises(grpc.RpcError) as raised:
            method(*arguments)
        message = raised.exception.details()
        for secret in (str(self.folder), self.moto.secret, self.moto.key, "127.0.0.1"):
            self.assertNotIn(secret, message)
        return error_of(raised.exception, STUBS), message

    def names(self, client):
        return [snapshot["name"] for snapshot in client.snapshots()["snapshots"]]

    def keys(self):
        """What lies there, without the prefix."""
        return [key.removeprefix(self.prefix + "/") for key in self.moto.keys()
                if key.startswith(self.prefix + "/")]


class S3Test(S3Fixture):

    @classmethod
    def setUpClass(cls):
        cls.moto = cls.enterClassContext(Moto(PYTHON))

    def test_is_taken_listed_restored_elsewhere_and_deleted(self):
        server, client, directory = self.serve()
        self.assertEqual(self.names(client), [])
        taken = client.snapshot("monday")
        self.assertEqual(list(directory.iterdir()), [], "it was on its way only")
        self.assertIn("monday/gen-000001/MANIFEST", self.keys())
        self.assertIn("monday/CURRENT", self.keys())
        self.assertEqual(self.failure_of(client.snapshot, "monday")[0][:2],
                         (CODES.ALREADY_EXISTS, "name"))
        listed, = client.snapshots()["snapshots"]
        for field in ("name", "pieces", "recordings", "version", "bytes"):
            self.assertEqual(listed[field], taken[field], field)
        self.assertTrue(listed["restorable"], listed)
        self.assertEqual(server.metric("antiphon_snapshot_bytes"), taken["bytes"])

        other_server, other, elsewhere = self.serve()
        other.delete_piece(PIECE, with_recordings=True)
        self.assertEqual(self.names(other), ["monday"])
        other.restore("monday")
        self.assertEqual(other.piece(PIECE)["piece"]["id"], PIECE)
        self.assertEqual(list(elsewhere.iterdir()), [])
        self.assertEqual(other.delete_snapshot("monday")["bytes"], taken["bytes"])
        self.assertEqual(self.keys(), [])
        self.assertEqual(self.names(client), [])
        for method in (client.restore, client.delete_snapshot):
            self.assertEqual(self.failure_of(method, "monday")[0][:2], (CODES.NOT_FOUND, "name"))
        for one in (server, other_server):
            self.assertNotIn(self.moto.secret, one.log())
            self.assertNotIn(self.moto.key, one.log())

    def test_a_copy_of_what_lies_there_can_be_served(self):
        _, client, _ = self.serve()
        client.snapshot("monday")
        copy = self.folder / "copy"
        options = self.moto.endpoint, REGION, self.moto.key, self.moto.secret
        script = """
import pathlib, sys, boto3
endpoint, region, key, secret, bucket, prefix, to = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name=region, aws_access_key_id=key,
                  aws_secret_access_key=secret)
for one in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
    path = pathlib.Path(to) / one["Key"].removeprefix(prefix)
    path.parent.mkdir(parents=True, exist_ok=True)
    s3.download_file(bucket, one["Key"], str(path))
"""
        self.moto._run(script, *options, BUCKET, f"{self.prefix}/monday/", str(copy))
        with harness.Server(bundle=copy) as server:
            status = PythonClient(connect(server.address), STUBS).status()
        self.assertEqual(status["pieces"], client.status()["pieces"])

    def test_the_schedule_uses_it(self):
        server, client, _ = self.serve("--snapshot-every=0.0005", "--snapshot-keep=1")
        deadline = time.monotonic() + 60
        seen = set()
        while len(seen) < 3 and time.monotonic() < deadline:
            client.update_piece(PIECE, title=f"Canon {len(seen)}")
            seen.update(self.names(client))
            time.sleep(0.5)
        self.assertGreaterEqual(len(seen), 3, server.log())
        self.assertLessEqual(len(self.names(client)), 2)
        self.assertTrue(all(name.startswith("auto-") for name in seen), seen)

    def test_credentials_come_from_the_environment_too(self):
        _, client, _ = self.serve(environment={
            "AWS_ACCESS_KEY_ID": self.moto.key, "AWS_SECRET_ACCESS_KEY": self.moto.secret})
        client.snapshot("monday")
        self.assertEqual(self.names(client), ["monday"])

    def test_wrong_credentials_are_said_and_can_be_put_right(self):
        self.write_credentials(self.moto.key, "not-the-secret")
        server, client, directory = self.serve()
        for method in (client.snapshots, lambda: client.snapshot("monday"),
                       lambda: client.restore("monday")):
            (code, field, _), message = self.failure_of(method)
            self.assertEqual((code, field), (CODES.FAILED_PRECONDITION, ""))
            self.assertIn("SignatureDoesNotMatch", message)
        self.assertEqual(list(directory.iterdir()), [])
        self.assertNotIn("not-the-secret", server.log())
        self.write_credentials(self.moto.key, self.moto.secret)
        client.snapshot("monday")

    def test_a_bucket_that_is_missing_is_said(self):
        _, client, directory = self.serve(bucket="another-bucket")
        (code, field, _), message = self.failure_of(client.snapshot, "monday")
        self.assertEqual((code, field), (CODES.FAILED_PRECONDITION, ""))
        self.assertIn("no such bucket", message)
        self.assertEqual(list(directory.iterdir()), [])

    def test_an_endpoint_that_dies_in_the_middle_leaves_no_snapshot(self):
        gate = Gate(int(self.moto.endpoint.rsplit(":", 1)[1]))
        self.addCleanup(gate.close)
        server, client, directory = self.serve(endpoint=f"http://127.0.0.1:{gate.port}")
        manifest = json.loads((harness.BUNDLE / "gen-000001" / "MANIFEST").read_text())
        gate.left = manifest["files"][0]["size"] + 100_000  # the first file, and some of the next
        (code, field, _), message = self.failure_of(client.snapshot, "monday")
        self.assertEqual((code, field), (CODES.UNAVAILABLE, ""), server.log())
        self.assertIn("cannot be reached", message)
        self.assertEqual(list(directory.iterdir()), [])
        gate.left = None
        self.assertEqual(self.names(client), [])
        self.assertTrue(self.keys(), "of what was sent something is left")
        taken = client.snapshot("monday")
        gate.left = taken["bytes"] // 2
        self.assertEqual(self.failure_of(client.restore, "monday")[0][0], CODES.UNAVAILABLE)
        self.assertEqual(list(directory.iterdir()), [])
        self.assertEqual(client.status()["generation"], 1, "what served goes on serving")
        gate.left = None
        client.restore("monday")

    def test_stopping_does_not_wait_for_an_endpoint_that_says_nothing(self):
        gate = Gate(int(self.moto.endpoint.rsplit(":", 1)[1]))
        self.addCleanup(gate.close)
        gate.silent = True
        server, _, _ = self.serve("--snapshot-every=0.0005",
                                  endpoint=f"http://127.0.0.1:{gate.port}")
        deadline = time.monotonic() + 30
        while not gate.taken and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertTrue(gate.taken, "it asks at once")
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(60), 0)
        self.assertLess(time.monotonic() - began, 10)

    def test_an_object_that_is_cut_off_or_changed_is_found(self):
        _, client, directory = self.serve()
        client.snapshot("monday")
        client.snapshot("tuesday")
        self.moto.change("put", f"{self.prefix}/monday/gen-000001/scores.faiss", "cut")
        monday = next(one for one in client.snapshots()["snapshots"] if one["name"] == "monday")
        self.assertFalse(monday["restorable"])
        self.assertIn("scores.faiss: has 3 bytes", monday["problem"])
        (code, _, _), message = self.failure_of(client.restore, "monday")
        self.assertEqual(code, CODES.FAILED_PRECONDITION)
        self.assertIn("scores.faiss", message)
        manifest = json.loads((harness.BUNDLE / "gen-000001" / "MANIFEST").read_text())
        size = next(entry["size"] for entry in manifest["files"]
                    if entry["name"] == "confidence.json")
        self.moto.change("put", f"{self.prefix}/tuesday/gen-000001/confidence.json", "x" * size)
        (code, _, _), message = self.failure_of(client.restore, "tuesday")
        self.assertEqual(code, CODES.FAILED_PRECONDITION)
        self.assertIn("confidence.json: its SHA-256", message)
        self.assertEqual(list(directory.iterdir()), [])
        client.delete_snapshot("monday")
        self.moto.change("delete", f"{self.prefix}/tuesday/gen-000001/MANIFEST")
        self.assertEqual(self.names(client), [], "without its manifest it is none")

    def test_lists_of_many_objects_come_in_pages(self):
        _, client, _ = self.serve()
        client.snapshot("zebra")
        self.moto.change("many", f"{self.prefix}/aardvark/", "1005")
        self.assertEqual(self.names(client), ["zebra"], "behind more than a page of others")


@unittest.skipUnless(certificates.AVAILABLE, "no openssl")
class TlsTest(S3Fixture):
    """Over https://. (moto's way to switch signatures on is asked for without TLS only.)"""

    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        authority = certificates.Authority(folder)
        cls.authority = authority.certificate
        cls.moto = cls.enterClassContext(
            Moto(PYTHON, tls=(authority.certificate, authority.sign("s3"))))

    def test_the_certificate_is_checked(self):
        _, client, _ = self.serve()
        (code, field, _), message = self.failure_of(client.snapshot, "monday")
        self.assertEqual((code, field), (CODES.FAILED_PRECONDITION, ""))
        self.assertIn("certificate is not trusted", message)
        _, client, _ = self.serve(f"--snapshot-s3-ca-file={self.authority}")
        client.snapshot("monday")
        self.assertEqual(self.names(client), ["monday"])


if __name__ == "__main__":
    harness.skip_without_material()
    PYTHON, why = python_environment.install(ENVIRONMENT, [MOTO])
    if PYTHON is None:
        print(f"skipped: moto, which stands in for S3, cannot be installed: {why}")
        sys.exit(harness.SKIPPED)
    STUBS = harness.make_stubs()
    harness.main()
