//! A keeper's own snapshots: believed only under its own key.

use crate::gate::{Gate, PAYEE};
use portcullis_core::act::LiftTarget;
use portcullis_core::reason::Reason;
use portcullis_core::signature::Signature;
use portcullis_core::{Body, Decision, Span, State};
use portcullis_keeper::Keeper;
use portcullis_keeper::testkit::{Customer, Ledger, World};
use std::time::Duration;

fn look(gate: &Gate, keeper: &mut Keeper) -> (usize, bool) {
    gate.second();
    let news = keeper.look(Duration::ZERO).unwrap();
    keeper.finish(Vec::new).unwrap();
    (news.seen.len(), news.began_again)
}

#[test]
fn a_keeper_goes_on_from_its_snapshot() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    look(&gate, &mut keeper);
    keeper.save(b"beside").unwrap();
    let saved = keeper.state().size();
    gate.withdraw(5);
    let mut again = gate.keeper();
    assert_eq!(again.extra(), b"beside");
    assert_eq!(again.state().size(), saved);
    let (seen, _) = look(&gate, &mut again);
    assert_eq!(again.state().facts(), gate.wire().ledger.state.facts());
    assert!(seen < gate.wire().ledger.entries.len());
}

#[test]
fn a_snapshot_that_somebody_touched_is_left_aside() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    look(&gate, &mut keeper);
    keeper.save(&[]).unwrap();
    let good = gate.disk.bytes("snapshot").unwrap();
    let step = good.len() / 97 + 1;
    for at in (0..good.len())
        .step_by(step)
        .chain([0, 63, 64, good.len() - 1])
    {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        gate.disk.put("snapshot", &flipped);
        assert_eq!(gate.keeper().state().size(), 0, "{at}");
    }
    gate.disk.put("snapshot", &good[..40]);
    assert_eq!(gate.keeper().state().size(), 0);
}

/// What stood beside the state bounds what may be signed: without it the state is not gone on from.
#[test]
fn a_snapshot_whose_other_part_cannot_be_read_is_left_aside() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    look(&gate, &mut keeper);
    keeper.save(b"of a later version").unwrap();
    let again = gate.keeper_that_reads(|extra| extra == b"of this version");
    assert_eq!((again.state().size(), again.extra()), (0, &[][..]));
}

/// The state of another keeper, well made and under another key, is nobody's to load.
#[test]
fn a_mark_is_no_snapshot() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    look(&gate, &mut keeper);
    let mark = gate.disk.bytes("mark").unwrap();
    gate.disk.put("snapshot", &mark);
    assert_eq!(gate.keeper().state().size(), 0);
}

#[test]
fn below_the_own_mark_signatures_are_not_checked_again() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    look(&gate, &mut keeper);
    assert!(gate.disk.bytes("mark").is_some());
    let mut again = gate.keeper();
    let (_, began_again) = look(&gate, &mut again);
    assert!(!began_again);
    let network = gate.wire().ledger.world.network.clone();
    let mut strict = State::new(network);
    for entry in &gate.wire().ledger.entries {
        strict.apply(entry, &portcullis_core::signature::Strict);
    }
    assert_eq!(again.state().digest(), strict.digest());
}

/// An entry whose signatures do not hold is void to whoever checks them. Unchecked it is not, so the
/// digest of effects is another, and the keeper begins again and checks.
#[test]
fn a_journal_that_leads_elsewhere_is_read_strictly() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    look(&gate, &mut keeper);
    {
        // Evidence with a broken signature: the gate's entry says what follows if it were good.
        let mut wire = gate.wire();
        let (act, good) = wire
            .ledger
            .suspension(portcullis_core::act::Scope::Everything);
        let mut submission = wire.ledger.submission(act, good);
        let signature = submission.evidence.requests[0].signature;
        let mut bytes = *signature.as_bytes();
        bytes[3] ^= 1;
        submission.evidence.requests[0].signature = Signature::from_bytes(bytes);
        let body = Body::Act(Box::new(submission));
        assert!(wire.ledger.enter(body).void.is_some());
    }
    gate.clock.pass(Span::seconds(20));
    look(&gate, &mut keeper);
    look(&gate, &mut keeper);
    let mut again = gate.keeper();
    let (_, began_again) = look(&gate, &mut again);
    assert!(
        began_again,
        "the mark's digest is not reached without checking"
    );
    look(&gate, &mut again);
    assert_eq!(again.state().facts(), keeper.state().facts());
    assert_eq!(again.state().facts().void_entries, 1);
}

/// A refusal on record says what it says because a signature does not hold: taken as good, it would be void.
#[test]
fn what_was_refused_below_the_own_mark_stays_refused() {
    let gate = Gate::new();
    {
        let ledger = &mut gate.wire().ledger;
        let (act, mut evidence) = ledger.withdrawal(&gate.customer, World::ETHER, PAYEE, 5);
        evidence.attestations[0].signature = Signature::from_bytes([7; 64]);
        let submission = ledger.submission(act, evidence);
        let reason = Reason::AttestationInvalid;
        assert_eq!(submission.decision, Decision::Refuse { reason });
        let applied = ledger.enter(Body::Act(Box::new(submission)));
        assert_eq!(applied.void, None);
        ledger.settle_clocks();
    }
    let mut keeper = gate.keeper();
    look(&gate, &mut keeper);
    let mut again = gate.keeper();
    let (_, began_again) = look(&gate, &mut again);
    assert!(!began_again);
    assert_eq!(again.state().facts(), keeper.state().facts());
    assert_eq!(again.latched().count(), 0);
}

/// Two void entries would have paid; one latch stood for both, and a quorum has lifted it. Reading them again is no
/// sight of anything.
#[test]
fn what_is_void_below_the_own_mark_was_judged_before() {
    let gate = Gate::new();
    for amount in [5, 6] {
        would_pay(&mut gate.wire().ledger, &gate.customer, amount);
    }
    gate.wire().ledger.settle_clocks();
    let mut keeper = gate.keeper();
    look(&gate, &mut keeper);
    let latch = keeper.latched().next().unwrap().sight.id();
    {
        let ledger = &mut gate.wire().ledger;
        let keeper = World::KEEPER;
        ledger.lift(LiftTarget::Latch { keeper, latch });
        ledger.settle_clocks();
    }
    gate.clock.pass(Span::seconds(20));
    look(&gate, &mut keeper);
    look(&gate, &mut keeper);
    assert_eq!(keeper.latched().count(), 0);
    let mut again = gate.keeper();
    let (_, began_again) = look(&gate, &mut again);
    assert!(!began_again);
    assert_eq!(again.latched().count(), 0);
}

/// The next start judges nothing again that lies below: a latch has to be on disk before.
#[test]
fn no_snapshot_passes_over_a_latch_that_the_disk_does_not_have() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    {
        let ledger = &mut gate.wire().ledger;
        would_pay(ledger, &gate.customer, 5);
        ledger.settle_clocks();
    }
    gate.disk.fill_after(0);
    gate.second();
    keeper.look(Duration::ZERO).unwrap();
    assert_eq!(keeper.not_durable().len(), 1);
    gate.disk.make_room();
    keeper.save(&[]).unwrap();
    assert!(gate.disk.bytes("snapshot").is_none());
    look(&gate, &mut keeper);
    keeper.save(&[]).unwrap();
    assert!(gate.disk.bytes("snapshot").is_some());
}

/// A void entry by which money would have gone out.
fn would_pay(ledger: &mut Ledger, customer: &Customer, amount: u128) {
    let (act, evidence) = ledger.withdrawal(customer, World::ETHER, PAYEE, amount);
    let mut submission = ledger.submission(act, evidence);
    (submission.decision, submission.plan) = (Decision::Release, None);
    let applied = ledger.enter(Body::Act(Box::new(submission)));
    assert!(applied.would_pay && applied.void.is_some());
}
