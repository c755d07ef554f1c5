//! What a service or a network asks of its engine beyond the oldest one that is supported: refused before
//! anything is touched, since an engine leaves out in silence what it does not know.

use crate::facts::{ApiVersion, Facts};
use crate::project::{MountSource, Network, NetworkChoice, Recursive, Service, VolumeOptions};
use crate::refusal::Refusal;

/// The API of the first Docker release that has something, from moby `docs/api/version-history.md`.
#[derive(Debug, Clone, Copy)]
struct Since {
    minor: u16,
    docker: &'static str,
}

/// Annotations for the OCI runtime.
const ANNOTATIONS: Since = Since { minor: 43, docker: "24.0" };
/// Devices by the names of the Container Device Interface (moby `daemon/cdi.go`).
const CDI: Since = Since { minor: 44, docker: "25.0" };
/// Mounts below a path that stay writable, or must not.
const READ_ONLY_RECURSION: Since = Since { minor: 44, docker: "25.0" };
/// A directory of a volume.
const VOLUME_SUBPATH: Since = Since { minor: 45, docker: "26.0" };
/// Mounted images, networks without IPv4, the default route by number, names of interfaces.
const DOCKER_28: Since = Since { minor: 48, docker: "28.0" };

/// One thing that is asked for.
struct Wanted {
    /// The words of the manifest.
    what: String,
    since: Since,
    way_out: &'static str,
}

/// Says what a service asks for and its engine does not have.
#[must_use]
pub fn of_service(service: &Service, facts: &Facts) -> Vec<Refusal> {
    let wanted = service.mounts.iter().flat_map(|entry| of_mount(&entry.source, &entry.target));
    wanted
        .chain(of_joins(&service.network))
        .chain(of_settings(service))
        .filter_map(|wanted| refused(wanted, facts))
        .map(|refusal| Refusal { service: Some(service.name.clone()), ..refusal })
        .collect()
}

/// Says what a network asks for and its engine does not have.
#[must_use]
pub fn of_network(network: &Network, facts: &Facts) -> Option<Refusal> {
    // Older engines give IPv4 to every network.
    let wanted = (network.enable_ipv4 == Some(false)).then(|| Wanted {
        what: format!("`enable_ipv4: false` of the network `{}`", network.key),
        since: DOCKER_28,
        way_out: "take it away: the network then has IPv4 too",
    });
    wanted.and_then(|wanted| refused(wanted, facts))
}

fn of_mount(source: &MountSource, target: &str) -> Vec<Wanted> {
    let one = |what: String, since, way_out| vec![Wanted { what, since, way_out }];
    match source {
        MountSource::Volume { key: _, options } | MountSource::Anonymous(options) => {
            of_volume(options, target).into_iter().collect()
        }
        MountSource::Bind { recursive: Some(word @ (Recursive::Writable | Recursive::ReadOnly)), .. } => one(
            format!("`bind.recursive: {}` of {target}", word.as_str()),
            READ_ONLY_RECURSION,
            "take it away, or bind the path without what is mounted below it: `recursive: disabled`",
        ),
        MountSource::Bind { .. }
        | MountSource::Tmpfs { .. }
        // No engine for Linux containers has them, which stops the run before.
        | MountSource::NamedPipe(_)
        | MountSource::Cluster(_) => Vec::new(),
        MountSource::Image { .. } => one(
            format!("the mounted image at {target}"),
            DOCKER_28,
            "copy the files into the service's own image by `COPY --from`",
        ),
    }
}

fn of_volume(options: &VolumeOptions, target: &str) -> Option<Wanted> {
    options.subpath.as_ref()?;
    Some(Wanted {
        what: format!("`volume.subpath` of {target}"),
        since: VOLUME_SUBPATH,
        way_out: "mount the whole volume, or make a volume of its own for the directory",
    })
}

fn of_joins(choice: &NetworkChoice) -> Vec<Wanted> {
    let NetworkChoice::Join(joined) = choice else { return Vec::new() };
    let since = DOCKER_28;
    let mut wanted = Vec::new();
    for (key, how) in joined {
        if how.gw_priority != 0 {
            let what = format!("`gw_priority` on the network `{key}`");
            let way_out = "take it away: older engines choose the default route by the networks' names";
            wanted.push(Wanted { what, since, way_out });
        }
        if how.interface_name.is_some() {
            let what = format!("`interface_name` on the network `{key}`");
            wanted.push(Wanted {
                what,
                since,
                way_out: "take it away: older engines name interfaces eth0, eth1 …",
            });
        }
    }
    wanted
}

fn of_settings(service: &Service) -> impl Iterator<Item = Wanted> {
    let annotations = service.annotations.keys().next().map(|name| Wanted {
        what: format!("the annotation `{name}`"),
        since: ANNOTATIONS,
        way_out: "use `labels` where no OCI runtime reads it",
    });
    let cdi = service.devices.iter().find(|device| device.is_cdi()).map(|device| Wanted {
        what: format!("the CDI device `{}`", device.source),
        since: CDI,
        way_out: "give the device by its path, such as /dev/dri",
    });
    annotations.into_iter().chain(cdi)
}

fn refused(wanted: Wanted, facts: &Facts) -> Option<Refusal> {
    let Wanted { what, since: Since { minor, docker }, way_out } = wanted;
    let Facts { engine, version, api, .. } = facts;
    let text = format!(
        "{what} needs Docker {docker} (API 1.{minor}); this engine is {engine} {version} (API {api})"
    );
    (*api < ApiVersion { major: 1, minor }).then(|| Refusal::project(text).help(way_out))
}

#[cfg(test)]
mod tests {
    use crate::container::sketch;
    use crate::project::{Attachment, Mount};

    use super::*;

    fn docker(minor: u16) -> Facts {
        Facts { api: ApiVersion { major: 1, minor }, version: "20.10.24".into(), ..sketch::facts() }
    }

    fn mounting(source: MountSource) -> Service {
        let mut service = Service::plain("web", "x");
        service.mounts.push(Mount { target: "/m".into(), source, read_only: false, consistency: None });
        service
    }

    fn told(service: &Service, minor: u16) -> Vec<String> {
        of_service(service, &docker(minor)).into_iter().map(|refusal| refusal.what).collect()
    }

    #[test]
    fn what_a_newer_engine_has_is_refused_by_name_on_an_older_one() {
        let part = VolumeOptions { subpath: Some("a".into()), ..VolumeOptions::default() };
        let subpath = mounting(MountSource::Volume { key: "v".into(), options: part });
        assert_eq!(
            told(&subpath, 41),
            [
                "`volume.subpath` of /m needs Docker 26.0 (API 1.45); this engine is Docker 20.10.24 (API 1.41)"
            ]
        );
        assert!(told(&subpath, 45).is_empty());
        let image = mounting(MountSource::Image { reference: "x".into(), subpath: None });
        assert!(told(&image, 47)[0].starts_with("the mounted image at /m needs Docker 28.0"));
        assert!(told(&image, 48).is_empty());
    }

    #[test]
    fn joins_of_newer_engines_are_refused_each_by_its_key() {
        let mut service = Service::plain("web", "x");
        let how = Attachment { gw_priority: 1, interface_name: Some("lan0".into()), ..Attachment::default() };
        service.network = NetworkChoice::Join([("back".to_owned(), how)].into());
        let found = of_service(&service, &docker(41));
        assert_eq!(found.len(), 2);
        assert!(found[0].what.starts_with("`gw_priority` on the network `back` needs Docker 28.0"));
        assert_eq!(found[0].service.as_deref(), Some("web"));
        assert!(found[1].what.starts_with("`interface_name`"));
        assert!(told(&service, 48).is_empty());
    }

    #[test]
    fn a_network_without_ipv4_needs_a_newer_engine_and_one_with_it_none() {
        let network = |on| Network { enable_ipv4: Some(on), ..Network::plain("n", "n".into()) };
        assert!(of_network(&network(false), &docker(41)).is_some());
        assert!(of_network(&network(false), &docker(48)).is_none());
        assert!(of_network(&network(true), &docker(41)).is_none());
    }
}
