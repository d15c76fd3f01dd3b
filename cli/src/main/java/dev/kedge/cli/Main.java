package dev.kedge.cli;

import dev.kedge.run.Run;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;

/// The commands. Whatever keeps one from its end, it ends in one line and an exit code: see [Ending].
@Command(
        name = "kedge",
        description =
                "KL-regularised learning for the JVM: train, align, distil and steer models, held to a reference.",
        subcommands = {
            RunCommand.class,
            GenerateCommand.class,
            MergeCommand.class,
            PreviewCommand.class,
            PapersCommand.class,
            ReportCommand.class,
            FetchCommand.class,
            DiffCommand.class,
            ReproduceCommand.class,
            CompareCommand.class,
            ClaimsCommand.class,
            BenchCommand.class,
            DoctorCommand.class
        },
        footer = {"", "Also: kedge test, install, mutate, javadoc and format, for work on Kedge itself."},
        mixinStandardHelpOptions = true,
        version = "kedge " + Run.KEDGE_VERSION)
public final class Main {
    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Show the stack trace of an error.")
    boolean debug;

    public static void main(String[] arguments) {
        System.setOut(StandardOutput.to(new FileOutputStream(FileDescriptor.out), System.out.charset()));
        System.setErr(new PrintStream(
                new FileOutputStream(FileDescriptor.err), true, StandardOutput.spoken(System.err.charset())));
        Thread.setDefaultUncaughtExceptionHandler((_, e) -> ended(e, false));
        System.exit(execute(arguments));
    }

    static int execute(String... arguments) {
        return execute(new CommandLine(new Main()), arguments);
    }

    /// @param commands of a [Main]
    static int execute(CommandLine commands, String... arguments) {
        Ending.keepReserve();
        Main main = commands.getCommand();
        StringWriter usage = new StringWriter(); // picocli shows the trace of what its own words meet
        int code;
        try {
            code = commands.setOut(new PrintWriter(usage, true))
                    .setCaseInsensitiveEnumValuesAllowed(true)
                    .setParameterExceptionHandler(Main::usage)
                    .setExecutionExceptionHandler((e, _, _) -> ended(e, main.debug))
                    .execute(arguments);
        } catch (Throwable e) {
            code = ended(e, main.debug);
        }
        try {
            System.out.print(usage);
            System.out.flush();
            return code;
        } catch (StandardOutput.Unwritable e) {
            return code == 0 ? ended(e, main.debug) : code;
        }
    }

    private static int usage(ParameterException e, String[] arguments) {
        System.err.println("kedge: " + Ending.said(e) + " (kedge " + command(e) + "--help shows the usage)");
        return 2;
    }

    private static String command(ParameterException e) {
        String name = e.getCommandLine().getCommandName();
        return name.equals("kedge") ? "" : name + " ";
    }

    private static int ended(Throwable e, boolean debug) {
        Ending.makeRoom(e);
        Ending ending = Ending.of(e);
        if (!ending.line().isEmpty()) {
            System.err.println("kedge: " + ending.line());
        }
        if (debug) {
            e.printStackTrace();
        }
        return ending.code();
    }
}
