//! What should not be so.

use crate::bench::{Bench, FIRST};
use crate::campaign::{LAST, crowded, everybody, raise};
use portcullis_core::act::{
    ActKind, Approve, Keys, NewAdministrator, RecoverAdministrators, Rotate, root_id,
};
use portcullis_core::evidence::{Attestation, AttestationStatement, Claim};
use portcullis_core::factor::NewFactor;
use portcullis_core::id::PrincipalId;
use portcullis_core::{Digest, Span};
use portcullis_herald::Outcome;
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;

/// The roots take the network over, in an act about some account: staff is told nothing in all the time in
/// which it could object.
#[test]
fn attack_a_recovery_of_administrators_is_not_told() {
    for about_an_account in [false, true] {
        let mut bench = Bench::begun();
        let act = recover_administrators(&bench, about_an_account);
        bench.run(17);
        let told = bench.fake.taken();
        println!("about an account {about_an_account}: told {told:?}");
        {
            let mut wire = bench.wire();
            wire.ledger.settle(act);
            let facts = wire.ledger.state.facts().clone();
            assert!(facts.member(PrincipalId([0x31; 16])).is_some(), "in force");
        }
        assert_eq!(told.is_empty(), about_an_account);
    }
}

fn recover_administrators(bench: &Bench, about_an_account: bool) -> Digest {
    let mut wire = bench.wire();
    let ledger = &mut wire.ledger;
    let principal = PrincipalId([0x31; 16]);
    let key = World::key(&principal.0).public_key().clone();
    let recover = RecoverAdministrators {
        replaces: ledger.state.administration().digest(),
        administrators: vec![NewAdministrator {
            principal,
            factors: vec![NewFactor::RequestKey { key }],
        }],
        quorum: 1,
    };
    let kind = ActKind::RecoverAdministrators(recover);
    let mut act = ledger.act(World::OPERATOR, kind);
    act.account = about_an_account.then_some(bench.customer.account);
    let mut evidence = ledger.staffs_evidence(&act);
    for seed in [0xd1_u8, 0xd2] {
        let key = World::key(&[seed; 16]);
        let statement = AttestationStatement {
            issuer: root_id(key.public_key()),
            act: act.digest(),
            expires: ledger.clock.now().after(Span::hours(1)),
            claim: Claim::Root,
        };
        let signature = key.sign(&statement.signed_bytes()).unwrap();
        evidence.attestations.push(Attestation {
            statement,
            signature,
        });
    }
    let digest = ledger.submit(act, evidence);
    ledger.settle_clocks();
    digest
}

/// A keeper's key is rotated: the herald says of the new key that it has told it, by the letter about the
/// proposal, although no server took the second.
#[test]
fn attack_the_herald_says_told_by_an_earlier_letter() {
    let mut bench = Bench::begun();
    let act = {
        let mut wire = bench.wire();
        let ledger = &mut wire.ledger;
        let keys = Keys::Keeper {
            keeper: World::KEEPER,
            key: World::key(&[0x5d; 16]).public_key().clone(),
        };
        let replaces = ledger.state.keys_in_place_of(&keys).unwrap().digest();
        let act = ledger.staff(
            World::administrator(0),
            ActKind::Rotate(Rotate { replaces, keys }),
        );
        ledger.staff(World::administrator(1), ActKind::Approve(Approve { act }));
        ledger.settle_clocks();
        act
    };
    bench.run(10);
    assert!(!bench.waits(act));
    println!("{:?}", bench.fake.taken());
    // From now on no server takes anything.
    let later = Outcome::Later("451 come again".into());
    bench.fake.post().always = vec![("duty@bank.example".into(), later)];
    bench.fake.post().taken.clear();
    {
        let mut wire = bench.wire();
        wire.ledger.settle(act);
        wire.ledger.settle_clocks();
    }
    assert!(bench.waits(act), "the new factor waits for a word of its own");
    bench.run(5);
    println!("taken since: {:?}", bench.fake.taken());
    assert!(bench.fake.taken().is_empty());
    assert!(!bench.waits(act), "the herald has said so all the same");
}

/// While no server takes anything, a campaign goes on all the same: everybody's letter comes to stand in
/// memory and in the record.
#[test]
fn attack_a_campaign_without_a_mail_server() {
    let mut bench = crowded(LAST);
    let later = Outcome::Later("nobody answers".into());
    let mails: Vec<String> = everybody();
    bench.fake.post().always = mails.iter().map(|mail| (mail.clone(), later.clone())).collect();
    bench.fake.post().tries = 0;
    raise(&bench, None);
    bench.run(25);
    let tries = bench.fake.post().tries;
    println!("{} customers, {tries} tries, taken {:?}", mails.len(), bench.fake.taken().len());
    let record = bench.disk.bytes("notices").unwrap_or_default();
    println!("record {} bytes", record.len());
    assert!(tries > mails.len());
    let _ = FIRST;
}
