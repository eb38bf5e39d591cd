//! The fixed set: each seed twice to the same root, every invariant held, and nothing that a seed is there
//! for left out. A simulation that does nothing fails.

mod expected;

use expected::EXPECTED;
use portcullis_sim::faults::{PROFILES, WHOLE};
use portcullis_sim::hosts::{BoardLie, HeraldLie, Misdeed, NodeLie, WitnessLie};
use portcullis_sim::people::Theft;
use portcullis_sim::setting::is_whole;
use portcullis_sim::{Report, simulate};
use std::collections::BTreeSet;

const STEPS: u64 = 2500;

/// Seeds that found something, how long they ran, and what it was. They are kept, although the code
/// around them has changed since and draws other things from them.
#[rustfmt::skip] // a table
const FOUND: &[(u64, u64, &str)] = &[
    (1,  2500, "a torn tile or bundle of an earlier segment kept the gate from starting"),
    (9,  2500, "the signer used its key on a once-only record that was read and not durable"),
    (10, 3000, "a board's torn last posting kept the board from starting"),
    (17, 2500, "a start of the journal showed a batch that was whole and not durable; the power took it away"),
    (20, 2500, "a start of the signer followed what it had sent twice, and took its one receipt for nobody's"),
    (68, 2500, "administrators whom the roots had brought waited for a herald's word that only they could have freed"),
    (355, 2500, "a keeper that read its journal anew called to stop by a head that was never journaled: nobody could lift it"),
    (584, 700, "a code that waited added an address after something better had been enrolled"),
    (1034, 2500, "a keeper that knew of a head by witnesses who had stayed stood still before a handover for good"),
    (1088, 2500, "a keeper whose own key had been rotated turned back to the old one at a handover of long ago, for ever"),
    (1148, 2500, "a keeper that read anew below its own mark took what was refused for a bad signature as void, and latched on it"),
];

/// As long as it took to find something, where it did.
fn steps(seed: u64) -> u64 {
    let found = FOUND.iter().find(|(of, ..)| *of == seed);
    found.map_or(STEPS, |(_, steps, _)| *steps)
}

fn twice(seed: u64) -> Report {
    let steps = steps(seed);
    let first = simulate(seed, steps);
    if let Some(violation) = &first.violation {
        let events = violation.events.join("\n");
        panic!("{}: {}\n{events}", violation.invariant, violation.seen);
    }
    let second = simulate(seed, steps);
    assert_eq!(first.root, second.root, "seed {seed} is two runs");
    assert!(second.violation.is_none(), "seed {seed} holds only once");
    assert_eq!(first.faulty_steps, steps, "seed {seed} ran to its end");
    first
}

/// Runs a seed twice; what it must have met is in [`EXPECTED`].
fn run(seed: u64) {
    let report = twice(seed);
    for kind in expected(seed) {
        let count = report.counts.get(*kind).copied().unwrap_or(0);
        assert!(
            count > 0,
            "seed {seed} never met {kind}: {:#?}",
            report.counts
        );
    }
    assert!(report.signatures > 0, "seed {seed} signed nothing");
}

macro_rules! seeds {
    ($($name:ident $seed:literal;)*) => {
        $(#[test] fn $name() { run($seed); })*
        const SEEDS: &[u64] = &[$($seed),*];
    };
}

seeds! {
    seed_0 0;
    seed_1 1;
    seed_2 2;
    seed_3 3;
    seed_4 4;
    seed_5 5;
    seed_6 6;
    seed_7 7;
    seed_9 9;
    seed_10 10;
    seed_11 11;
    seed_12 12;
    seed_13 13;
    seed_17 17;
    seed_18 18;
    seed_20 20;
    seed_22 22;
    seed_40 40;
    seed_64 64;
    seed_65 65;
    seed_66 66;
    seed_67 67;
    seed_68 68;
    seed_69 69;
    seed_70 70;
    seed_71 71;
    seed_355 355;
    seed_583 583;
    seed_584 584;
    seed_596 596;
    seed_846 846;
    seed_1027 1027;
    seed_1030 1030;
    seed_1034 1034;
    seed_1088 1088;
    seed_1148 1148;
}

fn expected(seed: u64) -> &'static [&'static str] {
    let row = EXPECTED.iter().find(|(of, _)| *of == seed);
    row.map_or(&[], |(_, row)| row)
}

/// The set as a whole meets every fault, act, theft, misdeed and latch that there is.
#[test]
fn the_set_leaves_nothing_out() {
    let met: BTreeSet<&str> = EXPECTED
        .iter()
        .flat_map(|(_, row)| row.iter().copied())
        .collect();
    let mut missing: Vec<String> = WANTED.iter().map(ToString::to_string).collect();
    let thefts = Theft::WEIGHED.iter().chain(&Theft::WHOLE);
    let thefts = thefts.chain(&Theft::CODES).chain(&Theft::HANDOVERS);
    missing.extend(thefts.map(|(_, theft)| format!("theft: {theft:?}")));
    let misdeeds = Misdeed::WEIGHED.iter().chain(&Misdeed::HANDOVERS);
    missing.extend(misdeeds.map(|(_, misdeed)| format!("misdeed: {misdeed:?}")));
    missing.extend(WitnessLie::ALL.map(|lie| format!("lie of a witness: {lie:?}")));
    missing.extend(BoardLie::ALL.map(|lie| format!("lie of a board: {lie:?}")));
    missing.extend(HeraldLie::ALL.map(|lie| format!("lie of a herald: {lie:?}")));
    missing.extend(NodeLie::ALL.map(|lie| format!("lie of a node: {lie:?}")));
    missing.retain(|kind| !met.contains(kind.as_str()));
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_profile_has_a_seed_and_every_seed_a_row() {
    let of = |seed: &u64| (is_whole(*seed), seed % PROFILES.len() as u64);
    let profiles: BTreeSet<(bool, u64)> = SEEDS.iter().map(of).collect();
    assert_eq!(profiles.len(), PROFILES.len() + WHOLE.len());
    assert!(
        SEEDS
            .iter()
            .all(|seed| EXPECTED.iter().any(|(of, _)| of == seed))
    );
    assert!(
        FOUND
            .iter()
            .all(|(seed, steps, what)| SEEDS.contains(seed) && *steps > 0 && !what.is_empty())
    );
}

/// Faults, acts taken and latches; `treason.rs` has the two latches that take more liars than may be.
#[rustfmt::skip] // a list
const WANTED: &[&str] = &[
    "fault: crash in a disk operation", "fault: killed", "fault: power cut", "fault: torn write", "fault: lost write",
    "fault: disk error", "fault: disk full",
    "fault: request dropped", "fault: answer lost", "fault: request delayed", "fault: request doubled",
    "fault: partition", "fault: weather", "late message arrives", "gate: batch of several",
    "fault: clock steps back", "fault: clock steps forward",
    "fault: node hangs", "fault: node fails", "fault: node lags", "fault: node forgets", "fault: block taken back",
    "fault: transaction reverted",
    "fault: gate taken over", "fault: gate withholds stops", "fault: signer shut",
    "act taken: open-account", "act taken: withdraw", "act held: withdraw", "act taken: cancel",
    "act taken: add-address", "act taken: cancel-address", "act taken: freeze", "act taken: unfreeze",
    "act held: unfreeze", "act taken: enrol-factor", "act taken: revoke-factor", "act taken: raise-epoch",
    "act held: grant-role", "act taken: revoke-role", "act taken: approve", "act taken: suspend", "act held: lift",
    "act taken: resume", "act taken: void", "act held: set-limits", "evidence taken", "stop posted",
    "id of a posted stop",
    "latch: release-without-evidence", "latch: stop-withheld", "latch: shut",
    "signer: waits, Stale", "signer: waits, Behind", "signer: waits, Board", "signer: waits, Latched",
    "witness: refuses",
    // The whole network.
    "act held: set-policy", "act taken: publish-rates", "act held: rotate", "act held: recover", "act taken: veto",
    "act held: recover-administrators", "act held: change-contact",
    "mail taken", "fault: mail server down", "fault: mail greylisted", "fault: mail answer lost",
    "fault: mail refused for good", "fault: mailbox gone", "fault: mailbox full", "fault: mail mailbox full", "envelope taken", "told", "contact changed",
    "policy replaced", "a publisher gone mad", "rotated: issuers", "rotated: roots", "rotated: a keeper",
    "key turned", "recovered", "vetoed", "administrators recovered",
    // With codes.
    "code sent", "code given", "code right", "digits typed again", "stopped by a code", "paid by a code",
    // With handovers.
    "rotated: witnesses", "rotated: log", "theft: RetiredWitnesses", "theft: OldLogKey",
];
