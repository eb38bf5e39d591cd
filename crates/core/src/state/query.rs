//! Questions to state that decisions ask.

use super::account::{Account, Member, Owner, Proof};
use super::release::{Release, Stage};
use super::{Facts, State};
use crate::act::{Scope, Withdraw};
use crate::digest::Digest;
use crate::factor::{Epochs, Factor, FactorKind};
use crate::few::Few;
use crate::genesis::Wallet;
use crate::id::{AccountId, AttestationId, FactorId, IssuerId, PrincipalId};
use crate::policy::{Policy, Rate};
use crate::realm::{Realm, Role};
use crate::time::Time;
use portcullis_chains::Amount;
use portcullis_chains::caip::AssetId;

impl Facts {
    /// An account.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id).map(Box::as_ref)
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        let own = self.policy.as_deref();
        own.unwrap_or_else(|| Policy::default_of_core())
    }

    /// The newest of the checkpoints' times. Looks at a day of them: to be asked seldom.
    pub(crate) fn newest_checkpoint(&self) -> Time {
        self.checkpoints.values().max().copied().unwrap_or_default()
    }

    /// The last rate of an asset, however old.
    #[must_use]
    pub fn rate(&self, asset: AssetId) -> Option<&Rate> {
        self.rates.as_ref()?.get(&asset)
    }

    /// What an amount counts for by a rate that is not too old; nothing where there is none.
    #[must_use]
    pub fn worth(&self, asset: AssetId, amount: Amount, now: Time) -> Option<Amount> {
        let rules = self.policy().rates.as_ref()?;
        let rate = self.rate(asset)?;
        let is_fresh = now.since(rate.time) <= rules.max_age;
        is_fresh.then(|| rules.worth(amount, rate)).flatten()
    }

    /// Whether an issuer's id of what it attested has served.
    #[must_use]
    pub fn is_used_up(&self, issuer: IssuerId, id: AttestationId) -> bool {
        let used = self.attested.as_ref();
        used.is_some_and(|used| used.contains(&(issuer, id)))
    }

    /// A member of staff.
    #[must_use]
    pub fn member(&self, id: PrincipalId) -> Option<&Member> {
        self.staff.get(&id)
    }

    /// An owner's factors.
    #[must_use]
    pub fn factors(&self, owner: Owner) -> &[Factor] {
        let factors = match owner {
            Owner::Holder { account, principal } => {
                let holder = self
                    .accounts
                    .get(&account)
                    .and_then(|a| a.holder(principal));
                holder.map(|holder| &holder.factors)
            }
            Owner::Member { principal } => self.staff.get(&principal).map(|member| &member.factors),
        };
        factors.map_or(&[], |factors| factors)
    }

    /// One factor.
    #[must_use]
    pub fn factor(&self, owner: Owner, id: FactorId) -> Option<&Factor> {
        self.factors(owner).iter().find(|factor| factor.id == id)
    }

    /// Whether somebody is the holder of an account. Looks at all of them: to be asked seldom.
    pub(crate) fn is_holder(&self, principal: PrincipalId) -> bool {
        let mut accounts = self.accounts.values();
        accounts.any(|account| account.holder(principal).is_some())
    }

    /// Whether a holder of an account has the factor. Looks at all of them: to be asked seldom.
    pub(crate) fn is_holders_factor(&self, id: FactorId) -> bool {
        let holders = self.accounts.values().flat_map(|account| &account.holders);
        let mut factors = holders.flat_map(|holder| &holder.factors);
        factors.any(|factor| factor.id == id)
    }

    pub(crate) fn factors_mut(&mut self, owner: Owner) -> Option<&mut Few<Factor>> {
        match owner {
            Owner::Holder { account, principal } => {
                let holders = &mut self.accounts.get_mut(&account)?.holders;
                let holder = holders
                    .iter_mut()
                    .find(|holder| holder.principal == principal);
                holder.map(|holder| &mut holder.factors)
            }
            Owner::Member { principal } => self
                .staff
                .get_mut(&principal)
                .map(|member| &mut member.factors),
        }
    }

    /// The epochs that a factor enrolled now would be under.
    #[must_use]
    pub fn epochs(&self, realm: Realm, kind: FactorKind) -> Epochs {
        let of = |kind| self.epochs.get(&(realm, kind)).copied().unwrap_or(0);
        Epochs {
            realm: of(None),
            kind: of(Some(kind)),
        }
    }

    /// Whether a factor's epochs still stand. A keeper's key is genesis' own and under no epoch:
    /// raising one must not silence those who may stop.
    #[must_use]
    pub fn is_current(&self, owner: Owner, kind: FactorKind, epochs: Epochs) -> bool {
        let keeper = matches!(owner, Owner::Member { principal }
            if self.member(principal).is_some_and(|member| member.has(Role::Keeper)));
        keeper || self.epochs(owner.realm(), kind) == epochs
    }

    /// Whether somebody has a factor so strong, or a stronger one, whether its delay has run or not.
    #[must_use]
    pub fn has_factor(&self, owner: Owner, least: FactorKind) -> bool {
        let mut factors = self.factors(owner).iter();
        factors.any(|factor| {
            factor.kind >= least && self.is_current(owner, factor.kind, factor.epochs)
        })
    }

    /// Whether the proof of a held act or of a release still counts.
    #[must_use]
    pub fn stands(&self, proof: &Proof) -> bool {
        let factor = self.factor(proof.owner, proof.factor);
        let enrolled = factor.is_some_and(|factor| factor.enrolled <= proof.entry);
        let thawed = match proof.owner {
            Owner::Holder { account, .. } => self
                .accounts
                .get(&account)
                .is_some_and(|a| proof.entry >= a.proofs_after),
            Owner::Member { .. } => true,
        };
        enrolled && thawed && self.is_current(proof.owner, proof.kind, proof.epochs)
    }

    /// Whether any key of the owner counts, now or after its delay. Codes enrol nothing, so whoever has only
    /// those left comes back like somebody who has nothing.
    #[must_use]
    pub fn has_factor_left(&self, owner: Owner) -> bool {
        let mut keys = self.factors(owner).iter().filter(|f| f.key().is_some());
        keys.any(|key| self.is_current(owner, key.kind, key.epochs))
    }

    /// Administrators who could still act if the given thing were gone.
    pub(crate) fn administrators_left(
        &self,
        counts: impl Fn(PrincipalId, &Factor) -> bool,
    ) -> usize {
        let administrators = self
            .staff
            .iter()
            .filter(|(_, member)| member.has(Role::Administrator));
        let able = administrators.filter(|(id, member)| {
            member.factors.iter().any(|factor| {
                let owner = Owner::Member { principal: **id };
                self.is_current(owner, factor.kind, factor.epochs) && counts(**id, factor)
            })
        });
        able.count()
    }

    /// Whether a suspension in force shuts this.
    #[must_use]
    pub fn is_suspended(&self, what: Reach) -> bool {
        self.suspensions
            .values()
            .any(|suspension| what.is_in(suspension.scope))
    }

    /// Releases on their way that a stop can still catch: whether signed bytes have reached a chain
    /// is known to the signer alone. A release that was given up by signed bytes pays nobody, and
    /// what stops payments leaves it alone.
    pub(crate) fn releases_under_way(&self) -> impl Iterator<Item = (&Digest, &Release)> {
        self.releases.iter().filter(|(digest, release)| {
            let pays = release.voided_by.is_none() || self.unsigned.contains(digest);
            release.stage == Stage::Released && pays
        })
    }
}

impl State {
    /// The wallet that pays an asset: the first of genesis on the asset's chain.
    #[must_use]
    pub fn wallet_for(&self, asset: AssetId) -> Option<&Wallet> {
        let genesis = self.network.genesis();
        if !genesis.assets.contains(&asset) {
            return None;
        }
        genesis
            .wallets
            .iter()
            .find(|wallet| wallet.address.chain() == asset.chain())
    }
}

impl Owner {
    /// The realm.
    #[must_use]
    pub fn realm(self) -> Realm {
        match self {
            Self::Holder { .. } => Realm::Customers,
            Self::Member { .. } => Realm::Staff,
        }
    }
}

/// What an act touches, to be held against a suspension's scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The realm of whoever asks.
    pub realm: Realm,
    /// The account, if any.
    pub account: Option<AccountId>,
    /// The asset, where it is a withdrawal.
    pub withdraws: Option<AssetId>,
}

impl Reach {
    /// That of a withdrawal.
    #[must_use]
    pub fn of_withdrawal(account: AccountId, withdraw: &Withdraw) -> Self {
        Self {
            realm: Realm::Customers,
            account: Some(account),
            withdraws: Some(withdraw.asset),
        }
    }

    /// Whether the scope takes it in.
    #[must_use]
    pub fn is_in(self, scope: Scope) -> bool {
        match scope {
            Scope::Everything => true,
            Scope::Withdrawals => self.withdraws.is_some(),
            Scope::Asset(asset) => self.withdraws == Some(asset),
            Scope::Realm(realm) => self.realm == realm,
            Scope::Account(account) => self.account == Some(account),
        }
    }
}
