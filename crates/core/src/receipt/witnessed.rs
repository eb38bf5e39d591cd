//! Who signed a bundle's checkpoint: those whom genesis names, or those whom its handovers lead to.

use super::in_force::InForce;
use super::{Handover, ReceiptFault};
use crate::network::Network;
use crate::state::{Cosigners, Signatories};
use portcullis_tlog::{Cosigned, Hash, ReadCheckpoint, TreeHead, verify_consistency};

/// The checkpoints of a bundle; the one that those of genesis must have signed is theirs. Whose signatures
/// count for the others is not known yet.
pub(super) struct Signed {
    checkpoint: ReadCheckpoint,
    handovers: Vec<ReadCheckpoint>,
}

impl Signed {
    /// Read them: each handover's is a prefix of the bundle's own.
    pub(super) fn read(
        network: &Network,
        checkpoint: &str,
        handovers: &[Handover],
    ) -> Result<Self, ReceiptFault> {
        let parse = |note: &str| {
            let read = ReadCheckpoint::parse(note.as_bytes()).ok()?;
            (read.origin() == network.log().name()).then_some(read)
        };
        let checkpoint = parse(checkpoint).ok_or(ReceiptFault::Checkpoint)?;
        let whole = checkpoint.claimed();
        let read = |handover: &Handover| {
            let read = parse(&handover.checkpoint)?;
            let proof = handover
                .proof
                .iter()
                .map(|hash| Hash::from_base64(hash).ok());
            let proof: Vec<Hash> = proof.collect::<Option<_>>()?;
            verify_consistency(&read.claimed(), &whole, &proof).ok()?;
            Some(read)
        };
        let handovers: Option<Vec<ReadCheckpoint>> = handovers.iter().map(read).collect();
        let handovers = handovers.ok_or(ReceiptFault::Checkpoint)?;
        let first = handovers.first().unwrap_or(&checkpoint).clone();
        check(first, &Signatories::first(network))?;
        Ok(Self {
            checkpoint,
            handovers,
        })
    }

    /// What the bundle's own speaks of.
    pub(super) fn head(&self) -> TreeHead {
        self.checkpoint.claimed()
    }

    /// The checkpoint, signed by those in force at its size, whom each handover's, by those before it, leads
    /// to. The entries that put them in force stand in those before: a consistent tree that has them has them
    /// at the same index.
    pub(super) fn judge(
        self,
        network: &Network,
        in_force: &InForce<'_>,
    ) -> Result<(Cosigned, Cosigners), ReceiptFault> {
        let size = self.head().size;
        let mut before = Signatories::first(network);
        let mut later = Vec::new();
        let mut handovers = self.handovers.into_iter();
        for (since, successor) in in_force.handovers() {
            let last = since.saturating_add(1);
            if last >= size {
                break;
            }
            let handover = handovers.next().filter(|read| read.claimed().size == last);
            check(handover.ok_or(ReceiptFault::Checkpoint)?, &before)?;
            let next = before.followed_by(successor);
            before = next.ok_or(ReceiptFault::Checkpoint)?;
            later.push((last, before.clone()));
        }
        if handovers.next().is_some() {
            return Err(ReceiptFault::Checkpoint);
        }
        let checkpoint = check(self.checkpoint, &before)?;
        Ok((checkpoint, Cosigners::new(network, later)))
    }
}

fn check(checkpoint: ReadCheckpoint, by: &Signatories) -> Result<Cosigned, ReceiptFault> {
    by.check(checkpoint).map_err(|_| ReceiptFault::Checkpoint)
}
