"""Reads Markdown: fenced code blocks, code spans, links and headings, and the commands in them.

Everything here is a pure function of the text; commands_test.py decides what to do with it.
"""

import dataclasses
import re
import shlex

FENCE = re.compile(r"^(\s*)(```+)\s*(\S*)\s*$")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*$")
MARKER = re.compile(r"^\s*<!--\s*not run:\s*(.*?)\s*-->\s*$")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(\s*([^)\s]+)[^)]*\)|!\[[^\]]*\]\(\s*([^)\s]+)[^)]*\)")
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")

OPERATORS = {"|", "||", "&", "&&", ";", "(", ")"}
ASSIGNMENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=")


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced code block. `not_run` is the reason in the marker before it, or empty."""

    document: str  # path in the repository
    line: int  # of its first line of code, from 1
    section: str  # the nearest heading before it
    language: str  # as written after the fence; may be empty
    text: str
    not_run: str

    @property
    def place(self):
        return f"{self.document}:{self.line}"


def _lines(text):
    """Yields (number, line, the fence's language if inside a block else None)."""
    language, fence = None, ""
    for number, line in enumerate(text.splitlines(), 1):
        opened = FENCE.match(line)
        if opened and language is None:
            language, fence = opened.group(3), opened.group(2)
            yield number, line, None
        elif opened and opened.group(2) == fence and not opened.group(3):
            language = None
            yield number, line, None
        else:
            yield number, line, language


def blocks(document, text):
    """The blocks of a document, in order."""
    found, section, marker, open_lines = [], "", "", None
    for number, line, language in _lines(text):
        if language is not None:
            open_lines.append(line)
            continue
        opened = FENCE.match(line)
        if opened and open_lines is None:
            start = (number + 1, opened.group(3), len(opened.group(1)))
            open_lines = []
        elif opened:
            code = "\n".join(code_line[start[2]:] for code_line in open_lines) + "\n"
            found.append(Block(document, start[0], section, start[1], code, marker))
            open_lines, marker = None, ""
        elif line.strip():
            heading, marked = HEADING.match(line), MARKER.match(line)
            section = heading.group(1) if heading else section
            marker = marked.group(1) if marked else ""
    return found


def prose(text):
    """The document's (line number, line) outside of code blocks."""
    return [(number, line) for number, line, language in _lines(text)
            if language is None and not FENCE.match(line)]


def paragraphs(text):
    """Lines of prose joined where a paragraph, a list item or a code span is wrapped."""
    joined, previous = [], -1
    for number, line in prose(text):
        new = not line.strip() or number != previous + 1
        if new or line.startswith(("|", "#")) or re.match(r"\s*([-*]|\d+\.)\s", line):
            joined.append((number, line))
        else:
            joined[-1] = (joined[-1][0], f"{joined[-1][1]} {line.strip()}")
        previous = number
    return joined


def spans(text):
    """The code spans outside of blocks, as (line number, code)."""
    return [(number, span.replace("\\|", "|")) for number, line in paragraphs(text)
            for span in SPAN.findall(line)]


def links(text):
    """The targets of links and images, as (line number, target)."""
    found = []
    for number, line in paragraphs(text):
        without_code = SPAN.sub(lambda span: "x" * len(span.group(0)), line)
        for link in LINK.finditer(without_code):
            found.append((number, link.group(1) or link.group(2)))
    return found


def anchors(text):
    """The names by which GitHub links to the document's headings."""
    names, seen = set(), {}
    for _, line in prose(text):
        heading = HEADING.match(line)
        if heading:
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1)).lower()
            slug = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
            count = seen[slug] = seen.get(slug, -1) + 1
            names.add(slug if count == 0 else f"{slug}-{count}")
    return names


def shell_text(block):
    """The shell code of a block: of a console session, its commands without prompts and output."""
    if block.language == "console":
        return "".join(f"{command}\n" for command, _ in session(block))
    return block.text


def session(block):
    """The commands of a console session, each with the lines of output that are shown for it."""
    found = []
    lines = iter(block.text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command += "\n" + next(lines)
            found.append((command, []))
        elif found:
            found[-1][1].append(line)
    return found


def lines_of(code):
    """Logical lines of shell code: continued ones joined, comments and empty ones left out."""
    joined = re.sub(r"\\\n\s*", " ", code)
    joined = re.sub(r"(\||&&|\|\|)[ \t]*\n\s*", r"\1 ", joined)
    lines = (re.sub(r"(^|\s)#\s.*$", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]


def simple_commands(code):
    """The simple commands of shell code, each a list of words: no assignments, no redirections.

    Command substitutions are commands of their own; in the command around them each stands as a
    word `SUBSTITUTION`.
    """
    found = []
    for line in lines_of(code):
        while inner := re.search(r"\$\(([^()]*)\)", line):
            found += simple_commands(inner.group(1))
            line = line[:inner.start()] + "SUBSTITUTION" + line[inner.end():]
        line = re.sub(r"(^|\s)\d(?=[<>])", r"\1", line)  # the number of what is redirected
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words, skip = [], False
        for word in [*lexer, ";"]:
            if word in OPERATORS:
                if words:
                    found.append(words)
                words, skip = [], False
            elif set(word) <= set("<>&"):
                skip = True  # the file of a redirection follows
            elif skip:
                skip = False
            elif words or not ASSIGNMENT.match(word):
                words.append(word)
    return found
