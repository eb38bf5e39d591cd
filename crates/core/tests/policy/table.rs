//! The policies that ship (`policies/`), fact by fact: read by somebody who knows withdrawals.

use portcullis_core::behaviour::{Company, Count, Hours};
use portcullis_core::evidence::Finding;
use portcullis_core::factor::FactorKind;
use portcullis_core::policy::{Attested, Engine, Facts, Money, Policy, Shares, Verdict, Wanted};
use portcullis_core::realm::Realm;
use portcullis_keeper::testkit::World;

/// A small amount to a known address by an old passkey.
const SMALL: Facts = Facts {
    act: "withdraw",
    realm: Realm::Customers,
    roles: 0,
    factor: FactorKind::Passkey,
    factor_hours: 720,
    imported: false,
    approvals: 0,
    attested: Attested {
        debit: true,
        onboarding: false,
        travel_rule: false,
        screening: None,
    },
    lists: 0,
    label: None,
    money: Some(MONEY),
    company: None,
};

const MONEY: Money = Money {
    asset: World::ETHER,
    tier: 0,
    address_hours: 720,
    account: NONE,
    asset_wide: NONE,
};

const NONE: Shares = Shares {
    hour: 0,
    day: 10,
    week: 0,
};

fn of(tier: u8, approvals: u32) -> Facts {
    Facts {
        approvals,
        money: Some(Money { tier, ..MONEY }),
        ..SMALL
    }
}

fn staffs(act: &'static str) -> Facts {
    Facts {
        act,
        realm: Realm::Staff,
        factor: FactorKind::RequestKey,
        factor_hours: 0,
        money: None,
        ..SMALL
    }
}

fn used(day: u8) -> Facts {
    let account = Shares { day, ..NONE };
    Facts {
        money: Some(Money { account, ..MONEY }),
        ..SMALL
    }
}

#[rustfmt::skip]
fn rows() -> Vec<(&'static str, Facts, &'static str, &'static str)> {
    let known = |tier, approvals, address_hours| {
        let money = Money { tier, address_hours, ..MONEY };
        Facts { approvals, money: Some(money), ..SMALL }
    };
    vec![
        // what                                     facts                                                     answer            made by
        ("small, known address, old passkey",       SMALL,                                                    "goes",           "what-core-allows"),
        ("small, address of this hour",             known(0, 0, 0),                                           "goes",           "what-core-allows"),
        ("small, by a request key",                 Facts { factor: FactorKind::RequestKey, ..SMALL },        "goes",           "what-core-allows"),
        ("small, by a factor of this hour",         Facts { factor_hours: 0, ..SMALL },                       "goes",           "what-core-allows"),
        ("small, blocked",                          Facts { lists: 1, ..SMALL },                              "605",            "blocked"),
        ("large",                                   of(1, 0),                                                 "1 approvals",    "large-one-approval"),
        ("large, approved",                         of(1, 1),                                                 "goes",           "what-core-allows"),
        ("large, approved, blocked",                Facts { lists: 1, ..of(1, 1) },                           "605",            "blocked"),
        ("large, blocked",                          Facts { lists: 1, ..of(1, 0) },                           "605",            "blocked large-one-approval"),
        ("large, approved, by a request key",       Facts { factor: FactorKind::RequestKey, ..of(1, 1) },     "passkey",        "large-by-passkey"),
        ("large, approved, factor a day old less",  Facts { factor_hours: 23, ..of(1, 1) },                   "delay",          "large-not-by-a-new-factor"),
        ("large, approved, factor a day old",       Facts { factor_hours: 24, ..of(1, 1) },                   "goes",           "what-core-allows"),
        ("large, approved, address of this hour",   known(1, 1, 0),                                           "goes",           "what-core-allows"),
        ("very large, approved once",               of(2, 1),                                                 "2 approvals",    "very-large-two-approvals"),
        ("very large, approved twice",              of(2, 2),                                                 "goes",           "what-core-allows"),
        ("very large, approved twice, new address", known(2, 2, 71),                                          "delay",          "very-large-to-a-known-address"),
        ("very large, approved twice, 3 days",      known(2, 2, 72),                                          "goes",           "what-core-allows"),
        ("of an asset without steps",               of(9, 1),                                                 "2 approvals",    "very-large-two-approvals"),
        ("small, 80 % of the day used",             used(80),                                                 "goes",           "what-core-allows"),
        ("small, 90 % of the day used",             used(90),                                                 "1 approvals",    "last-fifth-of-the-day"),
        ("an address on the list",                  Facts { lists: 1, money: None, act: "add-address", ..SMALL }, "605",        "blocked"),
        ("another address",                         Facts { money: None, act: "add-address", ..SMALL },       "goes",           "what-core-allows"),
        ("a role",                                  staffs("grant-role"),                                     "goes",           "what-core-allows"),
        ("limits",                                  staffs("set-limits"),                                     "goes",           "what-core-allows"),
        ("a release resumed",                       staffs("resume"),                                         "goes",           "what-core-allows"),
    ]
}

/// What `policies/screened.toml` says to the same withdrawals, and to what vendors say of them.
#[rustfmt::skip]
fn rows_of_vendors() -> Vec<(&'static str, Facts, &'static str, &'static str)> {
    use Finding::{Pass, Refer};
    let heard = |tier, screening, travel_rule, approvals| {
        let attested = Attested { screening, travel_rule, ..SMALL.attested };
        Facts { attested, ..of(tier, approvals) }
    };
    let address = |screening| Facts { act: "add-address", money: None, ..heard(0, screening, false, 0) };
    vec![
        // what                                    facts                              answer         made by
        ("small",                                  SMALL,                             "goes",        "what-core-allows"),
        ("small, referred",                        heard(0, Some(Refer), false, 0),   "1 approvals", "referred-one-approval"),
        ("large",                                  of(1, 0),                          "screening",   "large-screened"),
        ("large, approved",                        of(1, 1),                          "screening",   "large-screened"),
        ("large, passed",                          heard(1, Some(Pass), false, 0),    "goes",        "what-core-allows"),
        ("large, referred",                        heard(1, Some(Refer), false, 0),   "1 approvals", "referred-one-approval"),
        ("large, referred, approved",              heard(1, Some(Refer), false, 1),   "goes",        "what-core-allows"),
        ("very large",                             of(2, 0),                          "travelrule",  "large-screened very-large-travel-rule"),
        ("very large, passed",                     heard(2, Some(Pass), false, 0),    "travelrule",  "very-large-travel-rule"),
        ("very large, passed, message exchanged",  heard(2, Some(Pass), true, 0),     "goes",        "what-core-allows"),
        ("very large, referred, approved",         heard(2, Some(Refer), true, 1),    "screening",   "very-large-passed"),
        ("an address",                             address(None),                     "goes",        "what-core-allows"),
        ("an address, passed",                     address(Some(Pass)),               "goes",        "what-core-allows"),
        ("an address, referred",                   address(Some(Refer)),              "605",         "no-referred-address"),
    ]
}

/// What `policies/watchful.toml` says to how withdrawals look beside the others.
#[rustfmt::skip]
fn rows_of_company() -> Vec<(&'static str, Facts, &'static str, &'static str)> {
    let beyond = |now| Count { now, usually: 0 };
    let seen = |tier, approvals, address_hours, company| {
        let money = Money { tier, address_hours, ..MONEY };
        let company = Company { address_hours: Hours(address_hours), ..company };
        Facts { approvals, money: Some(money), company: Some(company), ..SMALL }
    };
    let quiet = Company::QUIET;
    let alike = |now| Company { alike: beyond(now), ..quiet };
    let together = |now, usually| Company { together: Count { now, usually }, ..quiet };
    let rush = |rush| Company { rush, ..quiet };
    let changed = Company { changed_hours: Hours(2), ..quiet };
    let by_key = |facts| Facts { factor: FactorKind::RequestKey, ..facts };
    vec![
        // what                                        facts                                       answer         made by
        ("like no other",                              seen(0, 0, 720, quiet),                     "goes",        "what-core-allows"),
        ("four alike",                                 seen(0, 0, 1, alike(4)),                    "goes",        "what-core-allows"),
        ("five alike",                                 seen(0, 0, 1, alike(5)),                    "1 approvals", "like-one-of-many"),
        ("five alike, approved",                       seen(0, 1, 1, alike(5)),                    "goes",        "what-core-allows"),
        ("four alike, in a rush",                      seen(0, 0, 1, Company { rush: 30, ..alike(4) }), "1 approvals", "like-one-of-many"),
        ("thirty to a merchant who has thirty",        seen(0, 0, 720, together(30, 30)),          "goes",        "what-core-allows"),
        ("thirty to somebody of today",                seen(0, 0, 720, together(30, 0)),           "1 approvals", "like-one-of-many"),
        ("a rush, by a passkey",                       seen(0, 0, 1, rush(40)),                    "goes",        "what-core-allows"),
        ("a rush, by a request key",                   by_key(seen(0, 0, 1, rush(40))),            "passkey",     "in-a-rush-by-passkey"),
        ("a rush, by a request key, to a known one",   by_key(seen(0, 0, 24, rush(40))),           "goes",        "what-core-allows"),
        ("small, after a change",                      seen(0, 0, 1, changed),                     "goes",        "what-core-allows"),
        ("large, after a change",                      seen(1, 1, 1, changed),                     "2 approvals", "changed-and-large"),
        ("large, after a change, to a known one",      seen(1, 0, 24, changed),                    "goes",        "what-core-allows"),
        ("large, after a change, approved by two",     seen(1, 2, 1, changed),                     "goes",        "what-core-allows"),
    ]
}

#[test]
fn the_policies_that_ship_say_this() {
    says(&shipped(), rows());
    says(&watchful(), rows_of_company());
    says(&screened(), rows_of_vendors());
}

fn says(policy: &Policy, rows: Vec<(&'static str, Facts, &'static str, &'static str)>) {
    let engine = Engine::compile(policy).unwrap();
    for (what, facts, want, made) in rows {
        let answer = engine.answer(&facts);
        let names: Vec<&str> = answer.statements.iter().map(|name| &*name.0).collect();
        assert_eq!(said(&answer.verdict), want, "{what}");
        assert_eq!(names.join(" "), made, "{what}");
    }
}

fn said(verdict: &Verdict) -> String {
    let need = |wanted: &Wanted| match wanted {
        Wanted::Approvals(count) => format!("{count} approvals"),
        other => format!("{other:?}").to_lowercase(),
    };
    match verdict {
        Verdict::Permit => "goes".into(),
        Verdict::Refuse(reason) => reason.number().to_string(),
        Verdict::Needs(wanted) => wanted.iter().map(need).next_back().unwrap(),
    }
}

fn screened() -> Policy {
    let text = include_str!("../../../../policies/screened.toml");
    toml::from_str(text).unwrap()
}

fn watchful() -> Policy {
    let text = include_str!("../../../../policies/watchful.toml");
    toml::from_str(text).unwrap()
}

fn shipped() -> Policy {
    let text = include_str!("../../../../policies/default.toml");
    toml::from_str(text).unwrap()
}

/// Every statement of theirs decides something above.
#[test]
fn no_statement_is_idle() {
    for (policy, rows) in [
        (shipped(), rows()),
        (screened(), rows_of_vendors()),
        (watchful(), rows_of_company()),
    ] {
        for statement in Engine::compile(&policy).unwrap().statements() {
            let makes = |made: &str| made.split(' ').any(|name| name == statement.name.0);
            assert!(
                rows.iter().any(|(_, _, _, made)| makes(made)),
                "{statement:?}"
            );
        }
    }
}
