//! Whether what a service is given can be where it wants it. What is only bound can be nearly everywhere; what is put
//! into the container's root before it starts is lost where something lies over it.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::project::{
    Cover, Credential, FileKind, FileObject, FileReference, Machine, MountSource, Service, file_object, mount,
};

use super::super::Written;
use super::super::reader::Reader;
use super::super::service::place;
use super::placed;

/// Directories that the engine makes anew for each container.
const OF_ENGINE: [&str; 3] = ["/dev", "/proc", "/sys"];

/// Directories that systemd and the engine have for themselves in a machine.
const OF_SYSTEMD: [&str; 2] = ["/run/host", "/run/systemd"];

/// The unit that makes what a machine finds in memory.
const TMPFILES: &str = "systemd-tmpfiles-setup.service";

/// Objects of one kind by their keys.
type Objects = IndexMap<String, FileObject>;

/// Checks what all services are given.
pub(in super::super) fn check(
    r: &mut Reader<'_>,
    services: &[Written<'_>],
    secrets: &Objects,
    configs: &Objects,
) {
    for written in services {
        let mut taken: HashMap<String, Span> = HashMap::new();
        for (kind, objects) in [(FileKind::Secret, secrets), (FileKind::Config, configs)] {
            for (reference, span) in placed(written, kind) {
                let Some(object) = objects.get(&reference.source).filter(|object| !object.external) else {
                    continue;
                };
                let path = mount::real(&reference.path(kind));
                Given { kind, reference, object, span, path: &path }.check(r, written);
                if let Some(first) = taken.insert(path.clone(), span) {
                    r.push(
                        Diagnostic::obstacle(format!("{path} is given twice"), span)
                            .coded(Code::Conflict)
                            .also(first, "given here first")
                            .help("give one of them another `target`"),
                    );
                }
            }
        }
    }
}

/// One object that one service is given.
struct Given<'a> {
    kind: FileKind,
    reference: &'a FileReference,
    object: &'a FileObject,
    span: Span,
    /// Where it is inside.
    path: &'a str,
}

impl Given<'_> {
    fn check(&self, r: &mut Reader<'_>, written: &Written<'_>) {
        let Written { entry, service } = written;
        self.check_path(r, service);
        if service.binds(self.object) {
            self.check_bound(r);
            return;
        }
        self.check_owner(r);
        match &service.machine {
            Some(machine) => self.check_machine(r, service, machine, place(&entry.value, "systemd")),
            None if service.read_only => r.push(
                self.obstacle("it is put into the root of the service, which is read-only")
                    .also(place(&entry.value, "read_only"), "read-only by this")
                    .help(self.as_file()),
            ),
            None => {}
        }
        self.check_cover(r, service);
    }

    fn obstacle(&self, what: &str) -> Diagnostic {
        let what = format!("the {} `{}`: {what}", self.kind.word(), self.reference.source);
        Diagnostic::obstacle(what, self.span).coded(Code::Conflict)
    }

    /// The way out of what only binds can do.
    fn as_file(&self) -> String {
        let (key, name) = (self.kind.key(), &self.object.key);
        format!("a file is bound instead, which works: {key}: {{ {name}: {{ file: … }} }}")
    }

    fn check_path(&self, r: &mut Reader<'_>, service: &Service) {
        let path = self.path;
        let of_machine: &[&str] = if service.machine.is_some() { &OF_SYSTEMD } else { &[] };
        let own = OF_ENGINE.iter().chain(of_machine).find(|own| mount::is_within(path, own));
        if path == "/" {
            r.push(self.obstacle("its target is the root").help("give the path of a file"));
        } else if path.contains(char::is_control) {
            r.push(self.obstacle(&format!("its target {path:?} has control characters")));
        } else if let Some(own) = own {
            r.push(
                self.obstacle(&format!("it cannot be at {path}, since {own} is not the image's"))
                    .help("give it another `target`"),
            );
        } else if let Some(Cover::Mount(found)) = service.cover(path)
            && mount::real(&found.target) == path
        {
            r.push(
                self.obstacle(&format!("something else is mounted at {path}"))
                    .help("take the mount away, or give another `target`"),
            );
        }
    }

    /// A bound file is as it is on the host (measured on Docker Compose 2.40, which says so too).
    fn check_bound(&self, r: &mut Reader<'_>) {
        if self.reference.says_owner() {
            let what = format!(
                "`uid`, `gid` and `mode` change nothing for the {} `{}`: a local engine binds its file as it is",
                self.kind.word(),
                self.reference.source
            );
            r.push(
                Diagnostic::warning(what, self.span)
                    .coded(Code::NoEffect)
                    .help("change those of the file itself, or give what it holds by `environment`"),
            );
        }
    }

    fn check_owner(&self, r: &mut Reader<'_>) {
        for (key, text) in [("uid", &self.reference.uid), ("gid", &self.reference.gid)] {
            if let Some(text) = text.as_deref().filter(|text| file_object::id(text).is_none()) {
                r.push(
                    self.obstacle(&format!("`{key}: {text}` is no number"))
                        .help("only the image knows names; give the number as text, such as \"1000\""),
                );
            }
        }
    }

    /// Says what lies over the place where the file is put. What belongs into the memory of a machine is put there
    /// while it boots.
    fn check_cover(&self, r: &mut Reader<'_>, service: &Service) {
        let path = self.path;
        match service.cover(path) {
            None => {}
            Some(Cover::Memory(_)) if service.machine.is_some() => {}
            Some(Cover::Memory(memory)) => r.push(
                self.obstacle(&format!("{path} lies in memory ({memory}), which is empty at each start"))
                    .help(self.as_file())
                    .help("or give it a `target` elsewhere"),
            ),
            Some(Cover::Mount(found)) if found.read_only => r.push(
                self.obstacle(&format!("{path} lies in {}, which is mounted read-only", found.target))
                    .help("give it a `target` elsewhere"),
            ),
            Some(Cover::Mount(found)) => {
                if let MountSource::Bind { path: host, .. } = &found.source {
                    let what = format!(
                        "the {} `{}` is written into {} of the host, and stays there",
                        self.kind.word(),
                        self.reference.source,
                        host.display()
                    );
                    r.push(
                        Diagnostic::warning(what, self.span)
                            .coded(Code::HostAccess)
                            .help("give it a `target` elsewhere"),
                    );
                }
            }
        }
    }

    fn check_machine(&self, r: &mut Reader<'_>, service: &Service, machine: &Machine, place: Span) {
        let path = self.path;
        let in_memory = service.is_in_memory(path);
        if in_memory && path.contains(['"', '\'', '\\']) {
            r.push(
                self.obstacle("a target in memory cannot have quotes or backslashes (tmpfiles.d(5))")
                    .help("give it another `target`"),
            );
        }
        let by_unit = machine.units.iter().filter(|(_, unit)| unit.mask).map(|(name, _)| name);
        if in_memory && machine.mask.iter().chain(by_unit).any(|unit| unit.as_str() == TMPFILES) {
            r.push(
                self.obstacle(&format!("`{TMPFILES}` is masked, which puts it at {path}"))
                    .also(place, "masked by this")
                    .help("take the unit from `systemd.mask`, or give a `target` outside of /run and /tmp"),
            );
        }
        let size = self.object.held.bytes().map_or(0, <[u8]>::len);
        if self.kind == FileKind::Secret && size > Credential::MOST_BYTES {
            let what = format!(
                "the secret `{}` is larger than 1 MiB, and so no credential of units",
                self.reference.source
            );
            let help = format!("units read {path} instead");
            r.push(Diagnostic::warning(what, self.span).coded(Code::Limit).help(help));
        }
    }
}
