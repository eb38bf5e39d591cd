//! The links in letters, as whoever gets them opens them.

use crate::bench::{Bench, FIRST, address};
use portcullis_core::act::{ActKind, Approve, GrantRole, Keys, Recover, Rotate};
use portcullis_core::board::Posting;
use portcullis_core::evidence::Stamp;
use portcullis_core::factor::NewFactor;
use portcullis_core::id::PrincipalId;
use portcullis_core::link::Link;
use portcullis_core::realm::Role;
use portcullis_core::signature::Strict;
use portcullis_core::state::release::End;
use portcullis_core::{Decision, Digest, Span, decide};
use portcullis_herald::Outcome;
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{CrashDisk, Customer, World};
use portcullis_keys::StatementKey as _;

const PAGES: [&str; 2] = [
    "https://stop.example/stop#",
    "https://two.example/bank/stop#",
];

/// The links in a text, without what stands before `#`.
fn fragments(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    let links = lines.filter_map(|line| PAGES.iter().find_map(|page| line.strip_prefix(page)));
    links.collect()
}

/// The text of the one letter of a kind to somebody.
fn letter(bench: &Bench, to: &str, kind: &str) -> String {
    let post = bench.fake.post();
    let is_it = |letter: &&portcullis_herald::Letter| address(letter) == to && letter.kind == kind;
    let letters: Vec<_> = post.taken.iter().filter(is_it).collect();
    assert_eq!(letters.len(), 1, "{kind} to {to}");
    letters[0].body.clone()
}

/// The posting that the page makes of a letter's link, stamped by the board.
fn posting(bench: &Bench, letter: &str) -> Posting {
    let all = fragments(letter);
    assert_eq!(all.len(), PAGES.len());
    assert_eq!(all[0], all[1], "the same stop on either page");
    let (link, signature) = Link::read(all[0]).unwrap();
    let genesis = bench.wire().ledger.world.digest();
    let mut posting = link.posting(genesis, World::HERALD, signature);
    let (act, time) = (posting.act.digest(), bench.clock.now());
    let signature = World::key(&World::BOARD.0).sign(&Stamp::signed_bytes(World::BOARD, act, time));
    posting.evidence.posted = Some(Stamp {
        board: World::BOARD,
        time,
        signature: signature.unwrap(),
    });
    posting
}

/// What the core says of it now.
fn decided(bench: &Bench, posting: &Posting) -> Decision {
    let state = &bench.wire().ledger.state;
    let decided = decide(
        state,
        &posting.act,
        &posting.evidence,
        bench.clock.now(),
        &Strict,
    );
    decided.decision().clone()
}

fn journal(bench: &Bench, posting: Posting) {
    assert_eq!(decided(bench, &posting), Decision::Release);
    let mut wire = bench.wire();
    wire.ledger.submit(posting.act, posting.evidence);
    wire.ledger.settle_clocks();
}

fn is_frozen(bench: &Bench) -> bool {
    let wire = bench.wire();
    let account = wire.ledger.state.facts().account(bench.customer.account);
    account.unwrap().frozen.is_some()
}

#[test]
fn the_notice_of_an_address_freezes_days_later() {
    let mut bench = Bench::begun();
    bench.add_address(0x22);
    bench.run(3);
    let posting = posting_days_later(&mut bench, "address-added");
    journal(&bench, posting);
    assert!(is_frozen(&bench));
    bench.run(3);
    // And that is told, without anything to be stopped by.
    let told = letter(&bench, FIRST, "account-frozen");
    assert!(fragments(&told).is_empty());
}

fn posting_days_later(bench: &mut Bench, kind: &str) -> Posting {
    bench.wire().ledger.clock.pass(Span::hours(6 * 24));
    bench.wire().ledger.settle_clocks();
    posting(bench, &letter(bench, FIRST, kind))
}

/// Both letters would freeze, each by an act of its own; one that is sent again has no further one.
#[test]
fn a_letter_that_is_sent_again_has_the_same_link() {
    let mut bench = Bench::begun();
    bench.fake.post().next = [Outcome::Later("hung up after it was taken".into())].into();
    bench.add_address(0x22);
    bench.run(3);
    bench.kill();
    bench.run(40);
    let first = letter(&bench, FIRST, "address-added");
    bench.fake.post().taken.clear();
    // A herald that has lost its disk begins anew; the back end brings the envelope again.
    bench.disk = CrashDisk::default();
    bench.kill();
    bench.seal(FIRST, 1);
    bench.run(5);
    let again = letter(&bench, FIRST, "address-added");
    assert_eq!(fragments(&first), fragments(&again));
}

/// Whoever changes a contact may have named anybody; and the old one must be able to stop it.
#[test]
fn only_the_old_contact_can_stop_a_change_of_it() {
    let mut bench = Bench::begun();
    let new = bench.seal("second@customer.example", 2);
    let act = bench.change_contact(new);
    bench.run(3);
    let to_new = letter(&bench, "second@customer.example", "contact-changing");
    assert!(fragments(&to_new).is_empty());
    let posting = posting(&bench, &letter(&bench, FIRST, "contact-changing"));
    journal(&bench, posting);
    bench.run(10);
    bench.wire().ledger.settle(act);
    let wire = bench.wire();
    let facts = wire.ledger.state.facts();
    assert_eq!(facts.ended[&act].end, End::Returned);
    let account = facts.account(bench.customer.account).unwrap();
    assert_ne!(account.contact.as_deref(), Some(&new));
}

#[test]
fn what_concerns_staff_alone_has_no_link() {
    let mut bench = Bench::begun();
    let role = Role::Support;
    let key = World::key(&[0x0d; 16]).public_key().clone();
    let factor = Some(NewFactor::RequestKey { key });
    let principal = PrincipalId([0x0d; 16]);
    let kind = ActKind::GrantRole(GrantRole {
        principal,
        role,
        factor,
    });
    propose(&bench, kind);
    bench.run(3);
    let told = letter(&bench, "duty@bank.example", "platform-changing");
    assert!(fragments(&told).is_empty() && !told.contains("stop.example"));
}

fn propose(bench: &Bench, kind: ActKind) -> Digest {
    let act = ask(bench, kind);
    bench.wire().ledger.settle(act);
    act
}

/// A quorum of administrators asks.
fn ask(bench: &Bench, kind: ActKind) -> Digest {
    let mut wire = bench.wire();
    let act = wire.ledger.staff(World::administrator(0), kind);
    let approve = Approve { act };
    wire.ledger
        .staff(World::administrator(1), ActKind::Approve(approve));
    wire.ledger.settle_clocks();
    act
}

/// Support asks for a recovery of the customer's account.
pub(crate) fn recover_by_support(bench: &Bench) -> Digest {
    let (role, factor) = (Role::Support, None);
    let principal = World::OPERATOR;
    propose(
        bench,
        ActKind::GrantRole(GrantRole {
            principal,
            role,
            factor,
        }),
    );
    let mut wire = bench.wire();
    let recover = Recover {
        principal: bench.customer.principal,
        factor: Customer::number(2).factor(),
    };
    let mut act = wire.ledger.act(principal, ActKind::Recover(recover));
    act.account = Some(bench.customer.account);
    let evidence = wire.ledger.staffs_evidence(&act);
    let digest = wire.ledger.submit(act, evidence);
    wire.ledger.settle_clocks();
    digest
}

/// Support was tricked; the customer's account goes on as it was, and hears that the recovery is over.
#[test]
fn the_notice_of_a_recovery_stops_the_recovery_alone() {
    let mut bench = Bench::begun();
    let recovery = recover_by_support(&bench);
    bench.run(3);
    let posting = posting(&bench, &letter(&bench, FIRST, "recovery-begun"));
    journal(&bench, posting.clone());
    let ended = bench.wire().ledger.state.facts().ended[&recovery].end;
    assert_eq!(ended, End::Returned);
    assert!(!is_frozen(&bench));
    assert!(
        matches!(decided(&bench, &posting), Decision::Refuse { .. }),
        "once"
    );
    bench.run(3);
    letter(&bench, FIRST, "recovery-stopped");
}

/// The customer's passkey gives back what a link took; the notice of that has a link of its own.
#[test]
fn an_unfreezing_can_be_stopped_again() {
    let mut bench = Bench::begun();
    bench.add_address(0x22);
    bench.run(3);
    let first = posting(&bench, &letter(&bench, FIRST, "address-added"));
    journal(&bench, first.clone());
    bench.ask(ActKind::Unfreeze);
    assert!(!is_frozen(&bench));
    bench.run(3);
    assert!(
        matches!(decided(&bench, &first), Decision::Refuse { .. }),
        "once"
    );
    let second = posting(&bench, &letter(&bench, FIRST, "account-unfrozen"));
    journal(&bench, second);
    assert!(is_frozen(&bench));
}

/// The journal has its successor by then, under whose key alone links count.
#[test]
fn a_key_that_was_rotated_out_makes_no_links() {
    let mut bench = Bench::begun();
    let keys = Keys::Keeper {
        keeper: World::HERALD,
        key: World::key(&[9; 16]).public_key().clone(),
    };
    let in_force = bench.wire().ledger.state.keys_in_place_of(&keys);
    let replaces = in_force.unwrap().digest();
    let rotation = ask(&bench, ActKind::Rotate(Rotate { replaces, keys }));
    bench.run(15);
    bench.wire().ledger.settle(rotation);
    bench.wire().ledger.settle_clocks();
    bench.run(2);
    bench.add_address(0x22);
    bench.run(3);
    assert!(!bench.herald.keeper().speaks());
    let told = letter(&bench, FIRST, "address-added");
    assert!(fragments(&told).is_empty() && !told.contains("stop.example"));
}
