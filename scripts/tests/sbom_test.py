"""Checks the bill of materials of the container image. With PyPI's spdx-tools, its validator is
asked, too."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
except ImportError:
    parse_file = None

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "make_sbom.py"
PACKAGES = ("libstdc++6\t12.2.0-14+deb12u1\tamd64\tgcc-12\n"
            "libgrpc++1.51\t1.51.1-3+b1\tamd64\tgrpc\n"
            "libavcodec59\t7:5.1.6-0+deb12u1\tamd64\tffmpeg\n"
            "ca-certificates\t20230311\tall\tca-certificates\n")


def bill(packages=PACKAGES):
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(packages)
        file.flush()
        return subprocess.run(
            [sys.executable, SCRIPT, "--packages", file.name, "--version", "1.2.3", "--created",
             "2026-01-02T03:04:05Z"], capture_output=True, text=True, check=False)


class Sbom(unittest.TestCase):
    def test_lists_each_package_the_programs_and_the_model(self):
        made = json.loads(bill().stdout)
        found = {package["name"]: package for package in made["packages"]}
        self.assertEqual(set(found), {"image", "antiphon", "antiphon-model", "libstdc++6",
                                      "libgrpc++1.51", "libavcodec59", "ca-certificates"})
        self.assertEqual(found["antiphon"]["versionInfo"], "1.2.3")
        self.assertEqual(found["libavcodec59"]["externalRefs"][0]["referenceLocator"],
                         "pkg:deb/debian/libavcodec59@7%3A5.1.6-0%2Bdeb12u1?arch=amd64")
        self.assertIn("ffmpeg", found["libavcodec59"]["sourceInfo"])
        related = {relation["relatedSpdxElement"] for relation in made["relationships"]}
        self.assertEqual(related, {package["SPDXID"] for package in made["packages"]})

    def test_identifiers_are_unique_and_of_the_characters_that_spdx_allows(self):
        made = json.loads(bill(PACKAGES + "libstdc++6\t12.2.0-14\ti386\tgcc-12\n").stdout)
        identities = [package["SPDXID"] for package in made["packages"]]
        self.assertEqual(len(set(identities)), len(identities))
        for identity in identities:
            self.assertRegex(identity, r"^SPDXRef-[A-Za-z0-9.-]+$")

    def test_is_the_same_for_the_same_image_in_whatever_order(self):
        other = "".join(reversed(PACKAGES.splitlines(keepends=True)))
        self.assertEqual(bill().stdout, bill(other).stdout)

    def test_what_is_no_list_of_packages_is_refused(self):
        for text in ["nonsense\n", "../x\t1\tamd64\tx\n", "a\tb\tc\n"]:
            self.assertNotEqual(bill(text).returncode, 0, text)

    @unittest.skipIf(parse_file is None, "no spdx-tools here")
    def test_is_valid_spdx(self):
        with tempfile.NamedTemporaryFile("w", suffix=".spdx.json", encoding="utf-8") as file:
            file.write(bill().stdout)
            file.flush()
            self.assertEqual(validate_full_spdx_document(parse_file(file.name)), [])


if __name__ == "__main__":
    unittest.main()
