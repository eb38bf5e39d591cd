//! One herald, its gate, its board, and a post office that does what the test says.

use portcullis_contact::{Contact, Envelope, Reach, SealingSecret};
use portcullis_core::act::{ActKind, AddAddress, ChangeContact, OpenAccount};
use portcullis_core::genesis::SealingKey;
use portcullis_core::{Digest, Span, Time};
use portcullis_herald::{
    Config, Herald, HeraldError, Letter, Outcome, Parts, Post, PostOffice, Postman, Step, Templates,
};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{
    CrashDisk, Customer, HandClock, Ledger, Net, Wire, World, machine,
};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

pub(crate) struct Bench {
    pub(crate) clock: HandClock,
    pub(crate) disk: CrashDisk,
    pub(crate) net: Net,
    pub(crate) post: Arc<dyn Post>,
    pub(crate) fake: FakePost,
    pub(crate) customer: Customer,
    pub(crate) herald: Herald,
    pub(crate) postman: Postman,
}

/// The customer's first contact.
pub(crate) const FIRST: &str = "first@customer.example";

impl Bench {
    /// A herald that has just begun, at a journal with one account of which the contact is known.
    pub(crate) fn new() -> Self {
        let fake = FakePost::default();
        Self::with(Arc::new(fake.clone()), fake)
    }

    pub(crate) fn with(post: Arc<dyn Post>, fake: FakePost) -> Self {
        let clock = HandClock::at(World::START);
        let ledger = Ledger::new(Arc::new(World::with_a_herald()), clock.clone());
        let (net, disk) = (Net::around(ledger), CrashDisk::default());
        let customer = Customer::number(1);
        let (herald, postman) = open(&clock, &disk, &net, &post).unwrap();
        let bench = Self {
            clock,
            disk,
            net,
            post,
            fake,
            customer,
            herald,
            postman,
        };
        bench.open_account(&bench.customer, FIRST);
        bench
    }

    /// The gate's side.
    pub(crate) fn wire(&self) -> MutexGuard<'_, Wire> {
        self.net.wire()
    }

    /// Open somebody's account, to be told at this mail address.
    pub(crate) fn open_account(&self, customer: &Customer, address: &str) {
        let contact = self.seal_for(customer, address, 1);
        let mut wire = self.wire();
        let ledger = &mut wire.ledger;
        let open = OpenAccount {
            subject: customer.subject,
            principal: customer.principal,
            factor: customer.factor(),
            delay: None,
            contact: Some(contact),
            imported: None,
        };
        let mut act = ledger.act(World::BACK_END, ActKind::OpenAccount(open));
        act.account = Some(customer.account);
        let mut evidence = ledger.staffs_evidence(&act);
        evidence.attestations.push(ledger.onboarding(&act));
        ledger.submit(act, evidence);
        ledger.settle_clocks();
    }

    /// Seal a mail address for the customer, and leave it with the gate.
    pub(crate) fn seal(&self, address: &str, seed: u8) -> Digest {
        self.seal_for(&self.customer, address, seed)
    }

    fn seal_for(&self, customer: &Customer, address: &str, seed: u8) -> Digest {
        let contact = Contact {
            reach: Reach::Mail(address.into()),
            language: "en".into(),
            code: "blue heron".into(),
        };
        let mut wire = self.wire();
        let genesis = wire.ledger.world.digest();
        let fill = |bytes: &mut [u8]| bytes.fill(seed);
        let (key, account) = (SealingKey(World::SEALING), customer.account);
        let envelope = Envelope::seal(&contact, key, genesis, account, fill).unwrap();
        let commitment = envelope.commitment();
        wire.envelopes
            .insert(commitment, envelope.as_bytes().to_vec());
        commitment
    }

    /// The customer asks, and it is journaled and cosigned.
    pub(crate) fn ask(&self, kind: ActKind) -> Digest {
        let mut wire = self.wire();
        let act = wire.ledger.customers_act(&self.customer, kind);
        let evidence = wire.ledger.customers_evidence(&self.customer, &act);
        let digest = wire.ledger.submit(act, evidence);
        wire.ledger.settle_clocks();
        digest
    }

    pub(crate) fn add_address(&self, byte: u8) -> Digest {
        let address = World::address(byte);
        self.ask(ActKind::AddAddress(AddAddress { address }))
    }

    pub(crate) fn change_contact(&self, contact: Digest) -> Digest {
        self.ask(ActKind::ChangeContact(ChangeContact { contact }))
    }

    /// When an address begins to count.
    pub(crate) fn available(&self, byte: u8) -> Option<Time> {
        let wire = self.wire();
        let account = wire
            .ledger
            .state
            .facts()
            .account(self.customer.account)
            .unwrap();
        account
            .address(World::address(byte))
            .unwrap()
            .available
            .time()
    }

    /// Whether an act still waits for the herald's word.
    pub(crate) fn waits(&self, act: Digest) -> bool {
        let wire = self.wire();
        let mut waiting = wire.ledger.state.facts().untold.acts();
        waiting.any(|(_, of)| of == act)
    }

    pub(crate) fn step(&mut self) -> Step {
        self.herald.step(Duration::ZERO).unwrap()
    }

    /// A second passes; the herald steps, its postman empties the office, and the journal is cosigned.
    pub(crate) fn tick(&mut self) -> Step {
        self.clock.pass(Span::seconds(1));
        let step = self.step();
        while self.postman.step(self.clock.now()) {}
        self.wire().ledger.settle_clocks();
        step
    }

    pub(crate) fn run(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.tick();
        }
    }

    /// The customer can act: everything about the opening has been told, and its delay has run.
    pub(crate) fn begun() -> Self {
        let mut bench = Self::new();
        bench.run(15);
        bench.fake.post().taken.clear();
        bench
    }

    /// The process dies, and another begins with what the disk has.
    pub(crate) fn kill(&mut self) {
        self.try_kill().unwrap();
    }

    pub(crate) fn try_kill(&mut self) -> Result<(), HeraldError> {
        (self.herald, self.postman) = open(&self.clock, &self.disk, &self.net, &self.post)?;
        Ok(())
    }

    /// The names of the alarms in the herald's own log.
    pub(crate) fn alarms(&self) -> Vec<String> {
        let log = self.disk.bytes("alarms.jsonl").unwrap_or_default();
        let lines = str::from_utf8(&log).unwrap().lines();
        let names = lines.map(|line| {
            let alarm: serde_json::Value = serde_json::from_str(line).unwrap();
            let kind = alarm["type"].as_str().unwrap();
            kind.strip_prefix("alarm.").unwrap().to_owned()
        });
        names.collect()
    }
}

fn open(
    clock: &HandClock,
    disk: &CrashDisk,
    net: &Net,
    post: &Arc<dyn Post>,
) -> Result<(Herald, Postman), HeraldError> {
    let world = net.wire().ledger.world.clone();
    let office = PostOffice::default();
    let herald = Herald::open(Parts {
        machine: machine(clock, disk, net),
        network: world.network.clone(),
        config: config(),
        key: Arc::new(World::key(&World::HERALD.0)),
        secret: Arc::new(SealingSecret::new(&[0x77; 32]).unwrap()),
        templates: Templates::own().unwrap(),
        office: office.clone(),
    })?;
    Ok((herald, office.postman(Arc::clone(post))))
}

fn config() -> Config {
    let (keeper, board) = (World::HERALD, World::BOARD);
    let (digest, ether) = (World::with_a_herald().digest(), World::ETHER);
    let text = format!(
        r#"
        genesis = "genesis"
        genesis_digest = "{digest}"
        keeper = "{keeper}"
        gate = "http://gate"
        data = "data"
        boards = {{ "{board}" = "http://board" }}
        name = "Bank"
        pages = ["https://stop.example", "https://two.example/bank"]
        keys = {{ file = "k", passphrase_file = "p", statement = "s", sealing = "c" }}
        staff = [{{ mail = "duty@bank.example" }}]
        assets = {{ "{ether}" = {{ decimals = 1, symbol = "ETH" }} }}
        "#
    );
    toml::from_str(&text).unwrap()
}

/// A post that keeps what it takes, and answers what it is told to.
#[derive(Clone, Default)]
pub(crate) struct FakePost(Arc<Mutex<Counter>>);

#[derive(Default)]
pub(crate) struct Counter {
    /// Letters that were accepted.
    pub(crate) taken: Vec<Letter>,
    /// How often anything was tried.
    pub(crate) tries: usize,
    /// What comes next, before everything is accepted.
    pub(crate) next: VecDeque<Outcome>,
    /// What is said to letters to an address.
    pub(crate) always: Vec<(String, Outcome)>,
}

impl FakePost {
    pub(crate) fn post(&self) -> MutexGuard<'_, Counter> {
        self.0.lock().unwrap()
    }

    /// Who got what kind of notice.
    pub(crate) fn taken(&self) -> Vec<(String, &'static str)> {
        let post = self.post();
        let mut all: Vec<_> = post.taken.iter().map(|l| (address(l), l.kind)).collect();
        all.sort_unstable();
        all
    }
}

pub(crate) fn address(letter: &Letter) -> String {
    match &letter.reach {
        Reach::Mail(address) | Reach::Webhook(address) => address.clone(),
    }
}

impl Post for FakePost {
    fn deliver(&self, letter: &Letter, _: Time) -> Outcome {
        let mut post = self.post();
        post.tries += 1;
        let to = address(letter);
        let always = post.always.iter().find(|(known, _)| *known == to);
        let outcome = always.map(|(_, outcome)| outcome.clone());
        let outcome = outcome.or_else(|| post.next.pop_front());
        let outcome = outcome.unwrap_or(Outcome::Accepted);
        if outcome == Outcome::Accepted {
            post.taken.push(letter.clone());
        }
        outcome
    }
}
