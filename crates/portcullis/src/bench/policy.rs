//! `policy`: what the policy that ships answers, asked with facts that it has met and with new ones.

use super::Setting;
use super::cpu::{micros_each, of_thread};
use super::row::{Row, median};
use crate::failure::{Exit, Failure};
use portcullis_chains::AssetId;
use portcullis_core::factor::FactorKind;
use portcullis_core::policy::{Attested, Engine, Facts, Money, Policy, Shares};
use portcullis_core::realm::Realm;
use std::hint::black_box;

/// Rounds, of which the middle one counts.
const ROUNDS: usize = 5;
/// What people deploy to begin with.
const SHIPPED: &str = include_str!("../../../../policies/default.toml");

pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let wrong = |error: &dyn core::fmt::Display| Failure::new(Exit::Wrong, error.to_string(), "");
    let policy: Policy = toml::from_str(SHIPPED).map_err(|error| wrong(&error))?;
    let engine = Engine::compile(&policy).map_err(|fault| wrong(&fault))?;
    let statements = engine.statements().count();
    let each = setting.size(20_000, 500);
    let met = row("policy (facts met before)", each, 1.0, |facts| {
        black_box(engine.answer(facts));
    });
    let new = row("policy (new facts)", each, 10.0, |facts| {
        black_box(engine.evaluate(facts));
    });
    let note = format!("policies/default.toml, {statements} statements");
    Ok(vec![met.note(note.clone()), new.note(note)])
}

fn row(name: &str, each: u64, most: f64, ask: impl Fn(&Facts)) -> Row {
    let (mut costs, mut wall) = (Vec::new(), std::time::Duration::ZERO);
    for _ in 0..ROUNDS {
        let ((), took) = of_thread(|| (0..each).for_each(|turn| ask(&facts(turn))));
        costs.push(micros_each(took.cpu, each));
        wall += took.wall;
    }
    Row::new(name, median(costs), "us/decision", wall).at_most(most)
}

/// Sixty different withdrawals, as a busy hour brings them.
fn facts(turn: u64) -> Facts {
    let small = |modulus: u64| u8::try_from(turn % modulus).unwrap_or(0);
    Facts {
        act: "withdraw",
        realm: Realm::Customers,
        roles: 0,
        factor: FactorKind::Passkey,
        factor_hours: 720,
        imported: false,
        approvals: small(2).into(),
        attested: Attested {
            debit: true,
            onboarding: false,
            travel_rule: false,
            screening: None,
        },
        lists: 0,
        label: None,
        money: Some(Money {
            asset: AssetId::EvmNative { chain: 1 },
            tier: small(3),
            address_hours: 720,
            account: Shares {
                day: 10 * small(10),
                ..Shares::default()
            },
            asset_wide: Shares::default(),
        }),
        company: None,
    }
}
