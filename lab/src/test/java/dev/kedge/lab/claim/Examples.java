package dev.kedge.lab.claim;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.lab.catalogue.Catalogue;
import dev.kedge.lab.catalogue.Paper;
import dev.kedge.lab.claim.Claim.Against;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.run.result.Frontier;
import java.util.List;

/// Claims whose measurement costs nothing.
public final class Examples {
    public static final Paper PAPER = Catalogue.load().bySlug("f-dpo").orElseThrow();

    private Examples() {}

    /// Arm a has 2 + seed/10, arm b 1 + seed/5, so that a exceeds b by 1 - seed/10; seed 10 is even.
    public static Outcome outcome(long seed) {
        var points = List.of(Frontier.Point.of(seed, 1), Frontier.Point.of(seed + 1, 2));
        return Outcome.NOTHING
                .with("a", 2 + seed / 10.0)
                .with("b", 1 + seed / 5.0)
                .with(new Frontier("a picture", "x", "y", List.of(new Frontier.Arm("arm", points)), List.of()));
    }

    public static Experiment experiment(Experiment.Trial trial) {
        return new Experiment("example", "Numbers | out of <thin> air.", 6, trial);
    }

    public static Claim claim(Experiment experiment, String name, Direction direction, Against against, double asked) {
        var statement = measure(experiment, "height", "nats")
                .claim(name)
                .says("A is " + direction + " than " + (against instanceof Threshold ? "1" : "B")
                        + " | <says> the paper.");
        var method = new Arm("method A", "a");
        return (direction == Direction.MORE ? statement.more(method, against) : statement.less(method, against))
                .by(asked);
    }

    /// One of each verdict, and a threshold.
    public static List<Claim> claims(Experiment experiment) {
        var b = new Arm("baseline B", "b");
        return List.of(
                claim(experiment, "more", Direction.MORE, b, 0),
                claim(experiment, "much-more", Direction.MORE, b, 0.9),
                claim(experiment, "less", Direction.LESS, b, 0),
                claim(experiment, "above-one", Direction.MORE, new Threshold(1), 0));
    }
}
