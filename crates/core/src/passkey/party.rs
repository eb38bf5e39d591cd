//! Whose passkeys count: the relying party of a realm, as genesis states it.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A realm's relying party ids and the places where its pages and apps stand.
///
/// Origins are compared byte for byte as clients write them: `https://host[:port]` in lower case
/// without a path, or `android:apk-key-hash:` and the base64url of the app's signing certificate's
/// SHA-256. iOS apps say the `https` origin of their associated domain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RelyingParty {
    /// Relying party ids (domains); a credential is scoped to one of them.
    #[n(0)]
    pub rp_ids: Vec<String>,
    /// Where assertions may be made.
    #[n(1)]
    pub origins: Vec<String>,
    /// Pages of other origins that may hold ours in a frame; usually none.
    #[n(2)]
    #[serde(default)]
    pub top_origins: Vec<String>,
}

/// Why a relying party cannot be what genesis means.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartyFault {
    /// No relying party id, or no origin: nothing could ever pass.
    #[error("a relying party needs at least one id and one origin")]
    Empty,
    /// More than 8 ids, 64 origins or 64 top origins.
    #[error("a relying party has at most 8 ids, 64 origins and 64 top origins")]
    TooMany,
    /// Not a domain in lower case.
    #[error("{0:?} is not a relying party id: a domain in lower case, such as \"example.com\"")]
    NotADomain(String),
    /// Not an origin as clients write it.
    #[error("{0:?} is not an origin: https://host[:port] in lower case, or android:apk-key-hash:…")]
    NotAnOrigin(String),
    /// Named twice.
    #[error("{0:?} is named twice")]
    Twice(String),
}

const MAX_IDS: usize = 8;
const MAX_ORIGINS: usize = 64;
const MAX_DOMAIN: usize = 253;

impl RelyingParty {
    /// Whether it can be meant; a genesis with another one is refused.
    pub fn check(&self) -> Result<(), PartyFault> {
        let Self {
            rp_ids,
            origins,
            top_origins,
        } = self;
        if rp_ids.is_empty() || origins.is_empty() {
            return Err(PartyFault::Empty);
        }
        let most = origins.len().max(top_origins.len());
        if rp_ids.len() > MAX_IDS || most > MAX_ORIGINS {
            return Err(PartyFault::TooMany);
        }
        check_each(rp_ids, is_domain, PartyFault::NotADomain)?;
        check_each(
            origins,
            |text| is_web_origin(text) || is_android_origin(text),
            PartyFault::NotAnOrigin,
        )?;
        check_each(top_origins, is_web_origin, PartyFault::NotAnOrigin)
    }
}

fn check_each(
    texts: &[String],
    is_good: impl Fn(&str) -> bool,
    fault: impl Fn(String) -> PartyFault,
) -> Result<(), PartyFault> {
    let mut seen = BTreeSet::new();
    for text in texts {
        if !is_good(text) {
            return Err(fault(text.clone()));
        }
        if !seen.insert(text) {
            return Err(PartyFault::Twice(text.clone()));
        }
    }
    Ok(())
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(is_plain)
    };
    text.len() <= MAX_DOMAIN && text.split('.').all(is_label)
}

/// `http` only for `localhost`, to which browsers give a secure context; development uses it.
fn is_web_origin(text: &str) -> bool {
    match text.split_once("://") {
        Some(("https", host)) => is_host(host, "443"),
        Some(("http", host)) => host.split(':').next() == Some("localhost") && is_host(host, "80"),
        _ => false,
    }
}

/// A domain, with a port unless it is the scheme's own, which no client writes.
fn is_host(text: &str, default_port: &str) -> bool {
    match text.split_once(':') {
        None => is_domain(text),
        Some((domain, port)) => is_domain(domain) && is_port(port) && port != default_port,
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>()
        .is_ok_and(|port| port > 0 && port.to_string() == text)
}

/// `android:apk-key-hash:` and 43 digits of unpadded base64url.
fn is_android_origin(text: &str) -> bool {
    let is_digit = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    text.strip_prefix("android:apk-key-hash:")
        .is_some_and(|hash| hash.len() == 43 && hash.bytes().all(is_digit))
}
