//! What a miner who is the attackers' own could do with the wallet's signed transactions: take altered ones into a block.
//!
//! It tries before the honest block, so that nothing but the signature stands in its way. Bitcoin Core's own validation
//! judges the block.

use crate::coins::Coins;
use crate::error::DrillError;
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

/// Of so many blocks one transaction is altered in every way: each tells the same.
const BLOCKS: u64 = 5;
/// Whom the attackers' block pays its reward.
const ATTACKERS: &str = "raw(0014eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee)";

/// Alters transactions, and counts.
#[derive(Default)]
pub(crate) struct Forger(Mutex<Tries>);

/// What it tried.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tries {
    blocks: u64,
    /// Altered transactions in blocks of the attackers' own.
    pub(crate) tried: u64,
    /// Those that the chain's rules kept out.
    pub(crate) refused: u64,
}

impl Forger {
    /// Try everything on one that waits.
    pub(crate) fn try_on(&self, coins: &Coins, txid: &str) -> Result<(), DrillError> {
        if self.tries().blocks >= BLOCKS {
            return Ok(());
        }
        let raw: String = coins.ask("getrawtransaction", &json!([txid]))?;
        let raw = hex::decode(raw).map_err(|_| DrillError::Coins("no transaction".into()))?;
        let mut tries = self.tries();
        for altered in altered(&raw) {
            let mined: Result<Value, _> =
                coins.ask("mineraw", &json!([[hex::encode(altered)], ATTACKERS]));
            tries.tried += 1;
            tries.refused += u64::from(matches!(mined, Err(DrillError::Coins(_))));
        }
        tries.blocks += 1;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = tries;
        Ok(())
    }

    /// What it came to.
    pub(crate) fn tries(&self) -> Tries {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A signature's bit; an output's payee, to whose script the hash of another key belongs; its amount.
fn altered(raw: &[u8]) -> Vec<Vec<u8>> {
    let outputs = first_output(raw);
    let places = [
        raw.len().checked_sub(60),
        outputs,
        outputs.map(|at| at + 8 + 6),
    ];
    let places = places.into_iter().flatten().filter(|at| *at < raw.len());
    let one = |at: usize| {
        let mut altered = raw.to_vec();
        altered[at] ^= 1;
        altered
    };
    places.map(one).collect()
}

/// Where the first output stands in a transaction with witnesses whose inputs have no scripts: behind version, marker,
/// flag, and 41 bytes for each input (BIP 144).
fn first_output(raw: &[u8]) -> Option<usize> {
    let inputs = usize::from(*raw.get(6)?);
    let is_small = |count: usize| count < 0xfd;
    let at = 7 + inputs * 41 + 1;
    let are_small = is_small(inputs) && is_small(usize::from(*raw.get(at - 1)?));
    are_small.then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One input, one output of 1 satoshi to a hash of sevens, and a witness.
    #[test]
    fn each_copy_differs_in_one_bit_of_what_counts() {
        let mut raw = vec![2, 0, 0, 0, 0, 1, 1];
        raw.extend([5; 36]);
        raw.extend([0, 0xfd, 0xff, 0xff, 0xff, 1]);
        raw.extend([1, 0, 0, 0, 0, 0, 0, 0, 22, 0, 20]);
        raw.extend([7; 20]);
        raw.extend([9; 70]);
        let at = first_output(&raw).unwrap();
        assert_eq!(raw[at..at + 8], [1, 0, 0, 0, 0, 0, 0, 0], "the amount");
        let altered = altered(&raw);
        let changed = altered.iter().map(|copy| {
            let pairs = copy.iter().zip(&raw).enumerate();
            let differ = pairs.filter(|(_, (new, old))| new != old);
            differ.map(|(at, _)| at).collect::<Vec<_>>()
        });
        let changed: Vec<Vec<usize>> = changed.collect();
        assert_eq!(changed, [vec![raw.len() - 60], vec![at], vec![at + 14]]);
        assert_eq!(raw[at + 14], 7, "the payee");
    }
}
