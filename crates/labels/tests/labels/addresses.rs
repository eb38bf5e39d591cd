//! Spellings that meet, and texts that are refused. Every address was published by somebody else.

use portcullis_labels::AddressError::{
    self, Chain as UnknownChain, Characters, Checksum, Form, Length, Network, Tag, TooLong,
};
use portcullis_labels::{Chain, Key};

/// Each row: the canonical text, then texts that name the same receiver.
#[rustfmt::skip] // a table
const SAME: &[(&str, &[&str])] = &[
    // EIP-55's own examples.
    ("evm:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", &[
        "evm:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "evm:5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "evm:5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "evm:0X5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED",
        "evm:5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED",
    ]),
    ("eip155:1:0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", &[
        "eip155:1:0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "eip155:1:fB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    ]),
    // The chain number has 20 digits.
    ("eip155:18446744073709551615:0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", &[]),
    // BIP 173: P2WPKH of the generator point, and P2WSH; BIP 122 for the chain.
    ("bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", &[
        "bitcoin:BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "bip122:000000000019d6689c085ae165831e93:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    ]),
    ("bitcoin:bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3", &[]),
    // BIP 350: P2TR of the generator point.
    ("bitcoin:bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", &[
        "bitcoin:BC1P0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQZK5JJ0",
    ]),
    // The first payee; BIP 16's kind.
    ("bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", &[
        "bip122:000000000019d6689c085ae165831e93:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    ]),
    ("bitcoin:3P14159f73E4gFr7JterCCQh9QjiTjiZrG", &[]),
    // The CashAddr specification's own pairs.
    ("bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", &[
        "bitcoincash:bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
        "bitcoincash:BITCOINCASH:QPM2QSZNHKS23Z7629MMS6S4CWEF74VCWVY22GDX6A",
        "bitcoincash:QPM2QSZNHKS23Z7629MMS6S4CWEF74VCWVY22GDX6A",
        "bitcoincash:1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu",
        "bip122:000000000000000000b15ad892af8f6a:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
        // The same hash for a wallet that takes tokens (CHIP-2022-02 CashTokens).
        "bitcoincash:zpm2qsznhks23z7629mms6s4cwef74vcwvrqekrq9w",
    ]),
    ("bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq", &[
        "bitcoincash:3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC",
    ]),
    ("bitcoincash:qqq3728yw0y47sqn6l2na30mcw6zm78dzqre909m2r", &[
        "bitcoincash:16w1D5WRVKJuZUsSRzdLp9w3YGcgoxDXb",
    ]),
    // BSV kept Bitcoin's addresses.
    ("bitcoinsv:12sjrrhoFEsedNRhtgwvvRqjFTh8fZTDX9", &[]),
    ("bitcoingold:GPwg61XoHqQPNmAucFACuQ5H9sGCDv9TpS", &[]),
    // Litecoin's script hashes before and after 2017 (litecoin chainparams.cpp, SCRIPT_ADDRESS and
    // SCRIPT_ADDRESS2).
    ("litecoin:MTf4tP1TCNBn8dNkyxeBVoPrFCcVzxJvvh", &[
        "litecoin:3MSvaVbVFFLML86rt5eqgA9SvW23upaXdY",
        "bip122:12a765e31ffd4059bada1e25190f6e98:MTf4tP1TCNBn8dNkyxeBVoPrFCcVzxJvvh",
    ]),
    // BIP 173's key in Litecoin's form.
    ("litecoin:ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", &[
        "litecoin:LTC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KGMN4N9",
    ]),
    ("litecoin:LNf2JDiuunBz7GMDKFYHN4rq5meXWxiwfb", &[]),
    ("dogecoin:DFCT8ZPq6MytZU3HSvbTJevxt4MLq2Xasu", &[
        "bip122:1a91e3dace36e2be3bf030a65679fe82:DFCT8ZPq6MytZU3HSvbTJevxt4MLq2Xasu",
        "bip122:1a91e3dace36e2be3bf030a65679fe821:DFCT8ZPq6MytZU3HSvbTJevxt4MLq2Xasu",
    ]),
    ("dash:XnPFsRWTaSgiVauosEwQ6dEitGYXgwznz2", &[
        "bip122:00000ffd590b1485b3caadc19b22e637:XnPFsRWTaSgiVauosEwQ6dEitGYXgwznz2",
    ]),
    ("verge:DFFJhnQNZf8rf67tYnesPu7MuGUpYtzv7Z", &[]),
    // ZIP 320's example: transparent, and the same as a TEX address.
    ("zcash:t1VmmGiyjVNeCjxDZzg7vZmd99WyzVby9yC", &[
        "zcash:tex1s2rt77ggv6q989lr49rkgzmh5slsksa9khdgte",
        "zcash:TEX1S2RT77GGV6Q989LR49RKGZMH5SLSKSA9KHDGTE",
        "bip122:00040fe8ec8471911baa1db1266ea15d:t1VmmGiyjVNeCjxDZzg7vZmd99WyzVby9yC",
    ]),
    // librustzcash, zcash_address: transparent script, Sapling.
    ("zcash:t3JZcvsuaXE6ygokL4XUiZSTrQBUoPYFnXJ", &[]),
    ("zcash:zs1qqqqqqqqqqqqqqqqqqcguyvaw2vjk4sdyeg0lc970u659lvhqq7t0np6hlup5lusxle75c8v35z", &[]),
    // Tether's contract on Tron, in both of its API's forms.
    ("tron:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", &[
        "tron:41a614f803b6fd780986a42c78ec9c7f77e6ded13c",
        "tron:41A614F803B6FD780986A42C78EC9C7F77E6DED13C",
        "tron:728126428:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        "tron:0x2b6653dc:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
    ]),
    // XRPLF/xrpl.js, ripple-address-codec: without a tag, and with the highest.
    ("xrp:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf", &[
        "xrp:XVLhHMPHU98es4dbozjVtdWzVrDjtV5fdx1mHp98tDMoQXb",
        "xrpl:0:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf",
    ]),
    ("xrp:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf?dt=4294967295", &[
        "xrp:XVLhHMPHU98es4dbozjVtdWzVrDjtV18pX8yuPT7y4xaEHi",
        "xrp:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf:4294967295",
        "xrpl:0:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf?dt=4294967295",
    ]),
    // mrtnetwork/blockchain_utils, test/monero: an account, the same with a payment id, a subaddress.
    ("monero:49Xgwx3RfyV3ZMEVyrUNuUMzgQ1WHjkWL5T6Xk7QaTszggbtPbRPEkZQau9yACYEmUCHPNrU2MBdnJf4s4xLK5AyLDP5ucd", &[
        "monero:4KEMxkrvHF13ZMEVyrUNuUMzgQ1WHjkWL5T6Xk7QaTszggbtPbRPEkZQau9yACYEmUCHPNrU2MBdnJf4s4xLK5AyVTr66Q8LFefPwwfA1t",
        "monero:418015bb9ae982a1975da7d79277c270:49Xgwx3RfyV3ZMEVyrUNuUMzgQ1WHjkWL5T6Xk7QaTszggbtPbRPEkZQau9yACYEmUCHPNrU2MBdnJf4s4xLK5AyLDP5ucd",
    ]),
    ("monero:85cqdW5fHGvUQzGXzrRUHf6P6AJjJrYxa25v351wNJCrS3p1g8wL1gk35HjxyQGGJPY3SygtnFxKjHtVcA7rAM1JBHukQod", &[]),
];

#[rustfmt::skip] // a table
const REFUSED: &[(&str, AddressError)] = &[
    // One letter's case, one digit too few, no digit, nothing, EIP-55 of another address.
    ("evm:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", Checksum),
    ("evm:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae", Length),
    ("evm:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg", Characters),
    ("evm:0x0x5aaeb6053f3e94c9b9a09f33669435e7ef1bea", Characters),
    ("evm:", Length),
    ("evm:0x5aaeb6053f3e94c9b9a09f33669435e7ef1bea\u{e9}", Characters),
    ("eip155:01:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", UnknownChain),
    ("eip155:+1:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", UnknownChain),
    ("eip155:18446744073709551616:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", UnknownChain),
    ("eip155:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", UnknownChain),
    // BIP 173 and 350: mixed case, checksums, a wrong one for the version, test networks.
    ("bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3T4", Characters),
    ("bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", Checksum),
    ("bitcoin:bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", Checksum),
    ("bitcoin:BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", Length),
    ("bitcoin:tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", Characters),
    ("bitcoin:mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", Network),
    // A witness version to come, and the anchor that anybody can spend.
    ("bitcoin:BC1SW50QGDZ25J", Form),
    ("bitcoin:bc1pfeessrawgf", Form),
    ("bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7Divfna", Checksum),
    ("bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf0a", Characters),
    ("bitcoin:1", Length),
    // Another coin's.
    ("bitcoin:LNf2JDiuunBz7GMDKFYHN4rq5meXWxiwfb", Network),
    ("litecoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Network),
    ("dogecoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Network),
    // The CashAddr specification's negative vectors: cases, prefix, checksum.
    ("bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6A", Characters),
    ("bitcoincash:bchtest:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", Network),
    ("bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6q", Checksum),
    ("bitcoincash:bitcoincash:", Checksum),
    // The specification's vector of 40 bytes: no script pays it.
    ("bitcoincash:qh3krj5607v3qlqh5c3wq3lrw3wnuxw0sp8dv0zugrrt5a3kj6ucysfz8kxwv2k53krr7n933jfsunqex2w82sl", Form),
    // Made by this table's writers, with right checksums: a bit in what fills the last symbol, the
    // reserved bit, a key's hash of 32 bytes, one of 19.
    ("bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwdhfnr59fu", Characters),
    ("bitcoincash:spm2qsznhks23z7629mms6s4cwef74vcwv4glwxl5g", Form),
    ("bitcoincash:qdm2qsznhks23z7629mms6s4cwef74vcwdm2qsznhks23z7629mmskmc354r8", Form),
    ("bitcoincash:bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcuunm80ax", Length),
    ("zcash:u1l8xunezsvhq8fgzfl7404m450nwnd76zshe7f5dxv5z3w4gthawuwukdn5aalh6g", Form),
    ("zcash:tm9iMLAuYMzJ6jtFLcA7rzUmfreGuKvr7Ma", Network),
    ("zcash:zs1qqqqqqqqqqqqqqqqqqcguyvaw2vjk4sdyeg0lc970u659lvhqq7t0np6hlup5lusxle75c8v35q", Checksum),
    ("tron:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T", Checksum),
    ("tron:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Network),
    ("tron:41a614f803b6fd780986a42c78ec9c7f77e6ded13", Characters),
    // X-addresses of a test network, with a tag beside it, tags that are none.
    ("xrp:T7oKJ3q7s94kDH6tpkBowhetT1JKfcfdSCmAXbS75iATyLD", Network),
    ("xrp:XVLhHMPHU98es4dbozjVtdWzVrDjtV18pX8yuPT7y4xaEHi?dt=7", Tag),
    // Again with right checksums: a tag without its flag, one above 2^32, an unknown flag, cut off.
    ("xrp:XVLhHMPHU98es4dbozjVtdWzVrDjtV5EJLPAmWxCYeV7jDs", Tag),
    ("xrp:XVLhHMPHU98es4dbozjVtdWzVrDjtVonVciZTHnHPPPXKWZ", Tag),
    ("xrp:XVLhHMPHU98es4dbozjVtdWzVrDjtV1uguKB368ZUZ7LA2Y", Tag),
    ("xrp:nCNgcxdx2EaxvreVAqhCMyssY99i4fUxeg8Gjr3e7Z", Length),
    ("tron:6y92kJom31pAvJkPjBKN4aH39BM7RhvJ9", Length),
    ("xrp:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf?dt=4294967296", Tag),
    ("xrp:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf?dt=07", Tag),
    ("xrp:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf?dt=", Tag),
    ("xrp:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpF", Checksum),
    // Sixty-four hexadecimal digits stand in OFAC's list of Monero: a key, or a payment id.
    ("monero:5be5543ff73456ab9f2d207887e2af87322c651ea1a873c5b25b7ffae456c320", Characters),
    ("monero:49Xgwx3RfyV3ZMEVyrUNuUMzgQ1WHjkWL5T6Xk7QaTszggbtPbRPEkZQau9yACYEmUCHPNrU2MBdnJf4s4xLK5AyLDP5ucc", Checksum),
    ("monero:49Xgwx3RfyV3ZMEVyrUNuUMzgQ1WHjkWL5T6Xk7QaTszggbtPbRPEkZQau9yACYEmUCHPNrU2MBdnJf4s4xLK5AyL", Length),
    // A block of eleven characters above 2^64.
    ("monero:zzzzzzzzzzz", Characters),
    ("solana:So11111111111111111111111111111111111111112", UnknownChain),
    ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", UnknownChain),
    ("", UnknownChain),
];

#[test]
fn spellings_of_one_receiver_meet() {
    for (canonical, others) in SAME {
        let key: Key = canonical
            .parse()
            .unwrap_or_else(|e| panic!("{canonical}: {e}"));
        assert_eq!(key.to_string(), *canonical);
        for other in *others {
            let read = other.parse::<Key>();
            assert_eq!(read, Ok(key), "{other}");
        }
    }
}

#[test]
fn rows_of_the_table_are_different_receivers() {
    let keys = SAME
        .iter()
        .map(|(canonical, _)| canonical.parse::<Key>().unwrap());
    let keys: std::collections::BTreeSet<Key> = keys.collect();
    assert_eq!(keys.len(), SAME.len());
}

#[test]
fn what_cannot_be_read_is_refused() {
    for (text, why) in REFUSED {
        assert_eq!(text.parse::<Key>(), Err(*why), "{text}");
    }
    let long = format!("evm:0x{}", "5".repeat(300));
    assert_eq!(long.parse::<Key>(), Err(TooLong));
    assert_eq!(Key::read(Chain::Monero, &long), Err(TooLong));
}

/// No typing error of one character passes where there is a checksum.
#[test]
fn one_wrong_character_is_another_receiver_or_none() {
    for (canonical, _) in SAME.iter().filter(|(text, _)| !text.contains("0x")) {
        let key: Key = canonical.parse().unwrap();
        let address = canonical.split_once(':').unwrap().1;
        let address = address
            .split_once('?')
            .map_or(address, |(address, _)| address);
        for at in 0..address.len() {
            let wrong = if &address[at..=at] == "q" { "p" } else { "q" };
            let text = format!("{}{wrong}{}", &address[..at], &address[at + 1..]);
            let read = Key::read(key.shape().chain(), &text);
            assert!(read.is_err(), "{text} is read as {read:?}");
        }
    }
}

#[test]
fn a_narrow_key_is_covered_by_the_wide_one() {
    let wide: Key = "evm:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
        .parse()
        .unwrap();
    let narrow: Key = "eip155:61:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
        .parse()
        .unwrap();
    assert_eq!(wide.on_evm_chain(61), Some(narrow));
    assert_eq!(narrow.wider(), Some(wide));
    assert_eq!(wide.wider(), None);
    assert_eq!(narrow.on_evm_chain(61), None);
    let account: Key = "xrp:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf".parse().unwrap();
    let tagged: Key = "xrp:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf?dt=7"
        .parse()
        .unwrap();
    assert_eq!(account.with_tag(7), Some(tagged));
    assert_eq!(tagged.wider(), Some(account));
    assert_eq!(wide.with_tag(7), None);
    assert_eq!(account.on_evm_chain(1), None);
}

/// A payee as acts name it meets the list's spelling.
#[test]
fn a_payee_is_the_key_of_its_chain() {
    let text = "eip155:1:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
    let payee: portcullis_chains::Address = text.parse().unwrap();
    assert_eq!(Key::try_from(payee).unwrap().to_string(), text);
}
