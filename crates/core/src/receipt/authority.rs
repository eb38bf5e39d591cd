//! Who stands behind a receipt's act: the customer's factor, the back end, the address book, the ledger.

use super::ReceiptFault;
use super::proven::{Brought, Case, Submitted};
use crate::act::ActKind;
use crate::decide::authenticate::check_fresh;
use crate::digest::Digest;
use crate::evidence::{Attestation, Claim};
use crate::factor::{NewFactor, factor_id};
use crate::genesis::{IssuerKind, Member};
use crate::id::{AccountId, LedgerEntryId, PrincipalId};
use crate::passkey::{self, Credential};
use crate::realm::{Realm, Role};
use crate::request;
use crate::time::Time;
use portcullis_chains::caip::Address;

/// A factor of the account's holder proves the act, and a back end relayed it.
pub(super) fn check_asked(
    case: &Case<'_>,
    asked: &Submitted<'_>,
    account: AccountId,
    until: u64,
) -> Result<(), ReceiptFault> {
    if !is_proven_by_holder(case, asked, account, until) {
        return Err(ReceiptFault::Factor);
    }
    if !is_relayed(case, asked.digest, until) {
        return Err(ReceiptFault::Relay);
    }
    Ok(())
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
    let mut entries = case.evidence_for(act, until).flat_map(|brought| {
        let time = brought.time;
        let all = brought.evidence.attestations.iter();
        all.filter_map(move |attestation| match attestation.statement.claim {
            Claim::LedgerDebit { entry } => {
                is_attested(case, attestation, IssuerKind::Ledger, act, time).then_some(entry)
            }
            Claim::Onboarding | Claim::Identity | Claim::Root => None,
        })
    });
    let first = entries.next()?;
    entries.all(|entry| entry == first).then_some(first)
}

/// A factor of a principal, which counts in entries behind `since`.
struct Established<'a> {
    principal: PrincipalId,
    factor: &'a NewFactor,
    since: u64,
}

fn is_proven_by_holder(
    case: &Case<'_>,
    asked: &Submitted<'_>,
    account: AccountId,
    until: u64,
) -> bool {
    let act = &asked.submission.act;
    let factors = holders_factors(case, act.principal, account);
    let is_customers = act.realm == Realm::Customers;
    is_customers
        && factors
            .iter()
            .any(|own| proves(case, own, Realm::Customers, asked.digest, until))
}

/// The holder's factors, in the order of the journal: the first by the opening that onboarding attests;
/// each later one by an older one of them, or by onboarding again.
fn holders_factors<'a>(
    case: &Case<'a>,
    holder: PrincipalId,
    account: AccountId,
) -> Vec<Established<'a>> {
    let mut known: Vec<Established<'_>> = Vec::new();
    let of_account = |s: &Submitted<'_>| s.submission.act.account == Some(account);
    for s in case.submissions().filter(of_account) {
        let factor = match &s.submission.act.kind {
            ActKind::OpenAccount(open) if open.principal == holder => &open.factor,
            ActKind::EnrolFactor(enrol) if enrol.principal == holder => &enrol.factor,
            _ => continue,
        };
        known.extend(established(case, &known, &s, holder, factor));
    }
    known
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

/// The factor that an enrolment adds, if an older one of the same principal or onboarding stands behind.
fn established<'a>(
    case: &Case<'_>,
    known: &[Established<'_>],
    s: &Submitted<'_>,
    principal: PrincipalId,
    factor: &'a NewFactor,
) -> Option<Established<'a>> {
    let since = case.took_effect(s)?;
    let act = &s.submission.act;
    let mut older = known.iter().filter(|older| older.principal == principal);
    let by_itself = act.principal == principal
        && older.any(|older| proves(case, older, act.realm, s.digest, since));
    (by_itself || is_onboarded(case, s, since)).then_some(Established {
        principal,
        factor,
        since,
    })
}

fn members<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Member> {
    let genesis = case.network.genesis();
    genesis.administrators.iter().chain(&genesis.staff)
}

/// A back end relayed the act: one of genesis, or one that a quorum of genesis' administrators
/// appointed.
fn is_relayed(case: &Case<'_>, act: Digest, until: u64) -> bool {
    let factors = staff_factors(case);
    let appointed = back_ends(case);
    factors.iter().any(|known| {
        let mut roles = appointed.iter().filter(|(who, _)| *who == known.principal);
        roles.any(|(_, since)| {
            let as_back_end = Established {
                since: known.since.max(*since),
                ..*known
            };
            proves(case, &as_back_end, Realm::Staff, act, until)
        })
    })
}

/// Who is a back end, each from behind which entry on.
fn back_ends(case: &Case<'_>) -> Vec<(PrincipalId, u64)> {
    let named = members(case).filter(|member| member.roles.contains(&Role::BackEnd));
    let named = named.map(|member| (member.principal, 0));
    let granted = case
        .submissions()
        .filter_map(|s| match &s.submission.act.kind {
            ActKind::GrantRole(grant) if grant.role == Role::BackEnd => {
                Some((grant.principal, granted_by(case, &s)?))
            }
            _ => None,
        });
    named.chain(granted).collect()
}

/// The entry by which a grant took effect, if a quorum of genesis' administrators stood behind it by
/// then: its proposer, and those whose approvals are in the receipt. Members count, never signatures.
fn granted_by(case: &Case<'_>, grant: &Submitted<'_>) -> Option<u64> {
    let effective = case.took_effect(grant)?;
    let genesis = case.network.genesis();
    let stands_behind = |administrator: &&Member| {
        let mut own = case.submissions().filter(|s| {
            let act = &s.submission.act;
            let approves =
                matches!(&act.kind, ActKind::Approve(approve) if approve.act == grant.digest);
            act.principal == administrator.principal && (approves || s.digest == grant.digest)
        });
        own.any(|s| {
            administrator.factors.iter().any(|factor| {
                let known = Established {
                    principal: administrator.principal,
                    factor,
                    since: 0,
                };
                proves(case, &known, Realm::Staff, s.digest, effective)
            })
        })
    };
    let members = genesis.administrators.iter().filter(stands_behind).count();
    let is_quorum = u32::try_from(members).is_ok_and(|members| members >= genesis.quorum);
    is_quorum.then_some(effective)
}

/// Whether evidence for the act, brought while the factor counted, is this factor's.
fn proves(case: &Case<'_>, known: &Established<'_>, realm: Realm, act: Digest, until: u64) -> bool {
    let counts = |brought: &Brought<'_>| brought.index > known.since;
    let mut evidence = case.evidence_for(act, until).filter(counts);
    evidence.any(|brought| match known.factor {
        NewFactor::Passkey { .. } => is_asserted(case, known.factor, realm, act, &brought),
        NewFactor::RequestKey { .. } => is_requested(case, known.factor, realm, act, &brought),
    })
}

fn is_asserted(
    case: &Case<'_>,
    factor: &NewFactor,
    realm: Realm,
    act: Digest,
    brought: &Brought<'_>,
) -> bool {
    let Some(party) = case.network.relying_party(realm) else {
        return false;
    };
    let credential = Credential {
        key: factor.key(),
        counter: 0,
    };
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
    brought.evidence.requests.iter().any(|signed| {
        request::check(signed, factor.key(), case.verify).is_ok_and(|checked| {
            let parts = checked.parts();
            parts.asks_for(&act.0, realm)
                && parts.key_id == factor.id().to_string()
                && check_fresh(parts, brought.time).is_ok()
        })
    })
}

fn is_onboarded(case: &Case<'_>, s: &Submitted<'_>, until: u64) -> bool {
    let mut evidence = case.evidence_for(s.digest, until);
    evidence.any(|brought| {
        brought.evidence.attestations.iter().any(|attestation| {
            attestation.statement.claim == Claim::Onboarding
                && is_attested(
                    case,
                    attestation,
                    IssuerKind::Onboarding,
                    s.digest,
                    brought.time,
                )
        })
    })
}

/// Whether an issuer of that kind said so, and it had not expired when it was journaled.
fn is_attested(
    case: &Case<'_>,
    attestation: &Attestation,
    kind: IssuerKind,
    act: Digest,
    time: Time,
) -> bool {
    let statement = &attestation.statement;
    let Some(issuer) = case.network.issuer(statement.issuer, kind) else {
        return false;
    };
    let bytes = statement.signed_bytes();
    statement.act == act
        && time < statement.expires
        && case
            .verify
            .verify(&issuer.key, &bytes, &attestation.signature)
}
