//! Which values the profile allows. All are narrower than HTTP's, so that each has one spelling.

use super::RequestFault;

/// Most that a structured field integer can say (RFC 8941, section 3.3.1).
const MAX_INTEGER: u64 = 999_999_999_999_999;

fn matches(text: &str, lengths: std::ops::RangeInclusive<usize>, is_good: fn(u8) -> bool) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(is_good)
}

pub(super) fn is_method(text: &str) -> bool {
    matches(text, 1..=16, |b| b.is_ascii_uppercase())
}

/// Host and port in lower case, IPv6 in brackets.
pub(super) fn is_authority(text: &str) -> bool {
    matches(text, 1..=255, |b| {
        b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:[]".contains(&b)
    })
}

/// An absolute path of RFC 3986, section 3.3, as it was sent: escapes are compared, not resolved.
pub(super) fn is_path(text: &str) -> bool {
    text.starts_with('/') && matches(text, 1..=2048, |b| is_path_byte(b) || b == b'/')
}

/// A query of RFC 3986, section 3.4, without its question mark.
pub(super) fn is_query(text: &str) -> bool {
    matches(text, 0..=2048, |b| {
        is_path_byte(b) || b == b'/' || b == b'?'
    })
}

fn is_path_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@".contains(&b)
}

pub(super) fn is_nonce(text: &str) -> bool {
    matches(text, 16..=64, |b| {
        b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
    })
}

/// Visible ASCII without what separates: no quote, backslash, comma or semicolon.
pub(super) fn is_key_id(text: &str) -> bool {
    matches(text, 1..=128, |b| {
        b.is_ascii_graphic() && !b"\"\\,;".contains(&b)
    })
}

/// A label: a structured field key (RFC 8941, section 3.1.2).
pub(super) fn is_label(text: &str) -> bool {
    let is_start = |b: u8| b.is_ascii_lowercase() || b == b'*';
    matches(text, 1..=64, |b| {
        b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.*".contains(&b)
    }) && text.bytes().next().is_some_and(is_start)
}

pub(super) fn is_integer(number: u64) -> bool {
    number <= MAX_INTEGER
}

pub(super) fn integer(text: &str, name: &'static str) -> Result<u64, RequestFault> {
    let is_number = matches(text, 1..=15, |b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_number);
    number.ok_or(RequestFault::Value(name))
}
