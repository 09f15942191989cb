"""What the torture works with, made once below BUILD/torture/material from the integration tests'
material:

    contents/NAME.mid   stretches of songbook pieces, about 14 s each, no two of one piece
    sounds/NAME.flac    some of these as they sound
    queries/NAME.wav    a part of some, played with a soundfont that the model has not heard
    bundle/             the first BASE contents and the first BASE_SOUNDS sounds, indexed
"""

import json
import pathlib
import shutil

import grpc

import harness
import make_material
from python_client import PythonClient

FOLDER = harness.BUILD / "torture" / "material"
MODEL = harness.SOURCE / "models" / "default"

CONTENTS = 44
SOUNDS = 10
BASE = 14
BASE_SOUNDS = 3
SECONDS = 14  # of a content
START = 4
QUERY_START, QUERY_SECONDS = 2, 10


class Material:
    def __init__(self):
        facts = json.loads((FOLDER / "material.json").read_text(encoding="utf-8"))
        self.names = facts["names"]
        self.midi = {
            name: (FOLDER / "contents" / f"{name}.mid").read_bytes() for name in self.names
        }
        self.parts = {name: (FOLDER / "parts" / f"{name}.mid").read_bytes() for name in self.names}
        self.sounds = {
            name: (FOLDER / "sounds" / f"{name}.flac").read_bytes() for name in self.names[:SOUNDS]
        }
        self.queries = {
            name: (FOLDER / "queries" / f"{name}.wav").read_bytes() for name in self.names[:SOUNDS]
        }
        self.base = self.names[:BASE]
        self.base_sounds = self.names[:BASE_SOUNDS]
        self.bundle = FOLDER / "bundle"


def cut_contents(stubs):
    """Writes contents and parts; returns the names, those with the most notes first."""
    catalog = stubs["catalog_pb2"]
    (FOLDER / "contents").mkdir(parents=True)
    (FOLDER / "parts").mkdir()
    with harness.Server() as server:
        client = PythonClient(
            grpc.insecure_channel(server.address, options=[("grpc.enable_http_proxy", 0)]), stubs)

        def cut(piece, start, end):
            request = catalog.GetSnippetRequest(piece_id=piece, start_seconds=start,
                                                end_seconds=end)
            return client.catalog.GetSnippet(request, timeout=harness.CALL_SECONDS).content

        pieces = [piece for piece in client.pieces() if piece["duration_seconds"] > START + SECONDS]
        pieces.sort(key=lambda piece: (-piece["notes"] / piece["duration_seconds"], piece["id"]))
        names = [piece["id"] for piece in pieces[:CONTENTS]]
        for name in names:
            (FOLDER / "contents" / f"{name}.mid").write_bytes(cut(name, START, START + SECONDS))
            (FOLDER / "parts" / f"{name}.mid").write_bytes(
                cut(name, START + QUERY_START, START + QUERY_START + QUERY_SECONDS))
    return names


def make(stubs):
    recording_font = make_material.first_existing(make_material.RECORDING_SOUNDFONTS)
    query_font = make_material.first_existing(make_material.QUERY_SOUNDFONTS)
    names = cut_contents(stubs)
    for folder in ("sounds", "queries", "base", "base_sounds"):
        (FOLDER / folder).mkdir()
    for name in names[:SOUNDS]:
        score = FOLDER / "contents" / f"{name}.mid"
        make_material.trainer("render", score, "-o", FOLDER / "sounds" / f"{name}.flac",
                              "--soundfont", recording_font)
        make_material.trainer("render", score, "-o", FOLDER / "queries" / f"{name}.wav",
                              "--soundfont", query_font, "--tempo-ratio", 1.05, "--start",
                              QUERY_START, "--length", QUERY_SECONDS)
    for name in names[:BASE]:
        shutil.copy(FOLDER / "contents" / f"{name}.mid", FOLDER / "base")
    for name in names[:BASE_SOUNDS]:
        shutil.copy(FOLDER / "sounds" / f"{name}.flac", FOLDER / "base_sounds")
    index(FOLDER / "base", FOLDER / "base_sounds", FOLDER / "bundle")
    (FOLDER / "material.json").write_text(json.dumps({"names": names}), encoding="utf-8")


def index(scores, sounds, bundle):
    """A bundle of a folder of scores and one of recordings, whose ids are the files' names."""
    make_material.trainer("index", "--scores", scores, "--recordings", sounds, "--model", MODEL,
                          "--bundle", bundle)


def load(stubs):
    """The material, made anew where the integration tests' is newer."""
    stamp = FOLDER / "fingerprint"
    current = ((harness.MATERIAL / "fingerprint").read_text(encoding="utf-8") +
               pathlib.Path(__file__).read_text(encoding="utf-8"))
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != current:
        shutil.rmtree(FOLDER, ignore_errors=True)
        make(stubs)
        stamp.write_text(current, encoding="utf-8")
    return Material()
