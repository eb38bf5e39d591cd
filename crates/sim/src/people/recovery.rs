//! What was lost, and who brings it back; and keys that others take the place of.

use super::People;
use super::staff::signer;
use crate::keyring::Heard;
use crate::setting::{IDENTITY, SUPPORTERS, heirs};
use portcullis_client::RequestSigner;
use portcullis_core::act::{
    Act, ActKind, Approve, Cancel, EnrolFactor, Keys, NewAdministrator, Recover,
    RecoverAdministrators, Roots, Rotate, Veto, root_id,
};
use portcullis_core::board::Posting;
use portcullis_core::evidence::{Attestation, AttestationStatement, Claim, Evidence};
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::IssuerKind;
use portcullis_core::id::{IssuerId, PrincipalId};
use portcullis_core::realm::Role;
use portcullis_core::state::release::Held;
use portcullis_core::{Digest, Span, State};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey;
use portcullis_keys::software::SoftwareStatement;
use std::sync::Arc;

impl People {
    /// A customer's device gets a request key, by a passkey.
    pub(super) fn enrol_device(&mut self, state: &State) -> bool {
        let customer = self.any_customer();
        let principal = self.customers[customer].principal;
        let factor = device(principal);
        let owner = self.owner(customer);
        if state.facts().factor(owner, factor.id()).is_some() {
            return false;
        }
        let kind = ActKind::EnrolFactor(EnrolFactor { principal, factor });
        self.ask(state, customer, kind)
    }

    /// The device's own word for an act, where it has a key that counts.
    fn by_device(&mut self, state: &State, customer: usize, act: &Act) -> Option<Evidence> {
        let (owner, facts, now) = (self.owner(customer), state.facts(), self.clock.now());
        let principal = owner.principal();
        let factor = facts.factor(owner, device(principal).id())?;
        let counts = facts.is_current(owner, factor.kind, factor.epochs)
            && factor.available.is_at(facts.time.max(now));
        if !counts {
            return None;
        }
        self.truth.signs(principal, act, self.common.time.now());
        Some(Evidence {
            requests: vec![World::request(principal, act, now)],
            ..Evidence::default()
        })
    }

    /// A new factor for a customer, on whoever's word there is.
    pub(super) fn recover(&mut self, state: &State) -> bool {
        let customer = self.any_customer();
        let account = self.customers[customer].account;
        if state.facts().account(account).is_none() {
            return false;
        }
        match self.dice.below(3) {
            0 => self.recover_by_device(state, customer),
            1 => self.recover_by_vendor(state, customer),
            _ => self.recover_by_support(state, customer),
        }
    }

    fn recovery(&mut self, customer: usize) -> Option<ActKind> {
        let (principal, factor) = self.next_passkey(customer)?;
        Some(ActKind::Recover(Recover { principal, factor }))
    }

    /// Where an epoch has ended the passkeys, the device vouches for the next.
    pub(super) fn recover_by_device(&mut self, state: &State, customer: usize) -> bool {
        let Some(kind) = self.recovery(customer) else {
            return false;
        };
        let draft = self.draft(state);
        let person = &self.customers[customer];
        let act = draft.by_customer(person.principal, person.account, kind);
        let Some(evidence) = self.by_device(state, customer, &act) else {
            return false;
        };
        self.send(World::BACK_END, &act, &evidence)
    }

    pub(super) fn recover_by_vendor(&mut self, state: &State, customer: usize) -> bool {
        let Some(vendor) = vendor(state) else {
            return false;
        };
        let Some(act) = self.recovery_by_staff(state, customer, World::BACK_END) else {
            return false;
        };
        let digest = act.digest();
        self.truth.facts().identified.insert(digest);
        let key = self.common.keys.of(&vendor.key);
        let evidence = attested(self.attest(&key, IDENTITY, digest, Claim::Identity));
        self.send(World::BACK_END, &act, &evidence)
    }

    pub(super) fn recover_by_support(&mut self, state: &State, customer: usize) -> bool {
        let who = *self.dice.pick(&SUPPORTERS).unwrap_or(&SUPPORTERS[0]);
        let Some(act) = self.recovery_by_staff(state, customer, who) else {
            return false;
        };
        self.send(who, &act, &Evidence::default())
    }

    fn recovery_by_staff(
        &mut self,
        state: &State,
        customer: usize,
        who: PrincipalId,
    ) -> Option<Act> {
        let kind = self.recovery(customer)?;
        let account = self.customers[customer].account;
        Some(self.draft(state).by_staff(who, Some(account), kind))
    }

    /// An issuer or a root signs, and the truth knows by which key.
    pub(super) fn attest(
        &self,
        key: &Arc<SoftwareStatement>,
        issuer: IssuerId,
        act: Digest,
        claim: Claim,
    ) -> Attestation {
        let statement = AttestationStatement {
            issuer,
            act,
            expires: self.clock.now().after(Span::hours(1)),
            claim,
        };
        let key = Heard::of(Arc::clone(key), &self.truth);
        let signature = key.sign(&statement.signed_bytes()).expect("a software key");
        Attestation {
            statement,
            signature,
        }
    }

    fn any_held(&mut self, state: &State, which: impl Fn(&Held) -> bool) -> Option<(Digest, Act)> {
        let held = state.facts().held.iter().filter(|(_, held)| which(held));
        let held: Vec<(Digest, Act)> = held.map(|(d, held)| (*d, held.act.clone())).collect();
        self.dice.pick(&held).cloned()
    }

    /// The other member with role support looks, and agrees.
    pub(super) fn support(&mut self, state: &State) -> bool {
        let lacks = |held: &Held| matches!(held.act.kind, ActKind::Recover(_));
        let Some((act, waiting)) = self.any_held(state, lacks) else {
            return false;
        };
        let mut others = SUPPORTERS.iter().filter(|who| **who != waiting.principal);
        let Some(who) = others.next().copied() else {
            return false;
        };
        let held = state.facts().held.get(&act);
        if held.is_none_or(|held| held.approvals.contains_key(&who)) {
            return false;
        }
        self.order(state, who, ActKind::Approve(Approve { act }))
    }

    /// Somebody who was told of a recovery that is not theirs stops it, by whatever is left; or
    /// administrators that of the administrators.
    pub(super) fn veto(&mut self, state: &State) -> bool {
        let is_recovery = |held: &Held| {
            matches!(
                held.act.kind,
                ActKind::Recover(_) | ActKind::RecoverAdministrators(_)
            )
        };
        let Some((act, waiting)) = self.any_held(state, is_recovery) else {
            return false;
        };
        let kind = ActKind::Veto(Veto { act });
        if let ActKind::RecoverAdministrators(_) = waiting.kind {
            let Some(who) = self.any_of(state, Role::Administrator) else {
                return false;
            };
            return self.order(state, who, kind);
        }
        let mut customers = self.customers.iter();
        let Some(customer) = customers.position(|c| Some(c.account) == waiting.account) else {
            return false;
        };
        let by_passkey = self.dice.chance(600);
        if by_passkey && self.dice.chance(300) {
            return self.post_veto(state, customer, kind);
        }
        if by_passkey {
            return self.ask(state, customer, kind);
        }
        let draft = self.draft(state);
        let person = &self.customers[customer];
        let veto = draft.by_customer(person.principal, person.account, kind);
        let Some(evidence) = self.by_device(state, customer, &veto) else {
            return false;
        };
        self.send(World::BACK_END, &veto, &evidence)
    }

    /// The same past a gate that may not take it: to a stop board.
    fn post_veto(&mut self, state: &State, customer: usize, kind: ActKind) -> bool {
        let veto = self.customers_act(state, customer, kind);
        veto.is_some_and(|(act, evidence)| {
            self.common.chronicle.count("veto posted");
            self.post_raw(&Posting { act, evidence })
        })
    }

    /// Whoever brought something that waits takes it back.
    pub(super) fn cancel_own(&mut self, state: &State) -> bool {
        // What ends something that is shut is nobody's to take back.
        let waits_long = |kind: &ActKind| {
            matches!(
                kind,
                ActKind::Recover(_)
                    | ActKind::RecoverAdministrators(_)
                    | ActKind::Rotate(_)
                    | ActKind::SetPolicy(_)
                    | ActKind::SetLimits(_)
            )
        };
        let is_staffs = |held: &Held| {
            waits_long(&held.act.kind) && self.signers.contains_key(&held.act.principal)
        };
        let held = state
            .facts()
            .held
            .iter()
            .filter(|(_, held)| is_staffs(held));
        let held: Vec<(Digest, PrincipalId)> =
            held.map(|(d, held)| (*d, held.act.principal)).collect();
        let Some((act, who)) = self.dice.pick(&held).copied() else {
            return false;
        };
        self.order(state, who, ActKind::Cancel(Cancel { act }))
    }

    /// The roots bring other administrators, whom nobody knows yet.
    pub(super) fn recover_administrators(&mut self, state: &State) -> bool {
        let roots = state.roots();
        let Some(act) = self.heirs_of(state) else {
            return false;
        };
        let count = usize::try_from(roots.quorum).unwrap_or(0);
        let evidence = self.rooted(&roots, count, act.digest());
        self.send(World::OPERATOR, &act, &evidence)
    }

    pub(super) fn heirs_of(&mut self, state: &State) -> Option<Act> {
        let facts = state.facts();
        let new = heirs().filter(|who| facts.member(*who).is_none()).take(3);
        let administrators = new.map(|principal| NewAdministrator {
            principal,
            factors: vec![NewFactor::RequestKey {
                key: World::key(&principal.0).public_key().clone(),
            }],
        });
        let administrators: Vec<NewAdministrator> = administrators.collect();
        if administrators.len() < 3 {
            return None;
        }
        let recover = RecoverAdministrators {
            replaces: state.administration().digest(),
            administrators,
            quorum: 2,
        };
        let kind = ActKind::RecoverAdministrators(recover);
        Some(self.draft(state).by_staff(World::OPERATOR, None, kind))
    }

    /// So many of these roots stand behind an act.
    pub(super) fn rooted(&mut self, roots: &Roots, count: usize, act: Digest) -> Evidence {
        let mut evidence = Evidence::default();
        for public in roots.keys.iter().take(count) {
            let (key, root) = (self.common.keys.of(public), root_id(public));
            let mut facts = self.truth.facts();
            facts.rooted.entry(act).or_default().insert(root);
            drop(facts);
            let attestation = self.attest(&key, root, act, Claim::Root);
            evidence.attestations.push(attestation);
        }
        evidence
    }

    /// A quorum begins to put keys in the place of others.
    pub(super) fn rotate(&mut self, state: &State) -> bool {
        let is_rotation = |held: &Held| matches!(held.act.kind, ActKind::Rotate(_));
        if state
            .facts()
            .held
            .values()
            .filter(|held| is_rotation(held))
            .count()
            > 1
        {
            return false;
        }
        let Some(keys) = self.next_keys(state) else {
            return false;
        };
        let Some(replaces) = state.keys_in_place_of(&keys).map(|keys| keys.digest()) else {
            return false;
        };
        self.propose_rotation(state, replaces, keys)
    }

    pub(super) fn propose_rotation(&mut self, state: &State, replaces: Digest, keys: Keys) -> bool {
        let Some(who) = self.administrator(state) else {
            return false;
        };
        let rotate = Rotate { replaces, keys };
        self.order(state, who, ActKind::Rotate(rotate))
    }

    pub(super) fn next_keys(&mut self, state: &State) -> Option<Keys> {
        let ring = Arc::clone(&self.common.keys);
        let successor = |public| Some(ring.after(public)?.public_key().clone());
        match self.dice.below(8) {
            0..=2 => {
                let mut issuers = state.issuers().to_vec();
                let at = self.dice.index(issuers.len());
                issuers[at].key = successor(&issuers[at].key)?;
                Some(Keys::Issuers { issuers })
            }
            3 | 4 => {
                let mut roots = state.roots();
                let at = self.dice.index(roots.keys.len());
                roots.keys[at] = successor(&roots.keys[at])?;
                Some(Keys::Roots { roots })
            }
            place => {
                let keeper = if place == 7 {
                    World::HERALD
                } else {
                    World::KEEPER
                };
                let key = successor(&state.keeper(keeper)?.key)?;
                Some(Keys::Keeper { keeper, key })
            }
        }
    }
}

/// The request key of a customer's device.
fn device(principal: PrincipalId) -> NewFactor {
    let key = World::key(&principal.0).public_key().clone();
    NewFactor::RequestKey { key }
}

/// The identity vendor in force.
fn vendor(state: &State) -> Option<&portcullis_core::genesis::Issuer> {
    state.issuer(IDENTITY, IssuerKind::Identity)
}

pub(super) fn attested(attestation: Attestation) -> Evidence {
    Evidence {
        attestations: vec![attestation],
        ..Evidence::default()
    }
}

/// Those who may sign requests once the roots' word has counted.
pub(super) fn signers_to_be() -> impl Iterator<Item = (PrincipalId, RequestSigner)> {
    let all = heirs().chain(SUPPORTERS);
    all.map(|who| (who, signer(who)))
}
