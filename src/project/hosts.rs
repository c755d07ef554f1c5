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
    Ok((name.to_owned(), address(given)?))
}

/// Checks an address: an IP address, brackets taken away, or `host-gateway`, which engines replace by the
/// address of their host.
///
/// # Errors
/// Says that it is none.
pub fn address(text: &str) -> Result<String, String> {
    if text == "host-gateway" {
        return Ok(text.to_owned());
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    match bare.parse::<IpAddr>() {
        Ok(_) => Ok(bare.to_owned()),
        Err(_) => Err(format!("`{text}` is neither an IP address nor `host-gateway`")),
    }
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
        assert_eq!(parse("h=1.2.3"), Err("`1.2.3` is neither an IP address nor `host-gateway`".to_owned()));
        assert_eq!(parse("=1.2.3.4"), Err("the name is empty".to_owned()));
    }
}
