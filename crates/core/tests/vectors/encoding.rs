//! Primitive values, and bytes that are refused because another value of theirs is canonical.

use crate::holder::{Holder, Kind};
use crate::{acts, and, vector};
use minicbor::{Decode, Encode};
use portcullis_chains::Amount;
use portcullis_core::act::{Act, ActKind, RaiseEpoch};
use portcullis_core::codec::{self, CodecError};
use portcullis_core::decision::{Decision, Need};
use portcullis_core::digest::Domain;
use portcullis_core::factor::FactorKind;
use portcullis_core::id::AccountId;
use portcullis_core::realm::Realm;
use portcullis_core::signature::Signature;
use portcullis_core::{Digest, Evidence, Reason, Span, Time};
use portcullis_keeper::testkit::World;
use serde_json::{Map, Value, json};

pub(crate) fn document() -> Value {
    json!({
        "values": values(),
        "factors": [
            factor("a P-256 passkey", Kind::PasskeyP256),
            factor("an Ed25519 passkey", Kind::PasskeyEd25519),
            factor("a request key", Kind::RequestKey),
        ],
        "decisions": decisions(),
        "domains": domains(),
        "refused": refused(),
    })
}

fn values() -> Vec<Map<String, Value>> {
    vec![
        vector("an id", &AccountId([0xac; 16])),
        vector("a digest", &Digest([0xd1; 32])),
        vector("a time", &World::START),
        vector("a time below 24", &Time(23)),
        vector("a time of 24", &Time(24)),
        vector("a time of 256", &Time(256)),
        vector("a time of 2^32", &Time(1 << 32)),
        vector("a span of 24 hours", &Span::hours(24)),
        vector("an amount", &Amount(1_000_000_000_000_000_000)),
        vector("an asset", &World::TOKEN),
        vector("an address", &World::address(0x22)),
        vector("a realm", &Realm::Staff),
        vector("a signature", &Signature::from_bytes([0x51; 64])),
        vector("a reason", &Reason::AccountFrozen),
    ]
}

fn factor(what: &str, kind: Kind) -> Value {
    let factor = Holder::new(kind).factor();
    and(vector(what, &factor), json!({ "id": factor.id() }))
}

fn decisions() -> Vec<Map<String, Value>> {
    let hold = |needs, until| Decision::Hold { needs, until };
    let reason = Reason::AmountZero;
    vec![
        vector("released", &Decision::Release),
        vector("held for a debit", &hold(vec![Need::Debit], None)),
        vector(
            "held for a screening and the travel rule",
            &hold(vec![Need::Screening, Need::TravelRule], None),
        ),
        vector(
            "held for two approvals and a delay",
            &hold(
                vec![Need::Approvals { missing: 2 }, Need::Delay],
                Some(World::START),
            ),
        ),
        vector("refused", &Decision::Refuse { reason }),
    ]
}

fn domains() -> Vec<Value> {
    let domains = [
        Domain::Genesis,
        Domain::Act,
        Domain::Factor,
        Domain::Attestation,
        Domain::Statement,
        Domain::Board,
        Domain::Effects,
        Domain::Limits,
        Domain::Plan,
        Domain::Snapshot,
    ];
    let of_nothing = |domain: Domain| {
        let prefix = str::from_utf8(domain.prefix()).unwrap();
        json!({ "domain": prefix, "digest_of_nothing": Digest::of(domain, b"") })
    };
    domains.into_iter().map(of_nothing).collect()
}

#[rustfmt::skip] // a table
fn refused() -> Vec<Value> {
    let freeze = codec::encode(&acts::of(ActKind::Freeze));
    let raise = codec::encode(&RaiseEpoch {
        realm: Realm::Customers,
        factors: Some(FactorKind::Passkey),
    });
    assert_eq!(raise, [0xa2, 0, 0, 1, 1]);
    let empty = codec::encode(&Evidence::default());
    assert_eq!(empty, [0xa3, 0, 0x80, 1, 0x80, 2, 0x80]);
    let mut upper = codec::encode(&World::address(0xab));
    let digit = upper.last_mut().unwrap();
    *digit = digit.to_ascii_uppercase();
    vec![
        not::<RaiseEpoch>("raise-epoch", "a member twice", &[0xa3, 0, 0, 0, 0, 1, 1]),
        not::<RaiseEpoch>("raise-epoch", "members out of order", &[0xa2, 1, 1, 0, 0]),
        not::<RaiseEpoch>("raise-epoch", "a null for what is absent", &[0xa2, 0, 0, 1, 0xf6]),
        not::<RaiseEpoch>("raise-epoch", "a member too many", &[0xa3, 0, 0, 1, 1, 2, 0]),
        not::<RaiseEpoch>("raise-epoch", "a member missing", &[0xa1, 1, 1]),
        not::<RaiseEpoch>("raise-epoch", "an integer in two bytes", &[0xa2, 0, 0x18, 0, 1, 1]),
        not::<RaiseEpoch>("raise-epoch", "a length in two bytes", &[0xb8, 2, 0, 0, 1, 1]),
        not::<RaiseEpoch>("raise-epoch", "indefinite length", &[0xbf, 0, 0, 1, 1, 0xff]),
        not::<RaiseEpoch>("raise-epoch", "a value of no realm", &[0xa2, 0, 9, 1, 1]),
        not::<RaiseEpoch>("raise-epoch", "a byte after it", &[0xa2, 0, 0, 1, 1, 0]),
        not::<RaiseEpoch>("raise-epoch", "a tag before it", &[0xc1, 0xa2, 0, 0, 1, 1]),
        not::<Evidence>("evidence", "an empty list left out", &[0xa2, 0, 0x80, 1, 0x80]),
        not::<Act>("act", "a variant without its list", &without_list(&freeze)),
        not::<Act>("act", "the last byte missing", &freeze[..freeze.len() - 1]),
        not::<portcullis_chains::Address>("address", "an upper-case digit", &upper),
        not::<Amount>("amount", "15 bytes", &codec::encode(&minicbor::bytes::ByteArray::from([0; 15]))),
        not::<Time>("time", "a negative integer", &[0x20]),
        not::<Time>("time", "a float", &[0xf9, 0x3c, 0]),
    ]
}

/// `[5, []]`, with which a freeze ends, as `5`.
fn without_list(freeze: &[u8]) -> Vec<u8> {
    let kind = freeze.strip_suffix(&[0x82, 5, 0x80]).unwrap();
    [kind, &[5]].concat()
}

fn not<T>(kind: &str, what: &str, bytes: &[u8]) -> Value
where
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    let fault = codec::decode::<T>(bytes, crate::files::NO_CAP)
        .err()
        .unwrap();
    assert!(matches!(
        fault,
        CodecError::Malformed | CodecError::NotCanonical
    ));
    json!({ "type": kind, "what": what, "cbor": hex::encode(bytes) })
}
