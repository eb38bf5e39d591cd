//! Contacts, and the herald's word that a delay waits for.

use super::account::thawed;
use super::approval::is_shut;
use super::authenticate::Actor;
use super::clock::Clock;
use super::{Case, Decided, Verdict, account_of, joint};
use crate::act::{Act, ActKind, ChangeContact, Keys, OpenAccount, Rotate};
use crate::decision::{Decision, Need};
use crate::digest::Digest;
use crate::effect::Effect;
use crate::factor::FactorKind;
use crate::realm::Realm;
use crate::reason::Reason;
use crate::state::State;
use crate::state::account::Account;
use crate::state::release::Held;

/// Where genesis names a herald, a delay begins once it has told of the act (docs/design/037). Three wait for
/// nobody's word: what the roots bring, since a herald that is latched, or lost, is the administrators' to
/// bring back, and they may be lost, too; the herald's own next key, since one without its key says nothing; and
/// the contact that administrators give an account, since nobody may be reached at the one that it has.
pub(super) fn await_told(
    state: &State,
    (digest, act): (Digest, &Act),
    mut decided: Decided,
) -> Decided {
    let refused = matches!(decided.decision, Decision::Refuse { .. });
    let begins = decided.effects.iter().any(Effect::begins_a_delay);
    let is_last_way_out = match &act.kind {
        ActKind::RecoverAdministrators(_) => true,
        ActKind::Rotate(rotate) => is_heralds(state, rotate),
        ActKind::ChangeContact(_) => is_administrators(act),
        _ => false,
    };
    if !refused && begins && !is_last_way_out && state.network.herald().is_some() {
        decided.effects.push(Effect::AwaitTold(digest));
    }
    decided
}

/// Whether a rotation puts another key in the place of the herald's own.
pub(super) fn is_heralds(state: &State, rotate: &Rotate) -> bool {
    let herald = state.network.herald().map(|herald| herald.id);
    matches!(rotate.keys, Keys::Keeper { keeper, .. } if Some(keeper) == herald)
}

/// Whether an act is a contact that administrators give somebody's account (docs/design/054).
pub(super) fn is_administrators(act: &Act) -> bool {
    act.realm == Realm::Staff && matches!(act.kind, ActKind::ChangeContact(_))
}

/// The contact of a new account: with a herald there is one, without one nobody would keep it.
pub(super) fn of_new_account(state: &State, open: &OpenAccount) -> Result<Option<Digest>, Reason> {
    match (state.network.herald(), open.contact) {
        (Some(_), None) => Err(Reason::ContactMissing),
        (None, Some(_)) => Err(Reason::NoHerald),
        (_, contact) => Ok(contact),
    }
}

/// A new contact waits for the account's delay, which its old contacts are told of first.
pub(super) fn judge_change(
    case: &Case<'_>,
    actor: &Actor,
    change: &ChangeContact,
) -> Result<Verdict, Reason> {
    let account = thawed(case)?;
    // A request key sits on a server: whoever has that must not choose who hears of it.
    if actor.strength() < FactorKind::Passkey {
        return Err(Reason::FactorTooWeak);
    }
    check_other(case.state, case.act, account, change)?;
    Ok(Verdict::Wait(vec![Need::Delay], None))
}

/// What administrators change who propose another contact, if it can be carried out on the state as it is.
pub(super) fn carry_out(
    state: &State,
    act: &Act,
    change: &ChangeContact,
) -> Result<Vec<Effect>, Reason> {
    let id = account_of(act)?;
    let account = state.facts.account(id).ok_or(Reason::UnknownAccount)?;
    if account.frozen.is_some() {
        return Err(Reason::AccountFrozen);
    }
    check_other(state, act, account, change)?;
    Ok(vec![Effect::Contact(id, change.contact)])
}

/// It is another contact, and one at a time: of the customer's own, and of the administrators'. Neither of the two
/// keeps the other from being asked for.
fn check_other(
    state: &State,
    act: &Act,
    account: &Account,
    change: &ChangeContact,
) -> Result<(), Reason> {
    if state.network.herald().is_none() {
        return Err(Reason::NoHerald);
    }
    let waits = state.facts.held.values().any(|held| {
        let is_change = matches!(held.act.kind, ActKind::ChangeContact(_));
        let place = (held.act.realm, held.act.account);
        is_change && place == (act.realm, act.account) && held.act != *act
    });
    if waits || account.contact.as_deref() == Some(&change.contact) {
        return Err(Reason::ContactKnown);
    }
    Ok(())
}

/// A freeze, or the loss of the factor that asked, ends it.
pub(super) fn settle_change(
    state: &State,
    held: &Held,
    change: &ChangeContact,
    clock: Clock,
) -> Result<Verdict, Reason> {
    let id = account_of(&held.act)?;
    let account = state.facts.account(id).ok_or(Reason::UnknownAccount)?;
    if account.frozen.is_some() || account.proofs_after > held.entry {
        return Err(Reason::AccountFrozen);
    }
    if !state.facts.stands(&held.proof) {
        return Err(Reason::FactorRevoked);
    }
    let delayed = !clock.has_run(held);
    let shut = is_shut(state, &held.act);
    let beside = joint::beside(state, held);
    let missing = joint::missing(state, held.proof.owner, &held.act, &beside);
    if delayed || shut || missing > 0 {
        let needs = [
            delayed.then_some(Need::Delay),
            shut.then_some(Need::Lift),
            joint::need(missing),
        ];
        let needs = needs.into_iter().flatten().collect();
        return Ok(Verdict::Wait(needs, clock.runs_until(held)));
    }
    Ok(Verdict::Accept(vec![Effect::Contact(id, change.contact)]))
}
