//! What a gate answers a follower.

use crate::cbor;
use portcullis_core::follow::FollowAnswer;
use portcullis_keeper::testkit::{HandClock, Ledger, World};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) fn document() -> Value {
    let ledger = Ledger::new(Arc::new(World::new()), HandClock::at(World::START));
    let answer = |from: usize| FollowAnswer {
        checkpoint: ledger.note.clone(),
        from: from as u64,
        entries: ledger.entries[from..]
            .iter()
            .map(|entry| entry.clone().into())
            .collect(),
    };
    let checkpoint = String::from_utf8(ledger.note.clone()).unwrap();
    json!({
        "checkpoint": checkpoint,
        "answers": [
            { "what": "?from=1", "cbor": cbor(&answer(1)) },
            { "what": "?from=2, a heartbeat", "cbor": cbor(&answer(2)) },
        ],
    })
}
