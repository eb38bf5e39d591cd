//! Contacts and TOTP seeds on the herald's own disk: the envelopes as they came, each under its commitment.
//!
//! They stay sealed to the herald's own key, so what lies there is of no use without it; the journal says
//! whose each is. One is opened when somebody is to be told, and erased by removing its file: the journal
//! keeps a commitment that commits to nothing any more.

use portcullis_contact::{
    Contact, Digits, Envelope, EnvelopeFault, SealingSecret, Seed, open_code,
};
use portcullis_core::code::SealedCode;
use portcullis_core::codec::encode;
use portcullis_core::id::{AccountId, FactorId, KeeperId};
use portcullis_core::kept::{Kept, MAX_KEPT, SignedKept};
use portcullis_core::{Digest, Network, Time};
use portcullis_host::DiskError;
use portcullis_keeper::Machine;
use portcullis_keys::StatementKey;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Most bytes of an envelope, and of the gate's answers.
const MAX_ENVELOPE: u64 = portcullis_contact::MAX_ENVELOPE as u64;
const MAX_ANSWER: u64 = 16 * 1024;
/// How long the gate may take for each.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most envelopes that one step fetches.
const FETCHES: usize = 32;

pub(crate) struct Contacts {
    machine: Machine,
    gate: String,
    network: Arc<Network>,
    keeper: KeeperId,
    key: Arc<dyn StatementKey>,
    secret: Arc<SealingSecret>,
    /// To be fetched from the gate.
    wanted: BTreeSet<Digest>,
    /// On the own disk, and the gate does not know that yet.
    unacknowledged: BTreeSet<Digest>,
}

/// What there is of a contact, or of a seed.
pub(crate) enum Found<T> {
    /// It.
    Opened(T),
    /// Nothing yet: the gate is asked for it.
    Nothing,
    /// An envelope that is none of this account's: whoever sealed it made sure that nobody is told.
    Unreadable(EnvelopeFault),
}

/// What the gate gave.
enum Fetched {
    /// Nobody answers.
    NoAnswer,
    /// It has none that the commitment is of.
    Nothing,
    /// The envelope that the commitment is of.
    Envelope(Vec<u8>),
}

impl Contacts {
    pub(crate) fn new(
        machine: Machine,
        gate: String,
        (network, keeper): (Arc<Network>, KeeperId),
        key: Arc<dyn StatementKey>,
        secret: Arc<SealingSecret>,
    ) -> Self {
        Self {
            machine,
            gate,
            network,
            keeper,
            key,
            secret,
            wanted: BTreeSet::new(),
            unacknowledged: BTreeSet::new(),
        }
    }

    /// The journal commits to this one: it is fetched. One that is here already is acknowledged again, for
    /// whoever had it before a crash may not have said so.
    pub(crate) fn want(&mut self, contact: Digest) {
        if self.machine.disk.exists(&file(contact)) {
            self.unacknowledged.insert(contact);
        } else {
            self.wanted.insert(contact);
        }
    }

    /// An account's contact.
    pub(crate) fn find(
        &mut self,
        contact: Digest,
        account: AccountId,
    ) -> Result<Found<Contact>, DiskError> {
        let (secret, genesis) = (Arc::clone(&self.secret), self.network.digest());
        self.opened(contact, |envelope| envelope.open(&secret, genesis, account))
    }

    /// A TOTP seed of an account, which is kept in the same way.
    pub(crate) fn seed(
        &mut self,
        seed: Digest,
        account: AccountId,
    ) -> Result<Found<Seed>, DiskError> {
        let (secret, genesis) = (Arc::clone(&self.secret), self.network.digest());
        self.opened(seed, |envelope| {
            envelope.open_seed(&secret, genesis, account)
        })
    }

    /// The digits of a code for an act and a factor.
    pub(crate) fn open_code(
        &self,
        sealed: &SealedCode,
        about: (Digest, FactorId),
    ) -> Result<Digits, EnvelopeFault> {
        open_code(sealed, &self.secret, self.network.digest(), about)
    }

    fn opened<T>(
        &mut self,
        commitment: Digest,
        open: impl FnOnce(Envelope) -> Result<T, EnvelopeFault>,
    ) -> Result<Found<T>, DiskError> {
        let bytes = self.machine.disk.read(&file(commitment), MAX_ENVELOPE)?;
        let Some(bytes) = bytes else {
            self.wanted.insert(commitment);
            return Ok(Found::Nothing);
        };
        let opened = Envelope::from_bytes(&bytes).and_then(open);
        Ok(opened.map_or_else(Found::Unreadable, Found::Opened))
    }

    /// Fetch what is wanted, keep it, and tell the gate so. What the gate lacks stays wanted: the back
    /// end sends it again.
    pub(crate) fn step(&mut self) -> Result<(), DiskError> {
        let some: Vec<Digest> = self.wanted.iter().take(FETCHES).copied().collect();
        for contact in some {
            // A gate that does not answer is not asked for the others.
            match self.fetch(contact) {
                Fetched::NoAnswer => break,
                // Asked for again once somebody is to be told, so that it keeps no other away.
                Fetched::Nothing => {
                    self.wanted.remove(&contact);
                }
                Fetched::Envelope(bytes) => {
                    self.machine.disk.replace(&file(contact), &bytes)?;
                    self.wanted.remove(&contact);
                    self.unacknowledged.insert(contact);
                }
            }
        }
        self.acknowledge();
        Ok(())
    }

    fn fetch(&self, contact: Digest) -> Fetched {
        let url = format!("{}/v1/envelopes/{contact}", self.gate);
        let reply = self.machine.http.get(&url, &[], MAX_ANSWER, PATIENCE).ok();
        let Some(reply) = reply else {
            return Fetched::NoAnswer;
        };
        let envelope = Envelope::from_bytes(&reply.body).ok();
        let is_it = |envelope: &Envelope| envelope.commitment() == contact;
        let envelope = envelope.filter(|envelope| reply.status == 200 && is_it(envelope));
        envelope.map_or(Fetched::Nothing, |envelope| {
            Fetched::Envelope(envelope.as_bytes().to_vec())
        })
    }

    fn acknowledge(&mut self) {
        let some: Vec<Digest> = self.unacknowledged.iter().take(MAX_KEPT).copied().collect();
        if some.is_empty() {
            return;
        }
        let Some(word) = self.word(some.clone(), self.machine.watch.now()) else {
            return;
        };
        let url = format!("{}/v1/envelopes/kept", self.gate);
        let headers = [("content-type", "application/cbor")];
        let body = encode(&word);
        let reply = self
            .machine
            .http
            .post(&url, &headers, &body, MAX_ANSWER, PATIENCE);
        if reply.is_ok_and(|reply| reply.status < 300) {
            self.unacknowledged
                .retain(|contact| !some.contains(contact));
        }
    }

    fn word(&self, contacts: Vec<Digest>, time: Time) -> Option<SignedKept> {
        let kept = Kept {
            genesis: self.network.digest(),
            keeper: self.keeper,
            time,
            contacts,
        };
        let signature = self.key.sign(&kept.signed_bytes());
        let signature = signature
            .inspect_err(|error| tracing::error!(%error, "the statement key does not sign"))
            .ok()?;
        Some(SignedKept { kept, signature })
    }
}

/// Where a contact lies: two levels, since a folder of millions is slow to look into.
pub(crate) fn file(contact: Digest) -> String {
    let name = contact.to_string();
    format!("contacts/{}/{name}", &name[..2])
}
