//! What an address and an asset are called here, however they are spelt: rows meet by these names.

use crate::row::Row;
use portcullis_labels::{Chain, Key};

/// No address of a chain that is known is shorter.
const SHORTEST: usize = 25;
/// What [`Row::to`] has between an address and its tag.
const TAG: &str = "?tag=";

/// The names of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) asset: String,
    pub(super) to: String,
}

impl Names {
    pub(super) fn of(row: &Row) -> Self {
        Self {
            asset: asset(&row.asset),
            to: address(&row.to),
        }
    }
}

/// `usdt` and `USDT` are one.
pub(super) fn asset(text: &str) -> String {
    text.to_uppercase()
}

/// The key of an address of a chain that is known, with its tag; of all others the text.
fn address(text: &str) -> String {
    let (address, tag) = match text.rsplit_once(TAG) {
        Some((address, tag)) => (address, Some(tag)),
        None => (text, None),
    };
    match (key(address), tag) {
        (None, _) => text.to_owned(),
        (Some(key), None) => key.to_string(),
        (Some(key), Some(tag)) => {
            let tagged = tag.parse().ok().and_then(|tag| key.with_tag(tag));
            tagged.map_or_else(|| format!("{key}{TAG}{tag}"), |key| key.to_string())
        }
    }
}

/// By the first chain of which the text is an address: one text is one receiver here, whatever the chain.
fn key(text: &str) -> Option<Key> {
    if text.len() < SHORTEST {
        return None;
    }
    let bare = || {
        Chain::ALL
            .into_iter()
            .find_map(|chain| Key::read(chain, text).ok())
    };
    text.parse().ok().or_else(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published examples: EIP-55, BIP 173, the XRP Ledger's X-address format.
    #[test]
    fn spellings_of_one_receiver_are_one_name() {
        let mixed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let segwit = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
        for (one, other) in [
            (mixed.to_owned(), mixed.to_lowercase()),
            (segwit.to_owned(), segwit.to_uppercase()),
            (
                format!("{mixed}?tag=7"),
                format!("{}?tag=7", mixed.to_lowercase()),
            ),
        ] {
            assert_eq!(address(&one), address(&other), "{one}");
        }
        assert_eq!(asset("usdt"), asset("USDT"));
    }

    #[test]
    fn other_receivers_and_texts_keep_their_own() {
        let mixed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let wrong = "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        assert_eq!(address(wrong), wrong, "its checksum is wrong");
        assert_ne!(address(&format!("{mixed}?tag=7")), address(mixed));
        for text in [
            "",
            "own-1",
            "So11111111111111111111111111111111111111112",
            "?tag=",
        ] {
            assert_eq!(address(text), text);
        }
    }
}
