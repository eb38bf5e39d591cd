//! 5xx: does it fit the state of things?

use super::{Fault, Row, row};
use crate::stage::{PAYEE, STRANGER, SUPPORT, Stage, add, ether, nobody, request_key, unbounded};
use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, AssetId};
use portcullis_core::act::{
    ActKind, Approve, Cancel, CancelAddress, EnrolFactor, GrantRole, Lift, LiftTarget, OpenAccount,
    RaiseEpoch, Resume, RevokeFactor, RevokeRole, Scope, SetLimits, Suspend, Void, Withdraw,
};
use portcullis_core::factor::NewFactor;
use portcullis_core::id::{KeeperId, PrincipalId};
use portcullis_core::limits::Limits;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::statement::{Condition, Says};
use portcullis_core::{Act, Digest, Evidence, Reason, Span};
use portcullis_keeper::testkit::{Customer, World};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = of_the_account();
    rows.extend(of_money());
    rows.extend(of_what_is_on_its_way());
    rows.extend(of_the_platform());
    rows
}

#[rustfmt::skip]
fn of_the_account() -> Vec<Row> {
    use Fault::{Act as Asks, Later};
    use Reason as R;
    vec![
        row(R::Suspended, "everything is shut", adding, Later(|stage, _, _| suspend(stage, Scope::Everything))),
        row(R::Suspended, "the realm is shut", adding, Later(|stage, _, _| suspend(stage, Scope::Realm(Realm::Customers)))),
        row(R::Suspended, "the account is shut", adding, Later(suspend_the_account)),
        row(R::AccountFrozen, "no withdrawal", withdrawal, Later(freeze)),
        row(R::AccountFrozen, "no new address", adding, Later(freeze)),
        row(R::AccountFrozen, "no new factor", enrolling, Later(freeze)),
        row(R::AccountExists, "the account", opening, Asks(|stage, act| act.account = Some(stage.customer.account))),
        row(R::NoHerald, "nobody keeps a contact", opening, Asks(|_, act| opened(act).contact = Some(Digest([0x0c; 32])))),
        row(R::AccountExists, "the principal is staff", opening, Asks(|_, act| opened(act).principal = World::OPERATOR)),
        row(R::FactorExists, "enrolled already", enrolling, Asks(|stage, act| enrolled(act).factor = stage.customer.factor())),
        row(R::FactorExists, "a member of staff has it", enrolling, Asks(|_, act| enrolled(act).factor = request_key(World::OPERATOR))),
        row(R::FactorExists, "a new member with another's key", granting, Asks(|_, act| granted(act).factor = Some(request_key(World::OPERATOR)))),
        row(R::TooMany, "a seventeenth factor", enrolling, Later(sixteen_factors)),
        row(R::TooMany, "address number 257", adding, Later(addresses_256)),
        row(R::AddressKnown, "in the book", adding, Asks(|_, act| act.kind = add(PAYEE))),
        row(R::AddressUnknown, "not in the book", withdrawal, Asks(|_, act| act.kind = ether(STRANGER, 10))),
        row(R::AddressUnknown, "nothing to take out", taking_out, Asks(|_, act| act.kind = take_out(STRANGER))),
        row(R::AddressUnknown, "taken out meanwhile", withdrawal, Later(taken_out)),
        row(R::FactorsRemain, "onboarding over an older factor's head", fresh_start, Asks(without_an_epoch)),
        row(R::FactorsRemain, "a member gets a factor with a role", granting_more, Asks(|_, act| granted(act).factor = Some(request_key(PrincipalId([0x2f; 16]))))),
        row(R::WrongFactorParty, "made for another relying party", enrolling, Asks(|_, act| party_of(act).push('x'))),
        row(R::TooLarge, "a credential id of 1,024 bytes", enrolling, Asks(|_, act| credential_of(act).resize(1_024, 1))),
        row(R::NotFrozen, "a holder's", unfreezing, Later(unfreeze)),
        row(R::NotFrozen, "a quorum's", unfreezing_by_quorum, Later(unfreeze)),
        row(R::FactorTooWeak, "staff froze it", unfreezing, Later(support_freezes)),
    ]
}

#[rustfmt::skip]
fn of_money() -> Vec<Row> {
    use Fault::{Act as Asks, Later};
    use Reason as R;
    vec![
        row(R::AssetUnknown, "not of genesis", withdrawal, Asks(|_, act| wanted(act).asset = AssetId::EvmErc20 { chain: 31_337, contract: [9; 20] })),
        row(R::AssetUnknown, "no rule bounds it", withdrawal, Later(no_rule)),
        row(R::WrongChain, "the address is on another chain", elsewhere_too, Asks(|_, act| wanted(act).to = ELSEWHERE)),
        row(R::AmountZero, "nothing", withdrawal, Asks(|_, act| wanted(act).amount = Amount(0))),
    ]
}

#[rustfmt::skip]
fn of_what_is_on_its_way() -> Vec<Row> {
    use Fault::{Act as Asks, Later};
    use Reason as R;
    vec![
        row(R::ActUnknown, "nothing to cancel", cancelling, Asks(|_, act| act.kind = cancel(Digest([7; 32])))),
        row(R::ActUnknown, "another's act to cancel", cancelling, Asks(another_customer)),
        row(R::ActUnknown, "nothing to approve", approving, Asks(|_, act| act.kind = ActKind::Approve(Approve { act: Digest([7; 32]) }))),
        row(R::ActUnknown, "nothing to resume", resuming, Asks(|_, act| act.kind = ActKind::Resume(Resume { release: Digest([7; 32]) }))),
        row(R::ActUnknown, "nothing to void", voiding, Asks(|_, act| act.kind = ActKind::Void(Void { release: Digest([7; 32]) }))),
        row(R::ActGone, "cancelled before", cancelling, Later(cancelled)),
        row(R::ActGone, "withheld as cancelled before", cancelling_a_release, Later(cancelled)),
        row(R::ActGone, "an approval of what has ended", approving, Later(ended)),
        row(R::ActGone, "a resumption of what was cancelled", resuming, Later(cancelled)),
        row(R::ActGone, "given up twice", voiding, Later(voided_and_withheld)),
        row(R::NotWithheld, "resumed before", resuming, Later(resumed)),
        row(R::ActUnknown, "another administrator's proposal to cancel", cancelling_a_proposal, Asks(|_, act| act.principal = World::administrator(1))),
        row(R::ActGone, "an end to what has ended", voiding, Later(confirmed)),
        row(R::Suspended, "resumed while shut", resuming, Later(|stage, _, _| suspend(stage, Scope::Withdrawals))),
        row(R::AccountFrozen, "resumed while frozen", resuming, Later(freeze)),
        row(R::FactorRevoked, "resumed on a proof that counts no more", resuming, Later(epoch)),
        row(R::AddressUnknown, "resumed to an address that was taken out", resuming, Later(taken_out)),
        row(R::AddressUnknown, "resumed to an address whose delay runs anew", resuming, Later(added_anew)),
    ]
}

#[rustfmt::skip]
fn of_the_platform() -> Vec<Row> {
    use Fault::{Act as Asks, Later};
    use Reason as R;
    vec![
        row(R::UnknownPrincipal, "a role for nobody", granting_more, Asks(|_, act| granted(act).principal = PrincipalId(nobody()))),
        row(R::RoleHeld, "given before", granting_more, Asks(|_, act| granted(act).role = Role::Operator)),
        row(R::RoleNotHeld, "never given", taking_a_role, Asks(|_, act| act.kind = take(World::OPERATOR, Role::Support))),
        row(R::RoleNotHeld, "taken before", taking_a_role, Later(taken)),
        row(R::WouldLockOut, "the last but one administrator goes", taking_an_administrator, Later(one_administrator_less)),
        row(R::WouldLockOut, "the staff's request keys all go", passkeys_of_staff, Asks(|_, act| act.kind = raise(Realm::Staff, None))),
        row(R::WouldLockOut, "the last but one administrator's key goes", giving_up_a_key, Later(one_administrator_less)),
        row(R::SuspensionUnknown, "lifted before", lifting, Later(lifted)),
        row(R::SuspensionUnknown, "a latch of no keeper", lifting, Asks(|_, act| act.kind = lift_latch(KeeperId(nobody())))),
        row(R::ForkLatch, "two histories exist", lifting_a_latch, Later(latched_on_a_fork)),
        row(R::LimitsChanged, "replaced meanwhile", limiting, Later(limits_replaced)),
        row(R::LimitsMalformed, "two rules for one thing", limiting, Asks(|_, act| rules(act).push(unbounded(World::ETHER)))),
        row(R::LimitsMalformed, "an asset of elsewhere", limiting, Asks(|_, act| rules(act)[0].asset = AssetId::EvmNative { chain: 5 })),
        row(R::LimitsMalformed, "too many rules", limiting, Asks(|_, act| rules(act).resize(257, unbounded(World::ETHER)))),
    ]
}

// Good acts.

fn withdrawal(stage: &mut Stage) -> Act {
    stage.withdrawal(10)
}

fn adding(stage: &mut Stage) -> Act {
    stage.customers(add(STRANGER))
}

fn taking_out(stage: &mut Stage) -> Act {
    stage.customers(take_out(PAYEE))
}

fn enrolling(stage: &mut Stage) -> Act {
    let (principal, factor) = (stage.customer.principal, Customer::number(9).factor());
    stage.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }))
}

/// After an epoch the back end enrols the customer anew, on onboarding's word.
fn fresh_start(stage: &mut Stage) -> Act {
    epoch_of(stage);
    let (principal, factor) = (stage.customer.principal, Customer::number(9).factor());
    let kind = ActKind::EnrolFactor(EnrolFactor { principal, factor });
    stage.staffs_about(World::BACK_END, kind)
}

fn opening(stage: &mut Stage) -> Act {
    let new = Customer::number(3);
    let open = OpenAccount {
        subject: new.subject,
        principal: new.principal,
        factor: new.factor(),
        delay: None,
        contact: None,
        imported: None,
    };
    let mut act = stage.staffs(World::BACK_END, ActKind::OpenAccount(open));
    act.account = Some(new.account);
    act
}

fn unfreezing(stage: &mut Stage) -> Act {
    let act = stage.customers(ActKind::Freeze);
    stage.submit(act);
    stage.customers(ActKind::Unfreeze)
}

fn unfreezing_by_quorum(stage: &mut Stage) -> Act {
    let act = stage.customers(ActKind::Freeze);
    stage.submit(act);
    stage.staffs_about(World::administrator(0), ActKind::Unfreeze)
}

/// A withdrawal where the book has an address on another chain, too.
fn elsewhere_too(stage: &mut Stage) -> Act {
    stage.add_address(ELSEWHERE);
    withdrawal(stage)
}

fn cancelling(stage: &mut Stage) -> Act {
    let act = stage.withdrawal(1_000);
    let held = stage.submit(act);
    stage.customers(cancel(held))
}

fn cancelling_a_release(stage: &mut Stage) -> Act {
    let act = withdrawal(stage);
    let released = stage.submit(act);
    stage.customers(cancel(released))
}

fn cancelling_a_proposal(stage: &mut Stage) -> Act {
    let act = granting_more(stage);
    let held = stage.submit(act);
    stage.staffs(World::administrator(0), cancel(held))
}

fn approving(stage: &mut Stage) -> Act {
    let act = granting_more(stage);
    let act = stage.submit(act);
    stage.staffs(World::administrator(1), ActKind::Approve(Approve { act }))
}

/// A release that a suspension withheld and that nothing holds back any more.
fn withheld(stage: &mut Stage) -> Digest {
    let act = withdrawal(stage);
    let release = stage.submit(act);
    let by = suspend_by(stage, Scope::Withdrawals);
    stage.ledger.lift(LiftTarget::Suspension { by });
    release
}

fn resuming(stage: &mut Stage) -> Act {
    let release = withheld(stage);
    stage.staffs(World::OPERATOR, ActKind::Resume(Resume { release }))
}

fn voiding(stage: &mut Stage) -> Act {
    let release = withheld(stage);
    stage.staffs(World::OPERATOR, ActKind::Void(Void { release }))
}

fn granting(stage: &mut Stage) -> Act {
    let principal = PrincipalId([0x2e; 16]);
    let grant = GrantRole {
        principal,
        role: Role::Operator,
        factor: Some(request_key(principal)),
    };
    stage.staffs(World::administrator(0), ActKind::GrantRole(grant))
}

fn granting_more(stage: &mut Stage) -> Act {
    let grant = GrantRole {
        principal: World::OPERATOR,
        role: Role::Support,
        factor: None,
    };
    stage.staffs(World::administrator(0), ActKind::GrantRole(grant))
}

fn taking_a_role(stage: &mut Stage) -> Act {
    stage.staffs(
        World::administrator(0),
        take(World::OPERATOR, Role::Operator),
    )
}

fn taking_an_administrator(stage: &mut Stage) -> Act {
    let kind = take(World::administrator(2), Role::Administrator);
    stage.staffs(World::administrator(0), kind)
}

fn giving_up_a_key(stage: &mut Stage) -> Act {
    let principal = World::administrator(2);
    let factor = request_key(principal).id();
    let kind = ActKind::RevokeFactor(RevokeFactor { principal, factor });
    stage.staffs(principal, kind)
}

fn passkeys_of_staff(stage: &mut Stage) -> Act {
    let kind = raise(
        Realm::Staff,
        Some(portcullis_core::factor::FactorKind::Passkey),
    );
    stage.staffs(World::administrator(0), kind)
}

fn lifting(stage: &mut Stage) -> Act {
    let by = suspend_by(stage, Scope::Withdrawals);
    let target = LiftTarget::Suspension { by };
    stage.staffs(World::administrator(0), ActKind::Lift(Lift { target }))
}

fn lifting_a_latch(stage: &mut Stage) -> Act {
    stage.staffs(World::administrator(0), lift_latch(World::KEEPER))
}

fn limiting(stage: &mut Stage) -> Act {
    let replaces = stage.facts().limits.digest();
    let rules = vec![unbounded(World::ETHER), unbounded(World::TOKEN)];
    let limits = Limits { rules };
    let kind = ActKind::SetLimits(SetLimits { replaces, limits });
    stage.staffs(World::administrator(0), kind)
}

// Faults.

const ELSEWHERE: Address = Address::Evm {
    chain: 5,
    address: [0xaa; 20],
};

fn suspend_by(stage: &mut Stage, scope: Scope) -> Digest {
    let act = stage.staffs(World::OPERATOR, ActKind::Suspend(Suspend { scope }));
    stage.submit(act)
}

fn suspend(stage: &mut Stage, scope: Scope) {
    suspend_by(stage, scope);
}

fn suspend_the_account(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    suspend_by(stage, Scope::Account(stage.customer.account));
}

fn freeze(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    let act = stage.customers(ActKind::Freeze);
    stage.submit(act);
}

fn support_freezes(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    let act = stage.staffs_about(SUPPORT, ActKind::Freeze);
    stage.submit(act);
}

fn unfreeze(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    let act = stage.customers(ActKind::Unfreeze);
    stage.submit(act);
}

fn sixteen_factors(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    for number in 10..25 {
        stage.enrol(Customer::number(number).factor());
    }
}

fn addresses_256(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    for n in 0..255_u8 {
        let mut address = [n; 20];
        address[0] = 0x11;
        let act = stage.customers(add(Address::Evm {
            chain: 31_337,
            address,
        }));
        stage.submit(act);
    }
}

fn take_out(address: Address) -> ActKind {
    ActKind::CancelAddress(CancelAddress { address })
}

fn taken_out(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    let act = taking_out(stage);
    stage.submit(act);
}

fn added_anew(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    taken_out(stage, act, evidence);
    let again = stage.customers(add(PAYEE));
    stage.submit(again);
}

/// The same request where no epoch was raised.
fn without_an_epoch(stage: &mut Stage, act: &mut Act) {
    *stage = Stage::new();
    let kind = act.kind.clone();
    *act = stage.staffs_about(World::BACK_END, kind);
}

fn epoch_of(stage: &mut Stage) {
    let act = stage.staffs(World::OPERATOR, raise(Realm::Customers, None));
    stage.submit(act);
}

fn epoch(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    epoch_of(stage);
}

fn raise(realm: Realm, factors: Option<portcullis_core::factor::FactorKind>) -> ActKind {
    ActKind::RaiseEpoch(RaiseEpoch { realm, factors })
}

fn no_rule(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    let replaces = stage.facts().limits.digest();
    let limits = Limits {
        rules: vec![unbounded(World::TOKEN)],
    };
    stage.propose(ActKind::SetLimits(SetLimits { replaces, limits }));
}

fn limits_replaced(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    let act = limiting(stage);
    stage.propose_act(act);
}

fn another_customer(stage: &mut Stage, act: &mut Act) {
    let other = Customer::number(2);
    stage.ledger.open(&other);
    let kind = act.kind.clone();
    *act = stage.ledger.customers_act(&other, kind);
    stage.customer = other;
}

fn cancel(act: Digest) -> ActKind {
    ActKind::Cancel(Cancel { act })
}

/// What the act is about is cancelled by somebody else, too.
fn cancelled(stage: &mut Stage, act: &Act, _: &mut Evidence) {
    let of = match act.kind {
        ActKind::Cancel(Cancel { act }) => act,
        ActKind::Resume(Resume { release }) => release,
        _ => unreachable!(),
    };
    let cancel = stage.staffs(SUPPORT, cancel(of));
    stage.submit(cancel);
}

/// The proposal goes through with another administrator.
fn ended(stage: &mut Stage, act: &Act, _: &mut Evidence) {
    let ActKind::Approve(Approve { act: of }) = act.kind else {
        unreachable!()
    };
    stage.approve(World::administrator(2), of);
    stage.settle(of);
}

fn resumed(stage: &mut Stage, act: &Act, _: &mut Evidence) {
    let ActKind::Resume(Resume { release }) = act.kind else {
        unreachable!()
    };
    let act = stage.staffs(World::OPERATOR, ActKind::Resume(Resume { release }));
    stage.submit(act);
}

/// The money has arrived all the same: the platform lifted, resumed and waited.
fn confirmed(stage: &mut Stage, act: &Act, _: &mut Evidence) {
    let ActKind::Void(Void { release }) = act.kind else {
        unreachable!()
    };
    let resume = stage.staffs(World::OPERATOR, ActKind::Resume(Resume { release }));
    stage.submit(resume);
    let transaction = stage.sign(release);
    let applied = stage.says(crate::stage::confirmed(release, transaction));
    assert_eq!(applied.void, None);
}

/// Given up, and withheld again before the zero transfer was signed.
fn voided_and_withheld(stage: &mut Stage, act: &Act, _: &mut Evidence) {
    let mut first = act.clone();
    first.id.0[15] ^= 1;
    let evidence = stage.prove(&first);
    let fees = crate::stage::higher_fees();
    stage.ledger.submit_with_fees(first, evidence, fees);
    suspend(stage, Scope::Withdrawals);
}

fn taken(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    let act = taking_a_role(stage);
    stage.submit(act);
}

fn take(principal: PrincipalId, role: Role) -> ActKind {
    ActKind::RevokeRole(RevokeRole { principal, role })
}

fn one_administrator_less(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    stage.propose(take(World::administrator(1), Role::Administrator));
}

fn lift_latch(keeper: KeeperId) -> ActKind {
    let latch = Digest([0x1a; 32]);
    let target = LiftTarget::Latch { keeper, latch };
    ActKind::Lift(Lift { target })
}

fn lifted(stage: &mut Stage, act: &Act, _: &mut Evidence) {
    let ActKind::Lift(Lift { target }) = act.kind else {
        unreachable!()
    };
    stage.ledger.lift(target);
}

fn latched_on_a_fork(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    let applied = stage.says(Says::Latched {
        latch: Digest([0x1a; 32]),
        condition: Condition::Fork,
    });
    assert_eq!(applied.void, None);
}

// Into acts.

fn wanted(act: &mut Act) -> &mut Withdraw {
    match &mut act.kind {
        ActKind::Withdraw(withdraw) => withdraw,
        _ => unreachable!(),
    }
}

fn opened(act: &mut Act) -> &mut OpenAccount {
    match &mut act.kind {
        ActKind::OpenAccount(open) => open,
        _ => unreachable!(),
    }
}

fn enrolled(act: &mut Act) -> &mut EnrolFactor {
    match &mut act.kind {
        ActKind::EnrolFactor(enrol) => enrol,
        _ => unreachable!(),
    }
}

fn granted(act: &mut Act) -> &mut GrantRole {
    match &mut act.kind {
        ActKind::GrantRole(grant) => grant,
        _ => unreachable!(),
    }
}

fn party_of(act: &mut Act) -> &mut String {
    match &mut enrolled(act).factor {
        NewFactor::Passkey { rp_id, .. } => rp_id,
        _ => unreachable!(),
    }
}

fn credential_of(act: &mut Act) -> &mut Vec<u8> {
    match &mut enrolled(act).factor {
        NewFactor::Passkey { credential, .. } => credential,
        _ => unreachable!(),
    }
}

fn rules(act: &mut Act) -> &mut Vec<portcullis_core::limits::Limit> {
    match &mut act.kind {
        ActKind::SetLimits(set) => &mut set.limits.rules,
        _ => unreachable!(),
    }
}

/// What expires keeps its place until it does: a day is remembered, no longer.
#[test]
fn an_act_that_ended_is_gone_for_a_day_and_then_unknown() {
    let mut stage = Stage::new();
    let withdrawal = stage.withdrawal(1_000);
    let held = stage.submit(withdrawal);
    let act = stage.customers(cancel(held));
    stage.submit(act);
    for (wait, reason) in [(23, Reason::ActGone), (2, Reason::ActUnknown)] {
        stage.pass(Span::hours(wait));
        let act = stage.customers(cancel(held));
        assert_eq!(stage.refusal(&act), Some(reason));
    }
}
