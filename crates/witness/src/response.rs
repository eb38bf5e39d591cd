//! Answers, before they are anybody's HTTP.

use portcullis_core::Reason;

/// A status, a body and what kind of body it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Media type of the body.
    pub content_type: &'static str,
    /// After how many seconds to ask again, where that helps.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type,
            retry_after: None,
            body: body.into(),
        }
    }

    /// A problem (RFC 9457) that has a numbered reason.
    pub(crate) fn refused(status: u16, reason: Reason) -> Self {
        problem(status, &reason.problem_type(), reason.slug(), reason.text())
    }

    /// A problem with a numbered reason and more to say than the reason does.
    pub(crate) fn refused_because(status: u16, reason: Reason, detail: &str) -> Self {
        problem(status, &reason.problem_type(), reason.slug(), detail)
    }

    /// A problem that no numbered reason describes.
    pub(crate) fn problem(status: u16, title: &str, detail: &str) -> Self {
        problem(status, "about:blank", title, detail)
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

fn problem(status: u16, kind: &str, title: &str, detail: &str) -> Response {
    let body = serde_json::json!({
        "type": kind,
        "title": title,
        "status": status,
        "detail": detail,
    });
    Response::new(status, "application/problem+json", body.to_string())
}
