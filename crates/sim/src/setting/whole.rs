//! What the whole network has besides the ground: a herald, a policy with rates, an identity vendor,
//! roots, a second member with role support, and small budgets for recoveries.

use super::{SUPPORT, member, staff};
use portcullis_chains::Amount;
use portcullis_core::genesis::{
    Genesis, Issuer, IssuerKind, Keeper, KeeperKind, RecoveryBounds, SealingKey,
};
use portcullis_core::id::{IssuerId, PrincipalId};
use portcullis_core::policy::{FiatLimit, List, Name, Policy, Publisher, RateRules, Scale};
use portcullis_core::realm::Role;
use portcullis_core::{Span, act::Roots};
use portcullis_keeper::testkit::{World, id};
use portcullis_keys::StatementKey as _;
use portcullis_keys::software::SoftwareStatement;
use std::sync::LazyLock;

/// Who knows customers by their papers.
pub const IDENTITY: IssuerId = IssuerId(staff(0x63).0);
/// They recover a customer together.
pub const SUPPORTERS: [PrincipalId; 2] = [SUPPORT, staff(0x0b)];
/// Where the roots' first keys come from.
pub const ROOTS: [u8; 3] = [0x41, 0x42, 0x43];
/// How many roots replace the administrators.
const ROOTS_QUORUM: u32 = 2;
/// Small, so that a run meets them.
pub const BUDGET: RecoveryBounds = RecoveryBounds {
    per_agent: 3,
    per_platform: 5,
    vouched: 3,
    divisor: 4,
};
/// What rates are in.
pub const CURRENCY: &str = "usd";

/// People who may become administrators by the roots' word.
pub fn heirs() -> impl Iterator<Item = PrincipalId> {
    (0x10..0x1c).map(staff)
}

/// The key of a publisher of rates, by number.
#[must_use]
pub fn publisher(number: u8) -> SoftwareStatement {
    World::key(&id(0x21 + number))
}

/// Rates of so many publishers.
#[must_use]
fn rate_rules(publishers: u8) -> RateRules {
    let publishers = (0..publishers).map(|number| Publisher {
        id: Name(format!("p{number}")),
        key: publisher(number).public_key().clone(),
    });
    let assets = [World::ETHER, World::TOKEN];
    RateRules {
        currency: Name(CURRENCY.into()),
        publishers: publishers.collect(),
        assets: assets.map(|asset| Scale { asset, decimals: 9 }).to_vec(),
        max_age: Span::seconds(240),
        max_step: 20,
        every: Span::seconds(15),
        platform: FiatLimit {
            hour: Some(Amount(60_000_000)),
            day: Some(Amount(400_000_000)),
            week: None,
        },
    }
}

/// Lets pass what core lets pass, but for what stands in its list.
const CEDAR: &str = r#"@id("what-core-allows")
permit (principal, action, resource);

@id("blocked")
forbid (principal, action in [Action::"withdraw", Action::"add-address"], resource)
when { context.lists.contains("blocked") };
"#;

/// A policy that lets nobody be paid who is blocked.
#[must_use]
pub fn policy(publishers: u8, blocked: Vec<portcullis_chains::Address>) -> Policy {
    Policy {
        cedar: CEDAR.into(),
        tiers: Vec::new(),
        lists: vec![List {
            name: Name("blocked".into()),
            addresses: blocked,
            accounts: Vec::new(),
        }],
        rates: Some(rate_rules(publishers)),
    }
}

/// The policy in genesis. Compiled once for a process: each seed begins with it.
#[must_use]
pub fn first_policy() -> Policy {
    static FIRST: LazyLock<Policy> = LazyLock::new(|| policy(5, Vec::new()));
    FIRST.clone()
}

pub(super) fn complete(genesis: &mut Genesis) {
    genesis.keepers.push(Keeper {
        id: World::HERALD,
        kind: KeeperKind::Herald,
        key: World::key(&World::HERALD.0).public_key().clone(),
        sealing: Some(SealingKey(World::SEALING)),
    });
    genesis.issuers.push(Issuer {
        id: IDENTITY,
        kind: IssuerKind::Identity,
        key: World::key(&IDENTITY.0).public_key().clone(),
    });
    let Roots { keys, quorum } = first_roots();
    (genesis.roots, genesis.roots_quorum) = (keys, Some(quorum));
    genesis.recovery = Some(BUDGET);
    genesis.policy = Some(first_policy());
    genesis.staff.push(member(SUPPORTERS[1], Role::Support));
}

/// The roots that the network begins with.
#[must_use]
pub fn first_roots() -> Roots {
    let key = |byte| World::key(&id(byte)).public_key().clone();
    Roots {
        keys: ROOTS.map(key).to_vec(),
        quorum: ROOTS_QUORUM,
    }
}
