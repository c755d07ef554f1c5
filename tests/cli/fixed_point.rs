//! What `config` prints means what it was made of: read again from standard input, it prints the same.

use std::path::Path;

use super::Place;

/// Prints a project as `config` does, reads that again, and compares.
fn is_fixed(place: &Place, arguments: &[&str]) {
    for format in ["yaml", "json"] {
        let first = place.run(&[arguments, &["--profile", "*", "config", "--format", format]].concat());
        assert_eq!(first.code, 0, "{arguments:?}: {}", first.stderr);
        // The place's own path is taken out of what is printed, and must be there again to be read.
        let text = first.stdout.replace("[PLACE]", &place.path().display().to_string());
        let again = ["-f", "-", "--project-directory", ".", "--profile", "*", "config", "--format", format];
        let second = place.run_with_input(&again, &text);
        assert_eq!(second.code, 0, "{format} of {arguments:?}: {}\n{text}", second.stderr);
        assert_eq!(second.stdout, first.stdout, "{format} of {arguments:?}");
        let lines = second.stderr.lines().filter(|line| line.starts_with("error"));
        assert_eq!(lines.count(), 0, "{}", second.stderr);
    }
}

fn copied(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copied(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn every_example_is_read_back() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for example in std::fs::read_dir(examples).unwrap() {
        let place = Place::new();
        copied(&example.unwrap().path(), place.path());
        place.write(".env", "SSH_PUBLIC_KEY=ssh-ed25519 AAAA me@here\n");
        is_fixed(&place, &[]);
        count += 1;
    }
    assert!(count >= 3, "{count} examples");
}

/// What is easily lost on the way: dollars, quotes, block scalars, empty lists, numbers as text, short forms.
const ODD: [&str; 10] = [
    "services: {}\n",
    "services: {a: {image: 'x:$$y', command: ['sh', '-c', 'echo $$HOME \"q\" #'], entrypoint: []}}\n",
    "services:\n  a:\n    image: x\n    command: |\n      a 'b c'\n    environment: {A: '1', B: 1.10, C: 'yes', D: '', E, F: \" x \", G: \"a\\nb\\n\"}\n",
    "services: {a: {image: x, ports: ['80', '127.0.0.1:81-82:81-82/udp', '[::1]::90'], expose: [1, '2/udp'], extra_hosts: ['h=::1', 'g=1.2.3.4']}}\n",
    "services: {a: {image: x, volumes: ['v:/v:ro', './d:/d', '/anon', {type: tmpfs, target: /t, tmpfs: {size: 1m}}], tmpfs: [/u], mem_limit: 1.5g, shm_size: 64m}}\nvolumes: {v: {driver_opts: {type: none, o: bind, device: /x}}}\n",
    "services: {a: {image: x, healthcheck: {test: exit 0, interval: 1m30s, retries: 3}, depends_on: {b: {condition: service_healthy, restart: true}}, restart: 'on-failure:3'}, b: {image: y, profiles: [p], ulimits: {nofile: {soft: 1, hard: 2}, nproc: 5}}}\n",
    "services: {a: {build: {context: ., dockerfile_inline: \"FROM x\\nRUN a\\n\", args: [A=1, B]}, networks: {n: {aliases: [z]}}, labels: {'a.b/c': '$$1'}}}\nnetworks: {n: {ipam: {config: [{subnet: 10.9.0.0/24}]}}}\nx-own: {a: [1, '1', null, 1.5, true]}\n",
    "services:\n  m:\n    image: x\n    x-systemd:\n      enable: [a.service]\n      journal: {max: 8M}\n      units: {a.service: {content: \"[Service]\\nExecStart=/bin/x $$y\\n\"}, b.service: {mask: true}}\n      credentials: {k: {content: \"s$$t\"}}\n",
    "services:\n  a:\n    image: x\n    secrets: [s, {source: s, target: t, uid: '5', gid: '', mode: 0440}, {source: e, target: '', mode: '400'}]\n    configs: [c, {source: n, mode: 0}]\nsecrets: {s: {file: ./d/keep, labels: [a=b]}, e: {environment: HOME}, unused: {file: ./none}}\nconfigs: {c: {content: \"a$$b\\n\"}, n: {content: ''}}\n",
    "services: {a: {image: x, secrets: [o], configs: [d]}}\nsecrets: {o: {external: {name: other}}}\nconfigs: {d: {external: true, content: x, template_driver: t}}\n",
];

#[test]
fn odd_manifests_are_read_back() {
    for text in ODD {
        let place = Place::new();
        place.write("compose.yaml", text);
        place.write("d/keep", "");
        is_fixed(&place, &[]);
    }
}

#[test]
fn files_that_are_merged_are_read_back_as_one() {
    let place = Place::new();
    place.write("a.yaml", "services: {a: {image: x, environment: {A: '${V:-1}'}, labels: [l=1]}}\n");
    place.write(
        "b.yaml",
        "services: {a: {environment: {A: !reset null, B: 2}, ports: !override ['80:80']}}\n",
    );
    is_fixed(&place, &["-f", "a.yaml", "-f", "b.yaml"]);
}
