//! The network that a drill plays on, and everybody on its staff: handed in, because making keys and
//! configurations is the binary's business.

use portcullis_chains::{Amount, AssetId};
use portcullis_client::{Board, Gate, Issuer, Machine, RequestSigner};
use portcullis_core::id::PrincipalId;
use portcullis_core::limits::Limits;
use portcullis_core::{Digest, Network, Span};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the network is to be.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Its folder; not there yet.
    pub folder: PathBuf,
    /// The Ethereum node, and its chain.
    pub node: String,
    /// The Bitcoin node, and for how long withdrawals wait to be paid together.
    pub coins: CoinsWish,
    /// The EIP-155 chain id.
    pub chain: u64,
    /// Where the signer's alarms go.
    pub webhook: String,
    /// The herald's mail server.
    pub mail: SocketAddr,
    /// The file that moves time.
    pub clock: PathBuf,
    /// The delay of new addresses and factors.
    pub delay: Span,
    /// Limits.
    pub limits: Limits,
    /// What it pays, and the signer's hard caps on each.
    pub caps: Vec<Cap>,
    /// The signer's cap on new factors within 24 hours.
    pub enrolments_per_day: u32,
}

/// The wallet of coins that it is to have, on regtest.
#[derive(Clone, Debug)]
pub struct CoinsWish {
    /// The node, by the wallet that watches.
    pub node: String,
    /// The file that lets gate and signer in.
    pub credentials: PathBuf,
    /// For how long withdrawals wait to be paid together.
    pub batch: Span,
}

/// The signer's hard cap on an asset, in base units.
#[derive(Clone, Copy, Debug)]
pub struct Cap {
    /// CAIP-19.
    pub asset: AssetId,
    /// How people write its amounts: so many digits behind the point.
    pub decimals: u8,
    /// The largest single release.
    pub per_transaction: Amount,
    /// The most within any 24 hours.
    pub day: Amount,
}

/// Makes networks.
pub trait Founder: Sync {
    /// Make the network in its folder, nothing started; what went wrong as text.
    fn found(&self, wish: &Wish) -> Result<Cast, String>;
}

/// A network's people, services and addresses.
#[derive(Clone)]
pub struct Cast {
    /// The network.
    pub network: Arc<Network>,
    /// The gate.
    pub gate: Gate,
    /// The stop board.
    pub board: Board,
    /// The network's clock, this machine's randomness and connections.
    pub machine: Machine,
    /// The platform's back end.
    pub back_end: Member,
    /// An operator.
    pub operator: Member,
    /// Support, whom customers call.
    pub support: Member,
    /// Administrators, at least a quorum of them.
    pub administrators: Vec<Member>,
    /// The platform's onboarding.
    pub onboarding: Issuer,
    /// The platform's ledger.
    pub ledger: Issuer,
    /// The processes' configurations, by subcommand.
    pub configs: Configs,
}

/// Where things of the network stand.
#[derive(Clone, Debug)]
pub struct Configs {
    /// The witness and stop board.
    pub witness: PathBuf,
    /// The gate.
    pub gate: PathBuf,
    /// The signer.
    pub signer: PathBuf,
    /// The herald.
    pub herald: PathBuf,
    /// The journal's folder.
    pub journal: PathBuf,
}

/// A member of staff, or a service.
#[derive(Clone)]
pub struct Member {
    /// With which key.
    pub signer: RequestSigner,
    /// Who.
    pub principal: PrincipalId,
}

impl Cast {
    /// The genesis digest.
    #[must_use]
    pub fn genesis(&self) -> Digest {
        self.network.digest()
    }

    /// The paying wallets' addresses, one on each chain.
    #[must_use]
    pub fn wallets(&self) -> Vec<portcullis_chains::Address> {
        let wallets = self.network.genesis().wallets.iter();
        wallets.map(|wallet| wallet.address).collect()
    }

    /// The journal's folder.
    #[must_use]
    pub fn journal(&self) -> &Path {
        &self.configs.journal
    }
}
