//! `portcullis policy simulate`.

use super::read;
use crate::failure::{Exit, Failure};
use crate::out::{json, say};
use clap::{Args, ValueEnum};
use portcullis_chains::AssetId;
use portcullis_core::behaviour::{Company, Count, Hours};
use portcullis_core::evidence::Finding;
use portcullis_core::factor::FactorKind;
use portcullis_core::policy::{ASKED, Attested, Engine, Facts, Labelled, Money, Name, Shares};
use portcullis_core::realm::{Realm, Role};
use portcullis_labels::{Category, Rating, Risk};
use serde_json::json as value;
use std::path::PathBuf;

/// What a policy says to facts that you make up
///
/// Example:
///   portcullis policy simulate policies/default.toml --tier 2 --approvals 1 --address-hours 4
///   portcullis policy simulate policies/watchful.toml --address-hours 1 --alike 5 --rush 40
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct SimulateArgs {
    /// The policy
    file: PathBuf,
    /// The act's name, as docs/spec/acts.md has it
    #[arg(long, default_value = "withdraw", value_parser = act)]
    act: &'static str,
    /// Who asks
    #[arg(long, default_value = "customers")]
    realm: Who,
    /// Roles of a member of staff
    #[arg(long, value_delimiter = ',', value_parser = role)]
    roles: Vec<Role>,
    /// What proves the act
    #[arg(long, default_value = "passkey")]
    factor: By,
    /// Hours since that began to count
    #[arg(long, default_value_t = 720)]
    factor_hours: u16,
    /// That was imported from the system before
    #[arg(long)]
    imported: bool,
    /// Others' approvals
    #[arg(long, default_value_t = 0)]
    approvals: u32,
    /// The ledger has not said that it was paid
    #[arg(long)]
    unpaid: bool,
    /// What a screening found
    #[arg(long)]
    screening: Option<Found>,
    /// The travel rule's message was exchanged
    #[arg(long)]
    travel_rule: bool,
    /// Lists that the account or the address stands in
    #[arg(long, value_delimiter = ',')]
    lists: Vec<String>,
    /// The category of the worst label that lists have for the address
    #[arg(long, requires = "label_risk")]
    label: Option<Category>,
    /// Its risk, from 0 to 10
    #[arg(long, requires = "label")]
    label_risk: Option<Risk>,
    /// The asset, in CAIP-19
    #[arg(long, default_value = "eip155:1/slip44:60")]
    asset: AssetId,
    /// The amount's tier
    #[arg(long, default_value_t = 0)]
    tier: u8,
    /// Hours since the address began to count
    #[arg(long, default_value_t = 720)]
    address_hours: u16,
    /// Percent of the account's day that would be used, in full tens
    #[arg(long, default_value_t = 0)]
    account_day: u8,
    /// Percent of everybody's day
    #[arg(long, default_value_t = 0)]
    asset_day: u8,
    #[command(flatten)]
    company: CompanyArgs,
}

/// How a withdrawal looks beside the others, as docs/spec/policy.md has it.
#[derive(Debug, Args)]
struct CompanyArgs {
    /// Other accounts, beyond what is usual, that ask for just this amount to fresh addresses
    #[arg(long, default_value_t = 0)]
    alike: u32,
    /// Other accounts, beyond what is usual, that pay this destination
    #[arg(long, default_value_t = 0)]
    together: u32,
    /// Other accounts, beyond what is usual, that pay fresh addresses shortly after a change
    #[arg(long, default_value_t = 0)]
    changed: u32,
    /// Withdrawals to fresh addresses within the hour
    #[arg(long, default_value_t = 0)]
    fresh: u32,
    /// The same in tenths of the usual hour
    #[arg(long, default_value_t = 10)]
    rush: u32,
    /// All withdrawals within the hour in tenths of the usual one
    #[arg(long, default_value_t = 10)]
    sudden: u32,
    /// Hours since the account's newest factor or contact began to count
    #[arg(long, default_value_t = 720)]
    changed_hours: u16,
}

impl CompanyArgs {
    fn beside(&self, address_hours: u16) -> Company {
        let beyond = |now| Count { now, usually: 0 };
        Company {
            alike: beyond(self.alike),
            together: beyond(self.together),
            changed: beyond(self.changed),
            fresh: self.fresh,
            rush: self.rush,
            sudden: self.sudden,
            address_hours: Hours(address_hours),
            changed_hours: Hours(self.changed_hours),
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Who {
    Customers,
    Staff,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    RequestKey,
    Passkey,
    Totp,
}

/// A block never comes before a policy.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Found {
    Pass,
    Refer,
}

/// Facts name acts by the core's own words.
fn act(text: &str) -> Result<&'static str, String> {
    let known = ASKED.iter().find(|name| **name == text);
    known.copied().ok_or_else(|| {
        let names = ASKED.join(", ");
        format!("a policy is asked about: {names}")
    })
}

fn role(text: &str) -> Result<Role, String> {
    serde_json::from_value(value!(text)).map_err(|_| format!("{text} is no role"))
}

impl SimulateArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let policy = read(&self.file)?;
        let engine = Engine::compile(&policy).map_err(|fault| {
            Failure::new(Exit::Wrong, fault, "portcullis policy check says more")
        })?;
        let bits = policy.lists.iter().zip(0_u32..).filter_map(|(list, bit)| {
            let Name(name) = &list.name;
            self.lists.contains(name).then_some(1_u32 << bit)
        });
        let facts = self.facts(bits.fold(0, |all, one| all | one));
        let answer = engine.answer(&facts);
        let mut said = value!({ "facts": facts, "answer": *answer });
        if let Some(company) = &facts.company {
            said["beside"] = value!({ "score": company.score(), "parts": company.said() });
        }
        say(json(&said));
        Ok(())
    }

    fn facts(&self, lists: u32) -> Facts {
        let money = Money {
            asset: self.asset,
            tier: self.tier,
            address_hours: self.address_hours,
            account: Shares {
                day: self.account_day,
                ..Shares::default()
            },
            asset_wide: Shares {
                day: self.asset_day,
                ..Shares::default()
            },
        };
        Facts {
            act: self.act,
            realm: match self.realm {
                Who::Customers => Realm::Customers,
                Who::Staff => Realm::Staff,
            },
            roles: Facts::bits(&self.roles),
            factor: match self.factor {
                By::RequestKey => FactorKind::RequestKey,
                By::Passkey => FactorKind::Passkey,
                By::Totp => FactorKind::Totp,
            },
            factor_hours: self.factor_hours,
            imported: self.imported,
            approvals: self.approvals,
            attested: Attested {
                debit: self.act == "withdraw" && !self.unpaid,
                onboarding: false,
                travel_rule: self.travel_rule,
                screening: self.screening.map(|found| match found {
                    Found::Pass => Finding::Pass,
                    Found::Refer => Finding::Refer,
                }),
            },
            lists,
            label: self
                .label
                .zip(self.label_risk)
                .map(|(category, risk)| Labelled::from(Rating { risk, category })),
            money: (self.act == "withdraw").then_some(money),
            company: (self.act == "withdraw").then(|| self.company.beside(self.address_hours)),
        }
    }
}
