//! Committing what vendors attest.

use super::Effect;
use crate::state::Facts;

impl Facts {
    pub(super) fn commit_attested(&mut self, effect: &Effect) {
        match effect {
            Effect::UseUp(issuer, id) => {
                let used = self.attested.get_or_insert_default();
                used.insert((*issuer, *id));
            }
            Effect::Said(act, said) => {
                if let Some(held) = self.held.get_mut(act) {
                    held.said = Some(*said);
                }
            }
            _ => {}
        }
    }
}
