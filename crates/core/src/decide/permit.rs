//! Who may ask for what. The snapshot `tests/snapshots/roles__roles.snap` shows the whole table.

use super::Case;
use super::authenticate::{Actor, Asking, has_role};
use super::claims::Claims;
use crate::act::ActKind;
use crate::id::PrincipalId;
use crate::realm::{Realm, Role};
use crate::reason::Reason;
use crate::state::account::Owner;

/// How an actor may do what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// By itself.
    Alone,
    /// Together with a quorum of administrators, each by an act of its own.
    WithQuorum,
}

/// Whether holders of accounts may do this to their own account, relayed by the back end unless it
/// only takes away.
#[must_use]
pub fn holder_may(kind: &ActKind) -> bool {
    matches!(
        kind,
        ActKind::Withdraw(_)
            | ActKind::Cancel(_)
            | ActKind::AddAddress(_)
            | ActKind::CancelAddress(_)
            | ActKind::Freeze
            | ActKind::Unfreeze
            | ActKind::EnrolFactor(_)
            | ActKind::RevokeFactor(_)
            | ActKind::Recover(_)
            | ActKind::Veto(_)
            | ActKind::ChangeContact(_)
            | ActKind::AddPrincipal(_)
            | ActKind::RemovePrincipal(_)
            | ActKind::SetAccountQuorum(_)
    )
}

/// Whether a member of staff with this role may do this, and how. Judges look closer: an enrolment by
/// the back end needs onboarding's word, approvals look at who proposed.
#[must_use]
pub fn role_may(role: Role, kind: &ActKind) -> Option<Permission> {
    use Permission::{Alone, WithQuorum};
    match (role, kind) {
        (
            Role::BackEnd,
            ActKind::OpenAccount(_) | ActKind::EnrolFactor(_) | ActKind::PublishRates(_),
        )
        | (Role::BackEnd | Role::Support, ActKind::Recover(_))
        | (
            Role::BackEnd | Role::Support | Role::Operator | Role::Administrator,
            ActKind::Freeze | ActKind::Cancel(_) | ActKind::CancelAddress(_),
        )
        | (Role::Operator | Role::Administrator, ActKind::Resume(_) | ActKind::Void(_))
        | (Role::Operator | Role::Administrator | Role::Keeper, ActKind::Suspend(_))
        | (Role::Approver | Role::Support | Role::Administrator, ActKind::Approve(_))
        | (Role::Administrator, ActKind::RevokeFactor(_) | ActKind::Veto(_)) => Some(Alone),
        (Role::Operator | Role::Administrator, ActKind::RaiseEpoch(raise)) => match raise.realm {
            Realm::Customers => Some(Alone),
            Realm::Staff => (role == Role::Administrator).then_some(WithQuorum),
        },
        // The roots decide; whoever else is left brings their word.
        (role, ActKind::RecoverAdministrators(_)) => (role != Role::Keeper).then_some(Alone),
        (Role::Administrator, ActKind::RevokeRole(revoke)) => match revoke.role {
            Role::Administrator => Some(WithQuorum),
            // A keeper is one by genesis, and nobody makes another.
            Role::Keeper => None,
            _ => Some(Alone),
        },
        (
            Role::Administrator,
            ActKind::GrantRole(_)
            | ActKind::Lift(_)
            | ActKind::SetLimits(_)
            | ActKind::SetLabels(_)
            | ActKind::Unfreeze
            | ActKind::SetPolicy(_)
            | ActKind::Rotate(_)
            | ActKind::ChangeContact(_),
        ) => Some(WithQuorum),
        _ => None,
    }
}

/// Whether the proven actor may ask for the act.
pub(super) fn permit(case: &Case<'_>, actor: &Actor) -> Result<Permission, Reason> {
    match actor.owner {
        Owner::Holder { .. } => permit_holder(case, actor),
        // What a link may ask for has been looked at with the link.
        Owner::Member { .. } if actor.by_link => Ok(Permission::Alone),
        Owner::Member { principal } => {
            let own = is_own_enrolment(case, actor);
            Role::ALL
                .into_iter()
                .filter(|role| has_role(case, principal, *role))
                .find_map(|role| role_may(role, &case.act.kind))
                .or(own.then_some(Permission::Alone))
                .ok_or(Reason::RoleMissing)
        }
    }
}

/// A member of staff gives somebody else a factor only on onboarding's word.
pub(super) fn check_onboarded(
    case: &Case<'_>,
    actor: &Actor,
    claims: &Claims,
) -> Result<(), Reason> {
    let for_another = match &case.act.kind {
        ActKind::OpenAccount(_) => true,
        ActKind::EnrolFactor(_) => !is_own_enrolment(case, actor),
        _ => false,
    };
    let by_staff = matches!(actor.owner, Owner::Member { .. });
    if by_staff && for_another && !claims.onboarding {
        return Err(Reason::OnboardingMissing);
    }
    Ok(())
}

/// A customer's act that loosens comes through the back end, which signs the request.
fn permit_holder(case: &Case<'_>, actor: &Actor) -> Result<Permission, Reason> {
    if !is_relayed(case, &actor.relays) && !case.act.kind.is_restricting() {
        return Err(Reason::RequestMissing);
    }
    if holder_may(&case.act.kind) {
        Ok(Permission::Alone)
    } else {
        Err(Reason::RoleMissing)
    }
}

fn is_relayed(case: &Case<'_>, relays: &[PrincipalId]) -> bool {
    let mut relays = relays.iter();
    relays.any(|relay| has_role(case, *relay, Role::BackEnd))
}

/// Who may bring more evidence for an act: the back end for a customer's, and for an act of staff the
/// member whose act it is. What vendors say for themselves nobody has to bring.
pub(super) fn check_may_supplement(case: &Case<'_>, asking: &Asking) -> Result<(), Reason> {
    if case.evidence.is_vendors_alone() {
        return Ok(());
    }
    let may = match asking.owner {
        Owner::Holder { .. } => is_relayed(case, &asking.relays),
        Owner::Member { .. } => asking.is_proven(),
    };
    if may {
        Ok(())
    } else if case.evidence.requests.is_empty() {
        Err(Reason::RequestMissing)
    } else {
        Err(Reason::RoleMissing)
    }
}

/// Members of staff manage their own factors.
fn is_own_enrolment(case: &Case<'_>, actor: &Actor) -> bool {
    match &case.act.kind {
        ActKind::EnrolFactor(enrol) => enrol.principal == actor.owner.principal(),
        ActKind::RevokeFactor(revoke) => revoke.principal == actor.owner.principal(),
        _ => false,
    }
}
