//! The network that is simulated: who there is, with which keys.

mod codes;
mod handovers;
mod whole;

pub use codes::limits_with_codes;
pub use handovers::{SPARES, log, log_keys, log_seed, number_of, witnesses_of};
pub use whole::{
    BUDGET, CURRENCY, IDENTITY, ROOTS, SUPPORTERS, first_policy, first_roots, heirs, policy,
    publisher,
};

use portcullis_chains::{Amount, ChainId};
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::{self, Genesis, Member};
use portcullis_core::id::{BoardId, PrincipalId};
use portcullis_core::limits::{ApprovalAbove, Bounds, Limit, Limits};
use portcullis_core::realm::Role;
use portcullis_core::{Span, Time};
use portcullis_keeper::testkit::{World, id};
use portcullis_keys::StatementKey as _;
use portcullis_tlog::{KeyName, WitnessSigner};
use std::sync::Arc;

/// Witnesses of genesis, of which one may be dishonest; three make a quorum. Those that take over from them are as many.
pub const WITNESSES: usize = 4;
/// Stop boards, of which one may be dishonest.
pub const BOARDS: usize = 2;
/// The witness and the board that lie where any does.
pub const LIAR: usize = 0;
/// The shortest delay: long enough that nobody passes it by the seconds that clocks may be off.
pub const DELAY: Span = Span::seconds(120);
/// What one account may pay within an hour, in base units of ether.
pub const HOUR_LIMIT: u128 = 200_000_000_000;
/// Above it a withdrawal needs two approvers.
pub const APPROVAL_ABOVE: u128 = 60_000_000_000;
/// Above it nothing is released at once.
pub const TRANSACTION_LIMIT: u128 = 100_000_000_000;
/// The signer's own caps.
pub const SIGNER_TRANSACTION_CAP: u128 = 95_000_000_000;
/// Within 24 hours.
pub const SIGNER_DAY_CAP: u128 = 2_500_000_000_000;
/// Where the gate says that it is reached.
pub const GATE: &str = "http://gate";
/// Where the herald tells staff.
pub const DUTY: &str = "duty@bank.example";

/// Two, so that an act can wait for a quorum and one of them be revoked.
pub const APPROVERS: [PrincipalId; 2] = [staff(0x03), staff(0x05)];
/// Restricts only.
pub const SUPPORT: PrincipalId = staff(0x04);

const WITNESS_SEEDS: [u8; WITNESSES + SPARES] = [
    0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c,
];
const BOARD_SEEDS: [u8; BOARDS] = [0xb0, 0xb1];

const fn staff(byte: u8) -> PrincipalId {
    let mut id = [0xee; 16];
    id[0] = byte;
    PrincipalId(id)
}

/// Whether a seed has the whole network: with a herald, rates, an identity vendor and roots, and with
/// everything that can be recovered and rotated. The others have the ground: no herald, and customers
/// and staff who do nothing but what needs none of these.
#[must_use]
pub const fn is_whole(seed: u64) -> bool {
    seed / BLOCK % 2 == 1
}

/// Whether customers of a seed's network have authenticator apps: those of the whole network in later blocks. The
/// first ones run as they did before there were any.
#[must_use]
pub const fn has_codes(seed: u64) -> bool {
    is_whole(seed) && seed / BLOCK >= FIRST_WITH_CODES
}

/// Whether the journal of a seed's network is handed over, to other witnesses and to another key: in both networks of
/// later blocks still.
#[must_use]
pub const fn has_handovers(seed: u64) -> bool {
    seed / BLOCK >= FIRST_WITH_HANDOVERS
}

/// So many seeds in a row have one network, and the next ones the other.
const BLOCK: u64 = 64;
/// From this block on.
const FIRST_WITH_CODES: u64 = 8;
/// From this block on.
const FIRST_WITH_HANDOVERS: u64 = 16;

/// The network with all its keys.
#[must_use]
pub fn world(is_whole: bool, has_codes: bool) -> Arc<World> {
    Arc::new(World::with(|genesis| {
        change(genesis);
        if is_whole {
            whole::complete(genesis);
        }
        if has_codes {
            genesis.limits = limits_with_codes(HOUR_LIMIT);
        }
    }))
}

/// The moment at which a run begins.
pub const START: Time = World::START;

/// The one chain.
#[must_use]
pub fn chain() -> ChainId {
    World::ETHER.chain()
}

/// A witness' key.
///
/// # Panics
/// Never: the names and seeds are constants.
#[must_use]
pub fn witness(number: usize) -> WitnessSigner {
    let seed = WITNESS_SEEDS[number];
    let name = KeyName::new(format!("witness-{seed:x}.example")).unwrap();
    WitnessSigner::from_seed(name, &[seed; 32]).unwrap()
}

/// The 16 bytes by which [`World::key`] knows a witness' key.
#[must_use]
pub fn witness_seed(number: usize) -> [u8; 16] {
    id(WITNESS_SEEDS[number])
}

/// Where a witness answers.
#[must_use]
pub fn witness_url(number: usize) -> String {
    format!("http://witness-{number}")
}

/// A board's id; its key is [`World::key`]'s.
#[must_use]
pub fn board(number: usize) -> BoardId {
    BoardId(id(BOARD_SEEDS[number]))
}

/// Where a board answers.
#[must_use]
pub fn board_url(number: usize) -> String {
    format!("http://board-{number}")
}

fn change(genesis: &mut Genesis) {
    genesis.witnesses = witnesses_of(&[0, 1, 2, 3]);
    let boards = (0..BOARDS).map(|number| genesis::Board {
        id: board(number),
        key: World::key(&board(number).0).public_key().clone(),
    });
    genesis.boards = boards.collect();
    genesis.delay_floor = DELAY;
    genesis.limits = limits(HOUR_LIMIT);
    let more = [
        (APPROVERS[0], Role::Approver),
        (APPROVERS[1], Role::Approver),
        (SUPPORT, Role::Support),
    ];
    genesis
        .staff
        .extend(more.map(|(who, role)| member(who, role)));
}

fn member(principal: PrincipalId, role: Role) -> Member {
    let key = World::key(&principal.0).public_key().clone();
    Member {
        principal,
        roles: vec![role],
        factors: vec![NewFactor::RequestKey { key }],
    }
}

/// The limits with this for an hour of each account.
#[must_use]
pub fn limits(hour: u128) -> Limits {
    // In halves of what an account may within an hour; a run is a few hours long, and fills them.
    let most = |hours: Option<u128>| hours.map(|hours| Amount(hour * hours / 2));
    let rule = |asset, bounds, [hour, day, week]: [Option<u128>; 3]| Limit {
        asset,
        bounds,
        per_transaction: Some(Amount(TRANSACTION_LIMIT)),
        hour: most(hour),
        day: most(day),
        week: most(week),
        approval: Some(ApprovalAbove {
            above: Amount(APPROVAL_ABOVE),
            count: 2,
        }),
    };
    let assets = [World::ETHER, World::TOKEN];
    let rules = assets.iter().flat_map(|asset| {
        [
            rule(*asset, Bounds::Account, [Some(2), Some(4), Some(5)]),
            rule(*asset, Bounds::Asset, [Some(7), Some(10), None]),
            rule(*asset, Bounds::Wallet, [Some(8), None, Some(12)]),
        ]
    });
    Limits {
        rules: rules.collect(),
    }
}
