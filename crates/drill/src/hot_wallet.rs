//! The hot wallet of coins of the flow as it was: whatever its back end asks is signed and sent at once, each payment by a
//! transaction of its own.

use crate::coins::{CHAIN, Coins};
use crate::error::DrillError;
use crate::purse::{Purse, Rate, payments, sats};
use portcullis_chains::Amount;
use portcullis_chains::bitcoin::{
    Checked, Coin, Demands, OutPoint, OwnedKey, Payment, Plan, SignedTx, Unspent,
};
use portcullis_chains::caip::{Address, BitcoinAddress};
use portcullis_keys::software::Secret;
use portcullis_keys::{CoinKey as _, SoftwareCoin};
use portcullis_node::bitcoin::{BitcoinNode as _, HttpNode, Sent};

/// The most that a transaction may cost, in satoshis.
const CEILING: u64 = 100_000;

/// The key, what it can spend, and a node.
pub(crate) struct HotWallet {
    key: SoftwareCoin,
    purse: Purse,
    node: HttpNode,
}

/// The address of the wallet with this secret: P2WPKH, as most were.
pub(crate) fn address(secret: &Secret) -> Result<Address, DrillError> {
    let lock = owned(&SoftwareCoin::new(secret)?)?.lock();
    Ok(Address::Bitcoin(BitcoinAddress::new(CHAIN, lock)))
}

fn owned(key: &SoftwareCoin) -> Result<OwnedKey, DrillError> {
    let owned = OwnedKey::p2wpkh(&key.public_key());
    owned.map_err(|error| DrillError::Coins(error.to_string()))
}

impl HotWallet {
    /// The wallet with this secret, which has been paid by now.
    pub(crate) fn open(secret: &Secret, coins: &Coins) -> Result<Self, DrillError> {
        let key = SoftwareCoin::new(secret)?;
        let (node, own) = (coins.node()?, owned(&key)?);
        node.watch(&[own.lock()])?;
        let purse = Purse::of_key(own, &node)?;
        Ok(Self { key, purse, node })
    }

    /// Pay somebody, and spend what returns by the next.
    pub(crate) fn pay(&mut self, to: BitcoinAddress, amount: Amount) -> Result<(), DrillError> {
        let payments = payments(&[(to, amount)])?;
        let plan = self.purse.make(&payments, Rate::Usual)?;
        let signed = self.sign(&plan, &payments)?;
        match self.node.send(&signed) {
            Sent::Accepted => {}
            other => return Err(DrillError::Coins(format!("{other:?}"))),
        }
        let returned = self.returned(&plan, &signed)?;
        self.purse.turn_over(plan.coins(), returned);
        Ok(())
    }

    fn sign(&self, plan: &Plan, payments: &[Payment]) -> Result<SignedTx, DrillError> {
        let demands = Demands {
            payments,
            ceiling: sats(CEILING)?,
            highest_lock: 0,
            replaced: None,
        };
        let checked = Checked::psbt(&plan.to_psbt(), &self.purse.wallet, &demands);
        let checked = checked.map_err(|error| DrillError::Coins(error.to_string()))?;
        let digests = checked.sighashes().map(|sighash| sighash.digest);
        let signatures = digests.map(|digest| self.key.sign_ecdsa(&digest));
        let signatures: Vec<[u8; 64]> = signatures.collect::<Result<_, _>>()?;
        let signed = checked.finish(&signatures);
        signed.map_err(|error| DrillError::Coins(error.to_string()))
    }

    /// What comes back: the output behind the payment.
    fn returned(&self, plan: &Plan, signed: &SignedTx) -> Result<Option<Coin>, DrillError> {
        let Some(change) = plan.change() else {
            return Ok(None);
        };
        let (script, raw) = (self.purse.wallet.change().script(), signed.to_bytes());
        let output = Unspent {
            outpoint: OutPoint::new(plan.txid(), 1),
            amount: change.get(),
            script: script.as_bytes(),
            previous: Some(&raw),
        };
        let coin = Coin::prove(&output, &self.purse.wallet);
        coin.map(Some)
            .map_err(|error| DrillError::Coins(error.to_string()))
    }
}
