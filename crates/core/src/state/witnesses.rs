//! Whose cosignatures count for a checkpoint: by its size, and never by who shows it.

use super::State;
use super::keys::{Handover, Rotated};
use crate::genesis::Witnesses;
use crate::network::Network;
use portcullis_tlog::{Cosigned, CosignedError, LogKey, Quorum, SignedCheckpoint};
use std::sync::Arc;

/// The witnesses, with their keys read: derived from what state, or a succession, says.
#[derive(Clone, Debug)]
pub struct Cosigners {
    log: LogKey,
    first: Arc<Quorum>,
    /// Each with the size of the last checkpoint that those of before cosign.
    later: Vec<(u64, Arc<Quorum>)>,
}

impl Cosigners {
    pub(crate) fn of(network: &Network, keys: &Rotated) -> Arc<Self> {
        // A rotation to keys that cannot be read is refused, so that none of these is passed over.
        let later = keys.handovers.iter().flatten().filter_map(|handover| {
            let quorum = handover.witnesses.quorum().ok()?;
            Some((handover.last(), Arc::new(quorum)))
        });
        Arc::new(Self::new(network, later.collect()))
    }

    /// Those of genesis, and those that took over behind the checkpoint of each size, in order.
    pub(crate) fn new(network: &Network, later: Vec<(u64, Arc<Quorum>)>) -> Self {
        Self {
            log: network.log().clone(),
            first: Arc::new(network.quorum().clone()),
            later,
        }
    }

    /// Those of genesis alone: for a journal in which nobody has taken over.
    #[must_use]
    pub fn first(network: &Network) -> Self {
        Self::new(network, Vec::new())
    }

    /// Read a checkpoint by those whose cosignatures count for its size.
    pub fn cosigned(&self, note: &[u8]) -> Result<Cosigned, CosignedError> {
        let signed = SignedCheckpoint::parse(note, &self.log)?;
        let quorum = self.at(signed.head().size);
        Cosigned::verify(signed, quorum)
    }

    /// The witnesses that count for checkpoints of this size.
    #[must_use]
    pub fn at(&self, size: u64) -> &Arc<Quorum> {
        let mut newest_first = self.later.iter().rev();
        let found = newest_first.find(|(last, _)| *last < size);
        found.map_or(&self.first, |(_, quorum)| quorum)
    }
}

impl State {
    /// Read a checkpoint of this journal by the witnesses whose cosignatures count for its size. A state knows
    /// of no rotation behind its own end: until it has come to a checkpoint's entries, those of now count.
    pub fn cosigned(&self, note: &[u8]) -> Result<Cosigned, CosignedError> {
        self.cosigners.cosigned(note)
    }

    /// The witnesses that count for checkpoints of this size.
    #[must_use]
    pub fn quorum_at(&self, size: u64) -> &Arc<Quorum> {
        self.cosigners.at(size)
    }

    /// The witnesses in force, as they would be rotated in.
    #[must_use]
    pub fn witnesses(&self) -> &Witnesses {
        let newest = self.handovers().last();
        newest.map_or(&self.network.genesis().witnesses, |newest| {
            &newest.witnesses
        })
    }

    /// Each time that other witnesses took over, in order.
    #[must_use]
    pub fn handovers(&self) -> &[Handover] {
        self.facts.keys.handovers.as_deref().unwrap_or_default()
    }

    /// The size of the last checkpoint of witnesses of before, while it is missing in the journal: none of a
    /// longer journal is taken until it is there.
    #[must_use]
    pub fn handing_over(&self) -> Option<u64> {
        let mut handovers = self.handovers().iter();
        let open = handovers.find(|handover| handover.sealed.is_none())?;
        Some(open.last())
    }
}
