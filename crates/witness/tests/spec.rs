//! The vectors of `docs/spec/board.md`.

#![allow(clippy::unwrap_used, reason = "a test")]

use portcullis_core::board::{Posting, SignedPage};
use portcullis_core::codec::encode;
use portcullis_core::evidence::Stamp;
use portcullis_core::signature::{PublicKey, Strict};
use portcullis_core::{Digest, Time};
use portcullis_keys::StatementKey as _;
use portcullis_keys::software::SoftwareStatement;
use serde::Deserialize;
use zeroize::Zeroizing;

const SPEC: &str = include_str!("../../../docs/spec/board.md");

#[derive(Deserialize)]
struct Vectors {
    key: PublicKey,
    seed: String,
    posting: Posting,
    act: String,
    digest: Digest,
    stamp: StampVector,
    page: PageVector,
    empty: PageVector,
}

#[derive(Deserialize)]
struct StampVector {
    signed: String,
    json: Stamp,
}

#[derive(Deserialize)]
struct PageVector {
    from: u64,
    cbor: String,
}

fn vectors() -> Vectors {
    let (_, json) = SPEC.rsplit_once("```json\n").unwrap();
    let (json, _) = json.split_once("```").unwrap();
    serde_json::from_str(json).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

fn key(vectors: &Vectors) -> SoftwareStatement {
    let seed: [u8; 32] = bytes(&vectors.seed).try_into().unwrap();
    SoftwareStatement::ed25519(&Zeroizing::new(seed)).unwrap()
}

#[test]
fn a_stamp_is_signed_as_specified() {
    let vectors = vectors();
    let stamp = &vectors.stamp.json;
    assert_eq!(encode(&vectors.posting.act), bytes(&vectors.act));
    assert_eq!(vectors.posting.act.digest(), vectors.digest);
    let signed = Stamp::signed_bytes(stamp.board, vectors.digest, stamp.time);
    assert_eq!(signed, bytes(&vectors.stamp.signed));
    assert_eq!(key(&vectors).public_key(), &vectors.key);
    assert_eq!(key(&vectors).sign(&signed).unwrap(), stamp.signature);
    assert!(stamp.is_of(vectors.digest, &vectors.key, &Strict));
}

#[test]
fn pages_are_as_specified() {
    let vectors = vectors();
    let genesis = vectors.posting.act.genesis;
    let board = vectors.stamp.json.board;
    let open = |page: &PageVector| {
        let asked = (genesis, board, page.from);
        SignedPage::open(&bytes(&page.cbor), asked, &vectors.key, &Strict).unwrap()
    };
    let page = open(&vectors.page);
    let mut shown = vectors.posting.clone();
    shown.evidence.posted = Some(vectors.stamp.json.clone());
    assert_eq!(page.postings, [(7, shown)]);
    assert_eq!(
        (page.time, page.next, page.more),
        (Time(1_700_000_001_000), 8, false)
    );
    let signature = key(&vectors).sign(&page.signed_bytes()).unwrap();
    assert_eq!(
        encode(&SignedPage { page, signature }),
        bytes(&vectors.page.cbor)
    );

    let empty = open(&vectors.empty);
    assert!(empty.postings.is_empty());
    assert_eq!((empty.from, empty.next), (8, 8));
}
