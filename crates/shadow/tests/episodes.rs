//! An episode is all of its rows, from the first on, and says what would have become of each.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use portcullis_chains::Amount;
use portcullis_core::{Span, Time};
use portcullis_shadow::judge::{Episode, Pattern};
use portcullis_shadow::mapping::Noted;
use portcullis_shadow::{Factor, Mapping, Report, Row, Shadow, Terms};

const BEGIN: Time = Time(1_780_272_000_000);
const DAY: u64 = Span::hours(24).0;
const HOUR: u64 = Span::hours(1).0;
const ETH: u128 = 1_000_000_000_000_000_000;

/// A customer's withdrawal to its own old address, with a passkey.
fn row(time: u64, account: &str, amount: u128, to: &str) -> Row {
    Row {
        time: Time(BEGIN.0 + time),
        number: time,
        id: format!("{account}@{time}"),
        account: account.into(),
        asset: "ETH".into(),
        amount: Amount(amount),
        to: to.into(),
        factor: Factor::Passkey,
        factor_since: None,
        contact_since: None,
        address_since: Some(BEGIN),
        went_out: true,
        file: 0,
        line: 0,
    }
}

/// Ten days in which forty customers pay themselves, each another amount; then these, one every ten minutes.
fn judged(thefts: impl IntoIterator<Item = Row>) -> Vec<Episode> {
    let mut shadow = Shadow::new(Terms::default());
    for day in 0..10 {
        for customer in 0..40_u64 {
            let (account, amount) = (
                format!("a{customer}"),
                ETH + u128::from(day * 40 + customer),
            );
            let time = day * DAY + customer * 1_000;
            shadow.take(row(time, &account, amount, &format!("own-{customer}")));
        }
    }
    for (mut theft, n) in thefts.into_iter().zip(0..) {
        theft.time = Time(BEGIN.0 + 10 * DAY + n * HOUR / 6);
        shadow.take(theft);
    }
    shadow.report().episodes
}

#[test]
fn the_first_row_without_its_factor_is_a_pattern() {
    for n in 1..=5_u64 {
        let theft = (0..n).map(|at| Row {
            factor: Factor::None,
            ..row(0, &format!("a{at}"), ETH, &format!("thief-{at}"))
        });
        let episodes = judged(theft);
        assert_eq!(episodes.len(), 1, "{n}: {episodes:?}");
        let found = &episodes[0];
        assert_eq!(
            (found.pattern, found.rows, found.accounts, found.refused),
            (Pattern::WithoutFactor, n, n, n)
        );
    }
    let never_had_one = Row {
        factor: Factor::None,
        ..row(0, "b", ETH, "own-b")
    };
    assert_eq!(judged([never_had_one]), []);
}

/// Equal sums to addresses that the platform's file says are old enough not to wait.
fn alike(n: u64) -> Vec<Row> {
    let theft = (0..n).map(|at| Row {
        address_since: Some(Time(BEGIN.0 + 10 * DAY)),
        ..row(0, &format!("a{at}"), 70 * ETH + 1, &format!("thief-{at}"))
    });
    theft.collect()
}

#[test]
fn those_that_went_before_anybody_could_see_it_stand_in_the_episode() {
    assert_eq!(judged(alike(5)), []);
    for n in [6, 7, 18] {
        let episodes = judged(alike(n));
        assert_eq!(episodes.len(), 1, "{n}: {episodes:?}");
        let found = &episodes[0];
        assert_eq!(
            (found.pattern, found.rows, found.accounts),
            (Pattern::Alike, n, n)
        );
        assert_eq!(found.first, Time(BEGIN.0 + 10 * DAY));
        assert_eq!(found.examples[0].account, "a0");
        assert_eq!(found.common, "70.000000000000000001 ETH");
    }
}

#[test]
fn an_episode_says_how_many_would_have_been_held_and_how_many_had_gone() {
    let theft = (0..18).map(|at| row(0, &format!("a{at}"), ETH + at, "thief"));
    let episodes = judged(theft);
    assert_eq!(episodes.len(), 1, "{episodes:?}");
    let found = &episodes[0];
    assert_eq!(found.pattern, Pattern::Together);
    assert_eq!(
        (found.rows, found.out, found.held, found.refused),
        (18, 5, 13, 0)
    );
}

/// Two thefts at one place: within a day they are one, later two, and no row stands in both.
#[test]
fn a_row_stands_in_one_episode_of_a_pattern() {
    let theft = |time: u64, many: u64| {
        (0..many).map(move |at| {
            let time = 10 * DAY + time + at * 60_000;
            row(time, &format!("a{at}"), ETH + u128::from(time), "thief")
        })
    };
    // A day later ten are usual there.
    for (hours, many, want) in [(13, 10, vec![20]), (25, 40, vec![40, 10])] {
        let mut shadow = Shadow::new(Terms::default());
        shadow.take(row(0, "b", ETH, "own-b"));
        for row in theft(0, 10).chain(theft(hours * HOUR, many)) {
            shadow.take(row);
        }
        let episodes = shadow.report().episodes;
        let rows: Vec<u64> = episodes.iter().map(|episode| episode.rows).collect();
        assert_eq!(rows, want, "{episodes:?}");
    }
}

/// Two exports that overlap, and a copy that is sent again.
#[test]
fn the_same_row_counts_once_and_is_answered_as_before() {
    let mut shadow = Shadow::new(Terms::default());
    let first = Row {
        factor: Factor::Weak,
        ..row(0, "a", ETH, "own-a")
    };
    let answer = shadow.take(first.clone());
    let again = shadow.take(Row {
        file: 1,
        line: 9,
        number: 2,
        ..first.clone()
    });
    assert_eq!(
        (again.would, &again.grounds),
        (answer.would, &answer.grounds)
    );
    assert!(again.again && !answer.again);
    // Other steps of the same withdrawal, and rows that have no name.
    shadow.take(Row {
        went_out: false,
        ..first.clone()
    });
    shadow.take(Row {
        time: Time(BEGIN.0 + 1),
        ..first.clone()
    });
    for _ in 0..2 {
        shadow.take(Row {
            id: String::new(),
            ..first.clone()
        });
    }
    let report = shadow.report();
    let tally = &report.tally;
    assert_eq!(
        (tally.judged.count, tally.repeated, tally.same_ids),
        (5, 1, 2)
    );
    assert_eq!(report.weak_alone, 1);
    shadow.take(row(DAY, "a", ETH, "own-a"));
    assert_eq!(shadow.report().weak_alone, 0);
}

/// One row with a wrong year, before all others or after them, changes nothing that is said of these.
#[test]
fn a_row_far_from_the_others_neither_ends_the_week_of_learning_nor_holds_it() {
    let month: Vec<Row> = (0..20 * 40)
        .map(|n| {
            let (day, customer) = (n / 40, n % 40);
            let to = format!("own-{customer}-{}", day / 4);
            Row {
                address_since: None,
                ..row(day * DAY + customer, &format!("a{customer}"), ETH, &to)
            }
        })
        .collect();
    let held = |far: Option<u64>| {
        let mut shadow = Shadow::new(Terms::default());
        let mut rows = month.clone();
        rows.extend(far.map(|time| Row {
            time: Time(time),
            address_since: None,
            ..row(0, "far", ETH, "far")
        }));
        rows.sort_by_key(|row| row.time);
        for row in rows {
            shadow.take(row);
        }
        let report = shadow.report();
        let held = report.tally.held.count;
        (held, warnings(report).len())
    };
    let (want, _) = held(None);
    assert!(want > 0, "the book is learnt");
    for far in [0, BEGIN.0 - 365 * DAY, BEGIN.0 + 900 * 365 * DAY] {
        assert_eq!(held(Some(far)), (want, 1), "{far}");
    }
}

/// Eight thousand merchants, each paid by ten accounts on the day of a sale.
#[test]
fn many_patterns_at_once_take_no_longer_for_each() {
    let took = |places: u64| {
        let mut shadow = Shadow::new(Terms::default());
        shadow.take(row(0, "b", ETH, "own-b"));
        let begun = std::time::Instant::now();
        for n in 0..places * 10 {
            let (account, to) = (format!("a{n}"), format!("place-{}", n / 10));
            shadow.take(row(10 * DAY + n, &account, ETH + u128::from(n), &to));
        }
        let rows = shadow.report().tally.judged.count;
        assert_eq!(rows, places * 10 + 1);
        begun.elapsed()
    };
    let (few, many) = (took(1_000), took(8_000));
    assert!(many < few * 24, "{few:?} for 1,000, {many:?} for 8,000");
}

fn warnings(report: Report) -> Vec<String> {
    let mapping = Mapping::parse("").unwrap();
    report
        .of_files(Vec::new(), &mapping, &Noted::default())
        .warnings
}

/// Beyond ten thousand at once, those that were quiet longest are over, and the report says so.
#[test]
fn patterns_that_go_on_are_bounded() {
    let mut shadow = Shadow::new(Terms::default());
    shadow.take(row(0, "b", ETH, "own-b"));
    for n in 0..10_050_u64 * 6 {
        let (account, to) = (format!("a{n}"), format!("place-{}", n / 6));
        shadow.take(row(10 * DAY + n, &account, ETH + u128::from(n), &to));
    }
    let report = shadow.report();
    assert_eq!(report.episodes.len(), 1_000);
    assert_eq!(report.tally.forgotten.episodes, 50);
    let warnings = warnings(report);
    assert!(warnings[0].contains("50 patterns"), "{warnings:?}");
}

#[test]
fn rows_meet_however_their_address_and_asset_are_spelt() {
    let thief = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    let spelt = [
        thief.to_owned(),
        thief.to_lowercase(),
        thief[2..].to_uppercase(),
    ];
    let theft = (0..18_u64).map(|at| {
        let to = &spelt[usize::try_from(at % 3).unwrap()];
        row(0, &format!("a{at}"), ETH + u128::from(at), to)
    });
    let found = judged(theft);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].pattern, found[0].rows), (Pattern::Together, 18));
    assert_eq!(found[0].common, thief);

    let mut theft = alike(18);
    theft
        .iter_mut()
        .step_by(2)
        .for_each(|row| row.asset = "eth".into());
    let found = judged(theft);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].pattern, found[0].rows), (Pattern::Alike, 18));
}

#[test]
fn a_limit_is_met_in_whatever_case_its_asset_is_written() {
    let terms = Terms::parse("[limits.ETH]\nday = \"1.5\"").unwrap();
    let mut shadow = Shadow::new(terms);
    for (asset, want) in [("eth", 0), ("ETH", 1), ("Eth", 1)] {
        let answer = shadow.take(Row {
            asset: asset.into(),
            id: asset.into(),
            ..row(DAY, "a", ETH, "own-a")
        });
        assert_eq!(answer.grounds.len(), want, "{asset}");
    }
}
