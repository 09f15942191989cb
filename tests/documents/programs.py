"""What the programs and scripts accept, as their own --help says, and commands held against it."""

import functools
import pathlib
import re
import subprocess

OPTION = re.compile(r"(?<![\w-])(--[A-Za-z][\w-]*|-[A-Za-z])(?![\w-])")
PLACEHOLDER = re.compile(r"^[A-Z][A-Z_]*(\.\.\.)?$|^\.\.\.$|^…$")


class Programs:
    """The programs below `build` and the scripts below `source`."""

    NAMES = ("antiphon", "antiphon-server", "antiphon-trainer")

    def __init__(self, source, build):
        self._source = pathlib.Path(source)
        self._build = pathlib.Path(build)

    @functools.lru_cache(maxsize=None)
    def _help(self, command):
        done = subprocess.run([self._build / "bin" / command[0], *command[1:], "--help"],
                              capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    def options(self, command):
        """Options that a command, a tuple of program and subcommands, accepts."""
        listed = [names for length in range(1, len(command) + 1)
                  for names in re.findall(r"^  (-\S+)", self._help(command[:length]), re.MULTILINE)]
        return {option for names in listed for option in OPTION.findall(names)}

    @functools.lru_cache(maxsize=None)
    def subcommands(self, command):
        listed = re.search(r"^Subcommands:\n((?:  .*\n)+)", self._help(command), re.MULTILINE)
        names = re.findall(r"^  ([a-z][\w-]*)", listed.group(1), re.MULTILINE) if listed else []
        return set(names)

    def all_options(self):
        """Every option of every program and script."""
        found, open_commands = set(), [(name,) for name in self.NAMES]
        while open_commands:
            command = open_commands.pop()
            found |= self.options(command)
            open_commands += [(*command, name) for name in self.subcommands(command)]
        for folder in ("scripts", "tests"):
            for file in [*self._source.glob(f"{folder}/**/*.sh"),
                         *self._source.glob(f"{folder}/**/*.py")]:
                found |= set(OPTION.findall(file.read_text(encoding="utf-8")))
        return found

    def fault(self, words):
        """What is wrong with a command, or "". None where it is no program or script of ours."""
        if re.fullmatch(r"(/usr/bin/)?python3", words[0]) and len(words) > 1:
            words = words[1:]
        program = words[0].removeprefix("./")
        name = program.rsplit("/", 1)[-1]
        if name in self.NAMES and program in (name, f"build/release/bin/{name}"):
            return self._fault_of_program(name, words[1:])
        if re.match(r"^(scripts|tests|\.ci|data)/", program):
            return self._fault_of_script(program, words[1:])
        if re.match(r"^build/\w+/", program):
            return self._fault_of_target(name)
        if name == "cmake":
            return self._fault_of_cmake(words[1:])
        return None

    def _fault_of_program(self, name, arguments):
        command, before = (name,), ""
        for word in arguments:
            if word.startswith("-") and len(word) > 1:
                option = word.split("=")[0]
                if option not in self.options(command):
                    return f"{' '.join(command)} has no option {option}"
            elif word in self.subcommands(command):
                command = (*command, word)
            elif PLACEHOLDER.match(word):
                if len(command) == 1 and self.subcommands(command):
                    return ""  # `antiphon COMMAND --help`
            elif len(command) == 1 and self.subcommands(command) and not before.startswith("-"):
                return f"{name} has no subcommand {word}"
            before = word
        return ""

    def _fault_of_script(self, path, arguments):
        file = self._source / path
        if not file.is_file():
            return f"there is no {path}"
        if not file.stat().st_mode & 0o100 and file.suffix != ".py":
            return f"{path} is not executable"
        accepted = set(OPTION.findall(self._script_help(file)))
        for word in arguments:
            if word.startswith("-") and word.split("=")[0] not in accepted | {"--help"}:
                return f"{path} has no option {word}"
        return ""

    @functools.lru_cache(maxsize=None)
    def _script_help(self, file):
        """What a script says of its options: its --help if it has one, else its text."""
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".py" or "--help" not in text:
            return text
        done = subprocess.run(["bash", file, "--help"], capture_output=True, text=True, timeout=60,
                              check=True)
        return done.stdout

    def _fault_of_target(self, name):
        lists = self._source.glob("**/CMakeLists.txt")
        named = any(re.search(rf"\b{re.escape(name)}\b", file.read_text(encoding="utf-8"))
                    for file in lists)
        return "" if named else f"no CMakeLists.txt names {name}"

    def _fault_of_cmake(self, arguments):
        presets = (self._source / "CMakePresets.json").read_text(encoding="utf-8")
        lists = "".join(file.read_text(encoding="utf-8")
                        for file in [self._source / "CMakeLists.txt",
                                     *self._source.glob("cmake/*.cmake")])
        for option, value in zip(arguments, [*arguments[1:], ""]):
            if option == "--preset" and f'"{value}"' not in presets:
                return f"there is no preset {value}"
            if option == "--build" and value.startswith("build/"):
                if f'"{value.removeprefix("build/")}"' not in presets:
                    return f"no preset builds into {value}"
            variable = re.match(r"-D(\w+)", option)
            if variable and variable.group(1) not in lists:
                return f"there is no CMake variable {variable.group(1)}"
        return ""
