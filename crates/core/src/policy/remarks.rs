//! What an expert should look at before anybody proposes a policy.

use super::engine::schema;
use super::{ASKED, Policy, PolicyFault};
use cedar_policy::{ActionConstraint, Effect, PolicySet, ValidationMode, Validator};

/// What Cedar says of a text, for people: what is wrong with it, and what it thinks odd about it, such
/// as a statement that can never apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Why it is no policy.
    pub faults: Vec<String>,
    /// What to look at.
    pub warnings: Vec<String>,
}

impl Remarks {
    /// Look at a policy.
    #[must_use]
    pub fn on(policy: &Policy) -> Self {
        let fault = policy.check().err();
        let mut remarks = Self::default();
        remarks.faults.extend(fault.iter().map(ToString::to_string));
        // Text that is too large or odd never reaches Cedar.
        let reaches_cedar = matches!(
            fault,
            None | Some(PolicyFault::NotCedar | PolicyFault::NotOfSchema)
        );
        if reaches_cedar {
            remarks.ask_cedar(&policy.cedar);
        }
        if fault.is_none() {
            remarks.warnings.extend(unused(policy));
        }
        remarks
    }

    fn ask_cedar(&mut self, text: &str) {
        let set: PolicySet = match text.parse() {
            Ok(set) => set,
            Err(error) => return self.faults.push(format!("{error}")),
        };
        self.warnings.extend(never_permitted(&set));
        let Some(schema) = schema() else { return };
        let validated = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        let named = |id: &cedar_policy::PolicyId, text: String| {
            let name = set.annotation(id, "id").unwrap_or_default();
            text.replace(&format!("policy `{id}`"), &format!("`{name}`"))
        };
        let errors = validated.validation_errors();
        self.faults
            .extend(errors.map(|error| named(error.policy_id(), error.to_string())));
        let warnings = validated.validation_warnings();
        self.warnings
            .extend(warnings.map(|warning| named(warning.policy_id(), warning.to_string())));
    }
}

/// What a policy is asked about and no statement ever permits: Cedar refuses what nothing permits.
fn never_permitted(set: &PolicySet) -> Option<String> {
    let permits = || set.policies().filter(|one| one.effect() == Effect::Permit);
    let covers = |constraint: ActionConstraint, act: &str| match constraint {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(action) => action.id().unescaped() == act,
        ActionConstraint::In(actions) => actions.iter().any(|a| a.id().unescaped() == act),
    };
    let never = ASKED
        .iter()
        .filter(|act| !permits().any(|one| covers(one.action_constraint(), act)));
    let never: Vec<&str> = never.copied().collect();
    (!never.is_empty()).then(|| {
        format!(
            "no statement permits, so every one is refused: {}",
            never.join(", ")
        )
    })
}

/// Data that no statement can ask about, and lists that nobody keeps: both are mistakes of writing.
fn unused(policy: &Policy) -> Vec<String> {
    let text = &policy.cedar;
    let asks = |name: &str| text.contains(&format!("\"{name}\""));
    let idle = policy.lists.iter().filter(|list| !asks(&list.name.0));
    let idle = idle.map(|list| format!("no statement asks about the list `{}`", list.name.0));
    let tiers = (!policy.tiers.is_empty() && !text.contains("tier"))
        .then(|| "no statement asks about tiers".to_owned());
    let kept = |name: &str| policy.lists.iter().any(|list| list.name.0 == name);
    let asked = text.split("lists.contains(\"").skip(1);
    let names = asked.filter_map(|rest| rest.split_once('"').map(|(name, _)| name));
    let missing = names.filter(|name| !kept(name));
    let missing = missing.map(|name| {
        format!("a statement asks about the list `{name}`, and the policy keeps none of that name")
    });
    idle.chain(tiers).chain(missing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(cedar: &str) -> Vec<String> {
        let policy = Policy {
            cedar: cedar.into(),
            tiers: Vec::new(),
            lists: Vec::new(),
            rates: None,
        };
        let remarks = Remarks::on(&policy);
        assert_eq!(remarks.faults, [""; 0]);
        remarks.warnings
    }

    #[test]
    fn what_nothing_permits_is_named() {
        let all = r#"@id("all") permit (principal, action, resource);"#;
        assert_eq!(warnings(all), [""; 0]);
        let some = r#"@id("some") permit (principal, action in [Action::"withdraw", Action::"resume"], resource);"#;
        let said = warnings(some).concat();
        assert!(
            said.contains("unfreeze") && !said.contains("withdraw"),
            "{said}"
        );
        let none = r#"@id("never") forbid (principal, action == Action::"withdraw", resource);"#;
        assert!(warnings(none).concat().contains("withdraw, open-account"));
    }
}
