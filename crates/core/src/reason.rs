//! Reasons: every refusal has its number.
//!
//! Which of several is given follows the four steps of a decision: is the act for here and now (2xx),
//! who asks (3xx), may they (34x), does it fit attestations and the state of things (4xx to 6xx).
//! Within a step the checks come in the order of the numbers, except where a check needs another's
//! answer.
//!
//! Numbers are stable: they are never reused. A binary keeps the meaning of each for every rules
//! version that it can replay.

use minicbor::{Decode, Decoder, Encode, Encoder};
use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $number:literal $name:ident $slug:literal $retry:ident $text:literal;)*) => {
        /// Why something was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u16)]
        pub enum Reason {
            $(#[doc = $text] #[serde(rename = $slug)] $name = $number,)*
        }

        impl Reason {
            /// All reasons in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its stable name.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// What happened and what to do next, for a person.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Whether the same act may pass later.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Self::$name => Retry::$retry,)* }
            }

            /// The reason with this number.
            #[must_use]
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

/// What a client can do about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Nothing: this act never passes.
    Never,
    /// Make a new act or new evidence.
    Anew,
    /// Send the same again later.
    Later,
}

reasons! {
    // 1xx: the bytes.
    100 Malformed "malformed" Never "The request is not of the form that docs/spec describes; nothing was changed. Compare it with the OpenAPI document: unknown members, ids in upper case and another content type are refused.";
    101 TooLarge "too-large" Never "The request or one of its parts is larger than is accepted; nothing was parsed.";
    103 DigestMismatch "digest-mismatch" Never "The act's digest is not the one in the Portcullis-Act header; client and gate disagree on the act.";

    // 2xx: what the act is bound to.
    200 WrongGenesis "wrong-genesis" Never "The act is meant for another network; check the pinned genesis digest.";
    201 WrongRealm "wrong-realm" Never "The act names a realm that its principal does not belong to.";
    202 UnknownCheckpoint "unknown-checkpoint" Anew "The act names a checkpoint that is not in the journal or is over one hour old; make a new act on the newest one.";
    203 Expired "expired" Anew "The act, or a piece of its evidence, has expired; make a new one.";
    204 ExpiryTooFar "expiry-too-far" Anew "The act expires more than 24 hours from now; choose an earlier expiry.";
    205 Replayed "replayed" Never "An act with this id was already accepted; look at it under its digest.";

    206 StampInvalid "stamp-invalid" Never "The stop board's stamp is not of this act by a board that genesis names, or the act is not one that only takes away.";

    // 3xx: who asks.
    300 UnknownAccount "unknown-account" Never "There is no such account.";
    301 UnknownPrincipal "unknown-principal" Never "There is no such principal in this realm or account.";
    302 RequestMissing "request-missing" Anew "No signed request is by a principal with the right role: sign it as staff (docs/spec/request.md); customers' acts are relayed by a back end, and what only takes away also goes to a stop board.";
    303 RequestInvalid "request-invalid" Anew "A request signature does not verify or is not of the profile in docs/spec/request.md; compare the signature base line by line, the authority with those in gate.toml.";
    304 RequestForAnotherAct "request-for-another-act" Never "A request signature covers another act's digest.";
    305 RequestStale "request-stale" Anew "A request was signed more than five minutes ago or lies in the future; check the clock and sign again.";
    306 FactorMissing "factor-missing" Anew "No factor of the acting principal proves this act; ask for an assertion over its digest.";
    307 FactorUnknown "factor-unknown" Never "The evidence names a factor that the principal does not have.";
    308 FactorRevoked "factor-revoked" Never "The factor was enrolled under an older epoch and counts no more; enrol again.";
    309 FactorNotYet "factor-not-yet" Later "The factor is new and its delay has not run; nothing was consumed.";
    310 FactorTooWeak "factor-too-weak" Never "A factor enrols, revokes or unfreezes only at its own strength or below; what staff froze takes a quorum of administrators.";

    // 32x: what is wrong with a passkey assertion, in the order of its checks.
    320 PasskeyMalformed "passkey-malformed" Never "The assertion's clientDataJSON or authenticatorData is not of the form that WebAuthn demands.";
    321 PasskeyType "passkey-type" Never "The assertion's type is not webauthn.get.";
    322 PasskeyChallenge "passkey-challenge" Never "The assertion was made over another challenge, or a registration over one that was used: it is evidence for another act.";
    323 PasskeyOrigin "passkey-origin" Never "The assertion was made at an origin that genesis does not name: phishing, or a new domain.";
    324 PasskeyCrossOrigin "passkey-cross-origin" Never "The assertion was made inside a frame of another origin.";
    325 PasskeyRelyingParty "passkey-relying-party" Never "The assertion is for another relying party id.";
    326 PasskeyNotPresent "passkey-not-present" Anew "The authenticator did not see its user.";
    327 PasskeySignature "passkey-signature" Never "The assertion's signature does not verify.";
    328 PasskeyNotVerified "passkey-not-verified" Anew "The authenticator did not verify its user; ask with userVerification required.";
    329 PasskeyCounter "passkey-counter" Never "The authenticator's counter did not rise: it may have been copied.";

    // 34x: what the principal may do.
    340 RoleMissing "role-missing" Never "The principal has no role that may do this.";
    341 SelfApproval "self-approval" Never "Nobody approves an act of their own.";
    342 AlreadyApproved "already-approved" Never "This principal has approved the act already; a quorum counts members, not signatures.";

    // 4xx: attestations.
    400 AttestationInvalid "attestation-invalid" Anew "An attestation's signature does not verify, or its issuer is not named for this claim.";
    401 AttestationForAnotherAct "attestation-for-another-act" Never "An attestation is over another act's digest.";
    402 AttestationExpired "attestation-expired" Anew "An attestation has expired; ask its issuer again.";
    403 OnboardingMissing "onboarding-missing" Anew "An onboarding attestation over this act is missing.";
    404 DebitConsumed "debit-consumed" Never "The ledger entry in the attestation already paid for another act.";
    405 DebitContradicts "debit-contradicts" Never "Two attestations name different ledger entries for one act.";

    // 5xx: the state of things.
    500 Suspended "suspended" Anew "The gate is shut for this; it takes restricting acts only until a quorum lifts the suspension.";
    501 AccountFrozen "account-frozen" Anew "The account is frozen, or was frozen again after this was asked. Ask anew once it is not.";
    502 AccountExists "account-exists" Never "There is an account or principal with this id.";
    503 FactorExists "factor-exists" Never "This factor is enrolled already, or an act of staff that waits names it.";
    504 TooMany "too-many" Never "The account or principal has as many of these as it may have.";
    505 AddressKnown "address-known" Never "The address is in the account's book already.";
    506 AddressUnknown "address-unknown" Anew "The address is not in the account's book; add it first. On another chain it is another address.";
    507 AssetUnknown "asset-unknown" Never "The asset is not one that genesis names, or no wallet pays it.";
    508 WrongChain "wrong-chain" Never "The address is not on the asset's chain.";
    509 AmountZero "amount-zero" Never "The amount is zero.";
    510 ActUnknown "act-unknown" Never "There is no such act that waits or could be changed.";
    511 ActGone "act-gone" Never "The act has gone out or has ended; it can no longer be changed.";
    512 NotWithheld "not-withheld" Anew "The release is not withheld: there is nothing to resume or to void.";
    513 RoleHeld "role-held" Never "The principal has this role already, or one of the two goes with no other: a back end is nothing else.";
    514 RoleNotHeld "role-not-held" Never "The principal does not have this role.";
    515 WouldLockOut "would-lock-out" Never "Fewer administrators than their quorum would be left; nothing was changed.";
    516 SuspensionUnknown "suspension-unknown" Never "There is no such suspension or latch.";
    517 LimitsChanged "limits-changed" Anew "The limits in force are not those that the act replaces; propose again on the present ones.";
    518 LimitsMalformed "limits-malformed" Never "The new limits contradict themselves or name an unknown asset.";
    519 FactorsRemain "factors-remain" Never "An older factor still counts: it must enrol the new one.";
    520 WrongFactorParty "wrong-factor-party" Never "The passkey was made for a relying party id that is not the realm's.";
    521 NotFrozen "not-frozen" Never "The account is not frozen.";
    522 ForkLatch "fork-latch" Never "A latch on a fork is never lifted: it takes a new genesis.";
    523 NothingNew "nothing-new" Never "The evidence adds nothing to what is known of the act; nothing was changed.";
    524 PolicyChanged "policy-changed" Anew "The policy in force is not the one that the act replaces; propose again on the present one.";
    525 PolicyMalformed "policy-malformed" Never "The new policy is not one that can be decided by; `portcullis policy check` says what is wrong with it.";
    526 RatesNotNamed "rates-not-named" Never "The policy in force names no publishers of rates.";
    527 QuoteInvalid "quote-invalid" Never "A quote is not by a publisher that the policy names, of an asset and in the currency that it names, one of each publisher; or too few publishers speak of an asset: at least three, and more than half.";
    528 QuoteStale "quote-stale" Anew "A quote is older than the policy allows, ahead of the gate, or too soon after the last rate; ask the publishers again.";
    529 RateBeyondStep "rate-beyond-step" Anew "The rate would move further from the last one than the policy allows at once. Where the market has really moved so far while no rates came, replace the policy: that begins rates anew.";
    530 RecoveryWaits "recovery-waits" Anew "A recovery of this holder waits already; it has to end first.";
    531 RecoveredLately "recovered-lately" Anew "The account was recovered a short while ago and takes no new address yet. Ask anew later.";
    532 RecoveryBudget "recovery-budget" Anew "As many recoveries have begun today as this agent, or the platform, may begin in a day. Ask anew tomorrow.";
    533 IdentityMissing "identity-missing" Anew "The attestation of an identity vendor over this recovery is missing; without it two members with role support recover a holder.";
    534 AlreadyVetoed "already-vetoed" Never "This administrator has vetoed the act already; a quorum counts members, not signatures.";
    535 RootsMissing "roots-missing" Anew "Too few roots have attested this act; each of a quorum of them attests its digest.";
    536 AdministrationChanged "administration-changed" Anew "The administration in force is not the one that the act replaces; make a new act on the present one.";
    537 AdministrationMalformed "administration-malformed" Never "The new administration contradicts itself: nobody, somebody twice or without a factor, or a quorum that is not more than half of them.";
    538 KeysChanged "keys-changed" Anew "The keys in force are not those that the act replaces; propose again on the present ones.";
    539 KeysMalformed "keys-malformed" Never "The new keys contradict themselves: none, one twice, too many, a key that is in use, or an unknown keeper.";

    // 55x: contacts.
    550 ContactMissing "contact-missing" Anew "The network has a herald, and the act carries no commitment to a sealed contact: seal one (docs/spec/contact.md).";
    551 ContactKnown "contact-known" Never "The sealed contact is the account's already, or another change to it waits.";
    552 NoHerald "no-herald" Never "Genesis names no herald: there is nobody who would keep or use a contact.";

    // And the links in notices.
    553 LinkOutOfPlace "link-out-of-place" Never "A link in a notice asks on a stop board's page, alone, for the herald's own act, which freezes one account or stops one act of its: whoever opens the link posts it unchanged.";
    554 LinkInvalid "link-invalid" Never "The herald that is in force has not signed this act: the link was changed on its way, or the herald's key has been replaced since. Stop it in another way.";

    // 555: the journal's key.
    555 LogKeyKnown "log-key-known" Never "The key that the journal is to sign with has signed for it before, or is a witness', a board's, an issuer's, a root's or somebody's factor: make one of its own.";

    // 556 to 558: labels.
    556 LabelRefuses "label-refuses" Anew "An authority's list that is in force names the address; nothing goes there while it does. `GET /v1/labels` says which lists there are.";
    557 LabelsChanged "labels-changed" Anew "The set in force under this name is not the one that the act replaces; propose again on the present one.";
    558 LabelsMalformed "labels-malformed" Never "The act contradicts itself: no name, no source, a risk above 10, too many labels, neither an old set nor a new one, or the same one twice.";

    // 559: payments on Bitcoin.
    559 AmountUnpayable "amount-unpayable" Never "The chain carries no such payment: less than nodes relay to this kind of address (546 satoshis at most), or more than can exist. Ask for another amount.";

    // 56x: what vendors say of an act.
    560 ScreeningBlocks "screening-blocks" Never "A screening blocks this; it does not go out, whatever else is said of it.";
    561 AttestationUsed "attestation-used" Never "The issuer's id in the attestation has been used, for this act or another: each serves once, for anything but a block.";
    562 TravelRuleContradicts "travel-rule-contradicts" Never "Two attestations name different travel-rule messages for this, and nobody can tell which of them is true; it does not go out.";

    // 57x: accounts with several principals.
    572 PrincipalExists "principal-exists" Never "The principal is one of the account's already, or a member of staff.";
    573 QuorumOutOfReach "quorum-out-of-reach" Never "Fewer principals of the account could act than its quorum takes; nothing was changed. Add one, or lower the quorum first.";
    574 AccountQuorumChanged "account-quorum-changed" Anew "The account's quorum is not the one that the act replaces; ask anew on the present one.";
    575 AccountQuorumMalformed "account-quorum-malformed" Never "The account's new quorum is nobody, more than an account can have principals, or the present one.";

    // 58x: one-time codes and imports.
    580 CodeTooWeak "code-too-weak" Anew "A TOTP code stands only for freeze, cancel, cancel-address, veto, small withdrawals and, where the customer has nothing stronger, a new address; a recovery code only for a recovery. Ask for an assertion by passkey over a new act.";
    581 OverCodeLimit "over-code-limit" Anew "The limits of the asset let nothing so large, or nothing more, out on a TOTP code alone. Ask for an assertion by passkey over a new act.";
    582 AddressTooYoung "address-too-young" Anew "The address has not stood in the book for seven delay floors, as a TOTP code alone needs. Ask for an assertion by passkey over a new act.";
    583 CodeOutOfPlace "code-out-of-place" Anew "A code comes with the act itself, alone: not beside another proof of the same principal, not later, and not by a stop board.";
    584 TooManyCodes "too-many-codes" Anew "Too many codes of this factor were wrong today or in a row, or wait for the herald. Ask for an assertion by passkey, or come again tomorrow; after fifty wrong ones in a row the factor has to be enrolled anew.";
    585 CodeWrong "code-wrong" Anew "The herald says that the code is none of the factor's at that time, or that its step has served. Make a new act with a new code.";
    586 CodeUsed "code-used" Never "The recovery code is none of those that are left of the factor, or it did not sign this act.";
    587 FactorMalformed "factor-malformed" Never "The new factor is none that can be used: recovery codes are ten different digests, a TOTP seed needs a herald in genesis, and members of staff have neither.";
    588 ImportMalformed "import-malformed" Never "The import says nothing of where it comes from, or too much, or of a time ahead; or it brings further factors without being one.";

    // 6xx: limits, and policy.
    600 OverTransactionLimit "over-transaction-limit" Anew "The amount is above the limit for one transaction.";
    601 OverHourLimit "over-hour-limit" Anew "The amount would pass the limit for one hour. Ask anew once there is room.";
    602 OverDayLimit "over-day-limit" Anew "The amount would pass the limit for 24 hours. Ask anew once there is room.";
    603 OverWeekLimit "over-week-limit" Anew "The amount would pass the limit for 7 days. Ask anew once there is room.";

    604 NotPermitted "not-permitted" Anew "No statement of the policy permits this, as things are; `portcullis policy explain` shows the facts.";
    605 Forbidden "forbidden" Anew "A statement of the policy forbids this, as things are; the answer names it, and `portcullis policy explain` shows the facts.";
    606 PolicyFails "policy-fails" Anew "The policy cannot be evaluated for this act, so nothing is let through. Replace the policy.";
    607 OverPlatformLimit "over-platform-limit" Anew "With this, more would leave the platform than the policy allows, by the rates of now. Ask anew once there is room.";

    // 9xx: the gate itself; never in the journal.
    900 WitnessesStale "witnesses-stale" Later "The witnesses' newest cosignature is over ten seconds old; only restricting acts are taken. Send the same again.";
    901 Busy "busy" Later "The queue is full; nothing was lost. Send the same again after Retry-After.";
    902 JournalFull "journal-full" Later "The journal's disk is full; nothing was changed and what was acknowledged is safe. Make room.";
    903 Stopping "stopping" Later "The gate is stopping to recover; the outcome stands in the journal. Look under the act's digest, then send the same again.";
    904 Unauthenticated "unauthenticated" Anew "The request is not signed by a principal that may do this here: its key is not known, or its holder has no role for it.";
    905 NotFound "not-found" Never "There is nothing here under this name.";
    906 KeyReused "key-reused" Never "This Idempotency-Key stands for another payload; nothing was looked at. Send this one under a key of its own.";
    907 InProgress "in-progress" Later "A request with this Idempotency-Key is being worked on.";
    908 StatementRefused "statement-refused" Never "The keeper's statement does not fit the journal; the keeper has diverged or is not who it says.";
    909 Panicked "panicked" Never "Deciding this act failed inside the gate; the act is refused and nothing was changed. Report the act's digest.";
    910 RequestReplayed "request-replayed" Anew "This very request was taken before: its nonce is used. Nothing was changed; sign it anew.";
    911 NoFeePlan "no-fee-plan" Later "No transaction fits under the wallet's fee ceiling at the going rates, or no node has said them; nothing was changed. Send the same again.";
    912 RequestTimeout "request-timeout" Later "The request's body did not come in time; nothing was parsed. Send it again.";
    913 HeldFull "held-full" Later "As many acts wait as this gate keeps; nothing was changed. Send the same again once some have ended.";
    914 CredentialMalformed "credential-malformed" Never "The registration's attestation object or credential is not of the form that WebAuthn demands; relay what the client returned unchanged.";
    915 CredentialAlgorithm "credential-algorithm" Anew "The new credential's key is of an algorithm that was not offered, or is no key; offer the options as the gate gave them.";
    916 CredentialOther "credential-other" Never "The credential id beside the attestation object is not the one inside it.";
    917 CredentialProof "credential-proof" Never "The attestation statement's signature does not hold.";
    918 LabelsNotHere "labels-not-here" Later "The gate does not have the set that the act names, or what it has is not what the act says: put the bytes there first, as `portcullis labels propose` does, then send the same again.";
}

impl Reason {
    /// Its stable number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Whether it is the gate's own, and so never in the journal: nothing came of the act.
    #[must_use]
    pub const fn is_gates_own(self) -> bool {
        self.number() >= 900
    }

    /// The RFC 9457 problem type.
    #[must_use]
    pub fn problem_type(self) -> String {
        format!("urn:portcullis:reason:{}", self.number())
    }
}

impl core::fmt::Display for Reason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} {}: {}", self.number(), self.slug(), self.text())
    }
}

impl<C> Encode<C> for Reason {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u16(self.number())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Reason {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::from_number(d.u16()?)
            .ok_or_else(|| minicbor::decode::Error::message("unknown reason"))
    }
}
