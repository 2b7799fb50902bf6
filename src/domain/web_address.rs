//! Addresses of services over HTTP, as people type them.

/// Ports of protocols that are not HTTP, in ascending order: the bad ports of the Fetch standard, which browsers refuse
/// (<https://fetch.spec.whatwg.org/#port-blocking>), and those of databases and brokers. What is sent there is not
/// understood as a request, and may be taken for a command.
const OTHER_PROTOCOLS: [u16; 91] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 1883, 2049, 3306,
    3389, 3659, 4045, 4190, 5060, 5061, 5432, 5671, 5672, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
];
const MORE_PROTOCOLS: [u16; 4] = [8883, 10080, 11211, 27017];

/// Whether a port is known for another protocol than HTTP, so that no request is sent there.
#[must_use]
pub fn is_of_another_protocol(port: u16) -> bool {
    OTHER_PROTOCOLS.binary_search(&port).is_ok() || MORE_PROTOCOLS.contains(&port)
}

/// Checks an absolute address; `http://` is taken where `plain_http` says so.
///
/// # Errors
/// One sentence that names the rule and the remedy.
pub fn check(value: &str, plain_http: bool) -> Result<(), String> {
    let rest = match (value.strip_prefix("https://"), value.strip_prefix("http://")) {
        (Some(rest), _) => rest,
        (None, Some(rest)) if plain_http => rest,
        _ if plain_http => return Err("The address begins with https:// or http://.".to_owned()),
        _ => return Err("The address begins with https://.".to_owned()),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("Give user and password in their own fields, not in the address.".to_owned());
    }
    if authority.is_empty() || rest.contains(char::is_whitespace) || rest.contains('\\') {
        return Err("This is not a complete address, such as https://api.example.com/v1.".to_owned());
    }
    match port(authority) {
        Some(port) if is_of_another_protocol(port) => {
            Err(format!("Port {port} is another protocol's than HTTP. Give the port of the HTTP service."))
        }
        _ => Ok(()),
    }
}

/// The port of `host:port`, where one stands; an IPv6 address stands in brackets.
fn port(authority: &str) -> Option<u16> {
    authority.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_halves_of_addresses_are_refused() {
        assert_eq!(check("https://api.acme.example/v1", false), Ok(()));
        for bad in ["api.acme.example", "ftp://x", "https://u:p@x", "https://", "https://a b", "https://x\\@y"] {
            assert!(check(bad, true).is_err(), "{bad}");
        }
    }

    #[test]
    fn http_is_for_components_that_say_so() {
        assert_eq!(check("http://10.0.0.7:9000", true), Ok(()));
        let refused = check("http://10.0.0.7:9000", false).expect_err("a rule");
        assert_eq!(refused, "The address begins with https://.");
    }

    #[test]
    fn no_request_goes_to_a_port_of_another_protocol() {
        for bad in ["https://x:22", "http://x:25/v1", "https://[::1]:3306", "https://x:0025?y", "https://x:27017#z"] {
            assert!(check(bad, true).is_err_and(|why| why.contains("another protocol")), "{bad}");
        }
        for good in ["https://x:8443", "http://x:80", "https://[fd00::25]", "https://x/a:25", "http://[::1]:9200"] {
            assert_eq!(check(good, true), Ok(()), "{good}");
        }
    }

    #[test]
    fn the_list_can_be_searched() {
        assert!(OTHER_PROTOCOLS.is_sorted());
    }
}
