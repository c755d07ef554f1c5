//! What verbs stand on: the project from its files, the engine, an observation.

#![expect(clippy::disallowed_methods, reason = "passes the environment and the directory on as arguments")]

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anstream::{AutoStream, ColorChoice};
use etcetera::BaseStrategy;

use crate::cli::{Global, terminal};
use crate::container::{names, spec};
use crate::diagnostic::{Diagnostic, Severity, Sources};
use crate::engine::Engine;
use crate::engine::docker::Docker;
use crate::engine::docker::endpoint::{Endpoint, Surroundings};
use crate::error::Error;
use crate::load::{self, Disk, LoadOptions, Loaded};
use crate::manifest::{AsWritten, Manifest};
use crate::observed::{Observed, Scope};
use crate::project::name::is_project;
use crate::project::{MountSource, Project, PullPolicy, Service, resolve};
use crate::report::diagnostics::{self, Style};

/// A project together with the files that it came from.
pub(super) struct Opened {
    pub(super) manifest: Manifest,
    pub(super) project: Project,
}

/// Reads the project. Warnings are printed; errors, all of them, are the error.
pub(super) fn project(global: &Global, services: &[String]) -> Result<Opened, Error> {
    let (opened, warnings, sources) = quietly(global, services)?;
    warn(&warnings, &sources);
    Ok(opened)
}

/// Tells of warnings on standard error.
pub(super) fn warn(warnings: &[Diagnostic], sources: &Sources) {
    if !warnings.is_empty() {
        // Nobody is left to tell where standard error is closed.
        let _ = write!(io::stderr(), "{}", rendered(warnings, sources));
    }
}

/// Reads the project without a word about warnings, which come back.
fn quietly(global: &Global, services: &[String]) -> Result<(Opened, Vec<Diagnostic>, Sources), Error> {
    let Looked { opened, found, sources } = look(global, AsWritten::default(), services)?;
    match opened {
        Some(opened) => Ok((opened, found, sources)),
        None => Err(wrong(global, &found, &sources)),
    }
}

/// What a look at a manifest gives.
pub(super) struct Looked {
    /// The project; `None` where an error was found.
    pub(super) opened: Option<Opened>,
    /// All that was found.
    pub(super) found: Vec<Diagnostic>,
    /// The texts that it speaks of.
    pub(super) sources: Sources,
}

impl Looked {
    /// Returns the project, and tells of warnings; errors, all of them, are the error.
    pub(super) fn opened(self, global: &Global) -> Result<Opened, Error> {
        let Self { opened, found, sources } = self;
        let Some(opened) = opened else { return Err(wrong(global, &found, &sources)) };
        warn(&found, &sources);
        Ok(opened)
    }
}

/// Looks at the manifest and judges nothing. Services that are named have their profiles switched on.
pub(super) fn look(global: &Global, as_written: AsWritten, services: &[String]) -> Result<Looked, Error> {
    let options = LoadOptions { as_written, named: services.to_vec(), ..options(global)? };
    let Loaded { mut manifest, diagnostics: mut found } = match load::load(&options) {
        Ok(loaded) => loaded,
        Err(failure) => {
            let load::Failure { sources, diagnostics } = *failure;
            return Ok(Looked { opened: None, found: diagnostics, sources });
        }
    };
    let (project, resolving) = resolve::resolve(&mut manifest, &Disk);
    let follows = |new: &Diagnostic| found.iter().any(|before| is_behind(new, before, &manifest.sources));
    let news: Vec<Diagnostic> = resolving.into_iter().filter(|new| !follows(new)).collect();
    found.extend(news);
    let failed = found.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let sources = manifest.sources.clone();
    let opened = project.filter(|_| !failed).map(|project| Opened { manifest, project });
    Ok(Looked { opened, found, sources })
}

/// Whether a finding only follows from an error that was found before at the same place, or on the same line: a key
/// is pointed at whose value is what is wrong.
fn is_behind(new: &Diagnostic, before: &Diagnostic, sources: &Sources) -> bool {
    let place = |found: &Diagnostic| found.labels.first().map(|label| label.span);
    let (Some(span), Some(error)) = (place(new), place(before)) else { return false };
    if before.severity != Severity::Error || span.source != error.source {
        return false;
    }
    let between = span.end.min(error.end) as usize..span.start.max(error.start) as usize;
    let text = sources.get(span.source).map_or("", |source| &source.text);
    between.is_empty() || text.get(between).is_some_and(|between| !between.contains('\n'))
}

/// Reads and merges the manifest with its variables as they are written; nothing is resolved.
pub(super) fn written(global: &Global) -> Result<Manifest, Error> {
    let as_written = AsWritten { variables: true, ..AsWritten::default() };
    let options = LoadOptions { as_written, ..options(global)? };
    match load::load(&options) {
        Ok(Loaded { manifest, diagnostics })
            if diagnostics.iter().all(|found| found.severity != Severity::Error) =>
        {
            Ok(manifest)
        }
        Ok(Loaded { manifest, diagnostics }) => Err(wrong(global, &diagnostics, &manifest.sources)),
        Err(failure) => Err(wrong(global, &failure.diagnostics, &failure.sources)),
    }
}

/// Makes the error of what was found; programs are told on standard output.
pub(super) fn wrong(global: &Global, diagnostics: &[Diagnostic], sources: &Sources) -> Error {
    if global.json {
        let line = crate::report::json::line(
            "diagnostics",
            serde_json::json!({ "diagnostics": diagnostics::to_json(diagnostics, sources) }),
        );
        // The text on standard error follows in any case.
        let _ = writeln!(io::stdout(), "{line}");
    }
    Error::Manifest(rendered(diagnostics, sources))
}

fn rendered(found: &[Diagnostic], sources: &Sources) -> String {
    let color = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    let width = terminal::size().map_or(100, |(columns, _)| usize::from(columns));
    diagnostics::render(found, sources, Style { color, width })
}

fn options(global: &Global) -> Result<LoadOptions, Error> {
    let current_dir =
        std::env::current_dir().map_err(|error| Error::local("cannot tell the current directory", error))?;
    // A variable that is not UTF-8 cannot be named in a manifest.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    Ok(LoadOptions {
        files: global.file.clone(),
        project_directory: global.project_directory.clone(),
        env_files: global.env_file.clone(),
        project_name: global.project_name.clone(),
        profiles: global.profile.clone(),
        named: Vec::new(),
        as_written: AsWritten::default(),
        variables,
        current_dir,
    })
}

/// An engine and a project in it.
pub(super) struct Ground {
    name: String,
    project: Option<Arc<Project>>,
    engine: Box<dyn Engine>,
}

impl Ground {
    /// Returns the project's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the project, where there is a manifest.
    pub(super) fn project(&self) -> Option<&Project> {
        self.project.as_deref()
    }

    /// Puts another project in the place of the manifest's: one with other numbers of replicas.
    pub(super) fn replace_project(&mut self, project: Arc<Project>) {
        self.project = Some(project);
    }

    /// Returns the engine.
    pub(super) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// Returns the names of the manifest's services, also of those that are switched off.
    pub(super) fn services(&self) -> Vec<String> {
        let Some(project) = &self.project else { return Vec::new() };
        project.services.keys().chain(&project.disabled).cloned().collect()
    }

    /// Takes a snapshot of the project.
    pub(super) async fn observe(&self) -> Result<Observed, Error> {
        let scope = match &self.project {
            Some(project) => scope(project),
            None => Scope { project: self.name.clone(), ..Scope::default() },
        };
        Ok(self.engine.observe(&scope).await?)
    }
}

/// Opens a project that is to run, and its engine; the manifest must be there, and nothing may stand in the way.
pub(super) fn to_run(global: &Global, services: &[String]) -> Result<(Ground, Arc<Project>), Error> {
    let (opened, mut found, sources) = quietly(global, services)?;
    let mut obstacles = found.iter_mut().filter(|found| found.severity == Severity::Obstacle).peekable();
    if obstacles.peek().is_some() {
        obstacles.for_each(|obstacle| obstacle.severity = Severity::Error);
        return Err(wrong(global, &found, &sources));
    }
    warn(&found, &sources);
    on_engine(global, opened.project)
}

/// Opens a project and its engine; the manifest must be there.
pub(super) fn with_project(global: &Global, services: &[String]) -> Result<(Ground, Arc<Project>), Error> {
    on_engine(global, self::project(global, services)?.project)
}

fn on_engine(global: &Global, project: Project) -> Result<(Ground, Arc<Project>), Error> {
    let project = Arc::new(project);
    let engine = Box::new(engine(global)?);
    let ground = Ground { name: project.name.clone(), project: Some(Arc::clone(&project)), engine };
    Ok((ground, project))
}

/// Opens a project and its engine. Where a name is given and there is no manifest, the labels of what is
/// there have to do.
pub(super) fn ground(global: &Global) -> Result<Ground, Error> {
    let named = global.project_name.clone().or_else(|| std::env::var("COMPOSE_PROJECT_NAME").ok());
    let (name, project) = match (quietly(global, &[]), named) {
        (Ok((opened, _, _)), _) => (opened.project.name.clone(), Some(Arc::new(opened.project))),
        (Err(Error::Manifest(_)), Some(name))
            if global.file.is_empty() && !name.is_empty() && no_manifest(global)? =>
        {
            if !is_project(&name) {
                return Err(Error::usage(format!("`{name}` is no name of a project"))
                    .help("lower-case letters, digits, `-` and `_`, the first a letter or a digit"));
            }
            (name, None)
        }
        (Err(error), _) => return Err(error),
    };
    Ok(Ground { name, project, engine: Box::new(engine(global)?) })
}

/// Whether the search for a manifest ends without one.
fn no_manifest(global: &Global) -> Result<bool, Error> {
    let found = load::load(&options(global)?);
    let missing = |diagnostic: &Diagnostic| diagnostic.what.starts_with("no manifest");
    Ok(found.is_err_and(|failure| failure.diagnostics.iter().any(missing)))
}

/// Returns what of an engine matters to a project.
pub(super) fn scope(project: &Project) -> Scope {
    let services = || project.services.values();
    Scope {
        project: project.name.clone(),
        images: services()
            .flat_map(|service| std::iter::once(service.image.reference()).chain(mounted_images(service)))
            .filter(|reference| !reference.is_empty())
            .map(str::to_owned)
            .collect(),
        aging: services()
            .filter(|service| matches!(service.pull_policy, PullPolicy::Every(_)))
            .map(|service| service.image.reference().to_owned())
            .collect(),
        volumes: project.volumes.keys().map(|key| spec::volume_name(project, key)).collect(),
        networks: project.networks.keys().map(|key| spec::network_name(project, key)).collect(),
        containers: services()
            .flat_map(|service| (1..=service.replicas).map(|index| names::container(project, service, index)))
            .collect(),
    }
}

/// The images whose files a service mounts.
fn mounted_images(service: &Service) -> impl Iterator<Item = &str> {
    service.mounts.iter().filter_map(|mount| match &mount.source {
        MountSource::Image { reference, subpath: _ } => Some(reference.as_str()),
        MountSource::Volume { .. }
        | MountSource::Anonymous(_)
        | MountSource::Bind { .. }
        | MountSource::Tmpfs { .. }
        | MountSource::NamedPipe(_)
        | MountSource::Cluster(_) => None,
    })
}

/// Makes the way to the engine; the first call shows whether it answers.
pub(super) fn engine(global: &Global) -> Result<Docker, Error> {
    Ok(Docker::connect(&endpoint(global)?, &state_dir()?)?)
}

/// Finds out which engine is meant.
pub(super) fn endpoint(global: &Global) -> Result<Endpoint, Error> {
    Ok(Endpoint::find(global.host.as_deref(), &Surroundings::of_process())?)
}

/// Returns the directory that keeps what must outlive a reboot: sockets that machines are bound to, locks.
pub(super) fn state_dir() -> Result<PathBuf, Error> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(dir) = set("SDCOMPOSE_STATE_DIR") {
        return Ok(dir);
    }
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/sdcompose"));
    }
    let home = etcetera::choose_base_strategy().map_err(|error| {
        Error::local("cannot tell where state is kept", io::Error::other(error.to_string()))
            .help("set HOME, XDG_STATE_HOME or SDCOMPOSE_STATE_DIR")
    })?;
    let state = home.state_dir().unwrap_or_else(|| home.home_dir().join(".local/state"));
    Ok(state.join("sdcompose"))
}
