use std::collections::BTreeMap;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;

use super::*;

fn build(context: &FilePath, dockerfile: Dockerfile) -> Build {
    Build { dockerfile, ..Build::of(BuildContext::Directory(context.to_owned())) }
}

fn open(build: &Build) -> Result<Context, String> {
    match &build.context {
        BuildContext::Directory(root) => Context::open(build, root),
        BuildContext::Remote(text) => panic!("{text}"),
    }
}

/// Packs a context and lists what is in it, with what was said on the way.
fn packed(build: &Build) -> (Vec<String>, Vec<Progress>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let show: Show = {
        let said = said.clone();
        Arc::new(move |progress| said.lock().unwrap().push(progress))
    };
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    let context = open(build).unwrap();
    let packing = std::thread::spawn(move || context.pack(Sink::new(sender), &show).unwrap());
    let mut bytes = Vec::new();
    while let Some(frame) = receiver.blocking_recv() {
        bytes.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    packing.join().unwrap();
    let entries = tar::Archive::new(bytes.as_slice())
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            assert_eq!(entry.header().mtime().unwrap(), 0);
            let link = entry.link_name().unwrap().map(|target| format!(" -> {}", target.display()));
            format!("{}{}", entry.path().unwrap().display(), link.unwrap_or_default())
        })
        .collect();
    let said = said.lock().unwrap().clone();
    (entries, said)
}

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory
}

#[test]
fn a_context_keeps_links_leaves_sockets_out_and_obeys_its_ignore_file() {
    let directory = tree(&[
        ("Dockerfile", "FROM x"),
        (".dockerignore", "Dockerfile\n.dockerignore\n*.log\nnode\n!node/keep"),
        ("a.log", ""),
        ("src/main", ""),
        ("node/keep/it", ""),
        ("node/drop", ""),
    ]);
    std::os::unix::fs::symlink("nowhere", directory.path().join("link")).unwrap();
    let _socket = UnixListener::bind(directory.path().join("socket")).unwrap();
    let (entries, said) = packed(&build(directory.path(), Dockerfile::Path("Dockerfile".into())));
    assert_eq!(
        entries,
        [".dockerignore", "Dockerfile", "link -> nowhere", "node/keep/", "node/keep/it", "src/", "src/main"]
    );
    assert_eq!(
        said,
        [Progress::Line(format!("{}/socket is no file and is left out", directory.path().display()))]
    );
}

#[test]
fn a_dockerfile_in_the_manifest_or_outside_comes_in_under_a_name_of_its_own() {
    let directory = tree(&[("in/a", ""), ("Dockerfile", "FROM y")]);
    let context = directory.path().join("in");
    let (entries, _) = packed(&build(&context, Dockerfile::Inline("FROM x".into())));
    assert_eq!(entries.len(), 2);
    assert!(entries[1].starts_with(".sdcompose-") && entries[1].ends_with(".Dockerfile"), "{entries:?}");
    let (entries, _) = packed(&build(&context, Dockerfile::Path(directory.path().join("Dockerfile"))));
    assert!(entries[1].starts_with(".sdcompose-"), "{entries:?}");
    let (entries, _) = packed(&build(&context, Dockerfile::Path("../Dockerfile".into())));
    assert!(entries[1].starts_with(".sdcompose-"), "{entries:?}");
}

#[test]
fn a_dockerfiles_own_ignore_file_comes_before_the_contexts() {
    let directory = tree(&[
        ("x.Dockerfile", ""),
        ("x.Dockerfile.dockerignore", "b"),
        (".dockerignore", "a"),
        ("a", ""),
        ("b", ""),
    ]);
    let (entries, _) = packed(&build(directory.path(), Dockerfile::Path("x.Dockerfile".into())));
    assert_eq!(entries, [".dockerignore", "a", "x.Dockerfile", "x.Dockerfile.dockerignore"]);
}

#[test]
fn what_is_missing_is_named() {
    let directory = tree(&[("a", "")]);
    let missing = |build: Build| open(&build).map(|_| ()).unwrap_err();
    let shown = missing(build(directory.path(), Dockerfile::Path("Dockerfile".into())));
    assert_eq!(shown, format!("there is no Dockerfile at {}/Dockerfile", directory.path().display()));
    let shown = missing(build(&directory.path().join("a"), Dockerfile::Inline(String::new())));
    assert_eq!(shown, format!("{}/a is no directory", directory.path().display()));
}

#[test]
fn what_was_asked_for_reaches_the_builder() {
    let asked = Build {
        args: IndexMap::from([("A".into(), "b c".into())]),
        target: Some("last".into()),
        labels: IndexMap::from([("l".into(), "1".into())]),
        network: Some("host".into()),
        no_cache: true,
        pull: true,
        tags: vec!["me:latest".into()],
        cache_from: vec!["x:1".into(), "type=registry,ref=y:1".into()],
        extra_hosts: vec![("h".into(), "1.2.3.4".into()), ("i".into(), "::1".into())],
        isolation: Some("default".into()),
        platforms: vec!["linux/amd64".into()],
        shm_size: Some(1024),
        ulimits: BTreeMap::from([("nofile".into(), Ulimit { soft: 1, hard: 2 })]),
        ..build(FilePath::new("/"), Dockerfile::Inline(String::new()))
    };
    let expected = Path::of(&["build"])
        .with("t", "me:1")
        .with("dockerfile", "D")
        .with("version", "1")
        .with("rm", "1")
        .with("forcerm", "1")
        .with("nocache", "1")
        .with("pull", "1")
        .with("buildargs", r#"{"A":"b c"}"#)
        .with("labels", r#"{"l":"1"}"#)
        .with("target", "last")
        .with("networkmode", "host")
        .with("isolation", "default")
        .with("platform", "linux/amd64")
        .with("shmsize", "1024")
        .with("t", "me:latest")
        .with("extrahosts", "h:1.2.3.4")
        .with("extrahosts", "i:::1")
        .with("cachefrom", r#"["x:1","y:1"]"#)
        .with("ulimits", r#"[{"Hard":2,"Name":"nofile","Soft":1}]"#);
    assert_eq!(path("me:1", &asked, "D"), expected);
}
