//! Looking into an image without running anything of it: a container that is never started, whose files the
//! engine's archive call reads.

use std::time::Duration;

use futures_util::stream::StreamExt;
use hyper::Method;
use serde::Deserialize;
use tokio::time::timeout;

use crate::engine::{EngineError, notify_socket};
use crate::facts::{ImageFacts, ImageSystemd};
use crate::systemd::defaults::grants::cgroupfs_parent;

use super::errors::{Purpose, Trouble};
use super::path::Path;
use super::wire::{bare, with_json};
use super::{Docker, Ownerless, cgroups};

/// Label of the container that is made for a look, so that whoever finds one knows what it is.
pub(super) const LABEL: &str = "io.sdcompose.look";
/// Label with the process that made it.
pub(super) const LABEL_PID: &str = "io.sdcompose.look.pid";
/// Where distributions have systemd, the real place first; `/sbin/init` is a link to it.
const CANDIDATES: [&str; 3] = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init"];
/// systemd's executable has at most some megabytes; what is larger is something else.
const LARGEST: usize = 64 << 20;
/// Links of links end somewhere.
const LINKS: usize = 8;
const DEADLINE: Duration = Duration::from_secs(60);
/// No look takes so many seconds.
const LONGEST: i64 = 600;

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "Id")]
    id: String,
}

impl Docker {
    /// Looks for systemd in an image. What was found once in an image is remembered for this run.
    pub(super) async fn look(&self, reference: &str) -> Result<ImageFacts, EngineError> {
        let what = format!("look into image {reference}");
        let told = |trouble: Trouble| trouble.of(&self.endpoint, Purpose::Other, what.clone());
        let image: Named = self
            .wire
            .json(bare(Method::GET, &Path::of(&["images", reference, "json"])), DEADLINE)
            .await
            .map_err(told)?;
        if let Some(known) = self.looked(&image.id) {
            return Ok(known);
        }
        // A task of its own goes on where the look is given up, and then drops what it made.
        let making = tokio::spawn(Made::new(self.clone(), image.id.clone()));
        let made =
            making.await.unwrap_or_else(|error| Err(Trouble::Lost(error.to_string()))).map_err(told)?;
        let systemd = self.systemd_in(made.id()).await;
        let removed = made.remove().await;
        let facts = ImageFacts { id: image.id, systemd: systemd.map_err(told)? };
        removed.map_err(told)?;
        self.remember_look(&facts);
        Ok(facts)
    }

    /// Removes what looks of runs that were killed left behind, and the directories of machines that somebody
    /// else removed, as far as an observation saw them.
    pub(super) async fn sweep(&self) {
        for Ownerless { name, id, directory } in self.take_ownerless() {
            // The container may have got another name; what it has then goes with it.
            if self.inspect(&id).await.is_err_and(|trouble| trouble.is_status(404)) {
                notify_socket::release(&directory, &id);
                cgroups::remove_parent(&cgroupfs_parent(&name));
            }
        }
        for id in self.take_left_behind() {
            // Whoever comes next tries again.
            let _ = self.remove_look(&id).await;
        }
    }

    async fn remove_look(&self, id: &str) -> Result<(), Trouble> {
        let removal = Path::of(&["containers", id]).with_if("force", true).with_if("v", true);
        self.wire.call(bare(Method::DELETE, &removal), DEADLINE).await.map(drop)
    }

    async fn systemd_in(&self, container: &str) -> Result<Option<ImageSystemd>, Trouble> {
        for candidate in CANDIDATES {
            let mut path = candidate.to_owned();
            for _ in 0..LINKS {
                match self.file_in(container, &path).await? {
                    Found::Link(target) => path = resolved(&path, &target),
                    Found::Systemd(version) => {
                        return Ok(Some(ImageSystemd { init: candidate.to_owned(), version }));
                    }
                    Found::Nothing => break,
                }
            }
        }
        Ok(None)
    }

    /// Reads one file of a container.
    async fn file_in(&self, container: &str, path: &str) -> Result<Found, Trouble> {
        let call = bare(Method::GET, &Path::of(&["containers", container, "archive"]).with("path", path));
        let mut chunks = match self.wire.stream(call, DEADLINE).await {
            Ok(chunks) => chunks,
            Err(trouble) if trouble.is_status(404) => return Ok(Found::Nothing),
            Err(trouble) => return Err(trouble),
        };
        let reading = async {
            let mut archive = Vec::new();
            while let Some(chunk) = chunks.next().await {
                archive.extend_from_slice(&chunk?);
                if archive.len() > LARGEST {
                    return Ok(Found::Nothing);
                }
            }
            read(&archive).map_err(|error| Trouble::Garbled(error.to_string()))
        };
        timeout(DEADLINE, reading).await.unwrap_or(Err(Trouble::TimedOut(DEADLINE)))
    }
}

/// A container that was made for a look. It goes even where the look is given up half-way.
struct Made {
    docker: Docker,
    id: Option<String>,
}

impl Made {
    async fn new(docker: Docker, image: String) -> Result<Self, Trouble> {
        let create = with_json(Method::POST, &Path::of(&["containers", "create"]), &body(&image));
        let Named { id } = docker.wire.json(create, DEADLINE).await?;
        Ok(Self { docker, id: Some(id) })
    }

    fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    async fn remove(mut self) -> Result<(), Trouble> {
        let removed = self.docker.remove_look(self.id()).await;
        self.id = None;
        removed
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) else { return };
        let docker = self.docker.clone();
        runtime.spawn(async move {
            // Nobody waits for it any more; what is left is swept by a later run.
            let _ = docker.remove_look(&id).await;
        });
    }
}

/// Tells whether a look's container has outlived the run that made it: its process is gone, or so much time
/// has passed that it cannot be at it any more.
pub(super) fn is_left_behind(pid: Option<&str>, age: i64, lives: impl Fn(&str) -> bool) -> bool {
    age > LONGEST || pid.is_some_and(|pid| !lives(pid))
}

/// What a path of an image holds.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Link(String),
    /// systemd, with its version where it tells.
    Systemd(Option<u16>),
    Nothing,
}

fn body(image: &str) -> serde_json::Value {
    serde_json::json!({
        "Image": image,
        "Entrypoint": ["/never-started"],
        "Labels": { LABEL: "1", LABEL_PID: std::process::id().to_string() },
        "HostConfig": { "NetworkMode": "none" },
    })
}

/// Reads the first entry of an archive.
fn read(archive: &[u8]) -> std::io::Result<Found> {
    use std::io::Read;
    let mut archive = tar::Archive::new(archive);
    let Some(entry) = archive.entries()?.next() else { return Ok(Found::Nothing) };
    let mut entry = entry?;
    if let Some(target) = entry.link_name()? {
        return Ok(Found::Link(target.to_string_lossy().into_owned()));
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes)?;
    Ok(if bytes.starts_with(b"\x7fELF") { systemd(&bytes) } else { Found::Nothing })
}

/// Finds the private library that systemd's executable is linked to; its name carries the version
/// (`src/shared/meson.build` of systemd), such as `libsystemd-shared-252.so`. Distributions append to it.
fn systemd(executable: &[u8]) -> Found {
    const LIBRARIES: [&[u8]; 2] = [b"libsystemd-core-", b"libsystemd-shared-"];
    let mut linked = false;
    for library in LIBRARIES {
        for start in find_all(executable, library) {
            linked = true;
            let digits = executable[start + library.len()..].iter().take_while(|byte| byte.is_ascii_digit());
            let digits: String = digits.map(|&byte| char::from(byte)).collect();
            if let Ok(version) = digits.parse() {
                return Found::Systemd(Some(version));
            }
        }
    }
    // A systemd that is linked statically names itself, but not its version in a form to rely on.
    let itself = find_all(executable, b"/run/systemd/system").next().is_some();
    if linked || itself { Found::Systemd(None) } else { Found::Nothing }
}

fn find_all<'a>(text: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let first = wanted.first().copied();
    text.iter()
        .enumerate()
        .filter(move |(start, byte)| Some(**byte) == first && text[*start..].starts_with(wanted))
        .map(|(start, _)| start)
}

/// Resolves a link's target against the place of the link.
fn resolved(link: &str, target: &str) -> String {
    let mut parts: Vec<&str> = if target.starts_with('/') {
        Vec::new()
    } else {
        link.rsplit_once('/').map_or("", |(parent, _)| parent).split('/').collect()
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(kind: tar::EntryType, content: &[u8], link: Option<&str>) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        let mut builder = tar::Builder::new(Vec::new());
        match link {
            Some(target) => builder.append_link(&mut header, "systemd", target).unwrap(),
            None => builder.append_data(&mut header, "systemd", content).unwrap(),
        }
        builder.into_inner().unwrap()
    }

    fn file(content: &[u8]) -> Found {
        read(&archive(tar::EntryType::Regular, content, None)).unwrap()
    }

    #[test]
    fn the_version_stands_in_the_name_of_the_library() {
        assert_eq!(file(b"\x7fELF..\0libsystemd-shared-247.so\0"), Found::Systemd(Some(247)));
        assert_eq!(
            file(b"\x7fELF..\0libsystemd-core-262.so\0libsystemd-shared-262.so\0"),
            Found::Systemd(Some(262))
        );
        assert_eq!(file(b"\x7fELF..\0libsystemd-shared-250-6.el9.so\0"), Found::Systemd(Some(250)));
    }

    #[test]
    fn another_init_is_no_systemd() {
        assert_eq!(file(b"\x7fELF BusyBox init"), Found::Nothing);
        assert_eq!(file(b"#!/bin/sh\n# libsystemd-shared-247.so"), Found::Nothing);
        assert_eq!(file(b"\x7fELF ... /run/systemd/system ..."), Found::Systemd(None));
    }

    #[test]
    fn a_look_is_left_behind_when_its_process_is_gone_or_its_time_is_up() {
        let lives = |pid: &str| pid == "7";
        assert!(!is_left_behind(Some("7"), 10, lives));
        assert!(is_left_behind(Some("8"), 10, lives));
        assert!(is_left_behind(Some("7"), LONGEST + 1, lives));
        assert!(!is_left_behind(None, 10, lives));
    }

    #[test]
    fn links_are_resolved_where_they_stand() {
        let link = read(&archive(tar::EntryType::Symlink, b"", Some("../lib/systemd/systemd"))).unwrap();
        assert_eq!(link, Found::Link("../lib/systemd/systemd".into()));
        assert_eq!(resolved("/usr/sbin/init", "../lib/systemd/systemd"), "/usr/lib/systemd/systemd");
        assert_eq!(resolved("/sbin/init", "/lib/systemd/systemd"), "/lib/systemd/systemd");
        assert_eq!(resolved("/sbin/init", "./init2"), "/sbin/init2");
        assert_eq!(resolved("/init", "../../x"), "/x");
    }
}
