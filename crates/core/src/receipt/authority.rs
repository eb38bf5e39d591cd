//! Who stands behind a receipt's act: the customer's factor, the back end, the address book, the ledger.

use super::ReceiptFault;
use super::principals::Roll;
use super::proven::{Brought, Case, Submitted};
use crate::act::ActKind;
use crate::code::{Code, is_recovery_proof, recovery_digest};
use crate::decide::authenticate::check_fresh;
use crate::digest::Digest;
use crate::evidence::{Attestation, Claim};
use crate::factor::{NewFactor, factor_id};
use crate::genesis::Member;
use crate::id::{AccountId, IssuerId, LedgerEntryId, PrincipalId};
use crate::passkey::{self, Credential};
use crate::realm::{Realm, Role};
use crate::state::said::Said;
use crate::statement::Says;
use crate::time::Time;
use portcullis_chains::caip::Address;
use std::collections::BTreeSet;

/// A factor of the account's holder proves the act, and those of as many more principals as its quorum
/// takes, and a back end relayed it. Gives how many principals prove it.
pub(super) fn check_asked(
    case: &Case<'_>,
    asked: &Submitted<'_>,
    account: AccountId,
    until: u64,
) -> Result<u32, ReceiptFault> {
    let behind = Roll::of(case, account).behind(case, asked, until);
    let principals = behind.ok_or(ReceiptFault::Factor)?;
    if !is_relayed(case, asked.digest, until) {
        return Err(ReceiptFault::Relay);
    }
    Ok(principals)
}

/// The account's holder put the address into the book before the act was asked for.
pub(super) fn check_address(
    case: &Case<'_>,
    account: AccountId,
    to: Address,
    before: u64,
) -> Result<(), ReceiptFault> {
    let adds = |s: &Submitted<'_>| {
        let act = &s.submission.act;
        let names = matches!(&act.kind, ActKind::AddAddress(add) if add.address == to);
        let took = case.took_effect(s).filter(|at| *at < before);
        act.account == Some(account)
            && names
            && took.is_some_and(|at| check_asked(case, s, account, at).is_ok())
    };
    if case.submissions().any(|submitted| adds(&submitted)) {
        Ok(())
    } else {
        Err(ReceiptFault::Address)
    }
}

/// The one ledger entry that paid. Two that differ contradict each other.
pub(super) fn debit(case: &Case<'_>, act: Digest, until: u64) -> Option<LedgerEntryId> {
    let debit = |claim| match claim {
        Claim::LedgerDebit { entry } => Some(entry),
        _ => None,
    };
    let mut entries = claims(case, act, until).filter_map(|(_, claim)| debit(claim));
    let first = entries.next()?;
    entries.all(|entry| entry == first).then_some(first)
}

/// What vendors had said of the act, as it counted when each word was brought.
pub(super) fn said(case: &Case<'_>, act: Digest, until: u64) -> Said {
    let mut said = Said::default();
    for (time, attestation) in attested(case, act, until) {
        let statement = &attestation.statement;
        said.hear(&Said::of(&statement.claim, statement.expires), time);
    }
    said
}

/// A factor of a principal, which counts in entries behind `since`.
#[derive(Clone, Copy)]
pub(super) struct Established<'a> {
    pub(super) principal: PrincipalId,
    pub(super) factor: &'a NewFactor,
    pub(super) since: u64,
}

/// Every factor of a member of staff: those of genesis, those that came with a granted role, and those
/// enrolled by an older one of the same member or on onboarding's word.
fn staff_factors<'a>(case: &Case<'a>) -> Vec<Established<'a>> {
    let mut known: Vec<Established<'_>> = members(case)
        .flat_map(|member| member.factors.iter().map(|f| (member.principal, f)))
        .map(|(principal, factor)| Established {
            principal,
            factor,
            since: 0,
        })
        .collect();
    known.extend(case.in_force.recovered().flat_map(|new| {
        let each = new.members.iter();
        let factors = each.flat_map(|(who, factors)| factors.iter().map(|f| (*who, f)));
        factors.map(|(principal, factor)| Established {
            principal,
            factor,
            since: new.since,
        })
    }));
    for s in case.submissions() {
        match &s.submission.act.kind {
            ActKind::GrantRole(grant) => {
                let since = granted_by(case, &s);
                let new = grant.factor.as_ref().zip(since);
                known.extend(new.map(|(factor, since)| Established {
                    principal: grant.principal,
                    factor,
                    since,
                }));
            }
            ActKind::EnrolFactor(enrol) if s.submission.act.account.is_none() => {
                known.extend(established(
                    case,
                    &known,
                    &s,
                    enrol.principal,
                    &enrol.factor,
                ));
            }
            _ => {}
        }
    }
    known
}

/// The factor that an enrolment or a recovery adds, if somebody stands behind it who may: an older factor
/// of the same principal, and else for an enrolment onboarding, for a recovery an identity vendor or
/// two members with role support.
pub(super) fn established<'a>(
    case: &Case<'_>,
    known: &[Established<'_>],
    s: &Submitted<'_>,
    principal: PrincipalId,
    factor: &'a NewFactor,
) -> Option<Established<'a>> {
    let since = case.took_effect(s)?;
    let act = &s.submission.act;
    let mut older = known.iter().filter(|older| older.principal == principal);
    let recovers = matches!(act.kind, ActKind::Recover(_));
    let by_itself = act.principal == principal
        && older.any(|older| {
            proves(case, older, act.realm, s.digest, since)
                || (recovers && proves_by_recovery_code(case, older, s))
        });
    let says = |claim| claims(case, s.digest, since).any(|(_, said)| said == claim);
    let stands = by_itself
        || match &act.kind {
            ActKind::Recover(_) => says(Claim::Identity) || support_stands_behind(case, s, since),
            _ => says(Claim::Onboarding),
        };
    stands.then_some(Established {
        principal,
        factor,
        since,
    })
}

/// Two different members with role support: whoever brought the recovery, and whoever approved it.
fn support_stands_behind(case: &Case<'_>, s: &Submitted<'_>, until: u64) -> bool {
    let factors = factors_with(case, Role::Support);
    let acts = submissions_for(case, s);
    let behind = acts.filter(|own| {
        let act = &own.submission.act;
        let mut mine = factors.iter().filter(|f| f.principal == act.principal);
        mine.any(|factor| proves(case, factor, Realm::Staff, own.digest, until))
    });
    let members: BTreeSet<PrincipalId> = behind.map(|own| own.submission.act.principal).collect();
    members.len() >= 2
}

/// The act itself, and the approvals of it; each once, however often it was submitted.
fn submissions_for<'a>(
    case: &Case<'a>,
    s: &Submitted<'_>,
) -> impl Iterator<Item = Submitted<'a>> + use<'a> {
    let of = s.digest;
    let about = move |own: &Submitted<'_>| {
        let kind = &own.submission.act.kind;
        own.digest == of || matches!(kind, ActKind::Approve(approve) if approve.act == of)
    };
    let mut seen = BTreeSet::new();
    let all = case.submissions().filter(about);
    let all: Vec<Submitted<'a>> = all.filter(|own| seen.insert(own.digest)).collect();
    all.into_iter()
}

fn members<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Member> {
    let genesis = case.network.genesis();
    genesis.administrators.iter().chain(&genesis.staff)
}

/// A back end relayed the act: one of genesis, or one that a quorum of administrators appointed.
fn is_relayed(case: &Case<'_>, act: Digest, until: u64) -> bool {
    let factors = factors_with(case, Role::BackEnd);
    let mut factors = factors.iter();
    factors.any(|known| proves(case, known, Realm::Staff, act, until))
}

/// The factors of staff that has a role, each behind the later of its own entry and the role's.
fn factors_with<'a>(case: &Case<'a>, role: Role) -> Vec<Established<'a>> {
    let appointed = having(case, role);
    let factors = staff_factors(case).into_iter();
    let as_such = factors.flat_map(|known| {
        let roles = appointed
            .iter()
            .filter(move |(who, _)| *who == known.principal);
        roles.map(move |(_, since)| Established {
            since: known.since.max(*since),
            ..known
        })
    });
    as_such.collect()
}

/// Who has a role, each from behind which entry on.
fn having(case: &Case<'_>, role: Role) -> Vec<(PrincipalId, u64)> {
    let named = members(case).filter(|member| member.roles.contains(&role));
    let named = named.map(|member| (member.principal, 0));
    let granted = case
        .submissions()
        .filter_map(|s| match &s.submission.act.kind {
            ActKind::GrantRole(grant) if grant.role == role => {
                Some((grant.principal, granted_by(case, &s)?))
            }
            _ => None,
        });
    named.chain(granted).collect()
}

/// The entry by which a grant took effect, if a quorum stood behind it by then.
fn granted_by(case: &Case<'_>, grant: &Submitted<'_>) -> Option<u64> {
    let effective = case.took_effect(grant)?;
    quorum_stands_behind(case, grant, effective).then_some(effective)
}

/// Whether a quorum of the administrators of then stood behind an act: its proposer, and those whose
/// approvals are in the receipt. Members count, never signatures.
pub(super) fn quorum_stands_behind(case: &Case<'_>, s: &Submitted<'_>, effective: u64) -> bool {
    let Some(administrators) = case.in_force.administrators(effective) else {
        return false;
    };
    let since = administrators.since;
    let stands_behind = |(principal, factors): &&(PrincipalId, &[NewFactor])| {
        let principal = *principal;
        let mut own =
            submissions_for(case, s).filter(|own| own.submission.act.principal == principal);
        own.any(|own| {
            factors.iter().any(|factor| {
                let known = Established {
                    principal,
                    factor,
                    since,
                };
                proves(case, &known, Realm::Staff, own.digest, effective)
            })
        })
    };
    let members = administrators.members.iter().filter(stands_behind).count();
    u32::try_from(members).is_ok_and(|members| members >= administrators.quorum)
}

/// Whether a quorum of the roots of then attested an act when it was submitted. Roots count, never
/// signatures.
pub(super) fn roots_stand_behind(case: &Case<'_>, s: &Submitted<'_>) -> bool {
    let said = claims(case, s.digest, s.index).filter(|(_, claim)| *claim == Claim::Root);
    let roots: BTreeSet<IssuerId> = said.map(|(issuer, _)| issuer).collect();
    let quorum = case.in_force.roots(s.index).map(|roots| roots.quorum);
    let count = u32::try_from(roots.len()).unwrap_or(u32::MAX);
    quorum.is_some_and(|quorum| quorum > 0 && count >= quorum)
}

/// Whether evidence for the act, brought while the factor counted, is this factor's.
pub(super) fn proves(
    case: &Case<'_>,
    known: &Established<'_>,
    realm: Realm,
    act: Digest,
    until: u64,
) -> bool {
    let counts = |brought: &Brought<'_>| brought.index > known.since;
    let mut evidence = case.evidence_for(act, until).filter(counts);
    evidence.any(|brought| match known.factor {
        NewFactor::Passkey { .. } => is_asserted(case, known.factor, realm, act, &brought),
        NewFactor::RequestKey { .. } => is_requested(case, known.factor, realm, act, &brought),
        // Codes prove little, each by a way of its own.
        NewFactor::Totp { .. } | NewFactor::RecoveryCodes { .. } => false,
    })
}

/// Whether a TOTP code came with the act and the herald has said, before the entry that let it go, that it
/// is this factor's.
pub(super) fn proves_by_code(
    case: &Case<'_>,
    known: &Established<'_>,
    asked: &Submitted<'_>,
    until: u64,
) -> bool {
    let id = known.factor.id();
    let is_of = |code: &Code| matches!(code, Code::Totp { factor, .. } if *factor == id);
    let came = asked.submission.evidence.code.as_ref().is_some_and(is_of);
    let is_totp = matches!(known.factor, NewFactor::Totp { .. });
    let herald = case.network.herald().map(|herald| herald.id);
    let mut said = super::signed::statements(case).filter(|(index, said)| {
        (asked.index..until).contains(index) && Some(said.keeper) == herald
    });
    is_totp
        && came
        && asked.index > known.since
        && said.any(|(_, said)| {
            matches!(said.says, Says::CodeRight { act, factor, .. }
                if (act, factor) == (asked.digest, id))
        })
}

/// Whether one of the factor's recovery codes signed the act that it came with.
fn proves_by_recovery_code(
    case: &Case<'_>,
    known: &Established<'_>,
    asked: &Submitted<'_>,
) -> bool {
    let (NewFactor::RecoveryCodes { codes }, Some(Code::Recovery { key, signature, .. })) =
        (known.factor, &asked.submission.evidence.code)
    else {
        return false;
    };
    asked.index > known.since
        && codes.contains(&recovery_digest(key))
        && is_recovery_proof(asked.digest, key, signature, case.verify)
}

fn is_asserted(
    case: &Case<'_>,
    factor: &NewFactor,
    realm: Realm,
    act: Digest,
    brought: &Brought<'_>,
) -> bool {
    let (Some(party), Some(key)) = (case.network.relying_party(realm), factor.key()) else {
        return false;
    };
    let credential = Credential { key, counter: 0 };
    let challenge = passkey::challenge_for(&act.0);
    brought.evidence.assertions.iter().any(|assertion| {
        factor_id(&assertion.credential.0) == factor.id()
            && passkey::check(assertion, &credential, party, &challenge, case.verify).is_ok()
    })
}

fn is_requested(
    case: &Case<'_>,
    factor: &NewFactor,
    realm: Realm,
    act: Digest,
    brought: &Brought<'_>,
) -> bool {
    let Some(key) = factor.key() else {
        return false;
    };
    let id = factor.id();
    // Its signature last, which costs the most: no other factor's.
    brought.evidence.requests.iter().any(|signed| {
        signed.read().is_ok_and(|read| {
            let parts = read.parts();
            read.factor() == Some(id)
                && parts.asks_for(&act.0, realm)
                && check_fresh(parts, brought.time).is_ok()
                && read.holds(key, case.verify).is_ok()
        })
    })
}

/// What is attested of an act up to an entry, and by whom.
fn claims(case: &Case<'_>, act: Digest, until: u64) -> impl Iterator<Item = (IssuerId, Claim)> {
    let attested = attested(case, act, until);
    attested.map(|(_, attestation)| (attestation.statement.issuer, attestation.statement.claim))
}

/// What is attested of an act up to an entry, and when that was brought: by an issuer or a root that was
/// in force, and not expired, then.
fn attested<'a>(
    case: &'a Case<'_>,
    act: Digest,
    until: u64,
) -> impl Iterator<Item = (Time, &'a Attestation)> {
    let brought = case.evidence_for(act, until);
    brought.flat_map(move |brought| {
        let all = brought.evidence.attestations.iter();
        all.filter(|attestation| is_attested(case, attestation, act, &brought))
            .map(|attestation| (brought.time, attestation))
            .collect::<Vec<_>>()
    })
}

fn is_attested(
    case: &Case<'_>,
    attestation: &Attestation,
    act: Digest,
    brought: &Brought<'_>,
) -> bool {
    let statement = &attestation.statement;
    let key = if let Some(kind) = statement.claim.issuer() {
        let issuer = case.in_force.issuer(statement.issuer, kind, brought.index);
        issuer.map(|issuer| &issuer.key)
    } else {
        let roots = case.in_force.roots(brought.index);
        roots.and_then(|roots| roots.key(statement.issuer))
    };
    let bytes = statement.signed_bytes();
    statement.act == act
        && brought.time < statement.expires
        && key.is_some_and(|key| case.verify.verify(key, &bytes, &attestation.signature))
}
