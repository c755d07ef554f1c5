//! Networks in the words of the engine. Pure.

use std::collections::HashMap;

use bollard::models::{EndpointIpamConfig, EndpointSettings, NetworkingConfig};
use serde_json::{Value, json};

use crate::container::{JoinSpec, NetworkSpec, NetworkSpecChoice};
use crate::project::{Ipam, IpamPool};

use super::{hashed, some};

/// The mode and the first network of a container.
pub(super) fn choice(choice: &NetworkSpecChoice) -> (Option<String>, Option<NetworkingConfig>) {
    match choice {
        NetworkSpecChoice::Mode(mode) => (Some(mode.clone()), None),
        NetworkSpecChoice::Join(joins) => match joins.first() {
            // Without a word the engine would join its default network.
            None => (Some("none".to_owned()), None),
            Some(first) => {
                let endpoints = HashMap::from([(first.network.clone(), endpoint(first))]);
                let config = NetworkingConfig { endpoints_config: Some(endpoints) };
                (Some(first.network.clone()), Some(config))
            }
        },
    }
}

/// How a container joins a network, at creation or later.
pub(in crate::engine::docker) fn endpoint(join: &JoinSpec) -> EndpointSettings {
    let JoinSpec {
        network: _,
        aliases,
        ipv4_address,
        ipv6_address,
        mac_address,
        link_local_ips,
        driver_opts,
        gw_priority,
        links,
    } = join;
    let fixed = ipv4_address.is_some() || ipv6_address.is_some() || !link_local_ips.is_empty();
    EndpointSettings {
        aliases: some(aliases.clone()),
        links: some(links.clone()),
        mac_address: mac_address.clone(),
        driver_opts: (!driver_opts.is_empty()).then(|| hashed(driver_opts)),
        gw_priority: Some(*gw_priority).filter(|priority| *priority != 0),
        ipam_config: fixed.then(|| EndpointIpamConfig {
            ipv4_address: ipv4_address.clone(),
            ipv6_address: ipv6_address.clone(),
            link_local_ips: some(link_local_ips.clone()),
        }),
        ..EndpointSettings::default()
    }
}

/// The body of `POST /networks/create`. `CheckDuplicate`, which bollard has no word for, keeps Docker before 25
/// from making a second network of the same name (measured on 20.10).
pub(in crate::engine::docker) fn create(spec: &NetworkSpec) -> Value {
    let NetworkSpec {
        name,
        driver,
        driver_opts,
        internal,
        attachable,
        enable_ipv4,
        enable_ipv6,
        ipam,
        labels,
    } = spec;
    let mut request = json!({
        "Name": name,
        "CheckDuplicate": true,
        "Internal": internal,
        "Attachable": attachable,
        "EnableIPv6": enable_ipv6.unwrap_or(false),
        "Options": driver_opts,
        "Labels": labels,
        "Driver": driver.as_deref().unwrap_or("bridge"),
    });
    if let Some(on) = enable_ipv4 {
        request["EnableIPv4"] = json!(on);
    }
    if *ipam != Ipam::default() {
        request["IPAM"] = addresses(ipam);
    }
    request
}

fn addresses(ipam: &Ipam) -> Value {
    let Ipam { driver, options, pools } = ipam;
    let mut body = json!({ "Config": pools.iter().map(pool).collect::<Vec<_>>() });
    if let Some(driver) = driver {
        body["Driver"] = json!(driver);
    }
    if !options.is_empty() {
        body["Options"] = json!(options);
    }
    body
}

fn pool(pool: &IpamPool) -> Value {
    let IpamPool { subnet, ip_range, gateway, aux_addresses } = pool;
    let mut body = json!({});
    for (key, value) in [("Subnet", subnet), ("IPRange", ip_range), ("Gateway", gateway)] {
        if let Some(value) = value {
            body[key] = json!(value);
        }
    }
    if !aux_addresses.is_empty() {
        body["AuxiliaryAddresses"] = json!(aux_addresses);
    }
    body
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tests::plain;
    use super::super::{create as container, typed};
    use super::*;
    use crate::container::ContainerSpec;

    #[test]
    fn only_the_first_network_is_joined_at_creation_and_a_fixed_mac_is_said_twice() {
        let join = |network: &str| JoinSpec {
            network: network.into(),
            aliases: vec!["db".into()],
            ipv4_address: Some("10.0.0.2".into()),
            ipv6_address: None,
            mac_address: Some("02:00:00:00:00:01".into()),
            ..JoinSpec::default()
        };
        let spec = ContainerSpec { network: NetworkSpecChoice::Join(vec![join("a"), join("b")]), ..plain() };
        let body = container(&spec).unwrap();
        assert_eq!(body["HostConfig"]["NetworkMode"], "a");
        assert_eq!(body["MacAddress"], "02:00:00:00:00:01");
        assert_eq!(
            body["NetworkingConfig"].to_string(),
            r#"{"EndpointsConfig":{"a":{"Aliases":["db"],"IPAMConfig":{"IPv4Address":"10.0.0.2"},"MacAddress":"02:00:00:00:00:01"}}}"#
        );
        let alone = typed(&ContainerSpec { network: NetworkSpecChoice::Join(Vec::new()), ..plain() });
        assert_eq!(alone.host_config.unwrap().network_mode.as_deref(), Some("none"));
    }

    #[test]
    fn what_a_join_asks_of_its_network_is_said_in_the_engines_words() {
        let join = JoinSpec {
            network: "a".into(),
            link_local_ips: vec!["169.254.1.2".into()],
            driver_opts: BTreeMap::from([("com.docker.network.endpoint.ifname".into(), "lan0".into())]),
            gw_priority: 7,
            ..JoinSpec::default()
        };
        assert_eq!(
            serde_json::to_value(endpoint(&join)).unwrap().to_string(),
            r#"{"DriverOpts":{"com.docker.network.endpoint.ifname":"lan0"},"GwPriority":7,"IPAMConfig":{"LinkLocalIPs":["169.254.1.2"]}}"#
        );
    }

    #[test]
    fn a_network_says_only_what_was_decided() {
        let spec = |ipam, enable_ipv4| NetworkSpec {
            name: "n".into(),
            driver: None,
            driver_opts: BTreeMap::new(),
            internal: false,
            attachable: true,
            enable_ipv4,
            enable_ipv6: None,
            ipam,
            labels: BTreeMap::new(),
        };
        let bare = create(&spec(Ipam::default(), None));
        assert_eq!((bare.get("IPAM"), bare.get("EnableIPv4")), (None, None));
        assert_eq!((&bare["EnableIPv6"], &bare["Attachable"]), (&json!(false), &json!(true)));
        let pool = IpamPool {
            subnet: Some("10.1.0.0/16".into()),
            aux_addresses: BTreeMap::from([("router".into(), "10.1.0.9".into())]),
            ..IpamPool::default()
        };
        let options = BTreeMap::from([("k".into(), "v".into())]);
        let ipam = Ipam { driver: Some("x".into()), options, pools: vec![pool] };
        let whole = create(&spec(ipam, Some(false)));
        assert_eq!(whole["EnableIPv4"], false);
        assert_eq!(
            whole["IPAM"].to_string(),
            r#"{"Config":[{"AuxiliaryAddresses":{"router":"10.1.0.9"},"Subnet":"10.1.0.0/16"}],"Driver":"x","Options":{"k":"v"}}"#
        );
    }
}
