"""Holds every #include against layers.toml: the arrows between folders, the owners of third-party
headers, and headers that are internal to a folder. Also checks that every source is built.

A header is internal when its opening comment says "Internal to" and one or more names. A name is a
folder of the table ("Internal to core/index."), a folder above some of them ("Internal to core."),
or files in the header's own folder ("Internal to command_line.cc and parse_*.cc."). Only these, the
header's own source and test code may include the header.
"""
import fnmatch
import pathlib
import re
import sys
import tempfile
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = pathlib.Path(__file__).resolve().parent / "layers.toml"
sys.path.insert(0, str(ROOT / "scripts"))

# pylint: disable=wrong-import-position
from structure.cpp import Source
from structure.tree import Tree, is_cpp, is_test

_NAME = r"[\w*](?:[\w*./]*[\w*])?"
_INTERNAL = re.compile(rf"\bInternal to (?P<names>{_NAME}"
                       rf"(?:(?:, and |, | and )(?=[\w*]*[./*]){_NAME})*)")
_STANDARD = re.compile(r"[a-z_]+|(?:assert|errno|math|std\w+|string|time)\.h")


def folder_of(path):
    return path.rpartition("/")[0]


def starts_with_any(name, beginnings):
    return any(name.startswith(beginning) for beginning in beginnings)


def internal_names(comment):
    """The folders and files that an opening comment keeps its header to; none for a public one."""
    match = _INTERNAL.search(comment)
    return re.split(r", and |, | and ", match["names"]) if match else []


class Layers:
    """The table, as layers.toml has it."""

    def __init__(self, table):
        self.roots = table["roots"]
        self.arrows = table["arrows"]
        self.support = table["tests"]["support"]
        self.test_arrows = table["tests"].get("arrows", {})
        self.third_party = table["third_party"]
        self.everywhere = table["everywhere"]

    @classmethod
    def of_file(cls, path):
        return cls(tomllib.loads(path.read_text(encoding="utf-8")))

    def problems(self):
        """What is wrong with the table itself."""
        found = []
        arrows = [(folder, to) for table in (self.arrows, self.test_arrows)
                  for folder, targets in table.items() for to in (folder, *targets)]
        owners = [(f"third_party.{name}", folder) for name, entry in self.third_party.items()
                  for folder in entry["folders"] + entry.get("tests", [])]
        supports = [("tests.support", folder) for folder in self.support]
        for where, folder in arrows + owners + supports:
            if folder not in self.arrows:
                found.append(f"layers.toml: {where} names {folder}, which has no arrows")
        if not found:
            found += [f"layers.toml: {folder} reaches itself" for folder in self.arrows
                      if any(folder in self.reach(to) for to in self.arrows[folder])]
        return found

    def reach(self, folder):
        """folder and every folder that arrows lead to from there."""
        reached, waiting = set(), [folder]
        while waiting:
            at = waiting.pop()
            if at not in reached:
                reached.add(at)
                waiting += self.arrows[at]
        return reached

    def allowed(self, folder, test):
        """Every folder that a file of this folder may include."""
        allowed = self.reach(folder)
        if test:
            allowed.update(self.support)
            for to in self.test_arrows.get(folder, []):
                allowed |= self.reach(to)
        return allowed

    def owner(self, header):
        """(name, entry) of the third-party library of a header, or None."""
        for name, entry in self.third_party.items():
            if starts_with_any(header, entry["headers"]):
                return name, entry
        return None


class Check:
    """The problems of a tree, each with its place, the include and the rule."""

    def __init__(self, root, layers):
        self.layers = layers
        self.tree = Tree.of_folder_below(root, layers.roots)
        self.problems = layers.problems()
        self.owners_seen = set()
        self.sources = {path: Source(self.tree.text(path)) for path in self.tree.paths
                        if is_cpp(path)}
        self.internal = {path: internal_names(source.opening_comment())
                         for path, source in self.sources.items() if path.endswith(".h")}
        if not self.problems:
            self._check_folders()
            self._check_internal_names()
            for path, source in self.sources.items():
                if folder_of(path) in layers.arrows:
                    for line, name in source.includes():
                        self._check_include(path, f"{path}:{line}: {name}", name[1:-1])
            self._check_owners()

    def _check_folders(self):
        folders = {folder_of(path) for path in self.sources}
        for folder in sorted(folders - self.layers.arrows.keys()):
            self.problems.append(f"{folder}: this folder is not in layers.toml")
        for folder in sorted(self.layers.arrows.keys() - folders - {"proto"}):
            self.problems.append(f"layers.toml: {folder} has no C++ files")

    def _check_internal_names(self):
        for path, names in self.internal.items():
            for name in list(names):
                folder = any(known == name or known.startswith(name + "/")
                             for known in self.layers.arrows)
                if not folder and not fnmatch.filter(self.sources, f"{folder_of(path)}/{name}"):
                    names.clear()
                    self.problems.append(
                        f'{path}:1: "Internal to {name}": neither a folder of layers.toml (such as '
                        f"{folder_of(path)}) nor files next to the header")

    def _check_include(self, path, place, header):
        top = header.split("/", maxsplit=1)[0]
        if header.startswith(("antiphon/v1/", "opentelemetry/")):
            self._check_arrow(path, place, "proto")
        elif "/" in header and any(root.split("/", maxsplit=1)[0] == top
                                   for root in self.layers.roots):
            if self._check_arrow(path, place, folder_of(header)):
                self._check_internal(path, place, header)
            if is_test(header) and not is_test(path):
                self.problems.append(f"{place}: production code may not include test code")
        else:
            self._check_third_party(path, place, header)

    def _check_arrow(self, path, place, to):
        folder = folder_of(path)
        if to in self.layers.allowed(folder, is_test(path)):
            return True
        arrows = ", ".join(self.layers.arrows[folder]) or "nothing"
        tests = " (in tests, see [tests] too)" if is_test(path) else ""
        self.problems.append(f"{place}: {folder} may not include {to}; layers.toml allows {arrows} "
                             f"and what they reach{tests}")
        return False

    def _check_internal(self, path, place, header):
        names = self.internal.get(header)
        folder = folder_of(path)
        own = path.rpartition(".")[0] == header.rpartition(".")[0]
        if not names or own or is_test(path):
            return
        for name in names:
            if folder == name or folder.startswith(name + "/"):
                return
            if folder == folder_of(header) and fnmatch.fnmatch(path, f"{folder}/{name}"):
                return
        self.problems.append(f"{place}: the header says it is internal to {', '.join(names)}")

    def _check_third_party(self, path, place, header):
        layers, folder = self.layers, folder_of(path)
        if _STANDARD.fullmatch(header) or starts_with_any(header, layers.everywhere["headers"]):
            return
        if starts_with_any(header, layers.everywhere["test_headers"]):
            if not is_test(path):
                self.problems.append(f"{place}: only test code may include this header")
            return
        owner = layers.owner(header)
        if owner is None:
            self.problems.append(f"{place}: layers.toml knows no owner of this header")
            return
        name, entry = owner
        if folder in entry["folders"]:
            if not is_test(path):
                self.owners_seen.add((name, folder))
        elif is_test(path) and folder in entry.get("tests", []):
            self.owners_seen.add((name, folder))
        else:
            owners = ", ".join(entry["folders"]) or "no folder"
            self.problems.append(f"{place}: {name} belongs to {owners}")

    def _check_owners(self):
        for name, entry in self.layers.third_party.items():
            for folder in entry["folders"] + entry.get("tests", []):
                if (name, folder) not in self.owners_seen:
                    self.problems.append(f"layers.toml: third_party.{name} names {folder}, "
                                         "which includes none of its headers")


def unbuilt_sources(root, folders):
    """The .cc files below folders that no CMakeLists.txt of their folder or of one above names.

    A source is named by its path, or by a pattern such as ${name}_test.cc in a file that also holds
    the word that stands for ${name}.
    """
    tree = Tree.of_folder_below(root, folders)
    words, patterns = {}, {}
    lists = [path for path in tree.paths if path.rsplit("/", 1)[-1] == "CMakeLists.txt"]
    if (tree.root / "CMakeLists.txt").is_file():
        lists.append("CMakeLists.txt")
    for path in lists:
        folder, text = folder_of(path), re.sub(r"#[^\n]*", "", tree.text(path))
        words[folder] = set(re.findall(r"[^\s()\"]+", text))
        patterns[folder] = [
            re.compile(re.sub(r"\\\$\\{\w+\\}", "(.+)", re.escape(word)))
            for word in words[folder] if "${" in word and word.endswith(".cc")]

    def is_named(folder, source):
        if source in words.get(folder, ()):
            return True
        matches = (pattern.fullmatch(source) for pattern in patterns.get(folder, ()))
        return any(words[folder].issuperset(match.groups()) for match in matches if match)

    unbuilt = []
    for path in tree.paths:
        if path.endswith(".cc"):
            parts = path.split("/")
            if not any(is_named("/".join(parts[:depth]), "/".join(parts[depth:]))
                       for depth in range(len(parts))):
                unbuilt.append(path)
    return unbuilt


class Layering(unittest.TestCase):
    def test_includes_follow_the_table(self):
        problems = Check(ROOT, Layers.of_file(TABLE)).problems
        if problems:
            self.fail("\n" + "\n".join(problems))

    def test_every_source_is_built(self):
        unbuilt = unbuilt_sources(ROOT, Layers.of_file(TABLE).roots)
        if unbuilt:
            self.fail("no CMakeLists.txt names these:\n" + "\n".join(unbuilt))


def write_tree(root, files):
    for path, text in files.items():
        file = pathlib.Path(root) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


class TheCheckItself(unittest.TestCase):
    """A small tree of two layers, broken in one place at a time."""

    TABLE = {
        "roots": ["core", "tests"],
        "arrows": {"core/low": [], "core/high": ["core/low"], "tests/support": []},
        "tests": {"support": ["tests/support"], "arrows": {"core/low": []}},
        "third_party": {"json": {"headers": ["nlohmann/"], "folders": ["core/high"]}},
        "everywhere": {"headers": ["absl/"], "test_headers": ["gtest/"]},
    }
    FILES = {
        "core/low/a.h": "#include <vector>\n#include \"absl/status/status.h\"\n",
        "core/low/a_test.cc": '#include "core/low/a.h"\n#include "tests/support/s.h"\n',
        "core/high/b.cc": '#include "core/low/a.h"\n#include "core/high/b.h"\n',
        "core/high/b.h": "// Of high. Internal to core/high.\n#include <nlohmann/json.hpp>\n",
        "tests/support/s.h": "#include <gtest/gtest.h>\n",
    }

    def problems(self, files=(), **table):
        with tempfile.TemporaryDirectory() as folder:
            write_tree(folder, {**self.FILES, **dict(files)})
            return Check(folder, Layers({**self.TABLE, **table})).problems

    def assert_problem(self, expected, files=(), **table):
        problems = self.problems(files, **table)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(expected, problems[0])

    def test_a_tree_that_follows_the_table_has_no_problems(self):
        self.assertEqual(self.problems(), [])

    def test_an_upward_include(self):
        self.assert_problem('core/low/c.h:2: "core/high/d.h": core/low may not include core/high',
                            {"core/low/c.h": '// Low.\n#include "core/high/d.h"\n'})

    def test_a_foreign_header(self):
        self.assert_problem("core/low/c.h:1: <nlohmann/json.hpp>: json belongs to core/high",
                            {"core/low/c.h": "#include <nlohmann/json.hpp>\n"})

    def test_an_include_in_a_comment_or_string_is_none(self):
        self.assertEqual(self.problems({"core/low/c.h": '// #include "core/high/d.h"\n/*\n'
                                        '#include "core/high/d.h"\n*/\n'}), [])

    def test_a_header_without_an_owner(self):
        self.assert_problem("knows no owner", {"core/low/c.h": "#include <zlib.h>\n"})

    def test_test_code_in_production(self):
        self.assert_problem("production code may not include test code",
                            {"core/high/c.cc": '#include "core/low/fake_a.h"\n'})
        self.assert_problem("only test code may include",
                            {"core/high/c.cc": "#include <gtest/gtest.h>\n"})

    def test_an_internal_header_elsewhere(self):
        header = {"core/low/c.h": "// C. Used by one thread. Internal to\n// core/low; pure.\n"}
        self.assertEqual(self.problems(header), [])
        include = '#include "core/low/c.h"\n'
        self.assertEqual(self.problems({**header, "core/low/d.cc": include}), [])
        self.assertEqual(self.problems({**header, "core/high/c_test.cc": include}), [])
        self.assert_problem("core/high/c.cc:1: \"core/low/c.h\": the header says it is internal "
                            "to core/low", {**header, "core/high/c.cc": include})

    def test_a_header_internal_to_sources(self):
        header = {"core/low/c.h": "// Internal to c.cc and c_*.cc.\n", "core/low/c.cc": "",
                  "core/low/c_two.cc": '#include "core/low/c.h"\n'}
        self.assertEqual(self.problems(header), [])
        self.assert_problem("core/low/d.cc:1",
                            {**header, "core/low/d.cc": '#include "core/low/c.h"\n'})

    def test_an_internal_header_of_a_folder_that_is_none(self):
        self.assert_problem("neither a folder", {"core/low/c.h": "// C. Internal to retrieval.\n"})

    def test_a_folder_outside_the_table(self):
        self.assert_problem("core/new: this folder is not in layers.toml", {"core/new/a.h": ""})

    def test_a_table_with_a_cycle_or_an_unknown_folder(self):
        arrows = {**self.TABLE["arrows"], "core/low": ["core/high"]}
        self.assertEqual(self.problems(arrows=arrows), [
            "layers.toml: core/low reaches itself", "layers.toml: core/high reaches itself"])
        arrows = {**self.TABLE["arrows"], "core/low": ["core/gone"]}
        self.assert_problem("core/low names core/gone", arrows=arrows)

    def test_an_owner_that_owns_nothing(self):
        json = {"headers": ["nlohmann/"], "folders": ["core/high", "core/low"]}
        self.assert_problem("third_party.json names core/low", third_party={"json": json})

    def test_a_source_that_is_not_built(self):
        files = {
            "CMakeLists.txt": "add(core/low/top.cc)\n",
            "core/CMakeLists.txt":
                "add(low/far.cc)  # lost.cc\nforeach(n far)\nadd(low/${n}_test.cc)\n",
            "core/low/CMakeLists.txt": "add(near.cc)\nforeach(n near)\nadd(${n}_test.cc)\n",
            **{f"core/low/{name}.cc": "" for name in (
                "top", "far", "far_test", "near", "near_test", "lost", "lost_test")},
        }
        with tempfile.TemporaryDirectory() as folder:
            write_tree(folder, files)
            self.assertEqual(unbuilt_sources(folder, ["core"]),
                             ["core/low/lost.cc", "core/low/lost_test.cc"])


if __name__ == "__main__":
    unittest.main()
