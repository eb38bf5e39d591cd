//! Acts on who may act for an account.

use crate::factor::NewFactor;
use crate::id::PrincipalId;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Give the account one more principal, with its first factor.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct AddPrincipal {
    /// Who.
    #[n(0)]
    pub principal: PrincipalId,
    /// What proves it, after the account's delay: a key.
    #[n(1)]
    pub factor: NewFactor,
}

/// Take a principal from the account, with all its factors.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RemovePrincipal {
    /// Who.
    #[n(0)]
    pub principal: PrincipalId,
}

/// Say how many principals of the account loosen together.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct SetAccountQuorum {
    /// How many do now, so that two proposals cannot both pass.
    #[n(0)]
    pub replaces: u32,
    /// How many are to: another number, at least one.
    #[n(1)]
    pub quorum: u32,
}
