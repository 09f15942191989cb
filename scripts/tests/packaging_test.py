"""Checks that scripts, package list, presets, containers and front-door files agree.

Runs the scripts' functions with stand-ins for dpkg-query, apt-get and sudo; installs and compiles
nothing. Checks the Compose file with every Docker Compose it finds: the command that
ANTIPHON_COMPOSE names, `docker compose` and `docker-compose`.
"""

import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

try:
    import yaml
except ImportError:
    yaml = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = [
    *sorted(ROOT.glob("scripts/*.sh")),
    ROOT / ".ci/run",
    ROOT / "data/songbook/make_midi.sh",
]
LIB = ROOT / "scripts/lib.sh"


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def packages():
    lines = read("scripts/packages.txt").splitlines()
    return [tuple(line.split()) for line in lines if line and not line.startswith("#")]


def bash(code, **environment):
    """Runs code after lib.sh, without a terminal."""
    return subprocess.run(["bash", "-c", f"set -euo pipefail; source {LIB}; {code}"],
                          capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})


def strict_yaml(text):
    """The only document of strict_documents."""
    document, = strict_documents(text)
    return document


def strict_documents(text):
    """Parses the documents of a YAML file and refuses a key that stands twice in one mapping.

    PyYAML keeps the last of two equal keys; Docker Compose v2 and the YAML specification refuse
    them. A key that overrides one merged with `<<` is no repetition.
    """

    class StrictLoader(yaml.SafeLoader):
        # Mappings are compared as they are composed: constructing them mixes merged keys in.
        def compose_mapping_node(self, anchor):
            node = super().compose_mapping_node(anchor)
            seen = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if (key.tag, key.value) in seen:
                        raise yaml.constructor.ConstructorError(
                            "in a mapping", node.start_mark, f"key {key.value!r} stands twice",
                            key.start_mark)
                    seen.add((key.tag, key.value))
            return node

    return list(yaml.load_all(text, Loader=StrictLoader))


def yaml_files():
    """YAML files of the project: all but those in folders that git ignores."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folder = pathlib.Path(folder)
        if folder == ROOT:
            folders[:] = [name for name in folders if name not in (".git", ".cache", "cache", "var")
                          and not name.startswith("build")]
        found += [folder / name for name in names
                  if name.endswith((".yaml", ".yml", ".cff"))
                  or name in (".clang-format", ".clang-tidy")]
    return sorted(found)


def composes():
    """Commands that run Docker Compose here, each as a list of words."""
    candidates = [["docker", "compose"], ["docker-compose"]]
    if os.environ.get("ANTIPHON_COMPOSE"):
        candidates.insert(0, shlex.split(os.environ["ANTIPHON_COMPOSE"]))
    return [command for command in candidates if shutil.which(command[0]) and
            subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0]


class PackageList(unittest.TestCase):
    def test_every_line_is_a_group_and_a_package_named_once(self):
        entries = packages()
        self.assertGreater(len(entries), 30)
        self.assertTrue(all(len(entry) == 2 for entry in entries), entries)
        names = [name for _, name in entries]
        self.assertEqual(sorted(set(names)), sorted(names))

    def test_groups_are_sorted_and_in_one_piece(self):
        groups = list(dict.fromkeys(group for group, _ in packages()))
        expected = [(group, name) for group in groups
                    for name in sorted(n for g, n in packages() if g == group)]
        self.assertEqual(packages(), expected)

    def test_groups_that_are_asked_for_exist_and_are_explained(self):
        groups = {group for group, _ in packages()}
        asked = set()
        request = re.compile(
            r"^\s*(?:RUN )?(?:\S*packages\.sh|install_packages) ([a-z ]+[a-z])", re.MULTILINE)
        for path in [*SCRIPTS, ROOT / "Dockerfile"]:
            for words in request.findall(path.read_text(encoding="utf-8")):
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
            done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True,
                                  check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), path)

    def test_continuous_integration_runs_tests_checks_and_a_little_fuzzing_and_nothing_else(self):
        commands = [line for line in read(".ci/run").splitlines()
                    if line and not line.startswith(("#", "set ", "source ", "trap "))]
        self.assertEqual(commands, [
            "stage test scripts/test.sh -LE full_check",
            "stage format scripts/format.sh",
            "stage lint scripts/lint.sh",
            "stage clang scripts/clang_check.sh",
            "stage fuzz scripts/fuzz.sh --seconds 10 --jobs 2",
            "stage pytorch scripts/torch2_check.sh || (($? == 77))",
        ])

    def test_stages_are_timed_and_told_apart_by_their_results(self):
        done = bash("stage good true; stage skips bash -c 'exit 77' || true;"
                    "stage bad bash -c 'exit 3' || echo \"status $?\"; print_stages")
        self.assertIn("status 3", done.stdout)
        rows = re.findall(r"(?m)^(\w+) +(\w+|) +\d+ s$", done.stdout)
        self.assertEqual(rows, [("good", "passed"), ("skips", "skipped"), ("bad", "FAILED"),
                                ("total", "")])

    def test_the_full_check_runs_every_script_that_checks_something(self):
        listed = subprocess.run([str(ROOT / "scripts/full_check.sh"), "--list"],
                                capture_output=True, text=True, check=True).stdout
        stages = re.findall(r"(?m)^(\w+) +\w", listed)
        self.assertEqual(len(stages), len(listed.splitlines()))
        text = read("scripts/full_check.sh")
        for name in ["test", "format", "lint", "clang_check", "fuzz", "sanitizers", "torture",
                     "load"]:
            self.assertRegex(text, rf"\) \{{ scripts/{name}\.sh[ ;]")
        for unknown in (["--only", "nothing"], ["--skip", "nothing"], ["--nothing"]):
            done = subprocess.run([str(ROOT / "scripts/full_check.sh"), *unknown],
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, ""))

    def test_another_version_of_a_tool_of_llvm_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            tool = pathlib.Path(folder) / "clang-format-14"
            for version, accepted in [("14.0.6", True), ("15.0.7", False), ("1.14", False)]:
                tool.write_text(f"#!/bin/bash\necho Debian clang-format version {version}\n",
                                encoding="utf-8")
                tool.chmod(0o755)
                done = bash("llvm_tool clang-format", PATH=f"{folder}:{os.environ['PATH']}")
                self.assertEqual(done.returncode == 0, accepted, done.stderr)
                if not accepted:
                    self.assertIn("Version 14 is needed", done.stderr)

    def test_help_does_nothing_but_explain(self):
        for name in ["quickstart", "test", "build", "format", "lint", "clang_check", "packages",
                     "fuzz", "sanitizers", "torture", "load", "full_check"]:
            done = subprocess.run([str(ROOT / f"scripts/{name}.sh"), "--help"],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"scripts/{name}.sh", done.stdout)

    def test_a_failing_step_shows_the_end_of_its_log_and_where_the_rest_is(self):
        with tempfile.TemporaryDirectory() as folder:
            log = f"{folder}/step.log"
            done = bash(f"logged {log} bash -c 'seq 100; echo broken >&2; exit 3';"
                        "echo unreachable")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("broken", done.stderr)
            self.assertIn(log, done.stderr)
            self.assertIn("exit status 3", done.stderr)
            self.assertNotIn("unreachable", done.stdout)
            self.assertNotIn("\n1\n", done.stderr)

    def test_progress_is_read_from_ninja_and_from_the_trainer(self):
        with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
            for text, progress in [
                    ("nothing yet\n", ""),
                    ("[3/12] Building a.o\n", "25"),
                    ("[12/12] Linking\n", "100"),
                    ("Scores: 8 of 56 (14 %), 113 s\n", "14 Scores:"),
            ]:
                log.write(text)
                log.flush()
                self.assertEqual(bash(f"progress_of {log.name}").stdout.strip(), progress, text)

    def test_the_number_of_jobs_can_be_set_and_is_never_zero(self):
        self.assertEqual(bash("jobs_at_once", ANTIPHON_JOBS="3").stdout.strip(), "3")
        self.assertGreaterEqual(int(bash("jobs_at_once", ANTIPHON_JOBS="").stdout), 1)


class Installing(unittest.TestCase):
    """install_packages with stand-ins: dpkg-query knows what the file `installed` lists, apt-get
    records its arguments."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.calls = self.folder / "calls"
        self.stand_in("dpkg-query",
                      f'grep -qx -- "${{!#}}" {self.folder}/installed && printf installed')
        self.stand_in("apt-get", f'echo "$@" >>{self.calls}')
        self.stand_in("sudo", '[[ $1 == -v ]] || exec "$@"')

    def stand_in(self, name, body):
        path = self.folder / name
        path.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def install(self, installed, groups, **environment):
        (self.folder / "installed").write_text("\n".join(installed), encoding="utf-8")
        # Logs go below the stand-ins' folder, not into the checkout.
        return bash(f"cd {self.folder}; install_packages {groups}", PATH=self.path(),
                    ANTIPHON_SKIP_PACKAGES="", **environment)

    def path(self):
        return f"{self.folder}:{os.environ['PATH']}"

    def test_installs_what_is_missing_and_only_that(self):
        build = [name for group, name in packages() if group == "build"]
        missing = ("ccache", "libsoxr-dev")
        done = self.install([name for name in build if name not in missing], "build")
        self.assertEqual(done.returncode, 0, done.stderr)
        update, install = self.calls.read_text(encoding="utf-8").splitlines()
        self.assertTrue(update.endswith("update"), update)
        self.assertTrue(install.endswith("--no-install-recommends ccache libsoxr-dev"), install)

    def test_asks_apt_for_nothing_when_nothing_is_missing(self):
        done = self.install([name for _, name in packages()], "build test")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertFalse(self.calls.exists())

    def test_leaves_packages_alone_when_told_to(self):
        done = bash("install_packages build", PATH=self.path(), ANTIPHON_SKIP_PACKAGES="1")
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
        names = [preset["name"] for preset in presets["configurePresets"]
                 if not preset.get("hidden")]
        self.assertEqual(names, ["release", "programs", "debug", "asan", "tsan", "fuzz",
                                 "clang", "cuda"])
        self.assertEqual([preset["name"] for preset in presets["buildPresets"]], names)
        tested = [preset["name"] for preset in presets["testPresets"]
                  if not preset.get("hidden")]
        self.assertEqual(tested, [name for name in names
                                  if name not in ("programs", "fuzz", "clang", "cuda")])
        self.assertEqual(presets["configurePresets"][0]["binaryDir"],
                         "${sourceDir}/build/${presetName}")


class Containers(unittest.TestCase):
    def test_what_the_image_copies_is_there(self):
        for sources in re.findall(r"(?m)^COPY (?!--from)(.+)$",
                                  read("Dockerfile") + read("Dockerfile.cuda")):
            for source in sources.split()[:-1]:
                self.assertTrue((ROOT / source).exists(), source)

    def test_the_image_for_gpus_is_the_other_one_with_other_libraries(self):
        plain, cuda = read("Dockerfile"), read("Dockerfile.cuda")
        for line in plain.splitlines():
            if line.startswith(("USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "RUN user",
                                "COPY models", "HEALTHCHECK", "WORKDIR")):
                self.assertIn(line, cuda.splitlines())
        copied = set(re.findall(r"(?m)^COPY --from=(\w+)", cuda))
        self.assertEqual(copied, set(re.findall(r"(?m)^FROM \S+ AS (\w+)$", cuda)) - {"runtime"})
        preset = next(p for p in json.loads(read("CMakePresets.json"))["configurePresets"]
                      if p["name"] == "cuda")
        for variable in re.findall(r"\$env\{(\w+)\}", json.dumps(preset)):
            self.assertRegex(cuda, rf"(?m)^(ENV|   ) {variable}=/opt/")

    def test_the_image_installs_what_it_builds(self):
        dockerfile = read("Dockerfile")
        preset = re.search(r"scripts/build\.sh (\w+)", dockerfile).group(1)
        presets = json.loads(read("CMakePresets.json"))["buildPresets"]
        self.assertIn(preset, [p["name"] for p in presets])
        self.assertIn(f"cmake --install build/{preset} ", dockerfile)

    def test_the_image_leaves_out_what_is_not_linked_and_fails_where_a_library_is_missing(self):
        lines = [line for line in read("deploy/image-excludes").splitlines()
                 if not line.startswith("#")]
        for line in lines:
            self.assertRegex(line, r"^path-(exclude|include)=/usr/(lib/\*|share)/\S+$")
        self.assertIn("path-include=/usr/share/doc/*/copyright", lines)
        stage = read("Dockerfile").split(" AS runtime\n")[1]
        excludes = stage.index("COPY deploy/image-excludes /etc/dpkg/dpkg.cfg.d/")
        installed = stage.index("packages.sh runtime")
        self.assertLess(excludes, installed)
        self.assertIn("! ldd /opt/antiphon/bin/* | grep", stage)

    def test_the_image_runs_the_server_as_nobody_special_and_asks_it_for_its_health(self):
        dockerfile = read("Dockerfile")
        user, group = re.search(r"(?m)^USER (\d+):(\d+)$", dockerfile).groups()
        self.assertIn(f"groupadd --system --gid {group} ", dockerfile)
        self.assertIn(f"useradd --system --uid {user} --gid {group} ", dockerfile)
        self.assertRegex(
            dockerfile,
            r'HEALTHCHECK [^\n]*CMD \["bash", "-c", \\\n.*/127\.0\.0\.1/9464.*GET /healthz')
        entry = re.search(r'(?m)^ENTRYPOINT \["([\w-]+)"\]$', dockerfile).group(1)
        self.assertIn(f"COPY deploy/{entry} /opt/antiphon/bin/{entry}\n", dockerfile)
        self.assertTrue(os.access(ROOT / "deploy" / entry, os.X_OK))

    def test_the_labels_of_the_image_say_which_version_it_is(self):
        version = re.search(r"project\(antiphon VERSION ([\d.]+)", read("CMakeLists.txt")).group(1)
        for name in ["Dockerfile", "Dockerfile.cuda"]:
            self.assertIn(f'org.opencontainers.image.version="{version}"', read(name))

    @unittest.skipIf(yaml is None, "no python3-yaml")
    def test_compose_file_image_and_prometheus_agree(self):
        dockerfile = read("Dockerfile")
        compose = strict_yaml(read("deploy/compose.yaml"))
        prometheus = strict_yaml(read("deploy/prometheus/prometheus.yml"))
        volume = re.search(r"(?m)^VOLUME (\S+)$", dockerfile).group(1)
        bundle = re.search(r"ANTIPHON_BUNDLE=(\S+)", dockerfile).group(1)
        metrics = re.search(r"ANTIPHON_METRICS_LISTEN=\S+:(\d+)", dockerfile).group(1)
        exposed = re.search(r"(?m)^EXPOSE (.+)$", dockerfile).group(1).split()
        folder = re.search(r"SCORES:-([^}]+)}", read("deploy/antiphon-serve")).group(1)

        self.assertTrue(bundle.startswith(volume + "/"))
        server = compose["services"]["server"]
        self.assertIn(f"bundle:{volume}", server["volumes"])
        self.assertIn(f"${{MIDI:-../data/songbook}}:{folder}:ro", server["volumes"])
        self.assertTrue(list(ROOT.glob("data/songbook/*.abc")))
        targets = [target for job in prometheus["scrape_configs"]
                   if job["job_name"] == "antiphon"
                   for static in job["static_configs"] for target in static["targets"]]
        self.assertEqual(targets, [f"server:{metrics}"])
        for port in server["ports"]:
            self.assertIn(port.split(":")[-1], exposed)
        for service in compose["services"].values():
            for mount in service.get("volumes", []):
                source = mount.split(":")[0]
                if source.startswith("./"):
                    self.assertTrue((ROOT / "deploy" / source).exists(), source)
                elif not source.startswith("$"):
                    self.assertIn(source, compose["volumes"])

    @unittest.skipIf(yaml is None, "no python3-yaml")
    def test_every_service_is_confined(self):
        for name, service in strict_yaml(read("deploy/compose.yaml"))["services"].items():
            with self.subTest(service=name):
                self.assertTrue(service["read_only"])
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertEqual(service["security_opt"], ["no-new-privileges:true"])
                self.assertRegex(service["mem_limit"], r"^\d+[mg]$")
                self.assertLessEqual({"max-size", "max-file"}, set(service["logging"]["options"]))
                for port in service["ports"]:
                    self.assertTrue(port.startswith("127.0.0.1:"), port)
                # The image of the server has its check in the Dockerfile.
                self.assertTrue("healthcheck" in service or "build" in service)
        self.assertIn("nofile", strict_yaml(read("deploy/compose.yaml"))["services"]["server"][
            "ulimits"])

    @unittest.skipIf(yaml is None, "no python3-yaml")
    def test_alerts_warn_before_the_limits_of_the_compose_file(self):
        server = strict_yaml(read("deploy/compose.yaml"))["services"]["server"]
        rules = {rule["alert"]: rule["expr"]
                 for group in strict_yaml(read("deploy/prometheus/alerts.yml"))["groups"]
                 for rule in group["rules"]}
        gibibytes = re.fullmatch(r"(\d+)g", server["mem_limit"]).group(1)
        self.assertTrue(rules["AntiphonMemoryShort"].endswith(
            f"> 0.9 * {gibibytes} * 1024 * 1024 * 1024"))
        hours = server["environment"]["ANTIPHON_SNAPSHOT_EVERY"]
        self.assertTrue(rules["AntiphonSnapshotOld"].endswith(f"> 2 * {hours} * 3600"))

    @unittest.skipIf(yaml is None, "no python3-yaml")
    def test_grafana_finds_what_it_is_given(self):
        grafana = strict_yaml(read("deploy/compose.yaml"))["services"]["grafana"]
        there = {mount.split(":")[1]: mount.split(":")[0] for mount in grafana["volumes"]}
        provider, = strict_yaml(read("deploy/grafana/dashboards.yaml"))["providers"]
        source, = strict_yaml(read("deploy/grafana/datasource.yaml"))["datasources"]
        folder = provider["options"]["path"]
        self.assertEqual(there[f"{folder}/antiphon.json"], "./grafana/antiphon.json")
        self.assertEqual(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"],
                         f"{folder}/antiphon.json")
        self.assertEqual(source["url"], "http://prometheus:9090")
        self.assertEqual(source["jsonData"]["timeInterval"],
                         strict_yaml(read("deploy/prometheus/prometheus.yml"))["global"][
                             "scrape_interval"])

    def test_panels_of_the_dashboard_lie_side_by_side(self):
        board = json.loads(read("deploy/grafana/antiphon.json"))
        panels = board["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken = set()
        for panel in panels:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertTrue(all(x < 24 for x, _ in cells), panel["title"])
            self.assertFalse(taken & cells, panel["title"])
            taken |= cells

    @unittest.skipIf(yaml is None, "no python3-yaml")
    def test_the_compose_file_has_no_key_that_one_version_of_compose_refuses(self):
        compose = strict_yaml(read("deploy/compose.yaml"))
        # docker-compose 1.29 refuses `name`, and Compose v2 warns of `version`.
        self.assertEqual([key for key in compose if not key.startswith("x-")],
                         ["services", "volumes"])
        self.assertRegex(read("deploy/.env"), r"(?m)^COMPOSE_PROJECT_NAME=antiphon$")

    def test_docker_compose_accepts_the_compose_file(self):
        commands = composes()
        if not commands:
            self.skipTest("no Docker Compose here; ANTIPHON_COMPOSE may name the command")
        environment = {key: value for key, value in os.environ.items()
                       if key != "MIDI" and not key.startswith("COMPOSE_")}
        for command in commands:
            for given in ({}, {"MIDI": "/scores"}):
                with self.subTest(command=command, given=given):
                    done = subprocess.run([*command, "config", "-q"], cwd=ROOT / "deploy",
                                          env={**environment, **given}, capture_output=True,
                                          text=True, check=False)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))


@unittest.skipIf(yaml is None, "no python3-yaml")
class Yaml(unittest.TestCase):
    def test_no_file_gives_a_key_twice(self):
        files = yaml_files()
        names = {str(path.relative_to(ROOT)) for path in files}
        self.assertLessEqual({"deploy/compose.yaml", ".github/workflows/ci.yml", "CITATION.cff",
                              ".pre-commit-config.yaml", ".clang-tidy"}, names)
        for path in files:
            with self.subTest(path=path):
                self.assertNotIn(None, strict_documents(path.read_text(encoding="utf-8")))

    def test_a_key_given_twice_is_refused_at_any_depth(self):
        for text in ["a: 1\nb: 2\na: 3\n",
                     "services:\n  server:\n    environment: {}\n    environment: {}\n",
                     "list:\n  - {a: 1, a: 1}\n",
                     "a: 1\n'a': 2\n",
                     "x: &x {k: 1}\ny:\n  <<: *x\n  <<: *x\n"]:
            with self.subTest(text=text), self.assertRaisesRegex(yaml.YAMLError, "stands twice"):
                strict_yaml(text)

    def test_a_key_may_override_a_merged_one(self):
        text = "x: &x {k: 1, l: 2}\ny: &y {<<: *x, k: 3}\nz: {<<: *y, l: 4}\n"
        self.assertEqual(strict_yaml(text), {"x": {"k": 1, "l": 2}, "y": {"k": 3, "l": 2},
                                             "z": {"k": 3, "l": 4}})


class FrontDoor(unittest.TestCase):
    def test_the_licence_is_apache_2_verbatim(self):
        self.assertEqual(hashlib.sha256(read("LICENSE").encode()).hexdigest(),
                         "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30")

    def test_the_version_and_its_date_are_the_same_everywhere(self):
        version = re.search(r"project\(antiphon VERSION ([\d.]+)", read("CMakeLists.txt")).group(1)
        citation = read("CITATION.cff")
        released = re.search(r"(?m)^## (\d\S*) – (\d{4}-\d\d-\d\d)$", read("CHANGELOG.md"))
        self.assertEqual(released.group(1), version)
        self.assertRegex(citation, rf'(?m)^version: "?{re.escape(version)}"?$')
        self.assertRegex(citation, rf'(?m)^date-released: "?{released.group(2)}"?$')
        self.assertRegex(citation, r"(?m)^license: Apache-2\.0$")

    def test_every_library_of_the_programs_has_its_licence_listed(self):
        notices = read("THIRD_PARTY_NOTICES.md")
        names = [name for group, name in packages() if group == "runtime"]
        # What ends up inside the programs, or is run during the build, has no runtime package.
        names += ["libfaiss-dev", "libcli11-dev", "nlohmann-json3-dev", "abcmidi"]
        names += [name for _, name in packages() if "soundfont" in name]
        self.assertEqual([name for name in names if f"`{name}`" not in notices], [])

    def test_links_between_the_front_door_files_lead_somewhere(self):
        for name in ["README.md", "CONTRIBUTING.md", "SECURITY.md", "THIRD_PARTY_NOTICES.md"]:
            links = re.findall(r"\]\((?!https?:|#)([^)#]+)", read(name))
            self.assertGreater(len(links), 0, name)
            self.assertEqual([link for link in links if not (ROOT / link).exists()], [], name)

    def test_the_notice_tells_what_distributing_binaries_means(self):
        for word in ["FFTW", "GPL", "libsndfile", "libsoxr", "FluidSynth", "cairo", "LGPL",
                     "models/default", "CC BY-SA 4.0"]:
            self.assertIn(word, read("NOTICE"))
        self.assertIn("CC BY-SA 4.0", read("models/default/README.md"))

    @unittest.skipIf(yaml is None, "no python3-yaml")
    def test_the_workflow_runs_ci_run_on_the_image_that_the_dockerfile_builds_on(self):
        workflow = strict_yaml(read(".github/workflows/ci.yml"))
        self.assertEqual(workflow["permissions"], {"contents": "read"})
        job, = workflow["jobs"].values()
        self.assertIn(".ci/run", [step.get("run") for step in job["steps"]])
        self.assertIn(f"FROM {job['container']['image']} AS build", read("Dockerfile"))
        # YAML 1.1 reads the key `on` as true.
        self.assertLessEqual({"push", "pull_request"}, set(workflow[True]))


if __name__ == "__main__":
    unittest.main()
