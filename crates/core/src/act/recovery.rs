//! Acts about what was lost: a customer's factors, the administrators, a key.

use crate::codec::encode;
use crate::digest::{Digest, Domain};
use crate::factor::{NewFactor, factor_id};
use crate::genesis::{Issuer, MAX_ROOTS_QUORUM, Witnesses};
use crate::id::{IssuerId, KeeperId, PrincipalId};
use crate::signature::PublicKey;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Bring a new factor for a holder who has lost others. The act's account is the holder's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Recover {
    /// The holder.
    #[n(0)]
    pub principal: PrincipalId,
    /// The new factor.
    #[n(1)]
    pub factor: NewFactor,
}

/// Object to the waiting recovery with this digest.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Veto {
    /// The act's digest.
    #[n(0)]
    pub act: Digest,
}

/// Replace all administrators. Counts only with attestations of enough roots.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RecoverAdministrators {
    /// The digest of the administration in force, so that two cannot both pass.
    #[n(0)]
    pub replaces: Digest,
    /// The new administrators: those of before have the role no more, and none of their factors.
    #[n(1)]
    pub administrators: Vec<NewAdministrator>,
    /// How many of them loosen together; more than half.
    #[n(2)]
    pub quorum: u32,
}

/// An administrator to be, who may be a member of staff already.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct NewAdministrator {
    /// Who.
    #[n(0)]
    pub principal: PrincipalId,
    /// The factors, each new.
    #[n(1)]
    pub factors: Vec<NewFactor>,
}

/// Who loosens, and who could replace them: what a recovery of the administrators is made for.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
#[cbor(map)]
pub struct Administration {
    /// The administrators, ordered.
    #[n(0)]
    pub administrators: Vec<PrincipalId>,
    /// How many of them loosen together.
    #[n(1)]
    pub quorum: u32,
    /// The roots, and how many of them recover.
    #[n(2)]
    pub roots: Roots,
}

impl Administration {
    /// The digest that the act replacing it names.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::Administration, &encode(self))
    }
}

/// The offline keys that recover the administrators.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Roots {
    /// The keys.
    #[n(0)]
    pub keys: Vec<PublicKey>,
    /// How many of them must sign.
    #[n(1)]
    pub quorum: u32,
}

impl Roots {
    /// Each stands there once, and a quorum of them fits into one act's evidence.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let ids: BTreeSet<IssuerId> = self.keys.iter().map(root_id).collect();
        let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        ids.len() == self.keys.len() && (1..=count.min(MAX_ROOTS_QUORUM)).contains(&self.quorum)
    }

    /// The root with this id.
    #[must_use]
    pub fn key(&self, id: IssuerId) -> Option<&PublicKey> {
        self.keys.iter().find(|key| root_id(key) == id)
    }
}

/// The id under which a root attests: that of its key.
#[must_use]
pub fn root_id(key: &PublicKey) -> IssuerId {
    IssuerId(factor_id(&encode(key)).0)
}

/// Put other keys in the place of those that genesis, or an earlier rotation, named.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// The digest of the keys in force in that place, so that two proposals cannot both pass.
    #[n(0)]
    pub replaces: Digest,
    /// The new ones.
    #[n(1)]
    pub keys: Keys,
}

/// The keys of one place in genesis. A list is replaced as a whole: whoever is not in it any more is
/// retired.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Keys {
    /// The issuers of attestations.
    #[n(0)]
    Issuers {
        /// All of them.
        #[n(0)]
        issuers: Vec<Issuer>,
    },
    /// The roots.
    #[n(2)]
    Roots {
        /// All of them, and how many must sign.
        #[n(0)]
        roots: Roots,
    },
    /// The key that a keeper signs statements with.
    #[n(3)]
    Keeper {
        /// Which keeper.
        #[n(0)]
        keeper: KeeperId,
        /// Its key.
        #[n(1)]
        key: PublicKey,
    },
    /// The witnesses. Those of before cosign for the last time the journal that ends with the rotation.
    #[n(4)]
    Witnesses {
        /// All of them, and how many must cosign.
        #[n(0)]
        witnesses: Witnesses,
    },
    /// The journal's own key. The one of before signs for the last time the journal that ends with the rotation.
    #[n(1)]
    Log {
        /// It, as a C2SP vkey under the log's origin.
        #[n(0)]
        vkey: String,
    },
}

impl Keys {
    /// The digest that the act replacing them names.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::Keys, &encode(self))
    }
}
