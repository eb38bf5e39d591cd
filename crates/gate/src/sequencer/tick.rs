//! What comes due by itself: held acts whose waiting is over, and fee bumps.

use super::batch::guarded;
use super::{MAX_BATCH, Sequencer};
use crate::fees::outbid;
use portcullis_core::decide::payment::{decode, leaves_room};
use portcullis_core::plan::Plan;
use portcullis_core::state::release::{Release, Stage};
use portcullis_core::{Decision, Digest, Span, State, Time, decide};
use portcullis_journal::Store;

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
        let state = self.shared.state();
        let facts = state.facts();
        let withheld = facts
            .releases
            .iter()
            .filter(|(_, release)| matches!(release.stage, Stage::Withheld(_)));
        let waiting = facts.held.keys().chain(withheld.map(|(digest, _)| digest));
        let time = facts.time.max(now);
        let is_over = |digest: &&Digest| {
            // An act that makes the core panic stays held; it must not take the gate with it.
            let decided = guarded(|| decide::settle(&state, **digest, time));
            decided.is_ok_and(|decided| !matches!(decided.decision(), Decision::Hold { .. }))
        };
        waiting.filter(is_over).take(MAX_BATCH).copied().collect()
    }

    /// Higher fees for releases that are signed and stay unconfirmed.
    pub(super) fn bumps(&mut self, now: Time) -> Vec<(Digest, Plan)> {
        if now.since(self.last_bump) < BUMP {
            return Vec::new();
        }
        self.last_bump = now;
        let state = self.shared.state();
        let releases = state.facts().releases.iter();
        let due = releases
            .filter_map(|(digest, release)| Some((*digest, self.bumped(&state, release, now)?)));
        due.take(MAX_BATCH).collect()
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
