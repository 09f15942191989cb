"""HTTP/2 as far as it takes to misbehave: calls whose messages never end, connections that do
nothing. Frames are those of RFC 9113; headers are sent as literals (RFC 7541, 6.2.2)."""

import select
import socket
import ssl
import struct
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_HEADERS, ACK = 4, 1
INITIAL_WINDOW = 65535
MAX_FRAME = 16384


def frame(kind, flags, stream, payload=b""):
    return (struct.pack(">I", len(payload))[1:] + bytes([kind, flags])
            + struct.pack(">I", stream) + payload)


def literal(text):
    data = text.encode()
    assert len(data) < 127
    return bytes([len(data)]) + data


def headers_of(path, more):
    fields = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x"),
              ("content-type", "application/grpc"), ("te", "trailers"), *more]
    return b"".join(b"\0" + literal(name) + literal(value) for name, value in fields)


class Connection:
    """A connection with one call whose message is sent as fast as the server takes it."""

    def __init__(self, port, tls=False):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket)
        self.socket.setblocking(False)
        self.kinds = []  # of the frames that have come
        self.closed = False
        self._windows = {0: INITIAL_WINDOW, 1: INITIAL_WINDOW}
        self._incoming = b""
        self._outgoing = PREFACE + frame(SETTINGS, 0, 0)
        self._left = 0  # of the message
        self.sent = 0

    def ping(self):
        self._outgoing += frame(PING, 0, 0, bytes(8))

    def begin_call(self, path, metadata=(), announce=0, send=0):
        """Announces a message of so many bytes, and will send so many of them."""
        self._outgoing += frame(HEADERS, END_HEADERS, 1, headers_of(path, metadata))
        self._outgoing += frame(DATA, 0, 1, b"\0" + struct.pack(">I", announce))
        self._windows[0] -= 5
        self._windows[1] -= 5
        self._left = send

    def step(self):
        """Sends what may be sent, reads what has come."""
        for part in (self._read, self._write):
            if self.closed:
                return
            try:
                part()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            except OSError:
                self.closed = True

    def _write(self):
        self._fill()
        while self._outgoing:
            count = self.socket.send(self._outgoing[:1 << 18])
            self._outgoing = self._outgoing[count:]
            self._fill()

    def _fill(self):
        while self._left > 0 and len(self._outgoing) < 1 << 18:
            size = min(MAX_FRAME, self._left, self._windows[0], self._windows[1])
            if size <= 0 or self.ended:
                return
            self._outgoing += frame(DATA, 0, 1, bytes(size))
            self._left -= size
            self.sent += size
            self._windows[0] -= size
            self._windows[1] -= size

    def _read(self):
        while True:
            chunk = self.socket.recv(1 << 16)
            if not chunk:
                self.closed = True
                return
            self._incoming += chunk
            while len(self._incoming) >= 9:
                size = int.from_bytes(self._incoming[:3], "big")
                if len(self._incoming) < 9 + size:
                    break
                self._take(self._incoming[3], self._incoming[4],
                           int.from_bytes(self._incoming[5:9], "big"),
                           self._incoming[9:9 + size])
                self._incoming = self._incoming[9 + size:]

    def _take(self, kind, flags, stream, payload):
        self.kinds.append(kind)
        if kind == WINDOW_UPDATE and stream in self._windows:
            self._windows[stream] += int.from_bytes(payload, "big")
        elif kind == PING and not flags & ACK:
            self._outgoing += frame(PING, ACK, 0, payload)
        elif kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack(">HI", payload[at:at + 6])
                if name == 4:  # INITIAL_WINDOW_SIZE
                    self._windows[1] += value - INITIAL_WINDOW
            self._outgoing += frame(SETTINGS, ACK, 0)

    @property
    def ended(self):
        """Whether the server has ended the call, or the connection."""
        return self.closed or HEADERS in self.kinds or RST_STREAM in self.kinds

    def close(self):
        self.socket.close()


def run(connections, seconds, until=lambda: False):
    """Lets all of them go on for so long, or until something holds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not until():
        alive = [each for each in connections if not each.closed]
        if not alive:
            return
        select.select([each.socket for each in alive], [], [], 0.01)
        for each in alive:
            each.step()
