//! Names of signals as engines take them: with or without `SIG`, in any case, or a number (moby `sys/signal`,
//! signal(7)).

use super::name::nearest;

/// The names without `SIG`, but for the real-time ones.
const NAMES: [&str; 34] = [
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE",
    "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU",
    "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
];

/// Whether an engine takes a text for a signal.
#[must_use]
pub fn is_signal(text: &str) -> bool {
    if let Ok(number) = text.parse::<u32>() {
        return (1..=64).contains(&number);
    }
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    if let Some(rest) = name.strip_prefix("RTMIN") {
        return rest.is_empty() || is_offset(rest, '+', 15);
    }
    if let Some(rest) = name.strip_prefix("RTMAX") {
        return rest.is_empty() || is_offset(rest, '-', 14);
    }
    NAMES.contains(&name)
}

fn is_offset(text: &str, sign: char, most: u32) -> bool {
    text.strip_prefix(sign).is_some_and(|number| {
        number.bytes().all(|byte| byte.is_ascii_digit())
            && number.parse().is_ok_and(|number| (1..=most).contains(&number))
    })
}

/// The signal that was probably meant, with `SIG`.
#[must_use]
pub fn meant(text: &str) -> Option<String> {
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    nearest(name, NAMES).map(|name| format!("SIG{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        for good in ["SIGTERM", "term", "9", "64", "SIGRTMIN+3", "RTMAX-14", "SIGRTMIN", "sigusr1"] {
            assert!(is_signal(good), "{good}");
        }
        for bad in ["SIGTREM", "0", "65", "-9", "SIGRTMIN+16", "RTMIN+", "RTMIN+ 3", "SIG", ""] {
            assert!(!is_signal(bad), "{bad}");
        }
        assert_eq!(meant("SIGTREM").as_deref(), Some("SIGTERM"));
        assert_eq!(meant("frobnicate"), None);
    }
}
