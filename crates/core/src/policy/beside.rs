//! What is asked besides of a withdrawal: how it looks beside those of other accounts.
//!
//! Such facts may hold and never release, and that is so by the form of the question. They stand in the context of
//! an action of their own ([`BESIDE`]), so that Cedar's validator lets no statement about anything else read them;
//! of its answer nothing counts but the needs of the forbids that apply, and these only join what the withdrawal
//! waits for anyhow. A withdrawal is asked about in quiet company, too, and waits for what would be wanted of it
//! there: no statement can hold the inconspicuous alone.

use super::PolicyFault;
use super::engine::{Answer, Statement, Verdict, Wanted, names};
use super::facts::{BESIDE, Facts};
use crate::behaviour::Company;
use cedar_policy::{ActionConstraint, RestrictedExpression};
use std::sync::Arc;

/// Whether a statement is about that question.
pub(super) fn is_asked(policy: &cedar_policy::Policy) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => false,
        ActionConstraint::Eq(action) => action.id().unescaped() == BESIDE,
        ActionConstraint::In(actions) => actions.iter().any(|a| a.id().unescaped() == BESIDE),
    }
}

/// Whether any is; each of them has to be a forbid that names its need.
pub(super) fn check<'a>(
    statements: impl Iterator<Item = &'a Statement>,
) -> Result<bool, PolicyFault> {
    let mut any = false;
    for statement in statements.filter(|statement| statement.is_beside) {
        if statement.needs.is_none() {
            return Err(PolicyFault::Beside(statement.name.0.clone()));
        }
        any = true;
    }
    Ok(any)
}

/// Ask about an act, and about a withdrawal's company besides where that matters.
pub(super) fn ask(
    facts: &Facts,
    looks_beside: bool,
    answer: impl Fn(&Facts) -> Arc<Answer>,
) -> Arc<Answer> {
    let alone = answer(&Facts {
        company: None,
        ..*facts
    });
    let Some(company) = facts.company.filter(|_| looks_beside) else {
        return alone;
    };
    let beside = |company| {
        answer(&Facts {
            act: BESIDE,
            company: Some(company),
            ..*facts
        })
    };
    let all = [Company::QUIET, company].map(beside);
    all.into_iter().fold(alone, both)
}

/// Whatever refuses, refuses; otherwise the needs of both, and of those of the second, which is about company, which
/// nothing else wants.
fn both(first: Arc<Answer>, second: Arc<Answer>) -> Arc<Answer> {
    let (own, more) = match (&first.verdict, &second.verdict) {
        (Verdict::Refuse(_), _) | (_, Verdict::Permit) => return first,
        (_, Verdict::Refuse(_)) | (Verdict::Permit, _) => return second,
        (Verdict::Needs(own), Verdict::Needs(more)) => (own, more),
    };
    let new = more.iter().filter(|wanted| !own.contains(wanted)).copied();
    let new: Vec<Wanted> = new.collect();
    Arc::new(Answer {
        verdict: Verdict::Needs(merged(own, more)),
        statements: merged(&first.statements, &second.statements),
        beside: merged(&first.beside, &new),
    })
}

fn merged<T: Ord + Clone>(first: &[T], second: &[T]) -> Vec<T> {
    let mut all = [first, second].concat();
    all.sort_unstable();
    all.dedup();
    all
}

/// The answer of the forbids that apply and name their need. Any other that applies has been asked about the
/// withdrawal itself; and what permits is not wanted.
pub(super) fn held_by(made: &[&Statement]) -> Answer {
    let holds: Vec<&Statement> = made
        .iter()
        .filter(|statement| statement.needs.is_some())
        .copied()
        .collect();
    let wanted: Vec<Wanted> = holds.iter().filter_map(|holds| holds.needs).collect();
    let wanted = merged(&wanted, &[]);
    Answer {
        statements: names(&holds),
        beside: wanted.clone(),
        verdict: if wanted.is_empty() {
            Verdict::Permit
        } else {
            Verdict::Needs(wanted)
        },
    }
}

/// The facts by the names that statements have for them.
pub(super) fn of_company(company: &Company) -> Vec<(&'static str, RestrictedExpression)> {
    let numbers: [(&str, u32); 8] = [
        ("alike", company.alike.beyond()),
        ("together", company.together.beyond()),
        ("changed", company.changed.beyond()),
        ("fresh", company.fresh),
        ("rush", company.rush),
        ("sudden", company.sudden),
        ("changed_hours", company.changed_hours.0.into()),
        ("score", company.score().into()),
    ];
    let number =
        |(name, number): (&'static str, u32)| (name, RestrictedExpression::new_long(number.into()));
    numbers.map(number).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Reason;

    fn needs(wanted: &[Wanted]) -> Arc<Answer> {
        other(Verdict::Needs(wanted.to_vec()))
    }

    fn other(verdict: Verdict) -> Arc<Answer> {
        Arc::new(Answer {
            verdict,
            statements: Vec::new(),
            beside: Vec::new(),
        })
    }

    #[test]
    fn of_two_answers_neither_takes_anything_from_the_other() {
        use Wanted::{Debit, Delay, Passkey};
        let permit = || other(Verdict::Permit);
        let refuse = || other(Verdict::Refuse(Reason::Forbidden));
        for (first, second, want) in [
            (permit(), permit(), permit()),
            (permit(), needs(&[Delay]), needs(&[Delay])),
            (needs(&[Delay]), permit(), needs(&[Delay])),
            (
                needs(&[Debit, Delay]),
                needs(&[Passkey, Delay]),
                Arc::new(Answer {
                    beside: vec![Passkey],
                    ..(*needs(&[Debit, Passkey, Delay])).clone()
                }),
            ),
            (refuse(), permit(), refuse()),
            (refuse(), needs(&[Delay]), refuse()),
            (permit(), refuse(), refuse()),
            (needs(&[Delay]), refuse(), refuse()),
        ] {
            let said = format!("{first:?} {second:?}");
            assert_eq!(both(first, second), want, "{said}");
        }
    }
}
