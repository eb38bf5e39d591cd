//! What a bundle costs whoever reads it, counted in signatures: a gate may show anything.

use super::lost::begin;
use crate::story::Story;
use crate::tree;
use portcullis_chains::bitcoin::Claimed;
use portcullis_chains::ethereum::SignedTx;
use portcullis_core::act::{ActKind, Keys, Rotate};
use portcullis_core::entry::Submission;
use portcullis_core::receipt::{Handover, MAX_ENTRIES, ProvenEntry, ReceiptFault, Succession};
use portcullis_core::signature::{PublicKey, Signature, Strict, Verify};
use portcullis_core::{Body, Decision, Entry};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Ledger, World};
use std::cell::Cell;

/// Requests with each forged entry, no two with one signature.
const REQUESTS: u8 = 8;

#[derive(Default)]
struct Counting(Cell<usize>);

impl Verify for Counting {
    fn verify(&self, key: &PublicKey, bytes: &[u8], signature: &Signature) -> bool {
        self.0.set(self.0.get() + 1);
        Strict.verify(key, bytes, signature)
    }

    fn is_signed_by(&self, tx: &SignedTx, by: [u8; 20]) -> bool {
        Strict.is_signed_by(tx, by)
    }

    fn is_spend_of(&self, plan: &Claimed, transaction: &[u8]) -> bool {
        Strict.is_spend_of(plan, transaction)
    }
}

/// A journal behind whose real entries the gate has written as many forged ones as a bundle takes: each is
/// the same rotation of the witnesses, with requests that nobody signed.
struct Forged {
    ledger: Ledger,
    real: usize,
}

impl Forged {
    fn with(requests: u8) -> Self {
        let (Story { mut ledger, .. }, _) = begin();
        ledger.settle_clocks();
        let real = ledger.entries.len();
        let forged = rotation(&mut ledger, requests);
        let forged = Entry::new(ledger.clock.now(), Body::Act(Box::new(forged))).to_bytes();
        let repeated = core::iter::repeat_n(forged, MAX_ENTRIES - 1);
        ledger.entries.extend(repeated);
        Self { ledger, real }
    }

    /// A bundle of genesis and these entries under the checkpoint.
    fn shown(&self, checkpoint: Vec<u8>, entries: impl Iterator<Item = usize>) -> Succession {
        let all = &self.ledger.entries;
        let prove = |index: usize| ProvenEntry {
            index: u64::try_from(index).unwrap(),
            entry: all[index].clone(),
            proof: tree::proof(all, index),
        };
        Succession {
            checkpoint: String::from_utf8(checkpoint).unwrap(),
            entries: core::iter::once(0).chain(entries).map(prove).collect(),
            handovers: Vec::new(),
        }
    }

    fn forged(&self) -> core::ops::Range<usize> {
        self.real..self.ledger.entries.len()
    }

    /// The whole journal's checkpoint, which witnesses cosign whatever its entries say.
    fn cosigned(&self) -> Vec<u8> {
        let head = tree::head(&self.ledger.entries);
        self.ledger.note_of(head, self.ledger.clock.now())
    }

    /// What comes of a bundle, and how many signatures were checked behind genesis' own.
    fn cost(&self, bundle: &Succession) -> (Result<(), ReceiptFault>, usize) {
        let count = |bundle: &Succession| {
            let counting = Counting::default();
            let outcome = bundle.verify(self.ledger.world.digest(), &counting);
            (outcome.map(|_| ()), counting.0.get())
        };
        let of_genesis = count(&self.shown(self.cosigned(), core::iter::empty())).1;
        let (outcome, calls) = count(bundle);
        (outcome, calls - of_genesis)
    }
}

fn rotation(ledger: &mut Ledger, requests: u8) -> Submission {
    let witnesses = World::witnesses_of(&[0x92, 0x94, 0x95]);
    let keys = Keys::Witnesses { witnesses };
    let replaces = ledger.state.keys_in_place_of(&keys).unwrap().digest();
    let proposer = World::administrator(0);
    let act = ledger.act(proposer, ActKind::Rotate(Rotate { replaces, keys }));
    let good = World::request(proposer, &act, ledger.clock.now());
    let bad = (1..=requests).map(|bits| {
        let mut bytes = *good.signature.as_bytes();
        bytes[0] ^= bits;
        let mut bad = good.clone();
        bad.signature = Signature::from_bytes(bytes);
        bad
    });
    let mut evidence = ledger.staffs_evidence(&act);
    evidence.requests = bad.collect();
    Submission {
        act,
        evidence,
        decision: Decision::Release,
        plan: None,
    }
}

/// Behind a checkpoint that anybody can have stands one that nobody in force has signed.
#[test]
fn what_nobody_signed_costs_no_signature() {
    let forged = Forged::with(REQUESTS);
    let (ledger, real) = (&forged.ledger, forged.real);
    let head = tree::head(&ledger.entries);
    let unsigned = Ledger::note_signed(head, ledger.clock.now(), &World::log(0x8f), &[]);
    let mut bundle = forged.shown(unsigned, forged.forged());
    let seen = ledger.note_of(ledger.head_at(real), ledger.clock.now());
    bundle.handovers.push(Handover {
        checkpoint: String::from_utf8(seen).unwrap(),
        proof: tree::consistency(&ledger.entries, real),
    });
    assert_eq!(forged.cost(&bundle), (Err(ReceiptFault::Checkpoint), 0));
}

/// Witnesses cosign what they do not read.
#[test]
fn each_signature_is_checked_once_however_often_it_stands_in_the_journal() {
    let forged = Forged::with(REQUESTS);
    let bundle = forged.shown(forged.cosigned(), forged.forged());
    assert_eq!(forged.cost(&bundle), (Ok(()), REQUESTS.into()));
}

#[test]
fn what_is_out_of_order_costs_no_signature() {
    let forged = Forged::with(REQUESTS);
    let twice = core::iter::repeat_n(forged.real, 2);
    let bundle = forged.shown(forged.cosigned(), twice);
    assert_eq!(forged.cost(&bundle), (Err(ReceiptFault::Order), 0));
}

#[test]
fn more_evidence_than_an_act_takes_costs_no_signature() {
    let forged = Forged::with(REQUESTS + 1);
    let bundle = forged.shown(forged.cosigned(), core::iter::once(forged.real));
    let fault = ReceiptFault::Inclusion(u64::try_from(forged.real).unwrap());
    assert_eq!(forged.cost(&bundle), (Err(fault), 0));
}
