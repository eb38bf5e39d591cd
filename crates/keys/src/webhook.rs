//! A webhook as Standard Webhooks has it, signed `v1a` by a statement key, which has to be Ed25519.

use crate::StatementKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_core::Time;
use portcullis_host::{Http, HttpError, Reply};
use std::time::Duration;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most bytes of its answer.
const MAX_ANSWER: u64 = 64 * 1024;

/// Post a body of JSON under an id, by which whoever gets it twice knows it.
pub fn post(
    http: &dyn Http,
    url: &str,
    key: &dyn StatementKey,
    id: &str,
    body: &str,
    now: Time,
) -> Result<Reply, HttpError> {
    let timestamp = (now.0 / 1000).to_string();
    let signed = key.sign(format!("{id}.{timestamp}.{body}").as_bytes());
    let signature = signed.map_err(|error| HttpError {
        url: url.to_owned(),
        why: error.to_string(),
    })?;
    let signature = format!("v1a,{}", BASE64.encode(signature.as_bytes()));
    let headers = [
        ("content-type", "application/json"),
        ("webhook-id", id),
        ("webhook-timestamp", &timestamp),
        ("webhook-signature", &signature),
    ];
    http.post(url, &headers, body.as_bytes(), MAX_ANSWER, PATIENCE)
}
