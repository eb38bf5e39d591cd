//! Names, ids and the text encodings of keys.

use portcullis_tlog::{KeyError, KeyName, LogKey, LogSigner, Signer, WitnessKey, WitnessSigner};

use crate::model::{log_signer, witness_signer};

/// The key pair of the tests of golang.org/x/mod/sumdb/note.
pub(crate) const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
pub(crate) const PETER_SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

#[test]
fn the_keys_of_go_are_read_and_written() {
    let key: LogKey = PETER.parse().unwrap();
    assert_eq!(key.to_string(), PETER);
    assert_eq!(
        (key.name().as_str(), key.id().to_string()),
        ("PeterNeumann", "c74f20a3".into())
    );
    let secret = LogSigner::from_secret_text(PETER_SECRET).unwrap();
    assert_eq!(secret.key(), &key);
    assert_eq!(*secret.to_secret_text(), PETER_SECRET);
}

#[test]
fn keys_survive_being_written() {
    let (log, witness) = (log_signer(), witness_signer(1));
    assert_eq!(log.key().to_string().parse(), Ok(log.key().clone()));
    assert_eq!(witness.key().to_string().parse(), Ok(witness.key().clone()));
    let again = WitnessSigner::from_secret_text(&witness.to_secret_text()).unwrap();
    assert_eq!(again.key(), witness.key());
}

#[test]
fn a_secret_never_shows_in_debug_output() {
    let shown = format!("{:?}", LogSigner::from_secret_text(PETER_SECRET).unwrap());
    assert!(!shown.contains("YEKFALV"), "{shown}");
}

#[test]
fn malformed_keys_are_refused() {
    use KeyError::{BadName, NotAKey, WrongId};
    let as_witness = "PeterNeumann+c74f20a3+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let table = [
        ("nothing", "", NotAKey),
        ("no material", "PeterNeumann+c74f20a3", NotAKey),
        ("empty material", "PeterNeumann+c74f20a3+", NotAKey),
        (
            "no name",
            "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            BadName,
        ),
        (
            "space",
            "Peter N+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            BadName,
        ),
        (
            "other name",
            "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            WrongId,
        ),
        (
            "other id",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            WrongId,
        ),
        (
            "upper id",
            "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            WrongId,
        ),
        (
            "other key",
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX",
            WrongId,
        ),
        (
            "short key",
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy",
            NotAKey,
        ),
        (
            "bad base64",
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq_LDE4izWy10TW",
            NotAKey,
        ),
        ("newline", &format!("{PETER}\n"), NotAKey),
        (
            "type 4",
            as_witness,
            KeyError::WrongType {
                expected: 1,
                got: 4,
            },
        ),
        ("long", &format!("{}{PETER}", "P".repeat(400)), NotAKey),
    ];
    for (case, vkey, error) in table {
        assert_eq!(vkey.parse::<LogKey>(), Err(error), "{case}");
    }
    let wrong_type = KeyError::WrongType {
        expected: 4,
        got: 1,
    };
    assert_eq!(PETER.parse::<WitnessKey>(), Err(wrong_type));
    assert_eq!(LogSigner::from_secret_text(PETER).err(), Some(NotAKey));
    let other_id = PETER_SECRET.replace("c74f20a3", "c74f20a4");
    assert_eq!(LogSigner::from_secret_text(&other_id).err(), Some(WrongId));
}

#[test]
fn names_have_no_spaces_pluses_or_control_characters() {
    for good in ["a", "example.com/log42", "é.example", &"n".repeat(255)] {
        assert_eq!(KeyName::new(good).unwrap().as_str(), good);
    }
    let long = "n".repeat(256);
    for bad in [
        "",
        " ",
        "a b",
        "a+b",
        "a\nb",
        "a\tb",
        "a\u{a0}b",
        "a\u{2003}b",
        "a\u{7f}",
        &long,
    ] {
        assert_eq!(KeyName::new(bad), Err(KeyError::BadName), "{bad:?}");
    }
}
