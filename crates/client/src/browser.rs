//! What a page sends back: an assertion as browsers write it, made evidence.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::passkey::{Assertion, CredentialId};
use portcullis_core::signature::{Signature, SignatureFault};
use serde::Deserialize;

/// `AuthenticationResponseJSON` (WebAuthn Level 3, section 5.1.8), as `PublicKeyCredential.toJSON()`
/// writes it. What of it is no evidence is not read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BrowserAssertion {
    raw_id: CredentialId,
    response: Response,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Response {
    #[serde(
        rename = "authenticatorData",
        with = "portcullis_core::text::base64url"
    )]
    authenticator_data: Vec<u8>,
    #[serde(rename = "clientDataJSON", with = "portcullis_core::text::base64url")]
    client_data: Vec<u8>,
    #[serde(with = "portcullis_core::text::base64url")]
    signature: Vec<u8>,
}

impl BrowserAssertion {
    /// The same as evidence. Which algorithm signed is not said, and is told by the length: Ed25519's has
    /// 64 bytes, and a DER of P-256 has as few once in 2^48 signatures, which then does not hold.
    pub fn evidence(self) -> Result<Assertion, SignatureFault> {
        let signature = self.response.signature;
        let signature = match <[u8; 64]>::try_from(signature.as_slice()) {
            Ok(bytes) => Signature::from_bytes(bytes),
            Err(_) => Signature::from_der_normalised(&signature)?,
        };
        Ok(Assertion {
            credential: self.raw_id,
            authenticator_data: self.response.authenticator_data,
            client_data: self.response.client_data,
            signature,
        })
    }
}

/// A passkey's challenge as pages take it, in base64url: SHA-256 over a domain and the act's digest.
#[must_use]
pub fn challenge_text(act: portcullis_core::Digest) -> String {
    URL_SAFE_NO_PAD.encode(portcullis_core::passkey::challenge_for(&act.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What Chromium's authenticator gives, with r and s of 1: DER in, 64 bytes out.
    #[test]
    fn der_becomes_fixed() -> Result<(), Box<dyn std::error::Error>> {
        let der = [0x30, 6, 2, 1, 1, 2, 1, 1];
        let said = |signature: &[u8]| {
            let json = json!({
                "id": "AQI", "rawId": "AQI", "type": "public-key", "authenticatorAttachment": "platform",
                "clientExtensionResults": {},
                "response": { "authenticatorData": "AAA", "clientDataJSON": "e30", "userHandle": "AQ",
                    "signature": URL_SAFE_NO_PAD.encode(signature) }
            });
            serde_json::from_value::<BrowserAssertion>(json)
        };
        let assertion = said(&der)?.evidence()?;
        assert_eq!(assertion.credential.0, [1, 2]);
        assert_eq!(assertion.client_data, b"{}");
        let mut fixed = [0; 64];
        (fixed[31], fixed[63]) = (1, 1);
        assert_eq!(assertion.signature.as_bytes(), &fixed);
        assert_eq!(said(&fixed)?.evidence()?.signature.as_bytes(), &fixed);
        assert_eq!(said(&der[1..])?.evidence(), Err(SignatureFault::NotDer));
        Ok(())
    }
}
