//! The README, as a reader follows it: the files of "Five minutes to your own machine" are written as they stand
//! there, and every `sdcompose` command of its shell blocks is run, in order.

use std::path::Path;

use crate::bed::{Bench, View, free_port};
use crate::page;

/// A fenced block of the README.
struct Block {
    language: String,
    text: String,
}

fn blocks(readme: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(language), false) => {
                found.push(Block { language: language.to_owned(), text: String::new() });
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) => {
                if let Some(block) = found.last_mut() {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
            }
            (None, false) => {}
        }
    }
    found
}

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The commands of the shell blocks, without the remark behind each.
fn commands(blocks: &[Block]) -> Vec<String> {
    let lines = blocks.iter().filter(|block| block.language == "sh").flat_map(|block| block.text.lines());
    lines.filter_map(|line| line.split("  #").next()).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn the_first_own_machine_of_the_readme_runs() {
    Bench::run_on(View::V1, |bench| {
        let blocks = blocks(&file("README.md"));
        let of = |language: &str| &blocks.iter().find(|block| block.language == language).unwrap().text;
        let port = free_port();
        bench.write("Dockerfile", of("dockerfile"));
        let manifest = of("yaml");
        assert!(manifest.starts_with("name: hello\n") && manifest.contains(":8081:"), "{manifest}");
        let manifest = manifest.replace("name: hello\n", "").replace(":8081:", &format!(":{port}:"));
        bench.write("sdcompose.yaml", &manifest);

        let commands = commands(&blocks);
        let ours: Vec<_> = commands.iter().filter_map(|command| command.strip_prefix("sdcompose ")).collect();
        assert!(ours.len() >= 7, "{ours:?}");
        for command in ours {
            let words = shell_words::split(command).unwrap();
            let words: Vec<&str> =
                ["-p", &bench.project].into_iter().chain(words.iter().map(String::as_str)).collect();
            bench.spawn_in(&bench.dir(), &words, &[]).end().code(0);
            if command == "up -d" {
                assert!(page::get(port).contains("nginx"));
                assert_eq!(bench.system("web"), "running");
            }
        }
        assert_eq!(bench.left(), Vec::<String>::new());
    });
}

#[test]
fn every_make_target_of_the_readme_is_there() {
    let makefile = file("Makefile");
    let commands = commands(&blocks(&file("README.md")));
    let targets: Vec<_> = commands.iter().filter_map(|command| command.strip_prefix("make ")).collect();
    assert!(targets.contains(&"demo") && targets.contains(&"test"), "{targets:?}");
    for target in targets {
        assert!(makefile.contains(&format!("\n{target}:")), "the README names `make {target}`");
    }
}
