//! The encrypted file: its specification's vector, and everything that can be wrong with it.

#![allow(
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "helpers of tests; tables are long"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use portcullis_core::genesis::Mode;
use portcullis_keys::file::{MAX_KEYS, PassphraseError};
use portcullis_keys::{
    Cost, KeyFile, KeyFileError, Kind, Name, Passphrase, StatementKey, WalletKey, conformance,
};
use tempfile::TempDir;
use zeroize::Zeroizing;

const SPEC: &str = include_str!("../../../docs/spec/key-file.md");

fn passphrase(text: &str) -> Passphrase {
    Passphrase::read(text.as_bytes()).unwrap()
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A folder with the specification's file in it.
fn vector() -> (TempDir, PathBuf, Vec<u8>) {
    let start = SPEC.rfind("portcullis-keys 1\n").unwrap();
    let text = SPEC[start..]
        .split("```")
        .next()
        .unwrap()
        .as_bytes()
        .to_vec();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys");
    put(&path, &text);
    (folder, path, text)
}

fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn open(path: &Path) -> Result<KeyFile, KeyFileError> {
    KeyFile::open(path, &passphrase("correct horse battery staple\n"))
}

fn stands_in_the_specification(public: &[u8]) -> bool {
    SPEC.contains(&format!("`{}`", hex::encode(public)))
}

#[test]
fn the_specification_s_file_opens() {
    let (_folder, path, _) = vector();
    let file = open(&path).unwrap();
    let keys: Vec<_> = file
        .keys()
        .map(|(name, kind)| (name.to_string(), kind))
        .collect();
    let want = [
        ("wallet", Kind::Secp256k1),
        ("receipts", Kind::Ed25519),
        ("requests", Kind::P256),
    ];
    assert_eq!(keys, want.map(|(name, kind)| (name.to_owned(), kind)));
    assert_eq!(file.cost(), Cost::DEVELOPMENT);

    let wallet = file.wallet(&name("wallet")).unwrap();
    assert_eq!(
        hex::encode(wallet.address()),
        "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    );
    for statement in ["receipts", "requests"] {
        let key = file.statement(&name(statement)).unwrap();
        assert!(
            stands_in_the_specification(key.public_key().as_bytes()),
            "{statement}"
        );
        conformance::statement(&key).unwrap();
    }
    conformance::wallet(&wallet).unwrap();
}

#[test]
fn keys_survive_being_written_and_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys");
    let secret = passphrase("s");
    let mut file = KeyFile::create(&path, &secret, Cost::DEVELOPMENT).unwrap();
    for (kind, text) in [
        (Kind::Secp256k1, "a"),
        (Kind::Ed25519, "b"),
        (Kind::P256, "c"),
    ] {
        file.generate(kind, name(text)).unwrap();
    }
    let again = KeyFile::open(&path, &secret).unwrap();
    let address = |file: &KeyFile| file.wallet(&name("a")).unwrap().address();
    assert_eq!(address(&file), address(&again));
    for statement in ["b", "c"] {
        let public = |file: &KeyFile| {
            file.statement(&name(statement))
                .unwrap()
                .public_key()
                .clone()
        };
        assert_eq!(public(&file), public(&again));
    }
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing but the file is left");
}

#[test]
fn two_files_with_one_content_share_no_bytes_that_matter() {
    let folder = TempDir::new().unwrap();
    let make = |file: &str| {
        let path = folder.path().join(file);
        let secret = passphrase("s");
        let mut keys = KeyFile::create(&path, &secret, Cost::DEVELOPMENT).unwrap();
        let before = fs::read_to_string(&path).unwrap();
        keys.import(Kind::Ed25519, name("k"), &Zeroizing::new([7; 32]))
            .unwrap();
        [before, fs::read_to_string(&path).unwrap()]
    };
    let texts = [make("one"), make("two")].concat();
    let line = |text: &String, at| text.lines().nth(at).unwrap().to_owned();
    let mut nonces: Vec<_> = texts.iter().map(|text| line(text, 3)).collect();
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 4, "every write draws a nonce");
    assert_ne!(
        line(&texts[0], 2),
        line(&texts[2], 2),
        "every file draws a salt"
    );
}

#[test]
fn a_wrong_passphrase_is_called_that() {
    let (_folder, path, _) = vector();
    for wrong in [
        "correct horse battery stapl",
        "correct horse battery staple ",
        "x",
    ] {
        let error = KeyFile::open(&path, &passphrase(wrong)).err().unwrap();
        assert!(matches!(error, KeyFileError::WrongPassphrase), "{error}");
    }
}

#[test]
fn every_missing_end_is_called_that() {
    let (_folder, path, text) = vector();
    for length in 0..text.len() {
        put(&path, &text[..length]);
        let error = open(&path).err().unwrap();
        assert!(
            matches!(error, KeyFileError::Truncated),
            "{length}: {error}"
        );
    }
}

#[test]
fn every_flipped_bit_is_called_damage() {
    let (_folder, path, text) = vector();
    for (at, bit) in (0..text.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut damaged = text.clone();
        damaged[at] ^= 1 << bit;
        put(&path, &damaged);
        let error = open(&path).err().unwrap();
        assert!(
            matches!(error, KeyFileError::Damaged),
            "{at}.{bit}: {error}"
        );
    }
}

/// An attacker mends the checksum; the tag over header and ciphertext still tells.
#[test]
fn an_altered_file_does_not_open() {
    let (_folder, path, text) = vector();
    let text = String::from_utf8(text).unwrap();
    for (from, to) in [
        ("salt AAE", "salt AAI"),
        ("nonce AAE", "nonce AAI"),
        ("sealed SgerB2", "sealed SgerB3"),
        ("vva_Z", "vva_Y"),
    ] {
        put(&path, &with_checksum(&text.replace(from, to)));
        let error = open(&path).err().unwrap();
        assert!(
            matches!(error, KeyFileError::WrongPassphrase | KeyFileError::Form(_)),
            "{to}: {error}"
        );
    }
}

#[test]
fn hostile_files_are_refused_before_they_cost_anything() {
    type Want = fn(&KeyFileError) -> bool;
    let (_folder, path, text) = vector();
    let text = String::from_utf8(text).unwrap();
    let cost = |line: &str| text.replace("argon2id m=64 t=1 p=1", line);
    let costs: Want = |error| matches!(error, KeyFileError::Cost(_));
    let form: Want = |error| matches!(error, KeyFileError::Form(_));
    let version: Want = |error| matches!(error, KeyFileError::Version);
    let table = [
        (
            "four terabytes",
            cost("argon2id m=4294967295 t=1 p=1"),
            costs,
        ),
        ("just above", cost("argon2id m=262145 t=1 p=1"), costs),
        ("for ever", cost("argon2id m=64 t=4294967295 p=1"), costs),
        ("many lanes", cost("argon2id m=262144 t=1 p=5"), costs),
        ("no pass", cost("argon2id m=64 t=0 p=1"), costs),
        ("no memory", cost("argon2id m=63 t=1 p=1"), costs),
        (
            "beyond 32 bits",
            cost("argon2id m=4294967296 t=1 p=1"),
            form,
        ),
        ("leading zero", cost("argon2id m=064 t=1 p=1"), form),
        ("plus sign", cost("argon2id m=+64 t=1 p=1"), form),
        ("other function", cost("argon2i m=64 t=1 p=1"), form),
        ("a parameter more", cost("argon2id m=64 t=1 p=1 x=1"), form),
        (
            "short salt",
            text.replace("salt AAECAwQFBgcICQoLDA0ODw", "salt AAECAwQFBgcICQoLDA0O"),
            form,
        ),
        ("padding", text.replace("DA0ODw\n", "DA0ODw==\n"), form),
        (
            "a line more",
            text.replace("\nsealed", "\nextra\nsealed"),
            form,
        ),
        (
            "a line after",
            text.replace("\nsha256", "\nextra\nsha256"),
            form,
        ),
        ("carriage returns", text.replace('\n', "\r\n"), form),
        (
            "version 2",
            text.replace("portcullis-keys 1", "portcullis-keys 2"),
            version,
        ),
    ];
    for (what, text, want) in table {
        put(&path, &with_checksum(&text));
        let error = open(&path).err().unwrap();
        assert!(want(&error), "{what}: {error}");
    }
    for foreign in [
        &b"-----BEGIN PGP MESSAGE-----\n"[..],
        &[0xff; 200],
        &vec![b'a'; 1 << 20],
    ] {
        put(&path, foreign);
        assert!(matches!(open(&path), Err(KeyFileError::Version)));
    }
}

/// The text with a right checksum in its last line.
fn with_checksum(text: &str) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let body = &text[..text.rfind("sha256 ").unwrap()];
    format!("{body}sha256 {}\n", hex::encode(Sha256::digest(body))).into_bytes()
}

#[test]
fn files_that_others_can_read_are_refused() {
    let (_folder, path, _) = vector();
    for mode in [0o640, 0o604, 0o660, 0o644, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(
            matches!(open(&path), Err(KeyFileError::Permissions(_))),
            "{mode:o}"
        );
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(open(&path).is_ok());
}

#[test]
fn nothing_is_ever_overwritten() {
    let (_folder, path, text) = vector();
    let made = KeyFile::create(&path, &passphrase("x"), Cost::DEVELOPMENT);
    assert!(matches!(made, Err(KeyFileError::Exists(_))));
    assert_eq!(fs::read(&path).unwrap(), text);

    let (mut mine, mut other) = (open(&path).unwrap(), open(&path).unwrap());
    other.generate(Kind::Ed25519, name("other")).unwrap();
    let theirs = fs::read(&path).unwrap();
    assert!(matches!(
        mine.generate(Kind::P256, name("mine")),
        Err(KeyFileError::Changed(_))
    ));
    assert_eq!(fs::read(&path).unwrap(), theirs);
    assert!(
        mine.statement(&name("mine")).is_err(),
        "what is not stored is not there"
    );

    let taken = other.generate(Kind::P256, name("wallet"));
    assert!(matches!(taken, Err(KeyFileError::NameTaken(_))));
}

#[test]
fn one_writer_at_a_time() {
    let (folder, path, _) = vector();
    let mut file = open(&path).unwrap();
    fs::write(folder.path().join("keys.new"), "another's").unwrap();
    assert!(matches!(
        file.generate(Kind::P256, name("k")),
        Err(KeyFileError::Busy(_))
    ));
    assert_eq!(
        fs::read(folder.path().join("keys.new")).unwrap(),
        b"another's"
    );
    fs::remove_file(folder.path().join("keys.new")).unwrap();
    file.generate(Kind::P256, name("k")).unwrap();
    assert!(open(&path).unwrap().statement(&name("k")).is_ok());
}

#[test]
fn kinds_and_names_are_kept_apart() {
    let (_folder, path, _) = vector();
    let file = open(&path).unwrap();
    assert!(matches!(
        file.wallet(&name("receipts")),
        Err(KeyFileError::WrongKind(_, Kind::Ed25519))
    ));
    assert!(matches!(
        file.statement(&name("wallet")),
        Err(KeyFileError::WrongKind(_, Kind::Secp256k1))
    ));
    assert!(matches!(
        file.wallet(&name("nobody")),
        Err(KeyFileError::NoSuchKey(_))
    ));
    let long = "a".repeat(65);
    for bad in ["", "A", "a b", "ä", "a/b", "a\n", long.as_str()] {
        assert!(bad.parse::<Name>().is_err(), "{bad:?}");
    }
    assert!("a".repeat(64).parse::<Name>().is_ok());
}

#[test]
fn secrets_out_of_range_are_refused() {
    let (_folder, path, _) = vector();
    let mut file = open(&path).unwrap();
    for kind in [Kind::Secp256k1, Kind::P256] {
        for secret in [[0; 32], [0xff; 32]] {
            let imported = file.import(kind, name("k"), &Zeroizing::new(secret));
            assert!(matches!(imported, Err(KeyFileError::OutOfRange)), "{kind}");
        }
    }
    file.import(Kind::Ed25519, name("k"), &Zeroizing::new([0xff; 32]))
        .unwrap();
}

#[test]
fn the_fullest_file_fits() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys");
    let mut file = KeyFile::create(&path, &passphrase("x"), Cost::DEVELOPMENT).unwrap();
    let long = |n: usize| name(&format!("{n:064}"));
    for n in 0..MAX_KEYS {
        file.import(Kind::Ed25519, long(n), &Zeroizing::new([7; 32]))
            .unwrap();
    }
    let one_more = file.generate(Kind::Ed25519, long(MAX_KEYS));
    assert!(matches!(one_more, Err(KeyFileError::Full)));
    assert_eq!(
        KeyFile::open(&path, &passphrase("x"))
            .unwrap()
            .keys()
            .count(),
        MAX_KEYS
    );
}

#[test]
fn passphrases() {
    let read = |bytes: &[u8]| Passphrase::read(bytes);
    assert!(matches!(read(b""), Err(PassphraseError::Empty)));
    assert!(matches!(read(b"\r\n"), Err(PassphraseError::Empty)));
    assert!(read(&[b'a'; 1024]).is_ok());
    assert!(read(&[&[b'a'; 1024][..], b"\r\n"].concat()).is_ok());
    assert!(matches!(read(&[b'a'; 1025]), Err(PassphraseError::TooLong)));
    assert!(matches!(
        read(&vec![b'a'; 1 << 20]),
        Err(PassphraseError::TooLong)
    ));
}

#[test]
fn where_real_value_hangs_on_it_a_cheap_file_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys");
    KeyFile::create(&path, &passphrase("x"), Cost::DEVELOPMENT).unwrap();
    let open = |mode| KeyFile::open_for(mode, &path, &passphrase("x"));
    assert!(open(Mode::Development).is_ok());
    assert!(matches!(open(Mode::Production), Err(KeyFileError::Cheap)));
}

#[test]
fn costs() {
    assert!(Cost::PRODUCTION.is_fit_for_production());
    assert!(!Cost::DEVELOPMENT.is_fit_for_production());
    assert!(Cost::new(128 << 10, 2, 1).unwrap().is_fit_for_production());
    assert!(!Cost::new(32 << 10, 10, 1).unwrap().is_fit_for_production());
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys");
    KeyFile::create(&path, &passphrase("x"), Cost::PRODUCTION).unwrap();
    assert_eq!(
        KeyFile::open(&path, &passphrase("x")).unwrap().cost(),
        Cost::PRODUCTION
    );
}
