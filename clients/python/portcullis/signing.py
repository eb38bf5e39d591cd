"""What a back end signs and checks by itself, so that a gate in somebody else's hands can change nothing unseen.

- an act's canonical bytes, its digest and the passkey's challenge (docs/spec/acts.md, encoding.md, passkey.md);
- requests, by RFC 9421 in the profile of docs/spec/request.md, with the header `Portcullis-Act`;
- attestations by the platform's ledger and onboarding keys (docs/spec/evidence.md);
- a browser's assertion, on its way from the page to the gate.

Nothing here speaks to anybody. Everything that comes in is checked as far as it is used; what is wrong raises `ValueError`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from . import models
from .layout import LAYOUT

# The order of P-256's group (SEC 2). Of a signature's two forms of s only the lower one counts.
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Differs(ValueError):
    """The gate, or the page, answers about something else than was asked: send nothing more, and find out why."""


# -- acts --------------------------------------------------------------------------------------------------------------


def act_bytes(act: models.Act) -> bytes:
    """The act's canonical CBOR."""
    return encode("Act", act)


def act_digest(act: models.Act) -> str:
    """The act's digest: what a request's header `Portcullis-Act` says, and every proof is made over."""
    return _hash("portcullis/act/v1", act_bytes(act)).hex()


def challenge(digest: str) -> str:
    """The challenge of a passkey's assertion over the act with this digest, in base64url."""
    return to_base64(_hash("portcullis/passkey/v1", bytes.fromhex(digest)))


def factor_id(factor: models.NewFactor) -> str:
    """The id of a passkey or a request key; a request's `keyid` is one (docs/spec/encoding.md)."""
    match factor["kind"]:
        case "passkey":
            identity = from_base64(factor["credential"])
        case "request-key":
            identity = encode("key", factor["key"])
        case kind:
            raise ValueError(f"the id of a factor of kind {kind} is not for a client to compute")
    return _hash("portcullis/factor/v1", identity)[:16].hex()


def _hash(domain: str, message: bytes) -> bytes:
    return hashlib.sha256(domain.encode() + b"\0" + message).digest()


# -- canonical CBOR (RFC 8949, section 4.2.1), as the layout has it ------------------------------------------------------

_TYPES = {line.split()[0]: line.split()[1:] for line in LAYOUT.strip().splitlines()}


def encode(type_: str, value: Any) -> bytes:
    """A value's canonical CBOR. `type_` is a name of clients/acts.layout, or a type of one value there."""
    if type_.startswith("[]"):
        return _head(4, len(value)) + b"".join(encode(type_[2:], one) for one in value)
    if type_ in _PLAIN:
        return _PLAIN[type_](value)
    shape, *fields = _TYPES[type_]
    match shape:
        case "enum":
            return _head(0, int(dict(field.split("=") for field in fields)[_text(value)]))
        case "choice":
            return _choice(type_, fields[0], value)
        case _:
            return _members(shape, fields, value, set())


def _choice(type_: str, tag: str, value: dict[str, Any]) -> bytes:
    variant = f"{type_}/{value.get(tag)}"
    if variant not in _TYPES:
        raise ValueError(f"there is no {variant}: is this client older than the gate?")
    number, shape, *fields = _TYPES[variant]
    inner = _members(shape, fields, value, {tag})
    return _head(4, 2) + _head(0, int(number)) + (inner if shape == "tuple" else _head(4, 1) + inner)


def _members(shape: str, fields: list[str], value: dict[str, Any], known: set[str]) -> bytes:
    """A record is a map by its members' numbers, a tuple an array. A member that has no place would not be signed."""
    there = []
    for field in fields:
        number, name, type_ = field.split(":") if shape == "record" else ("", *field.split(":"))
        known.add(name.rstrip("?"))
        one = value.get(name.rstrip("?"))
        if one is None and type_.startswith("[]"):
            one = []
        if one is not None:
            there.append((_head(0, int(number)) if number else b"") + encode(type_, one))
        elif not name.endswith("?"):
            raise ValueError(f"{name} is missing")
    if unknown := value.keys() - known:
        raise ValueError(f"there is no member {', '.join(sorted(unknown))}")
    return _head(5 if shape == "record" else 4, len(there)) + b"".join(there)


def _head(major: int, number: int) -> bytes:
    """A major type with its number, in the shortest form."""
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**64:
        raise ValueError(f"{number!r} is no whole number of 64 bits")
    if number < 24:
        return bytes([major << 5 | number])
    for size, extra in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if number < 256**size:
            return bytes([major << 5 | extra]) + number.to_bytes(size, "big")
    raise AssertionError


def _bytes(value: bytes) -> bytes:
    return _head(2, len(value)) + value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _hex(value: Any) -> bytes:
    if len(_text(value)) not in (32, 64) or set(value) - set("0123456789abcdef"):
        raise ValueError(f"{value!r} is neither an id nor a digest: 32 or 64 lower-case hexadecimal digits")
    return _bytes(bytes.fromhex(value))


def _amount(value: Any) -> bytes:
    text = _text(value)
    if not (text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0") or int(text) >= 2**128:
        raise ValueError(f"{text!r} is no amount: decimal digits of base units, below 2^128")
    return _bytes(int(text).to_bytes(16, "big"))


def _caip(value: Any) -> bytes:
    """In its canonical spelling. Base58 and whatever other chains have stands as it is."""
    namespace, _, rest = _text(value).partition(":")
    is_bech32 = namespace == "bip122" and rest.lower().rpartition(":")[2].startswith(("bc1", "tb1", "bcrt1"))
    spelled = value if namespace == "eip155" or is_bech32 else namespace
    if spelled != spelled.lower():
        raise ValueError(f"{value!r}: write chains, and addresses in hexadecimal or bech32, in lower case, as they are signed")
    return _utf8(value)


def _utf8(value: Any) -> bytes:
    encoded = _text(value).encode()
    return _head(3, len(encoded)) + encoded


def _key(value: models.PublicKey) -> bytes:
    return _head(4, 2) + _head(0, {"ed25519": 1, "p256": 2}[value["kind"]]) + _bytes(from_base64(value["key"]))


_PLAIN = {
    "uint": lambda value: _head(0, value),
    "hex": _hex,
    "base64": lambda value: _bytes(from_base64(value)),
    "amount": _amount,
    "text": _utf8,
    "caip": _caip,
    "key": _key,
}


def to_base64(value: bytes) -> str:
    """base64url without padding, as JSON carries bytes."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def from_base64(text: str) -> bytes:
    """Its opposite: of one value one spelling is taken."""
    value = base64.urlsafe_b64decode(_text(text) + "=" * (-len(text) % 4))
    if to_base64(value) != text:
        raise ValueError(f"{text!r} is no base64url without padding")
    return value


# -- keys, requests, attestations --------------------------------------------------------------------------------------


class Key:
    """An Ed25519 key: a back end's that signs requests, or an issuer's that attests."""

    def __init__(self, private: Ed25519PrivateKey):
        self._private = private
        self._public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def read(cls, path: str) -> Key:
        """From a file in PEM (PKCS#8), as `openssl genpkey -algorithm ed25519` writes it."""
        with open(path, "rb") as file:
            private = load_pem_private_key(file.read(), None)
        if not isinstance(private, Ed25519PrivateKey):
            raise ValueError(f"{path} holds no Ed25519 key")
        return cls(private)

    @property
    def public(self) -> models.PublicKey:
        """Its public half, as an act that enrols it carries it."""
        return {"kind": "ed25519", "key": to_base64(self._public)}

    @property
    def id(self) -> str:
        """What a request's `keyid` says."""
        return factor_id({"kind": "request-key", "key": self.public})

    def sign(self, message: bytes) -> bytes:
        """64 bytes, RFC 8032."""
        return self._private.sign(message)

    def headers(self, method: str, url: str, body: bytes = b"", act: str | None = None, *,
                created: int | None = None, nonce: str | None = None) -> dict[str, str]:
        """The headers that sign a request. Sign each try anew: a nonce counts once, and for five minutes."""
        covered, headers = _covered(method, url, body, act)
        created = int(time.time()) if created is None else created
        names = " ".join(f'"{name}"' for name, _ in covered)
        parameters = (f'({names});created={created};nonce="{nonce or secrets.token_urlsafe(24)}"'
                      f';keyid="{self.id}";alg="ed25519";tag="portcullis"')
        signature = base64.b64encode(self.sign(_base(covered, parameters))).decode()
        return {**headers, "Signature-Input": f"portcullis={parameters}", "Signature": f"portcullis=:{signature}:"}

    def attest(self, issuer: str, act: str, expires: int, claim: models.Claim) -> models.Attestation:
        """This issuer's word about the act with this digest. Attest a debit only once the ledger has it."""
        statement = {"issuer": issuer, "act": act, "expires": expires, "claim": claim}
        return {"statement": statement, "signature": to_base64(self.sign(attestation_bytes(statement)))}


def attestation_bytes(statement: dict[str, Any]) -> bytes:
    """What an issuer signs."""
    return b"portcullis/attestation/v1\0" + encode("AttestationStatement", statement)


def _covered(method: str, url: str, body: bytes, act: str | None) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """What the signature covers, in its order, and the headers that carry the last two."""
    parts, headers = urlsplit(url), {}
    covered = [("@method", method), ("@authority", parts.netloc.lower()), ("@path", parts.path or "/")]
    if "?" in url:
        covered.append(("@query", "?" + parts.query))
    if body:
        headers["Content-Digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        covered.append(("content-digest", headers["Content-Digest"]))
    if act is not None:
        headers["Portcullis-Act"] = act
        covered.append(("portcullis-act", act))
    return covered, headers


def _base(covered: list[tuple[str, str]], parameters: str) -> bytes:
    """The signature base: what is signed, and what stands in the journal."""
    lines = [f'"{name}": {value}' for name, value in [*covered, ("@signature-params", parameters)]]
    return "\n".join(lines).encode("ascii")


# -- passkeys on their way ---------------------------------------------------------------------------------------------


def check_options(digest: str, options: models.RequestOptions) -> models.RequestOptions:
    """The gate's options for the browser, if they ask for an assertion over this act and no other."""
    if options["challenge"] != challenge(digest):
        raise Differs(f"the gate's challenge is not that of act {digest}")
    return options


def relay(digest: str, response: dict[str, Any]) -> models.Assertion:
    """A browser's answer (`PublicKeyCredential.toJSON()`) as evidence for the act with this digest.

    What the authenticator signed goes on byte for byte; the signature turns from DER to r ‖ s with the low s. An answer
    to another challenge is refused here, before the gate does it.
    """
    inner = response["response"]
    said = json.loads(from_base64(inner["clientDataJSON"]))
    if said.get("type") != "webauthn.get" or said.get("challenge") != challenge(digest):
        raise Differs(f"the passkey did not assert act {digest}")
    return {
        "credential": response["rawId"],
        "authenticator_data": inner["authenticatorData"],
        "client_data": inner["clientDataJSON"],
        "signature": to_base64(low_signature(from_base64(inner["signature"]))),
    }


def low_signature(signature: bytes) -> bytes:
    """An authenticator's signature as evidence carries it: Ed25519 as it is, P-256 from DER."""
    if len(signature) == 64:
        return signature
    r, s = decode_dss_signature(signature)
    return r.to_bytes(32, "big") + min(s, P256_ORDER - s).to_bytes(32, "big")


