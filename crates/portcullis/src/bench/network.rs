//! A development network of its own for each benchmark, and the platform that uses it: back end,
//! onboarding, ledger, customers.

use super::Setting;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::init;
use crate::keyring::purpose;
use crate::reach::{Caller, CallerArgs, Reach, ReachArgs};
use portcullis_chains::caip::Address;
use portcullis_chains::ethereum::{SignedTx, UnsignedTx};
use portcullis_chains::{Amount, AssetId};
use portcullis_client::{
    ActBuilder, Ceremony, DevelopmentPasskey, Issuer, RequestSigner, Unsigned,
};
use portcullis_core::act::{Act, ActKind, AddAddress, OpenAccount, Withdraw};
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::IssuerKind;
use portcullis_core::id::{AccountId, LedgerEntryId, PrincipalId, SubjectId};
use portcullis_core::passkey::CredentialId;
use portcullis_core::plan::Plan;
use portcullis_core::request::SignedRequest;
use portcullis_core::signature::{PublicKey, Signature};
use portcullis_core::statement::{Says, SignedStatement, Statement};
use portcullis_core::{Digest, Evidence, Time};
use portcullis_host::SystemRandom;
use portcullis_keys::software::{SoftwareStatement, SoftwareWallet};
use portcullis_keys::{SignError, StatementKey, WalletKey as _};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The EIP-155 number that local nodes have.
const CHAIN: u64 = 31337;

/// A network in a folder of its own, and the platform's keys.
pub(super) struct Platform {
    pub(super) folder: Folder,
    pub(super) reach: Reach,
    pub(super) back_end: Caller,
    onboarding: Issuer,
    ledger: Issuer,
    wallet: SoftwareWallet,
    /// Whether its signatures are real; those of bulk loads need not be.
    signs: bool,
    _folder: tempfile::TempDir,
}

/// An act with its evidence.
pub(super) type Proven = (Act, Evidence);

impl Platform {
    /// A new network, with its node there.
    pub(super) fn new(setting: &Setting, node: &str) -> Result<Self, Failure> {
        let temporary = setting.folder()?;
        let folder = Folder(temporary.path().join("network"));
        init::usual_network(folder.path(), CHAIN, node)?;
        let reach = ReachArgs::folder(folder.path(), None).open()?;
        Ok(Self {
            back_end: CallerArgs::named("back-end").required(&reach)?,
            onboarding: reach.issuer("onboarding", IssuerKind::Onboarding)?,
            ledger: reach.issuer("ledger", IssuerKind::Ledger)?,
            wallet: reach
                .key_paths("signer")
                .open()?
                .wallet(&purpose::WALLET.parse()?)?,
            signs: true,
            folder,
            reach,
            _folder: temporary,
        })
    }

    /// The same platform with signatures of nothing but zeros: for entries that are applied as ones
    /// whose signatures were checked before.
    pub(super) fn without_signatures(mut self) -> Result<Self, Failure> {
        let blank = |name: &str, purpose: &str| -> Result<Arc<dyn StatementKey>, Failure> {
            let key = self.reach.key_paths(name).statement(purpose)?;
            Ok(Arc::new(Blank(key.public_key().clone())))
        };
        let issuer = |name: &str, kind: IssuerKind| -> Result<Issuer, Failure> {
            let issuers = &self.reach.network.genesis().issuers;
            let known = issuers.iter().find(|issuer| issuer.kind == kind);
            let none = || Failure::usage("the genesis has no such issuer", "");
            Ok(Issuer::new(
                known.ok_or_else(none)?.id,
                blank(name, purpose::ISSUER)?,
            ))
        };
        self.onboarding = issuer("onboarding", IssuerKind::Onboarding)?;
        self.ledger = issuer("ledger", IssuerKind::Ledger)?;
        self.back_end.signer = RequestSigner::new(blank("back-end", purpose::REQUEST)?);
        self.signs = false;
        Ok(self)
    }

    /// The chain's coin, which the network's wallet pays.
    pub(super) const ASSET: AssetId = AssetId::EvmNative { chain: CHAIN };

    /// A place to send it.
    pub(super) fn payee(number: u8) -> Address {
        let address = [number; 20];
        Address::Evm {
            chain: CHAIN,
            address,
        }
    }

    /// Open a customer's account.
    pub(super) fn open(
        &self,
        draft: ActBuilder,
        customer: &Customer,
        now: Time,
    ) -> Result<Proven, Failure> {
        let party = self.reach.party()?;
        let kind = ActKind::OpenAccount(OpenAccount {
            subject: customer.subject,
            principal: customer.principal,
            factor: customer.factor(crate::call::first(&party.rp_ids)),
            delay: None,
            contact: None,
            imported: None,
        });
        let act = draft.by_staff(self.back_end.principal, Some(customer.account), kind);
        let attestation = self.onboarding.onboarding(act.digest(), act.expires)?;
        let evidence = Evidence {
            requests: vec![self.request(&act, now)?],
            attestations: vec![attestation],
            ..Evidence::default()
        };
        Ok((act, evidence))
    }

    /// Put an address into a customer's book.
    pub(super) fn add_address(
        &self,
        draft: ActBuilder,
        customer: &Customer,
        address: Address,
        now: Time,
    ) -> Result<Proven, Failure> {
        let kind = ActKind::AddAddress(AddAddress { address });
        let act = draft.by_customer(customer.principal, customer.account, kind);
        let mut evidence = self.asserted(&act, customer)?;
        evidence.requests.push(self.request(&act, now)?);
        Ok((act, evidence))
    }

    /// A withdrawal of one base unit; the back end's request is still to be added.
    pub(super) fn withdraw(
        &self,
        draft: ActBuilder,
        customer: &Customer,
        to: Address,
    ) -> Result<Proven, Failure> {
        let kind = ActKind::Withdraw(Withdraw {
            asset: Self::ASSET,
            to,
            amount: Amount(1),
        });
        let act = draft.by_customer(customer.principal, customer.account, kind);
        let entry = LedgerEntryId(act.id.0);
        let mut evidence = self.asserted(&act, customer)?;
        let debit = self.ledger.debit(act.digest(), entry, act.expires)?;
        evidence.attestations.push(debit);
        Ok((act, evidence))
    }

    fn asserted(&self, act: &Act, customer: &Customer) -> Result<Evidence, Failure> {
        let party = self.reach.party()?;
        let rp_id = crate::call::first(&party.rp_ids);
        let origin = crate::call::first(&party.origins);
        let key: Arc<dyn StatementKey> = if self.signs {
            customer.key.clone()
        } else {
            Arc::new(Blank(customer.key.public_key().clone()))
        };
        let mode = self.reach.network.genesis().mode;
        let passkey = DevelopmentPasskey::in_memory(key, mode)?;
        let passkey = passkey.known_as(customer.credential.clone());
        // An authenticator that keeps no counter, as many do.
        let ceremony = Ceremony {
            rp_id,
            origin,
            cross_origin: false,
            user_verified: true,
            count: 0,
        };
        Ok(Evidence {
            assertions: vec![passkey.assert_as(act.digest(), &ceremony)?],
            ..Evidence::default()
        })
    }

    /// A plan's transaction, signed by the network's wallet.
    pub(super) fn signed(&self, plan: &Plan) -> Result<SignedTx, Failure> {
        let wrong = |error| Failure::usage(error, "");
        let tx = UnsignedTx::from_bytes(&plan.unsigned).map_err(wrong)?;
        let signature = self.wallet.sign(&tx.sighash())?;
        Ok(SignedTx::assemble(tx, signature))
    }

    /// What the signer would say, with no signature.
    pub(super) fn statement(&self, says: Says) -> Result<SignedStatement, Failure> {
        let keeper = self.reach.network.genesis().keepers.first();
        let none = || Failure::usage("the genesis has no keeper", "");
        let statement = Statement {
            genesis: self.reach.network.digest(),
            keeper: keeper.ok_or_else(none)?.id,
            says,
        };
        Ok(SignedStatement {
            statement,
            signature: Signature::from_bytes([0; 64]),
        })
    }

    /// The back end's signature for an act that goes to no gate.
    pub(super) fn request(&self, act: &Act, now: Time) -> Result<SignedRequest, Failure> {
        request(&self.back_end.signer, act, now)
    }
}

/// A member's signature for an act that goes to no gate.
pub(super) fn request(
    signer: &RequestSigner,
    act: &Act,
    now: Time,
) -> Result<SignedRequest, Failure> {
    let unsigned = Unsigned {
        method: "POST",
        authority: "gate.example",
        target: "/v1/acts",
        body: &[],
        act: Some(act.digest()),
    };
    Ok(signer.sign(&unsigned, now, &SystemRandom)?.evidence())
}

/// A customer with a passkey in software.
#[derive(Clone)]
pub(super) struct Customer {
    pub(super) account: AccountId,
    principal: PrincipalId,
    subject: SubjectId,
    credential: CredentialId,
    key: Arc<dyn StatementKey>,
}

impl Customer {
    /// Customer number `number`, with a passkey of its own.
    pub(super) fn number(number: u64) -> Result<Self, Failure> {
        let secret = Zeroizing::new(hashed("key", number).0);
        let key = SoftwareStatement::p256(&secret).map_err(|error| Failure::usage(error, ""))?;
        Ok(Self::with_key(number, Arc::new(key)))
    }

    /// Customer number `number`, with a credential of its own under a key that others may have too:
    /// making a million keys would take a minute, and changes nothing that is measured.
    pub(super) fn with_key(number: u64, key: Arc<dyn StatementKey>) -> Self {
        Self {
            account: AccountId(half(hashed("account", number))),
            principal: PrincipalId(half(hashed("principal", number))),
            subject: SubjectId(half(hashed("subject", number))),
            credential: CredentialId(hashed("credential", number).0.to_vec()),
            key,
        }
    }

    /// Its passkey's key.
    pub(super) fn key(&self) -> Arc<dyn StatementKey> {
        Arc::clone(&self.key)
    }

    fn factor(&self, rp_id: &str) -> NewFactor {
        NewFactor::Passkey {
            credential: self.credential.0.clone(),
            rp_id: rp_id.to_owned(),
            key: self.key.public_key().clone(),
        }
    }
}

/// Spread over the whole range, as random ids are.
fn hashed(what: &str, number: u64) -> Digest {
    Digest::plain(format!("{what} {number}").as_bytes())
}

fn half(Digest(bytes): Digest) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&bytes[..16]);
    half
}

/// A key that signs nothing: its signatures hold for whoever does not look.
struct Blank(PublicKey);

impl StatementKey for Blank {
    fn public_key(&self) -> &PublicKey {
        &self.0
    }

    fn sign(&self, _: &[u8]) -> Result<Signature, SignError> {
        Ok(Signature::from_bytes([0; 64]))
    }
}
