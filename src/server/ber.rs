//! The encoding of certificates and of LDAP (X.690, 8.1): elements of a tag, a length and contents.
//! Tags of one byte and definite lengths, which is all that both use (RFC 4511, 5.1).

/// The first element: its tag, its contents, and what follows it.
#[must_use]
pub fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (length, rest) = length(rest)?;
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((tag, contents, rest))
}

/// The length that stands at the beginning, and what follows it.
#[must_use]
pub fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    (bytes.len() <= 4).then(|| (bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)), rest))
}

/// An element of these contents.
#[must_use]
pub fn encoded(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u32::try_from(contents.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut element = match length {
        [0, 0, 0, short @ ..0x80] => vec![tag, short],
        [a, b, c, d] => vec![tag, 0x84, a, b, c, d],
    };
    element.extend_from_slice(contents);
    element
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(tag in any::<u8>(), contents in proptest::collection::vec(any::<u8>(), 0..300), after in any::<u8>()) {
            let mut bytes = encoded(tag, &contents);
            bytes.push(after);
            prop_assert_eq!(element(&bytes), Some((tag, contents.as_slice(), &[after][..])));
        }

        #[test]
        fn a_damaged_length_is_read_without_harm(tag in any::<u8>(), lengths in proptest::collection::vec(0x7e_u8..0x86, 1..20)) {
            let _ = element(&[&[tag], lengths.as_slice()].concat());
        }
    }
}
