#![doc = include_str!("../../../docs/spec/passkey.md")]

pub mod authenticator_data;
pub mod client_data;
mod fault;
mod party;

pub use fault::PasskeyFault;
pub use party::{PartyFault, RelyingParty};

use crate::signature::{PublicKey, Signature, Verify};
use authenticator_data::{Flags, Header};
use client_data::Ceremony;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Longest credential id, in bytes (WebAuthn, section 5.1).
pub const MAX_CREDENTIAL_ID: usize = 1023;
/// Longest authenticator data in an assertion, in bytes: 37 and some extensions.
pub const MAX_AUTHENTICATOR_DATA: usize = 1024;
/// Longest client data, in bytes: two origins and what browsers add.
pub const MAX_CLIENT_DATA: usize = 2048;

/// What an authenticator signed about one challenge, as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// Which credential signed; the caller looks its public key up by this.
    #[n(0)]
    pub credential: CredentialId,
    /// `authenticatorData`, byte for byte.
    #[cbor(n(1), with = "minicbor::bytes")]
    #[serde(with = "crate::text::base64url")]
    pub authenticator_data: Vec<u8>,
    /// `clientDataJSON`, byte for byte.
    #[cbor(n(2), with = "minicbor::bytes")]
    #[serde(with = "crate::text::base64url")]
    pub client_data: Vec<u8>,
    /// Over `authenticatorData ‖ SHA-256(clientDataJSON)`, normalised.
    #[n(3)]
    pub signature: Signature,
}

/// What an authenticator calls a credential: 1 to 1,023 bytes.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct CredentialId(
    #[cbor(n(0), with = "minicbor::bytes")]
    #[serde(with = "crate::text::base64url")]
    pub Vec<u8>,
);

/// What is known of the credential that an assertion names.
#[derive(Clone, Copy, Debug)]
pub struct Credential<'a> {
    /// Its public key.
    pub key: &'a PublicKey,
    /// The signature counter that has to be passed: the highest seen, and zero where the authenticator
    /// keeps none or any will do.
    pub counter: u32,
}

/// An assertion that passed every check. Only [`check`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified<'a> {
    rp_id: &'a str,
    counter: u32,
    flags: Flags,
}

impl<'a> Verified<'a> {
    /// The relying party id that the credential is scoped to.
    #[must_use]
    pub const fn rp_id(&self) -> &'a str {
        self.rp_id
    }

    /// The signature counter to remember.
    #[must_use]
    pub const fn counter(&self) -> u32 {
        self.counter
    }

    /// Whether the credential may be copied to other devices by its provider.
    #[must_use]
    pub const fn backup_eligible(&self) -> bool {
        self.flags.backup_eligible()
    }

    /// Whether it has been.
    #[must_use]
    pub const fn backed_up(&self) -> bool {
        self.flags.backed_up()
    }
}

/// The challenge of an act: `SHA-256("portcullis/passkey/v1" ‖ 0x00 ‖ act digest)`.
#[must_use]
pub fn challenge_for(act_digest: &[u8; 32]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"portcullis/passkey/v1\0");
    hash.update(act_digest);
    hash.finalize().into()
}

/// Check an assertion; the first fault in [`PasskeyFault`]'s order wins.
///
/// The user's verification and the counter are judged after the signature, so that those two faults
/// are the authenticator's own word and a copied authenticator can be told from a forged message.
pub fn check<'a>(
    assertion: &Assertion,
    credential: &Credential<'_>,
    party: &'a RelyingParty,
    challenge: &[u8],
    verify: &dyn Verify,
) -> Result<Verified<'a>, PasskeyFault> {
    check_sizes(assertion)?;
    client_data::check(&assertion.client_data, Ceremony::Get, challenge, party)?;
    let header = assertion_header(&assertion.authenticator_data)?;
    let rp_id = header.check(party)?;
    if !verify.verify(
        credential.key,
        &signed_bytes(assertion),
        &assertion.signature,
    ) {
        return Err(PasskeyFault::Signature);
    }
    if !header.flags.user_verified() {
        return Err(PasskeyFault::NotVerified);
    }
    check_counter(header.counter, credential.counter)?;
    Ok(Verified {
        rp_id,
        counter: header.counter,
        flags: header.flags,
    })
}

fn check_sizes(assertion: &Assertion) -> Result<(), PasskeyFault> {
    let id = assertion.credential.0.len();
    let fits = (1..=MAX_CREDENTIAL_ID).contains(&id)
        && assertion.authenticator_data.len() <= MAX_AUTHENTICATOR_DATA
        && assertion.client_data.len() <= MAX_CLIENT_DATA;
    if fits {
        Ok(())
    } else {
        Err(PasskeyFault::Size)
    }
}

fn assertion_header(bytes: &[u8]) -> Result<Header, PasskeyFault> {
    let (header, rest) = Header::split(bytes)?;
    if header.flags.attested() {
        return Err(PasskeyFault::AttestedData);
    }
    header.check_extensions(rest)?;
    Ok(header)
}

fn signed_bytes(assertion: &Assertion) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(assertion.authenticator_data.len() + 32);
    bytes.extend_from_slice(&assertion.authenticator_data);
    bytes.extend_from_slice(&Sha256::digest(&assertion.client_data));
    bytes
}

/// Both zero: the authenticator keeps no counter. Otherwise it must have risen.
fn check_counter(new: u32, known: u32) -> Result<(), PasskeyFault> {
    if new > known || (new == 0 && known == 0) {
        Ok(())
    } else {
        Err(PasskeyFault::Counter)
    }
}
