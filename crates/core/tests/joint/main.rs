//! Accounts with several principals: what takes how many of them, who they are, and how that changes.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

#[path = "../stage/mod.rs"]
mod stage;

mod alone;
mod governance;
mod model;
mod together;

use portcullis_core::act::{
    Act, ActKind, AddPrincipal, RemovePrincipal, RevokeFactor, SetAccountQuorum,
};
use portcullis_core::state::account::{Account, Owner};
use portcullis_core::{Decision, Digest, Evidence, Need, Span};
use portcullis_keeper::testkit::Customer;
use stage::Stage;

/// So many more have to assert it.
fn principals(missing: u32) -> Need {
    Need::Principals { missing }
}

/// Several people, who share the account of the first.
struct Family {
    stage: Stage,
    all: Vec<Customer>,
}

impl Family {
    /// So many of them, of whom `quorum` loosen together.
    fn of(count: u8, quorum: u32) -> Self {
        let mut family = Self::on(Stage::new());
        for _ in 1..count {
            family.grow();
        }
        if quorum > 1 {
            family.sets(1, quorum, &[0]);
        }
        family
    }

    fn on(stage: Stage) -> Self {
        let all = vec![Customer::number(1)];
        Self { stage, all }
    }

    /// Somebody who is not one of them.
    fn stranger(&self, number: u8) -> Customer {
        let mut stranger = Customer::number(number);
        stranger.account = self.all[0].account;
        stranger
    }

    /// The next one joins, and counts.
    fn grow(&mut self) {
        let new = self.stranger(0x10 + u8::try_from(self.all.len()).unwrap());
        let act = self.add(&new);
        let digest = self.submit(&act, &[0]);
        self.tell(digest);
        self.all.push(new);
    }

    /// The delay of what an act began runs, after the herald's word where there is a herald.
    fn tell(&mut self, act: Digest) {
        if self.stage.untold(act).is_some() {
            self.stage.heralds(act);
        }
        self.stage.pass(Span::seconds(6));
    }

    fn act(&mut self, who: usize, kind: ActKind) -> Act {
        self.stage.ledger.customers_act(&self.all[who], kind)
    }

    fn add(&mut self, new: &Customer) -> Act {
        let (principal, factor) = (new.principal, new.factor());
        self.act(0, ActKind::AddPrincipal(AddPrincipal { principal, factor }))
    }

    fn remove(&mut self, who: usize, whom: usize) -> Act {
        let principal = self.all[whom].principal;
        self.act(who, ActKind::RemovePrincipal(RemovePrincipal { principal }))
    }

    /// One is put out by these, the first of whom asks, and the delay runs.
    fn removed(&mut self, whom: usize, by: &[usize]) {
        let act = self.remove(by[0], whom);
        let digest = self.submit(&act, by);
        self.stage.pass(Span::seconds(6));
        self.stage.settle(digest);
    }

    fn set_quorum(&mut self, replaces: u32, quorum: u32) -> Act {
        let set = SetAccountQuorum { replaces, quorum };
        self.act(0, ActKind::SetAccountQuorum(set))
    }

    /// It takes another number of them from now on.
    fn sets(&mut self, replaces: u32, quorum: u32, by: &[usize]) {
        let act = self.set_quorum(replaces, quorum);
        let digest = self.submit(&act, by);
        self.tell(digest);
        self.stage.settle(digest);
    }

    fn revoke_own(&mut self, who: usize) -> Act {
        let revoke = RevokeFactor {
            principal: self.all[who].principal,
            factor: self.all[who].factor().id(),
        };
        self.act(who, ActKind::RevokeFactor(revoke))
    }

    /// What an honest client sends, asserted by these.
    fn evidence(&self, act: &Act, by: &[usize]) -> Evidence {
        let mut evidence = self.stage.prove(act);
        evidence.assertions = by.iter().map(|who| self.all[*who].assertion(act)).collect();
        evidence
    }

    /// The assertions of these alone, as they come later.
    fn more(&self, act: &Act, by: &[usize]) -> Evidence {
        let mut evidence = self.evidence(act, by);
        evidence.attestations.clear();
        evidence
    }

    fn decide(&self, act: &Act, by: &[usize]) -> Decision {
        self.stage.decide(act, &self.evidence(act, by))
    }

    fn submit(&mut self, act: &Act, by: &[usize]) -> Digest {
        let evidence = self.evidence(act, by);
        self.stage.submit_with(act.clone(), evidence)
    }

    fn supplement(&mut self, act: &Act, by: &[usize]) {
        let evidence = self.more(act, by);
        let applied = self.stage.supplement(act.digest(), evidence);
        assert_eq!(applied.void, None);
    }

    /// What a held act comes to, once its entry is cosigned.
    fn settles(&mut self, act: Digest) -> Decision {
        self.stage.ledger.settle_clocks();
        self.stage.settles(act)
    }

    fn account(&self) -> &Account {
        self.stage.facts().account(self.all[0].account).unwrap()
    }

    fn owner(&self, who: usize) -> Owner {
        Owner::Holder {
            account: self.all[0].account,
            principal: self.all[who].principal,
        }
    }
}

fn waits_for(decision: &Decision, need: Need) -> bool {
    matches!(decision, Decision::Hold { needs, .. } if needs.contains(&need))
}
