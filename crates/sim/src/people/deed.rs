//! What people set out to do honestly, and how often.

/// What somebody sets out to do honestly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "they are the names of acts")]
pub enum Deed {
    OpenAccount,
    AddAddress,
    CancelAddress,
    Withdraw,
    WithdrawLarge,
    WithdrawUnpaid,
    PayLater,
    AssertAgain,
    Cancel,
    Freeze,
    Unfreeze,
    UnfreezeByQuorum,
    Enrol,
    EnrolAnew,
    RevokeFactor,
    RaiseEpoch,
    Suspend,
    PostStop,
    Lift,
    LiftLatch,
    Approve,
    Resume,
    Void,
    SetLimits,
    GrantRole,
    RevokeRole,
    RevokeStaffFactor,
    SendAgain,
    CancelAny,
    SendEnvelope,
    ChangeContact,
    PublishRates,
    SetPolicy,
    EnrolDevice,
    Recover,
    Support,
    Veto,
    RecoverAdministrators,
    Rotate,
    CancelOwn,
    EnrolApp,
    WithdrawByCode,
    StopByCode,
    HandOver,
}

impl Deed {
    /// Those of the whole network besides.
    pub const WHOLE: [(u64, Self); 12] = [
        (300, Self::SendEnvelope),
        (40, Self::ChangeContact),
        (160, Self::PublishRates),
        (30, Self::SetPolicy),
        (80, Self::EnrolDevice),
        (90, Self::Recover),
        (120, Self::Support),
        (70, Self::Veto),
        (12, Self::RecoverAdministrators),
        (80, Self::Rotate),
        (8, Self::RaiseEpoch),
        (4, Self::CancelOwn),
    ];

    /// Those of customers with authenticator apps besides.
    pub const CODES: [(u64, Self); 3] = [
        (160, Self::EnrolApp),
        (500, Self::WithdrawByCode),
        (60, Self::StopByCode),
    ];

    /// Those where the journal is handed over besides.
    pub const HANDOVERS: [(u64, Self); 1] = [(300, Self::HandOver)];

    /// All of the ground, each as likely as its weight.
    pub const WEIGHED: [(u64, Self); 28] = [
        (140, Self::OpenAccount),
        (160, Self::AddAddress),
        (20, Self::CancelAddress),
        (700, Self::Withdraw),
        (60, Self::WithdrawLarge),
        (60, Self::WithdrawUnpaid),
        (120, Self::PayLater),
        (120, Self::AssertAgain),
        (40, Self::Cancel),
        (14, Self::Freeze),
        (40, Self::Unfreeze),
        (40, Self::UnfreezeByQuorum),
        (30, Self::Enrol),
        (80, Self::EnrolAnew),
        (10, Self::RevokeFactor),
        (4, Self::RaiseEpoch),
        (20, Self::Suspend),
        (6, Self::PostStop),
        (200, Self::Lift),
        (200, Self::LiftLatch),
        (500, Self::Approve),
        (200, Self::Resume),
        (30, Self::Void),
        (6, Self::SetLimits),
        (20, Self::GrantRole),
        (12, Self::RevokeRole),
        (12, Self::RevokeStaffFactor),
        (200, Self::SendAgain),
    ];
}
