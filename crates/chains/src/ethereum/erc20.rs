//! The one call and the one event of ERC-20 (EIP-20) that matter here.

use super::NotPlain;
use crate::Amount;

/// The first four bytes of Keccak-256 over `transfer(address,uint256)`.
const TRANSFER_SELECTOR: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];

/// Keccak-256 over `Transfer(address,address,uint256)`: the first topic of the event's log.
pub const TRANSFER_TOPIC: [u8; 32] = [
    0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0, 0x68, 0xfc, 0x37, 0x8d, 0xaa,
    0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4, 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef,
];

/// Selector and two words.
const CALL_LENGTH: usize = 68;

/// The data of `transfer(to, amount)`.
pub(super) fn call(to: &[u8; 20], amount: Amount) -> Vec<u8> {
    [
        &TRANSFER_SELECTOR[..],
        &word_of_address(to),
        &word_of_amount(amount),
    ]
    .concat()
}

/// Reads the data of a `transfer` that is spelt as the ABI spells it and not otherwise.
///
/// Contracts differ in what they do with longer data or with dirty padding; so neither is plain.
pub(super) fn parse_call(data: &[u8]) -> Result<([u8; 20], Amount), NotPlain> {
    if data.first_chunk() != Some(&TRANSFER_SELECTOR) {
        return Err(NotPlain::Call);
    }
    if data.len() != CALL_LENGTH {
        return Err(NotPlain::CallLength);
    }
    let to = address_in(&data[4..36]).ok_or(NotPlain::Padding)?;
    let amount = amount_in(&data[36..]).ok_or(NotPlain::AmountTooLarge)?;
    Ok((to, amount))
}

/// A token's own statement that an amount changed hands.
///
/// A token that reports success without one, or with another amount (a fee taken on the way), has
/// not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransferLog {
    /// The contract that wrote the log.
    pub contract: [u8; 20],
    /// Whose balance went down.
    pub from: [u8; 20],
    /// Whose balance went up.
    pub to: [u8; 20],
    /// By how much, in base units.
    pub amount: Amount,
}

impl TransferLog {
    /// Reads a log of `contract`; `None` if it is any other event, or a spelling or an amount that
    /// no transfer of ours can have.
    #[must_use]
    pub fn parse(contract: [u8; 20], topics: &[[u8; 32]], data: &[u8]) -> Option<Self> {
        let [TRANSFER_TOPIC, from, to] = topics else {
            return None;
        };
        Some(Self {
            contract,
            from: address_in(from)?,
            to: address_in(to)?,
            amount: amount_in(data)?,
        })
    }
}

fn word_of_address(address: &[u8; 20]) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(address);
    word
}

fn word_of_amount(amount: Amount) -> [u8; 32] {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&amount.0.to_be_bytes());
    word
}

/// The address in a word whose padding is clean.
fn address_in(word: &[u8]) -> Option<[u8; 20]> {
    let (padding, address) = word.split_first_chunk::<12>()?;
    if *padding == [0; 12] {
        address.try_into().ok()
    } else {
        None
    }
}

/// The amount in a word, if 128 bits hold it.
fn amount_in(word: &[u8]) -> Option<Amount> {
    let (high, low) = word.split_first_chunk::<16>()?;
    let low = low.try_into().ok()?;
    (*high == [0; 16]).then_some(Amount(u128::from_be_bytes(low)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;

    #[test]
    fn constants_are_the_hashes_of_their_signatures() {
        assert_eq!(
            keccak256("Transfer(address,address,uint256)").0,
            TRANSFER_TOPIC
        );
        assert_eq!(
            keccak256("transfer(address,uint256)")[..4],
            TRANSFER_SELECTOR
        );
    }

    type Row<'a> = (&'a str, &'a [[u8; 32]], &'a [u8]);

    #[test]
    fn logs() {
        let (contract, from, to) = ([1; 20], [2; 20], [3; 20]);
        let (from_word, to_word) = (word_of_address(&from), word_of_address(&to));
        let (topics, data) = (
            [TRANSFER_TOPIC, from_word, to_word],
            word_of_amount(Amount(7)),
        );
        let want = TransferLog {
            contract,
            from,
            to,
            amount: Amount(7),
        };
        assert_eq!(TransferLog::parse(contract, &topics, &data), Some(want));

        let dirty = {
            let mut word = to_word;
            word[11] = 1;
            word
        };
        let large = {
            let mut word = data;
            word[15] = 1;
            word
        };
        let approval = keccak256("Approval(address,address,uint256)").0;
        let foreign: [Row; 7] = [
            ("another event", &[approval, from_word, to_word], &data),
            ("not indexed", &[TRANSFER_TOPIC], &data),
            (
                "a token with an id (ERC-721)",
                &[TRANSFER_TOPIC, from_word, to_word, data],
                &[],
            ),
            ("dirty padding", &[TRANSFER_TOPIC, from_word, dirty], &data),
            ("above 128 bits", &topics, &large),
            ("short data", &topics, &data[1..]),
            ("long data", &topics, &[&data[..], &[0]].concat()),
        ];
        for (name, topics, data) in foreign {
            assert_eq!(TransferLog::parse(contract, topics, data), None, "{name}");
        }
    }
}
