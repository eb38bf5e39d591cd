//! Latches: a keeper that has stopped by itself stays stopped until people say otherwise.
//!
//! A latch is durable, and its id is the digest of what was seen, so the same sight is the same latch
//! before and after a restart. A journaled quorum `lift` that names keeper and latch clears it; a
//! fork's is never cleared. Nothing on the keeper's own host clears one: whoever sits there may stop
//! it (`signer shut`, `herald shut`) and not start it.

use crate::follow::Breach;
use crate::machine::Machine;
use minicbor::{Decode, Encode};
use portcullis_core::codec::encode;
use portcullis_core::id::{BoardId, KeeperId};
use portcullis_core::statement::{Condition, Says};
use portcullis_core::{Digest, State, Time};
use portcullis_host::{Clock, Disk, DiskError, Random};
use portcullis_tlog::TreeHead;
use std::collections::BTreeSet;
use std::fmt;

/// Where latches are kept, and where `shut` leaves its own.
const FILE: &str = "latches";
const SHUT: &str = "shut";
/// Most bytes of either.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// What was seen. Its digest is the latch's id.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Sight {
    /// Two cosigned histories.
    #[n(0)]
    Fork {
        /// Size and root of one.
        #[n(0)]
        ours: (u64, Digest),
        /// Size and root of the other.
        #[n(1)]
        theirs: (u64, Digest),
    },
    /// Fewer entries than before.
    #[n(1)]
    Shrunk {
        /// Before.
        #[n(0)]
        from: (u64, Digest),
        /// After.
        #[n(1)]
        to: (u64, Digest),
    },
    /// A void entry by which money would have gone out.
    #[n(2)]
    Release {
        /// Its index.
        #[n(0)]
        entry: u64,
        /// The running digest of effects after it.
        #[n(1)]
        effects: Digest,
    },
    /// A posted act that the journal does not take.
    #[n(3)]
    Stop {
        /// The act.
        #[n(0)]
        act: Digest,
    },
    /// Somebody on the keeper's host.
    #[n(4)]
    Shut {
        /// Random, so that each time is another latch.
        #[cbor(n(0), with = "minicbor::bytes")]
        nonce: [u8; 16],
        /// When.
        #[n(1)]
        time: Time,
    },
}

impl Sight {
    /// The latch's id: `SHA-256("portcullis/latch/v1" ‖ 0x00 ‖ CBOR(sight))`.
    #[must_use]
    pub fn id(&self) -> Digest {
        let mut bytes = b"portcullis/latch/v1\0".to_vec();
        bytes.extend(encode(self));
        Digest::plain(&bytes)
    }

    /// The condition, which is also the alarm's name.
    #[must_use]
    pub fn condition(&self) -> Condition {
        match self {
            Self::Fork { .. } => Condition::Fork,
            Self::Shrunk { .. } => Condition::Shrunk,
            Self::Release { .. } => Condition::ReleaseWithoutEvidence,
            Self::Stop { .. } => Condition::StopWithheld,
            Self::Shut { .. } => Condition::Shut,
        }
    }
}

impl From<Breach> for Sight {
    fn from(breach: Breach) -> Self {
        let plain = |head: TreeHead| (head.size, Digest(*head.root.as_bytes()));
        match breach {
            Breach::Fork { ours, theirs } => Self::Fork {
                ours: plain(ours),
                theirs: plain(theirs),
            },
            Breach::Shrunk { from, to } => Self::Shrunk {
                from: plain(from),
                to: plain(to),
            },
        }
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fork {
                ours: (size, ours),
                theirs: (_, theirs),
            } => write!(
                f,
                "a quorum cosigned two roots for size {size}: {ours} and {theirs}"
            ),
            Self::Shrunk {
                from: (from, _),
                to: (to, _),
            } => write!(
                f,
                "a quorum cosigned size {to} after it had cosigned {from}"
            ),
            Self::Release { entry, .. } => write!(
                f,
                "entry {entry} releases what its evidence does not; nothing was signed for it"
            ),
            Self::Stop { act } => write!(
                f,
                "act {act} stands on a stop board and was not journaled within 60 seconds"
            ),
            Self::Shut { .. } => f.write_str("somebody shut this keeper on its own host"),
        }
    }
}

/// A latch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Latch {
    /// What was seen.
    #[n(0)]
    pub sight: Sight,
    /// When, by the keeper's clock.
    #[n(1)]
    pub time: Time,
    /// The boards that have shown the keeper's own call to stop, where the sight wants one.
    #[n(2)]
    #[cbor(default)]
    pub called: BTreeSet<BoardId>,
}

/// All latches that this keeper ever had.
pub struct Latches {
    machine: Machine,
    keeper: KeeperId,
    all: Vec<Latch>,
    is_written: bool,
}

/// Why latches cannot be read; then nothing is known of them, and nothing is done.
#[derive(Debug, thiserror::Error)]
pub enum LatchError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Not latches.
    #[error("the file `{0}` is damaged: restore it; until then the keeper stays stopped")]
    Damaged(&'static str),
}

impl Latches {
    /// Read what is kept.
    pub fn open(machine: Machine, keeper: KeeperId) -> Result<Self, LatchError> {
        let all = read(machine.disk.as_ref())?;
        Ok(Self {
            machine,
            keeper,
            all,
            is_written: true,
        })
    }

    /// Latch on what was seen. `Some` where that is new: it wants an alarm.
    ///
    /// While a latch of the same condition stands, a further sight adds nothing: a hostile gate could
    /// show a thousand. The latch holds from here on, even where the disk does not take it;
    /// [`Latches::keep`] tries again.
    pub fn latch(&mut self, sight: Sight, state: &State) -> Option<Latch> {
        let condition = sight.condition();
        let adds = condition == Condition::Shut || !self.stands(condition, state);
        if !adds || self.all.iter().any(|known| known.sight == sight) {
            return None;
        }
        let latch = Latch {
            sight,
            time: self.machine.watch.now(),
            called: BTreeSet::new(),
        };
        self.all.push(latch.clone());
        self.is_written = false;
        self.keep();
        Some(latch)
    }

    /// A board shows the call to stop for this latch: it is not called there again.
    pub fn called(&mut self, latch: Digest, board: BoardId) {
        let mut all = self.all.iter_mut();
        if let Some(latch) = all.find(|known| known.sight.id() == latch)
            && latch.called.insert(board)
        {
            self.is_written = false;
            self.keep();
        }
    }

    /// Whether the disk has all of them.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        self.is_written
    }

    /// What a process that opens anew from disk would forget: the disk has not taken it.
    #[must_use]
    pub fn not_durable(&self) -> Vec<Latch> {
        if self.is_durable() {
            Vec::new()
        } else {
            self.all.clone()
        }
    }

    /// Hold on to latches that the disk had not taken when it was read. Gives those that are new.
    pub fn carry(&mut self, latches: Vec<Latch>) -> Vec<Latch> {
        let known: BTreeSet<Digest> = self.all.iter().map(|known| known.sight.id()).collect();
        let new = latches.into_iter();
        let new: Vec<Latch> = new.filter(|l| !known.contains(&l.sight.id())).collect();
        if !new.is_empty() {
            self.all.extend(new.iter().cloned());
            self.is_written = false;
            self.keep();
        }
        new
    }

    /// Make durable what is not yet.
    pub fn keep(&mut self) {
        if self.is_written {
            return;
        }
        match self.machine.disk.replace(FILE, &encode(&self.all)) {
            Ok(()) => self.is_written = true,
            Err(error) => tracing::error!(%error, "a latch holds but is not durable yet"),
        }
    }

    /// Look whether somebody has shut the keeper. `Some` where that is new.
    pub fn look_for_shut(&mut self, state: &State) -> Result<Option<Latch>, LatchError> {
        let sight = read_shut(self.machine.disk.as_ref())?;
        Ok(sight.and_then(|sight| self.latch(sight, state)))
    }

    /// The latches that stand, as the journal has it.
    pub fn standing<'a>(&'a self, state: &'a State) -> impl Iterator<Item = &'a Latch> {
        let cleared = &state.facts().cleared_latches;
        self.all.iter().filter(|latch| {
            let is_fork = latch.sight.condition() == Condition::Fork;
            is_fork || !cleared.contains(&(self.keeper, latch.sight.id()))
        })
    }

    fn stands(&self, condition: Condition, state: &State) -> bool {
        self.standing(state)
            .any(|latch| latch.sight.condition() == condition)
    }

    /// What is to be stated of those that stand.
    pub fn says<'a>(&'a self, state: &'a State) -> impl Iterator<Item = Says> {
        self.standing(state).map(|latch| Says::Latched {
            latch: latch.sight.id(),
            condition: latch.sight.condition(),
        })
    }
}

/// Shut the keeper whose folder this is: no gate, no network, no key. Gives the latch's id, which a
/// quorum has to lift.
///
/// Running it again before the keeper has noticed changes nothing. Once it has, again is another
/// latch, and each is lifted by itself.
pub fn shut(disk: &dyn Disk, random: &dyn Random, clock: &dyn Clock) -> Result<Digest, LatchError> {
    if let Some(sight) = read_shut(disk)? {
        let is_noticed = read(disk)?.iter().any(|latch| latch.sight == sight);
        if !is_noticed {
            return Ok(sight.id());
        }
    }
    let sight = Sight::Shut {
        nonce: random.array(),
        time: clock.now(),
    };
    disk.replace(SHUT, &encode(&sight))?;
    Ok(sight.id())
}

fn read(disk: &dyn Disk) -> Result<Vec<Latch>, LatchError> {
    match disk.read(FILE, MAX_FILE)? {
        None => Ok(Vec::new()),
        Some(bytes) => minicbor::decode(&bytes).map_err(|_| LatchError::Damaged(FILE)),
    }
}

fn read_shut(disk: &dyn Disk) -> Result<Option<Sight>, LatchError> {
    let sight = disk
        .read(SHUT, MAX_FILE)?
        .map(|bytes| minicbor::decode::<Sight>(&bytes));
    match sight {
        None => Ok(None),
        Some(Ok(sight @ Sight::Shut { .. })) => Ok(Some(sight)),
        Some(_) => Err(LatchError::Damaged(SHUT)),
    }
}
