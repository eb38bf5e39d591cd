//! What networks have whose journal is handed over: witnesses that stand ready beside those of genesis, and a
//! second key of the journal.

use super::witness;
use portcullis_core::genesis::Witnesses;
use portcullis_keeper::testkit::World;
use portcullis_tlog::{LogKey, LogSigner, Signer as _};

/// Witnesses that stand ready: two whole sets beside that of genesis.
pub const SPARES: usize = 8;

/// The journal's keys, in the order in which they take over.
const LOG_SEEDS: [u8; 2] = [0x80, 0x81];

/// These witnesses, of whom one may be dishonest, as they would be rotated in.
#[must_use]
pub fn witnesses_of(numbers: &[usize]) -> Witnesses {
    let vkeys = numbers
        .iter()
        .map(|number| witness(*number).key().to_string());
    Witnesses {
        vkeys: vkeys.collect(),
        faulty: 1,
        quorum: 3,
    }
}

/// Which witness signs by a vkey, of so many.
#[must_use]
pub fn number_of(vkey: &str, of: usize) -> Option<usize> {
    (0..of).find(|number| witness(*number).key().to_string() == vkey)
}

/// A key of the journal: genesis', and the one that takes over.
///
/// # Panics
/// Where there is no such key.
#[must_use]
pub fn log(number: usize) -> LogSigner {
    World::log(LOG_SEEDS[number])
}

/// The bytes by which [`World::key`] knows the same key.
#[must_use]
pub fn log_seed(number: usize) -> [u8; 16] {
    [LOG_SEEDS[number]; 16]
}

/// The public keys of the journal, in order.
#[must_use]
pub fn log_keys() -> [LogKey; 2] {
    [0, 1].map(|number| log(number).key().clone())
}
