//! Releases that one transaction pays from coins.

use super::Facts;
use super::release::{Release, Stage};
use crate::digest::Digest;
use crate::id::WalletId;
use crate::plan::Plan;
use minicbor::{Decode, Encode};
use portcullis_chains::bitcoin::{OutPoint, Txid};
use std::collections::BTreeSet;

/// Most payments in one batch.
pub const MAX_BATCH_PAYMENTS: usize = 64;

/// One plan's releases, until the end of all of them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Batch {
    /// The paying wallet.
    #[n(0)]
    pub wallet: WalletId,
    /// The wallet's number of it. The transaction's bytes do not name it.
    #[n(1)]
    pub number: u64,
    /// The releases in the order in which the first plan pays them; the first is the leader.
    #[n(2)]
    pub members: Vec<Digest>,
    /// What every plan of it spends first, so that at most one of them happens.
    #[n(3)]
    pub shared: CoinId,
    /// What any plan of it spends: no other batch may.
    #[n(4)]
    pub coins: BTreeSet<CoinId>,
    /// The ids of its plans' transactions, as people read them: nothing may spend what those make.
    #[n(5)]
    pub transactions: BTreeSet<Digest>,
}

/// An output of a transaction: its id in the order of the bytes of transactions, then its place, little-endian.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct CoinId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 36]);

crate::codec::hex_array!(CoinId, 36);

impl CoinId {
    /// The transaction that made it, as people read its id.
    #[must_use]
    pub fn transaction(&self) -> Digest {
        let mut id = [0; 32];
        id.iter_mut()
            .zip(self.0[..32].iter().rev())
            .for_each(|(to, from)| *to = *from);
        Digest(id)
    }
}

impl CoinId {
    /// The output, as transactions name it.
    #[must_use]
    pub fn outpoint(&self) -> OutPoint {
        let (mut hash, mut place) = ([0; 32], [0; 4]);
        let (id, vout) = self.0.split_at(32);
        hash.copy_from_slice(id);
        place.copy_from_slice(vout);
        OutPoint::new(
            portcullis_chains::bitcoin::txid(hash),
            u32::from_le_bytes(place),
        )
    }
}

impl From<OutPoint> for CoinId {
    fn from(outpoint: OutPoint) -> Self {
        let mut bytes = [0; 36];
        let (txid, vout) = bytes.split_at_mut(32);
        txid.copy_from_slice(outpoint.txid.as_ref());
        vout.copy_from_slice(&outpoint.vout.to_le_bytes());
        Self(bytes)
    }
}

/// A transaction's id as people read it and nodes name it: the reverse of its hash's bytes.
#[must_use]
pub fn transaction_id(txid: Txid) -> Digest {
    CoinId::from(OutPoint { txid, vout: 0 }).transaction()
}

impl Facts {
    /// The batch of a release, where its wallet spends coins.
    #[must_use]
    pub fn batch_of(&self, release: Digest) -> Option<&Batch> {
        let leader = self.releases.get(&release)?.leader?;
        self.batches.as_ref()?.get(&leader)
    }

    /// The batches of a wallet that have not ended, by their leaders.
    pub fn batches_of(&self, wallet: WalletId) -> impl Iterator<Item = (&Digest, &Batch)> {
        let all = self.batches.iter().flatten();
        all.filter(move |(_, batch)| batch.wallet == wallet)
    }

    /// All plans of a release so far, the newest last: its own, or those of its batch, which its leader has.
    #[must_use]
    pub fn plans_of(&self, release: Digest) -> &[Plan] {
        let known = self.releases.get(&release);
        let leader = known.and_then(|release| release.leader).unwrap_or(release);
        let plans = self.releases.get(&leader).map(|leads| &leads.plans);
        plans.map_or(&[], Vec::as_slice)
    }

    /// Whether the plan does not pay a release any more: the one that gave it up, or a later one.
    #[must_use]
    pub fn is_void_plan(&self, release: Digest, plan: Digest) -> bool {
        let known = self.releases.get(&release);
        known.is_some_and(|known| known.is_void_of(self.plans_of(release), plan))
    }

    /// The releases that stand and fall with this one, itself among them: those of its batch, in their order.
    #[must_use]
    pub fn together_with(&self, release: Digest) -> Vec<Digest> {
        let batch = self.batch_of(release);
        batch.map_or_else(|| vec![release], |batch| batch.members.clone())
    }

    /// Those of its members that the batch's newest plan pays, in its order.
    pub fn paid(&self, batch: &Batch) -> impl Iterator<Item = (Digest, &Release)> {
        let members = batch.members.iter();
        let known = members.filter_map(|digest| Some((*digest, self.releases.get(digest)?)));
        known.filter(|(_, release)| release.voided_by.is_none())
    }

    /// The plan that may be signed for a release, where one may. A batch may go while everybody whom its newest plan
    /// pays may; once it pays nobody, while nobody of it is withheld.
    #[must_use]
    pub fn signable(&self, release: Digest) -> Option<&Plan> {
        let Some(batch) = self.batch_of(release) else {
            return self.releases.get(&release)?.current_plan();
        };
        let goes = |release: &Release| release.stage == Stage::Released;
        let members = || batch.members.iter().filter_map(|m| self.releases.get(m));
        let may_go = match self.paid(batch).next() {
            Some(_) => self.paid(batch).all(|(_, release)| goes(release)),
            None => members().all(goes),
        };
        members().next().filter(|_| may_go)?.plans.last()
    }
}
