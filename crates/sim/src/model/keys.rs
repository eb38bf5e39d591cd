//! The keys in force, as the journal's rotations left them, and by which key a word was really signed.

use super::Model;
use crate::setting;
use portcullis_core::Digest;
use portcullis_core::act::{Keys, Roots, Rotate};
use portcullis_core::evidence::{Attestation, Claim, Evidence};
use portcullis_core::genesis::{Genesis, Issuer, IssuerKind};
use portcullis_core::id::KeeperId;
use portcullis_core::signature::{PublicKey, Signature};
use std::collections::BTreeMap;

/// The keys in force.
pub(super) struct InForce {
    issuers: Vec<Issuer>,
    pub(super) roots: Roots,
    keepers: BTreeMap<KeeperId, PublicKey>,
}

impl InForce {
    pub(super) fn of(genesis: &Genesis) -> Self {
        let keepers = genesis.keepers.iter();
        Self {
            issuers: genesis.issuers.clone(),
            roots: if genesis.roots.is_empty() {
                Roots {
                    keys: Vec::new(),
                    quorum: 1,
                }
            } else {
                setting::first_roots()
            },
            keepers: keepers.map(|k| (k.id, k.key.clone())).collect(),
        }
    }

    pub(super) fn vendor(&self) -> Option<&PublicKey> {
        let mut issuers = self.issuers.iter();
        let vendor = issuers.find(|issuer| issuer.kind == IssuerKind::Identity);
        vendor.map(|vendor| &vendor.key)
    }

    fn of_attestation(&self, attestation: &Attestation) -> Option<&PublicKey> {
        let statement = &attestation.statement;
        let kind = match statement.claim {
            Claim::Onboarding => IssuerKind::Onboarding,
            Claim::LedgerDebit { .. } => IssuerKind::Ledger,
            Claim::Identity => IssuerKind::Identity,
            Claim::Screening { .. } => IssuerKind::Screening,
            Claim::TravelRule { .. } => IssuerKind::TravelRule,
            Claim::Root => return self.roots.key(statement.issuer),
        };
        let mut issuers = self.issuers.iter();
        let issuer = issuers.find(|i| i.id == statement.issuer && i.kind == kind)?;
        Some(&issuer.key)
    }

    /// What is in force where these keys are to stand.
    fn in_place_of(&self, keys: &Keys) -> Option<Keys> {
        Some(match keys {
            Keys::Issuers { .. } => Keys::Issuers {
                issuers: self.issuers.clone(),
            },
            Keys::Roots { .. } => Keys::Roots {
                roots: self.roots.clone(),
            },
            Keys::Keeper { keeper, .. } => Keys::Keeper {
                keeper: *keeper,
                key: self.keepers.get(keeper)?.clone(),
            },
            // Those have sizes: [`super::Speakers`].
            Keys::Witnesses { .. } | Keys::Log { .. } => return None,
        })
    }

    fn put(&mut self, keys: &Keys) {
        match keys {
            Keys::Issuers { issuers } => self.issuers.clone_from(issuers),
            Keys::Roots { roots } => self.roots = roots.clone(),
            Keys::Keeper { keeper, key } => {
                self.keepers.insert(*keeper, key.clone());
            }
            Keys::Witnesses { .. } | Keys::Log { .. } => {}
        }
    }
}

impl Model {
    /// What counts was signed by the key in force.
    fn check_key(&self, in_force: Option<&PublicKey>, signature: &Signature, whose: &str) {
        let truth = self.truth.facts();
        let by = truth.under.get(signature.as_bytes()).cloned();
        drop(truth);
        if by.is_none() || by.as_ref() != in_force {
            self.violated("only the key in force speaks", whose);
        }
    }

    pub(super) fn check_attestations(&self, evidence: &Evidence) {
        for attestation in &evidence.attestations {
            let in_force = self.in_force.of_attestation(attestation);
            let whose = format!("{:?}", attestation.statement.claim);
            self.check_key(in_force, &attestation.signature, &whose);
        }
    }

    pub(super) fn check_keeper(&self, keeper: KeeperId, signature: &Signature) {
        let in_force = self.in_force.keepers.get(&keeper);
        self.check_key(in_force, signature, &format!("keeper {keeper}"));
    }

    pub(super) fn rotate(&mut self, act: Digest, rotate: &Rotate, entry: u64) {
        let keys = &rotate.keys;
        let replaced = self.in_force.in_place_of(keys);
        let replaced = replaced.or_else(|| self.speakers.in_place_of(keys));
        if replaced.is_none_or(|keys| keys.digest() != rotate.replaces) {
            self.violated("what comes in force replaces what was", act);
        }
        let of = match &rotate.keys {
            Keys::Issuers { .. } => "issuers",
            Keys::Roots { .. } => "roots",
            Keys::Keeper { .. } => "a keeper",
            Keys::Witnesses { .. } => "witnesses",
            Keys::Log { .. } => "log",
        };
        self.chronicle.count(&format!("rotated: {of}"));
        self.in_force.put(&rotate.keys);
        self.speakers.put(&rotate.keys, entry);
    }
}
