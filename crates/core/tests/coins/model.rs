//! Batches against a small model: a list of plans, each with those whom it pays.

use crate::kit::Stage;
use portcullis_core::Digest;
use portcullis_core::Span;
use portcullis_core::decide::payment::Spend;
use portcullis_core::state::release::End;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
enum Step {
    /// So many withdrawals are paid together.
    Pay(usize),
    /// One of those under way is given up.
    Void(usize),
    /// The fee of one of the batches rises.
    Bump(usize),
    /// Its signer signs what stands.
    Sign(usize),
    /// One of what was signed is in a block.
    Confirm(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (1..4_usize).prop_map(Step::Pay),
        3 => any::<usize>().prop_map(Step::Void),
        2 => any::<usize>().prop_map(Step::Bump),
        3 => any::<usize>().prop_map(Step::Sign),
        1 => any::<(usize, usize)>().prop_map(|(batch, plan)| Step::Confirm(batch, plan)),
    ];
    proptest::collection::vec(step, 1..14)
}

#[derive(Default)]
struct Batch {
    members: Vec<Digest>,
    /// Whom each plan pays.
    plans: Vec<BTreeSet<Digest>>,
    /// Plans that were signed, with their transactions.
    signed: Vec<(usize, Digest)>,
    rate: u64,
    ended: bool,
}

#[derive(Default)]
struct Model {
    batches: Vec<Batch>,
}

impl Model {
    fn under_way(&mut self, pick: usize) -> Option<&mut Batch> {
        let mut open: Vec<&mut Batch> = self.batches.iter_mut().filter(|b| !b.ended).collect();
        let count = open.len();
        (count > 0).then(|| open.swap_remove(pick % count))
    }

    fn take(&mut self, stage: &mut Stage, step: &Step) {
        match *step {
            Step::Pay(count) => {
                if self.batches.iter().filter(|batch| !batch.ended).count() == 3 {
                    return;
                }
                let wants: Vec<_> = (1..).take(count).map(|to| (0, to, 20_000)).collect();
                let members = stage.pay(&wants);
                self.batches.push(Batch {
                    plans: vec![members.iter().copied().collect()],
                    members,
                    rate: 2_000,
                    ..Batch::default()
                });
            }
            Step::Void(pick) => self.void(stage, pick),
            Step::Bump(pick) => {
                let Some(batch) = self.under_way(pick) else {
                    return;
                };
                batch.rate += 1_500;
                let spend = Spend::again(stage.state(), batch.members[0]).unwrap();
                let plan = stage.planned(&spend, batch.rate);
                assert_eq!(stage.replace(batch.members[0], plan).void, None);
                batch.plans.push(batch.plans.last().unwrap().clone());
                stage.pass(Span::seconds(1));
            }
            Step::Sign(pick) => {
                let Some(batch) = self.under_way(pick) else {
                    return;
                };
                let newest = batch.plans.len() - 1;
                if batch.signed.iter().all(|(plan, _)| *plan != newest) {
                    let transaction = stage.sign(batch.members[0]);
                    batch.signed.push((newest, transaction));
                }
            }
            Step::Confirm(pick, which) => self.confirm(stage, pick, which),
        }
    }

    fn void(&mut self, stage: &mut Stage, pick: usize) {
        let Some(batch) = self.under_way(pick) else {
            return;
        };
        let mut paid: Vec<Digest> = batch.plans.last().unwrap().iter().copied().collect();
        if paid.is_empty() {
            return;
        }
        let given_up = paid.swap_remove(pick / 7 % paid.len());
        batch.rate += 1_500;
        assert_eq!(stage.void(given_up, batch.rate).void, None);
        batch.plans.push(paid.into_iter().collect());
        stage.pass(Span::seconds(1));
    }

    fn confirm(&mut self, stage: &mut Stage, pick: usize, which: usize) {
        let Some(batch) = self.under_way(pick) else {
            return;
        };
        if batch.signed.is_empty() {
            return;
        }
        let (plan, transaction) = batch.signed[which % batch.signed.len()];
        assert_eq!(stage.confirm(batch.members[0], transaction).void, None);
        for member in &batch.members {
            let end = if batch.plans[plan].contains(member) {
                End::Confirmed(transaction)
            } else {
                End::Returned
            };
            assert_eq!(stage.end(*member), Some(end));
        }
        batch.ended = true;
    }

    fn check(&self, stage: &Stage) {
        let open = self.batches.iter().filter(|batch| !batch.ended);
        let mut coins = BTreeSet::new();
        for batch in open.clone() {
            let known = stage.facts().batch_of(batch.members[0]).unwrap();
            assert_eq!(known.members, batch.members);
            for coin in &known.coins {
                assert!(coins.insert(*coin), "two standing batches spend one coin");
            }
            let release = stage.release(batch.members[0]);
            assert_eq!(release.plans.len(), batch.plans.len());
            for member in &batch.members {
                let facts = stage.facts();
                for (plan, pays) in facts.plans_of(*member).iter().zip(&batch.plans) {
                    let is_void = facts.is_void_plan(*member, plan.digest());
                    assert_eq!(is_void, !pays.contains(member));
                }
            }
        }
        let all = stage.facts().batches.iter().flatten().count();
        assert_eq!(all, open.count());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_member_is_paid_if_the_plan_that_happens_pays_it(steps in steps()) {
        let mut stage = Stage::new();
        let mut model = Model::default();
        for step in &steps {
            model.take(&mut stage, step);
            model.check(&stage);
        }
    }
}
