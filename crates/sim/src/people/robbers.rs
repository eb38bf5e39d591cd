//! What is tried against policy, recoveries and rotations: with keys that count no more, on too few people's
//! word, or against what has changed meanwhile.

use super::customers::Size;
use super::{People, Theft};
use crate::keyring::Heard;
use crate::setting::{self, SUPPORTERS};
use portcullis_client::Issuer;
use portcullis_core::act::{ActKind, Approve, Keys, Roots, Veto};
use portcullis_core::codec::encode;
use portcullis_core::report::Report;
use portcullis_core::statement::{Says, SignedStatement, Statement};
use portcullis_core::{Digest, Evidence, State};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;
use std::time::Duration;

impl People {
    /// Somebody tries it, if there is anything to try it with.
    pub(super) fn rob(&mut self, theft: Theft, state: &State) -> Option<bool> {
        match theft {
            Theft::BadRates => {
                let kind = self.bad_rates(state)?;
                Some(self.order(state, World::BACK_END, kind))
            }
            Theft::MalformedPolicy => {
                let replaces = state.facts().policy().digest();
                let policy = self.malformed_policy();
                Some(self.propose_policy(state, replaces, policy))
            }
            Theft::PolicyOnOldBase => {
                let policy = setting::policy(4, Vec::new());
                let old = setting::first_policy().digest();
                let is_old = old != state.facts().policy().digest();
                is_old.then(|| self.propose_policy(state, old, policy))
            }
            Theft::KeysOnOldBase => self.keys_on_old_base(state),
            Theft::HandoverOnOldBase => self.handover_on_old_base(state),
            Theft::StrangersHandover => self.strangers_handover(state),
            Theft::OldLedger => self.old_ledger(state),
            Theft::OldKeeper => self.old_keeper(state),
            Theft::TooFewRoots => {
                let roots = state.roots();
                let act = self.heirs_of(state)?;
                let count = usize::try_from(roots.quorum).ok()?.checked_sub(1)?;
                let evidence = self.rooted(&roots, count, act.digest());
                Some(self.send(World::OPERATOR, &act, &evidence))
            }
            Theft::OldRoots => self.old_roots(state),
            Theft::ManyRecoveries => {
                let customer = self.any_customer();
                Some(self.recover_by_support(state, customer))
            }
            Theft::OwnSupport => {
                let mut held = state.facts().held.iter();
                let is_supports = |kind: &ActKind| matches!(kind, ActKind::Recover(_));
                let own = held.find(|(_, held)| {
                    is_supports(&held.act.kind) && SUPPORTERS.contains(&held.act.principal)
                });
                let (act, who) = own.map(|(digest, held)| (*digest, held.act.principal))?;
                Some(self.order(state, who, ActKind::Approve(Approve { act })))
            }
            Theft::StrangersVeto => {
                let held = state.facts().held.iter();
                let recoveries =
                    held.filter(|(_, held)| matches!(held.act.kind, ActKind::Recover(_)));
                let recoveries: Vec<Digest> = recoveries.map(|(digest, _)| *digest).collect();
                let act = self.dice.pick(&recoveries).copied()?;
                let customer = self.any_customer();
                let account = Some(self.customers[customer].account);
                let is_own = state.facts().held.get(&act)?.act.account == account;
                let kind = ActKind::Veto(Veto { act });
                (!is_own).then(|| self.ask(state, customer, kind))
            }
            _ => None,
        }
    }

    /// Two rotations on one base: the second finds other keys than it names.
    fn keys_on_old_base(&mut self, state: &State) -> Option<bool> {
        let keys = self.next_keys(state)?;
        let replaces = match &keys {
            Keys::Issuers { .. } => Keys::Issuers {
                issuers: state.network().genesis().issuers.clone(),
            },
            Keys::Roots { .. } => Keys::Roots {
                roots: setting::first_roots(),
            },
            Keys::Keeper { keeper, .. } => Keys::Keeper {
                keeper: *keeper,
                key: state.network().keeper(*keeper)?.key.clone(),
            },
            Keys::Witnesses { .. } | Keys::Log { .. } => return None,
        };
        let is_old = state.keys_in_place_of(&keys).as_ref() != Some(&replaces);
        is_old.then(|| self.propose_rotation(state, replaces.digest(), keys))
    }

    /// The ledger's key of before states a debit for what a customer really asks for.
    fn old_ledger(&mut self, state: &State) -> Option<bool> {
        let in_force = state.issuer(World::LEDGER, portcullis_core::genesis::IssuerKind::Ledger)?;
        let old = self.common.keys.before(&in_force.key)?;
        let of_old = Issuer::new(World::LEDGER, Heard::of(old, &self.truth));
        let of_now = std::mem::replace(&mut self.ledger, of_old);
        let done = self.withdraw(state, Size::Small);
        self.ledger = of_now;
        Some(done)
    }

    /// Whoever has got hold of a keeper's key of before speaks by it.
    fn old_keeper(&mut self, state: &State) -> Option<bool> {
        let facts = state.facts();
        let mut said: Vec<(_, Says)> = Vec::new();
        let untold = facts.untold.acts();
        said.extend(untold.map(|(entry, act)| (World::HERALD, Says::Told { act, entry })));
        let stops = facts.suspensions.keys().copied();
        said.extend(stops.map(|suspension| (World::KEEPER, Says::Stopped { suspension })));
        let out = facts.releases.iter().filter_map(|(act, release)| {
            let transaction = release.signed.last()?.transaction;
            let (act, block, block_hash) = (*act, 1, transaction);
            let says = Says::Reverted {
                act,
                transaction,
                block,
                block_hash,
            };
            Some((World::KEEPER, says))
        });
        said.extend(out);
        let rotated = said.into_iter().filter_map(|(keeper, says)| {
            let in_force = state.keeper(keeper)?.key;
            Some((keeper, self.common.keys.before(&in_force)?, says))
        });
        let rotated: Vec<_> = rotated.collect();
        let (keeper, old, says) = self.dice.pick(&rotated).cloned()?;
        let statement = Statement {
            genesis: self.common.world.digest(),
            keeper,
            says,
        };
        let key = Heard::of(old, &self.truth);
        let signature = key.sign(&statement.signed_bytes()).ok()?;
        let report = Report(vec![SignedStatement {
            statement,
            signature,
        }]);
        let url = format!("{}/v1/statements", setting::GATE);
        let headers = [("content-type", "application/cbor")];
        let (body, patience) = (encode(&report), Duration::from_secs(2));
        let reply = self
            .machine
            .http
            .post(&url, &headers, &body, 1 << 16, patience);
        Some(reply.is_ok())
    }

    /// Roots that others took the place of bring administrators of their own.
    fn old_roots(&mut self, state: &State) -> Option<bool> {
        let mut roots: Roots = state.roots();
        let mut is_old = false;
        for key in &mut roots.keys {
            if let Some(old) = self.common.keys.before(key) {
                *key = old.public_key().clone();
                is_old = true;
            }
        }
        if !is_old {
            return None;
        }
        // The old ones first: as many as a quorum would be.
        let now = state.roots();
        roots.keys.sort_by_key(|key| now.keys.contains(key));
        let act = self.heirs_of(state)?;
        let count = usize::try_from(roots.quorum).ok()?;
        let evidence: Evidence = self.rooted(&roots, count, act.digest());
        Some(self.send(World::OPERATOR, &act, &evidence))
    }
}
