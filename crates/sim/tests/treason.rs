//! Beyond the thresholds the signer stops by itself: on a fork and on a journal that has shrunk.

use portcullis_core::statement::Condition;
use portcullis_sim::hosts::Misdeed;
use portcullis_sim::treason::betray;

#[test]
fn a_fork_that_a_quorum_cosigned_stops_the_signer_for_good() {
    let report = betray(40, Misdeed::ShowFork, Condition::Fork);
    assert_eq!(report.violation, None);
}

#[test]
fn a_journal_that_shrank_under_a_quorum_stops_the_signer_for_good() {
    let report = betray(40, Misdeed::ShowShrunk, Condition::Shrunk);
    assert_eq!(report.violation, None);
}
