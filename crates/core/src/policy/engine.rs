//! Cedar, as core uses it: compiled once, asked with facts, closed whenever anything is odd.

use super::document::{Name, Policy, PolicyFault, check_different};
use super::facts::{Facts, Money, factor_name, realm_name};
use super::{SCHEMA, beside, shape};
use crate::id::AccountId;
use crate::reason::Reason;
use cedar_policy::{
    Authorizer, Context, Decision, Effect, Entities, EntityId, EntityTypeName, EntityUid, PolicyId,
    PolicySet, Request, RestrictedExpression, Schema, ValidationMode, Validator,
};
use portcullis_chains::caip::Address;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Most statements: an answer's cost grows with their number.
const MAX_STATEMENTS: usize = 64;
/// Most approvals that a statement may want.
const MAX_COUNT: u32 = 16;
/// Most answers that are kept; then it is begun anew.
const MAX_KEPT: usize = 4096;

/// A compiled policy. Derived from the document and never part of state's bytes.
pub struct Engine {
    set: PolicySet,
    statements: BTreeMap<PolicyId, Statement>,
    lists: Vec<Name>,
    by_address: BTreeMap<Address, u32>,
    by_account: BTreeMap<AccountId, u32>,
    /// Whether any statement asks how a withdrawal looks beside the others.
    looks_beside: bool,
    /// Answers given before. Each is a function of its facts, so that nobody can tell.
    kept: Mutex<BTreeMap<Facts, Arc<Answer>>>,
}

/// One statement, by what it is called and what it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its `@id`.
    pub name: Name,
    /// Whether it forbids.
    pub forbids: bool,
    /// What a forbid says it waits for.
    pub needs: Option<Wanted>,
    /// Whether it asks how a withdrawal looks beside the others.
    pub is_beside: bool,
}

/// What a `forbid` waits for instead of refusing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// So many approvals in all.
    Approvals(u32),
    /// The ledger's word.
    Debit,
    /// An assertion by a passkey.
    Passkey,
    /// Time.
    Delay,
    /// Room in a window.
    Room,
    /// A screening that passes it.
    Screening,
    /// The travel rule's message.
    TravelRule,
}

/// What a policy says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Let through, hold or refuse.
    pub verdict: Verdict,
    /// The names of the statements that made it, in order; those that erred, where any did.
    pub statements: Vec<Name>,
    /// Of what it needs, what is wanted only for how a withdrawal looks beside the others: where that is there
    /// already, nothing is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Wanted>,
}

/// Whether a policy lets an act through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Yes.
    Permit,
    /// Not before this is there.
    Needs(Vec<Wanted>),
    /// No.
    Refuse(Reason),
}

impl Engine {
    /// Compile a policy; the first fault counts.
    pub fn compile(policy: &Policy) -> Result<Self, PolicyFault> {
        policy.check_data()?;
        let set = parse(&policy.cedar)?;
        let statements = statements(&set)?;
        let validator = Validator::new(schema().ok_or(PolicyFault::NotOfSchema)?.clone());
        let validated = validator.validate(&set, ValidationMode::Strict);
        if !validated.validation_passed() {
            return Err(PolicyFault::NotOfSchema);
        }
        let looks_beside = beside::check(statements.values())?;
        let listed = policy.lists.iter().zip(0_u32..);
        let (mut by_address, mut by_account) = (BTreeMap::new(), BTreeMap::new());
        for (list, bit) in listed {
            for address in &list.addresses {
                *by_address.entry(*address).or_insert(0) |= 1 << bit;
            }
            for account in &list.accounts {
                *by_account.entry(*account).or_insert(0) |= 1 << bit;
            }
        }
        Ok(Self {
            set,
            statements,
            lists: policy.lists.iter().map(|list| list.name.clone()).collect(),
            by_address,
            by_account,
            looks_beside,
            kept: Mutex::default(),
        })
    }

    /// The engine of a policy that is in force. One that cannot be compiled lets nothing through that
    /// loosens; a proposal of such a policy is refused, so none comes into force.
    #[must_use]
    pub fn of(policy: &Policy) -> Arc<Self> {
        static DEFAULT: LazyLock<Arc<Engine>> =
            LazyLock::new(|| Arc::new(Engine::closed_if(Policy::default_of_core())));
        if policy == Policy::default_of_core() {
            return Arc::clone(&DEFAULT);
        }
        Arc::new(Self::closed_if(policy))
    }

    fn closed_if(policy: &Policy) -> Self {
        Self::compile(policy).unwrap_or_else(|_| Self {
            set: PolicySet::new(),
            statements: BTreeMap::new(),
            lists: Vec::new(),
            by_address: BTreeMap::new(),
            by_account: BTreeMap::new(),
            looks_beside: false,
            kept: Mutex::default(),
        })
    }

    /// Its statements, in the text's order.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        let ids = self.set.policies().map(cedar_policy::Policy::id);
        ids.filter_map(|id| self.statements.get(id))
    }

    /// Whether a statement made the answer that asks how a withdrawal looks beside the others.
    #[must_use]
    pub fn is_held_beside(&self, answer: &Answer) -> bool {
        let mut beside = self.statements.values().filter(|made| made.is_beside);
        beside.any(|made| answer.statements.contains(&made.name))
    }

    /// The lists that an account or an address stands in, a bit for each.
    #[must_use]
    pub fn lists_of(&self, account: Option<AccountId>, address: Option<Address>) -> u32 {
        let account = account.and_then(|id| self.by_account.get(&id));
        let address = address.and_then(|at| self.by_address.get(&at));
        account.unwrap_or(&0) | address.unwrap_or(&0)
    }

    /// The names of those lists.
    pub fn list_names(&self, bits: u32) -> impl Iterator<Item = &Name> {
        let lists = self.lists.iter().zip(0_u32..);
        lists.filter_map(move |(name, bit)| (bits & (1 << bit) != 0).then_some(name))
    }

    /// What the policy says to these facts.
    #[must_use]
    pub fn answer(&self, facts: &Facts) -> Arc<Answer> {
        beside::ask(facts, self.looks_beside, |facts| self.remembered(facts))
    }

    /// Ask Cedar itself, whatever was answered before.
    #[must_use]
    pub fn evaluate(&self, facts: &Facts) -> Answer {
        let asked = beside::ask(facts, self.looks_beside, |facts| {
            Arc::new(self.ask_cedar(facts))
        });
        Arc::unwrap_or_clone(asked)
    }

    fn remembered(&self, facts: &Facts) -> Arc<Answer> {
        if let Some(known) = self.kept().get(facts) {
            return Arc::clone(known);
        }
        let answer = Arc::new(self.ask_cedar(facts));
        let mut kept = self.kept();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(*facts, Arc::clone(&answer));
        answer
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<Facts, Arc<Answer>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask_cedar(&self, facts: &Facts) -> Answer {
        let Some(request) = self.request(facts) else {
            return Answer::refuse(Reason::PolicyFails, &[]);
        };
        let response = Authorizer::new().is_authorized(&request, &self.set, &Entities::empty());
        let diagnostics = response.diagnostics();
        // Cedar skips a statement that errs, and a forbid that errs would forbid nothing.
        let mut erred = diagnostics.errors().map(policy_of).peekable();
        if erred.peek().is_some() {
            return Answer::refuse(Reason::PolicyFails, &self.named(erred));
        }
        let made = self.named(diagnostics.reason());
        if facts.is_beside() {
            return beside::held_by(&made);
        }
        match response.decision() {
            Decision::Allow => Answer {
                verdict: Verdict::Permit,
                statements: names(&made),
                beside: Vec::new(),
            },
            Decision::Deny if made.is_empty() => Answer::refuse(Reason::NotPermitted, &made),
            Decision::Deny => denied(&made),
        }
    }

    fn named<'a>(&'a self, ids: impl Iterator<Item = &'a PolicyId>) -> Vec<&'a Statement> {
        let mut made: Vec<_> = ids.filter_map(|id| self.statements.get(id)).collect();
        made.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        made
    }

    fn request(&self, facts: &Facts) -> Option<Request> {
        self.request_as(facts, None)
    }

    /// Checked against the schema where one is given: a test does that once for every act, since it
    /// takes as long as the answer.
    fn request_as(&self, facts: &Facts, schema: Option<&Schema>) -> Option<Request> {
        if !facts.is_whole() {
            return None;
        }
        let context = Context::from_pairs(self.context(facts)).ok()?;
        let of = |kind: Option<&EntityTypeName>, name: &str| {
            Some(EntityUid::from_type_name_and_id(
                kind?.clone(),
                EntityId::new(name),
            ))
        };
        let [realm, action, gate] = kinds();
        let who = of(realm, realm_name(facts.realm))?;
        let (what, gate) = (of(action, facts.act)?, of(gate, "gate")?);
        Request::new(who, what, gate, context, schema).ok()
    }

    fn context(&self, facts: &Facts) -> Vec<(String, RestrictedExpression)> {
        let number = |number: u32| RestrictedExpression::new_long(number.into());
        let mut pairs = vec![
            ("roles", strings(facts.role_names())),
            ("factor", string(factor_name(facts.factor))),
            ("factor_hours", number(facts.factor_hours.into())),
            ("imported", RestrictedExpression::new_bool(facts.imported)),
            ("approvals", number(facts.approvals)),
            ("attested", strings(facts.attested.names())),
            ("screening", string(facts.attested.screening())),
            (
                "lists",
                strings(self.list_names(facts.lists).map(|n| &*n.0)),
            ),
            (
                "label",
                string(facts.label.map_or("none", |it| it.category)),
            ),
        ];
        if let Some(label) = facts.label {
            pairs.push(("label_risk", number(label.risk.into())));
        }
        if let Some(money) = &facts.money {
            pairs.extend(of_money(money));
        }
        if let Some(company) = &facts.company {
            pairs.extend(beside::of_company(company));
        }
        let owned = pairs.into_iter().map(|(name, is)| (name.to_owned(), is));
        owned.collect()
    }
}

fn of_money(money: &Money) -> Vec<(&'static str, RestrictedExpression)> {
    let number = |number: u8| RestrictedExpression::new_long(number.into());
    let hours = RestrictedExpression::new_long(money.address_hours.into());
    vec![
        ("asset", string(&money.asset.to_string())),
        ("tier", number(money.tier)),
        ("address_hours", hours),
        ("account_hour", number(money.account.hour)),
        ("account_day", number(money.account.day)),
        ("account_week", number(money.account.week)),
        ("asset_hour", number(money.asset_wide.hour)),
        ("asset_day", number(money.asset_wide.day)),
        ("asset_week", number(money.asset_wide.week)),
    ]
}

fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn strings<'a>(names: impl Iterator<Item = &'a str>) -> RestrictedExpression {
    RestrictedExpression::new_set(names.map(string))
}

/// The kinds of entities in a question: realm, action, gate. Parsed once, since that takes as long as an answer.
/// They are names, so that a test holds that they parse.
fn kinds() -> [Option<&'static EntityTypeName>; 3] {
    static PARSED: LazyLock<[Option<EntityTypeName>; 3]> =
        LazyLock::new(|| ["Realm", "Action", "Gate"].map(|kind| kind.parse().ok()));
    PARSED.each_ref().map(Option::as_ref)
}

impl Answer {
    pub(super) fn refuse(reason: Reason, made: &[&Statement]) -> Self {
        Self {
            verdict: Verdict::Refuse(reason),
            statements: names(made),
            beside: Vec::new(),
        }
    }
}

pub(super) fn names(made: &[&Statement]) -> Vec<Name> {
    made.iter()
        .map(|statement| statement.name.clone())
        .collect()
}

/// Held where every forbid that bites names what it waits for; refused otherwise.
fn denied(made: &[&Statement]) -> Answer {
    let wanted: Option<Vec<Wanted>> = made.iter().map(|statement| statement.needs).collect();
    let Some(mut wanted) = wanted else {
        return Answer::refuse(Reason::Forbidden, made);
    };
    wanted.sort_unstable();
    wanted.dedup();
    Answer {
        verdict: Verdict::Needs(wanted),
        statements: names(made),
        beside: Vec::new(),
    }
}

fn policy_of(error: &cedar_policy::AuthorizationError) -> &PolicyId {
    match error {
        cedar_policy::AuthorizationError::PolicyEvaluationError(error) => error.policy_id(),
    }
}

/// The schema, parsed once. Core's own text, so that a test holds that it parses.
pub(super) fn schema() -> Option<&'static Schema> {
    static PARSED: LazyLock<Option<Schema>> = LazyLock::new(|| {
        let parsed = Schema::from_cedarschema_str(SCHEMA);
        parsed.ok().map(|(schema, _warnings)| schema)
    });
    PARSED.as_ref()
}

fn parse(text: &str) -> Result<PolicySet, PolicyFault> {
    if text.len() > super::MAX_TEXT {
        return Err(PolicyFault::TextTooLarge);
    }
    shape::check(text)?;
    let set: PolicySet = text.parse().map_err(|_| PolicyFault::NotCedar)?;
    if set.num_of_templates() > 0 {
        return Err(PolicyFault::Template);
    }
    if set.num_of_policies() > MAX_STATEMENTS {
        return Err(PolicyFault::TooManyStatements);
    }
    Ok(set)
}

fn statements(set: &PolicySet) -> Result<BTreeMap<PolicyId, Statement>, PolicyFault> {
    let read = set
        .policies()
        .map(|policy| Ok((policy.id().clone(), statement(policy)?)));
    let read: BTreeMap<_, _> = read.collect::<Result<_, PolicyFault>>()?;
    check_different(read.values().map(|statement| statement.name.0.clone()))?;
    Ok(read)
}

fn statement(policy: &cedar_policy::Policy) -> Result<Statement, PolicyFault> {
    let id = policy.annotation("id").ok_or(PolicyFault::NoId)?;
    let name = Name(id.to_owned());
    if !name.is_well_formed() {
        return Err(PolicyFault::NoId);
    }
    let known = |key: &str| ["id", "note", "needs", "count"].contains(&key);
    if let Some((key, _)) = policy.annotations().find(|(key, _)| !known(key)) {
        return Err(PolicyFault::Annotation(name.0, key.to_owned()));
    }
    let forbids = policy.effect() == Effect::Forbid;
    let count = policy.annotation("count");
    let needs = match policy.annotation("needs") {
        None if count.is_none() => None,
        Some(needs) if forbids => Some(wanted(needs, count).ok_or(PolicyFault::Needs(id.into()))?),
        _ => return Err(PolicyFault::Needs(name.0)),
    };
    Ok(Statement {
        name,
        forbids,
        needs,
        is_beside: beside::is_asked(policy),
    })
}

fn wanted(needs: &str, count: Option<&str>) -> Option<Wanted> {
    match (needs, count) {
        ("approvals", count) => {
            let count: u32 = count.unwrap_or("1").parse().ok()?;
            (1..=MAX_COUNT)
                .contains(&count)
                .then_some(Wanted::Approvals(count))
        }
        ("debit", None) => Some(Wanted::Debit),
        ("passkey", None) => Some(Wanted::Passkey),
        ("delay", None) => Some(Wanted::Delay),
        ("room", None) => Some(Wanted::Room),
        ("screening", None) => Some(Wanted::Screening),
        ("travel-rule", None) => Some(Wanted::TravelRule),
        _ => None,
    }
}

impl core::fmt::Debug for Engine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.statements()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::behaviour::Company;
    use crate::factor::FactorKind;
    use crate::policy::{ASKED, Attested, BESIDE, Labelled, Shares};
    use crate::realm::{Realm, Role};
    use portcullis_chains::caip::AssetId;

    fn facts(act: &'static str, realm: Realm, factor: FactorKind) -> Facts {
        let shares = Shares::default();
        let money = Money {
            asset: AssetId::EvmNative { chain: 1 },
            tier: 9,
            address_hours: 720,
            account: shares,
            asset_wide: shares,
        };
        Facts {
            act,
            realm,
            roles: Facts::bits(&Role::ALL),
            factor,
            factor_hours: 720,
            imported: false,
            approvals: u32::MAX,
            attested: Attested {
                debit: true,
                onboarding: true,
                travel_rule: true,
                screening: None,
            },
            lists: 0,
            label: (factor == FactorKind::Passkey).then_some(Labelled {
                risk: 10,
                category: "sanction",
            }),
            money: (act == "withdraw" || act == BESIDE).then_some(money),
            company: (act == BESIDE).then_some(Company::QUIET),
        }
    }

    /// What core brings is what the text was checked for, act by act, and no act is forgotten.
    #[test]
    fn every_request_is_of_the_schema() {
        let engine = Engine::of(Policy::default_of_core());
        let schema = schema().unwrap_or_else(|| unreachable!("core's own schema parses"));
        for act in ASKED.into_iter().chain([BESIDE]) {
            for realm in [Realm::Customers, Realm::Staff] {
                for factor in [
                    FactorKind::RequestKey,
                    FactorKind::Passkey,
                    FactorKind::Totp,
                ] {
                    let facts = facts(act, realm, factor);
                    assert!(engine.request_as(&facts, Some(schema)).is_some(), "{act}");
                }
            }
        }
        assert_eq!(schema.actions().count(), ASKED.len() + 1);
    }
}
