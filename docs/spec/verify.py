#!/usr/bin/env python3
"""Verifies receipts of Portcullis: a second implementation, from docs/spec alone.

    python3 verify.py RECEIPT --genesis-digest HEX [--json]
    python3 verify.py --vectors FOLDER [--json]

RECEIPT is the JSON bundle of receipt.md ("-" is standard input), HEX the pinned genesis digest, 64
lower-case hexadecimal digits. With --vectors, every receipt-*.json of FOLDER is verified, and the
outcome compared with what the vector expects: the fault, or "ok" and everything that it shows.

Exit status: 0 the receipt holds (all vectors agree), 1 it does not (one disagrees; none was found),
2 wrong usage, or the file could not be read.

Python 3.11, standard library only. No check asks the clock or the network. The file reads from top to
bottom: the story of a verification, then what the story rests on: who proves what, genesis, the log,
passkeys, requests, transactions, coins, structures, CBOR, JSON, and cryptography.
"""

import argparse
import base64
import contextlib
import datetime
import functools
import glob
import hashlib
import json
import os
import re
import sys
import unicodedata
from types import SimpleNamespace

# Caps; encoding.md "CBOR", log.md, ethereum.md
MAX_ENTRIES = 64
MAX_ENTRY = 60_000
MAX_ACT = 16_384
MAX_NOTE = 131_072
MAX_TRANSACTION = 1_024
MAX_TREE = 2**62
# The specification gives no cap for the bundle: 64 entries and a note, each at its own cap, fit in this.
MAX_RECEIPT = 8 * 2**20


class Refused(Exception):
    """What does not hold, and under which fault of receipt.md."""

    def __init__(self, reason, fault=None):
        super().__init__(reason)
        self.reason, self.fault = reason, fault


def need(condition, reason):
    if not condition:
        raise Refused(reason)


@contextlib.contextmanager
def fault(name):
    """Gives a refusal its fault. Whatever else goes wrong inside is a refusal too: fail closed."""
    try:
        yield
    except Refused as refused:
        raise Refused(refused.reason, refused.fault or name) from None
    except Exception as error:
        raise Refused(f"unreadable ({type(error).__name__})", name) from error


# ---------------------------------------------------------------------------- The checks: receipt.md


def verify(bundle, pinned):
    """All checks of receipt.md in its order. Gives what the receipt shows, or raises Refused."""
    with fault("Shape"):  # 1
        receipt = read_receipt(bundle)
        first = read_entry(receipt.entries[0].entry)
        need(first.body.variant == "genesis", "the first entry is not a genesis")

    with fault("Genesis"):  # 2
        need(receipt.entries[0].index == 0, "the genesis entry is not entry 0")
        genesis = first.body.of.genesis
        need(digest("portcullis/genesis/v1", genesis.cbor) == pinned, "the genesis is not the pinned one")
        check_genesis(first.body.of)

    with fault("Checkpoint"):  # 3
        head = claimed_head(receipt.checkpoint, genesis)
        for handover in receipt.handovers:
            claimed = claimed_head(handover.checkpoint, genesis)
            handover.size, handover.root = claimed.size, claimed.root
            check_consistency(handover, head)
        first = receipt.handovers[0].checkpoint if receipt.handovers else receipt.checkpoint
        checkpoint = read_checkpoint(first, genesis, first_signatories(genesis))

    with fault("Inclusion"):  # 4
        proven = [prove_entry(entry, head) for entry in receipt.entries]

    with fault("Order"):  # 5
        check_order(proven)

    with fault("Checkpoint"):  # 6
        case = Case(genesis, pinned)
        checkpoint = witnessed(case, receipt, proven, head, checkpoint)

    with fault("Order"):  # 7
        check_times(proven, checkpoint)

    with fault("Act"):  # 8
        asked = next((s for s in case.submissions if s.act_digest == receipt.act), None)
        need(asked, "no entry carries the act that the receipt names, for this network and before it expired")
        act = asked.act
        need(act.kind.variant == "withdraw", "the act is not a withdrawal")
        need(act.account is not None, "the act names no account")

    with fault("Release"):  # 9
        release = next((p.index for p in proven if settles(p, receipt.act) and releases(p)
                        and p.entry.body.of.plan is not None), None)
        need(release is not None, "no entry released the act")

    factor, relay, principals = check_asked(case, asked, act.account, release)  # 10, 11

    with fault("Address"):  # 12
        address = next((s for s in case.submissions if adds_address(case, s, asked)), None)
        need(address, "nothing shows that the account's holder added the payee's address")

    with fault("Debit"):  # 13
        debits = [a.statement for brought in case.evidence(receipt.act, release)
                  for a in attests(case, brought, "ledger", receipt.act)]
        need(debits, "no ledger attests a debit for the act")
        need(len({d.claim.entry for d in debits}) == 1, "ledgers attest different debits")

    with fault("Screening"):  # 14
        screened = screening(case, receipt.act, release)
        need(screened is None or screened.finding != "block", "a screening blocked the act")

    with fault("TravelRule"):  # 15
        exchanged = travel_rule(case, receipt.act, release)

    signed = signers_statement(case, receipt.act, act.kind.of, release)  # 16

    confirmed = next((s for s in statements(case, "confirmed", signed.says.act)
                      if s.index > signed.index and s.keeper == signed.keeper
                      and s.says.transaction == signed.hash), None)

    released = next(p.entry.time for p in proven if p.index == release)
    return Record(receipt=receipt, case=case, checkpoint=checkpoint, submitted=asked, act=act, factor=factor,
                  relay=relay, address=address, debit=debits[0], signed=signed, release=signed.release,
                  screening=screened and screened.until > released and screened,
                  travel_rule=exchanged and exchanged.until > released and exchanged,
                  principals=principals, block=confirmed and confirmed.says.block)


def shown(v):
    """The table "What it shows" of receipt.md."""
    withdraw = v.act.kind.of
    said = {}
    if v.screening:
        said["screening"] = {"finding": v.screening.finding, "report": v.screening.report.hex()}
    if v.travel_rule:
        said["travel_rule"] = v.travel_rule.message.hex()
    if v.principals > 1:
        said["principals"] = v.principals
    return {
        "act": v.receipt.act.hex(), "account": v.act.account.hex(), "asset": withdraw.asset,
        "to": withdraw.to, "amount": str(withdraw.amount), "transaction": v.signed.hash.hex(),
        "signer": v.signed.keeper.hex(), "debit": v.debit.claim.entry.hex(),
        "released_by": v.release.index, "released_at": v.release.entry.time,
        "witnessed_at": v.checkpoint.newest * 1000, "block": v.block,
    } | said


class Case:
    """What is proven, as far as the signatories in force are known to have signed it: receipt.md "Words"."""

    def __init__(self, genesis, pinned):
        self.genesis, self.pinned, self.proven = genesis, pinned, []
        self.relying_parties = {}
        for party in genesis.parties:
            self.relying_parties.setdefault(party.realm, party.relying_party)
        # What is in force, each with the index behind which it is; the newest comes last.
        members = [(a.principal, a.factors) for a in genesis.administrators]
        self.administrators = [(0, Record(since=0, members=members, quorum=genesis.quorum))]
        self.issuers = [(0, genesis.issuers)]
        self.roots = [(0, first_roots(genesis))]
        self.signatories = [(0, first_signatories(genesis))]
        self.keepers = {keeper.id: [(0, keeper.key)] for keeper in genesis.keepers}

    def look_at(self, proven):
        self.proven = proven
        self.submissions = [
            Record(index=p.index, act_digest=p.act_digest, act=p.entry.body.of.act, time=p.entry.time,
                   evidence=p.entry.body.of.evidence)
            for p in proven
            if p.entry.body.variant == "submission" and p.entry.body.of.act.genesis == self.pinned
            and p.entry.time < p.entry.body.of.act.expires]

    def evidence(self, act_digest, until):
        """Evidence for an act up to an index, with the entries that brought it."""
        return [Record(index=p.index, time=p.entry.time, evidence=p.entry.body.of.evidence) for p in self.proven
                if p.act_digest == act_digest and p.index <= until
                and p.entry.body.variant in ("submission", "supplement")]

    def took_effect(self, submission):
        return next((p.index for p in self.proven
                     if p.act_digest == submission.act_digest and releases(p)), None)


def before(all_of_them, index):
    """receipt.md "In force before an index"."""
    return next((found for since, found in reversed(all_of_them) if since < index), None)


def establish(case, proven, size):
    """What took the place of genesis' administrators, issuers, roots and keys by the entries below this size,
    in the order in which it did. Gives those who took over signing since the case's last size."""
    known, before_it = len(case.proven), len(case.signatories)
    case.look_at([p for p in proven if p.index < size])
    new = {p.index for p in case.proven[known:]}
    replacing = [(case.took_effect(s), s) for s in case.submissions
                 if s.act.kind.variant in ("rotate", "recover-administrators")]
    rotated = set()
    for since, s in sorted(((since, s) for since, s in replacing if since in new), key=lambda pair: pair[0]):
        kind = s.act.kind.of
        if s.act.kind.variant == "rotate":
            keys = kind.keys
            if since in rotated:
                continue
            rotated.add(since)
            now = before(case.signatories, since)
            if keys.variant == "witnesses" and kind.replaces != witnesses_digest(now.witnesses):
                continue
            if keys.variant == "log" and kind.replaces != log_digest(now.vkey):
                continue
            if quorum_stands_behind(case, s):
                if keys.variant == "witnesses":
                    case.signatories.append((since, Record(vkey=now.vkey, witnesses=keys.witnesses)))
                elif keys.variant == "log":
                    case.signatories.append((since, Record(vkey=keys.vkey, witnesses=now.witnesses)))
                elif keys.variant == "issuers":
                    case.issuers.append((since, keys.issuers))
                elif keys.variant == "roots":
                    case.roots.append((since, keys.roots))
                elif keys.keeper in case.keepers:
                    case.keepers[keys.keeper].append((since, keys.key))
        elif roots_stand_behind(case, s):
            members = [(a.principal, a.factors) for a in kind.administrators]
            case.administrators.append((since, Record(since=since, members=members, quorum=kind.quorum)))
    return case.signatories[before_it:]


def first_signatories(genesis):
    """log.md "Handover": who signs checkpoints until others take over."""
    return Record(vkey=genesis.log.vkey, witnesses=genesis.witnesses)


def witnesses_digest(witnesses):
    """acts.md "Keys digest", of the witnesses."""
    return digest("portcullis/keys/v1", b"\x82\x04\x81" + witnesses.cbor)


def log_digest(vkey):
    """acts.md "Keys digest", of the journal's key."""
    return digest("portcullis/keys/v1", encode_cbor([1, [vkey]]))


def witnessed(case, receipt, proven, head, signed):
    """receipt.md check 6: each checkpoint by those in force at its size. The first one is signed already."""
    later = [(handover.checkpoint, handover.size) for handover in receipt.handovers[1:]]
    for handover, (note, size) in zip(receipt.handovers, later + [(receipt.checkpoint, head.size)]):
        new = establish(case, proven, handover.size)
        need([since + 1 for since, _ in new] == [handover.size], "a handover is missing, or of another size")
        need(handover.size < size, "a handover to nobody")
        successors = new[0][1]
        check_witnesses(successors.witnesses)
        need(read_vkey(successors.vkey, 1).name == case.genesis.log.origin, "the journal's key has another name")
        signed = read_checkpoint(note, case.genesis, successors)
    new = establish(case, proven, head.size)
    need(all(since + 1 >= head.size for since, _ in new), "a handover is missing")
    return signed


def roots_stand_behind(case, submission):
    roots = before(case.roots, submission.index)
    signed = {a.statement.issuer for brought in case.evidence(submission.act_digest, submission.index)
              for a in attests(case, brought, "root", submission.act_digest)}
    return roots is not None and 0 < roots.quorum <= len(signed)


def first_roots(genesis):
    quorum = genesis.roots_quorum
    return Record(keys=genesis.roots, quorum=len(genesis.roots) // 2 + 1 if quorum is None else quorum)


def root_id(key):
    return factor_id_of(key.cbor)


def settles(proven, act_digest):
    """Whether the entry ends the act's waiting, by itself or beside another's."""
    body = proven.entry.body
    return proven.act_digest == act_digest or body.variant == "settlement" and act_digest in (body.of.beside or [])


def releases(proven):
    body = proven.entry.body
    return body.variant in ("submission", "settlement") and body.of.decision.variant == "release"


def prove_entry(listed, checkpoint):
    leaf = hashlib.sha256(b"\x00" + listed.entry).digest()
    check_inclusion(leaf, listed.index, listed.proof, checkpoint)
    entry = read_entry(listed.entry)
    body = entry.body
    about = None  # the digest of the act that the entry is about
    if body.variant == "submission":
        about = digest("portcullis/act/v1", body.of.act.cbor)
    elif body.variant in ("supplement", "settlement", "replacement"):
        about = body.of.act
    return Record(index=listed.index, entry=entry, act_digest=about)


def check_order(proven):
    for before, after in zip(proven, proven[1:]):
        need(before.index < after.index, "the entries are not listed in the journal's order")
        need(before.entry.time <= after.entry.time, "an entry's time goes back")
        need(after.entry.body.variant != "genesis", "a second genesis")
    for p in proven:
        need(p.entry.partition == 0, "an entry is of another partition")


def check_times(proven, checkpoint):
    for p in proven:
        need(p.entry.time <= checkpoint.newest * 1000 + 30_000, "an entry's time is after the cosignatures")


# Who stands behind the act. An established factor is a Record of factor, principal and since: the index
# behind which it counts.


BY_CODE = ("withdraw", "add-address")


def check_asked(case, asked, account, until):
    """Checks 10 and 11: the customers' factors, and the back end's."""
    with fault("Factor"):
        need(asked.act.realm == "customers", "the act is not a customer's")
        proving = stands_behind(case, *roll(case, account), asked, until)
        factor = next((f for f in proving if f.principal == asked.act.principal), None)
        need(factor, "no factor of the account's holder proves the act, or too few principals do")
    with fault("Relay"):
        relay = next((f for f in factors_with(case, "back-end") if proves(case, f, "staff", asked.act_digest, until)), None)
        need(relay, "no back end relays the act")
    return factor, relay, len({f.principal for f in proving})


def adds_address(case, submission, asked):
    """Check 12, for one submission."""
    act = submission.act
    if not (act.kind.variant == "add-address" and act.account == asked.act.account
            and act.kind.of.address == asked.act.kind.of.to):
        return False
    took = case.took_effect(submission)
    return (took is not None and took < asked.index
            and passes(check_asked, case, submission, asked.act.account, took))


def proves(case, known, realm, act_digest, until):
    """receipt.md: a factor proves d in a realm up to an index."""
    factor, wanted = known.factor, factor_id(known.factor)
    party = case.relying_parties.get(realm)
    for brought in case.evidence(act_digest, until):
        if brought.index <= known.since:
            continue
        if factor.variant == "passkey" and party:
            for assertion in brought.evidence.assertions:
                if (factor_id_of(assertion.credential) == wanted
                        and passes(check_assertion, assertion, factor.key, act_digest, party)):
                    return True
        if factor.variant == "request-key":
            for request in brought.evidence.requests:
                if passes(check_request, request, factor.key, act_digest, wanted, realm, brought.time):
                    return True
    return False


def proves_by_code(case, known, asked, until):
    """receipt.md: a TOTP code came with the act, and the herald has said that it is right."""
    wanted, code = factor_id(known.factor), asked.evidence.code
    heralds = {keeper.id for keeper in case.genesis.keepers if keeper.kind == "herald"}
    return (known.factor.variant == "totp" and asked.index > known.since
            and code is not None and code.variant == "totp" and code.factor == wanted
            and any(asked.index < said.index < until and said.keeper in heralds and said.says.factor == wanted
                    for said in statements(case, "code-right", asked.act_digest)))


def proves_by_recovery_code(known, asked):
    """receipt.md: one of the factor's recovery codes signed the recovery that it came with."""
    code = asked.evidence.code
    return (known.factor.variant == "recovery-codes" and asked.index > known.since
            and code is not None and code.variant == "recovery"
            and digest("portcullis/recovery-code/v1", code.key.cbor) in known.factor.codes
            and holds(code.key, signed_text("portcullis/recovery-proof/v1", asked.act_digest), code.signature))


def passes(check, *arguments):
    try:
        check(*arguments)
        return True
    except Exception:
        return False  # one piece of evidence that cannot be read proves nothing; others may


def attests(case, brought, kind, act_digest):
    """The attestations that were brought by which an issuer of that kind attests its claim of d."""
    claim = "ledger-debit" if kind == "ledger" else kind
    if kind == "root":
        keys = {root_id(key): key for key in before(case.roots, brought.index).keys}
    else:
        keys = {issuer.id: issuer.key for issuer in before(case.issuers, brought.index) if issuer.kind == kind}
    for attestation in brought.evidence.attestations:
        statement = attestation.statement
        if (statement.claim.variant == claim and statement.act == act_digest and statement.issuer in keys
                and brought.time < statement.expires
                and holds(keys[statement.issuer], signed_text("portcullis/attestation/v1", statement.cbor),
                          attestation.signature)):
            yield attestation


FINDINGS = ("pass", "refer", "block")


def screening(case, act_digest, until):
    """receipt.md "What vendors said": the screening that stands, with the moment until which it counts."""
    stands = None
    for brought in case.evidence(act_digest, until):
        for a in attests(case, brought, "screening", act_digest):
            new = Record(finding=a.statement.claim.finding, report=a.statement.claim.report, until=a.statement.expires)
            counts = stands and (stands.finding == "block" or brought.time < stands.until)
            if not (counts and FINDINGS.index(stands.finding) >= FINDINGS.index(new.finding)):
                stands = new
    return stands


def travel_rule(case, act_digest, until):
    """receipt.md "What vendors said": the message that stands; two that differ at one time are refused."""
    stands = None
    for brought in case.evidence(act_digest, until):
        for a in attests(case, brought, "travel-rule", act_digest):
            if stands and brought.time < stands.until:
                need(a.statement.claim.message == stands.message, "two travel-rule messages differ")
            else:
                stands = Record(message=a.statement.claim.message, until=a.statement.expires)
    return stands


def roll(case, account):
    """receipt.md "The principals' factors": these, and the quorums, each with the index behind which it counts."""
    factors, quorums = [], []
    for submission in case.submissions:
        kind = submission.act.kind
        if submission.act.account != account:
            continue
        took = case.took_effect(submission)
        if kind.variant == "open-account" or (
                kind.variant in ("enrol-factor", "recover") and any(f.principal == kind.of.principal for f in factors)):
            factors += established(case, factors, submission)
        elif kind.variant == "add-principal" and took is not None:
            if stands_behind(case, factors, quorums, submission, took):
                factors.append(Record(factor=kind.of.factor, principal=kind.of.principal, since=took))
        elif kind.variant == "set-account-quorum" and took is not None:
            if kind.of.quorum > kind.of.replaces or stands_behind(case, factors, quorums, submission, took):
                quorums.append((took, kind.of.quorum))
    return factors, quorums


def stands_behind(case, factors, quorums, asked, until):
    """The factors that prove an act up to an index; none where fewer principals do than it takes."""
    act, (_, needed) = asked.act, max(((since, q) for since, q in quorums if since < until), default=(0, 1))
    if not (act.kind.variant in JOINT or act.kind.variant == "remove-principal" and act.kind.of.principal != act.principal):
        needed = 1
    by_code = needed == 1 and act.kind.variant in BY_CODE
    proving = [f for f in factors if proves(case, f, "customers", asked.act_digest, until)
               or by_code and proves_by_code(case, f, asked, until)]
    principals = {f.principal for f in proving}
    stands = act.realm == "customers" and act.principal in principals and len(principals) >= needed
    return proving if stands else []


JOINT = ("withdraw", "add-address", "unfreeze", "change-contact", "add-principal", "set-account-quorum")


def established(case, factors, submission):
    """The factor that an opening, enrolment or recovery adds, if somebody stands behind it who may."""
    act, took = submission.act, case.took_effect(submission)
    if took is None:
        return []
    principal = act.kind.of.principal
    recovers = act.kind.variant == "recover"
    by_older = act.principal == principal and any(
        f.principal == principal and (proves(case, f, act.realm, submission.act_digest, took)
                                      or recovers and proves_by_recovery_code(f, submission)) for f in factors)
    issuer = "identity" if recovers else "onboarding"
    attested = any(any(attests(case, brought, issuer, submission.act_digest))
                   for brought in case.evidence(submission.act_digest, took))
    if not (by_older or attested or recovers and support_stands_behind(case, submission, took)):
        return []
    imported = act.kind.of.imported if act.kind.variant == "open-account" else None
    brought = [act.kind.of.factor] + (imported.also if imported else [])
    return [Record(factor=factor, principal=principal, since=took) for factor in brought]


def support_stands_behind(case, recovery, took):
    factors = factors_with(case, "support")
    return len({s.act.principal for s in behind(case, recovery)
                if any(f.principal == s.act.principal and proves(case, f, "staff", s.act_digest, took)
                       for f in factors)}) >= 2


def behind(case, submission):
    """The proven submissions that are this one, or approvals of it; each act once."""
    return {s.act_digest: s for s in case.submissions if s.act_digest == submission.act_digest
            or s.act.kind.variant == "approve" and s.act.kind.of.act == submission.act_digest}.values()


def factors_with(case, role):
    """receipt.md "The back ends' factors", for any role."""
    members = case.genesis.administrators + case.genesis.staff
    factors = [Record(factor=factor, principal=member.principal, since=0)
               for member in members for factor in member.factors]
    factors += [Record(factor=factor, principal=principal, since=since)
                for since, new in case.administrators[1:] for principal, own in new.members for factor in own]
    having = [(member.principal, 0) for member in members if role in member.roles]
    for submission in case.submissions:
        kind = submission.act.kind
        if kind.variant == "grant-role" and quorum_stands_behind(case, submission):
            took = case.took_effect(submission)
            if kind.of.factor is not None:
                factors.append(Record(factor=kind.of.factor, principal=kind.of.principal, since=took))
            if kind.of.role == role:
                having.append((kind.of.principal, took))
        elif kind.variant == "enrol-factor" and submission.act.account is None:
            factors += established(case, factors, submission)
    return [Record(factor=f.factor, principal=f.principal, since=max(f.since, since))
            for f in factors for principal, since in having if f.principal == principal]


def quorum_stands_behind(case, submission):
    """receipt.md: of the administrators in force before the act, grant or rotation, took effect."""
    took = case.took_effect(submission)
    administrators = took is not None and before(case.administrators, took)
    if not administrators:
        return False

    def stands_behind(principal, factors):
        return any(s.act.principal == principal
                   and any(proves(case, Record(factor=factor, since=administrators.since), "staff", s.act_digest, took)
                           for factor in factors) for s in behind(case, submission))

    return sum(stands_behind(*member) for member in administrators.members) >= administrators.quorum


# What was signed.


def statements(case, variant, act_digest):
    """Proven statements about the act, of the pinned genesis, by a keeper of it, under its key."""
    for p in case.proven:
        if p.entry.body.variant == "statement":
            statement, signature = p.entry.body.of.statement, p.entry.body.of.signature
            if (statement.says.variant == variant and statement.says.act == act_digest
                    and statement.keeper in case.keepers and statement.genesis == case.pinned
                    and holds(before(case.keepers[statement.keeper], p.index),
                              signed_text("portcullis/statement/v1", statement.cbor), signature)):
                yield Record(index=p.index, keeper=statement.keeper, says=statement.says)


def signers_statement(case, act_digest, withdraw, first):
    """receipt.md "The signer's statement": the first that passes, else the fault of the last."""
    last = Refused("no keeper's statement says that it signed for the act", "Statement")
    batch = batch_of(case, act_digest, first)
    for statement in statements(case, "signed", batch.members[0]):
        try:
            return check_statement(case, batch, withdraw, statement)
        except Refused as refused:
            last = refused
    raise last


def batch_of(case, act_digest, first):
    """The act with those that the plan of the first release pays beside it, and its place among them."""
    body = next(p.entry.body for p in case.proven if p.index == first)
    members = [body.of.act] + (body.of.beside or []) if body.variant == "settlement" else [act_digest]
    return Record(act=act_digest, first=first, members=members, place=members.index(act_digest))


def is_release_entry(proven, batch):
    body = proven.entry.body
    if proven.index < batch.first:
        return False
    if body.variant == "submission":
        kind = body.of.act.kind
        about = kind.variant == "resume" and kind.of.release or gives_up(proven)
        return releases(proven) and (about in batch.members and (kind.variant == "resume" or about != batch.act)
                                     if about else proven.act_digest == batch.act)
    return (body.variant == "settlement" and releases(proven) or body.variant == "replacement") \
        and proven.act_digest in batch.members


def gives_up(proven):
    """The release that a `void` gives up."""
    kind = proven.entry.body.of.act.kind
    return kind.of.release if kind.variant == "void" else None


def was_given_up(case, batch):
    """The entry from which on plans of the batch go on without the act, if one is shown."""
    for p in case.proven:
        body = p.entry.body
        if p.index > batch.first and releases(p):
            by_void = body.variant == "submission" and gives_up(p) == batch.act
            if by_void or body.variant == "settlement" and body.of.act == batch.act and body.of.plan is not None:
                return p.index
    return None


def check_statement(case, batch, withdraw, statement):
    with fault("Plan"):
        entries = [p for p in case.proven if is_release_entry(p, batch)]
        carrier = next((p for p in entries if p.entry.body.of.plan is not None and
                        digest("portcullis/plan/v1", p.entry.body.of.plan.cbor) == statement.says.plan), None)  # a
        need(carrier, "no entry released the plan that was signed")
        if len(batch.members) > 1:
            end = was_given_up(case, batch)
            need(end is None or carrier.index < end, "the plan that was signed goes on without the act")
        release = next((p for p in entries if p.index == statement.says.entry
                        and carrier.index <= p.index < statement.index), None)  # b
        need(release, "the entry that is said to have released it did not")
        plan = carrier.entry.body.of.plan
        wallet = next((w for w in case.genesis.wallets if w.id == plan.wallet), None)
        need(wallet, "the plan's wallet is not one of genesis")
        need(withdraw.asset in case.genesis.assets, "the asset is not one of genesis")
        planned = check_plan(case, batch, withdraw, wallet, plan)  # c
    with fault("Statement"):
        need(wallet.keeper == statement.keeper, "the statement is not by the wallet's keeper")  # d
        hash = check_carried_out(case, statement, wallet, plan, planned)  # e
        return Record(index=statement.index, keeper=statement.keeper, says=statement.says, plan=plan,
                      wallet=wallet, planned=planned, release=release, hash=hash)


def check_plan(case, batch, withdraw, wallet, plan):
    if wallet.mandate is not None:
        return check_mandate(case, batch.act, withdraw, wallet, plan)
    if wallet.bitcoin is not None:
        return check_spend(batch.place, withdraw, wallet, plan)
    transfer = plain_transfer(read_unsigned(plan.unsigned))
    need(transfer.asset == withdraw.asset, "the plan pays another asset")
    need(transfer.to == withdraw.to, "the plan pays somebody else")
    need(transfer.amount == withdraw.amount, "the plan pays another amount")
    need(wallet.address.startswith(f"eip155:{transfer.chain_id}:"), "the plan is for another chain")
    need(transfer.nonce >= wallet.first_nonce, "the plan's nonce is below the wallet's first")
    need(transfer.fee_ceiling <= wallet.fee_ceiling, "the plan may cost more than genesis allows")
    return Record(terms=f"nonce {transfer.nonce}, at most {transfer.fee_ceiling} wei of fees")


def check_carried_out(case, statement, wallet, plan, planned):
    """What the statement carries is the plan, signed. Gives the hash by which people know it."""
    raw = statement.says.transaction
    if wallet.mandate is not None:
        return check_permitted(case, statement, plan, raw)
    if wallet.bitcoin is not None:
        return check_spent(planned, raw)
    transaction = read_signed(raw)
    need(transaction.unsigned == plan.unsigned, "the signed transaction is not the planned one")
    sender = recover(keccak256(plan.unsigned), transaction)
    need(f"eip155:{transaction.chain_id}:0x{sender.hex()}" == wallet.address,
         "the transaction is not signed by the wallet")
    return keccak256(raw)


MANDATE = re.compile(
    rb"portcullis/mandate/v1\nnetwork (?P<network>[0-9a-f]{64})\nwallet (?P<wallet>[0-9a-f]{32})\n"
    rb"number (?P<number>0|[1-9][0-9]{0,19})\nact (?P<act>[0-9a-f]{64})\n"
    rb"(?:void|expires (?P<expires>0|[1-9][0-9]{0,19})\namount (?P<amount>0|[1-9][0-9]{0,38})\n"
    rb"asset (?P<asset>[!-~]{1,179})\nto (?P<to>[!-~]{1,179}))\n")


def check_mandate(case, act_digest, withdraw, wallet, plan):
    """mandate.md: the plan's text, for exactly this act."""
    said = MANDATE.fullmatch(plan.unsigned)
    need(said, "the plan is no mandate")
    need(said["to"], "the mandate gives the act up")
    number, amount = int(said["number"]), int(said["amount"])
    need(max(number, int(said["expires"])) < 2**64 and amount < 2**128, "a number of the mandate is too large")
    need(said["asset"].decode() == withdraw.asset, "the mandate pays another asset")
    need(said["to"].decode() == withdraw.to, "the mandate pays somebody else")
    need(amount == withdraw.amount, "the mandate pays another amount")
    need(said["network"].decode() == case.pinned.hex(), "the mandate is another network's")
    need(said["wallet"].decode() == wallet.id.hex(), "the mandate is for another wallet")
    need(number >= wallet.first_nonce, "the mandate's number is below the wallet's first")
    need(said["act"].decode() == act_digest.hex(), "the mandate is for another act")
    return Record(terms=f"mandate {number}")


def check_permitted(case, statement, plan, raw):
    """statements.md: the mandate is the plan's text, signed with the statement's own key."""
    text, digits = raw[:len(plan.unsigned)], raw[len(plan.unsigned):]
    signature = re.fullmatch(rb"signature ([0-9a-f]{128})\n", digits)
    need(text == plan.unsigned and signature, "what was signed is not the planned mandate")
    key = before(case.keepers[statement.keeper], statement.index)
    need(key.kind == "ed25519" and holds(key, text, bytes.fromhex(signature[1].decode())),
         "the mandate is not signed with its signer's key")
    return hashlib.sha256(raw).digest()


# ------------------------------------------------------------------------------- Genesis: genesis.md


def check_genesis(signed):
    """genesis.md "What makes it sound", in its order; 1 was checked in reading."""
    genesis = signed.genesis
    members = genesis.administrators + genesis.staff
    check_distinct([m.principal for m in members] + [k.id for k in genesis.keepers], "principal or keeper")  # 2
    check_distinct([factor_id(f) for m in members for f in m.factors]
                   + [factor_id_of(k.key.cbor) for k in genesis.keepers], "factor")  # 3
    need(all(f.variant in ("request-key", "passkey") for m in members for f in m.factors),
         "a member of staff has a factor that is no key")  # 3
    need(all("keeper" not in m.roles for m in members), "a member of staff has the role keeper")  # 4
    need(all("back-end" not in m.roles for m in genesis.administrators)
         and all(len(m.roles) == 1 for m in genesis.staff if "back-end" in m.roles),
         "a back end has another role")  # 4
    n = len(genesis.administrators)
    need(n // 2 < genesis.quorum <= n, "the administrators' quorum is not a majority of them")  # 5
    need(all((k.kind == "herald") == (k.sealing is not None) for k in genesis.keepers),
         "a herald has no sealing key, or another keeper has one")
    need(sum(k.kind == "herald" for k in genesis.keepers) <= 1, "there is more than one herald")
    check_distinct([p.realm for p in genesis.parties], "realm's relying party")  # 6
    for party in genesis.parties:
        check_relying_party(party.relying_party)
    check_distinct([w.id for w in genesis.wallets], "wallet")  # 7
    check_distinct([w.address for w in genesis.wallets], "wallet's address")
    signers = {k.id for k in genesis.keepers if k.kind == "signer"}
    need(all(w.keeper in signers for w in genesis.wallets), "a wallet's keeper is not a signer")  # 8
    for wallet in genesis.wallets:
        beside = [w for w in genesis.wallets if w.keeper == wallet.keeper]
        key = next(k.key for k in genesis.keepers if k.id == wallet.keeper)
        if wallet.bitcoin is not None:
            check_coin_wallet(wallet)
            need(all(w.mandate is None for w in beside), "a wallet spends coins, and one of its keeper's pays by mandate")
        elif wallet.mandate is None:
            need(wallet.address.startswith("eip155:"), "no signer makes transactions on a wallet's chain")
        else:
            need(60_000 <= wallet.mandate <= 7 * 24 * 3_600_000 and wallet.fee_ceiling == 0 and key.kind == "ed25519"
                 and all(w.mandate is not None for w in beside), "a wallet pays by mandate and cannot")
    check_distinct([i.id for i in genesis.issuers], "issuer")  # 9
    check_distinct([b.id for b in genesis.boards], "board")
    check_distinct(genesis.assets, "asset")
    need(len(genesis.limits.rules) <= 256, "more than 256 limits")  # 10
    check_distinct([(r.asset, r.bounds) for r in genesis.limits.rules], "limit")
    need(all(r.asset in genesis.assets for r in genesis.limits.rules), "a limit is for an asset that is not named")
    if genesis.roots or genesis.roots_quorum is not None:  # 11
        check_distinct([root_id(key) for key in genesis.roots], "root")
        need(1 <= first_roots(genesis).quorum <= min(8, len(genesis.roots)), "the roots' quorum does not fit them")
    need(genesis.recovery is None or genesis.recovery.divisor > 0, "limits are divided by zero")
    need(genesis.rules == 1, "the rules version is not 1")  # 12
    floor = {"production": 24 * 3600 * 1000, "development": 5 * 1000}[genesis.mode]
    need(genesis.delay_floor >= floor, "the delay floor is too low")  # 13
    need(len(signed.signatures) <= n, "there are more signatures than administrators")  # 14
    text = signed_text("portcullis/genesis/v1", genesis.cbor)
    for administrator in genesis.administrators:  # 15
        need(any(holds(factor.key, text, signature)
                 for principal, signature in signed.signatures if principal == administrator.principal
                 for factor in administrator.factors if factor.variant == "request-key"),
             "an administrator has not signed the genesis")
    need(read_vkey(genesis.log.vkey, 1).name == genesis.log.origin, "the log's key has another name")  # 16
    check_witnesses(genesis.witnesses)


def check_coin_wallet(wallet):
    of = wallet.bitcoin
    keys = [of.change, *of.keys]
    chain, _, account = wallet.address.rpartition(":")
    need(len(keys) <= 16, "a wallet spends with more than 16 keys")
    check_distinct([k.cbor for k in keys], "wallet's key")
    need(chain.removeprefix("bip122:") in BITCOIN and next(iter(locks_of(wallet))) == script_of(account),
         "the wallet's address is not that of its change key")
    need(of.batch <= 24 * 3_600_000, "a wallet's batch is longer than a day")
    need(wallet.fee_ceiling <= MAX_SATS, "a wallet's fee ceiling is more than there can be")


def check_witnesses(witnesses):
    vkeys = [read_vkey(v, 4) for v in witnesses.vkeys]
    check_distinct([v.name for v in vkeys], "witness's name")
    check_distinct([v.key for v in vkeys], "witness's key")
    n, k, f = len(vkeys), witnesses.quorum, witnesses.faulty
    need(1 <= n <= 32 and k <= n and 2 * k > n + f, "the witnesses' quorum does not fit their number")


def check_relying_party(party):
    """genesis.md rule 6, in the forms of passkey.md "The relying party"."""
    need(1 <= len(party.rp_ids) <= 8, "a relying party has no ids, or too many")
    need(1 <= len(party.origins) <= 64, "a relying party has no origins, or too many")
    need(len(party.top_origins) <= 64, "a relying party has too many top origins")
    need(all(map(is_domain, party.rp_ids)), "a relying party's id is no domain")
    android = re.compile("android:apk-key-hash:[A-Za-z0-9_-]{43}")
    need(all(is_web_origin(o) or android.fullmatch(o) for o in party.origins), "an origin is of another form")
    need(all(map(is_web_origin, party.top_origins)), "a top origin is of another form")
    for texts in (party.rp_ids, party.origins, party.top_origins):
        check_distinct(texts, "relying party's id or origin")


def is_domain(text):
    return len(text) <= 253 and all(re.fullmatch("[a-z0-9-]{1,63}", label) for label in text.split("."))


def is_web_origin(text):
    scheme, _, host = text.partition("://")
    domain, colon, port = host.partition(":")
    own = {"https": "443", "http": "80"}.get(scheme)
    is_port = re.fullmatch("[1-9][0-9]{0,4}", port) and int(port) <= 65_535 and port != own
    return bool(own and is_domain(domain) and (not colon or is_port) and (scheme == "https" or domain == "localhost"))


def check_distinct(values, what):
    need(len(set(values)) == len(values), f"a {what} stands twice in genesis")


# --------------------------------------------------------------------------------------- Log: log.md


def check_inclusion(leaf, index, proof, head):
    """log.md "Tree", and RFC 6962, section 2.1.1."""
    need(index < head.size, "an entry's index is beyond the checkpoint")
    inner = (index ^ (head.size - 1)).bit_length()
    border = (index >> inner).bit_count()
    need(len(proof) == inner + border, "an inclusion proof has another length")
    h = leaf
    for i, sibling in enumerate(proof):
        left = i >= inner or index >> i & 1
        h = hashlib.sha256(b"\x01" + (sibling + h if left else h + sibling)).digest()
    need(h == head.root, "an inclusion proof does not lead to the checkpoint's root")


def read_vkey(text, kind):
    name, key_id, encoded = text.split("+", 2)  # base64 may contain a plus, a name may not
    check_name(name)
    key = decode_base64(encoded)
    need(len(key) == 33 and key[0] == kind, f"a vkey is not of type {kind}")
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    need(key_id == expected.hex(), "a vkey has another id than its key")
    ed25519_point(key[1:])
    return Record(name=name, id=expected, key=key[1:])


def check_name(name):
    need(1 <= len(name.encode()) <= 255, "a key's name has no, or too many, bytes")
    need(not any(c == "+" or c.isspace() or unicodedata.category(c) == "Cc" for c in name),
         "a key's name has spaces, control characters or a plus")


def read_note(note):
    """The text of a note and its signature lines, in order: (name, id, signature)."""
    need(len(note.encode()) <= MAX_NOTE, "the note is too long")
    need(all(c >= " " or c == "\n" for c in note), "the note has control characters")
    end = note.rfind("\n\n")
    need(end >= 0 and note.endswith("\n"), "the note has no signatures")
    lines = note[end + 2:].split("\n")[:-1]
    need(1 <= len(lines) <= 64, "the note has not 1 to 64 signatures")
    signatures = []
    for line in lines:
        dash, name, encoded = line.split(" ")
        check_name(name)
        signature = decode_base64(encoded)
        need(dash == "\u2014" and len(signature) > 4, "a signature line has another form")
        signatures.append((name, signature[:4], signature[4:]))
    return note[:end + 1], signatures


def check_consistency(old, new):
    """log.md "Tree", and RFC 9162, section 2.1.4.2: the tree of the one is the beginning of the other's."""
    need(1 <= old.size <= new.size, "a handover is longer than the journal")
    if old.size == new.size:
        need(not old.proof and old.root == new.root, "a handover is of another journal")
        return
    proof = list(old.proof)
    if old.size & (old.size - 1) == 0:
        proof.insert(0, old.root)
    need(proof, "a consistency proof is too short")
    fn, sn = old.size - 1, new.size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for sibling in proof[1:]:
        need(sn, "a consistency proof is too long")
        if fn & 1 or fn == sn:
            fr = hashlib.sha256(b"\x01" + sibling + fr).digest()
            sr = hashlib.sha256(b"\x01" + sibling + sr).digest()
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = hashlib.sha256(b"\x01" + sr + sibling).digest()
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and fr == old.root and sr == new.root, "a consistency proof does not lead from one root to the other")


def claimed_head(note, genesis):
    """Size and root that a note claims as a checkpoint of this log, whoever has signed it."""
    body, _ = read_note(note)
    origin, size, root, *extensions = body.split("\n")[:-1]
    need(all(extensions), "the checkpoint has an empty line")  # C2SP tlog-checkpoint
    need(origin == genesis.log.origin, "the checkpoint is of another log")
    need(re.fullmatch("0|[1-9][0-9]{0,18}", size) and int(size) <= MAX_TREE, "the checkpoint's size is no number")
    root = decode_base64(root)
    need(len(root) == 32, "the checkpoint's root has not 32 bytes")
    return Record(size=int(size), root=root)


def read_checkpoint(note, genesis, signatories):
    """log.md "Checkpoint" and "Cosignature and quorum"."""
    head, (body, signatures) = claimed_head(note, genesis), read_note(note)
    log, witnesses = read_vkey(signatories.vkey, 1), signatories.witnesses
    signature = line_of(log, signatures)
    need(signature and holds_ed25519(log.key, body.encode(), signature), "the log has not signed the checkpoint")
    times = []
    for witness in [read_vkey(v, 4) for v in witnesses.vkeys]:
        if cosignature := line_of(witness, signatures):
            times.append(cosigned_at(witness, cosignature, body))
    quorum = witnesses.quorum
    need(len(times) >= quorum, f"{len(times)} of the named witnesses cosigned, {quorum} must")
    latest = sorted(times)[-quorum:]
    return Record(size=head.size, root=head.root, cosigned=len(times), newest=latest[-1], witnesses=witnesses)


def line_of(key, signatures):
    """The signature in a known key's line; a second line refuses the whole note."""
    found = [signature for name, key_id, signature in signatures if (name, key_id) == (key.name, key.id)]
    need(len(found) <= 1, "a key has signed the checkpoint twice")
    return found[0] if found else None


def cosigned_at(witness, signature, body):
    """The cosignature's time. A known key's line that does not hold refuses the whole note."""
    time = int.from_bytes(signature[:8])
    message = f"cosignature/v1\ntime {time}\n{body}".encode()
    need(len(signature) == 72 and 1 <= time < 2**63 and holds_ed25519(witness.key, message, signature[8:]),
         "a cosignature does not hold")
    return time


# ------------------------------------------------------------------------------ Passkeys: passkey.md

UP, RFU1, UV, BE, BS, RFU2, AT, ED = (1 << bit for bit in range(8))


def check_assertion(assertion, key, act_digest, party):
    """passkey.md "The checks"; 17 always passes, since 0 is the counter remembered."""
    data, client = assertion.authenticator_data, assertion.client_data
    need(1 <= len(assertion.credential) <= 1023 and 37 <= len(data) <= 1024 and len(client) <= 2048, "sizes")  # 1
    check_client_data(client, digest("portcullis/passkey/v1", act_digest), party)  # 2 to 7
    flags = data[32]
    need(len(data) > 37 if flags & ED else len(data) == 37, "authenticator data")  # 8
    need(not flags & AT, "attested data")  # 9
    if flags & ED:
        check_extensions(data[37:])  # 10
    need(data[:32] in [hashlib.sha256(i.encode()).digest() for i in party.rp_ids], "relying party")  # 11
    need(not flags & (RFU1 | RFU2), "reserved flags")  # 12
    need(flags & BE or not flags & BS, "backup flags")  # 13
    need(flags & UP, "not present")  # 14
    need(holds(key, data + hashlib.sha256(client).digest(), assertion.signature), "signature")  # 15
    need(flags & UV, "not verified")  # 16


def check_client_data(client, challenge, party):
    """passkey.md "Client data": prefixes are compared, nothing is parsed. WebAuthn 5.8.1.2."""
    rest = after(client, ['{"type":"webauthn.get","challenge":' + ccd_to_string(encode_base64url(challenge))
                          + ',"origin":' + ccd_to_string(origin) for origin in party.origins])
    if rest == b"}" or re.fullmatch(rb',"androidPackageName":"(?:[^"\\\x00-\x1f]|\\["\\]|\\u[0-9a-f]{4})*"}', rest):
        rest.decode("utf-8")
        return
    if rest.startswith(b',"crossOrigin":false'):
        rest = after(rest, [',"crossOrigin":false'])
    else:
        rest = after(rest, [',"crossOrigin":true,"topOrigin":' + ccd_to_string(o) for o in party.top_origins])
    need(rest == b"}" or rest[:1] == b"," and rest[-1:] == b"}", "client data")


def after(text, prefixes):
    """What follows the prefix with which the text begins. None is the beginning of another: each ends
    in a closing quotation mark, or in a whole word."""
    for prefix in prefixes:
        if text.startswith(prefix.encode()):
            return text[len(prefix.encode()):]
    raise Refused("client data, origin or top origin")


CCD_ESCAPES = {"\"": "\\\"", "\\": "\\\\"} | {chr(c): f"\\u{c:04x}" for c in range(0x20)}


def ccd_to_string(text):
    """WebAuthn 5.8.1.1."""
    return '"' + "".join(CCD_ESCAPES.get(c, c) for c in text) + '"'


def check_extensions(data):
    """One CBOR map of definite length with text keys, and nothing after it."""
    major, count, at = read_head(data, 0)
    need(major == 5, "extensions are no map")
    for _ in range(count):
        need(data[at] >> 5 == 3, "an extension's name is no text")
        at = skip_cbor(data, at, 0)
        at = skip_cbor(data, at, 0)
    need(at == len(data), "bytes after the extensions")


def skip_cbor(data, at, depth):
    need(depth < 8, "extensions are nested too deeply")
    major, value, at = read_head(data, at)
    if major in (2, 3):
        need(at + value <= len(data), "extensions end too early")
        return at + value
    for _ in range({4: value, 5: 2 * value, 6: 1}.get(major, 0)):
        at = skip_cbor(data, at, depth + 1)
    return at


# ------------------------------------------------------------------------------ Requests: request.md

PCHAR = r"[A-Za-z0-9\-._~%!$&'()*+,;=:@]"
BASE = re.compile(
    r'"@method": (?P<method>[A-Z]{1,16})\n'
    r'"@authority": [a-z0-9\-.:\[\]]{1,255}\n'
    rf'"@path": (?P<path>/(?:{PCHAR}|/)*+)\n'
    rf'(?:"@query": \?(?P<query>(?:{PCHAR}|[/?])*+)\n)?'
    r'(?:"content-digest": sha-256=:(?P<content>[A-Za-z0-9+/]{43}=):\n)?'
    r'(?:"portcullis-act": (?P<act>[0-9a-f]{64})\n)?'
    r'"@signature-params": \((?P<covered>["@a-z\- ]*)\)'
    r';created=(?P<created>0|[1-9][0-9]{0,14})(?:;expires=(?P<expires>[1-9][0-9]{0,14}))?'
    r';nonce="[A-Za-z0-9_-]{16,64}"'
    r';keyid="(?P<keyid>[!#-+\--:<-\[\]-~]{1,128})"'
    r';alg="(?P<alg>ed25519|ecdsa-p256-sha256)"'
    r';tag="portcullis"', re.ASCII)


def check_request(request, key, act_digest, wanted, realm, time):
    """request.md "The signature base" and "The evidence", and what receipt.md asks of it. Time in ms."""
    need(len(request.base) <= 4096, "the base is too long")
    base = BASE.fullmatch(request.base.decode("ascii"))
    need(base, "the base has another form")
    need(len(base["path"]) <= 2048 and len(base["query"] or "") <= 2048, "the path or the query is too long")
    covered = re.findall(r'^("[a-z@-]+"): ', request.base.decode("ascii"), re.MULTILINE)[:-1]
    need(base["covered"] == " ".join(covered), "the base covers something else than it says")
    if base["content"]:
        need(len(decode_base64(base["content"])) == 32, "the content digest has another form")
    created, expires = int(base["created"]), int(base["expires"] or 10**15)
    need(created < expires, "the request expires before it was created")
    need({"ed25519": "ed25519", "ecdsa-p256-sha256": "p256"}[base["alg"]] == key.kind, "another algorithm")
    need(base["keyid"] == wanted.hex(), "the request is by another factor")
    need(base["act"] == act_digest.hex() and base["method"] == "POST", "the request does not ask for the act")
    doors = ("/v1/acts", f"/v1/acts/{act_digest.hex()}/evidence", "/postings")
    need(realm == "customers" or (base["query"] is None and base["path"] in doors), "the request goes elsewhere")
    need(-30_000 <= time - created * 1000 <= 300_000 and time < expires * 1000, "the request is not fresh")
    need(holds(key, request.base, request.signature), "the signature does not hold")


# -------------------------------------------------------------------------- Transactions: ethereum.md

FIELDS = ("chain_id", "nonce", "max_priority_fee_per_gas", "max_fee_per_gas", "gas_limit", "to", "value", "data")
BITS = dict(chain_id=64, nonce=64, max_priority_fee_per_gas=128, max_fee_per_gas=128, gas_limit=64, value=256)


def read_unsigned(raw):
    return read_transaction(raw, ())


def read_signed(raw):
    transaction = read_transaction(raw, ("y_parity", "r", "s"))
    need(transaction.y_parity <= 1, "the signature's parity is not 0 or 1")
    need(1 <= transaction.r < SECP256K1.n and 1 <= transaction.s <= SECP256K1.n // 2,
         "the signature's r or s is out of range")
    return transaction


def read_transaction(raw, more):
    """EIP-1559. What was read is written again, and compared."""
    need(len(raw) <= MAX_TRANSACTION, "the transaction is too long")
    need(raw[:1] == b"\x02", "the transaction is not of type 2")
    items = rlp_items(raw[1:])
    need(len(items) == 9 + len(more) and items[8] is None, "the transaction has other fields, or an access list")
    named = dict(zip(FIELDS + ("access_list",) + more, items))
    need(None not in items[:8] + items[9:], "a field of the transaction is a list")
    need(len(named["to"]) in (0, 20), "the payee has not 20 bytes")
    for name in (*BITS, *more):
        need(len(named[name]) * 8 <= BITS.get(name, 256) and named[name][:1] != b"\x00",
             "an integer of the transaction is too long or has leading zeros")
        named[name] = int.from_bytes(named[name])
    need(raw == b"\x02" + rlp_list(items), "the transaction is not canonical")
    return Record(**named, unsigned=b"\x02" + rlp_list(items[:9]))


def plain_transfer(t):
    need(t.to, "the plan creates a contract")
    need(t.max_priority_fee_per_gas <= t.max_fee_per_gas, "the priority fee is above the fee")
    fee_ceiling = t.gas_limit * t.max_fee_per_gas
    need(fee_ceiling < 2**128, "the fees cannot be counted")
    if t.data == b"":
        asset, payee, amount = "slip44:60", t.to, t.value
    else:
        need(t.value == 0, "the plan sends ether and calls a contract at once")
        need(len(t.data) == 68 and t.data[:16] == bytes.fromhex("a9059cbb") + bytes(12),
             "the plan calls something else than transfer(address,uint256)")
        asset, payee, amount = f"erc20:0x{t.to.hex()}", t.data[16:36], int.from_bytes(t.data[36:])
    need(amount < 2**128, "the amount is not below 2^128")
    return Record(chain_id=t.chain_id, asset=f"eip155:{t.chain_id}/{asset}", to=f"eip155:{t.chain_id}:0x{payee.hex()}",
                  amount=amount, nonce=t.nonce, fee_ceiling=fee_ceiling)


def rlp_items(data):
    """The items of one flat list: byte strings, and None for the empty list. Yellow Paper, appendix B."""
    at, end = rlp_payload(data, 0, 0xC0)
    need(end == len(data), "bytes after the transaction")
    items = []
    while at < end:
        if data[at] < 0x80:
            items.append(data[at:at + 1])
            at += 1
        elif data[at] == 0xC0:
            items.append(None)
            at += 1
        else:
            start, at = rlp_payload(data, at, 0x80)
            need(at <= end, "the transaction ends too early")
            items.append(data[start:at])
    return items


def rlp_payload(data, at, base):
    """Where the payload begins and ends of the string (base 0x80) or list (base 0xc0) at that place."""
    length = data[at] - base
    need(0 <= length < 0x40, "the transaction has an item of another form")
    at += 1
    if length > 55:
        size = length - 55
        length, at = int.from_bytes(data[at:at + size]), at + size
    need(at + length <= len(data), "the transaction ends too early")
    return at, at + length


def rlp_list(items):
    payload = b"".join(b"\xc0" if item is None
                       else item if len(item) == 1 and item[0] < 0x80
                       else rlp_head(len(item), 0x80) + item for item in items)
    return rlp_head(len(payload), 0xC0) + payload


def rlp_head(length, base):
    if length <= 55:
        return bytes([base + length])
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([base + 55 + len(size)]) + size


def recover(sighash, t):
    """The address that signed. SEC 1, section 4.1.6, with R.x = r: EIP-1559 has no other parities."""
    curve, point = SECP256K1, secp256k1_point(t.r, t.y_parity)
    inverse = pow(t.r, -1, curve.n)
    z = int.from_bytes(sighash)
    public = curve.combine(-z * inverse, curve.g, t.s * inverse, point)
    need(public is not None, "the signature recovers no key")
    return keccak256(public[0].to_bytes(32) + public[1].to_bytes(32))[-20:]


# ------------------------------------------------------------------------------- Coins: bitcoin.md

MAX_SATS, LOCK_HEIGHTS = 2_100_000_000_000_000, 500_000_000
DUST = {25: 546, 23: 540, 22: 294, 34: 330}  # by the length of the script
REPLACEABLE = bytes.fromhex("fdffffff")


def check_spend(place, withdraw, wallet, plan):
    """The plan's claims: a plan of the wallet's coins, and one of its outputs is the act's."""
    chain, _, account = withdraw.to.rpartition(":")
    need(withdraw.asset == f"{chain}/slip44:0" and wallet.address.startswith(chain + ":"), "the plan is for another chain")
    claims = read_claims(plan.unsigned, locks_of(wallet))
    pays = (withdraw.amount, script_of(account))
    need(DUST[len(pays[1])] <= pays[0] <= MAX_SATS, "nodes relay no payment of the act's amount")
    need(pays in claims.tx.outputs[:place + 1], "no output, in its place or an earlier one, is the act's")
    fee = sum(value for value, _ in claims.spent) - sum(value for value, _ in claims.tx.outputs)
    need(0 <= fee <= wallet.fee_ceiling, "the plan costs more than genesis allows")
    return Record(terms=f"{len(claims.spent)} coins, {fee} satoshis of fees", claims=claims)


def read_claims(data, locks):
    """BIP 174, and of its fields those of a plan's claims alone, in their one order."""
    reader = Bytes(data)
    need(reader.take(5) == b"psbt\xff" and reader.sized() == b"\0", "the claims are no PSBT of a transaction")
    tx = read_spend(reader.sized())
    need(reader.take(1) == b"\0", "the claims say more of the transaction")
    need(tx.version == 3 and tx.lock_time < LOCK_HEIGHTS, "the claims' transaction has another form")
    need(not any(tx.witnesses) and all(script == b"" and sequence == REPLACEABLE for _, script, sequence in tx.inputs),
         "an input is signed, or cannot be replaced")
    need(len({coin for coin, _, _ in tx.inputs}) == len(tx.inputs), "an output is spent twice")
    spent = []
    for _ in tx.inputs:
        need(reader.sized() == b"\1", "the claims do not say what an input spends")
        output = Bytes(reader.sized())
        spent.append((output.number(8), output.sized()))
        output.end()
        need(reader.take(1) == b"\0", "the claims say more of an input")
    need(reader.take(len(tx.outputs)) == bytes(len(tx.outputs)), "the claims say something of an output")
    reader.end()
    need(all(value <= MAX_SATS and script in locks for value, script in spent), "an input is not the wallet's")
    witnesses = sum(108 if locks[script].variant == "p2wpkh" else 66 for _, script in spent)
    need(4 * tx.plain_bytes + 2 + witnesses <= 40_000, "nodes do not take so large a transaction")
    return Record(tx=tx, spent=spent, keys=[locks[script] for _, script in spent])


def check_spent(planned, raw):
    """The transaction has the claims' id, and in every input the signature of the key that it spends with."""
    claims, signed = planned.claims, read_spend(raw)
    need(signed.id == claims.tx.id, "the signed transaction is not the planned one")
    digests = spend_digests(claims)
    for key, witness, (segwit, taproot) in zip(claims.keys, signed.witnesses, digests):
        if key.variant == "p2wpkh":
            need(len(witness) == 2 and witness[1] == key.key and witness[0][-1:] == b"\1"
                 and holds_secp256k1(key.point, segwit, witness[0][:-1]), "an input is not signed by its key")
        else:
            need(len(witness) == 1 and holds_schnorr(key.point, taproot, witness[0]), "an input is not signed by its key")
    return signed.id[::-1]


def read_spend(raw):
    """A transaction, with witnesses (BIP 144) or without; its id is over everything but them."""
    reader = Bytes(raw)
    version, marked = reader.take(4), raw[4:6] == b"\0\1"
    if marked:
        reader.take(2)
    start = reader.at
    inputs = [(reader.take(36), reader.sized(), reader.take(4)) for _ in range(reader.compact())]
    outputs = [(reader.number(8), reader.sized()) for _ in range(reader.compact())]
    plain = raw[start:reader.at]
    witnesses = [[reader.sized() for _ in range(reader.compact())] if marked else [] for _ in inputs]
    need(inputs and marked == any(witnesses), "the transaction has no inputs, or no witnesses where it says so")
    lock_time = reader.take(4)
    reader.end()
    return Record(version=int.from_bytes(version, "little"), inputs=inputs, outputs=outputs, witnesses=witnesses,
                  lock_time=int.from_bytes(lock_time, "little"), plain_bytes=8 + len(plain), id=sha256d(version + plain + lock_time))


def spend_digests(claims):
    """What a signature of each input covers: BIP 143 with SIGHASH_ALL, BIP 341 with SIGHASH_DEFAULT."""
    tx, spent = claims.tx, claims.spent
    version, lock_time = tx.version.to_bytes(4, "little"), tx.lock_time.to_bytes(4, "little")
    coins, sequences = b"".join(i[0] for i in tx.inputs), b"".join(i[2] for i in tx.inputs)
    amounts = b"".join(value.to_bytes(8, "little") for value, _ in spent)
    scripts = b"".join(compact(len(script)) + script for _, script in spent)
    outputs = b"".join(value.to_bytes(8, "little") + compact(len(script)) + script for value, script in tx.outputs)
    once = [hashlib.sha256(part).digest() for part in (coins, amounts, scripts, sequences, outputs)]
    for index, ((coin, _, sequence), (value, script)) in enumerate(zip(tx.inputs, spent)):
        code = b"\x19\x76\xa9\x14" + script[2:] + b"\x88\xac"
        yield (sha256d(version + sha256d(coins) + sha256d(sequences) + coin + code + value.to_bytes(8, "little")
                       + sequence + sha256d(outputs) + lock_time + b"\1\0\0\0"),
               tagged("TapSighash", b"\0\0" + version + lock_time + b"".join(once) + b"\0"
                      + index.to_bytes(4, "little")))


def locks_of(wallet):
    """The scripts that the wallet's keys open, each with its key; that of the change comes first."""
    keys = [Record(variant=k.variant, key=k.key, point=coin_point(k))
            for k in (wallet.bitcoin.change, *wallet.bitcoin.keys)]
    return {b"\0\x14" + hash160(k.key) if k.variant == "p2wpkh" else b"\x51\x20" + k.point[0].to_bytes(32): k
            for k in keys}


def coin_point(key):
    """The point that signatures verify against. P2TR's commits to there being no scripts (BIP 341, BIP 86)."""
    if key.variant == "p2wpkh":
        need(key.key[0] in (2, 3), "a wallet's key is not a compressed point")
        return secp256k1_point(int.from_bytes(key.key[1:]), key.key[0] & 1)
    tweak = int.from_bytes(tagged("TapTweak", key.key))
    point = SECP256K1.combine(1, secp256k1_point(int.from_bytes(key.key), 0), tweak, SECP256K1.g)
    need(tweak < SECP256K1.n and point is not None, "a wallet's key cannot be tweaked")
    return point


def script_of(account):
    """The script of a canonical address."""
    data = base58check(account)
    if data is not None:
        pays_key = data[0] in (0, 111)
        return b"\x76\xa9\x14" + data[1:] + b"\x88\xac" if pays_key else b"\xa9\x14" + data[1:] + b"\x87"
    version, program = next(found for _, _, prefix in BITCOIN.values() if (found := bech32(account, prefix)))
    return bytes([version and 0x50 + version, len(program)]) + program


class Bytes:
    """What is still to be read of a transaction. Nothing is taken that is not there."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(self.at + count <= len(self.data), "the transaction ends too early")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def compact(self):
        """A number of variable length, in its shortest form."""
        first = self.number(1)
        if first < 0xFD:
            return first
        number = self.number(1 << first - 0xFC)
        need(len(compact(number)) == 1 + (1 << first - 0xFC), "a length is not of the shortest form")
        return number

    def sized(self):
        return self.take(self.compact())

    def end(self):
        need(self.at == len(self.data), "bytes after the transaction")


def compact(number):
    if number < 0xFD:
        return bytes([number])
    size = next(size for size in (2, 4, 8) if number < 1 << 8 * size)
    return bytes([0xFB + size.bit_length()]) + number.to_bytes(size, "little")


# ------------------------------------------------------- Hashes, domains, factor ids: encoding.md


def signed_text(domain, message):
    return domain.encode() + b"\x00" + message


def digest(domain, message):
    return hashlib.sha256(signed_text(domain, message)).digest()


def factor_id(factor):
    if factor.variant == "totp":
        return factor_id_of(factor.seed)
    if factor.variant == "recovery-codes":
        return factor_id_of(encode_cbor(factor.codes))
    return factor_id_of(factor.credential if factor.variant == "passkey" else factor.key.cbor)


def factor_id_of(identity):
    return digest("portcullis/factor/v1", identity)[:16]


# --------------------------------------------------------- Structures: the CDDL of encoding.md and on
#
# A shape is a function from what CBOR was parsed to (int, bytes, str, list, dict) to a value, or Refused.


class Record(SimpleNamespace):
    """Members by their names; an absent one is None. What came out of CBOR has its `tree`."""

    @property
    def cbor(self):
        return encode_cbor(self.tree)


def typed(kind, check=lambda value: True, convert=lambda value: value):
    def shape(tree):
        need(type(tree) is kind and check(tree), "a value has another type, size or form")
        return convert(tree)
    return shape


def list_of(shape, most=MAX_ENTRY):
    def read(tree):
        need(type(tree) is list and len(tree) <= most, "a list is no list, or too long")
        return [shape(item) for item in tree]
    return read


def tuple_of(*shapes):
    def read(tree):
        need(type(tree) is list and len(tree) == len(shapes), "a tuple has another length")
        return tuple(shape(item) for shape, item in zip(shapes, tree))
    return read


def enumeration(*names):
    """In the order of their numbers; None stands for numbers that mean nothing."""
    return typed(int, lambda n: n < len(names) and names[n] is not None, lambda n: names[n])


def record(members, check=None):
    """{number: (name, shape)}; a name with ? before it may be left out."""
    def read(tree):
        need(type(tree) is dict and tree.keys() <= members.keys(), "a record has unknown members")
        values = {}
        for number, (name, shape) in members.items():
            need(number in tree or name[0] == "?", "a member is missing")
            values[name.lstrip("?")] = shape(tree[number]) if number in tree else None
        value = Record(tree=tree, **values)
        need(check is None or check(value), "a record is too long")
        return value
    return read


def choice(*variants, later=None):
    """(name, fields…), in the order of their numbers, and later ones by number; a field with ? before its name is
    the last one. None stands for numbers that mean nothing."""
    numbered = {number: variant for number, variant in enumerate(variants) if variant} | (later or {})

    def read(tree):
        need(type(tree) is list and len(tree) == 2 and type(tree[0]) is int and tree[0] in numbered
             and type(tree[1]) is list, "a choice has another form")
        name, *fields = numbered[tree[0]]
        required = sum(field[0] != "?" for field, _ in fields)
        need(required <= len(tree[1]) <= len(fields), "a variant has other fields")
        values = {field.lstrip("?"): None for field, _ in fields}
        values |= {field.lstrip("?"): shape(item) for (field, shape), item in zip(fields, tree[1])}
        return Record(tree=tree, variant=name, **values)
    return read


def read_public_key(tree):
    need(type(tree) is list and len(tree) == 2 and type(tree[0]) is int and type(tree[1]) is bytes,
         "a public key has another form")
    number, key = tree
    if number == 1:
        ed25519_point(key)
        return Record(tree=tree, kind="ed25519", bytes=key)
    need(number == 2, "a public key is of an unknown kind")
    p256_point(key)
    return Record(tree=tree, kind="p256", bytes=key)


# caip.md, bitcoin.md: the first 32 digits of a first block, with the versions of key and script hashes and bech32's prefix
BITCOIN = {"000000000019d6689c085ae165831e93": (0, 5, "bc"), "000000000933ea01ad0ee984209779ba": (111, 196, "tb"),
           "00000000da84f2bafbbc53dee25a72ae": (111, 196, "tb"), "00000008819873e925422c1ff0f99f7c": (111, 196, "tb"),
           "0f9188f13cb7b2c71f2a335e3a4fc328": (111, 196, "bcrt")}


def is_asset(text):
    """caip.md: the canonical text of an asset alone."""
    chain, _, asset = text.partition("/")
    if chain.startswith("eip155:"):
        return is_evm_chain(chain) and bool(re.fullmatch(r"slip44:60|erc20:0x[0-9a-f]{40}", asset))
    if chain.removeprefix("bip122:") in BITCOIN:
        return asset == "slip44:0"
    return is_named_chain(chain) and bool(re.fullmatch(r"[a-z0-9-]{3,8}:[A-Za-z0-9.%-]{1,128}", asset))


def is_address(text):
    """caip.md: the canonical text of an address alone."""
    chain, _, account = text.rpartition(":")
    if chain.startswith("eip155:"):
        return is_evm_chain(chain) and bool(re.fullmatch(r"0x[0-9a-f]{40}", account))
    if chain.removeprefix("bip122:") in BITCOIN:
        return is_bitcoin_account(account, *BITCOIN[chain.removeprefix("bip122:")])
    return (is_named_chain(chain) and len(account) <= 128
            and bool(re.fullmatch(r"[A-Za-z0-9.%-]+(\?[A-Za-z0-9]{1,8}=[A-Za-z0-9._%-]+)?", account)))


def is_evm_chain(text):
    match = re.fullmatch(r"eip155:(0|[1-9][0-9]{0,19})", text)
    return bool(match) and int(match[1]) < 2**64


def is_named_chain(text):
    match = re.fullmatch(r"([a-z0-9-]{3,8}):([A-Za-z0-9_-]{1,32})", text)
    return (bool(match) and match[1] != "eip155"
            and (match[1] != "bip122" or bool(re.fullmatch(r"[0-9a-f]{32}", match[2]))))


def is_bitcoin_account(text, key_hash, script_hash, prefix):
    """Base58check with a known version and 20 bytes, or bech32 (BIP 173, BIP 350) in lower case."""
    data = base58check(text)
    if data is not None:
        return len(data) == 21 and data[0] in (key_hash, script_hash)
    found = bech32(text, prefix)
    return found is not None and (found[0], len(found[1])) in ((0, 20), (0, 32), (1, 32))


def base58check(text):
    digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    if not text or any(c not in digits for c in text) or len(text) > 64:
        return None
    number = functools.reduce(lambda n, c: n * 58 + digits.index(c), text, 0)
    zeros = len(text) - len(text.lstrip("1"))
    raw = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    check = hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4]
    return raw[:-4] if raw[-4:] == check else None


def bech32(text, prefix):
    """The version and the program of a witness address."""
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    data = text.removeprefix(prefix + "1")
    if data == text or len(text) > 90 or len(data) < 7 or any(c not in alphabet for c in data):
        return None
    values = [alphabet.index(c) for c in data]
    checksum = 1
    for value in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> bit & 1 else 0
    if checksum != (1 if values[0] == 0 else 0x2BC830A3):
        return None
    bits = "".join(f"{value:05b}" for value in values[1:-6])
    whole, rest = bits[:len(bits) // 8 * 8], bits[len(bits) // 8 * 8:]
    if len(rest) > 4 or "1" in rest:
        return None
    return values[0], bytes(int(whole[i:i + 8], 2) for i in range(0, len(whole), 8))


def sized(number):
    return typed(bytes, lambda b: len(b) == number)


# reasons.md: another number makes its entry malformed
REASONS = {
    100, 101, 103, *range(200, 207), *range(300, 311), *range(320, 330), 340, 341, 342, *range(400, 406),
    *range(500, 540), *range(550, 560), *range(560, 563), *range(572, 576), *range(580, 589), *range(600, 608), *range(900, 919)}

BYTES, TEXT, ID, DIGEST, COIN, SIGNATURE = typed(bytes), typed(str), sized(16), sized(32), sized(36), sized(64)
U32, U64 = typed(int, lambda n: n < 2**32), typed(int)  # CBOR has no larger integers than 2^64 − 1
MOMENT = SPAN = U64
AMOUNT = typed(bytes, lambda b: len(b) == 16, int.from_bytes)
ASSET = typed(str, is_asset)
ADDRESS = typed(str, is_address)
PUBLIC_KEY = read_public_key
CREDENTIAL = typed(bytes, lambda b: 1 <= len(b) <= 1023)
NEW_FACTOR = choice(("request-key", ("key", PUBLIC_KEY)),
                    ("passkey", ("credential", CREDENTIAL), ("rp_id", TEXT), ("key", PUBLIC_KEY)),
                    ("totp", ("seed", DIGEST)), ("recovery-codes", ("codes", list_of(DIGEST))))
FACTOR_KIND = enumeration("request-key", "passkey", "totp", "recovery-codes")
REALM = enumeration("customers", "staff")
ROLE = enumeration("administrator", "operator", "approver", "support", "auditor", "back-end", "keeper")
REASON = typed(int, REASONS.__contains__)

# acts.md
LIMIT = record({
    0: ("asset", ASSET), 1: ("bounds", enumeration("account", "asset", "wallet", None, None, "code")),
    2: ("?per_transaction", AMOUNT), 3: ("?hour", AMOUNT), 4: ("?day", AMOUNT), 5: ("?week", AMOUNT),
    6: ("?approval", record({0: ("above", AMOUNT), 1: ("count", U32)}))})
LIMITS = record({0: ("rules", list_of(LIMIT))})
POLICY = record({
    0: ("cedar", TEXT), 1: ("tiers", list_of(record({0: ("asset", ASSET), 1: ("above", list_of(AMOUNT))}))),
    2: ("lists", list_of(record({
        0: ("name", TEXT), 1: ("addresses", list_of(ADDRESS)), 2: ("accounts", list_of(ID))}))),
    3: ("?rates", record({
        0: ("currency", TEXT), 1: ("publishers", list_of(record({0: ("id", TEXT), 1: ("key", PUBLIC_KEY)}))),
        2: ("assets", list_of(record({0: ("asset", ASSET), 1: ("decimals", U32)}))),
        3: ("max_age", SPAN), 4: ("max_step", U32), 5: ("every", SPAN),
        6: ("platform", record({0: ("?hour", AMOUNT), 1: ("?day", AMOUNT), 2: ("?week", AMOUNT)}))}))})
QUOTE = record({
    0: ("publisher", TEXT), 1: ("asset", ASSET), 2: ("currency", TEXT), 3: ("price", AMOUNT), 4: ("time", MOMENT)})
SCOPE = choice(("everything",), ("withdrawals",), ("asset", ("of", ASSET)), ("realm", ("of", REALM)),
               ("account", ("of", ID)))
TARGET = choice(("suspension", ("by", DIGEST)), ("latch", ("keeper", ID), ("latch", DIGEST)),
                ("suspensions-up-to", ("entry", U64)))


ISSUER = record({
    0: ("id", ID), 1: ("kind", enumeration("onboarding", "ledger", "identity", None, "screening", "travel-rule")),
    2: ("key", PUBLIC_KEY)})
WITNESSES = record({0: ("vkeys", list_of(TEXT)), 1: ("faulty", U32), 2: ("quorum", U32)})
KEYS = choice(("issuers", ("issuers", list_of(ISSUER))), ("log", ("vkey", TEXT)),
              ("roots", ("roots", record({0: ("keys", list_of(PUBLIC_KEY)), 1: ("quorum", U32)}))),
              ("keeper", ("keeper", ID), ("key", PUBLIC_KEY)),
              ("witnesses", ("witnesses", WITNESSES)))


IMPORT = record({0: ("source", TEXT), 1: ("exported", MOMENT), 2: ("record", DIGEST), 3: ("also", list_of(NEW_FACTOR))})


def kind(name, members=None):
    return (name, ("of", record(members))) if members else (name,)


LABELS_OFFERED = record({
    0: ("digest", DIGEST), 1: ("kind", enumeration(None, "authority", "community")), 2: ("from", typed(int, lambda n: n < 2**8)),
    3: ("source", TEXT), 4: ("labels", U32), 5: ("rejected", list_of(record({0: ("why", TEXT), 1: ("rows", U32)})))})
KIND = choice(
    kind("open-account", {0: ("subject", ID), 1: ("principal", ID), 2: ("factor", NEW_FACTOR), 3: ("?delay", SPAN),
                          8: ("?contact", DIGEST), 9: ("?imported", IMPORT)}),
    kind("withdraw", {0: ("asset", ASSET), 1: ("to", ADDRESS), 2: ("amount", AMOUNT)}),
    kind("cancel", {0: ("act", DIGEST)}),
    kind("add-address", {0: ("address", ADDRESS)}),
    kind("cancel-address", {0: ("address", ADDRESS)}),
    kind("freeze"),
    kind("unfreeze"),
    kind("enrol-factor", {0: ("principal", ID), 1: ("factor", NEW_FACTOR)}),
    kind("revoke-factor", {0: ("principal", ID), 1: ("factor", ID)}),
    kind("raise-epoch", {0: ("realm", REALM), 1: ("?factors", FACTOR_KIND)}),
    kind("grant-role", {0: ("principal", ID), 1: ("role", ROLE), 2: ("?factor", NEW_FACTOR)}),
    kind("revoke-role", {0: ("principal", ID), 1: ("role", ROLE)}),
    kind("approve", {0: ("act", DIGEST)}),
    kind("suspend", {0: ("scope", SCOPE)}),
    kind("lift", {0: ("target", TARGET)}),
    kind("resume", {0: ("release", DIGEST)}),
    kind("void", {0: ("release", DIGEST)}),
    kind("set-limits", {0: ("replaces", DIGEST), 1: ("limits", LIMITS)}),
    kind("set-policy", {0: ("replaces", DIGEST), 1: ("policy", POLICY)}),
    kind("publish-rates", {
        0: ("quotes", list_of(record({0: ("quote", QUOTE), 1: ("signature", SIGNATURE)})))}),
    later={
        23: kind("recover", {0: ("principal", ID), 1: ("factor", NEW_FACTOR)}),
        24: kind("veto", {0: ("act", DIGEST)}),
        25: kind("recover-administrators", {
            0: ("replaces", DIGEST),
            1: ("administrators", list_of(record({0: ("principal", ID), 1: ("factors", list_of(NEW_FACTOR))}))),
            2: ("quorum", U32)}),
        26: kind("rotate", {0: ("replaces", DIGEST), 1: ("keys", KEYS)}),
        35: kind("change-contact", {0: ("contact", DIGEST)}),
        38: kind("set-labels", {0: ("name", TEXT), 1: ("?replaces", DIGEST), 2: ("?set", LABELS_OFFERED)}),
        40: kind("add-principal", {0: ("principal", ID), 1: ("factor", NEW_FACTOR)}),
        41: kind("remove-principal", {0: ("principal", ID)}),
        42: kind("set-account-quorum", {0: ("replaces", U32), 1: ("quorum", U32)})})
ACT = record({
    0: ("genesis", DIGEST), 1: ("realm", REALM), 2: ("principal", ID), 3: ("?account", ID), 4: ("id", ID),
    5: ("checkpoint", DIGEST), 6: ("expires", MOMENT), 7: ("kind", KIND)}, lambda act: len(act.cbor) <= MAX_ACT)

# evidence.md
CLAIM = choice(("onboarding",), ("ledger-debit", ("entry", ID)), ("identity",), ("root",),
               ("screening", ("id", ID), ("finding", enumeration(*FINDINGS)), ("report", DIGEST)),
               ("travel-rule", ("id", ID), ("message", DIGEST)))
ATTESTATION_STATEMENT = record({0: ("issuer", ID), 1: ("act", DIGEST), 2: ("expires", MOMENT), 3: ("claim", CLAIM)})
EVIDENCE = record({
    0: ("requests", list_of(record({0: ("base", BYTES), 1: ("signature", SIGNATURE)}), most=8)),
    1: ("assertions", list_of(record({
        0: ("credential", BYTES), 1: ("authenticator_data", BYTES), 2: ("client_data", BYTES),
        3: ("signature", SIGNATURE)}), most=8)),
    2: ("attestations", list_of(record({
        0: ("statement", ATTESTATION_STATEMENT), 1: ("signature", SIGNATURE)}), most=8)),
    3: ("?posted", record({0: ("board", ID), 1: ("time", MOMENT), 2: ("signature", SIGNATURE)})),
    6: ("?code", choice(("totp", ("factor", ID), ("sealed", sized(56))),
                        ("recovery", ("factor", ID), ("key", PUBLIC_KEY), ("signature", SIGNATURE)))),
    7: ("?link", SIGNATURE)})

# genesis.md
MEMBER = record({0: ("principal", ID), 1: ("roles", list_of(ROLE)), 2: ("factors", list_of(NEW_FACTOR))})
COIN_KEY = choice(("p2wpkh", ("key", sized(33))), ("p2tr", ("key", sized(32))))
RELYING_PARTY = record({0: ("rp_ids", list_of(TEXT)), 1: ("origins", list_of(TEXT)), 2: ("top_origins", list_of(TEXT))})
GENESIS = record({
    0: ("network", TEXT), 1: ("mode", enumeration("production", "development")), 2: ("rules", U32),
    3: ("log", record({0: ("origin", TEXT), 1: ("vkey", TEXT)})),
    4: ("administrators", list_of(MEMBER)), 5: ("quorum", U32), 6: ("staff", list_of(MEMBER)),
    7: ("keepers", list_of(record({
        0: ("id", ID), 1: ("kind", enumeration("signer", "vault", "herald")), 2: ("key", PUBLIC_KEY),
        3: ("?sealing", sized(32))}))),
    8: ("witnesses", WITNESSES),
    9: ("boards", list_of(record({0: ("id", ID), 1: ("key", PUBLIC_KEY)}))),
    10: ("issuers", list_of(ISSUER)),
    11: ("roots", list_of(PUBLIC_KEY)),
    12: ("wallets", list_of(record({
        0: ("id", ID), 1: ("address", ADDRESS), 2: ("keeper", ID), 3: ("first_nonce", U64),
        4: ("fee_ceiling", AMOUNT), 5: ("?mandate", SPAN),
        6: ("?bitcoin", record({0: ("change", COIN_KEY), 1: ("keys", list_of(COIN_KEY)), 2: ("batch", SPAN)}))}))),
    13: ("assets", list_of(ASSET)), 14: ("limits", LIMITS), 15: ("delay_floor", SPAN),
    16: ("parties", list_of(record({0: ("realm", REALM), 1: ("relying_party", RELYING_PARTY)}))),
    17: ("?policy", POLICY),
    19: ("?recovery", record({0: ("per_agent", U32), 1: ("per_platform", U32), 2: ("vouched", U32), 3: ("divisor", U32)})),
    20: ("?roots_quorum", U32)})
SIGNED_GENESIS = record({0: ("genesis", GENESIS), 1: ("signatures", list_of(tuple_of(ID, SIGNATURE)))})

# statements.md
CAP = record({0: ("asset", ASSET), 1: ("per_transaction", AMOUNT), 2: ("day", AMOUNT)})
ON_CHAIN = (("act", DIGEST), ("transaction", DIGEST), ("block", U64), ("block_hash", DIGEST))
SAYS = choice(
    ("caps", ("caps", list_of(CAP, most=256))),
    ("signed", ("act", DIGEST), ("entry", U64), ("effects", DIGEST), ("plan", DIGEST), ("transaction", BYTES)),
    ("confirmed", *ON_CHAIN),
    ("reverted", *ON_CHAIN),
    ("stopped", ("suspension", DIGEST)),
    ("latched", ("latch", DIGEST), ("condition", enumeration(
        "fork", "shrunk", "release-without-evidence", "stop-withheld", "shut"))),
    ("told", ("act", DIGEST), ("entry", U64)),
    later={9: ("code-right", ("act", DIGEST), ("factor", ID), ("step", U32)),
           10: ("code-wrong", ("act", DIGEST), ("factor", ID)),
           11: ("declined", ("act", DIGEST), ("shared", COIN))})
STATEMENT = record({0: ("genesis", DIGEST), 1: ("keeper", ID), 2: ("says", SAYS)})

# entries.md
NEED = choice(("assertion",), ("debit",), ("approvals", ("missing", U32)), ("quorum", ("missing", U32)),
              ("delay",), ("lift",), ("unfreeze",), ("room",), None, None, ("support", ("missing", U32)),
              later={15: ("screening",), 16: ("travel-rule",), 18: ("totp",), 19: ("principals", ("missing", U32)), 20: ("label",), 21: ("batch",)})
DECISION = choice(("release",), ("hold", ("needs", list_of(NEED)), ("?until", MOMENT)), ("refuse", ("reason", REASON)))
PLAN = record({0: ("wallet", ID), 1: ("unsigned", BYTES)})
BODY = choice(
    ("genesis", ("of", SIGNED_GENESIS)),
    ("checkpoint", ("of", BYTES)),
    ("submission", ("of", record({
        0: ("act", ACT), 1: ("evidence", EVIDENCE), 2: ("decision", DECISION), 3: ("?plan", PLAN)}))),
    ("supplement", ("of", record({0: ("act", DIGEST), 1: ("evidence", EVIDENCE)}))),
    ("settlement", ("of", record({
        0: ("act", DIGEST), 1: ("decision", DECISION), 2: ("?plan", PLAN), 3: ("?beside", list_of(DIGEST))},
        lambda settlement: settlement.beside != []))),
    ("replacement", ("of", record({0: ("act", DIGEST), 1: ("plan", PLAN)}))),
    ("statement", ("of", record({0: ("statement", STATEMENT), 1: ("signature", SIGNATURE)}))))
ENTRY = record({0: ("partition", U32), 1: ("time", MOMENT), 2: ("body", BODY)})


def read_entry(data):
    need(len(data) <= MAX_ENTRY, "an entry is too long")
    return ENTRY(decode_cbor(data))


# -------------------------------------------------------------------------------- CBOR: encoding.md

MAX_DEPTH = 24  # the deepest structure, a key inside a factor inside an act inside an entry, needs 13


def decode_cbor(data):
    """What a writer would have written, and nothing else: it is written again, and compared.

    No entry has true, false or null anywhere, so they are not read."""
    tree, end = read_cbor(data, 0, 0)
    need(end == len(data), "bytes after the value")
    need(encode_cbor(tree) == data, "the encoding is not canonical")
    return tree


def read_cbor(data, at, depth):
    need(depth < MAX_DEPTH, "a value is nested too deeply")
    major, value, at = read_head(data, at)
    if major == 0:
        return value, at
    if major in (2, 3):
        need(at + value <= len(data), "a value ends too early")
        content = data[at:at + value]
        return (content if major == 2 else content.decode("utf-8")), at + value
    if major == 4:
        items = []
        for _ in range(value):  # ends with the data at the latest: an item takes a byte
            item, at = read_cbor(data, at, depth + 1)
            items.append(item)
        return items, at
    need(major == 5, "a value of a type that is not allowed")
    members = {}
    for _ in range(value):
        kind_of_key, key, at = read_head(data, at)
        need(kind_of_key == 0 and key not in members, "a record's key is no integer, or stands twice")
        members[key], at = read_cbor(data, at, depth + 1)
    return members, at


def read_head(data, at):
    """Major type, argument, and where the content begins. RFC 8949, section 3."""
    need(at < len(data), "a value ends too early")
    major, argument = data[at] >> 5, data[at] & 31
    at += 1
    if argument < 24:
        return major, argument, at
    need(argument < 28, "an indefinite or reserved length")
    size = 1 << (argument - 24)
    need(at + size <= len(data), "a value ends too early")
    return major, int.from_bytes(data[at:at + size]), at + size


def encode_cbor(tree):
    parts = []
    write_cbor(tree, parts)
    return b"".join(parts)


def write_cbor(tree, parts):
    if type(tree) is int:
        parts.append(cbor_head(0, tree))
    elif type(tree) is bytes:
        parts += cbor_head(2, len(tree)), tree
    elif type(tree) is str:
        parts += cbor_head(3, len(tree.encode())), tree.encode()
    elif type(tree) is list:
        parts.append(cbor_head(4, len(tree)))
        for item in tree:
            write_cbor(item, parts)
    else:
        parts.append(cbor_head(5, len(tree)))
        for key in sorted(tree):
            parts.append(cbor_head(0, key))
            write_cbor(tree[key], parts)


def cbor_head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    size = next(size for size in (1, 2, 4, 8) if value < 1 << 8 * size)
    return bytes([major << 5 | 23 + size.bit_length()]) + value.to_bytes(size)


# ----------------------------------------------------------- JSON and base64: receipt.md, encoding.md


def read_receipt(bundle):
    receipt = read_json(bundle)
    need(type(receipt) is dict, "the receipt is no object")
    handovers = receipt.pop("handovers", [])
    need(type(handovers) is list and len(handovers) <= 64, "there are too many handovers")
    check_members(receipt, act=str, checkpoint=str, entries=list)
    need(re.fullmatch("[0-9a-f]{64}", receipt["act"]), "the act is no digest")
    most = MAX_ENTRIES + 32 * len(handovers)
    need(1 <= len(receipt["entries"]) <= most, "there are no entries, or too many")
    return Record(act=bytes.fromhex(receipt["act"]), checkpoint=receipt["checkpoint"],
                  entries=[read_listed(listed) for listed in receipt["entries"]],
                  handovers=[read_handover(handover) for handover in handovers])


def read_handover(handover):
    check_members(handover, checkpoint=str, proof=list)
    return Record(checkpoint=handover["checkpoint"], proof=read_proof(handover["proof"]))


def read_proof(proof):
    need(len(proof) <= 63, "a proof is too long")
    need(all(type(h) is str and len(h) == 44 for h in proof), "a hash of a proof has another length")
    return [decode_base64(h) for h in proof]


def read_listed(listed):
    check_members(listed, index=int, entry=str, proof=list)
    need(len(listed["entry"]) <= MAX_ENTRY * 4 // 3 + 2, "an entry is too long")
    return Record(index=listed["index"], entry=decode_base64url(listed["entry"]), proof=read_proof(listed["proof"]))


def read_json(data):
    need(len(data) <= MAX_RECEIPT, "the receipt is too long")
    text = data.decode("utf-8")
    depth = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', text, re.DOTALL):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        need(depth <= 4, "the receipt is nested too deeply")
    return json.loads(text, object_pairs_hook=members_once, parse_int=unsigned, parse_float=no_number,
                      parse_constant=no_number)


def members_once(pairs):
    members = dict(pairs)
    need(len(members) == len(pairs), "a member stands twice")
    return members


def unsigned(digits):
    need(digits.isdecimal() and len(digits) <= 20, "a number is negative or too large")
    return int(digits)


def no_number(_):
    raise Refused("a number is no integer")


def check_members(value, **types):
    need(type(value) is dict and value.keys() == types.keys(), "the receipt has other members")
    need(all(type(value[name]) is kind for name, kind in types.items()), "a member has another type")


def decode_base64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64 is not canonical")
    return data


def decode_base64url(text):
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    need(encode_base64url(data) == text, "base64url is not canonical")
    return data


def encode_base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# -------------------------------------------------------------------- Signatures: encoding.md


def holds(key, message, signature):
    return (holds_ed25519 if key.kind == "ed25519" else holds_p256)(key.bytes, message, signature)


# Ed25519: RFC 8032, section 5.1, by the equation without cofactor. Points are extended coordinates.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def ed25519_decode(encoded):
    need(len(encoded) == 32, "an Ed25519 point has not 32 bytes")
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & 2**255 - 1
    need(y < P, "an Ed25519 point has y not below 2^255 - 19")
    u, v = y * y - 1, D * y * y + 1
    x = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    need((v * x * x - u) % P == 0 and (x or not sign), "an Ed25519 point is not on the curve")
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


def ed25519_add(a, b):
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * D * a[3] * b[3] % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def ed25519_same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


@functools.lru_cache(4096)
def ed25519_point(encoded):
    """A point that may be a key or an R: not of order 1, 2, 4 or 8."""
    point = eight = ed25519_decode(encoded)
    for _ in range(3):
        eight = ed25519_add(eight, eight)
    need(not ed25519_same(eight, NEUTRAL), "an Ed25519 point is of small order")
    return point


ED25519_BASE = ed25519_decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


@functools.cache  # each once: receipt.md "What a check costs"
def holds_ed25519(key, message, signature):
    """[S]B = R + [k]A"""
    try:
        need(len(signature) == 64, "size")
        a, r, s = ed25519_point(key), ed25519_point(signature[:32]), int.from_bytes(signature[32:], "little")
    except Refused:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    minus_a = (P - a[0], a[1], 1, P - a[3])
    sums = (None, ED25519_BASE, minus_a, ed25519_add(ED25519_BASE, minus_a))
    point = NEUTRAL
    for bit in range(252, -1, -1):
        point = ed25519_add(point, point)
        pick = (s >> bit & 1) | (k >> bit & 1) << 1
        point = ed25519_add(point, sums[pick]) if pick else point
    return s < L and ed25519_same(point, r)


class Curve:
    """y² = x³ + ax + b; SEC 1. Points are (x, y), None the point at infinity; inside, Jacobian (X, Y, Z)."""

    def __init__(self, p, a, b, n, g):
        self.p, self.a, self.b, self.n, self.g = p, a, b, n, g

    def has(self, point):
        x, y = point
        return 0 <= x < self.p and 0 <= y < self.p and (y * y - x**3 - self.a * x - self.b) % self.p == 0

    def double(self, point):
        x, y, z = point
        yy = y * y % self.p
        s, m = 4 * x * yy, 3 * x * x + self.a * pow(z, 4, self.p)
        xx = (m * m - 2 * s) % self.p
        return xx, (m * (s - xx) - 8 * yy * yy) % self.p, 2 * y * z % self.p

    def add(self, a, b):
        if not a[2] or not b[2]:
            return a if a[2] else b
        za, zb = a[2] * a[2] % self.p, b[2] * b[2] % self.p
        u, s = a[0] * zb % self.p, a[1] * b[2] * zb % self.p
        h, r = (b[0] * za - u) % self.p, (b[1] * a[2] * za - s) % self.p
        if not h:
            return (1, 1, 0) if r else self.double(a)
        hh = h * h % self.p
        x = (r * r - h * hh - 2 * u * hh) % self.p
        return x, (r * (u * hh - x) - s * h * hh) % self.p, h * a[2] * b[2] % self.p

    def combine(self, u, a, v, b):
        """[u]a + [v]b"""
        u, v, a, b = u % self.n, v % self.n, (*a, 1), (*b, 1)
        sums = (None, a, b, self.add(a, b))
        point = (1, 1, 0)
        for bit in range(255, -1, -1):
            point = self.double(point)
            pick = (u >> bit & 1) | (v >> bit & 1) << 1
            point = self.add(point, sums[pick]) if pick else point
        if not point[2]:
            return None
        z = pow(point[2], -1, self.p)
        return point[0] * z * z % self.p, point[1] * z**3 % self.p


P256 = Curve(  # SEC 2, section 2.4.2
    p=2**256 - 2**224 + 2**192 + 2**96 - 1, a=-3,
    b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    n=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    g=(0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
       0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5))
SECP256K1 = Curve(  # SEC 2, section 2.4.1
    p=2**256 - 2**32 - 977, a=0, b=7,
    n=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    g=(0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
       0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8))


def secp256k1_point(x, parity):
    """The point with this x of which y is even, or odd."""
    y = pow(x**3 + SECP256K1.b, (SECP256K1.p + 1) // 4, SECP256K1.p)  # p is 3 modulo 4
    need(SECP256K1.has((x, y)), "no point of secp256k1 has this x")
    return x, y if y & 1 == parity else SECP256K1.p - y


def holds_secp256k1(key, message, signature):
    """ECDSA over a digest in strict DER (BIP 66), and only the low S (BIP 146)."""
    body, numbers = signature[2:], []
    for _ in "rs":
        size = body[1] if len(body) > 2 and body[0] == 2 else 0
        number, body = body[2:2 + size], body[2 + size:]
        minimal = len(number) == size > 0 and number[0] < 0x80 and (size == 1 or number[0] or number[1] >= 0x80)
        if not minimal:
            return False
        numbers.append(int.from_bytes(number))
    r, s = numbers
    if body or signature[:2] != bytes([0x30, len(signature) - 2]):
        return False
    if not (1 <= r < SECP256K1.n and 1 <= s <= SECP256K1.n // 2):
        return False
    w = pow(s, -1, SECP256K1.n)
    point = SECP256K1.combine(int.from_bytes(message) * w, SECP256K1.g, r * w, key)
    return point is not None and point[0] % SECP256K1.n == r


def holds_schnorr(key, message, signature):
    """BIP 340, under the point of which y is even."""
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if len(signature) != 64 or r >= SECP256K1.p or s >= SECP256K1.n:
        return False
    x = key[0].to_bytes(32)
    e = int.from_bytes(tagged("BIP0340/challenge", signature[:32] + x + message))
    point = SECP256K1.combine(s, SECP256K1.g, -e, secp256k1_point(key[0], 0))
    return point is not None and point[1] & 1 == 0 and point[0] == r


def p256_point(encoded):
    need(len(encoded) == 65 and encoded[0] == 4, "a P-256 key is not uncompressed")
    point = int.from_bytes(encoded[1:33]), int.from_bytes(encoded[33:])
    need(P256.has(point), "a P-256 key is not on the curve")
    return point


@functools.cache
def holds_p256(key, message, signature):
    """ECDSA with SHA-256, r ‖ s, and only the low S. SEC 1, section 4.1.4."""
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if len(signature) != 64 or not (1 <= r < P256.n and 1 <= s <= (P256.n - 1) // 2):
        return False
    w = pow(s, -1, P256.n)
    e = int.from_bytes(hashlib.sha256(message).digest())
    point = P256.combine(e * w, P256.g, r * w, p256_point(key))
    return point is not None and point[0] % P256.n == r


def sha256d(message):
    return hashlib.sha256(hashlib.sha256(message).digest()).digest()


def tagged(tag, message):
    """BIP 340, "Design"."""
    return hashlib.sha256(hashlib.sha256(tag.encode()).digest() * 2 + message).digest()


def hash160(message):
    return ripemd160(hashlib.sha256(message).digest())


# RIPEMD-160: the next round's words, and by how much each round rotates by each word.
RIPEMD_RHO = (7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8)
RIPEMD_SHIFTS = [[11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8],
                 [12, 13, 11, 15, 6, 9, 9, 7, 12, 15, 11, 13, 7, 8, 7, 7],
                 [13, 15, 14, 11, 7, 7, 6, 8, 13, 14, 13, 12, 5, 5, 6, 9],
                 [14, 11, 12, 14, 8, 6, 5, 5, 15, 12, 15, 14, 9, 9, 8, 6],
                 [15, 12, 13, 13, 9, 5, 8, 6, 14, 11, 12, 11, 8, 6, 5, 5]]
RIPEMD_LEFT = (0, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E)
RIPEMD_RIGHT = (0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0)
RIPEMD_MIX = (lambda x, y, z: x ^ y ^ z, lambda x, y, z: x & y | ~x & z, lambda x, y, z: (x | ~y) ^ z,
              lambda x, y, z: x & z | y & ~z, lambda x, y, z: x ^ (y | ~z))


def ripemd160(message):
    """ISO/IEC 10118-3. Many a Python has it no more: OpenSSL counts it among the old ones."""
    data = message + b"\x80" + bytes(-(len(message) + 9) % 64) + (8 * len(message)).to_bytes(8, "little")
    h = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
    permute = lambda words: [RIPEMD_RHO[word] for word in words]  # rho
    left, right = list(range(16)), [(9 * i + 5) % 16 for i in range(16)]  # the identity, and pi
    rounds = []
    for number in range(5):
        rounds.append((left, right))
        left, right = permute(left), permute(right)
    for at in range(0, len(data), 64):
        block = [int.from_bytes(data[at + 4 * i:at + 4 * i + 4], "little") for i in range(16)]
        lines = []
        for side, constants, mixes in ((0, RIPEMD_LEFT, RIPEMD_MIX), (1, RIPEMD_RIGHT, RIPEMD_MIX[::-1])):
            a, b, c, d, e = h
            for number, words in enumerate(rounds):
                for word in words[side]:
                    t = a + mixes[number](b, c, d) + block[word] + constants[number] & 0xFFFFFFFF
                    shift = RIPEMD_SHIFTS[number][word]
                    t = (t << shift | t >> 32 - shift) + e & 0xFFFFFFFF
                    a, b, c, d, e = e, t, b, (c << 10 | c >> 22) & 0xFFFFFFFF, d
            lines.append((a, b, c, d, e))
        (a, b, c, d, e), (aa, bb, cc, dd, ee) = lines
        h = tuple(sum & 0xFFFFFFFF for sum in (h[1] + c + dd, h[2] + d + ee, h[3] + e + aa, h[4] + a + bb, h[0] + b + cc))
    return b"".join(word.to_bytes(4, "little") for word in h)


def keccak_constants():
    """Rotations, and round constants by the shift register of the Keccak reference, section 1.2."""
    rotations, x, y = [[0] * 5 for _ in range(5)], 1, 0
    for t in range(24):
        rotations[x][y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    rounds, register = [], 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            constant |= (register & 1) << (1 << j) - 1
            register = register << 1 ^ (register >> 7) * 0x171
        rounds.append(constant)
    return rotations, rounds


ROTATIONS, ROUNDS = keccak_constants()


def keccak256(message):
    """Keccak with rate 136 and the padding from before SHA-3: 0x01 … 0x80."""
    padding = bytearray(136 - len(message) % 136)
    padding[0] |= 0x01
    padding[-1] |= 0x80
    padded, state = message + padding, [[0] * 5 for _ in range(5)]
    for at in range(0, len(padded), 136):
        for i in range(17):
            state[i % 5][i // 5] ^= int.from_bytes(padded[at + 8 * i:at + 8 * i + 8], "little")
        state = keccak_f(state)
    return b"".join(state[i][0].to_bytes(8, "little") for i in range(4))


def keccak_f(a):
    def rotate(lane, by):
        return (lane << by | lane >> 64 - by) & 2**64 - 1

    for constant in ROUNDS:
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        b = [[0] * 5 for _ in range(5)]
        for x in range(5):
            mix = c[x - 1] ^ rotate(c[(x + 1) % 5], 1)
            for y in range(5):
                b[y][(2 * x + 3 * y) % 5] = rotate(a[x][y] ^ mix, ROTATIONS[x][y])
        a = [[b[x][y] ^ ~b[(x + 1) % 5][y] & b[(x + 2) % 5][y] for y in range(5)] for x in range(5)]
        a[0][0] ^= constant
    return a


# ------------------------------------------------------------------------------------ Command line


def main(arguments):
    parser = argparse.ArgumentParser(description="Verifies receipts of Portcullis.")
    parser.add_argument("receipt", nargs="?", metavar="RECEIPT", help="the receipt's file, or - for standard input")
    parser.add_argument("--genesis-digest", metavar="HEX", help="the pinned digest, 64 lower-case hex digits")
    parser.add_argument("--vectors", metavar="FOLDER", help="verify all receipt-*.json of this folder")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    options = parser.parse_args(arguments)
    if options.vectors is not None:
        if options.receipt is not None or options.genesis_digest is not None:
            parser.error("--vectors takes neither a receipt nor a genesis digest")
        return run_vectors(options.vectors, options.json)
    if options.receipt is None or not re.fullmatch("[0-9a-f]{64}", options.genesis_digest or ""):
        parser.error("RECEIPT and --genesis-digest with 64 lower-case hex digits are needed")
    try:
        with open(0 if options.receipt == "-" else options.receipt, "rb") as file:
            bundle = file.read(MAX_RECEIPT + 1)
    except OSError as error:
        parser.error(f"cannot read the receipt: {error.strerror}")
    return run_receipt(bundle, bytes.fromhex(options.genesis_digest), options.json)


def run_receipt(bundle, pinned, as_json):
    try:
        with fault("Unexpected"):
            v = verify(bundle, pinned)
            report = (json.dumps({"holds": True, "shown": shown(v), "more": more(v)}, indent=2) if as_json
                      else "\n".join(story(v)))
    except Refused as refused:
        print(json.dumps({"holds": False, "fault": refused.fault, "reason": refused.reason}) if as_json
              else f"REFUSED: {refused.fault}: {refused.reason}")
        return 1
    print(report)
    return 0


def more(v):
    """What the verifier saw beside the table of receipt.md."""
    says = v.signed.says
    return {
        "network": v.case.genesis.network, "mode": v.case.genesis.mode,
        "origin": v.case.genesis.log.origin, "size": v.checkpoint.size, "root": v.checkpoint.root.hex(),
        "witnesses": len(v.checkpoint.witnesses.vkeys), "cosigned": v.checkpoint.cosigned,
        "quorum": v.checkpoint.witnesses.quorum, "principal": v.act.principal.hex(),
        "submitted_by": v.submitted.index, "factor": factor_id(v.factor.factor).hex(),
        "factor_kind": v.factor.factor.variant,
        "factor_key": getattr(getattr(v.factor.factor, "key", None), "kind", "no key"), "factor_enrolled_by": v.factor.since,
        "back_end": v.relay.principal.hex(), "back_end_factor": factor_id(v.relay.factor).hex(),
        "issuer": v.debit.issuer.hex(), "plan": says.plan.hex(), "wallet": v.signed.wallet.id.hex(),
        "wallet_address": v.signed.wallet.address, "terms": v.signed.planned.terms, "effects": says.effects.hex(),
        "release": describe(v.release, v.receipt.act)}


def describe(p, act_digest):
    body = p.entry.body
    decision = getattr(body.of, "decision", None) if body.variant in ("submission", "settlement") else None
    about = "of this act" if p.act_digest == act_digest else "not of this act itself"
    return f"a {body.variant} {about}" + (f", decision: {decision.variant}" if decision else "")


def story(v):
    s, m = shown(v), more(v)
    confirmed = "no statement here says so" if s["block"] is None else f"in block {s['block']}, says the signer"
    return [
        f"HOLDS: account {s['account']} paid {s['amount']} base units of {s['asset']}",
        f"              to {s['to']}",
        f"genesis       {v.case.pinned.hex()}, as pinned; all {len(v.case.genesis.administrators)} "
        f"administrators signed; network {ascii(m['network'])}, {m['mode']}",
        f"checkpoint    {m['size']} entries of {ascii(m['origin'])}; {m['cosigned']} of {m['witnesses']} witnesses "
        f"cosigned, {m['quorum']} must; newest {moment(s['witnessed_at'])}",
        f"entries       {len(v.case.proven)}, each canonical and included under the checkpoint",
        f"act           {s['act']} by principal {m['principal']}, entry {m['submitted_by']}, "
        f"{moment(v.submitted.time)}",
        f"proven by     {m['factor_kind']} {m['factor']} ({m['factor_key']}), "
        f"enrolled in entry {m['factor_enrolled_by']}",
        f"relayed by    back end {m['back_end']}, factor {m['back_end_factor']}",
        f"debit         ledger entry {s['debit']}, attested by issuer {m['issuer']}",
        *([f"screening     {v.screening.finding}, by the report {v.screening.report.hex()}"] if v.screening else []),
        *([f"travel rule   message {v.travel_rule.message.hex()}"] if v.travel_rule else []),
        *([f"together      {v.principals} principals of the account"] if v.principals > 1 else []),
        f"plan          {m['plan']}: wallet {m['wallet']}, {m['wallet_address']}, {m['terms']}",
        f"transaction   {s['transaction']}, the plan, signed; stated by keeper {s['signer']}",
        f"released by   entry {s['released_by']} ({m['release']}), {moment(s['released_at'])}",
        f"effects       {m['effects']}, as the keeper says; only the whole journal can show it",
        f"confirmed     {confirmed}",
        "not shown     that nothing barred it then, and that the chain has it: receipt.md, \"What it shows\""]


def moment(milliseconds):
    try:
        utc = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=milliseconds)
        return utc.isoformat(timespec="milliseconds") + "Z"
    except OverflowError:
        return f"{milliseconds} ms after 1970"


def run_vectors(folder, as_json):
    results = []
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), "receipt-*.json"))):
        try:
            with open(path, "rb") as file:
                vector = json.loads(file.read(2 * MAX_RECEIPT))
            expected, showing = vector["expect"], vector["shown"]
            bundle, pinned = json.dumps(vector["receipt"]).encode(), bytes.fromhex(vector["genesis"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            expected, found, reason, agrees = None, None, f"unreadable vector ({type(error).__name__})", False
        else:
            found, reason, agrees = run_vector(bundle, pinned, expected, showing)
        results.append({"vector": os.path.basename(path), "expect": expected, "found": found,
                        "reason": reason, "agrees": agrees})
    agree = sum(result["agrees"] for result in results)
    if as_json:
        print(json.dumps({"agree": agree, "disagree": len(results) - agree, "vectors": results}, indent=2))
    else:
        for r in results:
            print(f"{'agree   ' if r['agrees'] else 'DISAGREE'}  {r['vector']}: {r['found']}"
                  + (f" ({r['reason']})" if r["reason"] else "")
                  + ("" if r["agrees"] else f"; the vector expects {ascii(r['expect'])}"))
        print(f"{agree} agree, {len(results) - agree} disagree")
    return 0 if results and agree == len(results) else 1


def run_vector(bundle, pinned, expected, showing):
    try:
        with fault("Unexpected"):
            holds = verify(bundle, pinned)
            found, _ = shown(holds), story(holds)
    except Refused as refused:
        return refused.fault, refused.reason, refused.fault == expected and showing is None
    return "ok", None, expected == "ok" and showing == found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
