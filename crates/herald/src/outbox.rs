//! The record of what is to be told and what was: durable before anything is sent, so that a crash loses no
//! notice, and sends at most the one again that was on its way.

use crate::campaign::{Campaign, Piece};
use crate::notice::{Kind, Notice, Recipient};
use minicbor::{Decode, Encode};
use portcullis_core::codec::encode;
use portcullis_core::id::AccountId;
use portcullis_core::{Digest, Span, Time};
use portcullis_host::{Disk, DiskError};
use portcullis_keeper::lines::{Lines, LinesError};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const FILE: &str = "notices";
/// From this length on, and from twice what it came to the last time, the record is written anew, with what still
/// counts.
const LONG: u64 = 8 << 20;
/// While so many deliveries are open, whatever for, no campaign adds to them.
const MOST_OPEN: usize = 65_536;
/// How long a contact that was replaced is told of further changes.
const FORMERLY: Span = Span::hours(30 * 24);
/// The longest wait until a letter is tried again.
const LONGEST_WAIT: Span = Span::hours(1);

/// A line of the record.
#[derive(Encode, Decode)]
enum Line {
    /// These are to be told, and these campaigns begin; entries below this index have been looked at.
    #[n(0)]
    Due(#[n(0)] u64, #[n(1)] Vec<Notice>, #[n(2)] Vec<Campaign>),
    /// This became of a delivery: whether a server accepted it.
    #[n(1)]
    Done(#[n(0)] Vec<(Digest, bool)>),
    /// All that counted when the record was written anew.
    #[n(2)]
    Whole(#[n(0)] Box<Standing>),
    /// These are to be told of the oldest campaign, of which this remains.
    #[n(3)]
    Further(#[n(0)] Vec<Notice>, #[n(1)] Option<Campaign>),
}

/// What the record comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Standing {
    /// Entries below this have been looked at.
    #[n(0)]
    through: u64,
    /// Deliveries that are neither accepted nor refused.
    #[n(1)]
    open: BTreeMap<Digest, Delivery>,
    /// How far each act has been told, by the entry that says it.
    #[n(2)]
    acts: BTreeMap<(u64, Digest), Tally>,
    /// Contacts that another was to replace, and until when they are told of more.
    #[n(3)]
    former: BTreeMap<AccountId, BTreeMap<Digest, Time>>,
    /// Campaigns under way, the oldest first.
    #[n(4)]
    campaigns: VecDeque<Campaign>,
}

/// One notice to one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Delivery {
    /// What is told.
    #[n(0)]
    pub(crate) notice: Notice,
    /// To whom.
    #[n(1)]
    pub(crate) recipient: Recipient,
}

/// How far an act has been told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Tally {
    /// Deliveries to those who are its contacts already that are still open.
    #[n(0)]
    open: u32,
    /// Whether one of those was accepted.
    #[n(1)]
    old: bool,
    /// Whether one to a new contact was.
    #[n(2)]
    new: bool,
}

impl Tally {
    /// An old contact was told; or none of them can be, and the new one was.
    const fn is_told(self) -> bool {
        self.old || (self.new && self.open == 0)
    }
}

/// When an open delivery is tried next.
#[derive(Clone, Copy)]
struct Try {
    /// When this process tried it in vain for the first time.
    first: Time,
    next: Time,
    wait: Span,
}

pub(crate) struct Outbox {
    lines: Lines,
    standing: Standing,
    tries: BTreeMap<Digest, Try>,
    /// How long the record was when it had been written anew.
    anew: u64,
}

impl Outbox {
    pub(crate) fn open(disk: &dyn Disk) -> Result<Self, LinesError> {
        let (mut standing, mut damaged, mut line) = (Standing::default(), None, 0);
        let lines = Lines::open(disk, FILE, |payload| {
            line += 1;
            match minicbor::decode::<Line>(payload) {
                Ok(read) => standing.take(read),
                Err(_) => damaged = damaged.or(Some(line)),
            }
        })?;
        match damaged {
            None => Ok(Self {
                lines,
                standing,
                tries: BTreeMap::new(),
                anew: 0,
            }),
            Some(line) => Err(LinesError::Damaged {
                name: FILE.into(),
                line,
            }),
        }
    }

    /// Whether an entry has been looked at before.
    pub(crate) fn has_seen(&self, entry: u64) -> bool {
        entry < self.standing.through
    }

    /// Make durable what is to be told, all of it up to an index.
    pub(crate) fn due(
        &mut self,
        through: u64,
        notices: Vec<Notice>,
        campaigns: Vec<Campaign>,
    ) -> Result<(), DiskError> {
        self.write(Line::Due(through, notices, campaigns))
    }

    /// The campaign that goes on next, where fewer than so many deliveries wait for the post.
    pub(crate) fn campaign(&self, now: Time, most: usize) -> Option<&Campaign> {
        let campaign = self.standing.campaigns.front()?;
        if self.standing.open.len() >= MOST_OPEN {
            return None;
        }
        (self.ready(now).take(most).count() < most).then_some(campaign)
    }

    /// Make durable what a campaign comes to next.
    pub(crate) fn further(&mut self, piece: Piece) -> Result<(), DiskError> {
        self.write(Line::Further(piece.notices, piece.rest))
    }

    /// Make durable what became of deliveries.
    pub(crate) fn done(&mut self, done: Vec<(Digest, bool)>) -> Result<(), DiskError> {
        if done.is_empty() {
            return Ok(());
        }
        for (id, _) in &done {
            self.tries.remove(id);
        }
        self.write(Line::Done(done))
    }

    fn write(&mut self, line: Line) -> Result<(), DiskError> {
        self.lines.append(&encode(&line))?;
        self.standing.take(line);
        Ok(())
    }

    /// Try a delivery again, after this at first and then ever more seldom. Gives how long it is left alone.
    pub(crate) fn again(&mut self, id: Digest, first: Span, now: Time) -> Span {
        let before = self.tries.get(&id);
        let wait = before.map_or(first, |tried| Span((tried.wait.0 * 2).min(LONGEST_WAIT.0)));
        let next = now.after(wait);
        let first = before.map_or(now, |tried| tried.first);
        self.tries.insert(id, Try { first, next, wait });
        wait
    }

    /// For how long this process has tried a delivery in vain.
    pub(crate) fn tried_for(&self, id: Digest, now: Time) -> Span {
        let tried = self.tries.get(&id);
        tried.map_or(Span::default(), |tried| now.since(tried.first))
    }

    /// Open deliveries whose time has come.
    pub(crate) fn ready(&self, now: Time) -> impl Iterator<Item = (Digest, &Delivery)> {
        let open = self.standing.open.iter();
        open.filter(move |(id, _)| self.tries.get(id).is_none_or(|tried| tried.next <= now))
            .map(|(id, delivery)| (*id, delivery))
    }

    /// One that is open.
    pub(crate) fn get(&self, id: Digest) -> Option<&Delivery> {
        self.standing.open.get(&id)
    }

    /// Entries and their acts of which the herald may say that it has told them.
    pub(crate) fn told(&self) -> impl Iterator<Item = (u64, Digest)> {
        let acts = self.standing.acts.iter();
        acts.filter(|(_, tally)| tally.is_told()).map(|(of, _)| *of)
    }

    /// Contacts that another was to replace not long ago.
    pub(crate) fn former(&self, account: AccountId, now: Time) -> Vec<Digest> {
        let former = self.standing.former.get(&account).into_iter().flatten();
        former
            .filter(|(_, until)| **until > now)
            .map(|(contact, _)| *contact)
            .collect()
    }

    /// Write the record anew where it is long: what was told, and waits for nobody's word, is forgotten.
    pub(crate) fn tidy(
        &mut self,
        disk: &dyn Disk,
        now: Time,
        waits: impl Fn(u64) -> bool,
    ) -> Result<(), LinesError> {
        if self.lines.bytes() < LONG.max(self.anew.saturating_mul(2)) {
            return Ok(());
        }
        let standing = &mut self.standing;
        let open: BTreeSet<u64> = standing.open.values().map(|d| d.notice.entry).collect();
        standing
            .acts
            .retain(|(entry, _), _| open.contains(entry) || waits(*entry));
        for former in standing.former.values_mut() {
            former.retain(|_, until| *until > now);
        }
        standing.former.retain(|_, former| !former.is_empty());
        let whole = Line::Whole(Box::new(standing.clone()));
        self.lines.rewrite(disk, FILE, &encode(&whole))?;
        self.anew = self.lines.bytes();
        Ok(())
    }
}

impl Standing {
    fn take(&mut self, line: Line) {
        match line {
            Line::Due(through, notices, campaigns) => {
                self.through = self.through.max(through);
                self.campaigns.extend(campaigns);
                for notice in &notices {
                    self.add(notice);
                }
            }
            Line::Further(notices, rest) => {
                let oldest = self.campaigns.pop_front();
                if let (Some(_), Some(rest)) = (oldest, rest) {
                    self.campaigns.push_front(rest);
                }
                for notice in &notices {
                    self.add(notice);
                }
            }
            Line::Done(done) => {
                for (id, accepted) in done {
                    self.close(id, accepted);
                }
            }
            Line::Whole(standing) => *self = *standing,
        }
    }

    fn add(&mut self, notice: &Notice) {
        let tally = self.acts.entry((notice.entry, notice.act)).or_default();
        for recipient in &notice.recipients {
            let delivery = Delivery {
                notice: notice.clone(),
                recipient: *recipient,
            };
            let is_new = matches!(recipient, Recipient::New(_));
            tally.open = tally.open.saturating_add(u32::from(!is_new));
            self.open.insert(notice.delivery(*recipient), delivery);
        }
        if let (Kind::ContactChanging, Some(account)) = (notice.kind, notice.account) {
            let old = notice
                .recipients
                .iter()
                .filter_map(|recipient| match recipient {
                    Recipient::Contact(contact) => Some(*contact),
                    _ => None,
                });
            let until = notice.time.after(FORMERLY);
            let former = self.former.entry(account).or_default();
            former.extend(old.map(|contact| (contact, until)));
        }
    }

    fn close(&mut self, id: Digest, accepted: bool) {
        let Some(delivery) = self.open.remove(&id) else {
            return;
        };
        let notice = &delivery.notice;
        let tally = self.acts.entry((notice.entry, notice.act)).or_default();
        match delivery.recipient {
            Recipient::New(_) => tally.new |= accepted,
            _ => {
                tally.open = tally.open.saturating_sub(1);
                tally.old |= accepted;
            }
        }
    }
}
