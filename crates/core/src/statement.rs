//! Statements: what a keeper says, signed. Those about a release are its receipt.

use crate::codec::encode;
use crate::digest::{Digest, Domain};
use crate::id::{FactorId, KeeperId};
use crate::signature::{PublicKey, Signature, Verify};
use crate::state::batch::CoinId;
use minicbor::{Decode, Encode};
use portcullis_chains::Amount;
use portcullis_chains::caip::AssetId;
use serde::{Deserialize, Serialize};

/// A keeper's statement with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct SignedStatement {
    /// What is said.
    #[n(0)]
    pub statement: Statement,
    /// Over `"portcullis/statement/v1" ‖ 0x00 ‖ CBOR(statement)`.
    #[n(1)]
    pub signature: Signature,
}

/// What a keeper says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The network.
    #[n(0)]
    pub genesis: Digest,
    /// Who says it.
    #[n(1)]
    pub keeper: KeeperId,
    /// What.
    #[n(2)]
    pub says: Says,
}

/// The things that a keeper says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "says", rename_all = "kebab-case")]
pub enum Says {
    /// The hard caps of its own configuration, so that limits can be checked against them.
    #[n(0)]
    Caps {
        /// One for each asset that it signs for.
        #[n(0)]
        caps: Vec<Cap>,
        /// Which of its statements of caps this is: only a higher number replaces what is known, so
        /// that nobody can have an old one journaled again.
        #[n(1)]
        number: u64,
    },
    /// It signed a plan: the receipt.
    #[n(1)]
    Signed {
        /// The released act.
        #[n(0)]
        act: Digest,
        /// The index of the release entry.
        #[n(1)]
        entry: u64,
        /// The running digest of effects after that entry, as the keeper computed it.
        #[n(2)]
        effects: Digest,
        /// The plan.
        #[n(3)]
        plan: Digest,
        /// The signed transaction's bytes.
        #[cbor(n(4), with = "minicbor::bytes")]
        #[serde(with = "crate::text::base64url")]
        transaction: Vec<u8>,
    },
    /// The transaction is in the chain with the confirmations that the keeper asks for.
    #[n(2)]
    Confirmed {
        /// The released act.
        #[n(0)]
        act: Digest,
        /// The transaction's hash.
        #[n(1)]
        transaction: Digest,
        /// The block's number.
        #[n(2)]
        block: u64,
        /// The block's hash.
        #[n(3)]
        block_hash: Digest,
    },
    /// The transaction is in the chain and moved nothing.
    #[n(3)]
    Reverted {
        /// The released act.
        #[n(0)]
        act: Digest,
        /// The transaction's hash.
        #[n(1)]
        transaction: Digest,
        /// The block's number.
        #[n(2)]
        block: u64,
        /// The block's hash.
        #[n(3)]
        block_hash: Digest,
    },
    /// It has the suspension and signs nothing in its scope.
    #[n(4)]
    Stopped {
        /// The suspending act's digest.
        #[n(0)]
        suspension: Digest,
    },
    /// It latched: it signs nothing more until a quorum lifts the latch by its id.
    #[n(5)]
    Latched {
        /// The latch's id.
        #[n(0)]
        latch: Digest,
        /// Why.
        #[n(1)]
        condition: Condition,
    },
    /// It handed the notice of an act to one mail or webhook server, which accepted it. Only a herald's
    /// word counts, and only for a delay that waits for it.
    #[n(6)]
    Told {
        /// The act.
        #[n(0)]
        act: Digest,
        /// The entry that the notice told of. One act can begin two delays: with the entry that has it wait, and
        /// with the one by which it takes effect. To have told of the first is not to have told of the second.
        #[n(1)]
        entry: u64,
    },
    /// The TOTP code for an act is its factor's, of this step. Only a herald's word counts, and only while
    /// the act waits for it.
    #[n(9)]
    CodeRight {
        /// The act.
        #[n(0)]
        act: Digest,
        /// The factor.
        #[n(1)]
        factor: FactorId,
        /// The step: seconds since the Unix epoch, by thirty.
        #[n(2)]
        step: u32,
    },
    /// The TOTP code for an act is none of its factor's, or of a step that has served.
    #[n(10)]
    CodeWrong {
        /// The act.
        #[n(0)]
        act: Digest,
        /// The factor.
        #[n(1)]
        factor: FactorId,
    },
    /// It has signed no plan of a batch and never will: what all of them spend first has gone from the chain.
    #[n(11)]
    Declined {
        /// The batch's leader.
        #[n(0)]
        act: Digest,
        /// What every plan of it spends first.
        #[n(1)]
        shared: CoinId,
    },
}

impl Says {
    /// The name used in logs and tables.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Caps { .. } => "caps",
            Self::Signed { .. } => "signed",
            Self::Confirmed { .. } => "confirmed",
            Self::Reverted { .. } => "reverted",
            Self::Stopped { .. } => "stopped",
            Self::Latched { .. } => "latched",
            Self::Told { .. } => "told",
            Self::CodeRight { .. } => "code-right",
            Self::CodeWrong { .. } => "code-wrong",
            Self::Declined { .. } => "declined",
        }
    }
}

/// Why a keeper latches. Each raises an alarm of the same name.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Two cosigned histories exist. Only a new genesis clears it.
    #[n(0)]
    Fork,
    /// The journal is shorter than it was.
    #[n(1)]
    Shrunk,
    /// An entry releases what the keeper's own decision would not.
    #[n(2)]
    ReleaseWithoutEvidence,
    /// A posted stop was not journaled within 60 s while cosignatures were fresh.
    #[n(3)]
    StopWithheld,
    /// Somebody shut it on its own host: `portcullis signer shut`, `herald shut`.
    #[n(4)]
    Shut,
}

impl Condition {
    /// The alarm's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Shrunk => "shrunk",
            Self::ReleaseWithoutEvidence => "release-without-evidence",
            Self::StopWithheld => "stop-withheld",
            Self::Shut => "shut",
        }
    }
}

/// A keeper's hard cap for an asset.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// The asset.
    #[n(0)]
    pub asset: AssetId,
    /// The largest single release.
    #[n(1)]
    pub per_transaction: Amount,
    /// The most within any 24 hours.
    #[n(2)]
    pub day: Amount,
}

impl Statement {
    /// The bytes that the keeper signs.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        Domain::Statement.signed_bytes(&encode(self))
    }
}

impl SignedStatement {
    /// Whether the keeper with `key` said it.
    #[must_use]
    pub fn is_by(&self, key: &PublicKey, verify: &dyn Verify) -> bool {
        verify.verify(key, &self.statement.signed_bytes(), &self.signature)
    }
}
