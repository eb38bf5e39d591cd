//! One file: what is written, and what of it would survive.

use crate::dice::Dice;
use std::collections::BTreeSet;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

#[derive(Clone, Default)]
pub(super) struct File {
    pub(super) data: Vec<u8>,
    /// What is certain to survive; `None` where not even the name is.
    pub(super) durable: Option<Vec<u8>>,
    /// Sectors of `data` that are not.
    pub(super) dirty: BTreeSet<usize>,
    /// Put in place whole, unsynced: after a power cut the old file or the new one, with holes.
    pub(super) is_projection: bool,
}

impl File {
    pub(super) fn whole(bytes: Vec<u8>) -> Self {
        Self {
            durable: Some(bytes.clone()),
            data: bytes,
            ..Self::default()
        }
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.data.len() < end {
            self.data.resize(end, 0);
        }
        self.data[at..end].copy_from_slice(bytes);
        self.dirty
            .extend(at / SECTOR..=end.saturating_sub(1) / SECTOR);
    }

    pub(super) fn sync(&mut self) {
        let durable = self.durable.get_or_insert_with(Vec::new);
        durable.resize(self.data.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            let range = sector * SECTOR..((sector + 1) * SECTOR).min(self.data.len());
            if !range.is_empty() {
                durable[range.clone()].copy_from_slice(&self.data[range]);
            }
        }
        self.is_projection = false;
    }

    /// Whether something unsynced was kept, and whether something was lost.
    pub(super) fn lose_power(&mut self, dice: &mut Dice) -> (bool, bool) {
        let is_synced = self.dirty.is_empty()
            && self
                .durable
                .as_ref()
                .is_some_and(|d| d.len() == self.data.len());
        if is_synced {
            return (false, false);
        }
        let keeps_new = dice.chance(500);
        let (mut kept, mut lost) = (false, false);
        if self.is_projection && !keeps_new {
            lost = true;
        } else {
            let old = self.durable.clone().unwrap_or_default();
            let base = if self.is_projection { Vec::new() } else { old };
            let length = if keeps_new {
                self.data.len()
            } else {
                base.len()
            };
            let mut found = base;
            found.resize(length, 0);
            for sector in &self.dirty {
                let range = sector * SECTOR..((sector + 1) * SECTOR).min(length);
                if range.start < length && dice.chance(600) {
                    kept = true;
                    found[range.clone()].copy_from_slice(&self.data[range]);
                } else {
                    lost = true;
                }
            }
            self.durable = Some(found);
        }
        self.dirty.clear();
        self.is_projection = false;
        self.data = self.durable.clone().unwrap_or_default();
        (kept, lost)
    }
}
