//! What people try who should not, and how often.

/// What somebody tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Theft {
    /// An assertion under a signature that does not hold.
    ForgedSignature,
    /// An assertion by somebody else's passkey.
    OthersPasskey,
    /// An assertion that was made for another act.
    Retargeted,
    /// An act that has counted, sent again as it was.
    Replay,
    /// A stop that has counted, posted to a board.
    ReplayToBoard,
    /// The same content under another id, with the old evidence.
    NewIdOldEvidence,
    /// One debit for two withdrawals.
    OneDebitForTwo,
    /// A proposer who approves.
    SelfApproval,
    /// One administrator who approves twice.
    ApprovesTwice,
    /// Support that resumes what is withheld.
    SupportResumes,
    /// Support that lifts.
    SupportLifts,
    /// A customer who suspends.
    CustomerSuspends,
    /// A withdrawal to an address that is not in the book.
    StrangeAddress,
    /// A withdrawal above what one transaction may be.
    TooMuch,
    /// A withdrawal to an address that has just been added.
    NewAddressAtOnce,
    /// A passkey that has just been enrolled.
    NewPasskeyAtOnce,
    /// An act that has expired.
    Expired,
    /// An act for another network.
    OtherGenesis,
    /// A customer's act that the customer's own key relays.
    NoRelay,
    /// The assertion that proved an act once, brought again after it counts no more.
    OldProofAgain,
    /// A new assertion for an act, brought by somebody who relays nothing.
    OthersSupplement,
    /// Rates of too few publishers, of one for several, of mad ones, of old quotes or of coming ones.
    BadRates,
    /// A policy that is none.
    MalformedPolicy,
    /// A policy that replaces one that is in force no more.
    PolicyOnOldBase,
    /// Keys that replace some that are in force no more.
    KeysOnOldBase,
    /// A debit by the ledger's key of before.
    OldLedger,
    /// A statement by a keeper's key of before.
    OldKeeper,
    /// Administrators recovered by fewer roots than it takes.
    TooFewRoots,
    /// Administrators recovered by roots of before.
    OldRoots,
    /// One recovery after the other.
    ManyRecoveries,
    /// A member with role support that supports what it brought.
    OwnSupport,
    /// A veto of somebody else's recovery.
    StrangersVeto,
    /// Digits that somebody has seen being typed, for another act.
    SeenDigits,
    /// Digits of long ago.
    OldDigits,
    /// Digits that are guessed.
    GuessedDigits,
    /// A code that was sealed for another act.
    MovedCode,
    /// A code for what no code is enough for.
    CodeForMore,
    /// Witnesses, or a key of the journal, in the place of such as are in force no more.
    HandoverOnOldBase,
    /// The same by somebody who administers nothing.
    StrangersHandover,
}

impl Theft {
    /// Those of the whole network besides.
    pub const WHOLE: [(u64, Self); 11] = [
        (6, Self::BadRates),
        (2, Self::MalformedPolicy),
        (3, Self::PolicyOnOldBase),
        (3, Self::KeysOnOldBase),
        (6, Self::OldLedger),
        (6, Self::OldKeeper),
        (2, Self::TooFewRoots),
        (8, Self::OldRoots),
        (5, Self::ManyRecoveries),
        (3, Self::OwnSupport),
        (3, Self::StrangersVeto),
    ];

    /// Those against customers with authenticator apps besides.
    pub const CODES: [(u64, Self); 5] = [
        (8, Self::SeenDigits),
        (2, Self::OldDigits),
        (3, Self::GuessedDigits),
        (3, Self::MovedCode),
        (2, Self::CodeForMore),
    ];

    /// Those where the journal is handed over besides.
    pub const HANDOVERS: [(u64, Self); 2] =
        [(4, Self::HandoverOnOldBase), (1, Self::StrangersHandover)];

    /// Whether it is one by a code.
    pub(super) fn is_by_code(self) -> bool {
        Self::CODES.iter().any(|(_, theft)| *theft == self)
    }

    /// All of the ground, each as likely as its weight: what there is seldom a chance for is taken up at once.
    pub const WEIGHED: [(u64, Self); 21] = [
        (1, Self::ForgedSignature),
        (1, Self::OthersPasskey),
        (1, Self::Retargeted),
        (1, Self::Replay),
        (1, Self::ReplayToBoard),
        (1, Self::NewIdOldEvidence),
        (1, Self::OneDebitForTwo),
        (1, Self::SelfApproval),
        (1, Self::ApprovesTwice),
        (4, Self::SupportResumes),
        (1, Self::SupportLifts),
        (1, Self::CustomerSuspends),
        (1, Self::StrangeAddress),
        (1, Self::TooMuch),
        (1, Self::NewAddressAtOnce),
        (1, Self::NewPasskeyAtOnce),
        (1, Self::Expired),
        (1, Self::OtherGenesis),
        (1, Self::NoRelay),
        (6, Self::OldProofAgain),
        (4, Self::OthersSupplement),
    ];
}
