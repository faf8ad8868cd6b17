# SPDX-License-Identifier: MIT
"""A private certificate authority for the tests, made anew in each run."""

import datetime
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _new_key(kind):
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


class Authority:
    """A root or an intermediate that signs further certificates."""

    def __init__(self, name, kind="ec", parent=None):
        self.key = _new_key(kind)
        self.name = name
        signer = parent or self
        self.certificate = signer.sign(name, self.key, authority=True)

    def sign(self, name, key, authority=False, names=(), start=-1, days=90):
        """A certificate for a key; `start` and `days` are relative to today."""
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name(self.name))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now + start * DAY).not_valid_after(now + (start + days) * DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False))
        if authority:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        else:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption())


class Certificates:
    """All chains that the upstream's TLS listeners show, `ca_file` with the trusted roots,
    and `stranger_file` with the root of nobody but the listener `unknown-ca`."""

    def __init__(self, folder):
        self.folder = folder
        root, rsa_root, stranger = Authority("E2E Root"), Authority("E2E RSA Root", "rsa"), \
            Authority("E2E Stranger")
        middle = Authority("E2E Intermediate", parent=root)
        local = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        other = [x509.DNSName("other.example")]
        self.listeners = {
            "tls": self._leaf("tls", middle, local, chain=[middle]),
            "tls12-rsa": self._leaf("tls12-rsa", rsa_root, local, kind="rsa"),
            "unknown-ca": self._leaf("unknown-ca", stranger, local),
            "wrong-name": self._leaf("wrong-name", root, other),
            "expired": self._leaf("expired", root, local, start=-30, days=20),
        }
        self.ca_file = folder / "roots.pem"
        self.ca_file.write_bytes(_pem(root.certificate) + _pem(rsa_root.certificate))
        self.stranger_file = folder / "stranger.pem"
        self.stranger_file.write_bytes(_pem(stranger.certificate))
        self.own_certificate, self.own_key = self._leaf("own", root, local)

    def _leaf(self, name, authority, names, chain=(), kind="ec", **validity):
        key = _new_key(kind)
        leaf = authority.sign("e2e " + name, key, names=names, **validity)
        certificate_path, key_path = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate_path.write_bytes(
            b"".join(map(_pem, [leaf, *(a.certificate for a in chain)])))
        key_path.write_bytes(_key_pem(key))
        key_path.chmod(0o600)
        return certificate_path, key_path

    def server_context(self, listener):
        """The TLS settings of one listener."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.listeners[listener])
        if listener.startswith("tls12"):
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context
