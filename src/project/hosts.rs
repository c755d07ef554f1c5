//! `extra_hosts:` in its list form, `name=address` or `name:address`, and what an address may be.

use std::net::IpAddr;

/// Reads one entry of the list form into name and address.
///
/// # Errors
/// Says in a few words what is wrong.
pub fn parse(text: &str) -> Result<(String, String), String> {
    let Some((name, given)) = text.split_once('=').or_else(|| text.split_once(':')) else {
        return Err(format!("`{text}` has no address; the form is `name=address`"));
    };
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    Ok((name.to_owned(), bare(given).to_owned()))
}

/// Takes the brackets of an IPv6 address away.
#[must_use]
pub fn bare(text: &str) -> &str {
    text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text)
}

/// Says why no engine takes a text for an address: it is neither an IP address nor `host-gateway`, which engines
/// replace by the address of their host. Compose itself takes any text.
#[must_use]
pub fn fault(address: &str) -> Option<String> {
    let good = address == "host-gateway" || address.parse::<IpAddr>().is_ok();
    (!good).then(|| format!("`{address}` is neither an IP address nor `host-gateway`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_separators_and_brackets_are_taken() {
        let pair = |name: &str, address: &str| Ok((name.to_owned(), address.to_owned()));
        assert_eq!(parse("h:1.2.3.4"), pair("h", "1.2.3.4"));
        assert_eq!(parse("i=::1"), pair("i", "::1"));
        assert_eq!(parse("i:[::1]"), pair("i", "::1"));
        assert_eq!(parse("gw=host-gateway"), pair("gw", "host-gateway"));
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(parse("h"), Err("`h` has no address; the form is `name=address`".to_owned()));
        assert_eq!(fault("1.2.3").as_deref(), Some("`1.2.3` is neither an IP address nor `host-gateway`"));
        assert_eq!(fault("host-gateway"), None);
        assert_eq!(parse("=1.2.3.4"), Err("the name is empty".to_owned()));
    }
}
