"""One withdrawal, as a platform's back end brings it about: account, address, payment, receipt.

    python exchange.py platform.json       (examples/run python makes that file, and a gate to speak to)

Every step is what integrate.md describes. In place of the customer's browser stands passkey.py.
"""

import json
import secrets
import sys
import time

from passkey import SoftwarePasskey
from portcullis import Client, Key, Refused, act_digest, relay


class Exchange:
    """The platform: its keys, its one customer, and how far it has followed the journal."""

    def __init__(self, platform):
        self.platform = platform
        self.gate = Client(platform["gate"], Key.read(platform["back_end"]["key"]), platform["genesis"])
        self.back_end = platform["back_end"]["principal"]
        self.onboarding = Key.read(platform["onboarding"]["key"])
        self.ledger = Key.read(platform["ledger"]["key"])
        self.browser = SoftwarePasskey(platform["rp_id"], platform["origin"])
        self.account, self.customer, self.subject = (secrets.token_hex(16) for _ in range(3))
        self.cursor = None

    def run(self):
        self.open_account(self.register_passkey())
        self.wait_until("the passkey counts", self.passkey_counts)
        self.add_address()
        self.wait_until("the address may be paid", self.address_counts)
        digest = self.withdraw()
        self.follow_to_the_end(digest)
        self.keep_receipt(digest)

    def register_passkey(self):
        """The gate's options go to the browser, its answer back to the gate: that proves possession, and enrols nothing."""
        options = self.gate.begin_registration({
            "realm": "customers", "rp_id": self.platform["rp_id"], "rp_name": "Example", "user_name": "customer",
            "user": "Y3VzdG9tZXI"})
        answer = self.browser.create(options)
        registered = self.gate.finish_registration({
            "challenge": options["challenge"],
            "credential": {"rawId": answer["rawId"], "response": answer["response"]}})
        tell("registered", "a passkey")
        return registered["factor"]

    def open_account(self, factor):
        """The back end's own act: its signed request proves it, and onboarding's word that the passkey is the holder's."""
        kind = {"type": "open-account", "subject": self.subject, "principal": self.customer, "factor": factor}
        act = self.gate.draft(kind, realm="staff", principal=self.back_end, account=self.account)
        said = self.onboarding.attest(self.platform["onboarding"]["issuer"], act_digest(act), act["expires"],
                                      {"claim": "onboarding"})
        self.submit(act, {"attestations": [said]})

    def add_address(self):
        act = self.customers_act({"type": "add-address", "address": self.platform["payee"]})
        self.submit(act, {"assertions": [self.assertion(act)]})

    def withdraw(self):
        """The ledger is debited first, and says so of this very act: its entry's id serves once, for ever."""
        act = self.customers_act({"type": "withdraw", "asset": self.platform["asset"], "to": self.platform["payee"],
                                  "amount": self.platform["amount"]})
        debit = {"claim": "ledger-debit", "entry": secrets.token_hex(16)}
        said = self.ledger.attest(self.platform["ledger"]["issuer"], act_digest(act), act["expires"], debit)
        self.submit(act, {"assertions": [self.assertion(act)], "attestations": [said]})
        return act_digest(act)

    def customers_act(self, kind):
        return self.gate.draft(kind, realm="customers", principal=self.customer, account=self.account)

    def assertion(self, act):
        """What the gate would ask the browser is compared with what we would; then it is relayed, and so is the answer."""
        trial = self.gate.ask(act)
        return relay(act_digest(act), self.browser.get(trial["options"]))

    def submit(self, act, evidence):
        """Under a key of its own: if no answer comes, the same again does no harm."""
        taken = self.gate.submit(act, evidence, idempotency_key=act["id"])
        decision = taken["decision"]
        needs = ", ".join(need["need"] for need in decision.get("needs", []))
        tell(act["kind"]["type"], f"{taken['digest'][:16]}… entry {taken['entry']}: {decision['decision']} {needs}")

    def passkey_counts(self, account):
        return any(factor["counts"] and has_come(factor["available_at"])
                   for holder in account["holders"] for factor in holder["factors"])

    def address_counts(self, account):
        return any(entry["address"] == self.platform["payee"] and has_come(entry["available_at"])
                   for entry in account["addresses"])

    def wait_until(self, what, counts):
        """A delay runs from the witnesses' cosignature; the events are read on meanwhile."""
        for _ in range(60):
            if counts(self.gate.read_account(self.account)):
                tell("now", what)
                return
            self.news()
        raise SystemExit(f"waited in vain: {what}")

    def follow_to_the_end(self, digest):
        """The events say what became of the withdrawal; only `confirmed` and `returned` are ends."""
        for _ in range(60):
            for event in self.news():
                stage = stage_of(digest, event)
                if stage is None:
                    continue
                tell("event", f"{event['entry']} {event['type']}: {stage}")
                if stage == "confirmed":
                    return
                if stage in ("returned", "refused"):
                    raise SystemExit(f"the withdrawal was {stage}: re-credit the customer")
        raise SystemExit("waited in vain for the withdrawal")

    def news(self):
        """The events since we last asked. A real platform keeps the cursor beside its ledger."""
        page = self.gate.read_events(after=self.cursor, wait=1000)
        self.cursor = page.get("next", self.cursor)
        return page["events"]

    def keep_receipt(self, digest):
        """Checkable offline, from the genesis digest alone: `portcullis verify receipt`."""
        for _ in range(60):
            try:
                receipt = self.gate.read_receipt(digest)
            except Refused as refused:
                if refused.status != 404:
                    raise
                self.news()
                continue
            with open(self.platform["receipt"], "w") as file:
                json.dump(receipt, file)
            tell("receipt", self.platform["receipt"])
            return
        raise SystemExit("waited in vain for the receipt")


def stage_of(digest, event):
    """What an event says of an act: it is about it, or it made something of it in passing."""
    about = [event, *event.get("others", [])]
    return next((it.get("stage") for it in about if it.get("act") == digest), None)


def has_come(moment):
    return moment is not None and moment <= time.time() * 1000


def tell(what, more):
    print(f"{what:<14}{more}", flush=True)


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        Exchange(json.load(file)).run()
