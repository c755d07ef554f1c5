//! Combinations that would give a machine more of the host than it says.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic};
use crate::project::{Feature, Privilege, ProfileName, capability};
use crate::yaml::{Node, Value};

use super::super::reader::Reader;
use super::super::service::place;
use super::Layers;

/// Keys that give a machine the host by another way than its capabilities.
fn warn_of_host(r: &mut Reader<'_>, service: &Node) {
    let is_on =
        |node: &Node| matches!(&node.value, Value::Scalar { text, .. } if text.eq_ignore_ascii_case("true"));
    if service.get("use_api_socket").is_some_and(is_on) {
        r.push(
            Diagnostic::warning(
                "`use_api_socket` gives the machine the whole host",
                place(service, "use_api_socket"),
            )
            .help("whoever speaks to the engine can start a container with every privilege"),
        );
    }
    let opens = |item: &&Node| matches!(&item.value, Value::Scalar { text, .. } if &**text == "systempaths=unconfined");
    if let Some(Node { value: Value::Sequence(items), .. }) = service.get("security_opt")
        && let Some(item) = items.iter().find(opens)
    {
        r.push(
            Diagnostic::warning(
                "`systempaths=unconfined` gives the machine the kernel's own files in /proc and /sys",
                item.span,
            )
            .help("take it away: systemd boots without it"),
        );
    }
}

/// `CAP_SYS_ADMIN` in the host's cgroup namespace gives a container every cgroup of the host: it can mount the
/// whole tree anew (measured on cgroup v1 and v2). Where the profile is left to `auto`, planning sees to it.
pub(super) fn refuse_unsafe(
    r: &mut Reader<'_>,
    service: &Node,
    privilege: Privilege,
    features: &BTreeSet<Feature>,
    layers: &Layers<'_>,
) {
    let shares_cgroups = match privilege {
        Privilege::Fixed(
            ProfileName::OwnSubtree | ProfileName::OwnSubtreeV1 | ProfileName::UnifiedOnHybrid,
        ) => true,
        Privilege::Auto
        | Privilege::Fixed(
            ProfileName::Podman
            | ProfileName::WritableCgroups
            | ProfileName::Remapped
            | ProfileName::Remount
            | ProfileName::Privileged
            | ProfileName::Classic,
        ) => false,
    };
    if shares_cgroups {
        let mut reasons = Vec::new();
        if let Some(caps) = service.get("cap_add")
            && let Value::Sequence(items) = &caps.value
        {
            reasons.extend(
                items
                    .iter()
                    .filter(|item| match &item.value {
                        Value::Scalar { text, .. } => {
                            matches!(capability::canonical(text).as_str(), "SYS_ADMIN" | "ALL")
                        }
                        Value::Null | Value::Sequence(_) | Value::Mapping(_) => false,
                    })
                    .map(|item| item.span),
            );
        }
        let needs_admin = features.iter().any(|feature| match feature {
            Feature::Sandboxing | Feature::Nfs | Feature::Fuse => true,
            Feature::Time => false,
        });
        if needs_admin {
            reasons.push(layers.place("features"));
        }
        for span in reasons {
            r.push(
                Diagnostic::error("this would give the machine every cgroup of the host", span)
                    .coded(Code::HostAccess)
                    .marked("needs SYS_ADMIN")
                    .also(layers.place("privilege"), "shares the host's cgroup namespace")
                    .help("take `systemd.privilege` away, so that a profile with a namespace of its own is found"),
            );
        }
    }
    warn_of_host(r, service);
    let asked = service.get("privileged").is_some_and(
        |node| matches!(&node.value, Value::Scalar { text, .. } if text.eq_ignore_ascii_case("true")),
    );
    if asked && privilege != Privilege::Fixed(ProfileName::Privileged) {
        r.push(
            Diagnostic::warning(
                "`privileged: true` gives the machine the whole host, and no machine needs it to boot",
                place(service, "privileged"),
            )
            .coded(Code::HostAccess)
            .help("take it away, or say what is needed under `systemd.features`")
            .help("`systemd.privilege: privileged` says that it is meant"),
        );
    }
}
