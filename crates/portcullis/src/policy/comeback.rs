//! Who could come back without staff: what `policy check` says of recovery.

use portcullis_core::State;
use portcullis_core::factor::FactorKind;
use portcullis_core::genesis::IssuerKind;
use portcullis_core::policy::{Attested, Engine, Facts, Policy, Verdict};
use portcullis_core::realm::{Realm, Role};
use portcullis_core::state::account::{Holder, Owner};

/// A warning where customers who lose their factor could come back by two of staff alone.
pub(super) fn by_staff_alone(policy: &Policy, state: &State) -> Option<String> {
    let engine = Engine::of(policy);
    let attests = state
        .issuers()
        .iter()
        .any(|issuer| issuer.kind == IssuerKind::Identity);
    if attests && lets_pass(&engine, &by_a_vendor()) {
        return None;
    }
    let by_themselves = lets_pass(&engine, &by_a_code());
    let customers: Vec<bool> = customers(state)
        .map(|(owner, holder)| has_another_way(state, owner, holder, by_themselves))
        .collect();
    let stranded = customers.iter().filter(|has_one| !**has_one).count();
    if stranded == 0 && !customers.is_empty() {
        return None;
    }
    let most = state
        .network()
        .genesis()
        .recovery
        .unwrap_or_default()
        .per_platform;
    let nobody = if attests {
        "this policy takes no identity vendor's word on a recovery"
    } else {
        "there is no issuer of kind identity"
    };
    Some(format!(
        "{nobody}: {stranded} of {} customers have no recovery codes and no second factor as strong as their first, and \
         come back by two of staff alone, at most {most} a day",
        customers.len()
    ))
}

fn customers(state: &State) -> impl Iterator<Item = (Owner, &Holder)> {
    state.facts().accounts.iter().flat_map(|(account, known)| {
        known.holders.iter().map(|holder| {
            let principal = holder.principal;
            let account = *account;
            (Owner::Holder { account, principal }, holder)
        })
    })
}

/// Codes on paper, or a second factor that enrols the successor of the first.
fn has_another_way(state: &State, owner: Owner, holder: &Holder, by_codes: bool) -> bool {
    let counting = || {
        let factors = holder.factors.iter();
        factors.filter(|factor| state.facts().is_current(owner, factor.kind, factor.epochs))
    };
    let codes = counting().any(|factor| state.facts().codes.left(owner, factor.id) > 0);
    let strongest = counting().map(|factor| factor.kind).max();
    let twice = counting()
        .filter(|factor| Some(factor.kind) == strongest)
        .count()
        > 1;
    (codes && by_codes) || twice
}

fn lets_pass(engine: &Engine, facts: &Facts) -> bool {
    !matches!(engine.evaluate(facts).verdict, Verdict::Refuse(_))
}

fn by_a_code() -> Facts {
    Facts {
        act: "recover",
        realm: Realm::Customers,
        roles: 0,
        factor: FactorKind::RecoveryCodes,
        factor_hours: 720,
        imported: false,
        approvals: 0,
        attested: Attested::default(),
        lists: 0,
        label: None,
        money: None,
        company: None,
    }
}

/// The back end brings a vendor's word.
fn by_a_vendor() -> Facts {
    Facts {
        realm: Realm::Staff,
        roles: Facts::bits(&[Role::BackEnd]),
        factor: FactorKind::RequestKey,
        ..by_a_code()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::act::{ActKind, EnrolFactor};
    use portcullis_core::factor::{NewFactor, RECOVERY_CODES};
    use portcullis_core::genesis::{Genesis, Issuer};
    use portcullis_core::id::IssuerId;
    use portcullis_core::{Digest, Span};
    use portcullis_keeper::testkit::{Customer, HandClock, Ledger, World};
    use portcullis_keys::StatementKey as _;
    use std::sync::Arc;

    fn with_a_vendor(genesis: &mut Genesis) {
        let id = IssuerId([0x63; 16]);
        genesis.issuers.push(Issuer {
            id,
            kind: IssuerKind::Identity,
            key: World::key(&id.0).public_key().clone(),
        });
    }

    /// A network with one customer, who has one passkey.
    fn one_customer(world: World) -> (Ledger, Customer) {
        let mut ledger = Ledger::new(Arc::new(world), HandClock::at(World::START));
        let customer = Customer::number(1);
        ledger.open(&customer);
        ledger.clock.pass(Span::seconds(6));
        ledger.settle_clocks();
        (ledger, customer)
    }

    fn policy(statement: &str) -> Policy {
        Policy {
            cedar: format!("@id(\"most\") permit (principal, action, resource);\n{statement}"),
            ..Policy::default_of_core().clone()
        }
    }

    fn said(policy: &Policy, ledger: &Ledger) -> Option<String> {
        by_staff_alone(policy, &ledger.state)
    }

    #[test]
    fn a_vendor_is_enough_unless_the_policy_takes_no_word_of_it() {
        let (ledger, _) = one_customer(World::with(with_a_vendor));
        assert_eq!(said(&policy(""), &ledger), None);
        let none = policy(
            r#"@id("no-vendors")
               forbid (principal == Realm::"staff", action == Action::"recover", resource);"#,
        );
        let warning = said(&none, &ledger).unwrap();
        assert!(
            warning.starts_with("this policy takes no identity vendor's word"),
            "{warning}"
        );
    }

    #[test]
    fn without_a_vendor_customers_with_one_factor_are_counted() {
        let (mut ledger, customer) = one_customer(World::new());
        let warning = said(&policy(""), &ledger).unwrap();
        assert!(warning.contains("1 of 1 customers"), "{warning}");
        let codes = (0..RECOVERY_CODES)
            .map(|n| Digest([u8::try_from(n).unwrap(); 32]))
            .collect();
        let enrol = ActKind::EnrolFactor(EnrolFactor {
            principal: customer.principal,
            factor: NewFactor::RecoveryCodes { codes },
        });
        let act = ledger.customers_act(&customer, enrol);
        let evidence = ledger.customers_evidence(&customer, &act);
        ledger.submit(act, evidence);
        assert_eq!(said(&policy(""), &ledger), None);
        let none = policy(
            r#"@id("no-codes") forbid (principal, action == Action::"recover", resource)
               when { context.factor == "recovery-codes" };"#,
        );
        let warning = said(&none, &ledger).unwrap();
        assert!(warning.contains("1 of 1 customers"), "{warning}");
    }
}
