//! How `config` prints volumes and what a service mounts.

use serde_json::{Map, Value as Json, json};

use crate::project::{CreateHostPath, Mount, MountSource, Recursive, Service, Volume, VolumeOptions};

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
    let Mount { target, source, read_only, consistency } = mount;
    let mut shown = Map::new();
    let mut kind = |kind: &str| shown.insert("type".to_owned(), json!(kind));
    match source {
        MountSource::Volume { key, options } => {
            kind("volume");
            shown.insert("source".to_owned(), json!(key));
            put_volume_options(&mut shown, options);
        }
        MountSource::Anonymous(options) => {
            kind("volume");
            put_volume_options(&mut shown, options);
        }
        MountSource::Bind { path, create, propagation, selinux, recursive } => {
            kind("bind");
            shown.insert("source".to_owned(), json!(path.to_string_lossy()));
            let mut bind = Map::new();
            match create {
                CreateHostPath::Implied => {}
                CreateHostPath::Yes => put(&mut bind, "create_host_path", Some(true)),
                CreateHostPath::No => put(&mut bind, "create_host_path", Some(false)),
            }
            put(&mut bind, "propagation", propagation.as_ref());
            put(&mut bind, "selinux", selinux.map(String::from));
            put(&mut bind, "recursive", recursive.map(Recursive::as_str));
            put_filled(&mut shown, "bind", &bind, bind.is_empty());
        }
        MountSource::Tmpfs { options: Some(options), size: _, mode: _ } => {
            return if options.is_empty() { json!(target) } else { json!(format!("{target}:{options}")) };
        }
        MountSource::Tmpfs { size, mode, options: None } => {
            kind("tmpfs");
            let mut tmpfs = Map::new();
            put(&mut tmpfs, "size", size.filter(|size| *size > 0).map(|size| size.to_string()));
            put(&mut tmpfs, "mode", mode.filter(|mode| *mode > 0));
            put_filled(&mut shown, "tmpfs", &tmpfs, tmpfs.is_empty());
        }
        MountSource::Image { reference, subpath } => {
            kind("image");
            put(&mut shown, "source", Some(reference).filter(|reference| !reference.is_empty()));
            if let Some(subpath) = subpath {
                shown.insert("image".to_owned(), json!({ "subpath": subpath }));
            }
        }
        MountSource::NamedPipe(source) => {
            kind("npipe");
            put(&mut shown, "source", source.as_ref());
        }
        MountSource::Cluster(source) => {
            kind("cluster");
            put(&mut shown, "source", source.as_ref());
        }
    }
    shown.insert("target".to_owned(), json!(target));
    put(&mut shown, "consistency", consistency.as_ref());
    put_set(&mut shown, "read_only", *read_only);
    Json::Object(shown)
}

/// `z` and `Z` stand below `bind` for a volume too, as Compose has them.
fn put_volume_options(shown: &mut Map<String, Json>, options: &VolumeOptions) {
    let VolumeOptions { nocopy, subpath, labels, selinux, propagation } = options;
    let mut volume = Map::new();
    put_set(&mut volume, "nocopy", *nocopy);
    put(&mut volume, "subpath", subpath.as_ref());
    put_filled(&mut volume, "labels", labels, labels.is_empty());
    shown.insert("volume".to_owned(), Json::Object(volume));
    let mut bind = Map::new();
    put(&mut bind, "selinux", selinux.map(String::from));
    put(&mut bind, "propagation", propagation.as_ref());
    put_filled(shown, "bind", &bind, bind.is_empty());
}
