//! Where a planned transaction stands, from what a node was seen to say. Pure.

use portcullis_chains::ChainId;
use portcullis_chains::ethereum::{NotPlain, SignedTx, Transfer, TransferLog};
use portcullis_core::time::{Span, Time};

use super::{Block, Head, Log, Node, NodeError, Receipt};

/// How long until the same bytes are sent again while nothing has become of them: about one block
/// of the slowest chain.
pub const REBROADCAST: Span = Span::seconds(15);

/// Follows the transactions that compete for one nonce of one wallet: the first plan and everything
/// that was signed in its place. At most one of them will ever be in the chain.
pub struct Tracker {
    wallet: [u8; 20],
    newest: Attempt,
    /// What the newest was signed in the place of.
    earlier: Vec<Attempt>,
    last: Standing,
    send_at: Option<Time>,
}

struct Attempt {
    tx: SignedTx,
    hash: [u8; 32],
    transfer: Transfer,
}

/// Why a transaction cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrackError {
    /// It competes with none of those that it should replace.
    #[error("the transaction has another nonce or chain than the plan that it should replace")]
    OtherPlace,
    /// It is no plain transfer, so it was never ours.
    #[error("the transaction is not a plain transfer: {0}")]
    NotPlain(#[from] NotPlain),
}

/// What was seen in one look at the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The wallet's next nonce after the latest block, asked for before the receipts.
    pub next_nonce: u64,
    /// The receipts that there are for the attempts.
    pub receipts: Vec<Receipt>,
    /// The latest block, asked for last.
    pub head: Head,
}

/// Where the nonce stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// None of the attempts is in a block.
    Pending,
    /// The newest attempt is.
    Mined(Mined),
    /// An earlier attempt is, so the newest never will be.
    ReplacedBy(Mined),
    /// The nonce is used and no attempt has a receipt. Either the node contradicts itself for a
    /// moment, or the wallet's key has signed something that is not in the journal: if it lasts,
    /// an alarm.
    Unknown,
}

/// An attempt that is in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mined {
    /// Which attempt.
    pub hash: [u8; 32],
    /// Which block.
    pub block: Block,
    /// How many blocks stand on it, itself counted; 0 while the node's head lags behind.
    pub confirmations: u64,
    /// What it has done.
    pub delivery: Delivery,
}

/// What a transaction in a block has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The payee has what was planned.
    Delivered,
    /// It failed; only its fee is gone.
    Reverted,
    /// It ran, but the token's contract did not log exactly the planned transfer.
    NotDelivered,
}

impl Observation {
    /// Looks for several at once, and sees each or hears why not, through a node that has said what the
    /// wallet's next nonce is.
    ///
    /// The nonce comes first: were it last, a block in between could make it look used with no
    /// receipt for it.
    pub fn of(
        node: &dyn Node,
        next_nonce: u64,
        trackers: &[&Tracker],
    ) -> Result<Vec<Result<Self, NodeError>>, NodeError> {
        if trackers.is_empty() {
            return Ok(Vec::new());
        }
        let attempts = trackers.iter().flat_map(|tracker| tracker.attempts());
        let hashes: Vec<[u8; 32]> = attempts.map(|attempt| attempt.hash).collect();
        let mut found = node.receipts(&hashes)?.into_iter();
        let head = node.head()?;
        let observation = |tracker: &&Tracker| {
            // All of its answers are taken out, whatever the first of them is.
            let receipts: Vec<_> = found.by_ref().take(tracker.attempts().count()).collect();
            let receipts: Result<Vec<Option<Receipt>>, NodeError> = receipts.into_iter().collect();
            Ok(Self {
                next_nonce,
                receipts: receipts?.into_iter().flatten().collect(),
                head,
            })
        };
        Ok(trackers.iter().map(observation).collect())
    }
}

impl Tracker {
    /// Begins with the first transaction that was signed for a plan by `wallet`.
    pub fn new(wallet: [u8; 20], tx: SignedTx) -> Result<Self, TrackError> {
        let newest = Attempt::new(tx)?;
        Ok(Self {
            wallet,
            newest,
            earlier: Vec::new(),
            last: Standing::Pending,
            send_at: None,
        })
    }

    /// Adds what was signed in the place of the earlier ones. It is due at once.
    pub fn replace(&mut self, tx: SignedTx) -> Result<(), TrackError> {
        let next = Attempt::new(tx)?;
        if next.place() != self.newest.place() {
            return Err(TrackError::OtherPlace);
        }
        // Each is followed once: seen in two attempts, one receipt would look like two.
        self.earlier.retain(|known| known.hash != next.hash);
        let last = core::mem::replace(&mut self.newest, next);
        if last.hash != self.newest.hash {
            self.earlier.push(last);
        }
        self.send_at = None;
        Ok(())
    }

    /// Takes in what was signed for the same place before: it may be mined as well, and is never sent.
    pub fn also(&mut self, tx: SignedTx) -> Result<(), TrackError> {
        let other = Attempt::new(tx)?;
        if other.place() != self.newest.place() {
            return Err(TrackError::OtherPlace);
        }
        if self.attempts().all(|known| known.hash != other.hash) {
            self.earlier.push(other);
        }
        Ok(())
    }

    /// What is to be broadcast: the newest attempt, always the same bytes.
    #[must_use]
    pub fn newest(&self) -> &SignedTx {
        &self.newest.tx
    }

    /// Takes in what was seen.
    ///
    /// A block that is taken back makes a mined transaction pending again, and due at once.
    pub fn observe(&mut self, seen: &Observation) -> Standing {
        let standing = self.standing(seen);
        let taken_back = standing == Standing::Pending && self.last != Standing::Pending;
        if taken_back {
            self.send_at = None;
        }
        self.last = standing;
        standing
    }

    /// From when on the newest attempt is to be broadcast, if it is.
    ///
    /// Whatever a node said to it before: what it accepted it may have dropped, what it found too
    /// cheap may be dear enough by now.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        let is_pending = self.last == Standing::Pending;
        is_pending.then(|| self.send_at.unwrap_or(Time(0)))
    }

    /// Notes that the newest attempt was handed to a node, whatever came of it.
    pub fn sent(&mut self, now: Time) {
        self.send_at = Some(now.after(REBROADCAST));
    }

    fn standing(&self, seen: &Observation) -> Standing {
        let mut mined = self
            .attempts()
            .filter_map(|attempt| attempt.mined(self.wallet, seen));
        match (mined.next(), mined.next()) {
            (Some(mined), None) if mined.hash == self.newest.hash => Standing::Mined(mined),
            (Some(mined), None) => Standing::ReplacedBy(mined),
            (None, _) if seen.next_nonce <= self.newest.transfer.nonce() => Standing::Pending,
            // Used by nothing of ours, or by two at once, which no chain can say.
            _ => Standing::Unknown,
        }
    }

    fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.earlier.iter().chain([&self.newest])
    }
}

impl Attempt {
    fn new(tx: SignedTx) -> Result<Self, NotPlain> {
        let (hash, transfer) = (tx.hash(), Transfer::decode(tx.unsigned())?);
        Ok(Self { tx, hash, transfer })
    }

    /// What it competes for.
    fn place(&self) -> (ChainId, u64) {
        (self.transfer.chain(), self.transfer.nonce())
    }

    fn mined(&self, wallet: [u8; 20], seen: &Observation) -> Option<Mined> {
        let receipt = seen
            .receipts
            .iter()
            .find(|receipt| receipt.hash == self.hash)?;
        let Block { number, .. } = receipt.block;
        Some(Mined {
            hash: self.hash,
            block: receipt.block,
            confirmations: seen
                .head
                .block
                .number
                .saturating_add(1)
                .saturating_sub(number),
            delivery: self.delivery(wallet, receipt),
        })
    }

    fn delivery(&self, wallet: [u8; 20], receipt: &Receipt) -> Delivery {
        let token = self.transfer.token();
        let delivered = token.is_none_or(|contract| self.is_logged(contract, wallet, receipt));
        match (receipt.succeeded, delivered) {
            (false, _) => Delivery::Reverted,
            (true, false) => Delivery::NotDelivered,
            (true, true) => Delivery::Delivered,
        }
    }

    /// Whether the token's own contract says exactly what was planned.
    fn is_logged(&self, contract: [u8; 20], from: [u8; 20], receipt: &Receipt) -> bool {
        let planned = TransferLog {
            contract,
            from,
            to: self.transfer.payee(),
            amount: self.transfer.amount(),
        };
        let said = |log: &Log| TransferLog::parse(log.contract, &log.topics, &log.data);
        receipt.logs.iter().any(|log| said(log) == Some(planned))
    }
}
