//! Who hears the signer's alarms: the webhook that its configuration names, received for real, and
//! each delivery's signature checked under the key that genesis names for the signer.

use crate::error::DrillError;
use crate::server::Server;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_core::signature::{PublicKey, Signature, Strict, Verify as _};
use portcullis_core::{Network, Time};
use portcullis_host::Clock;
use serde_json::Value;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// An alarm that reached somebody.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// Its name: `release-without-evidence`.
    pub(crate) name: String,
    /// What it says.
    pub(crate) text: String,
    /// When it came, by the drill's clock.
    pub(crate) time: Time,
    delivery: Delivery,
}

/// What a delivery was, for checking its signature once the network is known.
#[derive(Clone, Debug)]
struct Delivery {
    signed: Vec<u8>,
    signature: Option<Signature>,
}

/// The webhook.
pub(crate) struct Pager {
    server: Server,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Pager {
    /// Listen, by a clock.
    pub(crate) fn start(clock: Arc<dyn Clock>) -> Result<Self, DrillError> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let book = Arc::clone(&heard);
        let take = move |headers: HeaderMap, body: Bytes| {
            let taken = read(&headers, &body, clock.now());
            let status = match taken {
                Some(alarm) => {
                    book.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(alarm);
                    StatusCode::NO_CONTENT
                }
                None => StatusCode::BAD_REQUEST,
            };
            async move { status }
        };
        let router = Router::new().route("/alarms", post(take));
        let server = Server::start(router, 1);
        let server = server.map_err(|error| DrillError::File("the webhook".into(), error))?;
        Ok(Self { server, heard })
    }

    pub(crate) fn url(&self) -> String {
        self.server.url("/alarms")
    }

    /// All that the network's signer has cried so far. What somebody else sent does not count.
    pub(crate) fn heard(&self, network: &Network) -> Vec<Heard> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = network.genesis().keepers.iter().map(|keeper| &keeper.key);
        let keys: Vec<&PublicKey> = keys.collect();
        let by_keeper = |alarm: &&Heard| keys.iter().any(|key| alarm.delivery.is_by(key));
        heard.iter().filter(by_keeper).cloned().collect()
    }
}

impl Delivery {
    fn is_by(&self, key: &PublicKey) -> bool {
        let signature = self.signature.as_ref();
        signature.is_some_and(|signature| Strict.verify(key, &self.signed, signature))
    }
}

/// Standard Webhooks: the signature is over id, timestamp and body.
fn read(headers: &HeaderMap, body: &[u8], time: Time) -> Option<Heard> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let (id, sent) = (header("webhook-id")?, header("webhook-timestamp")?);
    let signature = header("webhook-signature")?.strip_prefix("v1a,")?;
    let signature: Option<[u8; 64]> = BASE64.decode(signature).ok()?.try_into().ok();
    let signed = [id.as_bytes(), b".", sent.as_bytes(), b".", body].concat();
    let alarm: Value = serde_json::from_slice(body).ok()?;
    Some(Heard {
        name: alarm["type"].as_str()?.strip_prefix("alarm.")?.to_owned(),
        text: alarm["data"]["text"].as_str()?.to_owned(),
        time,
        delivery: Delivery {
            signed,
            signature: signature.map(Signature::from_bytes),
        },
    })
}

/// The same alarms as they stand in the signer's own log file.
pub(crate) fn logged(signer_config: &Path) -> usize {
    let folder = signer_config.parent().unwrap_or(Path::new("."));
    let text = std::fs::read_to_string(folder.join("data/signer/alarms.jsonl"));
    text.unwrap_or_default().lines().count()
}
