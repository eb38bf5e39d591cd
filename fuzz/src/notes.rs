//! Notes, checkpoints, keys and the witness protocol, beside Cloudflare's implementations.

use crate::world;
use portcullis_tlog::witness::{AddCheckpoint, Answer, MAX_REQUEST_BYTES, decide};
use portcullis_tlog::{
    Checkpoint, Cosigned, LogKey, MAX_NOTE_BYTES, Note, NoteSignature, SignedCheckpoint,
    Signer as _, Timestamp, TreeHead, WitnessKey,
};

/// A note of ours is a note of theirs, with the same text and signatures.
pub(crate) fn note(bytes: &[u8]) -> bool {
    let _ = NoteSignature::parse_lines(bytes);
    let network = &world::world().network;
    let _ = SignedCheckpoint::parse(bytes, network.log());
    if let Ok(cosigned) = Cosigned::parse(bytes, network.log(), network.quorum()) {
        assert!(cosigned.witnesses().len() >= network.quorum().k());
    }
    let Ok(note) = Note::parse(bytes) else {
        return false;
    };
    assert!(bytes.len() <= MAX_NOTE_BYTES);
    assert_eq!(note.to_string().as_bytes(), bytes);
    let theirs = signed_note::Note::from_bytes(bytes).expect("a note for signed_note too");
    assert_eq!(theirs.text(), note.text().as_bytes());
    true
}

pub(crate) fn checkpoint(bytes: &[u8]) -> bool {
    let parsed = str::from_utf8(bytes)
        .ok()
        .and_then(|body| Checkpoint::parse(body).ok());
    parsed.is_some_and(|checkpoint| {
        assert_eq!(checkpoint.body().as_bytes(), bytes);
        let theirs = tlog_tiles::Checkpoint::from_bytes(bytes).expect("for tlog_tiles too");
        assert_eq!(theirs.size(), checkpoint.head().size);
        assert_eq!(theirs.origin(), checkpoint.origin().as_str());
        true
    })
}

pub(crate) fn verifier_key(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else {
        return false;
    };
    let log = text.parse::<LogKey>().is_ok_and(|key| {
        assert_eq!(key.to_string(), text);
        true
    });
    let witness = text.parse::<WitnessKey>().is_ok_and(|key| {
        assert_eq!(key.to_string(), text);
        true
    });
    assert!(!(log && witness), "one key in two roles");
    log || witness
}

/// What a witness is asked: decided at three sizes, and never cosigned without the log's signature.
pub(crate) fn witness_request(bytes: &[u8]) -> bool {
    let request = AddCheckpoint::parse(bytes);
    assert!(request.is_err() || bytes.len() <= MAX_REQUEST_BYTES);
    let Ok(request) = request else {
        return false;
    };
    assert_eq!(request.to_string().as_bytes(), bytes);
    let log = world::world().network.log();
    let newest = TreeHead {
        size: world::state().size(),
        root: world::state().facts().log.head().root,
    };
    for known in [None, Some(TreeHead::EMPTY), Some(newest)] {
        if let Ok(accepted) = decide(known, request.clone(), log) {
            assert!(accepted.head().size >= known.map_or(0, |head| head.size));
            assert_eq!(accepted.signed().checkpoint().origin(), log.name());
        }
    }
    true
}

/// What a witness answers, by each status; the first two bytes choose one.
pub(crate) fn witness_answer(bytes: &[u8]) -> bool {
    let Some((status, body)) = bytes.split_first_chunk::<2>() else {
        return false;
    };
    let status = [200, 404, 409, 422, 500, u16::from_be_bytes(*status)][usize::from(status[0]) % 6];
    match Answer::parse(status, body) {
        Answer::Cosigned(lines) => {
            let world = world::world();
            let head = world::state().facts().log.head();
            let signed = SignedCheckpoint::sign(head, &world.log).expect("a log signs");
            for witness in &world.witnesses {
                let _ = witness.key().verify_answer(&signed, &lines);
            }
            true
        }
        Answer::At(_) => {
            assert_eq!(status, 409);
            true
        }
        Answer::Refused { .. } => false,
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let world = world::world();
    let head = world::state().facts().log.head();
    let signed = SignedCheckpoint::sign(head, &world.log).expect("a log signs");
    let time = Timestamp::from_unix(1_780_000_000).expect("a time");
    let request = AddCheckpoint::new(0, Vec::new(), &signed);
    let accepted = decide(None, request.clone(), world.network.log()).expect("a new log");
    let lines = world.witnesses.iter().map(|witness| {
        let cosignature = accepted.clone().cosign(time, witness);
        format!("{}\n", cosignature.expect("a witness signs").signature())
    });
    let cosigned = [&[0, 0][..], lines.collect::<String>().as_bytes()].concat();
    let conflict = [&[2, 0][..], b"17\n"].concat();
    vec![cosigned, conflict, request.to_string().into_bytes()]
}
