//! TOTP (RFC 6238) as the herald computes it and as authenticator apps do: a seed, and the digits of a step.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA512, Key, sign as hmac};
use core::fmt;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use zeroize::Zeroizing;

/// Fewest and most bytes of a secret. RFC 4226 wants 16; the commonest apps have made 10 for years, and
/// what is imported is what there is.
const MIN_SECRET: usize = 10;
const MAX_SECRET: usize = 64;
/// Most digits, and so the length of their field.
pub(crate) const MAX_DIGITS: usize = 8;

/// The hash of a seed's HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Algorithm {
    /// SHA-1, as nearly every app does it.
    #[n(0)]
    Sha1,
    /// SHA-256.
    #[n(1)]
    Sha256,
    /// SHA-512.
    #[n(2)]
    Sha512,
}

/// A TOTP secret with how digits are made of it, in steps of 30 seconds. Wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed {
    secret: Zeroizing<Vec<u8>>,
    algorithm: Algorithm,
    digits: u8,
}

/// Why there is no seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedFault {
    /// The secret's length.
    #[error("a TOTP secret has 10 to 64 bytes")]
    Length,
    /// The number of digits.
    #[error("a TOTP code has 6 to 8 digits")]
    Digits,
    /// The text of a secret.
    #[error("the secret is not base32 (RFC 4648) without spaces")]
    Base32,
    /// The URI.
    #[error("not an otpauth://totp/ URI with a secret, or with a period other than 30 s")]
    Uri,
}

impl Seed {
    /// A seed of these bytes.
    pub fn new(
        secret: Zeroizing<Vec<u8>>,
        algorithm: Algorithm,
        digits: u8,
    ) -> Result<Self, SeedFault> {
        if !(MIN_SECRET..=MAX_SECRET).contains(&secret.len()) {
            return Err(SeedFault::Length);
        }
        if !(6..=8).contains(&digits) {
            return Err(SeedFault::Digits);
        }
        Ok(Self {
            secret,
            algorithm,
            digits,
        })
    }

    /// A seed of a secret in base32, with or without padding, as apps and exports have it.
    pub fn of_base32(text: &str, algorithm: Algorithm, digits: u8) -> Result<Self, SeedFault> {
        Self::new(base32(text)?, algorithm, digits)
    }

    /// A seed as apps read it from a QR code: `otpauth://totp/LABEL?secret=…&algorithm=SHA1&digits=6&period=30`.
    pub fn of_uri(uri: &str) -> Result<Self, SeedFault> {
        let rest = uri.strip_prefix("otpauth://totp/").ok_or(SeedFault::Uri)?;
        let (_, query) = rest.split_once('?').ok_or(SeedFault::Uri)?;
        let of = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let mut values = pairs
                .filter(|(key, _)| *key == name)
                .map(|(_, value)| value);
            let first = values.next();
            // Of two that differ nobody could say which the app took.
            values.next().is_none().then_some(first).flatten()
        };
        if of("period").unwrap_or("30") != "30" {
            return Err(SeedFault::Uri);
        }
        let algorithm = algorithm(of("algorithm").unwrap_or("SHA1")).ok_or(SeedFault::Uri)?;
        let digits = of("digits").unwrap_or("6").parse();
        let digits = digits.map_err(|_| SeedFault::Digits)?;
        Self::of_base32(of("secret").ok_or(SeedFault::Uri)?, algorithm, digits)
    }

    /// The digits of a step (RFC 6238, section 4.2; RFC 4226, section 5.3).
    #[must_use]
    pub fn digits(&self, step: u32) -> Digits {
        let of = match self.algorithm {
            Algorithm::Sha1 => HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Algorithm::Sha256 => HMAC_SHA256,
            Algorithm::Sha512 => HMAC_SHA512,
        };
        let tag = hmac(&Key::new(of, &self.secret), &u64::from(step).to_be_bytes());
        let number = truncated(tag.as_ref());
        let mut text = Zeroizing::new([0; MAX_DIGITS]);
        let length = usize::from(self.digits);
        let mut left = number;
        for digit in text[..length].iter_mut().rev() {
            *digit = b'0' + u8::try_from(left % 10).unwrap_or(0);
            left /= 10;
        }
        Digits(text)
    }

    /// Whether these are the digits of a step. Takes as long whichever differ.
    #[must_use]
    pub fn is_of(&self, step: u32, digits: &Digits) -> bool {
        verify_slices_are_equal(&self.digits(step).0[..], &digits.0[..]).is_ok()
    }
}

/// Four bytes of the tag from where its last four bits point, without the top bit.
fn truncated(tag: &[u8]) -> u32 {
    let at = tag.last().map_or(0, |last| usize::from(last & 0x0f));
    let four = tag.get(at..).and_then(<[u8]>::first_chunk::<4>);
    u32::from_be_bytes(four.copied().unwrap_or_default()) & 0x7fff_ffff
}

/// The algorithm by the name that URIs have.
#[must_use]
pub fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "SHA1" => Some(Algorithm::Sha1),
        "SHA256" => Some(Algorithm::Sha256),
        "SHA512" => Some(Algorithm::Sha512),
        _ => None,
    }
}

fn base32(text: &str) -> Result<Zeroizing<Vec<u8>>, SeedFault> {
    let text = text.trim_end_matches('=');
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut bits, mut count) = (0_u32, 0_u32);
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a',
            b'2'..=b'7' => c - b'2' + 26,
            _ => return Err(SeedFault::Base32),
        };
        bits = (bits << 5) | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap_or(0));
            bits &= (1 << count) - 1;
        }
    }
    // What is left over is padding: fewer than five bits, all of them zero.
    if count >= 5 || bits != 0 {
        return Err(SeedFault::Base32);
    }
    Ok(bytes)
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// `{0: secret, 1: algorithm, 2: digits}`.
impl<C> Encode<C> for Seed {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.map(3)?.u8(0)?.bytes(&self.secret)?.u8(1)?;
        self.algorithm.encode(e, context)?;
        e.u8(2)?.u8(self.digits)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Seed {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        let wrong = || decode::Error::message("not a TOTP seed");
        if d.map()? != Some(3) || d.u8()? != 0 {
            return Err(wrong());
        }
        let secret = Zeroizing::new(d.bytes()?.to_vec());
        if d.u8()? != 1 {
            return Err(wrong());
        }
        let algorithm = Algorithm::decode(d, context)?;
        if d.u8()? != 2 {
            return Err(wrong());
        }
        Self::new(secret, algorithm, d.u8()?).map_err(|_| wrong())
    }
}

/// The digits of a code: six to eight of them, then zero bytes. Wiped when they are dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Digits(pub(crate) Zeroizing<[u8; MAX_DIGITS]>);

impl Digits {
    /// Digits as somebody types them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::of_field(text.as_bytes())
    }

    /// Six to eight digits, and behind them nothing, or zero bytes.
    pub(crate) fn of_field(bytes: &[u8]) -> Option<Self> {
        let length = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        let (digits, rest) = bytes.split_at_checked(length)?;
        let plain = digits.iter().all(u8::is_ascii_digit) && rest.iter().all(|b| *b == 0);
        let fits = (6..=MAX_DIGITS).contains(&length) && bytes.len() <= MAX_DIGITS;
        if !plain || !fits {
            return None;
        }
        let mut field = Zeroizing::new([0; MAX_DIGITS]);
        field[..length].copy_from_slice(digits);
        Some(Self(field))
    }

    /// As text, for whoever shows them to their owner.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let shown = self.0.iter().take_while(|b| **b != 0);
        Zeroizing::new(shown.map(|b| char::from(*b)).collect())
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digits(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, whole: the secrets are those of its reference implementation.
    #[rustfmt::skip] // a table
    const APPENDIX_B: [(u64, [&str; 3]); 6] = [
        (59,             ["94287082", "46119246", "90693936"]),
        (1_111_111_109,  ["07081804", "68084774", "25091201"]),
        (1_111_111_111,  ["14050471", "67062674", "99943326"]),
        (1_234_567_890,  ["89005924", "91819424", "93441116"]),
        (2_000_000_000,  ["69279037", "90698825", "38618901"]),
        (20_000_000_000, ["65353130", "77737706", "47863826"]),
    ];

    fn seed(algorithm: Algorithm, digits: u8) -> Seed {
        let length = match algorithm {
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        };
        let secret = b"1234567890".iter().copied().cycle().take(length);
        Seed::new(Zeroizing::new(secret.collect()), algorithm, digits).unwrap()
    }

    const ALL: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];

    #[test]
    fn every_vector_of_appendix_b_holds() {
        for (seconds, expected) in APPENDIX_B {
            let step = u32::try_from(seconds / 30).unwrap();
            for (algorithm, expected) in ALL.into_iter().zip(expected) {
                let seed = seed(algorithm, 8);
                assert_eq!(
                    *seed.digits(step).text(),
                    expected,
                    "{seconds} {algorithm:?}"
                );
                assert!(seed.is_of(step, &Digits::parse(expected).unwrap()));
                assert!(!seed.is_of(step + 1, &Digits::parse(expected).unwrap()));
            }
        }
    }

    #[test]
    fn fewer_digits_are_the_last_ones() {
        for (seconds, [sha1, ..]) in APPENDIX_B {
            let step = u32::try_from(seconds / 30).unwrap();
            for digits in [6, 7] {
                let shown = seed(Algorithm::Sha1, digits).digits(step).text();
                assert_eq!(*shown, sha1[8 - usize::from(digits)..]);
            }
        }
        // More or fewer digits than the seed's are another code.
        let step = u32::try_from(59 / 30).unwrap();
        let wrong = Digits::parse("94287082").unwrap();
        assert!(!seed(Algorithm::Sha1, 6).is_of(step, &wrong));
    }

    #[test]
    fn a_uri_is_read_as_apps_read_it() {
        let uri = "otpauth://totp/Bank:a%40b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Bank";
        assert_eq!(Seed::of_uri(uri), Ok(seed(Algorithm::Sha1, 6)));
        let full = format!("{uri}&algorithm=SHA1&digits=8&period=30");
        assert_eq!(Seed::of_uri(&full), Ok(seed(Algorithm::Sha1, 8)));
        let wrong = [
            ("&period=60", SeedFault::Uri),
            ("&digits=5", SeedFault::Digits),
            ("&digits=x", SeedFault::Digits),
            ("&algorithm=MD5", SeedFault::Uri),
            ("&secret=GEZDGNBVGY3TQOJQ", SeedFault::Uri),
        ];
        for (more, fault) in wrong {
            assert_eq!(Seed::of_uri(&format!("{uri}{more}")), Err(fault), "{more}");
        }
        assert_eq!(
            Seed::of_uri("otpauth://hotp/x?secret=GEZDGNBV"),
            Err(SeedFault::Uri)
        );
    }

    #[test]
    fn only_whole_secrets_are_seeds() {
        let of = |text| Seed::of_base32(text, Algorithm::Sha1, 6).map(|_| ());
        assert_eq!(of("GEZDGNBVGY3TQOJQ"), Ok(()));
        assert_eq!(of("gezdgnbvgy3tqojq===="), Ok(()));
        assert_eq!(of("GEZDGNBVGY3TQOJ"), Err(SeedFault::Base32));
        assert_eq!(of("GEZDGNBVGY3TQ"), Err(SeedFault::Length));
        assert_eq!(of("GEZDGNBV GY3TQOJQ"), Err(SeedFault::Base32));
        assert_eq!(of("GEZDGNBVGY3TQOJ1"), Err(SeedFault::Base32));
    }

    #[test]
    fn digits_are_six_to_eight_and_nothing_else() {
        for right in ["000000", "1234567", "12345678"] {
            assert_eq!(*Digits::parse(right).unwrap().text(), right);
        }
        for wrong in [
            "",
            "12345",
            "123456789",
            "12345a",
            "１２３４５６",
            "12 456",
            "123456\0\u{1}",
        ] {
            assert_eq!(Digits::parse(wrong), None, "{wrong:?}");
        }
        assert_eq!(
            format!("{:?}", Digits::parse("123456").unwrap()),
            "Digits(..)"
        );
        assert_eq!(format!("{:?}", seed(Algorithm::Sha1, 6)), "Seed(..)");
    }
}
