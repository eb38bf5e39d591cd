//! Who brings a vendor's word, whose it is, and what a policy makes of it.

use super::{bring, said};
use crate::stage::vendors::{LARGE, SCREENING, Word};
use crate::stage::{SUPPORT, Stage};
use portcullis_core::act::{ActKind, Keys, Rotate};
use portcullis_core::{Evidence, Reason, Span};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;

/// Its signature is all that it takes; a debit, a proof, or somebody's request beside it takes the back end.
#[test]
fn a_vendors_word_needs_nobody_to_bring_it() {
    let mut stage = Stage::with_vendors();
    let act = stage.waiting(LARGE, &[]);
    stage.pass(Span::seconds(1));
    let alone = stage.words(&act, &[Word::pass(1)]);
    let with_debit = Evidence {
        attestations: vec![alone.attestations[0].clone(), stage.ledger.debit(&act)],
        ..Evidence::default()
    };
    let by = |who| Evidence {
        requests: vec![World::request(who, &act, stage.now())],
        ..alone.clone()
    };
    let (by_support, by_back_end) = (by(SUPPORT), by(World::BACK_END));
    assert_eq!(
        bring(&mut stage, &act, with_debit),
        Some(Reason::RequestMissing)
    );
    assert_eq!(
        bring(&mut stage, &act, by_support),
        Some(Reason::RoleMissing)
    );
    let mut branch = stage.branch();
    assert_eq!(bring(&mut branch, &act, by_back_end), None);
    assert_eq!(bring(&mut stage, &act, alone), None);
    assert_eq!(said(&stage.settles(act.digest())), "goes");
}

/// A word that was taken stands when its issuer's key is replaced; the old key says nothing any more.
#[test]
fn a_rotated_vendor_speaks_by_its_new_key() {
    let mut stage = Stage::with_vendors();
    let waits = stage.waiting(LARGE, &[]);
    let heard = stage.waiting(LARGE, &[]);
    let evidence = stage.words(&heard, &[Word::pass(1)]);
    assert_eq!(bring(&mut stage, &heard, evidence), None);
    let in_force = Keys::Issuers {
        issuers: stage.state().issuers().to_vec(),
    };
    let mut keys = in_force.clone();
    if let Keys::Issuers { issuers } = &mut keys {
        for issuer in issuers.iter_mut().filter(|issuer| issuer.id == SCREENING) {
            issuer.key = World::key(&[0x99; 16]).public_key().clone();
        }
    }
    let replaces = in_force.digest();
    stage.propose(ActKind::Rotate(Rotate { replaces, keys }));
    let by_the_old = stage.words(&waits, &[Word::pass(2)]);
    assert_eq!(
        bring(&mut stage, &waits, by_the_old),
        Some(Reason::AttestationInvalid)
    );
    assert_eq!(said(&stage.settles(heard.digest())), "goes");
}

/// A statement that wants more than was found waits on; one that wants what is there would wait for ever.
#[test]
fn what_a_statement_wants() {
    let wants = |when: &str| {
        format!(
            "@id(\"permit\") permit (principal, action, resource);
             @id(\"x\") @needs(\"screening\")
             forbid (principal, action == Action::\"withdraw\", resource) when {{ {when} }};"
        )
    };
    for (when, word, comes_to) in [
        ("context.screening != \"pass\"", Word::refer(1), "screening"),
        ("context.screening != \"pass\"", Word::pass(1), "goes"),
        ("true", Word::pass(1), "605"),
        ("context.screening == \"none\"", Word::refer(1), "goes"),
    ] {
        let mut stage = Stage::with_vendors();
        stage.put(&wants(when));
        let act = stage.withdrawal(LARGE);
        let evidence = stage.prove_with(&act, &[word]);
        assert_eq!(said(&stage.decide(&act, &evidence)), comes_to, "{when}");
    }
}

/// An address cannot wait for its screening; it comes with it.
#[test]
fn an_address_is_screened_before_it_is_added() {
    let mut stage = Stage::with_vendors();
    stage.put(
        "@id(\"permit\") permit (principal, action, resource);
         @id(\"screened\") forbid (principal, action == Action::\"add-address\", resource)
         unless { context.screening == \"pass\" };",
    );
    let act = stage.customers(crate::stage::add(crate::stage::STRANGER));
    for (words, comes_to) in [
        (&[][..], "605"),
        (&[Word::refer(1)], "605"),
        (&[Word::pass(1)], "goes"),
    ] {
        let evidence = stage.prove_with(&act, words);
        assert_eq!(said(&stage.decide(&act, &evidence)), comes_to);
    }
}

/// A replica that begins from a snapshot knows what was said and what is used up.
#[test]
fn a_snapshot_holds_what_was_said() {
    let mut stage = Stage::with_vendors();
    let act = stage.waiting(LARGE, &[Word::refer(1)]);
    let bytes = stage.state().to_snapshot();
    let network = stage.ledger.world.network.clone();
    let read = portcullis_core::State::from_snapshot(&bytes, network).unwrap();
    assert_eq!(
        read.facts().held[&act.digest()].said,
        Some(stage.said(&act))
    );
    assert_eq!(read.facts().attested, stage.facts().attested);
    assert_eq!(read.digest(), stage.state().digest());
}
