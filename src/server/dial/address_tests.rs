use super::*;
use AddressClass::{
    CarrierGradeNat, LinkLocal, Loopback, Metadata, Multicast, Private, Public, Reserved, UniqueLocal, Unspecified,
};
use proptest::prelude::*;

/// Edges of every network from both sides, and every way an IPv6 address can carry an IPv4 one.
const CORPUS: &[(AddressClass, &str)] = &[
    (Public, "1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0"),
    (Public, "169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0"),
    (Public, "192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255"),
    (Public, "203.0.114.0 223.255.255.255 168.63.129.15 93.184.216.34"),
    (
        Public,
        "2000:: 2001:200:: 2606:4700:4700::1111 2a00:1450:4001:80b::200e 3ffe::1 3fff:1000:: 2001:db7::1 2001:db9::1",
    ),
    (Public, "::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1 ::8.8.8.8"),
    (Loopback, "127.0.0.1 127.0.0.0 127.255.255.255 127.1.2.3 ::1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::127.0.0.1"),
    (Loopback, "64:ff9b::127.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: 2002:7f00:1::1 2002:7fff:ffff:1:2:3:4:5"),
    (Private, "10.0.0.0 10.255.255.255 10.1.2.3 172.16.0.0 172.31.255.255 172.20.10.1 192.168.0.0 192.168.255.255"),
    (Private, "::ffff:10.0.0.1 ::ffff:192.168.1.1 ::10.0.0.1 ::172.16.0.1 64:ff9b::10.0.0.1 64:ff9b::c0a8:101"),
    (Private, "2002:a00:1::1 2002:c0a8:101::1 2002:ac10:1::1"),
    (LinkLocal, "169.254.0.0 169.254.169.254 169.254.170.2 169.254.255.255 fe80:: fe80::1 febf:ffff::1"),
    (LinkLocal, "::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::169.254.169.254 64:ff9b::169.254.169.254 2002:a9fe:a9fe::1"),
    (Metadata, "100.100.100.200 192.0.0.192 168.63.129.16 fd00:ec2::254 fd20:ce::254 ::ffff:100.100.100.200"),
    (Metadata, "64:ff9b::100.100.100.200 2002:6464:64c8::1"),
    (CarrierGradeNat, "100.64.0.0 100.64.0.1 100.127.255.255 ::ffff:100.64.0.1 64:ff9b::100.64.0.1 2002:6440:1::"),
    (UniqueLocal, "fc00:: fc00::1 fd00::1 fdff:ffff:ffff::1 fd12:3456:789a:1::1 fd00:ec2::253"),
    (Multicast, "224.0.0.0 224.0.0.1 239.255.255.255 ff00:: ff02::1 ffff::1 ::ffff:224.0.0.1 64:ff9b::224.0.0.1"),
    (Unspecified, "0.0.0.0 :: ::ffff:0.0.0.0 64:ff9b:: 64:ff9b::0.0.0.0 2002::1"),
    (Reserved, "0.0.0.1 0.255.255.255 192.0.0.0 192.0.0.8 192.0.0.255 192.0.2.0 192.0.2.255 192.88.99.0 192.88.99.255"),
    (Reserved, "198.18.0.0 198.19.255.255 198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255 240.0.0.0"),
    (Reserved, "255.255.255.255 ::ffff:255.255.255.255 64:ff9b::192.0.2.1 2002:cb00:7101::1 64:ff9b:1::7f00:1"),
    (Reserved, "64:ff9b:1::10.0.0.1 64:ff9b:1:7f00:0:100:: 2001::1 2001:0:7f00:1::1 2001:0:808:808:0:0:80ff:fffe"),
    (Reserved, "2001:2::1 2001:10::1 2001:20::1 2001:1ff::1 2001:db8::1 3fff::1 3fff:fff::1 100::1 5f00::1 fec0::1"),
    (Reserved, "feff::1 4000::1 1fff::1 ::2 ::ffff:0:7f00:1 64:ff9b:0:1::7f00:1"),
];

#[test]
fn every_address_of_the_corpus_is_judged() {
    let mut count = 0;
    for (class, addresses) in CORPUS {
        for text in addresses.split_whitespace() {
            let ip: IpAddr = text.parse().expect(text);
            assert_eq!(judge(ip), *class, "{text}");
            count += 1;
        }
    }
    assert!(count > 150, "{count} addresses");
}

proptest! {
    #[test]
    fn an_ipv4_address_is_judged_alike_in_every_disguise(bits in any::<u32>()) {
        let v4 = Ipv4Addr::from(bits);
        let (high, low) = ((bits >> 16) as u16, (bits & 0xffff) as u16);
        let expected = judge(IpAddr::V4(v4));
        prop_assert_eq!(judge(IpAddr::V6(v4.to_ipv6_mapped())), expected);
        prop_assert_eq!(judge(IpAddr::V6(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low))), expected);
        prop_assert_eq!(judge(IpAddr::V6(Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1))), expected);
    }

    #[test]
    fn nothing_outside_the_assigned_space_is_public(bits in any::<u128>()) {
        let ip = Ipv6Addr::from(bits);
        if judge(IpAddr::V6(ip)) == Public && effective(IpAddr::V6(ip)).is_ipv6() {
            prop_assert_eq!(ip.segments()[0] >> 13, 1);
        }
    }
}
