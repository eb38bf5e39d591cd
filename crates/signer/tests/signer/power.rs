//! The power goes in every operation on the signer's disk, and each sector that was not synced
//! survives or not: the money arrives once, by one transaction, without a hand.

use crate::bench::Bench;
use portcullis_chains::ethereum::SignedTx;
use portcullis_core::Span;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Goes on until the power is gone; false where it never went.
fn until_dark(bench: &mut Bench, steps: u32) -> bool {
    (0..steps).any(|_| {
        bench.clock.pass(Span::seconds(1));
        bench.try_step().is_err()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_survives_a_nonce_has_one_transaction(
        cuts in prop::collection::vec((0..40_u64, any::<u64>(), 0..3_u8), 1..5),
    ) {
        let mut bench = Bench::new();
        bench.run(1);
        let mut acts = Vec::new();
        for (operations, seed, withdrawals) in &cuts {
            acts.extend((0..*withdrawals).map(|_| bench.withdraw(100)));
            bench.disk.power_for(*operations);
            let _ = until_dark(&mut bench, 4);
            bench.disk.cut_power(*seed);
            bench.restart();
        }
        bench.run(20);
        let mut by_nonce: BTreeMap<u64, BTreeSet<Vec<u8>>> = BTreeMap::new();
        for bytes in &bench.node.chain().got {
            let tx = SignedTx::from_bytes(bytes).unwrap();
            by_nonce.entry(tx.unsigned().nonce()).or_default().insert(bytes.clone());
        }
        prop_assert!(by_nonce.values().all(|sent| sent.len() == 1), "two for one nonce");
        prop_assert_eq!(by_nonce.len(), acts.len(), "one for each act");
        prop_assert_eq!(bench.wire().ledger.state.facts().void_entries, 0);
        prop_assert!(bench.alarms().is_empty(), "{:?}", bench.alarms());
    }
}
