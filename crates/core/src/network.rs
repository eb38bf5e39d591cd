//! The network that a genesis describes: the statement itself with its keys parsed once.

use crate::digest::Digest;
use crate::genesis::{
    Genesis, GenesisFault, Issuer, IssuerKind, Keeper, KeeperKind, SignedGenesis, Wallet,
};
use crate::id::{BoardId, IssuerId, KeeperId, WalletId};
use crate::passkey::RelyingParty;
use crate::realm::Realm;
use crate::signature::{PublicKey, Verify};
use crate::time::Span;
use portcullis_tlog::{LogKey, Quorum};

/// A checked genesis. Exists only for one that is sound and signed by every administrator.
#[derive(Clone, Debug)]
pub struct Network {
    signed: SignedGenesis,
    digest: Digest,
    log: LogKey,
    quorum: Quorum,
}

impl Network {
    /// Check canonical genesis bytes against the digest that was pinned by hand.
    pub fn open(bytes: &[u8], pinned: Digest, verify: &dyn Verify) -> Result<Self, GenesisFault> {
        let network = Self::new(SignedGenesis::parse(bytes)?, verify)?;
        if network.digest == pinned {
            Ok(network)
        } else {
            Err(GenesisFault::NotPinned)
        }
    }

    /// Check a signed genesis. Only for whoever makes it, or pins its digest right after.
    pub fn new(signed: SignedGenesis, verify: &dyn Verify) -> Result<Self, GenesisFault> {
        signed.check(verify)?;
        let (log, quorum) = keys(&signed.genesis)?;
        let digest = signed.genesis.digest();
        Ok(Self {
            signed,
            digest,
            log,
            quorum,
        })
    }

    /// Check a statement that nobody has signed yet: all that [`Network::new`] will ask of it but
    /// the signatures.
    pub fn check_draft(genesis: &Genesis) -> Result<(), GenesisFault> {
        genesis.check()?;
        keys(genesis).map(|_| ())
    }

    /// The statement.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.signed.genesis
    }

    /// The statement with its signatures: the journal's entry 0.
    #[must_use]
    pub fn signed(&self) -> &SignedGenesis {
        &self.signed
    }

    /// The genesis digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The journal's key.
    #[must_use]
    pub fn log(&self) -> &LogKey {
        &self.log
    }

    /// The witnesses that the network begins with, and their quorum. Which count for a checkpoint is state's
    /// to say: [`State::cosigned`](crate::State::cosigned).
    #[must_use]
    pub fn quorum(&self) -> &Quorum {
        &self.quorum
    }

    /// The shortest delay.
    #[must_use]
    pub fn delay_floor(&self) -> Span {
        self.genesis().delay_floor
    }

    /// A realm's relying party.
    #[must_use]
    pub fn relying_party(&self, realm: Realm) -> Option<&RelyingParty> {
        let party = self
            .genesis()
            .parties
            .iter()
            .find(|party| party.realm == realm);
        party.map(|party| &party.relying_party)
    }

    /// The key of an issuer whose word counts for `kind`.
    #[must_use]
    pub fn issuer(&self, id: IssuerId, kind: IssuerKind) -> Option<&Issuer> {
        self.genesis()
            .issuers
            .iter()
            .find(|issuer| issuer.id == id && issuer.kind == kind)
    }

    /// A keeper.
    #[must_use]
    pub fn keeper(&self, id: KeeperId) -> Option<&Keeper> {
        self.genesis().keepers.iter().find(|keeper| keeper.id == id)
    }

    /// The herald, where genesis names one: delays wait for its word then.
    #[must_use]
    pub fn herald(&self) -> Option<&Keeper> {
        let mut keepers = self.genesis().keepers.iter();
        keepers.find(|keeper| keeper.kind == KeeperKind::Herald)
    }

    /// A stop board's key.
    #[must_use]
    pub fn board(&self, id: BoardId) -> Option<&PublicKey> {
        self.genesis()
            .boards
            .iter()
            .find(|board| board.id == id)
            .map(|board| &board.key)
    }

    /// A wallet.
    #[must_use]
    pub fn wallet(&self, id: WalletId) -> Option<&Wallet> {
        self.genesis().wallets.iter().find(|wallet| wallet.id == id)
    }
}

fn keys(genesis: &Genesis) -> Result<(LogKey, Quorum), GenesisFault> {
    let log: LogKey = genesis.log.vkey.parse().map_err(GenesisFault::LogKey)?;
    if log.name().as_str() != genesis.log.origin {
        return Err(GenesisFault::LogName);
    }
    Ok((log, genesis.witnesses.quorum()?))
}
