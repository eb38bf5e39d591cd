//! A node's answers, read without a node; and a node that lies.

use portcullis_chains::bitcoin::{FeeRate, Lock, OutPoint, Sats, SignedTx, Txid};
use portcullis_chains::caip::BitcoinChain;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::http::rate;
use super::rpc::{Question, Said, answers};
use super::wire::{WireTip, WireTransaction, WireUnspent};
use super::{BitcoinNode, InChain, Listed, Observation, Sent, look};
use crate::{Block, NodeError};

/// What [`HttpNode`](super::HttpNode) would make of a body, asked each of its questions.
#[derive(Debug)]
pub struct Read {
    /// The highest block.
    pub tip: Result<Block, NodeError>,
    /// What is listed as unspent, at least one block deep.
    pub unspent: Result<Vec<Listed>, NodeError>,
    /// A raw transaction.
    pub transaction: Result<Vec<u8>, NodeError>,
    /// A rate, with the one answer for estimate and pool.
    pub rate: Result<FeeRate, NodeError>,
    /// What became of one transaction, if the body has four answers.
    pub look: Result<Observation, NodeError>,
    /// A broadcast.
    pub sent: Sent,
}

/// Reads a body as every answer that it could be. The first question has id 1; the transaction is the
/// one with this id.
#[must_use]
pub fn read(body: &[u8], chain: BitcoinChain, txid: Txid) -> Read {
    let shared = OutPoint::new(txid, 0);
    let looked = answers(body, 1, chain, &look::questions(shared, &[txid]));
    let unspent = one::<Vec<WireUnspent>>(body, chain);
    Read {
        tip: one::<WireTip>(body, chain).and_then(WireTip::block),
        unspent: unspent.and_then(|all| all.into_iter().map(|one| one.listed(1)).collect()),
        transaction: one::<WireTransaction>(body, chain).map(|tx| tx.hex.0),
        rate: said(body, chain).and_then(|raw| rate(&raw, &raw)),
        look: looked.and_then(|said| look::observation(said, &[txid])),
        sent: Sent::of(said(body, chain), txid),
    }
}

fn one<T: DeserializeOwned>(body: &[u8], chain: BitcoinChain) -> Result<T, NodeError> {
    said(body, chain)?.read()
}

fn said(body: &[u8], chain: BitcoinChain) -> Said {
    let question: Question = ("any", Value::Null);
    let mut said = answers(body, 1, chain, &[question])?;
    said.pop().unwrap_or(Err(crate::rpc::NO_ANSWER))
}

/// What a [`Byzantine`] node does to the truth of an honest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Each amount is a satoshi more than it is.
    Amounts,
    /// Each script is another.
    Scripts,
    /// Each output has a number that its transaction does not have.
    Ghosts,
    /// Each previous transaction is another one.
    OtherPrevious,
    /// Each previous transaction has lost its last byte.
    CutPrevious,
}

/// A node that tells what an honest one says, and lies in one way.
#[derive(Clone, Debug)]
pub struct Byzantine<N> {
    /// Whose truth it bends.
    pub honest: N,
    /// How.
    pub lie: Lie,
}

impl<N> Byzantine<N> {
    fn bend(&self, output: &mut Listed) {
        match self.lie {
            Lie::Amounts => {
                let more = output.amount.get().saturating_add(1);
                output.amount = Sats::new(more).unwrap_or(Sats::ZERO);
            }
            Lie::Scripts => output.script.push(0),
            Lie::Ghosts => output.outpoint.vout = u32::MAX,
            Lie::OtherPrevious | Lie::CutPrevious => {}
        }
    }
}

impl<N: BitcoinNode> BitcoinNode for Byzantine<N> {
    fn watch(&self, locks: &[Lock]) -> Result<(), NodeError> {
        self.honest.watch(locks)
    }

    fn tip(&self) -> Result<Block, NodeError> {
        self.honest.tip()
    }

    fn unspent(&self, confirmations: u32, least: Sats) -> Result<Vec<Listed>, NodeError> {
        let mut listed = self.honest.unspent(confirmations, least)?;
        for output in &mut listed {
            self.bend(output);
        }
        Ok(listed)
    }

    fn in_chain(&self, outputs: &[OutPoint]) -> Result<Vec<Option<InChain>>, NodeError> {
        let mut found = self.honest.in_chain(outputs)?;
        for output in found.iter_mut().flatten() {
            self.bend(&mut output.listed);
        }
        Ok(found)
    }

    fn transactions(&self, txids: &[Txid]) -> Result<Vec<Vec<u8>>, NodeError> {
        let mut found = self.honest.transactions(txids)?;
        match self.lie {
            Lie::OtherPrevious => found.rotate_left(1),
            Lie::CutPrevious => {
                for raw in &mut found {
                    raw.pop();
                }
            }
            Lie::Amounts | Lie::Scripts | Lie::Ghosts => {}
        }
        Ok(found)
    }

    fn suggest_rate(&self, blocks: u16) -> Result<FeeRate, NodeError> {
        self.honest.suggest_rate(blocks)
    }

    fn send_all(&self, txs: &[&SignedTx]) -> Vec<Sent> {
        self.honest.send_all(txs)
    }

    fn look(&self, shared: OutPoint, txids: &[Txid]) -> Result<Observation, NodeError> {
        self.honest.look(shared, txids)
    }
}
