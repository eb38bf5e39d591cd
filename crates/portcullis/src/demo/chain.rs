//! The chain, as its node sees it.

use crate::amount::both;
use crate::failure::{Exit, Failure};
use crate::out::say;
use crate::reach::Reach;
use portcullis_chains::caip::Address;
use portcullis_chains::{Amount, AssetId};
use portcullis_client::GateError;
use portcullis_node::{HttpNode, Node as _, NodeError};
use serde_json::json;
use std::time::Duration;

/// The chain id that anvil and other local nodes use.
const LOCAL: u64 = 31337;
/// What the wallet is given: 1,000 of the chain's coin.
const GIFT: Amount = Amount(1_000_000_000_000_000_000_000);
/// Less than this is too little for a demonstration and its fee.
const ENOUGH: Amount = Amount(1_000_000_000_000_000_000);
const PATIENCE: Duration = Duration::from_secs(5);

/// The first wallet's chain.
pub(super) struct Chain<'a> {
    reach: &'a Reach,
    node: HttpNode,
    url: &'a str,
    id: u64,
    wallet: [u8; 20],
}

impl<'a> Chain<'a> {
    pub(super) fn of(reach: &'a Reach) -> Result<Self, Failure> {
        let none = || Failure::usage("client.toml names no node of the wallet's chain", "");
        let wallet = reach.network.genesis().wallets.first().ok_or_else(none)?;
        let chain = wallet.address.chain().evm().ok_or_else(none)?;
        let address = wallet.address.evm().ok_or_else(none)?;
        let url = reach.nodes.get(&wallet.address.chain()).ok_or_else(none)?;
        let node = HttpNode::new(url, chain, PATIENCE).map_err(|error| silent(url, &error))?;
        Ok(Self {
            reach,
            node,
            url,
            id: chain,
            wallet: address,
        })
    }

    pub(super) fn asset(&self) -> AssetId {
        AssetId::EvmNative { chain: self.id }
    }

    pub(super) fn address(&self, address: [u8; 20]) -> Address {
        Address::Evm {
            chain: self.id,
            address,
        }
    }

    pub(super) fn balance(&self, address: [u8; 20]) -> Result<Amount, Failure> {
        self.node
            .balance(address)
            .map_err(|error| silent(self.url, &error))
    }

    /// See that the wallet can pay. A local node makes money; elsewhere somebody has to send some.
    pub(super) fn fund(&self) -> Result<(), Failure> {
        say("\nthe wallet");
        let wallet = self.address(self.wallet);
        if self.balance(self.wallet)? < ENOUGH {
            if self.id != LOCAL {
                let what = format!("the wallet {wallet} has too little to show anything");
                return Err(Failure::usage(what, "send it some of the chain's coin"));
            }
            self.make_money()?;
        }
        let balance = both(
            self.balance(self.wallet)?,
            self.asset(),
            &self.reach.decimals,
        );
        say(format_args!("  address       {wallet}"));
        say(format_args!("  balance       {balance}"));
        Ok(())
    }

    fn make_money(&self) -> Result<(), Failure> {
        let params = json!([
            format!("0x{}", hex::encode(self.wallet)),
            format!("0x{:x}", GIFT.0)
        ]);
        let body =
            json!({"jsonrpc": "2.0", "id": 1, "method": "anvil_setBalance", "params": params});
        let headers = [("content-type", "application/json")];
        let bytes = body.to_string().into_bytes();
        let http = &self.reach.machine.http;
        http.post(self.url, &headers, &bytes, 64 * 1024, PATIENCE)
            .map_err(GateError::from)?;
        if self.balance(self.wallet)? < ENOUGH {
            let what = format!(
                "the node at {} does not give money away as anvil does",
                self.url
            );
            return Err(Failure::usage(what, "send the wallet some, or use anvil"));
        }
        say("  given         1000 of the chain's coin, by anvil_setBalance");
        Ok(())
    }
}

fn silent(url: &str, error: &NodeError) -> Failure {
    let what = format!("the node at {url}: {error}");
    Failure::new(
        Exit::NoAnswer,
        what,
        "start it, or name another in client.toml",
    )
}
