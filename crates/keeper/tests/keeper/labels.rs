//! Label sets: a replica stands still before what it cannot decide, fetches, believes no bytes but those of
//! the digest, and goes on.

use crate::gate::Gate;
use portcullis_chains::caip::Address;
use portcullis_core::Digest;
use portcullis_core::act::{ActKind, Approve, LabelsOffered, SetLabels};
use portcullis_core::follow::LABELS_PIECE;
use portcullis_core::labels::{ListKind, Opened};
use portcullis_core::policy::Name;
use portcullis_host::Clock as _;
use portcullis_keeper::follow::{FollowFault, Follower};
use portcullis_keeper::testkit::World;
use portcullis_labels::{Category, Date, Draft, Header, Key, Kind, LabelSet, Rating, Risk};
use std::time::Duration;

const NO_WAIT: Duration = Duration::ZERO;

/// A set of so many labels.
fn set(labels: u32) -> LabelSet {
    let mut draft = Draft::new();
    let rating = Rating {
        risk: Risk::MAX,
        category: Category::Sanction,
    };
    for number in 0..labels {
        let mut address = [0xcc; 20];
        address[..4].copy_from_slice(&number.to_be_bytes());
        let key = Key::try_from(Address::Evm { chain: 1, address }).unwrap();
        draft.add(key, rating, "a case").unwrap();
    }
    let header = Header::new(Kind::Authority, Date::from_days(1).unwrap(), "a court").unwrap();
    draft.build(&header)
}

/// Proposed, and approved so that it could come in force.
fn propose(gate: &Gate, set: &LabelSet) -> Digest {
    let offered = LabelsOffered {
        digest: Digest(set.digest().0),
        kind: ListKind::Authority,
        from: 0,
        source: "a court".into(),
        labels: u32::try_from(set.len()).unwrap(),
        rejected: Vec::new(),
    };
    let kind = ActKind::SetLabels(SetLabels {
        name: Name("court".into()),
        replaces: None,
        set: Some(offered),
    });
    let mut wire = gate.wire();
    let ledger = &mut wire.ledger;
    let act = ledger.staff(World::administrator(0), kind);
    ledger.staff(World::administrator(1), ActKind::Approve(Approve { act }));
    ledger.settle_clocks();
    act
}

/// The gate, which has the bytes, puts it in force.
fn settle(gate: &Gate, act: Digest, set: &LabelSet) {
    let digest = Digest(set.digest().0);
    let opened = Opened::named(digest, set.as_bytes().to_vec()).unwrap();
    let mut wire = gate.wire();
    wire.ledger.state.hold_labels(opened);
    wire.ledger.settle(act);
    wire.ledger.settle_clocks();
}

fn give(gate: &Gate, set: &LabelSet, bytes: Vec<u8>) {
    let digest = Digest(set.digest().0);
    gate.wire().labels.insert(digest, bytes);
}

fn follow(follower: &mut Follower, steps: usize) -> Vec<FollowFault> {
    (0..steps)
        .filter_map(|_| follower.step(NO_WAIT).err())
        .collect()
}

fn assert_equal(gate: &Gate, follower: &Follower) {
    let wire = gate.wire();
    assert_eq!(follower.state().digest(), wire.ledger.state.digest());
    assert_eq!(follower.state().size(), wire.ledger.state.size());
}

/// While the act waits, so that nothing stands still when it is settled.
#[test]
fn a_set_is_fetched_before_it_is_needed() {
    let gate = Gate::new();
    let set = set(20_000);
    assert!(set.as_bytes().len() > LABELS_PIECE);
    give(&gate, &set, set.as_bytes().to_vec());
    let act = propose(&gate, &set);
    let mut follower = gate.follower();
    assert!(follow(&mut follower, 8).is_empty());
    let pieces = gate.wire().pieces;
    assert_eq!(pieces, set.as_bytes().len().div_ceil(LABELS_PIECE));
    gate.wire().labels.clear();
    settle(&gate, act, &set);
    assert!(follow(&mut follower, 2).is_empty());
    assert_equal(&gate, &follower);
    assert_eq!(gate.wire().pieces, pieces, "it is on the keeper's own disk");
}

#[test]
fn a_replica_stands_still_before_what_it_cannot_decide_and_goes_on_by_itself() {
    let gate = Gate::new();
    let set = set(3);
    let act = propose(&gate, &set);
    let mut follower = gate.follower();
    follow(&mut follower, 4);
    let before = follower.state().size();
    settle(&gate, act, &set);
    let faults = follow(&mut follower, 5);
    assert!(!faults.is_empty());
    let waits = |fault: &FollowFault| matches!(fault, FollowFault::Status(404));
    assert!(faults.iter().all(waits), "{faults:?}");
    assert_eq!(follower.state().size(), before);
    assert!(follower.awaits_labels());
    assert!(follower.acting_head(gate.clock.now()).is_none());
    give(&gate, &set, set.as_bytes().to_vec());
    assert!(follow(&mut follower, 4).is_empty());
    assert_equal(&gate, &follower);
    assert!(follower.acting_head(gate.clock.now()).is_some());
}

#[test]
fn other_bytes_are_never_looked_into() {
    let set = set(20_000);
    let right = set.as_bytes().to_vec();
    let mut flipped = right.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let longer = [right.as_slice(), b"x"].concat();
    let cut = right[..LABELS_PIECE].to_vec();
    for wrong in [flipped, longer, cut, Vec::new()] {
        let gate = Gate::new();
        let act = propose(&gate, &set);
        settle(&gate, act, &set);
        give(&gate, &set, wrong);
        let mut follower = gate.follower();
        let faults = follow(&mut follower, 12);
        let refused = |fault: &FollowFault| matches!(fault, FollowFault::Labels(_));
        assert!(faults.iter().any(refused), "{faults:?}");
        assert!(follower.awaits_labels());
        assert!(follower.state().facts().labels.is_none());
        give(&gate, &set, right.clone());
        follow(&mut follower, 8);
        assert_equal(&gate, &follower);
    }
}

/// A keeper that starts again has the set, whatever the gate says by then.
#[test]
fn what_was_fetched_is_kept() {
    let gate = Gate::new();
    let set = set(3);
    give(&gate, &set, set.as_bytes().to_vec());
    let act = propose(&gate, &set);
    settle(&gate, act, &set);
    let mut first = gate.follower();
    follow(&mut first, 6);
    assert_equal(&gate, &first);
    gate.wire().labels.clear();
    let mut second = gate.follower();
    assert!(follow(&mut second, 4).is_empty());
    assert_equal(&gate, &second);
}
