//! `sign`: the wallet's key, bare; how it grows with signers; and with the evidence checked before.

use super::Setting;
use super::cpu::{of_process, of_thread, per_second};
use super::decide::{Stage, evidence_checked};
use super::floor;
use super::row::{Row, cores, median};
use crate::failure::Failure;
use portcullis_keys::WalletKey as _;
use portcullis_keys::software::SoftwareWallet;
use std::hint::black_box;
use std::thread;
use zeroize::Zeroizing;

/// What an exchange of the largest size would ask for.
const WANTED: f64 = 50_000.0;

pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let calls = setting.size(5_000, 200);
    // Turn about, so that whatever else the machine does meanwhile does it to both.
    let (rounds, took) = of_thread(|| {
        let round = |_| Ok((bare(calls)?, floor::secp256k1_sign(calls)));
        (0..3).map(round).collect::<Result<Vec<_>, Failure>>()
    });
    let rounds = rounds?;
    let ours = median(rounds.iter().map(|round| round.0).collect());
    let library = median(rounds.iter().map(|round| round.1).collect());
    let one = Row::new("sign", ours, "us/signature", took.wall).against_cost(library, 0.9);
    let one = one.note("floor: libsecp256k1's recoverable signature in a tight loop");
    Ok(vec![one, linear(calls)?, checked(setting)?])
}

fn wallet(number: u8) -> Result<SoftwareWallet, Failure> {
    let secret = Zeroizing::new([number; 32]);
    SoftwareWallet::new(&secret).map_err(|error| Failure::usage(error, ""))
}

fn bare(calls: u64) -> Result<f64, Failure> {
    let wallet = wallet(7)?;
    let mut digest = [0_u8; 32];
    Ok(floor::each(calls, || {
        digest[0] = digest[0].wrapping_add(1);
        let _ = black_box(wallet.sign(&digest));
    }))
}

/// Signers share nothing, so each core adds one: signatures for each second of a core, on one thread
/// and on as many as there are cores.
fn linear(calls: u64) -> Result<Row, Failure> {
    let calls = calls * 20;
    let signers = cores();
    let one = per_core_second(1, calls)?;
    let all = per_core_second(signers, calls)?;
    let row = Row::new("sign-linear", all.0, "signatures/core-s", all.1);
    let row = row.against_rate(one.0, 0.9);
    Ok(row.note(format!("{signers} signers at once against one")))
}

fn per_core_second(signers: usize, calls: u64) -> Result<(f64, std::time::Duration), Failure> {
    let wallets: Result<Vec<_>, _> = (1..).take(signers).map(wallet).collect();
    let wallets = wallets?;
    let ((), took) = of_process(|| {
        thread::scope(|scope| {
            for wallet in &wallets {
                scope.spawn(move || {
                    for call in 0..calls {
                        let mut digest = [0_u8; 32];
                        digest[..8].copy_from_slice(&call.to_be_bytes());
                        let _ = black_box(wallet.sign(&digest));
                    }
                });
            }
        });
    });
    let count = calls * signers as u64;
    Ok((per_second(count, took.cpu), took.wall))
}

/// How many cores pass 50,000 signatures a second with the evidence of each checked on a replica.
fn checked(setting: &Setting) -> Result<Row, Failure> {
    let mut stage = Stage::new(setting)?;
    let (each, took) = evidence_checked(&mut stage, setting.size(5_000, 100))?;
    let row = Row::new("sign-checked", each * WANTED / 1e6, "cores", took.wall);
    Ok(row.batch(1).note(format!(
        "to pass {WANTED} signatures/s whose entry was parsed, hashed and decided again: {each:.0} us \
         each, partitions apart",
    )))
}
