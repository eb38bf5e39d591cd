//! What has been signed, on its way: broadcast through the signer's own node, followed until it is
//! confirmed, and sent again byte for byte while nobody can say what became of it.

use crate::config::Chain;
use crate::record::Signed;
use portcullis_chains::ChainId;
use portcullis_chains::ethereum::SignedTx;
use portcullis_core::id::WalletId;
use portcullis_core::statement::Says;
use portcullis_core::{Digest, Span, Time};
use portcullis_node::{At, Delivery, Mined, Node, Sent, Standing, TrackError, Tracker};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often a wallet's nonce is asked for, and one transaction is looked for.
const LOOK_EVERY: Span = Span::seconds(1);
/// The first and the longest time that a node is left alone after an error.
const FIRST_REST: Span = Span::seconds(1);
const LONGEST_REST: Span = Span::seconds(30);
/// How long a nonce may look used by nothing of ours: a node contradicts itself for a moment, a
/// stranger with the key for ever.
const UNKNOWN_FOR: Span = Span::seconds(60);

/// Where a transaction belongs.
pub(crate) type Place = (WalletId, u64);

/// All deliveries and the nodes that they go through.
///
/// A step costs what is due in it, however many wait for their blocks.
pub(crate) struct Deliveries {
    nodes: BTreeMap<ChainId, Line>,
    wallets: BTreeMap<WalletId, Wallet>,
    under_way: BTreeMap<Place, UnderWay>,
    places: BTreeMap<Digest, Place>,
    /// When each has to be sent, or sent again, unless it is in a block by then.
    to_send: BTreeSet<(Time, Place)>,
    /// What a chain was seen to have, or to have used the nonce of.
    used: BTreeSet<Place>,
}

/// A node, and whether it is to be left alone for a while.
struct Line {
    node: Arc<dyn Node>,
    confirmations: u64,
    rest: Span,
    until: Time,
}

/// What is known of a wallet's chain.
struct Wallet {
    address: [u8; 20],
    chain: ChainId,
    /// The next nonce, as the node said last. Below it everything is in a block.
    next_nonce: u64,
    look_at: Time,
}

struct UnderWay {
    act: Digest,
    tracker: Tracker,
    look_at: Time,
    unknown_since: Option<Time>,
    standing: Standing,
}

/// What an operator must hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) act: Digest,
    pub(crate) name: &'static str,
    pub(crate) text: String,
}

impl Deliveries {
    pub(crate) fn new(chains: &[Chain], nodes: BTreeMap<ChainId, Arc<dyn Node>>) -> Self {
        let line = |(id, node): (ChainId, Arc<dyn Node>)| {
            let chain = chains.iter().find(|chain| chain.id == id)?;
            let line = Line {
                node,
                confirmations: chain.confirmations.max(1),
                rest: FIRST_REST,
                until: Time(0),
            };
            Some((id, line))
        };
        Self {
            nodes: nodes.into_iter().filter_map(line).collect(),
            wallets: BTreeMap::new(),
            under_way: BTreeMap::new(),
            places: BTreeMap::new(),
            to_send: BTreeSet::new(),
            used: BTreeSet::new(),
        }
    }

    /// Follow a signed transaction, in the place of what was signed for its nonce before.
    pub(crate) fn follow(
        &mut self,
        act: Digest,
        wallet: [u8; 20],
        signed: &Signed,
    ) -> Result<(), TrackError> {
        let Ok(tx) = SignedTx::from_bytes(&signed.transaction) else {
            // The record's own bytes, which were a transaction when they were written.
            return Ok(());
        };
        let place = (signed.wallet, signed.nonce);
        let chain = ChainId::Evm {
            chain: tx.unsigned().chain(),
        };
        if let Some(known) = self.under_way.get_mut(&place) {
            if known.tracker.newest() == &tx {
                return Ok(());
            }
            let was_due = known.tracker.due();
            known.tracker.replace(tx)?;
            known.look_at = Time(0);
            self.to_send.remove(&(was_due, place));
        } else {
            let under_way = UnderWay {
                act,
                tracker: Tracker::new(wallet, tx)?,
                look_at: Time(0),
                unknown_since: None,
                standing: Standing::Pending,
            };
            self.under_way.insert(place, under_way);
            self.places.insert(act, place);
        }
        self.wallets.entry(signed.wallet).or_insert(Wallet {
            address: wallet,
            chain,
            next_nonce: 0,
            look_at: Time(0),
        });
        self.to_send.insert((Time(0), place));
        Ok(())
    }

    /// Stop following what has ended.
    pub(crate) fn forget(&mut self, act: &Digest) {
        let Some(place) = self.places.remove(act) else {
            return;
        };
        if let Some(it) = self.under_way.remove(&place) {
            self.to_send.remove(&(it.tracker.due(), place));
        }
        self.used.remove(&place);
    }

    /// Stop following all that has ended by another view of the journal.
    pub(crate) fn keep(&mut self, goes_on: impl Fn(&Digest) -> bool) {
        let ended: Vec<Digest> = self
            .places
            .keys()
            .filter(|act| !goes_on(act))
            .copied()
            .collect();
        ended.iter().for_each(|act| self.forget(act));
    }

    /// Send what is due, at most `most` to each node and in one request. `may_leave` is asked anew for
    /// each.
    pub(crate) fn send(
        &mut self,
        now: Time,
        most: usize,
        may_leave: impl Fn(&Digest, &SignedTx) -> bool,
    ) -> Vec<Trouble> {
        let due: Vec<Place> = self
            .to_send
            .iter()
            .take_while(|(at, _)| *at <= now)
            .map(|(_, place)| *place)
            .collect();
        let mut leaving: BTreeMap<ChainId, Vec<Place>> = BTreeMap::new();
        for place in due {
            let (Some(it), Some(wallet)) = (self.under_way.get(&place), self.wallets.get(&place.0))
            else {
                continue;
            };
            let to_chain = leaving.entry(wallet.chain).or_default();
            let is_awake = self
                .nodes
                .get(&wallet.chain)
                .is_some_and(|l| l.until <= now);
            if is_awake
                && to_chain.len() < most
                && it.tracker.is_due(now)
                && may_leave(&it.act, it.tracker.newest())
            {
                to_chain.push(place);
            }
        }
        let sent = leaving
            .into_iter()
            .map(|(chain, places)| self.send_to(chain, &places, now));
        sent.flatten().collect()
    }

    fn send_to(&mut self, chain: ChainId, places: &[Place], now: Time) -> Vec<Trouble> {
        let Some(line) = self.nodes.get_mut(&chain).filter(|_| !places.is_empty()) else {
            return Vec::new();
        };
        let newest = places.iter().filter_map(|place| self.under_way.get(place));
        let newest: Vec<&SignedTx> = newest.map(|it| it.tracker.newest()).collect();
        let said = line.node.send_raw_all(&newest);
        let mut trouble = Vec::new();
        for (place, sent) in places.iter().zip(said) {
            let Some(it) = self.under_way.get_mut(place) else {
                continue;
            };
            tracing::info!(act = %it.act, ?sent, "broadcast");
            self.to_send.remove(&(it.tracker.due(), *place));
            it.tracker.sent(now);
            self.to_send.insert((it.tracker.due(), *place));
            match sent {
                Sent::Unknown(_) => line.fail(now),
                Sent::Refused { message, .. } => trouble.push(Trouble {
                    act: it.act,
                    name: "broadcast-refused",
                    text: format!("the node refuses the transaction: {message}"),
                }),
                _ => line.rest = FIRST_REST,
            }
        }
        trouble
    }

    /// Ask how far each wallet has got, look for at most `most` transactions that blocks should have
    /// by that, and say what is final.
    pub(crate) fn look(&mut self, now: Time, most: usize) -> (Vec<Says>, Vec<Trouble>) {
        let wallets: Vec<WalletId> = self.wallets.keys().copied().collect();
        let (mut says, mut trouble) = (Vec::new(), Vec::new());
        for wallet in wallets {
            if !self.count(wallet, now) {
                continue;
            }
            for place in self.to_look_for(wallet, now, most) {
                self.look_for(place, now, &mut says, &mut trouble);
            }
        }
        (says, trouble)
    }

    /// Bring a wallet's next nonce up to date; whether it is known and its node awake.
    fn count(&mut self, wallet: WalletId, now: Time) -> bool {
        let has_any = self.under_way.range(all_of(wallet)).next().is_some();
        let Some(wallet) = self.wallets.get_mut(&wallet).filter(|_| has_any) else {
            return false;
        };
        let line = self.nodes.get_mut(&wallet.chain);
        let Some(line) = line.filter(|line| line.until <= now) else {
            return false;
        };
        if wallet.look_at > now {
            return true;
        }
        wallet.look_at = now.after(LOOK_EVERY);
        match line.node.nonce(wallet.address, At::Latest) {
            Ok(next_nonce) => {
                line.rest = FIRST_REST;
                wallet.next_nonce = next_nonce;
                true
            }
            Err(error) => {
                tracing::warn!(%error, "the node says nothing");
                line.fail(now);
                false
            }
        }
    }

    /// Those of a wallet that are due: the ones below its next nonce, and what was below it before.
    fn to_look_for(&self, wallet: WalletId, now: Time, most: usize) -> Vec<Place> {
        let next_nonce = self
            .wallets
            .get(&wallet)
            .map_or(0, |known| known.next_nonce);
        let below = self.under_way.range((wallet, 0)..(wallet, next_nonce));
        let below = below.map(|(place, _)| *place);
        let taken_back = self.used.range((wallet, next_nonce)..).copied();
        let taken_back = taken_back.take_while(|(of, _)| *of == wallet);
        let is_due = |place: &Place| {
            self.under_way
                .get(place)
                .is_some_and(|it| it.look_at <= now)
        };
        below.chain(taken_back).filter(is_due).take(most).collect()
    }

    fn look_for(
        &mut self,
        place: Place,
        now: Time,
        says: &mut Vec<Says>,
        trouble: &mut Vec<Trouble>,
    ) {
        let (Some(it), Some(wallet)) = (self.under_way.get_mut(&place), self.wallets.get(&place.0))
        else {
            return;
        };
        let line = self.nodes.get_mut(&wallet.chain);
        let Some(line) = line.filter(|line| line.until <= now) else {
            return;
        };
        it.look_at = now.after(LOOK_EVERY);
        let was_due = it.tracker.due();
        if place.1 >= wallet.next_nonce {
            it.tracker.unused();
            it.standing = Standing::Pending;
            self.used.remove(&place);
        } else {
            match it.tracker.look(line.node.as_ref(), wallet.next_nonce) {
                Ok(seen) => {
                    line.rest = FIRST_REST;
                    it.standing = it.tracker.observe(&seen);
                    self.used.insert(place);
                }
                Err(error) => {
                    tracing::warn!(%error, "the node says nothing");
                    line.fail(now);
                    return;
                }
            }
        }
        self.to_send.remove(&(was_due, place));
        if it.standing == Standing::Pending {
            self.to_send.insert((it.tracker.due(), place));
        }
        says.extend(it.says(line.confirmations));
        trouble.extend(it.trouble(now));
    }
}

/// Every nonce of a wallet.
fn all_of(wallet: WalletId) -> core::ops::RangeInclusive<Place> {
    (wallet, 0)..=(wallet, u64::MAX)
}

impl Line {
    fn fail(&mut self, now: Time) {
        self.until = now.after(self.rest);
        self.rest = Span((self.rest.0 * 2).min(LONGEST_REST.0));
    }
}

impl UnderWay {
    /// What can be stated: only with the confirmations that the configuration asks for.
    fn says(&self, confirmations: u64) -> Option<Says> {
        let mined = self.mined().filter(|m| m.confirmations >= confirmations)?;
        let (act, transaction) = (self.act, Digest(mined.hash));
        let (block, block_hash) = (mined.block.number, Digest(mined.block.hash));
        match mined.delivery {
            Delivery::Delivered => Some(Says::Confirmed {
                act,
                transaction,
                block,
                block_hash,
            }),
            Delivery::Reverted => Some(Says::Reverted {
                act,
                transaction,
                block,
                block_hash,
            }),
            Delivery::NotDelivered => None,
        }
    }

    fn mined(&self) -> Option<Mined> {
        match self.standing {
            Standing::Mined(mined) | Standing::ReplacedBy(mined) => Some(mined),
            Standing::Pending | Standing::Unknown => None,
        }
    }

    fn trouble(&mut self, now: Time) -> Option<Trouble> {
        let not_delivered =
            self.mined().map(|mined| mined.delivery) == Some(Delivery::NotDelivered);
        let unknown = self.standing == Standing::Unknown;
        self.unknown_since = unknown.then(|| self.unknown_since.unwrap_or(now));
        let lasting = self
            .unknown_since
            .is_some_and(|since| now.since(since) >= UNKNOWN_FOR);
        let (name, text) = if not_delivered {
            let text = "the token's contract ran but did not log the planned transfer";
            ("not-delivered", text)
        } else if lasting {
            let text =
                "the nonce is used by no transaction of ours: who else has the wallet's key?";
            ("nonce-used-elsewhere", text)
        } else {
            return None;
        };
        let (act, text) = (self.act, text.to_owned());
        Some(Trouble { act, name, text })
    }
}
