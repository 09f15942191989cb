#!/usr/bin/env python3
"""Asks a running antiphon-server which piece each recording of a folder is, whole and in random
excerpts.

A recording is named PIECE_ROOM.flac; it is right when the first candidate's id ends in PIECE and
the verdict is a match. Recordings whose PIECE is not in the collection are reported apart: for them
"no match" is right. Figures come last.

    scripts/measure_recordings.py --client build/release/bin/antiphon --excerpt 10 --count 10 \\
        RECORDINGS
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import wave


def ask(arguments, *command):
    result = subprocess.run([arguments.client, "--server", arguments.server, "--json", *command],
                            capture_output=True, text=True, check=False)
    if result.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}: {result.stdout}{result.stderr}")
    return [json.loads(line) for line in result.stdout.splitlines()]


def duration_of(path):
    if path.suffix == ".wav":
        with wave.open(str(path)) as file:
            return file.getnframes() / file.getframerate()
    # A FLAC file's first metadata block, STREAMINFO: 20 bits of sample rate and 36 bits of sample
    # count from byte 18 on.
    with open(path, "rb") as file:
        head = file.read(26)
    if head[:4] != b"fLaC":
        sys.exit(f"{path} is neither WAV nor FLAC")
    bits = int.from_bytes(head[18:26], "big")
    return (bits & (1 << 36) - 1) / (bits >> 44)


def identify(arguments, path, start=None, length=None):
    """(is it a match, the first candidate or None)"""
    command = ["identify", str(path)]
    if length is not None:
        command += ["--start", f"{start:.3f}", "--length", f"{length:.3f}"]
    answer = ask(arguments, *command)[0]
    candidates = answer["candidates"]
    return answer["verdict"] == "VERDICT_MATCH", candidates[0] if candidates else None


def is_piece(candidate, piece):
    return candidate is not None and candidate["source"]["id"].split("__")[-1] == piece


def share(hits):
    return f"{sum(hits)} of {len(hits)} ({sum(hits) / max(1, len(hits)):.3f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=pathlib.Path)
    parser.add_argument("--client", default="antiphon", help="the command line client")
    parser.add_argument("--server", default="127.0.0.1:50051")
    parser.add_argument("--excerpt", type=float, default=10, help="seconds")
    parser.add_argument("--count", type=int, default=10, help="excerpts of each recording")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    ids = set()
    for page in ask(arguments, "pieces"):
        ids.update(piece["id"].split("__")[-1] for piece in page["pieces"])
    generator = random.Random(arguments.seed)
    whole, named, excerpts, first, unknown, refused = [], [], [], [], 0, 0
    for path in sorted(arguments.recordings.glob("*.flac")) + sorted(
            arguments.recordings.glob("*.wav")):
        piece = path.stem.rsplit("_", 1)[0]
        latest = max(0, duration_of(path) - arguments.excerpt)
        starts = [generator.uniform(0, latest) for _ in range(arguments.count)]
        match, candidate = identify(arguments, path)
        parts = [identify(arguments, path, start, arguments.excerpt) for start in starts]
        hits = [is_piece(part, piece) for _, part in parts]
        print(
            f"{path.stem:28} whole: {'match' if match else 'no match'}"
            f" {candidate['source']['id'] if candidate else '-'}"
            f" ({candidate['confidence'] if candidate else 0:.2f}),"
            f" excerpts first: {sum(hits)}/{len(hits)},"
            f" named: {sum(hit and verdict for hit, (verdict, _) in zip(hits, parts))}/{len(hits)}",
            flush=True)
        if piece in ids:
            whole.append(match and is_piece(candidate, piece))
            first += hits
            named += [hit and verdict for hit, (verdict, _) in zip(hits, parts)]
        else:
            unknown += 1 + len(parts)
            refused += (not match) + sum(not verdict for verdict, _ in parts)
    if not whole and not unknown:
        sys.exit(f"{arguments.recordings} has no .flac or .wav file")
    print(f"whole recordings named: {sum(whole)} of {len(whole)}")
    excerpts = f"{arguments.excerpt:g}-s excerpts"
    print(f"{excerpts}, right piece first: {share(first)}")
    print(f"{excerpts}, named (a match, and right): {share(named)}")
    if unknown:
        print("queries of pieces not in the collection, answered \"no match\": "
              f"{refused} of {unknown}")


if __name__ == "__main__":
    main()
