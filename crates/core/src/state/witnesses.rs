//! Who speaks for the journal, which is whose signatures a checkpoint needs: by its size, and never by who
//! shows it.

use super::State;
use super::keys::{Handover, Rotated, Successor};
use crate::genesis::Witnesses;
use crate::network::Network;
use portcullis_tlog::{Cosigned, CosignedError, LogKey, Quorum, ReadCheckpoint};
use std::sync::Arc;

/// Those by whom a checkpoint of some size counts: the journal's key and a quorum of witnesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatories {
    log: LogKey,
    quorum: Arc<Quorum>,
}

impl Signatories {
    /// Those of genesis.
    #[must_use]
    pub fn first(network: &Network) -> Self {
        Self {
            log: network.log().clone(),
            quorum: Arc::new(network.quorum().clone()),
        }
    }

    /// Those behind a handover, where its keys can be read and are of this log.
    pub(crate) fn followed_by(&self, successor: &Successor) -> Option<Self> {
        let mut next = self.clone();
        match successor {
            Successor::Witnesses(witnesses) => next.quorum = Arc::new(witnesses.quorum().ok()?),
            Successor::Log(vkey) => next.log = vkey.parse().ok()?,
        }
        (next.log.name() == self.log.name()).then_some(next)
    }

    /// The key that the journal signs with.
    #[must_use]
    pub fn log(&self) -> &LogKey {
        &self.log
    }

    /// The witnesses who cosign.
    #[must_use]
    pub fn quorum(&self) -> &Arc<Quorum> {
        &self.quorum
    }

    /// Check that a checkpoint is theirs.
    pub fn check(&self, checkpoint: ReadCheckpoint) -> Result<Cosigned, CosignedError> {
        Cosigned::verify(checkpoint.verify(&self.log)?, &self.quorum)
    }
}

/// Who speaks for the journal at each size, with their keys read: derived from what state, or a succession,
/// says.
#[derive(Clone, Debug)]
pub struct Cosigners {
    first: Signatories,
    /// Each with the size of the last checkpoint of those of before.
    later: Vec<(u64, Signatories)>,
}

impl Cosigners {
    pub(crate) fn of(network: &Network, keys: &Rotated) -> Arc<Self> {
        let first = Signatories::first(network);
        // A rotation to keys that cannot be read is refused, so that none of these is passed over.
        let later = keys.handovers.iter().flatten();
        let later = later.scan(first.clone(), |before, handover| {
            *before = before.followed_by(&handover.to)?;
            Some((handover.last(), before.clone()))
        });
        let later = later.collect();
        Arc::new(Self { first, later })
    }

    /// Those of genesis, and those that took over behind the checkpoint of each size, in order.
    pub(crate) fn new(network: &Network, later: Vec<(u64, Signatories)>) -> Self {
        let first = Signatories::first(network);
        Self { first, later }
    }

    /// Those of genesis alone: for a journal in which nobody has taken over.
    #[must_use]
    pub fn first(network: &Network) -> Self {
        Self::new(network, Vec::new())
    }

    /// Read a checkpoint by those whose signatures count for its size.
    pub fn cosigned(&self, note: &[u8]) -> Result<Cosigned, CosignedError> {
        let checkpoint = ReadCheckpoint::parse(note)?;
        self.at(checkpoint.claimed().size).check(checkpoint)
    }

    /// Those who count for checkpoints of this size.
    #[must_use]
    pub fn at(&self, size: u64) -> &Signatories {
        let mut newest_first = self.later.iter().rev();
        let found = newest_first.find(|(last, _)| *last < size);
        found.map_or(&self.first, |(_, signatories)| signatories)
    }

    /// All who ever counted, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Signatories> {
        let later = self.later.iter().map(|(_, signatories)| signatories);
        core::iter::once(&self.first).chain(later)
    }
}

impl State {
    /// Read a checkpoint of this journal by those whose signatures count for its size. A state knows of no
    /// rotation behind its own end: until it has come to a checkpoint's entries, those of now count.
    pub fn cosigned(&self, note: &[u8]) -> Result<Cosigned, CosignedError> {
        self.cosigners.cosigned(note)
    }

    /// Those who count for checkpoints of this size.
    #[must_use]
    pub fn signatories_at(&self, size: u64) -> &Signatories {
        self.cosigners.at(size)
    }

    /// The witnesses that count for checkpoints of this size.
    #[must_use]
    pub fn quorum_at(&self, size: u64) -> &Arc<Quorum> {
        self.signatories_at(size).quorum()
    }

    /// The key in force that the journal signs with.
    #[must_use]
    pub fn log_key(&self) -> &LogKey {
        self.signatories_at(u64::MAX).log()
    }

    /// The same, as it would be rotated in.
    #[must_use]
    pub fn log_vkey(&self) -> &str {
        let mut newest_first = self.handovers().iter().rev();
        let rotated = newest_first.find_map(|handover| handover.to.log());
        rotated.unwrap_or(&self.network.genesis().log.vkey)
    }

    /// The witnesses in force, as they would be rotated in.
    #[must_use]
    pub fn witnesses(&self) -> &Witnesses {
        let mut newest_first = self.handovers().iter().rev();
        let rotated = newest_first.find_map(|handover| handover.to.witnesses());
        rotated.unwrap_or(&self.network.genesis().witnesses)
    }

    /// Each time that others took over, in order.
    #[must_use]
    pub fn handovers(&self) -> &[Handover] {
        self.facts.keys.handovers.as_deref().unwrap_or_default()
    }

    /// The size of the last checkpoint of those of before, while it is missing in the journal: none of a
    /// longer journal is taken until it is there.
    #[must_use]
    pub fn handing_over(&self) -> Option<u64> {
        let mut handovers = self.handovers().iter();
        let open = handovers.find(|handover| handover.sealed.is_none())?;
        Some(open.last())
    }
}
