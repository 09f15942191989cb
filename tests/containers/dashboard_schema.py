"""Reads the dashboard with Grafana's own model of one, and writes it again: what is no part of the
model, or is no value of its type, does not come back. Called by scripts/dashboard_check.sh, with
the package grafana-foundation-sdk.

    dashboard_schema.py DASHBOARD
"""

import json
import pathlib
import re
import sys

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard

# Settings of Prometheus as a source of annotations, which the model of all dashboards leaves open.
OPEN = re.compile(r"/annotations/list\[\d+\]/(titleFormat|textFormat|step)")


def differences(given, back, path=""):
    if isinstance(given, dict) and isinstance(back, dict):
        for key, value in given.items():
            if key in back:
                yield from differences(value, back[key], f"{path}/{key}")
            elif not OPEN.fullmatch(f"{path}/{key}"):
                yield f"{path}/{key}: is no part of the model"
    elif isinstance(given, list) and isinstance(back, list) and len(given) == len(back):
        for number, (one, other) in enumerate(zip(given, back)):
            yield from differences(one, other, f"{path}[{number}]")
    elif given != back:
        yield f"{path}: {given!r} came back as {back!r}"


def main():
    register_default_plugins()
    given = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    board = dashboard.Dashboard.from_json(given)
    found = list(differences(given, json.loads(JSONEncoder().encode(board))))
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(given['panels'])} panels, {len(found)} faults")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
