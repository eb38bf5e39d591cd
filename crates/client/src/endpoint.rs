//! Where a process answers.

use core::fmt;
use core::str::FromStr;

/// `http://host[:port]` and nothing behind it: a signature covers host and path as the other side
/// sees them, so a proxy that changes either would break every request. No process speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    authority: String,
}

/// Not an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not where a process answers: write http://HOST:PORT with nothing behind it; where it \
     leaves the host, put a tunnel or a proxy that keeps the Host header"
)]
pub struct NotAnEndpoint(String);

impl Endpoint {
    /// Host and port as the `Host` header has them.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The URL of a path, which begins with `/`.
    #[must_use]
    pub fn url(&self, target: &str) -> String {
        format!("{self}{target}")
    }
}

impl FromStr for Endpoint {
    type Err = NotAnEndpoint;

    fn from_str(text: &str) -> Result<Self, NotAnEndpoint> {
        let wrong = || NotAnEndpoint(text.to_owned());
        let rest = text.strip_prefix("http://").ok_or_else(wrong)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
        if authority.is_empty() || !authority.bytes().all(is_plain) {
            return Err(wrong());
        }
        Ok(Self { authority })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let table = [
            ("http://127.0.0.1:7400", Some("127.0.0.1:7400")),
            ("http://127.0.0.1:7400/", Some("127.0.0.1:7400")),
            ("http://Gate.Example", Some("gate.example")),
            ("https://gate.example", None),
            ("http://[::1]:7400", Some("[::1]:7400")),
            ("127.0.0.1:7400", None),
            ("ftp://gate.example", None),
            ("http://", None),
            ("http://gate.example/portcullis", None),
            ("http://user@gate.example", None),
            ("http://gate.example?x", None),
        ];
        for (text, want) in table {
            let got = text.parse::<Endpoint>().ok();
            assert_eq!(got.as_ref().map(Endpoint::authority), want, "{text}");
        }
    }
}
