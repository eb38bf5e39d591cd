//! Mandates as releases carry them: the plan is the text, and what a signer states is that with its signature.

use crate::digest::Digest;
use crate::plan::Plan;
use crate::signature::{PublicKey, Signature, Verify};
use portcullis_mandate::Signed;

/// The digest of a signed mandate, if it is this plan's under the key: SHA-256 of its bytes. It stands where a
/// transaction's hash does.
pub(crate) fn signed(
    plan: &Plan,
    bytes: &[u8],
    key: &PublicKey,
    verify: &dyn Verify,
) -> Option<Digest> {
    let signed = Signed::from_bytes(bytes).ok()?;
    let text = signed.mandate.to_string();
    let is_exact = text.as_bytes() == plan.unsigned && matches!(key, PublicKey::Ed25519(_));
    let holds = is_exact
        && verify.verify(
            key,
            text.as_bytes(),
            &Signature::from_bytes(signed.signature),
        );
    holds.then(|| Digest::plain(bytes))
}
