//! What customers do with an authenticator app and nothing else at hand, and thieves with digits that they have seen,
//! guessed or kept.

use super::contacts::Sealed;
use super::customers::Size;
use super::{Customer, People, Theft};
use portcullis_client::{Algorithm, Digits, Seed, seal_code, seal_seed};
use portcullis_core::act::{
    Act, ActKind, AddAddress, Cancel, CancelAddress, EnrolFactor, Veto, Withdraw,
};
use portcullis_core::board::Posting;
use portcullis_core::code::step_at;
use portcullis_core::evidence::Evidence;
use portcullis_core::factor::NewFactor;
use portcullis_core::id::FactorId;
use portcullis_core::{Digest, State, Time};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::World;
use zeroize::Zeroizing;

/// By how many milliseconds the clock of a phone is off at most.
const MOST_OFF: i64 = 90_000;
/// By how many it moves at once.
const DRIFT: i64 = 15_000;

/// An authenticator app.
pub(super) struct App {
    seed: Seed,
    factor: FactorId,
    /// By how many milliseconds its clock is ahead.
    ahead: i64,
    /// The step of the digits that were typed last.
    typed: Option<u32>,
}

impl Customer {
    fn apps_of<'a>(&'a self, state: &'a State) -> impl Iterator<Item = (usize, &'a App)> {
        let owner = self.owner();
        self.apps.iter().enumerate().filter(move |(_, app)| {
            let facts = state.facts();
            let factor = facts.factor(owner, app.factor);
            factor.is_some_and(|factor| facts.is_current(owner, factor.kind, factor.epochs))
        })
    }
}

impl People {
    /// A customer has an app make a seed, which is sealed to the herald, and enrols it by a passkey.
    pub(super) fn enrol_app(&mut self, state: &State) -> bool {
        let customer = self.any_customer();
        if self.customers[customer].apps_of(state).next().is_some() {
            return false;
        }
        let account = self.customers[customer].account;
        let (network, random) = (&self.common.world.network, self.machine.random.as_ref());
        let seed = any_seed(self.dice.bytes());
        let envelope = seal_seed(&seed, network, account, random).expect("a herald");
        let factor = NewFactor::Totp {
            seed: envelope.commitment(),
        };
        let ahead = [-DRIFT, 0, DRIFT][self.dice.index(3)];
        let (factor_id, typed) = (factor.id(), None);
        self.customers[customer].apps.push(App {
            seed,
            factor: factor_id,
            ahead,
            typed,
        });
        self.sealed.push(Sealed { account, envelope });
        let principal = self.customers[customer].principal;
        let kind = ActKind::EnrolFactor(EnrolFactor { principal, factor });
        self.ask(state, customer, kind)
    }

    /// An app of a customer's that counts by what the journal says.
    fn any_app(&mut self, state: &State, customer: usize) -> Option<usize> {
        let apps = self.customers[customer].apps_of(state);
        let apps: Vec<usize> = apps.map(|(at, _)| at).collect();
        self.dice.pick(&apps).copied()
    }

    pub(super) fn withdraw_by_code(&mut self, state: &State) -> bool {
        let customer = self.any_customer();
        let Some(app) = self.any_app(state, customer) else {
            return false;
        };
        let Some(kind) = self.small_withdrawal(state, customer) else {
            return false;
        };
        let act = self.unproven_by(state, customer, kind);
        let mut evidence = self.type_digits((customer, app), &act);
        if self.dice.chance(800) {
            evidence.attestations.extend(self.debit(act.digest()));
        }
        self.send_code(&act, &evidence)
    }

    /// A customer stops something with nothing but the phone at hand.
    pub(super) fn stop_by_code(&mut self, state: &State) -> bool {
        let customer = self.any_customer();
        let Some(app) = self.any_app(state, customer) else {
            return false;
        };
        let Some(kind) = self.stop_of(state, customer) else {
            return false;
        };
        let act = self.unproven_by(state, customer, kind);
        let evidence = self.type_digits((customer, app), &act);
        self.send_code(&act, &evidence)
    }

    fn stop_of(&mut self, state: &State, customer: usize) -> Option<ActKind> {
        let facts = state.facts();
        let account = Some(self.customers[customer].account);
        let held = facts.held.iter();
        let held = held.filter(|(_, held)| held.act.account == account);
        let recoveries = held
            .clone()
            .filter(|(_, held)| matches!(held.act.kind, ActKind::Recover(_)));
        let recoveries: Vec<Digest> = recoveries.map(|(act, _)| *act).collect();
        let releases = facts.releases.iter();
        let releases = releases.filter(|(_, release)| release.act.account == account);
        let own = held
            .map(|(act, _)| *act)
            .chain(releases.map(|(act, _)| *act));
        let own: Vec<Digest> = own.collect();
        match self.dice.below(6) {
            0 => Some(ActKind::Freeze),
            1 => {
                let address = self.address_of(state, customer)?;
                Some(ActKind::CancelAddress(CancelAddress { address }))
            }
            2 | 3 => {
                let act = self.dice.pick(&recoveries).copied()?;
                Some(ActKind::Veto(Veto { act }))
            }
            _ => {
                let act = self.dice.pick(&own).copied()?;
                Some(ActKind::Cancel(Cancel { act }))
            }
        }
    }

    fn small_withdrawal(&mut self, state: &State, customer: usize) -> Option<ActKind> {
        let to = self.address_of(state, customer)?;
        let (asset, amount) = (World::ETHER, self.amount(Size::Small));
        Some(ActKind::Withdraw(Withdraw { asset, to, amount }))
    }

    fn unproven_by(&mut self, state: &State, customer: usize, kind: ActKind) -> Act {
        let draft = self.draft(state);
        let person = &self.customers[customer];
        draft.by_customer(person.principal, person.account, kind)
    }

    /// The customer reads the digits off the phone, or types once more those of before.
    fn type_digits(&mut self, (customer, app): (usize, usize), act: &Act) -> Evidence {
        let now = self.clock.now();
        let moved = [-DRIFT, 0, 0, DRIFT][self.dice.index(4)];
        let again = self.dice.chance(120);
        let app = &mut self.customers[customer].apps[app];
        app.ahead = (app.ahead + moved).clamp(-MOST_OFF, MOST_OFF);
        let shown = step_at(Time(now.0.saturating_add_signed(app.ahead)));
        let step = app.typed.filter(|_| again).unwrap_or(shown);
        app.typed = Some(step);
        let (factor, digits) = (app.factor, app.seed.digits(step));
        if again {
            self.common.chronicle.count("digits typed again");
        }
        self.show(factor, step, act);
        self.with_digits(factor, &digits, act)
    }

    /// Digits that the seed really makes are shown for an act. Nobody can tell who types them.
    fn show(&mut self, factor: FactorId, step: u32, act: &Act) {
        let now = self.common.time.now();
        self.truth.signs(act.principal, act, now);
        let mut facts = self.truth.facts();
        facts.codes.insert(act.digest(), (factor, step));
    }

    fn with_digits(&self, factor: FactorId, digits: &Digits, act: &Act) -> Evidence {
        let (network, random) = (&self.common.world.network, self.machine.random.as_ref());
        let code = seal_code(digits, network, (act.digest(), factor), random);
        Evidence {
            code: Some(code.expect("a herald")),
            ..Evidence::default()
        }
    }

    /// The back end relays what comes with a code; whoever sent it hears how it went.
    fn send_code(&mut self, act: &Act, evidence: &Evidence) -> bool {
        self.common.chronicle.count("code sent");
        self.send(World::BACK_END, act, evidence)
    }

    /// Somebody tries it with a code, if there is anything to try it with. The ledger has been deceived, too.
    pub(super) fn crack(
        &mut self,
        theft: Theft,
        state: &State,
        journaled: &[Posting],
    ) -> Option<bool> {
        let victim = self.any_customer();
        let app = self.any_app(state, victim)?;
        let kind = match theft {
            Theft::CodeForMore => {
                let address = crate::forgery::THIEF;
                ActKind::AddAddress(AddAddress { address })
            }
            _ => self.small_withdrawal(state, victim)?,
        };
        let act = self.unproven_by(state, victim, kind);
        let app = &self.customers[victim].apps[app];
        let (factor, typed) = (app.factor, app.typed);
        let mut evidence = match theft {
            Theft::SeenDigits => {
                let step = typed?;
                let digits = app.seed.digits(step);
                self.show(factor, step, &act);
                self.with_digits(factor, &digits, &act)
            }
            Theft::OldDigits => {
                let digits = app.seed.digits(typed?.saturating_sub(40));
                self.with_digits(factor, &digits, &act)
            }
            Theft::MovedCode => {
                let codes = journaled.iter().rev();
                let mut codes = codes.filter_map(|posting| posting.evidence.code.clone());
                let moved = codes.find(|code| code.factor() == factor)?;
                Evidence {
                    code: Some(moved),
                    ..Evidence::default()
                }
            }
            Theft::CodeForMore => {
                // Whoever has nothing better adds addresses so: then it counts, and is no theft that could be seen.
                let step = step_at(self.clock.now());
                let digits = app.seed.digits(step);
                self.show(factor, step, &act);
                self.with_digits(factor, &digits, &act)
            }
            _ => {
                let guessed = any_seed(self.dice.bytes()).digits(0);
                self.with_digits(factor, &guessed, &act)
            }
        };
        evidence.attestations.extend(self.debit(act.digest()));
        Some(self.send_code(&act, &evidence))
    }
}

fn any_seed(secret: [u8; 20]) -> Seed {
    let secret = Zeroizing::new(secret.to_vec());
    Seed::new(secret, Algorithm::Sha1, 6).expect("20 bytes and six digits")
}
