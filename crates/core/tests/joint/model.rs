//! A small model of one account beside the real one, under drawn sequences of what its principals do.
//!
//! The model knows who is one of them, whose passkey counts, whose word a withdrawal has since the last
//! freeze, and how many it takes. From that alone it says whether the withdrawal goes.

use super::Family;
use crate::stage::{PAYEE, ether};
use portcullis_core::act::ActKind;
use portcullis_core::{Act, Decision, Span};
use proptest::prelude::*;
use std::collections::BTreeSet;

const MOST: usize = 4;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// One of them asks for a withdrawal; the debit is there.
    Ask(usize),
    /// One of them asserts it.
    Assert(usize),
    /// One of them leaves.
    Leave(usize),
    /// All who are there set another quorum, and its delay runs.
    Quorum(u32),
    /// One freezes, all thaw.
    Freeze(usize),
    /// The gate looks at what waits.
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..MOST;
    prop_oneof![
        4 => who.clone().prop_map(Step::Ask),
        8 => who.clone().prop_map(Step::Assert),
        1 => who.clone().prop_map(Step::Leave),
        2 => (1u32..5).prop_map(Step::Quorum),
        1 => who.prop_map(Step::Freeze),
        4 => Just(Step::Settle),
    ]
}

struct Model {
    family: Family,
    there: BTreeSet<usize>,
    quorum: u32,
    waits: Option<Waits>,
}

struct Waits {
    act: Act,
    by: usize,
    behind: BTreeSet<usize>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn a_withdrawal_goes_with_a_quorum_of_those_who_are_there(
        steps in prop::collection::vec(step(), 1..30),
    ) {
        let family = Family::of(u8::try_from(MOST).unwrap(), 2);
        let mut model = Model { family, there: (0..MOST).collect(), quorum: 2, waits: None };
        for step in steps {
            model.take(step);
        }
    }
}

impl Model {
    fn take(&mut self, step: Step) {
        match step {
            Step::Ask(who) if self.there.contains(&who) && self.waits.is_none() => self.ask(who),
            Step::Assert(who) if self.there.contains(&who) => self.assert(who),
            Step::Leave(who) => self.leave(who),
            Step::Quorum(quorum) => self.set(quorum),
            Step::Freeze(who) if self.there.contains(&who) => self.freeze(who),
            Step::Settle => self.settle(),
            _ => {}
        }
    }

    /// Nothing that is taken at once is asked for: whoever is alone would not wait.
    fn ask(&mut self, by: usize) {
        if self.quorum == 1 {
            return;
        }
        let act = self.family.act(by, ether(PAYEE, 1));
        self.family.submit(&act, &[by]);
        let behind = BTreeSet::from([by]);
        self.waits = Some(Waits { act, by, behind });
    }

    fn assert(&mut self, who: usize) {
        let Some(waits) = &mut self.waits else { return };
        // In an account of one nobody else's word is taken, and none over what nobody of it asks for.
        let asked = self.there.contains(&waits.by);
        let counts = asked && (who == waits.by || self.quorum > 1);
        let evidence = self.family.more(&waits.act, &[who]);
        let digest = waits.act.digest();
        let taken = self.family.stage.would_supplement(digest, evidence.clone());
        assert_eq!(taken.is_ok(), counts, "{taken:?}");
        if counts {
            self.family.stage.supplement(digest, evidence);
            waits.behind.insert(who);
        }
    }

    fn leave(&mut self, who: usize) {
        if !self.there.contains(&who) {
            return;
        }
        let act = self.family.remove(who, who);
        let left = u32::try_from(self.there.len() - 1).unwrap();
        let may = left >= self.quorum;
        let taken = self.family.decide(&act, &[who]) == Decision::Release;
        assert_eq!(taken, may);
        if !may {
            return;
        }
        self.family.submit(&act, &[who]);
        self.there.remove(&who);
        if let Some(waits) = &mut self.waits {
            waits.behind.remove(&who);
        }
    }

    fn set(&mut self, quorum: u32) {
        let there: Vec<usize> = self.there.iter().copied().collect();
        let kind = self.family.set_quorum(self.quorum, quorum).kind;
        let act = self.family.act(there[0], kind);
        let enough = usize::try_from(self.quorum).unwrap();
        let decision = self.family.decide(&act, &there[..enough]);
        let possible = quorum != self.quorum && quorum as usize <= there.len();
        assert_eq!(
            !matches!(decision, Decision::Refuse { .. }),
            possible,
            "{decision:?}"
        );
        if !possible {
            return;
        }
        let digest = self.family.submit(&act, &there[..enough]);
        self.family.stage.pass(Span::seconds(6));
        self.family.stage.settle(digest);
        self.quorum = quorum;
    }

    fn freeze(&mut self, who: usize) {
        let act = self.family.act(who, ActKind::Freeze);
        self.family.submit(&act, &[who]);
        let there: Vec<usize> = self.there.iter().copied().collect();
        let enough = usize::try_from(self.quorum).unwrap();
        let thaw = self.family.act(there[0], ActKind::Unfreeze);
        self.family.submit(&thaw, &there[..enough]);
        if let Some(waits) = &mut self.waits {
            waits.behind.clear();
        }
    }

    fn settle(&mut self) {
        let Some(waits) = &self.waits else { return };
        let (digest, by) = (waits.act.digest(), waits.by);
        // Of those besides, as many as it takes; of whoever asked, the word itself.
        let others = waits.behind.iter().filter(|who| **who != by).count();
        let enough = u32::try_from(others).unwrap() + 1 >= self.quorum;
        let goes = waits.behind.contains(&by) && enough;
        let gone = !self.there.contains(&by);
        let decision = self.family.settles(digest);
        match &decision {
            Decision::Release => assert!(goes && !gone, "{:?}", waits.behind),
            Decision::Hold { .. } => assert!(!goes && !gone, "{:?}", waits.behind),
            Decision::Refuse { .. } => assert!(gone),
        }
        if !matches!(decision, Decision::Hold { .. }) {
            self.family.stage.settle(digest);
            self.waits = None;
        }
    }
}
