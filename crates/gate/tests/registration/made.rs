//! A registration of the test's own making, valid to begin with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::Encoder;
use portcullis_core::passkey::{CredentialId, RelyingParty};
use portcullis_gate::registration::{AttestationResponse, RegistrationResponse};
use sha2::{Digest as _, Sha256};

pub(crate) const RP_ID: &str = "bank.example";
pub(crate) const ORIGIN: &str = "https://app.bank.example";
pub(crate) const CHALLENGE: [u8; 32] = [0xc4; 32];

/// UP, UV and AT.
pub(crate) const FLAGS: u8 = 0x45;

pub(crate) fn party() -> RelyingParty {
    RelyingParty {
        rp_ids: vec![RP_ID.into()],
        origins: vec![ORIGIN.into()],
        top_origins: vec![],
    }
}

/// The parts of a registration, each to be spoilt by itself.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) client_data: String,
    pub(crate) flags: u8,
    pub(crate) id: Vec<u8>,
    pub(crate) cose: Vec<u8>,
    pub(crate) extensions: Vec<u8>,
    pub(crate) format: &'static str,
    pub(crate) statement: Vec<u8>,
    pub(crate) behind: Vec<u8>,
}

impl Made {
    pub(crate) fn valid() -> Self {
        Self {
            client_data: client_data("webauthn.create", ORIGIN),
            flags: FLAGS,
            id: b"credential".to_vec(),
            cose: es256(P256_BASE_POINT),
            extensions: vec![],
            format: "none",
            statement: vec![0xa0],
            behind: vec![],
        }
    }

    pub(crate) fn returned(&self) -> RegistrationResponse {
        RegistrationResponse {
            raw_id: CredentialId(self.id.clone()),
            response: AttestationResponse {
                client_data: self.client_data.clone().into_bytes(),
                attestation_object: self.attestation_object(),
            },
        }
    }

    fn attestation_object(&self) -> Vec<u8> {
        let mut object = Encoder::new(Vec::new());
        object
            .map(3)
            .unwrap()
            .str("fmt")
            .unwrap()
            .str(self.format)
            .unwrap();
        object
            .str("attStmt")
            .unwrap()
            .writer_mut()
            .extend(&self.statement);
        object
            .str("authData")
            .unwrap()
            .bytes(&self.authenticator_data())
            .unwrap();
        [object.into_writer(), self.behind.clone()].concat()
    }

    fn authenticator_data(&self) -> Vec<u8> {
        let mut bytes = Sha256::digest(RP_ID).to_vec();
        bytes.push(self.flags);
        bytes.extend([0, 0, 0, 0]);
        bytes.extend([0xaa; 16]);
        bytes.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        bytes.extend(&self.id);
        bytes.extend(&self.cose);
        bytes.extend(&self.extensions);
        bytes
    }
}

pub(crate) fn client_data(kind: &str, origin: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(CHALLENGE);
    format!(
        r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#
    )
}

/// `{1: 2, 3: -7, -1: 1, -2: x, -3: y}`
pub(crate) fn es256(point: &str) -> Vec<u8> {
    let point = hex::decode(point).unwrap();
    let mut key = Encoder::new(Vec::new());
    key.map(5)
        .unwrap()
        .u8(1)
        .unwrap()
        .u8(2)
        .unwrap()
        .u8(3)
        .unwrap()
        .i8(-7)
        .unwrap();
    key.i8(-1).unwrap().u8(1).unwrap();
    key.i8(-2).unwrap().bytes(&point[..32]).unwrap();
    key.i8(-3).unwrap().bytes(&point[32..]).unwrap();
    key.into_writer()
}

/// The generator of P-256 (SP 800-186, section 3.2.1.3), a public key like any.
pub(crate) const P256_BASE_POINT: &str = concat!(
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
);
