package dev.kedge.stress;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Kedge's command line in a process of its own, started as this one was.
///
/// @param exit  its exit code; 137 where it was killed
/// @param lines what it wrote, standard error too
record ChildProcess(int exit, List<String> lines) {

    /// @param before a command that starts it, such as a tracer; may be empty
    static ChildProcess run(List<String> before, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "dev.kedge.cli.Main"));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        List<String> lines;
        try (var out = process.inputReader()) {
            lines = out.lines().toList();
        }
        return new ChildProcess(process.waitFor(), lines);
    }

    /// @throws IllegalStateException with what it wrote, if it did not end well
    ChildProcess requireSuccess(String what) {
        if (exit != 0) {
            throw new IllegalStateException(what + " ended with " + exit + ": " + String.join(" | ", lines));
        }
        return this;
    }
}
