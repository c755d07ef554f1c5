//! The simulated engine answers as real ones were measured to: Docker 20.10.24 and Podman 4.3.1.

use super::*;
use crate::container::{JoinSpec, MountSpec, MountSpecSource};
use crate::project::{RestartPolicy, VolumeOptions};

const A: &str = "shop-a-1";
const B: &str = "shop-b-1";

fn sim(kind: EngineKind) -> Sim {
    let sim = Sim::new(Facts { engine: kind, ..docker_on_v2() });
    sim.known_image("plain", Script::plain());
    sim.known_image(
        "machine",
        Script::machine().unit(ScriptUnit::named("app.service", 700).after("basic.target")),
    );
    for call in [
        Call::CreateNetwork(Box::new(sample::network("shop", "shop_default"))),
        Call::CreateContainer(Box::new(sample::plain("shop", A))),
    ] {
        sim.tamper(&call).unwrap();
    }
    sim
}

fn name(name: &str) -> String {
    name.to_owned()
}

/// The answer in one word.
fn answer(sim: &Sim, call: &Call) -> String {
    match sim.tamper(call) {
        Ok(Done::Created { id: _ }) => "created".to_owned(),
        Ok(done) => format!("{done:?}").to_lowercase(),
        Err(EngineError::Refused { kind, .. }) => format!("{kind:?}"),
        Err(error) => format!("{error}"),
    }
}

fn start(container: &str) -> Call {
    Call::Start { container: name(container) }
}

fn stop(container: &str) -> Call {
    Call::Stop { container: name(container), grace: Duration::from_secs(10) }
}

fn remove(container: &str, force: bool) -> Call {
    Call::Remove { container: name(container), volumes: true, force }
}

fn rename(to: &str) -> Call {
    Call::Rename { container: name(A), to: name(to) }
}

type Row = (&'static str, fn(&Sim), Call, &'static str, &'static str);

/// State, how it came to be, call, Docker's answer, Podman's answer.
fn table() -> Vec<Row> {
    fn nothing(_: &Sim) {}
    fn running(sim: &Sim) {
        sim.tamper(&start(A)).unwrap();
    }
    fn paused(sim: &Sim) {
        running(sim);
        sim.pause(A);
    }
    fn two(sim: &Sim) {
        sim.tamper(&Call::CreateContainer(Box::new(sample::plain("shop", B)))).unwrap();
    }
    fn dead(sim: &Sim) {
        sim.half_remove(A);
    }
    let again = Call::CreateContainer(Box::new(sample::plain("shop", A)));
    let mut absent_image = sample::plain("shop", B);
    absent_image.image = name("absent");
    let join = |network: &str| JoinSpec { network: name(network), ..JoinSpec::default() };
    vec![
        ("created", nothing, again, "NameTaken", "NameTaken"),
        ("created", nothing, Call::CreateContainer(Box::new(absent_image)), "NotFound", "NotFound"),
        ("created", nothing, start(A), "nothing", "nothing"),
        ("running", running, start(A), "already", "already"),
        ("paused", paused, start(A), "Conflict", "Conflict"),
        ("dead", dead, start(A), "Conflict", "Conflict"),
        ("absent", nothing, start(B), "NotFound", "NotFound"),
        ("created", nothing, stop(A), "already", "already"),
        ("paused", paused, stop(A), "nothing", "Internal"),
        ("dead", dead, stop(A), "already", "already"),
        ("absent", nothing, stop(B), "NotFound", "NotFound"),
        ("running", running, remove(A, false), "Conflict", "Conflict"),
        ("running", running, remove(A, true), "nothing", "nothing"),
        ("dead", dead, remove(A, true), "nothing", "nothing"),
        ("absent", nothing, remove(B, true), "already", "already"),
        ("two", two, rename(B), "NameTaken", "NameTaken"),
        ("created", nothing, rename(A), "Invalid", "nothing"),
        ("dead", dead, rename(B), "nothing", "nothing"),
        ("running", running, Call::Unpause { container: name(A) }, "Internal", "Internal"),
        ("paused", paused, Call::Unpause { container: name(A) }, "nothing", "nothing"),
        ("created", nothing, Call::Kill { container: name(A), signal: None }, "Conflict", "Conflict"),
        (
            "created",
            nothing,
            Call::Connect { container: name(A), join: Box::new(join("shop_default")) },
            "Conflict",
            "Conflict",
        ),
        ("running", running, Call::RemoveNetwork { network: name("shop_default") }, "Conflict", "Conflict"),
        ("created", nothing, Call::RemoveNetwork { network: name("shop_default") }, "nothing", "nothing"),
        ("created", nothing, Call::RemoveNetwork { network: name("other") }, "already", "already"),
        ("created", nothing, Call::RemoveVolume { volume: name("other") }, "already", "already"),
        (
            "created",
            nothing,
            Call::Pull { reference: name("absent"), platform: None },
            "Registry",
            "Registry",
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn calls_are_answered_as_docker_and_podman_answer_them() {
    for (state, make, call, docker, podman) in table() {
        for (kind, expected) in [(EngineKind::Docker, docker), (EngineKind::Podman, podman)] {
            let sim = sim(kind);
            make(&sim);
            assert_eq!(answer(&sim, &call), expected, "{} of {state} on {kind}", calls::words(&call));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_lands_although_its_caller_has_gone() {
    let sim = sim(EngineKind::Docker);
    sim.tamper(&start(A)).unwrap();
    let call = stop(A);
    let given_up =
        tokio::time::timeout(Duration::from_millis(100), sim.perform(&call, Arc::new(|_| ()))).await;
    assert!(given_up.is_err());
    assert!(sim.text().contains("shop-a-1 running"));
    sleep(Duration::from_secs(1)).await;
    assert!(sim.text().contains("shop-a-1 exited"), "{}", sim.text());
}

#[tokio::test(start_paused = true)]
async fn a_container_that_ignores_its_stop_signal_is_killed_after_the_grace() {
    let sim = sim(EngineKind::Docker);
    sim.script_of(A, Script { stop_takes: Duration::from_secs(60), ..Script::plain() });
    sim.tamper(&start(A)).unwrap();
    let began = Instant::now();
    sim.perform(&stop(A), Arc::new(|_| ())).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_millis(10_005));
    let last = sim.history().pop().unwrap();
    assert_eq!(last.1.action, "die 137");
}

#[tokio::test(start_paused = true)]
async fn a_restart_policy_starts_again_what_ended_by_itself_and_not_what_was_stopped() {
    let sim = sim(EngineKind::Docker);
    sim.script_of(A, Script::plain().ends(1000, 1, &[]));
    sim.tamper(&Call::SetRestart { container: name(A), policy: RestartPolicy::Always }).unwrap();
    sim.tamper(&start(A)).unwrap();
    sleep(Duration::from_millis(3500)).await;
    assert!(sim.text().contains("shop-a-1 running"), "{}", sim.text());
    let ends = sim.history().iter().filter(|(_, event)| event.action == "die 1").count();
    assert_eq!(ends, 3);
    sim.tamper(&stop(A)).unwrap();
    sleep(Duration::from_secs(10)).await;
    assert!(sim.text().contains("shop-a-1 exited"), "{}", sim.text());
}

#[tokio::test(start_paused = true)]
async fn a_volume_of_the_same_name_is_kept_and_an_anonymous_one_goes_with_its_last_user() {
    let sim = sim(EngineKind::Docker);
    let mut spec = sample::plain("shop", B);
    spec.mounts.push(MountSpec {
        target: name("/a"),
        source: MountSpecSource::Anonymous(VolumeOptions::default()),
        read_only: false,
    });
    let named = MountSpecSource::Volume { name: name("shop_data"), options: VolumeOptions::default() };
    spec.mounts.push(MountSpec { target: name("/b"), source: named, read_only: false });
    sim.tamper(&Call::CreateContainer(Box::new(spec))).unwrap();
    let scope = Scope { project: name("shop"), ..Scope::default() };
    let observed = sim.observe(&scope).await.unwrap();
    let anonymous = observed.containers[1].volumes["/a"].clone();
    let data = sim.volume_serial("shop_data");
    sim.tamper(&remove(B, true)).unwrap();
    assert_eq!(sim.volume_serial(&anonymous), None);
    assert_eq!(sim.volume_serial("shop_data"), data);
}

#[tokio::test(start_paused = true)]
async fn a_machine_tells_how_its_boot_goes_on() {
    let sim = sim(EngineKind::Docker);
    sim.tamper(&Call::CreateContainer(Box::new(sample::machine("shop", B)))).unwrap();
    let follower = sim.clone();
    let follow = async {
        let mut told = Vec::new();
        let mut signals = follower.signals(B);
        while let Some(Ok(signal)) = signals.next().await {
            told.push(match signal {
                Signal::Booting { done, line } => format!("{done} {line}"),
                Signal::Exited { code, .. } => format!("exited {code}"),
                other @ (Signal::Running | Signal::NotStarted | Signal::Ready | Signal::Health(_)) => {
                    format!("{other:?}")
                }
            });
        }
        told
    };
    let act = async {
        sleep(Duration::from_secs(1)).await;
        sim.tamper(&Call::Put { container: name(B), files: sample::machine("shop", B).files }).unwrap();
        sim.tamper(&start(B)).unwrap();
        sleep(Duration::from_secs(2)).await;
        sim.tamper(&stop(B)).unwrap();
    };
    let (told, ()) = tokio::join!(follow, act);
    assert_eq!(
        told,
        [
            "NotStarted",
            "Running",
            "1 Started basic.target - The unit basic.target.",
            "2 Started app.service - The unit app.service.",
            "Ready",
            "exited 0",
        ]
    );
    assert_eq!(sim.violations(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_may_never_be_done_is_noted() {
    let sim = sim(EngineKind::Docker);
    sim.foreign_container("other", sample::plain("other", "other-x-1"));
    let mut foreign = sample::plain("shop", "shop-x-1");
    foreign.labels.clear();
    sim.foreign_container("shop-x-1", foreign);
    sim.foreign_volume("precious");
    let show: Show = Arc::new(|_| ());
    let mut twin = sample::plain("shop", A);
    twin.name = name("shop-a-twin");
    let mut machine = sample::machine("shop", B);
    machine.name = name(B);
    for call in [
        remove("shop-x-1", true),
        Call::RemoveVolume { volume: name("precious") },
        Call::CreateContainer(Box::new(twin)),
        start(A),
        start("shop-a-twin"),
        Call::CreateContainer(Box::new(machine)),
        start(B),
    ] {
        sim.perform(&call, Arc::clone(&show)).await.unwrap();
    }
    sim.exec(B, &ExecSpec::of(&["systemctl", "is-system-running"])).await.unwrap();
    assert_eq!(
        sim.violations().join("\n"),
        "\
remove shop-x-1 touches what is not of any project
remove volume precious touches what is not of any project
shop-a-1 and shop-a-twin run at the same time
shop-b-1 was started half-made
run systemctl is-system-running in shop-b-1: before its boot made progress"
    );
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_comes_back() {
    let sim = sim(EngineKind::Docker);
    sim.fault_at(0, Fault::Away(Duration::from_secs(3)));
    assert!(matches!(sim.facts().await, Err(EngineError::Unreachable { .. })));
    sleep(Duration::from_secs(2)).await;
    assert!(sim.facts().await.is_err());
    sleep(Duration::from_secs(1)).await;
    assert!(sim.facts().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn events_and_logs_are_told() {
    let sim = sim(EngineKind::Docker);
    let mut events = sim.watch("shop");
    sim.tamper(&start(A)).unwrap();
    let event = events.next().await.unwrap().unwrap();
    assert_eq!((event.name.as_str(), event.action.as_str()), (A, "start"));
    sim.script_of(A, Script::plain().ends(1000, 3, &["alas"]));
    let query = LogQuery { follow: true, ..LogQuery::default() };
    let lines: Vec<_> = sim.logs(A, &query).collect().await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].as_ref().unwrap().text, "alas");
}
