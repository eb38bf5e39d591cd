//! Which notices are due, by what entries did. Only what the core itself has come to counts: an entry
//! that is void did nothing, and nobody is told of it.

use crate::campaign::Campaign;
use crate::notice::{Kind, Notice, Recipient};
use portcullis_core::act::{Act, ActKind, Withdraw};
use portcullis_core::decision::Need;
use portcullis_core::effect::Effect;
use portcullis_core::entry::Body;
use portcullis_core::factor::FactorKind;
use portcullis_core::id::{AccountId, PrincipalId};
use portcullis_core::realm::{Realm, Role};
use portcullis_core::state::account::Owner;
use portcullis_core::{Decision, Digest, State, Time};
use portcullis_keeper::follow::Seen;
use std::collections::BTreeMap;

/// Who is to be told, as far as the journal alone does not say it.
pub(crate) trait Directory {
    /// Contacts that another has replaced not long ago.
    fn former(&self, account: AccountId, now: Time) -> Vec<Digest>;
    /// How many of the platform's staff are told.
    fn staff(&self) -> u32;
}

/// What an entry asks to be told, under the state in which it has been applied.
pub(crate) fn of(seen: &Seen, state: &State, directory: &dyn Directory) -> Vec<Notice> {
    let Some(entry) = seen.entry.as_ref().filter(|_| seen.applied.void.is_none()) else {
        return Vec::new();
    };
    let Some(act) = act_of(&entry.body) else {
        return Vec::new();
    };
    let changes = &seen.applied.changes;
    let is_opening = changes.iter().any(|c| matches!(c, Effect::Open { .. }));
    let is_recovery = changes
        .iter()
        .any(|c| matches!(c, Effect::Recovered { .. }));
    let is_new = changes.iter().any(|c| matches!(c, Effect::AddPrincipal(_)));
    let desk = Desk {
        entry: seen.applied.index,
        time: entry.time,
        act,
        lingers: lingers(&entry.body),
        vetoed: vetoed(seen),
        state,
        directory,
    };
    let due = changes.iter().filter_map(|change| match change {
        Effect::Enrol { .. } if is_opening || is_recovery => None,
        Effect::Unenrol(..) if !is_revoking(&entry.body) => None,
        Effect::Enrol { .. } if is_new => desk.notice(change, Kind::PrincipalAdded),
        change => desk.notice(change, Kind::FactorAdded),
    });
    due.collect()
}

/// The campaign that an entry begins. Hardly any does, so its act is not hashed before that is known.
pub(crate) fn campaign(seen: &Seen) -> Option<Campaign> {
    let raised = seen
        .applied
        .changes
        .iter()
        .find_map(|change| match change {
            Effect::RaiseEpoch(Realm::Customers, factors) => Some(*factors),
            _ => None,
        })?;
    let entry = seen
        .entry
        .as_ref()
        .filter(|_| seen.applied.void.is_none())?;
    let act = act_of(&entry.body)?;
    Some(Campaign::begun(seen.applied.index, entry.time, act, raised))
}

/// The act that an entry is about.
fn act_of(body: &Body) -> Option<Digest> {
    match body {
        Body::Act(submission) => Some(submission.act.digest()),
        Body::Settle(settlement) => Some(settlement.act),
        _ => None,
    }
}

/// Whether what is held waits for people, for a delay or for room, and not only for what machines are about to say.
fn lingers(body: &Body) -> bool {
    let Body::Act(submission) = body else {
        return false;
    };
    let Decision::Hold { needs, .. } = &submission.decision else {
        return false;
    };
    needs.iter().any(|need| match need {
        Need::Approvals { .. }
        | Need::Principals { .. }
        | Need::Delay
        | Need::Room
        | Need::Label
        | Need::Batch => true,
        Need::Assertion
        | Need::Debit
        | Need::Quorum { .. }
        | Need::Lift
        | Need::Unfreeze
        | Need::Support { .. }
        | Need::Screening
        | Need::TravelRule
        | Need::Totp => false,
    })
}

/// The account of which a recovery is vetoed: by an act at once, by one that waited for its code once that is right.
fn vetoed(seen: &Seen) -> Option<AccountId> {
    let act = match &seen.entry.as_ref()?.body {
        Body::Act(said) => Some(&said.act),
        _ => seen.settles.as_ref(),
    };
    let veto = act.filter(|act| matches!(act.kind, ActKind::Veto(_)))?;
    veto.account
}

/// A factor also leaves where a newer one takes its place.
fn is_revoking(body: &Body) -> bool {
    matches!(body, Body::Act(said) if matches!(said.act.kind, ActKind::RevokeFactor(_)))
}

struct Desk<'a> {
    entry: u64,
    time: Time,
    act: Digest,
    /// Whether what it holds waits for longer than machines take.
    lingers: bool,
    /// The account of which it vetoes a recovery.
    vetoed: Option<AccountId>,
    state: &'a State,
    directory: &'a dyn Directory,
}

type Matter = BTreeMap<String, String>;

impl Desk<'_> {
    /// A change, and what a new factor is told as.
    fn notice(&self, change: &Effect, kind: Kind) -> Option<Notice> {
        match change {
            Effect::Open { account, .. } => {
                self.about(*account, Kind::AccountOpened, Matter::new())
            }
            Effect::AddAddress(account, address, _) => {
                let matter = matter([("address", address.to_string())]);
                self.about(*account, Kind::AddressAdded, matter)
            }
            Effect::Enrol { owner, factor, .. } => match owner {
                Owner::Holder { account, .. } => {
                    let matter = matter([("factor", name(factor.kind()).into())]);
                    self.about(*account, kind, matter)
                }
                Owner::Member { principal } if self.is_keeper(*principal) => {
                    Some(self.platform("the statement key of a keeper"))
                }
                Owner::Member { .. } => Some(self.platform("a new factor of a member of staff")),
            },
            Effect::Unenrol(Owner::Holder { account, .. }, _) => {
                self.about(*account, Kind::FactorRemoved, Matter::new())
            }
            Effect::Freeze(account, _) => self.about(*account, Kind::AccountFrozen, Matter::new()),
            Effect::Unfreeze(account) => self.about(*account, Kind::AccountUnfrozen, Matter::new()),
            Effect::Plan { act, .. } => self.withdrawal(act, Kind::WithdrawalReleased),
            Effect::Contact(account, contact) => self.changed(*account, *contact),
            Effect::Hold {
                act,
                delay: Some(_),
                ..
            } => Some(self.waits(act)),
            Effect::RemovePrincipal(Owner::Holder { account, .. }) => {
                self.about(*account, Kind::PrincipalRemoved, Matter::new())
            }
            Effect::SetAccountQuorum(account, quorum) => {
                let matter = matter([("quorum", quorum.to_string())]);
                self.about(*account, Kind::QuorumChanged, matter)
            }
            Effect::Hold { act, .. } if self.lingers => {
                self.withdrawal(act, Kind::WithdrawalWaiting)
            }
            // Not the veto itself, which ends, too.
            Effect::End(ended, ..) if *ended != self.act => self.stopped(),
            Effect::Recovered { account, .. } => {
                self.about(*account, Kind::Recovered, Matter::new())
            }
            Effect::RaiseEpoch(realm, kind) => {
                let realm = match realm {
                    Realm::Customers => "customers",
                    Realm::Staff => "staff",
                };
                let of = kind.map_or(String::new(), |kind| format!(" that is a {}", name(kind)));
                let matter = matter([("realm", realm.into()), ("of", of)]);
                Some(self.to_staff(Kind::EpochRaised, matter))
            }
            _ => None,
        }
    }

    fn is_keeper(&self, who: PrincipalId) -> bool {
        let member = self.state.facts().member(who);
        member.is_some_and(|member| member.has(Role::Keeper))
    }

    /// Something about an account, for whoever is its contact now.
    fn about(&self, account: AccountId, kind: Kind, matter: Matter) -> Option<Notice> {
        let contact = self.contact(account)?;
        let recipients = vec![Recipient::Contact(contact)];
        Some(self.of(kind, Some(account), matter, recipients))
    }

    fn contact(&self, account: AccountId) -> Option<Digest> {
        self.state
            .facts()
            .account(account)?
            .contact
            .as_deref()
            .copied()
    }

    fn withdrawal(&self, act: &Act, kind: Kind) -> Option<Notice> {
        let ActKind::Withdraw(Withdraw { asset, to, amount }) = &act.kind else {
            return None;
        };
        let matter = matter([
            ("amount", amount.to_string()),
            ("asset", asset.to_string()),
            ("address", to.to_string()),
        ]);
        // A settlement may pay several together, and each is told of its own.
        Some(Notice {
            act: act.digest(),
            ..self.about(act.account?, kind, matter)?
        })
    }

    /// The veto in this entry has ended the recovery of an account.
    fn stopped(&self) -> Option<Notice> {
        let account = self.vetoed?;
        self.about(account, Kind::RecoveryStopped, Matter::new())
    }

    /// An act that waits for a delay of its own.
    fn waits(&self, act: &Act) -> Notice {
        match (&act.kind, act.account) {
            (ActKind::ChangeContact(change), Some(account)) => {
                let mut recipients = self.old_contacts(account, change.contact);
                recipients.push(Recipient::New(change.contact));
                // Administrators have none of the customer's factors.
                let asked = match act.realm {
                    Realm::Customers => "by your passkey",
                    Realm::Staff => "our administrators",
                };
                let matter = matter([("asked", asked.into())]);
                self.of(Kind::ContactChanging, Some(account), matter, recipients)
            }
            // Whoever begins a false one of these may have changed the contact before: the old ones hear too.
            (ActKind::Recover(recover), Some(account)) => {
                let matter = matter([("factor", name(recover.factor.kind()).into())]);
                let recipients = self.all_contacts(account);
                self.of(Kind::RecoveryBegun, Some(account), matter, recipients)
            }
            (ActKind::SetAccountQuorum(set), Some(account)) => {
                let matter = matter([("quorum", set.quorum.to_string())]);
                let recipients = self.all_contacts(account);
                self.of(Kind::QuorumChanging, Some(account), matter, recipients)
            }
            (ActKind::RemovePrincipal(_), Some(account)) => {
                let recipients = self.all_contacts(account);
                let kind = Kind::PrincipalLeaving;
                self.of(kind, Some(account), Matter::new(), recipients)
            }
            // Whatever account it names: the platform's own affairs are staff's to hear of.
            (kind, _) => self.platform(kind.name()),
        }
    }

    /// A new account's contact is no change.
    fn changed(&self, account: AccountId, contact: Digest) -> Option<Notice> {
        let opened = self.state.facts().account(account)?.opened == self.entry;
        let mut recipients = self.old_contacts(account, contact);
        recipients.push(Recipient::New(contact));
        let kind = Kind::ContactChanged;
        (!opened).then(|| self.of(kind, Some(account), Matter::new(), recipients))
    }

    /// The one in force, and those that were before it.
    fn all_contacts(&self, account: AccountId) -> Vec<Recipient> {
        let former = self.directory.former(account, self.time);
        let contacts = self.contact(account).into_iter().chain(former);
        contacts.map(Recipient::Contact).collect()
    }

    /// All contacts but the new one: the one in force and those that were before it.
    fn old_contacts(&self, account: AccountId, new: Digest) -> Vec<Recipient> {
        let former = self.directory.former(account, self.time);
        let mut old: Vec<Digest> = self.contact(account).into_iter().chain(former).collect();
        old.sort_unstable();
        old.dedup();
        old.retain(|contact| *contact != new);
        old.into_iter().map(Recipient::Contact).collect()
    }

    fn platform(&self, what: &str) -> Notice {
        let matter = matter([("what", what.into())]);
        self.to_staff(Kind::PlatformChanging, matter)
    }

    fn to_staff(&self, kind: Kind, matter: Matter) -> Notice {
        let everybody = (0..self.directory.staff()).map(Recipient::Staff);
        self.of(kind, None, matter, everybody.collect())
    }

    fn of(
        &self,
        kind: Kind,
        account: Option<AccountId>,
        matter: Matter,
        recipients: Vec<Recipient>,
    ) -> Notice {
        let Self {
            entry, time, act, ..
        } = *self;
        Notice {
            entry,
            time,
            act,
            kind,
            account,
            matter,
            recipients,
        }
    }
}

fn matter<const N: usize>(parts: [(&str, String); N]) -> Matter {
    let parts = parts.into_iter();
    parts
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

const fn name(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::RequestKey => "request key",
        FactorKind::Passkey => "passkey",
        FactorKind::Totp => "authenticator app",
        FactorKind::RecoveryCodes => "set of recovery codes",
    }
}
