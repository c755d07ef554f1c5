//! What is different where a person sits at a terminal.

use crate::bed::{Bench, View};

#[test]
fn a_terminal_reaches_into_the_machine_and_is_asked_before_data_goes() {
    Bench::run_on(View::V2, |bench| {
        bench.manifest(
            "services: { web: { image: sdcompose-test/debian:trixie, volumes: [\"data:/data\"] } }
volumes: { data: {} }",
        );
        let ran = bench.in_terminal("sdcompose up -d").end().code(0);
        ran.says(&["web"]);
        // A terminal whose cursor was hidden has it back.
        let [hidden, shown] = ["\u{1b}[?25l", "\u{1b}[?25h"].map(|sequence| ran.stdout.rfind(sequence));
        assert!(hidden <= shown, "{ran}");

        // The size of the terminal, at first and after a change.
        let line = "stty rows 33 cols 99; (sleep 1.5; stty rows 44 cols 111 </dev/tty) & \
                    sdcompose exec web sh -c 'tty; stty size; sleep 3; stty size; exit 5'; code=$?; stty -a | grep -o ' -*echo '; exit $code";
        let ran = bench.in_terminal(line).end().code(5);
        ran.says(&["/dev/pts/", "33 99", "44 111", " echo "]);
        // Keys reach the program inside, Ctrl-C as well; it is not sdcompose that ends by it.
        let mut running = bench.in_terminal("sdcompose exec web sh -c 'trap \"echo caught\" INT; echo ready; read line; read line; echo got $line'");
        running.wait_for("ready");
        running.type_in("\u{3}");
        running.wait_for("caught");
        running.type_in("hello\nthere\n");
        running.end().code(0).says(&["got "]);

        let mut running = bench.in_terminal("sdcompose down -v");
        running.wait_for("data");
        running.give("n\n");
        let ran = running.end();
        assert_ne!(ran.status, 0, "{ran}");
        assert_eq!(bench.running(), bench.names(&["web"]), "{ran}");
        let mut running = bench.in_terminal("sdcompose down -v");
        running.wait_for("data");
        running.give("y\n");
        let ran = running.end().code(0);
        assert_eq!(bench.left(), Vec::<String>::new(), "{ran}");
    });
}
