"""The certificate that all proxies of a run show: ECDSA P-256, self-signed, made anew each time."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from process import StartError

CERTIFICATE, KEY = "server.pem", "server.pem.key"
"""The files' names in the folder of each instance. HAProxy finds the key by the certificate's name and `.key`."""


def make(folder: Path) -> None:
    """Writes both files. Throws `StartError` with the program's words."""
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=bench.local", "-addext", "subjectAltName=DNS:bench.local,IP:127.0.0.1",
         "-keyout", str(folder / KEY), "-out", str(folder / CERTIFICATE)], capture_output=True, text=True)
    if made.returncode:
        raise StartError("no certificate: " + made.stderr.strip()[-200:])


def copy(source: Path, target: Path) -> None:
    for name in (CERTIFICATE, KEY):
        shutil.copy(source / name, target / name)
