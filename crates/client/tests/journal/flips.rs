//! Every byte of every file of a journal's folder, changed: found, and the file named.

use crate::{ledger, payee, store};
use portcullis_chains::ethereum::{SignedTx, UnsignedTx};
use portcullis_client::verify;
use portcullis_core::act::{ActKind, LiftTarget, Scope, Withdraw};
use portcullis_core::entry::{Body, Submission, Supplement};
use portcullis_core::statement::{Says, SignedStatement, Statement};
use portcullis_core::{Decision, Digest, Evidence};
use portcullis_keeper::testkit::{CrashDisk, Customer, Ledger, World};
use portcullis_keys::{StatementKey as _, WalletKey as _};
use std::collections::BTreeSet;

/// A journal as a gate writes it, of 64 entries, no two alike: accounts, addresses, checkpoints,
/// withdrawals that are released, held, refused or robbed, a suspension and its lift, evidence, and
/// statements, of which there are many, since they are short and each of their bytes is to be flipped.
pub(crate) fn sixty_four() -> Ledger {
    let (mut ledger, first) = ledger();
    withdrawals(&mut ledger, &first);
    ledger.open(&Customer::number(2));
    let (act, evidence) = ledger.suspension(Scope::Withdrawals);
    let by = ledger.submit(act, evidence);
    say(&mut ledger, Says::Stopped { suspension: by });
    ledger.lift(LiftTarget::Suspension { by });
    ledger.settle_clocks();
    let (act, evidence) = ledger.withdrawal(&first, World::ETHER, payee(), 7);
    let honest = ledger.submission(act, evidence);
    let robbed = Submission {
        evidence: Evidence::default(),
        ..honest
    };
    ledger.enter(Body::Act(Box::new(robbed)));
    let more = (1..).take(64 - ledger.entries.len());
    for number in more {
        say(&mut ledger, caps(number));
    }
    ledger.cosign();
    ledger
}

/// One that is released and stated to be signed, one that is held and gets its debit later, one that is
/// refused.
fn withdrawals(ledger: &mut Ledger, customer: &Customer) {
    let act = ledger.withdraw(customer, payee(), 7);
    let release = &ledger.state.facts().releases[&act];
    let plan = release.plans.last().unwrap();
    let unsigned = UnsignedTx::from_bytes(&plan.unsigned).unwrap();
    let by_wallet = ledger.world.wallet.sign(&unsigned.sighash()).unwrap();
    let says = Says::Signed {
        act,
        entry: release.entry,
        effects: release.effects,
        plan: plan.digest(),
        transaction: SignedTx::assemble(unsigned, by_wallet).to_bytes(),
    };
    say(ledger, says);

    let (act, mut evidence) = ledger.withdrawal(customer, World::ETHER, payee(), 8);
    let attestations = std::mem::take(&mut evidence.attestations);
    let requests = evidence.requests.clone();
    let act = ledger.submit(act, evidence);
    let evidence = Evidence {
        requests,
        attestations,
        ..Evidence::default()
    };
    enter(
        ledger,
        Body::Evidence(Box::new(Supplement { act, evidence })),
    );
    ledger.settle(act);

    let kind = ActKind::Withdraw(Withdraw {
        asset: World::ETHER,
        to: World::address(9),
        amount: portcullis_chains::Amount(9),
    });
    let act = ledger.customers_act(customer, kind);
    let evidence = ledger.customers_evidence(customer, &act);
    let refused = ledger.submission(act, evidence);
    assert!(matches!(refused.decision, Decision::Refuse { .. }));
    enter(ledger, Body::Act(Box::new(refused)));
}

fn caps(number: u64) -> Says {
    Says::Caps {
        caps: Vec::new(),
        number,
    }
}

/// The signer states something.
fn say(ledger: &mut Ledger, says: Says) {
    let (genesis, keeper) = (ledger.world.digest(), World::KEEPER);
    let statement = Statement {
        genesis,
        keeper,
        says,
    };
    let signature = ledger.world.keeper.sign(&statement.signed_bytes()).unwrap();
    let signed = SignedStatement {
        statement,
        signature,
    };
    enter(ledger, Body::Statement(Box::new(signed)));
}

/// An entry that counts.
fn enter(ledger: &mut Ledger, body: Body) {
    assert_eq!(ledger.enter(body).void, None);
}

/// Bits that are flipped in each byte: the lowest, the highest, all.
const PATTERNS: [u8; 3] = [0x01, 0x80, 0xff];
/// The one file that is text, where a parser might pass over something: each bit by itself.
const EACH_BIT: [u8; 9] = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff];
/// Every so many bytes the whole report is made as well, as `portcullis verify journal` makes it: the
/// state that is derived beside takes most of its time, and finds no fault of bytes.
const WHOLE: usize = 64;

/// The files are those that the folder lists, whichever the checker says that it looks at.
#[test]
fn every_flipped_byte_is_found_and_its_file_named() {
    let ledger = sixty_four();
    assert_eq!(ledger.entries.len(), 64);
    let different: BTreeSet<&Vec<u8>> = ledger.entries.iter().collect();
    assert_eq!(different.len(), 64);
    let disk = store(&ledger);
    assert!(verify::journal(&disk, ledger.world.digest()).holds());
    let files = disk.names();
    let segments = files.iter().filter(|name| name.starts_with("segment/"));
    assert!(segments.count() > 1);

    let bytes = |name: &String| {
        let length = disk.bytes(name).unwrap().len();
        (0..length).map(|at| (name.clone(), at)).collect::<Vec<_>>()
    };
    let places: Vec<(String, usize)> = files.iter().flat_map(bytes).collect();
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            // Each has a copy of its own to spoil, and every so many of the places.
            let (disk, pinned) = (store(&ledger), ledger.world.digest());
            let places = places.iter().skip(thread).step_by(threads);
            scope.spawn(move || {
                for (name, at) in places {
                    spoil(&disk, pinned, name, *at);
                }
            });
        }
    });
}

fn spoil(disk: &CrashDisk, pinned: Digest, name: &str, at: usize) {
    let sound = disk.bytes(name).unwrap();
    let patterns = if name == "checkpoint" {
        &EACH_BIT[..]
    } else {
        &PATTERNS[..]
    };
    for pattern in patterns {
        let mut spoiled = sound.clone();
        spoiled[at] ^= pattern;
        disk.put(name, &spoiled);
        let of = sound.len();
        assert!(
            is_named(disk, pinned, name),
            "{name}: byte {at} of {of} ^ {pattern:#x}"
        );
        if at.is_multiple_of(WHOLE) {
            let report = verify::journal(disk, pinned);
            let is_named = report.faults.iter().any(|fault| fault.file == name);
            assert!(
                is_named && !report.holds(),
                "{name}: byte {at} of {of} ^ {pattern:#x}"
            );
        }
    }
    disk.put(name, &sound);
}

fn is_named(disk: &CrashDisk, pinned: Digest, name: &str) -> bool {
    match verify::stored(disk, pinned) {
        Ok((_, checked)) => checked.faults.into_iter().any(|fault| fault.file == name),
        Err(fault) => fault.file == name,
    }
}
