//! What stops the signer, and what lets it go on.

use crate::bench::{Bench, PAYEE};
use crate::evidence::assert_latched;
use portcullis_chains::Amount;
use portcullis_chains::caip::Address;
use portcullis_chains::ethereum::{Fees, SignedTx, Transfer};
use portcullis_core::act::{
    ActKind, Cancel, CancelAddress, EnrolFactor, LiftTarget, RaiseEpoch, Resume, RevokeFactor,
    RevokeRole, Scope, Suspend, Void, Withdraw,
};
use portcullis_core::board::Posting;
use portcullis_core::entry::Body;
use portcullis_core::evidence::{Attestation, AttestationStatement, Claim, Stamp};
use portcullis_core::id::LedgerEntryId;
use portcullis_core::id::PrincipalId;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::statement::{Condition, Says, SignedStatement, Statement};
use portcullis_core::{Digest, Evidence, Reason, Span};
use portcullis_host::Clock as _;
use portcullis_keeper::latches;
use portcullis_keeper::testkit::{Customer, Dice, World, id};
use portcullis_keys::StatementKey as _;
use portcullis_node::{NodeError, Sent};

pub(crate) fn post_suspension(bench: &Bench, scope: Scope) -> Posting {
    let mut wire = bench.wire();
    let (act, evidence) = wire.ledger.suspension(scope);
    let posting = Posting { act, evidence };
    wire.post(posting);
    wire.board.postings.last().unwrap().clone()
}

#[test]
fn a_posting_binds_before_any_gate_has_journaled_it() {
    let mut bench = Bench::new();
    bench.run(2);
    let posting = post_suspension(&bench, Scope::Withdrawals);
    let act = bench.withdraw(5);
    assert_eq!(bench.run(3), 0);
    assert!(bench.alarms().is_empty(), "waiting is no alarm");

    // Journaled, it withholds the release; lifted and resumed, that goes out.
    bench
        .wire()
        .ledger
        .submit(posting.act.clone(), posting.evidence);
    assert_eq!(bench.run(3), 0);
    let by = posting.act.digest();
    bench.wire().ledger.lift(LiftTarget::Suspension { by });
    assert_eq!(bench.run(2), 0);
    let resume = ActKind::Resume(Resume { release: act });
    bench.wire().ledger.staff(World::OPERATOR, resume);
    assert_eq!(bench.run(2), 1);
}

/// A posting's id can be read by everybody: root on the gate, with a passkey of some customer's, journals
/// an act of that customer's under the same id.
#[test]
fn nobody_uses_up_a_posted_stop_by_an_act_under_its_id() {
    let mut bench = Bench::new();
    bench.run(2);
    let posting = post_suspension(&bench, Scope::Withdrawals);
    {
        let mut wire = bench.wire();
        let ledger = &mut wire.ledger;
        let mut act = ledger.customers_act(&bench.customer, ActKind::Freeze);
        act.id = posting.act.id;
        let evidence = ledger.customers_evidence(&bench.customer, &act);
        let digest = ledger.submit(act, evidence);
        assert!(ledger.state.facts().consumed.contains_key(&digest));
    }
    let other = Customer::number(2);
    bench.wire().ledger.open(&other);
    bench.wire().ledger.add_address(&other, PAYEE);
    bench.wire().ledger.settle_clocks();
    bench.wire().ledger.withdraw(&other, PAYEE, 5);
    assert_eq!(bench.run(3), 0, "the stop binds still");

    // And the gate can journal it still.
    let by = posting.act.digest();
    let mut wire = bench.wire();
    wire.ledger.submit(posting.act, posting.evidence);
    assert!(wire.ledger.state.facts().suspensions.contains_key(&by));
}

/// The gate journals what it likes of a passkey's acts: a later one with a higher counter ends no stop.
#[test]
fn a_later_act_of_the_same_passkey_ends_no_posted_stop() {
    let mut bench = Bench::new();
    bench.run(2);
    let freeze = {
        let mut wire = bench.wire();
        let act = wire.ledger.customers_act(&bench.customer, ActKind::Freeze);
        let evidence = Evidence {
            assertions: vec![bench.customer.assertion_number(10, &act)],
            ..Evidence::default()
        };
        wire.post(Posting { act, evidence });
        wire.board.postings.last().unwrap().clone()
    };
    bench.run(1);
    for (counter, kind) in [
        (11, ActKind::CancelAddress(CancelAddress { address: OTHER })),
        (12, withdraw(5)),
    ] {
        let mut wire = bench.wire();
        if counter == 11 {
            wire.ledger.add_address(&bench.customer, OTHER);
        }
        let act = wire.ledger.customers_act(&bench.customer, kind);
        let mut evidence = wire.ledger.customers_evidence(&bench.customer, &act);
        evidence.assertions = vec![bench.customer.assertion_number(counter, &act)];
        evidence.attestations.push(wire.ledger.debit(&act));
        wire.ledger.submit(act, evidence);
    }
    assert_eq!(bench.run(70), 0);
    assert_latched(&bench, Condition::StopWithheld);
    // And a gate could have taken it all the time.
    let mut wire = bench.wire();
    wire.ledger.submit(freeze.act, freeze.evidence);
    assert!(
        wire.ledger.state.facts().accounts[&bench.customer.account]
            .frozen
            .is_some()
    );
}

const OTHER: Address = World::address(0x0b);

fn withdraw(amount: u128) -> ActKind {
    ActKind::Withdraw(Withdraw {
        asset: World::ETHER,
        to: PAYEE,
        amount: Amount(amount),
    })
}

/// Posts by anybody: a cancel of this act, proven by a customer that it does not belong to.
fn post_others_cancels(bench: &Bench, act: Digest, count: u32) {
    let other = Customer::number(2);
    let mut wire = bench.wire();
    wire.ledger.open(&other);
    for _ in 0..count {
        let cancel = ActKind::Cancel(Cancel { act });
        let cancel = wire.ledger.customers_act(&other, cancel);
        let evidence = wire.ledger.customers_evidence(&other, &cancel);
        let posting = Posting {
            act: cancel,
            evidence,
        };
        wire.post(posting);
    }
}

/// The gate held the withdrawal back until it was taken back; then it journals it behind the posting,
/// and its entry and the keeper's next step come within a moment.
#[test]
fn what_a_posting_waited_for_is_barred_in_the_step_that_brings_it() {
    let cancels: [fn(&Bench, Digest) -> Posting; 2] = [
        |bench, act| takes_back(bench, ActKind::Cancel(Cancel { act })),
        |bench, act| by_staff(bench, ActKind::Cancel(Cancel { act })),
    ];
    for (others, cancel) in [0, 40, 300]
        .into_iter()
        .flat_map(|n| cancels.map(|c| (n, c)))
    {
        let mut bench = Bench::new();
        bench.run(2);
        let (act, evidence) = {
            let ledger = &mut bench.wire().ledger;
            ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 5)
        };
        post_others_cancels(&bench, act.digest(), others);
        let cancel = cancel(&bench, act.digest());
        bench.wire().post(cancel);
        bench.run(2);
        bench.clock.pass(Span(1));
        bench.wire().ledger.submit(act, evidence);
        for _ in 0..40 {
            bench.clock.pass(Span(1));
            assert_eq!(bench.step().signed, 0, "beside {others} others");
        }
        assert_eq!(bench.run(5), 0, "beside {others} others");
    }
}

/// Others' postings bar an act for no longer than it takes to look at them.
#[test]
fn nobodys_postings_bar_an_act_for_long() {
    let mut bench = Bench::new();
    bench.run(2);
    let (act, evidence) = {
        let ledger = &mut bench.wire().ledger;
        ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 5)
    };
    post_others_cancels(&bench, act.digest(), 300);
    bench.run(2);
    bench.wire().ledger.submit(act, evidence);
    let signed: usize = (0..20)
        .map(|_| {
            bench.clock.pass(Span(1));
            bench.step().signed
        })
        .sum();
    assert_eq!(signed, 1);
}

/// The gate held back the enrolment of the passkey that posts the stop.
#[test]
fn a_posting_by_a_factor_that_comes_later_bars_with_it() {
    let mut bench = Bench::new();
    bench.run(2);
    let fresh = bench.customer.with_new_passkey(9);
    let enrol = {
        let (principal, factor) = (fresh.principal, fresh.factor());
        takes_back(
            &bench,
            ActKind::EnrolFactor(EnrolFactor { principal, factor }),
        )
    };
    {
        let mut wire = bench.wire();
        // Others post in the holder's name, by keys that nobody knows.
        for _ in 0..100 {
            let act = wire.ledger.customers_act(&fresh, ActKind::Freeze);
            let nobody = PrincipalId(id(0x77));
            let request = World::request(nobody, &act, bench.clock.now());
            let evidence = Evidence {
                requests: vec![request],
                ..Evidence::default()
            };
            wire.post(Posting { act, evidence });
        }
        let act = wire.ledger.customers_act(&fresh, ActKind::Freeze);
        let evidence = Evidence {
            assertions: vec![fresh.assertion(&act)],
            ..Evidence::default()
        };
        wire.post(Posting { act, evidence });
    }
    bench.run(2);
    bench.clock.pass(Span(1));
    bench.wire().ledger.submit(enrol.act, enrol.evidence);
    bench.withdraw(5);
    for _ in 0..10 {
        bench.clock.pass(Span(1));
        assert_eq!(bench.step().signed, 0);
    }
    assert_eq!(bench.run(3), 0);
}

/// What a full disk did not take is not forgotten where the process opens anew.
#[test]
fn a_latch_that_is_not_durable_yet_holds_over_an_opening_anew() {
    let mut bench = Bench::new();
    bench.run(2);
    let posting = post_suspension(&bench, Scope::Everything);
    bench.run(58);
    bench.disk.fill_after(0);
    for _ in 0..5 {
        bench.clock.pass(Span::seconds(1));
        let _ = bench.try_step();
    }
    assert_latched(&bench, Condition::StopWithheld);
    let Posting { act, evidence } = posting;
    bench.wire().ledger.submit(act, evidence);
    let mut bench = bench.reopen();
    assert_latched(&bench, Condition::StopWithheld);
    bench.disk.make_room();
    bench.run(1);
    bench.disk.crash(0);
    bench.restart();
    assert_latched(&bench, Condition::StopWithheld);
}

/// A board's clock may be ahead, or its host may lie: no gate can journal the posting yet.
#[test]
fn a_stop_that_was_stamped_ahead_bars_and_latches_nothing() {
    let mut bench = Bench::new();
    bench.run(2);
    {
        let mut wire = bench.wire();
        let (act, mut evidence) = wire.ledger.suspension(Scope::Withdrawals);
        let time = bench.clock.now().after(Span::seconds(300));
        let bytes = Stamp::signed_bytes(World::BOARD, act.digest(), time);
        evidence.posted = Some(Stamp {
            board: World::BOARD,
            time,
            signature: World::key(&World::BOARD.0).sign(&bytes).unwrap(),
        });
        wire.board.postings.push(Posting { act, evidence });
    }
    bench.withdraw(5);
    assert_eq!(bench.run(250), 0);
    assert!(bench.alarms().is_empty(), "{:?}", bench.alarms());
    // Once its time has come, a gate that goes on withholding it is found out.
    bench.run(200);
    assert!(!bench.alarms().is_empty());
}

/// One that has expired when a gate looks would be refused there, and bind here.
#[test]
fn a_stop_is_decided_without_its_attestations() {
    let mut bench = Bench::new();
    bench.run(2);
    let posting = {
        let mut wire = bench.wire();
        let mut act = wire.ledger.act(World::BACK_END, ActKind::Freeze);
        act.account = Some(bench.customer.account);
        let mut evidence = wire.ledger.staffs_evidence(&act);
        let statement = AttestationStatement {
            issuer: World::LEDGER,
            act: act.digest(),
            expires: bench.clock.now().after(Span(1)),
            claim: Claim::LedgerDebit {
                entry: LedgerEntryId([9; 16]),
            },
        };
        let key = World::key(&World::LEDGER.0);
        let signature = key.sign(&statement.signed_bytes()).unwrap();
        evidence.attestations.push(Attestation {
            statement,
            signature,
        });
        wire.post(Posting { act, evidence });
        wire.board.postings.last().unwrap().clone()
    };
    bench.run(5);
    let mut wire = bench.wire();
    let digest = wire.ledger.submit(posting.act, posting.evidence);
    assert!(wire.ledger.state.facts().consumed.contains_key(&digest));
}

#[test]
fn a_posting_bars_only_what_it_would_restrict() {
    let mut bench = Bench::new();
    bench.run(2);
    post_suspension(&bench, Scope::Asset(World::TOKEN));
    bench.withdraw(5);
    assert_eq!(bench.run(3), 1);
}

#[test]
fn postings_that_are_not_evidence_bind_nothing() {
    let mut bench = Bench::new();
    bench.run(2);
    {
        let mut wire = bench.wire();
        // Nobody signed it.
        let (act, _) = wire.ledger.suspension(Scope::Everything);
        let evidence = portcullis_core::Evidence::default();
        wire.post(Posting { act, evidence });
        // It loosens.
        let act = wire.ledger.act(World::OPERATOR, ActKind::Unfreeze);
        let evidence = wire.ledger.staffs_evidence(&act);
        wire.post(Posting { act, evidence });
        // Whose role does not suffice.
        let kind = ActKind::Suspend(portcullis_core::act::Suspend {
            scope: Scope::Everything,
        });
        let act = wire.ledger.act(World::BACK_END, kind);
        let evidence = wire.ledger.staffs_evidence(&act);
        wire.post(Posting { act, evidence });
        // Expired when the board took it.
        let (mut act, _) = wire.ledger.suspension(Scope::Everything);
        act.expires = bench.clock.now();
        let evidence = wire.ledger.staffs_evidence(&act);
        wire.post(Posting { act, evidence });
        // Without the board's stamp.
        let (act, evidence) = wire.ledger.suspension(Scope::Everything);
        wire.board.postings.push(Posting { act, evidence });
    }
    bench.withdraw(5);
    assert_eq!(bench.run(3), 1);
}

#[test]
fn a_posting_that_names_an_idle_journals_checkpoint_binds() {
    let mut bench = Bench::new();
    bench.run(2);
    // For hours nothing is journaled: the newest checkpoint is fresh by its heartbeats only.
    bench.clock.pass(Span::hours(3));
    bench.run(2);
    {
        let mut wire = bench.wire();
        let head = wire.ledger.state.facts().log.head();
        let origin = wire.ledger.world.network.log().name().clone();
        let body = portcullis_tlog::Checkpoint::new(origin, head).body_digest();
        let (mut act, _) = wire.ledger.suspension(Scope::Everything);
        act.checkpoint = Digest(*body.as_bytes());
        let evidence = wire.ledger.staffs_evidence(&act);
        wire.post(Posting { act, evidence });
    }
    bench.run(2);
    // A hostile gate goes on behind another entry, so that this checkpoint is never journaled afresh.
    {
        let mut wire = bench.wire();
        let key = wire.ledger.world.keeper.clone();
        let statement = Statement {
            genesis: wire.ledger.world.digest(),
            keeper: World::KEEPER,
            says: Says::Caps {
                caps: Vec::new(),
                number: 7,
            },
        };
        let signature = key.sign(&statement.signed_bytes()).unwrap();
        let signed = SignedStatement {
            statement,
            signature,
        };
        wire.ledger.enter(Body::Statement(Box::new(signed)));
        wire.takes_statements = false;
        wire.ledger.settle_clocks();
    }
    bench.withdraw(5);
    assert_eq!(bench.run(3), 0);
}

#[test]
fn a_stop_that_no_gate_journals_within_a_minute_latches() {
    let mut bench = Bench::new();
    bench.run(2);
    let posting = post_suspension(&bench, Scope::Everything);
    bench.run(58);
    assert_eq!(bench.signer.keeper().latched().count(), 0);
    bench.run(5);
    assert_latched(&bench, Condition::StopWithheld);
    assert_eq!(bench.alarms(), ["stop-withheld"]);
    let latch = bench.signer.keeper().latched().next().unwrap().sight.id();
    assert!(bench.wire().statements.iter().any(|s| s.statement.says
        == Says::Latched {
            latch,
            condition: Condition::StopWithheld
        }));
    // Journaled in the end, it binds no more; the latch stays until it is lifted itself.
    bench
        .wire()
        .ledger
        .submit(posting.act.clone(), posting.evidence);
    let by = posting.act.digest();
    bench.wire().ledger.lift(LiftTarget::Suspension { by });
    bench.withdraw(5);
    assert_eq!(bench.run(3), 0);
    let keeper = World::KEEPER;
    bench
        .wire()
        .ledger
        .lift(LiftTarget::Latch { keeper, latch });
    assert_eq!(bench.run(3), 1);
}

#[test]
fn a_minute_without_fresh_cosignatures_is_nobodys_fault() {
    let mut bench = Bench::new();
    bench.run(2);
    post_suspension(&bench, Scope::Everything);
    bench.run(5);
    bench.wire().gate_up = false;
    bench.run(300);
    assert_eq!(bench.signer.keeper().latched().count(), 0);
    assert!(bench.alarms().is_empty());
}

#[test]
fn a_cancel_of_what_has_ended_does_not_bind_for_ever() {
    let mut bench = Bench::new();
    bench.run(2);
    let act = bench.withdraw(5);
    {
        let mut wire = bench.wire();
        let cancel = ActKind::Cancel(Cancel { act });
        let cancel = wire.ledger.customers_act(&bench.customer, cancel);
        let evidence = wire.ledger.customers_evidence(&bench.customer, &cancel);
        wire.post(Posting {
            act: cancel,
            evidence,
        });
    }
    assert_eq!(bench.run(2), 0, "the posted cancel bars it");
    // The gate takes another cancel of the same release; the posted one means nothing then.
    {
        let ledger = &mut bench.wire().ledger;
        let cancel = ActKind::Cancel(Cancel { act });
        let cancel = ledger.customers_act(&bench.customer, cancel);
        let evidence = ledger.customers_evidence(&bench.customer, &cancel);
        ledger.submit(cancel, evidence);
    }
    bench.run(70);
    assert_eq!(bench.signer.keeper().latched().count(), 0);
}

#[test]
fn a_release_decided_while_a_revocation_was_left_out_waits() {
    let mut bench = Bench::new();
    bench.run(2);
    let before = bench.withdraw(5);
    assert_eq!(bench.tick().signed, 1);
    {
        let mut wire = bench.wire();
        let kind = ActKind::RevokeRole(RevokeRole {
            principal: World::BACK_END,
            role: Role::BackEnd,
        });
        let act = wire.ledger.act(World::administrator(0), kind);
        let evidence = wire.ledger.staffs_evidence(&act);
        wire.post(Posting { act, evidence });
    }
    bench.run(2);
    // The back end that was to be revoked relays another withdrawal, and the gate takes it.
    bench.withdraw(6);
    assert_eq!(bench.run(3), 0);
    assert!(
        bench
            .wire()
            .ledger
            .state
            .facts()
            .releases
            .contains_key(&before)
    );
}

#[test]
fn suspensions_are_stated_as_stopped() {
    let mut bench = Bench::new();
    bench.run(2);
    let by = {
        let mut wire = bench.wire();
        let (act, evidence) = wire.ledger.suspension(Scope::Withdrawals);
        wire.ledger.submit(act, evidence)
    };
    bench.run(2);
    let wire = bench.wire();
    let stopped = &wire.ledger.state.facts().suspensions[&by].stopped;
    assert!(stopped.contains(&World::KEEPER));
}

#[test]
fn what_is_out_is_not_sent_again_during_a_suspension() {
    let mut bench = Bench::new();
    bench.run(2);
    let act = bench.withdraw(5);
    assert_eq!(bench.run(3), 1);
    let by = {
        let mut wire = bench.wire();
        let (act, evidence) = wire.ledger.suspension(Scope::Everything);
        wire.ledger.submit(act, evidence)
    };
    bench.run(60);
    assert_eq!(bench.node.chain().got.len(), 1);
    bench.wire().ledger.lift(LiftTarget::Suspension { by });
    bench.run(60);
    assert_eq!(
        bench.node.chain().got.len(),
        1,
        "no lift lets out what a stop has caught"
    );
    let resume = ActKind::Resume(Resume { release: act });
    bench.wire().ledger.staff(World::OPERATOR, resume);
    bench.run(20);
    let got = bench.node.chain().got.clone();
    assert!(got.len() >= 2 && got.iter().all(|raw| *raw == got[0]));
}

/// A release that is signed and stated, and that no chain has: the node rests when it comes.
fn signed_and_still_here(bench: &mut Bench) -> Digest {
    bench.run(2);
    bench.node.chain().answer = Some(Sent::Unknown(NodeError::TimedOut));
    bench.withdraw(5);
    assert_eq!(bench.tick().signed, 1);
    let act = bench.withdraw(6);
    bench.clock.pass(Span(500));
    assert_eq!(bench.step().signed, 1);
    bench.node.chain().answer = None;
    assert_eq!(bench.node.chain().got.len(), 1);
    act
}

fn nonces_sent(bench: &Bench) -> Vec<u64> {
    let got = bench.node.chain().got.clone();
    let nonce = |raw: &Vec<u8>| {
        let tx = SignedTx::from_bytes(raw).unwrap();
        Transfer::decode(tx.unsigned()).unwrap().nonce()
    };
    got.iter().map(nonce).collect()
}

fn takes_back(bench: &Bench, kind: ActKind) -> Posting {
    let wire = &mut bench.wire();
    let act = wire.ledger.customers_act(&bench.customer, kind);
    let evidence = wire.ledger.customers_evidence(&bench.customer, &act);
    Posting { act, evidence }
}

fn by_staff(bench: &Bench, kind: ActKind) -> Posting {
    let wire = &mut bench.wire();
    let act = wire.ledger.act(World::OPERATOR, kind);
    let evidence = wire.ledger.staffs_evidence(&act);
    Posting { act, evidence }
}

/// Everything that takes a release back.
fn restrictions(bench: &Bench, act: Digest) -> Vec<Posting> {
    let (principal, factor) = (bench.customer.principal, bench.customer.factor().id());
    let epoch = RaiseEpoch {
        realm: Realm::Customers,
        factors: None,
    };
    let scope = Scope::Withdrawals;
    vec![
        takes_back(bench, ActKind::Freeze),
        takes_back(bench, ActKind::Cancel(Cancel { act })),
        takes_back(
            bench,
            ActKind::CancelAddress(CancelAddress { address: PAYEE }),
        ),
        takes_back(
            bench,
            ActKind::RevokeFactor(RevokeFactor { principal, factor }),
        ),
        by_staff(bench, ActKind::RaiseEpoch(epoch)),
        by_staff(bench, ActKind::Suspend(Suspend { scope })),
    ]
}

#[test]
fn what_is_signed_and_has_not_left_stays_when_it_is_taken_back() {
    for number in 0..6 {
        let mut bench = Bench::new();
        let act = signed_and_still_here(&mut bench);
        let Posting {
            act: stop,
            evidence,
        } = restrictions(&bench, act).swap_remove(number);
        let name = stop.kind.name();
        bench.wire().ledger.submit(stop, evidence);
        bench.run(60);
        assert!(!nonces_sent(&bench).contains(&1), "{name}: it left");
        bench.restart();
        bench.run(60);
        assert!(
            !nonces_sent(&bench).contains(&1),
            "{name}: it left after a start"
        );
    }
}

#[test]
fn a_posting_keeps_here_what_is_signed_and_has_not_left() {
    for number in 0..6 {
        let mut bench = Bench::new();
        let act = signed_and_still_here(&mut bench);
        let posting = restrictions(&bench, act).swap_remove(number);
        let name = posting.act.kind.name();
        bench.wire().post(posting);
        bench.run(40);
        assert!(!nonces_sent(&bench).contains(&1), "{name}: it left");
    }
}

/// Neither way out is shut by the signature: an operator resumes what a suspension caught, and gives
/// up what was taken back.
#[test]
fn what_was_kept_here_is_resumed_or_given_up() {
    let mut bench = Bench::new();
    let act = signed_and_still_here(&mut bench);
    let Posting {
        act: stop,
        evidence,
    } = restrictions(&bench, act).swap_remove(5);
    let by = bench.wire().ledger.submit(stop, evidence);
    bench.run(3);
    bench.wire().ledger.lift(LiftTarget::Suspension { by });
    bench.run(20);
    assert!(!nonces_sent(&bench).contains(&1));
    let resume = ActKind::Resume(Resume { release: act });
    bench.wire().ledger.staff(World::OPERATOR, resume);
    bench.run(20);
    assert!(nonces_sent(&bench).contains(&1), "resumed, it leaves");

    let mut bench = Bench::new();
    let act = signed_and_still_here(&mut bench);
    let Posting {
        act: stop,
        evidence,
    } = restrictions(&bench, act).swap_remove(1);
    bench.wire().ledger.submit(stop, evidence);
    bench.run(3);
    {
        let ledger = &mut bench.wire().ledger;
        let void = ledger.act(World::OPERATOR, ActKind::Void(Void { release: act }));
        let evidence = ledger.staffs_evidence(&void);
        let fees = Fees::new(40_000_000_000, 2_000_000_000, 21_000).unwrap();
        ledger.submit_with_fees(void, evidence, fees);
    }
    bench.run(20);
    let got = bench.node.chain().got.clone();
    let last = SignedTx::from_bytes(got.last().unwrap()).unwrap();
    let last = Transfer::decode(last.unsigned()).unwrap();
    assert_eq!((last.nonce(), last.amount()), (1, Amount::ZERO));
}

#[test]
fn shut_needs_neither_gate_nor_network_and_only_a_quorum_opens() {
    let mut bench = Bench::new();
    bench.run(2);
    let latch = latches::shut(&bench.disk, &Dice::default(), &bench.clock).unwrap();
    bench.withdraw(5);
    assert_eq!(bench.run(3), 0);
    assert_latched(&bench, Condition::Shut);
    assert_eq!(bench.alarms(), ["shut"]);
    bench.restart();
    assert_eq!(bench.run(3), 0);
    let keeper = World::KEEPER;
    bench
        .wire()
        .ledger
        .lift(LiftTarget::Latch { keeper, latch });
    assert_eq!(bench.run(3), 1);
}

/// A crash between the latch and its alarm leaves a signer that is silent and stopped.
#[test]
fn a_latch_that_stands_is_cried_out_at_every_start() {
    let mut bench = Bench::new();
    bench.run(2);
    latches::shut(&bench.disk, &Dice::default(), &bench.clock).unwrap();
    bench.run(1);
    bench.disk.put("alarms.jsonl", b"");
    bench.restart();
    assert_eq!(bench.alarms(), ["shut"]);
}

#[test]
fn shut_before_the_first_start_holds() {
    let mut bench = Bench::new();
    let latch = latches::shut(&bench.disk, &Dice::default(), &bench.clock).unwrap();
    let again = latches::shut(&bench.disk, &Dice::default(), &bench.clock).unwrap();
    assert_eq!(latch, again, "twice is once");
    bench.withdraw(5);
    assert_eq!(bench.run(3), 0);
    assert_latched(&bench, Condition::Shut);
}

#[test]
fn a_damaged_shut_file_stops_the_signer() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.disk.put("shut", b"?");
    bench.withdraw(5);
    assert!(bench.try_step().is_err());
    assert!(bench.node.chain().got.is_empty());
}

/// Anybody may post: what they post keeps nobody else's stop from being seen.
#[test]
fn a_board_full_of_rubbish_hides_no_stop() {
    let mut bench = Bench::new();
    bench.run(2);
    {
        let mut wire = bench.wire();
        for n in 0..600_u32 {
            // By nobody that the replica knows, so that it has to wait for whom it may know later.
            let (mut act, _) = wire.ledger.suspension(Scope::Everything);
            act.principal.0[..4].copy_from_slice(&n.to_be_bytes());
            let evidence = portcullis_core::Evidence::default();
            wire.post(Posting { act, evidence });
        }
    }
    bench.run(1);
    post_suspension(&bench, Scope::Everything);
    bench.withdraw(5);
    assert_eq!(bench.run(3), 0);
}

/// A keeper that was away finds what was posted meanwhile, expired or not: it counts from its stamp.
#[test]
fn a_posting_that_has_expired_since_its_stamp_binds() {
    let mut bench = Bench::new();
    bench.run(2);
    post_suspension(&bench, Scope::Everything);
    bench.clock.pass(Span::hours(3));
    bench.wire().ledger.settle_clocks();
    bench.withdraw(5);
    bench.restart();
    assert_eq!(bench.run(3), 0);
}

/// The gate has kept a stop out until the journal no longer knows the checkpoint that it names. What it
/// would change is not known any more either: until the signer latches, nothing is signed.
#[test]
fn a_posting_that_can_no_longer_be_journaled_bars_everything() {
    let mut bench = Bench::new();
    bench.run(2);
    post_suspension(&bench, Scope::Asset(World::TOKEN));
    bench.withdraw(5);
    assert_eq!(bench.run(2), 1, "it bars tokens alone");
    // The host slept, so the gate had no minute in which it could have taken the posting.
    bench.clock.pass(Span::hours(24));
    bench.wire().ledger.settle_clocks();
    bench.withdraw(6);
    assert_eq!(bench.run(3), 0);
    assert_eq!(bench.signer.keeper().latched().count(), 0);
    assert_eq!(bench.run(60), 0);
    assert_eq!(bench.signer.keeper().latched().count(), 1);
}

/// The replica is behind the checkpoint that the posting names, and binds it once it is there.
#[test]
fn a_posting_that_names_what_comes_binds_then() {
    let mut bench = Bench::new();
    bench.run(2);
    let hidden = {
        let mut ahead = bench.wire().ledger.clone();
        ahead.settle_clocks();
        ahead
    };
    {
        let mut wire = bench.wire();
        let now = std::mem::replace(&mut wire.ledger, hidden);
        let (act, evidence) = wire.ledger.suspension(Scope::Everything);
        wire.post(Posting { act, evidence });
        let then = std::mem::replace(&mut wire.ledger, now);
        drop(wire);
        bench.run(5);
        bench.wire().ledger = then;
    }
    bench.run(1);
    bench.withdraw(5);
    assert_eq!(bench.run(3), 0);
}

#[test]
fn a_board_that_forgot_is_read_again_from_the_start() {
    let mut bench = Bench::new();
    bench.run(2);
    for _ in 0..3 {
        let mut wire = bench.wire();
        let (act, _) = wire.ledger.suspension(Scope::Everything);
        let evidence = portcullis_core::Evidence::default();
        wire.post(Posting { act, evidence });
    }
    bench.run(2);
    bench.wire().board.postings.clear();
    post_suspension(&bench, Scope::Everything);
    bench.run(3);
    bench.withdraw(5);
    assert_eq!(bench.run(3), 0);
    assert_eq!(
        bench.signer.keeper().lease().err(),
        None,
        "it is fresh again"
    );
}

/// Between the record and the signature somebody on the host shuts the signer.
#[test]
fn shut_holds_from_the_moment_on() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.withdraw(5);
    let (disk, clock) = (bench.disk.clone(), bench.clock.clone());
    bench.disk.meanwhile("once-only", move || {
        latches::shut(&disk, &Dice::default(), &clock).unwrap();
    });
    assert_eq!(bench.run(3), 0);
    assert!(
        bench.disk.bytes("once-only").unwrap().len() > 100,
        "it was about to sign"
    );
    assert_latched(&bench, Condition::Shut);
}

/// A freeze that names the newest cosigned head, which an idle gate has no reason to journal.
fn freeze_naming_the_newest_head(bench: &Bench) {
    let mut wire = bench.wire();
    let head = wire.ledger.state.facts().log.head();
    let origin = wire.ledger.world.network.log().name().clone();
    let body = portcullis_tlog::Checkpoint::new(origin, head).body_digest();
    let customer = Customer::number(1);
    let mut act = wire.ledger.customers_act(&customer, ActKind::Freeze);
    act.checkpoint = Digest(*body.as_bytes());
    let evidence = Evidence {
        assertions: vec![customer.assertion(&act)],
        ..Evidence::default()
    };
    wire.post(Posting { act, evidence });
}

#[test]
fn what_no_gate_could_have_journaled_bars_and_latches_nobody() {
    let mut bench = Bench::new();
    bench.run(2);
    freeze_naming_the_newest_head(&bench);
    bench.run(70);
    assert_eq!(bench.signer.keeper().latched().count(), 0);
    // The head is overtaken without having been journaled; the account stays barred all the same.
    bench.withdraw(5);
    assert_eq!(bench.run(70), 0);
    assert_eq!(bench.signer.keeper().latched().count(), 0);
    // Nobody else is.
    let other = Customer::number(2);
    {
        let ledger = &mut bench.wire().ledger;
        ledger.open(&other);
        ledger.add_address(&other, crate::bench::PAYEE);
        ledger.withdraw(&other, crate::bench::PAYEE, 6);
    }
    assert_eq!(bench.run(3), 1);
}

#[test]
fn once_the_journal_has_the_head_leaving_the_posting_out_latches() {
    let mut bench = Bench::new();
    bench.run(2);
    freeze_naming_the_newest_head(&bench);
    bench.run(2);
    {
        let mut wire = bench.wire();
        wire.ledger.cosign();
        wire.ledger.journal_checkpoint();
    }
    bench.run(70);
    assert_eq!(bench.signer.keeper().latched().count(), 1);
}

/// A node that answers slowly must not keep the signer from what stops it.
#[test]
fn a_slow_node_takes_a_step_no_longer_than_its_budget() {
    let mut bench = Bench::new();
    bench.run(2);
    for amount in 1..=20 {
        bench.withdraw(amount);
    }
    let each = Span(700);
    bench.node.chain().slow = Some((bench.clock.clone(), each));
    for _ in 0..10 {
        bench.clock.pass(Span::seconds(1));
        let began = bench.clock.now();
        bench.step();
        // Its budget, and what was begun within it: a look asks three things.
        let took = bench.clock.now().since(began);
        assert!(took <= Span(750 + 3 * each.0), "{took:?}");
    }
}

/// The gate's journal and this replica disagree on what fits: for a moment the gate is ahead, for
/// longer it has decided otherwise.
#[test]
fn a_gate_that_goes_on_refusing_what_fits_raises_an_alarm() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.wire().refuses = Some(Reason::StatementRefused);
    bench.withdraw(5);
    bench.run(50);
    assert!(bench.alarms().is_empty());
    bench.run(90);
    assert_eq!(bench.alarms(), ["diverged"]);
}

#[test]
fn a_gate_that_is_ahead_for_a_moment_raises_none() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.wire().refuses = Some(Reason::StatementRefused);
    bench.withdraw(5);
    bench.run(40);
    bench.wire().refuses = None;
    bench.run(100);
    assert!(bench.alarms().is_empty());
}

/// One that takes every statement and journals none: whoever is on call hears of it, once.
#[test]
fn a_gate_that_keeps_silent_what_a_signer_says_raises_an_alarm() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.wire().takes_statements = false;
    bench.withdraw(5);
    bench.run(290);
    assert!(bench.alarms().is_empty());
    bench.run(100);
    bench.withdraw(6);
    bench.run(400);
    assert_eq!(bench.alarms(), ["unsaid"]);
}
