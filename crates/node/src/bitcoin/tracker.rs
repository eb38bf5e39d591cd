//! Where a released transaction stands, from what a node was seen to say. Pure.

use portcullis_chains::bitcoin::{OutPoint, SignedTx, Standing as Planned, Txid};
use portcullis_core::time::{Span, Time};

use super::{Observation, Seen};
use crate::Block;

/// How long until the same bytes are sent again while they are in no block.
pub const REBROADCAST: Span = Span::seconds(60);

/// Follows the transactions that compete for one shared input: the first plan of a release and
/// everything that was signed in its place. At most one of them will ever be in the chain.
pub struct Tracker {
    shared: OutPoint,
    newest: SignedTx,
    /// What the newest was signed in the place of.
    earlier: Vec<Txid>,
    settled_at: u32,
    last: Standing,
    send_at: Option<Time>,
}

/// Why a transaction cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrackError {
    /// Its shared input is another.
    #[error("the transaction does not spend the input that all plans of this release share")]
    OtherPlace,
    /// The signed transaction is not the one that was planned.
    #[error("the signed transaction has another id than its plan")]
    OtherPlan,
}

/// Where the release stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// None of the attempts is in a block, and the newest can still be.
    Pending {
        /// Whether the newest is in the node's pool.
        waiting: bool,
    },
    /// An attempt is in a block, not deep enough yet. It may be an earlier one than the newest, and
    /// pays the same.
    Mined(Mined),
    /// An attempt is as deep as the configuration asks for. A deeper reorganisation would still take
    /// it back.
    Settled(Mined),
    /// Another transaction in the chain has spent something that the newest attempt spends, but not
    /// the shared input: the newest will never be mined while that stands. Another plan of the
    /// release is needed, without the lost input.
    Conflicted {
        /// How deep the other one is.
        confirmations: u32,
    },
    /// The shared input is spent and no attempt is in a block. Either the node contradicts itself for
    /// a moment, or the wallet's key has signed something that is not in the journal: if it lasts,
    /// an alarm. Also what two attempts in the chain at once are, which no chain can say.
    Unknown,
}

/// An attempt that is in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mined {
    /// Which attempt.
    pub txid: Txid,
    /// Which block.
    pub block: Block,
    /// How many blocks stand on it, itself counted.
    pub confirmations: u32,
}

impl Tracker {
    /// Begins with the first transaction that was signed for a plan. It is settled when it is
    /// `settled_at` blocks deep, at least one.
    pub fn new(plan: &Planned, tx: SignedTx, settled_at: u32) -> Result<Self, TrackError> {
        if plan.txid() != tx.txid() {
            return Err(TrackError::OtherPlan);
        }
        Ok(Self {
            shared: plan.shared(),
            newest: tx,
            earlier: Vec::new(),
            settled_at: settled_at.max(1),
            last: PENDING,
            send_at: None,
        })
    }

    /// Adds what was signed in the place of the earlier ones. It is due at once.
    pub fn replace(&mut self, plan: &Planned, tx: SignedTx) -> Result<(), TrackError> {
        if plan.txid() != tx.txid() {
            return Err(TrackError::OtherPlan);
        }
        if plan.shared() != self.shared {
            return Err(TrackError::OtherPlace);
        }
        let next = tx.txid();
        // Each is followed once: seen in two attempts, one block would look like two.
        self.earlier.retain(|known| *known != next);
        let last = core::mem::replace(&mut self.newest, tx).txid();
        if last != next {
            self.earlier.push(last);
        }
        self.send_at = None;
        Ok(())
    }

    /// Takes in what was planned for the same place before: it may be mined as well, and is never
    /// sent.
    pub fn also(&mut self, plan: &Planned) -> Result<(), TrackError> {
        if plan.shared() != self.shared {
            return Err(TrackError::OtherPlace);
        }
        if !self.txids().contains(&plan.txid()) {
            self.earlier.push(plan.txid());
        }
        Ok(())
    }

    /// The output that all attempts spend: what to look at with [`Self::txids`].
    #[must_use]
    pub const fn shared(&self) -> OutPoint {
        self.shared
    }

    /// All attempts, the newest last.
    #[must_use]
    pub fn txids(&self) -> Vec<Txid> {
        let newest = self.newest.txid();
        self.earlier.iter().copied().chain([newest]).collect()
    }

    /// What is to be broadcast: the newest attempt, always the same bytes.
    #[must_use]
    pub const fn newest(&self) -> &SignedTx {
        &self.newest
    }

    /// Takes in what was seen.
    ///
    /// A block that is taken back makes a mined transaction pending again; it is due at once, as is
    /// one that the node's pool has dropped.
    pub fn observe(&mut self, seen: &Observation) -> Standing {
        let standing = self.standing(seen);
        if standing == PENDING && self.last != PENDING {
            self.send_at = None;
        }
        self.last = standing;
        standing
    }

    /// From when on the newest attempt is to be broadcast, if it is. Also while it waits: a node
    /// tells its peers again of what it is given again.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        let is_pending = matches!(self.last, Standing::Pending { .. });
        is_pending.then(|| self.send_at.unwrap_or(Time(0)))
    }

    /// Notes that the newest attempt was handed to a node, whatever came of it.
    pub fn sent(&mut self, now: Time) {
        self.send_at = Some(now.after(REBROADCAST));
    }

    fn standing(&self, look: &Observation) -> Standing {
        let ours = self.txids();
        let mut mined = look
            .seen
            .iter()
            .filter(|(txid, _)| ours.contains(txid))
            .filter_map(mined);
        let newest = self.newest.txid();
        let newest = look.seen.iter().find(|(txid, _)| *txid == newest);
        let newest = newest.map_or(Seen::Unknown, |(_, seen)| *seen);
        match (mined.next(), mined.next(), newest) {
            (Some(mined), None, _) if mined.confirmations >= self.settled_at => {
                Standing::Settled(mined)
            }
            (Some(mined), None, _) => Standing::Mined(mined),
            (Some(_), Some(_), _) => Standing::Unknown,
            (None, ..) if !look.shared_unspent => Standing::Unknown,
            (None, _, Seen::Conflicted { confirmations }) => Standing::Conflicted { confirmations },
            (None, _, seen) => Standing::Pending {
                waiting: seen == Seen::Waiting,
            },
        }
    }
}

/// Pending, and the node's pool does not have it.
const PENDING: Standing = Standing::Pending { waiting: false };

fn mined((txid, seen): &(Txid, Seen)) -> Option<Mined> {
    match *seen {
        Seen::Mined {
            block,
            confirmations,
        } => Some(Mined {
            txid: *txid,
            block,
            confirmations,
        }),
        _ => None,
    }
}
