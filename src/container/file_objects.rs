//! Secrets and configs as a container is given them: bound from the host, as Docker Compose does with files of plain
//! containers, or put into its own root between create and start.
//!
//! What a machine wants in memory cannot be there before it starts. It is put beside, for root alone, and
//! systemd-tmpfiles copies it at each boot, before `sysinit.target` (tmpfiles.d(5); measured with systemd 247 to 262).

use std::collections::BTreeMap;

use crate::facts::{EngineKind, Facts, Locality};
use crate::project::{
    Cover, Credential, FileKind, FileObject, FileReference, FileSource, Held, Project, Service,
};
use crate::refusal::Refusal;

use super::{Content, FileSpec, MountSpec, MountSpecSource};

/// What systemd-tmpfiles makes at boot. Of two lines for one path, that of the first file counts.
pub const TMPFILES: &str = "/etc/tmpfiles.d/00-sdcompose.conf";

/// Returns the directory inside that holds what systemd-tmpfiles copies.
#[must_use]
pub const fn kept_in(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Secret => "/etc/sdcompose/secrets",
        FileKind::Config => "/etc/sdcompose/configs",
    }
}

/// Lists the binds of a service's files. A remote engine does not have the files of this host.
pub(super) fn mounts(project: &Project, service: &Service, facts: &Facts) -> Vec<MountSpec> {
    let bound = project.given_to(service).filter(|(_, _, object)| is_bound(service, object, facts));
    let mount = |(kind, reference, object): (FileKind, &FileReference, &FileObject)| {
        let Some(FileSource::File(path)) = &object.source else { return None };
        let source = MountSpecSource::Bind {
            path: path.to_string_lossy().into_owned(),
            create: false,
            propagation: None,
            selinux: None,
            recursive: None,
        };
        Some(MountSpec { target: reference.path(kind), source, read_only: true })
    };
    bound.filter_map(mount).collect()
}

/// Lists the files that are put into a container's root, directories before what is in them.
pub(super) fn files(project: &Project, service: &Service, facts: &Facts) -> Vec<FileSpec> {
    let mut files = Vec::new();
    let mut kept: BTreeMap<(FileKind, &str), &[u8]> = BTreeMap::new();
    let mut lines = String::new();
    for (kind, reference, object) in project.given_to(service) {
        // What is not known stops the run before.
        let Some(bytes) = object.held.bytes().filter(|_| !is_bound(service, object, facts)) else { continue };
        let path = reference.path(kind);
        let (uid, gid) = reference.owner();
        let mode = reference.mode.unwrap_or(FileReference::MODE);
        if service.machine.is_some() && service.is_in_memory(&path) {
            kept.insert((kind, &object.key), bytes);
            lines += &line(&path, mode, uid, gid, &format!("{}/{}", kept_in(kind), object.key));
        } else {
            files.push(FileSpec { path, mode, uid, gid, content: Content::Bytes(bytes.to_vec()) });
        }
    }
    for kind in FileKind::ALL {
        let of_kind: Vec<_> = kept.iter().filter(|((of, _), _)| *of == kind).collect();
        if !of_kind.is_empty() {
            files.push(FileSpec::of_root(kept_in(kind), 0o700, Content::Directory));
        }
        for ((_, key), bytes) in of_kind {
            let path = format!("{}/{key}", kept_in(kind));
            files.push(FileSpec::of_root(&path, 0o400, Content::Bytes(bytes.to_vec())));
        }
    }
    if !lines.is_empty() {
        let text = format!("# Written by sdcompose from the service's `secrets` and `configs`.\n{lines}");
        files.push(FileSpec::of_root(TMPFILES, 0o644, Content::Bytes(text.into_bytes())));
    }
    files
}

/// A line of tmpfiles.d(5) that copies a file. A path with quotes or backslashes stops the run before.
fn line(path: &str, mode: u32, uid: u32, gid: u32, from: &str) -> String {
    format!("C \"{}\" {mode:04o} {uid} {gid} - {from}\n", path.replace('%', "%%"))
}

/// Lists the secrets that are credentials of a machine's units as well, by name. What `systemd.credentials` says of a
/// name itself counts before.
pub(super) fn credentials<'a>(
    project: &'a Project,
    service: &'a Service,
) -> impl Iterator<Item = (&'a str, &'a [u8])> {
    let own = service.machine.as_ref().map(|machine| &machine.credentials);
    let secrets: BTreeMap<&str, &[u8]> = project
        .given_to(service)
        .filter(|(kind, ..)| *kind == FileKind::Secret)
        .filter_map(|(_, _, object)| Some((object.key.as_str(), object.held.bytes()?)))
        .filter(|(_, bytes)| bytes.len() <= Credential::MOST_BYTES)
        .collect();
    secrets
        .into_iter()
        .filter(move |(name, _)| own.is_some_and(|credentials| !credentials.contains_key(*name)))
}

fn is_bound(service: &Service, object: &FileObject, facts: &Facts) -> bool {
    service.binds(object) && facts.locality == Locality::Local
}

/// Says what a service is given and this engine cannot give it. What no engine can is said of the manifest.
#[must_use]
pub fn refusals(project: &Project, service: &Service, facts: &Facts) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (kind, reference, object) in project.given_to(service) {
        if is_bound(service, object, facts) {
            continue;
        }
        let path = reference.path(kind);
        let refuse = |why: String, way_out: &str| {
            let what = format!("the {} `{}`: {why}", kind.word(), object.key);
            Refusal::of(&service.name, what).help(way_out)
        };
        if facts.engine == EngineKind::Podman
            && let Some(Cover::Mount(found)) = service.cover(&path)
        {
            // Podman puts files into the root itself, below what is mounted there (libpod `copyFromArchive`).
            let why = format!("{path} lies in {}, where Podman puts no files", found.target);
            refusals.push(refuse(why, "give it a `target` elsewhere"));
        }
        if service.binds(object) {
            refusals.extend(of_remote(service, object, &path).map(|(why, way_out)| {
                refuse(format!("a remote engine is given what its file holds, and {why}"), way_out)
            }));
        }
    }
    refusals
}

/// Says why a file cannot be put into a plain container of an engine that does not have it, and the way out.
fn of_remote(service: &Service, object: &FileObject, path: &str) -> Option<(String, &'static str)> {
    if let Held::Unread(why) = &object.held {
        return Some((format!("it cannot be read: {why}"), "let this user read the file"));
    }
    if service.read_only {
        let way_out = "bring the file to the engine's host, and bind it from there by `volumes`";
        return Some(("the root of the service is read-only".to_owned(), way_out));
    }
    match service.cover(path) {
        Some(Cover::Memory(memory)) => {
            Some((format!("{path} lies in memory ({memory})"), "give it a `target` elsewhere"))
        }
        Some(Cover::Mount(_)) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::ContainerSpec;
    use super::super::sketch::{self, image, project};
    use super::super::spec;
    use super::*;

    fn made(project: &Project, facts: &Facts) -> ContainerSpec {
        spec::spec(project, &project.services[0], 1, facts, Some(&image("sha256:1", 257)), "").unwrap()
    }

    /// Shows the files that are put into the root, but for what every machine has, and the binds.
    fn shown(spec: &ContainerSpec) -> String {
        let content = |file: &FileSpec| match &file.content {
            Content::Bytes(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
            Content::Symlink(target) => format!("-> {target}"),
            Content::Directory => "/".to_owned(),
        };
        let of_machines = |file: &&FileSpec| !file.path.starts_with("/etc/systemd/");
        let files = spec.files.iter().filter(of_machines);
        let files = files.map(|file| {
            format!("{:04o} {}:{} {} {}\n", file.mode, file.uid, file.gid, file.path, content(file))
        });
        let binds = spec.mounts.iter().filter_map(|mount| match &mount.source {
            MountSpecSource::Bind { path, create: false, .. } => {
                Some(format!("bind {path} {} {}\n", mount.target, mount.read_only))
            }
            MountSpecSource::Bind { .. }
            | MountSpecSource::Volume { .. }
            | MountSpecSource::Anonymous(_)
            | MountSpecSource::Image { .. } => None,
        });
        files.chain(binds).collect()
    }

    fn of(text: &str) -> String {
        shown(&made(&project(text), &sketch::facts()))
    }

    #[test]
    fn a_plain_container_gets_files_bound_and_the_rest_put_into_its_root() {
        assert_eq!(
            of("web plain secret=db:canary secretfile=tls:pem config=app:text:etc/app.conf"),
            "0444 0:0 /run/secrets/db \"canary\"\n\
             0444 0:0 /etc/app.conf \"text\"\n\
             bind /srv/shop/tls /run/secrets/tls true\n"
        );
    }

    #[test]
    fn owner_and_mode_are_honoured() {
        let mut shop = project("web plain secret=db:canary");
        let reference = &mut shop.services[0].secrets[0];
        (reference.uid, reference.gid, reference.mode) = (Some("1000".into()), Some("7".into()), Some(0o400));
        let made = made(&shop, &sketch::facts());
        assert_eq!(shown(&made), "0400 1000:7 /run/secrets/db \"canary\"\n");
    }

    #[test]
    fn a_machine_gets_nothing_bound_and_what_belongs_into_memory_at_boot() {
        assert_eq!(
            of("web tmpfs=/cache secretfile=tls:pem secret=db:canary:/etc/db config=app:text:/cache/50%"),
            "0700 0:0 /etc/sdcompose/credentials /\n\
             0400 0:0 /etc/sdcompose/credentials/db \"canary\"\n\
             0400 0:0 /etc/sdcompose/credentials/tls \"pem\"\n\
             0444 0:0 /etc/db \"canary\"\n\
             0700 0:0 /etc/sdcompose/secrets /\n\
             0400 0:0 /etc/sdcompose/secrets/tls \"pem\"\n\
             0700 0:0 /etc/sdcompose/configs /\n\
             0400 0:0 /etc/sdcompose/configs/app \"text\"\n\
             0644 0:0 /etc/tmpfiles.d/00-sdcompose.conf \"# Written by sdcompose from the service's `secrets` and \
             `configs`.\\nC \\\"/run/secrets/tls\\\" 0444 0 0 - /etc/sdcompose/secrets/tls\\n\
             C \\\"/cache/50%%\\\" 0444 0 0 - /etc/sdcompose/configs/app\\n\"\n"
        );
    }

    #[test]
    fn a_secret_is_a_credential_unless_the_machine_says_another_one() {
        let spec = made(&project("web secret=db:canary cred=db:own"), &sketch::facts());
        assert!(shown(&spec).contains("0400 0:0 /etc/sdcompose/credentials/db \"own\"\n"));
        let spec = made(&project("web secret=db:canary"), &sketch::facts());
        assert_eq!(spec.environment["CREDENTIALS_DIRECTORY"], "/etc/sdcompose/credentials");
        let spec = made(&project("web config=app:text"), &sketch::facts());
        assert!(!spec.environment.contains_key("CREDENTIALS_DIRECTORY"));
        let large = format!("web secret=db:{}", "x".repeat(Credential::MOST_BYTES + 1));
        assert!(!shown(&made(&project(&large), &sketch::facts())).contains("credentials"));
    }

    #[test]
    fn a_remote_engine_is_given_what_the_files_of_this_host_hold() {
        let remote = Facts { locality: Locality::Remote, notify_root: None, ..sketch::facts() };
        let shop = project("web plain secretfile=tls:pem");
        assert_eq!(shown(&made(&shop, &remote)), "0444 0:0 /run/secrets/tls \"pem\"\n");
        let told = |text: &str| {
            let mut shop = project(text);
            if text.contains("missing") {
                shop.secrets[0].held = Held::Unread("permission denied".to_owned());
            }
            let all = refusals(&shop, &shop.services[0], &remote);
            all.into_iter().map(|refusal| refusal.what).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(told("web plain secretfile=tls:pem"), "");
        assert_eq!(
            told("web plain readonly secretfile=tls:pem"),
            "the secret `tls`: a remote engine is given what its file holds, and the root of the service is read-only"
        );
        assert!(
            told("web plain tmpfs=/run secretfile=tls:pem")
                .ends_with("/run/secrets/tls lies in memory (/run)")
        );
        assert!(told("web plain secretfile=missing:x").ends_with("and it cannot be read: permission denied"));
    }

    #[test]
    fn podman_puts_no_files_below_mounts() {
        let podman = Facts { engine: EngineKind::Podman, ..sketch::facts() };
        let told = |text: &str| {
            let shop = project(text);
            refusals(&shop, &shop.services[0], &podman)
                .into_iter()
                .map(|refusal| refusal.what)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            told("web plain vol=data:/data secret=db:x:/data/db"),
            ["the secret `db`: /data/db lies in /data, where Podman puts no files"]
        );
        assert_eq!(told("web plain vol=data:/data secret=db:x secretfile=t:x:/data/t"), [""; 0]);
    }

    #[test]
    fn no_secret_reaches_arguments_labels_environment_or_debug_text() {
        for text in ["web secret=db:canary", "web plain secret=db:canary"] {
            let mut spec = made(&project(text), &sketch::facts());
            assert!(
                format!("{:?}", project(text)).contains("db")
                    && !format!("{:?}", project(text)).contains("canary")
            );
            assert!(!format!("{spec:?}").contains("canary"));
            spec.files.clear();
            assert!(
                !format!("{:?} {:?} {:?}", spec.labels, spec.environment, spec.command).contains("canary")
            );
        }
    }
}
