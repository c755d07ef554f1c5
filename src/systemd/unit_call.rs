//! Calls that change units: start, stop, restart, reload; and the commands for them (systemctl(1)).

use super::UnitName;

/// What is done with units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnitCall {
    /// They are started.
    Start,
    /// They are stopped.
    Stop,
    /// They are stopped and started; what does not run is started.
    Restart,
    /// The same, and what does not run stays so.
    TryRestart,
    /// They take their configuration anew where they can, and are restarted where they cannot.
    ReloadOrRestart,
}

impl UnitCall {
    /// Returns systemctl's own word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::TryRestart => "try-restart",
            Self::ReloadOrRestart => "reload-or-restart",
        }
    }

    /// Returns the command for some units, in one call, so that systemd orders them among themselves. Of a
    /// template all instances that are loaded are meant.
    #[must_use]
    pub fn command(self, units: &[UnitName]) -> Vec<String> {
        let mut command: Vec<String> = ["systemctl", self.as_str(), "--"].map(str::to_owned).into();
        command.extend(units.iter().map(|unit| match unit.as_str().split_once("@.") {
            Some((stem, suffix)) => format!("{stem}@*.{suffix}"),
            None => unit.as_str().to_owned(),
        }));
        command
    }
}

/// Returns the command that lets systemd read its files anew.
#[must_use]
pub fn reload_command() -> Vec<String> {
    ["systemctl", "daemon-reload"].map(str::to_owned).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_stands_for_its_instances() {
        let units = ["nginx.service", "worker@.service"].map(|name| UnitName::parse(name).unwrap());
        assert_eq!(
            UnitCall::TryRestart.command(&units).join(" "),
            "systemctl try-restart -- nginx.service worker@*.service"
        );
    }
}
