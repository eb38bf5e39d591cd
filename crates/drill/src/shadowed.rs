//! The shadow report of the flow as it was: what `portcullis shadow` says of the platform's own records.
//!
//! The day is what the back end as it was really recorded. The four weeks before it, from which shadow learns what
//! is usual, come from the seed and stand in the export only: nothing of them was sent.

use crate::as_it_was::Record;
use crate::checks::Checks;
use crate::dice::Dice;
use crate::error::DrillError;
use crate::money::{ASSETS, Money};
use crate::outcome::{Flow, Tally};
use crate::people::{Customer, Town};
use portcullis_chains::Amount;
use portcullis_core::rfc3339::rfc3339;
use portcullis_core::{Span, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// How far back the records go.
const DAYS: u64 = 28;
/// Shadow only learns addresses for a week; each customer has paid its own once by then.
const LEARNT: u64 = 6;
/// So many days after that a code may pay it by itself.
const OLD: u64 = 8;
/// Minutes of a day.
const DAY: u64 = 24 * 60;
/// Digits behind the point of whatever shadow counts.
const PLACES: u32 = 18;

/// What shadow says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shadowed {
    /// Withdrawals in the export.
    pub judged: u64,
    /// Those that would have gone out at once.
    pub out: u64,
    /// Those that would have waited, or been refused.
    pub stopped: Tally,
    /// How many of them nothing but the platform's own word proved.
    pub without_factor: u64,
    /// The patterns that it shows, with the rows of each: the first few stand in none, as nobody could have known yet.
    pub patterns: BTreeMap<String, u64>,
    /// The page for people.
    #[serde(skip)]
    pub page: String,
}

/// As the file has it that shadow writes, as far as a drill looks.
#[derive(Deserialize)]
struct Said {
    judged: Count,
    out: Count,
    held: Count,
    refused: Count,
    grounds: BTreeMap<String, Count>,
    episodes: Vec<Episode>,
}

#[derive(Deserialize)]
struct Count {
    count: u64,
    amounts: BTreeMap<String, Amount>,
}

#[derive(Deserialize)]
struct Episode {
    pattern: String,
    rows: u64,
}

/// Write the platform's records as it would export them, and have the real program look at them.
pub(crate) fn look(
    seed: u64,
    town: &Town,
    records: &[Record],
    (binary, folder): (&Path, &Path),
) -> Result<Shadowed, DrillError> {
    let at = |name: &str| folder.join(name);
    let (from, page, data) = (at("withdrawals.csv"), at("shadow.html"), at("shadow.json"));
    let began = records.iter().map(|record| record.time).min();
    let mut all = history(seed, town, began.unwrap_or_default());
    all.extend_from_slice(records);
    std::fs::write(&from, export(&all)).map_err(|error| DrillError::File(from.clone(), error))?;
    let mut command = Command::new(binary);
    command.arg("shadow").arg("--from").arg(&from);
    command.arg("--report").arg(&page).arg("--json").arg(&data);
    let done = command.stdin(Stdio::null()).output();
    let done = done.map_err(|error| DrillError::File(binary.to_owned(), error))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(DrillError::AsItWas(format!("its shadow report: {said}")));
    }
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| DrillError::File(path.to_owned(), error))
    };
    let said: Said = serde_json::from_str(&read(&data)?)
        .map_err(|error| DrillError::AsItWas(format!("its shadow report: {error}")))?;
    Ok(said.shadowed(read(&page)?))
}

impl Said {
    fn shadowed(self, page: String) -> Shadowed {
        let mut patterns = BTreeMap::new();
        for episode in self.episodes {
            *patterns.entry(episode.pattern).or_default() += episode.rows;
        }
        Shadowed {
            judged: self.judged.count,
            out: self.out.count,
            stopped: [self.held.tally(), self.refused.tally()].into_iter().sum(),
            without_factor: self
                .grounds
                .get("no-factor")
                .map_or(0, |ground| ground.count),
            patterns,
            page,
        }
    }
}

impl Count {
    /// Shadow has one grain for all assets, finer than that of any.
    fn tally(&self) -> Tally {
        let amounts = ASSETS.map(|asset| {
            let counted = self.amounts.get(asset.name).copied().unwrap_or_default();
            let finer = 10_u128.pow(PLACES - u32::from(asset.decimals));
            (asset.id, Amount(counted.0 / finer))
        });
        Tally {
            count: self.count,
            amounts: amounts.into(),
        }
    }
}

impl Shadowed {
    /// What left is what shadow would have stopped, to the base unit, and nothing else of that day or the weeks before.
    pub(crate) fn check(&self, checks: &mut Checks, flow: &Flow, honest: u64) {
        checks.same(
            "shadow: withdrawals in the platform's records that would have been stopped",
            &self.stopped.count,
            &flow.released.count,
        );
        checks.same(
            "shadow: together",
            &self.stopped.to_string(),
            &flow.released.to_string(),
        );
        let day = flow.released.count.saturating_add(honest);
        let before = self.judged.saturating_sub(day);
        checks.same(
            "shadow: honest withdrawals of the day that would have gone out at once",
            &self.out.saturating_sub(before),
            &honest,
        );
        checks.same(
            "shadow: of those proved by nothing but the platform's own word",
            &self.without_factor,
            &flow.released.count,
        );
        let together = self
            .patterns
            .get("without-factor")
            .copied()
            .unwrap_or_default();
        checks.note(
            "shadow: most of them stand together as one pattern of attack",
            together > flow.released.count / 2,
            format!("{together} of {}", flow.released.count),
        );
    }
}

/// Four weeks before that day: every customer pays its own address with a code, once in the first days and up to
/// three times since.
fn history(seed: u64, town: &Town, until: Time) -> Vec<Record> {
    let mut dice = Dice::new(seed, "the weeks before");
    let began = until.before(Span::hours(24 * DAYS));
    let mut records = Vec::new();
    for customer in town.customers() {
        let first = dice.below(LEARNT * DAY);
        let later = dice.below(4);
        let minutes = (0..later).map(|_| dice.between(first + OLD * DAY, (DAYS - 1) * DAY));
        let minutes: Vec<u64> = [first].into_iter().chain(minutes).collect();
        records.extend(minutes.into_iter().map(|minute| {
            let time = began.after(Span::seconds(minute * 60 + dice.below(60)));
            let asset = customer.money.asset;
            let grains = dice.between(asset.usual.0, asset.usual.1);
            let amount = Amount(asset.grain.0 * u128::from(grains));
            own(customer, time, asset.much(amount))
        }));
    }
    records.sort_by_key(|record| record.time);
    records
}

/// A customer's withdrawal to its own address, with a code.
fn own(customer: &Customer, time: Time, money: Money) -> Record {
    Record {
        time,
        account: customer.account.to_string(),
        to: customer.address(money.asset),
        money,
        code_checked: true,
    }
}

/// As CSV. What the flag said is in no column: that the code was checked is another service's log, joined by session.
fn export(records: &[Record]) -> String {
    let mut text = "id,time,account,asset,amount,to,factor\n".to_owned();
    for (at, record) in records.iter().enumerate() {
        let factor = if record.code_checked { "totp" } else { "none" };
        let (money, asset) = (record.money, record.money.asset.name);
        let _ = writeln!(
            text,
            "w{},{},{},{asset},{},{},{factor}",
            at + 1,
            rfc3339(record.time),
            record.account,
            money.digits(),
            record.to,
        );
    }
    text
}
