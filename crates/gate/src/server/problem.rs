//! Refusals as RFC 9457 problems. Their type is the reason's number.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portcullis_core::Reason;
use portcullis_core::policy::Name;
use portcullis_core::reason::Retry;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Most letters of what a body was refused for.
const MOST_AT: usize = 200;

/// A refusal on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    reason: Reason,
    /// The policy's statements that refused it.
    statements: Vec<Name>,
    /// What of the request it is: the member of a body that cannot be read, the component that a signature lacks.
    at: Option<String>,
}

/// The body of `application/problem+json`.
#[derive(Debug, Serialize)]
struct Body {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'static str,
    reason: u16,
    retry: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    statements: Vec<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

impl From<Reason> for Problem {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            statements: Vec::new(),
            at: None,
        }
    }
}

/// A body that came as JSON. Whoever sent it is told what of it cannot be read.
pub(super) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::at(Reason::Malformed, &error))
}

impl Problem {
    /// The same, with what of the request it is.
    pub(super) fn at(reason: Reason, fault: &dyn std::fmt::Display) -> Self {
        let at = fault.to_string().chars().take(MOST_AT).collect();
        Self {
            at: Some(at),
            ..reason.into()
        }
    }

    /// The HTTP status of a reason.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match (self.reason, self.reason.number()) {
            (Reason::TooLarge, _) => StatusCode::PAYLOAD_TOO_LARGE,
            (
                Reason::Replayed
                | Reason::InProgress
                | Reason::RequestReplayed
                | Reason::LabelsNotHere,
                _,
            ) => StatusCode::CONFLICT,
            (Reason::RequestTimeout, _) => StatusCode::REQUEST_TIMEOUT,
            (Reason::Busy, _) => StatusCode::TOO_MANY_REQUESTS,
            (Reason::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
            (Reason::NotFound | Reason::UnknownAccount | Reason::ActUnknown, _) => {
                StatusCode::NOT_FOUND
            }
            (Reason::KeyReused | Reason::StatementRefused, _) => StatusCode::UNPROCESSABLE_ENTITY,
            (Reason::Panicked, _) => StatusCode::INTERNAL_SERVER_ERROR,
            (_, 900..914 | 918..) => StatusCode::SERVICE_UNAVAILABLE,
            (_, 100..200) => StatusCode::BAD_REQUEST,
            (_, 300..340) => StatusCode::UNAUTHORIZED,
            (_, 340..400) => StatusCode::FORBIDDEN,
            (_, 500..600) => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

/// What the framework itself refuses (size, query, route, method), in the same form.
pub(super) async fn every_refusal(response: Response) -> Response {
    let status = response.status();
    let is_problem = response.headers().get(header::CONTENT_TYPE)
        == Some(&HeaderValue::from_static(PROBLEM_JSON));
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let reason = match status {
        StatusCode::PAYLOAD_TOO_LARGE => Reason::TooLarge,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Reason::NotFound,
        StatusCode::REQUEST_TIMEOUT => Reason::RequestTimeout,
        _ if status.is_server_error() => Reason::Panicked,
        _ => Reason::Malformed,
    };
    Problem::from(reason).into_response()
}

/// RFC 9457.
const PROBLEM_JSON: &str = "application/problem+json";

impl Problem {
    /// The same, with the statements of the policy that refused.
    pub(super) fn naming(self, statements: Vec<Name>) -> Self {
        Self { statements, ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let Self {
            reason,
            statements,
            at,
        } = self;
        let body = Body {
            r#type: reason.problem_type(),
            title: reason.slug(),
            status: status.as_u16(),
            detail: reason.text(),
            reason: reason.number(),
            retry: match reason.retry() {
                Retry::Never => "never",
                Retry::Anew => "anew",
                Retry::Later => "later",
            },
            statements,
            at,
        };
        let mut response = (status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static(PROBLEM_JSON);
        headers.insert(header::CONTENT_TYPE, kind);
        if reason.retry() == Retry::Later {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
