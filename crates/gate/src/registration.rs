//! Registering a passkey: the ceremony before the enrol act.
//!
//! A registration shows that a client at one of the realm's origins made a credential under a
//! challenge of this ceremony. It enrols nothing: the enrol act that follows carries the public key
//! and is what an older factor, or the onboarding key, signs. What is said here of the
//! authenticator's make is the gate's word to whoever reads it, and releases nothing.
//! `docs/design/010-registering-passkeys.md` says why this is our own code.

mod attestation;
mod credential;
mod fault;
mod options;
mod statement;

pub use attestation::AttestationObject;
pub use credential::{AttestedCredential, cose_key};
pub use fault::RegistrationFault;
pub use options::{Conveyance, CreationOptions, Registrant};
pub use statement::{Format, Proof, Statement};

use portcullis_core::factor::NewFactor;
use portcullis_core::passkey::client_data::{self, Ceremony};
use portcullis_core::passkey::{CredentialId, MAX_CLIENT_DATA, RelyingParty};
use portcullis_core::signature::PublicKey;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Longest attestation object, in bytes: a chain of certificates and a TPM's statement fit.
pub const MAX_ATTESTATION_OBJECT: usize = 16_384;

/// What a client returns from `navigator.credentials.create()`: `RegistrationResponseJSON` of
/// WebAuthn Level 3, section 5.1. Members that decide nothing are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationResponse {
    /// The credential id.
    pub raw_id: CredentialId,
    /// What the authenticator said.
    pub response: AttestationResponse,
}

/// The inner part of a [`RegistrationResponse`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AttestationResponse {
    /// `clientDataJSON`, byte for byte.
    #[serde(rename = "clientDataJSON", with = "portcullis_core::text::base64url")]
    pub client_data: Vec<u8>,
    /// `attestationObject`, byte for byte.
    #[serde(
        rename = "attestationObject",
        with = "portcullis_core::text::base64url"
    )]
    pub attestation_object: Vec<u8>,
}

/// A credential whose registration passed every check. Only [`finish`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registered {
    /// The credential id.
    pub credential: CredentialId,
    /// The public key.
    pub key: PublicKey,
    /// The relying party id that the credential is scoped to.
    pub rp_id: String,
    /// The signature counter to begin with.
    pub counter: u32,
    /// Whether the credential may be copied to other devices by its provider.
    pub backup_eligible: bool,
    /// Whether it has been.
    pub backed_up: bool,
    /// Which model of authenticator this claims to be; all zero where the client hides it.
    pub aaguid: [u8; 16],
    /// The attestation statement format.
    pub format: Format,
    /// What the attestation statement proved.
    pub proof: Proof,
}

impl Registered {
    /// The factor for an enrol act to carry.
    #[must_use]
    pub fn factor(&self) -> NewFactor {
        NewFactor::Passkey {
            credential: self.credential.0.clone(),
            rp_id: self.rp_id.clone(),
            key: self.key.clone(),
        }
    }
}

/// Check a registration made under `challenge`; the first fault in [`RegistrationFault`]'s order wins.
///
/// The challenge is the caller's: 32 random bytes for this ceremony, taken once.
pub fn finish(
    returned: &RegistrationResponse,
    party: &RelyingParty,
    challenge: &[u8],
) -> Result<Registered, RegistrationFault> {
    let AttestationResponse {
        client_data,
        attestation_object,
    } = &returned.response;
    if client_data.len() > MAX_CLIENT_DATA || attestation_object.len() > MAX_ATTESTATION_OBJECT {
        return Err(RegistrationFault::Size);
    }
    client_data::check(client_data, Ceremony::Create, challenge, party)?;
    let object = AttestationObject::parse(attestation_object)?;
    let rp_id = object.header.check(party)?.to_string();
    if object.credential.id != returned.raw_id {
        return Err(RegistrationFault::OtherCredential);
    }
    let proof = object.prove(&Sha256::digest(client_data).into())?;
    if !object.header.flags.user_verified() {
        return Err(RegistrationFault::NotVerified);
    }
    let AttestationObject {
        header,
        credential,
        statement,
        ..
    } = object;
    Ok(Registered {
        credential: credential.id,
        key: credential.key,
        rp_id,
        counter: header.counter,
        backup_eligible: header.flags.backup_eligible(),
        backed_up: header.flags.backed_up(),
        aaguid: credential.aaguid,
        format: statement.format,
        proof,
    })
}
