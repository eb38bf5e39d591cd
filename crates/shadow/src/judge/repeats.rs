//! Rows that come twice: exports that overlap, and copies that are sent again.

use super::Ground;
use crate::row::Row;
use crate::seen::Seen;
use portcullis_core::behaviour::Place;
use std::collections::{HashMap, VecDeque};

/// Most rows that are known whole. Rows are judged in the order of their times, so that a row of another file
/// comes next to its double; a copy that is sent again comes soon after.
const MOST: usize = 1 << 17;

/// What has been judged not long ago, by the platform's own names.
#[derive(Default)]
pub(super) struct Repeats {
    judged: HashMap<Place, Vec<Ground>>,
    in_order: VecDeque<Place>,
    ids: Seen,
}

/// How a row stands to those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is one of them, of which this was said.
    Again(Vec<Ground>),
    /// It has an id of one of them, and is another.
    SameId,
    /// None has its id, or it has none: then nobody can tell.
    New,
}

impl Repeats {
    /// Whether this very row was judged before.
    pub(super) fn look(&mut self, row: &Row) -> Known {
        if row.id.is_empty() {
            return Known::New;
        }
        let has_id = self.ids.see([&row.id, ""]);
        match self.judged.get(&whole(row)) {
            Some(grounds) if has_id => Known::Again(grounds.clone()),
            _ if has_id => Known::SameId,
            _ => Known::New,
        }
    }

    /// Remember what was said of it.
    pub(super) fn note(&mut self, whole: Place, grounds: &[Ground]) {
        if self.in_order.len() >= MOST
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.judged.remove(&oldest);
        }
        self.in_order.push_back(whole);
        self.judged.insert(whole, grounds.to_vec());
    }
}

/// All that makes it this withdrawal and no other, and what became of it: a later step of one differs there.
pub(super) fn whole(row: &Row) -> Place {
    let texts = [&row.id, &row.account, &row.asset, &row.to].map(String::as_bytes);
    let parts = [
        texts.join(&0),
        row.time.0.to_be_bytes().to_vec(),
        row.amount.0.to_be_bytes().to_vec(),
        portcullis_core::codec::encode(&row.factor),
        vec![u8::from(row.went_out)],
    ];
    Place::of(&parts.concat())
}
