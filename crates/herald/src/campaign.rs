//! What concerns every customer at once: an epoch was raised, and what they sign in with counts no more.
//!
//! Ten million notices are not made at once. A campaign goes through the accounts in the order of their ids, some
//! at a time as the post has room, and stands in the record with how far it has come: a crash repeats nothing.

use crate::notice::{Kind, Notice, Recipient};
use minicbor::{Decode, Encode};
use portcullis_core::factor::FactorKind;
use portcullis_core::id::AccountId;
use portcullis_core::state::account::Account;
use portcullis_core::{Digest, State, Time};
use std::collections::BTreeMap;
use std::ops::Bound;

/// Accounts that are looked at in one step, and the most of them that are told.
const LOOKED_AT: usize = 4096;
pub(crate) const TOLD: usize = 128;

/// A campaign under way.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Campaign {
    /// The entry that raised the epoch.
    #[n(0)]
    pub(crate) entry: u64,
    /// Its time.
    #[n(1)]
    pub(crate) time: Time,
    /// The act in it.
    #[n(2)]
    act: Digest,
    /// Only factors of this kind; all where absent.
    #[n(3)]
    factors: Option<FactorKind>,
    /// The last account that has been looked at.
    #[n(4)]
    through: Option<AccountId>,
}

/// A piece of a campaign.
pub(crate) struct Piece {
    /// What is to be told.
    pub(crate) notices: Vec<Notice>,
    /// What remains; nothing once every account has been looked at.
    pub(crate) rest: Option<Campaign>,
}

impl Campaign {
    /// What an entry begins that is about this act: before any account.
    pub(crate) fn begun(entry: u64, time: Time, act: Digest, factors: Option<FactorKind>) -> Self {
        Self {
            entry,
            time,
            act,
            factors,
            through: None,
        }
    }

    /// The next accounts, as they are now.
    pub(crate) fn next(&self, state: &State) -> Piece {
        let after = self.through.map_or(Bound::Unbounded, Bound::Excluded);
        let accounts = state.facts().accounts.range((after, Bound::Unbounded));
        let (mut notices, mut through) = (Vec::new(), None);
        for (id, account) in accounts.take(LOOKED_AT) {
            through = Some(*id);
            notices.extend(self.notice(*id, account));
            if notices.len() == TOLD {
                break;
            }
        }
        let rest = through.map(|_| Self {
            through,
            ..self.clone()
        });
        Piece { notices, rest }
    }

    /// Whoever has a factor of before: it counts no more.
    fn notice(&self, id: AccountId, account: &Account) -> Option<Notice> {
        let mut factors = account.holders.iter().flat_map(|holder| &holder.factors);
        let is_hit = factors.any(|factor| {
            factor.enrolled < self.entry && self.factors.is_none_or(|kind| factor.kind == kind)
        });
        let contact = account.contact.as_deref().filter(|_| is_hit)?;
        Some(Notice {
            entry: self.entry,
            time: self.time,
            act: self.act,
            kind: Kind::FactorsRevoked,
            account: Some(id),
            matter: BTreeMap::new(),
            recipients: vec![Recipient::Contact(*contact)],
        })
    }
}
