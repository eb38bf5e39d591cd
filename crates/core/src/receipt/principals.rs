//! Who may act for an account, and how many of them together, as far as the receipt shows it.

use super::authority::{Established, established, proves, proves_by_code};
use super::proven::{Case, Submitted};
use crate::act::ActKind;
use crate::decide::joint::is_joint;
use crate::id::{AccountId, PrincipalId};
use crate::realm::Realm;
use std::collections::BTreeSet;

/// The factors of an account's principals, and its quorums, in the order of the journal.
#[derive(Default)]
pub(super) struct Roll<'a> {
    factors: Vec<Established<'a>>,
    /// Each with the entry behind which it counts.
    quorums: Vec<(u64, u32)>,
}

impl<'a> Roll<'a> {
    /// Of all proven submissions for the account. The first factor is the opening's, which onboarding attests;
    /// a further principal's first is brought by those who were there before; and each later one of a principal
    /// by an older one of it, by onboarding again, or in a recovery. So neither onboarding nor a vendor makes one
    /// principal of an account into two.
    pub(super) fn of(case: &Case<'a>, account: AccountId) -> Self {
        let mut roll = Self::default();
        let of_account = |s: &Submitted<'_>| s.submission.act.account == Some(account);
        for s in case.submissions().filter(of_account) {
            roll.take(case, &s);
        }
        roll
    }

    fn take(&mut self, case: &Case<'a>, s: &Submitted<'a>) {
        match &s.submission.act.kind {
            ActKind::OpenAccount(open) => {
                let first = established(case, &self.factors, s, open.principal, &open.factor);
                let also = open.imported.iter().flat_map(|import| &import.also);
                let also = also.filter_map(|factor| Some(Established { factor, ..first? }));
                self.factors.extend(first.into_iter().chain(also));
            }
            ActKind::EnrolFactor(enrol) if self.has(enrol.principal) => {
                let new = established(case, &self.factors, s, enrol.principal, &enrol.factor);
                self.factors.extend(new);
            }
            ActKind::Recover(recover) if self.has(recover.principal) => {
                let new = established(case, &self.factors, s, recover.principal, &recover.factor);
                self.factors.extend(new);
            }
            ActKind::AddPrincipal(add) => {
                let new = self.agreed(case, s).map(|since| Established {
                    principal: add.principal,
                    factor: &add.factor,
                    since,
                });
                self.factors.extend(new);
            }
            // A higher one is taken at its word: it only takes more.
            ActKind::SetAccountQuorum(set) => {
                let since = if set.quorum > set.replaces {
                    case.took_effect(s)
                } else {
                    self.agreed(case, s)
                };
                self.quorums.extend(since.map(|since| (since, set.quorum)));
            }
            _ => {}
        }
    }

    fn has(&self, principal: PrincipalId) -> bool {
        let mut known = self.factors.iter();
        known.any(|known| known.principal == principal)
    }

    /// The entry by which an act took effect, if as many stood behind it by then as it takes.
    fn agreed(&self, case: &Case<'_>, s: &Submitted<'_>) -> Option<u64> {
        let since = case.took_effect(s)?;
        self.behind(case, s, since).map(|_| since)
    }

    /// How many principals prove an act up to an entry: the one who asked, and as many as the account's
    /// quorum takes; nothing where some are missing.
    pub(super) fn behind(&self, case: &Case<'_>, asked: &Submitted<'_>, until: u64) -> Option<u32> {
        let act = &asked.submission.act;
        let needed = if is_joint(act) { self.quorum(until) } else { 1 };
        // A code sends nothing that takes several.
        let may_by_code =
            needed == 1 && matches!(act.kind, ActKind::Withdraw(_) | ActKind::AddAddress(_));
        let asserts = |own: &&Established<'_>| {
            proves(case, own, Realm::Customers, asked.digest, until)
                || (may_by_code && proves_by_code(case, own, asked, until))
        };
        let proven = self.factors.iter().filter(asserts);
        let principals: BTreeSet<PrincipalId> = proven.map(|own| own.principal).collect();
        let count = u32::try_from(principals.len()).unwrap_or(u32::MAX);
        let is_customers = act.realm == Realm::Customers;
        let stands = is_customers && principals.contains(&act.principal) && count >= needed;
        stands.then_some(count)
    }

    fn quorum(&self, until: u64) -> u32 {
        let before = self.quorums.iter().filter(|(since, _)| *since < until);
        let newest = before.max_by_key(|(since, _)| *since);
        newest.map_or(1, |(_, quorum)| *quorum)
    }
}
