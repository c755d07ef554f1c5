//! `up`.

#![expect(clippy::disallowed_methods, reason = "an attached `up` shows logs from when it began")]

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::cli::confirm::{self, About};
use crate::cli::interrupt::Interrupts;
use crate::cli::open::{self, Ground};
use crate::cli::perform::{carry_out, carry_out_until, joined, shown};
use crate::cli::{Global, lock, logs, seconds, select};
use crate::error::Error;
use crate::facts::Facts;
use crate::observed::Observed;
use crate::plan::change::{self, ChangeOptions};
use crate::plan::{Plan, up};
use crate::project::{NetworkChoice, Port, Project};

/// Arguments of `up`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of the command line")]
#[command(after_help = "Examples:
  sdcompose up                       Start all, show their logs; Ctrl-C stops all
  sdcompose up -d                    Start all and return when they are ready
  sdcompose up -d web                One service, and what it depends on
  sdcompose up -d --scale app=3      Three replicas of a service
  sdcompose up --dry-run             Show the plan and do nothing

Machines are awaited in any case: until systemd inside says that its boot is done.")]
pub(super) struct Args {
    /// Services to start [default: all]; what they depend on comes along
    services: Vec<String>,
    /// Return when all is ready, instead of showing logs
    #[arg(short, long)]
    detach: bool,
    /// Wait for plain containers as well, until they run or are healthy; implies `-d`
    #[arg(long)]
    wait: bool,
    /// Longest time to wait, for everything together
    #[arg(long, value_name = "SECONDS")]
    wait_timeout: Option<u64>,
    /// Do not start what the services depend on
    #[arg(long)]
    no_deps: bool,
    /// Replace containers also where nothing changed
    #[arg(long, conflicts_with = "no_recreate")]
    force_recreate: bool,
    /// Replace nothing, also where something changed
    #[arg(long)]
    no_recreate: bool,
    /// Make containers without starting them
    #[arg(long, conflicts_with_all = ["wait", "detach"])]
    no_start: bool,
    /// Give replaced containers new anonymous volumes
    #[arg(short = 'V', long)]
    renew_anon_volumes: bool,
    /// Remove containers of services that are not in the manifest
    #[arg(long)]
    remove_orphans: bool,
    /// Build images first
    #[arg(long)]
    build: bool,
    /// Pull images first: `always`; or as the manifest says
    #[arg(long, value_name = "WHEN", value_parser = ["always", "missing", "policy"])]
    pull: Option<String>,
    /// Number of containers of a service, over what the manifest says
    #[arg(long, value_name = "SERVICE=N", value_parser = scale)]
    scale: Vec<(String, u32)>,
    /// Time that containers get to stop
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Do not ask before something is lost
    #[arg(short, long)]
    yes: bool,
    /// Take over containers that were started from another directory
    #[arg(long)]
    any_directory: bool,
    /// Look into each container, and set right what somebody else changed of it
    #[arg(long)]
    drift: bool,
}

fn scale(text: &str) -> Result<(String, u32), String> {
    let (service, count) = text.split_once('=').ok_or("write SERVICE=N")?;
    let count = count.parse().map_err(|_| format!("`{count}` is no number of containers"))?;
    Ok((service.to_owned(), count))
}

impl Args {
    fn options(&self) -> up::UpOptions {
        up::UpOptions {
            services: self.services.clone(),
            no_deps: self.no_deps,
            force_recreate: self.force_recreate,
            no_recreate: self.no_recreate,
            remove_orphans: self.remove_orphans,
            build: self.build,
            pull: self.pull.as_deref() == Some("always"),
            wait: self.wait,
            start: !self.no_start,
            renew_anonymous: self.renew_anon_volumes,
            stop_timeout: self.timeout,
            any_directory: self.any_directory,
            drift: self.drift,
            now: now(),
        }
    }
}

/// How often it is tried to do what a new look asks for.
const TURNS: usize = 3;

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Makes a project run as its manifest says.
pub(super) async fn run(global: &Global, args: &Args) -> Result<(), Error> {
    let (mut ground, mut project) = open::to_run(global, &args.services)?;
    select::of_project(&project, &args.services)?;
    if !args.scale.is_empty() {
        scaled(Arc::make_mut(&mut project), &args.scale)?;
        ground.replace_project(Arc::clone(&project));
    }
    let options = args.options();
    if global.dry_run {
        let (facts, observed) = look(&ground, &project, &options).await?;
        return shown(global, &whole_plan(&project, &facts, &observed, &options)?);
    }
    let began = SystemTime::now();
    let interrupts = Interrupts::listen()?;
    let lock = lock::take(global, &ground, "up", &interrupts).await?;
    let brought_up = bring_up(global, &ground, &project, args, &interrupts).await;
    drop(lock);
    if args.detach || args.wait || args.no_start {
        return brought_up;
    }
    match brought_up {
        // What began to start is stopped as what runs would be; who pressed twice wants nothing but to get away.
        Err(Error::Interrupted(_)) if interrupts.count() == 1 => {
            return wind_down(global, &ground, args, &interrupts).await;
        }
        brought_up => brought_up?,
    }
    attached(global, &ground, args, began, &interrupts).await
}

/// Puts `--scale` in the place of what the manifest says.
fn scaled(project: &mut Project, scale: &[(String, u32)]) -> Result<(), Error> {
    for (name, count) in scale {
        select::of_project(project, std::slice::from_ref(name))?;
        let Some(service) = project.services.get_mut(name) else { continue };
        if *count > 1 && service.container_name.is_some() {
            return Err(Error::usage(format!("--scale: `{name}` has a fixed `container_name`"))
                .help("remove `container_name` to have several containers"));
        }
        let joins = matches!(service.network, NetworkChoice::Join(_));
        let narrow = |port: &&Port| {
            port.published
                .is_some_and(|host| host.first != 0 && u32::from(host.last - host.first) + 1 < *count)
        };
        if let Some(port) = service.ports.iter().find(narrow).filter(|_| joins) {
            return Err(Error::usage(format!(
                "--scale: {count} containers of `{name}` cannot share a host port for {}",
                port.target
            ))
            .help("leave the host port out, or give a range with one port for each replica"));
        }
        service.replicas = *count;
    }
    Ok(())
}

/// Asks the engine what it is and what it has, both at once; and looks closely where a plan depends on it.
pub(super) async fn look(
    ground: &Ground,
    project: &Project,
    options: &up::UpOptions,
) -> Result<(Facts, Observed), Error> {
    let (facts, observed) = tokio::join!(ground.engine().facts(), ground.observe());
    let (facts, mut observed) = (facts?, observed?);
    look_closer(ground, project, &facts, &mut observed, options).await?;
    Ok((facts, observed))
}

/// Looks closely at the containers that a plan depends on.
async fn look_closer(
    ground: &Ground,
    project: &Project,
    facts: &Facts,
    observed: &mut Observed,
    options: &up::UpOptions,
) -> Result<(), Error> {
    let unclear = up::unclear(project, facts, observed, options);
    if !unclear.is_empty() {
        observed.closer = ground.engine().closer(&unclear).await?;
    }
    Ok(())
}

/// Plans everything from one look, for showing it: what images will bring is not known yet.
pub(super) fn whole_plan(
    project: &Project,
    facts: &Facts,
    observed: &Observed,
    options: &up::UpOptions,
) -> Result<Plan, Error> {
    let images = up::images(project, facts, observed, options).map_err(Error::Refused)?;
    let plan = up::up(project, facts, observed, options).map_err(Error::Refused)?;
    Ok(joined(images, plan))
}

async fn bring_up(
    global: &Global,
    ground: &Ground,
    project: &Project,
    args: &Args,
    interrupts: &Interrupts,
) -> Result<(), Error> {
    let options = args.options();
    let deadline = args.wait_timeout.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let (facts, mut observed) = look(ground, project, &options).await?;
    let images = up::images(project, &facts, &observed, &options).map_err(Error::Refused)?;
    if !images.steps.is_empty() {
        // What is refused whatever the images hold is refused before one is pulled.
        up::up(project, &facts, &observed, &options).map_err(Error::Refused)?;
        carry_out_until(deadline, global, ground, &images, interrupts).await?;
        observed = ground.observe().await?;
        look_closer(ground, project, &facts, &mut observed, &options).await?;
    }
    let plan = up::up(project, &facts, &observed, &options).map_err(Error::Refused)?;
    confirm::losses(&plan, About::Everything, args.yes, interrupts).await?;
    carry_out_until(deadline, global, ground, &plan, interrupts).await?;
    if plan.steps.is_empty() {
        return Ok(());
    }
    let round = Round { deadline, global, ground, project, facts: &facts, options: &options, interrupts };
    round.converge(&plan).await
}

/// What is needed to look again after a plan was carried out.
struct Round<'a> {
    deadline: Option<Instant>,
    global: &'a Global,
    ground: &'a Ground,
    project: &'a Project,
    facts: &'a Facts,
    options: &'a up::UpOptions,
    interrupts: &'a Interrupts,
}

impl Round<'_> {
    /// Looks again: a call of a client that died may have landed meanwhile, and somebody else may have changed
    /// something. What that asks for is done; where it comes again and again, it is said.
    async fn converge(&self, done: &Plan) -> Result<(), Error> {
        // What was asked for is done; what is left is what differs.
        let options = up::UpOptions { wait: false, ..self.options.clone().settled() };
        let mut begun = done.begins();
        for _ in 0..TURNS {
            if self.interrupts.count() > 0 {
                return Err(Error::Interrupted(self.interrupts.kind()));
            }
            let mut observed = self.ground.observe().await?;
            look_closer(self.ground, self.project, self.facts, &mut observed, &options).await?;
            let plan = up::up(self.project, self.facts, &observed, &options).map_err(Error::Refused)?;
            if plan.leaves(&begun) {
                return Ok(());
            }
            if plan.steps.iter().any(|step| step.destroys.is_some()) {
                break;
            }
            carry_out_until(self.deadline, self.global, self.ground, &plan, self.interrupts).await?;
            begun.extend(plan.begins());
        }
        Err(Error::NotConverged)
    }
}

/// Names the services whose logs are shown, of those that were asked for: not those with `attach: false`. None
/// named means all; `None` means that there is nothing to show.
fn shown_services(project: Option<&Project>, asked: &[String]) -> Option<Vec<String>> {
    let services = || project.into_iter().flat_map(|project| project.services.values());
    if services().all(|service| service.attach) {
        return Some(asked.to_vec());
    }
    let wanted = |name: &String| asked.is_empty() || asked.contains(name);
    let shown: Vec<String> = services()
        .filter(|service| service.attach && wanted(&service.name))
        .map(|service| service.name.clone())
        .collect();
    (!shown.is_empty()).then_some(shown)
}

/// Shows logs until Ctrl-C, which stops the services.
async fn attached(
    global: &Global,
    ground: &Ground,
    args: &Args,
    began: SystemTime,
    interrupts: &Interrupts,
) -> Result<(), Error> {
    let observed = ground.observe().await?;
    let shown = shown_services(ground.project(), &args.services);
    let following = async {
        match &shown {
            Some(services) => logs::follow_from_now(ground, &observed, services, began, global.json).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        result = following => return result,
        // Also the one that came between two plans, when nothing was under way that it could have ended.
        () = interrupts.reach(1) => {}
    }
    wind_down(global, ground, args, interrupts).await
}

/// Stops the services in reverse order after a Ctrl-C that was just seen; the next one kills them, one more
/// leaves them as they are.
async fn wind_down(
    global: &Global,
    ground: &Ground,
    args: &Args,
    interrupts: &Interrupts,
) -> Result<(), Error> {
    let (before, kind) = (interrupts.count().saturating_sub(1), interrupts.kind());
    // Nobody is left to tell where standard error is closed.
    let _ = writeln!(anstream::stderr(), "\nstopping; Ctrl-C again kills, once more leaves all as it is");
    let chosen = ChangeOptions {
        services: args.services.clone(),
        stop_timeout: args.timeout,
        ..ChangeOptions::default()
    };
    let stopping = async {
        // Another process may have taken the project while the logs were shown. A kill does not wait for it.
        let _lock = lock::take(global, ground, "up", interrupts).await?;
        let observed = ground.observe().await?;
        let stop = change::stop(ground.project(), &observed, &chosen);
        carry_out(global, ground, &stop, interrupts).await
    };
    tokio::select! {
        // A stop that failed is told, and no reason to kill: that is for the second Ctrl-C to say, which may
        // also be what ended the stop.
        result = stopping => if interrupts.count() < before + 2 {
            return Err(result.err().unwrap_or(Error::Interrupted(kind)));
        },
        () = interrupts.reach(before + 2) => {}
    }
    let observed = ground.observe().await?;
    let kill = change::kill(&observed, &chosen, None);
    tokio::select! {
        result = carry_out(global, ground, &kill, interrupts) => { result?; }
        () = interrupts.reach(before + 3) => {}
    }
    Err(Error::Interrupted(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_that_are_not_attached_show_no_logs() {
        let mut project = crate::container::sketch::project("db\nweb\nlog");
        let asked = |project: &Project, text: &str| {
            let asked: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            shown_services(Some(project), &asked).map(|names| names.join(" "))
        };
        assert_eq!(asked(&project, "").as_deref(), Some(""));
        project.services["log"].attach = false;
        assert_eq!(asked(&project, "").as_deref(), Some("db web"));
        assert_eq!(asked(&project, "log db").as_deref(), Some("db"));
        assert_eq!(asked(&project, "log"), None);
    }

    #[test]
    fn a_scale_is_a_service_and_a_number() {
        assert_eq!(scale("app=3"), Ok(("app".to_owned(), 3)));
        assert!(scale("app").is_err());
        assert_eq!(scale("app=x"), Err("`x` is no number of containers".to_owned()));
    }
}
