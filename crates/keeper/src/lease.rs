//! The lease: the proof that a keeper may act now, and until when.

use crate::boards::Boards;
use crate::follow::{FRESH, Follower};
use crate::latches::Latches;
use crate::machine::Watch;
use portcullis_core::Time;
use portcullis_core::id::BoardId;
use portcullis_core::statement::Condition;
use portcullis_tlog::Cosigned;

/// Permission to act by the replica as it is, until the cosignatures or a board's page are too old.
///
/// Whoever acts asks [`Lease::holds`] right before, since disks and keys take time.
#[derive(Clone, Debug)]
pub struct Lease {
    head: Cosigned,
    until: Time,
}

/// Why there is none. Only a latch is anybody's business; the others pass by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLease {
    /// The replica is not at the newest cosigned head.
    #[error("the replica is behind the newest cosigned head")]
    Behind,
    /// The cosignatures are too old, or ahead of the own clock.
    #[error("the newest quorum's cosignatures are not fresh")]
    Stale,
    /// Nothing is fresh by the time that the machine's clock has shown before it was set back.
    #[error(
        "the machine's clock was ahead and has been set back: nothing is fresh until the time comes \
         that it showed; where the clock is right by now, restart the signer"
    )]
    SetBack,
    /// A board's page is too old, or the board is not reached.
    #[error("stop board {0} has no fresh page")]
    Board(BoardId),
    /// The journal has this keeper's word under another key: what was done now could not be stated.
    #[error("the statement key in force for this keeper is another one")]
    OtherKey,
    /// The keeper has stopped itself.
    #[error("latched: {0:?}")]
    Latched(Condition),
}

impl Lease {
    /// A lease, where nothing is in its way.
    pub fn new(
        follower: &Follower,
        boards: &Boards,
        latches: &Latches,
        watch: &Watch,
    ) -> Result<Self, NoLease> {
        let now = watch.now();
        if let Some(latch) = latches.standing(follower.state()).next() {
            return Err(NoLease::Latched(latch.sight.condition()));
        }
        if !follower.heads().is_fresh(now) {
            let is_ours = watch.set_back() > FRESH;
            return Err(if is_ours {
                NoLease::SetBack
            } else {
                NoLease::Stale
            });
        }
        let head = follower.acting_head(now).ok_or(NoLease::Behind)?.clone();
        let oldest = Time::from_unix_seconds(head.oldest().unix());
        let boards = boards.fresh_until(now).map_err(NoLease::Board)?;
        let until = boards.min(oldest.after(FRESH));
        Ok(Self { head, until })
    }

    /// Whether it still holds.
    #[must_use]
    pub fn holds(&self, now: Time) -> bool {
        now <= self.until
    }

    /// The head that is acted by.
    #[must_use]
    pub fn head(&self) -> &Cosigned {
        &self.head
    }
}
