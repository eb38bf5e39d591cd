//! Receipts of an account whose two principals send money together.

use super::draft::Draft;
use crate::holder::{Holder, Kind};
use crate::story::Story;
use portcullis_chains::Amount;
use portcullis_core::act::{
    ActKind, AddAddress, AddPrincipal, EnrolFactor, SetAccountQuorum, Withdraw,
};
use portcullis_core::entry::{Body, Supplement};
use portcullis_core::passkey::Assertion;
use portcullis_core::{Act, Evidence};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Customer, World};

/// The other one.
fn second(story: &Story) -> Customer {
    let mut second = Customer::number(8);
    second.account = story.holder.customer.account;
    second
}

/// What it says of an act.
pub(crate) fn seconds(draft: &Draft, act: &Act) -> Assertion {
    second(&draft.story).assertion(act)
}

impl Story {
    /// The first asks, and both assert it.
    fn together(&mut self, kind: ActKind) -> usize {
        let act = self.customers(kind);
        let mut evidence = self.evidence(&act);
        evidence.assertions.push(second(self).assertion(&act));
        self.submit(act, evidence)
    }

    fn alone(&mut self, kind: ActKind) -> usize {
        let act = self.customers(kind);
        let evidence = self.evidence(&act);
        self.submit(act, evidence)
    }
}

impl Draft {
    /// In `shown` the second's coming stands at 2, the quorum of both at 3 and what put it in force at 4, the address
    /// at 5, the act at 6, the second's assertion at 7, what ended the waiting at 8.
    pub(crate) fn joint() -> Self {
        let mut story = Story::begin(Holder::new(Kind::PasskeyP256));
        let opening = story.open();
        story.age();
        let new = second(&story);
        let (principal, factor) = (new.principal, new.factor());
        let coming = story.alone(ActKind::AddPrincipal(AddPrincipal { principal, factor }));
        story.age();
        let (replaces, quorum) = (1, 2);
        let set = SetAccountQuorum { replaces, quorum };
        let act = story.customers(ActKind::SetAccountQuorum(set));
        let evidence = story.evidence(&act);
        let quorum = story.submit(act.clone(), evidence);
        story.age();
        let raised = story.settle(act.digest());
        let address = World::address(0x22);
        let address = story.together(ActKind::AddAddress(AddAddress { address }));
        story.age();
        let act = story.customers(ActKind::Withdraw(Withdraw {
            asset: World::ETHER,
            to: World::address(0x22),
            amount: Amount(1_000_000),
        }));
        let mut evidence = story.evidence(&act);
        evidence.attestations.push(story.ledger.debit(&act));
        let asked = story.submit(act.clone(), evidence);
        let evidence = Evidence {
            requests: vec![World::request(
                World::BACK_END,
                &act,
                story.ledger.clock.now(),
            )],
            assertions: vec![new.assertion(&act)],
            ..Evidence::default()
        };
        let digest = act.digest();
        let more = Supplement {
            act: digest,
            evidence,
        };
        let more = story.enter(Body::Evidence(Box::new(more)));
        story.age();
        let settled = story.settle(digest);
        let statement = story.say(story.signed(digest));
        let shown = vec![
            0, opening, coming, quorum, raised, address, asked, more, settled, statement,
        ];
        Self {
            story,
            named: digest,
            opening,
            address,
            withdrawal: asked,
            statement,
            shown,
            act,
        }
    }

    /// The second's coming becomes the enrolment of a factor, which onboarding attests and a back end relays.
    pub(crate) fn second_by_onboarding(&mut self) {
        let (at, now) = (self.shown[2], self.time(self.shown[2]));
        let ledger = self.story.ledger.clone();
        self.submission(at, |s| {
            let ActKind::AddPrincipal(add) = &s.act.kind else {
                panic!("{:?}", s.act.kind)
            };
            let (principal, factor) = (add.principal, add.factor.clone());
            s.act.kind = ActKind::EnrolFactor(EnrolFactor { principal, factor });
            s.evidence = Evidence {
                requests: vec![World::request(World::BACK_END, &s.act, now)],
                attestations: vec![ledger.onboarding(&s.act)],
                ..Evidence::default()
            };
        });
    }

    /// Change the evidence that came later.
    pub(crate) fn more(&mut self, change: impl FnOnce(&mut Evidence)) {
        let at = self.shown[7];
        self.entry(at, |entry| match &mut entry.body {
            Body::Evidence(supplement) => change(&mut supplement.evidence),
            other => panic!("{other:?}"),
        });
    }
}
