"""Holds scripts, package list, presets, Dockerfile and compose file together, so that none speaks of what another lacks.

Runs the scripts' functions with stand-ins for dpkg-query, apt-get and sudo; installs and compiles nothing.
"""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

try:
    import yaml
except ImportError:
    yaml = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = sorted(ROOT.glob("scripts/*.sh")) + [ROOT / ".ci/run", ROOT / "data/songbook/make_midi.sh"]
LIB = ROOT / "scripts/lib.sh"


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def packages():
    lines = [line for line in read("scripts/packages.txt").splitlines() if line and not line.startswith("#")]
    return [tuple(line.split()) for line in lines]


def bash(code, **environment):
    """Runs code after lib.sh, without a terminal."""
    return subprocess.run(["bash", "-c", f"set -euo pipefail; source {LIB}; {code}"], capture_output=True, text=True,
                          check=False, env={**os.environ, **environment})


class PackageList(unittest.TestCase):
    def test_every_line_is_a_group_and_a_package_named_once(self):
        entries = packages()
        self.assertGreater(len(entries), 30)
        self.assertTrue(all(len(entry) == 2 for entry in entries), entries)
        names = [name for _, name in entries]
        self.assertEqual(sorted(set(names)), sorted(names))

    def test_groups_are_sorted_and_in_one_piece(self):
        groups = list(dict.fromkeys(group for group, _ in packages()))
        expected = [(group, name) for group in groups for name in sorted(n for g, n in packages() if g == group)]
        self.assertEqual(packages(), expected)

    def test_groups_that_are_asked_for_exist_and_are_explained(self):
        groups = {group for group, _ in packages()}
        asked = set()
        for path in [*SCRIPTS, ROOT / "Dockerfile"]:
            for words in re.findall(r"^\s*(?:RUN )?(?:\S*packages\.sh|install_packages) ([a-z ]+[a-z])",
                                    path.read_text(encoding="utf-8"), re.MULTILINE):
                asked |= set(words.split())
        self.assertIn("runtime", asked)
        self.assertLessEqual(asked, groups)
        for group in groups:
            self.assertRegex(read("scripts/packages.txt"), rf"(?m)^#   {group} +\w")

    def test_nothing_but_lib_installs_packages(self):
        for path in [*SCRIPTS, ROOT / "Dockerfile"]:
            if path != LIB:
                self.assertNotIn("apt-get", path.read_text(encoding="utf-8"), path)


class Scripts(unittest.TestCase):
    def test_every_script_parses(self):
        for path in SCRIPTS:
            done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), path)

    def test_continuous_integration_runs_tests_format_check_and_a_little_fuzzing_and_nothing_else(self):
        commands = [line for line in read(".ci/run").splitlines() if line and not line.startswith(("#", "set ", "cd "))]
        self.assertEqual(commands, ["scripts/test.sh", "scripts/format.sh", "scripts/fuzz.sh --seconds 30"])

    def test_help_does_nothing_but_explain(self):
        for name in ["quickstart", "test", "build", "format", "lint", "packages", "fuzz", "sanitizers", "torture", "load"]:
            done = subprocess.run([str(ROOT / f"scripts/{name}.sh"), "--help"], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"scripts/{name}.sh", done.stdout)

    def test_a_failing_step_shows_the_end_of_its_log_and_where_the_rest_is(self):
        with tempfile.TemporaryDirectory() as folder:
            log = f"{folder}/step.log"
            done = bash(f"logged {log} bash -c 'seq 100; echo broken >&2; exit 3'; echo unreachable")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("broken", done.stderr)
            self.assertIn(log, done.stderr)
            self.assertIn("exit status 3", done.stderr)
            self.assertNotIn("unreachable", done.stdout)
            self.assertNotIn("\n1\n", done.stderr)

    def test_progress_is_read_from_ninja_and_from_the_trainer(self):
        with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
            for text, progress in [("nothing yet\n", ""), ("[3/12] Building a.o\n", "25"),
                                  ("[12/12] Linking\n", "100"), ("Scores: 8 of 56 (14 %), 113 s\n", "14 Scores:")]:
                log.write(text)
                log.flush()
                self.assertEqual(bash(f"progress_of {log.name}").stdout.strip(), progress, text)

    def test_the_number_of_jobs_can_be_set_and_is_never_zero(self):
        self.assertEqual(bash("jobs_at_once", ANTIPHON_JOBS="3").stdout.strip(), "3")
        self.assertGreaterEqual(int(bash("jobs_at_once", ANTIPHON_JOBS="").stdout), 1)


class Installing(unittest.TestCase):
    """install_packages against stand-ins: dpkg-query knows what is in `installed`, apt-get writes down its arguments."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.calls = self.folder / "calls"
        self.stand_in("dpkg-query", f'grep -qx -- "${{!#}}" {self.folder}/installed && printf installed')
        self.stand_in("apt-get", f'echo "$@" >>{self.calls}')
        self.stand_in("sudo", '[[ $1 == -v ]] || exec "$@"')

    def stand_in(self, name, body):
        path = self.folder / name
        path.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def install(self, installed, groups, **environment):
        (self.folder / "installed").write_text("\n".join(installed), encoding="utf-8")
        # Logs go below the stand-ins' folder, not into the checkout.
        return bash(f"cd {self.folder}; install_packages {groups}",
                    PATH=f"{self.folder}:{os.environ['PATH']}", ANTIPHON_SKIP_PACKAGES="", **environment)

    def test_installs_what_is_missing_and_only_that(self):
        build = [name for group, name in packages() if group == "build"]
        done = self.install([name for name in build if name not in ("ccache", "libsoxr-dev")], "build")
        self.assertEqual(done.returncode, 0, done.stderr)
        update, install = self.calls.read_text(encoding="utf-8").splitlines()
        self.assertTrue(update.endswith("update"), update)
        self.assertTrue(install.endswith("--no-install-recommends ccache libsoxr-dev"), install)

    def test_asks_apt_for_nothing_when_nothing_is_missing(self):
        done = self.install([name for _, name in packages()], "build test")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertFalse(self.calls.exists())

    def test_leaves_packages_alone_when_told_to(self):
        done = bash("install_packages build", PATH=f"{self.folder}:{os.environ['PATH']}", ANTIPHON_SKIP_PACKAGES="1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(self.calls.exists())

    def test_says_so_when_apt_fails(self):
        self.stand_in("apt-get", "echo E: Unable to locate package; exit 100")
        done = self.install([], "format")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Unable to locate package", done.stderr)


class Presets(unittest.TestCase):
    def test_each_can_be_built_in_a_folder_of_its_own_and_tested_if_it_has_tests(self):
        presets = json.loads(read("CMakePresets.json"))
        names = [preset["name"] for preset in presets["configurePresets"] if not preset.get("hidden")]
        self.assertEqual(names, ["release", "programs", "debug", "asan", "tsan", "fuzz"])
        self.assertEqual([preset["name"] for preset in presets["buildPresets"]], names)
        tested = [preset["name"] for preset in presets["testPresets"] if not preset.get("hidden")]
        self.assertEqual(tested, [name for name in names if name not in ("programs", "fuzz")])
        self.assertEqual(presets["configurePresets"][0]["binaryDir"], "${sourceDir}/build/${presetName}")


class Containers(unittest.TestCase):
    def test_what_the_image_copies_is_there(self):
        for sources in re.findall(r"(?m)^COPY (?!--from)(.+)$", read("Dockerfile")):
            for source in sources.split()[:-1]:
                self.assertTrue((ROOT / source).exists(), source)

    def test_the_image_installs_what_it_builds(self):
        dockerfile = read("Dockerfile")
        preset = re.search(r"scripts/build\.sh (\w+)", dockerfile).group(1)
        self.assertIn(preset, [p["name"] for p in json.loads(read("CMakePresets.json"))["buildPresets"]])
        self.assertIn(f"cmake --install build/{preset} ", dockerfile)

    def test_the_image_runs_the_server_as_nobody_special_and_asks_it_for_its_health(self):
        dockerfile = read("Dockerfile")
        self.assertRegex(dockerfile, r"(?m)^USER (?!root)\w+$")
        self.assertRegex(dockerfile, r'HEALTHCHECK [^\n]*CMD \["bash", "-c", \\\n.*/127\.0\.0\.1/9464.*GET /healthz')
        self.assertRegex(dockerfile, r'(?m)^ENTRYPOINT \["antiphon-server"\]$')

    @unittest.skipIf(yaml is None, "no python3-yaml")
    def test_compose_file_image_and_prometheus_agree(self):
        dockerfile = read("Dockerfile")
        compose = yaml.safe_load(read("deploy/compose.yaml"))
        prometheus = yaml.safe_load(read("deploy/prometheus.yml"))
        volume = re.search(r"(?m)^VOLUME (\S+)$", dockerfile).group(1)
        bundle = re.search(r"ANTIPHON_BUNDLE=(\S+)", dockerfile).group(1)
        metrics = re.search(r"ANTIPHON_METRICS_LISTEN=\S+:(\d+)", dockerfile).group(1)
        exposed = re.search(r"(?m)^EXPOSE (.+)$", dockerfile).group(1).split()

        self.assertTrue(bundle.startswith(volume + "/"))
        self.assertIn(f"bundle:{volume}", compose["services"]["server"]["volumes"])
        self.assertIn(f"bundle:{volume}", compose["services"]["index"]["volumes"])
        self.assertIn(bundle, compose["services"]["index"]["entrypoint"])
        self.assertIn(metrics, exposed)
        targets = [target for job in prometheus["scrape_configs"] for static in job["static_configs"]
                   for target in static["targets"]]
        self.assertEqual(targets, [f"server:{metrics}"])
        for port in compose["services"]["server"]["ports"]:
            self.assertTrue(port.startswith("127.0.0.1:"), port)
            self.assertIn(port.split(":")[-1], exposed)
        for service in compose["services"].values():
            for mount in service.get("volumes", []):
                source = mount.split(":")[0]
                if source.startswith("./"):
                    self.assertTrue((ROOT / "deploy" / source).exists(), source)
                elif not source.startswith("$"):
                    self.assertIn(source, compose["volumes"])


if __name__ == "__main__":
    unittest.main()
