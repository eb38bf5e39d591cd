use portcullis_chains::caip::Address;
use portcullis_labels::Key;

/// The key by which sets know a payee; `None` where they cannot know it. That such a payee is in no set
/// says nothing, and its withdrawals are held while any set is in force.
#[must_use]
#[allow(
    clippy::unnecessary_wraps,
    reason = "every address of Ethereum's has a key; others may have none"
)]
pub fn payee_key(address: &Address) -> Option<Key> {
    match address {
        Address::Evm { .. } => Some(Key::from(*address)),
    }
}
