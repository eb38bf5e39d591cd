//! The replica moves only where a quorum of witnesses leads.

use crate::gate::Gate;
use portcullis_core::codec::encode;
use portcullis_core::entry::{Body, Entry};
use portcullis_core::follow::FollowAnswer;
use portcullis_host::{Clock as _, Http, HttpError, Reply};
use portcullis_keeper::Machine;
use portcullis_keeper::follow::{Breach, FollowFault, Follower};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const NO_WAIT: Duration = Duration::ZERO;

#[test]
fn a_replica_equals_the_gates_state() {
    let gate = Gate::new();
    let mut follower = gate.follower();
    follower.step(NO_WAIT).unwrap();
    gate.withdraw(5);
    gate.wire().ledger.settle_clocks();
    follower.step(NO_WAIT).unwrap();
    let wire = gate.wire();
    assert_eq!(follower.state().facts(), wire.ledger.state.facts());
    assert!(follower.acting_head(gate.clock.now()).is_some());
}

/// Entries reach the replica once a cosigned root has them, and not before.
#[test]
fn what_no_quorum_has_cosigned_is_not_applied() {
    let gate = Gate::new();
    let mut follower = gate.follower();
    follower.step(NO_WAIT).unwrap();
    let before = follower.state().size();
    gate.wire().heartbeat = false;
    gate.withdraw(5);
    // The gate shows the entry beside the checkpoint that does not have it.
    let fault = follower.step(NO_WAIT).unwrap_err();
    assert!(matches!(fault, FollowFault::OtherEntries { .. }), "{fault}");
    assert_eq!(follower.state().size(), before);
}

/// One lie after another in place of an entry: what is applied is the journal's beginning, as far as
/// a cosigned root confirms it, and never the lie.
#[test]
fn every_entry_replaced_in_turn_is_noticed() {
    let gate = Gate::new();
    let entries = gate.wire().ledger.entries.clone();
    for at in 0..entries.len() {
        let mut follower = gate.follower();
        let mut lies = entries[at..].to_vec();
        lies[0] = Entry::new(gate.clock.now(), Body::Checkpoint(vec![])).to_bytes();
        gate.wire().lies = Some((at, lies));
        let faults = (0..3).filter_map(|_| follower.step(NO_WAIT).err());
        let noticed = faults.filter(|fault| matches!(fault, FollowFault::WrongEntries { .. }));
        assert!(noticed.count() > 0, "{at}");
        assert!(follower.state().size() <= at as u64);
        assert_is_a_beginning(&gate, &follower);
        gate.wire().lies = None;
        let _ = follower.step(NO_WAIT);
        let _ = follower.step(NO_WAIT);
        assert_eq!(follower.state().size(), entries.len() as u64);
    }
}

fn assert_is_a_beginning(gate: &Gate, follower: &Follower) {
    let ours = follower.state().facts().log.head();
    let size = usize::try_from(ours.size).unwrap();
    assert_eq!(ours, gate.wire().ledger.head_at(size));
}

/// Answers that are too short for the checkpoint are put together; the journal's own checkpoints
/// confirm the pieces.
#[test]
fn pieces_of_every_size_lead_to_the_same_replica() {
    let gate = Gate::new();
    for n in 0..5 {
        gate.withdraw(n + 1);
        gate.wire().ledger.settle_clocks();
    }
    let want = gate.wire().ledger.state.facts().clone();
    for chunk in 1..=want.log.size() {
        gate.wire().chunk = usize::try_from(chunk).unwrap();
        let mut follower = gate.follower();
        if chunk > want.log.size() / 2 {
            // What is confirmed is applied, long before the newest head is reached.
            follower.step(NO_WAIT).unwrap();
            assert!(follower.state().size() > 0, "{chunk}");
        }
        for _ in 0..want.log.size() {
            follower.step(NO_WAIT).unwrap();
        }
        assert_eq!(follower.state().facts(), &want, "{chunk}");
    }
}

#[test]
fn an_answer_that_never_ends_at_a_checkpoint_is_dropped_whole() {
    let gate = Gate::new();
    let mut follower = gate.follower();
    follower.step(NO_WAIT).unwrap();
    let size = usize::try_from(follower.state().size()).unwrap();
    let mut other = gate.wire().ledger.branch();
    for _ in 0..4 {
        other.journal_checkpoint();
    }
    gate.withdraw(5);
    gate.wire().ledger.settle_clocks();
    gate.wire().ledger.settle_clocks();
    gate.wire().lies = Some((size, other.entries[size..].to_vec()));
    gate.wire().chunk = 1;
    for _ in 0..20 {
        let _ = follower.step(NO_WAIT);
    }
    assert_eq!(follower.state().size(), size as u64);
    gate.wire().lies = None;
    for _ in 0..20 {
        let _ = follower.step(NO_WAIT);
    }
    assert_eq!(follower.state().facts(), gate.wire().ledger.state.facts());
}

/// Two cosigned heads, one of which the entries under the other contradict: proven by the entries.
#[test]
fn a_head_that_the_cosigned_entries_contradict_is_a_fork() {
    let gate = Gate::new();
    let mut follower = gate.follower();
    follower.step(NO_WAIT).unwrap();
    let mut other = gate.wire().ledger.branch();
    other.journal_checkpoint();
    other.cosign();
    gate.withdraw(5);
    gate.wire().ledger.settle_clocks();
    // The keeper hears of the other head first, and cannot judge it yet.
    let ours = gate.wire().ledger.clone();
    gate.wire().ledger = other;
    gate.wire().chunk = 0;
    follower.step(NO_WAIT).unwrap();
    gate.wire().ledger = ours;
    gate.wire().chunk = 100;
    let before = follower.state().size();
    let fault = follower.step(NO_WAIT).unwrap_err();
    assert!(
        matches!(fault, FollowFault::Breach(Breach::Fork { .. })),
        "{fault}"
    );
    assert_eq!(follower.state().size(), before, "and nothing was applied");
}

/// A gate that answers with anything at all.
struct Babble(Vec<u8>);

impl Http for Babble {
    fn get(&self, _: &str, _: &[(&str, &str)], _: u64, _: Duration) -> Result<Reply, HttpError> {
        let body = self.0.clone();
        Ok(Reply { status: 200, body })
    }

    fn post(
        &self,
        url: &str,
        _: &[(&str, &str)],
        _: &[u8],
        _: u64,
        _: Duration,
    ) -> Result<Reply, HttpError> {
        let url = url.to_owned();
        let why = String::new();
        Err(HttpError { url, why })
    }
}

fn hears(gate: &Gate, body: Vec<u8>) -> (Follower, Result<usize, FollowFault>) {
    let machine = Machine {
        http: Arc::new(Babble(body)),
        ..gate.machine()
    };
    let state = gate.follower().state().clone();
    let mut follower = Follower::new(machine, "http://gate".into(), state, None, Arc::default());
    let heard = follower.step(NO_WAIT).map(|seen| seen.len());
    (follower, heard)
}

#[test]
fn a_flipped_byte_of_an_answer_changes_nothing() {
    let gate = Gate::new();
    let answer = {
        let mut wire = gate.wire();
        wire.ledger.cosign();
        let entries = wire.ledger.entries.clone();
        encode(&FollowAnswer {
            checkpoint: wire.ledger.note.clone(),
            from: 0,
            entries: entries.into_iter().map(Into::into).collect(),
        })
    };
    assert!(hears(&gate, answer.clone()).1.unwrap() > 0);
    let mut caught = 0;
    let flips = (0..answer.len()).step_by(7);
    let all = flips.len();
    for at in flips {
        let mut flipped = answer.clone();
        flipped[at] ^= 0x20;
        let (follower, heard) = hears(&gate, flipped);
        // A flip in one witness' line leaves a quorum, and one behind a journaled checkpoint what
        // that confirms.
        assert_is_a_beginning(&gate, &follower);
        caught += usize::from(heard.is_err());
    }
    assert!(caught > all / 3, "only {caught} of {}", answer.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn babble_is_no_news(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let gate = Gate::new();
        let (follower, heard) = hears(&gate, body);
        prop_assert!(heard.is_err());
        prop_assert_eq!(follower.state().size(), 0);
    }
}
