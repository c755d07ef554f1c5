//! What is mounted into a container.

use serde_json::{Value as Json, json};

use crate::import::run_line::dollars;
use crate::project::{FileKind, name};

use super::{Found, Keys, at, entries, text};

impl Found {
    /// Reads volumes, binds, secrets and tmpfs mounts.
    pub(super) fn mounts(&mut self, keys: &mut Keys, container: &Json, name: &str) {
        let (mut volumes, mut secrets) = (Vec::new(), Vec::new());
        for mount in at(container, "/Mounts").as_array().into_iter().flatten() {
            match self.secret(mount, container) {
                Some(secret) => secrets.push(secret),
                None => volumes.extend(self.mount(mount, name)),
            }
        }
        keys.put("volumes", json!(volumes));
        keys.put("secrets", json!(secrets));
        let tmpfs = entries(container, "/HostConfig/Tmpfs").map(|(target, options)| {
            let options = options.as_str().unwrap_or_default();
            if options.is_empty() { dollars(target) } else { dollars(&format!("{target}:{options}")) }
        });
        keys.put("tmpfs", json!(tmpfs.collect::<Vec<_>>()));
    }

    /// Reads a secret that Docker Compose bound: it asks for it by the newer form of mounts, and for a volume of the
    /// short form by the older one (measured on Docker Compose 2.40).
    fn secret(&mut self, mount: &Json, container: &Json) -> Option<String> {
        text(container, "/Config/Labels/com.docker.compose.service").chars().next()?;
        let target = text(mount, "/Destination");
        let asked = at(container, "/HostConfig/Mounts").as_array().into_iter().flatten();
        let is_secret = |asked: &Json| {
            text(asked, "/Target") == target
                && text(asked, "/Type") == "bind"
                && at(asked, "/ReadOnly") == &json!(true)
        };
        asked.into_iter().find(|asked| is_secret(asked))?;
        let key = target.strip_prefix(FileKind::Secret.directory())?;
        let is_key = name::service_fault(key).is_none() && !matches!(key, "" | "." | "..");
        let secret = json!({ "file": dollars(text(mount, "/Source")) });
        // Of two files of one name, the second stays a volume.
        if !is_key || self.secrets.get(key).is_some_and(|known| *known != secret) {
            return None;
        }
        self.secrets.insert(key.to_owned(), secret);
        Some(key.to_owned())
    }

    fn mount(&mut self, mount: &Json, container: &str) -> Option<String> {
        let target = text(mount, "/Destination");
        let read_only = if at(mount, "/RW") == &json!(false) { ":ro" } else { "" };
        match text(mount, "/Type") {
            "bind" => Some(dollars(&format!("{}:{target}{read_only}", text(mount, "/Source")))),
            "volume" => {
                let volume = text(mount, "/Name");
                if volume.len() == 64 && volume.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    if !matches!(target, "/run" | "/run/lock" | "/tmp" | "/sys/fs/cgroup") {
                        self.left_out.push(format!(
                        "what {container} keeps at {target} is in a volume without a name, which stays behind: copy \
                         it with `docker cp {container}:{target} .`"
                    ));
                    }
                    return Some(dollars(target));
                }
                self.volumes.insert(volume.to_owned(), json!({ "external": true, "name": dollars(volume) }));
                Some(dollars(&format!("{volume}:{target}{read_only}")))
            }
            // These stand in `Tmpfs` as well.
            "tmpfs" => None,
            other => {
                self.left_out
                    .push(format!("the mount of kind `{other}` at {target} of {container} is left out"));
                None
            }
        }
    }
}
