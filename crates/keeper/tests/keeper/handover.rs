//! Other witnesses take over: the replica goes by the size of a checkpoint, and never by who shows it.

use crate::gate::Gate;
use portcullis_core::signature::Signature;
use portcullis_core::{Body, Entry, Span, Time};
use portcullis_host::Clock as _;
use portcullis_keeper::Keeper;
use portcullis_keeper::follow::{FollowFault, Follower};
use portcullis_keeper::testkit::{Ledger, World};
use portcullis_tlog::{TreeHead, WitnessSigner};
use std::time::Duration;

const OLD: [u8; 3] = [0x91, 0x92, 0x93];
const NEW: [u8; 3] = [0x92, 0x94, 0x95];

pub(crate) fn step(follower: &mut Follower) -> Result<usize, FollowFault> {
    Ok(follower.step(Duration::ZERO)?.len())
}

pub(crate) fn reach_the_end(gate: &Gate, follower: &mut Follower) {
    for _ in 0..5 {
        step(follower).unwrap();
    }
    let wire = gate.wire();
    assert_eq!(follower.state().facts(), wire.ledger.state.facts());
    let head = follower.acting_head(gate.clock.now()).unwrap().head();
    assert_eq!(head, wire.ledger.state.facts().log.head());
}

/// The rotation, of which those of before have yet to cosign the journal. Gives the size.
fn rotate(gate: &Gate) -> u64 {
    let mut wire = gate.wire();
    wire.ledger.rotate_witnesses(World::witnesses_of(&NEW));
    wire.ledger.state.handing_over().unwrap()
}

/// The gate shows this head, by these witnesses, at this time, and nothing fresher.
fn show(gate: &Gate, head: TreeHead, seeds: &[u8], time: Time) {
    let mut wire = gate.wire();
    let signers: Vec<WitnessSigner> = seeds.iter().copied().map(World::witness).collect();
    wire.ledger.note = wire.ledger.note_by(head, time, &signers);
    wire.heartbeat = false;
    wire.shows_handovers = false;
}

pub(crate) fn newest(gate: &Gate) -> TreeHead {
    newest_of(&gate.wire().ledger)
}

fn newest_of(ledger: &Ledger) -> TreeHead {
    ledger.state.facts().log.head()
}

#[test]
fn a_replica_follows_across_it() {
    let gate = Gate::new();
    let mut follower = gate.follower();
    reach_the_end(&gate, &mut follower);
    rotate(&gate);
    step(&mut follower).unwrap();
    gate.wire().ledger.settle_clocks();
    reach_the_end(&gate, &mut follower);
    gate.withdraw(5);
    gate.wire().ledger.settle_clocks();
    reach_the_end(&gate, &mut follower);
}

/// With nothing but genesis it comes past each of them, in pieces of any size.
#[test]
fn whoever_begins_anew_comes_past_every_one() {
    let gate = Gate::new();
    for seeds in [&NEW[..], &[0x95, 0x96, 0x97], &OLD] {
        {
            let ledger = &mut gate.wire().ledger;
            ledger.rotate_witnesses(World::witnesses_of(seeds));
            ledger.settle_clocks();
        }
        gate.withdraw(5);
        gate.wire().ledger.settle_clocks();
    }
    let want = gate.wire().ledger.state.facts().clone();
    for chunk in [1, 2, 3, 7, 100] {
        gate.wire().chunk = chunk;
        let mut follower = gate.follower();
        for _ in 0..2 * want.log.size() {
            step(&mut follower).unwrap();
        }
        assert_eq!(follower.state().facts(), &want, "{chunk}");
    }
}

/// Whoever shows the newest head alone keeps a replica of before where it is, and no longer.
#[test]
fn a_gate_that_shows_no_handover_only_delays() {
    let gate = Gate::new();
    let mut follower = gate.follower();
    reach_the_end(&gate, &mut follower);
    let before = follower.state().size();
    rotate(&gate);
    gate.wire().ledger.settle_clocks();
    gate.wire().shows_handovers = false;
    for _ in 0..5 {
        let fault = step(&mut follower).unwrap_err();
        assert!(matches!(fault, FollowFault::Checkpoint(_)), "{fault}");
    }
    assert_eq!(follower.state().size(), before);
    gate.wire().shows_handovers = true;
    reach_the_end(&gate, &mut follower);
}

/// Those of before cosign a longer journal: the rotation in it is confirmed by that, and nothing behind it.
#[test]
fn what_those_of_before_say_of_a_longer_journal_confirms_no_more_than_the_rotation() {
    let gate = Gate::new();
    let mut follower = gate.follower();
    reach_the_end(&gate, &mut follower);
    let last = rotate(&gate);
    gate.withdraw(5);
    show(&gate, newest(&gate), &OLD, gate.clock.now());
    step(&mut follower).unwrap();
    assert_eq!(follower.state().size(), last);
    assert!(follower.acting_head(gate.clock.now()).is_none());
    for _ in 0..3 {
        assert!(step(&mut follower).is_err());
    }
    assert_eq!(follower.state().size(), last);
    {
        let wire = &mut *gate.wire();
        (wire.heartbeat, wire.shows_handovers) = (true, true);
        wire.ledger.settle_clocks();
    }
    reach_the_end(&gate, &mut follower);
}

pub(crate) fn look(gate: &Gate, keeper: &mut Keeper) {
    gate.second();
    keeper.look(Duration::ZERO).unwrap();
    keeper.finish(Vec::new).unwrap();
}

fn come_past(gate: &Gate) -> (Keeper, u64) {
    let mut keeper = gate.keeper();
    look(gate, &mut keeper);
    let last = rotate(gate);
    gate.wire().ledger.settle_clocks();
    (0..3).for_each(|_| look(gate, &mut keeper));
    assert!(keeper.lease().is_ok());
    (keeper, last)
}

/// A whole quorum of retired keys makes no fork, cuts nothing and moves nothing for whoever is past.
#[test]
fn retired_witnesses_say_nothing_any_more() {
    let gate = Gate::new();
    let (mut keeper, last) = come_past(&gate);
    let size = keeper.state().size();
    let mut other = gate.wire().ledger.branch();
    other.entries.truncate(usize::try_from(last).unwrap() - 1);
    other.entries.push(b"another entry".to_vec());
    let forked = other.head_at(other.entries.len());
    let fresh = gate.clock.now().after(Span::seconds(2));
    let past = gate.wire().ledger.head_at(usize::try_from(last).unwrap());
    let heads = [
        ("another journal", forked),
        ("the last of theirs, once more", past),
        ("the newest", newest(&gate)),
    ];
    for (what, head) in heads {
        show(&gate, head, &OLD, fresh);
        look(&gate, &mut keeper);
        assert_eq!(keeper.latched().count(), 0, "{what}");
        assert_eq!(keeper.state().size(), size, "{what}");
    }
}

/// Its own files speak of witnesses whom the replica, from its older snapshot, has yet to read of.
#[test]
fn a_keeper_that_begins_again_acts_by_nothing_before_it_is_where_it_was() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    look(&gate, &mut keeper);
    keeper.save(&[]).unwrap();
    rotate(&gate);
    gate.wire().ledger.settle_clocks();
    gate.clock.pass(Span::seconds(20));
    (0..3).for_each(|_| look(&gate, &mut keeper));
    let was = keeper.state().size();
    let mut again = gate.keeper();
    assert!(again.state().size() < was);
    gate.wire().chunk = 1;
    while again.state().size() < was {
        assert!(again.lease().is_err(), "{}", again.state().size());
        look(&gate, &mut again);
    }
    (0..30).for_each(|_| look(&gate, &mut again));
    assert!(again.lease().is_ok());
    assert_eq!(again.state().facts(), gate.wire().ledger.state.facts());
}

/// The snapshot stands at the handover itself, or behind it.
#[test]
fn a_snapshot_is_gone_on_from_wherever_it_stands() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    look(&gate, &mut keeper);
    let last = rotate(&gate);
    gate.wire().ledger.cosign();
    look(&gate, &mut keeper);
    assert_eq!(keeper.state().size(), last);
    keeper.save(&[]).unwrap();
    assert_eq!(gate.keeper().state().size(), last);
    gate.wire().ledger.settle_clocks();
    (0..3).for_each(|_| look(&gate, &mut keeper));
    keeper.save(&[]).unwrap();
    assert_eq!(gate.keeper().state().size(), keeper.state().size());
    assert!(keeper.state().size() > last);
}

/// Two of the first witnesses come back: what they cosign behind three handovers counts for a replica that has read
/// of none, and the last checkpoint of each set comes after it.
#[test]
fn a_head_of_witnesses_who_are_in_force_again_hides_no_handover() {
    let gate = Gate::new();
    for seeds in [[0x94, 0x95, 0x96], [0x97, 0x98, 0x99], [0x91, 0x92, 0x9a]] {
        let ledger = &mut gate.wire().ledger;
        ledger.rotate_witnesses(World::witnesses_of(&seeds));
        ledger.settle_clocks();
    }
    let newest = gate.wire().ledger.note.clone();
    let mut follower = gate.follower();
    follower.recall(&newest).unwrap();
    assert!(
        follower.heads().newest().is_some(),
        "it counts by genesis' witnesses"
    );
    for _ in 0..10 {
        // What the replica cannot judge yet is passed over.
        let _ = step(&mut follower);
    }
    reach_the_end(&gate, &mut follower);
}

/// Whoever had the gate wrote a rotation that no administrator signed. It is void, and reading it again without its
/// signatures must not lead to its author's witnesses, who would never confirm the mark.
#[test]
fn a_forged_rotation_below_the_own_mark_hands_nothing_over() {
    let gate = Gate::new();
    let genuine = {
        let mut ledger = gate.wire().ledger.clone();
        ledger.rotate_witnesses(World::witnesses_of(&NEW));
        ledger.entries
    };
    {
        let ledger = &mut gate.wire().ledger;
        for bytes in &genuine[ledger.entries.len()..] {
            enter_forged(ledger, Entry::from_bytes(bytes).unwrap());
        }
        ledger.settle_clocks();
        assert!(ledger.state.handovers().is_empty());
    }
    let mut keeper = gate.keeper();
    look(&gate, &mut keeper);
    let mut again = gate.keeper();
    (0..3).for_each(|_| look(&gate, &mut again));
    assert_eq!(again.state().facts(), gate.wire().ledger.state.facts());
    assert!(again.follower().has_reached_mark());
}

/// Enter the same with broken signatures, and each checkpoint as this journal's.
fn enter_forged(ledger: &mut Ledger, mut entry: Entry) {
    match &mut entry.body {
        Body::Act(submission) => {
            for request in &mut submission.evidence.requests {
                request.signature = Signature::from_bytes([7; 64]);
            }
        }
        Body::Checkpoint(note) => *note = ledger.note_of(newest_of(ledger), entry.time),
        _ => {}
    }
    ledger.enter_bytes(entry.to_bytes());
}
