//! `portcullis demo`: one real withdrawal, step by step.
//!
//! It does what a platform's back end does, and plays the customer, the onboarding and the ledger
//! with the keys of a development network. Everything that it shows of a release it has from the
//! journal and from the node, not from the gate's word.

mod account;
mod chain;
mod journal;
mod wait;

use crate::amount::both;
use crate::approve::in_words;
use crate::call::Debit;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::folder::Folder;
use crate::keyring::purpose;
use crate::out::{json, say};
use crate::reach::{Caller, CallerArgs, Customer, Reach, ReachArgs};
use crate::scope;
use crate::verify::{check_receipt, tell_receipt};
use crate::withheld;
use chain::Chain;
use clap::Args;
use journal::Seen;
use portcullis_chains::caip::{Address, checksummed};
use portcullis_chains::{Amount, AssetId};
use portcullis_client::{Accepted, ActBuilder};
use portcullis_core::act::{Act, ActKind, Scope, Withdraw};
use portcullis_core::genesis::{IssuerKind, KeeperKind, Mode, Wallet};
use portcullis_core::realm::Realm;
use portcullis_core::receipt::Receipt;
use portcullis_core::{Body, Decision, Digest, Evidence, Reason};
use portcullis_keeper::rfc3339;
use portcullis_keys::WalletKey as _;
use std::path::PathBuf;
use wait::until;

/// Show one real withdrawal, step by step, on a development network
///
/// Opens an account with a development passkey, adds an address, waits for both delays, sends 0.1 of
/// the chain's coin, follows it until it has arrived, and verifies the receipt. A second run uses the
/// same account and address. On chain 31337 the wallet is given money as anvil allows.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The network's folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// A file that moves time
    #[arg(long, value_name = "FILE")]
    test_clock: Option<PathBuf>,
}

/// Whose keys in the folder play the customer.
const CUSTOMER: &str = "customer";
/// 0.1 of a coin with 18 decimals; small enough to need nobody's approval.
const AMOUNT: Amount = Amount(100_000_000_000_000_000);

impl DemoArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let reach = ReachArgs::folder(&self.dir, self.test_clock.as_deref()).open()?;
        if reach.network.genesis().mode != Mode::Development {
            return Err(Failure::usage(
                "a demonstration is for a development genesis",
                "",
            ));
        }
        let back_end = CallerArgs::named("back-end").required(&reach)?;
        let customer = reach.customer(CUSTOMER)?;
        let payee = reach
            .key_paths(CUSTOMER)
            .open()?
            .wallet(&purpose::WALLET.parse()?)?
            .address();
        let demo = Demo {
            reach,
            back_end,
            customer,
            payee,
        };
        demo.show(&Folder(self.dir))
    }
}

struct Demo {
    reach: Reach,
    back_end: Caller,
    customer: Customer,
    payee: [u8; 20],
}

impl Demo {
    fn show(&self, folder: &Folder) -> Result<(), Failure> {
        self.is_open()?;
        if let Some(wallet) = self.wallet_by_mandate() {
            return self.show_mandate(wallet, folder);
        }
        let chain = Chain::of(&self.reach)?;
        chain.fund()?;
        let account = self.account()?;
        let to = chain.address(self.payee);
        self.address(&account, to)?;
        let before = chain.balance(self.payee)?;
        let act = self.withdraw(to, chain.asset())?;
        self.follow(act)?;
        let after = chain.balance(self.payee)?;
        self.compare(before, after, chain.asset())?;
        self.receipt(act, folder)
    }

    fn wallet_by_mandate(&self) -> Option<&Wallet> {
        let mut wallets = self.reach.network.genesis().wallets.iter();
        wallets.find(|wallet| wallet.mandate.is_some())
    }

    /// No money moves here: whoever holds the wallet is somebody else.
    fn show_mandate(&self, wallet: &Wallet, folder: &Folder) -> Result<(), Failure> {
        let none = || Failure::usage("no demonstration pays on the wallet's chain", "");
        let chain = wallet.address.chain().evm().ok_or_else(none)?;
        let address = self.payee;
        let to = Address::Evm { chain, address };
        let account = self.account()?;
        self.address(&account, to)?;
        let act = self.withdraw(to, AssetId::EvmNative { chain })?;
        self.follow(act)?;
        step("the mandate");
        let standing = self.reach.gate.act(&self.back_end.signer, act)?;
        let mandate = standing.and_then(|standing| standing.mandate);
        let unsaid = || {
            Failure::new(
                Exit::Wrong,
                "the gate shows no mandate",
                "portcullis status",
            )
        };
        let mandate = mandate.ok_or_else(unsaid)?;
        for line in mandate.lines() {
            say(format_args!("  {line}"));
        }
        let path = folder.file("mandates").join(format!("{act}.txt"));
        files::write(&path, mandate.as_bytes())?;
        let (network, wallet) = (self.reach.network.digest(), wallet.id);
        say("\nA wallet service of your own checks it, and pays once: docs/spec/mandate.md, or");
        say(format_args!(
            "  cargo run -p portcullis-mandate --example wallet_service -- {network} {wallet} {} payments.table <{}",
            hex::encode(self.signers_key()?),
            path.display(),
        ));
        self.receipt(act, folder)
    }

    /// What a wallet service pins.
    fn signers_key(&self) -> Result<Vec<u8>, Failure> {
        let mut keepers = self.reach.network.genesis().keepers.iter();
        let signer = keepers.find(|keeper| keeper.kind == KeeperKind::Signer);
        let none = || Failure::usage("genesis names no signer", "");
        Ok(signer.ok_or_else(none)?.key.as_bytes().to_vec())
    }

    /// Nothing is shut: what is shut opens by a quorum, which no demonstration waits for.
    fn is_open(&self) -> Result<(), Failure> {
        let status = self.reach.gate.status()?;
        let mut suspensions = status.suspensions.iter();
        let suspended = suspensions.find(|it| self.concerns(it.scope));
        let suspended = suspended.map(|it| (scope::text(it.scope), it.by.to_string()));
        let latched = status.latches.first();
        let latched = latched.map(|it| (format!("keeper {}", it.keeper), it.target()));
        let Some((what, target)) = suspended.or(latched) else {
            return match withheld::first_that_waits(&status) {
                Some(earlier) => Err(self.behind(earlier)),
                None => Ok(()),
            };
        };
        Err(Failure::new(
            Exit::Wrong,
            format!("the gate is shut for {what}; no withdrawal goes out until that is lifted"),
            format!(
                "portcullis lift {target} --as administrator-1, then each other administrator that \
                 it names: portcullis approve --as administrator-2 DIGEST (both with{})",
                self.reach.flags
            ),
        ))
    }

    /// A wallet pays in the order of its nonces.
    fn behind(&self, withheld: Digest) -> Failure {
        let what = format!(
            "withdrawal {withheld} is withheld, and what the wallet pays later waits behind it"
        );
        Failure::new(Exit::Wrong, what, withheld::by_hand(&self.reach, withheld))
    }

    fn concerns(&self, scope: Scope) -> bool {
        match scope {
            Scope::Account(account) => account == self.customer.ids.account,
            Scope::Realm(realm) => realm == Realm::Customers,
            Scope::Everything | Scope::Withdrawals | Scope::Asset(_) => true,
        }
    }

    fn withdraw(&self, to: Address, asset: AssetId) -> Result<Digest, Failure> {
        step("the withdrawal");
        let amount = AMOUNT;
        let act = self.customers_act(ActKind::Withdraw(Withdraw { asset, to, amount }))?;
        tell("pays", both(amount, asset, &self.reach.decimals));
        tell(
            "proven by",
            "passkey assertion, the back end's signed request, the ledger's debit",
        );
        let mut evidence = self.assertion(&act)?;
        let ledger = self.reach.issuer("ledger", IssuerKind::Ledger)?;
        let entry = Debit::New.entry(self.reach.machine.random.as_ref());
        evidence
            .attestations
            .push(ledger.debit(act.digest(), entry, act.expires)?);
        let accepted = self.submit(&act, &evidence)?;
        let seen = Seen::at(&self.reach, accepted.entry)?;
        if let Body::Act(submission) = &seen.entry.body {
            tell_plan(submission.plan.as_ref());
        }
        tell("checkpoint", &seen.checkpoint);
        Ok(act.digest())
    }

    /// From released to arrived; each stage is told once.
    fn follow(&self, act: Digest) -> Result<(), Failure> {
        step("the signer");
        say(
            "  It follows the journal by itself, decides again on its own replica, and signs exactly",
        );
        say("  the planned bytes at a checkpoint that the witnesses have just cosigned.");
        let mut told = String::new();
        let why = "the signer decides again, signs and broadcasts; then the chain has to confirm";
        until(&self.reach, why, || {
            let standing = self.reach.gate.act(&self.back_end.signer, act)?;
            let Some(standing) = standing else {
                return Ok(None);
            };
            if standing.stage != told {
                tell("stage", &standing.stage);
                for transaction in &standing.transactions {
                    tell("transaction", format_args!("0x{transaction}"));
                }
                told.clone_from(&standing.stage);
            }
            match standing.stage.as_str() {
                "confirmed" => Ok(Some(())),
                "withheld" => {
                    self.is_open()?;
                    Err(self.behind(act))
                }
                "returned" | "refused" => {
                    let what = format!("the withdrawal is {}", standing.stage);
                    Err(Failure::new(Exit::Wrong, what, "portcullis status"))
                }
                "held" => {
                    self.is_open()?;
                    Ok(None)
                }
                _ => Ok(None),
            }
        })
    }

    fn compare(&self, before: Amount, after: Amount, asset: AssetId) -> Result<(), Failure> {
        step("the money");
        tell("before", both(before, asset, &self.reach.decimals));
        tell("after", both(after, asset, &self.reach.decimals));
        if before.checked_add(AMOUNT) == Some(after) {
            return Ok(());
        }
        let what = "the balance did not change by the amount that was withdrawn";
        Err(Failure::new(
            Exit::Wrong,
            what,
            "look at the transaction on the node",
        ))
    }

    fn receipt(&self, act: Digest, folder: &Folder) -> Result<(), Failure> {
        step("the receipt");
        let why = "a receipt waits for the signer's statement to be cosigned";
        let receipt: Receipt = until(&self.reach, why, || {
            let receipt = self.reach.gate.receipt(&self.back_end.signer, act)?;
            Ok(receipt.filter(|receipt| self.is_whole(receipt)))
        })?;
        let digest = self.reach.network.digest();
        let shown = check_receipt(&receipt, digest)?;
        let path = folder.file("receipts").join(format!("{act}.json"));
        files::write(&path, json(&receipt).as_bytes())?;
        say("  Verified offline, from the genesis digest alone:");
        tell_receipt(&shown);
        let path = path.display();
        say(format_args!(
            "\nCheck it again: portcullis verify receipt {path} --genesis-digest {digest}"
        ));
        Ok(())
    }

    /// Whether it shows the block, too, where we follow a chain.
    fn is_whole(&self, receipt: &Receipt) -> bool {
        let shown = check_receipt(receipt, self.reach.network.digest());
        let is_followed = self.wallet_by_mandate().is_none();
        shown.is_ok_and(|shown| shown.block.is_some() || !is_followed)
    }

    fn draft(&self) -> Result<ActBuilder, Failure> {
        Ok(self.reach.gate.draft(self.reach.network.digest())?)
    }

    fn customers_act(&self, kind: ActKind) -> Result<Act, Failure> {
        let ids = self.customer.ids;
        Ok(self.draft()?.by_customer(ids.principal, ids.account, kind))
    }

    fn assertion(&self, act: &Act) -> Result<Evidence, Failure> {
        Ok(Evidence {
            assertions: vec![self.reach.assert(CUSTOMER, act.digest())?],
            ..Evidence::default()
        })
    }

    /// Submit, and show what became of it.
    fn submit(&self, act: &Act, evidence: &Evidence) -> Result<Accepted, Failure> {
        tell("act", act.digest());
        let submitted = self.reach.gate.submit(&self.back_end.signer, act, evidence);
        let accepted = submitted.map_err(|error| match error.reason() {
            Some(Reason::FactorRevoked) => Failure::new(
                Exit::Refused,
                "the customer's passkey was revoked: this network's demonstration account has no \
                 passkey that counts",
                "make a new network: script/stop; rm -r .portcullis; script/run",
            ),
            _ => error.into(),
        })?;
        tell(
            "entry",
            format_args!("{}, {}", accepted.entry, rfc3339(accepted.time)),
        );
        match &accepted.decision {
            Some(Decision::Hold { needs, .. }) => {
                let needs: Vec<String> = needs.iter().map(|need| in_words(*need)).collect();
                tell(
                    "decision",
                    format_args!("hold: it waits for {}", needs.join("; ")),
                );
            }
            _ => tell("decision", "release"),
        }
        Ok(accepted)
    }
}

fn tell_plan(plan: Option<&portcullis_core::plan::Plan>) {
    let Some(plan) = plan else { return };
    tell("plan", plan.digest());
    if let Ok(transfer) = portcullis_core::decide::payment::decode(plan) {
        let (nonce, amount, fee) = (transfer.nonce(), transfer.amount(), transfer.fee_ceiling());
        tell(
            "  to sign",
            format_args!("{amount} wei to {}", checksummed(&transfer.payee())),
        );
        tell("  nonce, fee", format_args!("{nonce}, at most {fee} wei"));
    }
}

fn step(name: &str) {
    say(format_args!("\n{name}"));
}

fn tell(name: &str, what: impl core::fmt::Display) {
    say(format_args!("  {name:<14}{what}"));
}
