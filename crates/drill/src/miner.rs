//! What keeps the Ethereum node of a drill going: a block every second, and a pool that forgets nothing.
//!
//! The node makes a block of each transaction that comes. Its own clockwork for what these leave out stops
//! under load, so blocks are asked for here. And a transaction that comes while its predecessor is being
//! put into a block is filed among those that wait for a predecessor, for good, with all that follow it
//! (the account's next nonce stands under `queued`). Taken out of the pool and handed in again, they go.

use crate::chain::Chain;
use crate::error::DrillError;
use serde_json::{Value, json};
use std::collections::BTreeMap;
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

/// Hand in again what every account has waiting behind a transaction whose turn has come.
///
/// One that arrives between the two calls is lost to the node: whoever sent it sends it again.
fn hand_in_again(chain: &Chain) -> Result<(), DrillError> {
    if chain.rpc("txpool_status", &json!([]))?["queued"] == "0x0" {
        return Ok(());
    }
    let pool = chain.rpc("txpool_content", &json!([]))?;
    for (sender, waiting) in pool["queued"].as_object().into_iter().flatten() {
        let count = chain.rpc("eth_getTransactionCount", &json!([sender, "latest"]))?;
        let waiting = by_nonce(waiting);
        let next = waiting.first_key_value().map(|(nonce, _)| *nonce);
        if next.is_some() && next == number(&count) {
            let bytes = waiting.values();
            let bytes = bytes.map(|hash| chain.rpc("eth_getRawTransactionByHash", &json!([hash])));
            let bytes: Vec<Value> = bytes.collect::<Result<_, _>>()?;
            chain.rpc("anvil_removePoolTransactions", &json!([sender]))?;
            // All of them, whatever becomes of one: it is out of the pool, and would be lost.
            let sent = bytes
                .iter()
                .map(|bytes| chain.rpc("eth_sendRawTransaction", &json!([bytes])));
            let sent: Vec<Result<Value, DrillError>> = sent.collect();
            sent.into_iter().collect::<Result<Vec<Value>, _>>()?;
        }
    }
    Ok(())
}

/// The hashes of an account's transactions, which the pool lists by decimal nonces.
fn by_nonce(waiting: &Value) -> BTreeMap<u64, &Value> {
    let each = waiting.as_object().into_iter().flatten();
    let each = each.filter_map(|(nonce, tx)| Some((nonce.parse().ok()?, tx.get("hash")?)));
    each.collect()
}

fn number(quantity: &Value) -> Option<u64> {
    u64::from_str_radix(quantity.as_str()?.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Anvil;
    use std::path::Path;

    const RICH: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";

    /// The node is brought to where its own race leaves it: what waits for nonce 4 and stands at it.
    #[test]
    fn what_waits_although_its_turn_has_come_is_mined() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../.peers/node_modules/@foundry-rs"
        );
        let binary = Path::new(path).join("anvil-linux-amd64/bin/anvil");
        if !binary.exists() {
            println!("skipped: no anvil, run script/install");
            return;
        }
        let logs = tempfile::tempdir().expect("a folder");
        let anvil = Anvil::start(&binary, logs.path()).expect("a node");
        let chain = Chain::at(anvil.url()).expect("its address");
        let send = |nonce: u64| {
            let tx = json!([{ "from": RICH, "to": RICH, "nonce": format!("0x{nonce:x}") }]);
            chain.rpc("eth_sendTransaction", &tx)
        };
        for nonce in [4, 5, 6] {
            send(nonce).expect("taken");
        }
        let status = chain.rpc("txpool_status", &json!([])).expect("a status");
        assert_eq!(status["queued"], "0x3");
        crate::wait::until("all three in blocks", || {
            let count = chain.rpc("eth_getTransactionCount", &json!([RICH, "latest"]))?;
            let count = number(&count).unwrap_or_default();
            // A block that is being made meanwhile is of the state before, and takes this back.
            if count < 4 {
                chain.rpc("anvil_setNonce", &json!([RICH, "0x4"]))?;
            }
            // What the node lost between being asked to forget and being handed it again, its sender sends again.
            let pool = chain.rpc("txpool_status", &json!([]))?;
            if count >= 4 && pool["queued"] == "0x0" && pool["pending"] == "0x0" {
                for nonce in count..7 {
                    let _ = send(nonce);
                }
            }
            Ok((count == 7).then_some(()))
        })
        .expect("mined");
    }
}
