//! What every variant shares: how the town comes to be, and how the drill ends.

use crate::answer::Answer;
use crate::attack::Row;
use crate::chains::Chains;
use crate::checks::Checks;
use crate::crowd::{HANDS, crowd};
use crate::error::DrillError;
use crate::honest::{self, Asked, Matched, match_up, owed};
use crate::money::ASSETS;
use crate::outcome::{Flow, Tally};
use crate::people::{Customer, Town};
use crate::platform::Platform;
use crate::stage::{DELAY, Stage};
use portcullis_chains::caip::Address;
use portcullis_core::{Span, Time};
use std::sync::Arc;

/// A little more than a delay, because it runs from a cosignature and not from our clock.
pub(crate) const DELAY_AND_A_BIT: Span = Span(DELAY.0 + 60_000);

/// How soon a herald asks again for a contact that had not reached the gate when it read of the account.
const ENVELOPES: Span = Span(2_500);

/// A moment worth showing, by the network's clock.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Milliseconds after the first attempt.
    pub at_ms: u64,
    /// What happened.
    pub what: String,
}

/// What one variant or another shows beside its figures.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// What the limits would let go if nobody noticed.
    pub worst: Option<Worst>,
    /// The way of the only forged release that the running signer judged while the gate was open.
    pub met_open: Option<&'static str>,
}

/// What the limits let go at most where every attacked customer is tricked twice and nobody notices, by
/// the balances and limits of each attacked account.
#[derive(Clone, Debug)]
pub struct Worst {
    /// On the day on which the addresses begin to count.
    pub day: Tally,
    /// Within a week of it, where nobody suspends.
    pub week: Tally,
}

/// What a variant found on the running system.
pub(crate) struct With {
    pub(crate) flow: Flow,
    pub(crate) rows: Vec<Row>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) timeline: Vec<Moment>,
    pub(crate) checks: Checks,
    /// Void entries that a hostile gate wrote.
    pub(crate) void: usize,
    pub(crate) beside: Beside,
}

/// A variant under way: the stage, the town, and what has been noted so far.
pub(crate) struct Scene<'a> {
    pub(crate) stage: &'a mut Stage,
    pub(crate) town: &'a Town,
    /// What honest customers asked for.
    pub(crate) asked: Vec<Asked>,
    pub(crate) checks: Checks,
    /// When the first attempt was made.
    pub(crate) begun: Time,
    moments: Vec<Moment>,
}

impl<'a> Scene<'a> {
    /// Before the attack.
    pub(crate) fn open(stage: &'a mut Stage, town: &'a Town) -> Self {
        Self {
            begun: stage.now(),
            stage,
            town,
            asked: Vec::new(),
            checks: Checks::default(),
            moments: Vec::new(),
        }
    }

    /// The attack begins now.
    pub(crate) fn begin(&mut self, what: &str) {
        self.begin_at(self.stage.now(), what);
    }

    /// It began then.
    pub(crate) fn begin_at(&mut self, begun: Time, what: &str) {
        self.begun = begun;
        self.note_at(begun, what);
    }

    /// Something happens now.
    pub(crate) fn note(&mut self, what: impl Into<String>) {
        self.note_at(self.stage.now(), what);
    }

    /// Something happened then.
    pub(crate) fn note_at(&mut self, at: Time, what: impl Into<String>) {
        let what = what.into();
        self.stage.tell(&what);
        self.moments.push(Moment {
            at_ms: at.since(self.begun).0,
            what,
        });
    }

    /// How many transactions of the wallets nodes have been handed: none of those can be recalled.
    pub(crate) fn handed(&self) -> Result<u64, DrillError> {
        self.stage.chains.handed(&self.stage.cast().wallets())
    }

    /// Honest customers withdraw, with the passkeys that count at the time.
    pub(crate) fn withdraw(
        &mut self,
        customers: &[Arc<Customer>],
        is_renewed: bool,
    ) -> Result<(), DrillError> {
        let asked = honest::all_withdraw(self.stage, customers, is_renewed)?;
        self.asked.extend(asked);
        Ok(())
    }

    /// Alarms that reached somebody by now.
    pub(crate) fn heard(&self) -> usize {
        let stage = &*self.stage;
        stage.pager.heard(&stage.cast().network).len()
    }

    /// Everything has arrived.
    pub(crate) fn end(
        mut self,
        flow: Flow,
        rows: Vec<Row>,
        void: usize,
    ) -> Result<With, DrillError> {
        self.stage.until_delivered()?;
        self.note("Everything that honest customers asked for has arrived");
        Ok(With {
            flow,
            rows,
            asked: self.asked,
            timeline: self.moments,
            checks: self.checks,
            void,
            beside: Beside::default(),
        })
    }
}

/// Every account opened and its address in its book; nothing counts yet where its delay has not run.
pub(crate) fn open_accounts(stage: &mut Stage, town: &Town) -> Result<(), DrillError> {
    let customers: Vec<Arc<Customer>> = town.customers().cloned().collect();
    let open = |platform: &Platform, customer: &Arc<Customer>| platform.open(customer);
    all_released(
        "an account opened",
        crowd(&customers, HANDS, || stage.platform.anew(), open),
    )?;
    stage.tell(&format!("{} accounts are open", customers.len()));
    stage.nudge(ENVELOPES)
}

/// Every customer's own addresses put into its book: by an app's owner six days earlier, for a code pays none
/// that is less than a week old.
pub(crate) fn add_addresses(stage: &mut Stage, town: &Town) -> Result<(), DrillError> {
    add_apps_addresses(stage, town)?;
    stage.jump(SIX_DAYS)?;
    add_other_addresses(stage, town)
}

/// How long an app's owner adds its address before the others do.
pub(crate) const SIX_DAYS: Span = Span(6 * DELAY.0);

/// The addresses of those who have an app.
pub(crate) fn add_apps_addresses(stage: &mut Stage, town: &Town) -> Result<(), DrillError> {
    add_all(stage, town, true)
}

/// And everybody else's.
pub(crate) fn add_other_addresses(stage: &mut Stage, town: &Town) -> Result<(), DrillError> {
    add_all(stage, town, false)?;
    stage.tell("Every customer has an address in its book");
    Ok(())
}

fn add_all(stage: &mut Stage, town: &Town, has_app: bool) -> Result<(), DrillError> {
    let customers = town.customers();
    let customers = customers.filter(|customer| customer.app.is_some() == has_app);
    let customers: Vec<Arc<Customer>> = customers.cloned().collect();
    // One after the other for each customer: an authenticator's counter only rises, and a code serves once.
    for number in 0..ASSETS.len() {
        let mut left = customers.iter();
        if !left.any(|customer| customer.addresses.len() > number) {
            break;
        }
        if has_app && number > 0 {
            stage.next_code()?;
        }
        let add = |platform: &Platform, customer: &Arc<Customer>| {
            let address = customer.addresses.get(number);
            let added = address.map(|address| platform.add_address(customer, *address));
            added.unwrap_or(Ok(Answer::Released))
        };
        all_released(
            "an address added",
            crowd(&customers, HANDS, || stage.platform.anew(), add),
        )?;
    }
    Ok(())
}

fn all_released(what: &str, answers: Vec<Result<Answer, DrillError>>) -> Result<(), DrillError> {
    for answer in answers {
        let answer = answer?;
        if answer != Answer::Released {
            return Err(DrillError::InVain(format!("{what}: {}", answer.text())));
        }
    }
    Ok(())
}

/// Compare what was asked, what the chain has and what the journal says; then end.
pub(crate) fn settle_accounts(
    stage: &Stage,
    asked: &[Asked],
    checks: &mut Checks,
) -> Result<Matched, DrillError> {
    let matched = match_up(asked, &stage.all_paid()?);
    let honest = &matched.honest;
    checks.same("honest: wrongly refused", &honest.wrongly_refused, &0);
    checks.same(
        "honest: every withdrawal arrived",
        &honest.released,
        &honest.attempted,
    );
    let held = asked.iter().filter(|asked| asked.waited).count();
    checks.same(
        "honest: what a suspension held went out, each once",
        &matched.waits.len(),
        &held,
    );
    let owed: Vec<(Address, Tally)> = owed(asked).into_iter().collect();
    let has = |chains: &Chains, (payee, owed): &(Address, Tally)| chains.has(*payee, owed);
    let have = stage.chains.look_at(&owed, has)?;
    let wrong = have.iter().filter(|has| !**has).count();
    checks.same(
        "honest: payees whose balance is not what they asked for",
        &wrong,
        &0,
    );
    Ok(matched)
}

/// The attackers got this, by the chain and by the gate's answers.
pub(crate) fn compare_loot(
    stage: &Stage,
    town: &Town,
    flow: &mut Flow,
    checks: &mut Checks,
) -> Result<(), DrillError> {
    let (loot, accounts) = crate::before::stolen(&stage.chains, town)?;
    flow.affected_subjects = accounts;
    checks.same(
        "with: the attackers' addresses on the chain hold what was released to them",
        &loot.to_string(),
        &flow.released.to_string(),
    );
    checks.conserved("with: every attempt is accounted for", flow);
    let tries = stage.forger.tries();
    let name = "with: altered copies of the wallet's signed Bitcoin transactions, mined by the attackers' own miner, that \
                Bitcoin Core's validation refused";
    checks.same(name, &tries.refused, &tries.tried);
    checks.note(
        "with: such copies were tried",
        tries.tried > 0,
        tries.tried.to_string(),
    );
    Ok(())
}
