//! A network for development, complete: keys, genesis, configurations. Everything on one machine and
//! every passphrase beside its key, so it shows how things work and protects nothing.

use super::configs::{self, Ports};
use super::terms::Terms;
use super::{Bitcoin, LockArg, Wishes};
use crate::failure::Failure;
use crate::files;
use crate::folder::Folder;
use crate::keyring::{self, KeyPaths, purpose};
use crate::out::{json, say};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, BitcoinAddress};
use portcullis_contact::SealingSecret;
use portcullis_core::Network;
use portcullis_core::codec::encode;
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::{
    self, Board, CoinKey, Compressed, Genesis, Issuer, IssuerKind, Keeper, KeeperKind, Log, Member,
    Mode, Party, RULES, SignedGenesis, Wallet, Witnesses, XOnly,
};
use portcullis_core::id::{BoardId, IssuerId, KeeperId, PrincipalId, WalletId};
use portcullis_core::passkey::RelyingParty;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::signature::{PublicKey, Strict};
use portcullis_host::{Random, SystemRandom};
use portcullis_keys::{CoinKey as _, KeyFile, Kind, StatementKey as _, WalletKey as _};
use portcullis_node::HttpNode;
use portcullis_tlog::{KeyName, LogKey, WitnessKey};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The administrators' key files.
pub(crate) const ADMINISTRATORS: [&str; 3] =
    ["administrator-1", "administrator-2", "administrator-3"];
const QUORUM: u32 = 2;

/// The rest of the staff, by the names of their key files.
const STAFF: [(&str, Role); 5] = [
    ("back-end", Role::BackEnd),
    ("operator", Role::Operator),
    ("approver", Role::Approver),
    ("support", Role::Support),
    ("auditor", Role::Auditor),
];

/// Where ports are looked for: below those that Linux hands out by itself, and from a random one on,
/// so that two networks made at once, or made and not started, do not meet.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// 0.05 of the chain's coin.
pub(super) const FEE_CEILING: Amount = Amount(50_000_000_000_000_000);

/// 0.001 of a bitcoin.
pub(super) const FEE_CEILING_SATS: Amount = Amount(100_000);

/// Make it all and say where it stands.
pub(super) fn init(folder: &Path, wishes: &Wishes) -> Result<(), Failure> {
    let usual = Terms::usual(&wishes.assets)?;
    let terms = match wishes.mail {
        Some(_) => usual.with_codes(&wishes.assets)?,
        None => usual,
    };
    let (network, ports) = make(folder, wishes, &terms)?;
    tell(folder, &network, ports);
    Ok(())
}

/// Make it all.
pub(super) fn make(
    folder: &Path,
    wishes: &Wishes,
    terms: &Terms,
) -> Result<(Network, Ports), Failure> {
    let folder = Folder(folder.to_owned());
    if folder.file(Folder::GENESIS).exists() || folder.keys().exists() {
        return Err(Failure::usage(
            format!("{} has a network already", folder.path().display()),
            "choose another folder; a genesis is never replaced",
        ));
    }
    let node = node(&folder, wishes)?;
    can_be_asked(&node, wishes.chain)?;
    let ports = ports(wishes.port, &SystemRandom)?;
    keyring::make_folder(&folder.keys())?;
    let maker = Maker {
        keys: folder.keys(),
        random: &SystemRandom,
    };
    let made = maker.genesis(wishes, terms, ports)?;
    let network = Network::new(made, &Strict)?;
    write(&folder, &network)?;
    let setting = configs::Setting {
        network: &network,
        assets: &wishes.assets,
        terms,
        node: &node,
        bitcoin: wishes.bitcoin.as_ref(),
        ports,
        mail: wishes.mail,
    };
    for (name, text) in setting.files() {
        files::write(&folder.file(name), text.as_bytes())?;
    }
    witness_record(&folder)?;
    Ok((network, ports))
}

fn write(folder: &Folder, network: &Network) -> Result<(), Failure> {
    let digest = format!("{}\n", network.digest());
    files::write(
        &folder.file(Folder::GENESIS_JSON),
        json(network.signed()).as_bytes(),
    )?;
    files::write(&folder.file(Folder::DIGEST), digest.as_bytes())?;
    files::write(&folder.file(Folder::GENESIS), &encode(network.signed()))
}

/// A witness begins its record once in its key's life, by hand; this is that moment.
fn witness_record(folder: &Folder) -> Result<(), Failure> {
    let config = portcullis_witness::Config::read(&folder.file(Folder::WITNESS))
        .map_err(|error| Failure::usage(error, ""))?;
    portcullis_witness::init(&config).map_err(|error| Failure::usage(error, ""))
}

fn tell(folder: &Path, network: &Network, ports: Ports) {
    let folder = folder.display();
    say(format_args!("A development network stands in {folder}."));
    say(format_args!("  genesis digest   {}", network.digest()));
    for wallet in &network.genesis().wallets {
        say(format_args!("  wallet           {}", wallet.address));
    }
    say(format_args!(
        "  gate             http://127.0.0.1:{}",
        ports.gate
    ));
    say(format_args!(
        "  start            portcullis serve --all --dir {folder}"
    ));
    say("Every key and passphrase is on this one machine: it shows how Portcullis works and");
    say("protects nothing.");
}

/// The node that was named, or left beside by whoever started one, or anvil's usual place.
fn node(folder: &Folder, wishes: &Wishes) -> Result<String, Failure> {
    if let Some(node) = &wishes.node {
        return Ok(node.clone());
    }
    let left = folder.file(Folder::NODE);
    if left.exists() {
        return Ok(files::read_text(&left)?.trim().to_owned());
    }
    Ok("http://127.0.0.1:8545".to_owned())
}

/// What gate and signer refuse is not written into their configurations.
fn can_be_asked(node: &str, chain: u64) -> Result<(), Failure> {
    let asked = HttpNode::new(node, chain, Duration::from_secs(1));
    let wrong = |error| Failure::usage(format!("the node {node}: {error}"), "name one with --node");
    asked.map(|_| ()).map_err(wrong)
}

/// An Ed25519 key in PEM (PKCS#8, RFC 8410), as the herald signs its mail with.
fn dkim_key(seed: [u8; 32]) -> String {
    const PREFIX: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    let text = BASE64.encode([&PREFIX[..], &seed].concat());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

/// Two free ports in a row.
fn ports(wish: Option<u16>, random: &dyn Random) -> Result<Ports, Failure> {
    let both = |gate: u16| {
        Some(Ports {
            gate,
            witness: gate.checked_add(1)?,
        })
    };
    if let Some(gate) = wish {
        return both(gate).ok_or_else(|| Failure::usage("there is no port after 65535", ""));
    }
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let start = u16::from_be_bytes(random.array());
    let places = PORTS.step_by(2);
    let skip = usize::from(start) % places.len();
    let mut around = places
        .clone()
        .skip(skip)
        .chain(places.take(skip))
        .filter_map(both);
    around
        .find(|ports| is_free(ports.gate) && is_free(ports.witness))
        .ok_or_else(|| Failure::usage("no two ports are free", "name one with --port"))
}

/// Makes keys and ids.
struct Maker<'a> {
    keys: PathBuf,
    random: &'a dyn Random,
}

impl Maker<'_> {
    fn id(&self) -> [u8; 16] {
        self.random.array()
    }

    fn file(&self, name: &str, keys: &[(&str, Kind)]) -> Result<KeyFile, Failure> {
        KeyPaths::named(&self.keys, name).create(keys, self.random)
    }

    /// A key file with one statement key: its public half.
    fn key(&self, name: &str, purpose: &str, kind: Kind) -> Result<PublicKey, Failure> {
        public(&self.file(name, &[(purpose, kind)])?, purpose)
    }

    fn genesis(
        &self,
        wishes: &Wishes,
        terms: &Terms,
        ports: Ports,
    ) -> Result<SignedGenesis, Failure> {
        let witness = self.file(
            "witness",
            &[
                (purpose::WITNESS, Kind::Ed25519),
                (purpose::BOARD, Kind::Ed25519),
            ],
        )?;
        let mut kinds = vec![
            (purpose::STATEMENT, Kind::Ed25519),
            (purpose::WALLET, Kind::Secp256k1),
        ];
        kinds.extend(wishes.bitcoin.iter().map(|_| (purpose::COINS, Kind::Coin)));
        let signer = self.file("signer", &kinds)?;
        let keeper = Keeper {
            id: KeeperId(self.id()),
            kind: KeeperKind::Signer,
            key: public(&signer, purpose::STATEMENT)?,
            sealing: None,
        };
        let herald = wishes.mail.map(|_| self.herald()).transpose()?;
        let genesis = Genesis {
            network: "development".into(),
            mode: Mode::Development,
            rules: RULES,
            log: self.log()?,
            administrators: self.administrators()?,
            quorum: QUORUM,
            staff: self.staff()?,
            wallets: self.wallets(&signer, keeper.id, wishes)?,
            keepers: core::iter::once(keeper).chain(herald).collect(),
            witnesses: witnesses(&witness)?,
            boards: vec![Board {
                id: BoardId(self.id()),
                key: public(&witness, purpose::BOARD)?,
            }],
            issuers: vec![
                self.issuer("onboarding", IssuerKind::Onboarding)?,
                self.issuer("ledger", IssuerKind::Ledger)?,
            ],
            roots: Vec::new(),
            assets: wishes.assets.iter().map(|asset| asset.id).collect(),
            limits: terms.limits.clone(),
            delay_floor: terms.delay_floor,
            parties: parties(&wishes.origins, ports),
            policy: None,
            recovery: None,
            roots_quorum: None,
        };
        self.customer()?;
        self.sign(genesis)
    }

    fn herald(&self) -> Result<Keeper, Failure> {
        let keys = [
            (purpose::STATEMENT, Kind::Ed25519),
            (purpose::SEALING, Kind::Secret),
        ];
        let file = self.file("herald", &keys)?;
        let secret = SealingSecret::new(&*file.secret(&purpose::SEALING.parse()?)?);
        let secret = secret.map_err(|error| Failure::usage(error, ""))?;
        let pem = self.keys.join(configs::DKIM_KEY);
        files::write(&pem, dkim_key(self.random.array()).as_bytes())?;
        Ok(Keeper {
            id: KeeperId(self.id()),
            kind: KeeperKind::Herald,
            key: public(&file, purpose::STATEMENT)?,
            sealing: Some(secret.public()),
        })
    }

    fn sign(&self, genesis: Genesis) -> Result<SignedGenesis, Failure> {
        let message = genesis.signed_bytes();
        let names = ADMINISTRATORS.iter().zip(&genesis.administrators);
        let signatures = names.map(|(name, member)| {
            let key = KeyPaths::named(&self.keys, name).statement(purpose::REQUEST)?;
            Ok((member.principal, key.sign(&message)?))
        });
        let signatures = signatures.collect::<Result<_, Failure>>()?;
        Ok(SignedGenesis {
            genesis,
            signatures,
        })
    }

    /// A name of its own, so that nobody takes one development journal for another.
    fn log(&self) -> Result<Log, Failure> {
        let origin = format!(
            "localhost/portcullis-{}",
            hex::encode(self.random.array::<4>())
        );
        let public = ed25519(&self.key("gate", purpose::LOG, Kind::Ed25519)?)?;
        let vkey = LogKey::new(name(&origin)?, public).to_string();
        Ok(Log { origin, vkey })
    }

    fn administrators(&self) -> Result<Vec<Member>, Failure> {
        ADMINISTRATORS
            .iter()
            .map(|name| self.member(name, Vec::new()))
            .collect()
    }

    fn staff(&self) -> Result<Vec<Member>, Failure> {
        STAFF
            .iter()
            .map(|(name, role)| self.member(name, vec![*role]))
            .collect()
    }

    fn member(&self, name: &str, roles: Vec<Role>) -> Result<Member, Failure> {
        let key = self.key(name, purpose::REQUEST, Kind::Ed25519)?;
        Ok(Member {
            principal: PrincipalId(self.id()),
            roles,
            factors: vec![NewFactor::RequestKey { key }],
        })
    }

    fn issuer(&self, name: &str, kind: IssuerKind) -> Result<Issuer, Failure> {
        let key = self.key(name, purpose::ISSUER, Kind::Ed25519)?;
        Ok(Issuer {
            id: IssuerId(self.id()),
            kind,
            key,
        })
    }

    fn wallets(
        &self,
        signer: &KeyFile,
        keeper: KeeperId,
        wishes: &Wishes,
    ) -> Result<Vec<Wallet>, Failure> {
        let mut wallets = vec![self.wallet(signer, keeper, wishes)?];
        if let Some(bitcoin) = &wishes.bitcoin {
            wallets.push(self.coins(signer, keeper, bitcoin)?);
        }
        Ok(wallets)
    }

    fn coins(&self, signer: &KeyFile, keeper: KeeperId, wish: &Bitcoin) -> Result<Wallet, Failure> {
        let point = signer.coin(&purpose::COINS.parse()?)?.public_key();
        let [_, x @ ..] = point;
        let change = match wish.lock {
            LockArg::P2wpkh => CoinKey::P2wpkh(Compressed(point)),
            LockArg::P2tr => CoinKey::P2tr(XOnly(x)),
        };
        let owned = change.owned().map_err(|error| Failure::usage(error, ""))?;
        Ok(Wallet {
            id: WalletId(self.id()),
            address: Address::Bitcoin(BitcoinAddress::new(Bitcoin::CHAIN, owned.lock())),
            keeper,
            first_nonce: 0,
            fee_ceiling: FEE_CEILING_SATS,
            mandate: None,
            bitcoin: Some(genesis::Bitcoin {
                change,
                keys: Vec::new(),
                batch: wish.batch,
            }),
        })
    }

    fn wallet(
        &self,
        signer: &KeyFile,
        keeper: KeeperId,
        Wishes { chain, mandate, .. }: &Wishes,
    ) -> Result<Wallet, Failure> {
        let address = signer.wallet(&purpose::WALLET.parse()?)?.address();
        Ok(Wallet {
            id: WalletId(self.id()),
            address: Address::Evm {
                chain: *chain,
                address,
            },
            keeper,
            // The key is new, so nothing was ever sent with it.
            first_nonce: 0,
            fee_ceiling: mandate.map_or(FEE_CEILING, |_| Amount::ZERO),
            mandate: *mandate,
            bitcoin: None,
        })
    }

    /// One customer to try things with; nothing of it stands in genesis.
    fn customer(&self) -> Result<(), Failure> {
        let keys = [
            (purpose::PASSKEY, Kind::P256),
            (purpose::WALLET, Kind::Secp256k1),
        ];
        self.file("customer", &keys)?;
        let [account, principal, subject] = [(); 3].map(|()| hex::encode(self.id()));
        let text = format!(
            "# A development customer. Its passkey and a wallet of its own are in customer.keys.\n\
             account = \"{account}\"\nprincipal = \"{principal}\"\nsubject = \"{subject}\"\n"
        );
        files::write(&self.keys.join("customer.toml"), text.as_bytes())
    }
}

fn public(file: &KeyFile, purpose: &str) -> Result<PublicKey, Failure> {
    Ok(file.statement(&purpose.parse()?)?.public_key().clone())
}

fn ed25519(key: &PublicKey) -> Result<[u8; 32], Failure> {
    match key {
        PublicKey::Ed25519(key) => Ok(*key.as_bytes()),
        PublicKey::P256(_) => Err(Failure::usage("a log or witness key is an Ed25519 key", "")),
    }
}

fn name(text: &str) -> Result<KeyName, Failure> {
    KeyName::new(text).map_err(|error| Failure::usage(error, ""))
}

fn witnesses(file: &KeyFile) -> Result<Witnesses, Failure> {
    let public = ed25519(&public(file, purpose::WITNESS)?)?;
    let vkey = WitnessKey::new(name(configs::WITNESS_NAME)?, public).to_string();
    Ok(Witnesses {
        vkeys: vec![vkey],
        faulty: 0,
        quorum: 1,
    })
}

fn parties(origins: &[String], ports: Ports) -> Vec<Party> {
    let origins = match origins {
        [] => vec![format!("http://localhost:{}", ports.gate)],
        named => named.to_vec(),
    };
    let relying_party = RelyingParty {
        rp_ids: vec!["localhost".into()],
        origins,
        top_origins: Vec::new(),
    };
    let of = |realm| Party {
        realm,
        relying_party: relying_party.clone(),
    };
    vec![of(Realm::Customers), of(Realm::Staff)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::Asset;
    use crate::reach::ReachArgs;
    use portcullis_core::Span;
    use portcullis_core::genesis::GenesisFault;
    use std::os::unix::fs::PermissionsExt as _;

    fn made() -> (tempfile::TempDir, Network) {
        let dir = tempfile::tempdir().unwrap();
        let token = Asset {
            id: "eip155:31337/erc20:0x00000000000000000000000000000000000000aa"
                .parse()
                .unwrap(),
            decimals: 6,
        };
        let coin = Asset {
            id: "eip155:31337/slip44:60".parse().unwrap(),
            decimals: 18,
        };
        let wishes = Wishes {
            chain: 31_337,
            node: Some("http://127.0.0.1:1".into()),
            bitcoin: Some(Bitcoin {
                node: "http://127.0.0.1:2/wallet/portcullis".into(),
                credentials: "/nowhere/.cookie".into(),
                lock: LockArg::P2wpkh,
                batch: Span::seconds(5),
            }),
            mandate: None,
            assets: vec![coin, token, Bitcoin::coin()],
            port: None,
            mail: Some(([127, 0, 0, 1], 25).into()),
            origins: Vec::new(),
        };
        init(&dir.path().join("net"), &wishes).unwrap();
        let genesis = std::fs::read(dir.path().join("net/genesis.cbor")).unwrap();
        let digest = std::fs::read_to_string(dir.path().join("net/genesis.digest")).unwrap();
        let network = Network::open(&genesis, digest.trim().parse().unwrap(), &Strict).unwrap();
        (dir, network)
    }

    #[test]
    fn every_process_reads_its_configuration() {
        let (dir, network) = made();
        let net = dir.path().join("net");
        let (digest, genesis) = (network.digest(), network.genesis());
        let gate = crate::processes::gate_config(&net.join("gate.toml")).unwrap();
        assert_eq!(gate.genesis_digest, digest);
        assert!(gate.boards.contains_key(&genesis.boards[0].id));
        let signer = portcullis_signer::Config::load(&net.join("signer.toml")).unwrap();
        assert_eq!(signer.genesis_digest, digest);
        assert_eq!(signer.keeper, genesis.keepers[0].id);
        assert!(
            genesis
                .assets
                .iter()
                .all(|asset| signer.cap(*asset).is_some())
        );
        assert!(
            genesis
                .wallets
                .iter()
                .all(|w| signer.chain(w.address.chain()).is_some())
        );
        let witness = portcullis_witness::Config::read(&net.join("witness.toml")).unwrap();
        assert_eq!(witness.genesis_digest, digest);
        assert!(witness.witness.is_some() && witness.board.is_some());
        let herald = portcullis_herald::Config::load(&net.join("herald.toml")).unwrap();
        assert_eq!(
            Some(herald.keeper),
            network.herald().map(|keeper| keeper.id)
        );
        let reach = ReachArgs::folder(&net, None).open().unwrap();
        assert_eq!(reach.network.digest(), digest);
        assert_eq!(reach.boards[0].id(), genesis.boards[0].id);
    }

    /// Whatever is signed for is within the signer's hard caps, or it would be released in vain.
    #[test]
    fn limits_are_within_the_signers_caps() {
        let (dir, network) = made();
        let signer = portcullis_signer::Config::load(&dir.path().join("net/signer.toml")).unwrap();
        for rule in &network.genesis().limits.rules {
            let cap = signer.cap(rule.asset).unwrap();
            assert!(
                rule.per_transaction
                    .is_none_or(|amount| amount <= cap.per_transaction)
            );
            assert!(rule.day.is_none_or(|amount| amount <= cap.day));
        }
    }

    #[test]
    fn secrets_are_for_their_owner_only() {
        let (dir, _) = made();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let keys = dir.path().join("net/keys");
        assert_eq!(mode(&keys), 0o700);
        let files: Vec<_> = std::fs::read_dir(keys).unwrap().flatten().collect();
        assert!(files.len() > 20);
        for file in files {
            assert_eq!(mode(&file.path()), 0o600, "{}", file.path().display());
        }
    }

    /// Every byte of the genesis is under the pinned digest or a signature.
    #[test]
    fn a_tampered_genesis_is_refused() {
        let (_dir, network) = made();
        let bytes = encode(network.signed());
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            assert!(
                Network::open(&bytes, network.digest(), &Strict).is_err(),
                "byte {at}"
            );
        }
        let mut unsigned = network.signed().clone();
        unsigned.signatures.pop();
        let fault = Network::new(unsigned, &Strict).unwrap_err();
        assert!(matches!(fault, GenesisFault::NotSigned(_)), "{fault}");
    }

    #[test]
    fn two_networks_share_no_key_and_no_name() {
        let ((_one, one), (_two, two)) = (made(), made());
        assert_ne!(one.genesis().log.origin, two.genesis().log.origin);
        assert_ne!(one.genesis().keepers[0].key, two.genesis().keepers[0].key);
        assert_ne!(one.digest(), two.digest());
    }

    #[test]
    fn a_network_is_never_replaced() {
        let (dir, network) = made();
        let wishes = Wishes {
            chain: 31_337,
            node: None,
            bitcoin: None,
            mandate: None,
            assets: Vec::new(),
            port: None,
            mail: None,
            origins: Vec::new(),
        };
        let failure = init(&dir.path().join("net"), &wishes).unwrap_err();
        assert!(
            failure.what().contains("has a network already"),
            "{}",
            failure.what()
        );
        let still = std::fs::read(dir.path().join("net/genesis.cbor")).unwrap();
        assert_eq!(still, encode(network.signed()));
    }
}
