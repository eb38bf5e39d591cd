use crate::reason::Reason;

/// Why a plan is not the one that the decision calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanFault {
    /// Money goes out without a plan, or a plan stands where none goes out.
    #[error("a plan stands where none belongs, or is missing where one does")]
    Presence,
    /// Another wallet.
    #[error("the plan is for another wallet")]
    Wallet,
    /// The bytes are not a plain transfer, or no mandate where the wallet pays by those.
    #[error(
        "the plan's bytes are not a plain transfer, or not a mandate where the wallet pays by those"
    )]
    NotPlain,
    /// Chain, asset, payee or amount differ.
    #[error("the plan's chain, asset, payee or amount is not the act's")]
    Differs,
    /// Not the wallet's next nonce, or not the release's.
    #[error("the plan's nonce is not the one that state demands")]
    Nonce,
    /// The fee may cost more than genesis allows for the wallet.
    #[error("the plan's fee ceiling is above the wallet's")]
    Fee,
    /// Nodes take no such transaction, so that its nonce would stay open.
    #[error("nodes take no transaction with so little gas, or without a tip")]
    Unsendable,
    /// A payment at fees that nothing could outbid within the wallet's ceiling.
    #[error("the plan's fees leave no room below the wallet's ceiling for one that outbids it")]
    NoRoom,
    /// Something bars the release: a suspension, a freeze, a revoked factor or address.
    #[error("the release is barred: {0}")]
    Barred(Reason),
    /// A fresh mandate while the one before it still holds.
    #[error("the mandate that it would take the place of has not expired")]
    Holds,
    /// Longer, unsigned or signed, than an entry can carry.
    #[error("the plan is larger than an entry can carry: it has too many inputs")]
    TooLarge,
    /// A coin of another batch, or one that a transaction still has to make.
    #[error(
        "the plan spends what another batch spends, or what a plan that is not confirmed makes"
    )]
    Spent,
    /// An input that the payments do not need: it would only be moved into the change.
    #[error("the plan spends more of the wallet's coins than its payments need")]
    Spare,
    /// A batch of too many, one of them twice, or one of another wallet.
    #[error(
        "the plan's acts are not a batch: too many, one twice, or not all paid by one wallet of coins"
    )]
    Batch,
    /// A replacement that does not conflict with every earlier plan, or does not outbid it.
    #[error("the replacement does not take the place of every earlier plan")]
    NoReplacement,
}
