package dev.kedge.stress;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// `./kedge stress kills [OF_EACH_RECIPE [RECIPE]]`, `./kedge stress disks [HOW_MANY]`.
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        String what = arguments.length == 0 ? "" : arguments[0];
        int times = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 45;
        String recipe = arguments.length > 2 ? arguments[2] : "";
        Path work = Files.createTempDirectory("kedge-stress");
        boolean isGood =
                switch (what) {
                    case "kills" -> Kills.run(work, times, recipe);
                    case "disks" -> FullDisks.run(work, times);
                    default -> {
                        System.err.println("kedge: stress needs kills, disks or fuzz; was " + what);
                        yield false;
                    }
                };
        System.exit(isGood ? 0 : 1);
    }
}
