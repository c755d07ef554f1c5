use super::*;

const ID: &str = "4f5e3c2b1a0f4f5e3c2b1a0f4f5e3c2b1a0f4f5e3c2b1a0f4f5e3c2b1a0f4f5e";

fn scope() -> Scope {
    Scope {
        project: "shop".into(),
        images: BTreeSet::from(["debian:13".into()]),
        aging: BTreeSet::new(),
        volumes: BTreeSet::from(["shop_data".into(), "outside".into()]),
        networks: BTreeSet::from(["shop_default".into()]),
        containers: BTreeSet::from(["shop-db-1".into(), "taken".into()]),
    }
}

fn listed() -> Vec<ListedContainer> {
    serde_json::from_str(&format!(
        r#"[
        {{"Id":"{ID}","Names":["/web/db","/shop-db-1"],"Image":"debian:13","ImageID":"sha256:{ID}","Created":7,
          "State":"running","Status":"Up 3 minutes (health: starting)","SizeRw":1,"Unknown":{{}},
          "Ports":[{{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"}},{{"PrivatePort":22,"Type":"tcp"}}],
          "Labels":{{"io.sdcompose.project":"shop","io.sdcompose.service":"db","io.sdcompose.index":"1",
            "io.sdcompose.systemd.init":"/lib/systemd/systemd","io.sdcompose.systemd.version":"257"}},
          "NetworkSettings":{{"Networks":{{"shop_default":{{"IPAddress":"10.0.0.2"}}}}}},
          "Mounts":[{{"Type":"volume","Name":"shop_data","Destination":"/data"}},
            {{"Type":"volume","Name":"{ID}","Destination":"/anonymous"}},
            {{"Type":"bind","Source":"/a","Destination":"/b"}}]}},
        {{"Id":"b","Names":["/taken"],"Image":"nginx","State":"stopping","Status":"","Labels":
          {{"com.docker.compose.project":"other"}},"Ports":null,"Mounts":null,"NetworkSettings":null}},
        {{"Id":"c","Names":["/bystander"],"Image":"nginx","State":"exited","Status":"Exited (3) 2 days ago"}}]"#
    ))
    .unwrap()
}

#[test]
fn a_projects_container_is_read_with_everything_that_is_known_of_it() {
    let answers = Answers { containers: listed(), ..Answers::default() };
    let observed = snapshot(&scope(), &answers, &BTreeMap::new(), |name, id| name == "shop-db-1" && id == ID);
    let [found] = &observed.containers[..] else { panic!("one of the three is ours: {observed:?}") };
    assert_eq!(
        (found.name.as_str(), &found.state, found.created),
        ("shop-db-1", &ContainerState::Running, 7)
    );
    assert_eq!((found.health, found.exit_code, found.ready_seen), (Some(Health::Starting), None, true));
    assert_eq!(found.networks, BTreeMap::from([("shop_default".to_owned(), String::new())]));
    let volumes = [("/anonymous", ID), ("/data", "shop_data")];
    assert_eq!(found.volumes, volumes.map(|(target, name)| (target.to_owned(), name.to_owned())).into());
    assert_eq!(
        found.ports,
        [
            ObservedPort { ip: None, private: 22, public: None, protocol: "tcp".into() },
            ObservedPort {
                ip: Some("0.0.0.0".into()),
                private: 80,
                public: Some(8080),
                protocol: "tcp".into()
            },
        ]
    );
}

#[test]
fn a_foreign_holder_of_a_wanted_name_says_what_it_is_and_others_stay_out() {
    let answers = Answers { containers: listed(), ..Answers::default() };
    let observed = snapshot(&scope(), &answers, &BTreeMap::new(), |_, _| false);
    assert_eq!(
        observed.foreign_names,
        BTreeMap::from([("taken".to_owned(), "image nginx, of Docker Compose's project `other`".to_owned())])
    );
}

#[test]
fn words_of_a_status_are_read() {
    assert_eq!(exit_code(&ContainerState::Exited, "Exited (137) 3 minutes ago"), Some(137));
    assert_eq!(exit_code(&ContainerState::Restarting, "Restarting (1) 2 seconds ago"), Some(1));
    assert_eq!(exit_code(&ContainerState::Created, "Created"), None);
    assert_eq!(health("Up 2 seconds (healthy)"), Some(Health::Healthy));
    assert_eq!(health("Up 2 seconds (unhealthy)"), Some(Health::Unhealthy));
    assert_eq!(health("Up 2 seconds (Paused)"), None);
    assert_eq!(health("Exited (0) 2 seconds ago"), None);
}

#[test]
fn an_image_is_known_by_its_containers_where_docker_vouches_for_the_name() {
    let mut containers = listed();
    let known = BTreeMap::from([("debian:13".to_owned(), format!("sha256:{ID}"))]);
    assert_eq!(images_by_containers(EngineKind::Docker, &scope(), &containers), Some(known));
    assert_eq!(images_by_containers(EngineKind::Podman, &scope(), &containers), None);
    containers[0].image = format!("sha256:{ID}");
    assert_eq!(images_by_containers(EngineKind::Docker, &scope(), &containers), None);
}

#[test]
fn what_a_look_found_or_a_container_remembers_comes_with_the_image() {
    let answers = Answers {
        containers: listed(),
        images: Some(
            serde_json::from_str(&format!(r#"[{{"Id":"sha256:{ID}","RepoTags":["debian:13"]}}]"#)).unwrap(),
        ),
        ..Answers::default()
    };
    let observed = snapshot(&scope(), &answers, &BTreeMap::new(), |_, _| false);
    let systemd = observed.images["debian:13"].facts.clone().and_then(|facts| facts.systemd).unwrap();
    assert_eq!((systemd.init.as_str(), systemd.version), ("/lib/systemd/systemd", Some(257)));
    let none = ImageFacts { id: format!("sha256:{ID}"), systemd: None };
    let looked = BTreeMap::from([(none.id.clone(), none.clone())]);
    let observed = snapshot(&scope(), &answers, &looked, |_, _| false);
    assert_eq!(observed.images["debian:13"].facts, Some(none));
}

#[test]
fn references_mean_the_same_in_all_their_forms() {
    assert_eq!(image_ref::normal("debian"), "docker.io/library/debian:latest");
    assert_eq!(image_ref::normal("docker.io/library/debian:13"), "docker.io/library/debian:13");
    assert_eq!(image_ref::normal("me/it"), "docker.io/me/it:latest");
    assert_eq!(image_ref::normal("localhost/it:1"), "localhost/it:1");
    assert_eq!(image_ref::normal("host:5000/it"), "host:5000/it:latest");
    assert_eq!(image_ref::normal("it:1@sha256:ab"), "docker.io/library/it@sha256:ab");
    let images: Vec<ListedImage> = serde_json::from_str(&format!(
        r#"[{{"Id":"sha256:{ID}","RepoTags":null,"RepoDigests":["debian@sha256:ab"]}}]"#
    ))
    .unwrap();
    assert!(image_of("debian:13@sha256:ab", &images).is_some());
    let built: Vec<ListedImage> =
        serde_json::from_str(r#"[{"Id":"sha256:1","RepoTags":["localhost/me/it:1"]}]"#).unwrap();
    assert!(image_of("me/it:1", &built).is_some() && image_of("it:1", &built).is_none());
    assert!(image_of(&ID[..12], &images).is_some());
    assert!(image_of("sha256:4f5e", &images).is_none(), "too short for an id");
}

#[test]
fn of_two_networks_of_one_name_ours_is_kept_and_the_doubt_is_told() {
    let networks: Vec<ListedNetwork> = serde_json::from_str(
        r#"[{"Name":"shop_default","Id":"a","Labels":{}},
            {"Name":"shop_default","Id":"c","Labels":{"io.sdcompose.project":"shop","io.sdcompose.name":"default"}},
            {"Name":"shop_default","Id":"b","Labels":{"io.sdcompose.project":"shop","io.sdcompose.name":"default"}},
            {"Name":"bridge","Id":"d"},
            {"Name":"shop_old","Id":"e","Labels":{"io.sdcompose.project":"shop","io.sdcompose.name":"old"}}]"#,
    )
    .unwrap();
    let found = super::networks(&scope(), &networks);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["shop_default", "shop_old"]);
    assert_eq!((found["shop_default"].id.as_str(), found["shop_default"].ambiguous), ("b", true));
    assert!(!found["shop_old"].ambiguous);
}

#[test]
fn volumes_are_those_of_the_scope_and_our_own() {
    let listed: ListedVolumes = serde_json::from_str(
        r#"{"Volumes":[{"Name":"outside","Labels":null},{"Name":"foreign","Labels":{"a":"b"}},
            {"Name":"shop_old","Labels":{"io.sdcompose.project":"shop","io.sdcompose.name":"old"}}],"Warnings":null}"#,
    )
    .unwrap();
    let found = volumes(&scope(), Some(&listed));
    assert_eq!(found.keys().collect::<Vec<_>>(), ["outside", "shop_old"]);
    assert!(found["outside"].labels.is_none() && found["shop_old"].labels.is_some());
    assert!(volumes(&scope(), Some(&serde_json::from_str(r#"{"Volumes":null}"#).unwrap())).is_empty());
}

#[test]
fn volumes_are_asked_for_only_where_they_matter() {
    assert!(wants_volumes(&scope()));
    assert!(!wants_volumes(&Scope { volumes: BTreeSet::new(), ..scope() }));
    assert!(wants_volumes(&Scope { project: "shop".into(), ..Scope::default() }));
}
