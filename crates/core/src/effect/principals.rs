//! Committing who may act for an account, and how many of them together.

use super::{At, Effect};
use crate::few::Few;
use crate::state::account::{Holder, Owner};
use crate::state::joint::Quorum;
use crate::state::{Awaiting, Facts};

impl Facts {
    pub(super) fn commit_principals(&mut self, effect: &Effect, at: At) {
        match effect {
            Effect::AddPrincipal(owner) => self.add_principal(*owner, at),
            Effect::RemovePrincipal(owner) => self.remove_principal(*owner),
            Effect::SetAccountQuorum(id, quorum) => {
                if let (Some(account), Some(quorum)) =
                    (self.accounts.get_mut(id), Quorum::new(*quorum))
                {
                    account.quorum = quorum;
                }
            }
            Effect::Jointly(digest, behind) => {
                if let Some(release) = self.releases.get_mut(digest) {
                    let asked = release.proof.owner.principal();
                    release.beside = behind.without(asked);
                }
            }
            _ => {}
        }
    }

    fn add_principal(&mut self, owner: Owner, at: At) {
        let Owner::Holder { account, principal } = owner else {
            return;
        };
        let Some(account) = self.accounts.get_mut(&account) else {
            return;
        };
        account.holders.push(Holder {
            principal,
            factors: Few::default(),
        });
        let opened = account.opened;
        self.count_holder(opened);
        self.awaiting
            .push_back(at.awaits(Awaiting::Principal(owner)));
    }

    fn remove_principal(&mut self, owner: Owner) {
        self.uncount_holder(owner);
        if let Owner::Holder { account, principal } = owner
            && let Some(account) = self.accounts.get_mut(&account)
        {
            account
                .holders
                .retain(|holder| holder.principal != principal);
        }
    }
}
