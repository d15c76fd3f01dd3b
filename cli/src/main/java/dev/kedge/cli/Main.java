package dev.kedge.cli;

import dev.kedge.config.ConfigException;
import dev.kedge.data.DataException;
import dev.kedge.data.fetch.FetchException;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;

/// The commands. Every user error ends in one line and an exit code: 2 usage and configuration, 3 data, 4 a failed run.
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
        System.exit(execute(arguments));
    }

    static int execute(String... arguments) {
        Main main = new Main();
        return new CommandLine(main)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(Main::usage)
                .setExecutionExceptionHandler((e, _, _) -> failed(e, main.debug))
                .execute(arguments);
    }

    private static int usage(ParameterException e, String[] arguments) {
        System.err.println("kedge: " + firstLine(e) + " (kedge " + command(e) + "--help shows the usage)");
        return 2;
    }

    private static String command(ParameterException e) {
        String name = e.getCommandLine().getCommandName();
        return name.equals("kedge") ? "" : name + " ";
    }

    private static int failed(Exception e, boolean debug) {
        System.err.println("kedge: " + firstLine(e));
        if (debug) {
            e.printStackTrace();
        }
        return switch (e) {
            case ConfigException _ -> 2;
            case DataException _, FetchException _, InvalidFileException _ -> 3;
            case RunFailedException _ -> 4;
            case IllegalArgumentException _ -> 2;
            default -> 1;
        };
    }

    private static String firstLine(Exception e) {
        String message = e.getMessage() == null ? e.toString() : e.getMessage();
        return message.lines().findFirst().orElse(e.toString());
    }
}
