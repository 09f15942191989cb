"""A client in Python that knows nothing of Antiphon but its .proto files.

    client = PythonClient(connect("127.0.0.1:50051"), harness.make_stubs())
    print(client.identify(audio_bytes))

Answers are plain dicts with the field names of the .proto.
"""

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

INT64 = (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64)


def connect(address, authority=None, api_key=None):
    """A channel; over TLS where `authority` (PEM bytes) is given, with an API key only then."""
    options = [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1)]
    if authority is None:
        return grpc.insecure_channel(address, options=options)
    credentials = grpc.ssl_channel_credentials(root_certificates=authority)
    if api_key is not None:
        credentials = grpc.composite_channel_credentials(
            credentials, grpc.access_token_call_credentials(api_key))
    return grpc.secure_channel(address, credentials, options=options)


def error_of(error, stubs):
    """What a failed call says: (status code, field to blame or "", seconds after which to ask again
    or None)."""
    field, delay = "", None
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for detail in stubs["types_pb2"].ErrorStatus.FromString(value).details:
            if detail.type_url.endswith("/antiphon.v1.ErrorDetail"):
                field = stubs["types_pb2"].ErrorDetail.FromString(detail.value).field
            elif detail.type_url.endswith("/google.rpc.RetryInfo"):
                info = stubs["types_pb2"].RetryInfo.FromString(detail.value)
                delay = info.retry_delay.ToTimedelta().total_seconds()
    return error.code(), field, delay


def to_dict(message):
    """As proto3's JSON, but with 64-bit integers as numbers."""
    fields = json_format.MessageToDict(message, including_default_value_fields=True,
                                       preserving_proto_field_name=True)
    return _with_numbers(fields, message.DESCRIPTOR)


def _with_numbers(fields, descriptor):
    for field in descriptor.fields:
        value = fields.get(field.name)
        if value is None:
            continue
        if field.message_type is not None:
            for element in value if field.label == FieldDescriptor.LABEL_REPEATED else [value]:
                _with_numbers(element, field.message_type)
        elif field.type in INT64:
            fields[field.name] = int(value)
    return fields


def is_midi(content):
    return content[:4] == b"MThd"


class PythonClient:
    """One method for each call; `content` is a whole audio or MIDI file. Raises grpc.RpcError."""

    def __init__(self, channel, stubs, timeout=120):
        self.types, self.messages = stubs["types_pb2"], stubs["retrieval_pb2"]
        self.catalog_messages, self.admin_messages = stubs["catalog_pb2"], stubs["admin_pb2"]
        self.retrieval = stubs["retrieval_pb2_grpc"].RetrievalStub(channel)
        self.catalog = stubs["catalog_pb2_grpc"].CatalogStub(channel)
        self.admin = stubs["admin_pb2_grpc"].AdminStub(channel)
        self.timeout = timeout

    def _query(self, content):
        if is_midi(content):
            return {"score": self.types.Score(midi=content)}
        return {"audio": self.types.Audio(file=content)}

    def search(self, content, **options):
        options = self.messages.SearchOptions(**options)
        if is_midi(content):
            request = self.messages.SearchRecordingsRequest(options=options, **self._query(content))
            return to_dict(self.retrieval.SearchRecordings(request, timeout=self.timeout))
        request = self.messages.SearchScoresRequest(options=options, **self._query(content))
        return to_dict(self.retrieval.SearchScores(request, timeout=self.timeout))

    def identify(self, content, **options):
        request = self.messages.IdentifyRequest(**self._query(content), **options)
        return to_dict(self.retrieval.Identify(request, timeout=self.timeout))

    def embed(self, content, **options):
        request = self.messages.EmbedRequest(**self._query(content), **options)
        return to_dict(self.retrieval.Embed(request, timeout=self.timeout))

    def batch(self, *queries):
        """Each query is a dict with the name of a request, such as identify, and its message."""
        request = self.messages.BatchRequest(
            queries=[self.messages.BatchQuery(**query) for query in queries])
        return to_dict(self.retrieval.Batch(request, timeout=self.timeout))["results"]

    def _stream(self, request, samples, sample_rate, chunk_seconds, options):
        """The messages of a stream of mono 16-bit samples (bytes); `request` is their type."""
        encoding = self.types.Pcm.ENCODING_INT16
        yield request(
            options={"encoding": encoding, "sample_rate": sample_rate, "channels": 1, **options})
        step = int(chunk_seconds * sample_rate) * 2
        for start in range(0, len(samples), step):
            yield request(samples=samples[start:start + step])

    def identify_long(self, samples, sample_rate, chunk_seconds=1.0, **options):
        """The segments of a recording of any length."""
        requests = self._stream(self.messages.IdentifyStreamRequest, samples, sample_rate,
                                chunk_seconds, options)
        return to_dict(self.retrieval.IdentifyLong(requests, timeout=self.timeout))["segments"]

    def identify_live(self, samples, sample_rate, chunk_seconds=0.25, **options):
        """The answers, each as soon as it comes."""
        requests = self._stream(self.messages.IdentifyStreamRequest, samples, sample_rate,
                                chunk_seconds, options)
        for response in self.retrieval.IdentifyLive(requests, timeout=self.timeout):
            yield to_dict(response)

    def align(self, content, excerpt=None, **options):
        """When what is played in a recording; `options` say of which score, if it is known."""
        request = self.messages.AlignRequest(audio={"file": content}, options=options,
                                             excerpt=excerpt)
        return to_dict(self.retrieval.Align(request, timeout=self.timeout))

    def align_long(self, samples, sample_rate, chunk_seconds=1.0, **options):
        """The same for a recording of any length."""
        requests = self._stream(self.messages.AlignStreamRequest, samples, sample_rate,
                                chunk_seconds, {"align": options})
        return to_dict(self.retrieval.AlignLong(requests, timeout=self.timeout))

    def follow(self, samples, sample_rate, chunk_seconds=0.02, **options):
        """Where the music is in a score, each answer as soon as it comes. A place that is not known
        is left out."""
        requests = self._stream(self.messages.FollowRequest, samples, sample_rate, chunk_seconds,
                                options)
        for response in self.retrieval.Follow(requests, timeout=self.timeout):
            yield to_dict(response)

    def transcribe(self, content, **options):
        request = self.messages.TranscribeRequest(audio={"file": content}, **options)
        return to_dict(self.retrieval.Transcribe(request, timeout=self.timeout))

    def pieces(self, filter_text="", page_size=20):
        """All pages, one after the other."""
        pieces, token = [], ""
        while True:
            request = self.catalog_messages.ListPiecesRequest(filter=filter_text,
                                                              page_size=page_size, page_token=token)
            page = self.catalog.ListPieces(request, timeout=self.timeout)
            pieces += [to_dict(piece) for piece in page.pieces]
            token = page.next_page_token
            if not token:
                return pieces

    def piece(self, piece_id):
        request = self.catalog_messages.GetPieceRequest(piece_id=piece_id)
        return to_dict(self.catalog.GetPiece(request, timeout=self.timeout))

    def recordings(self, filter_text="", page_size=20):
        """All pages, one after the other."""
        recordings, token = [], ""
        while True:
            request = self.catalog_messages.ListRecordingsRequest(filter=filter_text,
                                                                  page_size=page_size,
                                                                  page_token=token)
            page = self.catalog.ListRecordings(request, timeout=self.timeout)
            recordings += [to_dict(recording) for recording in page.recordings]
            token = page.next_page_token
            if not token:
                return recordings

    def recording(self, recording_id):
        request = self.catalog_messages.GetRecordingRequest(recording_id=recording_id)
        return to_dict(self.catalog.GetRecording(request, timeout=self.timeout))["recording"]

    def new_piece(self, piece_id, midi, **fields):
        """The request that adds a piece."""
        return self.catalog_messages.AddPieceRequest(piece={"id": piece_id, **fields},
                                                     score={"midi": midi})

    def add_piece(self, piece_id, midi, **fields):
        return to_dict(
            self.catalog.AddPiece(self.new_piece(piece_id, midi, **fields),
                                  timeout=self.timeout))["piece"]

    def add_pieces(self, requests):
        """The answers to an iterable of requests, each as soon as it comes."""
        for response in self.catalog.AddPieces(iter(requests), timeout=self.timeout):
            yield to_dict(response)

    def update_piece(self, piece_id, midi=None, **fields):
        if midi is not None:
            fields["score"] = {"midi": midi}
        request = self.catalog_messages.UpdatePieceRequest(piece_id=piece_id, **fields)
        return to_dict(self.catalog.UpdatePiece(request, timeout=self.timeout))["piece"]

    def delete_piece(self, piece_id, **fields):
        request = self.catalog_messages.DeletePieceRequest(piece_id=piece_id, **fields)
        return to_dict(self.catalog.DeletePiece(request, timeout=self.timeout))

    def add_recording(self, recording_id, audio_file, **fields):
        request = self.catalog_messages.AddRecordingRequest(
            recording={"id": recording_id, **fields}, audio_file=audio_file)
        return to_dict(self.catalog.AddRecording(request, timeout=self.timeout))["recording"]

    def update_recording(self, recording_id, **fields):
        request = self.catalog_messages.UpdateRecordingRequest(recording_id=recording_id, **fields)
        return to_dict(self.catalog.UpdateRecording(request, timeout=self.timeout))["recording"]

    def delete_recording(self, recording_id, **fields):
        request = self.catalog_messages.DeleteRecordingRequest(recording_id=recording_id, **fields)
        return to_dict(self.catalog.DeleteRecording(request, timeout=self.timeout))

    def snippet(self, **fields):
        """The response itself: its content is bytes."""
        return self.catalog.GetSnippet(self.catalog_messages.GetSnippetRequest(**fields),
                                       timeout=self.timeout)

    def status(self):
        return to_dict(self.admin.Status(self.admin_messages.StatusRequest(), timeout=self.timeout))

    def reload(self):
        return to_dict(self.admin.Reload(self.admin_messages.ReloadRequest(), timeout=self.timeout))

    def merge(self):
        return to_dict(self.admin.Merge(self.admin_messages.MergeRequest(), timeout=self.timeout))

    def snapshot(self, name):
        return to_dict(
            self.admin.Snapshot(self.admin_messages.SnapshotRequest(name=name),
                                timeout=self.timeout))

    def snapshots(self, **fields):
        request = self.admin_messages.ListSnapshotsRequest(**fields)
        return to_dict(self.admin.ListSnapshots(request, timeout=self.timeout))

    def delete_snapshot(self, name):
        request = self.admin_messages.DeleteSnapshotRequest(name=name)
        return to_dict(self.admin.DeleteSnapshot(request, timeout=self.timeout))

    def restore(self, name):
        return to_dict(
            self.admin.Restore(self.admin_messages.RestoreRequest(name=name), timeout=self.timeout))
