//! Who speaks for the journal at each size, as its own rotations have it.

use super::Model;
use crate::setting::{self, WITNESSES};
use portcullis_core::act::Keys;
use portcullis_core::genesis::{Genesis, Witnesses};
use portcullis_tlog::{Cosigned, LogKey, Quorum, ReadCheckpoint};

/// All who have spoken for the journal, in order.
#[derive(Clone)]
pub(crate) struct Speakers(Vec<Speaker>);

/// The journal's key and the witnesses by whom checkpoints count from some size on.
#[derive(Clone)]
pub(crate) struct Speaker {
    /// The size of the last checkpoint of those of before.
    behind: u64,
    /// Whether the journal has that.
    is_sealed: bool,
    vkey: String,
    witnesses: Witnesses,
}

impl Speakers {
    pub(super) fn of(genesis: &Genesis) -> Self {
        Self(vec![Speaker {
            behind: 0,
            is_sealed: true,
            vkey: genesis.log.vkey.clone(),
            witnesses: genesis.witnesses.clone(),
        }])
    }

    /// Those who speak for a journal of this size.
    pub(crate) fn at(&self, size: u64) -> &Speaker {
        let mut newest_first = self.0.iter().rev();
        let found = newest_first.find(|speaker| speaker.behind < size);
        found.unwrap_or(&self.0[0])
    }

    /// Those in force.
    pub(crate) fn newest(&self) -> &Speaker {
        self.at(u64::MAX)
    }

    /// All of them, each with the sizes that it speaks for: above the one and up to the other.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&Speaker, u64, u64)> {
        let ends = self.0.iter().skip(1).map(|speaker| speaker.behind);
        let ends = ends.chain([u64::MAX]);
        let with_ends = self.0.iter().zip(ends);
        with_ends.map(|(speaker, end)| (speaker, speaker.behind, end))
    }

    /// The size of the last checkpoint of those of before, while the journal does not have it.
    pub(crate) fn handing_over(&self) -> Option<u64> {
        let open = self.0.iter().find(|speaker| !speaker.is_sealed);
        open.map(|speaker| speaker.behind)
    }

    /// The size behind which those in force speak, if they took over from anybody.
    pub(crate) fn last_handover(&self) -> Option<u64> {
        (self.0.len() > 1).then(|| self.newest().behind)
    }

    /// Read a checkpoint by those of its size.
    pub(crate) fn read(&self, note: &[u8]) -> Option<Cosigned> {
        let read = ReadCheckpoint::parse(note).ok()?;
        let speaker = self.at(read.claimed().size);
        let signed = read.verify(&speaker.log()).ok()?;
        Cosigned::verify(signed, &speaker.quorum()).ok()
    }

    pub(super) fn in_place_of(&self, keys: &Keys) -> Option<Keys> {
        let newest = self.newest();
        match keys {
            Keys::Witnesses { .. } => Some(Keys::Witnesses {
                witnesses: newest.witnesses.clone(),
            }),
            Keys::Log { .. } => Some(Keys::Log {
                vkey: newest.vkey.clone(),
            }),
            Keys::Issuers { .. } | Keys::Roots { .. } | Keys::Keeper { .. } => None,
        }
    }

    /// Others take over by an entry: the journal that ends with it is the last that those of before sign.
    pub(super) fn put(&mut self, keys: &Keys, entry: u64) {
        let mut next = self.newest().clone();
        match keys {
            Keys::Witnesses { witnesses } => next.witnesses = witnesses.clone(),
            Keys::Log { vkey } => next.vkey.clone_from(vkey),
            Keys::Issuers { .. } | Keys::Roots { .. } | Keys::Keeper { .. } => return,
        }
        (next.behind, next.is_sealed) = (entry + 1, false);
        self.0.push(next);
    }

    fn seal(&mut self, size: u64) {
        let mut each = self.0.iter_mut();
        if let Some(speaker) = each.find(|speaker| speaker.behind == size) {
            speaker.is_sealed = true;
        }
    }
}

impl Speaker {
    /// Which witnesses these are.
    pub(crate) fn numbers(&self) -> Vec<usize> {
        let most = WITNESSES + setting::SPARES;
        let vkeys = self.witnesses.vkeys.iter();
        let numbers = vkeys.filter_map(|vkey| setting::number_of(vkey, most));
        numbers.collect()
    }

    /// Which of the journal's keys this is.
    pub(crate) fn log_number(&self) -> Option<usize> {
        let mut keys = setting::log_keys().into_iter();
        keys.position(|key| key.to_string() == self.vkey)
    }

    fn log(&self) -> LogKey {
        self.vkey.parse().expect("a rotation to no key is refused")
    }

    fn quorum(&self) -> Quorum {
        let refused = "a rotation to no quorum is refused";
        self.witnesses.quorum().expect(refused)
    }
}

impl Model {
    /// A checkpoint counts by those of its size alone, and none is passed over.
    pub(super) fn check_checkpoint(&mut self, note: &[u8]) {
        let Some(cosigned) = self.speakers.read(note) else {
            let what = String::from_utf8_lossy(note);
            let what = what.lines().nth(1).unwrap_or_default().to_owned();
            return self.violated("a checkpoint counts by those of its size", what);
        };
        let size = cosigned.head().size;
        if self.speakers.handing_over().is_some_and(|last| size > last) {
            self.violated("the last of those of before stands in the journal", size);
        }
        self.speakers.seal(size);
    }
}
