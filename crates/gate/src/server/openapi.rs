//! The API's own description: OpenAPI 3.1, written by hand and held by a snapshot and by tests that
//! every route of it answers.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// `docs/spec/openapi.json`.
const DOCUMENT: &str = include_str!("../../../../docs/spec/openapi.json");

/// `GET /openapi.json`
pub(super) async fn document() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
