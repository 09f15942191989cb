"""The files of a checkout or of a commit, and their kinds."""
import pathlib
import re
import subprocess

CPP_SUFFIXES = (".cc", ".h")

# Test code by folder and by name. Names in the last line are older than the folders `testing`.
_TEST_FOLDER = re.compile(r"(?:^|/)(?:tests|testing)/")
_TEST_NAME = re.compile(
    r"(?:_test|_benchmark|_fuzz|_test_util|_test_fixture)\.(?:cc|h)$|^fake_"
    r"|^(?:test_signals|test_collection|test_items|live_test_bundle)\.")

_LANGUAGES = {
    ".cc": "C++", ".h": "C++", ".py": "Python", ".sh": "shell", ".md": "Markdown",
    ".cmake": "CMake", ".proto": "proto", ".yaml": "YAML", ".yml": "YAML", ".cff": "YAML",
}
_LANGUAGES_BY_NAME = {
    "CMakeLists.txt": "CMake", ".clang-format": "YAML", ".clang-tidy": "YAML",
    "Dockerfile": "Dockerfile",
}


def is_test(path):
    """Is this file test code: a test, a fake, a test utility, a benchmark or a fuzz target?"""
    return bool(_TEST_FOLDER.search(path) or _TEST_NAME.search(path.rsplit("/", 1)[-1]))


def is_cpp(path):
    return path.endswith(CPP_SUFFIXES)


class Tree:
    """The text files below a root. Paths are relative to it and use slashes."""

    def __init__(self, root, paths):
        self.root = pathlib.Path(root)
        self.paths = sorted(paths)
        self._texts = {}

    @classmethod
    def of_checkout(cls, root):
        """The files that Git tracks and those it could (not ignored), as they are on disk."""
        root = pathlib.Path(root)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root, capture_output=True, check=True, text=True).stdout
        return cls(root, {path for path in listed.split("\0") if path and (root / path).is_file()})

    @classmethod
    def of_commit(cls, root, commit, folder):
        """The files of a commit, written below folder."""
        archive = subprocess.run(["git", "archive", "--format=tar", commit], cwd=root,
                                 stdout=subprocess.PIPE, check=True).stdout
        subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
        return cls.of_folder(folder)

    @classmethod
    def of_folder(cls, root):
        """Every file below root."""
        return cls.of_folder_below(root, ["."])

    @classmethod
    def of_folder_below(cls, root, folders):
        """Every file below some folders of root."""
        root = pathlib.Path(root)
        return cls(root, (path.relative_to(root).as_posix() for folder in folders
                          for path in (root / folder).rglob("*")
                          if path.is_file() and not path.is_symlink()))

    def text(self, path):
        if path not in self._texts:
            self._texts[path] = (self.root / path).read_text(encoding="utf-8")
        return self._texts[path]

    def language(self, path):
        """The language whose lines are held to the limit, or None for data and other files."""
        name = path.rsplit("/", 1)[-1]
        found = _LANGUAGES_BY_NAME.get(name) or _LANGUAGES.get(pathlib.PurePosixPath(name).suffix)
        if found or "." in name:
            return found
        with open(self.root / path, "rb") as file:
            head = file.readline(64)
        return "shell" if re.match(rb"#!.*\b(?:ba|da)?sh\b", head) else None
