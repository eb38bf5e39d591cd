//! A receipt in the making: a journal in which anything can still be changed behind its back.

use crate::holder::{Holder, Kind};
use crate::story::{Story, resign, sign};
use crate::tree;
use portcullis_chains::caip::AssetId;
use portcullis_core::entry::{Body, Entry, Replacement, Submission};
use portcullis_core::id::PrincipalId;
use portcullis_core::plan::Plan;
use portcullis_core::receipt::{Handover, ProvenEntry, Receipt};
use portcullis_core::statement::{Says, SignedStatement};
use portcullis_core::{Act, Digest, Time};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{World, id};
use portcullis_keys::WalletKey;

/// A journal with one withdrawal, and the entries that its receipt will show.
pub(crate) struct Draft {
    pub(crate) story: Story,
    /// The withdrawal.
    pub(crate) act: Act,
    /// What the receipt names as its act.
    pub(crate) named: Digest,
    /// Where the account was opened, the address added, the withdrawal asked for, and the signer's
    /// statement journaled.
    pub(crate) opening: usize,
    pub(crate) address: usize,
    pub(crate) withdrawal: usize,
    pub(crate) statement: usize,
    /// The receipt's entries.
    pub(crate) shown: Vec<usize>,
}

impl Draft {
    /// A withdrawal that was released at once, signed and confirmed.
    pub(crate) fn straight(kind: Kind, asset: AssetId, amount: u128) -> Self {
        Self::in_story(Story::begin(Holder::new(kind)), asset, amount)
    }

    /// The same, in a story that has begun.
    pub(crate) fn in_story(mut story: Story, asset: AssetId, amount: u128) -> Self {
        let opening = story.open();
        story.age();
        let address = story.add_address();
        story.age();
        let asked = story.withdraw(asset, amount, true);
        let digest = asked.act.digest();
        let statement = story.say(story.signed(digest));
        let confirmed = story.say(story.confirmed(digest));
        Self {
            story,
            named: digest,
            opening,
            address,
            withdrawal: asked.entry,
            statement,
            shown: vec![0, opening, address, asked.entry, statement, confirmed],
            act: asked.act,
        }
    }

    /// The same in a network whose wallet pays by mandate: with the signer's statement it is over.
    pub(crate) fn permitted_in(mut story: Story, asset: AssetId, amount: u128) -> Self {
        let opening = story.open();
        story.age();
        let address = story.add_address();
        story.age();
        let asked = story.withdraw(asset, amount, true);
        let digest = asked.act.digest();
        let statement = story.say(story.signed(digest));
        Self {
            story,
            named: digest,
            opening,
            address,
            withdrawal: asked.entry,
            statement,
            shown: vec![0, opening, address, asked.entry, statement],
            act: asked.act,
        }
    }

    /// A withdrawal proven by a request key, which the customer enrolled by its passkey.
    pub(crate) fn enrolled() -> Self {
        let mut story = Story::begin(Holder::new(Kind::PasskeyP256));
        let opening = story.open();
        story.age();
        let younger = Holder::new(Kind::RequestKey);
        let enrolment = story.enrol(younger.factor());
        story.age();
        story.holder = younger;
        let address = story.add_address();
        story.age();
        Self::paid(story, opening, &[enrolment, address])
    }

    /// A withdrawal relayed by a back end that a quorum appointed.
    pub(crate) fn granted() -> Self {
        let mut story = Story::begin(Holder::new(Kind::PasskeyP256));
        let opening = story.open();
        let relay = PrincipalId(id(0x03));
        let granted = story.grant_back_end(relay);
        story.age();
        story.relay = relay;
        let address = story.add_address();
        story.age();
        Self::paid(story, opening, &[&granted[..], &[address]].concat())
    }

    /// A withdrawal, and the signer's statement. `rests_on` stands in `shown` from 2 on, the address last.
    pub(crate) fn paid(mut story: Story, opening: usize, rests_on: &[usize]) -> Self {
        let asked = story.withdraw(World::ETHER, 1_000_000, true);
        let digest = asked.act.digest();
        let statement = story.say(story.signed(digest));
        let mut shown = vec![0, opening];
        shown.extend(rests_on);
        let address = shown[shown.len() - 1];
        shown.extend([asked.entry, statement]);
        Self {
            story,
            named: digest,
            opening,
            address,
            withdrawal: asked.entry,
            statement,
            shown,
            act: asked.act,
        }
    }

    /// A withdrawal that was held for its debit, released later, and outbid before it was signed.
    pub(crate) fn crooked() -> Self {
        let mut story = Story::begin(Holder::new(Kind::PasskeyEd25519));
        let opening = story.open();
        story.age();
        let address = story.add_address();
        story.age();
        let asked = story.withdraw(World::ETHER, 1_000_000, false);
        let act = asked.act.digest();
        let debit = story.debit(&asked.act);
        let settled = story.settle(act);
        let plan = story.bumped(act);
        let replaced = story.enter(Body::Replace(Box::new(Replacement { act, plan })));
        let statement = story.say(story.signed(act));
        let mut shown = vec![0, opening, address, asked.entry];
        shown.extend([debit, settled, replaced, statement]);
        Self {
            story,
            named: act,
            opening,
            address,
            withdrawal: asked.entry,
            statement,
            shown,
            act: asked.act,
        }
    }

    /// Change an entry behind everybody's back.
    pub(crate) fn entry(&mut self, index: usize, change: impl FnOnce(&mut Entry)) {
        let bytes = &mut self.story.ledger.entries[index];
        let mut entry = Entry::from_bytes(bytes).unwrap();
        change(&mut entry);
        *bytes = entry.to_bytes();
    }

    /// An entry's time.
    pub(crate) fn time(&self, index: usize) -> Time {
        Entry::from_bytes(&self.story.ledger.entries[index])
            .unwrap()
            .time
    }

    /// Change an act's entry.
    pub(crate) fn submission(&mut self, index: usize, change: impl FnOnce(&mut Submission)) {
        self.entry(index, |entry| match &mut entry.body {
            Body::Act(submission) => change(submission),
            other => panic!("{other:?}"),
        });
    }

    /// Change what the signer says, which it signs again.
    pub(crate) fn says(&mut self, change: impl FnOnce(&mut Said<'_>)) {
        let world = self.story.world();
        self.signed_statement(|signed| {
            let Says::Signed {
                entry,
                plan,
                transaction,
                ..
            } = &mut signed.statement.says
            else {
                panic!("another statement");
            };
            change(&mut Said {
                entry,
                plan,
                transaction,
            });
            *signed = resign(signed.statement.clone(), world.keeper.as_ref());
        });
    }

    /// Change the signer's statement, signature and all.
    pub(crate) fn signed_statement(&mut self, change: impl FnOnce(&mut SignedStatement)) {
        let index = self.statement;
        self.entry(index, |entry| match &mut entry.body {
            Body::Statement(signed) => change(signed),
            other => panic!("{other:?}"),
        });
    }

    /// The release has another plan, which is signed in place of the right one.
    pub(crate) fn replan(&mut self, plan: &Plan) {
        let transaction = sign(&plan.unsigned, self.story.world().wallet.as_ref());
        self.replan_as(plan, transaction);
    }

    /// The same, signed as it stands here.
    pub(crate) fn replan_as(&mut self, plan: &Plan, transaction: Vec<u8>) {
        let withdrawal = self.withdrawal;
        self.submission(withdrawal, |s| s.plan = Some(plan.clone()));
        self.says(|said| {
            *said.plan = plan.digest();
            *said.transaction = transaction;
        });
    }

    /// The plan as it was journaled.
    pub(crate) fn plan(&self) -> Plan {
        let bytes = &self.story.ledger.entries[self.withdrawal];
        match Entry::from_bytes(bytes).unwrap().body {
            Body::Act(submission) => submission.plan.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Another key signs, and the signer says so.
    pub(crate) fn sign_with(&mut self, unsigned: &[u8], key: &dyn WalletKey) {
        let signed = sign(unsigned, key);
        self.says(|said| *said.transaction = signed);
    }

    /// The receipt under a cosigned checkpoint of the journal as it is now.
    pub(crate) fn receipt(&self) -> Receipt {
        let ledger = &self.story.ledger;
        let entries = &ledger.entries;
        let note = ledger.note_of(tree::head(entries), ledger.clock.now());
        let prove = |index: &usize| ProvenEntry {
            index: *index as u64,
            entry: entries[*index].clone(),
            proof: tree::proof(entries, *index),
        };
        Receipt {
            act: self.named,
            checkpoint: String::from_utf8(note).unwrap(),
            entries: self.shown.iter().map(prove).collect(),
            handovers: self.handovers(),
        }
    }
}

impl Draft {
    /// The last checkpoints of witnesses of before.
    fn handovers(&self) -> Vec<Handover> {
        let ledger = &self.story.ledger;
        let handover = |one: &portcullis_core::state::keys::Handover| {
            let sealed = usize::try_from(one.sealed?).unwrap();
            let Body::Checkpoint(note) = Entry::from_bytes(&ledger.entries[sealed]).unwrap().body
            else {
                panic!("another entry");
            };
            let last = usize::try_from(one.last()).unwrap();
            Some(Handover {
                checkpoint: String::from_utf8(note).unwrap(),
                proof: tree::consistency(&ledger.entries, last),
            })
        };
        let handovers = ledger.state.handovers().iter();
        handovers.filter_map(handover).collect()
    }
}

/// What the signer says that a test may want changed.
pub(crate) struct Said<'a> {
    pub(crate) entry: &'a mut u64,
    pub(crate) plan: &'a mut Digest,
    pub(crate) transaction: &'a mut Vec<u8>,
}
