//! A wallet service, as small as one can be: checks one mandate, notes that it is about to be paid, and says what to pay.
//!
//! ```sh
//! cargo run -p portcullis-mandate --example wallet_service -- NETWORK WALLET KEY payments.table <mandate
//! ```
//!
//! NETWORK is the digest of the genesis, WALLET the wallet's id in it and KEY the statement key of the wallet's signer, all
//! in hexadecimal and pinned by hand. A service with a database has a unique key on the act in the place of the table.

use portcullis_mandate::{MAX_SIGNED, Once, Refused, Verifier};
use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// A line for each act that was ever about to be paid. One process at a time has it.
struct Payments(PathBuf);

impl Once for Payments {
    type Error = io::Error;

    fn first(&mut self, act: &[u8; 32]) -> Result<bool, io::Error> {
        let act = hex::encode(act);
        let mut options = OpenOptions::new();
        let mut table = options.read(true).append(true).create(true).open(&self.0)?;
        table.lock()?;
        for line in BufReader::new(&table).lines() {
            if line? == act {
                return Ok(false);
            }
        }
        // Durable before anything is paid: a crash from here on pays by hand or not at all, and never twice.
        writeln!(table, "{act}")?;
        table.sync_all()?;
        folder(&self.0)?.sync_all()?;
        Ok(true)
    }
}

/// A new file is there for good once its folder is.
fn folder(file: &std::path::Path) -> io::Result<File> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| ".".as_ref()))
}

fn main() -> ExitCode {
    match pay_one() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "nothing is paid: {error}");
            ExitCode::FAILURE
        }
    }
}

fn pay_one() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [network, wallet, key, table] = arguments.as_slice() else {
        return Err("usage: wallet_service NETWORK WALLET KEY TABLE <MANDATE".into());
    };
    let verifier = Verifier {
        network: pinned(network)?,
        wallet: pinned(wallet)?,
        keys: vec![pinned(key)?],
    };
    let mut signed = Vec::new();
    let most = u64::try_from(MAX_SIGNED)?.saturating_add(1);
    io::stdin().take(most).read_to_end(&mut signed)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let admitted = verifier.admit(&signed, now.try_into()?, &mut Payments(table.into()));
    let payment = admitted.map_err(|refused| match refused {
        Refused::Unknown(error) => format!("the table of payments: {error}"),
        known => known.to_string(),
    })?;
    let (amount, asset, to) = (payment.amount, payment.asset, payment.to);
    writeln!(io::stdout(), "pay {amount} of {asset} to {to}")?;
    Ok(())
}

fn pinned<const N: usize>(text: &str) -> Result<[u8; N], Box<dyn Error>> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes)?;
    Ok(bytes)
}
