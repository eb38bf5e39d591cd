//! Identifiers. All are opaque: nothing about a person can be read from them.

use crate::codec::hex_array;
use minicbor::{Decode, Encode};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);
        hex_array!($name, 16);
    };
}

id! {
    /// A subject's holdings on the platform.
    AccountId
}
id! {
    /// The person or organisation whose money or data is held.
    SubjectId
}
id! {
    /// Who acts.
    PrincipalId
}
id! {
    /// An act's random id.
    ActId
}
id! {
    /// A factor: the first half of the digest of what identifies it (see [`crate::factor::NewFactor::id`]).
    FactorId
}
id! {
    /// A wallet whose keys a signer holds.
    WalletId
}
id! {
    /// A keeper named in genesis.
    KeeperId
}
id! {
    /// An issuer of attestations named in genesis.
    IssuerId
}
id! {
    /// A stop board named in genesis.
    BoardId
}
id! {
    /// The platform's own ledger entry that debited the account; consumed once, for ever.
    LedgerEntryId
}
id! {
    /// An issuer's own id of one thing that it attested; consumed once, for ever.
    AttestationId
}
