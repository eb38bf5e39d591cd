//! The attestation object (WebAuthn Level 3, section 6.5.4): `{ fmt, attStmt, authData }`.

use super::statement::{Proof, Statement};
use super::{AttestedCredential, RegistrationFault};
use minicbor::decode::{Decoder, Error};
use portcullis_core::passkey::authenticator_data::Header;

/// An attestation object, parsed; nothing in it is checked yet.
#[derive(Clone, Debug)]
pub struct AttestationObject<'a> {
    /// The fixed part of the authenticator data.
    pub header: Header,
    /// The credential in the authenticator data.
    pub credential: AttestedCredential,
    /// The attestation statement.
    pub statement: Statement<'a>,
    authenticator_data: &'a [u8],
}

impl<'a> AttestationObject<'a> {
    /// Parse the bytes that a client returned.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RegistrationFault> {
        let members = Members::read(bytes).map_err(|_| RegistrationFault::AttestationObject)?;
        let (header, rest) = Header::split(members.authenticator_data)?;
        if !header.flags.attested() {
            return Err(RegistrationFault::Credential);
        }
        let (credential, extensions) = AttestedCredential::split(rest)?;
        header.check_extensions(extensions)?;
        let statement = Statement::parse(members.format, members.statement)?;
        let authenticator_data = members.authenticator_data;
        Ok(Self {
            header,
            credential,
            statement,
            authenticator_data,
        })
    }

    /// Check the statement over this object and the client data's SHA-256.
    pub fn prove(&self, client_data_hash: &[u8; 32]) -> Result<Proof, RegistrationFault> {
        let signed = [self.authenticator_data, client_data_hash].concat();
        self.statement.prove(&self.credential, &signed)
    }
}

struct Members<'a> {
    format: &'a str,
    statement: &'a [u8],
    authenticator_data: &'a [u8],
}

impl<'a> Members<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let malformed = || Error::message("not an attestation object");
        let mut object = Decoder::new(bytes);
        let count = object.map()?.ok_or_else(malformed)?;
        let (mut format, mut statement, mut authenticator_data) = (None, None, None);
        for _ in 0..count {
            match object.str()? {
                "fmt" => format = Some(object.str()?),
                "attStmt" => statement = Some(raw(&mut object)?),
                "authData" => authenticator_data = Some(object.bytes()?),
                _ => return Err(malformed()),
            }
        }
        let all = (format, statement, authenticator_data, object.position());
        let (Some(format), Some(statement), Some(authenticator_data), end) = all else {
            return Err(malformed());
        };
        if count != 3 || end != bytes.len() {
            return Err(malformed());
        }
        Ok(Self {
            format,
            statement,
            authenticator_data,
        })
    }
}

/// The bytes of the next item.
fn raw<'a>(decoder: &mut Decoder<'a>) -> Result<&'a [u8], Error> {
    let start = decoder.position();
    decoder.skip()?;
    let item = decoder.input().get(start..decoder.position());
    item.ok_or_else(|| Error::message("no item"))
}
