//! Committing what codes change.

use super::{At, Effect};
use crate::digest::Digest;
use crate::factor::{Factor, FactorKind, Imported, NewFactor};
use crate::id::FactorId;
use crate::state::Facts;
use crate::state::account::Owner;
use crate::state::codes::Waiting;

impl Facts {
    pub(super) fn commit_codes(&mut self, effect: &Effect, at: At) {
        match effect {
            Effect::AwaitCode {
                act,
                owner,
                factor,
                sealed,
            } => {
                let waiting = Waiting {
                    owner: *owner,
                    factor: *factor,
                    time: at.time,
                    sealed: *sealed,
                    is_wrong: false,
                };
                self.codes.begin(*act, waiting);
            }
            Effect::CodeRight(act, step) => self.serve(*act, *step),
            Effect::CodeWrong(act) => self.codes.wrong(*act, at.time),
            Effect::Imported(owner, id) => {
                let factors = self.factors_mut(*owner).into_iter().flatten();
                factors
                    .filter(|factor| factor.id == *id)
                    .for_each(|factor| factor.imported = Imported(true));
            }
            Effect::UseCode(owner, factor, code) => self.codes.use_up(*owner, *factor, *code),
            _ => {}
        }
    }

    /// A step serves once: none up to it serves any more.
    fn serve(&mut self, act: Digest, step: u32) {
        let Some((owner, id)) = self.codes.right(act, step) else {
            return;
        };
        let factors = self.factors_mut(owner).into_iter().flatten();
        factors
            .filter(|factor| factor.id == id)
            .for_each(|factor| factor.counter = factor.counter.max(step));
    }

    /// What a new factor's counter begins at; recovery codes are kept apart.
    pub(super) fn first_counter(&mut self, owner: Owner, new: &NewFactor, at: At) -> u32 {
        match new {
            NewFactor::Totp { .. } => self.codes.first_counter(new.id(), at.time),
            NewFactor::RecoveryCodes { codes } => {
                self.codes.add_recovery(owner, new.id(), codes);
                0
            }
            NewFactor::RequestKey { .. } | NewFactor::Passkey { .. } => 0,
        }
    }

    /// What is kept of a factor that is taken back.
    pub(super) fn forget_codes(&mut self, owner: Owner, id: FactorId) {
        let factor = self.factor(owner, id);
        let served = |factor: &Factor| (factor.kind == FactorKind::Totp).then_some(factor.counter);
        let served = factor.and_then(served);
        self.codes.forget_factor(owner, id, served);
    }
}
