//! What can be wrong with an assertion, in order of precedence.

use crate::reason::Reason;

/// Why an assertion is no evidence. The order is that of the checks: an assertion with several
/// faults is refused for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum PasskeyFault {
    /// A part is empty or larger than is accepted; nothing was parsed.
    #[error("a part of the assertion is empty or too large; send what the client returned")]
    Size,
    /// The client data is not serialised as WebAuthn section 5.8.1.1 demands.
    #[error("clientDataJSON is not as WebAuthn clients serialise it; relay its bytes unchanged")]
    ClientData,
    /// The client data is of another ceremony.
    #[error("clientDataJSON is of another type of ceremony")]
    Type,
    /// Made over another challenge: it is evidence for something else.
    #[error("the challenge is another one; ask for an assertion over this act")]
    Challenge,
    /// Made at an origin that the relying party does not name.
    #[error("the origin is not the relying party's: phishing, or genesis misses an origin")]
    Origin,
    /// Made in a frame of another origin, and the client does not say whose.
    #[error("made in a foreign frame whose top origin the client does not name")]
    CrossOrigin,
    /// Made in a frame whose top origin the relying party does not name.
    #[error("made in a frame under a top origin that is not the relying party's")]
    TopOrigin,
    /// Shorter than 37 bytes, or longer than its flags explain.
    #[error("authenticatorData is not of the length that its flags say")]
    AuthenticatorData,
    /// Attested credential data, which belongs to a registration.
    #[error("authenticatorData is of a registration, not of an assertion")]
    AttestedData,
    /// The extensions are not one CBOR map with text keys.
    #[error("the extensions in authenticatorData are not one CBOR map")]
    Extensions,
    /// For another relying party id.
    #[error("for another relying party id")]
    RelyingParty,
    /// A reserved flag is set.
    #[error("authenticatorData has a flag set whose meaning is not defined")]
    ReservedFlags,
    /// Backed up, yet not eligible for backup.
    #[error("the credential says that it is backed up and that it cannot be")]
    BackupFlags,
    /// The authenticator did not test its user's presence.
    #[error("the authenticator did not see its user")]
    NotPresent,
    /// The signature does not hold under the credential's key.
    #[error("the signature does not hold under the credential's public key")]
    Signature,
    /// The authenticator did not verify its user (PIN, fingerprint, face).
    #[error("the authenticator did not verify its user; ask with userVerification required")]
    NotVerified,
    /// The counter did not rise.
    #[error("the signature counter did not rise; the authenticator may have been copied")]
    Counter,
}

impl PasskeyFault {
    /// The refusal that follows.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Size => Reason::TooLarge,
            Self::ClientData
            | Self::AuthenticatorData
            | Self::AttestedData
            | Self::Extensions
            | Self::ReservedFlags
            | Self::BackupFlags => Reason::PasskeyMalformed,
            Self::Type => Reason::PasskeyType,
            Self::Challenge => Reason::PasskeyChallenge,
            Self::Origin => Reason::PasskeyOrigin,
            Self::CrossOrigin | Self::TopOrigin => Reason::PasskeyCrossOrigin,
            Self::RelyingParty => Reason::PasskeyRelyingParty,
            Self::NotPresent => Reason::PasskeyNotPresent,
            Self::Signature => Reason::PasskeySignature,
            Self::NotVerified => Reason::PasskeyNotVerified,
            Self::Counter => Reason::PasskeyCounter,
        }
    }
}
