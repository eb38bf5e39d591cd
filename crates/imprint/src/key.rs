//! Secrets: what a vault's key makes of a release and of a document.
//!
//! A release's [`Seed`] is HMAC-SHA-256 of its name under the vault's key; its [`Word`] is the first 512
//! bytes of the `ChaCha20` key stream under the seed. A receipt carries [`Seed::commitment`], so that whoever
//! is shown the seed later can expand the word and check an attribution without the vault's key.

use chacha20::cipher::{KeyIvInit, StreamCipher};
use chacha20::{ChaCha8, ChaCha20};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Signs in a word.
pub const WORD: usize = 4096;

/// The key that all imprints of a vault derive from.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct VaultKey([u8; 32]);

impl VaultKey {
    /// A key of 32 secret bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The seed of a release's word. `release` is the release's name, such as its act's digest.
    #[must_use]
    pub fn seed(&self, release: &[u8]) -> Seed {
        Seed(self.derive(b"portcullis/imprint/word/v1\0", release))
    }

    /// The map that spreads words over a document. `document` is the document's name in the vault.
    #[must_use]
    pub fn map(&self, document: &[u8]) -> DocumentMap {
        DocumentMap(self.derive(b"portcullis/imprint/map/v1\0", document))
    }

    fn derive(&self, domain: &[u8], name: &[u8]) -> [u8; 32] {
        // HMAC takes keys of any length, so this arm is never seen.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return [0; 32];
        };
        mac.update(domain);
        mac.update(name);
        mac.finalize().into_bytes().into()
    }
}

/// What a release's word is expanded from.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl Seed {
    /// A seed that a vault has opened.
    #[must_use]
    pub fn opened(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the vault to open an attribution with.
    #[must_use]
    pub fn reveal(&self) -> [u8; 32] {
        self.0
    }

    /// What a receipt says of the seed: SHA-256 over a domain and the seed. A seed has 256 secret bits, so
    /// this hides it without a salt.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"portcullis/imprint/commitment/v1\0");
        hash.update(self.0);
        hash.finalize().into()
    }

    /// The word: bit `i % 8` of byte `i / 8` of the key stream, 1 for −1.
    #[must_use]
    pub fn word(&self) -> Word {
        let mut stream = [0_u8; WORD / 8];
        ChaCha20::new(&self.0.into(), &[0; 12].into()).apply_keystream(&mut stream);
        let sign = |i: usize| 1 - 2 * (stream[i / 8] >> (i % 8) & 1) as i8;
        Word((0..WORD).map(sign).collect())
    }
}

/// A release's signs, +1 or −1 each.
#[derive(Clone, PartialEq, Eq)]
pub struct Word(Box<[i8]>);

impl Word {
    /// [`WORD`] numbers, +1 or −1.
    #[must_use]
    pub fn signs(&self) -> &[i8] {
        &self.0
    }
}

/// Where a document's wavelet coefficients take their signs from: for each a place in the word and a sign
/// of its own.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DocumentMap([u8; 32]);

impl DocumentMap {
    /// Two bytes for each coefficient of one row of one level, whatever was asked before.
    ///
    /// Eight rounds: the map is no secret that an attack could gain much by, and it is drawn for every pixel.
    pub(crate) fn row(&self, level: u32, row: usize, bytes: &mut [u8]) {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&level.to_le_bytes());
        nonce[4..].copy_from_slice(&(row as u64).to_le_bytes());
        bytes.fill(0);
        ChaCha8::new(&self.0.into(), &nonce.into()).apply_keystream(bytes);
    }
}

/// A place in the word, and whether the coefficient's own sign is −1.
pub(crate) fn place(pair: [u8; 2]) -> (usize, bool) {
    let bits = usize::from(u16::from_le_bytes(pair));
    (bits % WORD, bits >= 0x8000)
}

/// Bytes without order, for dithering.
pub(crate) fn noise(map: &DocumentMap, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    map.row(0, 0, &mut bytes);
    bytes
}
