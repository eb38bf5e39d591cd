//! Whole receipts: good ones, and bad ones that are each broken in one way.

mod cases;
mod codes;
mod coins;
#[cfg(test)]
mod cost;
mod draft;
mod joint;
mod log_key;
mod lost;
mod mandates;
mod vendors;

pub(crate) use cases::CASES;

use draft::Draft;
use portcullis_core::Digest;
use portcullis_core::receipt::{Receipt, ReceiptFault, Shown, verify};
use portcullis_core::signature::Strict;
use serde_json::{Value, json};

/// A receipt, from which pinned genesis digest it is to be judged, and what comes of it.
pub(crate) struct Case {
    /// The file's name behind `receipt-`.
    pub(crate) name: &'static str,
    /// What is special about it.
    pub(crate) what: &'static str,
    /// `ok` or the fault's name.
    pub(crate) expect: &'static str,
    make: fn() -> Bundle,
}

/// A receipt and the digest that its verifier has pinned.
pub(crate) struct Bundle {
    pinned: Digest,
    receipt: Receipt,
}

impl Bundle {
    fn verify(&self) -> Result<Shown, ReceiptFault> {
        verify(&self.receipt, self.pinned, &Strict)
    }
}

impl From<Draft> for Bundle {
    fn from(draft: Draft) -> Self {
        Self {
            pinned: draft.story.world().digest(),
            receipt: draft.receipt(),
        }
    }
}

pub(crate) fn file(case: &Case) -> String {
    format!("receipt-{}.json", case.name)
}

pub(crate) fn document(case: &Case) -> Value {
    let bundle = (case.make)();
    let shown = bundle.verify();
    assert_eq!(outcome(&shown), case.expect, "{}: {shown:?}", case.name);
    json!({
        "what": case.what,
        "genesis": bundle.pinned,
        "receipt": bundle.receipt,
        "expect": case.expect,
        "shown": shown.ok(),
    })
}

fn outcome(shown: &Result<Shown, ReceiptFault>) -> &'static str {
    match shown {
        Ok(_) => "ok",
        Err(ReceiptFault::Shape) => "Shape",
        Err(ReceiptFault::Genesis(_)) => "Genesis",
        Err(ReceiptFault::Checkpoint) => "Checkpoint",
        Err(ReceiptFault::Inclusion(_)) => "Inclusion",
        Err(ReceiptFault::Order) => "Order",
        Err(ReceiptFault::Act) => "Act",
        Err(ReceiptFault::Release) => "Release",
        Err(ReceiptFault::Factor) => "Factor",
        Err(ReceiptFault::Relay) => "Relay",
        Err(ReceiptFault::Address) => "Address",
        Err(ReceiptFault::Debit) => "Debit",
        Err(ReceiptFault::Screening) => "Screening",
        Err(ReceiptFault::TravelRule) => "TravelRule",
        Err(ReceiptFault::Plan) => "Plan",
        Err(ReceiptFault::Statement) => "Statement",
    }
}

/// Whether the file is there, tells the case, and is judged as it says.
pub(crate) fn is_judged_as_it_says(case: &Case) -> bool {
    let file = crate::files::read(&file(case));
    let told = (file["what"].as_str(), file["expect"].as_str());
    let pinned = serde_json::from_value(file["genesis"].clone());
    let receipt = serde_json::from_value(file["receipt"].clone());
    let (Ok(pinned), Ok(receipt)) = (pinned, receipt) else {
        return false;
    };
    let shown = Bundle { pinned, receipt }.verify();
    let judged = outcome(&shown) == case.expect && json!(shown.ok()) == file["shown"];
    judged && told == (Some(case.what), Some(case.expect))
}

/// The files are what a stranger's verifier is tested with.
#[test]
fn each_file_is_judged_as_it_says() {
    for case in CASES {
        assert!(
            is_judged_as_it_says(case),
            "{}: cargo run -p portcullis-core --example vectors",
            case.name
        );
    }
}

/// What is made anew today is judged the same.
#[test]
fn each_case_is_broken_as_it_says() {
    for case in CASES {
        document(case);
    }
}

/// Every fault has its file.
#[test]
fn each_fault_has_a_case() {
    let faults = [
        "ok",
        "Shape",
        "Genesis",
        "Checkpoint",
        "Inclusion",
        "Order",
        "Act",
        "Release",
        "Factor",
        "Relay",
        "Address",
        "Debit",
        "Screening",
        "TravelRule",
        "Plan",
        "Statement",
    ];
    for fault in faults {
        assert!(CASES.iter().any(|case| case.expect == fault), "{fault}");
    }
}
