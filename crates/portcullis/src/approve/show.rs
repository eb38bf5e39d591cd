//! A waiting act in words, from the journal's own bytes.

use crate::amount::{both, units};
use crate::out::{json, word};
use crate::reach::Reach;
use crate::scope;
use portcullis_chains::caip::{Address, checksummed};
use portcullis_chains::{Amount, AssetId};
use portcullis_core::act::{ActKind, LiftTarget, SetLabels, Withdraw};
use portcullis_core::decision::Need;
use portcullis_core::factor::Available;
use portcullis_core::labels::Payee;
use portcullis_core::limits::{Limit, Limits};
use portcullis_core::policy::Policy;
use portcullis_core::state::release::Held;
use portcullis_core::{Decision, Digest, State, decide};
use portcullis_keeper::rfc3339;
use std::collections::BTreeMap;

/// How people write amounts.
type Decimals = BTreeMap<AssetId, u8>;

/// Lines: a name and what it is.
type Lines = Vec<(&'static str, String)>;

/// Who, what, how much, to whom, since when, and what it waits for.
pub(super) fn describe(state: &State, digest: Digest, held: &Held, reach: &Reach) -> Lines {
    let (act, decimals) = (&held.act, &reach.decimals);
    let mut lines = vec![
        ("act", digest.to_string()),
        ("does", act.kind.name().to_owned()),
        (
            "asked by",
            format!(
                "{} of {}",
                act.principal,
                json(&act.realm).trim_matches('"')
            ),
        ),
    ];
    lines.extend(account(state, held));
    lines.extend(match &act.kind {
        ActKind::Withdraw(withdraw) => payment(state, held, withdraw, decimals),
        ActKind::SetLimits(set) => limits(&state.facts().limits, &set.limits, decimals),
        ActKind::SetPolicy(set) => policy(state.facts().policy(), &set.policy),
        ActKind::SetLabels(set) => labels(state, set, &reach.flags),
        ActKind::Lift(lift) => vec![("ends", lifted(state, lift.target))],
        // Everything else is ids and short words; nothing of it needs decoding.
        kind => vec![("in full", json(kind))],
    });
    lines.push(("proven by", proof(held)));
    lines.push(("waits since", format!("entry {}", held.entry)));
    lines.extend(waiting(state, digest));
    let names: Vec<String> = held.approvals.keys().map(ToString::to_string).collect();
    if !names.is_empty() {
        lines.push(("approved by", names.join(", ")));
    }
    lines
}

/// What is in force, what is to come, and how to see what that changes.
fn labels(state: &State, set: &SetLabels, flags: &str) -> Lines {
    let lists = state.facts().labels.as_ref();
    let old = lists.and_then(|lists| lists.get(&set.name));
    let mut lines = vec![("list", set.name.0.clone())];
    lines.push((
        "in force",
        old.map_or_else(
            || "nothing: this only adds, and counts at once".into(),
            |list| format!("{} labels, {} ({})", list.labels, list.set, list.source),
        ),
    ));
    let Some(new) = &set.set else {
        lines.push(("to come", "nothing: whatever it lists is delisted".into()));
        return lines;
    };
    let (kind, from) = (word(&new.kind), new.from);
    let (count, digest, source) = (new.labels, new.digest, &new.source);
    lines.push(("to come", format!("{count} labels, {digest} ({source})")));
    lines.push(("kind", format!("{kind}, from risk {from} on")));
    let rejected: Vec<String> = new
        .rejected
        .iter()
        .map(|row| format!("{} {}", row.rows, row.why.0))
        .collect();
    if !rejected.is_empty() {
        lines.push(("rejected rows", rejected.join(", ")));
    }
    let fetch = |digest, file| format!("portcullis labels fetch{flags} {digest} --out {file}");
    let look = match old {
        None => format!(
            "{}; portcullis labels show new.set",
            fetch(digest, "new.set")
        ),
        Some(old) => format!(
            "{}; {}; portcullis labels compare old.set new.set",
            fetch(old.set, "old.set"),
            fetch(digest, "new.set")
        ),
    };
    lines.push(("look", look));
    lines
}

fn account(state: &State, held: &Held) -> Lines {
    let Some((id, account)) = held
        .act
        .account
        .and_then(|id| Some((id, state.facts().account(id)?)))
    else {
        return Vec::new();
    };
    let frozen = if account.frozen.is_some() {
        ", frozen"
    } else {
        ""
    };
    let (subject, opened) = (account.subject, account.opened);
    vec![(
        "account",
        format!("{id} of subject {subject}, opened at entry {opened}{frozen}"),
    )]
}

fn payment(state: &State, held: &Held, withdraw: &Withdraw, decimals: &Decimals) -> Lines {
    let debit = held
        .debit
        .map_or_else(|| "none yet".to_owned(), |entry| entry.to_string());
    let mut lines = vec![
        ("pays", both(withdraw.amount, withdraw.asset, decimals)),
        ("to", shown(withdraw.to)),
        ("in the book", in_the_book(state, held, withdraw.to)),
        ("ledger entry", debit),
    ];
    if state.facts().labels.is_some() && !Payee::of(&withdraw.to).is_known() {
        let words = "nothing that counts: no list can name this payee. Look it up yourself";
        lines.push(("a list says", words.to_owned()));
    }
    let labels = state.labels_of(&withdraw.to);
    lines.extend(labels.map(|(name, _, label)| {
        let (risk, category) = (label.rating.risk, label.rating.category.name());
        let said = format!("{}: risk {risk}, {category}: {}", name.0, label.text);
        ("a list says", said)
    }));
    lines
}

/// An address as wallets show it, and its chain.
fn shown(address: Address) -> String {
    let bare = match address {
        Address::Evm { address, .. } => checksummed(&address),
        Address::Bitcoin(address) => address.bare(),
        Address::Named(address) => address.account().to_owned(),
    };
    format!("{bare} on {}", address.chain())
}

/// Since when the address is in the account's book.
fn in_the_book(state: &State, held: &Held, to: Address) -> String {
    let account = held.act.account.and_then(|id| state.facts().account(id));
    let Some((account, entry)) = account.and_then(|account| Some((account, account.address(to)?)))
    else {
        return "NOT in the account's book any more".into();
    };
    match entry.available {
        Available::Awaiting { .. } => "just added; its delay has not begun".into(),
        Available::At { time } => {
            let added = rfc3339(time.before(account.delay));
            format!("since {added}, counts from {}", rfc3339(time))
        }
    }
}

fn proof(held: &Held) -> String {
    let proof = &held.proof;
    format!(
        "{} {}, entry {}",
        word(&proof.kind),
        proof.factor,
        proof.entry
    )
}

/// What the act still waits for, decided here at the journal's own time.
pub(super) fn waiting(state: &State, digest: Digest) -> Lines {
    let decided = decide::settle(state, digest, state.facts().time);
    match decided.decision() {
        Decision::Hold { needs, until } => {
            let needs: Vec<String> = needs.iter().map(|need| in_words(*need)).collect();
            let until = until.map(|time| ("not before", rfc3339(time)));
            [("waits for", needs.join("; "))]
                .into_iter()
                .chain(until)
                .chain(beside(&decided))
                .collect()
        }
        Decision::Release => vec![(
            "waits for",
            "nothing: it goes out with the next batch".into(),
        )],
        Decision::Refuse { reason } => vec![("waits for", format!("nothing: it ends as {reason}"))],
    }
}

/// How a withdrawal looks beside those of other accounts: whoever approves it should know.
fn beside(decided: &decide::Decided) -> impl Iterator<Item = (&'static str, String)> {
    let company = decided.asked().and_then(|asked| asked.facts.company);
    let said = company.map(|company| company.said()).unwrap_or_default();
    said.into_iter().map(|said| ("beside", said.text))
}

/// A need, for people.
pub(crate) fn in_words(need: Need) -> String {
    match need {
        Need::Assertion => "a new assertion by the customer".into(),
        Need::Debit => "the ledger's debit attestation".into(),
        Need::Approvals { missing } => format!("approval by {missing} more"),
        Need::Quorum { missing } => format!("approval by {missing} more administrators"),
        Need::Delay => "a delay".into(),
        Need::Lift => "the end of a suspension".into(),
        Need::Unfreeze => "the account's unfreezing".into(),
        Need::Room => "room in a limit's window".into(),
        Need::Support { missing } => format!("approval by {missing} more with role support"),
        Need::Screening => "a screening that passes it".into(),
        Need::TravelRule => "the travel rule's attestation".into(),
        Need::Totp => "the herald's word on the customer's code".into(),
        Need::Batch => "others that are paid in the same transaction".into(),
        Need::Label => "somebody who looks at what a list says of the payee".into(),
        Need::Principals { missing } => format!("{missing} more of the account's principals"),
    }
}

fn lifted(state: &State, target: LiftTarget) -> String {
    match target {
        LiftTarget::Suspension { by } => match state.facts().suspensions.get(&by) {
            Some(known) => format!("the suspension of {} by {by}", scope::text(known.scope)),
            None => format!("a suspension by {by} that is not in force"),
        },
        LiftTarget::Latch { keeper, latch } => {
            let why = state.facts().latches.get(&(keeper, latch));
            let why = why.map_or("that the journal does not know", |why| why.name());
            format!("latch {latch} of keeper {keeper} ({why})")
        }
        LiftTarget::SuspensionsUpTo { entry } => {
            let all = state.facts().suspensions.values();
            let old = all.filter(|suspension| suspension.entry <= entry);
            let mut scopes: Vec<String> = old.map(|known| scope::text(known.scope)).collect();
            let count = scopes.len();
            scopes.sort_unstable();
            scopes.dedup();
            let of = scopes.join(", ");
            format!("all {count} suspensions up to entry {entry}, of {of}")
        }
    }
}

/// Every number that would be another, as it is and as it would be, a line each.
fn limits(now: &Limits, proposed: &Limits, decimals: &Decimals) -> Lines {
    let changed = now.rules.iter().flat_map(|rule| {
        let next = proposed.rule(rule.asset, rule.bounds);
        differences(rule, next, decimals)
    });
    let added = proposed
        .rules
        .iter()
        .filter(|rule| now.rule(rule.asset, rule.bounds).is_none());
    let added = added.flat_map(|rule| {
        let lines = bounds(rule, decimals).into_iter();
        lines.map(|(name, to)| ("adds", format!("{}, {name}: {to}", of(rule))))
    });
    changed.chain(added).collect()
}

fn differences(rule: &Limit, next: Option<&Limit>, decimals: &Decimals) -> Lines {
    let Some(next) = next else {
        return vec![("removes", format!("every bound of {}", of(rule)))];
    };
    let pairs = bounds(rule, decimals)
        .into_iter()
        .zip(bounds(next, decimals));
    let changed = pairs.filter(|((_, from), (_, to))| from != to);
    let lines = changed.map(|((name, from), (_, to))| {
        ("changes", format!("{}, {name}: {from} -> {to}", of(rule)))
    });
    lines.collect()
}

/// Every line of the text that would go or come, and whether the data change.
fn policy(now: &Policy, proposed: &Policy) -> Lines {
    let lacks = |text: &str, line: &str| !text.lines().any(|other| other == line);
    let lines = |from: &Policy, to: &Policy, does| {
        let gone = from.cedar.lines().filter(|line| lacks(&to.cedar, line));
        gone.map(|line| (does, line.to_owned())).collect::<Lines>()
    };
    let data =
        |does, from: String, to: String| (from != to).then(|| (does, format!("{from} -> {to}")));
    let tiers = data("tiers", json(&now.tiers), json(&proposed.tiers));
    let lists = data("lists", json(&now.lists), json(&proposed.lists));
    let mut all = lines(now, proposed, "removes");
    all.extend(lines(proposed, now, "adds"));
    all.extend(tiers.into_iter().chain(lists));
    all
}

/// What a rule bounds.
fn of(rule: &Limit) -> String {
    format!("{} in each {}", rule.asset, word(&rule.bounds))
}

/// A rule's numbers by name.
fn bounds(rule: &Limit, decimals: &Decimals) -> [(&'static str, String); 5] {
    let amount = |amount: Option<Amount>| {
        amount.map_or_else(
            || "unbounded".to_owned(),
            |amount| units(amount, rule.asset, decimals),
        )
    };
    let approvals = rule.approval.map_or_else(
        || "none".to_owned(),
        |needed| {
            let above = units(needed.above, rule.asset, decimals);
            format!("{} above {above}", needed.count)
        },
    );
    [
        ("at once", amount(rule.per_transaction)),
        ("hour", amount(rule.hour)),
        ("day", amount(rule.day)),
        ("week", amount(rule.week)),
        ("approvals", approvals),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::limits::Bounds;

    fn rule(hour: u128) -> Limit {
        Limit {
            asset: AssetId::EvmNative { chain: 1 },
            bounds: Bounds::Account,
            per_transaction: Some(Amount(5)),
            hour: Some(Amount(hour)),
            day: None,
            week: None,
            approval: None,
        }
    }

    #[test]
    fn each_changed_number_is_a_line_and_no_other() {
        let all = |rules: &[Limit]| Limits {
            rules: rules.to_vec(),
        };
        let decimals = Decimals::new();
        let changed = limits(&all(&[rule(1)]), &all(&[rule(2)]), &decimals);
        let [(name, text)] = &changed[..] else {
            panic!("{changed:?}");
        };
        assert_eq!(*name, "changes");
        assert!(text.contains("hour") && text.contains("->"), "{text}");
        assert!(limits(&all(&[rule(1)]), &all(&[rule(1)]), &decimals).is_empty());
        let removed = limits(&all(&[rule(1)]), &all(&[]), &decimals);
        assert_eq!(removed.len(), 1);
        assert_eq!(removed[0].0, "removes");
        assert_eq!(limits(&all(&[]), &all(&[rule(1)]), &decimals).len(), 5);
    }
}
