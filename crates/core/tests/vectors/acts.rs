//! One act of each kind, and of each shape that a kind can have.

use crate::holder::{Holder, Kind};
use crate::{and, vector};
use portcullis_chains::Amount;
use portcullis_core::act::{
    Act, ActKind, AddAddress, AddPrincipal, Approve, Cancel, CancelAddress, ChangeContact,
    EnrolFactor, GrantRole, Import, Keys, LabelsOffered, Lift, LiftTarget, NewAdministrator,
    OpenAccount, PublishRates, RaiseEpoch, Recover, RecoverAdministrators, RejectedRows,
    RemovePrincipal, Resume, RevokeFactor, RevokeRole, Roots, Rotate, Scope, SetAccountQuorum,
    SetLabels, SetLimits, SetPolicy, Suspend, Veto, Void, Withdraw,
};
use portcullis_core::factor::{FactorKind, NewFactor};
use portcullis_core::id::{AccountId, ActId, PrincipalId, SubjectId};
use portcullis_core::labels::ListKind;
use portcullis_core::limits::{ApprovalAbove, Bounds, Limit, Limits};
use portcullis_core::passkey::challenge_for;
use portcullis_core::policy::{
    FiatLimit, List, Name, Policy, Publisher, Quote, RateRules, Scale, SignedQuote, Tiers,
};
use portcullis_core::realm::{Realm, Role};
use portcullis_core::signature::PublicKey;
use portcullis_core::{Digest, Span};
use portcullis_keeper::testkit::{World, id};
use portcullis_keys::StatementKey as _;
use serde_json::{Value, json};

const OTHER: Digest = Digest([0xd1; 32]);
const CONTACT: Digest = Digest([0x0c; 32]);
const CUSTOMER: PrincipalId = PrincipalId([0xc7; 16]);

pub(crate) fn document() -> Value {
    let acts = kinds().into_iter().map(|(what, kind)| {
        let act = of(kind);
        let (digest, challenge) = (act.digest(), hex::encode(challenge_for(&act.digest().0)));
        assert_eq!(hex::encode(act.digest().0), digest.to_string());
        let restricting = act.kind.is_restricting();
        let more = json!({ "digest": digest, "challenge": challenge, "restricting": restricting });
        and(vector(what, &act), more)
    });
    let limits = limits();
    let digest = limits.digest();
    json!({
        "acts": acts.collect::<Vec<_>>(),
        "limits": and(vector("limits", &limits), json!({ "digest": digest })),
    })
}

/// The same act around each kind; customers' kinds name an account.
pub(crate) fn of(kind: ActKind) -> Act {
    let customers = portcullis_core::decide::permit::holder_may(&kind);
    let (realm, principal) = if customers {
        (Realm::Customers, CUSTOMER)
    } else {
        (Realm::Staff, World::administrator(0))
    };
    let account = customers || matches!(kind, ActKind::OpenAccount(_));
    Act {
        genesis: World::new().digest(),
        realm,
        principal,
        account: account.then_some(AccountId([0xac; 16])),
        id: ActId(id(0x1d)),
        checkpoint: Digest([0xcc; 32]),
        expires: World::START.after(Span::hours(2)),
        kind,
    }
}

fn kinds() -> Vec<(&'static str, ActKind)> {
    let mut kinds = customers();
    kinds.extend(staffs());
    kinds.extend(controls());
    kinds.extend(rotations());
    kinds.extend(codes());
    kinds.extend(handovers());
    kinds.extend(principals());
    kinds.extend(payees());
    kinds
}

fn withdraw_to(asset: &str, to: &str) -> ActKind {
    ActKind::Withdraw(Withdraw {
        asset: asset.parse().unwrap(),
        to: to.parse().unwrap(),
        amount: Amount(1_234_567),
    })
}

/// Payees on other chains, in spellings that have capital letters and that have none.
fn payees() -> Vec<(&'static str, ActKind)> {
    vec![
        (
            "withdraw bitcoin to an address in base58",
            withdraw_to(
                "bip122:000000000019d6689c085ae165831e93/slip44:0",
                "bip122:000000000019d6689c085ae165831e93:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            ),
        ),
        (
            "withdraw bitcoin to an address in bech32",
            withdraw_to(
                "bip122:000000000019d6689c085ae165831e93/slip44:0",
                "bip122:000000000019d6689c085ae165831e93:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            ),
        ),
        (
            "withdraw on a chain that is known by its name, with a memo",
            withdraw_to(
                "xrpl:0/slip44:144",
                "xrpl:0:rnXyVQzgxZe7TR1EPzTkGj2jxH4LMJYh66?dt=104",
            ),
        ),
    ]
}

fn customers() -> Vec<(&'static str, ActKind)> {
    let passkey = Holder::new(Kind::PasskeyEd25519).factor();
    let withdraw = |asset, amount| {
        ActKind::Withdraw(Withdraw {
            asset,
            to: World::address(0x22),
            amount: Amount(amount),
        })
    };
    let (address, factor) = (World::address(0x22), passkey.id());
    vec![
        ("withdraw ether", withdraw(World::ETHER, 1_000_000_000)),
        ("withdraw a token", withdraw(World::TOKEN, u128::MAX)),
        ("cancel", ActKind::Cancel(Cancel { act: OTHER })),
        (
            "add an address",
            ActKind::AddAddress(AddAddress { address }),
        ),
        (
            "cancel an address",
            ActKind::CancelAddress(CancelAddress { address }),
        ),
        ("freeze", ActKind::Freeze),
        ("unfreeze", ActKind::Unfreeze),
        (
            "enrol a passkey",
            ActKind::EnrolFactor(EnrolFactor {
                principal: CUSTOMER,
                factor: passkey,
            }),
        ),
        (
            "revoke a factor",
            ActKind::RevokeFactor(RevokeFactor {
                principal: CUSTOMER,
                factor,
            }),
        ),
        (
            "recover by a factor of another kind",
            ActKind::Recover(Recover {
                principal: CUSTOMER,
                factor: Holder::new(Kind::PasskeyP256).factor(),
            }),
        ),
        ("veto a recovery", ActKind::Veto(Veto { act: OTHER })),
        (
            "change the contact",
            ActKind::ChangeContact(ChangeContact { contact: CONTACT }),
        ),
    ]
}

fn principals() -> Vec<(&'static str, ActKind)> {
    let set = |replaces, quorum| ActKind::SetAccountQuorum(SetAccountQuorum { replaces, quorum });
    vec![
        (
            "add a principal",
            ActKind::AddPrincipal(AddPrincipal {
                principal: CUSTOMER,
                factor: Holder::new(Kind::PasskeyP256).factor(),
            }),
        ),
        (
            "remove a principal",
            ActKind::RemovePrincipal(RemovePrincipal {
                principal: CUSTOMER,
            }),
        ),
        ("take two principals", set(1, 2)),
        ("take one principal again", set(2, 1)),
    ]
}

fn codes() -> Vec<(&'static str, ActKind)> {
    let enrol = |factor| {
        ActKind::EnrolFactor(EnrolFactor {
            principal: CUSTOMER,
            factor,
        })
    };
    let seed = NewFactor::Totp {
        seed: Digest([0x5e; 32]),
    };
    vec![
        ("enrol a TOTP seed", enrol(seed)),
        ("enrol recovery codes", enrol(crate::totp::recovery_codes())),
        (
            "open an account that is imported with a passkey and a TOTP seed",
            imported(),
        ),
    ]
}

fn imported() -> ActKind {
    ActKind::OpenAccount(OpenAccount {
        subject: SubjectId([0x5b; 16]),
        principal: CUSTOMER,
        factor: Holder::new(Kind::PasskeyP256).factor(),
        delay: None,
        contact: Some(CONTACT),
        imported: Some(Import {
            source: "legacy-auth.2".into(),
            exported: World::START,
            record: Digest([0x4e; 32]),
            also: vec![NewFactor::Totp {
                seed: Digest([0x5e; 32]),
            }],
        }),
    })
}

fn open(kind: Kind, delay: Option<Span>, contact: Option<Digest>) -> ActKind {
    ActKind::OpenAccount(OpenAccount {
        subject: SubjectId([0x5b; 16]),
        principal: CUSTOMER,
        factor: Holder::new(kind).factor(),
        delay,
        contact,
        imported: None,
    })
}

fn staffs() -> Vec<(&'static str, ActKind)> {
    let grant = |role, factor| {
        ActKind::GrantRole(GrantRole {
            principal: World::OPERATOR,
            role,
            factor,
        })
    };
    let key = Holder::new(Kind::RequestKey).factor();
    vec![
        (
            "open an account with a P-256 passkey and a delay of 48 hours",
            open(Kind::PasskeyP256, Some(Span::hours(48)), None),
        ),
        (
            "open an account with a request key",
            open(Kind::RequestKey, None, None),
        ),
        (
            "open an account with a contact",
            open(Kind::RequestKey, None, Some(CONTACT)),
        ),
        (
            "raise the epoch of the customers' realm",
            ActKind::RaiseEpoch(RaiseEpoch {
                realm: Realm::Customers,
                factors: None,
            }),
        ),
        (
            "raise the epoch of staff's passkeys",
            ActKind::RaiseEpoch(RaiseEpoch {
                realm: Realm::Staff,
                factors: Some(FactorKind::Passkey),
            }),
        ),
        ("grant a role", grant(Role::Support, None)),
        (
            "grant a role to somebody new",
            grant(Role::BackEnd, Some(key)),
        ),
        (
            "revoke a role",
            ActKind::RevokeRole(RevokeRole {
                principal: World::OPERATOR,
                role: Role::Operator,
            }),
        ),
        ("approve", ActKind::Approve(Approve { act: OTHER })),
        ("resume", ActKind::Resume(Resume { release: OTHER })),
        ("void", ActKind::Void(Void { release: OTHER })),
    ]
}

fn controls() -> Vec<(&'static str, ActKind)> {
    let suspend = |scope| ActKind::Suspend(Suspend { scope });
    let lift = |target| ActKind::Lift(Lift { target });
    let (keeper, latch) = (World::KEEPER, OTHER);
    vec![
        ("suspend everything", suspend(Scope::Everything)),
        ("suspend withdrawals", suspend(Scope::Withdrawals)),
        ("suspend an asset", suspend(Scope::Asset(World::ETHER))),
        ("suspend a realm", suspend(Scope::Realm(Realm::Customers))),
        (
            "suspend an account",
            suspend(Scope::Account(AccountId([0xac; 16]))),
        ),
        (
            "lift a suspension",
            lift(LiftTarget::Suspension { by: OTHER }),
        ),
        ("lift a latch", lift(LiftTarget::Latch { keeper, latch })),
        (
            "lift all suspensions up to an entry",
            lift(LiftTarget::SuspensionsUpTo { entry: 7 }),
        ),
        (
            "set limits",
            ActKind::SetLimits(SetLimits {
                replaces: OTHER,
                limits: limits(),
            }),
        ),
        (
            "set the policy",
            ActKind::SetPolicy(SetPolicy {
                replaces: OTHER,
                policy: policy(),
            }),
        ),
        ("put labels in force", set_labels(None)),
        ("replace labels", set_labels(Some(OTHER))),
        (
            "take labels out",
            ActKind::SetLabels(SetLabels {
                name: Name("ofac".into()),
                replaces: Some(OTHER),
                set: None,
            }),
        ),
        (
            "publish rates",
            ActKind::PublishRates(PublishRates {
                quotes: vec![quote()],
            }),
        ),
    ]
}

fn rotations() -> Vec<(&'static str, ActKind)> {
    let keeper = World::KEEPER;
    vec![
        ("recover the administrators", recover_administrators()),
        (
            "rotate the issuers",
            rotate(Keys::Issuers {
                issuers: World::new().network.genesis().issuers.clone(),
            }),
        ),
        (
            "rotate the roots",
            rotate(Keys::Roots {
                roots: Roots {
                    keys: vec![key(0xd1), key(0xd2), key(0xd3)],
                    quorum: 2,
                },
            }),
        ),
        (
            "rotate a keeper's key",
            rotate(Keys::Keeper {
                keeper,
                key: key(0xd4),
            }),
        ),
    ]
}

fn handovers() -> Vec<(&'static str, ActKind)> {
    let witnesses = World::witnesses_of(&[0x92, 0x94, 0x95]);
    vec![
        (
            "rotate the witnesses",
            rotate(Keys::Witnesses { witnesses }),
        ),
        ("rotate the journal's key", rotate(World::log_keys(0x81))),
    ]
}

fn set_labels(replaces: Option<Digest>) -> ActKind {
    let offered = LabelsOffered {
        digest: Digest([0x1b; 32]),
        kind: ListKind::Authority,
        from: 0,
        source: "OFAC SDN, 28 November 2026".into(),
        labels: 640,
        rejected: vec![RejectedRows {
            why: Name("address-length".into()),
            rows: 1,
        }],
    };
    ActKind::SetLabels(SetLabels {
        name: Name("ofac".into()),
        replaces,
        set: Some(offered),
    })
}

fn policy() -> Policy {
    let tiers = Tiers {
        asset: World::ETHER,
        above: vec![Amount(255), Amount(65_536)],
    };
    let list = List {
        name: Name("blocked".into()),
        addresses: vec![World::address(0x22)],
        accounts: vec![AccountId([0xac; 16])],
    };
    Policy {
        cedar: "@id(\"all\") permit (principal, action, resource);".into(),
        tiers: vec![tiers],
        lists: vec![list],
        rates: Some(rates()),
    }
}

fn rates() -> RateRules {
    let publisher = |number: u8| Publisher {
        id: Name(format!("publisher-{number}")),
        key: World::key(&[number; 16]).public_key().clone(),
    };
    RateRules {
        currency: Name("usd".into()),
        publishers: (1..=3).map(publisher).collect(),
        assets: vec![Scale {
            asset: World::ETHER,
            decimals: 18,
        }],
        max_age: Span::seconds(600),
        max_step: 10,
        every: Span::seconds(60),
        platform: FiatLimit {
            hour: Some(Amount(1)),
            day: None,
            week: Some(Amount(255)),
        },
    }
}

fn quote() -> SignedQuote {
    let quote = Quote {
        publisher: Name("publisher-1".into()),
        asset: World::ETHER,
        currency: Name("usd".into()),
        price: Amount(300_000),
        time: World::START,
    };
    let signature = World::key(&[1; 16]).sign(&quote.signed_bytes());
    SignedQuote {
        quote,
        signature: signature.unwrap(),
    }
}

fn limits() -> Limits {
    let full = Limit {
        asset: World::ETHER,
        bounds: Bounds::Account,
        per_transaction: Some(Amount(1)),
        hour: Some(Amount(255)),
        day: Some(Amount(65_536)),
        week: Some(Amount(u128::MAX)),
        approval: Some(ApprovalAbove {
            above: Amount(0),
            count: 2,
        }),
    };
    let empty = Limit {
        asset: World::TOKEN,
        bounds: Bounds::Wallet,
        per_transaction: None,
        hour: None,
        day: None,
        week: None,
        approval: None,
    };
    Limits {
        rules: vec![full, empty],
    }
}

fn key(seed: u8) -> PublicKey {
    World::key(&id(seed)).public_key().clone()
}

fn rotate(keys: Keys) -> ActKind {
    ActKind::Rotate(Rotate {
        replaces: OTHER,
        keys,
    })
}

fn recover_administrators() -> ActKind {
    let new = |seed| NewAdministrator {
        principal: PrincipalId(id(seed)),
        factors: vec![NewFactor::RequestKey { key: key(seed) }],
    };
    ActKind::RecoverAdministrators(RecoverAdministrators {
        replaces: OTHER,
        administrators: vec![new(0x31), new(0x32)],
        quorum: 2,
    })
}
