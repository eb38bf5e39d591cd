//! TOTP codes: the herald opens, judges and says, whatever happens to it meanwhile.

use crate::bench::Bench;
use crate::links::recover_by_support;
use portcullis_contact::{Algorithm, Digits, Envelope, Seed, seal_code};
use portcullis_core::act::{ActKind, EnrolFactor, LiftTarget, Veto};
use portcullis_core::code::{Code, step_at};
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::SealingKey;
use portcullis_core::id::FactorId;
use portcullis_core::state::account::Owner;
use portcullis_core::state::release::End;
use portcullis_core::statement::Says;
use portcullis_core::{Body, Decision, Digest, Span};
use portcullis_host::Clock as _;
use portcullis_keeper::latches;
use portcullis_keeper::testkit::{Dice, World};

fn seed() -> Seed {
    Seed::of_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", Algorithm::Sha1, 6).unwrap()
}

/// A customer with an authenticator app that counts. The envelope is at the gate, or lost on the way.
struct Desk {
    bench: Bench,
    app: FactorId,
    envelope: (Digest, Vec<u8>),
}

impl Desk {
    fn new() -> Self {
        let mut desk = Self::without_seed();
        desk.bring_seed();
        desk.bench.run(10);
        desk
    }

    fn without_seed() -> Self {
        let bench = Bench::begun();
        let (genesis, account) = (bench.wire().ledger.world.digest(), bench.customer.account);
        let fill = |bytes: &mut [u8]| bytes.fill(5);
        let key = SealingKey(World::SEALING);
        let sealed = Envelope::seal_seed(&seed(), key, genesis, account, fill).unwrap();
        let commitment = sealed.commitment();
        let factor = NewFactor::Totp { seed: commitment };
        let app = factor.id();
        let principal = bench.customer.principal;
        bench.ask(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
        let mut desk = Self {
            bench,
            app,
            envelope: (commitment, sealed.as_bytes().to_vec()),
        };
        desk.bench.run(10);
        desk
    }

    fn bring_seed(&self) {
        let (commitment, bytes) = self.envelope.clone();
        self.bench.wire().envelopes.insert(commitment, bytes);
    }

    /// The customer freezes by the digits of a step that is off by so many.
    fn freeze(&self, off: i64) -> Digest {
        let now = i64::from(step_at(self.bench.clock.now()));
        self.freeze_of(u32::try_from(now + off).unwrap())
    }

    fn freeze_of(&self, step: u32) -> Digest {
        self.freeze_by(&seed().digits(step))
    }

    fn freeze_by(&self, digits: &Digits) -> Digest {
        self.ask_by(digits, ActKind::Freeze)
    }

    fn ask_by(&self, digits: &Digits, kind: ActKind) -> Digest {
        let mut wire = self.bench.wire();
        let act = wire.ledger.customers_act(&self.bench.customer, kind);
        let sealed = seal_code(
            digits,
            SealingKey(World::SEALING),
            act.genesis,
            (act.digest(), self.app),
            |bytes| bytes.fill(7),
        );
        let mut evidence = wire.ledger.customers_evidence(&self.bench.customer, &act);
        evidence.assertions.clear();
        evidence.code = Some(Code::Totp {
            factor: self.app,
            sealed: sealed.unwrap(),
        });
        let digest = wire.ledger.submit(act, evidence);
        wire.ledger.settle_clocks();
        digest
    }

    /// What the journal has of the herald's words on a code.
    fn said(&self, about: Digest) -> Vec<&'static str> {
        let wire = self.bench.wire();
        let words = wire.statements.iter();
        let words = words.filter_map(|signed| match &signed.statement.says {
            Says::CodeRight { act, .. } | Says::CodeWrong { act, .. } if *act == about => {
                Some(signed.statement.says.name())
            }
            _ => None,
        });
        words.collect()
    }

    /// Whether the journal has found the code right; none where it has found nothing yet.
    fn found(&self, act: Digest) -> Option<bool> {
        let wire = self.bench.wire();
        let state = &wire.ledger.state;
        if state.facts().codes.open(act).is_some() {
            return None;
        }
        let decided = portcullis_core::decide::settle(state, act, wire.ledger.clock.now());
        Some(*decided.decision() == Decision::Release)
    }

    fn counter(&self) -> u32 {
        let owner = Owner::Holder {
            account: self.bench.customer.account,
            principal: self.bench.customer.principal,
        };
        let wire = self.bench.wire();
        let facts = wire.ledger.state.facts();
        facts.factor(owner, self.app).unwrap().counter
    }
}

#[test]
fn a_right_code_is_found_right_and_its_step_is_said() {
    let mut desk = Desk::new();
    let act = desk.freeze(0);
    let step = step_at(desk.bench.clock.now());
    desk.bench.run(3);
    assert_eq!(desk.found(act), Some(true));
    assert_eq!(desk.counter(), step);
    desk.bench.wire().ledger.settle(act);
    let ended = desk
        .bench
        .wire()
        .ledger
        .state
        .facts()
        .ended
        .get(&act)
        .copied();
    assert_eq!(ended.unwrap().end, End::Done);
    // Its contact hears of it, like of every freeze.
    desk.bench.run(3);
    let kinds: Vec<&str> = desk
        .bench
        .fake
        .taken()
        .iter()
        .map(|(_, kind)| *kind)
        .collect();
    assert!(kinds.contains(&"account-frozen"), "{kinds:?}");
}

/// What a code stops is stopped with the settlement, once it is right, and told like any other.
#[test]
fn a_recovery_that_a_code_vetoed_is_told_to_be_over() {
    let mut desk = Desk::new();
    let recovery = recover_by_support(&desk.bench);
    desk.bench.run(3);
    let digits = seed().digits(step_at(desk.bench.clock.now()));
    let veto = desk.ask_by(&digits, ActKind::Veto(Veto { act: recovery }));
    desk.bench.run(3);
    desk.bench.wire().ledger.settle(veto);
    desk.bench.run(3);
    let taken = desk.bench.fake.taken();
    let told = taken.iter().filter(|(_, kind)| *kind == "recovery-stopped");
    assert_eq!(told.count(), 1, "{taken:?}");
}

/// A gate that journals what it likes latches the herald, and somebody wants to freeze just then.
#[test]
fn a_latched_herald_judges_all_the_same() {
    let mut desk = Desk::new();
    {
        let mut wire = desk.bench.wire();
        let (act, evidence) =
            wire.ledger
                .withdrawal(&desk.bench.customer, World::ETHER, World::address(0x66), 1);
        let mut forged = wire.ledger.submission(act, evidence);
        forged.decision = Decision::Release;
        let applied = wire.ledger.enter(Body::Act(Box::new(forged)));
        assert!(applied.void.is_some());
        wire.ledger.settle_clocks();
    }
    desk.bench.run(3);
    assert_eq!(desk.bench.alarms(), ["release-without-evidence"]);
    let act = desk.freeze(0);
    desk.bench.run(3);
    assert_eq!(desk.found(act), Some(true));
}

#[test]
fn a_wrong_code_is_found_wrong() {
    let mut desk = Desk::new();
    let act = desk.freeze_by(&Digits::parse("000000").unwrap());
    // Six digits of an app with eight are another code, too.
    let longer = desk.freeze_by(&Digits::parse("00000000").unwrap());
    desk.bench.run(4);
    assert_eq!(desk.found(act), Some(false));
    assert_eq!(desk.found(longer), Some(false));
}

#[test]
fn a_clock_that_drifts_is_followed() {
    let mut desk = Desk::new();
    // (how far off, right): one step at a time, and back again.
    for (off, right) in [
        (1, true),
        (2, true),
        (0, false),
        (3, true),
        (2, true),
        (-1, false),
    ] {
        desk.bench.clock.pass(Span::seconds(3600));
        desk.bench.run(1);
        let act = desk.freeze(off);
        desk.bench.run(3);
        assert_eq!(desk.found(act), Some(right), "{off}");
        desk.bench.wire().ledger.settle(act);
    }
}

#[test]
fn the_same_digits_serve_once() {
    let mut desk = Desk::new();
    let step = step_at(desk.bench.clock.now());
    let (one, two) = (desk.freeze_of(step), desk.freeze_of(step));
    desk.bench.run(5);
    // Both came at once, so that either may be the one.
    let mut found = [one, two].map(|act| desk.found(act));
    found.sort_unstable();
    assert_eq!(found, [Some(false), Some(true)]);
}

/// Judged in the order in which they came, both of two fresh codes are right.
#[test]
fn two_codes_one_after_the_other_both_serve() {
    let mut desk = Desk::new();
    let step = step_at(desk.bench.clock.now());
    let one = desk.freeze_of(step);
    desk.bench.clock.pass(Span::seconds(30));
    let two = desk.freeze_of(step + 1);
    desk.bench.run(5);
    assert_eq!((desk.found(one), desk.found(two)), (Some(true), Some(true)));
}

#[test]
fn without_the_seed_it_waits_and_goes_on_once_that_came() {
    let mut desk = Desk::without_seed();
    let act = desk.freeze(0);
    desk.bench.run(5);
    assert_eq!(desk.found(act), None);
    assert!(desk.said(act).is_empty());
    desk.bring_seed();
    // However late it is: the code is judged at the time of its act.
    desk.bench.clock.pass(Span::seconds(600));
    desk.bench.run(5);
    assert_eq!(desk.found(act), Some(true));
}

/// Killed before it has said so, and after: one word comes to stand in the journal.
#[test]
fn a_herald_that_begins_again_says_the_same() {
    let mut desk = Desk::new();
    let act = desk.freeze(0);
    desk.bench.wire().takes_statements = false;
    desk.bench.run(3);
    assert_eq!(desk.found(act), None);
    desk.bench.kill();
    desk.bench.wire().takes_statements = true;
    desk.bench.run(5);
    assert_eq!(desk.found(act), Some(true));
    let counter = desk.counter();
    desk.bench.kill();
    let again = desk.freeze_of(counter);
    desk.bench.run(5);
    assert_eq!(desk.found(again), Some(false));
    assert_eq!(desk.counter(), counter);
}

/// Another process with the same keys took the step for another act, between this one's word and the
/// journal.
#[test]
fn a_second_herald_that_was_quicker_is_believed() {
    let mut desk = Desk::new();
    let step = step_at(desk.bench.clock.now());
    let (one, two) = (desk.freeze_of(step), desk.freeze_of(step));
    desk.bench.wire().takes_statements = false;
    desk.bench.run(3);
    // It has judged the first; the other one says so of the second.
    let (first, second) = if desk.said(one).is_empty() {
        (two, one)
    } else {
        (one, two)
    };
    assert_eq!(desk.said(first), ["code-right"]);
    {
        let mut wire = desk.bench.wire();
        let statement = portcullis_core::statement::Statement {
            genesis: wire.ledger.world.digest(),
            keeper: World::HERALD,
            says: Says::CodeRight {
                act: second,
                factor: desk.app,
                step,
            },
        };
        let key = World::key(&World::HERALD.0);
        let signature = portcullis_keys::StatementKey::sign(&key, &statement.signed_bytes());
        let signed = portcullis_core::statement::SignedStatement {
            statement,
            signature: signature.unwrap(),
        };
        let applied = wire
            .ledger
            .enter(portcullis_core::Body::Statement(Box::new(signed)));
        assert_eq!(applied.void, None);
        wire.takes_statements = true;
    }
    desk.bench.run(5);
    assert_eq!(desk.found(second), Some(true));
    assert_eq!(desk.found(first), Some(false));
}

/// What is sealed for another act or by a stranger's hand opens as nothing, and is wrong.
#[test]
fn a_code_for_another_act_is_wrong() {
    let mut desk = Desk::new();
    let step = step_at(desk.bench.clock.now());
    let act = {
        let mut wire = desk.bench.wire();
        let ledger = &mut wire.ledger;
        let act = ledger.customers_act(&desk.bench.customer, ActKind::Freeze);
        let stolen = Digest([0x99; 32]);
        let sealed = seal_code(
            &seed().digits(step),
            SealingKey(World::SEALING),
            act.genesis,
            (stolen, desk.app),
            |bytes| bytes.fill(7),
        );
        let mut evidence = ledger.customers_evidence(&desk.bench.customer, &act);
        evidence.assertions.clear();
        evidence.code = Some(Code::Totp {
            factor: desk.app,
            sealed: sealed.unwrap(),
        });
        let digest = ledger.submit(act, evidence);
        ledger.settle_clocks();
        digest
    };
    desk.bench.run(3);
    assert_eq!(desk.found(act), Some(false));
}

/// Somebody on its host trusts none of its words: it says and sends nothing, also after a restart.
#[test]
fn a_herald_that_is_shut_judges_and_sends_nothing_until_a_quorum_opens_it() {
    let mut desk = Desk::new();
    desk.bench.fake.post().taken.clear();
    let latch = latches::shut(&desk.bench.disk, &Dice::default(), &desk.bench.clock).unwrap();
    let freeze = desk.freeze(0);
    desk.bench.add_address(0x22);
    desk.bench.run(3);
    desk.bench.kill();
    desk.bench.run(3);
    assert!(desk.said(freeze).is_empty());
    assert_eq!(desk.bench.fake.taken(), []);
    assert_eq!(desk.bench.alarms().first().unwrap(), "shut");

    let keeper = World::HERALD;
    let opens = LiftTarget::Latch { keeper, latch };
    desk.bench.wire().ledger.lift(opens);
    desk.bench.wire().ledger.settle_clocks();
    desk.bench.run(3);
    assert_eq!(desk.found(freeze), Some(true));
    let taken = desk.bench.fake.taken();
    assert!(taken.iter().any(|(_, kind)| *kind == "address-added"));
}
