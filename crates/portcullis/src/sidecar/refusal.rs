//! A sidecar's own refusals: RFC 9457 problems of a type of their own, so that nobody takes them for the
//! gate's. Each says whether anything was sent.

use crate::door::Stranger;
use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portcullis_client::GateError;
use portcullis_core::Digest;
use portcullis_core::passkey::PasskeyFault;
use serde_json::json;

/// Why a call was not passed on, or has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Stranger(Stranger),
    #[error(
        "no token, or not this sidecar's; send Authorization: Bearer and what its token file holds"
    )]
    Token,
    #[error("no path that is passed on; docs/guide/sidecar.md lists them")]
    Path,
    #[error("the path does not take this method; docs/guide/sidecar.md lists them")]
    Method,
    #[error("a body here is JSON; send Content-Type: application/json")]
    MediaType,
    #[error("the body is over {0} bytes; no act comes near it")]
    TooLarge(usize),
    #[error("the body did not come within {0} s; send it again")]
    Slow(u64),
    #[error("it cannot be read: {0}; docs/spec/acts.md and evidence.md have every member")]
    Malformed(String),
    #[error("an Idempotency-Key has 1 to 128 visible letters; send another")]
    Key,
    #[error(
        "the act is of another network, whose genesis is {0}; make it anew (POST /v1/acts:draft)"
    )]
    Network(Digest),
    #[error("this sidecar passes on no act {0}; start it with --allow if the back end needs it")]
    Kind(&'static str),
    #[error(
        "an act of staff is asked for by this sidecar's own principal alone; leave `principal` out"
    )]
    Principal,
    #[error("the gate knows no such act yet; submit it first, or ask again in a moment")]
    NoAct,
    #[error(
        "assertion {number} is none over this act ({fault}); ask for one with its own challenge"
    )]
    Assertion {
        /// Which, from 0.
        number: usize,
        /// What is wrong with it.
        fault: PasskeyFault,
    },
    #[error("it cannot be signed: {0}; correct the path")]
    Unsigned(String),
    #[error("as many calls as are taken at a time are at work; send it again in a second")]
    Busy,
    #[error(
        "{0}; whether the gate acted is not known: send the very same again, or ask GET /v1/acts/DIGEST"
    )]
    NoAnswer(String),
    #[error("{0}; see that the gate runs, and ask again")]
    Unread(String),
    #[error("{0}; make no other act and give nothing back before you know (portcullis verify act)")]
    Untrue(String),
}

impl Refusal {
    /// Status and stable name.
    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Stranger(Stranger::Host(_)) => (StatusCode::MISDIRECTED_REQUEST, "host"),
            Self::Stranger(Stranger::Browser) => (StatusCode::FORBIDDEN, "browser"),
            Self::Token => (StatusCode::UNAUTHORIZED, "token"),
            Self::Path => (StatusCode::NOT_FOUND, "path"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::Slow(_) => (StatusCode::REQUEST_TIMEOUT, "slow"),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::Key => (StatusCode::BAD_REQUEST, "idempotency-key"),
            Self::Network(_) => (StatusCode::BAD_REQUEST, "network"),
            Self::Kind(_) => (StatusCode::FORBIDDEN, "kind"),
            Self::Principal => (StatusCode::FORBIDDEN, "principal"),
            Self::NoAct => (StatusCode::NOT_FOUND, "no-act"),
            Self::Assertion { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "assertion"),
            Self::Unsigned(_) => (StatusCode::BAD_REQUEST, "unsigned"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::NoAnswer(_) | Self::Unread(_) => (StatusCode::GATEWAY_TIMEOUT, "no-answer"),
            Self::Untrue(_) => (StatusCode::BAD_GATEWAY, "untrue"),
        }
    }

    /// Whether the call itself may have reached the gate.
    fn sent(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::Untrue(_))
    }
}

impl From<GateError> for Refusal {
    fn from(error: GateError) -> Self {
        match error {
            GateError::NoAnswer(_) => Self::NoAnswer(error.to_string()),
            GateError::OtherAct { .. } | GateError::Unreadable { .. } | GateError::Refused(_) => {
                Self::Untrue(error.to_string())
            }
            GateError::Request(_) | GateError::Method(_) | GateError::Target(_) => {
                Self::Unsigned(error.to_string())
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, name) = self.kind();
        let sent = self.sent();
        let kept = match self {
            Self::NoAnswer(_) | Self::Untrue(_) => "",
            Self::Unread(_) => " Nothing was changed.",
            _ => " Nothing was sent to the gate.",
        };
        let body = json!({
            "type": format!("urn:portcullis:sidecar:{name}"),
            "title": name,
            "status": status.as_u16(),
            "detail": format!("{self}.{kept}"),
            "sent": sent,
        });
        let with = |name: HeaderName, value: &'static str| (name, HeaderValue::from_static(value));
        let json = with(header::CONTENT_TYPE, "application/problem+json");
        let more = match self {
            Self::Token => with(header::WWW_AUTHENTICATE, "Bearer"),
            Self::Busy => with(header::RETRY_AFTER, "1"),
            _ => with(header::CACHE_CONTROL, "no-store"),
        };
        (status, [json, more], Json(body)).into_response()
    }
}
