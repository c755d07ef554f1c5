//! How `config` prints volumes and what a service mounts.

use serde_json::{Map, Value as Json, json};

use crate::project::{Mount, MountSource, Service, Volume};

use super::{put, put_filled, put_set};

/// Shows a volume of the project.
pub(super) fn volume(volume: &Volume) -> Json {
    let Volume { key: _, name, external, driver, driver_opts, labels } = volume;
    let mut shown = Map::new();
    shown.insert("name".to_owned(), json!(name));
    put_set(&mut shown, "external", *external);
    put(&mut shown, "driver", driver.as_ref());
    put_filled(&mut shown, "driver_opts", driver_opts, driver_opts.is_empty());
    put_filled(&mut shown, "labels", labels, labels.is_empty());
    Json::Object(shown)
}

/// Puts what a service mounts, memory in its short form apart.
pub(super) fn put_mounts(shown: &mut Map<String, Json>, service: &Service) {
    let (tmpfs, volumes): (Vec<&Mount>, Vec<&Mount>) = service
        .mounts
        .iter()
        .partition(|mount| matches!(&mount.source, MountSource::Tmpfs { options: Some(_), .. }));
    let volumes: Vec<Json> = volumes.into_iter().map(mount).collect();
    let tmpfs: Vec<Json> = tmpfs.into_iter().map(mount).collect();
    put_filled(shown, "volumes", &volumes, volumes.is_empty());
    put_filled(shown, "tmpfs", &tmpfs, tmpfs.is_empty());
}

fn mount(mount: &Mount) -> Json {
    let Mount { target, source, read_only } = mount;
    let mut shown = Map::new();
    let mut kind = |kind: &str| shown.insert("type".to_owned(), json!(kind));
    match source {
        MountSource::Volume { key, nocopy } => {
            kind("volume");
            shown.insert("source".to_owned(), json!(key));
            shown.insert("volume".to_owned(), if *nocopy { json!({ "nocopy": true }) } else { json!({}) });
        }
        MountSource::Anonymous => {
            kind("volume");
            shown.insert("volume".to_owned(), json!({}));
        }
        MountSource::Bind { path, create, propagation, selinux } => {
            kind("bind");
            shown.insert("source".to_owned(), json!(path.to_string_lossy()));
            let mut bind = Map::new();
            put_set(&mut bind, "create_host_path", *create);
            put(&mut bind, "propagation", propagation.as_ref());
            put(&mut bind, "selinux", selinux.map(String::from));
            put_filled(&mut shown, "bind", &bind, bind.is_empty());
        }
        MountSource::Tmpfs { options: Some(options), size: _, mode: _ } => {
            return if options.is_empty() { json!(target) } else { json!(format!("{target}:{options}")) };
        }
        MountSource::Tmpfs { size, mode, options: None } => {
            kind("tmpfs");
            let mut tmpfs = Map::new();
            put(&mut tmpfs, "size", size.map(|size| size.to_string()));
            put(&mut tmpfs, "mode", *mode);
            put_filled(&mut shown, "tmpfs", &tmpfs, tmpfs.is_empty());
        }
    }
    shown.insert("target".to_owned(), json!(target));
    put_set(&mut shown, "read_only", *read_only);
    Json::Object(shown)
}
