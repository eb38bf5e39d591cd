//! What keeps the Ethereum node of a drill going: a block every second, and a pool that forgets nothing.
//!
//! The node makes a block of each transaction that comes. Its own clockwork for what these leave out stops
//! under load, so blocks are asked for here. And a transaction that comes while its predecessor is being
//! put into a block is filed among those that wait for a predecessor, for good, with all that follow it
//! (the account's next nonce stands under `queued`): taken out and handed in again, they go.

use crate::chain::Chain;
use crate::error::DrillError;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// How often a block is made of what waits.
const BLOCKS: Duration = Duration::from_secs(1);

/// Works until it is dropped.
pub(crate) struct Miner(Arc<AtomicBool>);

impl Miner {
    pub(crate) fn start(chain: Chain) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        std::thread::spawn(move || {
            while !stopping.load(Ordering::Relaxed) {
                // A node that does not answer now is asked again.
                let _ = chain.rpc("evm_mine", &json!([]));
                let _ = hand_in_again(&chain);
                sleep(BLOCKS);
            }
        });
        Self(stop)
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Every account's next transaction that waits for a predecessor although there is none.
fn hand_in_again(chain: &Chain) -> Result<(), DrillError> {
    if chain.rpc("txpool_status", &json!([]))?["queued"] == "0x0" {
        return Ok(());
    }
    let pool = chain.rpc("txpool_content", &json!([]))?;
    for (sender, waiting) in pool["queued"].as_object().into_iter().flatten() {
        let count = chain.rpc("eth_getTransactionCount", &json!([sender, "latest"]))?;
        if let Some(hash) = next_of(waiting, &count) {
            let bytes = chain.rpc("eth_getRawTransactionByHash", &json!([hash]))?;
            chain.rpc("anvil_dropTransaction", &json!([hash]))?;
            chain.rpc("eth_sendRawTransaction", &json!([bytes]))?;
        }
    }
    Ok(())
}

/// The hash of the transaction whose nonce is an account's count, which the pool lists by decimal nonces.
fn next_of<'a>(waiting: &'a Value, count: &Value) -> Option<&'a Value> {
    let count = count.as_str()?.strip_prefix("0x")?;
    let count = u64::from_str_radix(count, 16).ok()?;
    waiting.get(count.to_string())?.get("hash")
}
