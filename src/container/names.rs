//! Names and identities that are derived, never stored: of containers, of those set aside by a replacement,
//! of notify directories, of machines.

use sha2::{Digest, Sha256};

use crate::project::{Identity, Project, Service};

/// Returns the name of a service's replica: `<project>-<service>-<index>` unless the manifest fixes it.
#[must_use]
pub fn container(project: &Project, service: &Service, index: u32) -> String {
    match &service.container_name {
        Some(name) => name.clone(),
        None => format!("{}-{}-{index}", project.name, service.name),
    }
}

/// Returns the host name of a machine that the manifest gives none: the service's name, with the index where
/// there are several. systemd refuses `_` in host names (hostname(5)); Linux allows 64 characters.
#[must_use]
pub fn hostname(service: &Service, index: u32) -> String {
    let name = service.name.replace('_', "-");
    let name = if service.replicas > 1 { format!("{name}-{index}") } else { name };
    name.chars().take(64).collect()
}

/// Returns the name of a container without the mark of a replacement that set it aside
/// (`<name>.old-<8 hex digits>`); `None` where it has no such mark.
#[must_use]
pub fn set_aside(name: &str) -> Option<&str> {
    let (base, mark) = name.rsplit_once(".old-")?;
    let hex = mark.len() == 8 && mark.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (hex && !base.is_empty()).then_some(base)
}

/// Returns the directory that holds a container's notify socket: short enough for the 107 bytes of a unix
/// socket's path (unix(7)), whatever the container's name.
#[must_use]
pub fn notify_dir(root: &str, container: &str) -> String {
    format!("{}/{}", root.trim_end_matches('/'), &hex(container.as_bytes())[..16])
}

/// Returns the `container_uuid` of a machine: 32 hexadecimal digits that become its machine-id where the
/// image's is empty (systemd `docs/CONTAINER_INTERFACE.md`). Derived from project, service and replica, so
/// that it survives a replacement and no two replicas share one.
#[must_use]
pub fn identity(project: &Project, service: &Service, index: u32, identity: &Identity) -> Option<String> {
    match identity {
        Identity::Image => None,
        Identity::Fixed(id) => Some(id.clone()),
        Identity::Derived => {
            let words = format!("{}\n{}\n{index}", project.name, service.name);
            Some(uuid4(&hex(words.as_bytes())))
        }
    }
}

/// Sets version and variant of a random UUID, as machine-id(5) wants for new ids.
fn uuid4(hex: &str) -> String {
    let variant = match hex.as_bytes().get(16) {
        Some(b'0' | b'4' | b'8' | b'c') => '8',
        Some(b'1' | b'5' | b'9' | b'd') => '9',
        Some(b'2' | b'6' | b'a' | b'e') => 'a',
        Some(_) | None => 'b',
    };
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    format!("{}4{}{variant}{}", part(0..12), part(13..16), part(17..32))
}

/// Returns the SHA-256 of some bytes as 64 hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_mark_of_a_replacement_counts_as_set_aside() {
        assert_eq!(set_aside("shop-db-1.old-0123abcd"), Some("shop-db-1"));
        assert_eq!(set_aside("shop-db-1.old-0123abc"), None);
        assert_eq!(set_aside("shop-db-1.old-0123ABCD"), None);
        assert_eq!(set_aside(".old-0123abcd"), None);
        assert_eq!(set_aside("shop-db-1"), None);
    }

    #[test]
    fn a_notify_directory_is_short_and_its_own() {
        let long = "x".repeat(200);
        assert_eq!(notify_dir("/s/", "shop-db-1").len(), "/s/".len() + 16);
        assert_eq!(notify_dir("/s", &long).len(), "/s/".len() + 16);
        assert_ne!(notify_dir("/s", "shop-db-1"), notify_dir("/s", "shop-db-2"));
    }

    #[test]
    fn a_derived_identity_is_a_version_4_uuid() {
        let id = uuid4(&hex(b"shop\nweb\n1"));
        assert_eq!(id.len(), 32);
        assert_eq!(&id[12..13], "4");
        assert!("89ab".contains(&id[16..17]));
    }
}
