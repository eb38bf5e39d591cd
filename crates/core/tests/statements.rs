//! Keepers' statements: what is void, and what says nothing new when anybody says it again.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod stage;

use portcullis_chains::Amount;
use portcullis_chains::ethereum::{SignedTx, UnsignedTx};
use portcullis_core::act::{ActKind, Lift, LiftTarget};
use portcullis_core::entry::Body;
use portcullis_core::id::KeeperId;
use portcullis_core::signature::Strict;
use portcullis_core::statement::{Cap, Condition, Says, SignedStatement, Statement};
use portcullis_core::{Digest, VoidReason};
use portcullis_keeper::testkit::World;
use portcullis_keys::software::SoftwareWallet;
use portcullis_keys::{StatementKey, WalletKey as _};
use stage::{Stage, nobody};
use zeroize::Zeroizing;

fn caps(most: u128, number: u64) -> Says {
    let cap = Cap {
        asset: World::ETHER,
        per_transaction: Amount(most),
        day: Amount(most),
    };
    Says::Caps {
        caps: vec![cap],
        number,
    }
}

#[test]
fn old_caps_are_no_news_and_replace_nothing() {
    let mut stage = Stage::new();
    for (most, number) in [(5, 1), (7, 2)] {
        let says = caps(most, number);
        assert!(stage.state().is_news(&stage.signed(says.clone())));
        assert_eq!(stage.says(says).void, None);
    }
    for (most, number) in [(5, 1), (7, 2), (9, 2)] {
        let says = caps(most, number);
        assert!(!stage.state().is_news(&stage.signed(says.clone())));
        assert_eq!(stage.says(says).changes, []);
    }
    let known = &stage.facts().caps[&World::KEEPER];
    assert_eq!((known.number, known.caps[0].day), (2, Amount(7)));
}

#[test]
fn a_latch_that_was_lifted_stays_lifted_when_its_statement_comes_again() {
    let mut stage = Stage::new();
    let (keeper, latch) = (World::KEEPER, Digest([0x1a; 32]));
    let condition = Condition::Shut;
    let says = Says::Latched { latch, condition };
    stage.says(says.clone());
    assert!(stage.facts().latches.contains_key(&(keeper, latch)));
    let target = LiftTarget::Latch { keeper, latch };
    stage.propose(ActKind::Lift(Lift { target }));
    assert!(!stage.state().is_news(&stage.signed(says.clone())));
    assert_eq!(stage.says(says).changes, []);
    assert!(stage.facts().latches.is_empty());
}

/// Changes what a signer says.
type Change<'a> = &'a dyn Fn(&mut Signed<'_>);

/// What the journal holds of a signature is what another can check: the plan's own bytes under the
/// wallet's own key, and the keeper's word that it came to the same effects.
#[test]
fn a_signature_that_does_not_fit_the_journal_is_void() {
    let mut stage = Stage::new();
    let act = stage.withdrawal(5);
    let act = stage.submit(act);
    let other = stage.withdrawal(6);
    let other = stage.submit(other);
    let good = stage.says_signed(act);
    let unsigned = stage.release(act).plans[0].unsigned.clone();
    let by_another = signed_by_a_thief(&unsigned);
    let others_bytes = stage.transaction(&stage.release(other).plans[0].unsigned);
    let others_plan = stage.release(other).plans[0].digest();
    let (entry, none) = (stage.release(other).entry, Digest([9; 32]));
    #[rustfmt::skip] // a table
    let table: [(&str, Change<'_>, bool); 8] = [
        ("as it is",                   &|_| {},                                           true),
        ("by another's key",           &|s| s.transaction.clone_from(&by_another),        false),
        ("another plan's bytes",       &|s| s.transaction.clone_from(&others_bytes),      false),
        ("no transaction",             &|s| s.transaction.clear(),                        false),
        ("another release's plan",     &|s| *s.plan = others_plan,                        false),
        ("nothing that was released",  &|s| *s.act = none,                                false),
        ("other effects",              &|s| *s.effects = none,                            false),
        ("an entry that was resumed since", &|s| (*s.entry, *s.effects) = (entry, none),  true),
    ];
    for (name, change, fits) in table {
        let mut says = good.clone();
        change(&mut Signed::of(&mut says));
        let signed = stage.signed(says.clone());
        assert_eq!(stage.state().accepts(&signed, &Strict), fits, "{name}");
        let void = (!fits).then_some(VoidReason::Statement);
        assert_eq!(stage.branch().says(says).void, void, "{name}");
    }
}

fn signed_by_a_thief(unsigned: &[u8]) -> Vec<u8> {
    let key = SoftwareWallet::new(&Zeroizing::new([0x66; 32])).unwrap();
    let unsigned = UnsignedTx::from_bytes(unsigned).unwrap();
    let signature = key.sign(&unsigned.sighash()).unwrap();
    SignedTx::assemble(unsigned, signature).to_bytes()
}

/// The parts of a `Signed` statement, to be changed.
struct Signed<'a> {
    act: &'a mut Digest,
    entry: &'a mut u64,
    effects: &'a mut Digest,
    plan: &'a mut Digest,
    transaction: &'a mut Vec<u8>,
}

impl<'a> Signed<'a> {
    fn of(says: &'a mut Says) -> Self {
        match says {
            Says::Signed {
                act,
                entry,
                effects,
                plan,
                transaction,
            } => Self {
                act,
                entry,
                effects,
                plan,
                transaction,
            },
            _ => unreachable!(),
        }
    }
}

#[test]
fn a_statement_is_its_keepers_own_and_of_this_network() {
    let stage = Stage::new();
    let good = stage.signed(caps(5, 1));
    let statement = good.statement.clone();
    let mut altered = good.clone();
    altered.statement.says = caps(6, 1);
    let mut unknown = statement.clone();
    unknown.keeper = KeeperId(nobody());
    let mut elsewhere = statement.clone();
    elsewhere.genesis = Digest([9; 32]);
    let by = |key: &dyn StatementKey, statement: &Statement| SignedStatement {
        signature: key.sign(&statement.signed_bytes()).unwrap(),
        statement: statement.clone(),
    };
    let keeper = &*stage.ledger.world.keeper;
    let another = World::key(&World::BOARD.0);
    #[rustfmt::skip] // a table
    let table = [
        ("its own",             good,                      true),
        ("altered since",       altered,                   false),
        ("another's signature", by(&another, &statement),  false),
        ("an unknown keeper",   by(keeper, &unknown),      false),
        ("another network",     by(keeper, &elsewhere),    false),
    ];
    for (name, signed, fits) in table {
        assert_eq!(stage.state().accepts(&signed, &Strict), fits, "{name}");
        let applied = stage
            .branch()
            .ledger
            .enter(Body::Statement(Box::new(signed)));
        let void = (!fits).then_some(VoidReason::Statement);
        assert_eq!(applied.void, void, "{name}");
    }
}
