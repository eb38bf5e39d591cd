//! What can be wrong with a registration.

use portcullis_core::Reason;
use portcullis_core::passkey::PasskeyFault;
use portcullis_core::signature::KeyFault;

/// Why a registration yields no credential, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationFault {
    /// A part is larger than is accepted; nothing was parsed.
    #[error("a part of the registration is too large; send what the client returned")]
    Size,
    /// Client data or authenticator data are not as WebAuthn or the relying party demand.
    #[error(transparent)]
    Passkey(#[from] PasskeyFault),
    /// The attestation object is not the CBOR map that WebAuthn section 6.5.4 describes.
    #[error("the attestation object is malformed; relay its bytes unchanged")]
    AttestationObject,
    /// The authenticator data carry no attested credential, or a malformed one.
    #[error("the authenticator data carry no well-formed credential")]
    Credential,
    /// The credential is of an algorithm that was not offered (a COSE algorithm number).
    #[error("COSE algorithm {0} is not accepted; offer -7 (ES256) and -8 (EdDSA)")]
    Algorithm(i64),
    /// The public key is none.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The attestation statement has not the members of its format.
    #[error("the attestation statement has not the members of its format")]
    Statement,
    /// The credential id beside the attestation object is not the one inside.
    #[error("the credential id is not that of the attestation object")]
    OtherCredential,
    /// The attestation statement's signature does not hold.
    #[error("the attestation statement's signature does not hold")]
    Proof,
    /// The authenticator did not verify its user.
    #[error("the authenticator did not verify its user; ask with userVerification required")]
    NotVerified,
}

impl RegistrationFault {
    /// The refusal that follows.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Size => Reason::TooLarge,
            Self::Passkey(fault) => fault.reason(),
            Self::AttestationObject | Self::Credential | Self::Statement => {
                Reason::CredentialMalformed
            }
            Self::Algorithm(_) | Self::Key(_) => Reason::CredentialAlgorithm,
            Self::OtherCredential => Reason::CredentialOther,
            Self::Proof => Reason::CredentialProof,
            Self::NotVerified => Reason::PasskeyNotVerified,
        }
    }
}
