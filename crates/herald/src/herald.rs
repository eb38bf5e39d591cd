//! The herald: follow, see what is to be told, record it, tell it, say so.

use crate::campaign::{self, Campaign};
use crate::codes::Codes;
use crate::config::{Config, staff};
use crate::contacts::{Contacts, Found};
use crate::duties::{self, Directory};
use crate::link::Links;
use crate::notice::{Notice, Recipient};
use crate::outbox::{Delivery, Outbox};
use crate::post::{Letter, Outcome, PostOffice};
use crate::text::{Templates, footer};
use portcullis_contact::{Contact, SealingSecret};
use portcullis_core::act::ActKind;
use portcullis_core::effect::Effect;
use portcullis_core::factor::NewFactor;
use portcullis_core::id::AccountId;
use portcullis_core::statement::{Condition, Says};
use portcullis_core::{Digest, Network, Span, State, Time};
use portcullis_host::DiskError;
use portcullis_keeper::alarms::{Alarm, Courier};
use portcullis_keeper::follow::Seen;
use portcullis_keeper::lines::LinesError;
use portcullis_keeper::{Keeper, KeeperError, KeeperParts, Machine};
use portcullis_keys::StatementKey;
use std::sync::Arc;
use std::time::Duration;

/// What is older when it is first seen, and waits for nobody's word, is no news any more: a herald that
/// begins on an old journal does not tell everybody of the past.
const NEWS: Span = Span::hours(72);

/// How long at first to leave a server alone that did not take a letter: greylisting asks for minutes.
const SERVER: Span = Span::seconds(30);
/// And a gate that has no such envelope: the back end brings it right after the act.
const ENVELOPE: Span = Span::seconds(2);
/// How long a letter is tried (RFC 5321, section 4.5.4.1: four to five days at least).
const GIVES_UP: Span = Span::hours(5 * 24);
/// How long this process has tried it by then: a herald that was away has a day to be answered.
const TRIES: Span = Span::hours(24);
/// How many letters go to the post at once.
const AT_ONCE: usize = 64;

/// What a herald is made of.
#[derive(Clone)]
pub struct Parts {
    /// The machine.
    pub machine: Machine,
    /// The network, from the pinned genesis.
    pub network: Arc<Network>,
    /// The configuration; its paths have been read already.
    pub config: Config,
    /// The statement key.
    pub key: Arc<dyn StatementKey>,
    /// The secret that contacts, seeds and codes are sealed to.
    pub secret: Arc<SealingSecret>,
    /// The texts.
    pub templates: Templates,
    /// Where letters go.
    pub office: PostOffice,
}

/// The herald.
pub struct Herald {
    machine: Machine,
    config: Config,
    network: Arc<Network>,
    keeper: Keeper,
    contacts: Contacts,
    codes: Codes,
    links: Links,
    outbox: Outbox,
    templates: Templates,
    office: PostOffice,
}

/// Why a herald cannot begin or go on. It stops, and recovers by opening again from disk.
#[derive(Debug, thiserror::Error)]
pub enum HeraldError {
    /// The record of notices.
    #[error("the record of notices: {0}")]
    Record(#[from] LinesError),
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// What every keeper needs.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
}

/// What a step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Whether the gate answered with anything that counts.
    pub heard: bool,
    /// Entries applied.
    pub applied: usize,
    /// Notices that came to be due.
    pub due: usize,
    /// Deliveries that a server accepted.
    pub accepted: usize,
    /// Deliveries that a server refused for good, or that can never be made.
    pub refused: usize,
}

impl Herald {
    /// Begin, or go on after a crash: by the same path, from what is durable.
    pub fn open(parts: Parts) -> Result<Self, HeraldError> {
        let outbox = Outbox::open(parts.machine.disk.as_ref())?;
        let keeper = Keeper::open(
            KeeperParts {
                machine: parts.machine.clone(),
                network: Arc::clone(&parts.network),
                id: parts.config.keeper,
                gate: parts.config.gate.clone(),
                boards: parts.config.boards.clone(),
                key: Arc::clone(&parts.key),
                reads: <[u8]>::is_empty,
            },
            None,
        )?;
        let links = Links {
            network: Arc::clone(&parts.network),
            keeper: parts.config.keeper,
            key: Arc::clone(&parts.key),
            pages: parts.config.pages.clone(),
            none_for: parts.config.no_links.clone(),
        };
        let contacts = Contacts::new(
            parts.machine.clone(),
            parts.config.gate.clone(),
            (Arc::clone(&parts.network), parts.config.keeper),
            parts.key,
            parts.secret,
        );
        Ok(Self {
            machine: parts.machine,
            config: parts.config,
            network: parts.network,
            keeper,
            contacts,
            codes: Codes::default(),
            links,
            outbox,
            templates: parts.templates,
            office: parts.office,
        })
    }

    /// Do what there is to do, once. The gate may be waited for so long.
    pub fn step(&mut self, wait: Duration) -> Result<Step, HeraldError> {
        let news = self.keeper.look(wait)?;
        let mut step = Step {
            heard: news.heard,
            applied: news.seen.len(),
            ..Step::default()
        };
        // Durable first: the keeper's own snapshot, written below, may stand behind these entries.
        step.due = self.take_in(&news.seen)?;
        self.contacts.step()?;
        self.hear(&mut step)?;
        step.due += self.campaign()?;
        // Whoever may have forked the journal, or cut it, is not helped to tell anybody anything.
        if self.keeper.latched().next().is_none() {
            self.bring()?;
        }
        // Digits typed for one act are right or wrong of it in every journal; and they have to stop things
        // just then. But whoever has shut it trusts none of its words.
        if !self.is_shut() {
            self.judge_codes()?;
        }
        self.say_told()?;
        self.keeper.finish(Vec::new)?;
        let untold = &self.keeper.state().facts().untold;
        let now = self.machine.watch.now();
        self.outbox
            .tidy(self.machine.disk.as_ref(), now, |entry| untold.has(entry))?;
        Ok(step)
    }

    fn take_in(&mut self, seen: &[Seen]) -> Result<usize, DiskError> {
        for contact in seen.iter().flat_map(commitments) {
            self.contacts.want(contact);
        }
        let fresh = seen
            .iter()
            .filter(|seen| !self.outbox.has_seen(seen.applied.index));
        let fresh: Vec<&Seen> = fresh.collect();
        let (state, now) = (self.keeper.state(), self.machine.watch.now());
        let notices = fresh.iter().flat_map(|seen| duties::of(seen, state, self));
        let is_news = |notice: &Notice| {
            let waits = state.facts().untold.has(notice.entry);
            waits || now.since(notice.time) <= NEWS
        };
        let notices: Vec<Notice> = notices.filter(is_news).collect();
        let campaigns = fresh.iter().filter_map(|seen| duties::campaign(seen));
        let campaigns = campaigns.filter(|campaign| now.since(campaign.time) <= NEWS);
        let campaigns: Vec<Campaign> = campaigns.collect();
        let (due, last) = (notices.len(), fresh.last().map(|seen| seen.applied.index));
        if let Some(last) = last.filter(|_| due + campaigns.len() > 0) {
            self.outbox
                .due(last.saturating_add(1), notices, campaigns)?;
        }
        Ok(due)
    }

    /// Some more of what concerns every customer, where the post has room.
    fn campaign(&mut self) -> Result<usize, DiskError> {
        let now = self.machine.watch.now();
        let Some(campaign) = self.outbox.campaign(now, campaign::TOLD) else {
            return Ok(0);
        };
        // A replica that begins anew may be behind it: whom it does not know yet it would pass over.
        if self.keeper.state().size() <= campaign.entry {
            return Ok(0);
        }
        let piece = campaign.next(self.keeper.state());
        if piece.rest.is_none() {
            tracing::info!(
                entry = campaign.entry,
                "every customer has been told, or will be"
            );
        }
        let due = piece.notices.len();
        self.outbox.further(piece)?;
        Ok(due)
    }

    /// What became of letters.
    fn hear(&mut self, step: &mut Step) -> Result<(), DiskError> {
        let now = self.machine.watch.now();
        let mut done = Vec::new();
        for (id, outcome) in self.office.outcomes() {
            match outcome {
                Outcome::Accepted => done.push((id, true)),
                Outcome::Refused(why) => {
                    self.bounced(id, &why);
                    done.push((id, false));
                }
                Outcome::Later(why) if self.is_given_up(id, now) => {
                    self.bounced(id, &format!("it is five days old; the last time: {why}"));
                    done.push((id, false));
                }
                Outcome::Later(why) => {
                    let wait = self.outbox.again(id, SERVER, now).0 / 1000;
                    tracing::warn!(delivery = %id, %why, "not delivered; tried again in {wait} s");
                }
            }
        }
        step.accepted = done.iter().filter(|(_, accepted)| *accepted).count();
        step.refused = done.len() - step.accepted;
        self.outbox.done(done)
    }

    /// It is old, and has been tried for long. After an outage of ours no mailbox is taken for dead on one answer.
    fn is_given_up(&self, id: Digest, now: Time) -> bool {
        let delivery = self.outbox.get(id);
        let is_old = delivery.is_some_and(|delivery| now.since(delivery.notice.time) > GIVES_UP);
        is_old && self.outbox.tried_for(id, now) >= TRIES
    }

    fn bounced(&mut self, id: Digest, why: &str) {
        let Some(delivery) = self.outbox.get(id) else {
            return;
        };
        let (kind, act) = (delivery.notice.kind.slug(), delivery.notice.act);
        self.keeper.raise(&Alarm {
            name: "notice-refused",
            about: id,
            text: format!(
                "the notice {kind} of act {act} is not taken for good: {why}. Where it was the only \
                 one, the delay that waits for it does not begin"
            ),
        });
    }

    /// Bring to the post what is due, as far as there is room.
    fn bring(&mut self) -> Result<(), DiskError> {
        let now = self.machine.watch.now();
        let ready: Vec<(Digest, Delivery)> = self.next(now);
        let mut refused = Vec::new();
        for (id, delivery) in ready {
            match self.contact(&delivery)? {
                Found::Opened(contact) => self.office.bring(self.letter(id, &delivery, &contact)),
                Found::Nothing if self.is_given_up(id, now) => {
                    self.bounced(
                        id,
                        "it is five days old, and nobody has brought the sealed contact",
                    );
                    refused.push((id, false));
                }
                Found::Nothing => {
                    self.outbox.again(id, ENVELOPE, now);
                }
                Found::Unreadable(why) => {
                    self.bounced(id, &why.to_string());
                    refused.push((id, false));
                }
            }
        }
        self.outbox.done(refused)
    }

    /// What goes to the post next: first what a delay waits for, however much there is of the rest.
    fn next(&self, now: Time) -> Vec<(Digest, Delivery)> {
        let untold = &self.keeper.state().facts().untold;
        let ready = self.outbox.ready(now);
        let ready = ready.filter(|(id, _)| self.office.takes(*id));
        let (urgent, others): (Vec<_>, Vec<_>) =
            ready.partition(|(_, delivery)| untold.waits(delivery.notice.entry));
        let next = urgent.into_iter().chain(others).take(AT_ONCE);
        next.map(|(id, delivery)| (id, delivery.clone())).collect()
    }

    fn contact(&mut self, delivery: &Delivery) -> Result<Found<Contact>, DiskError> {
        match (delivery.recipient, delivery.notice.account) {
            (Recipient::Contact(contact) | Recipient::New(contact), Some(account)) => {
                self.contacts.find(contact, account)
            }
            (Recipient::Staff(number), _) => {
                let number = usize::try_from(number).unwrap_or(usize::MAX);
                let reach = self.config.staff.get(number);
                Ok(reach.map_or(Found::Nothing, |reach| Found::Opened(staff(reach))))
            }
            _ => Ok(Found::Nothing),
        }
    }

    fn letter(&self, id: Digest, delivery: &Delivery, contact: &Contact) -> Letter {
        let notice = &delivery.notice;
        let mut values = notice.matter.clone();
        values.insert("network".into(), self.config.name.clone());
        if let Some((amount, asset)) = notice.paid() {
            let written = self.config.assets.written(amount, asset);
            values.insert("paid".into(), written);
        }
        let mut text = self.templates.text(notice.kind, &contact.language, &values);
        let network = &self.network.genesis().network;
        let now = self.machine.watch.now();
        // Under a key that is not in force, a link would be none.
        if self.keeper.speaks() {
            text.body += &self.links.text(id, notice, delivery.recipient, now);
        }
        let act = notice.act.to_string();
        text.body += &footer(&contact.code, network, &act, notice.entry);
        Letter {
            id,
            reach: contact.reach.clone(),
            kind: notice.kind.slug(),
            act: notice.act,
            entry: notice.entry,
            time: notice.time,
            subject: text.subject,
            body: text.body,
        }
    }

    fn is_shut(&self) -> bool {
        let mut latched = self.keeper.latched();
        latched.any(|latch| latch.sight.condition() == Condition::Shut)
    }

    /// Say which of the codes that wait are right, until the journal has it.
    fn judge_codes(&mut self) -> Result<(), HeraldError> {
        let judged = self.codes.judge(self.keeper.state(), &mut self.contacts)?;
        for says in judged {
            self.keeper.say(says)?;
        }
        Ok(())
    }

    /// Say what was told, until the journal has it.
    fn say_told(&mut self) -> Result<(), HeraldError> {
        let untold = &self.keeper.state().facts().untold;
        let told = self.outbox.told();
        let told = told.filter(|(entry, _)| untold.waits(*entry));
        let told: Vec<(u64, Digest)> = told.collect();
        for (entry, act) in told {
            self.keeper.say(Says::Told { act, entry })?;
        }
        Ok(())
    }

    /// Write a snapshot, so that the next start is quick. Called when stopping.
    pub fn save(&mut self) -> Result<(), HeraldError> {
        Ok(self.keeper.save(&[])?)
    }

    /// Who delivers the alarms, where the configuration names a webhook.
    #[must_use]
    pub fn courier(&self) -> Option<Courier> {
        let url = self.config.alarms.webhook.clone()?;
        self.keeper.courier(url)
    }

    /// What it shares with every keeper, for reading.
    #[must_use]
    pub fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// The replica, for reading.
    #[must_use]
    pub fn state(&self) -> &State {
        self.keeper.state()
    }
}

impl Directory for Herald {
    fn former(&self, account: AccountId, now: Time) -> Vec<Digest> {
        self.outbox.former(account, now)
    }

    fn staff(&self) -> u32 {
        u32::try_from(self.config.staff.len()).unwrap_or(u32::MAX)
    }
}

/// The contacts and TOTP seeds that an entry commits to.
fn commitments(seen: &Seen) -> impl Iterator<Item = Digest> {
    seen.applied
        .changes
        .iter()
        .filter_map(|change| match change {
            Effect::Contact(_, contact) => Some(*contact),
            Effect::Enrol {
                factor: NewFactor::Totp { seed },
                ..
            } => Some(*seed),
            Effect::Hold { act, .. } => match &act.kind {
                ActKind::ChangeContact(change) => Some(change.contact),
                _ => None,
            },
            _ => None,
        })
}
