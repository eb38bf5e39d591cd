//! Who may call: somebody on this host who has the token, and no browser.

use super::refusal::Refusal;
use crate::door::Hosts;
use crate::failure::Failure;
use crate::files;
use crate::out::warn;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use portcullis_host::Random;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Shortest token, in letters: 32 hexadecimal digits are 128 bits.
const SHORTEST: usize = 32;
/// Longest token, in letters.
const LONGEST: usize = 512;

/// What callers show.
pub(super) struct Token(Zeroizing<String>);

impl Token {
    /// The one in a file that nobody but its owner reads; a new one where there is no file.
    pub(super) fn open(path: &Path, random: &dyn Random) -> Result<Self, Failure> {
        if !path.exists() {
            let token = Zeroizing::new(hex::encode(random.array::<32>()));
            files::write(path, format!("{}\n", *token).as_bytes())?;
            warn(format_args!("a new token stands in {}", path.display()));
            return Ok(Self(token));
        }
        let meta = std::fs::metadata(path).map_err(|error| unfit(path, &error))?;
        if meta.mode() & 0o077 != 0 {
            return Err(unfit(path, &"others than its owner may read it"));
        }
        let text = Zeroizing::new(files::read_text(path)?);
        let token = text.trim();
        if !(SHORTEST..=LONGEST).contains(&token.len())
            || !token.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(unfit(path, &"it does not hold 32 to 512 visible letters"));
        }
        Ok(Self(Zeroizing::new(token.to_owned())))
    }

    /// In the same time for every token of this length.
    fn is(&self, shown: &[u8]) -> bool {
        bool::from(self.0.as_bytes().ct_eq(shown))
    }
}

fn unfit(path: &Path, why: &dyn core::fmt::Display) -> Failure {
    Failure::usage(
        format!("the token in {} cannot serve: {why}", path.display()),
        "chmod 600 it if it is good, or delete it: a new one is made then",
    )
}

/// What stands before every call.
pub(super) struct Door {
    hosts: Hosts,
    token: Token,
}

impl Door {
    pub(super) fn new(address: SocketAddr, token: Token) -> Self {
        let hosts = Hosts::of(address);
        Self { hosts, token }
    }

    /// Nothing is told of the token to whom the rest keeps out.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        self.hosts.admit(headers).map_err(Refusal::Stranger)?;
        let text = |name: header::HeaderName| headers.get(name)?.to_str().ok();
        let shown = text(header::AUTHORIZATION).unwrap_or_default();
        let (scheme, shown) = shown.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") || !self.token.is(shown.as_bytes()) {
            return Err(Refusal::Token);
        }
        Ok(())
    }
}

/// The middleware.
pub(super) async fn pass(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    match door.admit(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::Stranger;
    use axum::http::HeaderValue;
    use portcullis_host::SystemRandom;
    use std::os::unix::fs::PermissionsExt as _;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn admitted(pairs: &[(&'static str, &'static str)]) -> Result<(), Refusal> {
        let token = Token(Zeroizing::new(TOKEN.to_owned()));
        let door = Door::new(SocketAddr::from(([127, 0, 0, 1], 7410)), token);
        let pairs = pairs.iter();
        let headers = pairs.map(|(name, value)| {
            let name = header::HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        door.admit(&headers.collect())
    }

    #[test]
    fn only_who_is_on_this_host_and_has_the_token() {
        const HOST: (&str, &str) = ("host", "127.0.0.1:7410");
        const GOOD: (&str, &str) = ("authorization", "Bearer 0123456789abcdef0123456789abcdef");
        assert_eq!(admitted(&[HOST, GOOD]), Ok(()));
        assert_eq!(admitted(&[("host", "LocalHost:7410"), GOOD]), Ok(()));
        let hosts = [
            "evil.example:7410",
            "127.0.0.1",
            "127.0.0.1:80",
            "127.0.0.1:7410.evil.example",
        ];
        for host in hosts {
            let got = admitted(&[("host", host), GOOD]);
            assert!(
                matches!(got, Err(Refusal::Stranger(Stranger::Host(_)))),
                "{host}"
            );
        }
        assert!(matches!(
            admitted(&[GOOD]),
            Err(Refusal::Stranger(Stranger::Host(_)))
        ));
        let origin = ("origin", "http://127.0.0.1:7410");
        assert_eq!(
            admitted(&[HOST, GOOD, origin]),
            Err(Refusal::Stranger(Stranger::Browser))
        );
        assert_eq!(
            admitted(&[HOST, GOOD, ("sec-fetch-site", "none")]),
            Err(Refusal::Stranger(Stranger::Browser))
        );
        // Node's own client says that it follows CORS, and is no browser.
        assert_eq!(admitted(&[HOST, GOOD, ("sec-fetch-mode", "cors")]), Ok(()));
        for token in [
            "",
            "Bearer",
            "Bearer ",
            "Basic 0123456789abcdef0123456789abcdef",
            TOKEN,
            "Bearer 0123456789abcdef0123456789abcdeF",
            "Bearer 0123456789abcdef0123456789abcdef ",
        ] {
            assert_eq!(
                admitted(&[HOST, ("authorization", token)]),
                Err(Refusal::Token),
                "{token:?}"
            );
        }
        assert_eq!(admitted(&[HOST]), Err(Refusal::Token));
    }

    #[test]
    fn a_token_is_made_once_and_is_its_owners() -> Result<(), Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("token");
        let open = || Token::open(&path, &SystemRandom).map_err(|failure| failure.to_string());
        let made = open()?;
        assert_eq!(std::fs::metadata(&path)?.mode() & 0o777, 0o600);
        assert!(open()?.is(made.0.as_bytes()));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640))?;
        assert!(open().is_err_and(|why| why.contains("others than its owner")));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        std::fs::write(&path, "short")?;
        assert!(open().is_err());
        Ok(())
    }
}
