//! The words of systemd: unit names and states, exactly as systemd spells them.
//!
//! Sources: systemd.unit(5) for unit names, `src/basic/unit-def.c` and `src/shared/...` of systemd for the
//! state tables, systemctl(1) for the states of the whole system.

pub mod assignment;
pub mod defaults;
pub mod diagnosis;
pub mod journal;
pub mod privilege;
pub mod show;
pub mod unit_call;

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a unit, with its suffix: `nginx.service`, `getty@tty1.service`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnitName(String);

/// Why a text is not the name of a unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitNameError {
    /// There is no `.service`, `.socket`, … at the end.
    #[error("`{0}` has no unit suffix such as `.service`")]
    NoSuffix(String),
    /// The suffix is none that systemd knows.
    #[error("`.{suffix}` is not a kind of unit")]
    UnknownSuffix {
        /// What stands behind the last dot.
        suffix: String,
    },
    /// A character that systemd refuses in unit names.
    #[error("{0:?} is not allowed in a unit name")]
    BadCharacter(char),
    /// More than the 255 characters of systemd's `UNIT_NAME_MAX`.
    #[error("a unit name has at most 255 characters")]
    TooLong,
    /// Nothing stands before the suffix.
    #[error("a unit name needs something before its suffix")]
    Empty,
}

/// The suffixes of units (systemd.unit(5)).
pub const UNIT_SUFFIXES: [&str; 11] = [
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
];

impl UnitName {
    /// Checks a text by systemd's rules (`unit_name_is_valid`).
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, UnitNameError> {
        if text.chars().count() > 255 {
            return Err(UnitNameError::TooLong);
        }
        if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || ":-_.\\@".contains(*c))) {
            return Err(UnitNameError::BadCharacter(bad));
        }
        let Some((stem, suffix)) = text.rsplit_once('.') else {
            return Err(UnitNameError::NoSuffix(text.to_owned()));
        };
        if !UNIT_SUFFIXES.contains(&suffix) {
            return Err(UnitNameError::UnknownSuffix { suffix: suffix.to_owned() });
        }
        if stem.is_empty() || stem.starts_with('@') {
            return Err(UnitNameError::Empty);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns `multi-user.target`, in which a system without a screen is fully up (systemd.special(7)).
    #[must_use]
    pub fn multi_user_target() -> Self {
        Self("multi-user.target".to_owned())
    }

    /// Returns the whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what stands behind the last dot.
    #[must_use]
    pub fn suffix(&self) -> &str {
        self.0.rsplit_once('.').map_or("", |(_, suffix)| suffix)
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Declares an enum of systemd words that keeps an unknown word instead of failing.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that this version of sdcompose does not know, kept as it came.
            Other(String),
        }

        impl $name {
            /// Reads systemd's word.
            #[must_use]
            pub fn parse(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }

            /// Returns systemd's word.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words! {
    /// The state of a whole system: what `systemctl is-system-running` prints (systemctl(1)).
    SystemState {
        /// Early bootup, before `basic.target`.
        Initializing = "initializing",
        /// Late bootup, the job queue is not empty for the first time yet.
        Starting = "starting",
        /// Fully operational.
        Running = "running",
        /// Operational, and one or more units failed.
        Degraded = "degraded",
        /// The rescue or emergency target is active.
        Maintenance = "maintenance",
        /// The manager is shutting down.
        Stopping = "stopping",
        /// The manager is not running as the system's.
        Offline = "offline",
        /// The manager could not be asked.
        Unknown = "unknown",
    }
}

words! {
    /// `LoadState=` of a unit.
    LoadState {
        /// The file has not been read.
        Stub = "stub",
        /// The file was read.
        Loaded = "loaded",
        /// There is no such file.
        NotFound = "not-found",
        /// The file has a setting that systemd refuses.
        BadSetting = "bad-setting",
        /// The file could not be read.
        Error = "error",
        /// The unit was merged into another one.
        Merged = "merged",
        /// The unit is masked.
        Masked = "masked",
    }
}

words! {
    /// `ActiveState=` of a unit.
    ActiveState {
        /// Started, bound, plugged in, …
        Active = "active",
        /// Active, and reloading its configuration.
        Reloading = "reloading",
        /// Stopped, unbound, …
        Inactive = "inactive",
        /// Stopped by a failure.
        Failed = "failed",
        /// On the way from inactive to active.
        Activating = "activating",
        /// On the way from active to inactive.
        Deactivating = "deactivating",
        /// A maintenance operation is in progress.
        Maintenance = "maintenance",
        /// Active, and a refresh is in progress.
        Refreshing = "refreshing",
    }
}
