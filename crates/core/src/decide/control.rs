//! Staff's own acts that one member does alone.

use super::{Case, Verdict, approval, flight};
use crate::act::ActKind;
use crate::reason::Reason;

pub(super) fn judge(case: &Case<'_>) -> Result<Verdict, Reason> {
    let state = case.state;
    match &case.act.kind {
        ActKind::Suspend(_) => approval::judge_suspend(case),
        ActKind::RaiseEpoch(raise) => Ok(Verdict::Accept(approval::raise_epoch(state, raise)?)),
        ActKind::RevokeRole(revoke) => {
            let effects = approval::revoke_role(state, revoke.principal, revoke.role)?;
            Ok(Verdict::Accept(effects))
        }
        ActKind::Resume(resume) => flight::judge_resume(state, resume.release, case.time),
        ActKind::Void(void) => flight::judge_void(state, void.release),
        _ => Err(Reason::RoleMissing),
    }
}
