//! The configurations of a development network's processes, with a word on each line.

use super::development::{FEE_CEILING, FEE_CEILING_SATS};
use super::terms::Terms;
use super::{Asset, Bitcoin};
use crate::folder::Folder;
use crate::keyring::purpose;
use portcullis_chains::AssetId;
use portcullis_core::Network;
use portcullis_core::genesis::Wallet;
use std::fmt::Write as _;
use std::net::SocketAddr;

/// The name in the witness' vkey.
pub(crate) const WITNESS_NAME: &str = "witness.localhost";

/// The platform's name, as customers know it.
const PLATFORM: &str = "Development";

/// The key that the herald's mail is signed with, among the keys.
pub(super) const DKIM_KEY: &str = "herald-dkim.pem";

/// The most that a unit of gas may cost, in wei: 200 gwei.
const MAX_FEE_PER_GAS: u64 = 200_000_000_000;
/// How much of that may be a tip: 2 gwei.
const MAX_TIP: u64 = 2_000_000_000;
/// The most that 1,000 virtual bytes may cost, in satoshis.
const MAX_FEE_PER_KVB: u64 = 100_000;
/// Seconds after which a transaction from coins gets a higher fee.
const BUMP_AFTER: u64 = 3_600;

/// Where the processes listen, all on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) gate: u16,
    pub(super) witness: u16,
}

/// What the files are written from.
pub(super) struct Setting<'a> {
    pub(super) network: &'a Network,
    pub(super) assets: &'a [Asset],
    pub(super) terms: &'a Terms,
    pub(super) node: &'a str,
    pub(super) bitcoin: Option<&'a Bitcoin>,
    pub(super) ports: Ports,
    /// The herald's mail server, where the network has a herald.
    pub(super) mail: Option<SocketAddr>,
}

impl Setting<'_> {
    /// Every file's name and text.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, String)> {
        let files = [
            (Folder::GATE, self.gate()),
            (Folder::SIGNER, self.signer()),
            (Folder::WITNESS, self.witness()),
            (Folder::CLIENT, self.client()),
        ];
        let herald = self.mail.map(|mail| (Folder::HERALD, self.herald(mail)));
        files.into_iter().chain(herald)
    }

    fn pinned(&self) -> String {
        let digest = self.network.digest();
        format!(
            "genesis = \"{}\"\n\
             # Pinned by hand in production: compare it with every administrator by voice.\n\
             genesis_digest = \"{digest}\"\n",
            Folder::GENESIS
        )
    }

    fn boards(&self) -> String {
        let mut text = "\n# Stop boards, by their id in genesis.\n[boards]\n".to_owned();
        for board in &self.network.genesis().boards {
            let _ = writeln!(text, "{} = \"{}\"", board.id, self.witness_url());
        }
        text
    }

    fn gate_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.gate)
    }

    fn witness_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.witness)
    }

    fn chains(&self) -> Vec<String> {
        let wallets = self.network.genesis().wallets.iter();
        let of_ours = |wallet: &&Wallet| wallet.bitcoin.is_none() && wallet.mandate.is_none();
        let wallets = wallets.filter(of_ours);
        let mut chains: Vec<_> = wallets
            .map(|wallet| wallet.address.chain().to_string())
            .collect();
        chains.dedup();
        chains
    }

    fn gate(&self) -> String {
        let (gate, node) = (self.ports.gate, self.node);
        let mut text = format!(
            "# The gate: portcullis serve --config gate.toml\n{}\
             key_file = \"keys/gate.keys\"\n\
             passphrase_file = \"keys/gate.passphrase\"\n\
             log_key = \"{}\"\n\
             journal = \"{}\"\n\
             listen = \"127.0.0.1:{gate}\"\n\
             # The names under which clients reach it: a request's signature covers one.\n\
             authorities = [\"127.0.0.1:{gate}\", \"localhost:{gate}\"]\n\
             \n# Witnesses, by the name in their vkey.\n[witnesses]\n\"{WITNESS_NAME}\" = \"{}\"\n",
            self.pinned(),
            purpose::LOG,
            Folder::JOURNAL,
            self.witness_url(),
        );
        text += &self.boards();
        for chain in self.chains() {
            let _ = write!(
                text,
                "\n[chains.\"{chain}\"]\nnode = \"{node}\"\n# In wei.\n\
                 max_fee_per_gas = {MAX_FEE_PER_GAS}\nmax_priority_fee_per_gas = {MAX_TIP}\n"
            );
        }
        if let Some(bitcoin) = self.bitcoin {
            let _ = write!(
                text,
                "\n[coins.\"{}\"]\nnode = \"{}\"\ncredentials = \"{}\"\n\
                 # In satoshis per 1,000 virtual bytes.\nmax_fee_per_kvb = {MAX_FEE_PER_KVB}\n\
                 # As the signer's.\nconfirmations = 1\nbump_after_seconds = {BUMP_AFTER}\n",
                Bitcoin::CHAIN,
                bitcoin.node,
                bitcoin.credentials.display(),
            );
        }
        text
    }

    fn signer(&self) -> String {
        let genesis = self.network.genesis();
        let keeper = genesis.keepers.first().map(|keeper| keeper.id.to_string());
        let mut text = format!(
            "# The signer: portcullis signer --config signer.toml\n{}\
             keeper = \"{}\"\n\
             gate = \"{}\"\n\
             data = \"data/signer\"\n{}\
             \n[keys]\nfile = \"keys/signer.keys\"\npassphrase_file = \"keys/signer.passphrase\"\n\
             statement = \"{}\"\n",
            self.pinned(),
            keeper.unwrap_or_default(),
            self.gate_url(),
            self.boards(),
            purpose::STATEMENT,
        );
        let signed = genesis.wallets.iter();
        let signed = signed.filter(|wallet| wallet.mandate.is_none());
        let (coins, others): (Vec<_>, Vec<_>) = signed.partition(|wallet| wallet.bitcoin.is_some());
        if !others.is_empty() {
            text += "\n[keys.wallets]\n";
        }
        for wallet in others {
            let _ = writeln!(text, "{} = \"{}\"", wallet.id, purpose::WALLET);
        }
        if let Some(bitcoin) = self.bitcoin {
            text += "\n[keys.coins]\n";
            for wallet in coins {
                let _ = writeln!(text, "{} = [\"{}\"]", wallet.id, purpose::COINS);
            }
            let _ = write!(
                text,
                "\n[[chains]]\nid = \"{}\"\nnode = \"{}\"\ncredentials = \"{}\"\n\
                 confirmations = 1\n\
                 # The most that one transaction may cost, in satoshis, and 1,000 virtual bytes of it.\n\
                 max_fee = \"{FEE_CEILING_SATS}\"\nmax_fee_per_kvb = {MAX_FEE_PER_KVB}\n",
                Bitcoin::CHAIN,
                bitcoin.node,
                bitcoin.credentials.display(),
            );
        }
        for chain in self.chains() {
            let _ = write!(
                text,
                "\n[[chains]]\nid = \"{chain}\"\nnode = \"{}\"\nconfirmations = 1\n\
                 # The most that one transaction, and a unit of gas, may cost, in wei.\n\
                 max_fee = \"{FEE_CEILING}\"\nmax_fee_per_gas = \"{MAX_FEE_PER_GAS}\"\n",
                self.node
            );
        }
        text + &self.bounds()
    }

    /// What the signer never passes, and whom it calls.
    fn bounds(&self) -> String {
        let mut text =
            "\n# Hard caps, in base units: no journal entry can change them.\n".to_owned();
        for cap in &self.terms.caps {
            let _ = write!(
                text,
                "\n[[caps]]\nasset = \"{}\"\nper_transaction = \"{}\"\nday = \"{}\"\n",
                cap.asset, cap.per_transaction, cap.day,
            );
        }
        if self.terms.enrolments_per_day.is_some() || self.terms.by_code {
            text += "\n[floors]\n";
        }
        if self.terms.by_code {
            text += "# The limits say how little a code alone lets out.\nfactor = \"totp\"\n";
        }
        if let Some(most) = self.terms.enrolments_per_day {
            let _ = write!(
                text,
                "first_enrolments_per_day = {most}\nre_enrolments_per_day = {most}\n"
            );
        }
        if let Some(webhook) = &self.terms.webhook {
            let _ = write!(text, "\n[alarms]\nwebhook = \"{webhook}\"\n");
        }
        text
    }

    fn herald(&self, mail: SocketAddr) -> String {
        let keeper = self.network.herald().map(|keeper| keeper.id.to_string());
        format!(
            "# The herald: portcullis herald --config herald.toml\n{}\
             keeper = \"{}\"\n\
             gate = \"{}\"\n\
             data = \"data/herald\"\n\
             name = \"{PLATFORM}\"\n\
             # Where customers reach the stop boards' pages: the links in notices lead there.\n\
             pages = [\"{}\"]\n\
             # Who is told of what the platform itself changes.\n\
             staff = [{{ mail = \"duty@localhost\" }}]\n{}\
             \n# How letters write amounts.\n[assets]\n{}\
             \n[keys]\nfile = \"keys/herald.keys\"\npassphrase_file = \"keys/herald.passphrase\"\n\
             statement = \"{}\"\nsealing = \"{}\"\n\
             \n[mail]\nserver = \"{}\"\nport = {}\nsecurity = \"plaintext-loopback\"\n\
             from = \"notices@localhost\"\ngreeting = \"localhost\"\n\
             \n[mail.dkim]\ndomain = \"localhost\"\nselector = \"development\"\n\
             key_file = \"{}/{DKIM_KEY}\"\n",
            self.pinned(),
            keeper.unwrap_or_default(),
            self.gate_url(),
            self.witness_url(),
            self.boards(),
            self.written(),
            purpose::STATEMENT,
            purpose::SEALING,
            mail.ip(),
            mail.port(),
            Folder::KEYS,
        )
    }

    fn written(&self) -> String {
        let lines = self.assets.iter().map(|Asset { id, decimals }| {
            let symbol = match id {
                AssetId::EvmNative { .. } => ", symbol = \"ETH\"",
                AssetId::Bitcoin(_) => ", symbol = \"BTC\"",
                _ => "",
            };
            format!("\"{id}\" = {{ decimals = {decimals}{symbol} }}\n")
        });
        lines.collect()
    }

    fn witness(&self) -> String {
        format!(
            "# Witness and stop board in one process: portcullis witness --config witness.toml\n{}\
             key_file = \"keys/witness.keys\"\n\
             passphrase_file = \"keys/witness.passphrase\"\n\
             # Never restore this from a backup: a witness that forgets can be made to fork.\n\
             data = \"data/witness\"\n\
             listen = \"127.0.0.1:{}\"\n\
             # As customers know it: for the page behind the links in notices.\n\
             name = \"{PLATFORM}\"\n\
             \n[witness]\nkey = \"{}\"\n\n[board]\nkey = \"{}\"\n",
            self.pinned(),
            self.ports.witness,
            purpose::WITNESS,
            purpose::BOARD,
        )
    }

    fn client(&self) -> String {
        let mut text = format!(
            "# Whoever asks: portcullis call, approve, suspend, status, doctor, demo\n{}\
             gate = \"{}\"\n# Key files by name.\nkeys = \"{}\"\n{}\
             \n# Nodes that doctor and demo ask.\n[nodes]\n",
            self.pinned(),
            self.gate_url(),
            Folder::KEYS,
            self.boards(),
        );
        for chain in self.chains() {
            let _ = writeln!(text, "\"{chain}\" = \"{}\"", self.node);
        }
        text += "\n# Digits after the point, for people. The journal knows base units only.\n";
        text += "[decimals]\n";
        for asset in self.assets {
            let _ = writeln!(text, "\"{}\" = {}", asset.id, asset.decimals);
        }
        text
    }
}
