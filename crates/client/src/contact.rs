//! Sealing a customer's contact to the herald that genesis names.

use crate::gate::{Gate, GateError, Question};
use crate::request::RequestSigner;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use portcullis_contact::{Contact, Envelope, EnvelopeFault};
use portcullis_core::Network;
use portcullis_core::id::AccountId;
use portcullis_host::Random;
use serde_json::json;

/// Why there is nothing to seal to, or nothing that could be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Genesis names no herald.
    #[error("the genesis names no herald: nobody keeps contacts or TOTP seeds")]
    NoHerald,
    /// The contact, or the key.
    #[error(transparent)]
    Envelope(#[from] EnvelopeFault),
}

/// Seal a contact for an account. The act that opens the account, or changes its contact, carries
/// [`Envelope::commitment`]; the envelope follows by [`Gate::send_envelope`].
pub fn seal(
    contact: &Contact,
    network: &Network,
    account: AccountId,
    random: &dyn Random,
) -> Result<Envelope, SealError> {
    let key = network.herald().and_then(|herald| herald.sealing);
    let key = key.ok_or(SealError::NoHerald)?;
    let fill = |bytes: &mut [u8]| random.fill(bytes);
    Ok(Envelope::seal(
        contact,
        key,
        network.digest(),
        account,
        fill,
    )?)
}

impl Gate {
    /// Bring an envelope that the account commits to, after the act or again. A back end's.
    pub fn send_envelope(
        &self,
        signer: &RequestSigner,
        account: AccountId,
        envelope: &Envelope,
    ) -> Result<(), GateError> {
        let sealed = BASE64.encode(envelope.as_bytes());
        let body = json!({ "account": account, "envelope": sealed }).to_string();
        let question = Question {
            method: "POST",
            target: "/v1/envelopes",
            body: body.as_bytes(),
            act: None,
            once: None,
        };
        let reply = self.send(Some(signer), &question)?;
        if (200..300).contains(&reply.status) {
            return Ok(());
        }
        crate::gate::read::<serde_json::Value>(&reply).map(|_| ())
    }
}
