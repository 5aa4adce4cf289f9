"""A certificate authority for tests: servers' and clients' certificates with any names, times and kinds of key."""

import datetime
import ipaddress
import itertools
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_numbers = itertools.count(1)


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


def _name(common_name):
    return x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Story"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _san(text):
    if "://" in text:
        return x509.UniformResourceIdentifier(text)
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


@dataclass
class Certificate:
    """A certificate and its key as files, `certificate` with whoever issued it between it and the root."""

    certificate: Path
    key: Path
    x509: x509.Certificate

    @property
    def pair(self):
        """As the configuration has it."""
        return {"certificate": str(self.certificate), "key": str(self.key)}

    @property
    def expires(self):
        """Seconds since 1970."""
        return int(self.x509.not_valid_after_utc.timestamp())

    @property
    def fingerprint(self):
        return self.x509.fingerprint(hashes.SHA256()).hex()

    @property
    def serial(self):
        return self.x509.serial_number

    @property
    def der(self):
        return self.x509.public_bytes(serialization.Encoding.DER)

    def replace(self, other):
        """Another certificate and key take the place of this one's files, each at once."""
        for mine, its in ((self.certificate, other.certificate), (self.key, other.key)):
            beside = mine.with_name(mine.name + ".new")
            beside.write_bytes(its.read_bytes())
            beside.rename(mine)


class Authority:
    """A root of its own; its certificate is the file `certificate`."""

    def __init__(self, directory, name="Story Authority"):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._root = (
            x509.CertificateBuilder().subject_name(self._name).issuer_name(self._name)
            .public_key(self._key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(_now() - datetime.timedelta(days=1)).not_valid_after(_now() + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256()))
        self.certificate = self._write("root.pem", self._root.public_bytes(serialization.Encoding.PEM))

    def _write(self, name, data):
        path = self.directory / name
        path.write_bytes(data)
        return path

    def issue(self, *names, kind="ecdsa", days=10.0, begins=-1.0, common_name=None):
        """A certificate for these names: DNS names, IP addresses and URIs. `days` and `begins` count from now."""
        key = (ec.generate_private_key(ec.SECP256R1()) if kind == "ecdsa"
               else rsa.generate_private_key(public_exponent=65537, key_size=2048))
        certificate = (
            x509.CertificateBuilder().subject_name(_name(common_name or names[0])).issuer_name(self._name)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(_now() + datetime.timedelta(days=begins))
            .not_valid_after(_now() + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([_san(name) for name in names]), critical=False)
            .add_extension(x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256()))
        stem = f"{next(_numbers)}-{kind}"
        return Certificate(
            self._write(f"{stem}.pem", certificate.public_bytes(serialization.Encoding.PEM)),
            self._write(f"{stem}.key", key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())),
            certificate)

    def revocation_list(self, *revoked):
        """A file that revokes these certificates."""
        builder = (
            x509.CertificateRevocationListBuilder().issuer_name(self._name)
            .last_update(_now() - datetime.timedelta(hours=1)).next_update(_now() + datetime.timedelta(days=1)))
        for one in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(one.serial).revocation_date(
                    _now() - datetime.timedelta(minutes=5)).build())
        crl = builder.sign(self._key, hashes.SHA256())
        return self._write(f"{next(_numbers)}.crl", crl.public_bytes(serialization.Encoding.PEM))
