//! Plans: the exact thing released. A signer signs these bytes or nothing.

use crate::codec::encode;
use crate::digest::{Digest, Domain};
use crate::id::WalletId;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The unsigned transaction, and the wallet that is to sign it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Plan {
    /// The paying wallet.
    #[n(0)]
    pub wallet: WalletId,
    /// The transaction's unsigned bytes: `0x02 ‖ rlp(…)` of EIP-1559; on Bitcoin a PSBT (BIP 174, version 0) with
    /// the claimed output of each input.
    #[cbor(n(1), with = "minicbor::bytes")]
    #[serde(with = "crate::text::base64url")]
    pub unsigned: Vec<u8>,
}

impl Plan {
    /// The plan's digest, as statements and the once-only record name it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::Plan, &encode(self))
    }
}
