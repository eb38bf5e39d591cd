//! One effect of every sort, and of every shape that a sort can have.

use crate::holder::{Holder, Kind};
use crate::{acts, cbor};
use portcullis_chains::Amount;
use portcullis_core::act::{ActKind, Keys, LiftTarget, Roots, Scope};
use portcullis_core::code::{SEALED_CODE, SealedCode};
use portcullis_core::effect::Effect;
use portcullis_core::evidence::Finding;
use portcullis_core::factor::{Epochs, FactorKind};
use portcullis_core::id::{
    AccountId, AttestationId, FactorId, IssuerId, LedgerEntryId, PrincipalId, SubjectId,
};
use portcullis_core::labels::{InForce, ListKind};
use portcullis_core::limits::Limits;
use portcullis_core::plan::Plan;
use portcullis_core::policy::{Name, Policy, Rate};
use portcullis_core::realm::{Realm, Role};
use portcullis_core::state::account::{FrozenBy, Owner, Proof};
use portcullis_core::state::batch::CoinId;
use portcullis_core::state::joint::Together;
use portcullis_core::state::recovery::Voucher;
use portcullis_core::state::release::{End, SignedPlan, Withheld};
use portcullis_core::state::said::{Exchanged, Said, Screened};
use portcullis_core::statement::{Cap, Condition};
use portcullis_core::{Digest, Span, Time};
use portcullis_keeper::testkit::{World, id};
use portcullis_keys::StatementKey as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ACT: Digest = Digest([0xd1; 32]);
const ACCOUNT: AccountId = AccountId([0xac; 16]);
const WHO: PrincipalId = PrincipalId([0xc7; 16]);
const FACTOR: FactorId = FactorId([0xfa; 16]);
const PAID: LedgerEntryId = LedgerEntryId([0x1e; 16]);
const DELAY: Span = Span::seconds(5);

pub(crate) fn document() -> Value {
    let effects = all();
    let numbers: BTreeSet<u8> = effects.iter().map(number).collect();
    let known = (0..=34)
        .chain(60..=65)
        .chain(70..=74)
        .chain(90..=92)
        .chain(100..=101)
        .chain(80..=83)
        .chain(110..=114);
    assert_eq!(numbers, known.collect());
    let vector = |effect: &Effect| json!({ "number": number(effect), "cbor": cbor(effect) });
    effects.iter().map(vector).collect()
}

fn all() -> Vec<Effect> {
    [
        people(),
        waiting(),
        releases(),
        control(),
        lost(),
        telling(),
        attested(),
        codes(),
        principals(),
        coins(),
    ]
    .concat()
}

fn coins() -> Vec<Effect> {
    vec![
        Effect::Batch {
            wallet: World::WALLET,
            number: 40,
            members: vec![ACT, Digest([0xd2; 32])],
        },
        Effect::Spends {
            leader: ACT,
            transaction: Digest([0x7c; 32]),
            coins: vec![CoinId([0xc0; 36])],
        },
    ]
}

fn people() -> Vec<Effect> {
    let address = World::address(0x22);
    vec![
        Effect::Consume(Digest([0x1d; 32]), World::START),
        Effect::Counter(holder(), FACTOR, 7),
        Effect::Debit(PAID),
        Effect::Open {
            account: ACCOUNT,
            subject: SubjectId([0x5b; 16]),
            principal: WHO,
            delay: DELAY,
        },
        Effect::Enrol {
            owner: member(),
            factor: Holder::new(Kind::RequestKey).factor(),
            delay: DELAY,
        },
        Effect::Unenrol(holder(), FACTOR),
        Effect::AddAddress(ACCOUNT, address, DELAY),
        Effect::RemoveAddress(ACCOUNT, address),
        Effect::Freeze(ACCOUNT, FrozenBy::Holder(FactorKind::Passkey)),
        Effect::Freeze(ACCOUNT, FrozenBy::Staff),
        Effect::Unfreeze(ACCOUNT),
        Effect::RaiseEpoch(Realm::Customers, None),
        Effect::RaiseEpoch(Realm::Staff, Some(FactorKind::RequestKey)),
        Effect::Grant(WHO, Role::Support),
        Effect::Ungrant(WHO, Role::Support),
    ]
}

fn waiting() -> Vec<Effect> {
    let hold = |debit, delay| Effect::Hold {
        digest: ACT,
        act: Box::new(acts::of(ActKind::Unfreeze)),
        proof: proof(),
        debit,
        delay,
    };
    vec![
        hold(None, None),
        hold(Some(PAID), None),
        hold(None, Some(DELAY)),
        hold(Some(PAID), Some(DELAY)),
        Effect::Prove(ACT, proof()),
        Effect::Pay(ACT, PAID),
        Effect::Approve(ACT, WHO, proof()),
        Effect::Unhold(ACT),
        Effect::End(ACT, End::Confirmed(Digest([0x7c; 32])), Some(ACCOUNT)),
        Effect::End(ACT, End::Returned, Some(ACCOUNT)),
        Effect::End(ACT, End::Done, None),
        Effect::Spend(ACT, vec![Digest([0x51; 32]), Digest([0x52; 32])]),
    ]
}

fn releases() -> Vec<Effect> {
    vec![
        Effect::Plan {
            digest: ACT,
            act: Box::new(acts::of(ActKind::Unfreeze)),
            account: ACCOUNT,
            proof: proof(),
            plan: plan(),
        },
        Effect::Charge {
            account: ACCOUNT,
            wallet: World::WALLET,
            asset: World::ETHER,
            amount: Amount(5),
        },
        Effect::Uncharge {
            wallet: World::WALLET,
            asset: World::ETHER,
            amount: Amount(5),
            charged: World::START,
        },
        Effect::Resume(ACT),
        Effect::Void(ACT, plan()),
        Effect::Replan(ACT, plan()),
        Effect::Withhold(ACT, Withheld::Late),
        Effect::Withhold(ACT, Withheld::Cancelled),
        Effect::Signed(
            ACT,
            SignedPlan {
                plan: plan().digest(),
                transaction: Digest([0x7c; 32]),
            },
        ),
    ]
}

fn in_force() -> InForce {
    InForce {
        set: Digest([0x1b; 32]),
        kind: ListKind::Community,
        from: 7,
        source: "the desk".into(),
        labels: 3,
        entry: 9,
    }
}

fn control() -> Vec<Effect> {
    let cap = Cap {
        asset: World::TOKEN,
        per_transaction: Amount(1),
        day: Amount(2),
    };
    let (keeper, latch) = (World::KEEPER, Digest([0x1a; 32]));
    vec![
        Effect::Suspend(ACT, Scope::Withdrawals),
        Effect::Lift(LiftTarget::Latch { keeper, latch }),
        Effect::SetLimits(Limits::default()),
        Effect::SetLabels(Name("desk".into()), Some(Box::new(in_force()))),
        Effect::SetLabels(Name("desk".into()), None),
        Effect::Caps(keeper, vec![cap], 3),
        Effect::Stopped(keeper, ACT),
        Effect::Latched(keeper, latch, Condition::Shut),
        Effect::Cosigned {
            body: Digest([0xcc; 32]),
            size: 9,
            oldest: World::START,
            newest: Time(World::START.0 + 1000),
        },
        Effect::SetPolicy(Box::new(Policy::default_of_core().clone())),
        Effect::Rates(vec![Rate {
            asset: World::ETHER,
            price: Amount(300_000),
            time: World::START,
        }]),
        Effect::ChargeFiat(Amount(7)),
    ]
}

fn lost() -> Vec<Effect> {
    let begin = |voucher, agent| Effect::BeginRecovery {
        digest: ACT,
        owner: holder(),
        voucher,
        agent,
    };
    let roots = Roots {
        keys: vec![World::key(&id(0xd1)).public_key().clone()],
        quorum: 1,
    };
    vec![
        begin(Voucher::Factor, None),
        begin(Voucher::Identity(Digest([0x1d; 32])), Some(WHO)),
        begin(Voucher::Support, Some(WHO)),
        begin(Voucher::Code, None),
        Effect::Recovered {
            account: ACCOUNT,
            lowered: DELAY,
        },
        Effect::Veto(ACT, WHO, proof()),
        Effect::SetQuorum(2),
        Effect::Rotate(Keys::Roots { roots }),
    ]
}

fn telling() -> Vec<Effect> {
    vec![
        Effect::AwaitTold(ACT),
        Effect::Told(17),
        Effect::Contact(ACCOUNT, Digest([0x0c; 32])),
    ]
}

fn attested() -> Vec<Effect> {
    let issuer = IssuerId([0x64; 16]);
    let until = World::START.after(DELAY);
    let said = |screened, exchanged| {
        Effect::Said(
            ACT,
            Said {
                screened,
                exchanged,
            },
        )
    };
    let screened = Screened {
        finding: Finding::Refer,
        report: Digest([0x4e; 32]),
        until,
    };
    let message = Exchanged::Message(Digest([0x1f; 32]), until);
    vec![
        Effect::UseUp(issuer, AttestationId([0xa7; 16])),
        said(Some(screened), None),
        said(None, Some(message)),
        said(None, Some(Exchanged::Contradictory)),
    ]
}

fn codes() -> Vec<Effect> {
    vec![
        Effect::AwaitCode {
            act: ACT,
            owner: holder(),
            factor: FACTOR,
            sealed: SealedCode([0x5c; SEALED_CODE]),
        },
        Effect::CodeRight(ACT, 59_333_333),
        Effect::CodeWrong(ACT),
        Effect::Imported(holder(), FACTOR),
        Effect::UseCode(holder(), FACTOR, Digest([0x0d; 32])),
    ]
}

fn principals() -> Vec<Effect> {
    vec![
        Effect::AddPrincipal(holder()),
        Effect::RemovePrincipal(holder()),
        Effect::SetAccountQuorum(ACCOUNT, 2),
        Effect::Jointly(ACT, Together::from_iter([proof()])),
    ]
}

fn holder() -> Owner {
    Owner::Holder {
        account: ACCOUNT,
        principal: WHO,
    }
}

fn member() -> Owner {
    Owner::Member { principal: WHO }
}

fn proof() -> Proof {
    Proof {
        owner: holder(),
        factor: FACTOR,
        kind: FactorKind::Passkey,
        epochs: Epochs { realm: 1, kind: 2 },
        entry: 8,
        signature: Digest([0x51; 32]),
    }
}

fn plan() -> Plan {
    Plan {
        wallet: World::WALLET,
        unsigned: vec![0x02, 0xc0],
    }
}

/// The variant's number, as it is encoded.
fn number(effect: &Effect) -> u8 {
    let bytes = portcullis_core::codec::encode(effect);
    match bytes[..] {
        [0x82, number @ 0..24, ..] | [0x82, 0x18, number, ..] => number,
        _ => panic!("an effect is an array of two"),
    }
}

/// A new variant belongs in the table above.
#[test]
fn the_table_is_complete() {
    for number in (35..60)
        .chain(66..70)
        .chain(75..80)
        .chain(84..90)
        .chain(93..100)
        .chain(102..110)
        .chain(115..=255_u8)
    {
        let bytes = [0x82, 0x18, number, 0x80];
        let unknown = minicbor::decode::<Effect>(&bytes).unwrap_err();
        assert!(unknown.is_unknown_variant(), "{number}");
    }
}
