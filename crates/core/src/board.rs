//! The stop board's pages: what keepers and the gate poll.
//!
//! A board takes restricting acts with their evidence from anybody, stamps them and shows them. It
//! decides nothing: whoever reads a page decides again by itself, and a posting binds on sight only
//! if it would be accepted. A page is signed with the board's time, so that silence can be told from
//! "nothing posted".

use crate::act::Act;
use crate::codec::{self, CodecError, encode};
use crate::decide::binding::SKEW;
use crate::digest::{Digest, Domain};
use crate::evidence::Evidence;
use crate::id::BoardId;
use crate::network::Network;
use crate::reason::Reason;
use crate::signature::{PublicKey, Signature, Verify};
use crate::time::Time;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Most bytes of a page.
pub const MAX_PAGE: usize = 1024 * 1024;
/// Most bytes of one posting.
pub const MAX_POSTING: usize = 32 * 1024;
/// Most postings of one board that somebody keeps waiting to be accepted: what it shows at once
/// (docs/spec/board.md), and room beside it.
pub const MAX_WAITING: usize = 4096;
/// From its stamp a posting counts for as long as a state can know the checkpoint that it names.
pub const COUNTS_FOR: crate::Span = crate::Span::hours(25);
/// How old a page may be for a keeper to act by it.
pub const PAGE_FRESH: crate::Span = crate::Span::seconds(3);

/// A restricting act with its evidence; on a page the evidence carries the board's stamp.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Posting {
    /// The act.
    #[n(0)]
    pub act: Act,
    /// Its evidence.
    #[n(1)]
    pub evidence: Evidence,
}

impl Posting {
    /// Whether its board stamped it so far ahead of this time that no journal takes it yet. It binds on
    /// sight all the same, and whoever keeps postings keeps it until then.
    #[must_use]
    pub fn is_ahead(&self, now: Time) -> bool {
        let stamp = self.evidence.posted.as_ref();
        stamp.is_some_and(|stamp| stamp.time > now.after(SKEW))
    }

    /// Whether it could ever count: an act of this network that only takes away, stamped by this
    /// board before it expired. Anybody posts, and a board's host may show anything: whoever keeps
    /// postings keeps only these.
    #[must_use]
    pub fn could_count(&self, board: BoardId, network: &Network, verify: &dyn Verify) -> bool {
        let act = &self.act;
        let is_stamped = self.evidence.posted.as_ref().is_some_and(|stamp| {
            let key = network.board(board);
            stamp.board == board
                && stamp.time < act.expires
                && key.is_some_and(|key| stamp.is_of(act.digest(), key, verify))
        });
        act.kind.is_restricting() && act.genesis == network.digest() && is_stamped
    }
}

/// Whether a state to come may see past a posting's refusal. What is wrong with the bytes, with a
/// signature or with the time of the stamp stays wrong.
#[must_use]
pub fn may_mend(why: Reason) -> bool {
    match why {
        Reason::UnknownCheckpoint | Reason::AttestationExpired => true,
        why if why < Reason::UnknownAccount => false,
        Reason::RequestMissing
        | Reason::RequestInvalid
        | Reason::RequestForAnotherAct
        | Reason::RequestStale
        | Reason::FactorMissing => false,
        why => !(Reason::PasskeyMalformed..=Reason::PasskeyNotVerified).contains(&why),
    }
}

/// Postings from a number on, signed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedPage {
    /// The page.
    #[n(0)]
    pub page: Page,
    /// Over `"portcullis/board/v1" ‖ 0x00 ‖ CBOR(page)`.
    #[n(1)]
    pub signature: Signature,
}

/// The signed part of a page.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Page {
    /// The network.
    #[n(0)]
    pub genesis: Digest,
    /// The board.
    #[n(1)]
    pub board: BoardId,
    /// The board's time when it signed.
    #[n(2)]
    pub time: Time,
    /// The number of the first posting asked for; numbers never change.
    #[n(3)]
    pub from: u64,
    /// The number after the last posting shown: ask from there next.
    #[n(4)]
    pub next: u64,
    /// Whether the board has more beyond `next` already.
    #[n(5)]
    pub more: bool,
    /// Postings `from..next` that have not expired, each with its number.
    #[n(6)]
    pub postings: Vec<(u64, Posting)>,
}

/// Why a page says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageFault {
    /// Its bytes.
    #[error("the board's page cannot be read: {0}")]
    Codec(#[from] CodecError),
    /// Another network, board or number than asked for.
    #[error("the page answers another question: check the board's address")]
    Other,
    /// Not signed by the board's key in genesis.
    #[error("the page is not signed by the board that genesis names")]
    Signature,
}

impl SignedPage {
    /// Parse a page and check that it is the board's answer to "from this number on". The caller
    /// judges its age against [`PAGE_FRESH`].
    pub fn open(
        bytes: &[u8],
        (genesis, board, from): (Digest, BoardId, u64),
        key: &PublicKey,
        verify: &dyn Verify,
    ) -> Result<Page, PageFault> {
        let signed: Self = codec::decode(bytes, MAX_PAGE)?;
        let page = signed.page;
        if (page.genesis, page.board, page.from) != (genesis, board, from) || page.next < from {
            return Err(PageFault::Other);
        }
        if !verify.verify(key, &page.signed_bytes(), &signed.signature) {
            return Err(PageFault::Signature);
        }
        Ok(page)
    }
}

impl Page {
    /// The bytes that the board signs.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        Domain::Board.signed_bytes(&encode(self))
    }
}
