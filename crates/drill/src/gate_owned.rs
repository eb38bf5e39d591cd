//! The variant `gate-owned`: the attackers are root on the gate's host.
//!
//! They have the journal's signing key and files, its configuration, and every request that ever came
//! in, whole. The witnesses cosign whatever extends the log. They do not have the keepers.

use crate::answer::{Answer, Cause};
use crate::attack::{Book, Job, On, Seen, Tried, Way};
use crate::cast::Cast;
use crate::error::DrillError;
use crate::forge::{Astray, Forge};
use crate::people::{Slice, Town};
use crate::platform::Platform;
use crate::purse::Purse;
use portcullis_chains::caip::Address;
use portcullis_core::act::{Act, ActKind};
use portcullis_core::{Evidence, Reason, Span};
use std::path::{Path, PathBuf};

macro_rules! ways {
    ($($name:ident $on:ident $text:literal $cause:expr;)*) => {
        $(pub(crate) const $name: Way = Way {
            name: $text,
            on: On::$on,
            met_by: Some(Answer::Void($cause)),
        };)*
        /// All of them, in the table's order.
        pub(crate) const WAYS: &[Way] = &[$($name),*];
    };
}

ways! {
    NOTHING Everybody "released without any evidence" Cause::Refused(Reason::FactorMissing);
    NO_FACTOR Everybody "released on the back end's word and the ledger's, without a factor" Cause::Refused(Reason::FactorMissing);
    SOMEBODY_ELSES Passkey "released on another customer's assertion" Cause::Refused(Reason::FactorUnknown);
    EARLIER Passkey "released on an earlier assertion of the customer's" Cause::Refused(Reason::PasskeyChallenge);
    WHOLE_AGAIN Everybody "an earlier withdrawal released a second time, whole" Cause::Refused(Reason::Replayed);
    OTHER_PAYEE Passkey "a genuine act never answered, its payee exchanged" Cause::Refused(Reason::PasskeyChallenge);
    OTHER_PLAN Passkey "a genuine act released, its planned bytes paying the attackers" Cause::OtherPlan;
    EARLY Passkey "a held act released before the new address' delay had run" Cause::StillHeld;
    DELAY_DATED_BACK Passkey "cosignatures dated back a day, as if a new address' delay had run" Cause::NoQuorum;
    BACKDATED Passkey "a release dated before the entries that it follows" Cause::TimeGoesBack;
    COINS_PAYEE Coins "a genuine act of coins settled, its plan paying the attackers" Cause::OtherPlan;
    COINS_CHANGE Coins "a genuine act of coins settled, its plan's change going to the attackers" Cause::OtherPlan;
    COINS_FEE Coins "a genuine act of coins settled, its plan leaving what it can to a miner" Cause::Fee;
    CODE_LARGE Large "released on an app's code: more than a code lets out" Cause::Refused(Reason::OverCodeLimit);
    CODE_STRANGER Little "released on an app's code, to a fresh address" Cause::Refused(Reason::AddressUnknown);
    CODE_UNJUDGED Little "released on an app's code that the herald has not judged" Cause::StillHeld;
    CODE_EARLIER Little "released on the code that the herald judged for an earlier withdrawal" Cause::StillHeld;
}

/// What root finds on the gate's host.
pub(crate) struct OnHost {
    /// By customer: an earlier withdrawal, accepted.
    pub(crate) accepted: Vec<Seen>,
    /// By job: a genuine act that was never answered. Nothing yet before root keeps any back.
    pub(crate) unanswered: Vec<Option<Seen>>,
    /// By job: an act that waits, for its new address' delay or for those with whom it is paid.
    pub(crate) waiting: Vec<Option<Act>>,
}

/// What root wrote.
pub(crate) struct Written {
    /// What everybody who decides again makes of each release by itself, behind what was there before.
    pub(crate) book: Book,
    /// The first release's index in the journal.
    pub(crate) first: u64,
    /// How many entries.
    pub(crate) entries: usize,
}

/// Root at work on the journal.
pub(crate) struct Root<'a> {
    pub(crate) town: &'a Town,
    pub(crate) platform: &'a Platform,
    pub(crate) host: &'a OnHost,
    /// What the wallet of coins can spend, by the gate's own node.
    pub(crate) purse: &'a Purse,
}

impl Root<'_> {
    /// Write every withdrawal into the journal of a gate that is down.
    pub(crate) fn forge(&self, cast: &Cast, jobs: &[Job]) -> Result<Written, DrillError> {
        let mut forge = Forge::open(cast, self.purse)?;
        let (mut book, mut first) = (Book::default(), None);
        for (at, job) in jobs.iter().enumerate() {
            let answer = self.write(&mut forge, at, job)?;
            book.tried.push(Tried::of(job, answer));
            first = first.or(Some(forge.newest()));
        }
        Ok(Written {
            book,
            first: first.ok_or_else(missing)?,
            entries: forge.append()?,
        })
    }

    fn write(&self, forge: &mut Forge, at: usize, job: &Job) -> Result<Answer, DrillError> {
        let now = forge.time().max(self.platform.now());
        let thief = job.slice.thief;
        let earlier = &self.host.accepted[job.victim];
        let unanswered = self.host.unanswered[at].as_ref();
        match job.way {
            EARLY => {
                let waiting = self.host.waiting[at].as_ref().ok_or_else(missing)?;
                forge.settle(waiting, now)
            }
            DELAY_DATED_BACK => {
                let waiting = self.host.waiting[at].as_ref().ok_or_else(missing)?;
                // No two alike: equal entries would shut the gate but once.
                let dated_back = forge.backdate(Span::hours(25 + at as u64))?;
                match forge.settle(waiting, now)? {
                    // The release that the forged checkpoint was for counts no more than by itself.
                    Answer::Void(Cause::StillHeld) => Ok(dated_back),
                    other => Ok(other),
                }
            }
            _ if waits_for_batch(job) => self.settle_astray(forge, at, job),
            WHOLE_AGAIN => {
                let to = payee(&earlier.act)?;
                forge.release(earlier.act.clone(), earlier.evidence.clone(), to, now)
            }
            OTHER_PLAN => {
                let seen = unanswered.ok_or_else(missing)?.clone();
                forge.release(seen.act, seen.evidence, thief, now)
            }
            BACKDATED => {
                let seen = unanswered.ok_or_else(missing)?.clone();
                let day_before = now.before(Span::hours(25));
                forge.release(
                    seen.act.clone(),
                    seen.evidence,
                    payee(&seen.act)?,
                    day_before,
                )
            }
            OTHER_PAYEE => {
                let seen = unanswered.ok_or_else(missing)?;
                let mut act = seen.act.clone();
                act.kind = to_thief(&job.slice);
                let assertions = seen.evidence.assertions.clone();
                let evidence = Evidence {
                    assertions,
                    ..Evidence::default()
                };
                forge.release(act.clone(), self.fresh(&act, evidence)?, thief, now)
            }
            _ => {
                let (act, evidence) = self.invented(job)?;
                let to = payee(&act)?;
                forge.release(act, evidence, to, now)
            }
        }
    }

    /// Settle an act of coins whose batch is due by now, by a plan that is not its own.
    fn settle_astray(&self, forge: &mut Forge, at: usize, job: &Job) -> Result<Answer, DrillError> {
        let waiting = self.host.waiting[at].as_ref().ok_or_else(missing)?;
        let Slice { money, thief } = job.slice;
        let plan = match job.way {
            COINS_CHANGE => Astray::Change(money, thief),
            COINS_FEE => Astray::Fee,
            _ => Astray::Payee(money, thief),
        };
        let now = forge.time().max(self.platform.now());
        forge.settle_astray(waiting, plan, now)
    }

    /// An act that no customer has seen, with what a way brings for it.
    fn invented(&self, job: &Job) -> Result<(Act, Evidence), DrillError> {
        let customer = &self.town.victims[job.victim].customer;
        let (principal, account) = (customer.principal, customer.account);
        let mut act = self.host.accepted[job.victim].act.clone();
        act.id = portcullis_core::id::ActId(self.platform.cast.machine.random.array());
        act.kind = match job.way {
            // A code pays what has stood in the book for long, and nothing else.
            CODE_LARGE | CODE_UNJUDGED | CODE_EARLIER => {
                let money = job.slice.money;
                money.paid_to(customer.address(money.asset))
            }
            _ => to_thief(&job.slice),
        };
        debug_assert_eq!((act.principal, act.account), (principal, Some(account)));
        let of = |victim: usize| Evidence {
            assertions: self.host.accepted[victim].evidence.assertions.clone(),
            ..Evidence::default()
        };
        let evidence = match job.way {
            NOTHING => Evidence::default(),
            SOMEBODY_ELSES => {
                let other = self.town.next_with_passkey(job.victim);
                self.fresh(&act, of(other))?
            }
            EARLIER => self.fresh(&act, of(job.victim))?,
            CODE_LARGE | CODE_STRANGER | CODE_UNJUDGED => {
                let app = customer.app.as_ref().ok_or_else(missing)?;
                let digits = app.wrong(self.platform.now())?;
                let code = self.platform.by_code(app, &digits, act.digest())?;
                self.fresh(&act, code)?
            }
            CODE_EARLIER => {
                let code = self.host.accepted[job.victim].evidence.code.clone();
                let evidence = Evidence {
                    code,
                    ..Evidence::default()
                };
                self.fresh(&act, evidence)?
            }
            _ => self.fresh(&act, Evidence::default())?,
        };
        Ok((act, evidence))
    }

    /// The strongest that could stand beside a factor's proof: the back end's own signature over this very
    /// act, and the ledger's debit. (Root on the gate alone has neither; it may have tricked both.)
    fn fresh(&self, act: &Act, proof: Evidence) -> Result<Evidence, DrillError> {
        let evidence = self.platform.debited(act, proof)?;
        self.platform.as_received(act, evidence)
    }
}

/// Whether root settles an act of the customer's that waits for those with whom it is paid: of coins none is released as
/// it comes.
pub(crate) fn waits_for_batch(job: &Job) -> bool {
    job.way.on == On::Coins || (job.way == OTHER_PLAN && job.slice.money.asset.is_of_coins())
}

fn to_thief(slice: &Slice) -> ActKind {
    slice.money.paid_to(slice.thief)
}

fn payee(act: &Act) -> Result<Address, DrillError> {
    match &act.kind {
        ActKind::Withdraw(withdraw) => Ok(withdraw.to),
        _ => Err(missing()),
    }
}

fn missing() -> DrillError {
    DrillError::Journal("root found nothing to forge with".into())
}

/// The gate's configuration as root leaves it: every stop board somewhere that nobody answers.
pub(crate) fn cut_boards(config: &Path) -> Result<PathBuf, DrillError> {
    let failed = |error| DrillError::File(config.to_owned(), error);
    let text = std::fs::read_to_string(config).map_err(failed)?;
    let mut is_board = false;
    let lines = text.lines().map(|line| {
        is_board = if line.starts_with('[') {
            line == "[boards]"
        } else {
            is_board
        };
        match line.split_once(" = ") {
            Some((id, _)) if is_board => format!("{id} = \"http://127.0.0.1:9\""),
            _ => line.to_owned(),
        }
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let cut = config.with_file_name("gate-without-boards.toml");
    std::fs::write(&cut, text).map_err(failed)?;
    Ok(cut)
}
