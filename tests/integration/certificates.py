"""Certificates for tests, made on the spot with the program `openssl`: an authority and what it
signs."""

import pathlib
import shutil
import subprocess

AVAILABLE = shutil.which("openssl") is not None
NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def _openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(map(str, arguments))}: {done.stderr.decode()}")


class Authority:
    """Signs certificates. Its own is in `certificate`, a PEM file."""

    def __init__(self, folder, name="authority"):
        self._folder = pathlib.Path(folder)
        self._name = name
        self._key = self._folder / f"{name}.key"
        self.certificate = self._folder / f"{name}.pem"
        _openssl("req", "-x509", *NEW_KEY, "-keyout", self._key, "-out", self.certificate, "-days",
                 2, "-subj", f"/CN={name}")

    def sign(self, name, days=1):
        """Returns the PEM files (certificate, key) of a certificate for this machine; with 0 days
        it expires at once."""
        base = self._folder / f"{self._name}-{name}"
        request, extensions = base.with_suffix(".csr"), base.with_suffix(".ext")
        certificate, key = base.with_suffix(".pem"), base.with_suffix(".key")
        extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n", encoding="ascii")
        _openssl("req", *NEW_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
                 "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", certificate)
        return certificate, key
