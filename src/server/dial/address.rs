//! Judges IP addresses by the IANA special-purpose registries (RFC 6890 and its updates). Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address lies. Everything but [`AddressClass::Public`] is denied unless the operator says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressClass {
    Public,
    Loopback,
    /// RFC 1918.
    Private,
    /// RFC 4193: IPv6's private networks.
    UniqueLocal,
    /// RFC 3927, RFC 4291: where clouds keep their metadata services. Denied always.
    LinkLocal,
    /// A cloud's metadata service outside the link-local networks. Denied always.
    Metadata,
    /// RFC 6598.
    CarrierGradeNat,
    Multicast,
    Unspecified,
    /// Documentation, benchmarking, future use, deprecated transition mechanisms, and whatever is not assigned.
    Reserved,
}

impl AddressClass {
    /// The class in an operator's words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::UniqueLocal => "unique-local",
            Self::LinkLocal => "link-local",
            Self::Metadata => "cloud metadata",
            Self::CarrierGradeNat => "carrier-grade NAT",
            Self::Multicast => "multicast",
            Self::Unspecified => "unspecified",
            Self::Reserved => "reserved",
        }
    }
}

/// The class of an address; one that carries an IPv4 address (mapped, compatible, NAT64, 6to4) is judged by that.
#[must_use]
pub fn judge(ip: IpAddr) -> AddressClass {
    match effective(ip) {
        IpAddr::V4(v4) => judge_v4(v4),
        IpAddr::V6(v6) => judge_v6(v6),
    }
}

/// The address that packets to `ip` end up at: the IPv4 address it carries, or itself.
#[must_use]
pub fn effective(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => carried(v6).map_or(IpAddr::V6(v6), IpAddr::V4),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The IPv4 address inside an IPv6 one: `::a.b.c.d` (RFC 4291, 2.5.5.1), `64:ff9b::/96` (RFC 6052), `2002::/16` (RFC 3056).
fn carried(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.segments() {
        // `::` and `::1` are addresses of their own.
        [0, 0, 0, 0, 0, 0, 0, _] => None,
        [0, 0, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(from_halves(high, low))
        }
        _ => None,
    }
}

const fn from_halves(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

/// <https://www.iana.org/assignments/iana-ipv4-special-registry>, and the clouds' own documentation for metadata.
const fn judge_v4(ip: Ipv4Addr) -> AddressClass {
    match ip.octets() {
        [0, 0, 0, 0] => AddressClass::Unspecified,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressClass::Private,
        [127, ..] => AddressClass::Loopback,
        [169, 254, ..] => AddressClass::LinkLocal,
        // Alibaba Cloud, Oracle Cloud, Azure.
        [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16] => AddressClass::Metadata,
        [100, 64..=127, ..] => AddressClass::CarrierGradeNat,
        [224..=239, ..] => AddressClass::Multicast,
        [0 | 240..=255, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => AddressClass::Reserved,
        _ => AddressClass::Public,
    }
}

/// <https://www.iana.org/assignments/iana-ipv6-special-registry>. Only `2000::/3` is assigned to the public at all.
const fn judge_v6(ip: Ipv6Addr) -> AddressClass {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressClass::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressClass::Loopback,
        // Amazon, Google.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => AddressClass::Metadata,
        [0xfe80..=0xfebf, ..] => AddressClass::LinkLocal,
        [0xfc00..=0xfdff, ..] => AddressClass::UniqueLocal,
        [0xff00..=0xffff, ..] => AddressClass::Multicast,
        // IETF protocols with Teredo, documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => AddressClass::Reserved,
        [0x2000..=0x3fff, ..] => AddressClass::Public,
        _ => AddressClass::Reserved,
    }
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
