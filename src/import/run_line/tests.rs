use super::*;
use crate::import::compose as reader;

fn composed(line: &str) -> Composed {
    let words = shell_words::split(line).unwrap();
    compose(&words).unwrap_or_else(|why| panic!("{why}"))
}

fn why(line: &str) -> String {
    compose(&shell_words::split(line).unwrap()).unwrap_err()
}

#[test]
fn a_line_becomes_a_compose_file() {
    let line = "sudo docker run -d --name vm -itp 127.0.0.1:8080:80 -h=vm.example --privileged=true \
                --cgroupns=host --volume=/sys/fs/cgroup:/sys/fs/cgroup:rw -v data:/var/lib/x -v ~/site:/srv \
                -e 'A=$x' -e FROM_HOST --tmpfs /run:exec --restart unless-stopped --ulimit nofile=1:2 \
                --ulimit core=0 --health-cmd 'curl localhost' --health-retries 3 --stop-timeout 30 \
                --mount type=bind,src=/a,dst=/b,readonly --network back --log-driver json-file \
                --log-opt max-size=1m --init --cidfile /x --cpus 1.5 -m 2g \
                registry.example:5000/x/debian:12 /sbin/init --log-level=debug";
    let Composed { text, left_out, machines } = composed(line);
    insta::assert_snapshot!(text);
    assert_eq!(left_out, ["`--cidfile /x` has no place in a manifest"]);
    assert!(machines.is_empty());
}

#[test]
fn well_known_recipes_become_machines() {
    for line in [
        "docker run -d -ti --privileged --cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup:rw geerlingguy/docker-debian12-ansible:latest",
        "docker run --rm --privileged --volume=/sys/fs/cgroup:/sys/fs/cgroup:ro robertdebock/fedora",
        "docker run -d --name systemd-ubuntu --privileged -v /sys/fs/cgroup:/sys/fs/cgroup:ro jrei/systemd-ubuntu:22.04",
        "docker run -ti -v /sys/fs/cgroup:/sys/fs/cgroup:ro -p 80:80 local/c7-systemd-httpd",
        "docker run -d --cap-add SYS_ADMIN --tmpfs /run --tmpfs /run/lock -v /sys/fs/cgroup:/sys/fs/cgroup debian:12 /lib/systemd/systemd",
        "podman run -d --systemd=always example/whatever",
        "podman run -d registry.access.redhat.com/ubi9-init /sbin/init",
        "docker run --stop-signal SIGRTMIN+3 --entrypoint /usr/sbin/init x",
    ] {
        let Composed { text, left_out: _, machines } = composed(line);
        let imported = reader::import("the line", text.as_bytes(), &machines).unwrap();
        assert_eq!(imported.machines, 1, "{line}\n{text}");
        let manifest = crate::project::resolve::tests::tree::project(&imported.text);
        let service = &manifest.services[0];
        assert!(service.machine.is_some() && !service.privileged && service.mounts.is_empty(), "{text}");
        assert!(service.cap_add.is_empty() && service.command.is_none(), "{text}");
    }
}

#[test]
fn a_line_may_begin_with_its_flags() {
    assert_eq!(composed("run debian").text, "services:\n  debian:\n    image: debian\n");
    assert_eq!(composed("--tty debian").text, "services:\n  debian:\n    image: debian\n    tty: true\n");
    assert_eq!(composed("docker -H x container run -- debian run").text, composed("debian run").text);
}

#[test]
fn what_is_no_line_is_said() {
    assert_eq!(why("docker run -d"), "the line names no image");
    assert_eq!(
        why("docker run --frobnicate=3 x"),
        "`--frobnicate` is no flag of `docker run` that sdcompose knows"
    );
    assert_eq!(why("docker run --name"), "`--name` wants a value");
    assert_eq!(why("docker run -Z x"), "`-Z` is no flag of `docker run` that sdcompose knows");
}
