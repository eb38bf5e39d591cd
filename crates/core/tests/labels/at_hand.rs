//! Bytes: no entry is applied by a set that is not at hand, and bytes that are no set hold everything.

use super::{act, held, offered, set};
use crate::stage::{PAYEE, Stage};
use portcullis_core::act::{ActKind, LabelsOffered};
use portcullis_core::entry::{Body, Entry, Settlement};
use portcullis_core::labels::{ListKind, Opened, WrongBytes};
use portcullis_core::{Decision, Digest, Domain, Need, ReadEntry, State};
use portcullis_keeper::testkit::World;
use portcullis_labels::{Category, Kind};

fn settlement(stage: &Stage, act: Digest, decision: Decision) -> ReadEntry {
    let plan = None;
    let settled = Settlement {
        act,
        decision,
        plan,
        beside: portcullis_core::entry::Beside::default(),
    };
    let body = Body::Settle(Box::new(settled));
    ReadEntry::from_bytes(&Entry::new(stage.now(), body).to_bytes())
}

/// The proposal needs no bytes; what puts it in force does, and every entry after that.
#[test]
fn an_entry_says_which_sets_it_takes() {
    let mut stage = Stage::new();
    let new = set(Kind::Authority, &[(PAYEE, Category::Sanction, 10)]);
    let digest = Digest(new.digest().0);
    let kind = act(&stage, "ofac", Some(offered(&new)));
    let asked = stage.staffs(World::administrator(0), kind);
    let proposal = stage.submit(asked);
    stage.approve(World::administrator(1), proposal);
    assert_eq!(stage.state().labels_ahead(), [digest].into());

    let settles = settlement(&stage, proposal, Decision::Release);
    assert_eq!(stage.state().lacks(&settles), [digest].into());
    let returns = settlement(&stage, proposal, stage_refusal());
    assert!(
        stage.state().lacks(&returns).is_empty(),
        "it brings nothing"
    );
    stage.has(&new);
    assert!(stage.state().lacks(&settles).is_empty());
    stage.settle(proposal);

    // A follower that starts from a snapshot has the digest, and not the bytes.
    let snapshot = stage.state().to_snapshot();
    let network = stage.ledger.world.network.clone();
    let mut follower = State::from_snapshot(&snapshot, network).unwrap();
    assert_eq!(follower.lacks(&settles), [digest].into());
    follower.hold_labels(Opened::named(digest, new.as_bytes().to_vec()).unwrap());
    assert!(follower.lacks(&settles).is_empty());
    assert_eq!(follower.sight(&PAYEE), stage.state().sight(&PAYEE));
    assert_eq!(follower.digest(), stage.state().digest());
}

fn stage_refusal() -> Decision {
    let reason = portcullis_core::Reason::LabelsChanged;
    Decision::Refuse { reason }
}

/// Sets that are in force no more are not kept in memory.
#[test]
fn what_is_replaced_is_let_go() {
    let mut stage = Stage::new();
    let old = set(Kind::Community, &[(PAYEE, Category::Mixing, 7)]);
    let new = set(Kind::Community, &[(PAYEE, Category::Mixing, 8)]);
    stage.lists("desk", &old);
    stage.lists("desk", &new);
    let has = |set: &portcullis_labels::LabelSet| {
        let digest = Digest(set.digest().0);
        stage.state().shelf().has(&digest)
    };
    assert!(has(&new) && !has(&old));
}

#[test]
fn other_bytes_than_the_digests_are_not_opened() {
    let set = set(Kind::Community, &[(PAYEE, Category::Mixing, 7)]);
    let digest = Digest(set.digest().0);
    let mut bytes = set.as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(Opened::named(digest, bytes).err(), Some(WrongBytes));
    let cut = set.as_bytes().split_last().unwrap().1.to_vec();
    assert_eq!(Opened::named(digest, cut).err(), Some(WrongBytes));
}

/// A quorum can approve the digest of anything. Then all see the same, and nothing goes out unseen.
#[test]
fn what_is_not_as_the_act_says_holds_everything() {
    let real = set(Kind::Community, &[]);
    let garbage = b"no set at all".to_vec();
    let of_garbage = LabelsOffered {
        digest: Digest::of(Domain::Labels, &garbage),
        ..offered(&real)
    };
    let other_kind = LabelsOffered {
        kind: ListKind::Authority,
        ..offered(&real)
    };
    let other_number = LabelsOffered {
        labels: 7,
        ..offered(&real)
    };
    let other_source = LabelsOffered {
        source: "somebody who is trusted".into(),
        ..offered(&real)
    };
    for (bytes, said) in [
        (real.as_bytes().to_vec(), other_source),
        (garbage, of_garbage),
        (real.as_bytes().to_vec(), other_kind),
        (real.as_bytes().to_vec(), other_number),
    ] {
        let mut stage = Stage::new();
        let opened = Opened::named(said.digest, bytes).unwrap();
        stage.ledger.state.hold_labels(opened);
        let kind: ActKind = act(&stage, "list", Some(said.clone()));
        stage.propose(kind);
        assert_eq!(stage.withdraws(), held(&[Need::Label]), "{said:?}");
        stage.lists("list", &super::set_of_day(Kind::Community, 9, &[]));
        assert_eq!(stage.withdraws(), Decision::Release);
    }
}
