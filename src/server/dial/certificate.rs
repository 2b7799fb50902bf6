//! Reads from a certificate what the TLS library checks but does not tell: when it ends.

use time::{Date, Month, PrimitiveDateTime, Time};

use crate::domain::time::{SECOND, Timestamp};
use crate::server::ber::element;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The tag of `version [0] EXPLICIT`, which version 1 certificates leave out.
const VERSION: u8 = 0xa0;

/// `notAfter` of a DER certificate (RFC 5280, 4.1); `None` where it cannot be read.
pub fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate, _) = element(der)?;
    let (SEQUENCE, mut to_be_signed, _) = element(certificate)? else { return None };
    if to_be_signed.first() == Some(&VERSION) {
        (_, _, to_be_signed) = element(to_be_signed)?;
    }
    let (_, _, after_serial) = element(to_be_signed)?;
    let (_, _, after_signature) = element(after_serial)?;
    let (_, _, after_issuer) = element(after_signature)?;
    let (SEQUENCE, validity, _) = element(after_issuer)? else { return None };
    let (_, _, after_not_before) = element(validity)?;
    let (tag, text, _) = element(after_not_before)?;
    moment(tag, std::str::from_utf8(text).ok()?)
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`; two digits of a year below 50 mean this century (RFC 5280, 4.1.2.5).
fn moment(tag: u8, text: &str) -> Option<Timestamp> {
    let number = |at: usize, length: usize| text.get(at..at + length)?.parse::<u8>().ok();
    let (year, at) = match tag {
        UTC_TIME => (number(0, 2).map(|year| i32::from(year) + if year < 50 { 2000 } else { 1900 })?, 2),
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, 4),
        _ => return None,
    };
    let month = Month::try_from(number(at, 2)?).ok()?;
    let date = Date::from_calendar_date(year, month, number(at + 2, 2)?).ok()?;
    let time = Time::from_hms(number(at + 4, 2)?, number(at + 6, 2)?, number(at + 8, 2)?).ok()?;
    Some(Timestamp(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp() * SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_spellings_of_a_moment_are_read() {
        let expected = Some("2026-11-22T14:28:22Z".to_owned());
        assert_eq!(moment(UTC_TIME, "261122142822Z").map(Timestamp::to_rfc3339), expected);
        assert_eq!(moment(GENERALIZED_TIME, "20261122142822Z").map(Timestamp::to_rfc3339), expected);
        assert_eq!(moment(UTC_TIME, "261322142822Z"), None);
    }

    #[test]
    fn the_end_of_a_real_certificate_is_read() {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut parameters = rcgen::CertificateParams::new(["a.example".to_owned()]).expect("parameters");
        parameters.not_after = rcgen::date_time_ymd(2031, 2, 3);
        let certificate = parameters.self_signed(&key).expect("a certificate");
        let read = not_after(certificate.der()).map(Timestamp::to_rfc3339);
        assert_eq!(read.as_deref(), Some("2031-02-03T00:00:00Z"));
    }

    proptest! {
        #[test]
        fn garbage_is_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = not_after(&bytes);
        }
    }
}
