"""Tests scripts/measure_structure.py and its modules on small snippets."""
import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

# pylint: disable=wrong-import-position
import measure_structure
from structure import patterns
from structure.cpp import Source
from structure.tree import Tree, is_test


def function_names(text):
    return [function.name for function in Source(text).functions()]


def forwards(text):
    return [(forward.name, forward.pure) for forward in patterns.forwards(Source(text))]


def status_returns(text):
    return [(found.line, found.unchanged) for found in patterns.status_returns(Source(text))]


class Comments(unittest.TestCase):
    def test_whole_lines_and_trailing_ones_are_told_apart(self):
        source = Source("// whole\nint a;  // trailing\n/* two\n   lines */\nint b;\n")
        self.assertEqual(source.comment_lines(), (3, 1))

    def test_strings_and_characters_hold_no_comments(self):
        source = Source('const char* a = "// no";\nchar b = \'"\';\nauto c = R"x(/* no )" )x";\n')
        self.assertEqual(source.comment_lines(), (0, 0))

    def test_digit_separators_open_no_character(self):
        self.assertEqual(Source("int a = 1'000'000;  // yes\n").comment_lines(), (0, 1))

    def test_code_keeps_its_length_and_lines(self):
        text = 'f("a{b", \'}\');  // {\n/* { */ g(R"({)");\n'
        source = Source(text)
        self.assertEqual(len(source.code), len(text))
        self.assertEqual(source.code.count("\n"), text.count("\n"))
        self.assertNotIn("{", source.code)


class Functions(unittest.TestCase):
    def test_free_functions_methods_and_constructors_are_found(self):
        text = """
namespace a {
template <typename T, bool kFlag = true>
T Free(const std::vector<T>& values, int count = 3) noexcept {
  if (count > 0) { return values[0]; }
  return {};
}
struct B : public Base {
 public:
  explicit B(int x) : Base{x}, x_(x), y_{1, 2} { Check(); }
  ~B() override {}
  bool operator==(const B& other) const { return x_ == other.x_; }
  auto Get() const -> absl::StatusOr<int> { return x_; }
  int x_ = 0;
  std::array<int, 2> y_{};
};
}  // namespace a
extern "C" int Entry(const char* data) { return 0; }
"""
        self.assertEqual(function_names(text),
                         ["Free", "B", "~B", "operator==", "Get", "Entry"])

    def test_declarations_tables_and_lambdas_are_not_functions(self):
        text = """
int Declared(int a);
constexpr Row kTable[] = {{1, F(2)}, {3, F(4)}};
const auto kLambda = [](int a) { return a; };
enum class Kind : int { kOne, kTwo };
#define MACRO(x) void x() { }
"""
        self.assertEqual(function_names(text), [])

    def test_length_runs_from_the_declaration_to_the_brace(self):
        found = Source("\nint\nF(int a,\n  int b) {\n  return a;\n}\nint G() { return 1; }\n")
        self.assertEqual([(function.line, function.lines) for function in found.functions()],
                         [(2, 5), (7, 1)])

    def test_lambdas_are_found_wherever_they_are(self):
        text = """
int F(int x) {
  auto a = [&] { return x; };
  auto b = [x](int y) mutable -> int {
    return x + y;
  };
  values[0] = {1};
  [[maybe_unused]] int c = 3;
  return a() + b(1);
}
"""
        self.assertEqual(Source(text).lambdas(), [(3, 1), (4, 3)])


class Forwards(unittest.TestCase):
    def test_the_same_call_on_a_member_is_pure(self):
        for text in ("int A::Get(int x) const { return impl_->Get(x); }",
                     "void A::Stop() { threads_.Stop(); }",
                     "int A::Find(std::string id, const B& b) {\n"
                     "  return view_->scores().Find(std::move(id), b);\n}",
                     "int A::Get(int x, int y) { return retrieval::Get(*parts_, x, y); }"):
            with self.subTest(text):
                self.assertEqual([pure for _, pure in forwards(text)], [True])

    def test_another_name_or_more_arguments_are_a_loose_forward(self):
        for text in ("int A::Find(int id) { return scores_.FindById(id); }",
                     "int A::List(const R& r) { return caller_.Call(&Stub::List, r, kRepeat); }"):
            with self.subTest(text):
                self.assertEqual([pure for _, pure in forwards(text)], [False])

    def test_whatever_does_more_is_no_forward(self):
        for text in ("int A::Get(int x) { return impl_->Get(x + 1); }",
                     "int A::Get(int x, int y) { return impl_->Get(y, x); }",
                     "int A::Get(int x) { Check(x); return impl_->Get(x); }",
                     "int A::Get(int x) { return impl_->Get(x) + 1; }",
                     "int A::Get(int x) { return impl_->Get(7); }",
                     "int A::Get(const B& b) { return b.Get(); }",
                     "int A::Get(int x) { return runner_.Get(x, [](int y) { return y; }); }",
                     "int A::Get(int x) { return Compute(x); }",
                     "int A::Get() { return get_; }"):
            with self.subTest(text):
                self.assertEqual(forwards(text), [])


class StatusReturns(unittest.TestCase):
    def test_a_status_returned_as_it_is(self):
        for text in ("if (!status.ok()) return status;",
                     "if (!text.ok()) return text.status();",
                     "if (!text.ok()) return std::move(text).status();",
                     "if (absl::Status s = F(a, b); !s.ok()) return s;",
                     "if (auto s = F();\n    !s.ok())\n  return s;",
                     "if (!job->status.ok()) {\n  return job->status;\n}"):
            with self.subTest(text):
                self.assertEqual(status_returns(text), [(1, True)])

    def test_a_status_told_in_other_words(self):
        self.assertEqual(status_returns("\nif (!s.ok()) return AtField(s.status(), \"field\");"),
                         [(2, False)])

    def test_other_branches_are_not_counted(self):
        for text in ("if (!s.ok()) continue;",
                     "if (!s.ok()) { Report(s); return s; }",
                     "if (s.ok()) return s;",
                     "if (!s.ok() && late) return s;",
                     "if (!s.ok()) return nullptr;",
                     "// if (!s.ok()) return s;",
                     "#define RETURN_IF_ERROR(e) if (auto s = (e); !s.ok()) return s"):
            with self.subTest(text):
                self.assertEqual(status_returns(text), [])

    def test_uses_of_macros_are_counted_and_their_definitions_are_not(self):
        source = Source("#define RETURN_IF_ERROR(e) F(e)\nRETURN_IF_ERROR(A());\n"
                        "ASSIGN_OR_RETURN(int b, B());  // RETURN_IF_ERROR(\n")
        self.assertEqual(patterns.status_macros(source), 2)


class LockAnnotations(unittest.TestCase):
    def test_each_use_counts(self):
        source = Source("int a ABSL_GUARDED_BY(mutex_);\nvoid F() ABSL_LOCKS_EXCLUDED(mutex_);\n"
                        "// ABSL_GUARDED_BY\nint b ABSL_DEPRECATED;\n")
        self.assertEqual(patterns.lock_annotations(source), 2)


class LongLines(unittest.TestCase):
    def test_the_limit_itself_is_allowed(self):
        self.assertEqual(patterns.long_lines("x" * 100 + "\n" + "ä" * 101), [(2, 101)])

    def test_urls_do_not_count(self):
        url = "https://example.org/" + "x" * 100
        self.assertEqual(patterns.long_lines("// See " + url), [])
        self.assertEqual(patterns.long_lines("y" * 101 + " " + url), [(1, 102)])

    def test_tables_are_exempt_in_markdown_only(self):
        row = "| " + "x" * 100 + " |"
        self.assertEqual(patterns.long_lines(row, markdown=True), [])
        self.assertEqual(patterns.long_lines(row), [(1, 104)])

    def test_what_a_program_printed_is_exempt_in_markdown(self):
        long = "x" * 101
        text = f"```\n{long}\n```\n```sh\n{long}\n```\n{long}"
        self.assertEqual(patterns.long_lines(text, markdown=True), [(5, 101), (7, 101)])


class Kinds(unittest.TestCase):
    def test_test_code_is_known_by_folder_and_name(self):
        for path in ("core/a/b_test.cc", "core/testing/signals.h", "tests/fuzz/seeds.h",
                     "server/fake_store.cc", "core/a/a_benchmark.cc", "server/server_test_util.h"):
            self.assertTrue(is_test(path), path)
        for path in ("core/a/b.cc", "trainer/evaluation/test_set.h", "core/contest.h"):
            self.assertFalse(is_test(path), path)

    def test_languages(self):
        with tempfile.TemporaryDirectory() as folder:
            files = {"run": "#!/usr/bin/env bash\n", "LICENSE": "Apache\n", "a.json": "{}\n",
                     "CMakeLists.txt": "", "b.cc": "", "packages.txt": ""}
            for name, text in files.items():
                (pathlib.Path(folder) / name).write_text(text, encoding="utf-8")
            tree = Tree.of_folder(folder)
            self.assertEqual({path: tree.language(path) for path in tree.paths},
                             {"run": "shell", "LICENSE": None, "a.json": None,
                              "CMakeLists.txt": "CMake", "b.cc": "C++", "packages.txt": None})


class Script(unittest.TestCase):
    """The script itself, on a repository of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.git("init", "-q")

    def git(self, *command):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *command],
                       cwd=self.root, check=True, stdout=subprocess.DEVNULL)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def run_script(self, *arguments):
        """(exit code, standard output, standard error)"""
        out, err = io.StringIO(), io.StringIO()
        with unittest.mock.patch.object(measure_structure, "ROOT", self.root), \
                unittest.mock.patch.object(sys, "argv", ["measure_structure.py", *arguments]), \
                contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = measure_structure.main()
        return code, out.getvalue(), err.getvalue()

    def test_a_good_tree_passes(self):
        self.write("core/a.cc", "int F() {\n  return 1;\n}\n")
        code, out, err = self.run_script("--check")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("1 (core)", out)

    def test_every_limit_can_break(self):
        self.write("core/forwards.cc", "void A::F() { a_.F(); }\n" * 31)
        self.write("core/status.cc",
                   "\nvoid F() {\n" + "  if (!s.ok()) return s;\n" * 21 + "}\n")
        self.write("doc.md", "x" * 101)
        for number in range(46):
            self.write(f"server/f{number}_test.cc", "")
        code, _, err = self.run_script("--check")
        self.assertEqual(code, 1)
        for place in ("core/forwards.cc:31: F", "core/status.cc:3: ", "doc.md:1: 101 columns",
                      "server: 46 C++ files"):
            self.assertIn(place, err)

    def test_the_limits_themselves_are_allowed(self):
        self.write("core/forwards.cc", "void A::F() { a_.F(); }\n" * 30)
        self.write("core/status.cc", "void F() {\n" + "  if (!s.ok()) return s;\n" * 20 + "}\n")
        for number in range(45):
            self.write(f"server/f{number}.h", "")
        self.assertEqual(self.run_script("--check")[0], 0)

    def test_a_commit_is_measured_as_it_was(self):
        self.write("core/a.cc", "int a;\n")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "one")
        self.write("core/a.cc", "int a;\nint b;\n")
        self.assertIn('"lines": 1,', self.run_script("--ref", "HEAD", "--json")[1])
        self.assertIn('"lines": 2,', self.run_script("--json")[1])


if __name__ == "__main__":
    unittest.main()
