//! Asks before data goes.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::cli::interrupt::Interrupts;
use crate::error::Error;
use crate::plan::{Loss, Plan, text};
use crate::report::human::{self, CARE};
use crate::report::words;

/// Which losses are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Whatever is lost.
    Everything,
    /// Volumes only: the command says by itself that containers go.
    Volumes,
}

/// Asks on a terminal whether what a plan destroys may go. Without a terminal nobody can be asked, and the
/// command stands as it was given, as with Docker Compose; so it does with `--yes`.
///
/// # Errors
/// The user says no, or interrupts.
pub(super) async fn losses(
    plan: &Plan,
    about: About,
    yes: bool,
    interrupts: &Interrupts,
) -> Result<(), Error> {
    if yes || !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Ok(());
    }
    let lines = lost(plan, about);
    if lines.is_empty() {
        return Ok(());
    }
    let mut err = anstream::stderr();
    writeln!(err, "{} this is lost for good:", human::styled(CARE, "warning:"))?;
    for line in lines {
        writeln!(err, "  {line}")?;
    }
    write!(err, "Go on? [y/N] ")?;
    err.flush()?;
    let before = interrupts.count();
    // The thread goes on reading after an interrupt; the end of the process does not wait for it.
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    let answer = tokio::select! {
        answer = answer => answer
            .map_err(io::Error::from)
            .and_then(|answer| answer)
            .map_err(|error| Error::local("cannot read the answer", error))?,
        () = interrupts.reach(before + 1) => {
            writeln!(err)?;
            return Err(Error::Interrupted(interrupts.kind()));
        }
    };
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Error::Declined),
    }
}

/// Returns a line for each step that loses something which is asked about.
fn lost(plan: &Plan, about: About) -> Vec<String> {
    let asked = |loss: &Loss| match (about, loss) {
        (About::Everything, Loss::Root { .. } | Loss::Volume) | (About::Volumes, Loss::Volume) => true,
        (About::Volumes, Loss::Root { .. }) => false,
    };
    plan.steps
        .iter()
        .filter(|step| step.destroys.as_ref().is_some_and(asked))
        .map(|step| {
            let loss = words::loss(step).unwrap_or_default();
            format!("{} ({}): {loss}", text::object(&step.action), text::reason(&step.reason))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plan::{Action, Reason, Step};

    #[test]
    fn only_what_is_lost_is_asked_about() {
        let with = |action, destroys| Step {
            action,
            reason: Reason::Requested,
            after: BTreeSet::new(),
            destroys,
            settles: None,
        };
        let volume = Action::RemoveVolume { volume: "shop_data".to_owned() };
        let remove = Action::Remove { container: "shop-db-1".to_owned(), volumes: false };
        let thaw = Action::Unpause { container: "shop-db-1".to_owned() };
        let plan = Plan {
            steps: vec![
                with(thaw, None),
                with(remove, Some(Loss::Root { files: Some(2) })),
                with(volume, Some(Loss::Volume)),
            ],
            notes: Vec::new(),
        };
        assert_eq!(lost(&plan, About::Everything).len(), 2);
        assert_eq!(lost(&plan, About::Volumes).len(), 1);
        assert!(lost(&plan, About::Volumes)[0].contains("shop_data"));
    }
}
