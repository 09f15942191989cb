"""Tests of blocks.py and, with a stand-in for a program, of programs.py."""

import pathlib
import tempfile
import unittest

import blocks
import programs

DOCUMENT = """# Title

Text with `a span` and a `span that
is wrapped`, a [link](other.md#part) and a [`link of code`](folder/).

## Use it, *twice*

<!-- not run: needs a network -->

```sh
fetch --all
```

A list:

1. First:

   ```console
   $ ask --one \\
     --two
   an answer
   $ ask again
   …
   ```

```
output
```
"""


class BlocksTest(unittest.TestCase):
    def setUp(self):
        self.blocks = blocks.blocks("a.md", DOCUMENT)

    def test_finds_language_section_and_first_line(self):
        self.assertEqual([(block.language, block.line) for block in self.blocks],
                         [("sh", 11), ("console", 19), ("", 27)])
        self.assertEqual({block.section for block in self.blocks}, {"Use it, *twice*"})

    def test_marker_holds_for_the_next_block_only(self):
        self.assertEqual([block.not_run for block in self.blocks], ["needs a network", "", ""])

    def test_marker_does_not_reach_over_text(self):
        block, = blocks.blocks("a.md", "<!-- not run: why -->\ntext\n```sh\nls\n```\n")
        self.assertEqual(block.not_run, "")

    def test_session_pairs_commands_with_output(self):
        self.assertEqual(blocks.session(self.blocks[1]),
                         [("ask --one \\\n  --two", ["an answer"]), ("ask again", ["…"])])

    def test_spans_and_links_may_be_wrapped(self):
        self.assertEqual([span for _, span in blocks.spans(DOCUMENT)],
                         ["a span", "span that is wrapped", "link of code"])
        self.assertEqual([target for _, target in blocks.links(DOCUMENT)],
                         ["other.md#part", "folder/"])

    def test_anchors_are_those_of_github(self):
        self.assertEqual(blocks.anchors(DOCUMENT + "\n# Title\n"),
                         {"title", "use-it-twice", "title-1"})


class CommandsTest(unittest.TestCase):
    def check(self, code, *commands):
        self.assertEqual(blocks.simple_commands(code), [command.split() for command in commands])

    def test_lines_pipes_and_comments(self):
        self.check("one a \\\n  b  # why\n# only a comment\ntwo |\n  three && four; five\n",
                   "one a b", "two", "three", "four", "five")

    def test_redirections_and_assignments_are_no_words(self):
        self.check("A=b one < in > out 2>&1\ntwo >> out &\n", "one", "two")

    def test_substitutions_are_commands(self):
        self.check('one "$(two < in)" --three="$(four)"',
                   "two", "four", "one SUBSTITUTION --three=SUBSTITUTION")


class ProgramsTest(unittest.TestCase):
    HELP = """#!/bin/sh
case "$1" in
  piece) printf 'Options:\\n  -h,--help  Help\\n  --id ID    Not --other\\n' ;;
  *) printf 'Options:\\n  -h,--help\\n  --json\\nSubcommands:\\n  piece   One\\n' ;;
esac
"""

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        program = pathlib.Path(folder) / "bin/antiphon"
        program.parent.mkdir()
        program.write_text(self.HELP, encoding="ascii")
        program.chmod(0o755)
        self.programs = programs.Programs(folder, folder)

    def fault(self, command):
        return self.programs.fault(command.split())

    def test_accepts_options_of_the_program_and_of_the_subcommand(self):
        for command in ("antiphon piece --id x --json", "build/release/bin/antiphon --json piece x",
                        "antiphon COMMAND --help", "antiphon piece --id=x"):
            self.assertEqual(self.fault(command), "", command)

    def test_refuses_what_help_does_not_list(self):
        self.assertIn("no option --other", self.fault("antiphon piece --other"))
        self.assertIn("no option --id", self.fault("antiphon --id x piece"))
        self.assertIn("no subcommand pieces", self.fault("antiphon pieces"))
        self.assertIn("there is no scripts/gone.sh", self.fault("scripts/gone.sh"))

    def test_says_nothing_of_other_programs(self):
        self.assertIsNone(self.fault("docker build -t antiphon ."))


if __name__ == "__main__":
    unittest.main(verbosity=2)
