"""Every score below folders read or refused with a reason, and what the greatest cost.

    tests/oracles/corpus_survey.py lieder quartets orchestra chorales violin asap-xml
"""
import collections
import json
import os
import re
import subprocess
import sys
import time

import scores

ENDINGS = {".mxl", ".musicxml", ".xml", ".krn", ".kern", ".abc"}
SHOWN = 5


def counts_of(options, paths):
    """What score_notes says of each, without the notes."""
    with subprocess.Popen([options.score_notes, "--summary", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, encoding="utf-8") as program:
        for path in paths:
            program.stdin.write(f"{path}\n")
            program.stdin.flush()
            tunes = 1
            while tunes > 0:
                begin = time.monotonic()
                score = json.loads(program.stdout.readline())
                score["seconds"] = time.monotonic() - begin
                tunes = score["tunes"] - score["tune"]
                yield path, score
        program.stdin.close()


def alone(options, path):
    """Seconds and MiB of a process that reads and plays just this file."""
    begin = time.monotonic()
    with subprocess.Popen([options.score_notes, "--summary", str(path)],
                          stdout=subprocess.DEVNULL) as program:
        _, _, usage = os.wait4(program.pid, 0)
        program.returncode = 0
    return time.monotonic() - begin, usage.ru_maxrss / 1024


def survey(options, folder):
    """Counts of one folder; the files that take longest, as (seconds, path, score)."""
    options.folder = [folder]
    paths = scores.files_of(options, ENDINGS)
    counts, reasons, costs = collections.Counter(), collections.defaultdict(list), []
    begin = time.monotonic()
    for path, score in counts_of(options, paths):
        counts["scores"] += 1
        if "error" in score:
            counts["refused"] += 1
            reasons[re.sub(r"\d+", "N", score["error"])].append(path.name)
            continue
        counts["read"] += 1
        counts["notes"] += score["notes"]
        counts["warned"] += bool(score["warnings"])
        costs.append((score["seconds"], path, score))
    print(f"{folder}: {len(paths)} files, {counts['scores']} scores: {counts['read']} read, of "
          f"them {counts['warned']} with warnings, {counts['refused']} refused; "
          f"{counts['notes']:,} notes played, {time.monotonic() - begin:.1f} s")
    for reason, names in sorted(reasons.items(), key=lambda item: -len(item[1])):
        print(f"    {len(names)} refused: {reason} ({', '.join(names[:3])})")
    return costs


def main():
    options = scores.parser(__doc__, share=0)
    options = options.parse_args()
    if not os.path.exists(options.score_notes):
        scores.skip(f"{options.score_notes} is not built")
    costs = []
    for folder in list(options.folder):
        costs += survey(options, folder)
    # What takes long, or is large, may be what takes most memory.
    by_time = sorted(costs, key=lambda cost: cost[0], reverse=True)[:4 * SHOWN]
    by_notes = sorted(costs, key=lambda cost: cost[2]["notes"], reverse=True)[:4 * SHOWN]
    greatest = {path: score for _, path, score in by_time + by_notes}
    measured = [(*alone(options, path), path, score) for path, score in greatest.items()]
    for what, key in (("longest", 0), ("most memory", 1)):
        print(f"{what}:")
        for row in sorted(measured, key=lambda row: row[key], reverse=True)[:SHOWN]:
            seconds, mebibytes, path, score = row
            size = path.stat().st_size / 1024
            print(f"    {seconds:.2f} s, {mebibytes:.0f} MiB, of {size:.0f} KiB, "
                  f"{score['parts']} parts, {score['bars']:,} bars and {score['notes']:,} notes "
                  f"played: {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
