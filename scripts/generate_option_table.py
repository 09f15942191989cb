#!/usr/bin/env python3
"""Writes the table of options in docs/operations.md, as antiphon-server prints it.

    scripts/generate_option_table.py [--check] [SERVER]

SERVER is the program, build/release/bin/antiphon-server by default. With --check the document stays
as it is; the exit status is 1, and the lines that differ are printed, when it is not what the
program says.
"""
import argparse
import difflib
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/operations.md"
BEGIN = "<!-- options: generated -->"
END = "<!-- end of options -->"


def with_table(text, table):
    """The document with this table between its two marks."""
    for mark in (BEGIN, END):
        if text.count(mark) != 1:
            sys.exit(f"{DOCUMENT}: {mark} must be there once")
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}\n\n{table.strip()}\n\n{END}{tail}"


def main():
    parser = argparse.ArgumentParser(description="Writes the table of options in operations.md.")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("server", nargs="?", default=ROOT / "build/release/bin/antiphon-server")
    arguments = parser.parse_args()
    table = subprocess.run([arguments.server, "--print-option-table"], capture_output=True,
                           text=True, check=True).stdout
    there = DOCUMENT.read_text(encoding="utf-8")
    wanted = with_table(there, table)
    if wanted == there:
        return 0
    if not arguments.check:
        DOCUMENT.write_text(wanted, encoding="utf-8")
        return 0
    sys.stdout.writelines(difflib.unified_diff(
        there.splitlines(keepends=True), wanted.splitlines(keepends=True),
        "docs/operations.md", "antiphon-server --print-option-table", n=0))
    print("docs/operations.md is out of date: run scripts/generate_option_table.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
