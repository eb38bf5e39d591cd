"""Signs, sends, and compares what the gate answers with what was asked."""

from __future__ import annotations

import json
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

from . import models, signing
from .api import Api

# More than the largest receipt; a gate that sends more is not listened to.
MOST_BYTES = 64 * 1024 * 1024


class Refused(Exception):
    """The gate's refusal: an RFC 9457 problem. `reason` is a number of docs/spec/reasons.md, `retry` says what may help."""

    def __init__(self, status: int, problem: dict[str, Any]):
        self.status = status
        self.problem = problem
        self.reason: int | None = problem.get("reason")
        self.retry: str | None = problem.get("retry")
        super().__init__(f"{status} {self.reason} {problem.get('title')}: {problem.get('detail')} {problem.get('at', '')}")


class Client(Api):
    """One gate, asked with one key.

    `gate` is what the gate's configuration calls itself, such as http://gate.internal:7400: signatures cover it. `genesis`
    is the network's digest, pinned by hand. Where no answer comes, `OSError` says so, and what became of an act is not
    known: ask `read_act`, or send the same act again with the same idempotency key.
    """

    def __init__(self, gate: str, key: signing.Key, genesis: str, timeout: float = 60):
        self.gate = gate.rstrip("/")
        self.key = key
        self.genesis = genesis
        self.timeout = timeout

    def draft(self, kind: models.ActKind, *, realm: models.Realm, principal: str, account: str | None = None,
              lasts: float = 600) -> models.Act:
        """A new act, on the newest checkpoint, that can be submitted for so many seconds."""
        act: models.Act = {
            "genesis": self.genesis,
            "realm": realm,
            "principal": principal,
            "id": secrets.token_hex(16),
            "checkpoint": self.read_checkpoint()["digest"],
            "expires": int((time.time() + lasts) * 1000),
            "kind": kind,
        }
        if account is not None:
            act["account"] = account
        return act

    def ask(self, act: models.Act) -> models.Trial:
        """What would become of the act, and the options for the customer's passkey; nothing is journaled.

        The options are checked: they ask for an assertion over this act and no other.
        """
        digest = signing.act_digest(act)
        trial = self.simulate_act({"act": act, "evidence": {}}, act=digest)
        self._same(digest, trial["digest"])
        if "options" in trial:
            signing.check_options(digest, trial["options"])
        return trial

    def submit(self, act: models.Act, evidence: models.Evidence, idempotency_key: str | None = None) -> models.Taken:
        """Submit an act. What it returns stands in the journal: released, or held with what it needs."""
        digest = signing.act_digest(act)
        taken = self.submit_act({"act": act, "evidence": evidence}, act=digest, idempotency_key=idempotency_key)
        self._same(digest, taken["digest"])
        return taken

    def follow(self, after: int | None = None, wait: int = 30_000) -> Iterator[models.Event]:
        """Every event behind an entry, for ever. Keep the entry of the last one that you have dealt with."""
        while True:
            page = self.read_events(after=after, wait=wait)
            yield from page["events"]
            after = page.get("next", after)

    @staticmethod
    def _same(ours: str, theirs: str) -> None:
        if ours != theirs:
            raise signing.Differs(f"the gate answers about act {theirs}, and {ours} was sent")

    def _send(self, method: str, path: str, *, query: dict[str, Any] | None = None, body: Any = None,
              act: str | None = None, idempotency_key: str | None = None, signed: bool = False) -> Any:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = self.gate + path + ("?" + urllib.parse.urlencode(given) if given else "")
        sent = json.dumps(body).encode() if body is not None else b""
        headers = self.key.headers(method, url, sent, act) if signed else {}
        if sent:
            headers["Content-Type"] = "application/json"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        request = urllib.request.Request(url, data=sent or None, headers=headers, method=method)
        try:
            with _OPENER.open(request, timeout=self.timeout) as answer:
                return _json(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                raise Refused(answer.code, _problem(answer)) from None


class _Stay(urllib.request.HTTPRedirectHandler):
    """A signed request goes where it was signed for, and nowhere that an answer names."""

    def redirect_request(self, *_: Any) -> None:
        return None


# No proxy that the environment names, either: it would see what is asked, and could answer.
_OPENER = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))


def _json(answer: Any) -> Any:
    read = answer.read(MOST_BYTES + 1)
    if len(read) > MOST_BYTES:
        raise OSError(f"the gate's answer is over {MOST_BYTES} bytes")
    return json.loads(read) if read else None


def _problem(answer: Any) -> dict[str, Any]:
    """What stands between us and the gate may answer in its own words."""
    try:
        problem = _json(answer)
    except ValueError:
        problem = None
    return problem if isinstance(problem, dict) else {"title": answer.reason}
