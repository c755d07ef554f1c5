//! Keys at the top of a manifest, and those of networks, volumes, secrets and configs.

use super::Form::{Boolean, Fields, Integer, Items, Names, Null, Number, Pairs, Scalars, Text, Texts};
use super::{Key, ignored, key, refused};

/// At the top.
pub(super) const TOP: &[Key] = &[
    ignored(
        "version",
        &[Text, Number],
        "the version of a manifest says nothing any more",
        "version of the language, once",
    ),
    key("name", &[Text], "the project's name; the directory's by default"),
    key("systemd", &[Boolean, Fields, Null], "defaults of `systemd:` for every service"),
    key("services", &[Names], "the machines and containers of the project"),
    key("services.*", &[Fields], "one service"),
    key("include", &[Items, Null], "further files, each with its own directory and variables"),
    key("include.[]", &[Text, Fields], "a file, or files that become one model before they are taken in"),
    key("include.[].path", &[Text, Texts], "the file; further ones are merged over it"),
    key(
        "include.[].project_directory",
        &[Text],
        "where relative paths start; the first file's directory otherwise",
    ),
    key("include.[].env_file", &[Text, Texts], "files of variables; the `.env` of the directory otherwise"),
];

/// Networks, volumes, secrets and configs.
pub(super) const RESOURCES: &[Key] = &[
    key("networks", &[Names, Null], "networks of the project"),
    key("networks.*", &[Fields, Null], "one network"),
    key("networks.*.name", &[Text], "its name in the engine"),
    key("networks.*.external", &[Boolean, Fields], "whether it belongs to somebody else"),
    key("networks.*.external.name", &[Text], "its name in the engine, in the older form"),
    key("networks.*.driver", &[Text], "its driver; the engine's default otherwise"),
    key("networks.*.driver_opts", &[Scalars], "options of the driver"),
    key("networks.*.internal", &[Boolean], "whether the outside cannot be reached"),
    key("networks.*.attachable", &[Boolean], "whether containers of others may join"),
    key("networks.*.enable_ipv6", &[Boolean], "whether there is IPv6"),
    key("networks.*.enable_ipv4", &[Boolean], "whether there is IPv4; Docker before 28 always has it"),
    key("networks.*.labels", &[Pairs], "labels"),
    key("networks.*.ipam", &[Fields], "addresses"),
    key("networks.*.ipam.driver", &[Text], "who gives addresses; the engine itself by default"),
    key("networks.*.ipam.config", &[Items], "address pools"),
    key("networks.*.ipam.config.[]", &[Fields], "one address pool"),
    key("networks.*.ipam.config.[].subnet", &[Text], "subnet, such as `10.1.0.0/16`"),
    key("networks.*.ipam.config.[].ip_range", &[Text], "part of the subnet to give out"),
    key("networks.*.ipam.config.[].gateway", &[Text], "the gateway's address"),
    key("networks.*.ipam.config.[].aux_addresses", &[Scalars], "addresses not to give out, by name"),
    key("networks.*.ipam.options", &[Scalars], "options of who gives addresses"),
    key("volumes", &[Names, Null], "named volumes of the project"),
    key("volumes.*", &[Fields, Null], "one volume"),
    key("volumes.*.name", &[Text], "its name in the engine"),
    key("volumes.*.external", &[Boolean, Fields], "whether it belongs to somebody else"),
    key("volumes.*.external.name", &[Text], "its name in the engine, in the older form"),
    key("volumes.*.driver", &[Text], "its driver; `local` otherwise"),
    key("volumes.*.driver_opts", &[Scalars], "options of the driver"),
    key("volumes.*.labels", &[Pairs], "labels"),
    key("secrets", &[Names], "files that only the services see which name them; values are never shown"),
    key("secrets.*", &[Fields], "one secret"),
    key("secrets.*.file", &[Text], "path of the file that holds it"),
    key("secrets.*.environment", &[Text], "name of the variable that holds it"),
    refused(
        "secrets.*.content",
        "give it by `file` or `environment`, so that the manifest holds no secret; or make it a config",
        "the secret itself",
    ),
    key("secrets.*.name", &[Text], "its name, for engines that keep secrets"),
    key("secrets.*.external", &[Boolean, Fields], "whether it belongs to somebody else; needs Swarm"),
    key("secrets.*.external.name", &[Text], "its name, in the older form"),
    key("secrets.*.labels", &[Pairs], "labels, which are only shown"),
    key("secrets.*.driver", &[Text], "its driver; needs Swarm"),
    key("secrets.*.driver_opts", &[Scalars], "options of the driver"),
    key("secrets.*.template_driver", &[Text], "what fills a template in; needs Swarm"),
    key("configs", &[Names], "files that only the services see which name them"),
    key("configs.*", &[Fields], "one config"),
    key("configs.*.file", &[Text], "path of the file that holds it"),
    key("configs.*.environment", &[Text], "name of the variable that holds it"),
    key("configs.*.content", &[Text], "the config itself"),
    key("configs.*.name", &[Text], "its name, for engines that keep configs"),
    key("configs.*.external", &[Boolean, Fields], "whether it belongs to somebody else; needs Swarm"),
    key("configs.*.external.name", &[Text], "its name, in the older form"),
    key("configs.*.labels", &[Pairs], "labels, which are only shown"),
    key("configs.*.template_driver", &[Text], "what fills a template in; needs Swarm"),
];

/// Below `networks:` of a service, and what else is long enough to stand apart.
pub(super) const ATTACHMENT: &[Key] = &[
    key("aliases", &[super::Form::Texts], "further names of the service on this network"),
    key("ipv4_address", &[Text], "a fixed IPv4 address"),
    key("ipv6_address", &[Text], "a fixed IPv6 address"),
    key("mac_address", &[Text], "a fixed MAC address"),
    key("priority", &[Integer], "networks are joined with the highest first"),
    key("gw_priority", &[Integer], "the network with the highest has the default route; Docker 28"),
    key("interface_name", &[Text], "name of the interface inside; Docker 28"),
    key("link_local_ips", &[super::Form::Texts], "link-local addresses"),
    key("driver_opts", &[Scalars], "options of the driver for this service"),
];
