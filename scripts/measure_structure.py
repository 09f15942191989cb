#!/usr/bin/env python3
"""Measures how the code is laid out: sizes, comments, folders, forwards and the like.

    scripts/measure_structure.py [--ref COMMIT] [--json] [--check]

Measures the checkout, or with --ref any commit. With --check it prints every place that breaks one
of the LIMITS below, as path:line, and exits with 1 when there is one.

Definitions
  production     The .cc and .h files that are not test code. Test code: everything below a folder
                 named tests or testing, and files named *_test, *_benchmark, *_fuzz, *_test_util,
                 *_test_fixture or fake_* (structure/tree.py has the exact patterns).
  lines          All lines, blank ones included. The ratio is test lines to production lines.
  sources        Production .cc files; headers are production .h files. Median and p90 (the 90th
                 percentile) are interpolated between neighbours and rounded.
  function       A function definition at namespace or class scope, or a lambda. Its length counts
                 the lines from its declaration (a lambda's capture) to its closing brace. Lambdas
                 count both by themselves and as lines of the function around them.
  comments       Lines that hold nothing but a comment, as a share of the lines that are not blank;
                 in brackets, with the lines that hold code and a comment too.
  folder         .cc and .h files that lie directly in a folder, tests included.
  long line      More than 100 characters after its URLs are taken out. Rows of Markdown tables, and
                 program output shown in Markdown, are exempt; data (.json, .txt, .abc, ...) is not
                 read. The share is of production lines.
  status return  `if (!x.ok()) return ...` in production code, also behind an initialiser, in braces
                 or on two lines. By hand: returns x or x.status() and nothing else, so that a macro
                 could replace it. Reworded: returns something made of it.
  status macro   A use of RETURN_IF_ERROR or ASSIGN_OR_RETURN in production code.
  forward        A production function whose whole body is one call that passes on every parameter,
                 in order (std::move, std::forward, static_cast, * and & permitted). Pure: a
                 member's method, or a free function that gets members besides, with the function's
                 own name and no other argument. Loose: a call on a member, whatever the method's
                 name and the arguments besides (but no lambda); pure ones included.
  lock           Uses of Abseil's thread safety annotations, in any C++ file.
"""
import argparse
import collections
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

from structure import patterns
from structure.cpp import Source
from structure.tree import Tree, is_cpp, is_test

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONG_FUNCTION = 60
# The exit status in sources without Git, such as an unpacked archive. CTest skips it.
NOT_A_CHECKOUT = 77

LIMITS = {
    "files in a folder": 45,
    "pure forwards": 30,
    "status returns by hand": 20,
    "long lines": 0,
}


def spread(values):
    """Median, 90th percentile and maximum."""
    values = list(values) or [0]
    p90 = statistics.quantiles(values * (1 if len(values) > 1 else 2), n=10, method="inclusive")[-1]
    return {"median": round(statistics.median(values)), "p90": round(p90), "max": max(values)}


def share(part, whole):
    return part / whole if whole else 0.0


class Measurement:
    """What was found in a tree.

    `values` holds the numbers by name; `places` holds (path, line, what), by name of the limit.
    """

    def __init__(self, tree):
        self.tree = tree
        self.values = {}
        self.places = collections.defaultdict(list)
        cpp = [path for path in tree.paths if is_cpp(path)]
        self.sources = {path: Source(tree.text(path)) for path in cpp}
        self.production = {path: source for path, source in self.sources.items()
                           if not is_test(path)}
        self._measure_sizes()
        self._measure_functions()
        self._measure_comments()
        self._measure_folders()
        self._measure_long_lines()
        self._measure_statuses()
        self._measure_forwards()

    def _measure_sizes(self):
        lines = {path: source.lines for path, source in self.sources.items()}
        production = sum(lines[path] for path in self.production)
        tests = sum(lines.values()) - production
        self.values["production"] = {"lines": production, "files": len(self.production)}
        self.values["tests"] = {"lines": tests, "files": len(lines) - len(self.production),
                                "ratio": share(tests, production)}
        for kind, suffix in (("sources", ".cc"), ("headers", ".h")):
            self.values[kind] = spread(
                lines[path] for path in self.production if path.endswith(suffix))

    def _measure_functions(self):
        lengths = []
        for path, source in self.production.items():
            found = [(function.line, function.lines) for function in source.functions()]
            for line, length in found + source.lambdas():
                lengths.append(length)
                if length > LONG_FUNCTION:
                    self.places["long functions"].append((path, line, f"{length} lines"))
        self.values["functions"] = {**spread(lengths), "count": len(lengths),
                                    "long": len(self.places["long functions"])}

    def _measure_comments(self):
        for kind, suffix in (("header comments", ".h"), ("source comments", ".cc")):
            whole = trailing = lines = 0
            for path, source in self.production.items():
                if path.endswith(suffix):
                    found = source.comment_lines()
                    whole, trailing = whole + found[0], trailing + found[1]
                    lines += sum(1 for line in source.text.split("\n") if line.strip())
            self.values[kind] = {"whole": share(whole, lines),
                                 "all": share(whole + trailing, lines)}

    def _measure_folders(self):
        counts = collections.Counter(path.rpartition("/")[0] for path in self.sources)
        self.values["largest folders"] = dict(counts.most_common(3))
        for folder, count in counts.items():
            if count > LIMITS["files in a folder"]:
                self.places["files in a folder"].append((folder, None, f"{count} C++ files"))

    def _measure_long_lines(self):
        by_language = collections.Counter()
        in_production = 0
        for path in self.tree.paths:
            language = self.tree.language(path)
            if language is None:
                continue
            for line, columns in patterns.long_lines(self.tree.text(path), language == "Markdown"):
                by_language[language] += 1
                in_production += path in self.production
                self.places["long lines"].append((path, line, f"{columns} columns"))
        share_of_production = share(in_production, self.values["production"]["lines"])
        self.values["long lines"] = {"production": share_of_production, **by_language}

    def _measure_statuses(self):
        reworded = macros = 0
        for path, source in self.production.items():
            macros += patterns.status_macros(source)
            for found in patterns.status_returns(source):
                if found.unchanged:
                    self.places["status returns by hand"].append(
                        (path, found.line, "a status returned by hand"))
                else:
                    reworded += 1
        self.values["status returns"] = {"by hand": len(self.places["status returns by hand"]),
                                         "reworded": reworded, "macros": macros}

    def _measure_forwards(self):
        for path, source in self.production.items():
            for forward in patterns.forwards(source):
                self.places["loose forwards"].append((path, forward.line, forward.name))
                if forward.pure:
                    self.places["pure forwards"].append((path, forward.line, forward.name))
        self.values["forwards"] = {kind: len(self.places[f"{kind} forwards"])
                                   for kind in ("pure", "loose")}
        self.values["lock annotations"] = sum(map(patterns.lock_annotations, self.sources.values()))

    def broken(self):
        """The places of every limit that is broken. A folder's places are those over the limit."""
        broken = {}
        for name, limit in LIMITS.items():
            places = self.places[name]
            if len(places) > (0 if name == "files in a folder" else limit):
                broken[name] = places
        return broken


def percent(value):
    return f"{100 * value:.1f} %"


def table(values):
    """[(row, text)] for reading."""
    long_lines = dict(values["long lines"])
    production, tests, functions = values["production"], values["tests"], values["functions"]
    statuses, forwards = values["status returns"], values["forwards"]

    def three(name):
        return " / ".join(str(values[name][key]) for key in ("median", "p90", "max"))

    def comments(name):
        return f"{percent(values[name]['whole'])} ({percent(values[name]['all'])})"

    return [
        ("production lines / files", f"{production['lines']:,} / {production['files']}"),
        ("test lines / files, ratio",
         f"{tests['lines']:,} / {tests['files']}, {tests['ratio']:.2f}"),
        ("source median / p90 / max", three("sources")),
        ("header median / p90 / max", three("headers")),
        ("function median / p90 / max", three("functions")),
        (f"functions over {LONG_FUNCTION} lines", f"{functions['long']} of {functions['count']:,}"),
        ("header lines that are comment", comments("header comments")),
        ("source lines that are comment", comments("source comments")),
        ("largest folders", ", ".join(f"{count} ({folder})" for folder, count
                                      in values["largest folders"].items())),
        ("production lines over 100 columns", percent(long_lines.pop("production"))),
        ("all lines over 100 columns", ", ".join(f"{count} {name}" for name, count
                                                 in sorted(long_lines.items())) or "none"),
        ("status returns by hand", f"{statuses['by hand']} (and {statuses['reworded']} reworded)"),
        ("status macros", str(statuses["macros"])),
        ("pure forwards", f"{forwards['pure']} (loosely {forwards['loose']})"),
        ("lock annotations", str(values["lock annotations"])),
    ]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--ref", metavar="COMMIT", help="measure this commit, not the checkout")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.add_argument("--check", action="store_true", help="fail where a limit is broken")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        try:
            if arguments.ref:
                tree = Tree.of_commit(ROOT, arguments.ref, folder)
            else:
                tree = Tree.of_checkout(ROOT)
        except subprocess.CalledProcessError as error:
            print(f"measure_structure.py: nothing is measured: {error}", file=sys.stderr)
            return 2 if arguments.ref or (ROOT / ".git").exists() else NOT_A_CHECKOUT
        measurement = Measurement(tree)
    if arguments.json:
        print(json.dumps(measurement.values, indent=2))
    else:
        for row, text in table(measurement.values):
            print(f"{row:36}{text}")
    if not arguments.check:
        return 0
    broken = measurement.broken()
    for name, places in broken.items():
        print(f"{name}: the limit is {LIMITS[name]}", file=sys.stderr)
        for path, line, what in places:
            print(f"  {path}{f':{line}' if line else ''}: {what}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
