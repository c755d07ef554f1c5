//! By which digest an image is known.

use hyper::Method;
use serde::Deserialize;

use super::errors::Purpose;
use super::path::Path;
use super::wire::bare;
use super::{DEADLINE, Docker};
use crate::engine::EngineError;

/// The answer of `GET /images/{name}/json`, as far as it matters here.
#[derive(Deserialize)]
struct Image {
    #[serde(rename = "RepoDigests")]
    digests: Option<Vec<String>>,
}

/// The answer of `GET /distribution/{name}/json`.
#[derive(Deserialize)]
struct Distribution {
    #[serde(rename = "Descriptor")]
    descriptor: Descriptor,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

impl Docker {
    /// Returns the digest (`sha256:…`) by which a registry has an image: as the engine knows it from a pull, else as
    /// the registry says. An image that was built here and never pushed has none.
    ///
    /// # Errors
    /// Neither knows the image, or the engine does not answer.
    pub async fn digest(&self, reference: &str) -> Result<String, EngineError> {
        let here = bare(Method::GET, &Path::of(&["images", reference, "json"]));
        if let Ok(Image { digests: Some(digests) }) = self.wire.json(here, DEADLINE).await
            && let Some(digest) = of_repository(&digests, reference)
        {
            return Ok(digest);
        }
        let there = bare(Method::GET, &Path::of(&["distribution", reference, "json"]));
        let found: Result<Distribution, _> = self.wire.json(there, DEADLINE).await;
        let what = format!("ask for the digest of image {reference}");
        found
            .map(|found| found.descriptor.digest)
            .map_err(|trouble| trouble.of(&self.endpoint, Purpose::Pull, what))
    }
}

/// The digest in the repository that a reference names; an image may be known by others.
fn of_repository(digests: &[String], reference: &str) -> Option<String> {
    let wanted = repository(reference);
    digests.iter().find_map(|known| {
        let (name, digest) = known.split_once('@')?;
        (repository(name) == wanted).then(|| digest.to_owned())
    })
}

/// A reference without tag, digest, and what every engine adds to short names.
fn repository(reference: &str) -> &str {
    let name = reference.split_once('@').map_or(reference, |(name, _)| name);
    let name = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        Some(_) | None => name,
    };
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_repository_that_was_asked_for() {
        let digests = ["mirror.local:5000/nginx@sha256:aa".to_owned(), "nginx@sha256:bb".to_owned()];
        assert_eq!(of_repository(&digests, "docker.io/library/nginx:1.25").as_deref(), Some("sha256:bb"));
        assert_eq!(of_repository(&digests, "mirror.local:5000/nginx").as_deref(), Some("sha256:aa"));
        assert_eq!(of_repository(&digests, "redis"), None);
    }
}
