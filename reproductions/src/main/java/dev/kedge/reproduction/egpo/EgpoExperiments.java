package dev.kedge.reproduction.egpo;

import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.reproduction.games.GameMethod;
import dev.kedge.reproduction.games.GameSampling;
import dev.kedge.reproduction.games.GameTrajectory;
import dev.kedge.reproduction.games.GameTrajectory.Point;
import dev.kedge.reproduction.games.TabularDynamics;
import dev.kedge.reproduction.games.TabularGames;
import dev.kedge.run.result.Frontier;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.hipparchus.stat.regression.SimpleRegression;

/// The experiments behind EGPO's claims. Rates called best are those of least mean log gap out of a grid whose
/// neighbours differ by a factor of 2 or less, on the games of seeds 1001 to 1020.
public final class EgpoExperiments {
    private static final double WEAK = 0.01;
    private static final double WEAK_RATE = 0.02;
    private static final double STRONG = 0.1;
    private static final double STRONG_RATE = 0.1;
    private static final double PG_SHARE = 0.008;
    private static final double CYCLE_RATE = 0.01;
    private static final double SAMPLED_RATE = 0.02;
    private static final int POINTS = 20; // half of them fall on half the updates, where methods are compared too
    private static final String GAP = "log10 of the duality gap";

    /// Below this gap rounding bends the line.
    private static final double FITTED = 1e-12;

    private EgpoExperiments() {}

    /// How large the experiments are.
    ///
    /// @param actions          of a random game
    /// @param weakGradients    a method gets at beta 0.01
    /// @param strongGradients  at beta 0.1
    /// @param cycleGradients   in rock, scissors, paper
    /// @param sampledGradients with samples
    /// @param samples          pairs, and opponents, a gradient
    public record Scale(
            int actions,
            int weakGradients,
            int strongGradients,
            int cycleGradients,
            int sampledGradients,
            int samples) {
        static final Scale PUBLISHED = new Scale(10, 1000, 200, 400, 2000, 100);
    }

    public enum Method {
        EGPO("EGPO"),
        IPO_1("online IPO 1"),
        IPO_2("online IPO 2"),
        NASH_MD("Nash-MD"),
        NASH_MD_PG("Nash-MD-PG");

        public final String title;

        Method(String title) {
            this.title = title;
        }

        public String title() {
            return title;
        }

        /// @param rate    of gradient steps; a mirror step of `h = 4·rate/actions`, which is Nash-MD's mixture too
        GameMethod with(double rate, int actions) {
            double h = 4 * rate / actions;
            return switch (this) {
                case EGPO -> new GameMethod.Egpo(rate);
                case IPO_1 -> new GameMethod.OnlineIpo1(rate);
                case IPO_2 -> new GameMethod.OnlineIpo2(rate);
                case NASH_MD -> new GameMethod.NashMd(rate, h);
                case NASH_MD_PG -> new GameMethod.NashMdPg(rate, PG_SHARE);
            };
        }

        /// The arm that reads a measure of this method.
        Arm arm(String measure) {
            return new Arm(title, number(measure));
        }

        Arm average(String measure) {
            return new Arm("average of " + title, number(measure + ", average"));
        }

        public String number(String measure) {
            return measure + ", " + title;
        }
    }

    // --- random games, exact ---

    public static final String SAME = "gap at beta 0.01, one rate";
    public static final String HALF = "gap at beta 0.01, one rate, half the gradients";
    static final String BEST = "gap at beta 0.01, best rates";
    static final String HELD = "gap at beta 0.1, one rate";
    static final String HELD_HALF = "gap at beta 0.1, one rate, half the gradients";
    static final String ADVANTAGE = "advantage over online IPO 1";
    static final String RATE = "rate of the log gap, in log(1 - h)";
    static final String STRAIGHT = "R² of the log gap on updates";

    public static Experiment games(Scale s) {
        var description = "A random game of " + s.actions + " actions a seed (P below the diagonal uniform in [0, 1]), "
                + "a reference of standard normal logits, where play begins; exact expectations, plain "
                + "gradient steps on logits. At beta 0.01 all methods get " + s.weakGradients + " gradients, "
                + "at the paper's learning rate 0.02 and again each at its best of a grid, chosen on other "
                + "games: EGPO 0.12, online IPO 1 0.014, online IPO 2 0.005, Nash-MD 0.01, Nash-MD-PG 3. At "
                + "beta 0.1 they get " + s.strongGradients + " at the paper's rate 0.1. An update of EGPO "
                + "takes two gradients. Nash-MD mixes the reference with exponent 4·rate/" + s.actions
                + ", Nash-MD-PG with 0.008.";
        return new Experiment("random-games", description, 20, seed -> games(s, seed));
    }

    private static Outcome games(Scale s, long seed) {
        var weak = TabularGames.random(1, s.actions, WEAK, seed);
        var strong = TabularGames.random(1, s.actions, STRONG, seed);
        var same = new EnumMap<Method, GameTrajectory>(Method.class);
        var held = new EnumMap<Method, GameTrajectory>(Method.class);
        var best = new EnumMap<Method, GameTrajectory>(Method.class);
        for (var m : List.of(Method.EGPO, Method.IPO_1, Method.IPO_2, Method.NASH_MD)) {
            same.put(m, learn(m.with(WEAK_RATE, s.actions), weak, s.weakGradients));
        }
        for (var m : List.of(Method.EGPO, Method.IPO_1)) {
            held.put(m, learn(m.with(STRONG_RATE, s.actions), strong, s.strongGradients));
        }
        Map.of(
                        Method.EGPO,
                        0.12,
                        Method.IPO_1,
                        0.014,
                        Method.IPO_2,
                        0.005,
                        Method.NASH_MD,
                        0.01,
                        Method.NASH_MD_PG,
                        3.0)
                .forEach((m, rate) -> best.put(m, learn(m.with(rate, s.actions), weak, s.weakGradients)));
        var outcome = gaps(gaps(gaps(Outcome.NOTHING, SAME, same), HELD, held), BEST, best);
        outcome = halves(halves(outcome, HALF, same, s.weakGradients / 2), HELD_HALF, held, s.strongGradients / 2);
        outcome = outcome.with(ADVANTAGE + " at beta 0.01", advantage(same))
                .with(ADVANTAGE + " at beta 0.1", advantage(held));
        for (var m : List.of(Method.EGPO, Method.IPO_1)) {
            var fit = fit(same.get(m));
            outcome = outcome.with(m.number(STRAIGHT), fit.getRSquare())
                    .with(m.number(RATE), fit.getSlope() / Math.log1p(-4 * WEAK_RATE / s.actions));
        }
        return outcome.with(picture("Beta 0.01, the paper's rate", same))
                .with(picture("Beta 0.01, each at its best rate", best))
                .with(picture("Beta 0.1, the paper's rate", held));
    }

    private static GameTrajectory learn(GameMethod method, TabularGames games, int gradients) {
        int updates = updates(method, gradients);
        return TabularDynamics.exact(method, games, updates, Math.max(1, updates / POINTS))
                .getFirst();
    }

    private static int updates(GameMethod method, int gradients) {
        return method instanceof GameMethod.Egpo ? gradients / 2 : gradients;
    }

    private static Outcome gaps(Outcome outcome, String measure, Map<Method, GameTrajectory> learnt) {
        for (var m : learnt.keySet()) {
            outcome = outcome.with(m.number(measure), learnt.get(m).end().last().logGap())
                    .with(
                            m.number(measure + ", average"),
                            learnt.get(m).end().average().logGap());
        }
        return outcome;
    }

    /// After as many updates as EGPO has at the end.
    private static Outcome halves(Outcome outcome, String measure, Map<Method, GameTrajectory> learnt, int updates) {
        for (var m : learnt.keySet()) {
            var point = learnt.get(m).afterUpdates(updates);
            if (point.updates() != updates) {
                throw new IllegalStateException(
                        m + " was looked at after " + point.updates() + " updates, not after " + updates);
            }
            outcome = outcome.with(m.number(measure), point.last().logGap());
        }
        return outcome;
    }

    private static double advantage(Map<Method, GameTrajectory> learnt) {
        return learnt.get(Method.IPO_1).end().last().logGap()
                - learnt.get(Method.EGPO).end().last().logGap();
    }

    /// The straight line through the log of the last policies' gaps over updates.
    private static SimpleRegression fit(GameTrajectory t) {
        var fit = new SimpleRegression();
        t.points().stream()
                .filter(p -> p.last().dualityGap() > FITTED)
                .forEach(p -> fit.addData(p.updates(), Math.log(p.last().dualityGap())));
        return fit;
    }

    private static Frontier picture(String title, Map<Method, GameTrajectory> learnt) {
        var arms = new ArrayList<Frontier.Arm>();
        learnt.forEach((m, t) ->
                arms.add(t.arm(m.title, Point::gradients, p -> p.last().logGap())));
        arms.add(learnt.get(Method.IPO_1).arm("average of " + Method.IPO_1.title, Point::gradients, p -> p.average()
                .logGap()));
        return new Frontier(title, "gradients", GAP, arms);
    }

    // --- rock, scissors, paper ---

    static final String CYCLE = "gap in rock, scissors, paper";

    static Experiment cycle(Scale s) {
        var description = String.format(
                Locale.ROOT,
                "Rock, scissors, paper at beta 0.01, reference and start of standard normal logits, exact "
                        + "expectations, %d gradients at learning rate %s, chosen on other starts.",
                s.cycleGradients,
                CYCLE_RATE);
        return new Experiment("rock-paper-scissors", description, 20, seed -> cycle(s, seed));
    }

    private static Outcome cycle(Scale s, long seed) {
        var games = TabularGames.rockPaperScissors(WEAK, seed);
        var learnt = new EnumMap<Method, GameTrajectory>(Method.class);
        for (var m : List.of(Method.EGPO, Method.IPO_1, Method.NASH_MD)) {
            learnt.put(m, learn(m.with(CYCLE_RATE, 3), games, s.cycleGradients));
        }
        return gaps(Outcome.NOTHING, CYCLE, learnt).with(picture("Rock, scissors, paper", learnt));
    }

    // --- random games, sampled ---

    static final String SAMPLED = "gap with samples, one rate";
    static final String SAMPLED_BEST = "gap with samples, best rates";

    static Experiment sampled(Scale s) {
        var description = "The random games of " + s.actions + " actions at beta 0.01, where a gradient comes from "
                + s.samples + " drawn pairs and opponents: " + s.sampledGradients + " gradients at learning "
                + "rate " + SAMPLED_RATE + ", and again each at its best of a grid, chosen on other games: "
                + "EGPO 0.005, online IPO 1 0.0025.";
        return new Experiment("sampled-games", description, 20, seed -> sampled(s, seed));
    }

    private static Outcome sampled(Scale s, long seed) {
        var same = sampled(s, seed, SAMPLED_RATE, SAMPLED_RATE);
        var best = sampled(s, seed, 0.005, 0.0025);
        return gaps(gaps(Outcome.NOTHING, SAMPLED, same), SAMPLED_BEST, best)
                .with(picture("With samples, one rate", same))
                .with(picture("With samples, each at its best rate", best));
    }

    private static Map<Method, GameTrajectory> sampled(Scale s, long seed, double egpoRate, double ipoRate) {
        var games = TabularGames.random(1, s.actions, WEAK, seed);
        var learnt = new EnumMap<Method, GameTrajectory>(Method.class);
        Map.of(Method.EGPO, egpoRate, Method.IPO_1, ipoRate).forEach((m, rate) -> {
            var method = m.with(rate, s.actions);
            int updates = updates(method, s.sampledGradients);
            var sampling = new GameSampling(s.samples, 1, seed);
            learnt.put(
                    m,
                    TabularDynamics.sampled(method, games, sampling, updates, Math.max(1, updates / POINTS))
                            .getFirst());
        });
        return learnt;
    }
}
