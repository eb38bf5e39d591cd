//! What whoever has the gate makes of keys that others have taken the place of: the journal's old one, which it has,
//! and those of replaced witnesses, where they were stolen.

use super::{Evil, faces::Face};
use crate::dice::Dice;
use crate::setting;
use portcullis_core::{Body, Entry};
use portcullis_tlog::{ReadCheckpoint, SignedCheckpoint, Signer as _, TreeHead};

impl Evil {
    /// Goes on with the journal's old key, or with the one in force again.
    pub(super) fn change_log_key(&mut self) -> bool {
        let is_rotated = self.log_in_force(u64::MAX) > 0;
        self.signs_as_before = is_rotated && !self.signs_as_before;
        is_rotated
    }

    /// From here on readers see a checkpoint that only those of before speak for.
    pub(super) fn show_retired(&mut self, dice: &mut Dice) -> bool {
        let Some(note) = self.retired_note(dice) else {
            return false;
        };
        self.retired = Some(note);
        self.show(Face::Retired)
    }

    /// The same as an entry.
    pub(super) fn enter_retired(&mut self, dice: &mut Dice) -> bool {
        let Some(note) = self.retired_note(dice) else {
            return false;
        };
        let entry = Entry::new(self.now(), Body::Checkpoint(note));
        self.append(entry.to_bytes())
    }

    fn retired_note(&mut self, dice: &mut Dice) -> Option<Vec<u8>> {
        let has_stolen = !self.common.loot.stolen().witnesses.is_empty();
        let has_old_key = self.log_in_force(u64::MAX) > 0;
        match (has_stolen, has_old_key) {
            (true, true) if dice.chance(500) => self.by_the_old_key(),
            (true, _) => self.by_the_stolen(dice),
            (false, true) => self.by_the_old_key(),
            (false, false) => None,
        }
    }

    /// The newest checkpoint with all its cosignatures, which say nothing of the journal's key, under the old one.
    fn by_the_old_key(&self) -> Option<Vec<u8>> {
        let newest = ReadCheckpoint::parse(self.newest.as_ref()?).ok()?;
        let size = newest.claimed().size;
        let in_force = self.log_in_force(size);
        if in_force == 0 {
            return None;
        }
        let now = newest.verify(setting::log(in_force).key()).ok()?;
        let mut signed = SignedCheckpoint::sign(now.head(), &setting::log(0)).ok()?;
        for number in 0..self.common.witnesses() {
            let key = setting::witness(number).key().clone();
            if let Ok(cosignature) = key.verify_answer(&now, now.note().signatures()) {
                signed.add_cosignature(cosignature);
            }
        }
        Some(signed.note().to_string().into_bytes())
    }

    /// The journal as it is or a while ago, or another one, as replaced witnesses cosign it.
    fn by_the_stolen(&mut self, dice: &mut Dice) -> Option<Vec<u8>> {
        let last = self.state.handovers().last()?.last();
        let size = self.journal.head().size;
        let head = match dice.below(3) {
            0 => self.head_at(size - dice.below(size - last + 1)),
            1 => self.head_at(1 + dice.below(size)),
            _ => self.head_of_another(last, dice),
        }?;
        let stolen: Vec<usize> = {
            let stolen = self.common.loot.stolen();
            stolen.witnesses.iter().copied().collect()
        };
        let log = setting::log(self.log_in_force(head.size));
        let mut signed = SignedCheckpoint::sign(head, &log).ok()?;
        for number in stolen {
            if let Some(cosignature) = self.ask(number, &signed) {
                signed.add_cosignature(cosignature);
            }
        }
        Some(signed.note().to_string().into_bytes())
    }

    /// A longer journal that leaves this one somewhere behind the handover.
    fn head_of_another(&self, last: u64, dice: &mut Dice) -> Option<TreeHead> {
        let size = self.journal.head().size;
        let at = size - dice.below((size - last).min(6) + 1);
        let mut frontier = self.frontier_at(at)?;
        for _ in at..=size {
            frontier.append(portcullis_tlog::Hash::leaf(&dice.bytes::<32>()));
        }
        Some(frontier.head())
    }

    /// Which of the journal's keys is in force at a size.
    pub(super) fn log_in_force(&self, size: u64) -> usize {
        let in_force = self.state.signatories_at(size).log();
        let mut keys = setting::log_keys().into_iter();
        keys.position(|key| key == *in_force).unwrap_or(0)
    }
}
