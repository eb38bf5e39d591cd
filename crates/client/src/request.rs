//! Signed requests: RFC 9421 in the profile of `docs/spec/request.md`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::factor::NewFactor;
use portcullis_core::id::FactorId;
use portcullis_core::request::{Algorithm, Base, Parts, RequestFault, SignedRequest, headers_for};
use portcullis_core::signature::Signature;
use portcullis_core::{Digest, Time};
use portcullis_host::Random;
use portcullis_keys::{SignError, StatementKey};
use std::sync::Arc;

/// A request key and its id.
#[derive(Clone)]
pub struct RequestSigner {
    key: Arc<dyn StatementKey>,
    id: FactorId,
}

/// A request before its signature.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// Host and port as in the `Host` header.
    pub authority: &'a str,
    /// The path, with what follows a question mark.
    pub target: &'a str,
    /// The whole body; empty where there is none.
    pub body: &'a [u8],
    /// The act that is submitted or concerned.
    pub act: Option<Digest>,
}

/// A request's signature and what it covers.
#[derive(Clone, Debug)]
pub struct Signed {
    base: Base,
    signature: Signature,
}

/// Why a request is not signed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The request is not of the profile.
    #[error("the request cannot be signed: {0}")]
    Profile(#[from] RequestFault),
    /// The key.
    #[error(transparent)]
    Key(#[from] SignError),
}

impl RequestSigner {
    /// The signer of a key.
    #[must_use]
    pub fn new(key: Arc<dyn StatementKey>) -> Self {
        let id = factor(key.as_ref()).id();
        Self { key, id }
    }

    /// The key as a factor, by which genesis and journal know it.
    #[must_use]
    pub fn factor(&self) -> NewFactor {
        factor(self.key.as_ref())
    }

    /// The factor's id, which requests carry as `keyid`.
    #[must_use]
    pub fn id(&self) -> FactorId {
        self.id
    }

    /// Sign a request as of now.
    pub fn sign(
        &self,
        request: &Unsigned<'_>,
        now: Time,
        random: &dyn Random,
    ) -> Result<Signed, RequestError> {
        let (path, query) = match request.target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (request.target, None),
        };
        let has_body = !request.body.is_empty();
        let base = Base::new(Parts {
            method: request.method.to_owned(),
            authority: request.authority.to_owned(),
            path: path.to_owned(),
            query,
            content_digest: has_body.then(|| Digest::plain(request.body).0),
            act: request.act.map(|digest| digest.0),
            created: now.0 / 1000,
            expires: None,
            nonce: URL_SAFE_NO_PAD.encode(random.array::<24>()),
            key_id: self.id.to_string(),
            algorithm: Algorithm::of(self.key.public_key()),
        })?;
        let signature = self.key.sign(&base.to_bytes())?;
        Ok(Signed { base, signature })
    }
}

impl Signed {
    /// The headers that carry it.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let headers = headers_for(&self.base, &self.signature);
        let optional = [
            ("content-digest", headers.content_digest),
            ("portcullis-act", headers.portcullis_act),
        ];
        let present = optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let always = [
            ("signature-input", headers.signature_input),
            ("signature", headers.signature),
        ];
        present.chain(always).collect()
    }

    /// The same as evidence, for whoever proves an act without sending it.
    #[must_use]
    pub fn evidence(&self) -> SignedRequest {
        SignedRequest {
            base: self.base.to_bytes(),
            signature: self.signature,
        }
    }
}

fn factor(key: &dyn StatementKey) -> NewFactor {
    NewFactor::RequestKey {
        key: key.public_key().clone(),
    }
}
