//! Where images come from: builds with their context, arguments and stages, and images that are not there.

use crate::bed::{Bench, View};

#[test]
fn an_image_is_built_with_arguments_a_stage_and_a_context_without_what_is_ignored() {
    Bench::run_on(View::V2, |bench| {
        bench.write("app/page.txt", "first");
        bench.write("app/secret.key", "do not send");
        bench.write("app/deep/notes.md", "do not send either");
        bench.write("app/.dockerignore", "*.key\n**/*.md\nDockerfile\n.dockerignore\n");
        bench.write(
            "app/Dockerfile",
            "FROM sdcompose-test/debian:bookworm AS base
ARG COLOUR=none
COPY . /srv/app
RUN echo \"$COLOUR\" > /srv/colour
FROM base AS unused
RUN false
",
        );
        let manifest = |colour: &str| {
            format!(
                "services:
  app:
    build:
      context: ./app
      target: base
      args: {{ COLOUR: {colour} }}
      labels: {{ kind: built }}
  inline:
    build:
      context: ./app
      dockerfile_inline: |
        FROM sdcompose-test/debian:bookworm
        COPY page.txt /srv/page.txt
    depends_on: [app]
"
            )
        };
        bench.manifest(&manifest("blue"));
        bench.ok(&["build"]);
        assert_eq!(bench.left(), Vec::<String>::new(), "a build makes no container");
        assert_eq!(labels(bench, "app")["kind"], "built");
        bench.ok(&["up", "-d"]);
        assert_eq!(
            bench.shell("app", "cat /srv/colour; cd /srv/app; find . -type f | sort"),
            "blue\n./page.txt"
        );
        assert_eq!(bench.shell("inline", "cat /srv/page.txt"), "first");

        // An edit of the context is built when asked, and replaces what it changed.
        let (app, inline) = (bench.id("app"), bench.id("inline"));
        bench.ok(&["up", "-d", "--build"]);
        assert_eq!(
            [bench.id("app"), bench.id("inline")],
            [app.clone(), inline],
            "the same image, the same machine"
        );
        bench.manifest(&manifest("green"));
        bench.ok(&["up", "-d", "--build"]);
        assert_ne!(bench.id("app"), app);
        assert_eq!(bench.shell("app", "cat /srv/colour"), "green");

        bench.write(
            "app/Dockerfile",
            "FROM sdcompose-test/debian:bookworm AS base\nRUN echo it breaks here; exit 9\n",
        );
        let green = bench.id("app");
        let ran = bench.run(&["up", "-d", "--build"]).code(1);
        ran.says(&["it breaks here", "app"]);
        assert_eq!(bench.id("app"), green, "a failed build leaves the machine alone");
        assert_eq!(bench.running(), bench.names(&["app", "inline"]));
    });
}

#[test]
fn an_image_that_cannot_be_had_is_named_before_anything_is_touched() {
    Bench::run_on(View::V1, |bench| {
        bench.manifest("services: { good: { image: sdcompose-test/debian:bookworm } }");
        bench.ok(&["up", "-d"]);
        let good = bench.id("good");
        for policy in ["missing", "never"] {
            bench.manifest(&format!(
                "services:
  good: {{ image: sdcompose-test/debian:trixie }}
  bad: {{ image: sdcompose-test/no-such-image:1, pull_policy: {policy} }}
"
            ));
            let ran = bench.run(&["up", "-d"]).code(1);
            ran.says(&["sdcompose-test/no-such-image:1"]);
            assert_eq!(bench.id("good"), good, "{policy}: {ran}");
            if policy == "missing" {
                bench.run(&["pull", "bad"]).code(1).says(&["sdcompose-test/no-such-image:1"]);
            }
        }
        assert_eq!(bench.running(), bench.names(&["good"]));
    });
}

fn labels(bench: &Bench, service: &str) -> serde_json::Value {
    bench.api.get(&format!("/images/{}-{service}/json", bench.project))["Config"]["Labels"].clone()
}
