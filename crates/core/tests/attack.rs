//! What a hostile gate, one member of staff or a vendor gets: each test shows what should not be so.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod stage;

use portcullis_core::act::{
    ActKind, ChangeContact, GrantRole, Import, Keys, OpenAccount, RaiseEpoch, RecoverAdministrators,
    NewAdministrator, RevokeFactor, Rotate, SetPolicy, Veto,
};
use portcullis_core::decide::{decide, settle};
use portcullis_core::entry::{Body, Entry, Settlement};
use portcullis_core::evidence::{Claim, Finding};
use portcullis_core::factor::{FactorKind, NewFactor};
use portcullis_core::genesis::{Genesis, Keeper, KeeperKind, SealingKey};
use portcullis_core::id::PrincipalId;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::signature::Strict;
use portcullis_core::state::account::Owner;
use portcullis_core::statement::Says;
use portcullis_core::{Decision, Digest, Need, Reason, Span};
use portcullis_keeper::testkit::{Customer, World, id};
use portcullis_keys::StatementKey as _;
use stage::lost::{DELAY, ROOTS, SUPPORT_2};
use stage::vendors::{LARGE, SCREENING, SCREENING_2, Word};
use stage::{PAYEE, STRANGER, SUPPORT, Stage, add, ether, request_key};

fn herald(genesis: &mut Genesis) {
    genesis.keepers.push(Keeper {
        id: World::HERALD,
        kind: KeeperKind::Herald,
        key: World::key(&World::HERALD.0).public_key().clone(),
        sealing: Some(SealingKey(World::SEALING)),
    });
}

/// A hostile gate dates one settlement ahead: the recovery is in force although the witnesses say that no
/// time has passed, and the customer's veto, posted on a board at once, finds nothing.
#[test]
fn attack_recovery_settled_ahead_of_the_witnesses() {
    let mut stage = Stage::lost();
    let act = stage.begin();
    stage.ledger.settle_clocks();
    let now = stage.now();
    let ahead = now.after(DELAY);
    let decision = settle(stage.state(), act, ahead).decision().clone();
    assert_eq!(decision, Decision::Release);
    let body = Body::Settle(Box::new(Settlement {
        act,
        decision,
        plan: None,
    }));
    let applied = stage.ledger.enter_bytes(Entry::new(ahead, body).to_bytes());
    assert_eq!(applied.void, None);
    // The witnesses cosign it: no time has passed.
    assert_eq!(stage.now(), now);
    stage.ledger.settle_clocks();
    assert!(stage.has_factor(&stage.next_passkey().factor()));
    let veto = stage.veto(act);
    let mut evidence = stage.prove(&veto);
    evidence.posted = Some(Stage::stamp(&veto, now));
    let decided = decide(stage.state(), &veto, &evidence, stage.facts().time, &Strict);
    println!("veto by the board: {:?}", decided.decision());
    assert!(matches!(decided.decision(), Decision::Refuse { .. }));
    // The thief's factor counts at once.
    let thief = stage.next_passkey();
    stage.customer = thief;
    let freeze = stage.customers(ActKind::EnrolFactor(portcullis_core::act::EnrolFactor {
        principal: stage.customer.principal,
        factor: request_key(stage.customer.principal),
    }));
    let evidence = stage.prove(&freeze);
    let decided = decide(stage.state(), &freeze, &evidence, stage.facts().time, &Strict);
    println!("the thief enrols: {:?}", decided.decision());
}

/// The same word of the herald serves twice: for the beginning of a recovery, and for its end.
#[test]
fn attack_told_is_replayed() {
    let world = World::with(|genesis| {
        stage::lost::genesis(genesis);
        herald(genesis);
    });
    let mut stage = Stage::told_on(world);
    let act = stage.begin();
    let word = stage.signed_by(World::HERALD, Says::Told { act });
    let enter = |stage: &mut Stage, word: &portcullis_core::statement::SignedStatement| {
        stage
            .ledger
            .enter(Body::Statement(Box::new(word.clone())))
            .void
    };
    assert_eq!(enter(&mut stage, &word), None);
    stage.pass(DELAY);
    stage.pass(Span::seconds(1));
    stage.settle(act);
    assert!(stage.facts().untold.waits(act), "the end has to be told, too");
    // The gate kept the old word.
    assert_eq!(enter(&mut stage, &word), None);
    stage.pass(Span::seconds(1));
    let factor = stage.next_passkey().factor();
    let factor = stage.facts().factor(stage.holder(), factor.id()).unwrap();
    assert!(factor.available.is_at(stage.now()), "nobody told of the end");
}

/// What the herald would have to tell of its own successor, a lost or stolen one never tells.
#[test]
fn attack_a_herald_cannot_be_replaced() {
    let mut stage = Stage::with_a_herald();
    let keys = |byte: u8| Keys::Keeper {
        keeper: World::HERALD,
        key: World::key(&[byte; 16]).public_key().clone(),
    };
    let replaces = stage.state().keys_in_place_of(&keys(0x5d)).unwrap().digest();
    let rotate = ActKind::Rotate(Rotate {
        replaces,
        keys: keys(0x5d),
    });
    let act = stage.staffs(World::administrator(0), rotate);
    let act = stage.submit(act);
    stage.approve(World::administrator(1), act);
    stage.pass(Span::hours(24 * 7));
    let decision = stage.settles(act);
    println!("a week later: {decision:?}");
    assert!(matches!(decision, Decision::Hold { needs, .. } if needs == [Need::Delay]));
}

/// Roots' recovery of the administrators about some account: core takes it (the herald tells of it only where
/// no account is named).
#[test]
fn attack_recover_administrators_about_an_account() {
    let mut stage = Stage::lost();
    let new = stage.new_administration(&[0x31, 0x32, 0x33], 2);
    let act = stage.staffs_about(SUPPORT, ActKind::RecoverAdministrators(new));
    let evidence = stage.rooted(&act, &ROOTS[..2]);
    let act = stage.submit_with(act, evidence);
    stage.pass(DELAY);
    stage.settle(act);
    assert!(
        stage
            .facts()
            .member(PrincipalId(id(0x31)))
            .unwrap()
            .has(Role::Administrator)
    );
}

/// Two vendors refer; the shorter word came first, so the longer one is refused as no news, and is lost.
#[test]
fn attack_a_longer_referral_is_lost() {
    let mut stage = Stage::with_vendors();
    let first = Word::Found(SCREENING, 1, Finding::Refer);
    let second = Word::Found(SCREENING_2, 2, Finding::Refer);
    let act = stage.waiting(LARGE, &[]);
    let digest = act.digest();
    let mut evidence = portcullis_core::Evidence::default();
    evidence.attestations = vec![stage.word_for(&act, first, Span::seconds(60))];
    assert_eq!(stage.supplement(digest, evidence).void, None);
    let mut evidence = portcullis_core::Evidence::default();
    evidence.attestations = vec![stage.word_for(&act, second, Span::hours(1))];
    let answer = stage.would_supplement(digest, evidence);
    println!("the second vendor's referral: {answer:?}");
    assert!(answer.is_err());
    stage.pass(Span::seconds(61));
    let mut evidence = portcullis_core::Evidence::default();
    evidence.attestations = vec![stage.word_for(
        &act,
        Word::Found(SCREENING, 3, Finding::Pass),
        Span::hours(1),
    )];
    assert_eq!(stage.supplement(digest, evidence).void, None);
    println!("settles: {:?}", stage.settles(digest));
    assert_eq!(stage.settles(digest), Decision::Release);
}

/// One of several imported factors is revoked before the first checkpoint: the others' delays begin by
/// themselves, and nobody has been told of the account.
#[test]
fn attack_an_import_untold() {
    let mut stage = Stage::with_a_herald();
    let new = Customer::number(2);
    let key = request_key(PrincipalId(id(0x9a)));
    let open = OpenAccount {
        subject: new.subject,
        principal: new.principal,
        factor: new.factor(),
        delay: None,
        contact: Some(Digest([0x0d; 32])),
        imported: Some(Import {
            source: "legacy".into(),
            exported: stage.now(),
            record: Digest([0x4e; 32]),
            also: vec![key.clone()],
        }),
    };
    let mut act = stage.staffs(World::BACK_END, ActKind::OpenAccount(open));
    act.account = Some(new.account);
    stage.submit(act);
    let mut cosigned = stage.branch();
    let revoke = |stage: &mut Stage| {
        let mut revoke = stage.staffs(
            World::administrator(0),
            ActKind::RevokeFactor(RevokeFactor {
                principal: new.principal,
                factor: key.id(),
            }),
        );
        revoke.account = Some(new.account);
        stage.submit(revoke);
    };
    revoke(&mut stage);
    stage.pass(Span::seconds(6));
    let owner = Owner::Holder {
        account: new.account,
        principal: new.principal,
    };
    let counts = |stage: &Stage| {
        let factor = stage.facts().factor(owner, new.factor().id()).unwrap();
        factor.available
    };
    println!("revoked before the checkpoint: {:?}", counts(&stage));
    assert!(counts(&stage).is_at(stage.now()), "nobody was told");
    // The other way round: cosigned first. Then it never begins, whatever the herald says.
    cosigned.ledger.settle_clocks();
    revoke(&mut cosigned);
    cosigned.pass(Span::hours(48));
    println!("revoked after it: {:?}", counts(&cosigned));
    assert!(counts(&cosigned).time().is_none());
    assert!(cosigned.facts().untold.acts().next().is_none(), "and nobody can say so");
}

/// One member with role support begins and leaves it: nobody else can recover the holder, by whatever means.
#[test]
fn attack_one_supporter_bars_every_recovery() {
    let mut stage = Stage::lost();
    let act = stage.recovery_by(SUPPORT);
    let mut evidence = stage.prove(&act);
    evidence.attestations.clear();
    let bogus = stage.submit_with(act, evidence);
    let real = stage.recovery_by(World::BACK_END);
    let evidence = stage.prove_attested(&real);
    assert_eq!(
        stage.decide(&real, &evidence),
        Decision::Refuse {
            reason: Reason::RecoveryWaits
        }
    );
    for who in [World::OPERATOR, World::administrator(0), SUPPORT_2] {
        let cancel = stage.staffs(
            who,
            ActKind::Cancel(portcullis_core::act::Cancel { act: bogus }),
        );
        println!("{who} cancels: {:?}", stage.refusal(&cancel));
        let veto = stage.staffs(who, ActKind::Veto(Veto { act: bogus }));
        println!("{who} vetoes: {:?}", stage.refusal(&veto));
    }
}

/// How long it takes to look at one held policy again.
#[test]
fn attack_looking_at_held_policies() {
    let mut stage = Stage::new();
    let statement = |n: usize| {
        let parts: Vec<String> = (0..5)
            .map(|k| format!("context.factor_hours>{k}"))
            .collect();
        format!(
            "@id(\"s{n}\")permit(principal,action,resource)when{{{}}};",
            parts.join("||")
        )
    };
    let cedar: String = (0..64).map(statement).take_while(|_| true).collect();
    let cedar = if cedar.len() > 8192 {
        (0..40).map(statement).collect()
    } else {
        cedar
    };
    println!("{} bytes", cedar.len());
    let policy = portcullis_core::policy::Policy {
        cedar,
        tiers: Vec::new(),
        lists: Vec::new(),
        rates: None,
    };
    let start = std::time::Instant::now();
    println!("check: {:?}", policy.check());
    println!("one compile: {:?}", start.elapsed());
    let replaces = stage.facts().policy().digest();
    let mut held = Vec::new();
    for _ in 0..8 {
        let policy = policy.clone();
        let act = stage.staffs(
            World::administrator(0),
            ActKind::SetPolicy(SetPolicy { replaces, policy }),
        );
        held.push(stage.submit(act));
    }
    let start = std::time::Instant::now();
    for act in &held {
        let _ = stage.settles(*act);
    }
    println!("eight looks: {:?}", start.elapsed());
}

/// The announced key of a new administrator stands in the journal for everybody to read. A customer enrols it,
/// which takes no possession of it, and the roots' recovery ends.
#[test]
fn attack_a_customer_ends_the_roots_recovery() {
    let mut stage = Stage::lost();
    let new = stage.new_administration(&[0x31, 0x32, 0x33], 2);
    let act = stage.begin_administrators(new);
    stage.enrol(request_key(PrincipalId(id(0x31))));
    stage.pass(DELAY);
    println!("the roots' recovery: {:?}", stage.settles(act));
    assert_eq!(
        stage.settles(act),
        Decision::Refuse {
            reason: Reason::FactorExists
        }
    );
}

/// The same of a keeper's new key, which two administrators have agreed upon.
#[test]
fn attack_a_customer_ends_a_rotation() {
    let mut stage = Stage::new();
    let keys = Keys::Keeper {
        keeper: World::KEEPER,
        key: World::key(&[0x5d; 16]).public_key().clone(),
    };
    let replaces = stage.state().keys_in_place_of(&keys).unwrap().digest();
    let rotate = ActKind::Rotate(Rotate { replaces, keys });
    let act = stage.staffs(World::administrator(0), rotate);
    let act = stage.submit(act);
    stage.approve(World::administrator(1), act);
    stage.enrol(NewFactor::RequestKey {
        key: World::key(&[0x5d; 16]).public_key().clone(),
    });
    stage.pass(Span::seconds(6));
    println!("the rotation: {:?}", stage.settles(act));
    assert!(matches!(stage.settles(act), Decision::Refuse { .. }));
}

/// One customer begins recoveries and vetoes them: the day's budget of all holders is used up.
#[test]
fn attack_one_customer_uses_up_the_day_of_everybody() {
    // BOUNDS.vouched is 2 here, 100 000 by default.
    let mut stage = Stage::lost();
    stage.enrol_request_key();
    stage.raise(Some(FactorKind::Passkey));
    for _ in 0..2 {
        let (act, evidence) = stage.vouch();
        let act = stage.submit_with(act, evidence);
        let veto = stage.veto(act);
        let evidence = stage.prove_by_request_key(&veto);
        stage.submit_with(veto, evidence);
    }
    let (act, evidence) = stage.vouch();
    assert_eq!(
        stage.decide(&act, &evidence),
        Decision::Refuse {
            reason: Reason::RecoveryBudget
        }
    );
}

#[allow(dead_code)]
fn unused() {
    let _ = (PAYEE, STRANGER, FactorKind::Passkey, Claim::Identity);
    let _ = (add(PAYEE), ether(PAYEE, 1));
    let _ = |_: ChangeContact, _: GrantRole, _: RaiseEpoch, _: NewAdministrator| {};
    let _ = |_: RecoverAdministrators, _: NewFactor| {};
}
