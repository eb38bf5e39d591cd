//! The power goes in every operation on a keeper's own files, and each sector that was not synced
//! survives or not.

use crate::gate::Gate;
use portcullis_core::statement::Condition;
use portcullis_keeper::lines::Lines;
use portcullis_keeper::testkit::{CrashDisk, Dice, World};
use portcullis_keeper::{alarms, latches};
use proptest::prelude::*;
use std::time::Duration;

const FILE: &str = "record";

/// A record: its length, and whether it takes the place of all before it.
type Write = (usize, bool);

/// Writes until there is no power; what is certainly there, and what may be.
fn write(disk: &CrashDisk, writes: &[Write], kept: &mut Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    let mut lines = Lines::open(disk, FILE, |_| {}).ok()?;
    for (n, (length, replaces)) in writes.iter().enumerate() {
        let payload = vec![n.to_le_bytes()[0]; *length];
        let mut then = if *replaces { Vec::new() } else { kept.clone() };
        then.push(payload.clone());
        let done = if *replaces {
            lines.rewrite(disk, FILE, &payload).ok()
        } else {
            lines.append(&payload).ok()
        };
        if done.is_none() {
            return Some(then);
        }
        *kept = then;
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Records are there once written; the one under way is there whole or not at all.
    #[test]
    fn records_survive_whole(
        runs in prop::collection::vec(
            (0..12_u64, any::<u64>(), prop::collection::vec((0..3000_usize, prop::bool::weighted(0.2)), 0..8)),
            1..5,
        ),
    ) {
        let disk = CrashDisk::default();
        let mut kept = Vec::new();
        for (operations, seed, writes) in &runs {
            disk.power_for(*operations);
            let maybe = write(&disk, writes, &mut kept);
            disk.cut_power(*seed);
            let mut found = Vec::new();
            let opened = Lines::open(&disk, FILE, |payload| found.push(payload.to_vec()));
            prop_assert!(opened.is_ok(), "{:?}", opened.err());
            prop_assert!(found == kept || Some(&found) == maybe.as_ref());
            kept = found;
        }
    }
}

/// Once `shut` has returned, or the keeper has noticed, it is found shut whatever the power does; and
/// neither file is ever found damaged.
#[test]
fn a_shut_keeper_is_found_shut() {
    for (operations, seed) in (0..6).flat_map(|n| (0..16).map(move |seed| (n, seed))) {
        let gate = Gate::new();
        let mut keeper = gate.keeper();
        gate.disk.power_for(operations);
        let shut = latches::shut(&gate.disk, &Dice::default(), &gate.clock);
        let noticed = keeper.look_for_shut().map(|()| keeper.latched().count());
        gate.disk.cut_power(seed);
        let mut again = gate.keeper();
        again.look_for_shut().unwrap();
        let latched: Vec<_> = again.latched().map(|l| l.sight.condition()).collect();
        let is_shut = latched == [Condition::Shut];
        assert!(
            is_shut || (shut.is_err() && noticed.unwrap() == 0),
            "{operations} {seed}"
        );
    }
}

/// Whatever of a keeper's files survives, it opens and comes to the journal's state.
#[test]
fn a_keeper_goes_on_from_whatever_survived() {
    for operations in 0..14 {
        for seed in 0..8 {
            let gate = Gate::new();
            let mut keeper = gate.keeper();
            gate.disk.power_for(operations);
            for _ in 0..3 {
                gate.withdraw(5);
                gate.second();
                if keeper.look(Duration::ZERO).is_err()
                    || keeper.finish(Vec::new).is_err()
                    || keeper.save(b"beside").is_err()
                {
                    break;
                }
            }
            gate.disk.cut_power(seed);
            let mut again = gate.keeper();
            gate.second();
            again.look(Duration::ZERO).unwrap();
            assert_eq!(again.state().facts(), gate.wire().ledger.state.facts());
        }
    }
}

/// An alarm whose line was torn does not spoil the line of the next one.
#[test]
fn an_alarm_after_a_torn_one_has_a_line_of_its_own() {
    for seed in 0..32 {
        let gate = Gate::new();
        let raise = |name| {
            let text = "t".repeat(2000);
            let about = portcullis_core::Digest([1; 32]);
            let mut alarms = alarms::Alarms::open(gate.machine(), World::KEEPER).unwrap();
            alarms.raise(&alarms::Alarm { name, about, text });
        };
        // Room to open the log and write, none to sync.
        gate.disk.power_for(2);
        raise("torn");
        gate.disk.cut_power(seed);
        raise("next");
        let log = gate.disk.bytes("alarms.jsonl").unwrap();
        let last = log.split(|byte| *byte == b'\n').rev().nth(1).unwrap();
        let alarm = serde_json::from_slice::<serde_json::Value>(last);
        assert_eq!(alarm.unwrap()["type"], "alarm.next", "{seed}");
    }
}
