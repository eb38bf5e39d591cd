//! The client against a real node and against a hostile one, the tracker against made-up chains.

mod answers;
mod anvil;
mod hostile;
mod on_anvil;
mod server;
mod tracking;

use portcullis_chains::ethereum::{Fees, SignedTx, Transfer};
use portcullis_chains::{Address, Amount, AssetId};
use portcullis_core::Time;
use portcullis_keys::WalletKey;
use portcullis_keys::software::SoftwareWallet;
use zeroize::Zeroizing;

use crate::Tracker;

/// The chain id that anvil has by default.
const CHAIN: u64 = 31337;

const PAYEE: [u8; 20] = [0x22; 20];

/// The first of the accounts to which anvil gives ether; its secret is public.
fn wallet() -> SoftwareWallet {
    let secret = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    SoftwareWallet::new(&Zeroizing::new(
        hex::decode(secret).unwrap().try_into().unwrap(),
    ))
    .unwrap()
}

fn ether() -> AssetId {
    AssetId::EvmNative { chain: CHAIN }
}

fn token(contract: [u8; 20]) -> AssetId {
    AssetId::EvmErc20 {
        chain: CHAIN,
        contract,
    }
}

fn at(address: [u8; 20]) -> Address {
    Address::Evm {
        chain: CHAIN,
        address,
    }
}

/// Fees above what anvil asks for, in gwei.
fn gwei(max: u128, tip: u128) -> Fees {
    Fees::new(max * 1_000_000_000, tip * 1_000_000_000, 100_000).unwrap()
}

fn pay(asset: AssetId, amount: u128, nonce: u64) -> SignedTx {
    pay_with(asset, amount, nonce, gwei(10, 1))
}

fn pay_with(asset: AssetId, amount: u128, nonce: u64, fees: Fees) -> SignedTx {
    signed(Transfer::new(asset, at(PAYEE), Amount(amount), nonce, fees).unwrap())
}

fn signed(transfer: Transfer) -> SignedTx {
    let unsigned = transfer.build();
    let signature = wallet().sign(&unsigned.sighash()).unwrap();
    SignedTx::assemble(unsigned, signature)
}

/// Whether the newest attempt is to be broadcast now.
fn is_due(tracker: &Tracker, now: Time) -> bool {
    tracker.due().is_some_and(|at| at <= now)
}
