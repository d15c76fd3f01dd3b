package dev.kedge.stress;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Kills runs (SIGKILL) as they enter a chosen call to the system that changes a file, lets them go on, and compares
/// with a run left in peace. `strace` does the killing, so the place is exact: before the third rename, not some
/// milliseconds after a step.
final class Kills {
    private static final List<String> CALLS = List.of(
            "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat2", "unlink", "rmdir", "mkdir", "ftruncate");
    private static final Pattern CALL = Pattern.compile("^(\\d+) +([a-z0-9]+)\\((.*)");
    private static final Pattern PATH = Pattern.compile("[<\"](/[^>\"]*)[>\"]");

    private static final int KILLED = 128 + 9;

    private Kills() {}

    /// Where a run can be killed: before the `number`-th call of that name by one of its threads.
    private record Point(String call, int number, String place) {}

    private record Outcome(String recipe, String place, Optional<String> fault) {}

    /// @param kills of each recipe
    /// @param only  the name of one recipe; empty: all
    static boolean run(Path work, int kills, String only) throws IOException, InterruptedException {
        List<Outcome> outcomes = new ArrayList<>();
        for (ShortRun recipe : ShortRun.all(Inputs.made(work))) {
            if (!only.isEmpty() && !recipe.name().equals(only)) {
                continue;
            }
            Path peace = work.resolve(recipe.name()).resolve("peace").resolve("run");
            List<Point> points = chosen(points(recipe, peace), kills);
            Fingerprint expected = Fingerprint.of(peace);
            for (int i = 0; i < points.size(); i++) {
                Path folder = work.resolve(recipe.name()).resolve("killed-" + i).resolve("run");
                Outcome outcome = killed(recipe, points.get(i), folder, expected);
                outcomes.add(outcome);
                System.err.printf(
                        Locale.ROOT,
                        "%s %d of %d: %s: %s%n",
                        recipe.name(),
                        i + 1,
                        points.size(),
                        outcome.place(),
                        outcome.fault().orElse("the same"));
            }
        }
        return told(outcomes);
    }

    /// Every call of a run left in peace that changes a file of it.
    private static List<Point> points(ShortRun recipe, Path folder) throws IOException, InterruptedException {
        Path trace = folder.resolveSibling("trace.txt");
        Files.createDirectories(folder.getParent());
        ChildProcess.run(traced(trace, List.of()), recipe.arguments(folder.toString()))
                .requireSuccess(recipe.name());
        Map<String, Integer> counts = new TreeMap<>();
        List<Point> points = new ArrayList<>();
        for (String line : Files.readAllLines(trace)) {
            Matcher call = CALL.matcher(line);
            if (call.find()) {
                int number = counts.merge(call.group(1) + call.group(2), 1, Integer::sum);
                place(folder, call.group(3)).ifPresent(place -> points.add(new Point(call.group(2), number, place)));
            }
        }
        return points;
    }

    /// As many at each place, spread over the run.
    private static List<Point> chosen(List<Point> points, int kills) {
        Map<String, List<Point>> places = new LinkedHashMap<>();
        points.forEach(p -> places.computeIfAbsent(p.place() + p.call(), _ -> new ArrayList<>())
                .add(p));
        List<Point> chosen = new ArrayList<>();
        for (int round = 0; chosen.size() < Math.min(kills, points.size()); round++) {
            for (List<Point> there : places.values()) {
                if (round < there.size() && chosen.size() < kills) {
                    // 0, 1/2, 1/4, 3/4, ...: the digits of the round, mirrored.
                    int at = (int) ((Integer.toUnsignedLong(Integer.reverse(round)) * there.size()) >>> 32);
                    Point point = there.get(at);
                    if (!chosen.contains(point)) {
                        chosen.add(point);
                    }
                }
            }
            if (round > points.size()) {
                break;
            }
        }
        return chosen;
    }

    private static Outcome killed(ShortRun recipe, Point point, Path folder, Fingerprint expected)
            throws IOException, InterruptedException {
        Path trace = folder.resolveSibling("trace.txt");
        Files.createDirectories(folder.getParent());
        String inject = "inject=" + point.call() + ":signal=SIGKILL:when=" + point.number();
        ChildProcess killed =
                ChildProcess.run(traced(trace, List.of("-e", inject)), recipe.arguments(folder.toString()));
        if (killed.exit() != KILLED) {
            return new Outcome(recipe.name(), point.place(), Optional.of("not killed, ended with " + killed.exit()));
        }
        String place = last(folder, trace).orElse(point.place()) + ", " + point.call();
        ChildProcess resumed = ChildProcess.run(List.of(), recipe.arguments(folder.toString()));
        Optional<String> fault = resumed.exit() == 0
                ? Fingerprint.of(folder).difference(expected)
                : Optional.of("does not go on: " + String.join(" | ", resumed.lines()));
        if (fault.isEmpty()) {
            Inputs.delete(folder.getParent());
        }
        return new Outcome(recipe.name(), place, fault);
    }

    /// The file that the process was about to change.
    private static Optional<String> last(Path folder, Path trace) throws IOException {
        return Files.readAllLines(trace).stream()
                .map(CALL::matcher)
                .filter(Matcher::find)
                .flatMap(m -> place(folder, m.group(3)).stream())
                .reduce((_, later) -> later);
    }

    private static List<String> traced(Path trace, List<String> inject) {
        List<String> command = new ArrayList<>(List.of("strace", "-f", "-qq", "-y", "-o", trace.toString()));
        command.addAll(List.of("-e", "trace=" + String.join(",", CALLS), "-e", "signal=none"));
        command.addAll(inject);
        return command;
    }

    /// A call's file in the run folder, with steps, phases and hashes left out.
    private static Optional<String> place(Path folder, String call) {
        Matcher path = PATH.matcher(call);
        String around = folder.getParent() + "/"; // models that runs share lie beside the run
        if (!path.find() || !path.group(1).startsWith(around)) {
            return Optional.empty();
        }
        String file = path.group(1).substring(around.length()).replaceAll("^models/[0-9a-f]+", "models/X");
        return Optional.of(file.replaceAll("step-[0-9-]+", "step-N").replaceAll("policies/[^/]+", "policies/X"));
    }

    private static boolean told(List<Outcome> outcomes) {
        Map<String, int[]> table = new TreeMap<>();
        for (Outcome outcome : outcomes) {
            int[] counts = table.computeIfAbsent(outcome.place(), _ -> new int[2]);
            counts[0]++;
            counts[1] += outcome.fault().isPresent() ? 0 : 1;
        }
        System.out.println("| killed before | kills | went on to the same run |\n|---|---|---|");
        table.forEach((place, c) -> System.out.println("| " + place + " | " + c[0] + " | " + c[1] + " |"));
        long faults = outcomes.stream().filter(o -> o.fault().isPresent()).count();
        System.out.println(outcomes.size() + " kills, " + (outcomes.size() - faults) + " went on to the same run");
        outcomes.stream()
                .filter(o -> o.fault().isPresent())
                .sorted(Comparator.comparing(Outcome::recipe))
                .forEach(o -> System.out.println(
                        o.recipe() + ", " + o.place() + ": " + o.fault().get()));
        return faults == 0;
    }
}
