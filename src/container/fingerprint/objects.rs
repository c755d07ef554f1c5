//! The fingerprints of networks and volumes: what their definitions say.

use std::fmt::Write as _;

use crate::project::{Ipam, IpamPool, Network, Volume};

use super::Fingerprint;

/// Makes the fingerprint of a network's definition.
#[must_use]
pub fn of_network(network: &Network) -> Fingerprint {
    let Network {
        key: _,
        name: _,
        external: _,
        driver,
        driver_opts,
        internal,
        attachable,
        enable_ipv4,
        enable_ipv6,
        ipam,
        labels,
    } = network;
    let mut print = Fingerprint::default();
    print.plain_some("driver", driver.as_ref());
    print.put_list("driver_opts", driver_opts.iter().map(|(key, value)| format!("{key}={value}")));
    print.plain_if("internal", *internal);
    print.plain_if("attachable", *attachable);
    // What the engine does by itself leaves no trace.
    print.plain("enable_ipv4", if *enable_ipv4 == Some(false) { "false" } else { "" });
    print.plain_if("enable_ipv6", *enable_ipv6 == Some(true));
    let Ipam { driver, options, pools } = ipam;
    print.put_list("ipam", pools.iter().map(pool));
    print.plain_some("ipam.driver", driver.as_ref());
    print.put_list("ipam.options", options.iter().map(|(key, value)| format!("{key}={value}")));
    print.put_list("labels", labels.iter().map(|(key, value)| format!("{key}={value}")));
    print
}

fn pool(pool: &IpamPool) -> String {
    let IpamPool { subnet, ip_range, gateway, aux_addresses } = pool;
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut text = format!("{} {} {}", part(subnet), part(ip_range), part(gateway));
    for (name, address) in aux_addresses {
        let _ = write!(text, " {name}={address}");
    }
    text
}

/// Makes the fingerprint of a volume's definition.
#[must_use]
pub fn of_volume(volume: &Volume) -> Fingerprint {
    let Volume { key: _, name: _, external: _, driver, driver_opts, labels } = volume;
    let mut print = Fingerprint::default();
    print.plain_some("driver", driver.as_ref());
    print.put_list("driver_opts", driver_opts.iter().map(|(key, value)| format!("{key}={value}")));
    print.put_list("labels", labels.iter().map(|(key, value)| format!("{key}={value}")));
    print
}
