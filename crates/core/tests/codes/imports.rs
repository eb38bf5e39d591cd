//! Accounts that come with the factors of another system.

use crate::stage::{PAYEE, Stage, add};
use portcullis_core::act::{Act, ActKind, Import, MAX_ALSO, OpenAccount};
use portcullis_core::factor::{Imported, NewFactor};
use portcullis_core::id::AccountId;
use portcullis_core::policy::Policy;
use portcullis_core::state::account::Owner;
use portcullis_core::{Digest, Reason, Span};
use portcullis_keeper::testkit::{Customer, World};

const SEED: Digest = Digest([0x5f; 32]);

fn import(stage: &Stage) -> Import {
    Import {
        source: "legacy-auth.2".into(),
        exported: stage.now(),
        record: Digest([0x4e; 32]),
        also: vec![NewFactor::Totp { seed: SEED }],
    }
}

/// The second customer is opened, with a passkey and what the import says.
fn opening(stage: &mut Stage, imported: Option<Import>) -> Act {
    let new = Customer::number(2);
    let open = OpenAccount {
        subject: new.subject,
        principal: new.principal,
        factor: new.factor(),
        delay: None,
        contact: Some(Digest([0x0d; 32])),
        imported,
    };
    let mut act = stage.staffs(World::BACK_END, ActKind::OpenAccount(open));
    act.account = Some(new.account);
    act
}

fn owner() -> Owner {
    let new = Customer::number(2);
    Owner::Holder {
        account: new.account,
        principal: new.principal,
    }
}

#[test]
fn an_import_brings_every_factor_and_marks_it() {
    let mut stage = Stage::with_codes();
    let import = import(&stage);
    let act = opening(&mut stage, Some(import));
    let act = stage.submit(act);
    stage.heralds(act);
    stage.pass(Span::seconds(6));
    let factors = stage.facts().factors(owner()).to_vec();
    assert_eq!(factors.len(), 2);
    for factor in &factors {
        assert_eq!(factor.imported, Imported(true));
        assert!(factor.available.is_at(stage.now()));
    }
    // The customer who came by the usual way is not marked.
    let own = stage.facts().factors(stage.owner());
    assert!(own.iter().all(|factor| factor.imported == Imported(false)));
    let onboarded = opening_without_onboarding(&mut stage);
    assert_eq!(onboarded, Some(Reason::OnboardingMissing));
}

fn opening_without_onboarding(stage: &mut Stage) -> Option<Reason> {
    let import = import(stage);
    let mut act = opening(stage, Some(import));
    act.account = Some(AccountId([9; 16]));
    let mut evidence = stage.prove(&act);
    evidence.attestations.clear();
    match stage.decide(&act, &evidence) {
        portcullis_core::Decision::Refuse { reason } => Some(reason),
        _ => None,
    }
}

#[test]
fn an_import_says_where_from_in_a_few_plain_characters() {
    let mut stage = Stage::with_codes();
    let good = import(&stage);
    let refused = |stage: &mut Stage, import| {
        let act = opening(stage, Some(import));
        stage.refusal(&act)
    };
    assert_eq!(refused(&mut stage, good.clone()), None);
    for source in ["", "Legacy", "a b", "eve@bank.example", &"a".repeat(65)] {
        let source = source.to_owned();
        let import = Import {
            source,
            ..good.clone()
        };
        let reason = Some(Reason::ImportMalformed);
        assert_eq!(refused(&mut stage, import), reason);
    }
    let ahead = Import {
        exported: stage.now().after(Span::seconds(1)),
        ..good.clone()
    };
    assert_eq!(refused(&mut stage, ahead), Some(Reason::ImportMalformed));
    let seeds = (0..=u8::try_from(MAX_ALSO).unwrap()).map(|n| NewFactor::Totp {
        seed: Digest([n; 32]),
    });
    let many = Import {
        also: seeds.collect(),
        ..good.clone()
    };
    assert_eq!(refused(&mut stage, many), Some(Reason::ImportMalformed));
    let twice = Import {
        also: vec![Customer::number(2).factor()],
        ..good
    };
    assert_eq!(refused(&mut stage, twice), Some(Reason::FactorExists));
}

/// Whoever distrusts what came from there says so in a policy.
#[test]
fn a_policy_sees_what_was_imported() {
    let cautious = Policy {
        cedar: r#"
            @id("most") permit (principal, action, resource);
            @id("not-by-what-was-imported")
            forbid (principal, action == Action::"add-address", resource)
            when { context.imported };"#
            .into(),
        ..Policy::default_of_core().clone()
    };
    let mut stage = Stage::with_policy(cautious);
    let import = import(&stage);
    let act = opening(&mut stage, Some(import));
    let act = stage.submit(act);
    stage.heralds(act);
    stage.pass(Span::seconds(6));
    let own = stage.customers(add(World::address(0x33)));
    assert_eq!(stage.refusal(&own), None);
    stage.customer = Customer::number(2);
    let imported = stage.customers(add(PAYEE));
    assert_eq!(stage.refusal(&imported), Some(Reason::Forbidden));
}
