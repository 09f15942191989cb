#!/usr/bin/env python3
"""Writes what is in the container image as SPDX 2.3 (JSON): Debian's packages, the programs, the
model.

    scripts/make_sbom.py --packages FILE --version VERSION [--created TIME] > antiphon.spdx.json

FILE has a line for each package in the image: its name, version, architecture and source package,
with tabs between. scripts/image_sbom.sh asks an image for them.
"""
import argparse
import datetime
import hashlib
import json
import re
import sys

NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")


def own(name, version, licence, comment):
    return {
        "SPDXID": f"SPDXRef-{name}", "name": name, "versionInfo": version,
        "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": licence, "licenseDeclared": licence, "copyrightText": "NOASSERTION",
        "comment": comment,
    }


def debian(line):
    name, version, architecture, source = line.rstrip("\n").split("\t")
    if not NAME.fullmatch(name):
        raise ValueError(f"no name of a Debian package: {name!r}")
    identity = re.sub(r"[^A-Za-z0-9.-]", lambda found: f"-x{ord(found[0]):02x}-",
                      f"{name}-{architecture}")
    purl_version = version.replace("+", "%2B").replace(":", "%3A").replace("~", "~")
    return {
        "SPDXID": f"SPDXRef-deb-{identity}", "name": name, "versionInfo": version,
        "supplier": "Organization: Debian", "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False, "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION",
        "comment": f"licences: /usr/share/doc/{name}/copyright",
        "sourceInfo": f"built from the source package {source}",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator":
                f"pkg:deb/debian/{name.replace('+', '%2B')}@{purl_version}?arch={architecture}"}],
    }


def document(lines, version, created):
    """The bill as a dict; `lines` are those of dpkg-query."""
    packages = [own("antiphon", version, "GPL-3.0-or-later",
                    "the programs; the code is Apache-2.0, what is linked makes it this (NOTICE)"),
                own("antiphon-model", version, "CC-BY-SA-4.0", "models/default")]
    packages += [debian(line) for line in sorted(lines)]
    image = own("image", version, "NOASSERTION", "the container image")
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", image["SPDXID"])]
    relations += [(image["SPDXID"], "CONTAINS", package["SPDXID"]) for package in packages]
    content = hashlib.sha256("".join(sorted(lines)).encode() + version.encode()).hexdigest()
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"antiphon-image-{version}",
        "documentNamespace": f"https://antiphon.invalid/sbom/{version}/{content}",
        "creationInfo": {"created": created, "creators": ["Tool: antiphon-make_sbom"]},
        "packages": [image, *packages],
        "relationships": [{"spdxElementId": one, "relationshipType": kind,
                           "relatedSpdxElement": other} for one, kind, other in relations],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--packages", type=argparse.FileType(encoding="utf-8"), required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--created", default=datetime.datetime.now(datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ"))
    arguments = parser.parse_args()
    lines = [line for line in arguments.packages if line.strip()]
    json.dump(document(lines, arguments.version, arguments.created), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
