"""Finds in C++ what the plan of the code is judged by: forwards, status returns, lock annotations.

Also finds long lines, in every language.
"""
import re
from dataclasses import dataclass

from structure.cpp import matching, split_arguments

COLUMNS = 100

_IF = re.compile(r"\bif\s*\(")
_NOT_OK = re.compile(r"(?:^|;)\s*!\s*(?P<tested>[^;]+?)(?:\.|->)ok\(\)$")
_RETURN = re.compile(r"\s*\{?\s*return\b(?P<value>[^;]*);")
_MACRO = re.compile(r"\b(?:RETURN_IF_ERROR|ASSIGN_OR_RETURN)\s*\(")
_LOCK_ANNOTATION = re.compile(
    r"\bABSL_(?:(?:PT_)?GUARDED_BY|(?:EXCLUSIVE|SHARED)_LOCKS_REQUIRED|LOCKS_EXCLUDED"
    r"|ACQUIRED_(?:BEFORE|AFTER)|(?:SCOPED_)?LOCKABLE"
    r"|(?:EXCLUSIVE|SHARED)_(?:LOCK|TRYLOCK)_FUNCTION|UNLOCK_FUNCTION|LOCK_RETURNED"
    r"|ASSERT_(?:EXCLUSIVE|SHARED)_LOCK|NO_THREAD_SAFETY_ANALYSIS)\b")
_CALL = re.compile(
    r"[*&]?(?P<receiver>(?:\w+(?:\(\))?(?:\.|->))*)(?P<method>(?:\w+::)*\w+)(?=\()")
_WRAPPER = re.compile(
    r"(?:std::move|std::forward<[^()]*>|static_cast<[^()]*>)\((.*)\)|[*&](.+)", re.DOTALL)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s)>\"'`]+")


@dataclass(frozen=True)
class StatusReturn:
    """`if (!x.ok()) return value;`. unchanged: value is x, or the status in x, and nothing else."""
    line: int
    unchanged: bool


@dataclass(frozen=True)
class Forward:
    """A function whose body is one call that passes its parameters on; see `forwards`."""
    line: int
    name: str
    pure: bool


def _squeezed(text):
    """text without the spaces that separate nothing."""
    return re.sub(r"\s+(?!\w)|(?<!\w)\s+", "", text.strip())


def status_returns(source):
    """Every `if` that tests one status or StatusOr and returns at once when it is not OK.

    The condition is `!x.ok()`, alone or behind an initialiser; the return is the first statement of
    the branch, on the same line or another, in braces or not. Only returns that mention x count.
    """
    code = source.code_without_directives()
    found = []
    for match in _IF.finditer(code):
        close = matching(code, match.end() - 1)
        test = _NOT_OK.search(_squeezed(code[match.end():close]))
        returned = _RETURN.match(code, close + 1)
        if not test or not returned:
            continue
        tested, value = test["tested"], _squeezed(returned["value"])
        if not re.search(rf"(?<!\w){re.escape(tested)}(?!\w)", value):
            continue
        same = re.fullmatch(
            rf"(?:std::move\()?{re.escape(tested)}\)?(?:(?:\.|->)status\(\))?", value)
        found.append(StatusReturn(source.line_of(match.start()), bool(same)))
    return found


def status_macros(source):
    """How many times the macros are used. Their definitions are directives and do not count."""
    return len(_MACRO.findall(source.code_without_directives()))


def lock_annotations(source):
    return len(_LOCK_ANNOTATION.findall(source.code_without_directives()))


def _parameter_names(parameters):
    names = []
    for parameter in split_arguments(parameters):
        words = re.findall(r"\w+", parameter.split("=")[0])
        names.append(words[-1] if words else "")
    return [] if names == ["void"] else names


def _unwrapped(argument):
    while match := _WRAPPER.fullmatch(argument):
        argument = match[1] or match[2]
    return argument


def _single_call(body):
    """(receiver, method, arguments) where the body is one call and nothing else, else None."""
    statement = re.sub(r"^return\b\s*", "", _squeezed(body))
    match = _CALL.match(statement)
    if not match:
        return None
    close = matching(statement, match.end())
    if statement[close:] != ");":
        return None
    return match["receiver"], match["method"], split_arguments(statement[match.end() + 1:close])


def forwards(source):
    """Functions whose whole body is one call, possibly returned, that passes every parameter on.

    Pure: the call is on a member of the object (or on what it leads to), the method has the
    function's own name, and the arguments are the parameters in their order; or it is a free
    function of the same name that is given members of the object besides. Otherwise (not pure):
    the call is on a member, under any name, with the parameters in order and other arguments
    besides, but no lambda. std::move, std::forward, static_cast, * and & around an argument are
    looked through.
    """
    found = []
    for function in source.functions():
        call = _single_call(function.body)
        if call is None:
            continue
        receiver, method, arguments = call
        names = _parameter_names(function.parameters)
        arguments = [_unwrapped(argument) for argument in arguments]
        if receiver and re.match(r"\w+", receiver)[0] in names or "{" in function.body:
            continue
        passed = [argument for argument in arguments if argument in names]
        if passed != names:
            continue
        same_name = method.rsplit("::", 1)[-1] == function.name
        rest = [argument for argument in arguments if argument not in names]
        if receiver:
            found.append(Forward(function.line, function.name, same_name and not rest))
        elif same_name and names and all(re.fullmatch(r"\w+_", argument) for argument in rest):
            found.append(Forward(function.line, function.name, True))
    return found


def long_lines(text, markdown=False):
    """[(line, columns)] of the lines that are over the limit once their URLs are taken out.

    A column is a character. In Markdown, lines of a table may have any length, and so may what a
    program printed: it stands in a fence that names no language.
    """
    found = []
    output = fenced = False
    for number, line in enumerate(text.split("\n"), 1):
        if markdown and line.lstrip().startswith("```"):
            fenced = not fenced
            output = fenced and line.strip() == "```"
        if len(line) <= COLUMNS or markdown and (output or line.lstrip(" >").startswith("|")):
            continue
        columns = len(_URL.sub("", line))
        if columns > COLUMNS:
            found.append((number, columns))
    return found
