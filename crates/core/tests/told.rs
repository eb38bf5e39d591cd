//! With a herald in genesis a delay begins once it has told of the act; and the contacts that it tells.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod stage;

use portcullis_core::act::{
    ActKind, Cancel, CancelAddress, ChangeContact, EnrolFactor, Keys, OpenAccount, RevokeFactor,
    Rotate, SetLimits,
};
use portcullis_core::decision::Need;
use portcullis_core::genesis::{GenesisFault, KeeperKind, SealingKey};
use portcullis_core::kept::{Kept, SignedKept};
use portcullis_core::limits::Limits;
use portcullis_core::signature::Strict;
use portcullis_core::state::account::Owner;
use portcullis_core::state::release::End;
use portcullis_core::statement::Says;
use portcullis_core::{Decision, Digest, Network, Reason, Span, State, Time, VoidReason};
use portcullis_keeper::testkit::{Customer, World, id};
use portcullis_keys::StatementKey as _;
use stage::{PAYEE, STRANGER, Stage, add, request_key};
use std::sync::Arc;

const OTHER: Digest = Digest([0x0c; 32]);

fn change(contact: Digest) -> ActKind {
    ActKind::ChangeContact(ChangeContact { contact })
}

/// When the address begins to count.
fn available(stage: &Stage) -> Option<Time> {
    let account = stage.facts().account(stage.customer.account).unwrap();
    account.address(PAYEE).unwrap().available.time()
}

fn added(stage: &mut Stage) -> Digest {
    let act = stage.customers(add(PAYEE));
    stage.submit(act)
}

#[test]
fn a_delay_begins_only_with_the_heralds_word() {
    let mut stage = Stage::with_a_herald();
    let act = added(&mut stage);
    stage.pass(Span::hours(48));
    assert_eq!(available(&stage), None, "nobody was told");
    assert_eq!(stage.heralds(act).void, None);
    assert_eq!(available(&stage), None, "the witnesses have not timed it");
    stage.ledger.settle_clocks();
    let told = stage.now();
    assert_eq!(available(&stage), Some(told.after(Span::seconds(5))));
    assert!(stage.facts().untold.acts().next().is_none());
}

/// The later of the two counts, whichever the witnesses' clocks say it is.
#[test]
fn a_word_cosigned_by_slower_clocks_shortens_nothing() {
    let mut stage = Stage::with_a_herald();
    let act = added(&mut stage);
    stage.ledger.settle_clocks();
    let cosigned = stage.now();
    stage.heralds(act);
    let head = stage.facts().log.head();
    let early = Time(cosigned.0 - 20_000);
    stage.ledger.note = stage.ledger.note_of(head, early);
    stage.ledger.journal_checkpoint();
    assert_eq!(available(&stage), Some(cosigned.after(Span::seconds(5))));
}

#[test]
fn one_checkpoint_may_contain_the_act_and_the_word() {
    let mut stage = Stage::with_a_herald();
    let act = added(&mut stage);
    stage.heralds(act);
    stage.ledger.settle_clocks();
    assert_eq!(available(&stage), Some(stage.now().after(Span::seconds(5))));
}

#[test]
fn a_word_counts_once_from_the_herald_and_for_what_waits() {
    let mut stage = Stage::with_a_herald();
    let act = added(&mut stage);
    let void = Some(VoidReason::Statement);
    let entry = stage.untold(act).unwrap();
    let told = Says::Told { act, entry };
    // A signer's word, and a word about what does not wait: another act, another entry.
    assert_eq!(stage.branch().says(told.clone()).void, void);
    assert_eq!(stage.branch().heralds_of(entry, OTHER).void, void);
    assert_eq!(stage.branch().heralds_of(entry - 1, act).void, void);
    assert!(
        stage
            .state()
            .is_news(&stage.signed_by(World::HERALD, told.clone()))
    );
    stage.heralds(act);
    assert!(
        !stage
            .state()
            .is_news(&stage.signed_by(World::HERALD, told.clone()))
    );
    assert_eq!(stage.branch().heralds_of(entry, act).changes, []);
    stage.pass(Span::seconds(1));
    let begun = available(&stage);
    // It waits no more, and another word moves nothing.
    assert_eq!(stage.branch().heralds_of(entry, act).void, void);
    stage.pass(Span::seconds(1));
    assert_eq!(available(&stage), begun);
}

#[test]
fn without_a_herald_nobodys_word_counts_and_nothing_waits_for_one() {
    let mut stage = Stage::new();
    let act = stage.customers(add(STRANGER));
    let act = stage.submit(act);
    assert!(stage.facts().untold.acts().next().is_none());
    assert_eq!(
        stage.branch().says(Says::Told { act, entry: 0 }).void,
        Some(VoidReason::Statement)
    );
    let contact = stage.customers(change(OTHER));
    assert_eq!(stage.refusal(&contact), Some(Reason::NoHerald));
}

#[test]
fn every_delay_waits_for_the_word() {
    let mut stage = Stage::with_a_herald();
    let principal = stage.customer.principal;
    let factor = request_key(principal);
    let id = factor.id();
    let enrol = stage.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
    let enrol = stage.submit(enrol);
    let replaces = stage.facts().limits.digest();
    let limits = Limits::default();
    let limits = SetLimits { replaces, limits };
    let limits = stage.staffs(World::administrator(0), ActKind::SetLimits(limits));
    let limits = stage.submit(limits);
    stage.approve(World::administrator(1), limits);
    let contact = stage.customers(change(OTHER));
    let contact = stage.submit(contact);
    stage.pass(Span::hours(48));
    let account = stage.customer.account;
    let owner = Owner::Holder { account, principal };
    let counts = |stage: &Stage| {
        let factor = stage.facts().factor(owner, id).unwrap();
        factor.available.is_at(stage.now())
    };
    let waits = Decision::Hold {
        needs: vec![Need::Delay],
        until: None,
    };
    assert!(!counts(&stage));
    assert_eq!(stage.settles(limits), waits);
    assert_eq!(stage.settles(contact), waits);
    for act in [enrol, limits, contact] {
        assert_eq!(stage.heralds(act).void, None);
    }
    stage.pass(Span::seconds(6));
    assert!(counts(&stage));
    assert_eq!(stage.settles(limits), Decision::Release);
    assert_eq!(stage.settles(contact), Decision::Release);
    stage.settle(contact);
    let known = stage.facts().account(account).unwrap();
    assert_eq!(known.contact, Some(Box::new(OTHER)));
}

/// What was taken back waits for nobody, and its place is free.
#[test]
fn what_is_taken_back_waits_for_no_word() {
    let mut stage = Stage::with_a_herald();
    let address = added(&mut stage);
    let principal = stage.customer.principal;
    let factor = request_key(principal);
    let key = factor.id();
    let enrol = stage.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
    let enrol = stage.submit(enrol);
    let contact = stage.customers(change(OTHER));
    let contact = stage.submit(contact);
    let taken_back = [
        ActKind::CancelAddress(CancelAddress { address: PAYEE }),
        ActKind::RevokeFactor(RevokeFactor {
            principal,
            factor: key,
        }),
        ActKind::Cancel(Cancel { act: contact }),
    ];
    for kind in taken_back {
        let act = stage.customers(kind);
        stage.submit(act);
    }
    assert_eq!(stage.end(contact), Some(End::Returned));
    for act in [address, enrol, contact] {
        assert_eq!(stage.untold(act), None);
    }
    // Added again it waits for its own.
    let again = added(&mut stage);
    stage.pass(Span::seconds(6));
    assert_eq!(available(&stage), None);
    stage.heralds(again);
    stage.pass(Span::seconds(6));
    assert!(available(&stage).is_some());
}

#[test]
fn a_contact_changes_by_a_passkey_and_no_freeze_comes_between() {
    let mut stage = Stage::with_a_herald();
    let principal = stage.customer.principal;
    let factor = request_key(principal);
    let enrol = stage.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
    let enrol = stage.submit(enrol);
    stage.heralds(enrol);
    stage.pass(Span::seconds(6));
    let act = stage.customers(change(OTHER));
    let reason = Reason::FactorTooWeak;
    let by_key = stage.prove_by_request_key(&act);
    assert_eq!(stage.decide(&act, &by_key), Decision::Refuse { reason });
    let known = stage.facts().account(stage.customer.account).unwrap();
    let same = change(*known.contact.as_deref().unwrap());
    let same = stage.customers(same);
    assert_eq!(stage.refusal(&same), Some(Reason::ContactKnown));
    let first = stage.submit(act);
    let second = stage.customers(change(Digest([0x0d; 32])));
    assert_eq!(stage.refusal(&second), Some(Reason::ContactKnown));
    stage.heralds(first);
    let freeze = stage.customers(ActKind::Freeze);
    stage.submit(freeze);
    let unfreeze = stage.customers(ActKind::Unfreeze);
    stage.submit(unfreeze);
    stage.pass(Span::seconds(6));
    let reason = Reason::AccountFrozen;
    assert_eq!(stage.settles(first), Decision::Refuse { reason });
}

#[test]
fn with_a_herald_an_account_has_a_contact() {
    let mut stage = Stage::with_a_herald();
    let customer = Customer::number(2);
    let open = |contact| {
        ActKind::OpenAccount(OpenAccount {
            subject: customer.subject,
            principal: customer.principal,
            factor: customer.factor(),
            delay: None,
            contact,
            imported: None,
        })
    };
    let refused = |stage: &mut Stage, contact| {
        let mut act = stage.staffs(World::BACK_END, open(contact));
        act.account = Some(customer.account);
        stage.refusal(&act)
    };
    assert_eq!(refused(&mut stage, None), Some(Reason::ContactMissing));
    assert_eq!(refused(&mut stage, Some(OTHER)), None);
    let mut bare = Stage::new();
    assert_eq!(refused(&mut bare, Some(OTHER)), Some(Reason::NoHerald));
}

#[test]
fn a_snapshot_keeps_what_waits() {
    let mut stage = Stage::with_a_herald();
    let act = added(&mut stage);
    stage.ledger.settle_clocks();
    let bytes = stage.state().to_snapshot();
    let network = Arc::clone(&stage.ledger.world.network);
    let restored = State::from_snapshot(&bytes, network).unwrap();
    assert_eq!(restored.facts(), stage.facts());
    assert!(restored.facts().untold.waits(stage.untold(act).unwrap()));
    // Where nothing waits, nothing stands in it.
    let bare = Stage::new();
    let restored = State::from_snapshot(
        &bare.state().to_snapshot(),
        Arc::clone(&bare.ledger.world.network),
    );
    assert_eq!(restored.unwrap().facts(), bare.facts());
}

#[test]
fn a_genesis_has_one_herald_and_only_that_is_sealed_to() {
    let world = World::with_a_herald();
    let check = |change: &dyn Fn(&mut portcullis_core::Genesis)| {
        let mut genesis = world.network.genesis().clone();
        change(&mut genesis);
        Network::check_draft(&genesis)
    };
    assert_eq!(check(&|_| {}), Ok(()));
    let sealing = Err(GenesisFault::Sealing);
    assert_eq!(check(&|g| g.keepers[1].sealing = None), sealing);
    let key = Some(SealingKey([1; 32]));
    assert_eq!(check(&|g| g.keepers[0].sealing = key), sealing);
    let two = check(&|g| {
        g.wallets.clear();
        g.keepers[0].kind = KeeperKind::Herald;
        g.keepers[0].sealing = key;
    });
    assert_eq!(two, Err(GenesisFault::Heralds));
}

/// That the herald keeps contacts: whether the gate may forget them at the word of the key of this seed.
fn may_forget(stage: &Stage, seed: u8) -> bool {
    let kept = Kept {
        genesis: stage.ledger.world.digest(),
        keeper: World::HERALD,
        time: stage.now(),
        contacts: vec![OTHER],
    };
    let signature = World::key(&id(seed)).sign(&kept.signed_bytes()).unwrap();
    let word = SignedKept { kept, signature };
    word.counts(stage.state(), stage.now(), &Strict)
}

#[test]
fn a_heralds_key_of_before_has_no_contact_forgotten() {
    const FRESH: u8 = 0xe1;
    let mut stage = Stage::with_a_herald();
    let old = World::HERALD.0[0];
    assert!(may_forget(&stage, old) && !may_forget(&stage, FRESH));
    let keeper = World::HERALD;
    let replaced = stage.state().keeper(keeper).unwrap().key;
    let replaced = Keys::Keeper {
        keeper,
        key: replaced,
    };
    let keys = Keys::Keeper {
        keeper,
        key: World::key(&id(FRESH)).public_key().clone(),
    };
    let replaces = replaced.digest();
    let rotate = ActKind::Rotate(Rotate { replaces, keys });
    let act = stage.staffs(World::administrator(0), rotate);
    let act = stage.submit(act);
    stage.approve(World::administrator(1), act);
    // Without its key the herald says nothing, so nothing of this waits for its word.
    assert_eq!(stage.untold(act), None);
    stage.pass(Span::seconds(14));
    let Decision::Hold { needs, .. } = stage.settles(act) else {
        panic!("it is announced for three floors")
    };
    assert_eq!(needs, [Need::Delay]);
    stage.pass(Span::seconds(2));
    stage.settle(act);
    assert_eq!(stage.untold(act), None);
    assert!(!may_forget(&stage, old) && may_forget(&stage, FRESH));
}

/// Only its own: the rotation of any other key is told of first.
#[test]
fn another_keepers_rotation_waits_for_the_word() {
    let mut stage = Stage::with_a_herald();
    let keeper = World::KEEPER;
    let key = stage.state().keeper(keeper).unwrap().key;
    let replaces = Keys::Keeper { keeper, key }.digest();
    let key = World::key(&id(0xe1)).public_key().clone();
    let keys = Keys::Keeper { keeper, key };
    let rotate = ActKind::Rotate(Rotate { replaces, keys });
    let act = stage.staffs(World::administrator(0), rotate);
    let act = stage.submit(act);
    assert!(stage.untold(act).is_some());
}

/// A herald that is latched, or lost for good, is the administrators' to bring back. Where they are lost as
/// well, the roots must not wait for its word.
#[test]
fn what_the_roots_bring_waits_for_no_herald() {
    const ROOT: u8 = 0xd1;
    const NEW: [u8; 3] = [0x31, 0x32, 0x33];
    let mut stage = Stage::told_on(World::with(|genesis| {
        let with_a_herald = World::with_a_herald();
        genesis.keepers = with_a_herald.network.genesis().keepers.clone();
        genesis.roots = vec![World::key(&id(ROOT)).public_key().clone()];
    }));
    let recover = stage.new_administration(&NEW, 2);
    let act = stage.staffs(World::OPERATOR, ActKind::RecoverAdministrators(recover));
    let evidence = stage.rooted(&act, &[ROOT]);
    let act = stage.submit_with(act, evidence);
    assert_eq!(stage.untold(act), None);
    stage.pass(Span::seconds(16));
    stage.settle(act);
    stage.ledger.settle_clocks();
    let principal = portcullis_core::id::PrincipalId(id(NEW[0]));
    let factors = stage.facts().factors(Owner::Member { principal });
    assert!(factors[0].available.is_at(stage.now()));
}
