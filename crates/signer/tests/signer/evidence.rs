//! A gate that journals releases for which there is no evidence gets no signature, and is heard of.

use crate::bench::{Bench, PAYEE};
use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, AssetId};
use portcullis_chains::ethereum::{Fees, Transfer};
use portcullis_core::act::{ActKind, LiftTarget, Scope};
use portcullis_core::entry::{Body, Submission};
use portcullis_core::evidence::Evidence;
use portcullis_core::plan::Plan;
use portcullis_core::statement::Condition;
use portcullis_core::{Act, Decision, Digest, Span};
use portcullis_keeper::NoLease;
use portcullis_keeper::testkit::{Customer, World};
use portcullis_keys::WalletKey as _;

/// What a lying gate may put into a plan.
pub(crate) struct Lie {
    to: Address,
    asset: AssetId,
    amount: u128,
    nonce: u64,
    max_fee_per_gas: u128,
}

pub(crate) const TRUTH: Lie = Lie {
    to: PAYEE,
    asset: World::ETHER,
    amount: 700,
    nonce: 0,
    max_fee_per_gas: 20_000_000_000,
};

impl Lie {
    pub(crate) fn plan(&self) -> Plan {
        let fees = Fees::new(self.max_fee_per_gas, 1, 100_000).unwrap();
        let amount = Amount(self.amount);
        let transfer = Transfer::new(self.asset, self.to, amount, self.nonce, fees).unwrap();
        Plan {
            wallet: World::WALLET,
            unsigned: transfer.build().to_bytes(),
        }
    }
}

pub(crate) fn forge(act: Act, evidence: Evidence, plan: Plan) -> Body {
    Body::Act(Box::new(Submission {
        act,
        evidence,
        decision: Decision::Release,
        plan: Some(plan),
    }))
}

/// Journal what a hostile gate would, and see that nothing is signed, now or later, and that the
/// keeper latches, cries, and calls for a stop.
pub(crate) fn is_caught(name: &str, make: impl FnOnce(&mut Bench) -> Body) {
    let mut bench = Bench::new();
    bench.run(2);
    let body = make(&mut bench);
    let applied = bench.wire().ledger.enter(body);
    assert!(applied.void.is_some(), "{name}: the forged entry is honest");
    assert_eq!(bench.run(5), 0, "{name}");
    assert!(bench.node.chain().got.is_empty(), "{name}");
    assert_latched(&bench, Condition::ReleaseWithoutEvidence);
    assert_eq!(bench.alarms(), ["release-without-evidence"], "{name}");
    let wire = bench.wire();
    assert_eq!(
        wire.board.postings.len(),
        1,
        "{name}: the keeper's own stop"
    );
    let stop = &wire.board.postings[0].act;
    let everything = ActKind::Suspend(portcullis_core::act::Suspend {
        scope: Scope::Everything,
    });
    assert_eq!(stop.kind, everything);
    assert_eq!(stop.principal.0, World::KEEPER.0);
}

pub(crate) fn assert_latched(bench: &Bench, condition: Condition) {
    let latched: Vec<_> = bench.signer.keeper().latched().collect();
    let conditions: Vec<_> = latched.iter().map(|l| l.sight.condition()).collect();
    assert_eq!(conditions, [condition]);
    let lease = bench.signer.keeper().lease();
    assert_eq!(lease.unwrap_err(), NoLease::Latched(condition));
}

#[test]
fn no_evidence_at_all() {
    is_caught("none", |bench| {
        let ledger = &mut bench.wire().ledger;
        let (act, _) = ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 700);
        forge(act, Evidence::default(), TRUTH.plan())
    });
}

#[test]
fn one_piece_missing() {
    type Cut = fn(&mut Evidence);
    let cuts: [(&str, Cut); 3] = [
        ("no assertion", |e| e.assertions.clear()),
        ("no debit", |e| e.attestations.clear()),
        ("no relay", |e| e.requests.clear()),
    ];
    for (name, cut) in cuts {
        is_caught(name, |bench| {
            let ledger = &mut bench.wire().ledger;
            let (act, mut evidence) = ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 700);
            cut(&mut evidence);
            forge(act, evidence, TRUTH.plan())
        });
    }
}

#[test]
fn evidence_for_another_act() {
    is_caught("another act's", |bench| {
        let ledger = &mut bench.wire().ledger;
        let (_, evidence) = ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 7);
        let (act, _) = ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 700);
        forge(act, evidence, TRUTH.plan())
    });
}

#[test]
fn somebody_elses_evidence() {
    is_caught("somebody else's", |bench| {
        let thief = Customer::number(2);
        let ledger = &mut bench.wire().ledger;
        ledger.open(&thief);
        ledger.add_address(&thief, PAYEE);
        let (act, mut evidence) = ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 700);
        evidence.assertions = vec![thief.assertion(&act)];
        forge(act, evidence, TRUTH.plan())
    });
}

#[test]
fn full_evidence_and_another_plan() {
    let other = World::address(0xbb);
    #[rustfmt::skip] // a table
    let lies = [
        ("amount", Lie { amount: 701, ..TRUTH }),
        ("payee", Lie { to: other, ..TRUTH }),
        ("asset", Lie { asset: World::TOKEN, ..TRUTH }),
        ("nonce", Lie { nonce: 1, ..TRUTH }),
        ("fee above the wallet's ceiling", Lie { max_fee_per_gas: 200_000_000_000, ..TRUTH }),
    ];
    for (name, lie) in lies {
        is_caught(name, |bench| {
            let ledger = &mut bench.wire().ledger;
            let (act, evidence) = ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 700);
            forge(act, evidence, lie.plan())
        });
    }
}

#[test]
fn a_replacement_that_changes_the_payee() {
    let mut bench = Bench::new();
    let act = bench.withdraw(700);
    assert_eq!(bench.run(2), 1);
    let lie = Lie {
        to: World::address(0xbb),
        max_fee_per_gas: 40_000_000_000,
        ..TRUTH
    };
    let applied = bench.wire().ledger.replace(act, lie.plan());
    assert!(applied.void.is_some());
    assert_eq!(bench.run(5), 0);
    assert_latched(&bench, Condition::ReleaseWithoutEvidence);
}

#[test]
fn a_refusal_that_should_be_a_release_is_void_and_no_theft() {
    let mut bench = Bench::new();
    bench.run(2);
    {
        let ledger = &mut bench.wire().ledger;
        let (act, evidence) = ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 700);
        let mut submission = ledger.submission(act, evidence);
        submission.decision = Decision::Refuse {
            reason: portcullis_core::Reason::AmountZero,
        };
        submission.plan = None;
        let applied = ledger.enter(Body::Act(Box::new(submission)));
        assert!(applied.void.is_some());
    }
    bench.run(5);
    assert_eq!(bench.signer.keeper().latched().count(), 0);
    assert!(bench.alarms().is_empty());
}

#[test]
fn a_quorum_lifts_the_latch_and_the_suspension_and_signing_goes_on() {
    let mut bench = Bench::new();
    bench.run(2);
    {
        let ledger = &mut bench.wire().ledger;
        let (act, _) = ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 700);
        ledger.enter(forge(act, Evidence::default(), TRUTH.plan()));
    }
    bench.run(5);
    let latch = bench.signer.keeper().latched().next().unwrap().sight.id();
    // The keeper's own stop is journaled too: an honest gate took over.
    let posting = bench.wire().board.postings[0].clone();
    bench.wire().ledger.submit(posting.act, posting.evidence);
    let suspensions: Vec<Digest> = {
        let wire = bench.wire();
        wire.ledger
            .state
            .facts()
            .suspensions
            .keys()
            .copied()
            .collect()
    };
    assert_eq!(suspensions.len(), 2);
    for by in suspensions {
        bench.wire().ledger.lift(LiftTarget::Suspension { by });
    }
    bench.run(2);
    assert_eq!(
        bench.signer.keeper().latched().count(),
        1,
        "not by lifting suspensions"
    );
    let keeper = World::KEEPER;
    bench
        .wire()
        .ledger
        .lift(LiftTarget::Latch { keeper, latch });
    bench.run(2);
    assert_eq!(bench.signer.keeper().latched().count(), 0);
    bench.withdraw(5);
    assert_eq!(bench.run(3), 1);
    bench.restart();
    bench.run(3);
    assert_eq!(
        bench.signer.keeper().latched().count(),
        0,
        "lifted is lifted after a restart"
    );
}

#[test]
fn a_latch_survives_a_restart_and_is_stated() {
    let mut bench = Bench::new();
    bench.run(2);
    {
        let ledger = &mut bench.wire().ledger;
        let (act, _) = ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 700);
        ledger.enter(forge(act, Evidence::default(), TRUTH.plan()));
    }
    bench.run(3);
    bench.disk.crash(0);
    bench.restart();
    bench.run(3);
    assert_latched(&bench, Condition::ReleaseWithoutEvidence);
    let wire = bench.wire();
    assert_eq!(wire.ledger.state.facts().latches.len(), 1, "journaled once");
}

fn forge_a_release(bench: &Bench) {
    let ledger = &mut bench.wire().ledger;
    let (act, _) = ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 700);
    ledger.enter(forge(act, Evidence::default(), TRUTH.plan()));
}

/// The board was away, and the process ended meanwhile: the call is made all the same, and once.
#[test]
fn the_keepers_own_call_goes_on_after_a_restart() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.wire().board.down = true;
    forge_a_release(&bench);
    bench.run(3);
    bench.disk.crash(0);
    bench.restart();
    bench.run(3);
    assert!(bench.wire().board.postings.is_empty());
    bench.wire().board.down = false;
    bench.run(10);
    assert_eq!(bench.wire().board.postings.len(), 1);
    bench.disk.crash(0);
    bench.restart();
    bench.run(10);
    let wire = bench.wire();
    assert_eq!(wire.board.postings.len(), 1, "a board that shows it has it");
    assert_eq!(wire.board.postings[0].act.principal.0, World::KEEPER.0);
}

/// What a board says that it took, and shows nobody, was not posted.
#[test]
fn the_call_is_repeated_until_a_page_shows_it() {
    let mut bench = Bench::new();
    bench.run(2);
    forge_a_release(&bench);
    bench.step();
    assert_eq!(bench.wire().board.postings.len(), 1);
    bench.wire().board.postings.clear();
    bench.run(10);
    assert_eq!(bench.wire().board.postings.len(), 1);
}

/// Anybody may have seen the call on another board.
#[test]
fn the_call_beside_somebody_elses_evidence_is_not_the_call() {
    let mut bench = Bench::new();
    bench.run(2);
    forge_a_release(&bench);
    bench.step();
    {
        let mut wire = bench.wire();
        let mut posting = wire.board.postings.remove(0);
        posting.evidence = Evidence::default();
        wire.post(posting);
    }
    bench.run(10);
    let wire = bench.wire();
    let whole = wire.board.postings.iter();
    let whole = whole.filter(|posting| !posting.evidence.requests.is_empty());
    assert_eq!(whole.count(), 1);
}

/// The board is away until the checkpoint that the call names is too old for any replica.
#[test]
fn the_call_is_made_anew_before_its_checkpoint_is_too_old() {
    let minutes = |minutes: u64| Span::seconds(60 * minutes);
    for idle in [true, false] {
        let mut bench = Bench::new();
        bench.clock.pass(minutes(20));
        bench.run(2);
        bench.wire().board.down = true;
        forge_a_release(&bench);
        bench.run(3);
        bench.clock.pass(minutes(50));
        if !idle {
            bench.wire().ledger.settle_clocks();
        }
        bench.wire().board.down = false;
        bench.run(10);
        let mut wire = bench.wire();
        if idle {
            wire.ledger.settle_clocks();
        }
        let posting = wire.board.postings.remove(0);
        assert!(wire.board.postings.is_empty());
        wire.ledger.submit(posting.act, posting.evidence);
    }
}

/// The key that the tests' wallet has is the genesis' wallet's.
#[test]
fn the_bench_is_what_it_says() {
    let world = World::new();
    let wallet = world.network.wallet(World::WALLET).unwrap();
    assert_eq!(wallet.address.evm(), Some(world.wallet.address()));
}
