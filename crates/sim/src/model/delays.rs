//! When the delays of what is new began: with the first checkpoint that contains an entry, and where
//! genesis names a herald, no sooner than with that of its word.

use super::Model;
use portcullis_core::act::{Act, ActKind, Keys};
use portcullis_core::realm::Realm;
use portcullis_core::{Digest, Span, Time};
use portcullis_keeper::testkit::World;
use std::collections::BTreeMap;

/// Delays that have begun or are to, by the entry that brought what waits.
pub(super) struct Delays {
    has_herald: bool,
    begun: BTreeMap<u64, Begun>,
}

struct Begun {
    act: Digest,
    /// Whether it waits for the herald's word.
    is_told: bool,
    /// The newest cosignature of the first checkpoint that contains the entry.
    cosigned: Option<Time>,
    /// By which entry the herald says that it has told.
    told: Option<u64>,
    /// As for the entry.
    told_cosigned: Option<Time>,
}

impl Delays {
    pub(super) fn new(has_herald: bool) -> Self {
        let begun = BTreeMap::new();
        Self { has_herald, begun }
    }

    /// With this entry something waits that an act brought. What the roots bring waits for no herald, and
    /// neither does another key of its own, nor a contact that administrators give an account.
    pub(super) fn begin(&mut self, entry: u64, digest: Digest, act: &Act) {
        let by_roots = matches!(act.kind, ActKind::RecoverAdministrators(_));
        let is_last_way_out = by_roots || is_heralds_key(&act.kind) || is_administrators(act);
        let begun = Begun {
            act: digest,
            is_told: self.has_herald && !is_last_way_out,
            cosigned: None,
            told: None,
            told_cosigned: None,
        };
        self.begun.insert(entry, begun);
    }

    /// The herald's word, by entry `by`, about what an act began with an entry. Says whether it began anything.
    fn told(&mut self, by: u64, (entry, act): (u64, Digest)) -> bool {
        let about = self.begun.get_mut(&entry).filter(|b| b.act == act);
        let Some(about) = about else {
            return false;
        };
        about.told.get_or_insert(by);
        true
    }

    /// A checkpoint of this size.
    fn cosigned(&mut self, size: u64, newest: Time) {
        for (entry, begun) in self.begun.range_mut(..size) {
            debug_assert!(*entry < size);
            begun.cosigned.get_or_insert(newest);
            if begun.told.is_some_and(|told| told < size) {
                begun.told_cosigned.get_or_insert(newest);
            }
        }
    }

    /// From when the delay runs that this entry brought, if it does.
    pub(super) fn from(&self, entry: u64) -> Option<Time> {
        let begun = self.begun.get(&entry)?;
        let cosigned = begun.cosigned?;
        if begun.is_told {
            Some(begun.told_cosigned?.max(cosigned))
        } else {
            Some(cosigned)
        }
    }

    /// Whether it has run at a time.
    pub(super) fn has_run(&self, entry: u64, delay: Span, time: Time) -> bool {
        self.from(entry)
            .is_some_and(|from| time >= from.after(delay))
    }
}

impl Model {
    /// The cosignatures of a checkpoint that counts start clocks.
    pub(super) fn start_clocks(&mut self, note: &[u8]) {
        if let Some(cosigned) = self.speakers.read(note) {
            let newest = Time::from_unix_seconds(cosigned.newest().unix());
            self.delays.cosigned(cosigned.head().size, newest);
        }
    }

    /// The herald says that it has told of an act: of what the journal has, and to whom it concerns.
    pub(super) fn take_told(&mut self, (entry, act): (u64, Digest), by: u64) {
        self.chronicle.count("told");
        if !self.delays.told(by, (entry, act)) {
            self.violated("told is only what waits in the journal", act);
        }
        self.check_really_told((entry, act));
    }

    /// An act takes effect that has a delay of its own.
    pub(super) fn check_own_delay(&self, digest: Digest, act: &Act, entry: u64, time: Time) {
        let Some(delay) = own_delay(act) else { return };
        if !self.delays.has_run(entry, delay, time) {
            let what = format!("{} {digest} of entry {entry}", act.kind.name());
            self.violated("nothing loosens before its delay has run", what);
        }
    }
}

fn is_heralds_key(kind: &ActKind) -> bool {
    let ActKind::Rotate(rotate) = kind else {
        return false;
    };
    matches!(rotate.keys, Keys::Keeper { keeper, .. } if keeper == World::HERALD)
}

/// A contact that administrators give somebody's account.
pub(super) fn is_administrators(act: &Act) -> bool {
    act.realm == Realm::Staff && matches!(act.kind, ActKind::ChangeContact(_))
}

/// The delay that an act itself has: nobody here asks for a longer one than the floor.
pub(super) fn own_delay(act: &Act) -> Option<Span> {
    let floors = match &act.kind {
        kind if is_heralds_key(kind) || is_administrators(act) => 3,
        ActKind::SetLimits(_)
        | ActKind::SetPolicy(_)
        | ActKind::Rotate(_)
        | ActKind::ChangeContact(_) => 1,
        ActKind::Recover(_) | ActKind::RecoverAdministrators(_) => 3,
        _ => return None,
    };
    Some(Span(crate::setting::DELAY.0 * floors))
}
