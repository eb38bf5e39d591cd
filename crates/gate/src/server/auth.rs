//! Who calls: a request signature by a member of staff, rebuilt from what was received.

use super::nonces::Nonce;
use super::{Api, Problem};
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use portcullis_core::Reason;
use portcullis_core::factor::Factor;
use portcullis_core::id::{FactorId, PrincipalId};
use portcullis_core::realm::Role;
use portcullis_core::request::{self, Received, RequestFault, SignedRequest};
use portcullis_core::state::Facts;
use portcullis_core::state::account::{Member, Owner};

/// A request whose signature holds.
pub(super) struct Caller {
    /// Who signed.
    pub(super) principal: PrincipalId,
    /// By which factor.
    factor: FactorId,
    /// The signature, as evidence.
    pub(super) signed: SignedRequest,
    /// What makes the request count once.
    pub(super) nonce: Nonce,
}

/// What was received, as a signature base with its signature; nothing is checked yet.
fn received(api: &Api, parts: &Parts, body: &Bytes) -> Result<SignedRequest, Problem> {
    let authority = header(&parts.headers, "host").unwrap_or_default();
    if !api.inner.authorities.iter().any(|known| known == authority) {
        let fault = "Host is none of the `authorities` in gate.toml";
        return Err(Problem::at(Reason::RequestInvalid, &fault));
    }
    let received = Received {
        method: parts.method.as_str(),
        authority,
        path: parts.uri.path(),
        query: parts.uri.query(),
        body,
        content_digest: header(&parts.headers, "content-digest"),
        portcullis_act: header(&parts.headers, "portcullis-act"),
        signature_input: header(&parts.headers, "signature-input").ok_or(Reason::RequestMissing)?,
        signature: header(&parts.headers, "signature").ok_or(Reason::RequestMissing)?,
    };
    received.signed_request().map_err(|fault| invalid(&fault))
}

/// Which rule of docs/spec/request.md it breaks: whoever writes a client finds that by nothing else.
fn invalid(fault: &RequestFault) -> Problem {
    Problem::at(Reason::RequestInvalid, fault)
}

/// Check that a member of staff signed the request, freshly.
pub(super) fn staff(api: &Api, parts: &Parts, body: &Bytes) -> Result<Caller, Problem> {
    let signed = received(api, parts, body).inspect_err(|_| api.count_refusal())?;
    check(api, &signed).inspect_err(|_| api.count_refusal())
}

/// Check that a member of staff with one of these roles signed.
pub(super) fn role(
    api: &Api,
    parts: &Parts,
    body: &Bytes,
    roles: &[Role],
) -> Result<Caller, Problem> {
    having(api, parts, body, |member| {
        roles.iter().any(|role| member.has(*role))
    })
}

/// Check that somebody who is staff still signed: whoever has lost every role keeps a factor, and reads
/// nothing by it.
pub(super) fn reader(api: &Api, parts: &Parts, body: &Bytes) -> Result<Caller, Problem> {
    having(api, parts, body, is_reader)
}

/// Whether whoever signed some time ago could still read: the factor stands, and a role is left.
pub(super) fn still_reads(api: &Api, caller: &Caller) -> bool {
    let state = api.shared().state();
    let facts = state.facts();
    standing(facts, caller.factor).is_ok() && facts.member(caller.principal).is_some_and(is_reader)
}

fn is_reader(member: &Member) -> bool {
    !member.roles.is_empty()
}

fn having(
    api: &Api,
    parts: &Parts,
    body: &Bytes,
    may: impl FnOnce(&Member) -> bool,
) -> Result<Caller, Problem> {
    let caller = staff(api, parts, body)?;
    let state = api.shared().state();
    if state.facts().member(caller.principal).is_some_and(may) {
        Ok(caller)
    } else {
        Err(Reason::RoleMissing.into())
    }
}

fn check(api: &Api, signed: &SignedRequest) -> Result<Caller, Problem> {
    let base = request::parse_base(&signed.base).map_err(|fault| invalid(&fault))?;
    let parts = base.parts();
    let id: FactorId = parts.key_id.parse().map_err(|_| Reason::Unauthenticated)?;
    let now = api.now();
    if !request::is_fresh(parts, now) {
        return Err(Reason::RequestStale.into());
    }
    let state = api.shared().state();
    let (principal, factor) = standing(state.facts(), id)?;
    if !factor.available.is_at(now) {
        return Err(Reason::FactorNotYet.into());
    }
    let key = factor.key().ok_or(Reason::RequestInvalid)?;
    request::check(signed, key, &api.shared().memo).map_err(|fault| invalid(&fault))?;
    let (signed, nonce) = (signed.clone(), Nonce::of(parts));
    Ok(Caller {
        principal,
        factor: id,
        signed,
        nonce,
    })
}

/// Whose factor of staff's it is, if it still stands.
fn standing(facts: &Facts, id: FactorId) -> Result<(PrincipalId, &Factor), Reason> {
    let principal = facts.staff_factors.get(&id);
    let principal = *principal.ok_or(Reason::Unauthenticated)?;
    let owner = Owner::Member { principal };
    let factor = facts.factor(owner, id).ok_or(Reason::Unauthenticated)?;
    if facts.is_current(owner, factor.kind, factor.epochs) {
        Ok((principal, factor))
    } else {
        Err(Reason::FactorRevoked)
    }
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    // Two headers of one name could be read as either.
    values.next().is_none().then_some(value)
}
