//! The power goes in every operation on the herald's disk, and each sector that was not synced survives or
//! not: everybody is told, each delay begins, and nothing is sent more often than it was cut off.

use crate::bench::Bench;
use portcullis_core::Span;
use portcullis_host::Clock as _;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// Goes on until the power is gone, or for so many steps.
fn until_dark(bench: &mut Bench, steps: u32) {
    for _ in 0..steps {
        bench.clock.pass(Span::seconds(1));
        let step = bench.herald.step(Duration::ZERO);
        while bench.postman.step(bench.clock.now()) {}
        bench.wire().ledger.settle_clocks();
        if step.is_err() {
            return;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_survives_everybody_is_told(
        cuts in prop::collection::vec((0..40_u64, any::<u64>(), 0..3_u8), 1..5),
    ) {
        let mut bench = Bench::begun();
        let mut acts = Vec::new();
        for (number, (operations, seed, addresses)) in (0..).zip(&cuts) {
            for one in 0..*addresses {
                acts.push(bench.add_address(0x20 + number * 4 + one));
            }
            bench.disk.power_for(*operations);
            until_dark(&mut bench, 4);
            bench.disk.cut_power(*seed);
            bench.kill();
        }
        bench.run(10);
        let post = bench.fake.post();
        let mut times = BTreeMap::new();
        for letter in &post.taken {
            *times.entry(letter.act).or_insert(0) += 1;
        }
        drop(post);
        for act in &acts {
            prop_assert!(!bench.waits(*act), "its delay has not begun");
            let sent: usize = times.get(act).copied().unwrap_or(0);
            prop_assert!((1..=1 + cuts.len()).contains(&sent), "sent {sent} times");
        }
        prop_assert!(bench.alarms().is_empty(), "{:?}", bench.alarms());
    }
}
