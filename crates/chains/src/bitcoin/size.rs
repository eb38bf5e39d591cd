//! How large a transaction will be once it is signed.

use bitcoin::{Transaction, VarInt};

use super::{Coin, Lock, MAX_VIRTUAL_BYTES, Payment};

/// An outpoint, an empty script with its length, and a sequence.
const INPUT: u64 = 36 + 1 + 4;

/// The parts of a transaction that its size depends on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    inputs: u64,
    outputs: u64,
    output_bytes: u64,
    witness: u64,
}

impl Size {
    /// Of a transaction with these outputs and no inputs yet.
    pub(super) fn paying(payments: &[Payment]) -> Self {
        let locks = payments.iter().map(|payment| payment.to().lock());
        locks.fold(Self::default(), |size, lock| size.with_output(&lock))
    }

    /// Of a transaction that spends these coins.
    pub(super) fn of(tx: &Transaction, coins: &[Coin]) -> Self {
        let outputs = tx.output.iter().map(|output| output.size() as u64);
        let paying = outputs.fold(Self::default(), Self::with_output_of);
        coins.iter().fold(paying, Self::with_input)
    }

    /// With one output more.
    pub(super) fn with_output(self, lock: &Lock) -> Self {
        let script = lock.script().len() as u64;
        self.with_output_of(script.saturating_add(8 + 1))
    }

    /// With one output more, of so many bytes.
    const fn with_output_of(mut self, bytes: u64) -> Self {
        self.outputs = self.outputs.saturating_add(1);
        self.output_bytes = self.output_bytes.saturating_add(bytes);
        self
    }

    /// With one input more.
    pub(super) const fn with_input(mut self, coin: &Coin) -> Self {
        self.inputs = self.inputs.saturating_add(1);
        self.witness = self.witness.saturating_add(coin.key().witness_weight());
        self
    }

    /// Virtual bytes as in BIP 141, rounded up, with the largest signatures that can be; a signature
    /// is at most one or two bytes smaller.
    pub(super) fn virtual_bytes(&self) -> u64 {
        let marker_and_flag = 2;
        let weight = self
            .stripped()
            .saturating_mul(4)
            .saturating_add(self.witness);
        weight.saturating_add(marker_and_flag).div_ceil(4)
    }

    /// Whether nodes do not take it, in the version that plans have.
    pub(super) fn is_too_heavy(&self) -> bool {
        self.virtual_bytes() > MAX_VIRTUAL_BYTES
    }

    /// Bytes without witnesses.
    fn stripped(&self) -> u64 {
        let counts = VarInt(self.inputs).size() + VarInt(self.outputs).size();
        (4 + 4_u64)
            .saturating_add(counts as u64)
            .saturating_add(self.inputs.saturating_mul(INPUT))
            .saturating_add(self.output_bytes)
    }
}
