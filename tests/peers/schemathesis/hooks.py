"""Signs whatever schemathesis sends, with the key of a role (docs/spec/request.md).

Of the environment: ROLE_KEY, an Ed25519 key in PEM; without one nothing is signed.
"""

import base64
import hashlib
import os
import pathlib
import secrets
import time
from urllib.parse import urlsplit

import schemathesis
from cryptography.hazmat.primitives import serialization as form

ED25519 = bytes([0x82, 0x01, 0x58, 0x20])  # of a public key's CBOR (docs/spec/encoding.md)


class Signed:
    """What requests calls on each prepared request."""

    def __init__(self, pem):
        self.key = form.load_pem_private_key(pathlib.Path(pem).read_bytes(), None)
        public = self.key.public_key().public_bytes(form.Encoding.Raw, form.PublicFormat.Raw)
        self.key_id = hashlib.sha256(b"portcullis/factor/v1\0" + ED25519 + public).hexdigest()[:32]

    def __call__(self, request):
        url = urlsplit(request.url)
        lines = [("@method", request.method), ("@authority", url.netloc), ("@path", url.path or "/")]
        if "?" in request.url.split("#")[0]:
            lines.append(("@query", "?" + url.query))
        body = request.body.encode() if isinstance(request.body, str) else request.body
        if isinstance(body, bytes) and body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            request.headers["Content-Digest"] = f"sha-256=:{digest}:"
            lines.append(("content-digest", request.headers["Content-Digest"]))
        else:
            request.headers.pop("Content-Digest", None)
        act = request.headers.get("Portcullis-Act")
        if act is not None:
            act = act if isinstance(act, str) else act.decode("latin-1")
            lines.append(("portcullis-act", act))
        names = " ".join(f'"{name}"' for name, _ in lines)
        parameters = (
            f'({names});created={int(time.time())};nonce="{secrets.token_hex(16)}"'
            f';keyid="{self.key_id}";alg="ed25519";tag="portcullis"'
        )
        base = "\n".join(f'"{name}": {value}' for name, value in [*lines, ("@signature-params", parameters)])
        signature = base64.b64encode(self.key.sign(base.encode("utf-8", "replace"))).decode()
        request.headers["Signature-Input"] = f"portcullis={parameters}"
        request.headers["Signature"] = f"portcullis=:{signature}:"
        return request


@schemathesis.serializer("application/cbor")
def cbor(context, value):
    """Keepers' statements: what is made of the description is text, and stands for hostile bytes."""
    return value if isinstance(value, bytes) else str(value).encode()


if os.environ.get("ROLE_KEY"):
    schemathesis.auth.set_from_requests(Signed(os.environ["ROLE_KEY"]))
