//! Signed notes and checkpoints.

use portcullis_tlog::{
    Checkpoint, CheckpointError, LogKey, LogSigner, MAX_NOTE_BYTES, MAX_TREE_SIZE, Note, NoteError,
    NoteSignature, SignatureError, SignedCheckpoint, Signer, TreeHead,
};
use proptest::prelude::*;

use crate::keys::{PETER, PETER_SECRET};
use crate::model::{ORIGIN, cosigned, head_of, leaves, log_key, log_signer, name};

/// From the tests of golang.org/x/mod/sumdb/note.
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=
";

/// From C2SP tlog-cosignature.
const C2SP_CHECKPOINT: &str = "example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";

fn head() -> TreeHead {
    head_of(&leaves(5))
}

#[test]
fn notes_of_go_verify_and_survive() {
    let note = Note::parse(GO_NOTE.as_bytes()).unwrap();
    assert_eq!(note.to_string(), GO_NOTE);
    let key: LogKey = PETER.parse().unwrap();
    assert_eq!(key.verify(&note), Ok(()));
    let altered = Note::parse(GO_NOTE.replace("answer", "Answer").as_bytes()).unwrap();
    assert_eq!(key.verify(&altered), Err(SignatureError::Bad));
    assert_eq!(log_key().verify(&note), Err(SignatureError::Missing));
}

#[test]
fn the_checkpoint_of_the_specification_survives() {
    let note = Note::parse(C2SP_CHECKPOINT.as_bytes()).unwrap();
    assert_eq!(note.to_string(), C2SP_CHECKPOINT);
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    assert_eq!(checkpoint.origin().as_str(), "example.com/behind-the-sofa");
    assert_eq!(checkpoint.head().size, 20_852_163);
    assert_eq!(checkpoint.body(), note.text());
    let witness = &note.signatures()[1];
    assert_eq!(witness.name().as_str(), "witness.example.com/w1");
    assert_eq!(&witness.bytes()[..8], 1_679_315_147_u64.to_be_bytes());
    assert_eq!(witness.bytes().len(), 72);
}

#[test]
fn a_text_may_have_empty_lines_and_look_like_signatures() {
    let line = GO_NOTE.lines().nth(3).unwrap();
    let text = format!("\n\none\n\n{line}\n\ntwo\n");
    let note = Note::parse(format!("{text}\n{line}\n").as_bytes()).unwrap();
    assert_eq!((note.text(), note.signatures().len()), (&text[..], 1));
}

#[test]
fn malformed_notes_are_refused() {
    use NoteError::{BadSignatureLine, NoSignatures, NotText, TooLong, TooManySignatures};
    let (text, lines) = GO_NOTE.split_once("\n\n").unwrap();
    let peter = lines.lines().next().unwrap();
    let with = |line: &str| format!("{text}\n\n{line}");
    let table = [
        ("nothing", String::new(), NoSignatures),
        ("text only", format!("{text}\n"), NoSignatures),
        ("no empty line", format!("{text}\n{peter}\n"), NoSignatures),
        ("nothing under the empty line", with(""), NoSignatures),
        (
            "no final newline",
            with(peter),
            BadSignatureLine { line: 1 },
        ),
        (
            "empty line at the end",
            with(&format!("{peter}\n\n")),
            NoSignatures,
        ),
        (
            "hyphen",
            with("- PeterNeumann x08go/ZJkuA=\n"),
            BadSignatureLine { line: 1 },
        ),
        (
            "no prefix",
            with("PeterNeumann x08go/ZJkuA=\n"),
            BadSignatureLine { line: 1 },
        ),
        (
            "second",
            with(&format!("{peter}\nx\n")),
            BadSignatureLine { line: 2 },
        ),
        (
            "no signature",
            with("— PeterNeumann\n"),
            BadSignatureLine { line: 1 },
        ),
        (
            "two spaces",
            with(&peter.replace("— ", "—  ")),
            BadSignatureLine { line: 1 },
        ),
        (
            "no name",
            with("—  x08go/ZJkuA=\n"),
            BadSignatureLine { line: 1 },
        ),
        (
            "plus",
            with("— Peter+Neumann x08go/ZJkuA=\n"),
            BadSignatureLine { line: 1 },
        ),
        (
            "space",
            with("— Peter Neumann x08go/ZJkuA=\n"),
            BadSignatureLine { line: 1 },
        ),
        (
            "id only",
            with("— PeterNeumann x08gow==\n"),
            BadSignatureLine { line: 1 },
        ),
        (
            "half an id",
            with("— PeterNeumann x08g\n"),
            BadSignatureLine { line: 1 },
        ),
        (
            "no base64",
            with("— PeterNeumann x08go*ZJkuA=\n"),
            BadSignatureLine { line: 1 },
        ),
        (
            "no padding",
            with("— PeterNeumann x08go/ZJkuA\n"),
            BadSignatureLine { line: 1 },
        ),
        (
            "loose bits",
            with("— PeterNeumann x08go/ZJkuB=\n"),
            BadSignatureLine { line: 1 },
        ),
        (
            "trailing space",
            with(&format!("{peter} \n")),
            BadSignatureLine { line: 1 },
        ),
        ("carriage return", GO_NOTE.replace('\n', "\r\n"), NotText),
        ("nul", GO_NOTE.replacen('y', "\0", 1), NotText),
        (
            "too many",
            with(&format!("{peter}\n").repeat(65)),
            TooManySignatures,
        ),
        (
            "too long",
            format!("{}{GO_NOTE}", "x".repeat(MAX_NOTE_BYTES)),
            TooLong,
        ),
    ];
    for (case, note, error) in table {
        assert_eq!(Note::parse(note.as_bytes()), Err(error), "{case}");
    }
    assert_eq!(Note::parse(b"\xff\n\n"), Err(NotText));
    let most = with(&format!("{peter}\n").repeat(64));
    assert_eq!(Note::parse(most.as_bytes()).unwrap().signatures().len(), 64);
    assert_eq!(NoteSignature::parse_lines(b""), Err(NoSignatures));
    assert_eq!(
        NoteSignature::parse_lines(b"\n"),
        Err(BadSignatureLine { line: 1 })
    );
}

#[test]
fn a_known_keys_line_counts_once_and_must_be_right() {
    let key: LogKey = PETER.parse().unwrap();
    let twice = format!("{GO_NOTE}{}\n", GO_NOTE.lines().nth(3).unwrap());
    let note = Note::parse(twice.as_bytes()).unwrap();
    assert_eq!(key.verify(&note), Err(SignatureError::Repeated));

    // Same name with another id, and same id with another name, are unknown keys.
    let other_id = GO_NOTE.replace("PeterNeumann x08g", "PeterNeumann y08g");
    let note = Note::parse(other_id.as_bytes()).unwrap();
    assert_eq!(key.verify(&note), Err(SignatureError::Missing));
    let both = format!("{GO_NOTE}{}\n", other_id.lines().nth(3).unwrap());
    assert_eq!(key.verify(&Note::parse(both.as_bytes()).unwrap()), Ok(()));

    for length in [5, 63, 65] {
        let mut signature = note.signatures()[0].bytes().to_vec();
        signature.resize(length, 0);
        let line = line_of(&key, &signature);
        let note = Note::parse(format!("{}\n{line}\n", note.text()).as_bytes()).unwrap();
        assert_eq!(
            key.verify(&note),
            Err(SignatureError::Bad),
            "{length} bytes"
        );
    }
}

fn line_of(key: &LogKey, signature: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let bytes = [key.id().as_bytes(), signature].concat();
    format!("— {} {}", key.name(), STANDARD.encode(bytes))
}

#[test]
fn signed_note_agrees() {
    use signed_note::{Note as Theirs, StandardSigner, StandardVerifier, VerifierList};
    let ours = SignedCheckpoint::sign(head(), &log_signer()).unwrap();
    let theirs = Theirs::from_bytes(ours.note().to_string().as_bytes()).unwrap();
    let vkey = log_key().to_string();
    let keys = VerifierList::new(vec![Box::new(StandardVerifier::new(&vkey).unwrap())]);
    assert_eq!(theirs.verify(&keys).unwrap().0.len(), 1);

    let secret = log_signer().to_secret_text();
    let mut signed = Theirs::new(ours.checkpoint().body().as_bytes(), &[]).unwrap();
    signed
        .add_sigs(&[&StandardSigner::new(&secret).unwrap()])
        .unwrap();
    assert_eq!(signed.to_bytes(), ours.note().to_string().into_bytes());

    let theirs = tlog_tiles::Checkpoint::from_bytes(ours.note().text().as_bytes()).unwrap();
    assert_eq!((theirs.origin(), theirs.size()), (ORIGIN, 5));
    assert_eq!(theirs.to_bytes(), ours.checkpoint().body().as_bytes());
    assert!(StandardSigner::new(PETER_SECRET).is_ok());
}

#[test]
fn a_checkpoint_survives_being_signed_and_read() {
    let signed = cosigned(head(), &[(1, 1_700_000_000)]);
    let text = signed.note().to_string();
    let read = SignedCheckpoint::parse(text.as_bytes(), &log_key()).unwrap();
    assert_eq!(read, signed);
    assert_eq!(read.head(), head());
    assert_eq!(
        read.body_digest(),
        Checkpoint::new(name(ORIGIN), head()).body_digest()
    );
}

#[test]
fn cosigning_again_replaces_the_line() {
    let signed = cosigned(
        head(),
        &[(1, 1_700_000_000), (2, 1_700_000_000), (1, 1_700_000_009)],
    );
    let names: Vec<_> = signed
        .note()
        .signatures()
        .iter()
        .map(|s| s.name().as_str())
        .collect();
    assert_eq!(names, [ORIGIN, "witness.example/w2", "witness.example/w1"]);
}

#[test]
fn extension_lines_are_kept_and_signed() {
    let body = format!(
        "{}ext one\next two\n",
        Checkpoint::new(name(ORIGIN), head()).body()
    );
    let checkpoint = Checkpoint::parse(&body).unwrap();
    assert_eq!(checkpoint.extensions(), ["ext one", "ext two"]);
    assert_eq!(checkpoint.body(), body);
    let plain = Checkpoint::new(name(ORIGIN), head());
    assert_ne!(checkpoint.body_digest(), plain.body_digest());
}

#[test]
fn malformed_checkpoints_are_refused() {
    use CheckpointError::{BadOrigin, BadRoot, BadSize, NotABody};
    let root = head().root.to_base64();
    let huge = MAX_TREE_SIZE + 1;
    let table = [
        ("nothing", String::new(), NotABody),
        ("no final newline", format!("o\n5\n{root}"), NotABody),
        ("empty origin", format!("\n5\n{root}\n"), BadOrigin),
        (
            "origin with a space",
            format!("a b\n5\n{root}\n"),
            BadOrigin,
        ),
        ("one line", "o\n".to_owned(), NotABody),
        ("two lines", "o\n5\n".to_owned(), NotABody),
        ("no size", format!("o\n\n{root}\n"), BadSize),
        ("leading zero", format!("o\n05\n{root}\n"), BadSize),
        ("sign", format!("o\n+5\n{root}\n"), BadSize),
        ("negative", format!("o\n-5\n{root}\n"), BadSize),
        ("hex", format!("o\n0x5\n{root}\n"), BadSize),
        ("space", format!("o\n5 \n{root}\n"), BadSize),
        ("huge", format!("o\n{huge}\n{root}\n"), BadSize),
        (
            "above 64 bits",
            format!("o\n99999999999999999999\n{root}\n"),
            BadSize,
        ),
        ("empty root", "o\n5\n\n".to_owned(), BadRoot),
        ("short root", format!("o\n5\n{}\n", &root[..40]), BadRoot),
        (
            "root in hex",
            format!("o\n5\n{}\n", "ab".repeat(32)),
            BadRoot,
        ),
        ("empty extension", format!("o\n5\n{root}\n\n"), NotABody),
        (
            "empty line between",
            format!("o\n5\n{root}\na\n\nb\n"),
            NotABody,
        ),
        (
            "control character",
            format!("o\n5\n{root}\na\tb\n"),
            NotABody,
        ),
    ];
    for (case, body, error) in table {
        assert_eq!(Checkpoint::parse(&body), Err(error), "{case}");
    }
}

#[test]
fn a_checkpoint_needs_its_own_logs_signature() {
    let signed = SignedCheckpoint::sign(head(), &log_signer()).unwrap();
    let text = signed.note().to_string();
    let other = LogSigner::from_seed(name("other.example"), &[1; 32]).unwrap();
    let refused = SignedCheckpoint::parse(text.as_bytes(), other.key());
    assert_eq!(refused, Err(CheckpointError::OtherOrigin));
    let impostor = LogSigner::from_seed(name(ORIGIN), &[9; 32]).unwrap();
    let refused = SignedCheckpoint::parse(text.as_bytes(), impostor.key());
    assert_eq!(
        refused,
        Err(CheckpointError::Signature(SignatureError::Missing))
    );
    let refused = SignedCheckpoint::parse(text.replace("\n5\n", "\n6\n").as_bytes(), &log_key());
    assert_eq!(
        refused,
        Err(CheckpointError::Signature(SignatureError::Bad))
    );
    let refused = SignedCheckpoint::parse(b"no note", &log_key());
    assert_eq!(refused, Err(CheckpointError::Note(NoteError::NoSignatures)));
}

proptest! {
    /// The parser takes what it would write, and nothing else.
    #[test]
    fn what_parses_is_canonical(text in "[a-z\n]{0,20}\n\n(— [a-z]{1,3} [a-zA-Z0-9+/]{8}\n){0,3}") {
        if let Ok(note) = Note::parse(text.as_bytes()) {
            prop_assert_eq!(note.to_string(), text);
        }
    }
}

#[test]
fn every_flipped_bit_of_a_signed_checkpoint_is_refused() {
    let signed = SignedCheckpoint::sign(head(), &log_signer()).unwrap();
    let good = signed.note().to_string().into_bytes();
    for place in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[place] ^= 1 << bit;
            let refused = SignedCheckpoint::parse(&bad, &log_key());
            assert!(refused.is_err(), "byte {place}, bit {bit}");
        }
    }
}
