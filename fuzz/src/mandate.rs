//! Mandates, as a wallet service gets them from whoever brings them.

use portcullis_mandate::{Mandate, Signed};

/// What is read is written as it was, and so is the text that was signed.
pub(crate) fn signed(bytes: &[u8]) -> bool {
    let Ok(signed) = Signed::from_bytes(bytes) else {
        return false;
    };
    assert_eq!(signed.to_bytes(), bytes);
    let text = signed.mandate.to_string();
    assert!(bytes.starts_with(text.as_bytes()));
    assert_eq!(text.parse::<Mandate>(), Ok(signed.mandate));
    true
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let head = format!(
        "portcullis/mandate/v1\nnetwork {}\nwallet {}\nnumber 17\nact {}\n",
        "11".repeat(32),
        "22".repeat(16),
        "33".repeat(32)
    );
    let pays =
        "expires 1795860000000\namount 1500000\nasset xrpl:0/slip44:144\nto xrpl:0:r?dt=17\n";
    let signature = format!("signature {}\n", "44".repeat(64));
    let texts = [
        format!("{head}{pays}{signature}"),
        format!("{head}void\n{signature}"),
    ];
    texts.map(String::into_bytes).to_vec()
}
