//! What a set does to the one before it.

use core::cmp::Ordering;
use core::iter::Peekable;

use super::{Label, LabelSet};
use crate::address::Key;

/// One address about which two sets differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// Only the new set has it.
    Added(Key, Label<'a>),
    /// Only the old set has it: it is delisted.
    Removed(Key, Label<'a>),
    /// Both have it, with another rating or text.
    Changed {
        /// The address.
        key: Key,
        /// What the old set says.
        from: Label<'a>,
        /// What the new set says.
        to: Label<'a>,
    },
}

/// How many addresses two sets differ about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Only in the new set.
    pub added: u32,
    /// Only in the old set.
    pub removed: u32,
    /// In both, otherwise.
    pub changed: u32,
}

impl LabelSet {
    /// Every change from `old` to this set, in the order of the keys. Both are walked once, side by
    /// side.
    pub fn changes_since<'a>(&'a self, old: &'a Self) -> impl Iterator<Item = Change<'a>> {
        let (mut old, mut new) = (old.iter().peekable(), self.iter().peekable());
        let steps = core::iter::from_fn(move || step(&mut old, &mut new));
        steps.filter(|change| !change.is_none())
    }

    /// How many changes there are.
    #[must_use]
    pub fn count_changes_since(&self, old: &Self) -> Changes {
        let mut changes = Changes::default();
        for change in self.changes_since(old) {
            let counter = match change {
                Change::Added(..) => &mut changes.added,
                Change::Removed(..) => &mut changes.removed,
                Change::Changed { .. } => &mut changes.changed,
            };
            *counter = counter.saturating_add(1);
        }
        changes
    }
}

impl Change<'_> {
    /// Whether both sets say the same.
    fn is_none(&self) -> bool {
        matches!(self, Change::Changed { from, to, .. } if from == to)
    }
}

/// Takes the lower key from one side, or the same one from both.
fn step<'a>(
    old: &mut Peekable<impl Iterator<Item = (Key, Label<'a>)>>,
    new: &mut Peekable<impl Iterator<Item = (Key, Label<'a>)>>,
) -> Option<Change<'a>> {
    let order = match (old.peek(), new.peek()) {
        (Some((old, _)), Some((new, _))) => old.cmp(new),
        (Some(_), None) => Ordering::Less,
        (None, _) => Ordering::Greater,
    };
    match order {
        Ordering::Less => old.next().map(|(key, label)| Change::Removed(key, label)),
        Ordering::Greater => new.next().map(|(key, label)| Change::Added(key, label)),
        Ordering::Equal => {
            let ((key, from), (_, to)) = old.next().zip(new.next())?;
            Some(Change::Changed { key, from, to })
        }
    }
}
