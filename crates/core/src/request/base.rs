//! The signature base, written.

use super::{MAX_BASE, RequestFault, grammar};
use crate::codec::hex_text;
use crate::realm::Realm;
use crate::signature::PublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::fmt::Write as _;
use std::borrow::Cow;

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

    /// Whether the request tries this act out: it asks what would become of it, and for nothing else.
    #[must_use]
    pub fn tries_out(&self, act: &[u8; 32]) -> bool {
        let is_there = self.path == "/v1/acts:simulate" && self.query.is_none();
        is_there && self.method == "POST" && self.act == Some(*act)
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
        Self::written(parts).map(|(base, _)| base)
    }

    /// The same, with the bytes to be signed.
    pub(super) fn written(parts: Parts) -> Result<(Self, Vec<u8>), RequestFault> {
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
        let bytes = base.to_bytes();
        if bytes.len() > MAX_BASE {
            Err(RequestFault::Size)
        } else {
            Ok((base, bytes))
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
        let components = self.0.components();
        signature_base(&components, &self.params(&components))
    }

    /// The value of `@signature-params`, which is also that of `Signature-Input` behind its label.
    #[must_use]
    pub fn signature_params(&self) -> String {
        self.params(&self.0.components())
    }

    fn params(&self, components: &[Component<'_>]) -> String {
        let parts = &self.0;
        let mut params = covered(components);
        let _ = write!(params, ";created={}", parts.created);
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

/// A covered component's name and value.
type Component<'a> = (&'static str, Cow<'a, str>);

impl Parts {
    /// The covered components in the profile's order.
    fn components(&self) -> Vec<Component<'_>> {
        let mut components: Vec<Component<'_>> = Vec::with_capacity(6);
        components.extend([
            ("@method", self.method.as_str().into()),
            ("@authority", self.authority.as_str().into()),
            ("@path", self.path.as_str().into()),
        ]);
        if let Some(query) = &self.query {
            components.push(("@query", format!("?{query}").into()));
        }
        if let Some(digest) = &self.content_digest {
            components.push(("content-digest", content_digest(digest).into()));
        }
        if let Some(act) = &self.act {
            let act = hex_text(act, &mut [0; 64]).to_owned();
            components.push(("portcullis-act", act.into()));
        }
        components
    }

    /// The list of what is covered: `("@method" "@authority" …)`.
    pub(super) fn covered(&self) -> String {
        covered(&self.components())
    }
}

fn covered(components: &[Component<'_>]) -> String {
    let mut covered = String::with_capacity(256);
    covered.push('(');
    for (at, (name, _)) in components.iter().enumerate() {
        covered.push_str(if at == 0 { "\"" } else { " \"" });
        covered.push_str(name);
        covered.push('"');
    }
    covered.push(')');
    covered
}

/// A `Content-Digest` header (RFC 9530) of one SHA-256.
pub(super) fn content_digest(digest: &[u8; 32]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest))
}

/// The signature base of RFC 9421, section 2.5, for any components and parameters.
///
/// Nothing is checked: values with line ends in them would forge lines. [`Base`] is the safe way.
#[must_use]
pub fn signature_base(components: &[(&str, impl AsRef<str>)], params: &str) -> Vec<u8> {
    let mut base = String::with_capacity(512);
    for (name, value) in components {
        for part in ["\"", name, "\": ", value.as_ref(), "\n"] {
            base.push_str(part);
        }
    }
    for part in ["\"@signature-params\": ", params] {
        base.push_str(part);
    }
    base.into_bytes()
}
