//! Verbs of Docker Compose that are not here, and what does the same.

/// A verb, and what to type instead.
const VERBS: &[(&str, &str)] = &[
    ("attach", "`sdcompose logs -f SERVICE`, or `docker attach`"),
    ("commit", "`docker commit`, with a name that `sdcompose ps` shows"),
    ("cp", "`docker cp`, with a name that `sdcompose ps` shows"),
    ("create", "`sdcompose up --no-start`"),
    ("events", "`docker events --filter label=io.sdcompose.project=NAME`"),
    ("export", "`docker export`, with a name that `sdcompose ps` shows"),
    ("images", "`sdcompose config --images`"),
    ("ls", "`docker ps --filter label=io.sdcompose.project`"),
    ("pause", "`docker pause`, with a name that `sdcompose ps` shows"),
    ("port", "`sdcompose ps`"),
    ("publish", "`docker push`"),
    ("push", "`docker push`"),
    ("rm", "`sdcompose down`, or `sdcompose up --scale SERVICE=0` for one service"),
    ("run", "`sdcompose exec SERVICE COMMAND` in a machine that runs"),
    ("scale", "`sdcompose up -d --scale SERVICE=N`"),
    ("stats", "`docker stats`, with the names that `sdcompose ps` shows"),
    ("status", "`sdcompose ps`, or `sdcompose systemctl SERVICE status`"),
    ("top", "`sdcompose exec SERVICE ps aux`, or `sdcompose systemctl SERVICE status`"),
    ("unpause", "`sdcompose up -d`"),
    ("volumes", "`sdcompose config --volumes`"),
    ("wait", "`docker wait`, with a name that `sdcompose ps` shows"),
];

/// Returns what does the same as a verb that is not here.
pub(super) fn instead_of(verb: &str) -> Option<&'static str> {
    VERBS.iter().find(|(name, _)| *name == verb).map(|(_, instead)| *instead)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn no_verb_that_is_here_is_said_to_be_elsewhere() {
        let here: Vec<String> =
            Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
        assert_eq!(VERBS.iter().find(|(verb, _)| here.iter().any(|name| name == verb)), None);
        assert!(instead_of("scale").is_some_and(|instead| instead.contains("--scale")));
    }
}
