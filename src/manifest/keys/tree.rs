//! The table as a tree, which a manifest is walked with.

use std::sync::LazyLock;

use super::{Key, compose, lifecycle, service, settings, systemd};

/// One place of the language.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// What the table says of it; none where only places below it are in the table.
    pub(super) key: Option<Key>,
    /// Keys of a mapping here, in the table's order.
    pub(super) fields: Vec<(&'static str, Place)>,
    /// Values of a mapping here whose keys the user chooses.
    pub(super) any: Option<Box<Place>>,
    /// Items of a list here.
    pub(super) item: Option<Box<Place>>,
}

impl Place {
    /// Returns the place of a key of a mapping here.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        self.fields.iter().find(|(other, _)| *other == name).map(|(_, place)| place)
    }

    fn at(&mut self, path: &mut dyn Iterator<Item = &'static str>) -> &mut Self {
        match path.next() {
            None => self,
            Some("*") => self.any.get_or_insert_default().at(path),
            Some("[]") => self.item.get_or_insert_default().at(path),
            Some(name) => {
                let found = self.fields.iter().position(|(other, _)| *other == name);
                let index = found.unwrap_or_else(|| {
                    self.fields.push((name, Self::default()));
                    self.fields.len() - 1
                });
                self.fields[index].1.at(path)
            }
        }
    }

    fn add(&mut self, prefix: &'static str, table: &'static [Key]) {
        for key in table {
            let prefix = prefix.split('.').filter(|name| !name.is_empty());
            self.at(&mut prefix.chain(key.path.split('.'))).key = Some(*key);
        }
    }
}

/// Returns the place of the whole manifest.
pub(super) fn root() -> &'static Place {
    static ROOT: LazyLock<Place> = LazyLock::new(|| {
        let mut root = Place::default();
        root.add("", compose::TOP);
        root.add("", compose::RESOURCES);
        root.add("", settings::MODELS);
        root.add("services.*", service::SERVICE);
        root.add("services.*", settings::SETTINGS);
        root.add("services.*", lifecycle::LIFECYCLE);
        root.add("services.*.networks.*", compose::ATTACHMENT);
        for at in ["systemd", "x-systemd", "services.*.systemd", "services.*.x-systemd"] {
            root.add(at, systemd::SYSTEMD);
        }
        root
    });
    &ROOT
}
