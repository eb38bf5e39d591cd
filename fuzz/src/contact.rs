//! What is sealed to the herald, by whoever likes, and what people type.

use portcullis_contact::{
    Contact, Digits, Envelope, MAX_ENVELOPE, Reach, RecoveryCode, SealingSecret, Seed,
};
use portcullis_core::Digest;
use portcullis_core::codec::{decode, encode};
use portcullis_core::id::AccountId;

const SECRET: [u8; 32] = [0x77; 32];
const GENESIS: Digest = Digest([1; 32]);
const ACCOUNT: AccountId = AccountId([2; 16]);

/// A contact as it stands in an envelope. What passes its check has nothing in it that could end a line of
/// a mail, and comes out of an envelope as it went in.
pub(crate) fn contact(bytes: &[u8]) -> bool {
    let Ok(contact) = decode::<Contact>(bytes, MAX_ENVELOPE) else {
        return false;
    };
    assert_eq!(encode(&contact), bytes);
    if contact.check().is_err() {
        return true;
    }
    let (Reach::Mail(to) | Reach::Webhook(to)) = &contact.reach;
    for text in [to, &contact.language, &contact.code] {
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    let key = secret().public();
    let sealed = Envelope::seal(&contact, key, GENESIS, ACCOUNT, |bytes| bytes.fill(3));
    let opened = sealed.map(|sealed| sealed.open(&secret(), GENESIS, ACCOUNT));
    assert!(opened.expect("it fits").expect("it opens") == contact);
    true
}

/// An envelope of somebody's making: whatever it is, it opens for one account and as one thing, or not at all.
pub(crate) fn envelope(bytes: &[u8]) -> bool {
    let Ok(envelope) = Envelope::from_bytes(bytes) else {
        return false;
    };
    assert_eq!(envelope.as_bytes(), bytes);
    let contact = envelope.open(&secret(), GENESIS, ACCOUNT);
    let seed = envelope.open_seed(&secret(), GENESIS, ACCOUNT);
    assert!(contact.is_err() || seed.is_err(), "it opens as both");
    let elsewhere = AccountId([9; 16]);
    assert!(envelope.open(&secret(), GENESIS, elsewhere).is_err());
    assert!(envelope.open_seed(&secret(), GENESIS, elsewhere).is_err());
    true
}

/// A seed as it stands in an envelope, or as an app reads it. Its digits are its own.
pub(crate) fn totp_seed(bytes: &[u8]) -> bool {
    let sealed = decode::<Seed>(bytes, MAX_ENVELOPE).ok();
    if let Some(seed) = &sealed {
        assert_eq!(encode(seed), bytes);
    }
    let text = core::str::from_utf8(bytes).ok();
    let scanned = text.and_then(|text| Seed::of_uri(text).ok());
    let mut seeds = sealed.into_iter().chain(scanned).peekable();
    let is_taken = seeds.peek().is_some();
    for seed in seeds {
        for step in [0, 1, u32::MAX] {
            let digits = seed.digits(step);
            assert!(seed.is_of(step, &digits));
            assert!(Digits::parse(&digits.text()).is_some());
        }
    }
    is_taken
}

/// Digits of an app, or a code from paper. What is read is written again so that it is read the same.
pub(crate) fn typed_code(bytes: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return false;
    };
    let digits = Digits::parse(text).map(|digits| digits.text());
    if let Some(digits) = &digits {
        assert_eq!(digits.trim_end_matches('\0'), text.trim_end_matches('\0'));
    }
    let Ok(code) = RecoveryCode::parse(text) else {
        return digits.is_some();
    };
    let again = RecoveryCode::parse(&code.text()).expect("what we write is read");
    let key = |code: &RecoveryCode| code.key(GENESIS, ACCOUNT).expect("a key");
    assert_eq!(key(&again), key(&code));
    true
}

/// What no vector has.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let contacts = [
        ("a@b.example", "en", "grey heron"),
        ("x+y@sub.example", "pt-BR", ""),
    ];
    let mail = contacts.map(|(to, language, code)| Contact {
        reach: Reach::Mail(to.into()),
        language: language.into(),
        code: code.into(),
    });
    let uri = "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA256&digits=8&period=30";
    let seed = Seed::of_uri(uri).expect("a seed");
    let fill = |bytes: &mut [u8]| bytes.fill(5);
    let key = secret().public();
    let envelopes = [
        Envelope::seal(&mail[0], key, GENESIS, ACCOUNT, fill),
        Envelope::seal_seed(&seed, key, GENESIS, ACCOUNT, fill),
    ];
    let envelopes = envelopes.map(|sealed| sealed.expect("it fits").as_bytes().to_vec());
    let code = RecoveryCode::new(|bytes| bytes.fill(6));
    let texts = [uri, "081804", "12345678", &code.text()].map(|text| text.as_bytes().to_vec());
    let encoded = mail.iter().map(encode).chain([encode(&seed)]);
    encoded.chain(envelopes).chain(texts).collect()
}

fn secret() -> SealingSecret {
    SealingSecret::new(&SECRET).expect("a key")
}
