//! Who is to be told, and whether somebody really was.

use super::Model;
use portcullis_core::Digest;
use portcullis_core::act::{Act, ActKind};
use portcullis_core::id::AccountId;
use std::collections::{BTreeMap, BTreeSet};

/// Whose notice an act is.
pub(super) enum Told {
    /// The platform's staff.
    Staff,
    /// Whoever was a contact of the account by then, or is by now; a new one beside them, where the act
    /// brings one.
    Contacts {
        account: AccountId,
        old: BTreeSet<Digest>,
        new: Option<Digest>,
    },
}

#[derive(Default)]
pub(super) struct Contacts {
    in_force: BTreeMap<AccountId, Digest>,
    /// All that another was to take the place of.
    former: BTreeMap<AccountId, BTreeSet<Digest>>,
    /// Who is to hear of each entry with which something waits for the herald's word.
    due: BTreeMap<u64, Told>,
}

impl Model {
    /// With this entry something waits for the herald's word that an act brought: these are to hear of it.
    pub(super) fn note_due(&mut self, entry: u64, act: &Act) {
        let told = match act.account {
            None => Told::Staff,
            Some(account) => self.contacts_of(account, act),
        };
        self.contacts.due.insert(entry, told);
    }

    fn contacts_of(&mut self, account: AccountId, act: &Act) -> Told {
        let contacts = &mut self.contacts;
        let now = contacts.in_force.get(&account).copied();
        let former = contacts.former.entry(account).or_default();
        let (old, new) = match &act.kind {
            ActKind::OpenAccount(open) => (open.contact.into_iter().collect(), None),
            ActKind::ChangeContact(change) => {
                former.extend(now);
                let mut old = former.clone();
                old.remove(&change.contact);
                (old, Some(change.contact))
            }
            ActKind::Recover(_) => (former.iter().copied().chain(now).collect(), None),
            _ => (now.into_iter().collect(), None),
        };
        Told::Contacts { account, old, new }
    }

    pub(super) fn set_contact(&mut self, account: AccountId, contact: Digest) {
        self.contacts.in_force.insert(account, contact);
    }

    /// Of an honest herald's word: a server has really taken the notice, of a change of contact that to an
    /// old one, and that to the new one alone only where all old ones refuse for good.
    pub(super) fn check_really_told(&self, (entry, act): (u64, Digest)) {
        let truth = self.truth.facts();
        let nobody = BTreeSet::new();
        let reached = truth.delivered.get(&entry).unwrap_or(&nobody);
        let bounced = truth.bounced.get(&entry).unwrap_or(&nobody);
        let address = |contact: &Digest| truth.contacts.get(contact);
        let is_reached = |contact: &Digest| address(contact).is_some_and(|a| reached.contains(a));
        let is_gone = |contact: &Digest| address(contact).is_some_and(|a| bounced.contains(a));
        let is_told = match self.contacts.due.get(&entry) {
            None => false,
            Some(Told::Staff) => reached.contains(crate::setting::DUTY),
            Some(Told::Contacts { account, old, new }) => {
                let by_new = new.as_ref().is_some_and(is_reached) && old.iter().all(is_gone);
                // Several entries are looked at together: another contact may be in force by then.
                let now = self
                    .contacts
                    .in_force
                    .get(account)
                    .filter(|_| new.is_none());
                old.iter().chain(now).any(is_reached) || by_new
            }
        };
        let is_lie = truth.lied_about.contains(&act);
        drop(truth);
        if !is_told && !is_lie {
            self.violated("an honest herald says what it has told", act);
        }
    }
}
