//! A `docker run` line → a compose file, so that one reader makes manifests of both.
//!
//! The flags are those of `docker run` and `podman run` (docker/cli `cli/command/container/opts.go`).

use serde_json::{Map, Value as Json, json};

use super::written;

mod flags;

#[cfg(test)]
mod tests;

use flags::{Effect, Flag};

/// A compose file that was made of something else, and what could not come along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The compose file's text.
    pub text: String,
    /// What was left out, a sentence each.
    pub left_out: Vec<String>,
    /// Services that run systemd although their keys do not show it.
    pub machines: Vec<String>,
}

/// Makes a compose file of the words of a `docker run` line; the leading `docker run` may be missing.
///
/// # Errors
/// Says in a sentence which flag is not known, or that there is no image.
pub fn compose(words: &[String]) -> Result<Composed, String> {
    let mut line = Line::default();
    let rest = after_run(words);
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        if word == "--" {
            at += 1;
            break;
        }
        if !word.starts_with('-') || word == "-" {
            break;
        }
        at += 1 + line.flag(word, rest.get(at + 1))?;
    }
    let (Some(image), command) = (rest.get(at), rest.get(at + 1..).unwrap_or_default()) else {
        return Err("the line names no image".to_owned());
    };
    Ok(line.composed(image, command))
}

/// Takes the program, its own flags (`docker -H … run`) and `sudo` away.
fn after_run(words: &[String]) -> &[String] {
    let programs = ["docker", "podman", "nerdctl", "sudo"];
    let names_one =
        words.first().is_some_and(|word| programs.contains(&word.rsplit('/').next().unwrap_or_default()));
    match words.iter().position(|word| matches!(word.as_str(), "run" | "create")) {
        Some(at) if names_one || at == 0 => words.get(at + 1..).unwrap_or_default(),
        Some(_) | None => words,
    }
}

/// What a line says so far.
#[derive(Debug, Default)]
struct Line {
    service: Vec<(String, Json)>,
    volumes: Map<String, Json>,
    networks: Map<String, Json>,
    name: Option<String>,
    left_out: Vec<String>,
    is_machine: bool,
}

impl Line {
    /// Reads one word that begins with a dash; returns how many words behind it belong to it.
    fn flag(&mut self, word: &str, next: Option<&String>) -> Result<usize, String> {
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            let flag = flags::long(name).ok_or_else(|| unknown(word))?;
            return self.take(flag, value, next, word);
        }
        // Several short switches may share a dash, and the last may have its value behind it: `-itp 80:80`.
        for (at, letter) in word.char_indices().skip(1) {
            let flag = flags::short(letter).ok_or_else(|| unknown(word))?;
            if flag.takes_value() {
                let value = word.get(at + letter.len_utf8()..).filter(|value| !value.is_empty());
                let value = value.map(|value| value.strip_prefix('=').unwrap_or(value));
                return self.take(flag, value, next, word);
            }
            self.take(flag, None, None, word)?;
        }
        Ok(0)
    }

    fn take(
        &mut self,
        flag: &Flag,
        value: Option<&str>,
        next: Option<&String>,
        word: &str,
    ) -> Result<usize, String> {
        if !flag.takes_value() {
            self.set(flag, value.unwrap_or("true"));
            return Ok(0);
        }
        match (value, next) {
            (Some(value), _) => {
                self.set(flag, value);
                Ok(0)
            }
            (None, Some(next)) => {
                self.set(flag, next);
                Ok(1)
            }
            (None, None) => Err(format!("`{word}` wants a value")),
        }
    }

    fn set(&mut self, flag: &Flag, value: &str) {
        match flag.effect {
            Effect::Switch(key) => self.put(key, json!(value != "false")),
            Effect::Text(key) => self.put(key, json!(dollars(value))),
            Effect::Number(key) => {
                let number =
                    value.parse::<i64>().map_or_else(|_| json!(dollars(value)), |number| json!(number));
                self.put(key, number);
            }
            Effect::List(key) => self.push(key, value),
            Effect::Seconds(key) => self.put(key, json!(format!("{value}s"))),
            Effect::Volume => self.volume(value),
            Effect::Mount => self.mount(value),
            Effect::Network => self.network(value),
            Effect::Health(key) => self.health(key, value),
            Effect::NoHealth => self.put("healthcheck", json!({ "disable": true })),
            Effect::Ulimit => self.ulimit(value),
            Effect::Log(key) => self.below("logging", key, value),
            Effect::Name => self.name = Some(value.to_owned()),
            Effect::Systemd => self.is_machine |= value == "always",
            Effect::Nothing => {}
            Effect::LeftOut => {
                self.left_out.push(format!("`--{} {value}` has no place in a manifest", flag.long));
            }
        }
    }

    fn put(&mut self, key: &str, value: Json) {
        match self.service.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => self.service.push((key.to_owned(), value)),
        }
    }

    fn push(&mut self, key: &str, value: &str) {
        self.push_value(key, json!(dollars(value)));
    }

    fn push_value(&mut self, key: &str, value: Json) {
        match self.service.iter_mut().find(|(known, _)| known == key) {
            Some((_, Json::Array(items))) => items.push(value),
            Some(_) | None => self.put(key, json!([value])),
        }
    }

    /// Puts one entry into a mapping.
    fn entry(&mut self, key: &str, name: &str, value: Json) {
        match self.service.iter_mut().find(|(known, _)| known == key) {
            Some((_, Json::Object(entries))) => {
                entries.insert(name.to_owned(), value);
            }
            Some(_) | None => self.put(key, json!({ name: value })),
        }
    }

    /// `-v`: a name that is no path is a volume that must be declared.
    fn volume(&mut self, value: &str) {
        let source = value.split_once(':').map(|(source, _)| source);
        if let Some(source) = source.filter(|source| !source.starts_with(['/', '.', '~', '$'])) {
            self.declare_volume(source);
        }
        self.push("volumes", value);
    }

    /// A volume that exists already is the engine's, and stays so.
    fn declare_volume(&mut self, name: &str) {
        self.volumes.insert(name.to_owned(), json!({ "external": true, "name": dollars(name) }));
    }

    /// `--mount type=bind,source=/a,target=/b,readonly`.
    fn mount(&mut self, value: &str) {
        let mut mount = Map::new();
        for part in value.split(',') {
            let (key, value) = part.split_once('=').unwrap_or((part, "true"));
            match key {
                "type" => drop(mount.insert("type".to_owned(), json!(value))),
                "source" | "src" => drop(mount.insert("source".to_owned(), json!(dollars(value)))),
                "target" | "dst" | "destination" => {
                    drop(mount.insert("target".to_owned(), json!(dollars(value))));
                }
                "readonly" | "ro" => drop(mount.insert("read_only".to_owned(), json!(value != "false"))),
                "bind-propagation" => drop(mount.insert("bind".to_owned(), json!({ "propagation": value }))),
                "tmpfs-size" => drop(mount.insert("tmpfs".to_owned(), json!({ "size": value }))),
                "volume-nocopy" => {
                    drop(mount.insert("volume".to_owned(), json!({ "nocopy": value != "false" })));
                }
                other => {
                    self.left_out.push(format!("`{other}` of `--mount {value}` has no place in a manifest"));
                }
            }
        }
        mount.entry("type").or_insert_with(|| json!("volume"));
        if mount.get("type") == Some(&json!("volume"))
            && let Some(source) = mount.get("source").and_then(Json::as_str)
        {
            let source = source.to_owned();
            self.declare_volume(&source);
        }
        self.push_value("volumes", Json::Object(mount));
    }

    /// `--network`: a mode, or a network that exists already.
    fn network(&mut self, value: &str) {
        let is_mode = matches!(value, "host" | "none") || value.starts_with("container:");
        match value {
            "bridge" | "default" => {}
            mode if is_mode => self.put("network_mode", json!(dollars(mode))),
            name => {
                let name = name.strip_prefix("name=").unwrap_or(name).split(',').next().unwrap_or(name);
                self.networks.insert(name.to_owned(), json!({ "external": true, "name": dollars(name) }));
                self.push("networks", name);
            }
        }
    }

    fn health(&mut self, key: &str, value: &str) {
        let value = match key {
            "retries" => value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number)),
            _ => json!(dollars(value)),
        };
        self.entry("healthcheck", key, value);
    }

    fn ulimit(&mut self, value: &str) {
        let (name, limits) = value.split_once('=').unwrap_or((value, ""));
        let number = |text: &str| text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number));
        let limits = match limits.split_once(':') {
            Some((soft, hard)) => json!({ "soft": number(soft), "hard": number(hard) }),
            None => number(limits),
        };
        self.entry("ulimits", name, limits);
    }

    fn below(&mut self, key: &str, name: &str, value: &str) {
        if name == "driver" {
            return self.entry(key, name, json!(value));
        }
        let (option, value) = value.split_once('=').unwrap_or((value, ""));
        match self.service.iter_mut().find(|(known, _)| known == key) {
            Some((_, Json::Object(entries))) => {
                let options = entries.entry(name).or_insert_with(|| json!({}));
                if let Some(options) = options.as_object_mut() {
                    options.insert(option.to_owned(), json!(dollars(value)));
                }
            }
            Some(_) | None => self.put(key, json!({ name: { option: dollars(value) } })),
        }
    }

    fn composed(mut self, image: &str, command: &[String]) -> Composed {
        let service = written::service_name(self.name.as_deref().unwrap_or(image));
        let mut keys = vec![("image".to_owned(), json!(dollars(image)))];
        if let Some(name) = self.name.take() {
            keys.push(("container_name".to_owned(), json!(name)));
        }
        if !command.is_empty() {
            keys.push(("command".to_owned(), command.iter().map(|word| json!(dollars(word))).collect()));
        }
        keys.append(&mut self.service);
        let machines = self.is_machine.then(|| service.clone()).into_iter().collect();
        let text = written::compose_file(
            &[(service, keys)],
            &[("networks", &self.networks), ("volumes", &self.volumes)],
        );
        Composed { text, left_out: self.left_out, machines }
    }
}

fn unknown(word: &str) -> String {
    format!("`{}` is no flag of `docker run` that sdcompose knows", word.split('=').next().unwrap_or(word))
}

/// A shell has replaced variables already: what is left is text.
pub(super) fn dollars(text: &str) -> String {
    text.replace('$', "$$")
}
