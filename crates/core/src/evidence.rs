//! Evidence: what proves authority for exactly one act.

use crate::code::Code;
use crate::codec::encode;
use crate::digest::{Digest, Domain};
use crate::genesis::IssuerKind;
use crate::id::{AttestationId, BoardId, IssuerId, LedgerEntryId};
use crate::passkey::Assertion;
use crate::request::{ReadRequest, RequestFault, SignedRequest};
use crate::signature::{PublicKey, Signature, Verify};
use crate::time::Time;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Most assertions, requests or attestations with one act.
pub const MAX_PIECES: usize = 8;

/// All that came with an act, or came later for a held one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields, default)]
pub struct Evidence {
    /// Signed requests: the back end's that relayed the act, the acting principal's own.
    #[n(0)]
    pub requests: Vec<SignedRequest>,
    /// Passkey assertions over the act's digest.
    #[n(1)]
    pub assertions: Vec<Assertion>,
    /// Statements of issuers over the act's digest.
    #[n(2)]
    pub attestations: Vec<Attestation>,
    /// Where a stop board took the act: its stamp.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posted: Option<Stamp>,
    /// A one-time code for the act.
    #[n(6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The herald's signature over the act, where a link in a notice is what asks ([`crate::link`]).
    #[n(7)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Signature>,
}

impl Evidence {
    /// Its requests, read, in their order.
    pub(crate) fn read(&self) -> Vec<Result<ReadRequest, RequestFault>> {
        self.requests.iter().map(SignedRequest::read).collect()
    }

    /// Whether it is what vendors say of the act and nothing else. Their signatures are all that it
    /// takes: nobody has to bring it.
    pub(crate) fn is_vendors_alone(&self) -> bool {
        let by_vendor = |attestation: &Attestation| attestation.statement.claim.id().is_some();
        self.requests.is_empty()
            && self.assertions.is_empty()
            && !self.attestations.is_empty()
            && self.attestations.iter().all(by_vendor)
    }
}

/// A statement over an act's digest by an issuer that is in force.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// What is stated.
    #[n(0)]
    pub statement: AttestationStatement,
    /// The issuer's signature over `"portcullis/attestation/v1" ‖ 0x00 ‖ CBOR(statement)`.
    #[n(1)]
    pub signature: Signature,
}

/// The signed part of an attestation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct AttestationStatement {
    /// Who states it.
    #[n(0)]
    pub issuer: IssuerId,
    /// About which act.
    #[n(1)]
    pub act: Digest,
    /// It cannot be submitted from this moment on.
    #[n(2)]
    pub expires: Time,
    /// What it says.
    #[n(3)]
    pub claim: Claim,
}

/// What an issuer can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "claim", rename_all = "kebab-case")]
pub enum Claim {
    /// The factor in the act belongs to the account's holder.
    #[n(0)]
    Onboarding,
    /// The account was debited by the act's amount.
    #[n(1)]
    LedgerDebit {
        /// The ledger's entry.
        #[n(0)]
        entry: LedgerEntryId,
    },
    /// The identity vendor has seen that whoever brings the factor in the act is the account's holder.
    #[n(2)]
    Identity,
    /// A root stands behind the act; its issuer is the root's id.
    #[n(3)]
    Root,
    /// A screening vendor has looked at whom the act names.
    #[n(4)]
    Screening {
        /// The vendor's own id of it.
        #[n(0)]
        id: AttestationId,
        /// What it found.
        #[n(1)]
        finding: Finding,
        /// Digest of the vendor's report, which stays with the platform.
        #[n(2)]
        report: Digest,
    },
    /// The travel rule's message about the act has been exchanged.
    #[n(5)]
    TravelRule {
        /// The issuer's own id of it.
        #[n(0)]
        id: AttestationId,
        /// Digest of the IVMS101 message, which stays with the platform.
        #[n(1)]
        message: Digest,
    },
}

/// What a screening found, the worse the later.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Nothing against it.
    #[n(0)]
    Pass,
    /// Somebody has to look at it.
    #[n(1)]
    Refer,
    /// It must not be.
    #[n(2)]
    Block,
}

impl Finding {
    /// The name that policies use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Refer => "refer",
            Self::Block => "block",
        }
    }
}

impl Claim {
    /// Of which kind an issuer has to be to say it; none where a root says it.
    #[must_use]
    pub const fn issuer(&self) -> Option<IssuerKind> {
        match self {
            Self::Onboarding => Some(IssuerKind::Onboarding),
            Self::LedgerDebit { .. } => Some(IssuerKind::Ledger),
            Self::Identity => Some(IssuerKind::Identity),
            Self::Root => None,
            Self::Screening { .. } => Some(IssuerKind::Screening),
            Self::TravelRule { .. } => Some(IssuerKind::TravelRule),
        }
    }

    /// The issuer's own id of it, which serves once; none where what is said cannot serve twice.
    #[must_use]
    pub const fn id(&self) -> Option<AttestationId> {
        match self {
            Self::Screening { id, .. } | Self::TravelRule { id, .. } => Some(*id),
            Self::Onboarding | Self::LedgerDebit { .. } | Self::Identity | Self::Root => None,
        }
    }
}

impl AttestationStatement {
    /// The bytes that the issuer signs.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        Domain::Attestation.signed_bytes(&encode(self))
    }
}

/// A stop board's word that it took a restricting act at a time.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// Which board.
    #[n(0)]
    pub board: BoardId,
    /// When.
    #[n(1)]
    pub time: Time,
    /// The board's signature over `"portcullis/board/v1" ‖ 0x00 ‖ CBOR([board, act digest, time])`.
    #[n(2)]
    pub signature: Signature,
}

impl Stamp {
    /// The bytes that the board signs.
    #[must_use]
    pub fn signed_bytes(board: BoardId, act: Digest, time: Time) -> Vec<u8> {
        Domain::Board.signed_bytes(&encode(&(board, act, time)))
    }

    /// Whether the board with `key` said so of `act`.
    #[must_use]
    pub fn is_of(&self, act: Digest, key: &PublicKey, verify: &dyn Verify) -> bool {
        verify.verify(
            key,
            &Self::signed_bytes(self.board, act, self.time),
            &self.signature,
        )
    }
}
