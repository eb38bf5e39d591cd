//! What receipts show of releases that were paid from coins.

use crate::kit::{Stage, payee};
use crate::tree;
use portcullis_core::receipt::{ProvenEntry, Receipt, ReceiptFault, Shown, verify};
use portcullis_core::signature::Strict;
use portcullis_core::statement::Says;
use portcullis_core::{Body, Digest, Entry, Span};

/// A receipt with everything that the journal has but checkpoints.
fn receipt(stage: &Stage, act: Digest) -> Receipt {
    let entries = &stage.ledger.entries;
    let says =
        |bytes: &Vec<u8>| !matches!(Entry::from_bytes(bytes).unwrap().body, Body::Checkpoint(_));
    let shown = (0..entries.len()).filter(|index| says(&entries[*index]));
    let prove = |index: usize| ProvenEntry {
        index: index as u64,
        entry: entries[index].clone(),
        proof: tree::proof(entries, index),
    };
    let note = stage.ledger.note_of(tree::head(entries), stage.now());
    Receipt {
        act,
        checkpoint: String::from_utf8(note).unwrap(),
        entries: shown.map(prove).collect(),
        handovers: Vec::new(),
    }
}

fn shown(stage: &Stage, act: Digest) -> Result<Shown, ReceiptFault> {
    verify(&receipt(stage, act), stage.ledger.world.digest(), &Strict)
}

#[test]
fn every_member_of_a_batch_has_a_receipt() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000)]);
    let transaction = stage.sign(acts[0]);
    assert_eq!(stage.confirm(acts[0], transaction).void, None);
    for (act, to) in acts.iter().zip([1, 2]) {
        let shown = shown(&stage, *act).unwrap();
        assert_eq!(shown.transaction, transaction);
        assert_eq!((shown.to, shown.block), (payee(to), Some(7)));
    }
}

/// Both ask for the same amount to the same payee; one output pays one of them.
#[test]
fn who_was_given_up_has_none() {
    for given_up in [0, 1] {
        let mut stage = Stage::new();
        let acts = stage.pay(&[(0, 1, 50_000), (1, 1, 50_000)]);
        assert_eq!(stage.void(acts[given_up], 3_000).void, None);
        stage.pass(Span::seconds(1));
        let transaction = stage.sign(acts[0]);
        let other = shown(&stage, acts[1 - given_up]).unwrap();
        assert_eq!(other.transaction, transaction);
        let none = shown(&stage, acts[given_up]).unwrap_err();
        assert_eq!(none, ReceiptFault::Plan, "{given_up}");
    }
}

/// Two ask for the same; a signer that states the one's transaction for the other makes no receipt of it.
#[test]
fn another_batchs_plan_is_no_receipt() {
    let mut stage = Stage::new();
    let first = stage.pay(&[(0, 1, 50_000)])[0];
    let second = stage.pay(&[(1, 1, 50_000)])[0];
    let Says::Signed {
        entry,
        effects,
        plan,
        transaction,
        ..
    } = stage.says_signed(second)
    else {
        unreachable!()
    };
    let applied = stage.says(Says::Signed {
        act: first,
        entry,
        effects,
        plan,
        transaction,
    });
    assert!(applied.void.is_some());
    assert_eq!(shown(&stage, first).unwrap_err(), ReceiptFault::Plan);
}
