//! What a service or a network asks of its engine beyond the oldest one that is supported: refused before
//! anything is touched, since an engine leaves out in silence what it does not know.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::facts::{ApiVersion, Facts};
use crate::project::{MountSource, Network, NetworkChoice, Recursive, Service, VolumeOptions, mount};
use crate::refusal::Refusal;

/// The API of the first Docker release that has something, from moby `docs/api/version-history.md`.
#[derive(Debug, Clone, Copy)]
struct Since {
    minor: u16,
    docker: &'static str,
}

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
    /// `None` where no engine for Linux containers has it.
    since: Option<Since>,
    way_out: &'static str,
}

/// Says what a service asks for and its engine does not have.
#[must_use]
pub fn of_service(service: &Service, facts: &Facts) -> Vec<Refusal> {
    let wanted = service.mounts.iter().flat_map(|entry| {
        let target = mount::clean(&entry.target);
        of_mount(&entry.source, &target)
    });
    wanted
        .chain(of_joins(&service.network))
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
        since: Some(DOCKER_28),
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
            Some(READ_ONLY_RECURSION),
            "take it away, or bind the path without what is mounted below it: `recursive: disabled`",
        ),
        MountSource::Bind { .. } | MountSource::Tmpfs { .. } => Vec::new(),
        MountSource::Image { .. } => one(
            format!("the mounted image at {target}"),
            Some(DOCKER_28),
            "copy the files into the service's own image by `COPY --from`",
        ),
        MountSource::NamedPipe(_) => one(
            format!("the named pipe of Windows at {target}"),
            None,
            "take it away; on Linux, a socket is bound by `type: bind`",
        ),
        MountSource::Cluster(_) => one(
            format!("the cluster volume at {target}"),
            None,
            "Swarm alone mounts cluster volumes; use `type: volume`, with a `driver` where it is remote",
        ),
    }
}

fn of_volume(options: &VolumeOptions, target: &str) -> Option<Wanted> {
    options.subpath.as_ref()?;
    Some(match options.selinux {
        Some(label) => Wanted {
            what: format!("`{label}` beside `volume.subpath` of {target}"),
            since: None,
            way_out: "the engine labels whole volumes only; take one of them away",
        },
        None => Wanted {
            what: format!("`volume.subpath` of {target}"),
            since: Some(VOLUME_SUBPATH),
            way_out: "mount the whole volume, or make a volume of its own for the directory",
        },
    })
}

fn of_joins(choice: &NetworkChoice) -> Vec<Wanted> {
    let NetworkChoice::Join(joined) = choice else { return Vec::new() };
    let since = Some(DOCKER_28);
    let mut wanted = Vec::new();
    for (key, how) in joined {
        wanted.extend(of_address(key, how.ipv4_address.as_deref(), "IPv4", IpAddr::is_ipv4));
        wanted.extend(of_address(key, how.ipv6_address.as_deref(), "IPv6", IpAddr::is_ipv6));
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

/// What no engine takes for an address.
fn of_address(key: &str, address: Option<&str>, family: &str, is: fn(&IpAddr) -> bool) -> Option<Wanted> {
    let address = address.filter(|text| !text.parse::<IpAddr>().is_ok_and(|address| is(&address)))?;
    Some(Wanted {
        what: format!("`{address}` on the network `{key}`, which is not an {family} address,"),
        since: None,
        way_out: "give the address alone, without a length of its prefix, or take it away",
    })
}

fn refused(wanted: Wanted, facts: &Facts) -> Option<Refusal> {
    let Wanted { what, since, way_out } = wanted;
    let mut text = what;
    match since {
        None => text.push_str(" cannot be had"),
        Some(Since { minor, docker }) => {
            if facts.api >= (ApiVersion { major: 1, minor }) {
                return None;
            }
            let _ = write!(
                text,
                " needs Docker {docker} (API 1.{minor}); this engine is {} {} (API {})",
                facts.engine, facts.version, facts.api
            );
        }
    }
    Some(Refusal::project(text).help(way_out))
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
        service.mounts.push(Mount { target: "/m/".into(), source, read_only: false, consistency: None });
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
    fn what_is_for_windows_or_swarm_is_refused_on_every_engine() {
        for source in [MountSource::NamedPipe(None), MountSource::Cluster(Some("v".into()))] {
            assert!(told(&mounting(source), 51)[0].ends_with(" cannot be had"));
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        let mut service = Service::plain("web", "x");
        let how = Attachment { ipv4_address: Some("10.1.0.2/24".into()), ..Attachment::default() };
        service.network = NetworkChoice::Join([("back".to_owned(), how)].into());
        assert_eq!(
            told(&service, 48),
            ["`10.1.0.2/24` on the network `back`, which is not an IPv4 address, cannot be had"]
        );
    }

    #[test]
    fn a_network_without_ipv4_needs_a_newer_engine_and_one_with_it_none() {
        let network = |on| Network { enable_ipv4: Some(on), ..Network::plain("n", "n".into()) };
        assert!(of_network(&network(false), &docker(41)).is_some());
        assert!(of_network(&network(false), &docker(48)).is_none());
        assert!(of_network(&network(true), &docker(41)).is_none());
    }
}
