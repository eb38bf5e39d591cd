//! Who may call a server of this host: its own programs, and no browser.
//!
//! A loopback address alone does not say so: a page of anybody's may send requests to it, and a name of anybody's may
//! be turned to it (DNS rebinding).

use axum::http::{HeaderMap, header};
use std::net::SocketAddr;

/// What `Host` may say: any other name was turned to this host by somebody's DNS.
#[derive(Clone, Debug)]
pub(crate) struct Hosts(Vec<String>);

/// Who is kept out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stranger {
    /// Somebody who calls this host by another name.
    #[error("the header Host names somebody else; call {0}")]
    Host(String),
    /// A page.
    #[error("a browser asks; pages ask the platform's back end, and it asks here")]
    Browser,
}

impl Hosts {
    /// Of a server that listens there.
    pub(crate) fn of(address: SocketAddr) -> Self {
        let port = address.port();
        Self(vec![address.to_string(), format!("localhost:{port}")])
    }

    /// By the headers that pages cannot leave out or write themselves.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> Result<(), Stranger> {
        let host = headers.get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        let mut ours = self.0.iter();
        if !ours.any(|ours| ours.eq_ignore_ascii_case(host)) {
            return Err(Stranger::Host(self.0.join(" or ")));
        }
        if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
            return Err(Stranger::Browser);
        }
        Ok(())
    }
}
