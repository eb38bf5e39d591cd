//! The signature base, written.

use super::{MAX_BASE, RequestFault, grammar};
use crate::realm::Realm;
use crate::signature::PublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::fmt::Write as _;

/// Everything that a request's signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// `GET`, `POST`, …
    pub method: String,
    /// Host and port as in the `Host` header, in lower case.
    pub authority: String,
    /// The path as sent.
    pub path: String,
    /// What follows the question mark, as sent; absent where there is no question mark.
    pub query: Option<String>,
    /// SHA-256 of the body; absent where there is none.
    pub content_digest: Option<[u8; 32]>,
    /// The digest of the act that the request submits or concerns.
    pub act: Option<[u8; 32]>,
    /// When it was signed, in seconds since the Unix epoch.
    pub created: u64,
    /// From when it counts no more, in seconds since the Unix epoch.
    pub expires: Option<u64>,
    /// 16 to 64 random digits of base64url.
    pub nonce: String,
    /// Which key signs.
    pub key_id: String,
    /// How it signs.
    pub algorithm: Algorithm,
}

impl Parts {
    /// Whether the request asks for this act. One that only reads about the act, or tries it out, is no
    /// authority for it.
    ///
    /// Staff and keepers ask gates and stop boards, by the doors that these have. A customer's own key
    /// signs a request to the platform, whose paths are the platform's.
    #[must_use]
    pub fn asks_for(&self, act: &[u8; 32], realm: Realm) -> bool {
        let is_door = || match self.path.as_str() {
            "/v1/acts" | "/postings" => true,
            path => path == format!("/v1/acts/{}/evidence", hex::encode(act)),
        };
        let is_asked = self.method == "POST" && self.act == Some(*act);
        is_asked && (realm == Realm::Customers || (self.query.is_none() && is_door()))
    }
}

/// The signature algorithms of the profile, by their names in RFC 9421, section 6.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `ed25519`
    Ed25519,
    /// `ecdsa-p256-sha256`
    EcdsaP256Sha256,
}

impl Algorithm {
    /// The algorithm of a key.
    #[must_use]
    pub const fn of(key: &PublicKey) -> Self {
        match key {
            PublicKey::Ed25519(_) => Self::Ed25519,
            PublicKey::P256(_) => Self::EcdsaP256Sha256,
        }
    }

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Ed25519, Self::EcdsaP256Sha256]
            .into_iter()
            .find(|a| a.name() == name)
    }
}

/// Parts that the profile allows, and so one signature base. Writing it cannot fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base(Parts);

impl Base {
    /// Check each part against the profile.
    pub fn new(parts: Parts) -> Result<Self, RequestFault> {
        let checks = [
            ("@method", grammar::is_method(&parts.method)),
            ("@authority", grammar::is_authority(&parts.authority)),
            ("@path", grammar::is_path(&parts.path)),
            (
                "@query",
                parts.query.as_deref().is_none_or(grammar::is_query),
            ),
            ("created", grammar::is_integer(parts.created)),
            ("expires", parts.expires.is_none_or(grammar::is_integer)),
            ("nonce", grammar::is_nonce(&parts.nonce)),
            ("keyid", grammar::is_key_id(&parts.key_id)),
        ];
        if let Some((name, _)) = checks.into_iter().find(|(_, is_good)| !is_good) {
            return Err(RequestFault::Value(name));
        }
        if parts
            .expires
            .is_some_and(|expires| expires <= parts.created)
        {
            return Err(RequestFault::Expires);
        }
        let base = Self(parts);
        if base.to_bytes().len() > MAX_BASE {
            Err(RequestFault::Size)
        } else {
            Ok(base)
        }
    }

    /// What it covers.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.0
    }

    /// The bytes to be signed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        signature_base(&self.0.components(), &self.signature_params())
    }

    /// The value of `@signature-params`, which is also that of `Signature-Input` behind its label.
    #[must_use]
    pub fn signature_params(&self) -> String {
        let parts = &self.0;
        let mut params = format!("{};created={}", parts.covered(), parts.created);
        if let Some(expires) = parts.expires {
            let _ = write!(params, ";expires={expires}");
        }
        let (nonce, key_id, alg) = (&parts.nonce, &parts.key_id, parts.algorithm.name());
        let _ = write!(
            params,
            r#";nonce="{nonce}";keyid="{key_id}";alg="{alg}";tag="portcullis""#
        );
        params
    }
}

impl Parts {
    /// The covered components in the profile's order, with their values.
    fn components(&self) -> Vec<(&'static str, String)> {
        let mut components = vec![
            ("@method", self.method.clone()),
            ("@authority", self.authority.clone()),
            ("@path", self.path.clone()),
        ];
        components.extend(
            self.query
                .as_ref()
                .map(|query| ("@query", format!("?{query}"))),
        );
        components.extend(
            self.content_digest
                .map(|d| ("content-digest", content_digest(&d))),
        );
        components.extend(
            self.act
                .map(|digest| ("portcullis-act", hex::encode(digest))),
        );
        components
    }

    /// The list of what is covered: `("@method" "@authority" …)`.
    pub(super) fn covered(&self) -> String {
        let names = self
            .components()
            .into_iter()
            .map(|(name, _)| format!("\"{name}\""));
        format!("({})", names.collect::<Vec<_>>().join(" "))
    }
}

/// A `Content-Digest` header (RFC 9530) of one SHA-256.
pub(super) fn content_digest(digest: &[u8; 32]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest))
}

/// The signature base of RFC 9421, section 2.5, for any components and parameters.
///
/// Nothing is checked: values with line ends in them would forge lines. [`Base`] is the safe way.
#[must_use]
pub fn signature_base(components: &[(&str, String)], params: &str) -> Vec<u8> {
    let mut base = String::with_capacity(512);
    for (name, value) in components {
        let _ = writeln!(base, "\"{name}\": {value}");
    }
    let _ = write!(base, "\"@signature-params\": {params}");
    base.into_bytes()
}
