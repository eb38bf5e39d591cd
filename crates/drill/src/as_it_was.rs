//! The flow as it was: a back end that trusts its own "2FA passed" flag.
//!
//! A small real back end over HTTP, with sessions, balances and a hot wallet of its own that it signs
//! and sends with. The flaw of 2022 was never published; [`ASSUMPTIONS`] says what this one assumes.

use crate::chain::{CHAIN, fees};
use crate::chains::Chains;
use crate::error::DrillError;
use crate::hot_wallet::{self, HotWallet};
use crate::money::{ASSETS, Asset, Money};
use crate::server::Server;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use portcullis_chains::caip::Address;
use portcullis_chains::ethereum::{SignedTx, Transfer};
use portcullis_chains::{Amount, AssetId};
use portcullis_core::Time;
use portcullis_host::{Clock as _, SystemClock};
use portcullis_keys::WalletKey as _;
use portcullis_keys::software::{Secret, SoftwareWallet};
use portcullis_node::{HttpNode, Node as _, Sent};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the re-enactment takes to have been so.
pub const ASSUMPTIONS: &[&str] = &[
    "The cause was never published; known is that withdrawals were approved without the users' second factor. We take a mild reading: the withdrawal service asked a session whether 2FA had been passed, and something that attackers could reach could say so.",
    "The back end decides alone and holds the hot wallet's key. Nothing else looks at a withdrawal before it is signed.",
    "The attackers hold a session of each attacked account.",
    "No waiting time for new addresses: the firm introduced one of 24 hours the day after.",
    "Each account's whole balance is asked for in equal withdrawals of 2 to 5 ETH to fresh addresses, as the chain shows, of up to 2 BTC and of the token up to 500 USD; of an app's owner nine are of 0.2 ETH, as in the running system. 483 accounts, 4,836.26 ETH, 443.93 BTC and US$66,200 of others are the firm's own figures; how the sums were spread over the accounts is not public and comes from the seed.",
    "Nobody stops it while it lasts. In 2022 withdrawals were suspended some three to four hours after the first alarm, by people.",
];

/// How often bytes are sent of which a node says nothing.
const TRIES: usize = 10;
/// How many are sent again in one request.
const TOGETHER: usize = 64;

/// The back end as it was.
pub(crate) struct AsItWas {
    server: Server,
    service: Arc<Service>,
}

/// What its customers have, by account and asset.
pub(crate) type Balances = BTreeMap<(String, AssetId), Amount>;

/// Its memory.
struct Book {
    balances: Balances,
    sessions: BTreeMap<String, Session>,
    /// What was sent on the chain of accounts, by nonces from 0 on.
    sent: Vec<SignedTx>,
    /// The wallet on the chain of coins.
    coins: HotWallet,
    /// The same as its own records have it.
    records: Vec<Record>,
}

/// A customer that is logged in.
struct Session {
    account: String,
    /// The flag.
    mfa_passed: bool,
    /// Whether this back end has checked a code itself, whatever the flag says.
    code_checked: bool,
}

/// A withdrawal in the platform's own records.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) time: Time,
    pub(crate) account: String,
    pub(crate) to: Address,
    pub(crate) money: Money,
    /// Whether the log of checked codes has one of its session.
    pub(crate) code_checked: bool,
}

struct Service {
    book: Mutex<Book>,
    key: SoftwareWallet,
    node: HttpNode,
}

/// `POST /sessions`
#[derive(Serialize, Deserialize)]
pub(crate) struct LogIn {
    pub(crate) account: String,
}

/// `POST /mfa`
#[derive(Serialize, Deserialize)]
pub(crate) struct Code {
    pub(crate) session: String,
    pub(crate) code: String,
}

/// `POST /internal/mfa-passed`: what some other service says when it has checked the code.
#[derive(Serialize, Deserialize)]
pub(crate) struct Passed {
    pub(crate) session: String,
}

/// `POST /withdrawals`
#[derive(Serialize, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) session: String,
    pub(crate) to: Address,
    pub(crate) asset: AssetId,
    pub(crate) amount: Amount,
}

/// The addresses of its hot wallets with this secret, one on each chain.
pub(crate) fn wallets(secret: &Secret) -> Result<[Address; 2], DrillError> {
    let (chain, address) = (CHAIN, SoftwareWallet::new(secret)?.address());
    let ethereum = Address::Evm { chain, address };
    Ok([ethereum, hot_wallet::address(secret)?])
}

impl AsItWas {
    /// Start it with these balances, and wallets that have been paid by now.
    pub(crate) fn start(
        chains: &Chains,
        secret: &Secret,
        balances: Balances,
    ) -> Result<Self, DrillError> {
        let key = SoftwareWallet::new(secret)?;
        let service = Service {
            book: Mutex::new(Book {
                balances,
                sessions: BTreeMap::new(),
                sent: Vec::new(),
                coins: HotWallet::open(secret, &chains.bitcoin)?,
                records: Vec::new(),
            }),
            key,
            node: HttpNode::new(chains.ethereum.url(), CHAIN, Duration::from_secs(10))?,
        };
        let service = Arc::new(service);
        let router = Router::new()
            .route("/sessions", post(log_in))
            .route("/mfa", post(check_code))
            .route("/internal/mfa-passed", post(passed))
            .route("/withdrawals", post(withdraw))
            .with_state(Arc::clone(&service));
        let server = Server::start(router, 2);
        let server = server.map_err(|error| DrillError::AsItWas(error.to_string()))?;
        Ok(Self { server, service })
    }

    /// Send again, byte for byte, what stands at this nonce and above.
    pub(crate) fn send_again(&self, from: u64) {
        let book = self.service.book();
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let rest: Vec<&SignedTx> = book.sent.iter().skip(from).collect();
        for some in rest.chunks(TOGETHER) {
            self.service.node.send_all(some);
        }
    }

    /// What it has let go, as its own records have it.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.service.book().records.clone()
    }

    pub(crate) fn url(&self, target: &str) -> String {
        self.server.url(target)
    }
}

type Told = Result<Json<String>, StatusCode>;

async fn log_in(State(service): State<Arc<Service>>, Json(body): Json<LogIn>) -> Told {
    let mut book = service.book();
    let place = |asset: &Asset| (body.account.clone(), asset.id);
    let holds = |asset: &&Asset| book.balances.contains_key(&place(asset));
    if !ASSETS.iter().any(holds) {
        return Err(StatusCode::NOT_FOUND);
    }
    let session = format!("session-{}", book.sessions.len());
    let opened = Session {
        account: body.account,
        mfa_passed: false,
        code_checked: false,
    };
    book.sessions.insert(session.clone(), opened);
    Ok(Json(session))
}

/// The honest way to the flag: the customer types the code that only it has.
async fn check_code(State(service): State<Arc<Service>>, Json(body): Json<Code>) -> Told {
    let mut book = service.book();
    let session = book
        .sessions
        .get_mut(&body.session)
        .ok_or(StatusCode::UNAUTHORIZED)?;
    if body.code != code_of(&session.account) {
        return Err(StatusCode::FORBIDDEN);
    }
    session.mfa_passed = true;
    session.code_checked = true;
    Ok(Json("2FA passed".into()))
}

/// The other way: whoever reaches this is believed.
async fn passed(State(service): State<Arc<Service>>, Json(body): Json<Passed>) -> Told {
    let mut book = service.book();
    let session = book
        .sessions
        .get_mut(&body.session)
        .ok_or(StatusCode::UNAUTHORIZED)?;
    session.mfa_passed = true;
    Ok(Json("2FA passed".into()))
}

async fn withdraw(State(service): State<Arc<Service>>, Json(body): Json<Wanted>) -> Told {
    let paying = tokio::task::spawn_blocking(move || service.pay(&body));
    paying
        .await
        .unwrap_or(Err(StatusCode::INTERNAL_SERVER_ERROR))
}

/// A code per customer, as an authenticator app would show it.
pub(crate) fn code_of(account: &str) -> String {
    format!(
        "{:.6}",
        portcullis_core::Digest::plain(account.as_bytes()).to_string()
    )
}

impl Service {
    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Believe the flag, look at the balance, sign, send.
    fn pay(&self, wanted: &Wanted) -> Told {
        let mut book = self.book();
        let session = book
            .sessions
            .get(&wanted.session)
            .ok_or(StatusCode::UNAUTHORIZED)?;
        if !session.mfa_passed {
            return Err(StatusCode::FORBIDDEN);
        }
        let (account, code_checked) = (session.account.clone(), session.code_checked);
        let asset = Asset::of(wanted.asset).ok_or(StatusCode::BAD_REQUEST)?;
        let place = (account.clone(), wanted.asset);
        let balance = book.balances.get(&place).copied().unwrap_or_default();
        let rest = balance.0.checked_sub(wanted.amount.0);
        let rest = rest.map(Amount).ok_or(StatusCode::CONFLICT)?;
        let sent = self.send(&mut book, wanted);
        sent.ok_or(StatusCode::BAD_GATEWAY)?;
        book.records.push(Record {
            time: SystemClock.now(),
            account,
            to: wanted.to,
            money: asset.much(wanted.amount),
            code_checked,
        });
        book.balances.insert(place, rest);
        Ok(Json("sent".into()))
    }

    fn send(&self, book: &mut Book, wanted: &Wanted) -> Option<()> {
        if let Address::Bitcoin(to) = wanted.to {
            return book.coins.pay(to, wanted.amount).ok();
        }
        let nonce = book.sent.len() as u64;
        book.sent.push(self.transfer(wanted, nonce)?);
        Some(())
    }

    fn transfer(&self, wanted: &Wanted, nonce: u64) -> Option<SignedTx> {
        let fees = fees(wanted.asset)?;
        let transfer = Transfer::new(wanted.asset, wanted.to, wanted.amount, nonce, fees).ok()?;
        let unsigned = transfer.build();
        let signature = self.key.sign(&unsigned.sighash()).ok()?;
        let transaction = SignedTx::assemble(unsigned, signature);
        // Where nobody can say whether the node has it, the same bytes go out again.
        let tries = (0..TRIES).map(|_| self.node.send(&transaction));
        let known = tries
            .into_iter()
            .find(|sent| !matches!(sent, Sent::Unknown(_)))?;
        matches!(known, Sent::Accepted | Sent::AlreadyKnown).then_some(transaction)
    }
}
