//! Variants that nobody wrote: the manifests of the other files, cut, doubled, and mixed with each other.

use super::{bounded, services, text, values};
use crate::Place;

/// Numbers that look random and are the same in every run (Vigna's splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % most.max(1) as u64).unwrap()
    }
}

/// Pieces that are put in somewhere.
const PIECES: [&str; 16] = [
    "\0",
    "\t",
    "&a ",
    "*a",
    "<<: *a\n",
    "!reset ",
    "${",
    "}",
    "[",
    "]",
    "{",
    ": ",
    "\n---\n",
    "\u{1b}[31m",
    "é",
    "\"",
];

fn place_in(text: &str, numbers: &mut Numbers) -> usize {
    let mut at = numbers.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[test]
fn no_variant_of_any_case_is_more_than_refused() {
    let cases: Vec<&str> =
        [text::CASES, services::CASES, values::CASES].concat().into_iter().map(|case| case.2).collect();
    let mut numbers = Numbers(3);
    for round in 0..240 {
        let mut manifest = cases[numbers.below(cases.len())].to_owned();
        match round % 4 {
            0 => manifest.truncate(place_in(&manifest, &mut numbers)),
            1 => {
                for _ in 0..=numbers.below(3) {
                    let at = place_in(&manifest, &mut numbers);
                    manifest.insert_str(at, PIECES[numbers.below(PIECES.len())]);
                }
            }
            2 => {
                let other = cases[numbers.below(cases.len())];
                let (at, from) = (place_in(&manifest, &mut numbers), place_in(other, &mut numbers));
                manifest.truncate(at);
                manifest.push_str(&other[from..]);
            }
            _ => {
                let from = place_in(&manifest, &mut numbers);
                let lines = manifest[from..].repeat(1 + numbers.below(50));
                manifest.push_str(&lines);
            }
        }
        let place = Place::new();
        place.write("compose.yaml", &manifest);
        let ran = bounded(&place, &[]);
        let found: Result<Vec<serde_json::Value>, _> = serde_json::from_str(&ran.stdout);
        assert!(
            found.is_ok_and(|found| (ran.code == 0) || !found.is_empty()),
            "{manifest:?}\n{}",
            ran.stdout
        );
        let again = place.run(&["config", "-q"]);
        assert!(matches!(again.code, 0 | 2), "{manifest:?}\n{}", again.stderr);
        assert!(!again.stderr.contains(['\u{1b}', '\0']), "{manifest:?}\n{:?}", again.stderr);
    }
}
