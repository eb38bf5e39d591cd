//! Links in notices: one act of the herald's that only takes away, signed when the notice is written, and asked for
//! by whoever opens the link and says so on a stop board's page (docs/design/048, docs/spec/link.md).

use crate::act::{Act, ActKind, Cancel, Veto};
use crate::board::Posting;
use crate::digest::{Digest, Domain};
use crate::evidence::Evidence;
use crate::id::{AccountId, ActId, KeeperId, PrincipalId};
use crate::realm::Realm;
use crate::signature::Signature;
use crate::time::{Span, Time};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The longest that a link can be good for. (Other acts live a day; mail is read when somebody reads it.)
pub const LONGEST_LINK: Span = Span::hours(8 * 24);

/// Whether a link can ask for this: what somebody who holds the account would take back or stop alone.
#[must_use]
pub const fn link_may(kind: &ActKind) -> bool {
    matches!(
        kind,
        ActKind::Freeze | ActKind::Cancel(_) | ActKind::Veto(_)
    )
}

/// The bytes that the herald signs.
#[must_use]
pub fn signed_bytes(act: Digest) -> Vec<u8> {
    Domain::Link.signed_bytes(&act.0)
}

/// What a link is made of, beside what its page knows of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The account that it stops something of.
    pub account: AccountId,
    /// The act's own id.
    pub id: ActId,
    /// From when on it is good for nothing.
    pub expires: Time,
    /// What it stops.
    pub stops: Stops,
}

/// What a link stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    /// Everything that loosens: the account is frozen.
    Everything,
    /// A recovery.
    Recovery(Digest),
    /// Another act of the account's.
    Act(Digest),
}

impl Stops {
    const fn byte(self) -> u8 {
        match self {
            Self::Everything => 1,
            Self::Recovery(_) => 2,
            Self::Act(_) => 3,
        }
    }

    const fn act(self) -> Option<Digest> {
        match self {
            Self::Everything => None,
            Self::Recovery(act) | Self::Act(act) => Some(act),
        }
    }
}

impl Link {
    /// The act behind it. It names genesis in the place of a checkpoint: it is older, by the time that somebody
    /// reads the notice, than any checkpoint that a state remembers.
    #[must_use]
    pub fn act(&self, genesis: Digest, herald: KeeperId) -> Act {
        let kind = match self.stops {
            Stops::Everything => ActKind::Freeze,
            Stops::Recovery(act) => ActKind::Veto(Veto { act }),
            Stops::Act(act) => ActKind::Cancel(Cancel { act }),
        };
        Act {
            genesis,
            realm: Realm::Staff,
            principal: PrincipalId(herald.0),
            account: Some(self.account),
            id: self.id,
            checkpoint: genesis,
            expires: self.expires,
            kind,
        }
    }

    /// What its page posts.
    #[must_use]
    pub fn posting(&self, genesis: Digest, herald: KeeperId, signature: Signature) -> Posting {
        Posting {
            act: self.act(genesis, herald),
            evidence: Evidence {
                link: Some(signature),
                ..Evidence::default()
            },
        }
    }

    /// The part of the link behind `#`, which no browser sends to anybody:
    /// base64url of what it stops (1 byte), account (16), id (16), expiry (8, big-endian), the act that it
    /// stops (32, where it is one) and the signature (64).
    #[must_use]
    pub fn fragment(&self, signature: &Signature) -> String {
        let mut bytes = vec![self.stops.byte()];
        bytes.extend(self.account.0);
        bytes.extend(self.id.0);
        bytes.extend(self.expires.0.to_be_bytes());
        bytes.extend(self.stops.act().iter().flat_map(|act| act.0));
        bytes.extend(signature.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The link and its signature, from that part; nothing where it is not whole.
    #[must_use]
    pub fn read(fragment: &str) -> Option<(Self, Signature)> {
        let bytes = URL_SAFE_NO_PAD.decode(fragment).ok()?;
        let (stops, rest) = bytes.split_first()?;
        let (account, rest) = rest.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (expires, rest) = rest.split_first_chunk()?;
        let (act, signature) = rest.split_last_chunk()?;
        let act = || <[u8; 32]>::try_from(act).map(Digest).ok();
        let stops = match stops {
            1 if act().is_none() => Stops::Everything,
            2 => Stops::Recovery(act()?),
            3 => Stops::Act(act()?),
            _ => return None,
        };
        let link = Self {
            account: AccountId(*account),
            id: ActId(*id),
            expires: Time(u64::from_be_bytes(*expires)),
            stops,
        };
        // One text is one link: neither shorter nor longer than it is written.
        let signature = Signature::from_bytes(*signature);
        (link.fragment(&signature) == fragment).then_some((link, signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_as_it_was_written_and_no_part_of_it_is() {
        let act = Digest([4; 32]);
        for stops in [Stops::Everything, Stops::Recovery(act), Stops::Act(act)] {
            let link = Link {
                account: AccountId([1; 16]),
                id: ActId([2; 16]),
                expires: Time(1_780_000_000_000),
                stops,
            };
            let signature = Signature::from_bytes([3; 64]);
            let text = link.fragment(&signature);
            assert_eq!(Link::read(&text), Some((link, signature)));
            for end in 0..text.len() {
                assert_eq!(Link::read(&text[..end]), None, "{end} of {}", text.len());
            }
            assert_eq!(Link::read(&format!("{text}A")), None);
        }
    }
}
