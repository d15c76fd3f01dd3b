package dev.kedge.cli;

import dev.kedge.lab.report.Report;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// Draws a run's report anew.
@Command(name = "report", description = "Write report.html of a run folder.", mixinStandardHelpOptions = true)
final class ReportCommand implements Callable<Integer> {
    @Parameters(paramLabel = "RUN", description = "A run folder.")
    Path run;

    @Override
    public Integer call() {
        System.out.println(Report.write(run));
        return 0;
    }
}
