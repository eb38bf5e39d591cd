//! One question to a vendor, and what may come back.

use portcullis_core::evidence::Attestation;
use portcullis_core::id::IssuerId;
use portcullis_core::rfc3339::rfc3339;
use portcullis_core::state::said::Said;
use portcullis_core::{Act, Digest, Need, Time, codec};
use portcullis_host::{Http, HttpError};
use portcullis_keys::{StatementKey, webhook};
use serde_json::json;

/// An act that waits for a vendor's word.
pub(super) struct Wanting {
    pub(super) act: Digest,
    pub(super) asks: Act,
    pub(super) need: Need,
    /// What was said before, and has expired.
    pub(super) heard: Said,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("its answer is no attestation: {0}")]
    Malformed(serde_json::Error),
}

impl Wanting {
    /// Ask, signed by the gate. An answer without an attestation means that it comes later.
    pub(super) fn ask(
        &self,
        http: &dyn Http,
        (issuer, url): (IssuerId, &str),
        key: &dyn StatementKey,
        now: Time,
    ) -> Result<Option<Attestation>, NoAnswer> {
        let body = self.body(issuer, now);
        let reply = webhook::post(http, url, key, &self.id(), &body, now)?;
        match reply.status {
            200..300 if reply.body.is_empty() => Ok(None),
            200 => {
                let attestation = serde_json::from_slice(&reply.body);
                Ok(Some(attestation.map_err(NoAnswer::Malformed)?))
            }
            201..300 => Ok(None),
            status => Err(NoAnswer::Status(status)),
        }
    }

    /// The same however often one thing is asked, and another where an earlier word has expired.
    fn id(&self) -> String {
        let heard = Digest::plain(&codec::encode(&(self.act, self.need, self.heard)));
        format!("wanted_{heard}")
    }

    fn body(&self, issuer: IssuerId, now: Time) -> String {
        let Self {
            act, asks, need, ..
        } = self;
        let data = json!({"digest": act, "act": asks, "need": need, "issuer": issuer});
        let time = rfc3339(now);
        json!({"type": "attestation.wanted", "timestamp": time, "data": data}).to_string()
    }
}
