//! Cosignatures, and how many of them are a quorum.

use portcullis_tlog::{
    Cosigned, CosignedError, MAX_WITNESSES, Quorum, QuorumError, SignatureError, SignedCheckpoint,
    Signer, Timestamp, TimestampError, TreeHead, WitnessKey, WitnessSigner,
};

use crate::model::{at, cosigned, head_of, leaves, log_key, name, witness_signer};

fn witnesses(count: u8) -> Vec<WitnessKey> {
    (1..=count)
        .map(|number| witness_signer(number).key().clone())
        .collect()
}

fn head() -> TreeHead {
    head_of(&leaves(3))
}

fn verify(cosigners: &[(u8, u64)], quorum: &Quorum) -> Result<Cosigned, CosignedError> {
    Cosigned::parse(
        cosigned(head(), cosigners).note().to_string().as_bytes(),
        &log_key(),
        quorum,
    )
}

/// `k > (n + f) / 2`, row by row.
#[test]
fn any_two_quorums_share_an_honest_witness() {
    use QuorumError::{TooWeak, Unreachable, WitnessCount};
    let table = [
        (0, 0, 0, Err(WitnessCount)),
        (1, 0, 0, Err(TooWeak)),
        (1, 1, 0, Ok(1)),
        (1, 1, 1, Err(TooWeak)),
        (1, 2, 0, Err(Unreachable)),
        (2, 1, 0, Err(TooWeak)),
        (2, 2, 0, Ok(2)),
        (2, 2, 1, Ok(2)),
        (3, 2, 0, Ok(2)),
        (3, 2, 1, Err(TooWeak)),
        (3, 3, 1, Ok(3)),
        (4, 2, 0, Err(TooWeak)),
        (4, 3, 1, Ok(3)),
        (4, 3, 2, Err(TooWeak)),
        (5, 4, 2, Ok(4)),
        (5, 4, 3, Err(TooWeak)),
        (5, 5, u32::MAX, Err(TooWeak)),
        (5, u32::MAX, 0, Err(Unreachable)),
        (32, 17, 0, Ok(17)),
        (33, 17, 0, Err(WitnessCount)),
    ];
    assert_eq!(MAX_WITNESSES, 32);
    for (n, k, f, expected) in table {
        let got = Quorum::new(witnesses(n), k, f).map(|quorum| quorum.k());
        assert_eq!(got, expected, "{k} of {n}, {f} dishonest");
    }
}

#[test]
fn one_witness_under_two_names_is_refused() {
    let same_key = WitnessKey::new(name("other.example"), *witness_signer(1).key().public());
    let same_name = WitnessSigner::from_seed(name("witness.example/w1"), &[7; 32]).unwrap();
    for second in [
        same_key,
        same_name.key().clone(),
        witness_signer(1).key().clone(),
    ] {
        let pair = vec![witness_signer(1).key().clone(), second];
        assert_eq!(Quorum::new(pair, 2, 0), Err(QuorumError::NotDistinct));
    }
}

#[test]
fn the_k_most_recent_cosignatures_count() {
    let quorum = Quorum::new(witnesses(5), 3, 0).unwrap();
    let all = [(1, 1_000), (2, 5_000), (3, 2_000), (4, 4_000), (5, 3_000)];
    let proof = verify(&all, &quorum).unwrap();
    assert_eq!((proof.oldest(), proof.newest()), (at(3_000), at(5_000)));
    let names: Vec<_> = proof
        .witnesses()
        .iter()
        .map(portcullis_tlog::KeyName::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "witness.example/w2",
            "witness.example/w4",
            "witness.example/w5"
        ]
    );
    assert_eq!(proof.head(), head());
    assert_eq!(proof.body_digest(), proof.checkpoint().body_digest());

    let proof = verify(&all[..3], &quorum).unwrap();
    assert_eq!((proof.oldest(), proof.newest()), (at(1_000), at(5_000)));
    let too_few = CosignedError::TooFew { needed: 3, got: 2 };
    assert_eq!(verify(&all[..2], &quorum), Err(too_few));
}

#[test]
fn members_count_and_not_signatures() {
    let quorum = Quorum::new(witnesses(3), 2, 0).unwrap();
    // Strangers, however many, are ignored.
    let strangers: Vec<_> = (10..40).map(|number| (number, 1_000)).collect();
    let too_few = |got| Err(CosignedError::TooFew { needed: 2, got });
    assert_eq!(verify(&strangers, &quorum), too_few(0));
    let one = [&strangers[..], &[(1, 1_000)]].concat();
    assert_eq!(verify(&one, &quorum), too_few(1));
    assert!(verify(&[&one[..], &[(2, 1_000)]].concat(), &quorum).is_ok());

    // Two cosignatures of one witness, both valid, are not two witnesses.
    let twice = [
        cosigned(head(), &[(1, 1_000)]),
        cosigned(head(), &[(1, 2_000)]),
    ];
    let second = twice[1].note().signatures()[1].to_string();
    let note = format!("{}{second}\n", twice[0].note());
    let refused = Cosigned::parse(note.as_bytes(), &log_key(), &quorum);
    assert_eq!(refused, Err(bad_witness(SignatureError::Repeated)));
}

fn bad_witness(error: SignatureError) -> CosignedError {
    CosignedError::Witness {
        witness: name("witness.example/w1"),
        error,
    }
}

#[test]
fn a_known_witness_wrong_cosignature_refuses_the_note() {
    let quorum = Quorum::new(witnesses(3), 2, 0).unwrap();
    let good = cosigned(head(), &[(2, 1_000), (3, 1_000), (1, 1_000)]);
    let other = cosigned(head_of(&leaves(4)), &[(1, 1_000)]);
    let lines = good.note().to_string();
    let (rest, _) = lines.trim_end().rsplit_once('\n').unwrap();
    let with =
        |line: &str| Cosigned::parse(format!("{rest}\n{line}\n").as_bytes(), &log_key(), &quorum);
    assert!(with(&good.note().signatures()[3].to_string()).is_ok());
    let refused = Err(bad_witness(SignatureError::Bad));
    assert_eq!(
        with(&other.note().signatures()[1].to_string()),
        refused,
        "of another checkpoint"
    );
    for bytes in [&[][..], &[0; 8], &[0; 71], &[0; 72], &[0; 73]] {
        assert_eq!(
            with(&line(&[&[1][..], bytes].concat())),
            refused,
            "{} bytes",
            bytes.len()
        );
    }
}

/// Any bytes as a line of witness 1.
fn line(signature: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let key = witness_signer(1).key().clone();
    let bytes = [key.id().as_bytes(), signature].concat();
    format!("— {} {}", key.name(), STANDARD.encode(bytes))
}

#[test]
fn the_signed_bytes_are_those_of_the_specification() {
    let signed = cosigned(head(), &[(1, 1_679_315_147)]);
    let message = format!(
        "cosignature/v1\ntime 1679315147\n{}",
        signed.checkpoint().body()
    );
    let ed25519 = witness_signer(1).sign(message.as_bytes()).unwrap();
    let expected = [&1_679_315_147_u64.to_be_bytes()[..], &ed25519].concat();
    assert_eq!(signed.note().signatures()[1].bytes(), expected);
}

#[test]
fn times_are_seconds_from_1_to_2_63() {
    let most = i64::MAX.cast_unsigned();
    for seconds in [1, 1_700_000_000, most] {
        assert_eq!(at(seconds).unix(), seconds);
    }
    for seconds in [0, most + 1, u64::MAX] {
        assert_eq!(Timestamp::from_unix(seconds), Err(TimestampError));
    }
    // A signature over a time that is out of range is no cosignature, however valid.
    let quorum = Quorum::new(witnesses(1), 1, 0).unwrap();
    let signed = cosigned(head(), &[]);
    for seconds in [0, most + 1] {
        let message = format!(
            "cosignature/v1\ntime {seconds}\n{}",
            signed.checkpoint().body()
        );
        let ed25519 = witness_signer(1).sign(message.as_bytes()).unwrap();
        let line = line(&[&seconds.to_be_bytes()[..], &ed25519].concat());
        let note = format!("{}{line}\n", signed.note());
        let refused = Cosigned::parse(note.as_bytes(), &log_key(), &quorum);
        assert_eq!(refused, Err(bad_witness(SignatureError::Bad)), "{seconds}");
    }
}

#[test]
fn every_flipped_bit_of_a_cosigned_checkpoint_is_refused() {
    let quorum = Quorum::new(witnesses(2), 2, 0).unwrap();
    let good = cosigned(head(), &[(1, 1_000), (2, 2_000)])
        .note()
        .to_string()
        .into_bytes();
    assert!(Cosigned::parse(&good, &log_key(), &quorum).is_ok());
    for place in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[place] ^= 1 << bit;
            let refused = Cosigned::parse(&bad, &log_key(), &quorum);
            assert!(refused.is_err(), "byte {place}, bit {bit}");
        }
    }
}

#[test]
fn a_witness_answer_is_checked_against_the_checkpoint() {
    let (mine, other) = (
        cosigned(head(), &[(1, 1_000)]),
        cosigned(head(), &[(2, 1_000)]),
    );
    let plain = SignedCheckpoint::sign(head(), &crate::model::log_signer()).unwrap();
    let key = witness_signer(1).key().clone();
    let cosignature = key
        .verify_answer(&plain, &mine.note().signatures()[1..])
        .unwrap();
    assert_eq!(cosignature.time(), at(1_000));
    let missing = key.verify_answer(&plain, &other.note().signatures()[1..]);
    assert_eq!(missing, Err(SignatureError::Missing));
    let larger = cosigned(head_of(&leaves(4)), &[]);
    let bad = key.verify_answer(&larger, &mine.note().signatures()[1..]);
    assert_eq!(bad, Err(SignatureError::Bad));
}
