//! Whoever has root on the gate's host: the journal's key, its disk, and everything that people send.
//!
//! It journals what it likes, shows different readers different things, and leaves out what it does not
//! like. It has nobody else's key.

use super::Common;
use crate::clock::SimClock;
use crate::dice::{Dice, SharedDice};
use crate::disk::SimDisk;
use crate::forgery;
use crate::setting::{self, WITNESSES};
use crate::wire::Message;
use portcullis_core::board::Posting;
use portcullis_core::codec::{self, encode};
use portcullis_core::follow::FollowAnswer;
use portcullis_core::report::{Report, Verdicts};
use portcullis_core::request::Received;
use portcullis_core::signature::Strict;
use portcullis_core::statement::SignedStatement;
use portcullis_core::{Body, Entry, State, Time};
use portcullis_host::{Clock as _, Disk, Http, Reply};
use portcullis_journal::{Directory, Journal, View};
use portcullis_tlog::witness::{AddCheckpoint, Answer};
use portcullis_tlog::{Cosigned, Frontier, Hash, SignedCheckpoint, TreeHead};
use std::sync::Arc;
use std::time::Duration;

/// What whoever has the gate does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Misdeed {
    /// A release to the thief under no evidence at all.
    ReleaseWithoutEvidence,
    /// A release to the thief under somebody else's evidence.
    OthersEvidence,
    /// An act that has counted, once more.
    Replay,
    /// A held act released before its time, its debit or its approvals.
    SettleEarly,
    /// The same, under a time from the future at which it might be right.
    SettleForwardDated,
    /// An entry with a time before that of earlier ones.
    Backdated,
    /// A genuine withdrawal, planned to pay somebody else.
    OtherPayee,
    /// A genuine withdrawal, planned to pay more.
    OtherAmount,
    /// A genuine withdrawal under a nonce that is not next.
    OtherNonce,
    /// A genuine withdrawal with a fee that eats the wallet.
    HighFee,
    /// A replacement of a plan that pays somebody else.
    OtherReplacement,
    /// A withheld release resumed by nobody.
    ResumeByNobody,
    /// A statement that no keeper signed.
    ForgedStatement,
    /// A checkpoint that nobody cosigned.
    ForgedCheckpoint,
    /// Bytes that are no entry.
    Garbage,
    /// A genuine act, journaled as it should be.
    Honest,
    /// Statements of keepers are let in.
    Statements,
    /// A checkpoint, journaled as it should be.
    Checkpoint,
    /// From here on readers see the journal as it is.
    ShowAll,
    /// From here on readers see it as it was a while ago.
    ShowOld,
    /// From here on readers see another one, under whatever cosignatures could be had.
    ShowFork,
    /// From here on readers see fewer entries than before.
    ShowShorter,
    /// From here on readers see fewer, cosigned anew, if anybody does that.
    ShowShrunk,
    /// From here on readers see entries that are not the journal's.
    ShowWrongEntries,
    /// From here on readers see nothing.
    ShowNothing,
}

impl Misdeed {
    /// What looks like an honest gate until one thing is wrong.
    pub const QUIET: [(u64, Self); 9] = [
        (10, Self::Honest),
        (8, Self::Checkpoint),
        (4, Self::Statements),
        (3, Self::ShowAll),
        (2, Self::OtherPayee),
        (1, Self::OtherAmount),
        (1, Self::OtherNonce),
        (1, Self::OtherReplacement),
        (3, Self::ResumeByNobody),
    ];

    /// All of them, each as likely as its weight.
    pub const WEIGHED: [(u64, Self); 25] = [
        (4, Self::ReleaseWithoutEvidence),
        (4, Self::OthersEvidence),
        (4, Self::Replay),
        (4, Self::SettleEarly),
        (4, Self::SettleForwardDated),
        (2, Self::Backdated),
        (4, Self::OtherPayee),
        (3, Self::OtherAmount),
        (3, Self::OtherNonce),
        (3, Self::HighFee),
        (3, Self::OtherReplacement),
        (3, Self::ResumeByNobody),
        (2, Self::ForgedStatement),
        (2, Self::ForgedCheckpoint),
        (2, Self::Garbage),
        (12, Self::Honest),
        (6, Self::Statements),
        (10, Self::Checkpoint),
        (8, Self::ShowAll),
        (3, Self::ShowOld),
        (4, Self::ShowFork),
        (3, Self::ShowShorter),
        (2, Self::ShowShrunk),
        (3, Self::ShowWrongEntries),
        (1, Self::ShowNothing),
    ];
}

/// Which face readers see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Face {
    Whole,
    Old,
    Fork,
    Shorter,
    Shrunk,
    Wrong,
    Nothing,
}

/// A second history.
struct Fork {
    /// Where it leaves the first.
    at: u64,
    entries: Vec<Vec<u8>>,
    head: TreeHead,
    note: Option<Vec<u8>>,
}

/// Whoever has taken the gate over.
pub struct Evil {
    common: Common,
    clock: SimClock,
    http: Arc<dyn Http>,
    journal: Journal<Directory>,
    /// What the journal says.
    pub(crate) state: State,
    /// Postings that people sent and that are not journaled.
    pub(crate) captured: Vec<Posting>,
    /// Acts that were journaled, with what came with them.
    pub(crate) journaled: Vec<Posting>,
    statements: Vec<SignedStatement>,
    known: [u64; WITNESSES],
    newest: Option<Vec<u8>>,
    older: Option<Vec<u8>>,
    face: Face,
    fork: Option<Fork>,
    /// Fewer entries, under whatever cosignatures could be had for them.
    shrunk: Option<Vec<u8>>,
    is_broken: bool,
    /// It begins with what might pass.
    is_patient: bool,
    void_before: u64,
}

impl Evil {
    pub(super) fn open(
        common: &Common,
        disk: &SimDisk,
        clock: &SimClock,
        http: &Arc<dyn Http>,
    ) -> Option<Self> {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        let random = Arc::new(SharedDice::new(common.dice.of("evil")));
        let (store, recovered) = Directory::open(Arc::clone(&disk), 48 * 1024, random).ok()?;
        let journal = Journal::open(store, &recovered, disk, 0).ok()?;
        let mut evil = Self {
            common: common.clone(),
            clock: clock.clone(),
            http: Arc::clone(http),
            state: State::new(common.world.network.clone()),
            captured: Vec::new(),
            journaled: Vec::new(),
            statements: Vec::new(),
            known: [0; WITNESSES],
            newest: None,
            older: None,
            face: Face::Whole,
            fork: None,
            shrunk: None,
            is_broken: false,
            is_patient: common.time.now().0.is_multiple_of(2),
            void_before: 0,
            journal,
        };
        let size = evil.journal.head().size;
        let entries = evil.view().entries(0..size, usize::MAX).ok()?;
        for bytes in &entries {
            evil.learn(bytes);
        }
        evil.void_before = evil.state.facts().void_entries;
        Some(evil)
    }

    fn learn(&mut self, bytes: &[u8]) {
        self.state.apply(bytes, &Strict);
        if let Ok(entry) = Entry::from_bytes(bytes)
            && let Body::Act(submission) = entry.body
        {
            let (act, evidence) = (submission.act, submission.evidence);
            self.journaled.push(Posting { act, evidence });
        }
    }

    /// What can be read of the journal.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.journal.view()
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now().max(self.state.facts().time)
    }

    /// What it does next.
    pub fn choose(&self, dice: &mut Dice) -> Option<Misdeed> {
        if self.is_patient && self.state.facts().void_entries == self.void_before {
            dice.weighed(&Misdeed::QUIET)
        } else {
            dice.weighed(&Misdeed::WEIGHED)
        }
    }

    /// Do it, if there is anything to do it with.
    pub fn commit(&mut self, misdeed: Misdeed, dice: &mut Dice) -> bool {
        let done = match misdeed {
            Misdeed::ShowAll => self.show(Face::Whole),
            Misdeed::ShowOld => self.show(Face::Old),
            Misdeed::ShowFork => self.begin_fork(dice) && self.show(Face::Fork),
            Misdeed::ShowShorter => self.show(Face::Shorter),
            Misdeed::ShowShrunk => self.show(Face::Shrunk),
            Misdeed::ShowWrongEntries => self.show(Face::Wrong),
            Misdeed::ShowNothing => self.show(Face::Nothing),
            Misdeed::Statements => self.take_statements(),
            Misdeed::Checkpoint => {
                let note = self.newest.clone();
                note.is_some_and(|note| self.enter(Body::Checkpoint(note)))
            }
            _ => match forgery::forge(self, misdeed, dice) {
                Some(bytes) => self.append(bytes),
                None => false,
            },
        };
        if done {
            let name = format!("misdeed: {misdeed:?}");
            self.common.chronicle.note(&name, self.journal.head().size);
        }
        done
    }

    fn show(&mut self, face: Face) -> bool {
        self.face = face;
        true
    }

    fn take_statements(&mut self) -> bool {
        let statements = std::mem::take(&mut self.statements);
        let mut any = false;
        for signed in statements {
            if self.state.accepts(&signed, &Strict) && self.state.is_news(&signed) {
                any |= self.enter(Body::Statement(Box::new(signed)));
            }
        }
        any
    }

    fn enter(&mut self, body: Body) -> bool {
        let entry = Entry::new(self.now(), body);
        // Nothing honest is void.
        self.state.judge(&entry, &Strict).is_ok() && self.append(entry.to_bytes())
    }

    fn append(&mut self, bytes: Vec<u8>) -> bool {
        let room = self.journal.make_room(bytes.len() as u64, 1).is_ok();
        if self.is_broken || !room {
            return false;
        }
        let copy = bytes.clone();
        if self.journal.append(vec![bytes]).is_err() {
            // The outcome is unknown; a thief would start anew as well.
            self.is_broken = true;
            return false;
        }
        self.learn(&copy);
        true
    }

    /// Another history from a while ago on, whose first entry pays the thief.
    fn begin_fork(&mut self, dice: &mut Dice) -> bool {
        let size = self.journal.head().size;
        let at = size.saturating_sub(1 + dice.below(6));
        let Some(bytes) = forgery::forge(self, Misdeed::ReleaseWithoutEvidence, dice) else {
            return false;
        };
        let Ok(before) = self.view().entries(0..at, usize::MAX) else {
            return false;
        };
        let mut frontier = Frontier::new();
        for entry in &before {
            frontier.append(Hash::leaf(entry));
        }
        let mut entries = vec![bytes];
        while at + (entries.len() as u64) < size + 1 {
            entries.push(Entry::new(self.now(), Body::Checkpoint(vec![1])).to_bytes());
        }
        for entry in &entries {
            frontier.append(Hash::leaf(entry));
        }
        self.fork = Some(Fork {
            at,
            entries,
            head: frontier.head(),
            note: None,
        });
        true
    }

    /// The newest head is cosigned, honestly; and a fork, by whoever will.
    pub(super) fn beat(&mut self) {
        let head = self.journal.head();
        if let Some((signed, got)) = self.gather(head)
            && got >= self.common.world.network.quorum().k()
        {
            let note = signed.note().to_string().into_bytes();
            self.older = self.older.take().or_else(|| self.newest.clone());
            self.newest = Some(note);
            self.common.chronicle.count("gate: cosigned");
        }
        if self.face == Face::Shrunk
            && let Some(head) = self.head_at(head.size.saturating_sub(3))
            && let Some((signed, _)) = self.gather(head)
        {
            self.shrunk = Some(signed.note().to_string().into_bytes());
        }
        let fork = self.fork.as_ref().map(|fork| fork.head);
        if let Some(head) = fork
            && let Some((signed, _)) = self.gather(head)
            && let Some(fork) = &mut self.fork
        {
            fork.note = Some(signed.note().to_string().into_bytes());
        }
    }

    fn head_at(&self, size: u64) -> Option<TreeHead> {
        let entries = self.view().entries(0..size.max(1), usize::MAX).ok()?;
        let mut frontier = Frontier::new();
        for entry in &entries {
            frontier.append(Hash::leaf(entry));
        }
        Some(frontier.head())
    }

    fn gather(&mut self, head: TreeHead) -> Option<(SignedCheckpoint, usize)> {
        let mut signed = SignedCheckpoint::sign(head, &self.common.world.log).ok()?;
        let mut got = 0;
        for number in 0..WITNESSES {
            let cosignature = self
                .ask(number, &signed)
                .or_else(|| self.ask(number, &signed));
            let Some(cosignature) = cosignature else {
                continue;
            };
            got += 1;
            // Twice: whoever counts signatures counts one witness as two.
            signed.add_cosignature(cosignature.clone());
            if head != self.journal.head() {
                signed.add_cosignature(cosignature);
            }
        }
        Some((signed, got))
    }

    fn ask(
        &mut self,
        number: usize,
        signed: &SignedCheckpoint,
    ) -> Option<portcullis_tlog::Cosignature> {
        let (known, size) = (self.known[number], signed.head().size);
        let proof = self
            .view()
            .prove_consistency(known, size)
            .unwrap_or_default();
        let body = AddCheckpoint::new(known, proof, signed).to_string();
        let url = format!("{}/add-checkpoint", setting::witness_url(number));
        let patience = Duration::from_millis(1500);
        let reply = self
            .http
            .post(&url, &[], body.as_bytes(), 16 * 1024, patience);
        let reply = reply.ok()?;
        match Answer::parse(reply.status, &reply.body) {
            Answer::Cosigned(lines) => {
                let key = portcullis_tlog::Signer::key(&setting::witness(number)).clone();
                let cosignature = key.verify_answer(signed, &lines).ok()?;
                if signed.head() == self.journal.head() {
                    self.known[number] = size;
                }
                Some(cosignature)
            }
            Answer::At(size) => {
                self.known[number] = size;
                None
            }
            Answer::Refused { .. } => {
                self.common.chronicle.count("witness: refuses");
                None
            }
        }
    }

    /// Whatever is asked.
    pub(super) fn answer(&mut self, message: &Message) -> Option<Reply> {
        match message.target.split('?').next()? {
            "/v1/acts" => {
                self.capture(message);
                None
            }
            "/v1/statements" => {
                let Report(said) = codec::decode(&message.body, message.body.len()).ok()?;
                let taken = Verdicts::of(&vec![Ok(()); said.len()]);
                self.statements.extend(said);
                Some(ok(codec::encode(&taken)))
            }
            "/log/follow" => self.follow(message),
            target => {
                let path = target.strip_prefix("/log/")?.parse().ok()?;
                Some(ok(self.view().tile(path).ok()?))
            }
        }
    }

    fn capture(&mut self, message: &Message) {
        let header = |name: &str| {
            let mut headers = message.headers.iter();
            headers
                .find(|(known, _)| known == name)
                .map(|(_, v)| v.as_str())
        };
        let (Some(signature_input), Some(signature)) =
            (header("signature-input"), header("signature"))
        else {
            return;
        };
        let received = Received {
            method: "POST",
            authority: "gate",
            path: "/v1/acts",
            query: None,
            body: &message.body,
            content_digest: header("content-digest"),
            portcullis_act: header("portcullis-act"),
            signature_input,
            signature,
        };
        let Ok(request) = received.signed_request() else {
            return;
        };
        if let Ok(mut posting) = serde_json::from_slice::<Posting>(&message.body) {
            posting.evidence.requests.push(request);
            self.captured.push(posting);
            if self.captured.len() > 12 {
                self.captured.remove(0);
            }
        }
    }

    fn follow(&self, message: &Message) -> Option<Reply> {
        let from: u64 = message
            .target
            .split_once("from=")?
            .1
            .split('&')
            .next()?
            .parse()
            .ok()?;
        let (checkpoint, mut entries) = match self.face {
            Face::Nothing => return None,
            Face::Whole | Face::Wrong => (self.newest.clone()?, self.entries(from)),
            Face::Old => {
                let note = self.older.clone().or_else(|| self.newest.clone())?;
                (note, self.entries(from))
            }
            Face::Shorter => (self.older.clone()?, Vec::new()),
            Face::Shrunk => (self.shrunk.clone()?, Vec::new()),
            Face::Fork => {
                let fork = self.fork.as_ref()?;
                (fork.note.clone()?, self.forked(fork, from))
            }
        };
        if self.face == Face::Wrong
            && let Some(first) = entries.first_mut()
        {
            first.reverse();
        }
        let size = size_of(&checkpoint);
        entries.truncate(usize::try_from(size.saturating_sub(from)).unwrap_or(0));
        let entries = entries.into_iter().map(Into::into).collect();
        Some(ok(encode(&FollowAnswer {
            checkpoint,
            from,
            entries,
        })))
    }

    fn entries(&self, from: u64) -> Vec<Vec<u8>> {
        let size = self.journal.head().size;
        if from >= size {
            return Vec::new();
        }
        let entries = self.view().entries(from..size, usize::MAX);
        entries
            .unwrap_or_default()
            .iter()
            .map(|e| e.to_vec())
            .collect()
    }

    fn forked(&self, fork: &Fork, from: u64) -> Vec<Vec<u8>> {
        let mut entries = self.entries(0);
        entries.truncate(usize::try_from(fork.at).unwrap_or(0));
        entries.extend(fork.entries.iter().cloned());
        let skip = usize::try_from(from).unwrap_or(usize::MAX);
        entries.into_iter().skip(skip).collect()
    }

    /// Whether a quorum has cosigned what readers see now.
    #[must_use]
    pub fn shows_cosigned(&self) -> bool {
        let network = &self.common.world.network;
        let is_cosigned =
            |note: &Vec<u8>| Cosigned::parse(note, network.log(), network.quorum()).is_ok();
        self.face == Face::Whole && self.newest.as_ref().is_some_and(is_cosigned)
    }
}

fn size_of(note: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(note);
    text.lines()
        .nth(1)
        .and_then(|line| line.parse().ok())
        .unwrap_or(0)
}

fn ok(body: Vec<u8>) -> Reply {
    Reply { status: 200, body }
}
