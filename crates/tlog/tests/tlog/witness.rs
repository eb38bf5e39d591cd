//! The witness protocol: its texts, and every way to be refused.

use portcullis_tlog::witness::{
    AddCheckpoint, Answer, MAX_REQUEST_BYTES, Rejection, RequestError, decide,
};
use portcullis_tlog::{
    CheckpointError, Hash, LogSigner, NoteError, ProofError, SignatureError, SignedCheckpoint,
    Signer, TreeHead, prove_consistency,
};
use proptest::prelude::*;

use crate::model::{
    MemoryLog, ORIGIN, at, head_of, leaves, log_key, log_signer, name, witness_signer,
};

/// From C2SP tlog-witness.
const C2SP_REQUEST: &str = "old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
";

fn head(size: usize) -> TreeHead {
    head_of(&leaves(size))
}

fn signed(head: TreeHead) -> SignedCheckpoint {
    SignedCheckpoint::sign(head, &log_signer()).unwrap()
}

/// An honest request to go from one size to another.
fn request(old: usize, new: usize) -> AddCheckpoint {
    let log = MemoryLog::of(&leaves(new));
    let proof = prove_consistency(&log, old as u64, new as u64).unwrap();
    AddCheckpoint::new(old as u64, proof, &signed(head(new)))
}

fn decided(latest: Option<TreeHead>, request: AddCheckpoint) -> Result<TreeHead, Rejection> {
    decide(latest, request, &log_key()).map(|accepted| accepted.head())
}

#[test]
fn the_request_of_the_specification_survives() {
    let request = AddCheckpoint::parse(C2SP_REQUEST.as_bytes()).unwrap();
    assert_eq!(request.to_string(), C2SP_REQUEST);
    assert_eq!(request.origin().as_str(), "example.com/behind-the-sofa");
    assert_eq!(request.old_size(), 20_852_014);
    let refused = decide(None, request, &log_key());
    assert_eq!(refused.unwrap_err().status(), 404);
}

#[test]
fn requests_without_proof_survive() {
    for request in [request(0, 7), request(7, 7), request(8, 9)] {
        let body = request.to_string();
        assert_eq!(AddCheckpoint::parse(body.as_bytes()), Ok(request));
    }
}

#[test]
fn malformed_requests_are_refused() {
    use RequestError::{Checkpoint, Malformed, ProofTooLong, TooLong};
    let good = request(3, 7).to_string();
    let (head, note) = good.split_once("\n\n").unwrap();
    let with_old = |old: &str| good.replacen("old 3", old, 1);
    let hash = Hash::EMPTY_ROOT.to_base64();
    let proof = |lines: usize| format!("old 3\n{}\n{note}", format!("{hash}\n").repeat(lines));
    let no_signatures = Checkpoint(CheckpointError::Note(NoteError::NoSignatures));
    let table = [
        ("nothing", String::new(), Malformed),
        ("note only", note.to_owned(), Malformed),
        ("no empty line", format!("{head}\n{note}"), Malformed),
        ("no old line", format!("\n{note}"), Malformed),
        ("old without size", with_old("old"), Malformed),
        ("old without space", with_old("old3"), Malformed),
        ("two spaces", with_old("old  3"), Malformed),
        ("leading zero", with_old("old 03"), Malformed),
        ("sign", with_old("old +3"), Malformed),
        ("negative", with_old("old -3"), Malformed),
        ("huge", with_old("old 4611686018427387905"), Malformed),
        ("upper case", with_old("Old 3"), Malformed),
        ("carriage return", with_old("old 3\r"), Malformed),
        (
            "short hash",
            with_old(&format!("old 3\n{}", &hash[..43])),
            Malformed,
        ),
        (
            "hash with a space",
            with_old(&format!("old 3\n {hash}")),
            Malformed,
        ),
        ("64 hashes", proof(64), ProofTooLong),
        ("no note", format!("{head}\n\n"), no_signatures),
        (
            "body only",
            format!("{head}\n\n{}\n", note.split("\n\n").next().unwrap()),
            no_signatures,
        ),
        (
            "no checkpoint",
            good.replacen("\n7\n", "\nseven\n", 1),
            Checkpoint(CheckpointError::BadSize),
        ),
        ("too long", "x".repeat(MAX_REQUEST_BYTES + 1), TooLong),
    ];
    for (case, body, error) in table {
        let refused = AddCheckpoint::parse(body.as_bytes()).unwrap_err();
        assert_eq!(refused, error, "{case}");
        assert_eq!(Rejection::from(refused).status(), 400, "{case}");
    }
    assert_eq!(AddCheckpoint::parse(b"old \xff\n\n"), Err(Malformed));
    assert!(AddCheckpoint::parse(proof(63).as_bytes()).is_ok());
}

#[test]
fn a_growing_log_is_followed() {
    let mut latest = None;
    for (old, new) in [(0, 1), (1, 1), (1, 7), (7, 7), (7, 8), (8, 20)] {
        latest = Some(decided(latest, request(old, new)).unwrap());
        assert_eq!(latest, Some(head(new)));
    }
    // An empty log too may be cosigned, again and again.
    let empty = decided(None, request(0, 0)).unwrap();
    assert_eq!(decided(Some(empty), request(0, 0)), Ok(TreeHead::EMPTY));
    assert_eq!(decided(Some(empty), request(0, 4)), Ok(head(4)));
}

#[test]
fn what_is_accepted_can_be_cosigned() {
    let accepted = decide(Some(head(3)), request(3, 5), &log_key()).unwrap();
    let witness = witness_signer(1);
    let cosignature = accepted.cosign(at(1_000), &witness).unwrap();
    let answer = format!("{}\n", cosignature.signature());
    let Answer::Cosigned(lines) = Answer::parse(200, answer.as_bytes()) else {
        panic!("no cosignature in {answer}")
    };
    let verified = witness.key().verify_answer(accepted.signed(), &lines);
    assert_eq!(verified, Ok(cosignature));
}

#[test]
fn every_rejection_has_its_status() {
    use Rejection::{Fork, Inconsistent, OldSizeTooLarge, OtherSize, Signature, UnknownOrigin};
    let other_log = LogSigner::from_seed(name("other.example"), &[1; 32]).unwrap();
    let impostor = LogSigner::from_seed(name(ORIGIN), &[9; 32]).unwrap();
    let by = |signer: &LogSigner| {
        AddCheckpoint::new(0, vec![], &SignedCheckpoint::sign(head(5), signer).unwrap())
    };
    let parse = |body: String| AddCheckpoint::parse(body.as_bytes()).unwrap();
    let altered = parse(request(0, 5).to_string().replacen("\n5\n", "\n6\n", 1));
    let line = signed(head(5)).note().signatures()[0].to_string();
    let doubled = parse(format!("{}{line}\n", request(0, 5)));
    let fork = TreeHead {
        size: 5,
        root: head(4).root,
    };
    let other_empty = TreeHead {
        size: 0,
        root: head(4).root,
    };
    let bare = |old, head| AddCheckpoint::new(old, vec![], &signed(head));
    let proof_of = |old, new, head| {
        let proof = prove_consistency(&MemoryLog::of(&leaves(9)), old, new).unwrap();
        AddCheckpoint::new(old, proof, &signed(head))
    };
    let wrong_root = Inconsistent(ProofError::WrongRoot);
    let length = |expected, got| Inconsistent(ProofError::WrongLength { expected, got });
    let at5 = Some(head(5));
    let table = [
        ("another log", at5, by(&other_log), UnknownOrigin, 404, None),
        (
            "another key",
            at5,
            by(&impostor),
            Signature(SignatureError::Missing),
            403,
            None,
        ),
        (
            "altered body",
            at5,
            altered,
            Signature(SignatureError::Bad),
            403,
            None,
        ),
        (
            "signed twice",
            at5,
            doubled,
            Signature(SignatureError::Repeated),
            403,
            None,
        ),
        (
            "backwards",
            at5,
            bare(6, head(5)),
            OldSizeTooLarge,
            400,
            None,
        ),
        (
            "smaller tree",
            at5,
            request(3, 4),
            OtherSize { known: 5 },
            409,
            Some(5),
        ),
        (
            "behind",
            at5,
            request(3, 7),
            OtherSize { known: 5 },
            409,
            Some(5),
        ),
        (
            "ahead",
            at5,
            request(6, 7),
            OtherSize { known: 5 },
            409,
            Some(5),
        ),
        (
            "from nothing",
            at5,
            request(0, 7),
            OtherSize { known: 5 },
            409,
            Some(5),
        ),
        (
            "first, but not from 0",
            None,
            request(3, 7),
            OtherSize { known: 0 },
            409,
            Some(0),
        ),
        (
            "fork at one size",
            at5,
            bare(5, fork),
            Fork { known: 5 },
            409,
            Some(5),
        ),
        ("no proof", at5, bare(5, head(7)), length(4, 0), 422, None),
        (
            "proof of other sizes",
            at5,
            proof_of(5, 9, head(7)),
            length(4, 5),
            422,
            None,
        ),
        (
            "proof of another tree",
            at5,
            proof_of(5, 7, TreeHead { size: 7, ..fork }),
            wrong_root,
            422,
            None,
        ),
        (
            "forked before",
            Some(fork),
            request(5, 7),
            wrong_root,
            422,
            None,
        ),
        (
            "proof from 0",
            None,
            AddCheckpoint::new(0, vec![fork.root], &signed(head(5))),
            length(0, 1),
            422,
            None,
        ),
        (
            "proof for a heartbeat",
            at5,
            AddCheckpoint::new(5, vec![fork.root], &signed(head(5))),
            length(0, 1),
            422,
            None,
        ),
        (
            "empty tree, other root",
            None,
            bare(0, other_empty),
            wrong_root,
            422,
            None,
        ),
    ];
    for (case, latest, request, rejection, status, known) in table {
        let refused = decided(latest, request).unwrap_err();
        assert_eq!(refused, rejection, "{case}");
        assert_eq!(
            (refused.status(), refused.known_size()),
            (status, known),
            "{case}"
        );
    }
}

#[test]
fn answers_are_read_strictly() {
    let refused = |status| Answer::Refused { status };
    let table = [
        (409, &b"20852014\n"[..], Answer::At(20_852_014)),
        (409, b"0\n", Answer::At(0)),
        (409, b"20852014", refused(409)),
        (409, b"020852014\n", refused(409)),
        (409, b"+1\n", refused(409)),
        (409, b"1\n\n", refused(409)),
        (409, b"", refused(409)),
        (409, b"\xff\n", refused(409)),
        (409, b"9223372036854775807\n", refused(409)),
        (200, b"", refused(200)),
        (200, b"ok\n", refused(200)),
        (404, b"20852014\n", refused(404)),
        (422, b"", refused(422)),
        (503, b"", refused(503)),
    ];
    for (status, body, answer) in table {
        assert_eq!(Answer::parse(status, body), answer, "{status} {body:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever order requests come in, a witness' heads are prefixes of one log.
    #[test]
    fn a_witness_never_goes_back(steps in prop::collection::vec((0usize..40, 0usize..40), 1..20)) {
        let mut latest: Option<TreeHead> = None;
        for (old, new) in steps {
            let (old, new) = (old.min(new), old.max(new));
            let before = latest.unwrap_or(TreeHead::EMPTY);
            match decided(latest, request(old, new)) {
                Ok(after) => {
                    prop_assert_eq!(before.size, old as u64);
                    prop_assert_eq!(after, head(new));
                    latest = Some(after);
                }
                Err(rejection) => {
                    prop_assert_eq!(rejection, Rejection::OtherSize { known: before.size });
                    prop_assert_ne!(before.size, old as u64);
                }
            }
        }
    }

    #[test]
    fn a_flipped_bit_of_a_request_is_never_cosigned_as_something_else(place: usize, bit in 0u8..8) {
        let good = request(5, 9).to_string().into_bytes();
        let mut bad = good.clone();
        bad[place % good.len()] ^= 1 << bit;
        let accepted = AddCheckpoint::parse(&bad).map(|request| decided(Some(head(5)), request));
        prop_assert!(!matches!(accepted, Ok(Ok(_))));
    }
}
