//! A node that lies takes coins away and never adds one.

use portcullis_chains::bitcoin::CoinError;

use super::kit::{By, key, sats, stranger, wallet};
use super::peer::Peer;
use crate::bitcoin::BitcoinNode as _;
use crate::bitcoin::testkit::{Byzantine, Lie};
use crate::bitcoin::unspent_coins;

#[test]
fn every_lie_about_an_output_is_disbelieved() {
    for by in [By::P2wpkh, By::P2tr] {
        let Some(peer) = Peer::start() else {
            return;
        };
        peer.node().watch(&[key(by).lock()]).unwrap();
        peer.mine(2, key(by).lock());
        peer.mine(100, stranger());
        for (lie, why) in [
            (Lie::Amounts, CoinError::Lie),
            (Lie::Scripts, CoinError::Lie),
            (Lie::Ghosts, CoinError::NoSuchOutput),
            (Lie::OtherPrevious, CoinError::OtherPrevious),
            (Lie::CutPrevious, CoinError::PreviousMalformed),
        ] {
            let honest = peer.node();
            let node = Byzantine { honest, lie };
            let (coins, disbelieved) = unspent_coins(&node, &wallet(by), 1, sats(1)).unwrap();
            assert_eq!(coins, [], "{by:?} {lie:?}");
            let reasons: Vec<CoinError> = disbelieved.iter().map(|claim| claim.why).collect();
            assert_eq!(reasons, [why; 2], "{by:?} {lie:?}");
        }
    }
}
