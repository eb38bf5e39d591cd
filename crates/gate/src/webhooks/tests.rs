//! Webhooks on a journal of the test kit, to an endpoint that does what the test wants.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use super::*;
use crate::Index;
use crate::published::Witnessed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_core::Span;
use portcullis_core::signature::{Signature, Strict, Verify as _};
use portcullis_host::{Http, HttpError, Reply, SystemRandom};
use portcullis_journal::{Directory, Journal};
use portcullis_keeper::testkit::{CrashDisk, Customer, HandClock, Ledger, World};
use portcullis_keys::StatementKey;
use portcullis_tlog::TreeHead;
use serde_json::Value;
use std::sync::Mutex;

/// What the endpoint answers, to which id and data.
type Answers = Box<dyn FnMut(&str, &Value) -> Option<u16> + Send>;

struct Hooked(Mutex<Answers>);

impl Http for Hooked {
    fn get(&self, _: &str, _: &[(&str, &str)], _: u64, _: Duration) -> Result<Reply, HttpError> {
        unreachable!("webhooks are posted")
    }

    fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        _: u64,
        _: Duration,
    ) -> Result<Reply, HttpError> {
        let id = headers.iter().find(|(name, _)| *name == "webhook-id");
        let sent: Value = serde_json::from_slice(body).unwrap();
        let kind = format!("event.{}", sent["data"]["type"].as_str().unwrap());
        assert_eq!(sent["type"], kind.as_str());
        let status = (self.0.lock().unwrap())(id.unwrap().1, &sent["data"]);
        let (body, url) = (Vec::new(), url.to_owned());
        let why = "nobody answers".into();
        status.map_or(Err(HttpError { url, why }), |status| {
            Ok(Reply { status, body })
        })
    }
}

/// The journal's key, and what a rotation puts in its place.
const OLD: u8 = 0x80;
const NEW: u8 = 0x81;

fn secret(seed: u8) -> Arc<dyn StatementKey> {
    Arc::new(World::key(&[seed; 16]))
}

/// What came: its id, its entry, and what was answered.
type Came = (String, u64, Option<u16>);

struct Bench {
    clock: HandClock,
    disk: CrashDisk,
    ledger: Ledger,
    shared: Arc<Shared>,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Bench {
    /// A journal with accounts, cosigned to its end.
    fn new(accounts: u8) -> Self {
        Self::with(accounts, 0)
    }

    /// And with more of them that no quorum has cosigned.
    fn with(accounts: u8, more: u8) -> Self {
        let clock = HandClock::at(World::START);
        let mut ledger = Ledger::new(Arc::new(World::new()), clock.clone());
        for number in 1..=accounts {
            ledger.open(&Customer::number(number));
        }
        let cosigned = ledger.state.facts().log.head();
        for number in 1..=more {
            ledger.open(&Customer::number(accounts + number));
        }
        Self::of(ledger, cosigned)
    }

    /// A journal, cosigned up to there.
    fn of(ledger: Ledger, cosigned: TreeHead) -> Self {
        let clock = ledger.clock.clone();
        let disk = CrashDisk::default();
        let folder: Arc<dyn Disk> = Arc::new(CrashDisk::default());
        let random = Arc::new(SystemRandom);
        let (store, found) = Directory::open(Arc::clone(&folder), 1 << 20, random).unwrap();
        let mut journal = Journal::open(store, &found, folder, 0).unwrap();
        journal.make_room(1 << 18, 1000).unwrap();
        journal.append(ledger.entries.clone()).unwrap();
        let (view, state) = (journal.view(), ledger.state.clone());
        let shared = Shared::new(view, state, Index::default());
        let bench = Self {
            clock,
            disk,
            shared: Arc::new(shared),
            ledger,
            came: Arc::default(),
        };
        bench.cosign(cosigned);
        bench
    }

    fn cosign(&self, head: TreeHead) {
        let note = self.ledger.note_of(head, self.clock.now());
        let cosigned = self.ledger.state.cosigned(&note).unwrap();
        self.shared.published.show(Witnessed::new(&cosigned));
    }

    /// A webhook to an endpoint that answers like this; one without a cursor begins behind `size` entries.
    fn opened(&self, size: u64, mut answers: Answers) -> Result<Webhook, CursorError> {
        let came = Arc::clone(&self.came);
        let noted: Answers = Box::new(move |id, data| {
            let status = answers(id, data);
            let entry = data["entry"].as_u64().unwrap();
            came.lock().unwrap().push((id.into(), entry, status));
            status
        });
        let http = Arc::new(Hooked(Mutex::new(noted)));
        self.opened_with(size, http, LogKeys::new(secret(OLD), None))
    }

    /// The same of a gate that has these keys of the journal.
    fn opened_with(
        &self,
        size: u64,
        http: Arc<dyn Http>,
        keys: LogKeys,
    ) -> Result<Webhook, CursorError> {
        let endpoint = Endpoint::new(http, "http://books/".into(), secret(OLD)).unwrap();
        let reach = Reach {
            clock: Arc::new(self.clock.clone()),
            disk: Arc::new(self.disk.clone()),
            shared: Arc::clone(&self.shared),
            keys,
        };
        let name = WebhookName::try_from("books".to_owned()).unwrap();
        Webhook::open(name, endpoint, size, reach)
    }

    fn webhook(&self, answers: Answers) -> Webhook {
        self.opened(0, answers).unwrap()
    }

    /// Which entries came and were taken.
    fn taken(&self) -> Vec<u64> {
        let came = self.came.lock().unwrap();
        let taken = came.iter().filter(|(_, _, status)| *status == Some(204));
        taken.map(|(_, entry, _)| *entry).collect()
    }

    /// What the events endpoint shows of the whole journal.
    fn events(&self) -> Vec<u64> {
        let page = Page::read(&self.shared, 0, 1000).unwrap();
        page.events.iter().map(|event| event.entry).collect()
    }
}

fn takes() -> Answers {
    Box::new(|_, _| Some(204))
}

fn all(webhook: &mut Webhook) {
    while webhook.step() {}
}

#[test]
fn every_event_is_sent_once_and_in_order() {
    let bench = Bench::new(40);
    assert!(bench.events().len() > 40);
    let mut webhook = bench.webhook(takes());
    all(&mut webhook);
    assert_eq!(bench.taken(), bench.events());
    all(&mut webhook);
    drop(webhook);
    all(&mut bench.webhook(takes()));
    assert_eq!(bench.taken(), bench.events(), "nothing is sent anew");
}

#[test]
fn what_is_sent_is_what_the_events_endpoint_shows() {
    let bench = Bench::new(1);
    let page = Page::read(&bench.shared, 0, 1000).unwrap();
    let shown: Vec<Value> = page.events.iter().map(|event| json!(event)).collect();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&sent);
    let mut webhook = bench.webhook(Box::new(move |_, data| {
        note.lock().unwrap().push(data.clone());
        Some(200)
    }));
    all(&mut webhook);
    assert_eq!(*sent.lock().unwrap(), shown);
}

#[test]
fn nothing_overtakes_what_was_not_taken() {
    let bench = Bench::new(3);
    let mut tries = 0;
    let mut webhook = bench.webhook(Box::new(move |_, _| {
        tries += 1;
        // Every event is refused, lost and redirected before it is taken.
        [Some(500), None, Some(302), Some(204)][(tries - 1) % 4]
    }));
    for _ in 0..bench.events().len() * 4 {
        webhook.step();
        bench.clock.pass(Span::seconds(300));
    }
    assert_eq!(bench.taken(), bench.events());
    let came = bench.came.lock().unwrap();
    for same in came.chunks(4) {
        let is_same = same
            .iter()
            .all(|one| (&one.0, one.1) == (&same[0].0, same[0].1));
        assert!(is_same, "one event, one id: {same:?}");
    }
}

#[test]
fn a_dead_endpoint_is_tried_ever_more_seldom() {
    let bench = Bench::new(1);
    let mut webhook = bench.webhook(Box::new(|_, _| None));
    let (start, mut tried) = (bench.clock.now(), Vec::new());
    for second in 0..2_000 {
        let before = bench.came.lock().unwrap().len();
        webhook.step();
        if bench.came.lock().unwrap().len() > before {
            tried.push(second);
        }
        bench.clock.pass(Span::seconds(1));
    }
    let gaps: Vec<u64> = tried.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps[..9], [1, 2, 4, 8, 16, 32, 64, 128, 256]);
    assert!(gaps[9..].iter().all(|gap| *gap == 300), "{gaps:?}");
    let standing = webhook.seen().now();
    assert_eq!(
        (standing.takes, standing.since),
        (Takes::Nothing, Some(start))
    );
    assert_eq!(standing.next, bench.events()[0]);
}

#[test]
fn whoever_is_gone_is_left_alone_until_the_next_start() {
    let bench = Bench::new(1);
    let mut webhook = bench.webhook(Box::new(|_, _| Some(410)));
    for _ in 0..10 {
        webhook.step();
        bench.clock.pass(Span::hours(1));
    }
    assert_eq!(bench.came.lock().unwrap().len(), 1);
    assert_eq!(webhook.seen().now().takes, Takes::Disabled);
    all(&mut bench.webhook(takes()));
    assert_eq!(
        bench.taken(),
        bench.events(),
        "it goes on where it was left"
    );
}

/// The process dies after each number of events, and what it had not kept is sent again.
#[test]
fn a_crash_loses_no_event() {
    for died_after in 0..12 {
        let bench = Bench::new(6);
        let mut webhook = bench.webhook(takes());
        for _ in 0..died_after {
            webhook.step();
        }
        drop(webhook);
        bench.disk.crash(0);
        all(&mut bench.webhook(takes()));
        let mut taken = bench.taken();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken, bench.events(), "{died_after}");
        let ids: std::collections::BTreeSet<_> = bench
            .came
            .lock()
            .unwrap()
            .iter()
            .map(|one| one.0.clone())
            .collect();
        assert_eq!(ids.len(), taken.len(), "one event, one id");
    }
}

#[test]
fn a_new_endpoint_begins_with_what_comes_next_whenever_it_is_started() {
    let bench = Bench::new(2);
    let begins = bench.events()[1];
    drop(bench.opened(begins, takes()).unwrap());
    bench.disk.crash(0);
    all(&mut bench.opened(bench.ledger.state.size(), takes()).unwrap());
    assert_eq!(bench.taken(), bench.events()[1..]);
}

#[test]
fn nothing_is_sent_that_no_quorum_has_cosigned() {
    let bench = Bench::with(1, 1);
    all(&mut bench.webhook(takes()));
    let told = bench.taken();
    assert_eq!(told, bench.events());
    bench.cosign(bench.ledger.state.facts().log.head());
    assert!(bench.events().len() > told.len());
    all(&mut bench.webhook(takes()));
    assert_eq!(bench.taken(), bench.events());
}

#[test]
fn a_damaged_cursor_stops_the_start_and_a_full_disk_no_event() {
    let bench = Bench::new(1);
    bench.disk.put("webhooks/books", b"seven");
    assert!(matches!(
        bench.opened(0, takes()),
        Err(CursorError::Damaged(_))
    ));
    bench.disk.put("webhooks/books", b"0");
    let mut webhook = bench.webhook(takes());
    bench.disk.fill_after(0);
    all(&mut webhook);
    assert_eq!(bench.taken(), bench.events());
}

#[test]
fn a_name_is_a_file_name_and_nothing_more() {
    let named = |name: &str| WebhookName::try_from(name.to_owned()).is_ok();
    for name in ["books", "a", "crm-2", &"x".repeat(32)] {
        assert!(named(name), "{name}");
    }
    for name in [
        "",
        "..",
        "a/b",
        "Books",
        "a.new",
        "\u{e9}",
        "a b",
        &"x".repeat(33),
    ] {
        assert!(!named(name), "{name}");
    }
}

/// Takes everything, and notes by which of the journal's keys it is signed.
#[derive(Clone, Default)]
struct SignedBy(Arc<Mutex<Vec<Vec<u8>>>>);

impl Http for SignedBy {
    fn get(&self, _: &str, _: &[(&str, &str)], _: u64, _: Duration) -> Result<Reply, HttpError> {
        unreachable!("webhooks are posted")
    }

    fn post(
        &self,
        _: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        _: u64,
        _: Duration,
    ) -> Result<Reply, HttpError> {
        let header = |name: &str| headers.iter().find(|(known, _)| *known == name).unwrap().1;
        let (id, time) = (header("webhook-id"), header("webhook-timestamp"));
        let message = format!("{id}.{time}.{}", str::from_utf8(body).unwrap());
        let signature = header("webhook-signature").strip_prefix("v1a,").unwrap();
        let signature =
            Signature::from_bytes(BASE64.decode(signature).unwrap().try_into().unwrap());
        let holds =
            |seed: &u8| Strict.verify(secret(*seed).public_key(), message.as_bytes(), &signature);
        let by = [OLD, NEW].into_iter().filter(holds);
        self.0.lock().unwrap().push(by.collect());
        let body = Vec::new();
        Ok(Reply { status: 204, body })
    }
}

#[test]
fn events_are_signed_by_the_journals_key_in_force_and_by_no_other() {
    let mut ledger = Ledger::new(Arc::new(World::new()), HandClock::at(World::START));
    ledger.rotate_log(NEW);
    ledger.settle_clocks();
    let head = ledger.state.facts().log.head();
    let bench = Bench::of(ledger, head);
    let http = SignedBy::default();
    let alone = LogKeys::new(secret(OLD), None);
    let mut webhook = bench.opened_with(0, Arc::new(http.clone()), alone).unwrap();
    assert!(!webhook.step(), "a key of before sends nothing");
    assert!(http.0.lock().unwrap().is_empty());
    let both = LogKeys::new(secret(OLD), Some(secret(NEW)));
    let mut webhook = bench.opened_with(0, Arc::new(http.clone()), both).unwrap();
    while webhook.step() {}
    let signed = http.0.lock().unwrap();
    assert!(!signed.is_empty());
    assert!(signed.iter().all(|by| *by == [NEW]), "{signed:?}");
}
