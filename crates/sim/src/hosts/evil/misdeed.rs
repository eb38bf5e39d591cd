//! What whoever has the gate does, and how often.

/// What whoever has the gate does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Misdeed {
    /// A release to the thief under no evidence at all.
    ReleaseWithoutEvidence,
    /// A release to the thief under somebody else's evidence.
    OthersEvidence,
    /// An act that has counted, once more.
    Replay,
    /// A held act released before its time, its debit or its approvals.
    SettleEarly,
    /// The same, under a time from the future at which it might be right.
    SettleForwardDated,
    /// An entry with a time before that of earlier ones.
    Backdated,
    /// A genuine withdrawal, planned to pay somebody else.
    OtherPayee,
    /// A genuine withdrawal, planned to pay more.
    OtherAmount,
    /// A genuine withdrawal under a nonce that is not next.
    OtherNonce,
    /// A genuine withdrawal with a fee that eats the wallet.
    HighFee,
    /// A replacement of a plan that pays somebody else.
    OtherReplacement,
    /// A withheld release resumed by nobody.
    ResumeByNobody,
    /// A statement that no keeper signed.
    ForgedStatement,
    /// A checkpoint that nobody cosigned.
    ForgedCheckpoint,
    /// Bytes that are no entry.
    Garbage,
    /// A genuine act, journaled as it should be.
    Honest,
    /// Statements of keepers are let in.
    Statements,
    /// A checkpoint, journaled as it should be.
    Checkpoint,
    /// From here on readers see the journal as it is.
    ShowAll,
    /// From here on readers see it as it was a while ago.
    ShowOld,
    /// From here on readers see another one, under whatever cosignatures could be had.
    ShowFork,
    /// From here on readers see fewer entries than before.
    ShowShorter,
    /// From here on readers see fewer, cosigned anew, if anybody does that.
    ShowShrunk,
    /// From here on readers see entries that are not the journal's.
    ShowWrongEntries,
    /// From here on readers see nothing.
    ShowNothing,
    /// From here on readers see a checkpoint that only keys of before have signed or cosigned.
    ShowRetired,
    /// The same as an entry.
    RetiredCheckpoint,
    /// The journal's old key signs, or the one in force again.
    OldLogKey,
}

impl Misdeed {
    /// What looks like an honest gate until one thing is wrong.
    pub const QUIET: [(u64, Self); 9] = [
        (10, Self::Honest),
        (8, Self::Checkpoint),
        (4, Self::Statements),
        (3, Self::ShowAll),
        (2, Self::OtherPayee),
        (1, Self::OtherAmount),
        (1, Self::OtherNonce),
        (1, Self::OtherReplacement),
        (3, Self::ResumeByNobody),
    ];

    /// Those with keys that others have taken the place of.
    pub const HANDOVERS: [(u64, Self); 6] = [
        (5, Self::ShowRetired),
        (2, Self::RetiredCheckpoint),
        (1, Self::OldLogKey),
        (2, Self::ShowFork),
        (1, Self::ShowShrunk),
        (6, Self::ShowAll),
    ];

    /// All others, each as likely as its weight.
    pub const WEIGHED: [(u64, Self); 25] = [
        (4, Self::ReleaseWithoutEvidence),
        (4, Self::OthersEvidence),
        (4, Self::Replay),
        (4, Self::SettleEarly),
        (4, Self::SettleForwardDated),
        (2, Self::Backdated),
        (4, Self::OtherPayee),
        (3, Self::OtherAmount),
        (3, Self::OtherNonce),
        (3, Self::HighFee),
        (3, Self::OtherReplacement),
        (3, Self::ResumeByNobody),
        (2, Self::ForgedStatement),
        (2, Self::ForgedCheckpoint),
        (2, Self::Garbage),
        (12, Self::Honest),
        (6, Self::Statements),
        (10, Self::Checkpoint),
        (8, Self::ShowAll),
        (3, Self::ShowOld),
        (4, Self::ShowFork),
        (3, Self::ShowShorter),
        (2, Self::ShowShrunk),
        (3, Self::ShowWrongEntries),
        (1, Self::ShowNothing),
    ];
}
