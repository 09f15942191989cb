"""A reader of C++ text: comments, literals, includes and functions, without a compiler.

It knows the lexical grammar (comments, strings, raw strings, digit separators, preprocessor lines)
and finds functions by matching braces. Macros are not expanded.
"""
import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<line_comment>//(?:\\\n|[^\n])*)"
    r"|(?P<block_comment>/\*.*?\*/)"
    r'|(?<!\w)(?:u8|[uUL])?R"(?P<delimiter>[^()\\\s]{0,16})\((?P<raw>.*?)\)(?P=delimiter)"'
    r'|"(?P<string>(?:\\.|[^"\\\n])*)"'
    r"|(?<!\w)\d(?:'?[\w.])*"
    r"|'(?P<character>(?:\\.|[^'\\\n])+)'",
    re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?P<name><[^>\n]+>|"[^"\n]+")', re.MULTILINE)
_TEMPLATE = re.compile(r"\s*template\s*<")
_SCOPE = re.compile(r'\s*(?:(?:inline\s+)?namespace\b|(?:class|struct|union)\b|extern\s*"\s*"\s*$)')
_ACCESS = re.compile(r"\b(?:public|private|protected)\s*$")
_CAPTURE = re.compile(r"(?<![\w\])])\s*\[(?!\[)[^\[\];]*\]\s*")
_LAMBDA_BODY = re.compile(r"\s*(?:mutable\b\s*|noexcept\b\s*)*(?:->[^{};()]+)?\{")


def _blank(text):
    """text with every character but line ends replaced by a space."""
    return re.sub(r"[^\n]", " ", text)


@dataclass(frozen=True)
class Function:
    """A function definition. line is the first line of its declaration, counted from 1."""
    name: str
    parameters: str
    body: str
    line: int
    lines: int


class Source:
    """One C++ file. `code` has the same length and lines as the text, comments and literals blank.

    Quotation marks stay, so that a blank literal can still be told from nothing.
    """

    def __init__(self, text):
        self.text = text
        self.lines = text.count("\n") + (not text.endswith("\n") and text != "")
        self._comments = []  # (begin, end)
        self.code = self._masked()

    def _masked(self):
        pieces, position = [], 0
        for match in _TOKEN.finditer(self.text):
            pieces.append(self.text[position:match.start()])
            if match["line_comment"] is not None or match["block_comment"] is not None:
                self._comments.append(match.span())
                pieces.append(_blank(match[0]))
            else:
                kinds = ("raw", "string", "character")
                kind = next((kind for kind in kinds if match[kind] is not None), None)
                if kind is None:  # a number
                    pieces.append(match[0])
                else:
                    begin, end = (offset - match.start() for offset in match.span(kind))
                    pieces.append(match[0][:begin] + _blank(match[kind]) + match[0][end:])
            position = match.end()
        return "".join(pieces) + self.text[position:]

    def code_without_directives(self):
        """`code` with the preprocessor's lines blank as well."""
        return _DIRECTIVE.sub(lambda match: _blank(match[0]), self.code)

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def comment_lines(self):
        """(lines that hold only a comment, lines that hold code and a comment)"""
        touched = set()
        for begin, end in self._comments:
            first = self.line_of(begin)
            for number, line in enumerate(self.text[begin:end].split("\n"), first):
                if line.strip():
                    touched.add(number)
        code = self.code.split("\n")
        whole = sum(1 for number in touched if not code[number - 1].strip())
        return whole, len(touched) - whole

    def opening_comment(self):
        """The text of the comment lines on top of the file, joined to one line."""
        lines = []
        for line in self.text.split("\n"):
            if not line.startswith("//"):
                break
            lines.append(line.lstrip("/").strip())
        return " ".join(lines)

    def includes(self):
        """[(line, name with its < > or quotation marks)]"""
        found = []
        for match in _INCLUDE.finditer(self.text):
            hash_at = match.start() + match[0].index("#")
            if self.code[hash_at] == "#":
                found.append((self.line_of(hash_at), match["name"]))
        return found

    def functions(self):
        """The functions defined at namespace or class scope.

        Lambdas and local classes belong to the function around them.
        """
        code = self.code_without_directives()
        found = []
        self._read_scope(code, 0, len(code), found)
        return found

    def lambdas(self):
        """[(first line, number of lines)] of the lambdas, from the capture to the closing brace."""
        found = []
        for match in _CAPTURE.finditer(self.code):
            end = match.end()
            if self.code[end:end + 1] == "(":
                end = matching(self.code, end) + 1
            body = _LAMBDA_BODY.match(self.code, end)
            if body:
                first = self.line_of(match.start() + match[0].index("["))
                last = self.line_of(matching(self.code, body.end() - 1))
                found.append((first, last - first + 1))
        return found

    def _read_scope(self, code, position, end, found):
        start = position
        while position < end:
            character = code[position]
            if character == ";" or character == "}":
                start = position + 1
            elif character == ":" and _ACCESS.search(code[start:position]):
                start = position + 1
            elif character == "(":
                position = matching(code, position)
            elif character == "{":
                close = matching(code, position)
                head = code[start:position]
                if _SCOPE.match(_without_template(head)):
                    self._read_scope(code, position + 1, close, found)
                    start = close + 1
                elif is_function_head(head):
                    found.append(self._function(code, start, position, close))
                    start = close + 1
                # Anything else is an initialiser: the declaration goes on behind it.
                position = close
            position += 1

    def _function(self, code, start, brace, close):
        head = code[start:brace]
        begin = start + len(head) - len(head.lstrip())
        name, parameters = _signature(_without_template(head))
        first, last = self.line_of(begin), self.line_of(close)
        return Function(name, parameters, code[brace + 1:close], first, last - first + 1)


def matching(code, position):
    """Offset of the bracket that closes the one at position; the last offset if there is none."""
    opening = code[position]
    closing = {"(": ")", "{": "}", "[": "]", "<": ">"}[opening]
    depth = 0
    for match in re.compile(re.escape(opening) + "|" + re.escape(closing)).finditer(code, position):
        depth += 1 if match[0] == opening else -1
        if depth == 0:
            return match.start()
    return len(code) - 1


def _without_template(head):
    while match := _TEMPLATE.match(head):
        head = head[matching(head, match.end() - 1) + 1:]
    return head


def _flat(head):
    """head with everything in parentheses, square brackets and inner braces left out."""
    result, depth = [], 0
    for character in head:
        depth -= character in ")]}"
        if depth == 0:
            result.append(character)
        depth += character in "([{"
    return "".join(result)


def is_function_head(head):
    """Does a brace behind head open a function's body?"""
    head = _without_template(head)
    if "(" not in head:
        return False
    flat = _flat(head)
    if re.search(r"(?<![=!<>+*/%&|^-])=(?!=)", re.sub(r"\boperator\s*\S+?(?=\()", "", flat)):
        return False
    if re.search(r"\)[^:]*(?<!:):(?!:)", flat):  # in a constructor's list of initialisers
        return head.rstrip()[-1:] in ")}"
    return True


def _signature(head):
    """(name, text between its parentheses) of a function's head."""
    match = re.search(r"(operator\s*(?:\(\s*\)|[^\s(]+)|~?\w+)\s*\(", head)
    opening = match.end() - 1
    return match[1], head[opening + 1:matching(head, opening)]


def split_arguments(text):
    """text split at the commas outside of brackets; empty for empty text."""
    parts, depth, begin = [], 0, 0
    for index, character in enumerate(text):
        depth += (character in "([{<") - (character in ")]}>" and text[index - 1:index] != "-")
        if character == "," and depth == 0:
            parts.append(text[begin:index].strip())
            begin = index + 1
    parts.append(text[begin:].strip())
    return [part for part in parts if part]
