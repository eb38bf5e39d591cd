//! What has to hold at the end, whatever happened before.

use crate::processes::{AMOUNT, Apart};
use crate::system::{Anvil, try_run};
use portcullis_core::{Body, Decision, Digest, Entry};
use portcullis_host::{Dir, Disk, SystemRandom};
use portcullis_journal::Directory;
use portcullis_journal::directory::SEGMENT_BYTES;
use portcullis_signer::record::Record;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The demonstration's own withdrawal stands before those of the test.
const DEMO: u128 = 100_000_000_000_000_000;

/// Stop everything and check journal, record and chain against each other and against what was told.
pub(crate) fn balance(apart: &mut Apart, anvil: &Anvil, acknowledged: &BTreeSet<Digest>) {
    let payee = apart.payee().rsplit(':').next().unwrap().to_owned();
    journal_verifies(apart);
    apart.end();
    let released = released(apart);
    let lost: Vec<_> = acknowledged.difference(&released).collect();
    assert!(
        lost.is_empty(),
        "acknowledged and not in the journal: {lost:?}"
    );
    let wallet = apart.network.wallet();
    let count = released.len() as u128;
    assert_eq!(
        anvil.sent(&wallet),
        count,
        "one transaction for each release"
    );
    assert_eq!(
        anvil.wei(&payee),
        DEMO + (count - 1) * AMOUNT,
        "each paid once"
    );
    record_has_one_plan_for_each(apart, &released);
}

/// Once the files have caught up with what was cosigned.
fn journal_verifies(apart: &Apart) {
    let digest = apart.network.text("genesis.digest");
    let journal = apart.network.path("data/journal");
    let report = apart.network.until("the journal to verify", |_| {
        let journal = journal.to_str()?;
        let (passed, report) =
            try_run(&["verify", "journal", journal, "--genesis-digest", &digest]);
        passed.then_some(report)
    });
    println!("{report}");
}

/// The acts that the journal releases, by its own bytes; none of them twice.
fn released(apart: &Apart) -> BTreeSet<Digest> {
    let disk: Arc<dyn Disk> =
        Arc::new(Dir::open_alone(apart.network.path("data/journal")).unwrap());
    let (_, found) = Directory::open(disk, SEGMENT_BYTES, Arc::new(SystemRandom)).unwrap();
    assert_eq!(found.base.size(), 0, "a small journal has one segment");
    let mut released = BTreeSet::new();
    for bytes in &found.entries {
        let Body::Act(submission) = Entry::from_bytes(bytes).unwrap().body else {
            continue;
        };
        if submission.decision == Decision::Release && submission.plan.is_some() {
            assert!(released.insert(submission.act.digest()), "released twice");
        }
    }
    released
}

/// The once-only record has one slot for each nonce, each with one plan of one act.
fn record_has_one_plan_for_each(apart: &Apart, released: &BTreeSet<Digest>) {
    let disk = Dir::open_alone(apart.network.path("data/signer")).unwrap();
    let record = Record::open(&disk).unwrap();
    let genesis = apart.network.genesis();
    let wallet = genesis["wallets"][0]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let mut acts = BTreeSet::new();
    for nonce in 0..released.len() as u64 {
        let slot = record.slot(wallet, nonce).unwrap();
        assert_eq!(slot.attempts.len(), 1, "plans for nonce {nonce}");
        assert!(acts.insert(slot.act), "an act with two nonces");
    }
    assert_eq!(&acts, released);
    assert!(record.slot(wallet, released.len() as u64).is_none());
}
