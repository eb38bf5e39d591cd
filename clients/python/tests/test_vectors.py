"""Every vector of acts, factors, attestations and requests: docs/spec."""

import base64
import json
import pathlib
import re
import unittest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portcullis import signing

SPEC = pathlib.Path(__file__).resolve().parents[3] / "docs/spec"
# RFC 9421, appendix B.1.4: the key of request.md's first vector.
RFC_9421_KEY = "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU"


def vectors(name):
    return json.loads((SPEC / "vectors" / f"{name}.json").read_text())


def blocks(page):
    """The JSON in a page's fences."""
    return [json.loads(text) for text in re.findall(r"```json\n(.*?)```", (SPEC / page).read_text(), re.S)]


class Vectors(unittest.TestCase):
    def test_acts(self):
        acts = vectors("acts")["acts"]
        self.assertGreater(len(acts), 40)
        for act in acts:
            with self.subTest(act["what"]):
                self.assertEqual(signing.act_bytes(act["json"]).hex(), act["cbor"])
                self.assertEqual(signing.act_digest(act["json"]), act["digest"])
                self.assertEqual(signing.from_base64(signing.challenge(act["digest"])).hex(), act["challenge"])

    def test_factors(self):
        for factor in vectors("encoding")["factors"]:
            if factor["json"]["kind"] in ("passkey", "request-key"):
                with self.subTest(factor["what"]):
                    self.assertEqual(signing.encode("NewFactor", factor["json"]).hex(), factor["cbor"])
                    self.assertEqual(signing.factor_id(factor["json"]), factor["id"])

    def test_attestations(self):
        for attestation in vectors("evidence")["attestations"]:
            with self.subTest(attestation["what"]):
                signed = signing.attestation_bytes(attestation["json"]["statement"])
                self.assertEqual(signed.hex(), attestation["signed_bytes"])

    def test_request(self):
        vector = blocks("request.md")[0]
        key = signing.Key(Ed25519PrivateKey.from_private_bytes(signing.from_base64(RFC_9421_KEY)))
        self.assertEqual(key.public, vector["key"])
        url = f"http://{vector['authority']}{vector['path']}?{vector['query']}"
        covered, headers = signing._covered(vector["method"], url, vector["body"].encode(), vector["Portcullis-Act"])
        parameters = vector["Signature-Input"].removeprefix("portcullis=")
        base = signing._base(covered, parameters)
        self.assertEqual(base.decode(), vector["base"])
        self.assertEqual(headers["Content-Digest"], vector["Content-Digest"])
        self.assertEqual(f"portcullis=:{base64.b64encode(key.sign(base)).decode()}:", vector["Signature"])

    def test_parameters_are_in_the_profile(self):
        key = signing.Key(Ed25519PrivateKey.generate())
        headers = key.headers("GET", "http://gate:7400/v1/events?after=1")
        form = (r'portcullis=\("@method" "@authority" "@path" "@query"\);created=\d+;nonce="[\w-]{16,64}"'
                rf';keyid="{key.id}";alg="ed25519";tag="portcullis"')
        self.assertRegex(headers["Signature-Input"], f"^{form}$")

    def test_passkeys(self):
        for vector in blocks("passkey.md"):
            with self.subTest(vector["what"]):
                self.assertEqual(signing.from_base64(signing.challenge(vector["act_digest"])).hex(), vector["challenge"])
                assertion = vector["assertion"]
                response = {"rawId": assertion["credential"], "response": {
                    "clientDataJSON": assertion["client_data"],
                    "authenticatorData": assertion["authenticator_data"],
                    "signature": assertion["signature"]}}
                self.assertEqual(signing.relay(vector["act_digest"], response), assertion)
                with self.assertRaises(signing.Differs):
                    signing.relay("00" * 32, response)

    def test_what_is_no_act_is_not_signed(self):
        act = vectors("acts")["acts"][0]["json"]
        kinds = [
            {"type": "withdraw-all"},
            {**act["kind"], "memo": "1"},
            {**act["kind"], "amount": "01"},
            {**act["kind"], "amount": str(2**128)},
            {**act["kind"], "amount": 1},
            {**act["kind"], "to": act["kind"]["to"].upper()},
            {"type": "cancel"},
            {"type": "cancel", "act": "D1" * 32},
        ]
        for kind in kinds:
            with self.subTest(kind), self.assertRaises(ValueError):
                signing.act_digest({**act, "kind": kind})

    def test_another_challenge_is_refused(self):
        digest = "ac" * 32
        self.assertEqual(signing.check_options(digest, {"challenge": signing.challenge(digest)})["challenge"],
                         signing.challenge(digest))
        with self.assertRaises(signing.Differs):
            signing.check_options(digest, {"challenge": signing.challenge("ad" * 32)})

    def test_the_high_s_is_lowered(self):
        der = lambda r, s: bytes.fromhex(f"30{4 + len(r) // 2 + len(s) // 2:02x}02{len(r) // 2:02x}{r}02{len(s) // 2:02x}{s}")
        high = f"00{signing.P256_ORDER - 5:064x}"
        self.assertEqual(signing.low_signature(der("07", high)).hex(), f"{7:064x}{5:064x}")
        self.assertEqual(signing.low_signature(der("07", "05")).hex(), f"{7:064x}{5:064x}")


if __name__ == "__main__":
    unittest.main()
