//! Acts: requests to do one exact thing.

mod import;
mod labels;
mod principals;
mod recovery;

pub use import::{Import, MAX_ALSO};
pub use labels::{LabelsOffered, RejectedRows, SetLabels};
pub use principals::{AddPrincipal, RemovePrincipal, SetAccountQuorum};
pub use recovery::{
    Administration, Keys, NewAdministrator, Recover, RecoverAdministrators, Roots, Rotate, Veto,
    root_id,
};

use crate::codec::encode;
use crate::digest::{Digest, Domain};
use crate::factor::{FactorKind, NewFactor};
use crate::id::{AccountId, ActId, FactorId, KeeperId, PrincipalId, SubjectId};
use crate::limits::Limits;
use crate::policy::{Policy, SignedQuote};
use crate::realm::{Realm, Role};
use crate::time::{Span, Time};
use minicbor::{Decode, Encode};
use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, AssetId};
use serde::{Deserialize, Serialize};

/// Most bytes of an act's canonical encoding.
pub const MAX_ACT: usize = 16 * 1024;

/// A request to do one exact thing, bound to where, who, when and once.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// The genesis digest of the network that it is meant for.
    #[n(0)]
    pub genesis: Digest,
    /// The realm of the principal.
    #[n(1)]
    pub realm: Realm,
    /// Who asks.
    #[n(2)]
    pub principal: PrincipalId,
    /// The account that it concerns; customers' acts name their own.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Random, so that two acts that ask for the same are two.
    #[n(4)]
    pub id: ActId,
    /// SHA-256 of the body of a recent witnessed checkpoint: the act is not older than it.
    #[n(5)]
    pub checkpoint: Digest,
    /// The act cannot be submitted from this moment on.
    #[n(6)]
    pub expires: Time,
    /// The thing itself.
    #[n(7)]
    pub kind: ActKind,
}

impl Act {
    /// The digest that evidence is bound to.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::Act, &encode(self))
    }

    /// Whether its canonical encoding is longer than [`MAX_ACT`].
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        encode(self).len() > MAX_ACT
    }
}

/// The things that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ActKind {
    /// Open an account with its first factor. Counts only with an onboarding attestation.
    #[n(0)]
    OpenAccount(#[n(0)] OpenAccount),
    /// Send money.
    #[n(1)]
    Withdraw(#[n(0)] Withdraw),
    /// Take back an act that has not gone out.
    #[n(2)]
    Cancel(#[n(0)] Cancel),
    /// Add an address to the account's book.
    #[n(3)]
    AddAddress(#[n(0)] AddAddress),
    /// Take an address out of the book.
    #[n(4)]
    CancelAddress(#[n(0)] CancelAddress),
    /// Stop everything that loosens for the account.
    #[n(5)]
    Freeze,
    /// Undo a freeze.
    #[n(6)]
    Unfreeze,
    /// Add a factor.
    #[n(7)]
    EnrolFactor(#[n(0)] EnrolFactor),
    /// Remove a factor.
    #[n(8)]
    RevokeFactor(#[n(0)] RevokeFactor),
    /// Revoke every factor of a realm, or of one kind in it, at once.
    #[n(9)]
    RaiseEpoch(#[n(0)] RaiseEpoch),
    /// Give a role, to a principal that may be new.
    #[n(10)]
    GrantRole(#[n(0)] GrantRole),
    /// Take a role away.
    #[n(11)]
    RevokeRole(#[n(0)] RevokeRole),
    /// Approve another act.
    #[n(12)]
    Approve(#[n(0)] Approve),
    /// Shut the gate for a scope.
    #[n(13)]
    Suspend(#[n(0)] Suspend),
    /// End a suspension, or clear a keeper's latch.
    #[n(14)]
    Lift(#[n(0)] Lift),
    /// Let withheld releases go out, each by its own unchanged plan.
    #[n(15)]
    Resume(#[n(0)] Resume),
    /// Give up a withheld release: its nonce is spent on a zero transfer of the wallet to itself.
    #[n(16)]
    Void(#[n(0)] Void),
    /// Replace the limits.
    #[n(17)]
    SetLimits(#[n(0)] SetLimits),
    /// Replace the policy.
    #[n(18)]
    SetPolicy(#[n(0)] SetPolicy),
    /// Make rates of publishers' quotes.
    #[n(19)]
    PublishRates(#[n(0)] PublishRates),
    /// Bring a new factor for a holder who has lost others. It waits, and can be vetoed.
    #[n(23)]
    Recover(#[n(0)] Recover),
    /// Object to a recovery that waits.
    #[n(24)]
    Veto(#[n(0)] Veto),
    /// Replace all administrators, on the word of the roots.
    #[n(25)]
    RecoverAdministrators(#[n(0)] RecoverAdministrators),
    /// Put other keys in the place of those of genesis.
    #[n(26)]
    Rotate(#[n(0)] Rotate),
    /// Replace the account's contact, after its delay and once its old contacts were told. By a quorum of
    /// administrators it waits for three floors, and for no telling.
    #[n(35)]
    ChangeContact(#[n(0)] ChangeContact),
    /// Put a set of labels in force, in the place of another or of none, or take one out.
    #[n(38)]
    SetLabels(#[n(0)] SetLabels),
    /// Give the account one more principal.
    #[n(40)]
    AddPrincipal(#[n(0)] AddPrincipal),
    /// Take a principal from the account.
    #[n(41)]
    RemovePrincipal(#[n(0)] RemovePrincipal),
    /// Say how many principals of the account loosen together.
    #[n(42)]
    SetAccountQuorum(#[n(0)] SetAccountQuorum),
}

/// Open an account. The act's principal is the back end; the new customer's is inside.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct OpenAccount {
    /// Whose holdings.
    #[n(0)]
    pub subject: SubjectId,
    /// The customer's principal.
    #[n(1)]
    pub principal: PrincipalId,
    /// The first factor.
    #[n(2)]
    pub factor: NewFactor,
    /// The account's own delay for new addresses and factors; the genesis floor where it is shorter.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// The commitment to the sealed contact (`docs/spec/contact.md`); needed where genesis names a
    /// herald.
    #[n(8)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Digest>,
    /// Where the factors come from, if the customer had them in another system before.
    #[n(9)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Import>,
}

/// Send `amount` base units of `asset` to `to`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// CAIP-19.
    #[n(0)]
    pub asset: AssetId,
    /// CAIP-10; on the asset's chain and in the account's book.
    #[n(1)]
    pub to: Address,
    /// Base units, above zero.
    #[n(2)]
    pub amount: Amount,
}

/// Take back the act with this digest.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// The act's digest.
    #[n(0)]
    pub act: Digest,
}

/// Add an address.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct AddAddress {
    /// CAIP-10.
    #[n(0)]
    pub address: Address,
}

/// Take an address out.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct CancelAddress {
    /// CAIP-10.
    #[n(0)]
    pub address: Address,
}

/// Add a factor to the acting principal. Signed by an older factor at least as strong, or, where no
/// older factor counts any more (an epoch was raised), by a fresh onboarding attestation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct EnrolFactor {
    /// The customer's principal, or the member of staff.
    #[n(0)]
    pub principal: PrincipalId,
    /// The new factor.
    #[n(1)]
    pub factor: NewFactor,
}

/// Remove a factor.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RevokeFactor {
    /// Whose.
    #[n(0)]
    pub principal: PrincipalId,
    /// Which.
    #[n(1)]
    pub factor: FactorId,
}

/// Revoke every older factor of the scope.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RaiseEpoch {
    /// The realm.
    #[n(0)]
    pub realm: Realm,
    /// Only factors of this kind; all where absent.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factors: Option<FactorKind>,
}

/// Give a role.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct GrantRole {
    /// To whom.
    #[n(0)]
    pub principal: PrincipalId,
    /// Which.
    #[n(1)]
    pub role: Role,
    /// The first factor of a principal that is new; absent for one that exists.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<NewFactor>,
}

/// Take a role away.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RevokeRole {
    /// From whom.
    #[n(0)]
    pub principal: PrincipalId,
    /// Which.
    #[n(1)]
    pub role: Role,
}

/// Approve the act with this digest.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// The act's digest.
    #[n(0)]
    pub act: Digest,
}

/// What a suspension shuts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize,
)]
#[serde(tag = "scope", content = "of", rename_all = "kebab-case")]
pub enum Scope {
    /// Everything.
    #[n(0)]
    Everything,
    /// All withdrawals.
    #[n(1)]
    Withdrawals,
    /// One asset.
    #[n(2)]
    Asset(#[n(0)] AssetId),
    /// One realm.
    #[n(3)]
    Realm(#[n(0)] Realm),
    /// One account.
    #[n(4)]
    Account(#[n(0)] AccountId),
}

/// Shut the gate for a scope.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Suspend {
    /// What is shut.
    #[n(0)]
    pub scope: Scope,
}

/// What a quorum ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "target", rename_all = "kebab-case")]
pub enum LiftTarget {
    /// The suspension made by the act, or by the void entry, with this digest.
    #[n(0)]
    Suspension {
        /// The suspending act's digest; for a void entry its leaf hash.
        #[n(0)]
        by: Digest,
    },
    /// A keeper's latch.
    #[n(1)]
    Latch {
        /// The keeper.
        #[n(0)]
        keeper: KeeperId,
        /// The latch's id, as its alarm names it.
        #[n(1)]
        latch: Digest,
    },
    /// Every suspension in force that an entry up to this one made: what came after, the quorum has
    /// not seen.
    #[n(2)]
    SuspensionsUpTo {
        /// The index of the last entry whose suspension ends.
        #[n(0)]
        entry: u64,
    },
}

/// End a suspension or clear a latch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    /// What.
    #[n(0)]
    pub target: LiftTarget,
}

/// Let one withheld release go out by its unchanged plan.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// The withdraw act's digest.
    #[n(0)]
    pub release: Digest,
}

/// Give up one withheld release.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Void {
    /// The withdraw act's digest.
    #[n(0)]
    pub release: Digest,
}

/// Replace the limits.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct SetLimits {
    /// The digest of the limits in force, so that two proposals cannot both pass.
    #[n(0)]
    pub replaces: Digest,
    /// The new limits.
    #[n(1)]
    pub limits: Limits,
}

/// Replace the policy.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct SetPolicy {
    /// The digest of the policy in force, so that two proposals cannot both pass.
    #[n(0)]
    pub replaces: Digest,
    /// The new policy.
    #[n(1)]
    pub policy: Policy,
}

/// Make rates of publishers' quotes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct PublishRates {
    /// For each asset of as many publishers as make a rate.
    #[n(0)]
    pub quotes: Vec<SignedQuote>,
}

/// Replace the contact.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct ChangeContact {
    /// The commitment to the new sealed contact (`docs/spec/contact.md`).
    #[n(0)]
    pub contact: Digest,
}

impl ActKind {
    /// Restricting acts only take away; all others loosen.
    #[must_use]
    pub fn is_restricting(&self) -> bool {
        matches!(
            self,
            Self::Cancel(_)
                | Self::CancelAddress(_)
                | Self::Freeze
                | Self::RevokeFactor(_)
                | Self::RaiseEpoch(_)
                | Self::RevokeRole(_)
                | Self::Suspend(_)
                | Self::Veto(_)
        )
    }

    /// The address that money is to go to, by it or after it.
    #[must_use]
    pub const fn address(&self) -> Option<Address> {
        match self {
            Self::Withdraw(withdraw) => Some(withdraw.to),
            Self::AddAddress(add) => Some(add.address),
            _ => None,
        }
    }

    /// The name used in JSON, logs and tables.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::OpenAccount(_) => "open-account",
            Self::Withdraw(_) => "withdraw",
            Self::Cancel(_) => "cancel",
            Self::AddAddress(_) => "add-address",
            Self::CancelAddress(_) => "cancel-address",
            Self::Freeze => "freeze",
            Self::Unfreeze => "unfreeze",
            Self::EnrolFactor(_) => "enrol-factor",
            Self::RevokeFactor(_) => "revoke-factor",
            Self::RaiseEpoch(_) => "raise-epoch",
            Self::GrantRole(_) => "grant-role",
            Self::RevokeRole(_) => "revoke-role",
            Self::Approve(_) => "approve",
            Self::Suspend(_) => "suspend",
            Self::Lift(_) => "lift",
            Self::Resume(_) => "resume",
            Self::Void(_) => "void",
            Self::SetLimits(_) => "set-limits",
            Self::SetPolicy(_) => "set-policy",
            Self::SetLabels(_) => "set-labels",
            Self::PublishRates(_) => "publish-rates",
            Self::Recover(_) => "recover",
            Self::Veto(_) => "veto",
            Self::RecoverAdministrators(_) => "recover-administrators",
            Self::Rotate(_) => "rotate",
            Self::ChangeContact(_) => "change-contact",
            Self::AddPrincipal(_) => "add-principal",
            Self::RemovePrincipal(_) => "remove-principal",
            Self::SetAccountQuorum(_) => "set-account-quorum",
        }
    }
}
