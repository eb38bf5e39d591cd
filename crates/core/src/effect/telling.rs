//! What the herald's word does: the delay that an act began runs from it.

use super::{At, Effect};
use crate::state::{Awaiting, Facts};
use crate::time::Time;

impl Effect {
    /// Whether a delay begins with it.
    #[must_use]
    pub fn begins_a_delay(&self) -> bool {
        matches!(
            self,
            Self::Enrol { .. } | Self::AddAddress(..) | Self::Hold { delay: Some(_), .. }
        )
    }
}

impl Facts {
    pub(super) fn commit_telling(&mut self, effect: &Effect, at: At) {
        match effect {
            // The last effect of its entry: what that began has been noted already.
            Effect::AwaitTold(act) => {
                let begun = self.awaiting.iter().rev();
                let begun = begun.take_while(|begun| begun.entry == at.index);
                let what = begun.map(|begun| begun.what.clone());
                // A principal waits for nothing itself; its factor does.
                let what = what.filter(|what| !matches!(what, Awaiting::Principal(_)));
                let what = what.collect();
                self.untold.insert(at.index, *act, what);
            }
            Effect::Told(entry) => {
                self.untold.told(*entry);
                self.awaiting.push_back(at.awaits(Awaiting::Told(*entry)));
            }
            Effect::Contact(account, contact) => {
                if let Some(account) = self.accounts.get_mut(account) {
                    account.contact = Some(Box::new(*contact));
                }
                self.note_contact(*account, at);
            }
            _ => {}
        }
    }

    /// The word itself is cosigned: the delay runs from the later of the two.
    pub(super) fn start_told(&mut self, entry: u64, newest: Time) {
        let Some(row) = self.untold.take(entry) else {
            return;
        };
        // The word stands behind its act in the journal, so a checkpoint that has it has both.
        let from = row.cosigned.map_or(newest, |cosigned| cosigned.max(newest));
        for what in &row.what {
            self.start(entry, what, from);
        }
    }
}
