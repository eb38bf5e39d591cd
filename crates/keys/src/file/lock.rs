//! Encryption of the list of keys: Argon2id, then XChaCha20-Poly1305.

use argon2::{Algorithm, Argon2, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::entry::Entry;
use super::format::{Header, Sealed};
use super::{Cost, KeyFileError, MAX_KEYS, Passphrase};

/// The key derived from a passphrase, with what it was derived by.
pub(super) struct Lock {
    cost: Cost,
    salt: [u8; 16],
    cipher: XChaCha20Poly1305,
}

impl Lock {
    /// Derives a key under a new salt.
    pub(super) fn fresh(passphrase: &Passphrase, cost: Cost) -> Result<Self, KeyFileError> {
        Self::derive(passphrase, cost, random()?)
    }

    /// Derives the key of a file and decrypts it.
    pub(super) fn unlock(
        passphrase: &Passphrase,
        sealed: &Sealed,
    ) -> Result<(Self, Vec<Entry>), KeyFileError> {
        let header = &sealed.header;
        let lock = Self::derive(passphrase, header.cost, header.salt)?;
        let text = header.text();
        let payload = Payload {
            msg: &sealed.ciphertext,
            aad: text.as_bytes(),
        };
        let opened = lock.cipher.decrypt(&XNonce::from(header.nonce), payload);
        let list = Zeroizing::new(opened.map_err(|_| KeyFileError::WrongPassphrase)?);
        let entries = read_list(&list)?;
        Ok((lock, entries))
    }

    /// Encrypts a list under a new nonce: 24 random bytes never meet twice.
    pub(super) fn seal(&self, entries: &[Entry]) -> Result<Sealed, KeyFileError> {
        let header = Header {
            cost: self.cost,
            salt: self.salt,
            nonce: random()?,
        };
        let (text, list) = (header.text(), write_list(entries)?);
        let payload = Payload {
            msg: &list,
            aad: text.as_bytes(),
        };
        let sealed = self.cipher.encrypt(&XNonce::from(header.nonce), payload);
        Ok(Sealed {
            header,
            ciphertext: sealed.map_err(|_| KeyFileError::Content)?,
        })
    }

    pub(super) fn cost(&self) -> Cost {
        self.cost
    }

    fn derive(passphrase: &Passphrase, cost: Cost, salt: [u8; 16]) -> Result<Self, KeyFileError> {
        let params = cost.params().map_err(KeyFileError::Derive)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, &mut *key)
            .map_err(KeyFileError::Derive)?;
        Ok(Self {
            cost,
            salt,
            cipher: XChaCha20Poly1305::new((&*key).into()),
        })
    }
}

/// One key's array head, kind, name and secret take less than this many bytes.
const MAX_ENTRY: usize = 128;

fn write_list(entries: &[Entry]) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    // Room for all of it, so that growing leaves no copy behind.
    let mut list = Zeroizing::new(Vec::with_capacity(16 + entries.len() * MAX_ENTRY));
    minicbor::encode(entries, &mut *list).map_err(|_| KeyFileError::Content)?;
    Ok(list)
}

fn read_list(list: &[u8]) -> Result<Vec<Entry>, KeyFileError> {
    let mut decoder = minicbor::Decoder::new(list);
    let count = decoder
        .array()
        .ok()
        .flatten()
        .ok_or(KeyFileError::Content)?;
    if usize::try_from(count).map_or(true, |count| count > MAX_KEYS) {
        return Err(KeyFileError::Content);
    }
    let read = (0..count).map(|_| decoder.decode());
    let entries: Vec<Entry> = read
        .collect::<Result<_, _>>()
        .map_err(|_| KeyFileError::Content)?;
    if write_list(&entries)?.as_slice() == list {
        Ok(entries)
    } else {
        Err(KeyFileError::Content)
    }
}

fn random<const N: usize>() -> Result<[u8; N], KeyFileError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| KeyFileError::Random)?;
    Ok(bytes)
}
