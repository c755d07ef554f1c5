//! Devices of the host: `devices:` in its short form, `source[:target[:permissions]]`, what `gpus` and
//! `deploy` ask for, and names of resource limits.

use std::collections::BTreeMap;

/// A host device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Path on the host, or a CDI name.
    pub source: String,
    /// Path inside.
    pub target: String,
    /// `rwm` or a part of it.
    pub permissions: String,
}

impl Device {
    /// Whether it is the qualified name of a CDI device, `VENDOR/CLASS=NAME`, on both sides (CDI specification,
    /// "Kinds"). A path begins with `/`.
    #[must_use]
    pub fn is_cdi(&self) -> bool {
        let word = |text: &str| text.starts_with(|first: char| first.is_ascii_alphanumeric());
        let parts = self.source.split_once('=').and_then(|(kind, name)| Some((kind.split_once('/')?, name)));
        self.source == self.target
            && parts.is_some_and(|((vendor, class), name)| word(vendor) && word(class) && word(name))
    }
}

/// All that a container may do with devices, beside single ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hardware {
    /// `gpus:`.
    pub gpus: Vec<DeviceRequest>,
    /// `deploy.resources.reservations.devices`.
    pub reserved: Vec<DeviceRequest>,
    /// `device_cgroup_rules:`, such as `c 1:3 rwm`, as written.
    pub cgroup_rules: Vec<String>,
}

/// Devices that a driver of the engine chooses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceRequest {
    /// The driver, such as `nvidia`; `None` takes the first that has the capabilities.
    pub driver: Option<String>,
    /// How many; -1 is all. `None` where they are named.
    pub count: Option<i64>,
    /// Names of devices, in the driver's terms.
    pub ids: Vec<String>,
    /// What the devices must be able to do, all of it.
    pub capabilities: Vec<String>,
    /// Options of the driver.
    pub options: BTreeMap<String, String>,
}

/// Reads one entry of the short form.
///
/// # Errors
/// Says in a few words what is wrong.
pub fn parse(text: &str) -> Result<Device, String> {
    let parts: Vec<&str> = text.split(':').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err("a part between the colons is empty".to_owned());
    }
    let (source, target, given) = match parts.as_slice() {
        [source] => (*source, *source, "rwm"),
        [source, second] if permissions(second).is_ok() => (*source, *source, *second),
        [source, target] => (*source, *target, "rwm"),
        [source, target, given] => (*source, *target, *given),
        _ => return Err("it has too many colons; the form is `source:target:permissions`".to_owned()),
    };
    permissions(given)?;
    Ok(Device { source: source.to_owned(), target: target.to_owned(), permissions: given.to_owned() })
}

/// Checks the permissions of a device: some of `r`, `w` and `m` (mknod).
///
/// # Errors
/// Says what they consist of.
pub fn permissions(text: &str) -> Result<(), String> {
    let good = !text.is_empty() && text.len() <= 3 && text.chars().all(|c| "rwm".contains(c));
    if good { Ok(()) } else { Err(format!("`{text}` is no permission; it consists of r, w and m")) }
}

/// The names of resource limits that engines know (docker/go-units, `ulimit.go`).
pub const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        parse(text).map_or_else(
            |why| why,
            |Device { source, target, permissions }| format!("{source} at {target} {permissions}"),
        )
    }

    #[test]
    fn short_forms_are_read() {
        assert_eq!(shown("/dev/x"), "/dev/x at /dev/x rwm");
        assert_eq!(shown("/dev/y:/dev/z:r"), "/dev/y at /dev/z r");
        assert_eq!(shown("/dev/y:/dev/z"), "/dev/y at /dev/z rwm");
        assert_eq!(shown("/dev/y:rw"), "/dev/y at /dev/y rw");
        assert_eq!(shown("vendor.com/gpu=all"), "vendor.com/gpu=all at vendor.com/gpu=all rwm");
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(shown("/dev/y:/dev/z:x"), "`x` is no permission; it consists of r, w and m");
        assert_eq!(shown(":/dev/z"), "a part between the colons is empty");
        assert_eq!(shown("a:b:r:c"), "it has too many colons; the form is `source:target:permissions`");
    }
}
