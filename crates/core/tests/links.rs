//! Links in notices: what each stops, for whom, until when; and that it counts once.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod stage;

use portcullis_chains::Amount;
use portcullis_core::act::{
    ActKind, CancelAddress, ChangeContact, GrantRole, Keys, Recover, RevokeFactor, Rotate, Scope,
    Suspend, Veto, Withdraw,
};
use portcullis_core::factor::FactorKind;
use portcullis_core::id::{AccountId, ActId, KeeperId, PrincipalId};
use portcullis_core::link::{LONGEST_LINK, Link, Stops, signed_bytes};
use portcullis_core::realm::{Realm, Role};
use portcullis_core::signature::Signature;
use portcullis_core::state::account::FrozenBy;
use portcullis_core::state::release::{self, End, Withheld};
use portcullis_core::{Act, Decision, Digest, Evidence, Reason, Span, Time};
use portcullis_keeper::testkit::{Customer, World};
use portcullis_keys::StatementKey as _;
use stage::{PAYEE, Stage, add};

/// A link in a notice that the herald writes now.
fn link(stage: &Stage, stops: Stops) -> Link {
    Link {
        account: stage.customer.account,
        id: ActId([0x11; 16]),
        expires: stage.now().after(Span::hours(7 * 24)),
        stops,
    }
}

fn act(stage: &Stage, link: &Link) -> Act {
    link.act(stage.state().network().digest(), World::HERALD)
}

fn signed_by(key: KeeperId, act: &Act) -> Signature {
    World::key(&key.0)
        .sign(&signed_bytes(act.digest()))
        .unwrap()
}

/// Somebody presses the button now.
fn posted(stage: &Stage, act: &Act) -> Evidence {
    Evidence {
        link: Some(signed_by(World::HERALD, act)),
        posted: Some(Stage::stamp(act, stage.now())),
        ..Evidence::default()
    }
}

fn refused(stage: &Stage, act: &Act, evidence: &Evidence) -> Option<Reason> {
    match stage.decide(act, evidence) {
        Decision::Refuse { reason } => Some(reason),
        _ => None,
    }
}

fn frozen(stage: &Stage) -> Option<FrozenBy> {
    stage
        .facts()
        .account(stage.customer.account)
        .unwrap()
        .frozen
}

/// Mail is read when somebody reads it: after days, when no state knows a checkpoint of before.
#[test]
fn a_link_freezes_days_later_and_the_passkey_gives_it_back() {
    let mut stage = Stage::with_a_herald();
    let act = act(&stage, &link(&stage, Stops::Everything));
    stage.pass(Span::hours(6 * 24));
    let evidence = posted(&stage, &act);
    stage.submit_with(act, evidence);
    assert_eq!(frozen(&stage), Some(FrozenBy::Holder(FactorKind::Passkey)));
    let unfreeze = stage.customers(ActKind::Unfreeze);
    stage.submit(unfreeze);
    assert_eq!(frozen(&stage), None);
}

/// By the same stamp, or another: not while state remembers it, and not once it has forgotten.
#[test]
fn it_counts_once() {
    let mut stage = Stage::with_a_herald();
    let act = act(&stage, &link(&stage, Stops::Everything));
    let first = posted(&stage, &act);
    stage.submit_with(act.clone(), first.clone());
    let unfreeze = stage.customers(ActKind::Unfreeze);
    stage.submit(unfreeze);
    for _ in 0..15 {
        let again = posted(&stage, &act);
        let bygone = [Some(Reason::Replayed), Some(Reason::Expired)];
        assert!(
            bygone.contains(&refused(&stage, &act, &first)),
            "{:?}",
            stage.now()
        );
        assert!(
            bygone.contains(&refused(&stage, &act, &again)),
            "{:?}",
            stage.now()
        );
        stage.pass(Span::hours(12));
    }
    let expired = act.expires.before(Span(1));
    let last = Evidence {
        posted: Some(Stage::stamp(&act, expired)),
        ..first
    };
    assert!(stage.now() > act.expires);
    assert_eq!(refused(&stage, &act, &last), Some(Reason::Replayed));
    stage.pass(Span::hours(2 * 24));
    assert!(
        !stage.facts().consumed.contains_key(&act.digest()),
        "forgotten"
    );
    assert_eq!(refused(&stage, &act, &last), Some(Reason::Expired));
}

#[test]
fn it_is_good_until_it_expires_and_for_eight_days_at_most() {
    let stage = Stage::with_a_herald();
    let with = |expires: Time| {
        let act = act(
            &stage,
            &Link {
                expires,
                ..link(&stage, Stops::Everything)
            },
        );
        let evidence = posted(&stage, &act);
        refused(&stage, &act, &evidence)
    };
    let now = stage.now();
    assert_eq!(with(now), Some(Reason::Expired));
    assert_eq!(with(now.after(Span(1))), None);
    assert_eq!(with(now.after(LONGEST_LINK)), None);
    let longer = Span(LONGEST_LINK.0 + 1);
    assert_eq!(with(now.after(longer)), Some(Reason::ExpiryTooFar));
}

type Fault = fn(&mut Act);

/// What was changed on its way: each row is a link that would count, and one fault.
#[test]
fn a_link_for_one_thing_refuses_for_another() {
    let mut stage = Stage::with_a_herald();
    stage.ledger.open(&Customer::number(2));
    let good = act(&stage, &link(&stage, Stops::Everything));
    #[rustfmt::skip]
    let changed: [(Reason, Fault); 5] = [
        (Reason::LinkInvalid, |act| act.account = Some(Customer::number(2).account)),
        (Reason::LinkInvalid, |act| act.id = ActId([0x12; 16])),
        (Reason::LinkInvalid, |act| act.expires = act.expires.after(Span(1))),
        (Reason::LinkInvalid, |act| act.kind = ActKind::Veto(Veto { act: Digest([7; 32]) })),
        (Reason::LinkOutOfPlace, |act| act.kind = ActKind::Suspend(Suspend { scope: Scope::Everything })),
    ];
    let signature = signed_by(World::HERALD, &good);
    for (reason, fault) in changed {
        let mut act = good.clone();
        fault(&mut act);
        let evidence = Evidence {
            link: Some(signature),
            ..posted(&stage, &act)
        };
        assert_eq!(refused(&stage, &act, &evidence), Some(reason), "{act:?}");
    }
}

/// Signed as they are, by a herald that would do more than a link may.
#[test]
fn a_link_is_good_for_what_takes_away_alone() {
    let stage = Stage::with_a_herald();
    let (principal, factor) = (stage.customer.principal, stage.customer.factor().id());
    let good = act(&stage, &link(&stage, Stops::Everything));
    #[rustfmt::skip]
    let beyond: [(Reason, Fault); 6] = [
        (Reason::LinkOutOfPlace, |act| act.account = None),
        (Reason::LinkOutOfPlace, |act| act.kind = ActKind::Suspend(Suspend { scope: Scope::Everything })),
        (Reason::LinkOutOfPlace, |act| act.kind = ActKind::CancelAddress(CancelAddress { address: PAYEE })),
        (Reason::LinkOutOfPlace, |act| act.principal = World::OPERATOR),
        (Reason::LinkOutOfPlace, |act| act.checkpoint = Digest([7; 32])),
        (Reason::StampInvalid, |act| act.kind = ActKind::Unfreeze),
    ];
    for (reason, fault) in beyond {
        let mut act = good.clone();
        fault(&mut act);
        let evidence = posted(&stage, &act);
        assert_eq!(refused(&stage, &act, &evidence), Some(reason), "{act:?}");
    }
    let mut revokes = good.clone();
    revokes.kind = ActKind::RevokeFactor(RevokeFactor { principal, factor });
    let mut customers = good;
    (customers.realm, customers.principal) = (Realm::Customers, principal);
    for act in [revokes, customers] {
        let evidence = posted(&stage, &act);
        let reason = Some(Reason::LinkOutOfPlace);
        assert_eq!(refused(&stage, &act, &evidence), reason, "{act:?}");
    }
}

/// By a stop board, alone, and under the herald's key for links.
#[test]
fn it_comes_by_a_board_alone_and_from_the_herald() {
    let stage = Stage::with_a_herald();
    let act = act(&stage, &link(&stage, Stops::Everything));
    let good = posted(&stage, &act);
    assert_eq!(refused(&stage, &act, &good), None);
    let row = |evidence: &Evidence| refused(&stage, &act, evidence);
    let mut unposted = good.clone();
    unposted.posted = None;
    assert_eq!(row(&unposted), Some(Reason::LinkOutOfPlace));
    let mut beside = good.clone();
    beside.requests = stage.ledger.staffs_evidence(&act).requests;
    assert_eq!(row(&beside), Some(Reason::LinkOutOfPlace));
    let mut attested = good.clone();
    attested.attestations = vec![stage.ledger.onboarding(&act)];
    assert_eq!(row(&attested), Some(Reason::LinkOutOfPlace));
    let mut signers = good.clone();
    signers.link = Some(signed_by(World::KEEPER, &act));
    assert_eq!(row(&signers), Some(Reason::LinkInvalid));
    let mut bare = good;
    let digest = act.digest().0;
    bare.link = Some(World::key(&World::HERALD.0).sign(&digest).unwrap());
    assert_eq!(row(&bare), Some(Reason::LinkInvalid));
    // A herald's own request is no link: without one it freezes nobody.
    let request = stage.ledger.staffs_evidence(&act);
    assert_eq!(row(&request), Some(Reason::UnknownCheckpoint));
    let mut stage = stage;
    let principal = PrincipalId(World::HERALD.0);
    let fresh = stage.staffs_about(principal, ActKind::Freeze);
    assert_eq!(stage.refusal(&fresh), Some(Reason::RoleMissing));
}

#[test]
fn without_a_herald_there_are_no_links() {
    let mut stage = Stage::new();
    let link = link(&stage, Stops::Everything);
    let mut act = act(&stage, &link);
    act.principal = World::OPERATOR;
    let evidence = posted(&stage, &act);
    assert_eq!(refused(&stage, &act, &evidence), Some(Reason::NoHerald));
    stage.pass(Span(1));
}

/// The withdrawal waits, or is on its way; the link is for this one and this account's.
#[test]
fn a_link_cancels_what_it_names() {
    let mut stage = Stage::with_a_herald();
    let address = stage.customers(add(PAYEE));
    let address = stage.submit(address);
    stage.heralds(address);
    stage.pass(Span::seconds(6));
    let kind = ActKind::Withdraw(Withdraw {
        asset: World::ETHER,
        to: PAYEE,
        amount: Amount(1),
    });
    let withdrawal = stage.customers(kind);
    let withdrawal = stage.submit(withdrawal);
    let mut elsewhere = link(&stage, Stops::Act(withdrawal));
    elsewhere.account = AccountId([0x77; 16]);
    let elsewhere = act(&stage, &elsewhere);
    let evidence = posted(&stage, &elsewhere);
    assert_eq!(
        refused(&stage, &elsewhere, &evidence),
        Some(Reason::ActUnknown)
    );
    let cancel = act(&stage, &link(&stage, Stops::Act(withdrawal)));
    let evidence = posted(&stage, &cancel);
    stage.submit_with(cancel, evidence);
    let cancelled = release::Stage::Withheld(Withheld::Cancelled);
    assert_eq!(stage.facts().releases[&withdrawal].stage, cancelled);

    let contact = Digest([5; 32]);
    let change = stage.customers(ActKind::ChangeContact(ChangeContact { contact }));
    let change = stage.submit(change);
    let cancel = act(&stage, &link(&stage, Stops::Act(change)));
    let evidence = posted(&stage, &cancel);
    stage.submit_with(cancel, evidence);
    assert_eq!(stage.end(change), Some(End::Returned));
}

/// And of staff's acts the one that would have the account's notices go elsewhere; for its own account alone.
#[test]
fn a_link_cancels_another_contact_by_administrators() {
    let mut stage = Stage::with_a_herald();
    let contact = Digest([5; 32]);
    let kind = ActKind::ChangeContact(ChangeContact { contact });
    let given = stage.staffs_about(World::administrator(0), kind);
    let given = stage.submit(given);
    stage.approve(World::administrator(1), given);
    let mut elsewhere = link(&stage, Stops::Act(given));
    elsewhere.account = AccountId([0x77; 16]);
    let elsewhere = act(&stage, &elsewhere);
    let evidence = posted(&stage, &elsewhere);
    let unknown = Some(Reason::ActUnknown);
    assert_eq!(refused(&stage, &elsewhere, &evidence), unknown);
    let cancel = act(&stage, &link(&stage, Stops::Act(given)));
    let evidence = posted(&stage, &cancel);
    stage.submit_with(cancel, evidence);
    assert_eq!(stage.end(given), Some(End::Returned));
}

/// Whoever has the herald must not be able to keep itself in force.
#[test]
fn a_link_stops_nothing_of_staffs() {
    let mut stage = Stage::with_a_herald();
    let keys = Keys::Keeper {
        keeper: World::HERALD,
        key: World::key(&[9; 16]).public_key().clone(),
    };
    let replaces = stage.state().keys_in_place_of(&keys).unwrap().digest();
    let rotate = stage.staffs(
        World::administrator(0),
        ActKind::Rotate(Rotate { replaces, keys }),
    );
    let proposal = stage.submit(rotate);
    for stops in [Stops::Act(proposal), Stops::Recovery(proposal)] {
        let act = act(&stage, &link(&stage, stops));
        let evidence = posted(&stage, &act);
        assert_eq!(refused(&stage, &act, &evidence), Some(Reason::ActUnknown));
    }
}

/// From the rotation on the successor's links count, and no others.
#[test]
fn a_rotation_ends_the_links_of_before() {
    let mut stage = Stage::with_a_herald();
    let act = act(&stage, &link(&stage, Stops::Everything));
    let successor = World::key(&[9; 16]);
    let keys = Keys::Keeper {
        keeper: World::HERALD,
        key: successor.public_key().clone(),
    };
    let replaces = stage.state().keys_in_place_of(&keys).unwrap().digest();
    let rotate = stage.staffs(
        World::administrator(0),
        ActKind::Rotate(Rotate { replaces, keys }),
    );
    let proposal = stage.submit(rotate);
    stage.approve(World::administrator(1), proposal);
    stage.pass(Span::seconds(16));
    stage.settle(proposal);
    let old = posted(&stage, &act);
    assert_eq!(refused(&stage, &act, &old), Some(Reason::LinkInvalid));
    let signature = successor.sign(&signed_bytes(act.digest())).unwrap();
    let new = Evidence {
        link: Some(signature),
        ..old
    };
    assert_eq!(refused(&stage, &act, &new), None);
}

/// Support has been tricked into a recovery; whoever reads the mail stops it, and nobody else's.
#[test]
fn a_link_stops_the_recovery_that_it_names() {
    let mut stage = Stage::with_a_herald();
    for principal in [World::OPERATOR, World::administrator(2)] {
        let (role, factor) = (Role::Support, None);
        stage.propose(ActKind::GrantRole(GrantRole {
            principal,
            role,
            factor,
        }));
    }
    let factor = Customer::number(2).factor();
    let principal = stage.customer.principal;
    let recover = ActKind::Recover(Recover { principal, factor });
    let recover = stage.staffs_about(World::OPERATOR, recover);
    let recovery = stage.submit(recover);
    let mut elsewhere = link(&stage, Stops::Recovery(recovery));
    elsewhere.account = AccountId([0x77; 16]);
    let elsewhere = act(&stage, &elsewhere);
    let evidence = posted(&stage, &elsewhere);
    assert_eq!(
        refused(&stage, &elsewhere, &evidence),
        Some(Reason::ActUnknown)
    );
    // A cancel is for what customers asked for: however much staff may take back, no link does that.
    for account in [stage.customer.account, AccountId([0x77; 16])] {
        let mut cancel = link(&stage, Stops::Act(recovery));
        cancel.account = account;
        let cancel = act(&stage, &cancel);
        let evidence = posted(&stage, &cancel);
        assert_eq!(
            refused(&stage, &cancel, &evidence),
            Some(Reason::ActUnknown)
        );
    }
    let veto = act(&stage, &link(&stage, Stops::Recovery(recovery)));
    let evidence = posted(&stage, &veto);
    stage.submit_with(veto, evidence);
    assert_eq!(stage.end(recovery), Some(End::Returned));
    assert_eq!(frozen(&stage), None, "and nothing else");
}
