//! A peer: bare P-256 signatures over HTTP by OpenBao's transit engine, on the same machine.

use super::Setting;
use super::row::Row;
use crate::failure::Failure;
use std::time::Duration;

pub(super) fn row(_setting: &Setting, _release: f64, _wall: Duration) -> Result<Row, Failure> {
    let why = "no OpenBao; script/install installs it";
    Ok(Row::skipped("release-openbao", "us", why))
}
