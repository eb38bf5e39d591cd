//! Who is to hear the signer's alarms: a webhook that takes what the signer itself has signed.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_core::signature::{PublicKey, Signature, Strict, Verify as _};
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// The webhook. It ends with its owner.
pub(crate) struct Pager {
    pub(crate) url: String,
    heard: Heard,
    _runtime: tokio::runtime::Runtime,
}

/// Deliveries: what was signed, the signature, the alarm.
type Heard = Arc<Mutex<Vec<(Vec<u8>, Signature, Value)>>>;

impl Pager {
    pub(crate) fn start() -> Self {
        let heard = Heard::default();
        let book = Arc::clone(&heard);
        let take = move |headers: HeaderMap, body: Bytes| {
            let heard = read(&headers, &body);
            let is_read = heard.is_some();
            book.lock().unwrap().extend(heard);
            async move {
                if is_read {
                    StatusCode::NO_CONTENT
                } else {
                    StatusCode::BAD_REQUEST
                }
            }
        };
        let router = Router::new().route("/alarms", post(take));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.unwrap();
        let url = format!("http://{}/alarms", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            url,
            heard,
            _runtime: runtime,
        }
    }

    /// The alarms that came under this key's signature (Standard Webhooks, v1a).
    pub(crate) fn heard(&self, key: &PublicKey) -> Vec<Value> {
        let heard = self.heard.lock().unwrap();
        let by_key = heard
            .iter()
            .filter(|(signed, signature, _)| Strict.verify(key, signed, signature));
        by_key.map(|(_, _, alarm)| alarm.clone()).collect()
    }
}

fn read(headers: &HeaderMap, body: &[u8]) -> Option<(Vec<u8>, Signature, Value)> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let (id, sent) = (header("webhook-id")?, header("webhook-timestamp")?);
    let signature = header("webhook-signature")?.strip_prefix("v1a,")?;
    let signature: [u8; 64] = BASE64.decode(signature).ok()?.try_into().ok()?;
    let signed = [format!("{id}.{sent}.").as_bytes(), body].concat();
    let alarm = serde_json::from_slice(body).ok()?;
    Some((signed, Signature::from_bytes(signature), alarm))
}
