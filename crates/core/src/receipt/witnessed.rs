//! Who cosigned a bundle's checkpoint: the witnesses of genesis, or those whom its handovers lead to.

use super::in_force::InForce;
use super::{Handover, ReceiptFault};
use crate::network::Network;
use crate::state::Cosigners;
use portcullis_tlog::{Cosigned, Hash, Quorum, SignedCheckpoint, TreeHead, verify_consistency};
use std::sync::Arc;

/// The checkpoints of a bundle, each signed by the log; the one by the witnesses of genesis that those
/// must have cosigned is. Whose cosignatures count for the others is not known yet.
pub(super) struct Signed {
    checkpoint: SignedCheckpoint,
    handovers: Vec<SignedCheckpoint>,
}

impl Signed {
    /// Read them: each handover's is a prefix of the bundle's own.
    pub(super) fn read(
        network: &Network,
        checkpoint: &str,
        handovers: &[Handover],
    ) -> Result<Self, ReceiptFault> {
        let parse = |note: &str| SignedCheckpoint::parse(note.as_bytes(), network.log());
        let checkpoint = parse(checkpoint).map_err(|_| ReceiptFault::Checkpoint)?;
        let whole = checkpoint.head();
        let read = |handover: &Handover| {
            let signed = parse(&handover.checkpoint).ok()?;
            let proof = handover
                .proof
                .iter()
                .map(|hash| Hash::from_base64(hash).ok());
            let proof: Vec<Hash> = proof.collect::<Option<_>>()?;
            verify_consistency(&signed.head(), &whole, &proof).ok()?;
            Some(signed)
        };
        let handovers: Option<Vec<SignedCheckpoint>> = handovers.iter().map(read).collect();
        let handovers = handovers.ok_or(ReceiptFault::Checkpoint)?;
        let first = handovers.first().unwrap_or(&checkpoint).clone();
        cosigned(first, network.quorum())?;
        Ok(Self {
            checkpoint,
            handovers,
        })
    }

    /// What the bundle's own speaks of.
    pub(super) fn head(&self) -> TreeHead {
        self.checkpoint.head()
    }

    /// The checkpoint, cosigned by the witnesses in force at its size, whom each handover's, by those before
    /// it, leads to. The entries that put them in force stand in those before: a consistent tree that has
    /// them has them at the same index.
    pub(super) fn judge(
        self,
        network: &Network,
        in_force: &InForce<'_>,
    ) -> Result<(Cosigned, Cosigners), ReceiptFault> {
        let size = self.head().size;
        let mut before = Arc::new(network.quorum().clone());
        let mut later = Vec::new();
        let mut handovers = self.handovers.into_iter();
        for (since, witnesses) in in_force.later_witnesses() {
            let last = since.saturating_add(1);
            if last >= size {
                break;
            }
            let handover = handovers.next().filter(|signed| signed.head().size == last);
            cosigned(handover.ok_or(ReceiptFault::Checkpoint)?, &before)?;
            let quorum = witnesses.quorum();
            before = Arc::new(quorum.map_err(|_| ReceiptFault::Checkpoint)?);
            later.push((last, Arc::clone(&before)));
        }
        if handovers.next().is_some() {
            return Err(ReceiptFault::Checkpoint);
        }
        let checkpoint = cosigned(self.checkpoint, &before)?;
        Ok((checkpoint, Cosigners::new(network, later)))
    }
}

fn cosigned(signed: SignedCheckpoint, quorum: &Quorum) -> Result<Cosigned, ReceiptFault> {
    Cosigned::verify(signed, quorum).map_err(|_| ReceiptFault::Checkpoint)
}
