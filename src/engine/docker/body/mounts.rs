//! Mounts in the two forms of the engine's create call. Pure.

use bollard::models::{
    Mount, MountBindOptions, MountBindOptionsPropagationEnum, MountImageOptions, MountType,
    MountVolumeOptions,
};

use crate::container::{ContainerSpec, MountSpec, MountSpecSource};
use crate::project::{Recursive, VolumeOptions};

use super::{NOTIFY_TARGET, hashed};

/// Splits mounts into the two forms of the API. Only the old one can make a missing source before API 1.42, and
/// only it relabels; only the new one takes a path with a colon, refuses a missing source, and has the rest.
pub(super) fn of(spec: &ContainerSpec) -> (Vec<String>, Vec<Mount>) {
    let mut binds: Vec<String> =
        spec.notify_dir.iter().map(|directory| format!("{directory}:{NOTIFY_TARGET}:ro")).collect();
    let mut mounts = Vec::new();
    for mount in &spec.mounts {
        match short(mount) {
            Some(bind) => binds.push(bind),
            None => mounts.push(long(mount)),
        }
    }
    (binds, mounts)
}

/// The old form of a mount, where that is the one to take.
fn short(mount: &MountSpec) -> Option<String> {
    let MountSpec { target, source, read_only } = mount;
    let (source, selinux, further) = match source {
        MountSpecSource::Bind { path, create, propagation, selinux, recursive } => {
            let plain = matches!(recursive, None | Some(Recursive::Enabled));
            let fits = (*create || selinux.is_some()) && plain && !path.contains(':');
            (fits.then_some(path)?, *selinux, propagation.clone())
        }
        MountSpecSource::Volume { name, options } => {
            let VolumeOptions { nocopy, subpath, labels: _, selinux, propagation: _ } = options;
            let fits = selinux.is_some() && subpath.is_none();
            (fits.then_some(name)?, *selinux, nocopy.then(|| "nocopy".to_owned()))
        }
        MountSpecSource::Anonymous(_) | MountSpecSource::Image { .. } => return None,
    };
    if target.contains(':') {
        return None;
    }
    let mut options = vec![if *read_only { "ro".to_owned() } else { "rw".to_owned() }];
    options.extend(selinux.map(String::from));
    options.extend(further);
    Some(format!("{source}:{target}:{}", options.join(",")))
}

fn long(mount: &MountSpec) -> Mount {
    let MountSpec { target, source, read_only } = mount;
    let mut long = Mount { target: Some(target.clone()), read_only: Some(*read_only), ..Mount::default() };
    match source {
        MountSpecSource::Volume { name, options } => {
            long.typ = Some(MountType::VOLUME);
            long.source = Some(name.clone());
            long.volume_options = volume_options(options);
        }
        MountSpecSource::Anonymous(options) => {
            long.typ = Some(MountType::VOLUME);
            long.volume_options = volume_options(options);
        }
        MountSpecSource::Bind { path, create, propagation, selinux: _, recursive } => {
            long.typ = Some(MountType::BIND);
            long.source = Some(path.clone());
            let options = MountBindOptions {
                propagation: propagation.as_deref().and_then(propagation_of),
                create_mountpoint: create.then_some(true),
                non_recursive: (*recursive == Some(Recursive::Disabled)).then_some(true),
                read_only_non_recursive: (*recursive == Some(Recursive::Writable)).then_some(true),
                read_only_force_recursive: (*recursive == Some(Recursive::ReadOnly)).then_some(true),
            };
            long.bind_options = Some(options).filter(|options| *options != MountBindOptions::default());
        }
        MountSpecSource::Image { reference, subpath } => {
            long.typ = Some(MountType::IMAGE);
            long.source = Some(reference.clone());
            long.image_options = subpath.clone().map(|subpath| MountImageOptions { subpath: Some(subpath) });
        }
    }
    long
}

fn volume_options(options: &VolumeOptions) -> Option<MountVolumeOptions> {
    let VolumeOptions { nocopy, subpath, labels, selinux: _, propagation: _ } = options;
    let options = MountVolumeOptions {
        no_copy: nocopy.then_some(true),
        subpath: subpath.clone(),
        labels: (!labels.is_empty()).then(|| hashed(labels)),
        ..MountVolumeOptions::default()
    };
    Some(options).filter(|options| *options != MountVolumeOptions::default())
}

fn propagation_of(word: &str) -> Option<MountBindOptionsPropagationEnum> {
    Some(match word {
        "private" => MountBindOptionsPropagationEnum::PRIVATE,
        "rprivate" => MountBindOptionsPropagationEnum::RPRIVATE,
        "shared" => MountBindOptionsPropagationEnum::SHARED,
        "rshared" => MountBindOptionsPropagationEnum::RSHARED,
        "slave" => MountBindOptionsPropagationEnum::SLAVE,
        "rslave" => MountBindOptionsPropagationEnum::RSLAVE,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tests::plain;
    use super::*;

    fn body(source: MountSpecSource, target: &str) -> String {
        let mount = MountSpec { target: target.into(), source, read_only: true };
        let (binds, mounts) = of(&ContainerSpec { mounts: vec![mount], ..plain() });
        format!("{binds:?} {}", serde_json::to_string(&mounts).unwrap())
    }

    #[test]
    fn mounts_take_the_form_that_can_say_what_is_meant() {
        let bind = |path: &str, create, selinux| MountSpecSource::Bind {
            path: path.into(),
            create,
            propagation: Some("rslave".into()),
            selinux,
            recursive: None,
        };
        assert_eq!(body(bind("/a", true, Some('z')), "/b"), r#"["/a:/b:ro,z,rslave"] []"#);
        assert_eq!(
            body(bind("/a", false, None), "/b"),
            r#"[] [{"Target":"/b","Source":"/a","Type":"bind","ReadOnly":true,"BindOptions":{"Propagation":"rslave"}}]"#
        );
        assert_eq!(
            body(bind("/a:c", true, None), "/b"),
            r#"[] [{"Target":"/b","Source":"/a:c","Type":"bind","ReadOnly":true,"BindOptions":{"Propagation":"rslave","CreateMountpoint":true}}]"#
        );
        assert_eq!(
            body(
                MountSpecSource::Volume {
                    name: "v".into(),
                    options: VolumeOptions { nocopy: true, ..VolumeOptions::default() }
                },
                "/b"
            ),
            r#"[] [{"Target":"/b","Source":"v","Type":"volume","ReadOnly":true,"VolumeOptions":{"NoCopy":true}}]"#
        );
        assert_eq!(
            body(MountSpecSource::Anonymous(VolumeOptions::default()), "/b"),
            r#"[] [{"Target":"/b","Type":"volume","ReadOnly":true}]"#
        );
    }

    #[test]
    fn a_volume_says_all_that_was_asked_of_it() {
        let volume = |options| MountSpecSource::Volume { name: "v".into(), options };
        let relabelled = VolumeOptions { selinux: Some('z'), nocopy: true, ..VolumeOptions::default() };
        assert_eq!(body(volume(relabelled), "/b"), r#"["v:/b:ro,z,nocopy"] []"#);
        let part = VolumeOptions {
            subpath: Some("a/b".into()),
            labels: BTreeMap::from([("l".into(), "1".into())]),
            ..VolumeOptions::default()
        };
        assert_eq!(
            body(volume(part), "/b"),
            r#"[] [{"Target":"/b","Source":"v","Type":"volume","ReadOnly":true,"VolumeOptions":{"Labels":{"l":"1"},"Subpath":"a/b"}}]"#
        );
    }

    #[test]
    fn an_image_and_the_mounts_below_a_path_have_options_of_their_own() {
        let image = MountSpecSource::Image { reference: "x:1".into(), subpath: Some("etc".into()) };
        assert_eq!(
            body(image, "/b"),
            r#"[] [{"Target":"/b","Source":"x:1","Type":"image","ReadOnly":true,"ImageOptions":{"Subpath":"etc"}}]"#
        );
        let bind = |recursive| MountSpecSource::Bind {
            path: "/a".into(),
            create: true,
            propagation: None,
            selinux: None,
            recursive: Some(recursive),
        };
        let options = |recursive| {
            let text = body(bind(recursive), "/b");
            text.split_once("BindOptions\":").map(|(_, rest)| rest.trim_end_matches("}]").to_owned()).unwrap()
        };
        assert_eq!(body(bind(Recursive::Enabled), "/b"), r#"["/a:/b:ro"] []"#);
        assert_eq!(options(Recursive::Disabled), r#"{"NonRecursive":true,"CreateMountpoint":true}"#);
        assert_eq!(options(Recursive::Writable), r#"{"CreateMountpoint":true,"ReadOnlyNonRecursive":true}"#);
        assert_eq!(
            options(Recursive::ReadOnly),
            r#"{"CreateMountpoint":true,"ReadOnlyForceRecursive":true}"#
        );
    }
}
