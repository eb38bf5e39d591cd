//! Keys that take each other's place: those of issuers, roots and keepers.

use crate::truth::Truth;
use portcullis_core::Digest;
use portcullis_core::signature::{PublicKey, Signature};
use portcullis_keeper::testkit::{World, id};
use portcullis_keys::software::SoftwareStatement;
use portcullis_keys::{SignError, StatementKey};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Places of genesis, by the byte that their first key comes of.
const PLACES: [u8; 8] = [0x51, 0x53, 0x61, 0x62, 0x63, 0x41, 0x42, 0x43];
/// How many keys each has in a run at most: the first is genesis'.
const GENERATIONS: u8 = 5;

/// All keys of all places, each with its successors.
pub struct Keyring(Vec<Vec<Arc<SoftwareStatement>>>);

impl Keyring {
    /// The keys of a run; without successors where nothing is rotated.
    #[must_use]
    pub fn new(is_rotated: bool) -> Self {
        let generations = if is_rotated { GENERATIONS } else { 1 };
        let place = |byte: &u8| (0..generations).map(|n| Arc::new(key(*byte, n))).collect();
        Self(PLACES.iter().map(place).collect())
    }

    /// The secret of a public key.
    ///
    /// # Panics
    /// Where nobody in the run has it.
    #[must_use]
    pub fn of(&self, public: &PublicKey) -> Arc<SoftwareStatement> {
        let mut all = self.0.iter().flatten();
        let key = all.find(|key| key.public_key() == public);
        Arc::clone(key.expect("a key of this run"))
    }

    /// The one that takes its place, as long as there are any.
    #[must_use]
    pub fn after(&self, public: &PublicKey) -> Option<Arc<SoftwareStatement>> {
        self.place(public, 1)
    }

    /// The one whose place it took.
    #[must_use]
    pub fn before(&self, public: &PublicKey) -> Option<Arc<SoftwareStatement>> {
        self.place(public, -1)
    }

    fn place(&self, public: &PublicKey, further: isize) -> Option<Arc<SoftwareStatement>> {
        self.0.iter().find_map(|place| {
            let at = place.iter().position(|key| key.public_key() == public)?;
            place.get(at.checked_add_signed(further)?).cloned()
        })
    }
}

fn key(place: u8, generation: u8) -> SoftwareStatement {
    if generation == 0 {
        return World::key(&id(place));
    }
    let mut seed = Zeroizing::new([0xd7; 32]);
    (seed[30], seed[31]) = (place, generation);
    SoftwareStatement::ed25519(&seed).expect("a seed")
}

/// A key of which the truth has every signature.
pub struct Heard {
    key: Arc<SoftwareStatement>,
    truth: Truth,
}

impl Heard {
    /// This one, from here on.
    #[must_use]
    pub fn of(key: Arc<SoftwareStatement>, truth: &Truth) -> Arc<dyn StatementKey> {
        let truth = truth.clone();
        Arc::new(Self { key, truth })
    }
}

impl StatementKey for Heard {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let signature = self.key.sign(message)?;
        let mut facts = self.truth.facts();
        facts.said.insert(Digest::plain(message));
        let by = self.key.public_key().clone();
        facts.under.insert(*signature.as_bytes(), by);
        Ok(signature)
    }
}
