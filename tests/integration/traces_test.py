"""Traces: what a collector of OpenTelemetry is sent by a running server."""

import importlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from concurrent import futures

import grpc

import harness
from python_client import PythonClient, connect

STUBS = harness.make_stubs()
METHOD = "opentelemetry.proto.collector.trace.v1.TraceService"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


def messages():
    """Those of the protocol, as OpenTelemetry has them (PyPI's opentelemetry-proto) or else as
    proto/opentelemetry has them."""
    try:
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
        return trace_service_pb2
    except ImportError:
        pass
    folder = tempfile.mkdtemp(prefix="antiphon_otlp_")
    proto = harness.SOURCE / "proto/opentelemetry"
    protoc = [shutil.which("protoc")] if shutil.which("protoc") else [
        sys.executable, "-m", "grpc_tools.protoc"]
    subprocess.run([*protoc, "-I", str(proto), "--python_out", folder,
                    str(proto / "trace_service.proto")], check=True)
    sys.path.insert(0, folder)
    return importlib.import_module("trace_service_pb2")


class Collector:
    """Listens on a free port and keeps the spans."""

    def __init__(self):
        self.messages = messages()
        self.changed = threading.Condition()
        self.received = []
        self.resources = []
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(METHOD, {
            "Export": grpc.unary_unary_rpc_method_handler(
                self.export, self.messages.ExportTraceServiceRequest.FromString,
                lambda response: response.SerializeToString())})])
        self.endpoint = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def export(self, request, _):
        with self.changed:
            for of_resource in request.resource_spans:
                self.resources.append(of_resource.resource)
                for of_scope in of_resource.scope_spans:
                    self.received += of_scope.spans
            self.changed.notify_all()
        return self.messages.ExportTraceServiceResponse()

    def spans_of(self, method):
        """The span of the only call of a method, once it is there, and those below it."""
        def calls():
            return [span for span in self.received if span.name == method]
        with self.changed:
            self.changed.wait_for(calls, timeout=60)
            call, = calls()
            return call, [span for span in self.received if span.parent_span_id == call.span_id]


class Traces(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.collector = Collector()
        self.addCleanup(self.collector.server.stop, None)
        self.audio = harness.rendered(harness.queries()[0]["piece_id"])

    def serve(self, *options):
        server = self.enterContext(harness.Server(
            "--otlp-endpoint", self.collector.endpoint, *options,
            bundle=harness.copy_of_bundle(self.folder)))
        return server, PythonClient(connect(server.address), STUBS)

    def identify(self, client, traceparent=None):
        metadata = [("traceparent", traceparent)] if traceparent else []
        request = STUBS["retrieval_pb2"].IdentifyRequest(audio={"file": self.audio})
        return client.retrieval.Identify(request, metadata=metadata,
                                         timeout=harness.CALL_SECONDS)

    def test_a_call_is_a_span_of_its_callers_trace_and_its_stages_are_below_it(self):
        server, client = self.serve("--trace-share=0")
        before = time.time_ns()
        answer = self.identify(client, f"00-{TRACE}-{SPAN}-01")
        after = time.time_ns()
        call, stages = self.collector.spans_of("Retrieval.Identify")
        self.assertEqual(call.trace_id.hex(), TRACE)
        self.assertEqual(call.parent_span_id.hex(), SPAN)
        self.assertLess(before, call.start_time_unix_nano)
        self.assertLess(call.end_time_unix_nano, after)
        attributes = {each.key: each.value for each in call.attributes}
        self.assertEqual(attributes["rpc.method"].string_value, "Identify")
        self.assertEqual(attributes["rpc.grpc.status_code"].int_value, 0)
        self.assertGreater(attributes["antiphon.request_bytes"].int_value, len(self.audio))
        names = [stage.name for stage in stages]
        self.assertEqual(names[:5], ["queue", "decode", "features", "encode", "search"])
        told = {STUBS["types_pb2"].Stage.Name(each.stage): each.seconds
                for each in answer.info.stages}
        seconds = dict.fromkeys(names, 0)
        end = call.start_time_unix_nano
        for stage in stages:
            self.assertEqual(stage.trace_id, call.trace_id)
            self.assertLessEqual(end, stage.start_time_unix_nano)  # one after the other
            end = stage.end_time_unix_nano
            seconds[stage.name] += (end - stage.start_time_unix_nano) / 1e9
        self.assertLessEqual(end, call.end_time_unix_nano)
        for name in ("decode", "encode", "search"):
            self.assertAlmostEqual(seconds[name], told[f"STAGE_{name.upper()}"], delta=0.002)
        resource = {each.key: each.value.string_value
                    for each in self.collector.resources[0].attributes}
        self.assertEqual(resource["service.name"], "antiphon")
        self.assertIn(f"trace_id={TRACE}", server.log())

    def test_the_caller_or_the_share_says_what_is_traced(self):
        _, client = self.serve("--trace-share=1")
        self.identify(client, f"00-{TRACE}-{SPAN}-00")
        client.catalog.ListPieces(STUBS["catalog_pb2"].ListPiecesRequest())
        call, _ = self.collector.spans_of("Catalog.ListPieces")
        self.assertEqual(call.parent_span_id, b"")
        self.assertEqual(len(call.trace_id), 16)
        self.assertNotIn("Retrieval.Identify", [span.name for span in self.collector.received])

    def test_a_collector_that_goes_is_no_matter_for_calls(self):
        server, client = self.serve("--trace-share=1")
        self.collector.server.stop(None).wait()
        self.assertTrue(self.identify(client).candidates)
        deadline = time.monotonic() + 60
        while "otlp-endpoint: traces of 1 calls are lost" not in server.log():
            self.assertLess(time.monotonic(), deadline, server.log())
            time.sleep(0.1)


if __name__ == "__main__":
    harness.main()
