//! GraphSense's words (INTERPOL's taxonomy of darknet and cryptoassets) in ours.
//! <https://github.com/graphsense/graphsense-tagpack-tool>: `concepts.yaml`, `confidence.csv`.

use crate::rating::Category;

/// The category of a concept, if it says one.
pub(super) fn concept(name: &str) -> Option<Category> {
    Some(match name {
        "sanction" => Category::Sanction,
        "terrorism" | "extremism" | "violence" | "torture" => Category::Terrorism,
        "child_sexual_abuse" | "sexual_abuse" => Category::ChildAbuse,
        "extortion" | "sextortion" | "ransomware" => Category::Extortion,
        "service_hack" | "hack" | "theft" => Category::Theft,
        "scam" | "phishing" | "ponzi_scheme" | "pyramid_scheme" | "investment_fraud"
        | "payment_card_fraud" | "financial_crime" => Category::Scam,
        "black_list" => Category::Blocklist,
        "mixing" | "mixing_service" | "coinjoin" | "money_laundering" => Category::Mixing,
        "abuse" | "perpetrator" => Category::Abuse,
        "market" => Category::Market,
        "gambling" => Category::Gambling,
        "exchange" => Category::Exchange,
        "service" | "wallet_service" | "escrow_wallet" | "ico_wallet" | "hosted_wallet"
        | "cold_wallet" | "hot_wallet" | "warm_wallet" | "miner" | "mining_service" | "shop"
        | "filesharing" | "messaging_service" | "search_engine" | "defi" | "defi_dex"
        | "defi_lending" | "defi_bridge" => Category::Service,
        _ => return None,
    })
}

/// By how much doubt about a tag lowers its risk: nothing from level 50 of GraphSense's scale of 100,
/// two from 20, four below and where nothing is said.
pub(super) fn doubt(confidence: &str) -> u8 {
    match confidence {
        "override" | "ownership" | "ledger_immanent" | "manual_transaction" | "service_api"
        | "authority_data" | "trusted_provider" | "service_data" | "forensic" => 0,
        "untrusted_transaction" | "web_crawl" => 2,
        _ => 4,
    }
}
