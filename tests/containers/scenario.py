"""A life of deploy/compose.yaml on a Docker engine, from nothing to the end, step by step with the
time of each. Called by scripts/container_check.sh, which makes the images.

    scenario.py --work DIR --compose COMMAND --services SERVICE...

The names and volumes are its own (COMPOSE_PROJECT_NAME); the ports are those of the file.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "integration"))

import harness
import monitoring_test

PROJECT = "antiphon-check"
SERVER = "127.0.0.1:50051"
PROMETHEUS = "http://127.0.0.1:9090"
SONGBOOK = harness.SOURCE / "data/songbook"
SOUNDFONT = "/usr/share/sounds/sf2/TimGM6mb.sf2"
PATIENCE = 900  # seconds for a server to be healthy: it indexes first
TUNE = """X:1
T:{title}
C:Nobody
M:4/4
L:1/4
Q:1/4=100
K:{key}
CEGc|BGEC|DFAd|cAFD|EGBe|dBGE|FAcf|ecAF|GBdg|fdBG|CGEc|GECG|DAFd|AFDA|EBGe|BGEB|CEGc|c4|]
"""


class Scenario:
    def __init__(self, work, compose, services):
        self.work = work
        self.compose_command = shlex.split(compose)
        self.services = services
        self.environment = {key: value for key, value in os.environ.items() if key != "MIDI"}
        self.environment["COMPOSE_PROJECT_NAME"] = PROJECT
        self.environment["COMPOSE_HTTP_TIMEOUT"] = "600"  # of 1.29, on a busy machine
        self.started = time.monotonic()
        self.query = work / "query.wav"

    # What is done, and what must hold.

    def compose(self, *arguments, check=True):
        done = subprocess.run(
            [*self.compose_command, "-f", "deploy/compose.yaml", *arguments], cwd=harness.SOURCE,
            env=self.environment, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise SystemExit(f"compose {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done

    def container(self, service):
        return self.compose("ps", "-q", service).stdout.strip()

    def inspect(self, service, template):
        return subprocess.run(["docker", "inspect", "--format", template, self.container(service)],
                              capture_output=True, text=True, check=True).stdout.strip()

    def client(self, *arguments):
        done = harness.run_client(*arguments, "--json", server=SERVER)
        self.hold(done.returncode == 0, f"antiphon {' '.join(arguments)}: {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def pieces(self):
        return {piece["id"]: piece["title"] for answer in self.client("pieces")
                for piece in (answer.get("pieces") or [answer])}

    def get(self, path, **parameters):
        url = f"{PROMETHEUS}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.load(answer)["data"]

    def hold(self, truth, what):
        if not truth:
            logs = self.compose("logs", "--tail", "40", check=False).stdout
            raise SystemExit(f"FAILED: {what}\n{logs}")

    def tell(self, what):
        now = time.monotonic()
        print(f"   {now - self.started:7.1f} s  {what}", flush=True)
        self.started = now

    def wait_until(self, condition, what, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while not condition():
            self.hold(time.monotonic() < deadline, f"{what}, after {patience} s")
            time.sleep(0.5)

    def wait_until_healthy(self):
        for service in self.services:
            self.wait_until(
                lambda: self.inspect(service, "{{.State.Health.Status}}") == "healthy",
                f"{service} is not healthy")

    def says(self, text):
        logs = self.compose("logs", "--tail", "200", "server")
        return text in logs.stdout + logs.stderr

    # The steps.

    def run(self):
        self.compose("down", "-v", check=False)
        try:
            self.from_nothing()
            self.confined()
            self.changed_over_the_api()
            self.changed_in_the_folder()
            self.watched()
            self.asked_by_others()
            self.stopped()
        finally:
            self.compose("down", "-v", check=False)
        left = subprocess.run(["docker", "ps", "-aq", "--filter", f"name={PROJECT}"],
                              capture_output=True, text=True, check=True).stdout
        self.hold(not left, "containers are left")
        self.tell("down; nothing is left")

    def from_nothing(self):
        self.compose("up", "-d", *self.services)
        self.tell("up -d came back")
        self.wait_until_healthy()
        self.tell("the songbook is indexed, all are healthy")
        pieces = self.pieces()
        self.hold(set(pieces) == {path.stem for path in SONGBOOK.glob("*.abc")}, sorted(pieces))
        subprocess.run(
            [harness.program("antiphon-trainer"), "render",
             str(SONGBOOK / "beethoven_fuer_elise.abc"), "-o", str(self.query), "--start", "5",
             "--length", "12", "--soundfont", SOUNDFONT], check=True, capture_output=True)
        found = self.client("identify", str(self.query))
        self.hold("beethoven_fuer_elise" in json.dumps(found), found)
        self.tell(f"{len(pieces)} pieces; a recording is identified over the published port")

    def confined(self):
        self.hold(self.inspect("server", "{{.HostConfig.ReadonlyRootfs}}") == "true", "root")
        self.hold(self.inspect("server", "{{.HostConfig.CapDrop}}") == "[ALL]", "capabilities")
        self.hold(self.inspect("server", "{{.HostConfig.Memory}}") == str(4 << 30), "memory")
        self.hold(self.inspect("server", "{{.HostConfig.LogConfig.Config}}")
                  == "map[max-file:5 max-size:10m]", "logs")
        self.hold(self.inspect("server", "{{.Config.User}}") == "10001:10001", "user")
        limits = self.compose("exec", "-T", "server", "sh", "-c",
                              "ulimit -n; id -u; grep CapEff /proc/1/status; touch /x 2>&1; true")
        self.hold(limits.stdout.split()[:2] == ["16384", "10001"], limits.stdout)
        self.hold(re.search(r"CapEff:\s+0{16}", limits.stdout), limits.stdout)
        self.hold("Read-only file system" in limits.stdout, limits.stdout)
        self.tell("no root, no capabilities, limits in force")

    def changed_over_the_api(self):
        tune = self.work / "mine.abc"
        tune.write_text(TUNE.format(title="Mine", key="D"), encoding="utf-8")
        self.client("piece", "add", str(tune), "--id", "mine")
        self.client("piece", "delete", "clementine")
        self.client("piece", "update", "greensleeves", "--title", "Green Sleeves")
        self.compose("restart", "server")
        self.wait_until_healthy()
        self.as_changed()
        self.hold(self.says("60 scores, 60 as before"), "unchanged files are not skipped")
        self.tell("added, deleted, renamed, restarted: all as it was")

    def as_changed(self, more=()):
        pieces = self.pieces()
        self.hold("mine" in pieces and "clementine" not in pieces, sorted(pieces))
        self.hold(pieces["greensleeves"] == "Green Sleeves", pieces["greensleeves"])
        self.hold(len(pieces) == 60 + len(more), len(pieces))
        return pieces

    def changed_in_the_folder(self):
        folder = self.work / "scores"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for path in SONGBOOK.glob("*.abc"):
            shutil.copy(path, folder)
        self.environment["MIDI"] = str(folder)
        self.compose("up", "-d", *self.services)
        self.wait_until_healthy()
        self.as_changed()
        self.tell("another folder with the same files: nothing changes")
        (folder / "new.abc").write_text(TUNE.format(title="New", key="E"), encoding="utf-8")
        for name in ("drunken_sailor", "greensleeves", "clementine"):
            path = folder / f"{name}.abc"
            path.write_text(re.sub(r"(?m)^T:.*$", "T:Corrected", path.read_text("utf-8"), count=1),
                            encoding="utf-8")
        (folder / "kesh_jig.abc").unlink()
        self.compose("restart", "server")
        self.wait_until_healthy()
        pieces = self.as_changed(more=["new"])
        self.hold(pieces["new"] == "New" and pieces["drunken_sailor"] == "Corrected", pieces)
        self.hold("kesh_jig" in pieces, "the piece of a file that is gone is gone")
        self.hold(self.says("1 added, 1 replaced"), "the log does not say what was done")
        self.tell("added, changed and removed in the folder, restarted: as it should be")

    def watched(self):
        self.wait_until(lambda: all(target["health"] == "up" for target in
                                    self.get("/api/v1/targets")["activeTargets"]),
                        "a target of Prometheus is not up", 120)
        rules = [rule["name"] for group in self.get("/api/v1/rules")["groups"]
                 for rule in group["rules"]]
        alerts = sorted(name for name, _ in monitoring_test.expressions_of_alerts())
        self.hold(sorted(rules) == alerts, f"{sorted(rules)} and not {alerts}")
        answered, empty = 0, []
        # Rates need two scrapes.
        self.wait_until(lambda: self.get("/api/v1/query", query='rate(antiphon_requests_total[1m])')
                        ["result"], "no rate", 120)
        self.client("identify", str(self.query))
        time.sleep(20)
        for where, expression in monitoring_test.expressions_of_dashboard():
            result = self.get("/api/v1/query", query=expression)["result"]
            answered += 1
            if not result:
                empty.append(where)
        firing = [alert["labels"]["alertname"] for alert in self.get("/api/v1/alerts")["alerts"]
                  if alert["state"] == "firing"]
        self.tell(f"{len(rules)} alerts loaded, firing: {firing or 'none'}; {answered} queries of "
                  f"the dashboard answered, {len(empty)} with nothing: {sorted(set(empty))}")

    def asked_by_others(self):
        grpcurl = shutil.which("grpcurl")
        if grpcurl is None:
            self.tell("left out: grpcurl, which is not here")
            return
        listed = subprocess.run([grpcurl, "-plaintext", SERVER, "list"], capture_output=True,
                                text=True, check=True).stdout
        self.hold("antiphon.v1.Retrieval" in listed, listed)
        pieces = subprocess.run([grpcurl, "-plaintext", "-d", '{"page_size": 100}', SERVER,
                                 "antiphon.v1.Catalog/ListPieces"],
                                capture_output=True, text=True, check=True).stdout
        self.hold(len(json.loads(pieces)["pieces"]) == 61, pieces)
        self.tell("grpcurl lists the services, and the pieces")

    def stopped(self):
        server = self.container("server")
        self.compose("stop", "server")
        code = subprocess.run(["docker", "inspect", "--format", "{{.State.ExitCode}}", server],
                              capture_output=True, text=True, check=True).stdout.strip()
        self.hold(code == "0", f"exit code {code}")
        self.tell("stopped with exit code 0")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--compose", required=True)
    parser.add_argument("--services", nargs="+", required=True)
    arguments = parser.parse_args()
    Scenario(arguments.work, arguments.compose, arguments.services).run()


if __name__ == "__main__":
    main()
