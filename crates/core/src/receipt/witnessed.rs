//! Who signed a bundle's checkpoint: those whom genesis names, or those whom its handovers lead to.

use super::in_force;
use super::proven::{Case, Proven, below};
use super::{Handover, ReceiptFault};
use crate::network::Network;
use crate::state::keys::Successor;
use crate::state::{Cosigners, Signatories};
use portcullis_tlog::{Cosigned, Hash, ReadCheckpoint, TreeHead, verify_consistency};

/// The checkpoints of a bundle, of which those of genesis have signed the first. Whose signatures count for the
/// others is not known yet.
pub(super) struct Signed {
    head: TreeHead,
    first: Cosigned,
    later: Vec<ReadCheckpoint>,
}

impl Signed {
    /// Read them: each handover's is a prefix of the bundle's own, which comes last.
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
        let head = checkpoint.claimed();
        let read = |handover: &Handover| {
            let read = parse(&handover.checkpoint)?;
            let proof = handover
                .proof
                .iter()
                .map(|hash| Hash::from_base64(hash).ok());
            let proof: Vec<Hash> = proof.collect::<Option<_>>()?;
            verify_consistency(&read.claimed(), &head, &proof).ok()?;
            Some(read)
        };
        let handovers: Option<Vec<ReadCheckpoint>> = handovers.iter().map(read).collect();
        let mut all = handovers.ok_or(ReceiptFault::Checkpoint)?;
        all.push(checkpoint);
        let later = all.split_off(1);
        let first = all.into_iter().next().ok_or(ReceiptFault::Checkpoint)?;
        Ok(Self {
            head,
            first: check(first, &Signatories::first(network))?,
            later,
        })
    }

    /// What the bundle's own speaks of.
    pub(super) fn head(&self) -> TreeHead {
        self.head
    }

    /// Each checkpoint by those in force at its size, whom the entries below the one before it lead to: a
    /// consistent tree that has them has them at the same index. What nobody in force has signed is not
    /// looked at. Gives the bundle's own.
    pub(super) fn judge<'a>(
        self,
        case: &mut Case<'a>,
        entries: &'a [Proven],
    ) -> Result<(Cosigned, Cosigners), ReceiptFault> {
        let (mut cosigned, mut later) = (self.first, Vec::new());
        let mut signatories = Signatories::first(case.network);
        for next in self.later {
            let last = cosigned.head().size;
            in_force::establish(case, below(entries, last));
            let successor = successor_at(last, &case.in_force.handovers()[later.len()..]);
            let successor = successor.filter(|_| last < next.claimed().size);
            let followed = successor.and_then(|to| signatories.followed_by(to));
            signatories = followed.ok_or(ReceiptFault::Checkpoint)?;
            cosigned = check(next, &signatories)?;
            later.push((last, signatories.clone()));
        }
        let size = cosigned.head().size;
        in_force::establish(case, below(entries, size));
        // Whoever takes over by the very last entry has signed nothing of this yet.
        let mut unshown = case.in_force.handovers()[later.len()..].iter();
        if unshown.any(|(since, _)| since.saturating_add(1) < size) {
            return Err(ReceiptFault::Checkpoint);
        }
        Ok((cosigned, Cosigners::new(case.network, later)))
    }
}

/// The one that takes over by the last entry below a size, where nobody else has.
fn successor_at(last: u64, handovers: &[(u64, Successor)]) -> Option<&Successor> {
    match handovers {
        [(since, to)] if since.saturating_add(1) == last => Some(to),
        _ => None,
    }
}

fn check(checkpoint: ReadCheckpoint, by: &Signatories) -> Result<Cosigned, ReceiptFault> {
    by.check(checkpoint).map_err(|_| ReceiptFault::Checkpoint)
}
