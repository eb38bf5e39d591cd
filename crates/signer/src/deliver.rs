//! What has been signed, on its way: broadcast through the signer's own node, followed until it is
//! confirmed, and sent again byte for byte while nobody can say what became of it.

use crate::config::Chain;
use crate::record::Signed;
use crate::rest::Rest;
use portcullis_chains::ChainId;
use portcullis_chains::ethereum::SignedTx;
use portcullis_core::id::WalletId;
use portcullis_core::statement::Says;
use portcullis_core::{Digest, Span, Time};
use portcullis_keeper::Watch;
use portcullis_node::{
    At, Delivery, Mined, Node, NodeError, Observation, Sent, Standing, TrackError, Tracker,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use under_way::{Followed, UnderWay};

pub(crate) mod spends;
mod under_way;

/// How long nodes may be spoken to in one step: whoever answers slowly, or not at all, must not keep
/// the signer from following the journal. What was begun within it is ended.
const BUDGET: Span = Span(750);
/// How often a wallet's nonce is asked for, and one transaction is looked for.
const LOOK_EVERY: Span = Span::seconds(1);
/// How long a nonce may look used by nothing of ours: a node contradicts itself for a moment, a
/// stranger with the key for ever.
const UNKNOWN_FOR: Span = Span::seconds(60);

/// Where a transaction belongs.
pub(crate) type Place = (WalletId, u64);

/// All deliveries and the nodes that they go through.
///
/// A step speaks to a node only of what is due and can have happened: what stands at a wallet's next nonce
/// or above is in no block.
pub(crate) struct Deliveries {
    nodes: BTreeMap<ChainId, Line>,
    wallets: BTreeMap<WalletId, Wallet>,
    under_way: UnderWay,
}

/// A node, and whether it is to be left alone for a while.
struct Line {
    node: Arc<dyn Node>,
    confirmations: u64,
    rest: Rest,
    /// When anything was sent through it last.
    sent_at: Time,
}

/// A wallet, and how far its chain has got.
struct Wallet {
    address: [u8; 20],
    chain: ChainId,
    /// As the node said last.
    next_nonce: u64,
    look_at: Time,
    /// When its node was last asked anything about it.
    looked_at: Time,
}

/// The time that one step has for nodes, by the machine's clock.
pub(crate) struct Budget<'a> {
    watch: &'a Watch,
    began: Time,
}

impl<'a> Budget<'a> {
    pub(crate) fn begin(watch: &'a Watch) -> Self {
        let began = watch.now();
        Self { watch, began }
    }

    /// When it ends, unless what was begun within it takes longer.
    pub(crate) fn until(&self) -> Time {
        self.began.after(BUDGET)
    }

    fn lasts(&self) -> bool {
        self.watch.now().since(self.began) < BUDGET
    }
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
                rest: Rest::default(),
                sent_at: Time(0),
            };
            Some((id, line))
        };
        Self {
            nodes: nodes.into_iter().filter_map(line).collect(),
            wallets: BTreeMap::new(),
            under_way: UnderWay::default(),
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
        if let Some(known) = self.under_way.get(&place) {
            let is_known = known.tracker.newest() == &tx;
            return if is_known {
                Ok(())
            } else {
                self.replace(&place, tx)
            };
        }
        let chain = ChainId::Evm {
            chain: tx.unsigned().chain(),
        };
        let followed = Followed::new(act, wallet, tx)?;
        self.under_way.insert(place, followed);
        self.wallets.entry(signed.wallet).or_insert(Wallet {
            address: wallet,
            chain,
            next_nonce: 0,
            look_at: Time(0),
            looked_at: Time(0),
        });
        Ok(())
    }

    fn replace(&mut self, place: &Place, tx: SignedTx) -> Result<(), TrackError> {
        let replaced = self.under_way.change(place, |known| {
            known.look_at = Time(0);
            known.tracker.replace(tx)
        });
        replaced.unwrap_or(Ok(()))
    }

    /// Follow what was signed for a nonce before, and may have left, without ever sending it again.
    pub(crate) fn also(
        &mut self,
        act: Digest,
        wallet: [u8; 20],
        signed: &Signed,
    ) -> Result<(), TrackError> {
        let place = (signed.wallet, signed.nonce);
        if self.under_way.get(&place).is_none() {
            return self.follow(act, wallet, signed);
        }
        let Ok(tx) = SignedTx::from_bytes(&signed.transaction) else {
            return Ok(());
        };
        let also = |known: &mut Followed| known.tracker.also(tx);
        self.under_way.change(&place, also).unwrap_or(Ok(()))
    }

    /// Stop following what has ended.
    pub(crate) fn forget(&mut self, act: &Digest) {
        self.under_way.remove(act);
    }

    /// Stop following all but what goes on.
    pub(crate) fn keep(&mut self, goes_on: impl Fn(&Digest) -> bool) {
        self.under_way.retain(goes_on);
    }

    /// Send what is due, at most `most` through each node, in one request. `may_leave` is asked anew for
    /// each.
    pub(crate) fn send(
        &mut self,
        now: Time,
        budget: &Budget<'_>,
        most: usize,
        may_leave: impl Fn(&Digest, &SignedTx) -> bool,
    ) -> Vec<Trouble> {
        let mut trouble = Vec::new();
        let awake = self
            .nodes
            .iter_mut()
            .filter(|(_, line)| line.rest.is_over(now));
        // As with looks: nobody waits for ever behind a slow node.
        let mut awake: Vec<(&ChainId, &mut Line)> = awake.collect();
        awake.sort_by_key(|(_, line)| line.sent_at);
        for (chain, line) in awake.into_iter().take_while(|_| budget.lasts()) {
            let is_here =
                |place: &Place| self.wallets.get(&place.0).map(|w| w.chain) == Some(*chain);
            let due = self.under_way.to_send(now);
            let due = due.filter(|(place, _)| is_here(place));
            let leaving = due.filter(|(_, it)| may_leave(&it.act, it.tracker.newest()));
            let leaving: Vec<Place> = leaving.map(|(place, _)| *place).take(most).collect();
            if !leaving.is_empty() {
                trouble.extend(line.send(&leaving, &mut self.under_way, now));
            }
        }
        trouble
    }

    /// Look for what blocks should have by their wallets' nonces, at most `most` of each wallet's, and say
    /// what is final.
    pub(crate) fn look(
        &mut self,
        now: Time,
        budget: &Budget<'_>,
        most: usize,
    ) -> (Vec<Says>, Vec<Trouble>) {
        let (mut says, mut trouble) = (Vec::new(), Vec::new());
        // Whoever was looked at longest ago comes first, so that no slow node keeps the others waiting.
        let mut wallets: Vec<(&WalletId, &mut Wallet)> = self.wallets.iter_mut().collect();
        wallets.sort_by_key(|(_, wallet)| wallet.looked_at);
        for (id, wallet) in wallets {
            let line = self.nodes.get_mut(&wallet.chain);
            let Some(line) = line.filter(|line| line.rest.is_over(now)) else {
                continue;
            };
            if !self.under_way.has_any_of(*id) || !budget.lasts() {
                continue;
            }
            wallet.looked_at = now;
            let under_way = &mut self.under_way;
            let seen = wallet.count(line, now).and_then(|next_nonce| {
                let due = under_way.to_look_for(*id, next_nonce, now, most);
                line.look(&due, under_way, next_nonce, now)
            });
            match seen {
                Ok((final_now, troubles)) => {
                    says.extend(final_now);
                    trouble.extend(troubles);
                }
                Err(error) => {
                    tracing::warn!(%error, "the node says nothing");
                    line.rest.begin(now);
                }
            }
        }
        (says, trouble)
    }
}

impl Wallet {
    /// Its next nonce, asked for anew now and then.
    fn count(&mut self, line: &Line, now: Time) -> Result<u64, NodeError> {
        if self.look_at <= now {
            self.look_at = now.after(LOOK_EVERY);
            self.next_nonce = line.node.nonce(self.address, At::Latest)?;
        }
        Ok(self.next_nonce)
    }
}

impl Line {
    fn send(&mut self, leaving: &[Place], under_way: &mut UnderWay, now: Time) -> Vec<Trouble> {
        self.sent_at = now;
        let newest = leaving.iter().filter_map(|place| under_way.get(place));
        let newest: Vec<&SignedTx> = newest.map(|it| it.tracker.newest()).collect();
        let said = self.node.send_all(&newest);
        // One request that is lost is one failure, whatever it carried.
        if said.iter().any(|sent| matches!(sent, Sent::Unknown(_))) {
            self.rest.begin(now);
        } else {
            self.rest.end();
        }
        let heard = leaving.iter().zip(said);
        let trouble = heard.filter_map(|(place, sent)| {
            under_way.change(place, |it| {
                it.tracker.sent(now);
                it.broadcast(sent)
            })?
        });
        trouble.collect()
    }

    /// Look for these, and say what is final of those of which anything was seen. A node that cannot speak
    /// of one keeps nothing from the others.
    fn look(
        &mut self,
        due: &[Place],
        under_way: &mut UnderWay,
        next_nonce: u64,
        now: Time,
    ) -> Result<(Vec<Says>, Vec<Trouble>), NodeError> {
        for place in due {
            under_way.change(place, |it| it.look_at = now.after(LOOK_EVERY));
        }
        let trackers = due.iter().filter_map(|place| under_way.get(place));
        let trackers: Vec<&Tracker> = trackers.map(|it| &it.tracker).collect();
        let seen = Observation::of(self.node.as_ref(), next_nonce, &trackers)?;
        self.rest.end();
        let (mut says, mut trouble) = (Vec::new(), Vec::new());
        for (place, seen) in due.iter().zip(seen) {
            under_way.change(place, |it| match seen {
                Ok(seen) => {
                    it.standing = it.tracker.observe(&seen);
                    says.extend(it.says(self.confirmations));
                    trouble.extend(it.trouble(now));
                }
                Err(error) => {
                    tracing::warn!(%error, act = %it.act, "the node cannot say what became of it");
                }
            });
        }
        Ok((says, trouble))
    }
}

impl Followed {
    /// What an operator must hear of what a node said to it.
    fn broadcast(&self, said: Sent) -> Option<Trouble> {
        tracing::info!(act = %self.act, sent = ?said, "broadcast");
        match said {
            Sent::Refused { message, .. } => Some(Trouble {
                act: self.act,
                name: "broadcast-refused",
                text: format!("the node refuses the transaction: {message}"),
            }),
            _ => None,
        }
    }

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

#[cfg(test)]
mod tests;
