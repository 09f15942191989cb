"""A client in Python that knows nothing of Antiphon but its .proto files.

    channel = grpc.insecure_channel("127.0.0.1:50051")
    client = PythonClient(channel, harness.make_stubs())
    print(client.identify(audio_bytes))

Answers are plain dicts with the field names of the .proto.
"""

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

INT64 = (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64)


def to_dict(message):
    """As proto3's JSON, but with 64-bit integers as numbers."""
    fields = json_format.MessageToDict(message, including_default_value_fields=True, preserving_proto_field_name=True)
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

    def pieces(self, filter_text="", page_size=20):
        """All pages, one after the other."""
        pieces, token = [], ""
        while True:
            request = self.catalog_messages.ListPiecesRequest(filter=filter_text, page_size=page_size, page_token=token)
            page = self.catalog.ListPieces(request, timeout=self.timeout)
            pieces += [to_dict(piece) for piece in page.pieces]
            token = page.next_page_token
            if not token:
                return pieces

    def piece(self, piece_id):
        request = self.catalog_messages.GetPieceRequest(piece_id=piece_id)
        return to_dict(self.catalog.GetPiece(request, timeout=self.timeout))

    def snippet(self, **fields):
        """The response itself: its content is bytes."""
        return self.catalog.GetSnippet(self.catalog_messages.GetSnippetRequest(**fields), timeout=self.timeout)

    def status(self):
        return to_dict(self.admin.Status(self.admin_messages.StatusRequest(), timeout=self.timeout))
