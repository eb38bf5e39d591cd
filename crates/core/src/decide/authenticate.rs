//! Who asks, and which factor proves it.
//!
//! [`FactorVerified`] has no public constructor: whoever holds one has checked a signature over this
//! very act by a factor that is enrolled, of the present epochs, and (unless the act only takes
//! away) past its delay.

use super::{Case, code, joint, link};
use crate::act::ActKind;
use crate::code::Code;
use crate::codec::encode;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::factor::{Factor, FactorKind, factor_id};
use crate::id::{FactorId, PrincipalId};
use crate::passkey::{self, Assertion, Credential, PasskeyFault};
use crate::realm::{Realm, Role};
use crate::reason::Reason;
use crate::request::{self, Parts, ReadRequest, RequestFault};
use crate::state::account::{Owner, Proof};
use crate::state::joint::Together;
use crate::state::release::Held;
use crate::time::Time;

/// The evidence of who asks, checked piece by piece.
pub(crate) struct Asking {
    /// The acting principal's place in state.
    pub(crate) owner: Owner,
    /// The acting principal's own proofs.
    proofs: Vec<FactorVerified>,
    /// Those of the account's other principals, where the act takes several.
    beside: Vec<FactorVerified>,
    /// The members of staff that relay a customer's act.
    pub(crate) relays: Vec<PrincipalId>,
    /// The TOTP factor whose code came with the act, for the herald to judge.
    claimed: Option<Proof>,
    /// Whether a link in a notice is what asks.
    by_link: bool,
}

/// Who asks, proven; or claimed, where the herald is to judge a code.
pub(crate) struct Actor {
    /// The acting principal's place in state.
    pub(crate) owner: Owner,
    /// The proof that state keeps: the strongest factor.
    pub(crate) proof: Proof,
    /// Who stands beside it.
    pub(crate) beside: Together,
    /// The signatures of all proofs, its own and those beside: each proves an act once.
    pub(crate) signatures: Vec<Digest>,
    /// The members of staff that relay a customer's act.
    pub(crate) relays: Vec<PrincipalId>,
    /// Counters that rose.
    pub(crate) counters: Vec<Effect>,
    /// Whether it proves nothing before the herald has judged its code.
    pub(crate) awaits_code: bool,
    /// Whether it is the herald, by a link in a notice: for the one account and act that the link is for.
    pub(crate) by_link: bool,
}

impl Actor {
    /// Whoever asked for an act that has waited.
    pub(super) fn of_held(held: &Held) -> Self {
        Self {
            owner: held.proof.owner,
            proof: held.proof,
            beside: Together::default(),
            signatures: Vec::new(),
            relays: Vec::new(),
            counters: Vec::new(),
            awaits_code: false,
            by_link: false,
        }
    }

    /// The strength of the acting principal's proof.
    pub(crate) fn strength(&self) -> FactorKind {
        self.proof.kind
    }
}

/// A factor that proved this act.
struct FactorVerified {
    owner: Owner,
    factor: FactorId,
    kind: FactorKind,
    proof: Proof,
    /// The passkey's counter, where it rose.
    rose_to: Option<u32>,
}

/// Find the acting principal and check that a factor of its own proves the act.
pub(crate) fn authenticate(case: &Case<'_>, at: Time) -> Result<Actor, Reason> {
    check_evidence(case, at)?
        .proven()
        .ok_or(Reason::FactorMissing)
}

/// Find the acting principal and check every piece of evidence. One bad piece refuses the act: a
/// client that sends evidence that does not hold has something to hide or to mend.
pub(crate) fn check_evidence(case: &Case<'_>, at: Time) -> Result<Asking, Reason> {
    let owner = acting(case)?;
    let (mut proofs, mut beside, mut relays) = (Vec::new(), Vec::new(), Vec::new());
    for request in case.requests {
        let verified = check_request(case, owner, request, at)?;
        match verified.owner {
            own if own == owner => proofs.push(verified),
            Owner::Holder { .. } => beside.push(verified),
            Owner::Member { principal } => relays.push(principal),
        }
    }
    for assertion in &case.evidence.assertions {
        let verified = check_assertion(case, owner, assertion)?;
        if verified.owner == owner {
            proofs.push(verified);
        } else {
            beside.push(verified);
        }
    }
    let mut claimed = None;
    if let Some(code) = &case.evidence.code {
        // One proof at a time: what a code adds to another nobody could say.
        if !proofs.is_empty() {
            return Err(Reason::CodeOutOfPlace);
        }
        let factor = code::check(case, owner, code, &relays)?;
        let signature = Digest::plain(&encode(code));
        let shown = verified(case, owner, factor, signature, None);
        match code {
            Code::Totp { .. } => claimed = Some(shown.proof),
            Code::Recovery { .. } => proofs.push(shown),
        }
    }
    let by_link = match &case.evidence.link {
        Some(signature) => {
            let factor = link::check(case, owner, signature)?;
            let signature = Digest::plain(signature.as_bytes());
            proofs.push(verified(case, owner, factor, signature, None));
            true
        }
        None => false,
    };
    Ok(Asking {
        owner,
        proofs,
        beside,
        relays,
        claimed,
        by_link,
    })
}

impl Asking {
    /// Whoever asks, where a factor of its own says so.
    pub(crate) fn proven(self) -> Option<Actor> {
        let (signatures, counters, beside) = (self.signatures(), self.counters(), self.beside());
        let Self {
            owner,
            proofs,
            relays,
            claimed,
            by_link,
            ..
        } = self;
        let strongest = proofs.iter().max_by_key(|proof| proof.kind);
        let proof = strongest.map(|proven| proven.proof).or(claimed)?;
        Some(Actor {
            owner,
            proof,
            beside,
            signatures,
            relays,
            counters,
            awaits_code: proofs.is_empty(),
            by_link,
        })
    }

    /// The signatures of all proofs.
    pub(crate) fn signatures(&self) -> Vec<Digest> {
        let proofs = self.proofs.iter().chain(&self.beside);
        let signatures = proofs.map(|verified| verified.proof.signature);
        let claim = self.claimed.map(|claimed| claimed.signature);
        signatures.chain(claim).collect()
    }

    /// Counters that rose.
    pub(crate) fn counters(&self) -> Vec<Effect> {
        let proofs = self.proofs.iter().chain(&self.beside);
        proofs.filter_map(counter_effect).collect()
    }

    /// Who stands beside the acting principal.
    pub(crate) fn beside(&self) -> Together {
        self.beside.iter().map(|verified| verified.proof).collect()
    }

    /// Whoever asks, as if the strongest of its factors that count had said so.
    pub(crate) fn supposed(self, case: &Case<'_>) -> Result<Actor, Reason> {
        let factors = case.state.facts.factors(self.owner).iter();
        let several = joint::takes_several(case.state, self.owner, case.act);
        let counting = factors.filter(|factor| {
            let is_key = factor.key().is_some();
            let serves = code::serves(factor.kind, &case.act.kind) && (is_key || !several);
            serves && check_counts(case, self.owner, factor).is_ok()
        });
        let strongest = counting.max_by_key(|factor| factor.kind);
        let factor = strongest.ok_or(Reason::FactorMissing)?;
        let unsigned = Digest::plain(&[]);
        let supposed = verified(case, self.owner, factor, unsigned, None);
        let asking = if factor.kind == FactorKind::Totp {
            let claimed = Some(supposed.proof);
            Self { claimed, ..self }
        } else {
            let proofs = vec![supposed];
            Self { proofs, ..self }
        };
        asking.proven().ok_or(Reason::FactorMissing)
    }

    /// Whether the acting principal itself signed a request or an assertion.
    pub(crate) fn is_proven(&self) -> bool {
        !self.proofs.is_empty()
    }

    /// Whether it did, or brought a code that the herald is to judge.
    pub(crate) fn has_asked(&self) -> bool {
        self.is_proven() || self.claimed.is_some()
    }
}

fn counter_effect(verified: &FactorVerified) -> Option<Effect> {
    let counter = verified.rose_to?;
    Some(Effect::Counter(verified.owner, verified.factor, counter))
}

/// The acting principal's place in state, in the realm that the act names.
fn acting(case: &Case<'_>) -> Result<Owner, Reason> {
    let facts = &case.state.facts;
    let (act, principal) = (case.act, case.act.principal);
    let member = facts.member(principal).is_some();
    let account = act.account.map(|id| (id, facts.account(id)));
    let holder = account.is_some_and(|(_, a)| a.is_some_and(|a| a.holder(principal).is_some()));
    match act.realm {
        Realm::Customers if member => Err(Reason::WrongRealm),
        Realm::Staff if holder => Err(Reason::WrongRealm),
        Realm::Customers => {
            let (account, known) = account.ok_or(Reason::UnknownAccount)?;
            known.ok_or(Reason::UnknownAccount)?;
            if !holder {
                return Err(Reason::UnknownPrincipal);
            }
            Ok(Owner::Holder { account, principal })
        }
        Realm::Staff if !member => Err(Reason::UnknownPrincipal),
        Realm::Staff => Ok(Owner::Member { principal }),
    }
}

/// A request signature is the acting principal's own, or a member of staff's who relays the act.
fn check_request(
    case: &Case<'_>,
    owner: Owner,
    read: &Result<ReadRequest, RequestFault>,
    at: Time,
) -> Result<FactorVerified, Reason> {
    let read = read.as_ref().map_err(|_| Reason::RequestInvalid)?;
    let base = read.parts();
    let id = read.factor().ok_or(Reason::RequestInvalid)?;
    if base.act != Some(case.digest.0) {
        return Err(Reason::RequestForAnotherAct);
    }
    check_fresh(base, at)?;
    let (owner, factor) = find(case, owner, id).ok_or(Reason::FactorUnknown)?;
    let is_trial = case.on_trial && base.tries_out(&case.digest.0);
    if !is_trial && !base.asks_for(&case.digest.0, owner.realm()) {
        return Err(Reason::RequestInvalid);
    }
    if factor.kind != FactorKind::RequestKey {
        return Err(Reason::FactorUnknown);
    }
    check_counts(case, owner, factor)?;
    let key = factor.key().ok_or(Reason::FactorUnknown)?;
    let holds = read.holds(key, case.verify);
    holds.map_err(|_| Reason::RequestInvalid)?;
    Ok(verified(case, owner, factor, read.signature(), None))
}

/// A request counts for five minutes from its signing, and not past its own expiry.
pub(crate) fn check_fresh(base: &Parts, at: Time) -> Result<(), Reason> {
    if request::is_fresh(base, at) {
        Ok(())
    } else {
        Err(Reason::RequestStale)
    }
}

/// An assertion is the acting principal's own, or another principal's of the same account.
fn check_assertion(
    case: &Case<'_>,
    owner: Owner,
    assertion: &Assertion,
) -> Result<FactorVerified, Reason> {
    let id = factor_id(&assertion.credential.0);
    let (owner, factor) = of_account(case, owner, id).ok_or(Reason::FactorUnknown)?;
    if factor.kind != FactorKind::Passkey {
        return Err(Reason::FactorUnknown);
    }
    check_counts(case, owner, factor)?;
    let party = case.state.network.relying_party(owner.realm());
    let party = party.ok_or(Reason::PasskeyRelyingParty)?;
    let credential = Credential {
        key: factor.key().ok_or(Reason::FactorUnknown)?,
        counter: counter_to_pass(case, factor),
    };
    let challenge = passkey::challenge_for(&case.digest.0);
    let checked = passkey::check(assertion, &credential, party, &challenge, case.verify);
    let counter = checked.map_err(PasskeyFault::reason)?.counter();
    Ok(verified(
        case,
        owner,
        factor,
        Digest::plain(assertion.signature.as_bytes()),
        Some(counter).filter(|counter| *counter > factor.counter),
    ))
}

/// What only takes away counts whatever the authenticator has signed since: whoever keeps the journal
/// could otherwise let a later act of the same passkey in first, and the stop would be over
/// (docs/design/015).
fn counter_to_pass(case: &Case<'_>, factor: &Factor) -> u32 {
    if case.act.kind.is_restricting() {
        0
    } else {
        factor.counter
    }
}

/// The factor with this id: the acting principal's, or that of another principal of the account, where the
/// act takes several of them.
fn of_account<'a>(case: &Case<'a>, owner: Owner, id: FactorId) -> Option<(Owner, &'a Factor)> {
    let facts = &case.state.facts;
    if let Some(factor) = facts.factor(owner, id) {
        return Some((owner, factor));
    }
    let mut others = joint::others(case.state, owner, case.act);
    others.find_map(|other| Some((other, facts.factor(other, id)?)))
}

/// The factor with this id: one of the account's, or else a member of staff's.
fn find<'a>(case: &Case<'a>, owner: Owner, id: FactorId) -> Option<(Owner, &'a Factor)> {
    if let Some(found) = of_account(case, owner, id) {
        return Some(found);
    }
    let facts = &case.state.facts;
    let principal = *facts.staff_factors.get(&id)?;
    let relay = Owner::Member { principal };
    facts.factor(relay, id).map(|factor| (relay, factor))
}

/// The factor is of the present epochs, and its delay has run. A factor that is still waiting may
/// freeze and cancel: it only takes away what its holder's older factors can give back.
pub(super) fn check_counts(case: &Case<'_>, owner: Owner, factor: &Factor) -> Result<(), Reason> {
    if !case
        .state
        .facts
        .is_current(owner, factor.kind, factor.epochs)
    {
        return Err(Reason::FactorRevoked);
    }
    let harmless = matches!(
        case.act.kind,
        ActKind::Freeze | ActKind::Cancel(_) | ActKind::CancelAddress(_) | ActKind::Veto(_)
    );
    if !harmless && !factor.available.is_at(case.time) {
        return Err(Reason::FactorNotYet);
    }
    Ok(())
}

fn verified(
    case: &Case<'_>,
    owner: Owner,
    factor: &Factor,
    signature: Digest,
    rose_to: Option<u32>,
) -> FactorVerified {
    let entry = case.state.size();
    let (kind, epochs) = (factor.kind, factor.epochs);
    let proof = Proof {
        owner,
        factor: factor.id,
        kind,
        epochs,
        entry,
        signature,
    };
    FactorVerified {
        owner,
        factor: factor.id,
        kind,
        proof,
        rose_to,
    }
}

/// Whether a principal of staff has a role.
pub(crate) fn has_role(case: &Case<'_>, principal: PrincipalId, role: Role) -> bool {
    case.state
        .facts
        .member(principal)
        .is_some_and(|member| member.has(role))
}
