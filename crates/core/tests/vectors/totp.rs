//! TOTP seeds, codes on their way to the herald, recovery codes. Each comes of one stated byte of
//! randomness, repeated.

use crate::cbor;
use portcullis_contact::{
    Algorithm, Digits, Envelope, RecoveryCode, SealingSecret, Seed, open_code, seal_code,
};
use portcullis_core::act::Act;
use portcullis_core::code::{Code, recovery_digest};
use portcullis_core::factor::{NewFactor, RECOVERY_CODES};
use portcullis_core::id::{AccountId, FactorId};
use portcullis_core::{Digest, Evidence};
use portcullis_keeper::testkit::World;
use serde_json::{Value, json};
use zeroize::Zeroizing;

const ACCOUNT: AccountId = AccountId([0xac; 16]);
/// The herald's secret key is this byte, repeated.
const SECRET: u8 = 0x77;
const ACT: Digest = Digest([0xad; 32]);
const FACTOR: FactorId = FactorId([0xfa; 16]);

pub(crate) fn document() -> Value {
    let genesis = World::with_a_herald().digest();
    let secret = secret();
    json!({
        "genesis": genesis,
        "account": ACCOUNT,
        "secret": hex::encode([SECRET; 32]),
        "sealing": secret.public(),
        "seeds": seeds(),
        "code": code(),
        "recovery": recovery(),
    })
}

fn secret() -> SealingSecret {
    SealingSecret::new(&[SECRET; 32]).unwrap()
}

fn seeds() -> Vec<Value> {
    let genesis = World::with_a_herald().digest();
    let of = |algorithm, length, digits| {
        let secret = b"1234567890".iter().copied().cycle().take(length);
        Seed::new(Zeroizing::new(secret.collect()), algorithm, digits).unwrap()
    };
    let all = [
        ("SHA1", of(Algorithm::Sha1, 20, 6)),
        ("SHA256", of(Algorithm::Sha256, 32, 7)),
        ("SHA512", of(Algorithm::Sha512, 64, 8)),
    ];
    let vectors = all.into_iter().zip(1..).map(|((name, seed), random)| {
        let fill = |bytes: &mut [u8]| bytes.fill(random);
        let sealed = Envelope::seal_seed(&seed, secret().public(), genesis, ACCOUNT, fill).unwrap();
        assert_eq!(
            sealed.open_seed(&secret(), genesis, ACCOUNT).as_ref(),
            Ok(&seed)
        );
        let digits = [1, 37_037_036, 59_333_333].map(|step| {
            let shown = seed.digits(step).text();
            json!({ "step": step, "digits": *shown })
        });
        let commitment = sealed.commitment();
        json!({
            "algorithm": name,
            "cbor": cbor(&seed),
            "digits": digits,
            "envelope": hex::encode(sealed.as_bytes()),
            "commitment": commitment,
            "factor": NewFactor::Totp { seed: commitment }.id(),
        })
    });
    vectors.collect()
}

fn code() -> Value {
    let genesis = World::with_a_herald().digest();
    let digits = Digits::parse("081804").unwrap();
    let fill = |bytes: &mut [u8]| bytes.fill(4);
    let about = (ACT, FACTOR);
    let sealed = seal_code(&digits, secret().public(), genesis, about, fill).unwrap();
    let opened = open_code(&sealed, &secret(), genesis, about);
    assert_eq!(opened.as_ref(), Ok(&digits));
    json!({ "act": ACT, "factor": FACTOR, "digits": "081804", "sealed": hex::encode(sealed.0) })
}

fn recovery() -> Value {
    let genesis = World::with_a_herald().digest();
    let code = ten()[3].clone();
    let key = code.key(genesis, ACCOUNT).unwrap();
    let factor = recovery_codes().id();
    let proof = code.prove(genesis, ACCOUNT, (ACT, factor)).unwrap();
    json!({
        "bytes": hex::encode([3; 16]),
        "text": *code.text(),
        "key": key,
        "digest": recovery_digest(&key),
        "act": ACT,
        "signed_bytes": hex::encode(portcullis_core::code::recovery_proof(ACT)),
        "proof": proof,
        "cbor": cbor(&proof),
    })
}

fn ten() -> [RecoveryCode; RECOVERY_CODES] {
    core::array::from_fn(|number| {
        RecoveryCode::new(|bytes| bytes.fill(u8::try_from(number).unwrap()))
    })
}

/// The factor that codes of the bytes 0 to 9, each repeated, make.
pub(crate) fn recovery_codes() -> NewFactor {
    RecoveryCode::factor(&ten(), World::with_a_herald().digest(), ACCOUNT).unwrap()
}

/// An act that a TOTP code came with.
pub(crate) fn by_code(act: &Act) -> Evidence {
    let digits = Digits::parse("081804").unwrap();
    let fill = |bytes: &mut [u8]| bytes.fill(4);
    let about = (act.digest(), FACTOR);
    let sealed = seal_code(&digits, secret().public(), act.genesis, about, fill).unwrap();
    Evidence {
        code: Some(Code::Totp {
            factor: FACTOR,
            sealed,
        }),
        ..Evidence::default()
    }
}

/// An act that a recovery code came with.
pub(crate) fn by_recovery_code(act: &Act) -> Evidence {
    let about = (act.digest(), recovery_codes().id());
    let proof = ten()[3].prove(act.genesis, ACCOUNT, about);
    Evidence {
        code: Some(proof.unwrap()),
        ..Evidence::default()
    }
}
