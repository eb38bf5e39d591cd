//! One list, one label of the payee, one question: the table that says what a list does.

use super::{held, refused, set};
use crate::stage::{PAYEE, STRANGER, Stage, add};
use portcullis_chains::caip::Address;
use portcullis_core::{Decision, Need};
use portcullis_labels::{Category, Kind};

const ON_EVERY_CHAIN: Address = PAYEE;
const ON_ANOTHER: Address = match PAYEE {
    Address::Evm { address, .. } => Address::Evm {
        chain: 137,
        address,
    },
    _ => panic!("the payee is on a chain of eip155"),
};

#[rustfmt::skip]
#[test]
fn what_a_list_does_to_a_withdrawal() {
    use Category::{Exchange, Mixing, Sanction};
    use Kind::{Authority, Community};
    let released = || Decision::Release;
    let looked_at = || held(&[Need::Label]);
    let rows: &[(&str, Kind, u8, Address, Category, u8, Decision)] = &[
        // what                                    kind       from whom            says      risk  comes to
        ("an authority's list refuses",            Authority, 0,  ON_EVERY_CHAIN,  Sanction, 10, refused()),
        ("at every risk, if it says so",           Authority, 0,  ON_EVERY_CHAIN,  Exchange,  0, refused()),
        ("at its own threshold",                   Authority, 7,  ON_EVERY_CHAIN,  Mixing,    7, refused()),
        ("below it it only informs",               Authority, 8,  ON_EVERY_CHAIN,  Mixing,    7, released()),
        ("a community's holds, at the worst",      Community, 0,  ON_EVERY_CHAIN,  Sanction, 10, looked_at()),
        ("at its own threshold",                   Community, 7,  ON_EVERY_CHAIN,  Mixing,    7, looked_at()),
        ("below it it only informs",               Community, 8,  ON_EVERY_CHAIN,  Mixing,    7, released()),
        ("somebody else is nobody's affair",       Authority, 0,  STRANGER,        Sanction, 10, released()),
        ("nor the same address on another chain",  Authority, 0,  ON_ANOTHER,      Sanction, 10, released()),
    ];
    for (what, kind, from, whom, says, risk, expected) in rows {
        let mut stage = Stage::new();
        stage.lists_from("list", &set(*kind, &[(*whom, *says, *risk)]), *from);
        assert_eq!(stage.withdraws(), *expected, "{what}: {kind:?} from {from}");
    }
}

/// An address that is added goes nowhere yet: only what refuses for good refuses here.
#[test]
fn what_a_list_does_to_a_new_address() {
    for (kind, expected) in [
        (Kind::Authority, refused()),
        (Kind::Community, Decision::Release),
    ] {
        let mut stage = Stage::new();
        stage.lists("list", &set(kind, &[(STRANGER, Category::Sanction, 10)]));
        let act = stage.customers(add(STRANGER));
        assert_eq!(stage.decide(&act, &stage.prove(&act)), expected, "{kind:?}");
    }
}

/// What stands behind an account may be written in more ways than lists read: the account's own label counts in any case.
#[test]
fn a_memo_that_no_list_reads_hides_nobody() {
    let account = "xrpl:0:rnXyVQzgxZe7TR1EPzTkGj2jxH4LMJYh66";
    for memo in ["", "?dt=7", "?dt=007", "?tag=7", "?memo=x"] {
        let mut stage = Stage::new();
        let listed = (account.parse().unwrap(), Category::Sanction, 10);
        stage.lists("list", &set(Kind::Authority, &[listed]));
        let to = format!("{account}{memo}").parse().unwrap();
        let act = stage.customers(add(to));
        assert_eq!(stage.decide(&act, &stage.prove(&act)), refused(), "{memo}");
    }
}

/// The address on every chain, as most lists mean it.
#[test]
fn a_label_on_every_chain_covers_each() {
    use portcullis_labels::{Date, Draft, Header, Key, Rating, Risk};
    let mut draft = Draft::new();
    let rating = Rating {
        risk: Risk::MAX,
        category: Category::Sanction,
    };
    let wide = Key::try_from(PAYEE).unwrap().wider().unwrap();
    draft.add(wide, rating, "everywhere").unwrap();
    let day = Date::from_days(20_000).unwrap();
    let header = Header::new(Kind::Authority, day, "a court").unwrap();
    let mut stage = Stage::new();
    stage.lists("court", &std::sync::Arc::new(draft.build(&header)));
    assert_eq!(stage.withdraws(), refused());
}

/// Of several lists the strictest counts, and the worst is what policy is told.
#[test]
fn of_several_lists_the_strictest_counts() {
    let mut stage = Stage::new();
    let community = set(Kind::Community, &[(PAYEE, Category::Mixing, 7)]);
    stage.lists_from("desk", &community, 0);
    assert_eq!(stage.withdraws(), held(&[Need::Label]));
    let authority = set(Kind::Authority, &[(PAYEE, Category::Sanction, 10)]);
    stage.lists("ofac", &authority);
    assert_eq!(stage.withdraws(), refused());
    let worst = stage.state().sight(&PAYEE).worst.unwrap();
    assert_eq!((worst.risk.get(), worst.category), (10, Category::Sanction));
    stage.unlists("ofac");
    assert_eq!(stage.withdraws(), held(&[Need::Label]));
    stage.unlists("desk");
    assert_eq!(stage.withdraws(), Decision::Release);
    assert_eq!(stage.facts().labels, None, "as before there were any");
}
