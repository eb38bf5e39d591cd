//! Contacts: fetched, kept sealed, changed in sight of the old one, and cancelled in time.

use crate::bench::{Bench, FIRST};
use portcullis_core::act::{ActKind, Approve, Cancel, ChangeContact};
use portcullis_core::state::release::End;
use portcullis_core::{Digest, Span};
use portcullis_herald::Outcome;
use portcullis_keeper::testkit::World;

const SECOND: &str = "second@customer.example";

fn contact(bench: &Bench) -> Option<Digest> {
    let wire = bench.wire();
    wire.ledger
        .state
        .facts()
        .account(bench.customer.account)
        .unwrap()
        .contact
        .as_deref()
        .copied()
}

#[test]
fn a_change_is_told_to_the_old_contact_and_the_new() {
    let mut bench = Bench::begun();
    let second = bench.seal(SECOND, 2);
    let act = bench.change_contact(second);
    bench.run(10);
    bench.wire().ledger.settle(act);
    assert_eq!(contact(&bench), Some(second));
    bench.run(3);
    let both = |kind| [(FIRST.to_owned(), kind), (SECOND.to_owned(), kind)];
    let [a, b] = both("contact-changed");
    let [c, d] = both("contact-changing");
    let mut all = vec![a, b, c, d];
    all.sort_unstable();
    assert_eq!(bench.fake.taken(), all);
    // From now on the new one alone is told of the rest.
    bench.fake.post().taken.clear();
    bench.add_address(0x22);
    bench.run(3);
    assert_eq!(bench.fake.taken(), [(SECOND.to_owned(), "address-added")]);
}

#[test]
fn a_change_is_cancelled_by_whoever_was_told_in_time() {
    let mut bench = Bench::begun();
    let first = contact(&bench);
    let second = bench.seal("thief@elsewhere.example", 2);
    let act = bench.change_contact(second);
    bench.run(2);
    let told = (FIRST.to_owned(), "contact-changing");
    assert!(bench.fake.taken().contains(&told));
    bench.ask(ActKind::Cancel(Cancel { act }));
    bench.run(10);
    let ended = bench.wire().ledger.state.facts().ended[&act].end;
    assert_eq!(ended, End::Returned);
    assert_eq!(contact(&bench), first);
}

/// The new contact's word alone begins no delay while the old one can still be reached.
#[test]
fn a_new_contact_alone_is_not_told_while_the_old_one_may_be() {
    let mut bench = Bench::begun();
    let down = Outcome::Later("421 busy".into());
    bench.fake.post().always = vec![(FIRST.into(), down)];
    let second = bench.seal(SECOND, 2);
    let act = bench.change_contact(second);
    bench.run(60);
    assert!(
        bench
            .fake
            .taken()
            .contains(&(SECOND.to_owned(), "contact-changing"))
    );
    assert!(bench.waits(act));
    bench.fake.post().always.clear();
    bench.run(200);
    assert!(!bench.waits(act));
}

/// A mailbox that is gone for good must not keep its owner from naming another.
#[test]
fn an_old_contact_that_is_gone_lets_the_new_one_count() {
    let mut bench = Bench::begun();
    let gone = Outcome::Refused("550 no such user".into());
    bench.fake.post().always = vec![(FIRST.into(), gone)];
    let second = bench.seal(SECOND, 2);
    let act = bench.change_contact(second);
    bench.run(5);
    assert!(!bench.waits(act));
    assert_eq!(bench.alarms(), ["notice-refused"]);
}

/// A quorum of administrators gives the customer another contact.
fn give_contact(bench: &Bench, contact: Digest) -> Digest {
    let mut wire = bench.wire();
    let ledger = &mut wire.ledger;
    let kind = ActKind::ChangeContact(ChangeContact { contact });
    let mut act = ledger.act(World::administrator(0), kind);
    act.account = Some(bench.customer.account);
    let evidence = ledger.staffs_evidence(&act);
    let given = ledger.submit(act, evidence);
    let kind = ActKind::Approve(Approve { act: given });
    let act = ledger.act(World::administrator(1), kind);
    let evidence = ledger.staffs_evidence(&act);
    ledger.submit(act, evidence);
    ledger.settle_clocks();
    given
}

/// Both are told, though no delay waits for it; and by whom it was asked.
#[test]
fn a_contact_by_administrators_is_told_to_the_old_one_and_the_new() {
    let mut bench = Bench::begun();
    let second = bench.seal(SECOND, 2);
    let act = give_contact(&bench, second);
    assert!(!bench.waits(act));
    bench.run(3);
    let both = |kind| [(FIRST.to_owned(), kind), (SECOND.to_owned(), kind)];
    assert_eq!(bench.fake.taken(), both("contact-changing"));
    for letter in &bench.fake.post().taken {
        assert!(letter.body.contains("asked our administrators"));
    }
    bench.fake.post().taken.clear();
    bench.run(15);
    bench.wire().ledger.settle(act);
    bench.run(3);
    assert_eq!(contact(&bench), Some(second));
    assert_eq!(bench.fake.taken(), both("contact-changed"));
}

/// The mailbox that an account was opened with is none: from then on its customer is told elsewhere.
#[test]
fn a_contact_that_nobody_reaches_is_left_behind() {
    let mut bench = Bench::new();
    let gone = Outcome::Refused("550 no such user".into());
    bench.fake.post().always = vec![(FIRST.into(), gone)];
    bench.run(60);
    assert!(bench.fake.taken().is_empty());
    let second = bench.seal(SECOND, 2);
    let act = give_contact(&bench, second);
    bench.run(20);
    bench.wire().ledger.settle(act);
    bench.run(3);
    assert_eq!(contact(&bench), Some(second));
    let told = |kind| (SECOND.to_owned(), kind);
    let all = [told("contact-changed"), told("contact-changing")];
    assert_eq!(bench.fake.taken(), all);
}

#[test]
fn an_envelope_that_was_lost_is_sent_again() {
    let mut bench = Bench::begun();
    let second = bench.seal(SECOND, 2);
    let envelope = bench.wire().envelopes.remove(&second).unwrap();
    let act = bench.change_contact(second);
    bench.run(10);
    assert!(!bench.waits(act), "the old contact was told");
    assert!(
        !bench
            .fake
            .taken()
            .contains(&(SECOND.to_owned(), "contact-changing"))
    );
    bench.wire().envelopes.insert(second, envelope);
    bench.run(120);
    assert!(
        bench
            .fake
            .taken()
            .contains(&(SECOND.to_owned(), "contact-changing"))
    );
    assert!(bench.wire().envelopes.is_empty());
}

/// Sealed for another account, an envelope tells nobody anything, and that is no secret.
#[test]
fn an_envelope_of_another_account_is_alarmed() {
    let mut bench = Bench::begun();
    let other = {
        let account = bench.customer.account;
        bench.customer.account = portcullis_core::id::AccountId([9; 16]);
        let other = bench.seal(FIRST, 7);
        bench.customer.account = account;
        other
    };
    let act = bench.change_contact(other);
    bench.run(5);
    assert_eq!(bench.alarms(), ["notice-refused"]);
    assert!(!bench.waits(act), "the old contact was told");
}

#[test]
fn what_lies_on_the_disk_is_sealed() {
    let mut bench = Bench::begun();
    let first = contact(&bench).unwrap();
    bench.clock.pass(Span::seconds(1));
    bench.step();
    let name = first.to_string();
    let bytes = bench
        .disk
        .bytes(&format!("contacts/{}/{name}", &name[..2]))
        .unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("customer.example"));
}
