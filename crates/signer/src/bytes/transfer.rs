//! A planned transaction, against the signer's own key, its node's chain and its caps.

use super::PlanRefused;
use crate::config::Chain;
use crate::record::Pays;
use portcullis_chains::Amount;
use portcullis_chains::ethereum::{Transfer, UnsignedTx};
use portcullis_core::ActKind;
use portcullis_core::genesis::Wallet;
use portcullis_core::plan::Plan;
use portcullis_core::state::release::Release;

/// A plan that is exactly what its release may be: a transaction that the wallet may sign.
#[derive(Clone, Debug)]
pub(crate) struct CheckedTransfer {
    tx: UnsignedTx,
    transfer: Transfer,
    is_void: bool,
}

impl CheckedTransfer {
    /// Compare the plan with the release, the wallet, its key and the chain's caps.
    pub(crate) fn new(
        plan: &Plan,
        release: &Release,
        wallet: &Wallet,
        key: [u8; 20],
        chain: &Chain,
    ) -> Result<Self, PlanRefused> {
        let tx = UnsignedTx::from_bytes(&plan.unsigned)?;
        let transfer = Transfer::decode(&tx)?;
        let is_void = release.is_void_plan(plan.digest());
        check_place(&transfer, release, wallet, key)?;
        check_fees(&transfer, is_void, wallet, chain)?;
        if is_void {
            if !transfer.is_void(&wallet.address) {
                return Err(PlanRefused::GivenUp);
            }
        } else {
            check_pays(&transfer, release)?;
        }
        Ok(Self {
            tx,
            transfer,
            is_void,
        })
    }

    pub(crate) fn tx(&self) -> &UnsignedTx {
        &self.tx
    }

    /// The nonce that it spends.
    pub(crate) fn nonce(&self) -> u64 {
        self.transfer.nonce()
    }

    /// What it pays; nothing where it gives the release up.
    pub(crate) fn pays(&self) -> Option<Pays> {
        let (asset, amount) = (self.transfer.asset(), self.transfer.amount());
        (!self.is_void).then_some(Pays { asset, amount })
    }
}

fn check_place(
    transfer: &Transfer,
    release: &Release,
    wallet: &Wallet,
    key: [u8; 20],
) -> Result<(), PlanRefused> {
    if wallet.address.evm() != Some(key) {
        return Err(PlanRefused::OtherKey);
    }
    if transfer.chain() != wallet.address.chain() {
        return Err(PlanRefused::Chain(transfer.chain()));
    }
    let first = release.plans.first().map(|plan| &plan.unsigned);
    let first = UnsignedTx::from_bytes(first.map_or(&[], Vec::as_slice))?.nonce();
    let got = transfer.nonce();
    if got == first {
        Ok(())
    } else {
        Err(PlanRefused::Nonce { got, first })
    }
}

/// A void may pay a quarter more per gas than the cap: a payment at the cap could not be given up
/// otherwise. The cap on the whole holds for both.
fn check_fees(
    transfer: &Transfer,
    is_void: bool,
    wallet: &Wallet,
    chain: &Chain,
) -> Result<(), PlanRefused> {
    let cap = chain.max_fee_per_gas.0;
    let cap = if is_void {
        cap.saturating_add(cap / 4)
    } else {
        cap
    };
    let (most, per_gas) = (transfer.fee_ceiling(), transfer.fees().max_fee_per_gas());
    if most > chain.max_fee || most > wallet.fee_ceiling {
        return Err(PlanRefused::Fee(most));
    }
    if per_gas > cap {
        return Err(PlanRefused::FeePerGas(Amount(per_gas)));
    }
    Ok(())
}

fn check_pays(transfer: &Transfer, release: &Release) -> Result<(), PlanRefused> {
    let ActKind::Withdraw(act) = &release.act.kind else {
        return Err(PlanRefused::Amount);
    };
    if transfer.to() != act.to {
        return Err(PlanRefused::Payee(transfer.to()));
    }
    if (transfer.asset(), transfer.amount()) != (act.asset, act.amount) {
        return Err(PlanRefused::Amount);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_chains::ethereum::Fees;
    use portcullis_chains::{Address, AssetId};
    use portcullis_core::{Digest, State};
    use portcullis_keeper::testkit::{Customer, HandClock, Ledger, World};
    use portcullis_keys::WalletKey as _;
    use std::sync::Arc;

    const PAYEE: Address = World::address(0x0a);

    /// A release of 700 wei to [`PAYEE`] as a journal has it.
    fn release() -> (State, Digest) {
        let clock = HandClock::at(World::START);
        let mut ledger = Ledger::new(Arc::new(World::new()), clock);
        let customer = Customer::number(1);
        ledger.open(&customer);
        ledger.add_address(&customer, PAYEE);
        let act = ledger.withdraw(&customer, PAYEE, 700);
        (ledger.state, act)
    }

    fn chain() -> Chain {
        Chain {
            id: World::ETHER.chain(),
            node: String::new(),
            confirmations: 1,
            max_fee: Amount(5_000_000_000_000_000),
            max_fee_per_gas: Amount(50_000_000_000),
            max_fee_rate: None,
            credentials: None,
        }
    }

    #[derive(Clone, Copy)]
    struct Said {
        asset: AssetId,
        to: Address,
        amount: u128,
        nonce: u64,
        per_gas: u128,
        gas: u64,
    }

    const TRUTH: Said = Said {
        asset: World::ETHER,
        to: PAYEE,
        amount: 700,
        nonce: 0,
        per_gas: 30_000_000_000,
        gas: 100_000,
    };

    impl Said {
        fn plan(self) -> Plan {
            let fees = Fees::new(self.per_gas, 1, self.gas).unwrap();
            let amount = Amount(self.amount);
            let transfer = Transfer::new(self.asset, self.to, amount, self.nonce, fees);
            Plan {
                wallet: World::WALLET,
                unsigned: transfer.unwrap().build().to_bytes(),
            }
        }
    }

    /// The check by itself, as if the core had let the plan pass.
    fn check(plan: &Plan, change: impl Fn(&mut Release)) -> Result<(), PlanRefused> {
        let (state, act) = release();
        let mut release = state.facts().releases[&act].clone();
        change(&mut release);
        let wallet = state.network().wallet(World::WALLET).unwrap();
        let key = World::new().wallet.address();
        CheckedTransfer::new(plan, &release, wallet, key, &chain()).map(|_| ())
    }

    #[test]
    fn every_field_is_compared() {
        let other = World::address(0xbb);
        let elsewhere = Address::Evm {
            chain: 1,
            address: [0x0a; 20],
        };
        let abroad = AssetId::EvmNative { chain: 1 };
        let fee = Amount(6_000_000_000_000_000);
        #[rustfmt::skip] // a table
        let table = [
            (TRUTH, Ok(())),
            (Said { amount: 701, ..TRUTH }, Err(PlanRefused::Amount)),
            (Said { amount: 699, ..TRUTH }, Err(PlanRefused::Amount)),
            (Said { asset: World::TOKEN, ..TRUTH }, Err(PlanRefused::Amount)),
            (Said { to: other, ..TRUTH }, Err(PlanRefused::Payee(other))),
            (Said { asset: abroad, to: elsewhere, ..TRUTH }, Err(PlanRefused::Chain(abroad.chain()))),
            (Said { nonce: 1, ..TRUTH }, Err(PlanRefused::Nonce { got: 1, first: 0 })),
            (Said { gas: 200_000, ..TRUTH }, Err(PlanRefused::Fee(fee))),
            (Said { per_gas: 50_000_000_001, gas: 21_000, ..TRUTH }, Err(PlanRefused::FeePerGas(Amount(50_000_000_001)))),
        ];
        for (said, want) in table {
            assert_eq!(check(&said.plan(), |_| {}), want);
        }
    }

    #[test]
    fn a_wallet_with_another_key_signs_nothing() {
        let (state, act) = release();
        let release = &state.facts().releases[&act];
        let wallet = state.network().wallet(World::WALLET).unwrap();
        let refused = CheckedTransfer::new(&TRUTH.plan(), release, wallet, [7; 20], &chain());
        assert_eq!(refused.unwrap_err(), PlanRefused::OtherKey);
    }

    #[test]
    fn what_was_given_up_is_paid_no_more() {
        let payment = TRUTH.plan();
        let given_up = |release: &mut Release| {
            release.plans.push(payment.clone());
            release.voided_by = Some(payment.digest());
        };
        assert_eq!(check(&payment, given_up), Err(PlanRefused::GivenUp));
        let wallet = World::new().network.wallet(World::WALLET).unwrap().address;
        let fees = Fees::new(1, 1, 21_000).unwrap();
        let void = Plan {
            wallet: World::WALLET,
            unsigned: Transfer::void(wallet, 0, fees).unwrap().build().to_bytes(),
        };
        let given_up = |release: &mut Release| {
            release.plans.push(void.clone());
            release.voided_by = Some(void.digest());
        };
        assert_eq!(check(&void, given_up), Ok(()));
        assert!(check(&void, |_| {}).is_err(), "a void that nobody decided");
    }

    #[test]
    fn bytes_that_are_no_plain_transfer() {
        let mut call = TRUTH.plan();
        call.unsigned.push(0);
        assert!(matches!(
            check(&call, |_| {}),
            Err(PlanRefused::Transaction(_))
        ));
        let nothing = Plan {
            wallet: World::WALLET,
            unsigned: Vec::new(),
        };
        assert!(matches!(
            check(&nothing, |_| {}),
            Err(PlanRefused::Transaction(_))
        ));
    }
}
