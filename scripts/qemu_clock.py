# SPDX-License-Identifier: MIT
"""What a board without a clock must do in 1970: upstreams with certificates, and what it says."""

import subprocess

from board_tools import fail
from qemu_tools import HOST, start_upstream

# `openssl ca`, since `openssl req` lets certificates begin now only.
AUTHORITY = """
[ca]
default_ca = here
[here]
database = {0}/index.txt
new_certs_dir = {0}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = names
x509_extensions = more
[names]
commonName = supplied
[more]
basicConstraints = CA:TRUE
subjectAltName = IP:{1}
"""
# Names of channels and of their models, and the years of their upstreams' certificates.
CHANNELS = {"valid": (2025, 2099), "expired": (2001, 2020)}


def certify(folder):
    """Certificates that are their own authorities; the file that makes the gateway trust them."""
    (folder / "index.txt").touch()
    (folder / "ca.conf").write_text(AUTHORITY.format(folder, HOST), encoding="utf-8")
    bundle = ""
    for name, (first, last) in CHANNELS.items():
        path = folder / name
        for command in (
                ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                 f"/CN={name}", "-keyout", f"{path}.key", "-out", f"{path}.csr"],
                ["ca", "-batch", "-selfsign", "-notext", "-config", folder / "ca.conf", "-keyfile",
                 f"{path}.key", "-in", f"{path}.csr", "-out", f"{path}.pem", "-startdate",
                 f"{first}0101000000Z", "-enddate", f"{last}0101000000Z"]):
            subprocess.run(["openssl", *command], check=True, capture_output=True)
        bundle += (folder / f"{name}.pem").read_text("ascii")
    (folder / "ca.pem").write_text(bundle, encoding="ascii")
    return folder / "ca.pem"


def check(board, key, jwt, folder):
    """Asks upstreams over TLS while the clock is not set; prints what came of it."""
    said = {}
    for name in CHANNELS:
        port = start_upstream(folder / f"{name}.pem")
        made = board.call("POST", "/api/v1/channels", {
            "name": name, "type": "openai-compatible", "keys": ["k"], "models": [name],
            "base_url": f"https://HOST:{port}/v1".replace("HOST", HOST)}, jwt)["data"]
        said[name] = board.call("POST", f"/api/v1/channels/{made['id']}/test", {}, jwt)["data"]
        if name == "valid":             # only what is relayed tells the time
            if not said[name]["ok"]:
                fail(f"without a clock a valid certificate is refused: {said[name]['error']}")
            board.chat(key, name)
        board.call("DELETE", f"/api/v1/channels/{made['id']}", None, jwt)
    if said["expired"]["ok"] or "expired" not in said["expired"]["error"]:
        fail(f"a certificate that ended before this program was built passes: {said['expired']}")
    found = board.call("GET", "/api/v1/doctor", None, jwt)["data"]["findings"]
    clock = next(finding for finding in found if finding["id"] == "clock")
    if clock["level"] != "error" or "minutes ahead" not in clock["message"]:
        fail(f"the doctor does not see that the clock is wrong: {clock}")
    print(f"without a clock: a certificate of {CHANNELS['valid'][0]} is accepted; of the other: "
          f"{said['expired']['error']}; doctor: {clock['message']}", flush=True)
