//! Pages signed a moment ago, so that many readers cost as much as one.

use portcullis_core::{Span, Time};
use std::collections::VecDeque;

/// A twelfth of the age at which a keeper stops acting by a page.
const KEPT_FOR: Span = Span(250);
const KEPT: usize = 16;

#[derive(Default)]
pub(super) struct Pages(VecDeque<Signed>);

struct Signed {
    from: u64,
    time: Time,
    bytes: Vec<u8>,
}

impl Pages {
    pub(super) fn find(&self, from: u64, now: Time) -> Option<Vec<u8>> {
        let fresh = |page: &&Signed| page.from == from && now.since(page.time) < KEPT_FOR;
        self.0.iter().find(fresh).map(|page| page.bytes.clone())
    }

    pub(super) fn keep(&mut self, from: u64, time: Time, bytes: Vec<u8>) {
        self.0.retain(|page| page.from != from);
        self.0.truncate(KEPT - 1);
        self.0.push_front(Signed { from, time, bytes });
    }

    /// What the pages say has changed.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
