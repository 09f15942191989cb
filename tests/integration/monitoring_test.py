"""What deploy/ watches is what the server tells: each metric and each value of a label that the
dashboard and the alerts ask for is among /metrics of a running server, and each query is one that
Prometheus reads. Fires each alert on purpose (deploy/prometheus/alerts_test.yml).

Needs promtool (Debian package prometheus) for the queries and the alerts; without it, these tests
are skipped, and say so.
"""

import contextlib
import functools
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness
from certificates import Authority

DEPLOY = harness.SOURCE / "deploy"
DASHBOARD = DEPLOY / "grafana/antiphon.json"
ALERTS = DEPLOY / "prometheus/alerts.yml"

# Told by a server with a GPU only. They are looked up in the source instead.
GPU_METRICS = re.compile(r"antiphon_(gpu|index_device)_")
METRIC = re.compile(r"\b(?:antiphon|process)_[a-z_]+\b")
SELECTOR = re.compile(r"(\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')

promtool = unittest.skipUnless(shutil.which("promtool"),
                               "no promtool here (Debian package prometheus)")


def expressions_of_dashboard():
    """Where, and the PromQL that stands there, with a value for each of Grafana's variables."""
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    found = [(panel["title"], target["expr"]) for panel in board["panels"]
             for target in panel.get("targets", [])]
    found += [(note["name"], note["expr"]) for note in board["annotations"]["list"]]
    return [(where, text.replace("$__rate_interval", "5m").replace("$instance", ".*"))
            for where, text in found]


def expressions_of_alerts():
    """Without a reader of YAML: `expr:` up to the next key."""
    text = ALERTS.read_text(encoding="utf-8")
    found = re.findall(
        r"alert: (\w+)\n(?: +#[^\n]*\n)* +expr: (?:>-\n)?((?:.|\n)*?)\n +(?:for|labels):", text)
    return [(name, re.sub(r"\s+#.*", "", expression)) for name, expression in found]


@functools.cache
def metrics():
    """The series that a server with keys, TLS and snapshots tells: labels by name."""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        authority = Authority(folder)
        certificate, key = authority.sign("server")
        (folder / "keys").write_text(f"importer admin {'0' * 64}\n", encoding="utf-8")
        (folder / "snapshots").mkdir()
        server = stack.enter_context(
            harness.Server("--tls-cert", str(certificate), "--tls-key", str(key), "--api-keys-file",
                           str(folder / "keys"), "--snapshot-dir", str(folder / "snapshots"),
                           bundle=harness.copy_of_bundle(folder)))
        _, text = server.get("/metrics")
    series = {}
    for name, labels in re.findall(r"^(\w+)(?:\{([^}]*)\})? ", text, re.MULTILINE):
        series.setdefault(name, []).append(dict(re.findall(r'(\w+)="([^"]*)"', labels)))
    return series


class Names(unittest.TestCase):
    def setUp(self):
        self.expressions = expressions_of_dashboard() + expressions_of_alerts()

    def test_all_expressions_are_found(self):
        alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text(encoding="utf-8"))
        self.assertGreater(len(alerts), 20)
        self.assertEqual([name for name, _ in expressions_of_alerts()], alerts)
        self.assertGreater(len(expressions_of_dashboard()), 40)

    def test_the_server_tells_each_metric(self):
        source = (harness.SOURCE / "server/telemetry/metrics.cc").read_text(encoding="utf-8")
        for where, expression in self.expressions:
            for name in METRIC.findall(re.sub(r'"[^"]*"', "", expression)):
                with self.subTest(where=where, name=name):
                    if GPU_METRICS.match(name):
                        self.assertIn(f'"{name}"', source)
                    else:
                        self.assertIn(name, metrics())

    def test_each_value_of_a_label_is_one_that_the_server_gives(self):
        checked = 0
        for where, expression in self.expressions:
            for name, matchers in SELECTOR.findall(expression):
                if name not in metrics():
                    continue
                for label, sign, value in MATCHER.findall(matchers):
                    if label in ("job", "instance"):
                        continue
                    there = {labels.get(label) for labels in metrics()[name]}
                    wanted = [value] if sign in ("=", "!=") else self.alternatives(value)
                    for one in wanted:
                        with self.subTest(where=where, name=name, label=label, value=one):
                            self.assertTrue(any(re.fullmatch(one, each or "") for each in there),
                                            there)
                            checked += 1
        self.assertGreater(checked, 20)

    def alternatives(self, pattern):
        """"A.(B|C)" is "A.B" and "A.C"."""
        inner = re.fullmatch(r"(.*)\(([^()]*)\)", pattern)
        if inner:
            return [inner[1] + each for each in inner[2].split("|")]
        return pattern.split("|")

    def test_the_dashboard_and_the_alerts_leave_out_no_metric(self):
        """docs/operations.md names what is worth an alert; the rest is drawn."""
        asked = {name for _, expression in self.expressions for name in METRIC.findall(expression)}
        asked = {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked}
        told = {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics()}
        left_out = {"antiphon_last_change", "process_virtual_memory_bytes"}
        self.assertEqual(told - asked - left_out, set())


@promtool
class Prometheus(unittest.TestCase):
    def promtool(self, *arguments, cwd=None):
        return subprocess.run(["promtool", *arguments], capture_output=True, text=True, cwd=cwd,
                              check=False)

    def test_reads_each_query_of_the_dashboard(self):
        rules = [{"record": f"q{number}", "expr": expression}
                 for number, (_, expression) in enumerate(expressions_of_dashboard())]
        with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)  # YAML, too
            file.flush()
            done = self.promtool("check", "rules", file.name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{len(rules)} rules found", done.stdout)

    def test_reads_its_configuration_and_the_rules(self):
        done = self.promtool("check", "config", str(DEPLOY / "prometheus/prometheus.yml"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("rules found", done.stdout)

    def test_each_alert_fires_and_is_silent_about_a_healthy_server(self):
        done = self.promtool("test", "rules", "alerts_test.yml", cwd=DEPLOY / "prometheus")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        tested = (DEPLOY / "prometheus/alerts_test.yml").read_text(encoding="utf-8")
        for name, _ in expressions_of_alerts():
            self.assertRegex(tested, rf"alertname: {name}\n +exp_alerts:\n +- exp_labels:")


if __name__ == "__main__":
    harness.main()
