//! Every target on its kept corpus, on the vectors, and on seeded mutations of both.

#![allow(clippy::unwrap_used, reason = "a test")]

use portcullis_fuzz::mutate::{Dice, mutate};
use portcullis_fuzz::seeds::{from_vectors, kept};
use portcullis_fuzz::{TARGETS, Target};
use std::panic::catch_unwind;

/// Mutations of each target; the same ones in every run.
const ROUNDS: usize = 500;

/// What a target fails on is shown as hexadecimal digits, to be kept as a file of its corpus.
fn run(target: &Target, bytes: &[u8]) -> bool {
    catch_unwind(|| (target.run)(bytes))
        .unwrap_or_else(|_| panic!("{} fails on {}", target.name, hex::encode(bytes)))
}

/// The kept corpus and the vectors as they are, then changed. A target that accepts nothing shows
/// nothing.
fn replay(name: &str) {
    let target = portcullis_fuzz::find(name).unwrap();
    let mut seeds = from_vectors(target);
    assert!(!seeds.is_empty(), "there is nothing that {name} accepts");
    seeds.extend(kept(target));
    for seed in &seeds {
        run(target, seed);
    }
    let mut dice = Dice::new(0x706f_7274);
    for _ in 0..ROUNDS {
        let (seed, other) = (dice.below(seeds.len()), dice.below(seeds.len()));
        run(target, &mutate(&mut dice, &seeds[seed], &seeds[other]));
    }
}

/// Side by side; a failure names its target.
macro_rules! replay {
    ($($test:ident => $($name:literal)*)*) => {
        $(#[test]
        fn $test() {
            [$($name),*].into_iter().for_each(replay);
        })*

        const TESTED: &[&str] = &[$($($name),*),*];
    };
}

replay! {
    what_clients_send =>
        "gate-http" "request-headers" "request-base" "posting-json" "registration-json"
        "client-data" "authenticator-data" "attestation-object" "credential-key" "der-signature"
    what_people_are_shown =>
        "gate-answer" "genesis-draft"
    what_others_encode =>
        "act" "evidence" "entry" "apply" "statement" "follow-answer" "board-page" "genesis"
        "receipt" "snapshot"
    what_customers_and_vendors_say =>
        "contact" "envelope" "totp-seed" "typed-code" "vendor-answer"
    what_logs_and_witnesses_say =>
        "note" "checkpoint" "verifier-key" "witness-request" "witness-answer" "tile-path"
        "tile-hashes" "bundle" "frontier" "inclusion-proof"
    what_chains_and_nodes_say =>
        "unsigned-transaction" "signed-transaction" "token-log" "caip" "amount" "node-answer"
        "bitcoin-node-answer" "bitcoin-psbt" "bitcoin-transaction" "bitcoin-signed"
    what_wallet_services_are_shown =>
        "mandate"
    what_lists_say =>
        "label-set" "address-key" "tagpack" "label-rows"
    what_platforms_export =>
        "shadow-csv" "shadow-json" "shadow-mapping"
    what_stands_in_files =>
        "configuration" "key-file" "segment" "record-lines" "witness-memory" "board-store"
}

#[test]
fn every_target_is_replayed() {
    let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, TESTED);
}
