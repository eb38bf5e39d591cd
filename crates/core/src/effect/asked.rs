//! Committing what withdrawals look like.

use super::At;
use crate::behaviour::{Asked, Company};
use crate::digest::Digest;
use crate::id::AccountId;
use crate::state::Facts;

impl Facts {
    /// Counted from now on; and one that waits keeps what it looked like.
    pub(super) fn commit_asked(&mut self, act: &Digest, asked: &Asked, company: &Company, at: At) {
        self.behaviour.get_or_insert_default().note(asked, at.time);
        if let Some(held) = self.held.get_mut(act) {
            held.company = Some(Box::new(*company));
        }
    }

    /// A new account's first contact is no change.
    pub(super) fn note_contact(&mut self, id: AccountId, at: At) {
        let is_first = self
            .account(id)
            .is_none_or(|account| account.opened == at.index);
        if !is_first {
            let behaviour = self.behaviour.get_or_insert_default();
            behaviour.note_contact(&id.0, at.time);
        }
    }
}
