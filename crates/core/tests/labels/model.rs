//! What the sets in force say, against a list of rows that is read from end to end.

use super::{Row, set_of_day};
use crate::stage::Stage;
use portcullis_chains::caip::Address;
use portcullis_core::labels::ListKind;
use portcullis_labels::{Category, Kind};
use proptest::prelude::*;

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0..24_u8, 0..4_usize, 0..=10_u8).prop_map(|(who, what, risk)| {
        let what = [
            Category::Sanction,
            Category::Mixing,
            Category::Exchange,
            Category::Other,
        ][what];
        (payee(who), what, risk)
    });
    prop::collection::vec(row, 0..40)
}

fn payee(who: u8) -> Address {
    Address::Evm {
        chain: 1 + u64::from(who % 2),
        address: [who / 2; 20],
    }
}

fn lists() -> impl Strategy<Value = Vec<(bool, u8, Vec<Row>)>> {
    prop::collection::vec((any::<bool>(), 0..=10_u8, rows()), 1..4)
}

/// The worst row of each list, then of all.
fn expected(lists: &[(bool, u8, Vec<Row>)], who: Address) -> (Option<(u8, Category)>, bool, bool) {
    let (mut worst, mut refuses, mut holds) = (None, false, false);
    for (is_authority, from, rows) in lists {
        let own = rows.iter().filter(|(whose, ..)| *whose == who);
        let found = own
            .map(|(_, category, risk)| (*risk, core::cmp::Reverse(*category)))
            .max();
        let Some(found) = found else { continue };
        worst = worst.max(Some(found));
        if found.0 >= *from {
            refuses |= is_authority;
            holds |= !is_authority;
        }
    }
    let worst = worst.map(|(risk, category)| (risk, category.0));
    (worst, refuses, holds)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_sets_say_what_their_rows_say(lists in lists()) {
        let mut stage = Stage::new();
        for (number, (is_authority, from, rows)) in (0_u32..).zip(&lists) {
            let kind = if *is_authority { Kind::Authority } else { Kind::Community };
            let set = set_of_day(kind, number, rows);
            stage.lists_from(&format!("list-{number}"), &set, *from);
        }
        for who in 0..24 {
            let sight = stage.state().sight(&payee(who));
            let worst = sight.worst.map(|worst| (worst.risk.get(), worst.category));
            let holds = sight.holds_since.is_some();
            prop_assert_eq!((worst, sight.refuses, holds), expected(&lists, payee(who)));
        }
        prop_assert_eq!(stage.facts().labels.as_ref().unwrap().len(), lists.len());
        let is_authority = |kind: ListKind| kind == ListKind::Authority;
        let said: Vec<bool> = stage.facts().labels.as_ref().unwrap().values().map(|list| is_authority(list.kind)).collect();
        prop_assert_eq!(said, lists.iter().map(|(authority, ..)| *authority).collect::<Vec<_>>());
    }
}
