//! What the engine can build. Its classic builder is the one that every engine has without a helper on this side
//! (`POST /build`, moby `api/server/router/build`); what only `BuildKit` does is refused before anything is built.

use std::path::Path;

use crate::project::{Build, BuildContext, Dockerfile, Service, build};
use crate::refusal::Refusal;

/// Returns how a service's image is built: for the service's own platform where the build names none.
#[must_use]
pub fn of(service: &Service, build: &Build) -> Box<Build> {
    let mut build = Box::new(build.clone());
    if build.platforms.is_empty() {
        build.platforms.extend(service.platform.clone());
    }
    build
}

/// Says what keeps a service's image from being built; empty where it can be.
#[must_use]
pub fn refusals(service: &str, build: &Build) -> Vec<Refusal> {
    let buildkit = needs_buildkit(build).into_iter().map(|(key, way_out)| {
        let what = format!("`build.{key}` needs BuildKit, and the engine's classic builder is used");
        Refusal::of(service, what).help(way_out).help(
            "or build the image by `docker buildx build`, and give the service its name by `image:` alone",
        )
    });
    buildkit.chain(of_context(service, build)).collect()
}

/// Keys that the classic builder has nothing for, each with a way out of its own.
fn needs_buildkit(build: &Build) -> Vec<(&'static str, &'static str)> {
    let wanted = |attestation: &Option<String>| attestation.as_deref().is_some_and(|text| text != "false");
    let all = [
        (
            !build.additional_contexts.is_empty(),
            "additional_contexts",
            "name the other image in the Dockerfile: `FROM IMAGE`, or `COPY --from=IMAGE`",
        ),
        (
            build.cache_from.iter().any(|entry| build::cache_image(entry).is_none()),
            "cache_from",
            "name an image, whose layers serve as cache",
        ),
        (!build.cache_to.is_empty(), "cache_to", "take it away: the engine keeps the layers by itself"),
        (
            !build.entitlements.is_empty(),
            "entitlements",
            "do in a unit of the machine what needs the privilege",
        ),
        (build.privileged, "privileged", "do in a unit of the machine what needs the privilege"),
        (
            wanted(&build.provenance),
            "provenance",
            "take it away: the image is then built without an attestation",
        ),
        (wanted(&build.sbom), "sbom", "take it away: the image is then built without an attestation"),
        (
            !build.secrets.is_empty(),
            "secrets",
            "fetch what needs the secret before the build, into its context",
        ),
        (!build.ssh.is_empty(), "ssh", "fetch what needs the key before the build, into its context"),
        (build.platforms.len() > 1, "platforms", "name one platform"),
    ];
    all.into_iter().filter(|(asked, ..)| *asked).map(|(_, key, way_out)| (key, way_out)).collect()
}

/// What the builder cannot fetch, or nobody would want to send.
fn of_context(service: &str, build: &Build) -> Option<Refusal> {
    match &build.context {
        BuildContext::Directory(path) => (path == Path::new("/")).then(|| {
            Refusal::of(service, "`build.context` is the root of the file system")
                .help("give the directory that holds the Dockerfile")
        }),
        BuildContext::Remote(text) if !is_fetched(text) => Some(
            Refusal::of(service, format!("the engine's classic builder does not fetch {text}"))
                .help("it fetches git://, git@HOST:, github.com/ and http(s)://; or clone it, and give the directory"),
        ),
        BuildContext::Remote(text) => match &build.dockerfile {
            Dockerfile::Inline(_) => Some(
                Refusal::of(
                    service,
                    format!("`dockerfile_inline` cannot be given to a build of {text}, which the engine fetches"),
                )
                .help("clone it, and give the directory; or take the Dockerfile that is there"),
            ),
            Dockerfile::Path(_) => None,
        },
    }
}

/// The contexts that the builder fetches by itself (moby `builder/remotecontext/urlutil`).
fn is_fetched(text: &str) -> bool {
    ["http://", "https://", "git://", "git@", "github.com/"].iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use crate::project::{BuildSecret, SshKey};

    use super::*;

    fn local() -> Build {
        Build::of(BuildContext::Directory("/srv/shop".into()))
    }

    fn remote(text: &str) -> Build {
        Build::of(BuildContext::Remote(text.to_owned()))
    }

    fn told(build: &Build) -> String {
        let refusals = refusals("web", build);
        refusals.into_iter().map(|refusal| refusal.what).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_the_classic_builder_does_is_not_refused() {
        let build = Build {
            cache_from: vec!["x:1".into(), "type=registry,ref=y:1".into()],
            platforms: vec!["linux/amd64".into()],
            provenance: Some("false".into()),
            sbom: Some("false".into()),
            tags: vec!["y".into()],
            shm_size: Some(1),
            ..local()
        };
        assert_eq!(told(&build), "");
        assert_eq!(told(&remote("https://host/x.git#main:sub")), "");
    }

    #[test]
    fn an_image_is_built_for_the_platform_that_its_service_runs_on() {
        let mut service = Service::plain("web", "x");
        service.platform = Some("linux/arm64".into());
        assert_eq!(of(&service, &local()).platforms, ["linux/arm64"]);
        let own = Build { platforms: vec!["linux/amd64".into()], ..local() };
        assert_eq!(of(&service, &own).platforms, ["linux/amd64"]);
    }

    #[test]
    fn what_only_buildkit_does_is_refused_all_at_once() {
        let build = Build {
            additional_contexts: [("a".to_owned(), "service:b".to_owned())].into(),
            cache_from: vec!["type=gha".into()],
            cache_to: vec!["x".into()],
            entitlements: vec!["network.host".into()],
            privileged: true,
            provenance: Some("mode=max".into()),
            sbom: Some("true".into()),
            secrets: vec![BuildSecret { source: "s".into(), ..BuildSecret::default() }],
            ssh: vec![SshKey { id: "default".into(), path: None }],
            platforms: vec!["linux/amd64".into(), "linux/arm64".into()],
            ..local()
        };
        let keys: Vec<&str> = needs_buildkit(&build).into_iter().map(|(key, _)| key).collect();
        assert_eq!(
            keys,
            [
                "additional_contexts",
                "cache_from",
                "cache_to",
                "entitlements",
                "privileged",
                "provenance",
                "sbom",
                "secrets",
                "ssh",
                "platforms"
            ]
        );
        let refusal = refusals("web", &build).remove(0);
        assert_eq!(
            refusal.what,
            "`build.additional_contexts` needs BuildKit, and the engine's classic builder is used"
        );
        assert_eq!(refusal.service.as_deref(), Some("web"));
    }

    #[test]
    fn a_context_that_cannot_be_had_is_refused() {
        assert_eq!(told(&remote("ssh://x/y")), "the engine's classic builder does not fetch ssh://x/y");
        let inline = Build { dockerfile: Dockerfile::Inline("FROM x".into()), ..remote("https://x/y.git") };
        assert!(
            told(&inline).starts_with("`dockerfile_inline` cannot be given to a build of https://x/y.git")
        );
        let root = Build::of(BuildContext::Directory("/".into()));
        assert_eq!(told(&root), "`build.context` is the root of the file system");
    }
}
