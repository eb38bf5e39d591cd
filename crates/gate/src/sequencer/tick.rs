//! What comes due by itself: held acts whose waiting is over, and fee bumps.

use super::{MAX_BATCH, Sequencer};
use crate::fees::outbid;
use portcullis_chains::ethereum::Fees;
use portcullis_core::decide::payment::decode;
use portcullis_core::plan::Plan;
use portcullis_core::state::release::{Release, Stage, Withheld};
use portcullis_core::{Decision, Digest, Span, State, Time, decide};
use portcullis_journal::Store;

/// How often held acts are looked at.
const TICK: Span = Span(100);
/// How often fees are looked at.
const BUMP: Span = Span::seconds(5);

impl<S: Store> Sequencer<S> {
    /// Held acts and late releases that can be settled now, at most a batch of them.
    pub(super) fn due(&mut self, now: Time) -> Vec<Digest> {
        if now.since(self.last_tick) < TICK && now >= self.last_tick {
            return Vec::new();
        }
        self.last_tick = now;
        let waiting: Vec<Digest> = {
            let state = self.shared.state();
            let facts = state.facts();
            let late = facts
                .releases
                .iter()
                .filter(|(_, release)| release.stage == Stage::Withheld(Withheld::Late));
            let late = late.map(|(digest, _)| digest);
            facts.held.keys().chain(late).copied().collect()
        };
        let is_over = |digest: &Digest| {
            // An act that makes the core panic stays held; it must not take the gate with it.
            let decided = self.shared.guarded(|state| {
                let time = state.facts().time.max(now);
                decide::settle(state, *digest, time)
            });
            decided.is_ok_and(|decided| !matches!(decided.decision(), Decision::Hold { .. }))
        };
        waiting
            .into_iter()
            .filter(is_over)
            .take(MAX_BATCH)
            .collect()
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
        let going = Fees::new(rate.max_fee_per_gas, rate.max_priority_fee_per_gas, gas).ok()?;
        let fees = outbid(&transfer.fees(), &going, gas)?;
        let ceiling = state.network().wallet(newest.wallet)?.fee_ceiling;
        (fees.ceiling() <= ceiling).then(|| Plan {
            wallet: newest.wallet,
            unsigned: transfer.with_fees(fees).build().to_bytes(),
        })
    }
}
