//! Keepers' statements: whether they fit the journal, and what follows.

use super::code;
use super::payment::spend;
use crate::act::ActKind;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::genesis::{KeeperKind, Wallet};
use crate::id::KeeperId;
use crate::mandate;
use crate::signature::Verify;
use crate::state::State;
use crate::state::batch::{CoinId, transaction_id};
use crate::state::release::{End, Release, SignedPlan};
use crate::statement::Says;
use portcullis_chains::ethereum::SignedTx;

/// Most caps in one statement.
const MAX_CAPS: usize = 256;

/// What follows from a statement, or nothing where it contradicts the journal.
pub(crate) fn judge(
    state: &State,
    keeper: KeeperId,
    says: &Says,
    verify: &dyn Verify,
) -> Option<Vec<Effect>> {
    match says {
        Says::Caps { caps, number } => {
            (caps.len() <= MAX_CAPS).then(|| vec![Effect::Caps(keeper, caps.clone(), *number)])
        }
        Says::Signed {
            act,
            entry,
            effects,
            plan,
            transaction,
        } => {
            let mine = mine(state, keeper, *act)?;
            let release = mine.release;
            // Its own decision came to the same effects: otherwise the two have diverged.
            let agrees = release.entry != *entry || release.effects == *effects;
            let hash = agrees.then(|| signed_plan(state, &mine, *plan, transaction, verify))??;
            let signed = SignedPlan {
                plan: *plan,
                transaction: hash,
            };
            let mut effects = vec![Effect::Signed(*act, signed)];
            // A mandate is out once it is in the journal, and no chain is watched for it: that is the end. What
            // was given up by one has never been permitted.
            if mine.wallet.mandate.is_some() {
                effects.extend(ended(state, release, *act, signed));
            }
            Some(effects)
        }
        Says::Confirmed {
            act, transaction, ..
        } => confirmed(state, keeper, *act, *transaction),
        Says::Reverted {
            act, transaction, ..
        } => {
            let Mine { release, wallet } = mine(state, keeper, *act)?;
            signed_as(release, *transaction)?;
            // What coins pay is in a block as a whole, or not at all.
            let returned = || returned(state, release, *act);
            wallet.bitcoin.is_none().then(returned)
        }
        Says::Stopped { suspension } => {
            state.facts.suspensions.get(suspension)?;
            Some(vec![Effect::Stopped(keeper, *suspension)])
        }
        Says::Latched { latch, condition } => {
            Some(vec![Effect::Latched(keeper, *latch, *condition)])
        }
        Says::Told { act, entry } => {
            let herald = state.network.herald()?;
            let counts = herald.id == keeper && state.facts.untold.is_of(*entry, *act);
            counts.then(|| vec![Effect::Told(*entry)])
        }
        Says::CodeRight { act, factor, step } => {
            code::judge_right(state, keeper, (*act, *factor), *step)
        }
        Says::CodeWrong { act, factor } => code::judge_wrong(state, keeper, (*act, *factor)),
        Says::Declined { act, shared } => declined(state, keeper, *act, *shared),
    }
}

/// Everything ends that the transaction's plan stands or falls with.
fn confirmed(
    state: &State,
    keeper: KeeperId,
    act: Digest,
    transaction: Digest,
) -> Option<Vec<Effect>> {
    let signed = signed_as(mine(state, keeper, act)?.release, transaction)?;
    let facts = &state.facts;
    let together = facts.together_with(act).into_iter();
    let releases = together.filter_map(|one| Some((one, facts.releases.get(&one)?)));
    let ended = releases.flat_map(|(one, release)| ended(state, release, one, signed));
    Some(ended.collect())
}

/// Nothing of a batch was signed and nothing will be: all of it returns. Whoever holds the wallet's keys says so, and
/// what a chain does afterwards changes nothing of it.
fn declined(state: &State, keeper: KeeperId, act: Digest, shared: CoinId) -> Option<Vec<Effect>> {
    let facts = &state.facts;
    let is_unsigned = mine(state, keeper, act)?.release.signed.is_empty();
    let is_of = is_unsigned && facts.batch_of(act)?.shared == shared;
    let together = facts.together_with(act).into_iter();
    let releases = together.filter_map(|one| Some((one, facts.releases.get(&one)?)));
    let effects = releases.flat_map(|(one, release)| returned(state, release, one));
    is_of.then(|| effects.collect())
}

/// How a release ended with this plan, for good: it was paid, or given up.
fn ended(state: &State, release: &Release, act: Digest, signed: SignedPlan) -> Vec<Effect> {
    if state.facts.is_void_plan(act, signed.plan) {
        return returned(state, release, act);
    }
    let end = End::Confirmed(signed.transaction);
    vec![Effect::End(act, end, Some(release.account))]
}

/// Nothing moved and nothing can any more: it counts no longer as having left.
fn returned(state: &State, release: &Release, act: Digest) -> Vec<Effect> {
    let mut effects = vec![Effect::End(act, End::Returned, Some(release.account))];
    let first = state.facts.plans_of(act).first();
    if let (ActKind::Withdraw(withdraw), Some(plan)) = (&release.act.kind, first) {
        effects.push(Effect::Uncharge {
            wallet: plan.wallet,
            asset: withdraw.asset,
            amount: withdraw.amount,
            charged: release.planned,
        });
    }
    effects
}

/// A release, and the wallet that pays it.
struct Mine<'a> {
    release: &'a Release,
    wallet: &'a Wallet,
}

/// The release, if this signer holds its wallet's key. One of a batch goes by its leader.
fn mine(state: &State, keeper: KeeperId, act: Digest) -> Option<Mine<'_>> {
    let release = state.facts.releases.get(&act)?;
    let wallet = state.network.wallet(release.plans.first()?.wallet)?;
    let is_signer = state.network.keeper(keeper)?.kind == KeeperKind::Signer;
    let leads = release.leader.is_none_or(|leader| leader == act);
    (is_signer && leads && wallet.keeper == keeper).then_some(Mine { release, wallet })
}

/// The transaction is exactly a plan of the release, signed by the wallet, or the mandate by its signer: its hash.
fn signed_plan(
    state: &State,
    Mine { release, wallet }: &Mine<'_>,
    plan: Digest,
    transaction: &[u8],
    verify: &dyn Verify,
) -> Option<Digest> {
    let plan = release
        .plans
        .iter()
        .find(|candidate| candidate.digest() == plan)?;
    if wallet.mandate.is_some() {
        let keeper = state.keeper(wallet.keeper)?;
        return mandate::signed(plan, transaction, &keeper.key, verify);
    }
    if wallet.bitcoin.is_some() {
        let claimed = spend::decode(wallet, plan).ok()?;
        // Signatures are no part of the id: it is the plan's.
        let is_spend = verify.is_spend_of(&claimed, transaction);
        return is_spend.then(|| transaction_id(claimed.txid()));
    }
    let signed = SignedTx::from_bytes(transaction).ok()?;
    let address = wallet.address.evm()?;
    let exact = signed.unsigned().to_bytes() == plan.unsigned;
    let by_wallet = verify.is_signed_by(&signed, address);
    (exact && by_wallet).then(|| Digest(signed.hash()))
}

fn signed_as(release: &Release, transaction: Digest) -> Option<SignedPlan> {
    let mut signed = release.signed.iter();
    signed
        .find(|signed| signed.transaction == transaction)
        .copied()
}

/// Whether a statement says something that state does not know yet, so that a keeper's repetitions
/// do not grow the journal, nor anybody who sends again what a keeper said once.
pub(crate) fn is_news(state: &State, keeper: KeeperId, says: &Says) -> bool {
    match says {
        Says::Caps { number, .. } => {
            let known = state.facts.caps.get(&keeper);
            known.is_none_or(|known| *number > known.number)
        }
        Says::Signed { act, plan, .. } => state
            .facts
            .releases
            .get(act)
            .is_some_and(|release| !release.is_signed(*plan)),
        Says::Confirmed { .. } | Says::Reverted { .. } | Says::Declined { .. } => true,
        Says::Stopped { suspension } => {
            let known = state.facts.suspensions.get(suspension);
            known.is_some_and(|suspension| !suspension.stopped.contains(&keeper))
        }
        Says::Latched { latch, .. } => {
            let facts = &state.facts;
            let place = (keeper, *latch);
            !facts.latches.contains_key(&place) && !facts.cleared_latches.contains(&place)
        }
        Says::Told { entry, .. } => state.facts.untold.waits(*entry),
        Says::CodeRight { act, .. } | Says::CodeWrong { act, .. } => {
            state.facts.codes.open(*act).is_some()
        }
    }
}
