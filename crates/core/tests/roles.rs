//! Who may ask for what: every role against every act, as one table that is read before it is accepted.

#![allow(
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a table of all acts is read best in one piece; helpers of tests may unwrap"
)]

use portcullis_chains::caip::AssetId;
use portcullis_chains::{Address, Amount};
use portcullis_core::Digest;
use portcullis_core::act::{
    ActKind, AddAddress, Approve, Cancel, CancelAddress, EnrolFactor, GrantRole, Lift, LiftTarget,
    OpenAccount, RaiseEpoch, Resume, RevokeFactor, RevokeRole, Scope, SetLimits, Suspend, Void,
    Withdraw,
};
use portcullis_core::decide::permit::{Permission, holder_may, role_may};
use portcullis_core::factor::NewFactor;
use portcullis_core::id::{FactorId, PrincipalId, SubjectId};
use portcullis_core::limits::Limits;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::signature::PublicKey;
use std::fmt::Write as _;

const SOMEBODY: PrincipalId = PrincipalId([1; 16]);
const ACT: Digest = Digest([2; 32]);

fn factor() -> NewFactor {
    // The base point of Ed25519: a key that nobody needs to own here.
    let mut key = [0x66; 32];
    key[0] = 0x58;
    NewFactor::RequestKey {
        key: PublicKey::ed25519(key).unwrap(),
    }
}

/// Every act, and both halves where the answer differs within a kind.
fn acts() -> Vec<(&'static str, ActKind)> {
    let address = Address::Evm {
        chain: 1,
        address: [3; 20],
    };
    let asset = AssetId::EvmNative { chain: 1 };
    let raise = |realm| {
        ActKind::RaiseEpoch(RaiseEpoch {
            realm,
            factors: None,
        })
    };
    let revoke = |role| {
        ActKind::RevokeRole(RevokeRole {
            principal: SOMEBODY,
            role,
        })
    };
    let grant = GrantRole {
        principal: SOMEBODY,
        role: Role::Operator,
        factor: None,
    };
    let open = OpenAccount {
        subject: SubjectId([4; 16]),
        principal: SOMEBODY,
        factor: factor(),
        delay: None,
    };
    vec![
        ("open-account", ActKind::OpenAccount(open)),
        (
            "withdraw",
            ActKind::Withdraw(Withdraw {
                asset,
                to: address,
                amount: Amount(1),
            }),
        ),
        ("cancel", ActKind::Cancel(Cancel { act: ACT })),
        ("add-address", ActKind::AddAddress(AddAddress { address })),
        (
            "cancel-address",
            ActKind::CancelAddress(CancelAddress { address }),
        ),
        ("freeze", ActKind::Freeze),
        ("unfreeze", ActKind::Unfreeze),
        (
            "enrol-factor",
            ActKind::EnrolFactor(EnrolFactor {
                principal: SOMEBODY,
                factor: factor(),
            }),
        ),
        (
            "revoke-factor",
            ActKind::RevokeFactor(RevokeFactor {
                principal: SOMEBODY,
                factor: FactorId([5; 16]),
            }),
        ),
        ("raise-epoch customers", raise(Realm::Customers)),
        ("raise-epoch staff", raise(Realm::Staff)),
        ("grant-role", ActKind::GrantRole(grant)),
        ("revoke-role operator", revoke(Role::Operator)),
        ("revoke-role administrator", revoke(Role::Administrator)),
        ("approve", ActKind::Approve(Approve { act: ACT })),
        (
            "suspend",
            ActKind::Suspend(Suspend {
                scope: Scope::Everything,
            }),
        ),
        (
            "lift",
            ActKind::Lift(Lift {
                target: LiftTarget::Suspension { by: ACT },
            }),
        ),
        ("resume", ActKind::Resume(Resume { release: ACT })),
        ("void", ActKind::Void(Void { release: ACT })),
        (
            "set-limits",
            ActKind::SetLimits(SetLimits {
                replaces: ACT,
                limits: Limits::default(),
            }),
        ),
    ]
}

#[test]
fn every_role_against_every_act() {
    let names = [
        "admin", "operator", "approver", "support", "auditor", "back-end", "keeper",
    ];
    let mut table = format!("{:<26} {:<8}", "act", "holder");
    for name in names {
        let _ = write!(table, " {name:<8}");
    }
    for (name, kind) in acts() {
        let holder = if holder_may(&kind) { "own" } else { "-" };
        let _ = write!(table, "\n{name:<26} {holder:<8}");
        for role in Role::ALL {
            let outcome = match role_may(role, &kind) {
                Some(Permission::Alone) => "alone",
                Some(Permission::WithQuorum) => "quorum",
                None => "-",
            };
            let _ = write!(table, " {outcome:<8}");
        }
        let kept = table.trim_end().len();
        table.truncate(kept);
    }
    insta::assert_snapshot!(table);
}

#[test]
fn no_kind_of_act_is_missing_from_the_table() {
    let mut kinds: Vec<&str> = acts().iter().map(|(_, kind)| kind.name()).collect();
    kinds.dedup();
    assert_eq!(kinds.len(), 18);
}
