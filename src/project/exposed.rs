//! `expose:` in the engine's terms, which knows single ports only.

/// Returns the ports that an entry of `expose` means, as `PORT/PROTOCOL`; `None` where it is none.
#[must_use]
pub fn ports(text: &str) -> Option<Vec<String>> {
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return None;
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
    (first > 0 && first <= last).then(|| (first..=last).map(|port| format!("{port}/{protocol}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_port_or_a_range() {
        assert_eq!(ports("80").unwrap(), ["80/tcp"]);
        assert_eq!(ports("53/UDP").unwrap(), ["53/udp"]);
        assert_eq!(ports("8000-8002/udp").unwrap(), ["8000/udp", "8001/udp", "8002/udp"]);
        for wrong in ["", "x", "0", "80/foo", "9-8", "70000", "1-2-3"] {
            assert_eq!(ports(wrong), None, "{wrong}");
        }
    }
}
