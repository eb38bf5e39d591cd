//! Sealed contacts. Each comes of one stated byte of randomness, repeated.

use crate::cbor;
use portcullis_contact::{Contact, Envelope, Reach, SealingSecret};
use portcullis_core::genesis::SealingKey;
use portcullis_core::id::AccountId;
use portcullis_core::kept::{Kept, SignedKept};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;
use serde_json::{Value, json};

const ACCOUNT: AccountId = AccountId([0xac; 16]);
/// The herald's secret key is this byte, repeated.
const SECRET: u8 = 0x77;

pub(crate) fn document() -> Value {
    let genesis = World::with_a_herald().digest();
    let secret = SealingSecret::new(&[SECRET; 32]).unwrap();
    assert_eq!(secret.public(), SealingKey(World::SEALING));
    let sealed = contacts().into_iter().zip(1..).map(|(contact, random)| {
        let fill = |bytes: &mut [u8]| bytes.fill(random);
        let envelope = Envelope::seal(&contact, secret.public(), genesis, ACCOUNT, fill).unwrap();
        assert_eq!(
            envelope.open(&secret, genesis, ACCOUNT).as_ref(),
            Ok(&contact)
        );
        json!({
            "contact": contact,
            "cbor": cbor(&contact),
            "envelope": hex::encode(envelope.as_bytes()),
            "commitment": envelope.commitment(),
        })
    });
    json!({
        "genesis": genesis,
        "account": ACCOUNT,
        "secret": hex::encode([SECRET; 32]),
        "sealing": secret.public(),
        "sealed": sealed.collect::<Vec<_>>(),
        "kept": kept(),
    })
}

fn contacts() -> [Contact; 2] {
    let of = |reach, language: &str, code: &str| Contact {
        reach,
        language: language.into(),
        code: code.into(),
    };
    [
        of(Reach::Mail("a@customer.example".into()), "en", "blue heron"),
        of(
            Reach::Webhook("https://hooks.partner.example/notices".into()),
            "pt-BR",
            "",
        ),
    ]
}

fn kept() -> Value {
    let kept = Kept {
        genesis: World::with_a_herald().digest(),
        keeper: World::HERALD,
        time: World::START,
        contacts: vec![portcullis_core::Digest([0x0c; 32])],
    };
    let signed = hex::encode(kept.signed_bytes());
    let signature = World::key(&World::HERALD.0)
        .sign(&kept.signed_bytes())
        .unwrap();
    let word = SignedKept { kept, signature };
    json!({ "cbor": cbor(&word), "signed_bytes": signed })
}
