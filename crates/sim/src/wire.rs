//! The network between the processes: requests that are lost, answers that are lost, both late, some
//! twice, and parts of it that cannot reach each other.

use crate::chronicle::Chronicle;
use crate::clock::TrueTime;
use crate::dice::Dice;
use crate::hosts::Hosts;
use portcullis_core::{Span, Time};
use portcullis_host::{Http, HttpError, Reply};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// A machine on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// The gate's.
    Gate,
    /// The signer's.
    Signer,
    /// The herald's.
    Herald,
    /// A witness'.
    Witness(usize),
    /// A stop board's.
    Board(usize),
    /// Where customers, staff and the back end sit.
    People,
    /// Where alarms go.
    Webhook,
}

/// A request on its way.
#[derive(Clone, Debug)]
pub struct Message {
    /// Whether it is a POST; a GET otherwise.
    pub is_post: bool,
    /// The path with what follows a question mark.
    pub target: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// How bad the network is: of a thousand requests, so many have this fate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// Never arrive.
    pub dropped: u64,
    /// Arrive, and the answer does not.
    pub unanswered: u64,
    /// Arrive long after whoever asked has given up.
    pub delayed: u64,
    /// Arrive twice.
    pub doubled: u64,
}

/// The network.
pub struct Wire {
    time: TrueTime,
    chronicle: Chronicle,
    state: Mutex<State>,
}

struct State {
    dice: Dice,
    weather: Weather,
    cut: BTreeSet<(Host, Host)>,
    late: Vec<(Time, Host, Message)>,
}

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    Dropped,
    Unanswered,
    Delayed,
    Doubled,
}

impl Wire {
    /// A network in good weather.
    #[must_use]
    pub fn new(time: TrueTime, dice: Dice, chronicle: Chronicle) -> Self {
        let state = State {
            dice,
            weather: Weather::default(),
            cut: BTreeSet::new(),
            late: Vec::new(),
        };
        Self {
            time,
            chronicle,
            state: Mutex::new(state),
        }
    }

    /// The weather from here on.
    pub fn set_weather(&self, weather: Weather) {
        self.state().weather = weather;
    }

    /// These two cannot reach each other, until [`Wire::heal`].
    pub fn cut(&self, one: Host, other: Host) {
        self.state().cut.insert((one.min(other), one.max(other)));
    }

    /// Everybody reaches everybody.
    pub fn heal(&self) {
        self.state().cut.clear();
    }

    /// A message that is due by now, in no order.
    pub fn take_late(&self) -> Option<(Host, Message)> {
        let now = self.time.now();
        let mut state = self.state();
        let due: Vec<usize> = (0..state.late.len())
            .filter(|at| state.late[*at].0 <= now)
            .collect();
        let at = *state.dice.pick(&due)?;
        let (_, to, message) = state.late.swap_remove(at);
        Some((to, message))
    }

    /// Nothing is on its way any more.
    pub fn forget_late(&self) {
        self.state().late.clear();
    }

    fn fate(&self, from: Host, to: Host) -> Fate {
        let mut state = self.state();
        let weather = state.weather;
        if state.cut.contains(&(from.min(to), from.max(to))) {
            return Fate::Dropped;
        }
        let roll = state.dice.below(1000);
        let fates = [
            (weather.dropped, Fate::Dropped),
            (weather.unanswered, Fate::Unanswered),
            (weather.delayed, Fate::Delayed),
            (weather.doubled, Fate::Doubled),
        ];
        let mut below = 0;
        for (share, fate) in fates {
            below += share;
            if roll < below {
                return fate;
            }
        }
        Fate::Arrives
    }

    /// Whoever asks and gets no answer waits for a while of what it is patient for.
    fn wait(&self, patience: Duration) {
        let most = u64::try_from(patience.as_millis()).unwrap_or(0).min(2500);
        let waited = self.state().dice.below(most / 2 + 1);
        self.time.pass(Span(waited));
    }

    fn latency(&self) {
        let ms = self.state().dice.below(6);
        self.time.pass(Span(ms));
    }

    fn delay(&self, to: Host, message: Message) {
        let mut state = self.state();
        let after = Span(state.dice.below(40_000));
        let due = self.time.now().after(after);
        state.late.push((due, to, message));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One machine's way out.
pub struct Way {
    from: Host,
    hosts: Weak<Hosts>,
}

impl Way {
    /// The way out of this machine.
    #[must_use]
    pub fn out_of(from: Host, hosts: &Weak<Hosts>) -> Arc<dyn Http> {
        let hosts = hosts.clone();
        Arc::new(Self { from, hosts })
    }

    fn exchange(&self, url: &str, message: Message, patience: Duration) -> Option<Reply> {
        let hosts = self.hosts.upgrade()?;
        let to = host_of(url)?;
        let wire = &hosts.wire;
        if !hosts.is_up(self.from) {
            return None;
        }
        wire.latency();
        let fate = wire.fate(self.from, to);
        let reply = match fate {
            Fate::Arrives => hosts.deliver(to, &message),
            Fate::Dropped => None,
            Fate::Unanswered => {
                hosts.deliver(to, &message);
                None
            }
            Fate::Delayed => {
                wire.delay(to, message);
                None
            }
            Fate::Doubled => {
                let first = hosts.deliver(to, &message);
                hosts.deliver(to, &message);
                first
            }
        };
        let name = match fate {
            Fate::Arrives => None,
            Fate::Dropped => Some("fault: request dropped"),
            Fate::Unanswered => Some("fault: answer lost"),
            Fate::Delayed => Some("fault: request delayed"),
            Fate::Doubled => Some("fault: request doubled"),
        };
        if let Some(name) = name {
            wire.chronicle.count(name);
        }
        if reply.is_none() {
            wire.wait(patience);
        } else {
            wire.latency();
        }
        // Whoever died meanwhile hears nothing.
        reply.filter(|_| hosts.is_up(self.from))
    }
}

impl Http for Way {
    fn get(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        cap: u64,
        timeout: Duration,
    ) -> Result<Reply, HttpError> {
        let message = Message {
            is_post: false,
            target: target_of(url),
            headers: owned(headers),
            body: Vec::new(),
        };
        capped(url, cap, self.exchange(url, message, timeout))
    }

    fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        cap: u64,
        timeout: Duration,
    ) -> Result<Reply, HttpError> {
        let message = Message {
            is_post: true,
            target: target_of(url),
            headers: owned(headers),
            body: body.to_vec(),
        };
        capped(url, cap, self.exchange(url, message, timeout))
    }
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = headers
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    owned.collect()
}

fn capped(url: &str, cap: u64, reply: Option<Reply>) -> Result<Reply, HttpError> {
    let failed = |why: &str| HttpError {
        url: url.to_owned(),
        why: why.to_owned(),
    };
    let reply = reply.ok_or_else(|| failed("no answer"))?;
    if reply.body.len() as u64 > cap {
        return Err(failed("the answer is too long"));
    }
    Ok(reply)
}

fn target_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..]).to_owned()
}

fn host_of(url: &str) -> Option<Host> {
    let rest = url.strip_prefix("http://")?;
    let name = rest.split('/').next()?;
    let number = || name.rsplit_once('-')?.1.parse().ok();
    match name.split('-').next()? {
        "gate" => Some(Host::Gate),
        "witness" => number().map(Host::Witness),
        "board" => number().map(Host::Board),
        "hook" => Some(Host::Webhook),
        _ => None,
    }
}
