#![doc = include_str!("../../../docs/spec/request.md")]

mod base;
mod fault;
mod grammar;
mod http;
mod parse;

pub use base::{Algorithm, Base, Parts, signature_base};
pub use fault::RequestFault;
pub use http::{Headers, Received, headers_for};
pub use parse::parse_base;

use crate::digest::Digest;
use crate::id::FactorId;
use crate::signature::{PublicKey, Signature, Verify};
use crate::time::{Span, Time};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Longest signature base, and longest of the two signature headers, in bytes.
pub const MAX_BASE: usize = 4096;

/// How old a request's signature may be when it is submitted.
pub const REQUEST_AGE: Span = Span::seconds(300);
/// How far ahead of whoever judges it a request may be signed.
pub const REQUEST_SKEW: Span = Span::seconds(30);

/// Whether a request counts at `at`: signed at most five minutes before and half a minute after it, and
/// not expired.
#[must_use]
pub fn is_fresh(parts: &Parts, at: Time) -> bool {
    let created = Time::from_unix_seconds(parts.created);
    let expires = parts.expires.map(Time::from_unix_seconds);
    created <= at.after(REQUEST_SKEW)
        && at.since(created) <= REQUEST_AGE
        && expires.is_none_or(|expires| at < expires)
}

/// A request's signature base and signature, as they stand in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct SignedRequest {
    /// The signature base (RFC 9421, section 2.5): the very bytes that were signed.
    #[cbor(n(0), with = "minicbor::bytes")]
    #[serde(with = "crate::text::base64url")]
    pub base: Vec<u8>,
    /// Over the base, normalised.
    #[n(1)]
    pub signature: Signature,
}

/// A request of which only the form was checked: nobody is known to have signed it. Only
/// [`SignedRequest::read`] makes one.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    request: SignedRequest,
    base: Base,
    factor: Option<FactorId>,
    signature: Digest,
}

/// A request whose signature holds. Only [`check`] makes one.
///
/// It says nothing of time: whoever judges freshness compares `created` and `expires` with the
/// entry's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRequest(Base);

impl VerifiedRequest {
    /// What was signed.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        self.0.parts()
    }
}

impl SignedRequest {
    /// Check its form.
    pub fn read(&self) -> Result<ReadRequest, RequestFault> {
        let base = parse_base(&self.base)?;
        Ok(ReadRequest {
            factor: base.parts().key_id.parse().ok(),
            signature: Digest::plain(self.signature.as_bytes()),
            request: self.clone(),
            base,
        })
    }
}

impl ReadRequest {
    /// What it says; which key signed it, for one.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        self.base.parts()
    }

    /// The factor that `keyid` names, where it names one.
    #[must_use]
    pub fn factor(&self) -> Option<FactorId> {
        self.factor
    }

    /// SHA-256 of its signature, by which state remembers that it proved an act.
    #[must_use]
    pub fn signature(&self) -> Digest {
        self.signature
    }

    /// Whether algorithm and signature, in this order, are those of the key that `keyid` names.
    pub fn holds(&self, key: &PublicKey, verify: &dyn Verify) -> Result<(), RequestFault> {
        if self.base.parts().algorithm != Algorithm::of(key) {
            return Err(RequestFault::Algorithm);
        }
        if !verify.verify(key, &self.request.base, &self.request.signature) {
            return Err(RequestFault::Signature);
        }
        Ok(())
    }
}

/// Check form, algorithm and signature, in this order, under the key that `keyid` names.
pub fn check(
    request: &SignedRequest,
    key: &PublicKey,
    verify: &dyn Verify,
) -> Result<VerifiedRequest, RequestFault> {
    let read = request.read()?;
    read.holds(key, verify)?;
    Ok(VerifiedRequest(read.base))
}
