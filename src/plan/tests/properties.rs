//! What holds of every plan, tried on random projects.

use proptest::prelude::*;

use super::*;
use crate::plan::{Action, Loss};

/// The words of one service that may depend on those with a smaller number.
fn service(number: usize) -> impl Strategy<Value = String> {
    let needs = prop::collection::vec((0..number.max(1), 0..5_usize, any::<bool>()), 0..3);
    (1..4_u32, any::<bool>(), 0..16_u8, needs).prop_map(move |(replicas, plain, variant, needs)| {
        let mut words = vec![format!("s{number} x{replicas}")];
        words.extend(plain.then(|| "plain".to_owned()));
        words.extend((variant & 1 == 1).then(|| "cap=CHOWN".to_owned()));
        words.extend((variant & 2 == 2).then(|| format!("vol=data{number}:/data")));
        words.extend((variant & 4 == 4).then(|| "post=seed post=warm".to_owned()));
        words.extend((variant & 8 == 8).then(|| "pre=drain".to_owned()));
        for (other, kind, restart) in needs.into_iter().filter(|_| number > 0) {
            let condition = ["started", "ready", "x.service", "healthy", "completed"][kind];
            let restart = if restart { ":restart" } else { "" };
            words.push(format!("needs=s{other}:{condition}{restart}"));
        }
        words.join(" ")
    })
}

/// Manifests of up to five services.
fn manifest() -> impl Strategy<Value = Vec<String>> {
    (0..5_usize).prop_flat_map(|count| (0..=count).map(service).collect::<Vec<_>>())
}

fn world_after(lines: &[String]) -> World {
    World::after_up(&lines.join("\n"))
}

fn options() -> UpOptions {
    UpOptions { remove_orphans: true, ..UpOptions::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_after_its_plan_is_empty(lines in manifest()) {
        let world = world_after(&lines);
        prop_assert_eq!(plan_of(&lines.join("\n"), &world), "");
    }

    #[test]
    fn the_order_of_services_never_matters(lines in manifest()) {
        let world = world_after(&lines);
        let reversed: Vec<String> = lines.iter().rev().cloned().collect();
        prop_assert_eq!(plan_of(&reversed.join("\n"), &world), "");
    }

    #[test]
    fn cut_anywhere_the_next_run_converges(old in manifest(), new in manifest(), cut in 0..100_usize) {
        let mut start = world_after(&old);
        let target = project(&new.join("\n"));
        for service in target.services.values() {
            start.bring(service.image.reference(), "1");
        }
        let plan = up_in(&start, &target, &options()).unwrap();
        prop_assert_eq!(check::check(&plan), []);
        start.apply_first(&plan, plan.steps.len() * cut / 100);
        let rest = up_in(&start, &target, &options()).unwrap();
        prop_assert_eq!(check::check(&rest), []);
        start.apply(&rest);
        prop_assert_eq!(planned(&target, &start, &options()), "");
        let wanted: u32 = target.services.values().map(|service| service.replicas).sum();
        prop_assert_eq!(start.observed.containers.len(), wanted as usize);
    }

    #[test]
    fn up_never_removes_a_volume_and_says_which_machines_it_destroys(old in manifest(), new in manifest()) {
        let mut world = world_after(&old);
        let target = project(&new.join("\n"));
        for service in target.services.values() {
            world.bring(service.image.reference(), "1");
        }
        let plan = up_in(&world, &target, &options()).unwrap();
        for step in &plan.steps {
            let volume = matches!(step.action, Action::RemoveVolume { .. });
            prop_assert!(!volume);
            let lost = if let Action::Replace { spec, .. } = &step.action { Some(&spec.name) } else { None };
            let lost = if let Action::Remove { container, .. } = &step.action { Some(container) } else { lost };
            if let Some(name) = lost {
                let machine = world.container(name).labels.machine.is_some();
                prop_assert_eq!(step.destroys.is_some(), machine, "{}", name);
                prop_assert_ne!(&step.destroys, &Some(Loss::Volume));
            }
        }
    }

    #[test]
    fn down_leaves_nothing(lines in manifest()) {
        let mut world = world_after(&lines);
        let plan = down("shop", None, &world.observed, &DownOptions { volumes: true, ..DownOptions::default() });
        prop_assert_eq!(check::check(&plan), []);
        world.apply(&plan);
        prop_assert!(world.observed.containers.is_empty());
        prop_assert!(world.observed.networks.is_empty());
        prop_assert!(world.observed.volumes.is_empty());
    }
}
