//! The journal's end as state knows it: enough to check that a journaled checkpoint is of this very
//! journal, and nothing more.

use minicbor::{Decode, Decoder, Encode, Encoder};
use portcullis_tlog::{Frontier, Hash, TreeHead};

/// The tree at the last journaled checkpoint, and the leaves since.
///
/// A checkpoint entry names a size between the two; its root is recomputed from here. The list is
/// emptied by every checkpoint entry, so it holds a second's worth of entries with an honest gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTail {
    base: Frontier,
    since: Vec<Hash>,
    head: Frontier,
}

impl LogTail {
    /// The empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self {
            base: Frontier::new(),
            since: Vec::new(),
            head: Frontier::new(),
        }
    }

    /// Entries so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.head.size()
    }

    /// Size and root now.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        self.head.head()
    }

    /// Size and root of the newest journaled checkpoint.
    #[must_use]
    pub fn checkpointed(&self) -> TreeHead {
        self.base.head()
    }

    /// The tree's right edge now, behind which a follower hashes on.
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.head
    }

    /// Add an entry's leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        self.since.push(leaf);
        self.head.append(leaf);
    }

    /// Whether this journal had this head: at the last journaled checkpoint or since.
    #[must_use]
    pub fn had(&self, head: TreeHead) -> bool {
        self.at(head.size)
            .is_some_and(|frontier| frontier.head() == head)
    }

    /// The head at a size between the last journaled checkpoint and now.
    #[must_use]
    pub fn head_at(&self, size: u64) -> Option<TreeHead> {
        Some(self.at(size)?.head())
    }

    /// Forget the leaves below a size that [`Self::had`].
    pub fn advance(&mut self, size: u64) {
        let Some(base) = self.at(size) else { return };
        let keep = self.since.split_off(self.offset(size));
        self.base = base;
        self.since = keep;
    }

    fn at(&self, size: u64) -> Option<Frontier> {
        if size < self.base.size() || size > self.size() {
            return None;
        }
        if size == self.size() {
            return Some(self.head.clone());
        }
        let mut frontier = self.base.clone();
        for leaf in self.since.iter().take(self.offset(size)) {
            frontier.append(*leaf);
        }
        Some(frontier)
    }

    fn offset(&self, size: u64) -> usize {
        usize::try_from(size.saturating_sub(self.base.size())).unwrap_or(usize::MAX)
    }
}

impl Default for LogTail {
    fn default() -> Self {
        Self::new()
    }
}

impl<C> Encode<C> for LogTail {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let leaves: Vec<u8> = self
            .since
            .iter()
            .flat_map(|leaf| *leaf.as_bytes())
            .collect();
        e.array(2)?
            .bytes(&self.base.to_bytes())?
            .bytes(&leaves)?
            .ok()
    }
}

impl<'b, C> Decode<'b, C> for LogTail {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let wrong = || minicbor::decode::Error::message("not a log tail");
        if d.array()? != Some(2) {
            return Err(wrong());
        }
        let base = Frontier::from_bytes(d.bytes()?).map_err(|_| wrong())?;
        let (leaves, rest) = d.bytes()?.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(wrong());
        }
        let mut tail = Self {
            head: base.clone(),
            base,
            since: Vec::with_capacity(leaves.len()),
        };
        for leaf in leaves {
            tail.push(Hash::from_bytes(*leaf));
        }
        Ok(tail)
    }
}
