//! The HTTP edge: a base as the three headers that carry it, and back from a request received.

use super::base::content_digest as digest_header;
use super::parse::{Params, act, byte_sequence, content_digest, split_covered};
use super::{Algorithm, Base, MAX_BASE, Parts, RequestFault, SignedRequest, grammar};
use crate::signature::Signature;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The label under which our own clients sign. A server takes any.
const LABEL: &str = "portcullis";

/// The headers that turn a request into a signed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// `Content-Digest`, where there is a body.
    pub content_digest: Option<String>,
    /// `Portcullis-Act`, where there is an act.
    pub portcullis_act: Option<String>,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

/// The headers for a base and the signature over it.
#[must_use]
pub fn headers_for(base: &Base, signature: &Signature) -> Headers {
    let parts = base.parts();
    Headers {
        content_digest: parts.content_digest.as_ref().map(digest_header),
        portcullis_act: parts.act.map(hex::encode),
        signature_input: format!("{LABEL}={}", base.signature_params()),
        signature: format!("{LABEL}=:{}:", STANDARD.encode(signature.as_bytes())),
    }
}

/// A request as a server received it, header values with no space around them.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The method.
    pub method: &'a str,
    /// The `Host` header, or HTTP/2's `:authority`.
    pub authority: &'a str,
    /// The path as on the wire.
    pub path: &'a str,
    /// What followed the question mark, if there was one.
    pub query: Option<&'a str>,
    /// The body, whole.
    pub body: &'a [u8],
    /// `Content-Digest`.
    pub content_digest: Option<&'a str>,
    /// `Portcullis-Act`.
    pub portcullis_act: Option<&'a str>,
    /// `Signature-Input`.
    pub signature_input: &'a str,
    /// `Signature`.
    pub signature: &'a str,
}

impl Received<'_> {
    /// Rebuild the base that a client must have signed to send this request. Whether it did, says
    /// [`check`](super::check).
    pub fn signed_request(&self) -> Result<SignedRequest, RequestFault> {
        let (label, params) = one_member(self.signature_input, "Signature-Input")?;
        let base = self.base(params)?;
        let (signed_label, value) = one_member(self.signature, "Signature")?;
        if signed_label != label {
            return Err(RequestFault::Label);
        }
        let signature = signature(value, base.parts().algorithm)?;
        Ok(SignedRequest {
            base: base.to_bytes(),
            signature,
        })
    }

    fn base(&self, params: &str) -> Result<Base, RequestFault> {
        let (covered, rest) = split_covered(params)?;
        let Params {
            created,
            expires,
            nonce,
            key_id,
            algorithm,
        } = Params::read(rest)?;
        let parts = Parts {
            method: self.method.to_string(),
            authority: self.authority.to_ascii_lowercase(),
            path: self.path.to_string(),
            query: self.query.map(str::to_string),
            content_digest: self.body_digest()?,
            act: self.portcullis_act.map(act).transpose()?,
            created,
            expires,
            nonce,
            key_id,
            algorithm,
        };
        if covered != parts.covered() {
            return Err(RequestFault::Component("Signature-Input"));
        }
        let base = Base::new(parts)?;
        if base.signature_params() == params {
            Ok(base)
        } else {
            Err(RequestFault::NotCanonical)
        }
    }

    /// A body and its digest come together or not at all.
    fn body_digest(&self) -> Result<Option<[u8; 32]>, RequestFault> {
        let header = match (self.content_digest, self.body) {
            (None, []) => return Ok(None),
            (None, _) | (Some(_), []) => return Err(RequestFault::Header("Content-Digest")),
            (Some(header), _) => header,
        };
        let digest = content_digest(header)?;
        if Sha256::digest(self.body)[..] == digest {
            Ok(Some(digest))
        } else {
            Err(RequestFault::ContentDigest)
        }
    }
}

/// `label=value`, and no second signature: a comma stands nowhere in the profile's values.
fn one_member<'a>(header: &'a str, name: &'static str) -> Result<(&'a str, &'a str), RequestFault> {
    if header.len() > MAX_BASE {
        return Err(RequestFault::Size);
    }
    let member = header
        .split_once('=')
        .filter(|(label, _)| grammar::is_label(label));
    member
        .filter(|_| !header.contains(','))
        .ok_or(RequestFault::Header(name))
}

fn signature(value: &str, algorithm: Algorithm) -> Result<Signature, RequestFault> {
    let malformed = RequestFault::Header("Signature");
    let bytes: [u8; 64] = byte_sequence(value).ok_or(malformed)?;
    match algorithm {
        Algorithm::Ed25519 => Ok(Signature::from_bytes(bytes)),
        Algorithm::EcdsaP256Sha256 => {
            Signature::from_fixed_normalised(&bytes).map_err(|_| malformed)
        }
    }
}
