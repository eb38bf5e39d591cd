//! Journals to make vectors of: a customer, an address, a withdrawal, and what becomes of it.

use crate::holder::Holder;
use portcullis_chains::Amount;
use portcullis_chains::caip::AssetId;
use portcullis_chains::ethereum::{Fees, SignedTx, UnsignedTx};
use portcullis_core::act::{
    ActKind, AddAddress, Approve, EnrolFactor, GrantRole, OpenAccount, Withdraw,
};
use portcullis_core::decide::payment;
use portcullis_core::entry::{Body, Supplement};
use portcullis_core::factor::NewFactor;
use portcullis_core::id::PrincipalId;
use portcullis_core::plan::Plan;
use portcullis_core::realm::Role;
use portcullis_core::statement::{Says, SignedStatement, Statement};
use portcullis_core::{Act, Digest, Evidence, Span};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{HandClock, Ledger, World};
use portcullis_keys::StatementKey;
use portcullis_keys::WalletKey;
use std::sync::Arc;

/// A journal and who is in it.
pub(crate) struct Story {
    pub(crate) ledger: Ledger,
    pub(crate) holder: Holder,
    /// The back end that relays what the customer asks for.
    pub(crate) relay: PrincipalId,
}

impl Story {
    /// A journal of which the genesis is cosigned.
    pub(crate) fn begin(holder: Holder) -> Self {
        Self::begin_in(World::new(), holder)
    }

    /// The same, in another network.
    pub(crate) fn begin_in(world: World, holder: Holder) -> Self {
        let clock = HandClock::at(World::START);
        let ledger = Ledger::new(Arc::new(world), clock);
        let relay = World::BACK_END;
        Self {
            ledger,
            holder,
            relay,
        }
    }

    /// The network's keys.
    pub(crate) fn world(&self) -> Arc<World> {
        self.ledger.world.clone()
    }

    pub(crate) fn enter(&mut self, body: Body) -> usize {
        let applied = self.ledger.enter(body);
        assert_eq!(applied.void, None);
        self.ledger.entries.len() - 1
    }

    pub(crate) fn submit(&mut self, act: Act, evidence: Evidence) -> usize {
        let submission = self.ledger.submission(act, evidence);
        self.enter(Body::Act(Box::new(submission)))
    }

    /// Cosign, journal that, and let every delay run.
    pub(crate) fn age(&mut self) {
        self.ledger.cosign();
        self.enter(Body::Checkpoint(self.ledger.note.clone()));
        self.ledger.clock.pass(Span::seconds(6));
    }

    /// Open the customer's account.
    pub(crate) fn open(&mut self) -> usize {
        let open = OpenAccount {
            subject: self.holder.customer.subject,
            principal: self.holder.customer.principal,
            factor: self.holder.factor(),
            delay: None,
            contact: self.contact(),
            imported: None,
        };
        let ledger = &mut self.ledger;
        let mut act = ledger.act(World::BACK_END, ActKind::OpenAccount(open));
        act.account = Some(self.holder.customer.account);
        let mut evidence = ledger.staffs_evidence(&act);
        evidence.attestations.push(ledger.onboarding(&act));
        self.submit(act, evidence)
    }

    /// Something that the account commits to, where there is a herald to keep it.
    fn contact(&self) -> Option<Digest> {
        let herald = self.ledger.world.network.herald();
        herald.map(|_| Digest([0x0c; 32]))
    }

    /// Put the payee into the book.
    pub(crate) fn add_address(&mut self) -> usize {
        let address = World::address(0x22);
        let act = self.customers(ActKind::AddAddress(AddAddress { address }));
        let evidence = self.evidence(&act);
        self.submit(act, evidence)
    }

    /// The customer enrols another factor.
    pub(crate) fn enrol(&mut self, factor: NewFactor) -> usize {
        let principal = self.holder.customer.principal;
        let act = self.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
        let evidence = self.evidence(&act);
        self.submit(act, evidence)
    }

    /// Two administrators give somebody new the role of a back end. Yields where the grant stands, the
    /// approval, and what ended the waiting.
    pub(crate) fn grant_back_end(&mut self, to: PrincipalId) -> [usize; 3] {
        let key = World::key(&to.0).public_key().clone();
        let grant = GrantRole {
            principal: to,
            role: Role::BackEnd,
            factor: Some(NewFactor::RequestKey { key }),
        };
        let (proposer, approver) = (World::administrator(0), World::administrator(1));
        let (act, grant) = self.staff(proposer, ActKind::GrantRole(grant));
        let (_, approval) = self.staff(approver, ActKind::Approve(Approve { act }));
        [grant, approval, self.settle(act)]
    }

    /// A member of staff does something by its own request.
    pub(crate) fn staff(&mut self, who: PrincipalId, kind: ActKind) -> (Digest, usize) {
        let act = self.ledger.act(who, kind);
        let digest = act.digest();
        let evidence = self.ledger.staffs_evidence(&act);
        (digest, self.submit(act, evidence))
    }

    /// Ask for money, with the ledger's debit or without.
    pub(crate) fn withdraw(&mut self, asset: AssetId, amount: u128, debited: bool) -> Withdrawal {
        let kind = ActKind::Withdraw(Withdraw {
            asset,
            to: World::address(0x22),
            amount: Amount(amount),
        });
        let act = self.customers(kind);
        let mut evidence = self.evidence(&act);
        if debited {
            evidence.attestations.push(self.ledger.debit(&act));
        }
        let entry = self.submit(act.clone(), evidence);
        Withdrawal { act, entry }
    }

    pub(crate) fn customers(&mut self, kind: ActKind) -> Act {
        self.ledger.customers_act(&self.holder.customer, kind)
    }

    pub(crate) fn evidence(&self, act: &Act) -> Evidence {
        self.holder
            .evidence(act, self.relay, self.ledger.clock.now())
    }

    /// The ledger's debit, late.
    pub(crate) fn debit(&mut self, act: &Act) -> usize {
        let evidence = Evidence {
            requests: vec![World::request(
                World::BACK_END,
                act,
                self.ledger.clock.now(),
            )],
            attestations: vec![self.ledger.debit(act)],
            ..Evidence::default()
        };
        let act = act.digest();
        self.enter(Body::Evidence(Box::new(Supplement { act, evidence })))
    }

    /// Decide the held act again.
    pub(crate) fn settle(&mut self, act: Digest) -> usize {
        self.ledger.settle(act);
        self.ledger.entries.len() - 1
    }

    /// The plan that may be signed.
    pub(crate) fn plan(&self, act: Digest) -> Plan {
        let release = &self.ledger.state.facts().releases[&act];
        release.current_plan().unwrap().clone()
    }

    /// The plan with higher fees.
    pub(crate) fn bumped(&self, act: Digest) -> Plan {
        let plan = self.plan(act);
        let transfer = payment::decode(&plan).unwrap();
        let fees = Fees::new(25_000_000_000, 2_000_000_000, 100_000).unwrap();
        let (asset, to, amount) = (transfer.asset(), transfer.to(), transfer.amount());
        let next =
            portcullis_chains::ethereum::Transfer::new(asset, to, amount, transfer.nonce(), fees);
        Plan {
            wallet: plan.wallet,
            unsigned: next.unwrap().build().to_bytes(),
        }
    }

    /// What the signer says once it has signed the newest plan.
    pub(crate) fn signed(&self, act: Digest) -> Says {
        let plan = self.plan(act);
        let release = &self.ledger.state.facts().releases[&act];
        Says::Signed {
            act,
            entry: release.entry,
            effects: release.effects,
            plan: plan.digest(),
            transaction: self.carried_out(&plan),
        }
    }

    /// What the signer makes of a plan: a transaction, or a mandate where the wallet pays by those.
    fn carried_out(&self, plan: &Plan) -> Vec<u8> {
        let world = self.world();
        match world.network.wallet(plan.wallet).unwrap().mandate {
            None => sign(&plan.unsigned, world.wallet.as_ref()),
            Some(_) => permit(&plan.unsigned, world.keeper.as_ref()),
        }
    }

    /// What the signer says once the transaction has arrived.
    pub(crate) fn confirmed(&self, act: Digest) -> Says {
        let release = &self.ledger.state.facts().releases[&act];
        Says::Confirmed {
            act,
            transaction: release.signed.last().unwrap().transaction,
            block: 42,
            block_hash: Digest([0x42; 32]),
        }
    }

    /// The keeper says something, and the gate journals it.
    pub(crate) fn say(&mut self, says: Says) -> usize {
        let signed = state(&self.world(), says);
        self.enter(Body::Statement(Box::new(signed)))
    }
}

/// A withdrawal in the journal.
pub(crate) struct Withdrawal {
    pub(crate) act: Act,
    pub(crate) entry: usize,
}

/// A raw transaction of these unsigned bytes, by this key.
pub(crate) fn sign(unsigned: &[u8], key: &dyn WalletKey) -> Vec<u8> {
    let unsigned = UnsignedTx::from_bytes(unsigned).unwrap();
    let signature = key.sign(&unsigned.sighash()).unwrap();
    SignedTx::assemble(unsigned, signature).to_bytes()
}

/// A signed mandate of this text, by this key.
pub(crate) fn permit(text: &[u8], key: &dyn StatementKey) -> Vec<u8> {
    let mandate = str::from_utf8(text).unwrap().parse().unwrap();
    let signature = *key.sign(text).unwrap().as_bytes();
    portcullis_mandate::Signed { mandate, signature }.to_bytes()
}

/// What the world's keeper says, signed.
pub(crate) fn state(world: &World, says: Says) -> SignedStatement {
    let statement = Statement {
        genesis: world.digest(),
        keeper: World::KEEPER,
        says,
    };
    resign(statement, world.keeper.as_ref())
}

/// A statement under some key.
pub(crate) fn resign(statement: Statement, key: &dyn StatementKey) -> SignedStatement {
    let signature = key.sign(&statement.signed_bytes()).unwrap();
    SignedStatement {
        statement,
        signature,
    }
}
