//! Sealing and opening.
//!
//! ```text
//! envelope   = encapsulated key (32 bytes) ‖ ciphertext with tag
//! plaintext  = CBOR(contact or seed) ‖ 0x80 ‖ zeros, up to a multiple of 256 bytes
//! info       = "portcullis/contact-seal/v1" ‖ 0x00 ‖ CBOR([genesis digest, account id])
//!              (for a seed "portcullis/totp-seal/v1")
//! commitment = SHA-256("portcullis/contact/v1" ‖ 0x00 ‖ envelope)
//! ```
//!
//! The key that HPKE makes anew each time is random, so the commitment tells nothing of what is inside,
//! not even whether two accounts have the same contact; the padding hides how long an address is.

use crate::contact::{Contact, ContactFault};
use crate::random::Given;
use crate::totp::Seed;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open,
    single_shot_seal_with_rng,
};
use minicbor::{Decode, Encode};
use portcullis_core::codec::{decode, encode};
use portcullis_core::genesis::SealingKey;
use portcullis_core::id::AccountId;
use portcullis_core::{Digest, Domain};
use zeroize::{Zeroize as _, Zeroizing};

/// Most bytes of an envelope.
pub const MAX_ENVELOPE: usize = MAX_PLAINTEXT + KEY + TAG;
/// The encapsulated key, and the tag behind the ciphertext.
const KEY: usize = 32;
const TAG: usize = 16;
/// What the plaintext's length is a multiple of, and its most.
const BLOCK: usize = 256;
const MAX_PLAINTEXT: usize = 1536;

/// A sealed contact, or a sealed TOTP seed. Nobody but the herald can tell which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope(Vec<u8>);

/// Why there is no envelope, or nothing in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeFault {
    /// Its length.
    #[error("an envelope has 304 to 1584 bytes: a key, and a ciphertext of whole blocks")]
    Length,
    /// The key that is sealed to.
    #[error("the sealing key is not a point that can be sealed to")]
    Key,
    /// It was sealed to another key, for another network or account, or changed since.
    #[error("the envelope does not open: sealed to another key, network or account, or changed")]
    Sealed,
    /// What is inside is something else.
    #[error("what is in the envelope is not as docs/spec/contact.md and totp.md have it")]
    Malformed,
    /// The contact.
    #[error(transparent)]
    Contact(#[from] ContactFault),
}

impl Envelope {
    /// Bytes that may be an envelope. Only their length can be told.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeFault> {
        let sealed = bytes.len().checked_sub(KEY + TAG);
        let blocks = sealed.is_some_and(|sealed| sealed > 0 && sealed.is_multiple_of(BLOCK));
        if blocks && bytes.len() <= MAX_ENVELOPE {
            Ok(Self(bytes.to_vec()))
        } else {
            Err(EnvelopeFault::Length)
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What the journal holds in its place.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        Digest::of(Domain::Contact, &self.0)
    }

    /// Seal a contact for an account of a network. `fill` gives bytes that nobody can guess.
    pub fn seal(
        contact: &Contact,
        key: SealingKey,
        genesis: Digest,
        account: AccountId,
        fill: impl FnMut(&mut [u8]),
    ) -> Result<Self, EnvelopeFault> {
        contact.check()?;
        let info = info(CONTACT, genesis, account);
        Self::from_bytes(&seal(&padded(contact)?, key, &info, fill)?)
    }

    /// Seal a TOTP seed for an account of a network, in the same way under another `info`.
    pub fn seal_seed(
        seed: &Seed,
        key: SealingKey,
        genesis: Digest,
        account: AccountId,
        fill: impl FnMut(&mut [u8]),
    ) -> Result<Self, EnvelopeFault> {
        let info = info(SEED, genesis, account);
        Self::from_bytes(&seal(&padded(seed)?, key, &info, fill)?)
    }

    /// The contact inside, for whoever has the secret key.
    pub fn open(
        &self,
        secret: &SealingSecret,
        genesis: Digest,
        account: AccountId,
    ) -> Result<Contact, EnvelopeFault> {
        let contact: Contact = self.opened(secret, &info(CONTACT, genesis, account))?;
        contact.check()?;
        Ok(contact)
    }

    /// The seed inside, for whoever has the secret key.
    pub fn open_seed(
        &self,
        secret: &SealingSecret,
        genesis: Digest,
        account: AccountId,
    ) -> Result<Seed, EnvelopeFault> {
        self.opened(secret, &info(SEED, genesis, account))
    }

    fn opened<T>(&self, secret: &SealingSecret, info: &[u8]) -> Result<T, EnvelopeFault>
    where
        T: Encode<()> + for<'b> Decode<'b, ()>,
    {
        let plaintext = open(&self.0, secret, info)?;
        let text = unpadded(&plaintext).ok_or(EnvelopeFault::Malformed)?;
        decode(text, MAX_PLAINTEXT).map_err(|_| EnvelopeFault::Malformed)
    }
}

/// An encapsulated key and a ciphertext with its tag.
pub(crate) fn seal(
    plaintext: &[u8],
    key: SealingKey,
    info: &[u8],
    mut fill: impl FnMut(&mut [u8]),
) -> Result<Vec<u8>, EnvelopeFault> {
    let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&key.0);
    let key = key.map_err(|_| EnvelopeFault::Key)?;
    let sealed = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &key,
        info,
        plaintext,
        &[],
        &mut Given(&mut fill),
    );
    let (encapsulated, ciphertext) = sealed.map_err(|_| EnvelopeFault::Key)?;
    Ok([&encapsulated.to_bytes()[..], &ciphertext].concat())
}

pub(crate) fn open(
    bytes: &[u8],
    secret: &SealingSecret,
    info: &[u8],
) -> Result<Zeroizing<Vec<u8>>, EnvelopeFault> {
    let (encapsulated, ciphertext) = bytes.split_at_checked(KEY).ok_or(EnvelopeFault::Length)?;
    let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated);
    let encapsulated = encapsulated.map_err(|_| EnvelopeFault::Sealed)?;
    let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &secret.0,
        &encapsulated,
        info,
        ciphertext,
        &[],
    );
    opened
        .map(Zeroizing::new)
        .map_err(|_| EnvelopeFault::Sealed)
}

/// The herald's secret key.
pub struct SealingSecret(<X25519HkdfSha256 as Kem>::PrivateKey);

impl SealingSecret {
    /// From its 32 bytes, whichever they are.
    pub fn new(bytes: &[u8; 32]) -> Result<Self, EnvelopeFault> {
        let key = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(bytes);
        key.map(Self).map_err(|_| EnvelopeFault::Key)
    }

    /// The key that is sealed to.
    #[must_use]
    pub fn public(&self) -> SealingKey {
        let mut key = [0; 32];
        key.copy_from_slice(&X25519HkdfSha256::sk_to_pk(&self.0).to_bytes());
        SealingKey(key)
    }
}

/// What is sealed, so that neither opens as the other.
const CONTACT: &[u8] = b"portcullis/contact-seal/v1\0";
const SEED: &[u8] = b"portcullis/totp-seal/v1\0";

fn info(what: &[u8], genesis: Digest, account: AccountId) -> Vec<u8> {
    let mut info = what.to_vec();
    info.extend(encode(&(genesis, account)));
    info
}

fn padded<T: Encode<()>>(content: &T) -> Result<Zeroizing<Vec<u8>>, EnvelopeFault> {
    let mut text = encode(content);
    // A buffer that grew would leave what was in it behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_PLAINTEXT + BLOCK));
    bytes.extend_from_slice(&text);
    text.zeroize();
    bytes.push(0x80);
    let whole = bytes.len().next_multiple_of(BLOCK);
    bytes.resize(whole, 0);
    if bytes.len() > MAX_PLAINTEXT {
        return Err(EnvelopeFault::Malformed);
    }
    Ok(bytes)
}

fn unpadded(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().rposition(|byte| *byte != 0)?;
    (bytes[end] == 0x80).then_some(&bytes[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::Reach;
    use crate::totp::Algorithm;

    const GENESIS: Digest = Digest([1; 32]);
    const ACCOUNT: AccountId = AccountId([2; 16]);

    fn contact(address: &str) -> Contact {
        Contact {
            reach: Reach::Mail(address.into()),
            language: "en".into(),
            code: "blue heron".into(),
        }
    }

    fn secret() -> SealingSecret {
        SealingSecret::new(&[0x77; 32]).unwrap()
    }

    fn sealed(contact: &Contact, seed: u8) -> Envelope {
        let fill = |bytes: &mut [u8]| bytes.fill(seed);
        Envelope::seal(contact, secret().public(), GENESIS, ACCOUNT, fill).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_its_key_network_and_account_alone() {
        let contact = contact("a@b.example");
        let envelope = sealed(&contact, 9);
        assert_eq!(envelope.open(&secret(), GENESIS, ACCOUNT), Ok(contact));
        let other = SealingSecret::new(&[0x78; 32]).unwrap();
        let wrong = Err(EnvelopeFault::Sealed);
        assert_eq!(envelope.open(&other, GENESIS, ACCOUNT), wrong);
        assert_eq!(envelope.open(&secret(), Digest([3; 32]), ACCOUNT), wrong);
        assert_eq!(envelope.open(&secret(), GENESIS, AccountId([3; 16])), wrong);
        for at in 0..envelope.as_bytes().len() {
            let mut bytes = envelope.as_bytes().to_vec();
            bytes[at] ^= 1;
            let changed = Envelope::from_bytes(&bytes).unwrap();
            assert_ne!(changed.commitment(), envelope.commitment());
            assert!(changed.open(&secret(), GENESIS, ACCOUNT).is_err(), "{at}");
        }
    }

    #[test]
    fn a_seed_is_sealed_alike_and_opens_as_nothing_else() {
        let text = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let seed = Seed::of_base32(text, Algorithm::Sha1, 6).unwrap();
        let fill = |bytes: &mut [u8]| bytes.fill(9);
        let key = secret().public();
        let sealed = Envelope::seal_seed(&seed, key, GENESIS, ACCOUNT, fill).unwrap();
        assert_eq!(sealed.as_bytes().len(), 304);
        assert_eq!(sealed.open_seed(&secret(), GENESIS, ACCOUNT), Ok(seed));
        let wrong = Err(EnvelopeFault::Sealed);
        assert_eq!(sealed.open(&secret(), GENESIS, ACCOUNT), wrong);
        let contact = super::tests::sealed(&contact("a@b.example"), 9);
        let wrong = Err(EnvelopeFault::Sealed);
        assert_eq!(contact.open_seed(&secret(), GENESIS, ACCOUNT), wrong);
        let wrong = Err(EnvelopeFault::Sealed);
        assert_eq!(
            sealed.open_seed(&secret(), GENESIS, AccountId([3; 16])),
            wrong
        );
    }

    #[test]
    fn neither_commitment_nor_length_tells_what_is_inside() {
        let (one, again) = (
            sealed(&contact("a@b.example"), 1),
            sealed(&contact("a@b.example"), 2),
        );
        assert_ne!(one.commitment(), again.commitment());
        let long = contact(&format!("{}@{}.example", "a".repeat(64), "b".repeat(60)));
        assert_eq!(one.as_bytes().len(), sealed(&long, 1).as_bytes().len());
    }

    #[test]
    fn what_is_no_contact_is_not_sealed() {
        let fill = |_: &mut [u8]| {};
        let wrong = contact("a@b\r\nBcc: everybody@b.example");
        let sealed = Envelope::seal(&wrong, secret().public(), GENESIS, ACCOUNT, fill);
        assert_eq!(sealed, Err(EnvelopeFault::Contact(ContactFault::Mail)));
        let low = SealingKey([0; 32]);
        let fill = |bytes: &mut [u8]| bytes.fill(1);
        let sealed = Envelope::seal(&contact("a@b.example"), low, GENESIS, ACCOUNT, fill);
        assert_eq!(sealed, Err(EnvelopeFault::Key));
    }

    /// Whoever seals is as hostile as any: what opens is checked again.
    #[test]
    fn what_was_sealed_around_the_check_does_not_come_out() {
        for plaintext in [&b""[..], b"\x80", &[0; 256], b"no cbor\x80", &encode(&7_u8)] {
            let mut plaintext = plaintext.to_vec();
            plaintext.resize(BLOCK, 0);
            let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&secret().public().0);
            let (encapsulated, ciphertext) =
                single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
                    &OpModeS::Base,
                    &key.unwrap(),
                    &info(CONTACT, GENESIS, ACCOUNT),
                    &plaintext,
                    &[],
                    &mut Given(&mut |bytes: &mut [u8]| bytes.fill(1)),
                )
                .unwrap();
            let bytes = [&encapsulated.to_bytes()[..], &ciphertext].concat();
            let envelope = Envelope::from_bytes(&bytes).unwrap();
            let opened = envelope.open(&secret(), GENESIS, ACCOUNT);
            assert_eq!(opened, Err(EnvelopeFault::Malformed));
        }
    }

    #[test]
    fn only_whole_blocks_are_an_envelope() {
        for wrong in [0, 47, 48, 303, 305, 1585, 1840, 3000] {
            assert!(Envelope::from_bytes(&vec![0; wrong]).is_err(), "{wrong}");
        }
        assert!(Envelope::from_bytes(&[0; 304]).is_ok());
    }
}
