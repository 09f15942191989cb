"""Packages of PyPI that tests use where they can be had, each set in a virtual environment of its
own.
"""
import subprocess
import sys

INSTALL_SECONDS = 300


def install(folder, packages):
    """(the Python of an environment in `folder` that has the `packages`, None), or (None, why
    not)."""
    python = folder / "bin" / "python"
    stamp, wanted = folder / "installed", "\n".join(packages)
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return python, None
    for command in ([sys.executable, "-m", "venv", "--clear", str(folder)],
                    [str(python), "-m", "pip", "install", "--quiet", *packages]):
        try:
            done = subprocess.run(command, capture_output=True, timeout=INSTALL_SECONDS,
                                  check=False)
        except (OSError, subprocess.TimeoutExpired) as failure:
            return None, str(failure)
        if done.returncode != 0:
            said = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()
            return None, said[-1] if said else f"{command} failed"
    stamp.write_text(wanted, encoding="ascii")
    return python, None
