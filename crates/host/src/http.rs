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

/// An answer with those of its headers that somebody passes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headed {
    /// The answer.
    pub reply: Reply,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
}

impl From<Reply> for Headed {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            content_type: None,
            retry_after: None,
        }
    }
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

    /// GET, or POST where there is a body (an empty one included), with the headers that are passed on
    /// where this way out knows of any.
    fn ask(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
        cap: u64,
        timeout: Duration,
    ) -> Result<Headed, HttpError> {
        let reply = match body {
            Some(body) => self.post(url, headers, body, cap, timeout),
            None => self.get(url, headers, cap, timeout),
        };
        reply.map(Headed::from)
    }
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
        let answer = self.ask(url, headers, None, cap, timeout)?;
        Ok(answer.reply)
    }

    fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        cap: u64,
        timeout: Duration,
    ) -> Result<Reply, HttpError> {
        let answer = self.ask(url, headers, Some(body), cap, timeout)?;
        Ok(answer.reply)
    }

    fn ask(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
        cap: u64,
        timeout: Duration,
    ) -> Result<Headed, HttpError> {
        let answer = match body {
            Some(body) => with(self.agent.post(url), headers, timeout).send(body),
            None => with(self.agent.get(url), headers, timeout).call(),
        };
        read(url, answer, cap, timeout)
    }
}

/// The request with these headers, within this time.
fn with<B>(
    request: ureq::RequestBuilder<B>,
    headers: &[(&str, &str)],
    timeout: Duration,
) -> ureq::RequestBuilder<B> {
    let request = request.config().timeout_global(Some(timeout)).build();
    let headers = headers.iter();
    headers.fold(request, |request, (name, value)| {
        request.header(*name, *value)
    })
}

fn read(
    url: &str,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    cap: u64,
    timeout: Duration,
) -> Result<Headed, HttpError> {
    let failed = |why: String| HttpError {
        url: url.to_owned(),
        why,
    };
    let mut answer = answer.map_err(|error| match error {
        ureq::Error::Timeout(_) => failed(format!("nothing within {} s", timeout.as_secs_f32())),
        error => failed(error.to_string()),
    })?;
    let status = answer.status().as_u16();
    let header = |name: &str| Some(answer.headers().get(name)?.to_str().ok()?.to_owned());
    let (content_type, retry_after) = (header("content-type"), header("retry-after"));
    let mut body = Vec::new();
    // One byte more than the cap tells a body that is too long from one that just fits.
    let mut reader = answer.body_mut().as_reader().take(cap.saturating_add(1));
    reader
        .read_to_end(&mut body)
        .map_err(|error| failed(error.to_string()))?;
    if body.len() as u64 > cap {
        return Err(failed(format!("the answer is longer than {cap} bytes")));
    }
    Ok(Headed {
        reply: Reply { status, body },
        content_type,
        retry_after,
    })
}
