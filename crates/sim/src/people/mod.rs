//! The people: customers, staff, the back end, and thieves among all of them.
//!
//! They use the production client. What they know of the state of things is what the journal says, as
//! the auditor reads it.

mod codes;
mod contacts;
mod customers;
mod deed;
mod governance;
mod handovers;
mod recovery;
mod robbers;
mod staff;
mod theft;
mod thieves;

pub use deed::Deed;
pub use theft::Theft;

use codes::App;
use contacts::Sealed;

use crate::clock::SimClock;
use crate::dice::{Dice, SharedDice};
use crate::hosts::{Common, Hosts};
use crate::keyring::Heard;
use crate::passkey::Passkey;
use crate::setting::{self, BOARDS};
use crate::truth::Truth;
use crate::wire::{Host, Way};
use portcullis_client::{
    Accepted, ActBuilder, Board, Gate, GateError, Issuer, Machine, RequestSigner,
};
use portcullis_core::act::{Act, ActKind};
use portcullis_core::genesis::IssuerKind;
use portcullis_core::id::{AccountId, ActId, IssuerId, PrincipalId, SubjectId};
use portcullis_core::state::account::Owner;
use portcullis_core::{Decision, Digest, Evidence, State};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{World, id};
use portcullis_keys::StatementKey as _;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

/// How many customers there are.
pub const CUSTOMERS: u8 = 6;

/// A customer.
pub struct Customer {
    number: u8,
    account: AccountId,
    principal: PrincipalId,
    subject: SubjectId,
    passkeys: Vec<Passkey>,
    apps: Vec<App>,
}

/// Something that was sent, and of which the outcome is not known.
struct Sent {
    by: PrincipalId,
    act: Act,
    evidence: Evidence,
}

/// Everybody.
pub struct People {
    common: Common,
    truth: Truth,
    dice: Dice,
    /// Their clocks, which are one.
    pub clock: SimClock,
    machine: Machine,
    gate: Gate,
    boards: Vec<Board>,
    ledger: Issuer,
    onboarding: Issuer,
    /// What people do here, and what thieves try.
    pub deeds: Vec<(u64, Deed)>,
    /// The same of thieves.
    pub thefts: Vec<(u64, Theft)>,
    /// What a whole ether and a whole token are worth, in cents.
    prices: [u128; 2],
    /// Sealed contacts and seeds that the herald may not have yet.
    sealed: Vec<Sealed>,
    signers: BTreeMap<PrincipalId, RequestSigner>,
    customers: Vec<Customer>,
    checkpoint: Option<Digest>,
    unknown: Vec<Sent>,
    /// The id of a stop that stands on a board for everybody to read.
    posted: Option<ActId>,
    /// Makes every amount another one, so that a payment tells its act.
    serial: u128,
}

impl People {
    /// Everybody, at their desks.
    ///
    /// # Panics
    /// Never: addresses and keys are constants.
    #[must_use]
    pub fn new(common: &Common, truth: &Truth, hosts: &Weak<Hosts>) -> Self {
        let clock = SimClock::right(&common.time);
        let machine = Machine {
            clock: Arc::new(clock.clone()),
            random: Arc::new(SharedDice::new(common.dice.of("people's randomness"))),
            http: Way::out_of(Host::People, hosts),
        };
        let at = |url: &str| url.parse().expect("an endpoint");
        let boards = (0..BOARDS).map(|n| {
            let url = setting::board_url(n);
            Board::new(setting::board(n), at(&url), machine.clone())
        });
        let issuer = |id: IssuerId| {
            let key = common.keys.of(World::key(&id.0).public_key());
            Issuer::new(id, Heard::of(key, truth))
        };
        let (mut deeds, mut thefts) = (Deed::WEIGHED.to_vec(), Theft::WEIGHED.to_vec());
        if common.is_whole {
            deeds.extend(Deed::WHOLE);
            thefts.extend(Theft::WHOLE);
        }
        if common.has_codes {
            deeds.extend(Deed::CODES);
            thefts.extend(Theft::CODES);
        }
        if common.has_handovers {
            deeds.extend(Deed::HANDOVERS);
            thefts.extend(Theft::HANDOVERS);
        }
        let mut people = Self {
            truth: truth.clone(),
            dice: common.dice.of("people"),
            clock,
            gate: Gate::new(at(setting::GATE), machine.clone()),
            boards: boards.collect(),
            ledger: issuer(World::LEDGER),
            onboarding: issuer(World::ONBOARDING),
            deeds,
            thefts,
            prices: [200_000, 100_000],
            sealed: Vec::new(),
            signers: BTreeMap::new(),
            customers: (1..=CUSTOMERS).map(Customer::number).collect(),
            checkpoint: None,
            unknown: Vec::new(),
            posted: None,
            serial: 0,
            common: common.clone(),
            machine,
        };
        let staff = [World::OPERATOR, World::BACK_END, setting::SUPPORT];
        let administrators = (0..3).map(World::administrator);
        let all = administrators.chain(staff).chain(setting::APPROVERS);
        for who in all.chain(staff::candidates()) {
            people.signers.insert(who, staff::signer(who));
        }
        if common.is_whole {
            people.signers.extend(recovery::signers_to_be());
        }
        people
    }

    /// Somebody does something, if the state of things lets it make sense.
    pub fn act(&mut self, deed: Deed, state: &State) -> bool {
        self.look_up_keys(state);
        match deed {
            Deed::OpenAccount => self.open_account(state),
            Deed::AddAddress => self.add_address(state),
            Deed::CancelAddress => self.cancel_address(state),
            Deed::Withdraw => self.withdraw(state, customers::Size::Small),
            Deed::WithdrawLarge => self.withdraw(state, customers::Size::Large),
            Deed::WithdrawUnpaid => self.withdraw(state, customers::Size::Unpaid),
            Deed::PayLater => self.pay_later(state),
            Deed::AssertAgain => self.assert_again(state),
            Deed::Cancel => self.cancel(state),
            Deed::Freeze => self.freeze(state),
            Deed::Unfreeze => self.unfreeze(state),
            Deed::UnfreezeByQuorum => self.unfreeze_by_quorum(state),
            Deed::Enrol => self.enrol(state),
            Deed::EnrolAnew => self.enrol_anew(state),
            Deed::RevokeFactor => self.revoke_factor(state),
            Deed::RaiseEpoch => self.raise_epoch(state),
            Deed::Suspend => self.suspend(state),
            Deed::PostStop => self.post_stop(state),
            Deed::Lift => self.lift(state),
            Deed::LiftLatch => self.lift_latch(state),
            Deed::Approve => self.approve(state),
            Deed::Resume => self.resume(state),
            Deed::Void => self.void(state),
            Deed::SetLimits => self.set_limits(state),
            Deed::GrantRole => self.grant_role(state),
            Deed::RevokeRole => self.revoke_role(state),
            Deed::RevokeStaffFactor => self.revoke_staff_factor(state),
            Deed::SendAgain => self.send_again(state),
            Deed::CancelAny => self.cancel_any(state),
            Deed::SendEnvelope => self.send_envelope(state),
            Deed::ChangeContact => self.change_contact(state),
            Deed::PublishRates => self.publish_rates(state),
            Deed::SetPolicy => self.set_policy(state),
            Deed::EnrolDevice => self.enrol_device(state),
            Deed::Recover => self.recover(state),
            Deed::Support => self.support(state),
            Deed::Veto => self.veto(state),
            Deed::RecoverAdministrators => self.recover_administrators(state),
            Deed::Rotate => self.rotate(state),
            Deed::CancelOwn => self.cancel_own(state),
            Deed::EnrolApp => self.enrol_app(state),
            Deed::WithdrawByCode => self.withdraw_by_code(state),
            Deed::StopByCode => self.stop_by_code(state),
            Deed::HandOver => self.hand_over(state),
        }
    }

    /// Ledger and onboarding sign with the keys that are in force by now.
    fn look_up_keys(&mut self, state: &State) {
        if !self.common.is_whole {
            return;
        }
        let of = |id, kind| {
            let issuer = state.issuer(id, kind)?;
            let key = self.common.keys.of(&issuer.key);
            Some(Issuer::new(id, Heard::of(key, &self.truth)))
        };
        let ledger = of(World::LEDGER, IssuerKind::Ledger);
        let onboarding = of(World::ONBOARDING, IssuerKind::Onboarding);
        if let (Some(ledger), Some(onboarding)) = (ledger, onboarding) {
            (self.ledger, self.onboarding) = (ledger, onboarding);
        }
    }

    /// An act in the making, on the newest checkpoint that is known.
    fn draft(&mut self, state: &State) -> ActBuilder {
        if let Ok(now) = self.gate.checkpoint() {
            self.checkpoint = Some(now.digest);
        }
        let checkpoints = &state.facts().checkpoints;
        let newest = checkpoints
            .iter()
            .max_by_key(|(_, time)| **time)
            .map(|(d, _)| *d);
        let known = self
            .checkpoint
            .filter(|known| checkpoints.contains_key(known));
        let checkpoint = known.or(newest).unwrap_or(Digest([0; 32]));
        let (now, random) = (self.clock.now(), self.machine.random.as_ref());
        ActBuilder::new(self.common.world.digest(), checkpoint, now, random)
    }

    /// A customer's act with its assertion, relayed by the back end.
    fn customers_act(
        &mut self,
        state: &State,
        customer: usize,
        kind: ActKind,
    ) -> Option<(Act, Evidence)> {
        let draft = self.draft(state);
        let person = &self.customers[customer];
        let mut act = draft.by_customer(person.principal, person.account, kind);
        // Whoever reads a board may ask for anything under a posted act's id.
        if let Some(id) = self.posted.take() {
            act.id = id;
            self.common.chronicle.count("id of a posted stop");
        }
        let evidence = self.assertion(state, customer, &act)?;
        Some((act, evidence))
    }

    /// A genuine assertion by a passkey that counts.
    fn assertion(&mut self, state: &State, customer: usize, act: &Act) -> Option<Evidence> {
        let now = self.common.time.now();
        let passkey = self.counting_passkey(state, customer)?;
        let person = &mut self.customers[customer];
        self.truth.signs(person.principal, act, now);
        let assertion = person.passkeys[passkey].assert(act.digest());
        Some(Evidence {
            assertions: vec![assertion],
            ..Evidence::default()
        })
    }

    /// Send an act; its request's signature is the sender's.
    fn send(&mut self, by: PrincipalId, act: &Act, evidence: &Evidence) -> bool {
        let kind = act.kind.name();
        let now = self.common.time.now();
        self.truth.signs(by, act, now);
        let signer = self.signers[&by].clone();
        let outcome = self.gate.submit(&signer, act, evidence);
        let (digest, chronicle) = (act.digest(), &self.common.chronicle);
        match &outcome {
            Ok(Accepted {
                entry, decision, ..
            }) => {
                let word = match decision {
                    Some(Decision::Hold { .. }) => "held",
                    _ => "taken",
                };
                chronicle.note(
                    &format!("act {word}: {kind}"),
                    format!("{digest} as {entry}"),
                );
                self.truth.facts().acknowledged.push((digest, *entry));
            }
            Err(GateError::Refused(problem)) => {
                let why = problem.reason().map_or("?", |reason| reason.slug());
                chronicle.note(&format!("act refused: {kind}"), why);
                let is_retried = problem.status == 503 || problem.status == 429;
                if is_retried {
                    self.keep_unknown(by, act, evidence);
                }
            }
            Err(error) => {
                chronicle.note(&format!("act unknown: {kind}"), error);
                self.keep_unknown(by, act, evidence);
            }
        }
        outcome.is_ok()
    }

    fn keep_unknown(&mut self, by: PrincipalId, act: &Act, evidence: &Evidence) {
        let (act, evidence) = (act.clone(), evidence.clone());
        self.unknown.push(Sent { by, act, evidence });
        if self.unknown.len() > 64 {
            self.unknown.remove(0);
        }
    }

    /// Of what was sent with an unknown outcome, something again: it counts once.
    fn send_again(&mut self, state: &State) -> bool {
        if self.unknown.is_empty() {
            return false;
        }
        let at = self.dice.index(self.unknown.len());
        let Sent { by, act, evidence } = self.unknown.swap_remove(at);
        let is_known = state.facts().consumed.contains_key(&act.digest());
        if is_known || act.expires <= self.clock.now() {
            return false;
        }
        self.send(by, &act, &evidence)
    }

    /// How many outcomes are not known.
    #[must_use]
    pub fn unknown(&self) -> usize {
        self.unknown.len()
    }

    /// Nobody sends anything again.
    pub fn forget_unknown(&mut self) {
        self.unknown.clear();
    }

    fn supplement(&mut self, act: Digest, evidence: &Evidence) -> bool {
        let signer = self.signers[&World::BACK_END].clone();
        self.truth.relays(act, evidence);
        let outcome = self.gate.supplement(&signer, act, evidence);
        let word = match &outcome {
            Ok(accepted) => {
                let mut facts = self.truth.facts();
                facts.acknowledged.push((act, accepted.entry));
                "taken"
            }
            Err(_) => "not taken",
        };
        let kind = format!("evidence {word}");
        self.common.chronicle.note(&kind, act);
        outcome.is_ok()
    }

    fn any_customer(&mut self) -> usize {
        self.dice.index(self.customers.len())
    }
}

impl Customer {
    fn number(number: u8) -> Self {
        Self {
            number,
            account: AccountId(id(number)),
            principal: PrincipalId(id(number ^ 0xc0)),
            subject: SubjectId(id(number)),
            passkeys: vec![Passkey::new(number, 0)],
            apps: Vec::new(),
        }
    }

    fn owner(&self) -> Owner {
        let (account, principal) = (self.account, self.principal);
        Owner::Holder { account, principal }
    }
}
