//! The process: from a configuration to a running herald, until SIGTERM.

use crate::config::Config;
use crate::everywhere::Everywhere;
use crate::herald::{Herald, HeraldError, Parts};
use crate::mail::{MailError, Mailer};
use crate::post::{Post, PostOffice};
use crate::text::{TemplateError, Templates};
use portcullis_contact::{EnvelopeFault, SealingSecret};
use portcullis_core::genesis::KeeperKind;
use portcullis_core::id::KeeperId;
use portcullis_core::signature::PublicKey;
use portcullis_core::{Digest, Network};
use portcullis_host::{Dir, SystemClock, SystemRandom};
use portcullis_keeper::Machine;
use portcullis_keeper::latches::{self, LatchError};
use portcullis_keeper::process::{Beside, stop_at_signal};
use portcullis_keeper::start::{Start, StartError};
use portcullis_keeper::successor::{StatementKeys, StatementKeysError};
use portcullis_keys::file::NameError;
use portcullis_keys::{KeyFile, KeyFileError, Name, StatementKey};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How long a question to the gate waits for news.
const LONG_POLL: Duration = Duration::from_millis(200);
/// How long to rest where the gate had nothing new, and where it does not answer.
const BREATH: Duration = Duration::from_millis(5);
const REST: Duration = Duration::from_millis(200);
/// How long to wait before opening again after a disk or a key has failed.
const RECOVER: Duration = Duration::from_secs(2);

/// Letters that are on their way at once, each over a connection of its own: a server takes its time with each.
const POSTMEN: usize = 8;

/// Why a herald does not start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// What every keeper starts from.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A key of the file.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// A key's name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The mail server's part of the configuration.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The statement keys.
    #[error(transparent)]
    Statements(#[from] StatementKeysError),
    /// The texts.
    #[error(transparent)]
    Templates(#[from] TemplateError),
    /// The sealing secret.
    #[error(transparent)]
    Sealing(#[from] EnvelopeFault),
    /// The keeper is not a herald of this genesis.
    #[error("the genesis has no herald {0}")]
    NoSuchHerald(KeeperId),
    /// The statement key is another one.
    #[error(
        "the statement key is not the one that the genesis names for herald {0}; where it was rotated, name \
         the one in force as keys.successor too"
    )]
    OtherStatementKey(KeeperId),
    /// The sealing key is another one: no contact would ever open.
    #[error("the sealing secret is not that of the sealing key in the genesis")]
    OtherSealingKey,
    /// Webhooks cannot be signed.
    #[error("webhooks need an Ed25519 statement key (Standard Webhooks, v1a)")]
    WebhookKey,
    /// The herald's own files.
    #[error(transparent)]
    Open(#[from] HeraldError),
    /// The latches cannot be written.
    #[error("the latches: {0}")]
    Latches(#[from] LatchError),
    /// Signals cannot be waited for.
    #[error("cannot wait for SIGTERM: {0}")]
    Signal(std::io::Error),
}

impl RunError {
    /// Whether the herald found this before it did anything.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Open(_) | Self::Latches(_) | Self::Signal(_))
    }
}

/// Run until SIGTERM or SIGINT. Where the disk or the key fails, everything is opened again from disk,
/// which is also how a crash is recovered from.
pub fn run(config: Config) -> Result<(), RunError> {
    let stop = stop_at_signal().map_err(RunError::Signal)?;
    let (mut parts, outside) = assemble(config)?;
    tracing::info!(keeper = %parts.config.keeper, gate = parts.config.gate, "the herald starts");
    while !stop.load(Ordering::Relaxed) {
        // What was in an office before is in the record, too.
        parts.office = PostOffice::default();
        match Herald::open(parts.clone()) {
            Ok(herald) => {
                if let Some(key) = step_until(herald, &parts, &outside, &stop)? {
                    tracing::info!(
                        "a rotation has put the other statement key in force: it is used from here on"
                    );
                    parts.key = key;
                    continue;
                }
            }
            Err(error @ HeraldError::Record(_)) => return Err(error.into()),
            Err(error) => {
                tracing::error!(%error, "what is on the disk cannot be opened; tried again");
            }
        }
        if !stop.load(Ordering::Relaxed) {
            thread::sleep(RECOVER);
        }
    }
    Ok(())
}

/// Shut the herald of this configuration on its own host: no gate, no network, no key. Gives the id of the latch
/// that a quorum has to lift. There is no `open`.
pub fn shut(config: &Config) -> Result<Digest, RunError> {
    let disk = Dir::open(&config.data).map_err(StartError::from)?;
    Ok(latches::shut(&disk, &SystemRandom, &SystemClock)?)
}

/// Step until the process ends, or until everything is to be opened again from disk: after a failure, or with
/// the statement key that is given, because it is the one in force by now.
fn step_until(
    mut herald: Herald,
    parts: &Parts,
    outside: &Outside,
    stop: &Arc<AtomicBool>,
) -> Result<Option<Arc<dyn StatementKey>>, RunError> {
    let courier = herald.courier();
    if parts.config.alarms.webhook.is_some() && courier.is_none() {
        return Err(RunError::WebhookKey);
    }
    let courier = courier.map(|mut courier| Beside::start(stop, move || courier.step()));
    let postmen = (0..POSTMEN).map(|_| {
        let post = outside.post(&parts.key);
        let postman = parts.office.postman(post);
        let watch = parts.machine.watch.clone();
        Beside::start(stop, move || postman.step(watch.now()))
    });
    let postmen: Vec<Beside> = postmen.collect();
    let mut turned = None;
    while !stop.load(Ordering::Relaxed) && turned.is_none() {
        match herald.step(LONG_POLL) {
            Ok(step) if step.applied > 0 => {}
            Ok(step) if step.heard => thread::sleep(BREATH),
            Ok(_) => thread::sleep(REST),
            Err(error) => {
                tracing::error!(%error, "stopping to recover from disk");
                break;
            }
        }
        turned = outside.keys.to_turn_to(herald.keeper());
    }
    postmen.into_iter().for_each(Beside::stop);
    courier.into_iter().for_each(Beside::stop);
    if stop.load(Ordering::Relaxed)
        && let Err(error) = herald.save()
    {
        tracing::warn!(%error, "no snapshot; the next start reads more of the journal");
    }
    Ok(turned)
}

/// What a herald is run with beside its parts.
struct Outside {
    keys: StatementKeys,
    mailer: Option<Arc<Mailer>>,
    webhooks: BTreeMap<String, String>,
    machine: Machine,
}

impl Outside {
    /// Where letters go; webhooks are signed by the key in force.
    fn post(&self, key: &Arc<dyn StatementKey>) -> Arc<dyn Post> {
        let (mailer, webhooks) = (self.mailer.clone(), self.webhooks.clone());
        let machine = self.machine.clone();
        Arc::new(Everywhere::new(mailer, webhooks, machine, Arc::clone(key)))
    }
}

/// Everything that the configuration names, read and checked against the genesis.
fn assemble(config: Config) -> Result<(Parts, Outside), RunError> {
    let start = start(&config);
    let network = Arc::new(start.network()?);
    let clock = start.clock(&network)?;
    start.check_addresses(&network)?;
    let (keys, secret) = keys(&config, &start.key_file(&network)?, &network)?;
    let signs_webhooks =
        |key: &Arc<dyn StatementKey>| matches!(key.public_key(), PublicKey::Ed25519(_));
    if !config.webhooks.is_empty() && !keys.all().all(signs_webhooks) {
        return Err(RunError::WebhookKey);
    }
    let templates = match &config.templates {
        Some(folder) => Templates::with_folder(folder)?,
        None => Templates::own()?,
    };
    let mailer = config.mail.as_ref();
    let mailer = mailer
        .map(|mail| Mailer::new(mail, &config.name).map(Arc::new))
        .transpose()?;
    // The folder last: a configuration that cannot be used takes nothing.
    let machine = start.machine(clock)?;
    let outside = Outside {
        mailer,
        webhooks: config.webhooks.clone(),
        machine: machine.clone(),
        keys,
    };
    let parts = Parts {
        machine,
        network,
        config,
        key: Arc::clone(outside.keys.first()),
        secret: Arc::new(secret),
        templates,
        office: PostOffice::default(),
    };
    Ok((parts, outside))
}

fn start(config: &Config) -> Start<'_> {
    Start {
        genesis: &config.genesis,
        genesis_digest: config.genesis_digest,
        gate: &config.gate,
        boards: &config.boards,
        test_clock: config.test_clock.as_deref(),
        keys: &config.keys.file,
        passphrase: &config.keys.passphrase_file,
        data: &config.data,
    }
}

fn keys(
    config: &Config,
    file: &KeyFile,
    network: &Network,
) -> Result<(StatementKeys, SealingSecret), RunError> {
    let (statement, successor) = (&config.keys.statement, config.keys.successor.as_deref());
    let keys = StatementKeys::read(file, statement, successor)?;
    let secret = SealingSecret::new(&*file.secret(&config.keys.sealing.parse::<Name>()?)?)?;
    let herald = network.keeper(config.keeper);
    let herald = herald.filter(|keeper| keeper.kind == KeeperKind::Herald);
    let herald = herald.ok_or(RunError::NoSuchHerald(config.keeper))?;
    if !keys.may_begin(&herald.key) {
        return Err(RunError::OtherStatementKey(config.keeper));
    }
    if herald.sealing != Some(secret.public()) {
        return Err(RunError::OtherSealingKey);
    }
    Ok((keys, secret))
}
