//! A second reading of planned bytes, by code that shares nothing with what is tested.
//!
//! RLP and EIP-1559 as far as a plain transfer needs them.

use portcullis_chains::ethereum::SignedTx;

/// What unsigned bytes pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Paid {
    /// The chain.
    pub chain: u64,
    /// The nonce.
    pub nonce: u64,
    /// Whom.
    pub to: [u8; 20],
    /// The token's contract; the chain's own coin without one.
    pub token: Option<[u8; 20]>,
    /// In base units.
    pub amount: u128,
    /// The most that a unit of gas may cost, and the tip of that.
    pub fees: (u128, u128),
    /// The gas limit.
    pub gas: u64,
}

/// Whether a node takes the one in the place of the other: both prices a tenth higher.
#[must_use]
pub fn outbids(new: &SignedTx, old: &SignedTx) -> bool {
    let fees = |tx: &SignedTx| read(&tx.unsigned().to_bytes()).map(|paid| paid.fees);
    let dearer = |old: u128, new: u128| new >= old + old.div_ceil(10);
    match (fees(old), fees(new)) {
        (Some(old), Some(new)) => dearer(old.0, new.0) && dearer(old.1, new.1),
        _ => false,
    }
}

/// Read `0x02 ‖ RLP([chain, nonce, tip, fee, gas, to, value, data, access list])`.
#[must_use]
pub fn read(unsigned: &[u8]) -> Option<Paid> {
    let mut fields = fields(unsigned.strip_prefix(&[2])?)?;
    let mut next = || {
        let (field, rest) = item(fields)?;
        fields = rest;
        Some(field)
    };
    let (chain, nonce) = (number(next()?)?, number(next()?)?);
    let (tip, fee) = (number(next()?)?, number(next()?)?);
    let gas = number(next()?)?;
    let to: [u8; 20] = next()?.try_into().ok()?;
    let (value, data) = (number(next()?)?, next()?);
    let no_access = next()?.is_empty();
    if !no_access || !fields.is_empty() {
        return None;
    }
    let chain = u64::try_from(chain).ok()?;
    let (nonce, gas) = (u64::try_from(nonce).ok()?, u64::try_from(gas).ok()?);
    let (to, token, amount) = if data.is_empty() {
        (to, None, value)
    } else {
        let (payee, amount) = transfer(data)?;
        (payee, Some(to), amount)
    };
    if token.is_some() && value != 0 {
        return None;
    }
    Some(Paid {
        chain,
        nonce,
        to,
        token,
        amount,
        fees: (fee, tip),
        gas,
    })
}

/// `transfer(address,uint256)`.
fn transfer(data: &[u8]) -> Option<([u8; 20], u128)> {
    let words = data.strip_prefix(&[0xa9, 0x05, 0x9c, 0xbb])?;
    let (to, amount) = words.split_at_checked(32)?;
    let to = to.strip_prefix(&[0; 12])?.try_into().ok()?;
    let amount = amount.strip_prefix(&[0; 16])?.try_into().ok()?;
    Some((to, u128::from_be_bytes(amount)))
}

fn number(bytes: &[u8]) -> Option<u128> {
    if bytes.len() > 16 || bytes.first() == Some(&0) {
        return None;
    }
    Some(
        bytes
            .iter()
            .fold(0, |so_far, b| so_far << 8 | u128::from(*b)),
    )
}

/// The content of the list that the bytes are.
fn fields(bytes: &[u8]) -> Option<&[u8]> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = match *first {
        short @ 0xc0..=0xf7 => (usize::from(short - 0xc0), rest),
        long @ 0xf8..=0xff => length(rest, usize::from(long - 0xf7))?,
        _ => return None,
    };
    (rest.len() == length).then_some(rest)
}

/// The first string, or the content of the first list, and what follows it.
fn item(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = match *first {
        0..=0x7f => return bytes.split_at_checked(1),
        short @ 0x80..=0xb7 => (usize::from(short - 0x80), rest),
        long @ 0xb8..=0xbf => length(rest, usize::from(long - 0xb7))?,
        short @ 0xc0..=0xf7 => (usize::from(short - 0xc0), rest),
        long => length(rest, usize::from(long - 0xf7))?,
    };
    rest.split_at_checked(length)
}

fn length(bytes: &[u8], of: usize) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_at_checked(of)?;
    let length = length
        .iter()
        .fold(0, |so_far, b| so_far << 8 | usize::from(*b));
    Some((length, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_chains::Amount;
    use portcullis_chains::ethereum::{Fees, Transfer};
    use portcullis_keeper::testkit::World;

    #[test]
    fn reads_what_the_production_code_builds() {
        let fees = Fees::new(30_000_000_000, 1_000_000_000, 100_000).unwrap();
        for (asset, token) in [(World::ETHER, None), (World::TOKEN, Some([0x70; 20]))] {
            for amount in [1_u128, 127, 128, 1 << 70] {
                let to = World::address(9);
                let transfer = Transfer::new(asset, to, Amount(amount), 300, fees).unwrap();
                let paid = read(&transfer.build().to_bytes()).unwrap();
                assert_eq!((paid.to, paid.token, paid.amount), ([9; 20], token, amount));
                assert_eq!((paid.chain, paid.nonce), (31_337, 300));
                assert_eq!(paid.fees, (30_000_000_000, 1_000_000_000));
            }
        }
    }
}
