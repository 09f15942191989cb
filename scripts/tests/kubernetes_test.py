"""Checks that the manifests in deploy/kubernetes agree with the image, the server and one another.

scripts/kubernetes_check.sh holds them against Kubernetes' own schemas.
"""

import re
import unittest

from packaging_test import ROOT, read, strict_documents, strict_yaml, yaml

FOLDER = ROOT / "deploy/kubernetes"


def manifests():
    """Every object that kustomization.yaml lists, by kind and name."""
    names = strict_yaml(read("deploy/kubernetes/kustomization.yaml"))["resources"]
    objects = [each for name in names
               for each in strict_documents((FOLDER / name).read_text(encoding="utf-8"))]
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


def matches(labels, selector):
    return selector.items() <= labels.items()


@unittest.skipIf(yaml is None, "no python3-yaml")
class Manifests(unittest.TestCase):
    def setUp(self):
        self.objects = manifests()
        self.pods = {name: each["spec"]["template"] for (kind, name), each in self.objects.items()
                     if kind == "Deployment"}
        self.servers = {name: pod["spec"]["containers"][0] for name, pod in self.pods.items()}

    def test_the_kustomization_lists_every_file(self):
        listed = strict_yaml(read("deploy/kubernetes/kustomization.yaml"))["resources"]
        there = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
        self.assertEqual(set(listed), there)

    def test_only_one_server_writes(self):
        writer = self.objects["Deployment", "antiphon-writer"]["spec"]
        self.assertEqual((writer["replicas"], writer["strategy"]["type"]), (1, "Recreate"))
        reader = self.servers["antiphon-readers"]
        self.assertEqual(reader["command"], ["antiphon-server", "--read-only"])
        for volume in self.pods["antiphon-readers"]["spec"]["volumes"]:
            if "persistentVolumeClaim" in volume:
                self.assertTrue(volume["persistentVolumeClaim"]["readOnly"])
        self.assertNotIn("command", self.servers["antiphon-writer"], "antiphon-serve, as the image")

    def test_pods_are_confined(self):
        for name, pod in self.pods.items():
            with self.subTest(deployment=name):
                spec = pod["spec"]
                self.assertIs(spec["enableServiceLinks"], False)
                self.assertIs(spec["automountServiceAccountToken"], False)
                user, group = re.search(r"(?m)^USER (\d+):(\d+)$", read("Dockerfile")).groups()
                self.assertEqual(spec["securityContext"]["runAsUser"], int(user))
                self.assertEqual(spec["securityContext"]["runAsGroup"], int(group))
                self.assertTrue(spec["securityContext"]["runAsNonRoot"])
                for container in spec["containers"] + spec["initContainers"]:
                    context = container["securityContext"]
                    self.assertTrue(context["readOnlyRootFilesystem"])
                    self.assertFalse(context["allowPrivilegeEscalation"])
                    self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
                    self.assertIn("memory", container["resources"]["limits"])

    def test_ports_and_paths_are_those_of_the_image(self):
        exposed = re.search(r"(?m)^EXPOSE (.+)$", read("Dockerfile")).group(1).split()
        for name, server in self.servers.items():
            with self.subTest(deployment=name):
                ports = {port["name"]: str(port["containerPort"]) for port in server["ports"]}
                self.assertEqual([ports["grpc"], ports["metrics"]], exposed)
                mounts = {mount["name"]: mount["mountPath"] for mount in server["volumeMounts"]}
                self.assertIn(f"VOLUME {mounts['bundle']}\n", read("Dockerfile"))
                volumes = {volume["name"] for volume in self.pods[name]["spec"]["volumes"]}
                self.assertEqual(set(mounts), volumes)
                for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                    self.assertEqual(server[probe]["httpGet"],
                                     {"path": "/healthz", "port": "metrics"})
        self.assertEqual({mount["name"]: mount["mountPath"] for mount in
                          self.servers["antiphon-writer"]["volumeMounts"]}["scores"],
                         re.search(r"SCORES:-([^}]+)}", read("deploy/antiphon-serve")).group(1))

    def test_variables_are_options_of_the_server(self):
        options = set(re.findall(r"`(ANTIPHON_\w+)`", read("docs/operations.md")))
        for name, server in self.servers.items():
            for variable in server["env"]:
                self.assertIn(variable["name"], options, name)

    def test_pods_get_the_time_that_the_server_takes_to_stop(self):
        for name, server in self.servers.items():
            values = {variable["name"]: variable["value"] for variable in server["env"]}
            taken = int(values["ANTIPHON_DRAIN_DELAY"]) + int(values["ANTIPHON_GRACE_PERIOD"])
            self.assertGreater(self.pods[name]["spec"]["terminationGracePeriodSeconds"], taken + 5)

    def test_selectors_find_what_they_mean(self):
        labels = {name: pod["metadata"]["labels"] for name, pod in self.pods.items()}
        found = {}
        for (kind, name), each in self.objects.items():
            if kind in ("Service", "PodDisruptionBudget"):
                selector = each["spec"]["selector"]
                selector = selector.get("matchLabels", selector)
                found[kind, name] = [pod for pod, its in labels.items() if matches(its, selector)]
        self.assertEqual(found, {
            ("Service", "antiphon"): ["antiphon-readers"],
            ("Service", "antiphon-writer"): ["antiphon-writer"],
            ("PodDisruptionBudget", "antiphon-readers"): ["antiphon-readers"]})
        monitor = self.objects["ServiceMonitor", "antiphon"]["spec"]
        for (kind, name), each in self.objects.items():
            if kind == "Service":
                its = each["metadata"]["labels"]
                self.assertTrue(matches(its, monitor["selector"]["matchLabels"]))
                # Alerts and dashboard ask for this job.
                self.assertEqual(its[monitor["jobLabel"]], "antiphon")
                ports = {port["name"] for port in each["spec"]["ports"]}
                self.assertLessEqual({end["port"] for end in monitor["endpoints"]}, ports)

    def test_the_image_is_of_this_version(self):
        image, = strict_yaml(read("deploy/kubernetes/kustomization.yaml"))["images"]
        version = re.search(r"project\(antiphon VERSION ([\d.]+)", read("CMakeLists.txt")).group(1)
        self.assertEqual((image["name"], image["newTag"]), ("antiphon", version))


if __name__ == "__main__":
    unittest.main()
