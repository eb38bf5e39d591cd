//! The tracker against made-up chains: a table, and every short history against a model.

use portcullis_chains::bitcoin::{Coin, OutPoint, SignedTx, Standing as Planned, Unspent};
use portcullis_core::Time;
use proptest::prelude::*;

use super::kit::{By, key, pay, wallet};
use crate::Block;
use crate::bitcoin::{Mined, Observation, REBROADCAST, Seen, Standing, TrackError, Tracker};

const SETTLED_AT: u32 = 3;

fn coin(number: u32) -> Coin {
    let script = key(By::P2tr).lock().script();
    let claim = Unspent {
        outpoint: OutPoint::new("11".repeat(32).parse().unwrap(), number),
        amount: 80_000,
        script: script.as_bytes(),
        previous: None,
    };
    Coin::prove(&claim, &wallet(By::P2tr)).unwrap()
}

/// A first plan and its replacement.
fn attempts() -> [(Planned, SignedTx); 2] {
    let coins = [coin(0)];
    let (first, slow) = pay(&coins, &wallet(By::P2tr), 50_000, None);
    let first = first.standing();
    let (second, fast) = pay(&coins, &wallet(By::P2tr), 50_000, Some(&first));
    [(first, slow), (second.standing(), fast)]
}

fn mined_at(confirmations: u32) -> Seen {
    Seen::Mined {
        block: Block {
            number: 7,
            hash: [7; 32],
        },
        confirmations,
    }
}

fn tracker() -> Tracker {
    let [(first, slow), (second, fast)] = attempts();
    let mut tracker = Tracker::new(&first, slow, SETTLED_AT).unwrap();
    tracker.replace(&second, fast).unwrap();
    tracker
}

/// What was seen of the earlier and of the newest attempt.
fn look(tracker: &Tracker, shared_unspent: bool, seen: [Seen; 2]) -> Observation {
    let seen = tracker.txids().into_iter().zip(seen).collect();
    Observation {
        shared_unspent,
        seen,
    }
}

#[test]
fn where_a_release_stands() {
    let (unknown, waiting, conflicted) = (
        Seen::Unknown,
        Seen::Waiting,
        Seen::Conflicted { confirmations: 4 },
    );
    let txids = tracker().txids();
    let mined = |at: usize, confirmations| Mined {
        txid: txids[at],
        block: Block {
            number: 7,
            hash: [7; 32],
        },
        confirmations,
    };
    #[rustfmt::skip] // a table: shared output unspent, earlier, newest, standing
    let table = [
        (true, unknown, unknown, Standing::Pending { waiting: false }),
        (true, waiting, unknown, Standing::Pending { waiting: false }),
        (true, unknown, waiting, Standing::Pending { waiting: true }),
        (false, conflicted, mined_at(1), Standing::Mined(mined(1, 1))),
        (false, conflicted, mined_at(3), Standing::Settled(mined(1, 3))),
        (false, mined_at(2), conflicted, Standing::Mined(mined(0, 2))),
        (false, mined_at(9), unknown, Standing::Settled(mined(0, 9))),
        // It was mined after the shared output was asked for.
        (true, unknown, mined_at(1), Standing::Mined(mined(1, 1))),
        // Another input is lost; the earlier one cannot be sent any more.
        (true, unknown, conflicted, Standing::Conflicted { confirmations: 4 }),
        (true, conflicted, waiting, Standing::Pending { waiting: true }),
        // A stranger with the key, or a node that contradicts itself.
        (false, unknown, unknown, Standing::Unknown),
        (false, conflicted, conflicted, Standing::Unknown),
        (false, mined_at(1), mined_at(1), Standing::Unknown),
    ];
    for (shared, earlier, newest, standing) in table {
        let mut tracker = tracker();
        let seen = look(&tracker, shared, [earlier, newest]);
        assert_eq!(tracker.observe(&seen), standing, "{seen:?}");
        let pending = matches!(standing, Standing::Pending { .. });
        assert_eq!(tracker.due().is_some(), pending, "{seen:?}");
    }
}

#[test]
fn the_same_bytes_go_out_again_after_a_while_and_at_once_when_they_were_lost() {
    let mut tracker = tracker();
    let now = Time(1_000_000);
    let again = Some(now.after(REBROADCAST));
    assert_eq!(tracker.due(), Some(Time(0)));
    tracker.sent(now);
    assert_eq!(tracker.due(), again);
    let (unknown, waiting) = (Seen::Unknown, Seen::Waiting);
    let seen = |tracker: &Tracker, newest| look(tracker, true, [unknown, newest]);
    let steps = [
        (waiting, again),
        // The pool has dropped it.
        (unknown, Some(Time(0))),
        (waiting, Some(Time(0))),
        (mined_at(2), None),
        // The block was taken back.
        (unknown, Some(Time(0))),
    ];
    for (newest, due) in steps {
        let seen = seen(&tracker, newest);
        tracker.observe(&seen);
        assert_eq!(tracker.due(), due, "{newest:?}");
    }
    // Still not there, but sent a moment ago.
    tracker.sent(now);
    let seen = seen(&tracker, unknown);
    tracker.observe(&seen);
    assert_eq!(tracker.due(), again);
}

#[test]
fn only_plans_of_the_same_release_are_followed() {
    let [(first, slow), (second, fast)] = attempts();
    let wrong = Tracker::new(&first, fast.clone(), 1).err();
    assert_eq!(wrong, Some(TrackError::OtherPlan));
    let (elsewhere, other) = pay(&[coin(1)], &wallet(By::P2tr), 50_000, None);
    let mut tracker = Tracker::new(&first, slow.clone(), 1).unwrap();
    let replaced = tracker.replace(&elsewhere.standing(), other);
    assert_eq!(replaced, Err(TrackError::OtherPlace));
    let also = tracker.also(&elsewhere.standing());
    assert_eq!(also, Err(TrackError::OtherPlace));
    // Each is followed once, however often it is named.
    tracker.also(&second).unwrap();
    tracker.replace(&second, fast.clone()).unwrap();
    tracker.replace(&second, fast.clone()).unwrap();
    tracker.also(&first).unwrap();
    assert_eq!(tracker.txids(), [slow.txid(), fast.txid()]);
}

fn any_seen() -> impl Strategy<Value = Seen> {
    prop_oneof![
        Just(Seen::Unknown),
        Just(Seen::Waiting),
        (1..6u32).prop_map(mined_at),
        (1..6u32).prop_map(|confirmations| Seen::Conflicted { confirmations }),
    ]
}

proptest! {
    /// Whatever a node says, in whichever order: settled is said of nothing shallower than was asked
    /// for, what is in a block is never sent, and the last look alone says where a release stands.
    #[test]
    fn no_history_settles_too_early_or_sends_what_is_mined(
        looks in prop::collection::vec((any::<bool>(), any_seen(), any_seen()), 1..8),
    ) {
        let mut tracker = tracker();
        for (shared, earlier, newest) in looks {
            let seen = look(&tracker, shared, [earlier, newest]);
            let standing = tracker.observe(&seen);
            let depths = [earlier, newest].map(|seen| match seen {
                Seen::Mined { confirmations, .. } => confirmations,
                _ => 0,
            });
            let mined = depths.iter().filter(|depth| **depth > 0).count();
            let deepest = depths.into_iter().max().unwrap_or(0);
            let settled = matches!(standing, Standing::Settled(_));
            prop_assert_eq!(settled, mined == 1 && deepest >= SETTLED_AT);
            prop_assert_eq!(matches!(standing, Standing::Mined(_)), mined == 1 && !settled);
            prop_assert!(tracker.due().is_none() || (mined == 0 && shared));
            let mut fresh = self::tracker();
            prop_assert_eq!(fresh.observe(&seen), standing);
        }
    }
}
