//! Sealing TOTP seeds and codes to the herald that genesis names.

use crate::contact::SealError;
use portcullis_contact::{Digits, Envelope, Seed};
use portcullis_core::code::Code;
use portcullis_core::genesis::SealingKey;
use portcullis_core::id::{AccountId, FactorId};
use portcullis_core::{Digest, Network};
use portcullis_host::Random;

/// Seal a seed for an account. The factor carries [`Envelope::commitment`]; the envelope follows by
/// [`crate::Gate::send_envelope`].
pub fn seal_seed(
    seed: &Seed,
    network: &Network,
    account: AccountId,
    random: &dyn Random,
) -> Result<Envelope, SealError> {
    let key = sealing(network)?;
    let fill = |bytes: &mut [u8]| random.fill(bytes);
    Ok(Envelope::seal_seed(
        seed,
        key,
        network.digest(),
        account,
        fill,
    )?)
}

/// Seal digits as a code for an act, of one factor.
pub fn seal_code(
    digits: &Digits,
    network: &Network,
    (act, factor): (Digest, FactorId),
    random: &dyn Random,
) -> Result<Code, SealError> {
    let key = sealing(network)?;
    let fill = |bytes: &mut [u8]| random.fill(bytes);
    let sealed = portcullis_contact::seal_code(digits, key, network.digest(), (act, factor), fill)?;
    Ok(Code::Totp { factor, sealed })
}

fn sealing(network: &Network) -> Result<SealingKey, SealError> {
    let key = network.herald().and_then(|herald| herald.sealing);
    key.ok_or(SealError::NoHerald)
}
