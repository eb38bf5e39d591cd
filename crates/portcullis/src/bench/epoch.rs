//! `epoch`: every factor of the customers' realm is revoked by one entry, however many there are.

use super::Setting;
use super::cpu::{micros_each, of_thread};
use super::crowd::Crowd;
use super::network::request;
use super::row::{Row, median};
use crate::failure::{Exit, Failure};
use crate::reach::{Caller, CallerArgs};
use portcullis_core::act::{ActKind, RaiseEpoch, Scope, Suspend};
use portcullis_core::entry::{Body, Entry, Submission};
use portcullis_core::realm::Realm;
use portcullis_core::signature::Strict;
use portcullis_core::{Evidence, ReadEntry};
use portcullis_host::{Clock as _, SystemClock};
use std::time::Duration;

/// Times that each is done; the middle one counts.
const TIMES: usize = 101;

pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let (few, many) = (1_000, setting.size(1_000_000, 20_000));
    let small = raise(setting, few)?;
    let large = raise(setting, many)?;
    let row = Row::new("epoch", large.epoch, "us/entry", large.wall);
    let row = row.against_cost(small.epoch, 0.8);
    let note = format!(
        "{many} factors against {few}, one entry each; a suspension, the lightest act there is, takes \
         {:.1} us there. Its signature is checked, and the entry applied",
        large.suspension
    );
    Ok(vec![row.batch(1).note(note)])
}

struct Raised {
    epoch: f64,
    suspension: f64,
    wall: Duration,
}

/// The middle time of raising the epoch over so many factors, and of suspending an account.
fn raise(setting: &Setting, factors: u64) -> Result<Raised, Failure> {
    let mut crowd = Crowd::new(setting, SystemClock.now(), |_| {})?;
    crowd.open(0..factors, |_| {})?;
    let operator = CallerArgs::named("operator").required(&crowd.platform.reach)?;
    let epoch = ActKind::RaiseEpoch(RaiseEpoch {
        realm: Realm::Customers,
        factors: None,
    });
    let scope = Scope::Account(crowd.customer(0).account);
    let suspend = ActKind::Suspend(Suspend { scope });
    let mut times = [Vec::new(), Vec::new()];
    let mut wall = Duration::ZERO;
    for _ in 0..TIMES {
        for (kind, times) in [&epoch, &suspend].into_iter().zip(&mut times) {
            let took = apply(&mut crowd, &operator, kind.clone())?;
            times.push(micros_each(took, 1));
            wall += took;
        }
    }
    let [epochs, suspensions] = times;
    Ok(Raised {
        epoch: median(epochs),
        suspension: median(suspensions),
        wall,
    })
}

/// What the sequencer does with an operator's act: decide, encode, apply.
fn apply(crowd: &mut Crowd, operator: &Caller, kind: ActKind) -> Result<Duration, Failure> {
    let act = crowd
        .ledger
        .draft()
        .by_staff(operator.principal, None, kind);
    let evidence = Evidence {
        requests: vec![request(&operator.signer, &act, crowd.ledger.now)?],
        ..Evidence::default()
    };
    let (now, state) = (crowd.ledger.now, &mut crowd.ledger.state);
    let (applied, took) = of_thread(|| {
        let decided = portcullis_core::decide(state, &act, &evidence, now, &Strict);
        let submission = Submission {
            decision: decided.decision().clone(),
            plan: None,
            act,
            evidence,
        };
        let (read, _) = ReadEntry::written(Entry::new(now, Body::Act(Box::new(submission))));
        state.apply_read(&read, &Strict)
    });
    if applied.void.is_some() || applied.changes.is_empty() {
        return Err(Failure::new(
            Exit::Wrong,
            "an operator's act had no effect",
            "",
        ));
    }
    Ok(took.cpu)
}
