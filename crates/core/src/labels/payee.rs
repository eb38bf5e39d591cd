use portcullis_chains::caip::Address;
use portcullis_labels::Key;

/// The key by which sets know a payee; `None` where they cannot know it. That such a payee is in no set
/// says nothing, and its withdrawals are held while any set is in force.
#[must_use]
pub fn payee_key(address: &Address) -> Option<Key> {
    Key::try_from(*address).ok()
}
