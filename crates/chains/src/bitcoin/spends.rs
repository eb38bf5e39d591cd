//! Which bytes a signature of each input covers.

use bitcoin::hashes::Hash;
use bitcoin::sighash::{EcdsaSighashType, Prevouts, SighashCache, TapSighashType};
use bitcoin::{Transaction, TxOut};

use super::Coin;
use super::wallet::Kind;

/// The digest of each input, in their order. `None` where coins and inputs are not of one number.
pub(super) fn digests(tx: &Transaction, coins: &[Coin]) -> Option<Vec<[u8; 32]>> {
    let spent: Vec<TxOut> = coins.iter().map(Coin::output).collect();
    let mut cache = SighashCache::new(tx);
    let digest = |(at, coin): (usize, &Coin)| match coin.key().0 {
        Kind::P2wpkh(_) => p2wpkh(&mut cache, at, &spent[at]),
        Kind::P2tr { .. } => p2tr(&mut cache, at, &spent),
    };
    coins.iter().enumerate().map(digest).collect()
}

/// BIP 143 with `SIGHASH_ALL`: every input and output, and the amount of this input.
fn p2wpkh(cache: &mut SighashCache<&Transaction>, at: usize, spent: &TxOut) -> Option<[u8; 32]> {
    let all = EcdsaSighashType::All;
    cache
        .p2wpkh_signature_hash(at, &spent.script_pubkey, spent.value, all)
        .ok()
        .map(Hash::to_byte_array)
}

/// BIP 341's key path with `SIGHASH_DEFAULT`: every input with its amount and script, and every
/// output.
fn p2tr(cache: &mut SighashCache<&Transaction>, at: usize, spent: &[TxOut]) -> Option<[u8; 32]> {
    cache
        .taproot_key_spend_signature_hash(at, &Prevouts::All(spent), TapSighashType::Default)
        .ok()
        .map(Hash::to_byte_array)
}

#[cfg(test)]
mod tests {
    use bitcoin::consensus::encode::deserialize_hex;
    use bitcoin::{Amount, ScriptBuf};

    use super::*;

    fn output(script: &str, sats: u64) -> TxOut {
        TxOut {
            value: Amount::from_sat(sats),
            script_pubkey: ScriptBuf::from_hex(script).unwrap(),
        }
    }

    /// BIP 143, "Native P2WPKH", second input.
    #[test]
    fn p2wpkh_as_in_bip_143() {
        let tx: Transaction = deserialize_hex(concat!(
            "0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000ee",
            "ffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffff",
            "ff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000",
            "001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000",
        ))
        .unwrap();
        let spent = output("00141d0f172a0ecb48aee1be1f2687d2963ae33f71a1", 600_000_000);
        assert_eq!(
            p2wpkh(&mut SighashCache::new(&tx), 1, &spent).map(hex::encode),
            Some("c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670".to_owned())
        );
    }

    /// BIP 341, `wallet-test-vectors.json`, the input of `keyPathSpending` with hash type 0.
    #[test]
    fn p2tr_as_in_bip_341() {
        let tx: Transaction = deserialize_hex(concat!(
            "02000000097de20cbff686da83a54981d2b9bab3586f4ca7e48f57f5b55963115f3b334e9c010000000000",
            "000000d7b7cab57b1393ace2d064f4d4a2cb8af6def61273e127517d44759b6dafdd990000000000ffffff",
            "fff8e1f583384333689228c5d28eac13366be082dc57441760d957275419a418420000000000fffffffff0",
            "689180aa63b30cb162a73c6d2a38b7eeda2a83ece74310fda0843ad604853b0100000000feffffffaa5202",
            "bdf6d8ccd2ee0f0202afbbb7461d9264a25e5bfd3c5a52ee1239e0ba6c0000000000feffffff956149bdc6",
            "6faa968eb2be2d2faa29718acbfe3941215893a2a3446d32acd050000000000000000000e664b9773b88c0",
            "9c32cb70a2a3e4da0ced63b7ba3b22f848531bbb1d5d5f4c94010000000000000000e9aa6b8e6c9de67619",
            "e6a3924ae25696bb7b694bb677a632a74ef7eadfd4eabf0000000000ffffffffa778eb6a263dc090464cd1",
            "25c466b5a99667720b1c110468831d058aa1b82af10100000000ffffffff0200ca9a3b000000001976a914",
            "06afd46bcdfd22ef94ac122aa11f241244a37ecc88ac807840cb0000000020ac9a87f5594be208f8532db3",
            "8cff670c450ed2fea8fcdefcc9a663f78bab962b0065cd1d",
        ))
        .unwrap();
        let spent = [
            (
                "512053a1f6e454df1aa2776a2814a721372d6258050de330b3c6d10ee8f4e0dda343",
                420_000_000,
            ),
            (
                "5120147c9c57132f6e7ecddba9800bb0c4449251c92a1e60371ee77557b6620f3ea3",
                462_000_000,
            ),
            (
                "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac",
                294_000_000,
            ),
            (
                "5120e4d810fd50586274face62b8a807eb9719cef49c04177cc6b76a9a4251d5450e",
                504_000_000,
            ),
            (
                "512091b64d5324723a985170e4dc5a0f84c041804f2cd12660fa5dec09fc21783605",
                630_000_000,
            ),
            ("00147dd65592d0ab2fe0d0257d571abf032cd9db93dc", 378_000_000),
            (
                "512075169f4001aa68f15bbed28b218df1d0a62cbbcf1188c6665110c293c907b831",
                672_000_000,
            ),
            (
                "5120712447206d7a5238acc7ff53fbe94a3b64539ad291c7cdbc490b7577e4b17df5",
                546_000_000,
            ),
            (
                "512077e30a5522dd9f894c3f8b8bd4c4b2cf82ca7da8a3ea6a239655c39c050ab220",
                588_000_000,
            ),
        ];
        let spent = spent.map(|(script, sats)| output(script, sats));
        assert_eq!(
            p2tr(&mut SighashCache::new(&tx), 4, &spent).map(hex::encode),
            Some("4f900a0bae3f1446fd48490c2958b5a023228f01661cda3496a11da502a7f7ef".to_owned())
        );
    }
}
