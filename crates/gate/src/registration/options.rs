//! What a client is asked for: `PublicKeyCredentialCreationOptionsJSON` (WebAuthn Level 3, section 5.1.8).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::passkey::CredentialId;
use serde::{Deserialize, Serialize, Serializer};

/// COSE algorithms, the better supported first (RFC 9053, section 2).
const ALGORITHMS: [i64; 2] = [-7, -8];

/// Five minutes, as WebAuthn recommends where the user is verified.
const TIMEOUT_MILLISECONDS: u32 = 300_000;

/// Whose passkey it is to be. Names are shown by the authenticator and kept nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registrant {
    /// The account or principal, by its opaque id: at most 64 bytes, nothing about a person.
    #[serde(serialize_with = "base64url")]
    pub id: Vec<u8>,
    /// A name to tell accounts apart by.
    pub name: String,
    /// A name to be addressed by; may be empty.
    pub display_name: String,
}

/// Whether the client is to say what make the authenticator is. Asking makes browsers ask the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Conveyance {
    /// No.
    #[default]
    None,
    /// Yes, as the authenticator says it.
    Direct,
}

/// Options for `navigator.credentials.create()`, to be relayed unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    rp: RelyingPartyEntity,
    user: Registrant,
    #[serde(serialize_with = "base64url")]
    challenge: [u8; 32],
    pub_key_cred_params: [Parameters; 2],
    timeout: u32,
    exclude_credentials: Vec<Descriptor>,
    authenticator_selection: Selection,
    attestation: Conveyance,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct RelyingPartyEntity {
    id: String,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Parameters {
    r#type: &'static str,
    alg: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Descriptor {
    r#type: &'static str,
    id: CredentialId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Selection {
    resident_key: &'static str,
    require_resident_key: bool,
    user_verification: &'static str,
}

const KEY: &str = "public-key";

impl CreationOptions {
    /// Options under a fresh `challenge` for the relying party id `rp_id`, which pages show as `rp_name`.
    #[must_use]
    pub fn new(rp_id: &str, rp_name: &str, user: Registrant, challenge: [u8; 32]) -> Self {
        Self {
            rp: RelyingPartyEntity {
                id: rp_id.into(),
                name: rp_name.into(),
            },
            user,
            challenge,
            pub_key_cred_params: ALGORITHMS.map(|alg| Parameters { r#type: KEY, alg }),
            timeout: TIMEOUT_MILLISECONDS,
            exclude_credentials: Vec::new(),
            authenticator_selection: Selection {
                resident_key: "preferred",
                require_resident_key: false,
                user_verification: "required",
            },
            attestation: Conveyance::None,
        }
    }

    /// Keep an authenticator from making a second credential beside one of these.
    #[must_use]
    pub fn excluding(mut self, credentials: impl IntoIterator<Item = CredentialId>) -> Self {
        let descriptors = credentials
            .into_iter()
            .map(|id| Descriptor { r#type: KEY, id });
        self.exclude_credentials = descriptors.collect();
        self
    }

    /// Ask what make the authenticator is, or not.
    #[must_use]
    pub fn conveying(mut self, attestation: Conveyance) -> Self {
        self.attestation = attestation;
        self
    }
}

fn base64url<S: Serializer>(bytes: &impl AsRef<[u8]>, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
}
