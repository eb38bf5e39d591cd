//! A production router, asked without a socket.

use crate::wire::Message;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use portcullis_host::Reply;
use std::future::Future;
use std::pin::Pin;
use tower::ServiceExt as _;

/// An answer on its way.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Option<Reply>> + Send>>;

/// Ask a router; `authority` stands in the `Host` header.
pub(crate) fn ask(router: &Router, authority: &str, message: &Message) -> Answering {
    let method = if message.is_post { "POST" } else { "GET" };
    let mut request = Request::builder()
        .method(method)
        .uri(&message.target)
        .header("host", authority);
    for (name, value) in &message.headers {
        request = request.header(name, value);
    }
    let request = request.body(Body::from(message.body.clone()));
    let router = router.clone();
    Box::pin(async move {
        let response = router.oneshot(request.ok()?).await.ok()?;
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.ok()?;
        let body = body.to_vec();
        Some(Reply { status, body })
    })
}
