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

/// A request of which only the form was checked: nobody is known to have signed it.
#[derive(Clone, Debug)]
pub struct ReadRequest<'a> {
    request: &'a SignedRequest,
    base: Base,
}

/// A request whose signature holds. Only [`ReadRequest::check`] makes one.
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
    pub fn read(&self) -> Result<ReadRequest<'_>, RequestFault> {
        let base = parse_base(&self.base)?;
        Ok(ReadRequest {
            request: self,
            base,
        })
    }
}

impl ReadRequest<'_> {
    /// What it says; which key signed it, for one.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        self.base.parts()
    }

    /// Check algorithm and signature, in this order, under the key that `keyid` names.
    pub fn check(
        self,
        key: &PublicKey,
        verify: &dyn Verify,
    ) -> Result<VerifiedRequest, RequestFault> {
        if self.base.parts().algorithm != Algorithm::of(key) {
            return Err(RequestFault::Algorithm);
        }
        if !verify.verify(key, &self.request.base, &self.request.signature) {
            return Err(RequestFault::Signature);
        }
        Ok(VerifiedRequest(self.base))
    }
}

/// Check form, algorithm and signature, in this order, under the key that `keyid` names.
pub fn check(
    request: &SignedRequest,
    key: &PublicKey,
    verify: &dyn Verify,
) -> Result<VerifiedRequest, RequestFault> {
    request.read()?.check(key, verify)
}
