//! Who may ask for what: everybody against every act, as one table that is read before it is accepted.
//!
//! Nothing here looks rules up. Each field is a decision on a network where the act would make sense,
//! asked for by a member who has only that role, with all the evidence that an honest client has.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod stage;

use portcullis_core::act::{
    ActKind, AddPrincipal, Approve, Cancel, CancelAddress, ChangeContact, EnrolFactor, GrantRole,
    Keys, LabelsOffered, Lift, LiftTarget, OpenAccount, RaiseEpoch, RemovePrincipal, Resume,
    RevokeFactor, RevokeRole, Rotate, Scope, SetAccountQuorum, SetLabels, SetLimits, SetPolicy,
    Suspend, Veto, Void,
};
use portcullis_core::factor::FactorKind;
use portcullis_core::id::PrincipalId;
use portcullis_core::labels::ListKind;
use portcullis_core::limits::Limits;
use portcullis_core::policy::Name;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::{Act, Decision, Digest, Evidence, Need, Span};
use portcullis_keeper::testkit::{Customer, World};
use stage::lost::SUPPORT_3;
use stage::{
    APPROVERS, AUDITOR, PAYEE, STRANGER, SUPPORT, Stage, add, ether, request_key, unbounded,
};
use std::fmt::Write as _;

/// Who asks.
#[derive(Clone, Copy)]
enum Who {
    /// The customer by its passkey, through the back end.
    Passkey,
    /// The customer by a request key of its own, through the back end.
    RequestKey,
    /// The customer by its passkey, and nobody relays it.
    Alone,
    /// A member of staff.
    Staff(PrincipalId),
}

const EVERYBODY: [(&str, Who); 10] = [
    ("passkey", Who::Passkey),
    ("key", Who::RequestKey),
    ("alone", Who::Alone),
    ("admin", Who::Staff(ADMINISTRATOR)),
    ("operator", Who::Staff(World::OPERATOR)),
    ("approver", Who::Staff(APPROVERS[0])),
    ("support", Who::Staff(SUPPORT)),
    ("auditor", Who::Staff(AUDITOR)),
    ("back-end", Who::Staff(World::BACK_END)),
    ("keeper", Who::Staff(PrincipalId(World::KEEPER.0))),
];

/// An administrator who has proposed nothing.
const ADMINISTRATOR: PrincipalId = {
    let mut id = World::KEEPER.0;
    id[0] = 0xa2;
    PrincipalId(id)
};

/// What is asked for, on a stage where that makes sense. Given is who asks.
type Ask = fn(&mut Stage, PrincipalId) -> ActKind;

#[rustfmt::skip]
const ACTS: [(&str, Ask); 40] = [
    ("open an account", |_, _| open()),
    ("withdraw", |_, _| ether(PAYEE, 10)),
    ("cancel a withdrawal", |stage, _| ActKind::Cancel(Cancel { act: held(stage) })),
    ("cancel another's proposal", |stage, _| ActKind::Cancel(Cancel { act: proposal(stage) })),
    ("add an address", |_, _| add(STRANGER)),
    ("take an address out", |_, _| ActKind::CancelAddress(CancelAddress { address: PAYEE })),
    ("freeze", |_, _| ActKind::Freeze),
    ("unfreeze what the holder froze", |stage, _| frozen(stage)),
    ("unfreeze what staff froze", |stage, _| frozen_by_staff(stage)),
    ("enrol a factor of one's own", |_, who| enrol(who)),
    ("enrol a customer", |stage, _| enrol(stage.customer.principal)),
    ("enrol a customer after an epoch", |stage, _| { raised(stage); enrol(stage.customer.principal) }),
    ("enrol a member without factors", |stage, _| enrol(without_factors(stage))),
    ("revoke a factor of one's own", |stage, who| revoke_own(stage, who)),
    ("revoke a customer's passkey", |stage, _| revoke_passkey(stage)),
    ("revoke all of customers", |_, _| raise(Realm::Customers, None)),
    ("revoke all passkeys of staff", |_, _| raise(Realm::Staff, Some(FactorKind::Passkey))),
    ("give a role", |_, _| grant()),
    ("take a role", |_, _| ActKind::RevokeRole(RevokeRole { principal: SUPPORT, role: Role::Support })),
    ("take an administrator's role", |_, _| ActKind::RevokeRole(RevokeRole { principal: World::administrator(2), role: Role::Administrator })),
    ("approve a withdrawal", |stage, _| ActKind::Approve(Approve { act: held(stage) })),
    ("approve a proposal", |stage, _| ActKind::Approve(Approve { act: proposal(stage) })),
    ("suspend", |_, _| ActKind::Suspend(Suspend { scope: Scope::Everything })),
    ("lift", |stage, _| lift(stage)),
    ("resume", |stage, _| ActKind::Resume(Resume { release: withheld(stage) })),
    ("void", |stage, _| ActKind::Void(Void { release: withheld(stage) })),
    ("set limits", |stage, _| limits(stage)),
    ("set the policy", |stage, _| set_policy(stage)),
    ("put labels in force", |_, _| labels()),
    ("publish rates", |stage, _| { stage.name_publishers(); stage.publication(100) }),
    ("recover a customer", |stage, _| stage.recovery()),
    ("approve a customer's recovery", |stage, _| ActKind::Approve(Approve { act: recovery(stage) })),
    ("veto a customer's recovery", |stage, _| ActKind::Veto(Veto { act: recovery(stage) })),
    ("recover the administrators", |stage, _| ActKind::RecoverAdministrators(stage.new_administration(&[0x31], 1))),
    ("veto that", |stage, _| ActKind::Veto(Veto { act: administrators(stage) })),
    ("rotate the issuers", |stage, _| rotate(stage)),
    ("add a principal", |_, _| add_principal()),
    ("remove another principal", |stage, _| remove_principal(stage)),
    ("take two principals", |stage, _| take_two(stage)),
    ("change the account's contact", |stage, _| change_contact(stage)),
];

/// Contacts are where a herald is.
fn change_contact(stage: &mut Stage) -> ActKind {
    *stage = Stage::staffed_with_a_herald();
    let contact = Digest([0x0c; 32]);
    ActKind::ChangeContact(ChangeContact { contact })
}

fn add_principal() -> ActKind {
    let new = Customer::number(2);
    let (principal, factor) = (new.principal, new.factor());
    ActKind::AddPrincipal(AddPrincipal { principal, factor })
}

/// The customer has taken somebody in, who counts by now.
fn shared(stage: &mut Stage) {
    let act = stage.customers(add_principal());
    stage.submit(act);
    stage.pass(Span::seconds(6));
}

fn remove_principal(stage: &mut Stage) -> ActKind {
    shared(stage);
    let principal = Customer::number(2).principal;
    ActKind::RemovePrincipal(RemovePrincipal { principal })
}

fn take_two(stage: &mut Stage) -> ActKind {
    shared(stage);
    let (replaces, quorum) = (1, 2);
    ActKind::SetAccountQuorum(SetAccountQuorum { replaces, quorum })
}

#[test]
fn roles() {
    let mut table = format!("{:<31}", "");
    for (name, _) in EVERYBODY {
        let _ = write!(table, " {name:<8}");
    }
    for (name, ask) in ACTS {
        let _ = write!(table, "\n{name:<31}");
        for (_, who) in EVERYBODY {
            let _ = write!(table, " {:<8}", outcome(who, ask));
        }
    }
    let lines: Vec<&str> = table.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// `yes`, `waits` where only a delay is to run, `quorum` or `support` where others of these are to agree, or the
/// number of the refusal.
fn outcome(who: Who, ask: Ask) -> String {
    let mut stage = Stage::lost();
    if matches!(who, Who::RequestKey) {
        stage.enrol_request_key();
    }
    let principal = match who {
        Who::Staff(member) => member,
        _ => stage.customer.principal,
    };
    let kind = ask(&mut stage, principal);
    let act = act_of(&mut stage, who, kind);
    let evidence = evidence_of(&stage, who, &act);
    match stage.decide(&act, &evidence) {
        Decision::Release => "yes".into(),
        Decision::Hold { needs, .. } if matches!(needs[..], [Need::Quorum { .. }, ..]) => {
            "quorum".into()
        }
        Decision::Hold { needs, .. } if needs == [Need::Delay] => "waits".into(),
        Decision::Hold { needs, .. } if needs == [Need::Delay, Need::Support { missing: 1 }] => {
            "support".into()
        }
        Decision::Hold { needs, .. } => format!("{needs:?}"),
        Decision::Refuse { reason } => reason.number().to_string(),
    }
}

fn act_of(stage: &mut Stage, who: Who, kind: ActKind) -> Act {
    match who {
        Who::Staff(member) => {
            let account = account_of(stage, member, &kind);
            let mut act = stage.staffs(member, kind);
            act.account = account;
            act
        }
        _ => stage.customers(kind),
    }
}

/// Staff names the account that an act is about.
fn account_of(
    stage: &Stage,
    member: PrincipalId,
    kind: &ActKind,
) -> Option<portcullis_core::id::AccountId> {
    let own = match kind {
        ActKind::OpenAccount(_) => return Some(Customer::number(3).account),
        ActKind::EnrolFactor(enrol) => {
            enrol.principal == member || stage.facts().member(enrol.principal).is_some()
        }
        ActKind::RevokeFactor(revoke) => revoke.principal == member,
        _ => false,
    };
    (!own).then_some(stage.customer.account)
}

fn evidence_of(stage: &Stage, who: Who, act: &Act) -> Evidence {
    let mut evidence = match who {
        Who::RequestKey => stage.prove_by_request_key(act),
        _ => stage.prove(act),
    };
    if matches!(who, Who::Alone) {
        evidence.requests.clear();
    }
    evidence
}

fn open() -> ActKind {
    let new = Customer::number(3);
    ActKind::OpenAccount(OpenAccount {
        subject: new.subject,
        principal: new.principal,
        factor: new.factor(),
        delay: None,
        contact: None,
        imported: None,
    })
}

/// A withdrawal that waits for two approvals.
fn held(stage: &mut Stage) -> Digest {
    let act = stage.withdrawal(1_000);
    stage.submit(act)
}

fn proposal(stage: &mut Stage) -> Digest {
    let kind = grant();
    let act = stage.staffs(World::administrator(0), kind);
    stage.submit(act)
}

fn frozen(stage: &mut Stage) -> ActKind {
    let act = stage.customers(ActKind::Freeze);
    stage.submit(act);
    ActKind::Unfreeze
}

fn frozen_by_staff(stage: &mut Stage) -> ActKind {
    let act = stage.staffs_about(SUPPORT, ActKind::Freeze);
    stage.submit(act);
    ActKind::Unfreeze
}

/// A request key: nothing is weaker.
fn enrol(principal: PrincipalId) -> ActKind {
    let factor = request_key(PrincipalId([0x2d; 16]));
    ActKind::EnrolFactor(EnrolFactor { principal, factor })
}

/// An approver whose one factor was taken.
fn without_factors(stage: &mut Stage) -> PrincipalId {
    let principal = PrincipalId([0x2c; 16]);
    stage.employ(principal, Role::Approver);
    let factor = request_key(principal).id();
    let kind = ActKind::RevokeFactor(RevokeFactor { principal, factor });
    let act = stage.staffs(World::administrator(0), kind);
    stage.submit(act);
    principal
}

fn raised(stage: &mut Stage) {
    let act = stage.staffs(World::OPERATOR, raise(Realm::Customers, None));
    stage.submit(act);
}

/// The factor that proves the act.
fn revoke_own(stage: &Stage, principal: PrincipalId) -> ActKind {
    let request_key = request_key(principal).id();
    let has_key = stage.facts().staff_factors.contains_key(&request_key);
    let is_second = stage.facts().accounts[&stage.customer.account].holders[0]
        .factors
        .iter()
        .any(|factor| factor.id == request_key);
    let factor = if has_key || is_second {
        request_key
    } else {
        stage.customer.factor().id()
    };
    ActKind::RevokeFactor(RevokeFactor { principal, factor })
}

fn revoke_passkey(stage: &Stage) -> ActKind {
    let (principal, factor) = (stage.customer.principal, stage.customer.factor().id());
    ActKind::RevokeFactor(RevokeFactor { principal, factor })
}

fn raise(realm: Realm, factors: Option<FactorKind>) -> ActKind {
    ActKind::RaiseEpoch(RaiseEpoch { realm, factors })
}

fn grant() -> ActKind {
    ActKind::GrantRole(GrantRole {
        principal: World::OPERATOR,
        role: Role::Support,
        factor: None,
    })
}

fn suspended(stage: &mut Stage) -> LiftTarget {
    let scope = Scope::Withdrawals;
    let act = stage.staffs(World::OPERATOR, ActKind::Suspend(Suspend { scope }));
    let by = stage.submit(act);
    LiftTarget::Suspension { by }
}

fn lift(stage: &mut Stage) -> ActKind {
    let target = suspended(stage);
    ActKind::Lift(Lift { target })
}

/// A release that was withheld by a suspension that is over.
fn withheld(stage: &mut Stage) -> Digest {
    let act = stage.withdrawal(10);
    let release = stage.submit(act);
    let target = suspended(stage);
    stage.ledger.lift(target);
    release
}

fn labels() -> ActKind {
    let offered = LabelsOffered {
        digest: Digest([7; 32]),
        kind: ListKind::Authority,
        from: 0,
        source: "a court".into(),
        labels: 1,
        rejected: Vec::new(),
    };
    ActKind::SetLabels(SetLabels {
        name: Name("court".into()),
        replaces: None,
        set: Some(offered),
    })
}

fn set_policy(stage: &Stage) -> ActKind {
    let policy = stage.facts().policy().clone();
    let replaces = policy.digest();
    ActKind::SetPolicy(SetPolicy { replaces, policy })
}

fn limits(stage: &Stage) -> ActKind {
    let replaces = stage.facts().limits.digest();
    let rules = vec![unbounded(World::ETHER)];
    let limits = Limits { rules };
    ActKind::SetLimits(SetLimits { replaces, limits })
}

/// One that a member of support brought, and nobody has approved.
fn recovery(stage: &mut Stage) -> Digest {
    let act = stage.recovery_by(SUPPORT_3);
    stage.submit(act)
}

fn administrators(stage: &mut Stage) -> Digest {
    let new = stage.new_administration(&[0x31], 1);
    stage.begin_administrators(new)
}

fn rotate(stage: &Stage) -> ActKind {
    let issuers = stage.state().issuers().to_vec();
    let keys = Keys::Issuers { issuers };
    let replaces = keys.digest();
    ActKind::Rotate(Rotate { replaces, keys })
}
