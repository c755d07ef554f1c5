use crate::manifest::Files as _;
use crate::yaml;
use std::fs;
use std::os::unix::fs::symlink;

use super::*;

#[expect(clippy::disallowed_methods, reason = "the tests lay out directories")]
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn options(root: &tempfile::TempDir, below: &str) -> LoadOptions {
    LoadOptions { current_dir: absolute(root.path(), below.as_ref()), ..LoadOptions::default() }
}

/// Loads and tells: files, name, dialect, the tree, warnings; or what is wrong.
fn told(root: &tempfile::TempDir, options: &LoadOptions) -> String {
    let here = root.path().display().to_string();
    let what = |diagnostics: &[Diagnostic]| {
        diagnostics.iter().map(|found| found.what.clone()).collect::<Vec<_>>().join("; ")
    };
    let text = match load(options) {
        Ok(Loaded { manifest: _, diagnostics })
            if diagnostics
                .iter()
                .any(|found| found.severity == Severity::Error && found.code != Code::UnknownKey) =>
        {
            what(&diagnostics)
        }
        Ok(Loaded { manifest, diagnostics }) => {
            let files: Vec<String> =
                manifest.files.iter().map(|(path, _)| path.display().to_string()).collect();
            format!(
                "{:?} {} {}; {}",
                manifest.dialect,
                files.join("+"),
                yaml::shown(&manifest.root),
                what(&diagnostics)
            )
        }
        Err(failure) => what(&failure.diagnostics),
    };
    text.replace(&here, "<HERE>")
}

#[test]
fn a_manifest_is_found_upwards_with_its_override() {
    let root = directory(&[
        ("a/sdcompose.yaml", "services: {x: {image: a}}"),
        ("a/sdcompose.override.yaml", "services: {x: {image: b}}"),
        ("a/compose.yaml", "services: {}"),
        ("a/b/c/keep", ""),
    ]);
    assert_eq!(
        told(&root, &options(&root, "a/b/c")),
        "Sdcompose <HERE>/a/sdcompose.yaml+<HERE>/a/sdcompose.override.yaml {services: {x: {image: b}}}; "
    );
    assert_eq!(load(&options(&root, "a/b/c")).unwrap().manifest.directory, root.path().join("a"));
}

#[test]
fn a_compose_file_takes_its_override_and_ours() {
    let root = directory(&[
        ("compose.yaml", "services: {x: {image: a, restart: always}}"),
        ("compose.override.yml", "services: {x: {image: b}}"),
        ("compose.sdcompose.yaml", "services: {x: {systemd: true}}"),
    ]);
    assert_eq!(
        told(&root, &options(&root, "")),
        "Compose compose.yaml+compose.override.yml+compose.sdcompose.yaml {services: {x: {image: b, restart: always, systemd: true}}}; "
    );
}

#[test]
fn several_manifests_in_one_directory_are_a_warning() {
    let root = directory(&[("compose.yaml", "services: {}"), ("docker-compose.yml", "services: {}")]);
    assert_eq!(
        told(&root, &options(&root, "")),
        "Compose compose.yaml {services: {}}; several manifests in one directory: `compose.yaml`, `docker-compose.yml`; using `compose.yaml`"
    );
}

#[test]
fn named_files_merge_in_their_order_and_the_first_one_s_directory_counts() {
    let root = directory(&[
        ("p/a.yaml", "name: one\nservices: {x: {image: a}}"),
        ("q/b.yaml", "services: {x: {systemd: {}}}"),
    ]);
    let given = LoadOptions { files: vec!["./p/a.yaml".into(), "q/b.yaml".into()], ..options(&root, "") };
    assert_eq!(
        told(&root, &given),
        "Sdcompose ./p/a.yaml+q/b.yaml {name: one, services: {x: {image: a, systemd: {}}}}; "
    );
    let manifest = load(&given).unwrap().manifest;
    assert_eq!((manifest.directory, manifest.name), (root.path().join("p"), None));
    assert_eq!(manifest.variables["COMPOSE_PROJECT_NAME"], "one");
}

#[test]
fn a_file_that_is_named_twice_is_a_warning() {
    let root = directory(&[("a.yaml", "services: {}")]);
    let given = LoadOptions { files: vec!["a.yaml".into(), "./a.yaml".into()], ..options(&root, "") };
    assert_eq!(told(&root, &given), "Compose a.yaml+./a.yaml {services: {}}; `./a.yaml` is named twice");
}

#[test]
fn variables_decide_where_no_option_does() {
    let root = directory(&[
        ("x.yaml", "services: {}"),
        ("y.yaml", "services: {}"),
        (".env", "COMPOSE_FILE=x.yaml:y.yaml\nCOMPOSE_PROFILES=a,b\nCOMPOSE_PROJECT_NAME=fromenv\n"),
    ]);
    let loaded = load(&options(&root, "")).unwrap().manifest;
    assert_eq!(loaded.files.len(), 2);
    assert_eq!(
        (loaded.profiles, loaded.name.as_deref()),
        (vec!["a".to_owned(), "b".to_owned()], Some("fromenv"))
    );
    let given = LoadOptions {
        project_name: Some("p".into()),
        profiles: vec!["c".into()],
        files: vec!["y.yaml".into()],
        ..options(&root, "")
    };
    let loaded = load(&given).unwrap().manifest;
    assert_eq!(
        (loaded.files.len(), loaded.profiles, loaded.name.as_deref()),
        (1, vec!["c".to_owned()], Some("p"))
    );
}

#[test]
fn values_come_from_the_environment_over_env_files() {
    let root = directory(&[
        ("d/compose.yaml", "services: {x: {image: \"$A-$B-$C-${COMPOSE_PROJECT_NAME}\", labels: {p: $PWD}}}"),
        (".env", "A=dot\nB=dot\n"),
        ("d/.env", "B=below\nC=below\n"),
        ("e.env", "A=e\nB=$A$C\nC=e\n"),
    ]);
    let mut given = LoadOptions { files: vec!["d/compose.yaml".into()], ..options(&root, "") };
    assert_eq!(
        told(&root, &given),
        "Compose d/compose.yaml {services: {x: {image: !interpolated \"dot-dot-below-d\", labels: {p: !interpolated <HERE>}}}}; "
    );
    given.variables.insert("C".into(), "process".into());
    given.env_files = vec!["e.env".into()];
    assert!(told(&root, &given).contains("e-eprocess-process-d"), "{}", told(&root, &given));
}

#[test]
fn a_project_directory_moves_the_search_and_the_paths() {
    let root = directory(&[
        ("p/compose.yaml", "services: {}"),
        ("p/.env", "A=1\n"),
        ("q/f.yaml", "services: {x: {image: $A}}"),
    ]);
    let given = LoadOptions { project_directory: Some("../p/.".into()), ..options(&root, "q") };
    assert_eq!(load(&given).unwrap().manifest.directory, root.path().join("p"));
    let given = LoadOptions { files: vec!["f.yaml".into()], ..given };
    assert_eq!(told(&root, &given), "Compose f.yaml {services: {x: {image: !interpolated 1}}}; ");
    assert_eq!(load(&given).unwrap().manifest.directory, root.path().join("p"));
}

#[test]
fn documents_of_one_file_merge() {
    let root = directory(&[(
        "compose.yaml",
        "services: {a: {image: x}}\n---\nservices: {a: {command: y}, b: {image: z}}\n",
    )]);
    assert_eq!(
        told(&root, &options(&root, "")),
        "Compose compose.yaml {services: {a: {image: x, command: y}, b: {image: z}}}; the documents of this file are merged into one, later ones over earlier"
    );
    let loaded = load(&options(&root, "")).unwrap();
    let span = loaded.diagnostics.first().unwrap().labels.first().unwrap().span;
    assert_eq!(loaded.manifest.sources.position(span).map(|at| (at.line, at.column)), Some((2, 1)));
}

#[test]
fn an_empty_document_is_no_second_one() {
    let root = directory(&[("compose.yaml", "---\nservices: {a: {image: x}}\n---\n")]);
    assert_eq!(told(&root, &options(&root, "")), "Compose compose.yaml {services: {a: {image: x}}}; ");
}

#[test]
fn unknown_keys_do_not_keep_the_project_from_being_resolved() {
    let root = directory(&[("compose.yaml", "version: 3\nservices: {a: {imgae: x}}\n")]);
    assert_eq!(
        told(&root, &options(&root, "")),
        "Compose compose.yaml {version: 3, services: {a: {imgae: x}}}; unknown key `imgae`; `version` changes nothing: the version of a manifest says nothing any more"
    );
}

#[test]
fn what_is_wrong_with_all_files_is_told_at_once() {
    let root = directory(&[("a.yaml", "a: [\n"), ("b.yaml", "b: 1\nb: 2\n")]);
    let given = LoadOptions {
        files: vec!["a.yaml".into(), "nope.yaml".into(), "b.yaml".into()],
        ..options(&root, "")
    };
    assert_eq!(
        told(&root, &given),
        "`[` is not closed by `]`; cannot read `nope.yaml`: not found; `b` given twice in one mapping; unknown key `b`"
    );
}

#[test]
fn a_faulty_value_and_an_unknown_key_are_told_at_once() {
    let root = directory(&[("compose.yaml", "services: {a: {image: \"${1}\", imgae: x}}\n")]);
    assert_eq!(told(&root, &options(&root, "")), "`1` is not a variable's name; unknown key `imgae`");
}

#[test]
fn nothing_to_do_is_said_with_what_was_found() {
    let root = directory(&[("e.yaml", "# nothing\n"), ("l.yaml", "- a\n"), ("s.yaml", "text\n")]);
    let named = |name: &str| LoadOptions { files: vec![name.into()], ..options(&root, "") };
    assert_eq!(told(&root, &named("e.yaml")), "nothing to do: `e.yaml` is empty");
    assert_eq!(told(&root, &named("l.yaml")), "a manifest must be a mapping, found a list");
    assert_eq!(told(&root, &named("s.yaml")), "a manifest must be a mapping, found text");
    assert_eq!(told(&root, &options(&root, "")), "no manifest here or in any directory above");
}

#[test]
fn only_regular_files_of_bounded_size_are_read() {
    let root = directory(&[("d/keep", ""), ("large", &"#".repeat((8 << 20) + 1)), ("ok", "x")]);
    let at = |name: &str| root.path().join(name);
    rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    symlink("loop", at("loop")).unwrap();
    symlink("ok", at("link")).unwrap();
    symlink("gone", at("dangling")).unwrap();
    let read = |path: &Path| Disk.read(path).map(|bytes| bytes.len());
    assert_eq!(read(&at("ok")), Ok(1));
    assert_eq!(read(&at("link")), Ok(1));
    assert_eq!(read(&at("d")), Err("is a directory".into()));
    assert_eq!(read(&at("fifo")), Err("is a named pipe, not a regular file".into()));
    assert_eq!(read(Path::new("/dev/zero")), Err("is a device, not a regular file".into()));
    assert_eq!(read(&at("large")), Err("larger than 8 MiB".into()));
    assert_eq!(read(&at("loop")), Err("too many symbolic links".into()));
    assert_eq!(read(&at("dangling")), Err("not found".into()));
    assert_eq!(read(&at("ok/x")), Err("not found".into()));
}

#[test]
fn a_manifest_that_cannot_be_read_is_not_passed_over() {
    let root = directory(&[("compose.yaml/keep", ""), ("docker-compose.yml", "services: {}")]);
    assert_eq!(
        told(&root, &options(&root, "")).split(';').next().unwrap(),
        "several manifests in one directory: `compose.yaml`, `docker-compose.yml`"
    );
    assert!(told(&root, &options(&root, "")).ends_with("cannot read `compose.yaml`: is a directory"));
}

#[test]
fn a_missing_env_file_that_was_named_is_an_error() {
    let root = directory(&[("compose.yaml", "services: {}")]);
    let given = LoadOptions { env_files: vec!["nope.env".into()], ..options(&root, "") };
    assert_eq!(told(&root, &given), "cannot read env file `nope.env`: not found");
}
