//! A signer that gives mandates: what a wallet service gets, and what it never gets.

use crate::bench::{Bench, PAYEE, config};
use crate::rotated::{FRESH, rotate};
use portcullis_core::act::{ActKind, Void};
use portcullis_core::genesis::Genesis;
use portcullis_core::signature::PublicKey;
use portcullis_core::state::release::{End, Withheld};
use portcullis_core::statement::Says;
use portcullis_core::{Digest, Span};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Ledger, World, id};
use portcullis_mandate::{Once, Payment, Refused, Signed, Verifier};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

/// An hour, as the genesis of these tests says.
const HOLDS: Span = Span::hours(1);

fn by_mandate(genesis: &mut Genesis) {
    genesis.wallets[0].mandate = Some(HOLDS);
    genesis.wallets[0].fee_ceiling = portcullis_chains::Amount::ZERO;
}

fn bench() -> Bench {
    let mut config = config("");
    config.keys.wallets.clear();
    config.chains.clear();
    Bench::on(World::with(by_mandate), config)
}

/// The wallet service's table of payments.
#[derive(Default)]
struct Paid(BTreeSet<[u8; 32]>);

impl Once for Paid {
    type Error = Infallible;

    fn first(&mut self, act: &[u8; 32]) -> Result<bool, Infallible> {
        Ok(self.0.insert(*act))
    }
}

fn verifier(world: &World) -> Verifier {
    let keeper = world.network.keeper(World::KEEPER).unwrap();
    let PublicKey::Ed25519(key) = &keeper.key else {
        panic!("{:?}", keeper.key)
    };
    Verifier {
        network: world.digest().0,
        wallet: World::WALLET.0,
        keys: vec![*key.as_bytes()],
    }
}

/// What the signer has stated as signed, in order, each once however often it was posted.
fn stated(bench: &Bench) -> Vec<Vec<u8>> {
    let mut stated = Vec::new();
    for said in &bench.wire().statements {
        if let Says::Signed { transaction, .. } = &said.statement.says
            && !stated.contains(transaction)
        {
            stated.push(transaction.clone());
        }
    }
    stated
}

fn end(bench: &Bench, act: Digest) -> Option<End> {
    let wire = bench.wire();
    let ended = wire.ledger.state.facts().ended.get(&act).copied();
    ended.map(|ended| ended.end)
}

fn give_up(ledger: &mut Ledger, release: Digest) {
    let void = ledger.act(World::OPERATOR, ActKind::Void(Void { release }));
    let evidence = ledger.staffs_evidence(&void);
    ledger.submit(void, evidence);
}

#[test]
fn a_released_withdrawal_is_permitted_once_and_that_ends_it() {
    let mut bench = bench();
    let act = bench.withdraw(700);
    bench.run(3);
    let [mandate] = stated(&bench).try_into().unwrap();
    let now = bench.clock.now().0;
    let world = bench.wire().ledger.world.clone();
    let (verifier, mut paid) = (verifier(&world), Paid::default());
    let payment = Payment {
        asset: World::ETHER.to_string(),
        to: PAYEE.to_string(),
        amount: 700,
    };
    assert_eq!(verifier.admit(&mandate, now, &mut paid), Ok(payment));
    let again = verifier.admit(&mandate, now, &mut paid);
    assert_eq!(again, Err(Refused::Again));
    assert_eq!(
        end(&bench, act),
        Some(End::Confirmed(Digest::plain(&mandate)))
    );

    assert_eq!(bench.run(30), 0, "nothing is signed twice");
    assert_eq!(stated(&bench).len(), 1);
    assert!(bench.node.chain().got.is_empty(), "no chain is spoken to");
    assert_eq!(bench.alarms(), Vec::<String>::new());
}

#[test]
fn numbers_follow_one_another_and_expiry_is_an_hour_after_the_entry() {
    let mut bench = bench();
    let released = bench.clock.now();
    let acts = [bench.withdraw(1), bench.withdraw(2)];
    bench.run(3);
    let read = |bytes: &Vec<u8>| Signed::from_bytes(bytes).unwrap().mandate;
    let mut mandates = stated(&bench);
    mandates.sort_by_key(|bytes| read(bytes).number);
    let numbers: Vec<u64> = mandates.iter().map(|bytes| read(bytes).number).collect();
    assert_eq!(numbers, [0, 1]);
    let named: Vec<Digest> = mandates.iter().map(|b| Digest(read(b).act)).collect();
    assert_eq!(named, acts);
    let text = str::from_utf8(&mandates[0]).unwrap();
    let expires = format!("expires {}\n", released.after(HOLDS).0);
    assert!(text.contains(&expires), "{text}");
}

#[test]
fn what_is_given_up_before_it_was_signed_comes_back() {
    let mut bench = bench();
    let act = bench.withdraw(700);
    give_up(&mut bench.wire().ledger, act);
    bench.run(3);
    let [void] = stated(&bench).try_into().unwrap();
    assert_eq!(end(&bench, act), Some(End::Returned));
    let world = bench.wire().ledger.world.clone();
    let refused = verifier(&world).admit(&void, bench.clock.now().0, &mut Paid::default());
    assert_eq!(
        refused,
        Err(Refused::Void),
        "a wallet service pays nothing on it"
    );
}

/// The gate holds a receipt back, hands the mandate on, and has the release given up: the platform would
/// credit the customer anew for what has been paid.
#[test]
fn what_was_permitted_is_never_given_up() {
    let mut bench = bench();
    let act = bench.withdraw(700);
    bench.wire().takes_statements = false;
    bench.run(3);
    let [permitted] = stated(&bench).try_into().unwrap();
    give_up(&mut bench.wire().ledger, act);
    bench.run(3);
    bench.wire().takes_statements = true;
    bench.run(10);
    assert_eq!(
        end(&bench, act),
        Some(End::Confirmed(Digest::plain(&permitted)))
    );
    assert!(
        stated(&bench).iter().all(|said| *said == permitted),
        "no void was signed beside it"
    );
}

/// The same after the signer was started anew: the record says what was signed.
#[test]
fn nor_after_a_crash() {
    let mut bench = bench();
    let act = bench.withdraw(700);
    bench.wire().takes_statements = false;
    bench.run(3);
    let [permitted] = stated(&bench).try_into().unwrap();
    give_up(&mut bench.wire().ledger, act);
    bench.restart();
    bench.wire().takes_statements = true;
    bench.run(10);
    assert_eq!(
        end(&bench, act),
        Some(End::Confirmed(Digest::plain(&permitted)))
    );
}

#[test]
fn what_expired_unsigned_waits_for_a_fresh_plan() {
    let mut bench = bench();
    let act = bench.withdraw(700);
    bench.clock.pass(HOLDS);
    assert_eq!(bench.run(5), 0);
    assert_eq!(bench.alarms(), Vec::<String>::new(), "it waits");
    {
        let ledger = &mut bench.wire().ledger;
        let now = ledger.clock.now();
        let newest = ledger.state.facts().releases[&act].plans[0].clone();
        let fresh = portcullis_core::decide::payment::mandate::freshened(HOLDS, &newest, now);
        assert_eq!(ledger.replace(act, fresh.unwrap()).void, None);
    }
    assert_eq!(bench.run(3), 1);
    let [mandate] = stated(&bench).try_into().unwrap();
    let world = bench.wire().ledger.world.clone();
    let admitted = verifier(&world).admit(&mandate, bench.clock.now().0, &mut Paid::default());
    assert_eq!(admitted.unwrap().amount, 700);
}

#[test]
fn a_mandate_that_holds_is_not_planned_afresh() {
    let bench = bench();
    let act = bench.withdraw(700);
    let mut wire = bench.wire();
    let ledger = &mut wire.ledger;
    let mut plan = ledger.state.facts().releases[&act].plans[0].clone();
    let text = String::from_utf8(plan.unsigned).unwrap();
    let now = ledger.clock.now();
    let later = text.replace(
        &format!("expires {}", now.after(HOLDS).0),
        &format!("expires {}", now.after(HOLDS).0 + 1),
    );
    assert_ne!(later, text);
    plan.unsigned = later.into_bytes();
    assert!(ledger.replace(act, plan).void.is_some());
}

#[test]
fn under_a_suspension_nothing_is_permitted_and_a_resumed_one_is() {
    let mut bench = bench();
    let act = bench.withdraw(700);
    let (suspend, evidence) = {
        let ledger = &mut bench.wire().ledger;
        ledger.suspension(portcullis_core::act::Scope::Everything)
    };
    bench.wire().ledger.submit(suspend, evidence);
    assert_eq!(bench.run(10), 0);
    let stage = bench.wire().ledger.state.facts().releases[&act].stage;
    assert_eq!(
        stage,
        portcullis_core::state::release::Stage::Withheld(Withheld::Suspended)
    );
    assert!(stated(&bench).is_empty());
}

/// The same text under the key in force: state knows no other, and the wallet service pins the next one too.
#[test]
fn what_the_old_key_permitted_unsaid_its_successor_states() {
    let mut bench = bench();
    bench.run(2);
    bench.wire().takes_statements = false;
    let act = bench.withdraw(10);
    bench.step();
    let [old] = stated(&bench).try_into().unwrap();
    rotate(&bench);
    bench.wire().takes_statements = true;
    let mut bench = bench.reopen_with(Arc::new(World::key(&id(FRESH))));
    bench.run(4);
    let new = stated(&bench).pop().unwrap();
    assert_eq!(end(&bench, act), Some(End::Confirmed(Digest::plain(&new))));
    let [old, new] = [old, new].map(|bytes| Signed::from_bytes(&bytes).unwrap());
    assert_eq!(old.mandate, new.mandate);
    assert_ne!(old.signature, new.signature);
}
