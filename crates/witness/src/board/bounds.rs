//! How much a board takes, so that a flood fills neither its disk nor its pages.
//!
//! Nothing here counts by address or by what a posting says of itself. There is one share for
//! everybody; each request key that genesis names has a share of its own, so that keepers and
//! staff get through whatever anybody else posts; and so have the links in the herald's notices. Only a
//! signature that holds opens these doors, and it is checked only where the common share is used up.

use super::posting::Refusal;
use minicbor::{Decode, Encode};
use portcullis_core::board::Posting;
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::KeeperKind;
use portcullis_core::id::FactorId;
use portcullis_core::signature::{PublicKey, Strict, Verify as _};
use portcullis_core::{Genesis, Span, Time, link, request};
use std::collections::BTreeMap;

const COMMON: Bound = Bound {
    live: 2048,
    per_minute: 120,
};
const RESERVED: Bound = Bound {
    live: 64,
    per_minute: 30,
};
/// One for each customer who opens a link. What all shares show at once stays below what readers keep waiting
/// ([`portcullis_core::board::MAX_WAITING`]).
const LINKS: Bound = Bound {
    live: 1024,
    per_minute: 240,
};
const MINUTE: Span = Span::seconds(60);

/// Which share a posting uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub(super) enum Share {
    /// Everybody's.
    #[n(0)]
    Common,
    /// That of a request key in genesis.
    #[n(1)]
    Reserved(#[n(0)] FactorId),
    /// That of links which the herald of genesis signed.
    #[n(2)]
    Links,
}

struct Bound {
    live: u32,
    per_minute: u32,
}

/// What a share has used up.
#[derive(Default)]
struct Used {
    live: u32,
    minute: Time,
    in_minute: u32,
}

/// All shares.
pub(super) struct Bounds {
    keys: BTreeMap<FactorId, PublicKey>,
    herald: Option<PublicKey>,
    used: BTreeMap<Share, Used>,
}

impl Bounds {
    pub(super) fn new(genesis: &Genesis) -> Self {
        let people = genesis.administrators.iter().chain(&genesis.staff);
        let factors = people.flat_map(|member| member.factors.iter().cloned());
        let keepers = genesis.keepers.iter();
        let mut heralds = keepers
            .clone()
            .filter(|keeper| keeper.kind == KeeperKind::Herald);
        let herald = heralds.next().map(|herald| herald.key.clone());
        let keepers = keepers.map(|keeper| NewFactor::RequestKey {
            key: keeper.key.clone(),
        });
        let keys = factors.chain(keepers).filter_map(|factor| match &factor {
            NewFactor::RequestKey { key } => Some((factor.id(), key.clone())),
            NewFactor::Passkey { .. }
            | NewFactor::Totp { .. }
            | NewFactor::RecoveryCodes { .. } => None,
        });
        Self {
            keys: keys.collect(),
            herald,
            used: BTreeMap::new(),
        }
    }

    /// The share that takes this posting.
    pub(super) fn admit(&self, posting: &Posting, now: Time) -> Result<Share, Refusal> {
        if self.has_room(Share::Common, now) {
            return Ok(Share::Common);
        }
        let links = || self.is_link(posting).then_some(Share::Links);
        let reserved = self.signer(posting).map(Share::Reserved).or_else(links);
        let room = reserved.filter(|share| self.has_room(*share, now));
        room.ok_or(Refusal::NoRoom {
            retry_after: MINUTE.0 / 1000,
        })
    }

    /// A posting was taken now.
    pub(super) fn count(&mut self, share: Share, now: Time) {
        let used = self.used.entry(share).or_default();
        if now.since(used.minute) >= MINUTE {
            (used.minute, used.in_minute) = (now, 0);
        }
        used.in_minute = used.in_minute.saturating_add(1);
    }

    /// A posting is shown from now on.
    pub(super) fn enter(&mut self, share: Share) {
        let used = self.used.entry(share).or_default();
        used.live = used.live.saturating_add(1);
    }

    /// A posting is shown no more.
    pub(super) fn leave(&mut self, share: Share) {
        let used = self.used.entry(share).or_default();
        used.live = used.live.saturating_sub(1);
    }

    fn has_room(&self, share: Share, now: Time) -> bool {
        let bound = match share {
            Share::Common => COMMON,
            Share::Reserved(_) => RESERVED,
            Share::Links => LINKS,
        };
        self.used.get(&share).is_none_or(|used| {
            let fresh_minute = now.since(used.minute) >= MINUTE;
            used.live < bound.live && (fresh_minute || used.in_minute < bound.per_minute)
        })
    }

    /// Whether the herald of genesis signed it as a link. (It is alone then: [`super::posting`].)
    fn is_link(&self, posting: &Posting) -> bool {
        let signed = link::signed_bytes(posting.act.digest());
        let pair = self.herald.as_ref().zip(posting.evidence.link.as_ref());
        pair.is_some_and(|(key, signature)| Strict.verify(key, &signed, signature))
    }

    /// The key of genesis that signed this very posting and nothing beside. With any other piece in
    /// it, somebody else could dress up one signed request as many postings and use up the share.
    fn signer(&self, posting: &Posting) -> Option<FactorId> {
        let evidence = &posting.evidence;
        let [request] = evidence.requests.as_slice() else {
            return None;
        };
        if !evidence.assertions.is_empty() || !evidence.attestations.is_empty() {
            return None;
        }
        let base = request::parse_base(&request.base).ok()?;
        let id = base.parts().key_id.parse().ok()?;
        let verified = request::check(request, self.keys.get(&id)?, &Strict).ok()?;
        let of_act = verified.parts().act == Some(posting.act.digest().0);
        of_act.then_some(id)
    }
}
