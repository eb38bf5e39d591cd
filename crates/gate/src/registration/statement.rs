//! Attestation statements (WebAuthn Level 3, section 8): every registered format parsed, the signatures
//! that say something without a list of trusted makers checked.

use super::{AttestedCredential, RegistrationFault};
use minicbor::decode::{Decoder, Error};
use pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use portcullis_core::signature::{PublicKey, Signature, Strict, Verify as _};
use serde::Serialize;
use webpki::EndEntityCert;

/// An attestation statement format, by its name in IANA's registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Format(String);

impl Format {
    /// The registered name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// What an attestation statement proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Nothing: the client says nothing of its authenticator.
    None,
    /// The credential itself signed the registration: whoever registered it holds it.
    Possession,
    /// The key of a certificate signed it. Nobody vouches for the certificate here.
    Certificate,
    /// The statement has the members of its format, and nobody checked what they say.
    Unchecked,
}

/// An attestation statement.
#[derive(Clone, Debug)]
pub struct Statement<'a> {
    /// Its format.
    pub format: Format,
    algorithm: Option<i64>,
    signature: Option<&'a [u8]>,
    certificates: Vec<&'a [u8]>,
}

/// The members of each format. A format that stands not here is taken as it is, unchecked.
const FORMATS: &[(&str, &[&str])] = &[
    ("none", &[]),
    ("packed", &["alg", "sig"]),
    ("packed", &["alg", "sig", "x5c"]),
    ("fido-u2f", &["sig", "x5c"]),
    ("tpm", &["alg", "certInfo", "pubArea", "sig", "ver", "x5c"]),
    ("android-key", &["alg", "sig", "x5c"]),
    ("android-safetynet", &["response", "ver"]),
    ("apple", &["x5c"]),
];

const MAX_FORMAT: usize = 32;

impl<'a> Statement<'a> {
    pub(super) fn parse(format: &str, bytes: &'a [u8]) -> Result<Self, RegistrationFault> {
        let is_name = format.len() <= MAX_FORMAT && format.bytes().all(|b| b.is_ascii_graphic());
        let mut statement = Self {
            format: Format(format.into()),
            algorithm: None,
            signature: None,
            certificates: Vec::new(),
        };
        let mut names = statement
            .read(bytes)
            .map_err(|_| RegistrationFault::Statement)?;
        names.sort_unstable();
        let mut known = FORMATS
            .iter()
            .filter(|(name, _)| *name == format)
            .peekable();
        let fits = known.peek().is_none() || known.any(|(_, members)| *members == names);
        if fits && is_name {
            Ok(statement)
        } else {
            Err(RegistrationFault::Statement)
        }
    }

    /// Take the members that are checked, and name all.
    fn read(&mut self, bytes: &'a [u8]) -> Result<Vec<&'a str>, Error> {
        let mut decoder = Decoder::new(bytes);
        let count = decoder
            .map()?
            .ok_or_else(|| Error::message("indefinite length"))?;
        let mut names = Vec::new();
        for _ in 0..count {
            let name = decoder.str()?;
            match name {
                "alg" => self.algorithm = Some(decoder.i64()?),
                "sig" => self.signature = Some(decoder.bytes()?),
                "x5c" => self.certificates = certificates(&mut decoder)?,
                _ => decoder.skip()?,
            }
            names.push(name);
        }
        Ok(names)
    }

    /// Check the statement of a credential; `signed` is authenticator data and client data hash.
    pub(super) fn prove(
        &self,
        credential: &AttestedCredential,
        signed: &[u8],
    ) -> Result<Proof, RegistrationFault> {
        let signature = self.signature.unwrap_or_default();
        match (self.format.name(), self.certificates.first()) {
            ("none", _) => Ok(Proof::None),
            ("packed", None) => self.prove_possession(credential, signed, signature),
            ("packed", Some(leaf)) => signed_by(leaf, self.algorithm, signed, signature),
            ("fido-u2f", Some(leaf)) => {
                let signed = u2f_signed_bytes(credential, signed)?;
                signed_by(leaf, Some(super::credential::ES256), &signed, signature)
            }
            _ => Ok(Proof::Unchecked),
        }
    }

    /// Self attestation (section 8.2): by the credential's own key and algorithm.
    fn prove_possession(
        &self,
        credential: &AttestedCredential,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<Proof, RegistrationFault> {
        let is_own = self.algorithm == Some(credential.algorithm());
        let signature = Signature::from_client(&credential.key, signature);
        let holds = signature.is_ok_and(|s| Strict.verify(&credential.key, signed, &s));
        if is_own && holds {
            Ok(Proof::Possession)
        } else {
            Err(RegistrationFault::Proof)
        }
    }
}

/// One certificate or more, the signer's first.
fn certificates<'a>(decoder: &mut Decoder<'a>) -> Result<Vec<&'a [u8]>, Error> {
    let chain = decoder.array_iter::<&minicbor::bytes::ByteSlice>()?;
    let chain = chain
        .map(|item| item.map(|bytes| &**bytes))
        .collect::<Result<Vec<_>, _>>()?;
    if chain.is_empty() {
        Err(Error::message("no certificate"))
    } else {
        Ok(chain)
    }
}

/// Whether the certificate's key made the signature; algorithms that we cannot check stay unchecked.
fn signed_by(
    certificate: &[u8],
    algorithm: Option<i64>,
    signed: &[u8],
    signature: &[u8],
) -> Result<Proof, RegistrationFault> {
    let algorithm: &dyn SignatureVerificationAlgorithm = match algorithm {
        Some(super::credential::ES256) => webpki::aws_lc_rs::ECDSA_P256_SHA256,
        Some(super::credential::EDDSA) => webpki::aws_lc_rs::ED25519,
        Some(-257) => webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256,
        _ => return Ok(Proof::Unchecked),
    };
    let certificate = CertificateDer::from(certificate);
    let leaf = EndEntityCert::try_from(&certificate).map_err(|_| RegistrationFault::Proof)?;
    let holds = leaf.verify_signature(algorithm, signed, signature);
    holds
        .map(|()| Proof::Certificate)
        .map_err(|_| RegistrationFault::Proof)
}

/// What a U2F device signs (section 8.6): `0x00 ‖ RP ID hash ‖ client data hash ‖ credential id ‖ key`.
fn u2f_signed_bytes(
    credential: &AttestedCredential,
    signed: &[u8],
) -> Result<Vec<u8>, RegistrationFault> {
    let parts = (
        signed.first_chunk::<32>(),
        signed.last_chunk::<32>(),
        &credential.key,
    );
    let (Some(rp_id_hash), Some(client_data_hash), PublicKey::P256(key)) = parts else {
        return Err(RegistrationFault::Proof);
    };
    Ok([
        &[0],
        &rp_id_hash[..],
        client_data_hash,
        &credential.id.0,
        key.as_bytes(),
    ]
    .concat())
}
