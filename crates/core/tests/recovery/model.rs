//! A small model of recoveries beside the real one, under drawn sequences of acts and time.
//!
//! The model knows one holder, and of it only: when a recovery began to wait in the open, whether anybody
//! has objected since, and how many have begun today.

use crate::stage::lost::{BOUNDS, DELAY, SUPPORT_2};
use crate::stage::{SUPPORT, Stage};
use portcullis_core::act::ActKind;
use portcullis_core::id::PrincipalId;
use portcullis_core::state::release::End;
use portcullis_core::{Decision, Digest, Span, Time};
use portcullis_keeper::testkit::World;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The back end, with the vendor's word.
    Attested,
    /// One of support.
    Support(bool),
    /// The other one approves.
    Approve,
    Veto,
    Freeze,
    Unfreeze,
    /// So many seconds.
    Pass(u64),
    /// The gate looks at what waits.
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Attested),
        2 => any::<bool>().prop_map(Step::Support),
        2 => Just(Step::Approve),
        1 => Just(Step::Veto),
        1 => Just(Step::Freeze),
        1 => Just(Step::Unfreeze),
        4 => prop_oneof![1u64..6, 9u64..17, 9u64..17, Just(86_400u64)].prop_map(Step::Pass),
        4 => Just(Step::Settle),
    ]
}

struct Waits {
    act: Digest,
    /// Since when it stands under a cosigned checkpoint.
    open_since: Option<Time>,
    brought_by: PrincipalId,
    attested: bool,
    approved: bool,
    /// Somebody froze the account since.
    frozen: bool,
}

#[derive(Default)]
struct Model {
    waits: Option<Waits>,
    frozen: bool,
    /// By day and agent.
    begun: BTreeMap<(u64, PrincipalId), u32>,
}

impl Model {
    fn may_begin(&self, agent: PrincipalId, now: Time) -> bool {
        let day = now.0 / 86_400_000;
        let own = self.begun.get(&(day, agent)).copied().unwrap_or(0);
        let all: u32 = self
            .begun
            .iter()
            .filter(|((d, _), _)| *d == day)
            .map(|(_, count)| count)
            .sum();
        self.waits.is_none() && !self.frozen && own < BOUNDS.per_agent && all < BOUNDS.per_platform
    }

    fn takes_effect(&self, now: Time) -> bool {
        self.waits.as_ref().is_some_and(|waits| {
            let ripe = waits
                .open_since
                .is_some_and(|since| now >= since.after(DELAY));
            ripe && (waits.attested || waits.approved) && !waits.frozen && !self.frozen
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    #[test]
    fn state_and_model_agree(steps in prop::collection::vec(step(), 1..40)) {
        let mut stage = Stage::lost();
        let mut model = Model::default();
        for step in steps {
            take(&mut stage, &mut model, step);
            // No recovery against a veto or a freeze, none too early, and no budget is ever passed.
            let waits = model.waits.as_ref().map(|waits| waits.act);
            let known = stage.facts().recovering.get(&stage.holder()).map(|p| p.act);
            prop_assert_eq!(waits, known);
            let begun = &stage.facts().begun;
            prop_assert!(begun.platform <= BOUNDS.per_platform);
            prop_assert!(begun.agents.values().all(|own| *own <= BOUNDS.per_agent));
        }
    }
}

fn take(stage: &mut Stage, model: &mut Model, step: Step) {
    match step {
        Step::Attested => begin(stage, model, World::BACK_END, true),
        Step::Support(first) => {
            let who = if first { SUPPORT } else { SUPPORT_2 };
            begin(stage, model, who, false);
        }
        Step::Approve => approve(stage, model),
        Step::Veto => {
            if let Some(waits) = model.waits.take() {
                let veto = stage.veto(waits.act);
                stage.submit(veto);
                assert_eq!(stage.end(waits.act), Some(End::Returned));
            }
        }
        Step::Freeze => {
            let freeze = stage.customers(ActKind::Freeze);
            stage.submit(freeze);
            model.frozen = true;
            if let Some(waits) = &mut model.waits {
                waits.frozen = true;
            }
        }
        Step::Unfreeze => {
            if model.frozen {
                let thaw = stage.customers(ActKind::Unfreeze);
                stage.submit(thaw);
                model.frozen = false;
            }
        }
        Step::Pass(seconds) => {
            stage.ledger.settle_clocks();
            if let Some(waits) = &mut model.waits {
                waits.open_since.get_or_insert(stage.now());
            }
            stage.pass(Span::seconds(seconds));
        }
        Step::Settle => settle(stage, model),
    }
}

fn begin(stage: &mut Stage, model: &mut Model, who: PrincipalId, attested: bool) {
    let act = stage.recovery_by(who);
    let evidence = if attested {
        stage.prove_attested(&act)
    } else {
        stage.prove(&act)
    };
    let already = stage.has_factor(&stage.next_passkey().factor());
    let may = model.may_begin(who, stage.now()) && !already;
    let decision = stage.decide(&act, &evidence);
    assert_eq!(
        matches!(decision, Decision::Hold { .. }),
        may,
        "{decision:?}"
    );
    if may {
        let day = stage.now().0 / 86_400_000;
        *model.begun.entry((day, who)).or_default() += 1;
        model.waits = Some(Waits {
            act: stage.submit_with(act, evidence),
            open_since: None,
            brought_by: who,
            attested,
            approved: false,
            frozen: false,
        });
    }
}

fn approve(stage: &mut Stage, model: &mut Model) {
    let Some(waits) = &mut model.waits else {
        return;
    };
    let other = if waits.brought_by == SUPPORT {
        SUPPORT_2
    } else {
        SUPPORT
    };
    if !waits.approved {
        stage.approve(other, waits.act);
        waits.approved = true;
    }
}

fn settle(stage: &mut Stage, model: &mut Model) {
    let Some(act) = model.waits.as_ref().map(|waits| waits.act) else {
        return;
    };
    let decision = stage.settles(act);
    let takes_effect = model.takes_effect(stage.now());
    assert_eq!(decision == Decision::Release, takes_effect, "{decision:?}");
    if !matches!(decision, Decision::Hold { .. }) {
        stage.settle(act);
        model.waits = None;
        assert_eq!(
            stage.has_factor(&stage.next_passkey().factor()),
            takes_effect
        );
    }
}
