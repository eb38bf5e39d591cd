//! A genesis for production: drafted, signed by each administrator elsewhere, put together.

use super::draft;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::keyring::{KeyPaths, purpose};
use crate::out::{json, say, warn};
use portcullis_core::codec::encode;
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::SignedGenesis;
use portcullis_core::id::PrincipalId;
use portcullis_core::signature::{Signature, Strict};
use portcullis_core::{Digest, Network};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// One administrator's signature, on its way to whoever assembles.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureFile {
    genesis: Digest,
    administrator: PrincipalId,
    signature: Signature,
}

pub(super) fn check(draft: &Path) -> Result<(), Failure> {
    let genesis = draft::read(draft)?;
    draft::tell(&genesis);
    tell_digest(genesis.digest());
    Ok(())
}

pub(super) fn sign(
    draft: &Path,
    key: &Path,
    passphrase: Option<&Path>,
    out: Option<&Path>,
) -> Result<(), Failure> {
    let genesis = draft::read(draft)?;
    let mut paths = KeyPaths::of(key.to_owned());
    if let Some(passphrase) = passphrase {
        passphrase.clone_into(&mut paths.passphrase);
    }
    let key = paths.statement(purpose::REQUEST)?;
    let factor = NewFactor::RequestKey {
        key: key.public_key().clone(),
    };
    let administrators = genesis.administrators.iter();
    let me = administrators
        .clone()
        .find(|member| member.factors.contains(&factor));
    let administrator = me.map(|member| member.principal).ok_or_else(|| {
        Failure::usage(
            "the draft names no administrator with this key",
            "portcullis key show",
        )
    })?;
    let signed = SignatureFile {
        genesis: genesis.digest(),
        administrator,
        signature: key.sign(&genesis.signed_bytes())?,
    };
    draft::tell(&genesis);
    match out {
        Some(path) => files::write(path, json(&signed).as_bytes())?,
        None => say(json(&signed)),
    }
    tell_digest(signed.genesis);
    Ok(())
}

pub(super) fn assemble(draft: &Path, from: &[PathBuf], out: &Path) -> Result<(), Failure> {
    let genesis = draft::read(draft)?;
    let digest = genesis.digest();
    let signatures = from.iter().map(|path| {
        let file: SignatureFile = draft::parse(path)?;
        if file.genesis == digest {
            Ok((file.administrator, file.signature))
        } else {
            let what = format!("{} signs another draft, {}", path.display(), file.genesis);
            Err(Failure::new(
                Exit::Wrong,
                what,
                "see who changed the draft, and when",
            ))
        }
    });
    let signatures = signatures.collect::<Result<_, _>>()?;
    let signed = SignedGenesis {
        genesis,
        signatures,
    };
    let network = Network::new(signed, &Strict)?;
    files::write_once(out, &encode(network.signed()))?;
    files::write_once(
        &out.with_extension("json"),
        json(network.signed()).as_bytes(),
    )?;
    tell_digest(digest);
    Ok(())
}

/// The digest goes to standard output, so that a script can pin it.
fn tell_digest(digest: Digest) {
    warn("The genesis digest; compare it by voice with every administrator before you pin it:");
    say(digest);
}
