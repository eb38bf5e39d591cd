//! A platform's own withdrawals, in whatever state its export left them.

use portcullis_shadow::{Form, Mapping, Read};

pub(crate) fn csv(bytes: &[u8]) -> bool {
    rows(Form::Csv, bytes)
}

pub(crate) fn json(bytes: &[u8]) -> bool {
    rows(Form::JsonLines, bytes)
}

/// The mapping is somebody's file, too.
pub(crate) fn mapping(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok_and(|text| Mapping::parse(text).is_ok())
}

/// Whatever the file says, reading ends, rows ascend, and none outlives a fault of the file.
fn rows(form: Form, bytes: &[u8]) -> bool {
    let mapping = Mapping::parse("").expect("one's usual names");
    let (mut last, mut accepted, mut is_over) = (0, false, false);
    for row in Read::new(form, bytes, &mapping, 1) {
        assert!(!is_over, "something follows a fault of the file");
        match row {
            Ok(row) => {
                assert!(row.number > last);
                (last, accepted) = (row.number, true);
            }
            Err(fault) => is_over = fault.is_of_the_file(),
        }
    }
    accepted
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    const CSV: &str = "time,account,asset,amount,to,factor,status\n\
        2026-11-28T10:00:00+09:00,a,ETH,1.5,0x1,totp,completed\n1795860000,b,BTC,\"0,5\",x,none,\n";
    const JSON: &str = "{\"time\":1795860000000,\"account\":\"a\",\"asset\":\"ETH\",\"amount\":\"1.5\",\"to\":\"0x1\"}\n";
    const MAPPING: &str =
        "time_zone = \"Asia/Tokyo\"\n[columns]\ntime = \"created_at\"\n[base_units]\nETH = 18\n";
    [CSV, JSON, MAPPING]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}
