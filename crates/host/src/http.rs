//! The one seam for outbound HTTP. Short, capped, and honest about what is not known.

use std::io::Read as _;
use std::time::Duration;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body, within the cap.
    pub body: Vec<u8>,
}

/// No answer. Whether the other side acted is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer from {url}: {why}")]
pub struct HttpError {
    /// Who was asked.
    pub url: String,
    /// What went wrong.
    pub why: String,
}

/// Asks somebody. A status is an answer, whichever it is; an error is not.
pub trait Http: Send + Sync {
    /// GET, with an answer of at most `cap` bytes within `timeout`.
    fn get(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        cap: u64,
        timeout: Duration,
    ) -> Result<Reply, HttpError>;

    /// POST, with an answer of at most `cap` bytes within `timeout`.
    fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        cap: u64,
        timeout: Duration,
    ) -> Result<Reply, HttpError>;
}

/// The network, through kept-alive connections. Follows no redirect and no proxy setting.
#[derive(Clone, Debug)]
pub struct Web {
    agent: ureq::Agent,
}

impl Web {
    /// A client of its own connections.
    #[must_use]
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent("portcullis")
            .build();
        Self {
            agent: config.into(),
        }
    }
}

impl Default for Web {
    fn default() -> Self {
        Self::new()
    }
}

impl Http for Web {
    fn get(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        cap: u64,
        timeout: Duration,
    ) -> Result<Reply, HttpError> {
        let mut request = self
            .agent
            .get(url)
            .config()
            .timeout_global(Some(timeout))
            .build();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(url, request.call(), cap, timeout)
    }

    fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        cap: u64,
        timeout: Duration,
    ) -> Result<Reply, HttpError> {
        let mut request = self
            .agent
            .post(url)
            .config()
            .timeout_global(Some(timeout))
            .build();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(url, request.send(body), cap, timeout)
    }
}

fn read(
    url: &str,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    cap: u64,
    timeout: Duration,
) -> Result<Reply, HttpError> {
    let failed = |why: String| HttpError {
        url: url.to_owned(),
        why,
    };
    let mut answer = answer.map_err(|error| match error {
        ureq::Error::Timeout(_) => failed(format!("nothing within {} s", timeout.as_secs_f32())),
        error => failed(error.to_string()),
    })?;
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    // One byte more than the cap tells a body that is too long from one that just fits.
    let mut reader = answer.body_mut().as_reader().take(cap.saturating_add(1));
    reader
        .read_to_end(&mut body)
        .map_err(|error| failed(error.to_string()))?;
    if body.len() as u64 > cap {
        return Err(failed(format!("the answer is longer than {cap} bytes")));
    }
    Ok(Reply { status, body })
}
