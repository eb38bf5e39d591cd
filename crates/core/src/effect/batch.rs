//! Committing batches: which releases are one, and what their plans spend.

use super::Effect;
use crate::digest::Digest;
use crate::state::Facts;
use crate::state::batch::{Batch, CoinId};
use std::collections::BTreeSet;

impl Facts {
    pub(super) fn commit_batch(&mut self, effect: &Effect) {
        match effect {
            Effect::Batch {
                wallet,
                number,
                members,
            } => {
                // However many it pays, it is one of the wallet's numbers.
                if let Some(wallet) = self.wallets.get_mut(wallet) {
                    wallet.next_nonce = number.saturating_add(1);
                }
                let Some(leader) = members.first() else {
                    return;
                };
                for member in members {
                    if let Some(release) = self.releases.get_mut(member) {
                        release.leader = Some(*leader);
                        // One copy for all: plans are large, and a batch may have many of both.
                        if member != leader {
                            release.plans = Vec::new();
                        }
                    }
                }
                let batch = Batch {
                    wallet: *wallet,
                    number: *number,
                    members: members.clone(),
                    shared: CoinId([0; 36]),
                    coins: BTreeSet::new(),
                    transactions: BTreeSet::new(),
                };
                self.batches.get_or_insert_default().insert(*leader, batch);
            }
            Effect::Spends {
                leader,
                transaction,
                coins,
            } => {
                let batches = self.batches.as_mut();
                let Some(batch) = batches.and_then(|all| all.get_mut(leader)) else {
                    return;
                };
                if let (true, Some(first)) = (batch.coins.is_empty(), coins.first()) {
                    batch.shared = *first;
                }
                batch.coins.extend(coins);
                batch.transactions.insert(*transaction);
            }
            _ => {}
        }
    }

    /// All releases of a batch end at once, by one statement. What it spent is free, or gone.
    pub(super) fn end_batch(&mut self, ended: &Digest) {
        if let Some(batches) = &mut self.batches {
            batches.remove(ended);
        }
    }
}
