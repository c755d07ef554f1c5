//! What is mounted into a container.

use serde_json::{Value as Json, json};

use crate::import::run_line::dollars;

use super::{Found, Keys, at, entries, text};

impl Found {
    /// Reads volumes, binds and tmpfs mounts.
    pub(super) fn mounts(&mut self, keys: &mut Keys, container: &Json, name: &str) {
        let mut volumes = Vec::new();
        for mount in at(container, "/Mounts").as_array().into_iter().flatten() {
            volumes.extend(self.mount(mount, name));
        }
        keys.put("volumes", json!(volumes));
        let tmpfs = entries(container, "/HostConfig/Tmpfs").map(|(target, options)| {
            let options = options.as_str().unwrap_or_default();
            if options.is_empty() { dollars(target) } else { dollars(&format!("{target}:{options}")) }
        });
        keys.put("tmpfs", json!(tmpfs.collect::<Vec<_>>()));
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
