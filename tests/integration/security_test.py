"""Who gets in, and who does not: TLS, clients' certificates, API keys and their limits, on the real
server process."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import grpc

import certificates
import harness

STUBS = harness.make_stubs()
TYPES, ADMIN = STUBS["types_pb2"], STUBS["admin_pb2"]
CATALOG = STUBS["catalog_pb2"]

READER = "a-key-for-reading-only"
OWNER = "a-key-for-everything-here"
LIMITED = "a-key-for-little-use"
# Until a changed file is in force, on a busy machine; the server looks every second.
TAKEN_OVER_SECONDS = 30

# The name is that of the certificate, however the server is addressed.
OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.ssl_target_name_override", "localhost")]


def hash_of(key):
    done = subprocess.run([harness.program("antiphon-server"), "--hash-api-key"],
                          input=key.encode() + b"\n", capture_output=True, check=True, timeout=60)
    return done.stdout.decode().strip()


def bearer(key):
    return (("authorization", f"Bearer {key}"),)


class Folder:
    """A temporary folder with the files of a server's configuration."""

    def __init__(self, test_class):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="antiphon_security_"))
        test_class.addClassCleanup(shutil.rmtree, self.path)
        self.keys = self.path / "api_keys"
        self.certificate, self.key = self.path / "server.pem", self.path / "server.key"

    def write_keys(self, **roles):
        lines = [
            f"{name} {role} {hash_of(key)}{limit}" for name, (role, key, limit) in roles.items()
        ]
        self.replace(self.keys, "# made by a test\n" + "\n".join(lines) + "\n")

    @staticmethod
    def replace(path, text):
        new = path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        os.replace(new, path)

    def install(self, certificate, key):
        """The key first: in between the two do not belong together, and the server must not
        mind."""
        self.replace(self.key, key.read_text(encoding="ascii"))
        self.replace(self.certificate, certificate.read_text(encoding="ascii"))

    def tls_flags(self):
        return [f"--tls-cert={self.certificate}", f"--tls-key={self.key}"]


class SecurityTestCase(unittest.TestCase):
    def secure_stub(self, server, authority, identity=None):
        credentials = grpc.ssl_channel_credentials(
            authority.certificate.read_bytes(),
            private_key=identity[1].read_bytes() if identity else None,
            certificate_chain=identity[0].read_bytes() if identity else None)
        channel = grpc.secure_channel(server.address, credentials, options=OPTIONS)
        self.addCleanup(channel.close)
        return STUBS["admin_pb2_grpc"].AdminStub(channel)

    def plain_channel(self, server):
        channel = grpc.insecure_channel(server.address, options=OPTIONS[:1])
        self.addCleanup(channel.close)
        return channel

    def plain_stub(self, server):
        return STUBS["admin_pb2_grpc"].AdminStub(self.plain_channel(server))

    def code_of(self, method, request, **arguments):
        """The status code of a call, as a grpc.StatusCode; OK where it succeeds."""
        try:
            method(request, timeout=harness.CALL_SECONDS, **arguments)
            return grpc.StatusCode.OK
        except grpc.RpcError as error:
            return error.code()

    def await_code(self, expected, attempt):
        """Until a changed file is in force: `attempt()` is what await_code waits for to give
        `expected`."""
        deadline = time.monotonic() + TAKEN_OVER_SECONDS
        while (code := attempt()) != expected and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(code, expected)


class ApiKeyTest(SecurityTestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Folder(cls)
        cls.write_keys()
        cls.server = cls.enterClassContext(
            harness.Server(f"--api-keys-file={cls.folder.keys}", "--log-format=json"))

    @classmethod
    def write_keys(cls):
        cls.folder.write_keys(reader=("read", READER, ""), owner=("admin", OWNER, ""),
                              limited=("read", LIMITED, " 1"))

    def test_every_call_needs_a_key(self):
        stub = self.plain_stub(self.server)
        status = ADMIN.StatusRequest()
        self.assertEqual(self.code_of(stub.Status, status), grpc.StatusCode.UNAUTHENTICATED)
        with self.assertRaises(grpc.RpcError) as raised:
            stub.Status(status, metadata=(*bearer("a-key-for-nothing"), ("x-request-id", "mine")))
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
        self.assertEqual(dict(raised.exception.initial_metadata())["x-request-id"], "mine")
        self.assertEqual(self.code_of(stub.Status, status, metadata=bearer(hash_of(READER))),
                         grpc.StatusCode.UNAUTHENTICATED, "a hash opens nothing")
        self.assertEqual(self.code_of(stub.Status, status, metadata=bearer(READER)),
                         grpc.StatusCode.OK)
        self.assertEqual(self.code_of(stub.Status, status, metadata=(("x-api-key", READER),)),
                         grpc.StatusCode.OK)
        self.assertGreaterEqual(self.server.metric("antiphon_access_refused_total"), 3)

    def test_streams_need_a_key_too(self):
        retrieval = STUBS["retrieval_pb2_grpc"].RetrievalStub(self.plain_channel(self.server))
        with self.assertRaises(grpc.RpcError) as raised:
            retrieval.IdentifyLong(iter([]), timeout=harness.CALL_SECONDS)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAUTHENTICATED)

    def test_a_key_for_reading_does_not_administer(self):
        channel = self.plain_channel(self.server)
        admin = STUBS["admin_pb2_grpc"].AdminStub(channel)
        catalog = STUBS["catalog_pb2_grpc"].CatalogStub(channel)
        for method, request in ((admin.Reload, ADMIN.ReloadRequest()),
                                (admin.Merge, ADMIN.MergeRequest()),
                                (catalog.AddPiece, CATALOG.AddPieceRequest()),
                                (catalog.DeletePiece,
                                 CATALOG.DeletePieceRequest(piece_id="greensleeves"))):
            self.assertEqual(self.code_of(method, request, metadata=bearer(READER)),
                             grpc.StatusCode.PERMISSION_DENIED)
            self.assertEqual(self.code_of(method, request), grpc.StatusCode.UNAUTHENTICATED)
        self.assertEqual(
            self.code_of(catalog.ListPieces, CATALOG.ListPiecesRequest(), metadata=bearer(READER)),
            grpc.StatusCode.OK)
        self.assertNotIn(
            self.code_of(catalog.AddPiece, CATALOG.AddPieceRequest(), metadata=bearer(OWNER)),
            (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED))

    def test_a_key_that_has_used_up_its_share_is_told_when_to_come_back(self):
        stub = self.plain_stub(self.server)
        refused = None
        for _ in range(50):
            try:
                stub.Status(ADMIN.StatusRequest(), timeout=harness.CALL_SECONDS,
                            metadata=bearer(LIMITED))
            except grpc.RpcError as error:
                refused = error
                break
        self.assertIsNotNone(refused)
        self.assertEqual(refused.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        details = TYPES.ErrorStatus.FromString(
            dict(refused.trailing_metadata())["grpc-status-details-bin"]).details
        self.assertEqual([detail.type_url for detail in details],
                         ["type.googleapis.com/google.rpc.RetryInfo"])
        delay = TYPES.RetryInfo.FromString(details[0].value).retry_delay
        seconds = delay.seconds + delay.nanos / 1e9
        self.assertTrue(0.1 <= seconds <= 1.1, seconds)
        time.sleep(seconds + 0.1)
        self.assertEqual(self.code_of(stub.Status, ADMIN.StatusRequest(), metadata=bearer(LIMITED)),
                         grpc.StatusCode.OK)

    def test_health_is_open_and_reflection_is_not(self):
        channel = self.plain_channel(self.server)
        self.assertEqual(
            channel.unary_unary("/grpc.health.v1.Health/Check")(b""), b"\x08\x01", "SERVING")
        self.assertEqual(self.server.get("/healthz"), (200, "SERVING\n"))
        reflect = channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        with self.assertRaises(grpc.RpcError) as raised:
            list(reflect(iter([b"\x3a\x01*"])))
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_changed_keys_are_taken_over_and_damaged_ones_are_not(self):
        stub = self.plain_stub(self.server)
        new_key = "a-key-made-meanwhile"

        def code(key):
            return self.code_of(stub.Status, ADMIN.StatusRequest(), metadata=bearer(key))

        try:
            self.folder.write_keys(other=("admin", new_key, ""))
            self.await_code(grpc.StatusCode.OK, lambda: code(new_key))
            self.assertEqual(code(READER), grpc.StatusCode.UNAUTHENTICATED, "revoked")
            # The key instead of its hash.
            self.folder.replace(self.folder.keys, f"other admin {new_key}\n")
            deadline = time.monotonic() + TAKEN_OVER_SECONDS
            while "api-keys-file: line 1" not in self.server.log() and time.monotonic() < deadline:
                time.sleep(0.1)
            self.assertIn("api-keys-file: line 1", self.server.log())
            self.assertEqual(code(new_key), grpc.StatusCode.OK, "those before are in force")
        finally:
            self.write_keys()
            self.await_code(grpc.StatusCode.OK, lambda: code(READER))
        for secret in (READER, OWNER, new_key):
            self.assertNotIn(secret, self.server.log())

    def test_the_log_has_a_json_line_for_each_call(self):
        stub = self.plain_stub(self.server)
        forged = 'mine "x" {"level":"error"}'
        _, call = stub.Status.with_call(ADMIN.StatusRequest(), timeout=harness.CALL_SECONDS,
                                        metadata=(*bearer(OWNER), ("x-request-id", forged)))
        self.assertEqual(dict(call.initial_metadata())["x-request-id"], forged)
        lines = [json.loads(line) for line in self.server.log().splitlines()]
        found = [line for line in lines if line.get("request_id") == forged]
        self.assertEqual(len(found), 1)
        for name, value in (("method", "Admin.Status"), ("code", "OK"), ("key", "owner"),
                            ("level", "info"), ("request_bytes", 0)):
            self.assertEqual(found[0][name], value)
        self.assertGreater(found[0]["response_bytes"], 0)
        self.assertGreater(found[0]["ms"], 0)


@unittest.skipUnless(certificates.AVAILABLE, "there is no openssl")
class TlsTest(SecurityTestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Folder(cls)
        cls.authority = certificates.Authority(cls.folder.path)
        cls.folder.install(*cls.authority.sign("localhost"))
        cls.folder.write_keys(reader=("read", READER, ""))
        cls.server = cls.enterClassContext(
            harness.Server(*cls.folder.tls_flags(), f"--api-keys-file={cls.folder.keys}"))

    def test_a_key_over_tls(self):
        stub = self.secure_stub(self.server, self.authority)
        self.assertEqual(self.code_of(stub.Status, ADMIN.StatusRequest(), metadata=bearer(READER)),
                         grpc.StatusCode.OK)
        self.assertEqual(self.code_of(stub.Status, ADMIN.StatusRequest()),
                         grpc.StatusCode.UNAUTHENTICATED)

    def test_a_key_the_way_grpc_sends_tokens(self):
        credentials = grpc.composite_channel_credentials(
            grpc.ssl_channel_credentials(self.authority.certificate.read_bytes()),
            grpc.access_token_call_credentials(READER))
        with grpc.secure_channel(self.server.address, credentials, options=OPTIONS) as channel:
            stub = STUBS["admin_pb2_grpc"].AdminStub(channel)
            self.assertEqual(self.code_of(stub.Status, ADMIN.StatusRequest()), grpc.StatusCode.OK)

    def test_plaintext_gets_nowhere(self):
        stub = self.plain_stub(self.server)
        self.assertEqual(self.code_of(stub.Status, ADMIN.StatusRequest(), metadata=bearer(READER)),
                         grpc.StatusCode.UNAVAILABLE)

    def test_a_client_that_trusts_another_authority_does_not_talk(self):
        stub = self.secure_stub(self.server, certificates.Authority(self.folder.path, "other"))
        self.assertEqual(self.code_of(stub.Status, ADMIN.StatusRequest(), metadata=bearer(READER)),
                         grpc.StatusCode.UNAVAILABLE)

    def test_certificates_are_renewed_while_serving_and_expired_ones_are_not_taken(self):
        def code(authority):
            return self.code_of(
                self.secure_stub(self.server, authority).Status, ADMIN.StatusRequest(),
                metadata=bearer(READER))

        before = self.server.metric("antiphon_tls_certificate_expires_seconds")
        self.assertGreater(before, time.time())
        open_stub = self.secure_stub(self.server, self.authority)
        open_stub.Status(ADMIN.StatusRequest(), metadata=bearer(READER))
        next_authority = certificates.Authority(self.folder.path, "next")
        try:
            expired = self.authority.sign("expired", days=0)
            time.sleep(1.1)
            self.folder.install(*expired)
            deadline = time.monotonic() + TAKEN_OVER_SECONDS
            while "tls-cert: expired" not in self.server.log() and time.monotonic() < deadline:
                time.sleep(0.1)
            self.assertIn("tls-cert: expired", self.server.log())
            self.assertEqual(code(self.authority), grpc.StatusCode.OK, "the one before is in force")

            self.folder.install(*next_authority.sign("localhost", days=2))
            self.await_code(grpc.StatusCode.OK, lambda: code(next_authority))
            self.assertEqual(code(self.authority), grpc.StatusCode.UNAVAILABLE)
            self.assertGreater(self.server.metric("antiphon_tls_certificate_expires_seconds"),
                               before)
            # Connections that are open stay so.
            open_stub.Status(ADMIN.StatusRequest(), metadata=bearer(READER))
        finally:
            self.folder.install(*self.authority.sign("localhost"))
            self.await_code(grpc.StatusCode.OK, lambda: code(self.authority))


@unittest.skipUnless(certificates.AVAILABLE, "there is no openssl")
class MutualTlsTest(SecurityTestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Folder(cls)
        cls.authority = certificates.Authority(cls.folder.path)
        cls.clients = certificates.Authority(cls.folder.path, "clients")
        cls.folder.install(*cls.authority.sign("localhost"))
        cls.server = cls.enterClassContext(
            harness.Server(*cls.folder.tls_flags(), f"--tls-client-ca={cls.clients.certificate}"))

    def test_a_clients_certificate_lets_in(self):
        stub = self.secure_stub(self.server, self.authority, self.clients.sign("somebody"))
        self.assertEqual(self.code_of(stub.Status, ADMIN.StatusRequest()), grpc.StatusCode.OK)
        self.assertRegex(self.server.log(), r"method=Admin.Status code=OK .* certificate=somebody")
        self.assertEqual(self.server.get("/healthz"), (200, "SERVING\n"))

    def test_the_client_says_how_it_got_in(self):
        certificate, key = self.clients.sign("operator")
        done = harness.run_client(
            "--tls", "--ca-file", str(self.authority.certificate), "--cert-file", str(certificate),
            "--key-file", str(key), "--server-name", "localhost", "status",
            server=self.server.address)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("over TLS, with certificates of clients", done.stdout)

    def test_without_one_or_with_anothers_there_is_no_connection(self):
        for identity in (None, self.authority.sign("stranger"), self.clients.sign("late", days=0)):
            if identity is not None:
                time.sleep(1.1)
            stub = self.secure_stub(self.server, self.authority, identity)
            self.assertEqual(self.code_of(stub.Status, ADMIN.StatusRequest()),
                             grpc.StatusCode.UNAVAILABLE)


class ExposureTest(unittest.TestCase):
    def refusal(self, *flags, stdin=b""):
        done = subprocess.run(
            [harness.program("antiphon-server"), "--bundle", str(harness.BUNDLE), *flags],
            input=stdin, capture_output=True, timeout=harness.START_SECONDS, check=False)
        self.assertEqual(done.returncode, 1)
        return done.stderr.decode()

    def test_a_public_address_without_authentication_is_refused(self):
        error = self.refusal("--listen=0.0.0.0:0", "--metrics-listen=0")
        for word in ("0.0.0.0:0", "api-keys-file", "tls-client-ca", "allow-unauthenticated"):
            self.assertIn(word, error)

    def test_unless_that_is_asked_for(self):
        with harness.Server("--listen=0.0.0.0:0", "--allow-unauthenticated") as server:
            self.assertIn("there is no authentication", server.log())

    def test_damaged_files_stop_the_start_and_say_which(self):
        with tempfile.NamedTemporaryFile("w", suffix=".keys") as file:
            file.write("somebody read not-a-hash\n")
            file.flush()
            error = self.refusal("--metrics-listen=0", "--listen=127.0.0.1:0",
                                 f"--api-keys-file={file.name}")
            self.assertIn("api-keys-file: line 1", error)
            error = self.refusal("--metrics-listen=0", "--listen=127.0.0.1:0",
                                 f"--tls-cert={file.name}", f"--tls-key={file.name}")
            self.assertIn("tls-cert: holds no certificate", error)

    def test_short_keys_are_not_hashed(self):
        self.assertIn("16 to 1024 bytes", self.refusal("--hash-api-key", stdin=b"short\n"))


if __name__ == "__main__":
    harness.main()
