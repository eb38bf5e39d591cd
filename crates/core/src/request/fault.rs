//! What can be wrong with a signed request.

/// Why a request is no evidence, or no request of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// A base or header of more than 4 KiB; nothing was parsed.
    #[error("the signature base or a signature header is longer than 4,096 bytes")]
    Size,
    /// The base is not lines of ASCII.
    #[error("the signature base is not ASCII text")]
    NotText,
    /// A component is missing, repeated, out of order, or not of the profile.
    #[error(
        "{0} is missing or out of place; cover the components of docs/spec/request.md in order"
    )]
    Component(&'static str),
    /// A component's or parameter's value is not of the form that the profile demands.
    #[error("{0} has a value that docs/spec/request.md does not allow")]
    Value(&'static str),
    /// A parameter is missing, repeated, out of order, or not of the profile.
    #[error("parameter {0} is missing or out of place; see docs/spec/request.md")]
    Parameter(&'static str),
    /// The signature expires before it was created.
    #[error("expires is not after created")]
    Expires,
    /// The same request has another, canonical spelling.
    #[error("the signature base is not in its canonical spelling")]
    NotCanonical,
    /// `alg` is not the algorithm of the key that `keyid` names.
    #[error("alg is not the algorithm of the key")]
    Algorithm,
    /// The signature does not hold.
    #[error("the signature does not hold under the key")]
    Signature,
    /// A header is missing, or is not what the profile demands.
    #[error("header {0} is missing or malformed; one signature, as in docs/spec/request.md")]
    Header(&'static str),
    /// `Signature` and `Signature-Input` name different signatures.
    #[error("Signature and Signature-Input carry different labels")]
    Label,
    /// The digest in `Content-Digest` is not that of the body.
    #[error("the body is not the one that Content-Digest names")]
    ContentDigest,
}
