//! Root on the gate journals releases for which there is no evidence. It has the journal's own key and
//! files, the witnesses cosign what extends the log, and the money stays where it is.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use portcullis_chains::ethereum::{Fees, Transfer};
use portcullis_chains::{Address, Amount};
use portcullis_core::act::{ActKind, Withdraw};
use portcullis_core::entry::Submission;
use portcullis_core::id::ActId;
use portcullis_core::plan::Plan;
use portcullis_core::signature::Strict;
use portcullis_core::{Body, Decision, Entry, Evidence, Network as Described, State};
use portcullis_host::{Dir, Disk};
use portcullis_journal::directory::SEGMENT_BYTES;
use portcullis_journal::{Directory, Journal};
use std::fs;
use std::sync::Arc;
use system::{Anvil, Network, run};

const THIEF: Address = Address::Evm {
    chain: 31337,
    address: [0x66; 20],
};

#[test]
fn a_release_without_evidence_gets_no_signature_and_raises_the_alarm() {
    let Some(anvil) = Anvil::start() else { return };
    let mut network = Network::init(&anvil, &[]);
    network.start();
    run(&["demo", "--dir", network.dir()]);
    assert_eq!(anvil.sent(&network.wallet()), 1);
    network.stop();

    journal_releases_without_evidence(&network);

    network.start();
    let alarm = network.until("the signer's own alarm", |network| {
        let alarms = network.text("data/signer/alarms.jsonl");
        alarms
            .contains("release-without-evidence")
            .then_some(alarms)
    });
    println!("{alarm}");
    // The signer posts a restricting act to the stop board, with its own key; the gate that is
    // honest again journals it.
    network.until("the signer's suspension in the journal", |network| {
        let status = network.call(&["GET", "/v1/status"]);
        let suspensions = status["suspensions"].as_array().unwrap();
        let latched = !status["latches"].as_array().unwrap().is_empty();
        assert_eq!(status["void_entries"], 2);
        // One by void entries, one by the signer.
        (suspensions.len() >= 2 && latched).then_some(())
    });
    assert_eq!(
        anvil.sent(&network.wallet()),
        1,
        "the signer signed a release without evidence"
    );
    assert_eq!(anvil.wei(&format!("0x{}", "66".repeat(20))), 0);
}

/// What a gate without scruples would append: the wallet's right nonce, an honest plan, no evidence
/// or somebody's for something else.
fn journal_releases_without_evidence(network: &Network) {
    let disk: Arc<dyn Disk> = Arc::new(Dir::open_alone(network.path("data/journal")).unwrap());
    let (store, recovered) = Directory::open(Arc::clone(&disk), SEGMENT_BYTES).unwrap();
    let mut journal = Journal::open(store, &recovered, disk, 0).unwrap();
    let entries = journal
        .view()
        .entries(0..journal.head().size, usize::MAX)
        .unwrap();
    let state = replay(network, &entries);
    let (act, evidence) = earlier_withdrawal(&entries);
    let wallet = state.network().genesis().wallets[0].id;
    let nonce = state.facts().wallets[&wallet].next_nonce;
    let ActKind::Withdraw(Withdraw { asset, .. }) = act.kind else {
        unreachable!()
    };
    let amount = Amount(5_000_000_000_000_000);
    let forge = |id: u8, evidence: Evidence| {
        let fees = Fees::new(20_000_000_000, 1_000_000_000, 21_000).unwrap();
        let transfer = Transfer::new(asset, THIEF, amount, nonce, fees).unwrap();
        let plan = Plan {
            wallet,
            unsigned: transfer.build().to_bytes(),
        };
        let mut act = act.clone();
        act.id = ActId([id; 16]);
        act.kind = ActKind::Withdraw(Withdraw {
            asset,
            to: THIEF,
            amount,
        });
        let decision = Decision::Release;
        let submission = Submission {
            act,
            evidence,
            decision,
            plan: Some(plan),
        };
        Entry::new(state.facts().time, Body::Act(Box::new(submission))).to_bytes()
    };
    let forged = vec![forge(1, Evidence::default()), forge(2, evidence)];
    journal.make_room(1 << 16, 2).unwrap();
    journal.append(forged).unwrap();
}

fn replay(network: &Network, entries: &[Arc<[u8]>]) -> State {
    let genesis = fs::read(network.path("genesis.cbor")).unwrap();
    let pinned = network.text("genesis.digest").parse().unwrap();
    let mut state = State::new(Arc::new(
        Described::open(&genesis, pinned, &Strict).unwrap(),
    ));
    for entry in entries {
        assert_eq!(state.apply(entry, &Strict).void, None);
    }
    state
}

fn earlier_withdrawal(entries: &[Arc<[u8]>]) -> (portcullis_core::Act, Evidence) {
    let mut bodies = entries
        .iter()
        .map(|bytes| Entry::from_bytes(bytes).unwrap().body);
    let found = bodies.find_map(|body| match body {
        Body::Act(submission) if matches!(submission.act.kind, ActKind::Withdraw(_)) => {
            Some((submission.act, submission.evidence))
        }
        _ => None,
    });
    found.unwrap()
}
