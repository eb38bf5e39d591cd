//! Accounts and members of staff.

use crate::digest::Digest;
use crate::factor::{Available, Epochs, Factor, FactorKind};
use crate::few::{Few, FewBy};
use crate::id::{AccountId, FactorId, PrincipalId, SubjectId};
use crate::realm::Role;
use crate::state::joint::Quorum;
use crate::state::name::{KeptAddress, KeptAsset};
use crate::time::Span;
use crate::window::Events;
use minicbor::{Decode, Encode};
use portcullis_chains::caip::Address;

/// Most factors of one principal.
pub const MAX_FACTORS: usize = 16;
/// Most addresses in one account's book.
pub const MAX_ADDRESSES: usize = 256;

/// A subject's holdings.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Account {
    /// Whose.
    #[n(0)]
    pub subject: SubjectId,
    /// Who may act for it.
    #[n(1)]
    pub holders: Few<Holder>,
    /// Where its money may go.
    #[n(2)]
    pub book: Few<BookEntry>,
    /// The delay of its new addresses and factors.
    #[n(3)]
    pub delay: Span,
    /// Who froze it, if it is frozen.
    #[n(4)]
    pub frozen: Option<FrozenBy>,
    /// Proofs of held acts made at an entry before this one count no more (the account was frozen).
    #[n(5)]
    pub proofs_after: u64,
    /// What left, by asset.
    #[n(6)]
    pub outflow: FewBy<KeptAsset, Events>,
    /// The entry that opened it.
    #[n(7)]
    pub opened: u64,
    /// The commitment to its sealed contact. In a box of its own: where the network has no herald, no account
    /// reserves room for one.
    #[n(12)]
    pub contact: Option<Box<Digest>>,
    /// How many of its principals loosen together.
    #[n(13)]
    pub quorum: Quorum,
}

/// A principal of the customers' realm.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Holder {
    /// Who.
    #[n(0)]
    pub principal: PrincipalId,
    /// What proves it.
    #[n(1)]
    pub factors: Few<Factor>,
}

/// An address and when it begins to count.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BookEntry {
    /// CAIP-10.
    #[n(0)]
    pub address: KeptAddress,
    /// From when.
    #[n(1)]
    pub available: Available,
}

/// Who froze an account, so that nothing weaker undoes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum FrozenBy {
    /// A holder, by a factor of this kind.
    #[n(0)]
    Holder(#[n(0)] FactorKind),
    /// Staff; only a quorum of administrators undoes it.
    #[n(1)]
    Staff,
}

impl Account {
    /// The holder with this id.
    #[must_use]
    pub fn holder(&self, principal: PrincipalId) -> Option<&Holder> {
        self.holders
            .iter()
            .find(|holder| holder.principal == principal)
    }

    /// The book's entry for an address.
    #[must_use]
    pub fn address(&self, address: Address) -> Option<&BookEntry> {
        let address = KeptAddress::from(address);
        self.book.iter().find(|entry| entry.address == address)
    }
}

/// A member of staff, a service of the platform, or a keeper.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Member {
    /// Its roles, ordered.
    #[n(0)]
    pub roles: Vec<Role>,
    /// What proves it.
    #[n(1)]
    pub factors: Few<Factor>,
}

impl Member {
    /// Whether it has the role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// Whose factors: the place in state where a factor is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Owner {
    /// A holder of an account.
    #[n(0)]
    Holder {
        /// The account.
        #[n(0)]
        account: AccountId,
        /// The holder.
        #[n(1)]
        principal: PrincipalId,
    },
    /// A member of staff.
    #[n(1)]
    Member {
        /// The member.
        #[n(0)]
        principal: PrincipalId,
    },
}

impl Owner {
    /// The principal.
    #[must_use]
    pub fn principal(self) -> PrincipalId {
        match self {
            Self::Holder { principal, .. } | Self::Member { principal } => principal,
        }
    }
}

/// Which factor proved a held act, and under which epochs: it counts while both stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Proof {
    /// Whose factor.
    #[n(0)]
    pub owner: Owner,
    /// Which.
    #[n(1)]
    pub factor: FactorId,
    /// Of what strength.
    #[n(2)]
    pub kind: FactorKind,
    /// Under which epochs.
    #[n(3)]
    pub epochs: Epochs,
    /// The entry that carried the evidence.
    #[n(4)]
    pub entry: u64,
    /// SHA-256 of the signature: the same one proves an act only once.
    #[n(5)]
    pub signature: Digest,
}
