//! What comes due by itself: held acts whose waiting is over, and fee bumps.

use super::{MAX_BATCH, Sequencer};
use crate::fees::outbid;
use portcullis_core::decide::Decided;
use portcullis_core::decide::payment::{Spend, decode, leaves_room, mandate};
use portcullis_core::plan::Plan;
use portcullis_core::state::release::{Release, Stage};
use portcullis_core::{Decision, Digest, Span, State, Time};
use portcullis_journal::Store;
use std::collections::BTreeMap;

/// How often held acts are looked at.
const TICK: Span = Span(100);
/// How often fees are looked at.
const BUMP: Span = Span::seconds(5);

impl<S: Store> Sequencer<S> {
    /// Held acts and withheld releases that can be settled now, at most a batch of them.
    pub(super) fn due(&mut self, now: Time) -> Vec<Digest> {
        if now.since(self.last_tick) < TICK && now >= self.last_tick {
            return Vec::new();
        }
        self.last_tick = now;
        let mut due = self.settled(now);
        due.extend(self.withheld(now));
        due.truncate(MAX_BATCH);
        due
    }

    /// Held acts that came due and wait no more.
    fn settled(&mut self, now: Time) -> Vec<Digest> {
        let mut over = Vec::new();
        for digest in self.waiting.take(now, MAX_BATCH) {
            // An act that makes the core panic stays held; it must not take the gate with it.
            let decided = self.shared.settle(digest, now);
            match decided.as_ref().map(Decided::decision) {
                Ok(Decision::Hold { needs, until }) => {
                    let state = self.shared.state();
                    self.waiting.wait(&state, digest, (needs, *until), now);
                }
                Ok(_) => {
                    self.waiting.again(digest, now);
                    over.push(digest);
                }
                Err(_) => self.waiting.again(digest, now),
            }
        }
        over
    }

    /// Withheld releases that go out again by themselves, or are given up.
    fn withheld(&self, now: Time) -> Vec<Digest> {
        let withheld: Vec<Digest> = {
            let state = self.shared.state();
            let releases = state.facts().releases.iter();
            let withheld = releases.filter(|(_, r)| matches!(r.stage, Stage::Withheld(_)));
            withheld.map(|(digest, _)| *digest).collect()
        };
        let is_over = |digest: &Digest| {
            let decided = self.shared.settle(*digest, now);
            decided.is_ok_and(|decided| !matches!(decided.decision(), Decision::Hold { .. }))
        };
        let over = withheld.into_iter().filter(is_over);
        over.take(MAX_BATCH).collect()
    }

    /// Higher fees for releases that are signed and stay unconfirmed, and a later end for mandates that expired
    /// before they were signed.
    pub(super) fn bumps(&mut self, now: Time) -> Vec<(Digest, Plan)> {
        if now.since(self.last_bump) < BUMP {
            return Vec::new();
        }
        self.last_bump = now;
        let state = self.shared.state();
        self.fees.coins.note(&state);
        let lowest = lowest_open(&state).into_iter();
        let due = lowest
            .filter_map(|(digest, release)| Some((digest, self.bumped(&state, release, now)?)));
        due.chain(expired_mandates(&state, now))
            .chain(self.bumped_batches(&state, now))
            .take(MAX_BATCH)
            .collect()
    }

    /// Higher fees for batches that are signed and stay unconfirmed, by their leaders.
    fn bumped_batches(&self, state: &State, now: Time) -> impl Iterator<Item = (Digest, Plan)> {
        let batches = state.facts().batches.iter().flatten();
        batches.filter_map(move |(leader, batch)| {
            let plan = state.facts().signable(*leader)?;
            let release = state.facts().releases.get(leader)?;
            let wallet = state.network().wallet(batch.wallet)?;
            let after = self.fees.coins.bump_after(wallet)?;
            let is_due = release.is_signed(plan.digest()) && now.since(release.time) >= after;
            let spend = Spend::again(state, *leader).filter(|_| is_due)?;
            Some((*leader, self.fees.coins.plan(&spend)?))
        })
    }

    fn bumped(&self, state: &State, release: &Release, now: Time) -> Option<Plan> {
        let newest = release.plans.last()?;
        if release.stage != Stage::Released || !release.is_signed(newest.digest()) {
            return None;
        }
        let transfer = decode(newest).ok()?;
        let rate = self.fees.rate(transfer.chain())?;
        if now.since(release.time) < Span(rate.bump_after) {
            return None;
        }
        let gas = transfer.fees().gas_limit();
        let going = rate.going(gas)?;
        let ceiling = state.network().wallet(newest.wallet)?.fee_ceiling;
        let fees = outbid(&transfer.fees(), &going, gas, ceiling)?;
        // A payment leaves room for the void that may have to take its place.
        let is_void = release.is_void_plan(newest.digest());
        let fits = fees.ceiling() <= ceiling && (is_void || leaves_room(&fees, ceiling));
        fits.then(|| Plan {
            wallet: newest.wallet,
            unsigned: transfer.with_fees(fees).build().to_bytes(),
        })
    }
}

/// Mandates that expired before their signer came to sign them, as they would be from now on.
fn expired_mandates(state: &State, now: Time) -> impl Iterator<Item = (Digest, Plan)> {
    let releases = state.facts().releases.iter();
    let released = releases.filter(|(_, release)| release.stage == Stage::Released);
    released.filter_map(move |(digest, release)| {
        let newest = release.plans.last()?;
        let holds = state.network().wallet(newest.wallet)?.mandate?;
        let fresh = mandate::freshened(holds, newest, now).ok()?;
        Some((*digest, fresh))
    })
}

/// Each wallet's release with the lowest open nonce. No later one can be mined before it, so outbidding
/// those would only raise what the whole queue pays.
fn lowest_open(state: &State) -> Vec<(Digest, &Release)> {
    let mut lowest = BTreeMap::new();
    for (digest, release) in &state.facts().releases {
        let Some(newest) = release.plans.last() else {
            continue;
        };
        let Ok(transfer) = decode(newest) else {
            continue;
        };
        let found = (transfer.nonce(), *digest, release);
        let known = lowest.entry(newest.wallet).or_insert(found);
        if found.0 < known.0 {
            *known = found;
        }
    }
    let releases = lowest.into_values();
    releases
        .map(|(_, digest, release)| (digest, release))
        .collect()
}
