//! Tables for a terminal: columns without lines, as wide as the terminal allows. Also what `ps` shows.

use comfy_table::{Cell, ContentArrangement, Table, presets};
use serde_json::{Value, json};

use crate::observed::{Health, ObservedContainer, ObservedPort};
use crate::report::sanitize;
use crate::systemd::SystemState;

/// Lays out rows below a heading. `width` is the terminal's; without one nothing is folded.
#[must_use]
pub fn table(heading: &[&str], rows: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(40)),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(heading.iter().map(Cell::new));
    for row in rows {
        table.add_row(row.iter().map(|text| Cell::new(sanitize::lines(text))));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// One container, as `ps` shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct PsRow {
    /// What the engine says.
    pub container: ObservedContainer,
    /// What systemd inside says; `None` for plain containers and those that do not run.
    pub system: Option<System>,
}

/// What systemd inside a machine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum System {
    /// It answered.
    Said {
        /// The state of the whole system.
        state: SystemState,
        /// Units that failed.
        failed: Vec<String>,
    },
    /// It did not answer in time, or not in words that make sense; says why.
    Silent(String),
}

/// Returns the table of `ps`.
#[must_use]
pub fn ps(rows: &[PsRow], width: Option<u16>) -> String {
    let heading = ["NAME", "SERVICE", "STATE", "SYSTEM", "IMAGE", "PORTS"];
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let PsRow { container, system } = row;
            vec![
                container.name.clone(),
                container.labels.service.clone(),
                state(container),
                system.as_ref().map_or_else(|| "-".to_owned(), self::system),
                container.image.clone(),
                ports(&container.ports),
            ]
        })
        .collect();
    table(&heading, &rows, width)
}

fn state(container: &ObservedContainer) -> String {
    let health = match container.health {
        None => "",
        Some(Health::Starting) => " (health: starting)",
        Some(Health::Healthy) => " (healthy)",
        Some(Health::Unhealthy) => " (unhealthy)",
    };
    match container.exit_code {
        Some(code) => format!("{} ({code})", container.state.as_str()),
        None => format!("{}{health}", container.state.as_str()),
    }
}

fn system(system: &System) -> String {
    match system {
        System::Said { state, failed } if failed.is_empty() => state.to_string(),
        System::Said { state, failed } => format!("{state}: {}", failed.join(", ")),
        System::Silent(why) => why.clone(),
    }
}

/// Writes ports as Docker does, a range of neighbours as one: `127.0.0.1:8080->80/tcp`.
#[must_use]
pub fn ports(ports: &[ObservedPort]) -> String {
    let mut sorted = ports.to_vec();
    sorted.sort();
    sorted.dedup();
    let mut runs: Vec<(ObservedPort, u16)> = Vec::new();
    for port in sorted {
        match runs.last_mut() {
            Some((first, length)) if follows(first, *length, &port) => *length += 1,
            Some(_) | None => runs.push((port, 1)),
        }
    }
    runs.iter().map(|(first, length)| run(first, *length)).collect::<Vec<_>>().join(", ")
}

fn follows(first: &ObservedPort, length: u16, next: &ObservedPort) -> bool {
    let public = match (first.public, next.public) {
        (Some(first), Some(next)) => first.checked_add(length) == Some(next),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    public
        && first.private.checked_add(length) == Some(next.private)
        && first.ip == next.ip
        && first.protocol == next.protocol
}

fn run(first: &ObservedPort, length: u16) -> String {
    let range = |from: u16| match length {
        1 => from.to_string(),
        _ => format!("{from}-{}", from.saturating_add(length - 1)),
    };
    let ObservedPort { ip, private, public, protocol } = first;
    let inside = format!("{}/{protocol}", range(*private));
    match (public, ip.as_deref()) {
        (None, _) => inside,
        (Some(public), None | Some("")) => format!("{}->{inside}", range(*public)),
        (Some(public), Some(ip)) if ip.contains(':') => format!("[{ip}]:{}->{inside}", range(*public)),
        (Some(public), Some(ip)) => format!("{ip}:{}->{inside}", range(*public)),
    }
}

/// Returns one container of `ps` as JSON. The keys of Docker Compose's `ps --format json` keep their names;
/// `System` and `FailedUnits` come on top.
#[must_use]
pub fn ps_json(row: &PsRow) -> Value {
    let PsRow { container, system } = row;
    let health = match container.health {
        None => "",
        Some(Health::Starting) => "starting",
        Some(Health::Healthy) => "healthy",
        Some(Health::Unhealthy) => "unhealthy",
    };
    let publishers: Vec<Value> = container
        .ports
        .iter()
        .map(|port| {
            let ObservedPort { ip, private, public, protocol } = port;
            json!({
                "URL": ip.clone().unwrap_or_default(),
                "TargetPort": private,
                "PublishedPort": public.unwrap_or(0),
                "Protocol": protocol,
            })
        })
        .collect();
    let (state, failed, silent) = match system {
        None => (None, None, None),
        Some(System::Said { state, failed }) => (Some(state.to_string()), Some(failed.clone()), None),
        Some(System::Silent(why)) => (Some("unknown".to_owned()), None, Some(why.clone())),
    };
    json!({
        "ID": container.id,
        "Name": container.name,
        "Project": container.labels.project,
        "Service": container.labels.service,
        "Index": container.labels.index,
        "State": container.state.as_str(),
        "Status": container.status,
        "Health": health,
        "ExitCode": container.exit_code,
        "Image": container.image,
        "Ports": ports(&container.ports),
        "Publishers": publishers,
        "Networks": container.networks.keys().collect::<Vec<_>>(),
        "Created": container.created,
        "Machine": container.labels.machine.is_some(),
        "Systemd": container.labels.machine.as_ref().and_then(|machine| machine.version),
        "Privilege": container.labels.machine.as_ref().map(|machine| machine.profile.clone()),
        "System": state,
        "FailedUnits": failed,
        "SystemError": silent,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::labels::{ContainerLabels, MachineLabels};
    use crate::observed::ContainerState;

    fn port(ip: &str, public: Option<u16>, private: u16) -> ObservedPort {
        ObservedPort { ip: Some(ip.to_owned()), private, public, protocol: "tcp".to_owned() }
    }

    fn container(service: &str) -> ObservedContainer {
        ObservedContainer {
            id: "0123".to_owned(),
            name: format!("shop-{service}-1"),
            labels: ContainerLabels {
                project: "shop".to_owned(),
                service: service.to_owned(),
                index: 1,
                machine: Some(MachineLabels { version: Some(252), ..MachineLabels::default() }),
                ..ContainerLabels::default()
            },
            state: ContainerState::Running,
            status: "Up 3 minutes".to_owned(),
            image_id: "sha256:1".to_owned(),
            image: format!("shop/{service}:1"),
            created: 0,
            health: None,
            exit_code: None,
            ready_seen: true,

            applied: crate::observed::Applied::AsMade,
            networks: BTreeMap::new(),
            ports: vec![port("127.0.0.1", Some(8080), 80)],
            volumes: BTreeMap::new(),
        }
    }

    fn rows() -> Vec<PsRow> {
        let said = |state, failed: &[&str]| {
            Some(System::Said { state, failed: failed.iter().map(|&unit| unit.to_owned()).collect() })
        };
        let mut cache = container("cache");
        cache.labels.machine = None;
        cache.health = Some(Health::Healthy);
        cache.ports = Vec::new();
        let mut gone = container("gone");
        (gone.state, gone.exit_code) = (ContainerState::Exited, Some(137));
        vec![
            PsRow { container: container("db"), system: said(SystemState::Running, &[]) },
            PsRow { container: container("web"), system: said(SystemState::Degraded, &["nginx.service"]) },
            PsRow { container: cache, system: None },
            PsRow { container: gone, system: None },
        ]
    }

    #[test]
    fn ps_shows_the_system_and_its_failed_units() {
        insta::assert_snapshot!(ps(&rows(), None), @r"
        NAME          SERVICE  STATE              SYSTEM                   IMAGE         PORTS
        shop-db-1     db       running            running                  shop/db:1     127.0.0.1:8080->80/tcp
        shop-web-1    web      running            degraded: nginx.service  shop/web:1    127.0.0.1:8080->80/tcp
        shop-cache-1  cache    running (healthy)  -                        shop/cache:1
        shop-gone-1   gone     exited (137)       -                        shop/gone:1   127.0.0.1:8080->80/tcp
        ");
    }

    #[test]
    fn a_table_fits_its_terminal() {
        let text = ps(&rows(), Some(60));
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
        let text = ps(&rows(), Some(0));
        assert!(text.contains("NAME"), "{text}");
    }

    #[test]
    fn neighbouring_ports_are_one_range() {
        let list = [
            port("0.0.0.0", Some(3001), 3001),
            port("0.0.0.0", Some(3000), 3000),
            port("::", Some(80), 80),
            port("", None, 9000),
        ];
        assert_eq!(ports(&list), "9000/tcp, 0.0.0.0:3000-3001->3000-3001/tcp, [::]:80->80/tcp");
    }

    #[test]
    fn json_has_the_keys_of_compose_and_the_systems_state() {
        let row = ps_json(&rows()[1]);
        assert_eq!(row["Service"], "web");
        assert_eq!(row["System"], "degraded");
        assert_eq!(row["FailedUnits"][0], "nginx.service");
        assert_eq!(row["Publishers"][0]["PublishedPort"], 8080);
        assert_eq!(ps_json(&rows()[2])["System"], Value::Null);
    }
}
