#!/usr/bin/env python3
"""Writes manual pages and completions for bash from what the programs say of themselves.

    scripts/generate_pages.py --bin DIR --man DIR --completions DIR

Asks each program, and each of its commands, for --help.
"""
import argparse
import gzip
import pathlib
import re
import subprocess

SECTIONS = {"antiphon": 1, "antiphon-trainer": 1, "antiphon-server": 8}
WHAT = {
    "antiphon": "asks an antiphon-server for the score of a sound and the sound of a score",
    "antiphon-trainer": "trains, measures and indexes for antiphon-server",
    "antiphon-server": "finds the score for a sound and the sound for a score, over gRPC",
}
OPTION = re.compile(r"^  (-\S.*?)(?:  +(\S.*))?$")
COMMAND = re.compile(r"^  ([a-z][\w-]*)  +(\S.*)$")


class Help:
    """What `PROGRAM WORD... --help` says, taken apart."""

    def __init__(self, program, words):
        self.words = words
        text = subprocess.run([program, *words, "--help"], capture_output=True, text=True,
                              check=True).stdout
        self.text = text.rstrip("\n")
        self.about = text.split("Usage:")[0].strip()
        usage = re.search(r"Usage: (.*)", text)
        self.usage = usage.group(1) if usage else pathlib.Path(program).name
        self.options, self.commands = [], []
        part = ""
        for line in text.splitlines():
            if re.match(r"^\S.*:$", line):
                part = line[:-1]
            elif part == "Subcommands" and (found := COMMAND.match(line)):
                self.commands.append((found[1], found[2]))
            elif part and line.startswith("  -") and (found := OPTION.match(line)):
                self.options.append([found[1], found[2] or ""])
            elif part == "Options" and line.startswith("        ") and self.options:
                self.options[-1][1] = (self.options[-1][1] + " " + line.strip()).strip()
            elif not line.strip():
                part = part if part in ("Options", "Subcommands") else ""

    def flags(self):
        """"--server" of "--server HOST:PORT=127.0.0.1:50051 (Env:ANTIPHON_SERVER)"."""
        found = []
        for spelling, _ in self.options:
            names = re.sub(r"\{[^}]*\}", "", spelling.split(" ")[0])
            found += [name for name in names.split(",") if name.startswith("-")]
        return found


def all_help(program, words=()):
    page = Help(program, list(words))
    pages = [page]
    for command, _ in page.commands:
        pages += all_help(program, [*words, command])
    return pages


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line
                     for line in text.splitlines())


def manual(name, pages, version):
    number = SECTIONS[name]
    lines = [f'.TH {name.upper()} {number} "" "Antiphon {version}" "Antiphon"', ".SH NAME",
             f"{name} \\- {WHAT[name]}", ".SH SYNOPSIS", f".B {name}",
             roff(pages[0].usage.split(" ", 1)[1]), ".SH DESCRIPTION", roff(pages[0].about)]
    for page in pages:
        title = " ".join([name, *page.words])
        if page.words:
            lines += [f".SH {roff(title).upper()}", roff(page.about), ".PP",
                      f".B {roff(page.usage)}"]
        else:
            lines += [".SH OPTIONS"]
        for spelling, meaning in page.options:
            lines += [".TP", f".B {roff(spelling)}", roff(meaning) or "\\&"]
        if not page.words:
            after = pages[0].text.split("\n\n")
            lists = re.compile(r"(Options|Subcommands|Positionals):")
            rest = [part for part in after[1:] if not lists.match(part)]
            if rest:
                lines += [".SH NOTES", ".nf", roff("\n\n".join(rest).strip("\n")), ".fi"]
    others = [f".BR {other} ({SECTIONS[other]})" for other in SECTIONS if other != name]
    lines += [".SH SEE ALSO", ",\n".join(others)]
    return "\n".join(lines) + "\n"


def completion(name, pages):
    """The words of the command line so far choose the list: commands, then options or files."""
    function = "_" + name.replace("-", "_")
    cases = []
    for page in pages:
        key = " ".join(page.words)
        words = [command for command, _ in page.commands] + page.flags()
        cases.append(f"    '{key}') words='{' '.join(words)}' ;;")
    commands = sorted({word for page in pages for word, _ in page.commands})
    return "\n".join([
        f"# Completions of {name} for bash.", f"{function}() {{",
        "  local current=${COMP_WORDS[COMP_CWORD]} path='' word words", "  COMPREPLY=()",
        "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do",
        "    case $word in -*) continue ;; esac",
        f"    case ' {' '.join(commands)} ' in",
        "      *\" $word \"*) path=\"${path:+$path }$word\" ;;", "    esac",
        "  done", "  case $path in", *cases, "    *) words='' ;;", "  esac",
        "  if [[ $current == -* || $words != -* && $current != */* ]]; then",
        "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")", "  fi",
        "  if [[ $current != -* ]]; then",
        "    local files", "    mapfile -t files < <(compgen -f -- \"$current\")",
        "    COMPREPLY+=(\"${files[@]}\")", "  fi", "}",
        f"complete -o filenames -F {function} {name}", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--man", type=pathlib.Path, required=True)
    parser.add_argument("--completions", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    for name, number in SECTIONS.items():
        program = arguments.bin / name
        version = subprocess.run([program, "--version"], capture_output=True, text=True,
                                 check=True).stdout.split()[1]
        pages = all_help(program)
        folder = arguments.man / f"man{number}"
        folder.mkdir(parents=True, exist_ok=True)
        page = manual(name, pages, version)
        with open(folder / f"{name}.{number}.gz", "wb") as file:
            file.write(gzip.compress(page.encode(), 9, mtime=0))
        arguments.completions.mkdir(parents=True, exist_ok=True)
        (arguments.completions / name).write_text(completion(name, pages), encoding="utf-8")


if __name__ == "__main__":
    main()
